//! Where wall-clock time and randomness enter. Everything below gets them as values.

use jiff::Timestamp;

pub fn now() -> Timestamp {
    Timestamp::now()
}

/// Uniform in 0..1, for spreading retries.
pub fn jitter() -> f64 {
    rand::random::<f64>()
}

/// 32 random bytes, for tokens.
pub fn secret() -> [u8; 32] {
    rand::random()
}
