//! Everything that chance decides, drawn from the seed. One storm runs on one thread.

use std::cell::RefCell;

use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

thread_local! {
    static DICE: RefCell<SmallRng> = RefCell::new(SmallRng::seed_from_u64(0));
}

pub fn seed(seed: u64) {
    // Neighbouring seeds must not begin alike.
    DICE.set(SmallRng::seed_from_u64(
        seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5707_3a11,
    ));
}

pub fn chance(p: f64) -> bool {
    DICE.with_borrow_mut(|dice| dice.random_bool(p.clamp(0.0, 1.0)))
}

pub fn fraction() -> f64 {
    DICE.with_borrow_mut(rand::Rng::random)
}

/// `from` and `to` included.
pub fn between(from: u64, to: u64) -> u64 {
    DICE.with_borrow_mut(|dice| dice.random_range(from..=to.max(from)))
}

pub fn one<T: Clone>(of: &[T]) -> T {
    let at = between(0, of.len() as u64 - 1) as usize;
    of[at].clone()
}

/// One of those, by weight; `None` when nothing has any.
pub fn weighted<T: Copy>(of: &[(T, u32)]) -> Option<T> {
    let sum: u64 = of.iter().map(|(_, weight)| u64::from(*weight)).sum();
    if sum == 0 {
        return None;
    }
    let mut at = between(1, sum);
    of.iter().find_map(|(what, weight)| {
        let weight = u64::from(*weight);
        if at <= weight {
            return Some(*what);
        }
        at -= weight;
        None
    })
}
