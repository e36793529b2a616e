//! The vendors, pretended: state, HTTP on loopback, and faults on demand.
//!
//! Nothing here is shared with our clients, on purpose: a field misspelt on both sides
//! would pass every test. Both sides are held to `fixtures/` and to the vendors' own
//! specifications instead.

pub mod cal;
pub mod claude;
pub mod clickup;
pub mod faults;
pub mod http;
pub mod slack;
mod suffering;

pub use faults::{Fault, Match};
