//! Journeys through the real binary: deliveries go in over HTTP, a simulated ClickUp is looked at afterwards.

mod world;

mod bookings;
mod house;
