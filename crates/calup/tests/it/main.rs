//! Journeys through the real binary: deliveries go in over HTTP, a simulated ClickUp is looked at afterwards.

mod world;

mod bodies;
mod bookings;
mod fixtures;
mod house;
mod signatures;
mod slow;
