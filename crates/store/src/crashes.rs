//! When something is held to be what stops the program.

use std::time::Duration;

use jiff::Timestamp;

/// The program stopped so often while it was worked on, each time but the first alone: it is held to be the
/// cause. A try that counts begins the count anew; one that only waits (for a limit, or for what an earlier stop left in
/// doubt) says nothing about it. Panics are caught and counted apart, and end at three; what is left are kills from outside, and however
/// often a machine is killed, that must not bury a booking for having been at work.
pub const CRASHES_MAX: u32 = 20;

/// The same for reading, which has no rest between: a body is read at every start, before anything else.
pub const READINGS_MAX: u32 = 100;

/// So often it is worked on again at once.
const AT_ONCE: u32 = 2;
const REST_MAX: Duration = Duration::from_secs(30);

pub const STOPPED_BY_READING: &str =
    "reading it stopped the program a hundred times; replay it after an upgrade";
pub const STOPPED_BY_WORK: &str =
    "working on it stopped the program twenty times; replay it after an upgrade";

/// When a change that ran at `crashes` stops in a row is worked on again; `None` is at once. Waiting keeps a real cause
/// from stopping the program time after time, and a machine that is killed all the time from counting as one.
pub fn works_again_at(crashes: u32, now: Timestamp) -> Option<Timestamp> {
    let doubled = crashes.checked_sub(AT_ONCE).filter(|n| *n > 0)?;
    let rest = Duration::from_secs(1 << doubled.min(10)).min(REST_MAX);
    Some(now.checked_add(rest).unwrap_or(now))
}

/// What the program stopped at and that is due until then may be at rest: whoever wakes everybody leaves it.
pub fn rested_by(now: Timestamp) -> Timestamp {
    now.checked_add(REST_MAX).unwrap_or(now)
}

pub fn rests(crashes: u32) -> String {
    format!("the program stopped {crashes} times while working on it; it is tried again on its own")
}

/// One that cannot be opened must not keep everybody from work.
pub fn unopened_change(why: &str) -> String {
    format!("it cannot be opened ({why}); restore a backup, then replay it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_two_stops_it_waits_twice_as_long_each_time_and_half_a_minute_at_most() {
        let seconds = |crashes| {
            let at = works_again_at(crashes, Timestamp::UNIX_EPOCH)?;
            Some(at.as_second())
        };
        let waits: Vec<_> = (1..=8).map(seconds).collect();
        let expected = [
            None,
            None,
            Some(2),
            Some(4),
            Some(8),
            Some(16),
            Some(30),
            Some(30),
        ];
        assert_eq!(waits, expected);
        assert_eq!(seconds(CRASHES_MAX), Some(30));
    }
}
