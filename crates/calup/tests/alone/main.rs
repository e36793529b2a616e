//! Journeys that measure how fast the program is, in a release build: cargo runs this target when no other runs, so nothing
//! else is on the machine.

#[allow(dead_code, unused_imports)]
#[path = "../it/world.rs"]
mod world;

mod backlog;
