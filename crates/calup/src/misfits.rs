//! Signatures that look like the sender's and fit no secret: several mean that a secret was changed there, and bookings (or
//! clicks) are being lost. Three in a row, however far apart, since a small team has few bookings; or three within an hour,
//! since another webhook's secret may fit between them.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::{Duration, Instant};

const MANY: usize = 3;
const AN_HOUR: Duration = Duration::from_secs(3_600);

#[derive(Default)]
pub struct Misfits(Mutex<State>);

#[derive(Default)]
struct State {
    in_a_row: usize,
    lately: VecDeque<Instant>,
    is_untold: bool,
}

impl Misfits {
    pub fn add(&self, now: Instant) {
        let mut state = self.0.lock().expect("no holder panics");
        state.in_a_row += 1;
        state.is_untold = true;
        if state.lately.len() >= MANY {
            state.lately.pop_front();
        }
        state.lately.push_back(now);
    }

    /// One fitted.
    pub fn end(&self) {
        self.0.lock().expect("no holder panics").in_a_row = 0;
    }

    /// Whether there are many, and more than the last time.
    pub fn are_news(&self, now: Instant) -> bool {
        let mut state = self.0.lock().expect("no holder panics");
        let oldest = state.lately.front().filter(|_| state.lately.len() >= MANY);
        let is_hour_s = oldest.is_some_and(|at| now.duration_since(*at) < AN_HOUR);
        let are_many = state.in_a_row >= MANY || is_hour_s;
        are_many && std::mem::take(&mut state.is_untold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(start: Instant, n: u64) -> Instant {
        start + Duration::from_secs(60 * n)
    }

    #[test]
    fn three_in_a_row_are_told_however_far_apart_and_each_that_follows() {
        let (misfits, start) = (Misfits::default(), Instant::now());
        for n in [0, 500] {
            misfits.add(minute(start, n));
            assert!(!misfits.are_news(minute(start, n)));
        }
        for n in [1_000, 1_500] {
            misfits.add(minute(start, n));
            assert!(misfits.are_news(minute(start, n)));
            assert!(!misfits.are_news(minute(start, n)));
        }
    }

    #[test]
    fn three_within_an_hour_are_told_whatever_fits_between_them() {
        let (misfits, start) = (Misfits::default(), Instant::now());
        for n in [0, 50, 70] {
            misfits.add(minute(start, n));
            misfits.end();
            assert!(!misfits.are_news(minute(start, n)));
        }
        misfits.add(minute(start, 80));
        misfits.end();
        assert!(misfits.are_news(minute(start, 80)));
    }
}
