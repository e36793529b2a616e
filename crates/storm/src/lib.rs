//! The storm: the program's real intake and worker on a real database and a pretended ClickUp that remembers, in a world
//! where everything goes wrong that can, the same way each time for the same seed. After every step it is checked that
//! nothing happened that must never happen (protocol.md, I1–I22).

mod dice;
mod ending;
mod fatal;
mod judge;
mod life;
mod limits;
mod marks;
mod mortal;
mod network;
mod people;
pub mod planted;
mod poison;
mod repair;
mod restore;
mod secrets;
mod seen;
mod sender;
mod set;
mod spell;
mod stopped;
mod storm;
mod story;
mod time;
mod trace;
mod weather;
mod world;

pub use set::clean_up;
pub use storm::{Ended, Options, run};
pub use world::{Counts, Violation};
