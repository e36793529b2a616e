//! Cal.com. What it sends is verified in [`signature`] and understood in [`webhook`]; storing, ordering and
//! retrying deliveries happens elsewhere. The shapes of its JSON are known here and nowhere else.

mod answers;
mod booking;
mod json;
mod place;
mod secrets;
pub mod signature;
pub mod webhook;
