//! Cal.com. What it sends is verified in [`signature`] and understood in [`webhook`]; storing, ordering and
//! retrying deliveries happens elsewhere. The shapes of its JSON are known here and nowhere else.

mod answers;
mod booking;
mod form;
mod json;
mod note;
mod place;
mod secrets;
pub mod signature;
pub mod webhook;
