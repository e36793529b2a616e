//! Journeys through the real binary: deliveries go in over HTTP, a simulated ClickUp is looked at afterwards.

mod world;

mod api;
mod block;
mod bodies;
mod bookings;
mod commands;
mod crashes;
mod doctor;
mod faults;
mod fixtures;
mod house;
mod limits;
mod people;
mod plans;
mod postgres;
mod ready;
mod replicas;
mod secrets;
mod signatures;
mod slow;
mod statuses;
mod triggers;
