//! Where wall-clock time and randomness enter. Everything below gets them as values.

use std::cell::Cell;

use jiff::Timestamp;

/// Time and dice that somebody else decides.
#[derive(Debug, Clone, Copy)]
pub struct Told {
    pub now: fn() -> Timestamp,
    pub dice: fn() -> f64,
}

thread_local! {
    static TOLD: Cell<Option<Told>> = const { Cell::new(None) };
}

/// From here on, this thread's time and jitter are what a simulation tells.
pub fn tell(told: Told) {
    TOLD.set(Some(told));
}

pub fn now() -> Timestamp {
    TOLD.get().map_or_else(Timestamp::now, |told| (told.now)())
}

/// Uniform in 0..1, for spreading retries.
pub fn jitter() -> f64 {
    TOLD.get()
        .map_or_else(rand::random::<f64>, |told| (told.dice)())
}

/// 32 random bytes, for tokens.
pub fn secret() -> [u8; 32] {
    rand::random()
}
