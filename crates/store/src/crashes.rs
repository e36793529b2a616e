//! When something is held to be what stops the program.

/// The program stopped so often while it was read or worked on, each time but the first alone: it is held to be the
/// cause. Panics are caught and counted apart, and end at three; what is left are kills from outside, and however
/// often a machine is killed, that must not bury a booking for having been at work.
pub const CRASHES_MAX: u32 = 100;

pub const STOPPED_BY_READING: &str =
    "reading it stopped the program a hundred times; replay it after an upgrade";
pub const STOPPED_BY_WORK: &str =
    "working on it stopped the program a hundred times; replay it after an upgrade";

/// One that cannot be opened must not keep everybody from work.
pub fn unopened_change(why: &str) -> String {
    format!("it cannot be opened ({why}); restore a backup, then replay it")
}
