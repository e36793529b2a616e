//! Signatures that look like Cal.com's (or Slack's) and fit no secret: several of them within an hour mean that the secret
//! was changed there, and bookings (or clicks) are being lost.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::{Duration, Instant};

const MANY: usize = 3;
const AN_HOUR: Duration = Duration::from_secs(3_600);

#[derive(Default)]
pub struct Misfits(Mutex<VecDeque<Instant>>);

impl Misfits {
    pub fn add(&self, now: Instant) {
        let mut times = self.0.lock().expect("no holder panics");
        if times.len() >= MANY {
            times.pop_front();
        }
        times.push_back(now);
    }

    pub fn are_many(&self, now: Instant) -> bool {
        let times = self.0.lock().expect("no holder panics");
        let oldest = times.front().filter(|_| times.len() >= MANY);
        oldest.is_some_and(|at| now.duration_since(*at) < AN_HOUR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_within_an_hour_are_many_and_three_in_two_hours_are_not() {
        let misfits = Misfits::default();
        let start = Instant::now();
        let minute = |n: u64| start + Duration::from_secs(60 * n);
        for n in [0, 50] {
            misfits.add(minute(n));
            assert!(!misfits.are_many(minute(n)));
        }
        misfits.add(minute(70));
        assert!(!misfits.are_many(minute(70)));
        misfits.add(minute(80));
        assert!(misfits.are_many(minute(80)));
        assert!(!misfits.are_many(minute(111)));
    }
}
