//! How long this process has waited for something. Wall clocks jump; what is given up after a time is given up by the
//! steady clock.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock;

/// Whoever waits asks more often than this.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(2 * 24 * 3_600);
const FEW: usize = 1_000;

#[derive(Default)]
pub struct Waits {
    /// When it was first and last asked about.
    since: Mutex<Since>,
}

type Since = HashMap<String, (Duration, Duration)>;

impl Waits {
    /// Since it was asked about first.
    pub fn of(&self, what: &str) -> Duration {
        let now = clock::steady();
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        // Seldom: just before it grows.
        if since.len() == since.capacity() && since.len() > FEW {
            since.retain(|_, (_, asked)| now.saturating_sub(*asked) < FORGOTTEN_AFTER);
        }
        let (first, asked) = since.entry(what.to_owned()).or_insert((now, now));
        *asked = now;
        now.saturating_sub(*first)
    }

    pub fn is_over(&self, what: &str) {
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        since.remove(what);
    }

    /// All begin anew.
    pub fn begin_anew(&self) {
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        since.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_begins_when_it_is_asked_about_and_again_when_it_was_over() {
        let waits = Waits::default();
        assert!(waits.of("e_1") < Duration::from_millis(5));
        std::thread::sleep(Duration::from_millis(10));
        assert!(waits.of("e_1") >= Duration::from_millis(10));
        assert!(waits.of("e_2") < Duration::from_millis(5));
        waits.is_over("e_1");
        assert!(waits.of("e_1") < Duration::from_millis(5));
    }
}
