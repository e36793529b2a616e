//! Where time and randomness enter. Everything below gets them as values.

use std::cell::Cell;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use jiff::Timestamp;

/// Time and dice that somebody else decides.
#[derive(Debug, Clone, Copy)]
pub struct Told {
    pub now: fn() -> Timestamp,
    pub steady: fn() -> Duration,
    pub dice: fn() -> f64,
}

thread_local! {
    static TOLD: Cell<Option<Told>> = const { Cell::new(None) };
}

/// From here on, this thread's time and jitter are what a simulation tells.
pub fn tell(told: Told) {
    TOLD.set(Some(told));
}

/// The wall clock, which may jump.
pub fn now() -> Timestamp {
    if let Some(told) = TOLD.get() {
        return (told.now)();
    }
    let now = Timestamp::now();
    #[cfg(debug_assertions)]
    let now = now + jiff::SignedDuration::from_secs(pretended::jump().0);
    now
}

/// Since the process first asked; it never jumps.
pub fn steady() -> Duration {
    static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
    if let Some(told) = TOLD.get() {
        return (told.steady)();
    }
    let passed = BEGAN.elapsed();
    #[cfg(debug_assertions)]
    let passed = passed + Duration::from_secs(pretended::jump().1);
    passed
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

/// For tests: the file that `CALUP_CLOCK_FILE` names holds by how many seconds the wall clock has jumped, and how many
/// the steady one is to have run longer.
#[cfg(debug_assertions)]
mod pretended {
    use std::sync::LazyLock;

    pub fn jump() -> (i64, u64) {
        static FILE: LazyLock<Option<String>> =
            LazyLock::new(|| std::env::var("CALUP_CLOCK_FILE").ok());
        let text = FILE.as_ref().and_then(|f| std::fs::read_to_string(f).ok());
        let text = text.unwrap_or_default();
        let mut numbers = text.split_whitespace();
        let wall = numbers.next().and_then(|n| n.parse().ok());
        let steady = numbers.next().and_then(|n| n.parse().ok());
        (wall.unwrap_or_default(), steady.unwrap_or_default())
    }
}
