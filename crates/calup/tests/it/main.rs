//! Journeys through the real binary: deliveries go in over HTTP, a simulated ClickUp is looked at afterwards.

mod world;

mod ambiguous;
mod api;
mod backlog;
mod block;
mod bodies;
mod bookings;
mod clocks;
mod commands;
mod crash_points;
mod crashes;
mod disks;
mod doctor;
mod faults;
mod fixtures;
mod house;
mod limits;
mod on_postgres;
mod pair;
mod people;
mod plans;
mod postgres;
mod ready;
mod replicas;
mod restores;
mod secrets;
mod signatures;
mod slow;
mod statuses;
mod sweeps;
mod takeovers;
mod ten_minutes;
mod triggers;
mod upgrades;
mod wrong_files;
