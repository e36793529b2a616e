//! Signatures that look like the sender's and fit no secret: several in a row mean that the secret was changed there, and
//! bookings (or clicks) are being lost. However far apart they come: a small team has few bookings.

use std::sync::atomic::{AtomicU64, Ordering};

const MANY: u64 = 3;

#[derive(Default)]
pub struct Misfits {
    in_a_row: AtomicU64,
    told: AtomicU64,
}

impl Misfits {
    pub fn add(&self) {
        self.in_a_row.fetch_add(1, Ordering::Relaxed);
    }

    /// One fitted: the secret is right.
    pub fn end(&self) {
        self.in_a_row.store(0, Ordering::Relaxed);
        self.told.store(0, Ordering::Relaxed);
    }

    /// Whether there are many, and more than the last time.
    pub fn are_news(&self) -> bool {
        let in_a_row = self.in_a_row.load(Ordering::Relaxed);
        in_a_row >= MANY && self.told.swap(in_a_row, Ordering::Relaxed) < in_a_row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_in_a_row_are_told_and_each_that_follows() {
        let misfits = Misfits::default();
        misfits.add();
        misfits.add();
        assert!(!misfits.are_news());
        misfits.add();
        assert!(misfits.are_news());
        assert!(!misfits.are_news());
        misfits.add();
        assert!(misfits.are_news());
    }

    #[test]
    fn one_that_fits_begins_the_count_anew() {
        let misfits = Misfits::default();
        for _ in 0..2 {
            misfits.add();
            misfits.add();
            misfits.end();
        }
        misfits.add();
        assert!(!misfits.are_news());
    }
}
