//! Words and decisions. No I/O, no async, no clock, no randomness: everything here is a pure function
//! of its arguments, so any decision that was ever taken can be taken again and compared.

pub mod booking;
pub mod chain;
pub mod change;
pub mod during;
pub mod effect;
pub mod event;
pub mod facts;
pub mod fence;
pub mod lead;
pub mod links;
pub mod matching;
pub mod name;
pub mod note;
pub mod outcome;
pub mod plan;
pub mod profile;
pub mod question;
pub mod retry;
pub mod template;
pub mod text;
pub mod when;
pub mod wording;
