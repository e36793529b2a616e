//! Who works on a meeting's chain: one change at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::OwnedMutexGuard;

use crate::shared::Locks;

/// By token. Nobody else's profile is among them.
#[derive(Default)]
pub struct Chains {
    locks: Locks,
    /// How often one was let go.
    released: Arc<AtomicU64>,
}

/// Two people of one meeting must not both make its lead.
#[derive(Default)]
pub struct ChainLocks {
    held: Vec<(String, OwnedMutexGuard<()>)>,
    released: Arc<AtomicU64>,
}

impl Chains {
    /// What is read from here on may be out of date once this is another number.
    pub fn released(&self) -> u64 {
        self.released.load(Ordering::Acquire)
    }

    /// In one order, so nobody waits in a circle.
    pub async fn take(&self, tokens: &[String]) -> ChainLocks {
        let mut tokens = tokens.to_vec();
        tokens.sort_unstable();
        let mut held = Vec::with_capacity(tokens.len());
        for token in tokens {
            let lock = self.locks.of(&token).lock_owned().await;
            held.push((token, lock));
        }
        ChainLocks {
            held,
            released: self.released.clone(),
        }
    }
}

impl ChainLocks {
    pub fn hold(&self, tokens: &[String]) -> bool {
        let is_held = |token: &String| self.held.iter().any(|(held, _)| held == token);
        tokens.iter().all(is_held)
    }
}

impl Drop for ChainLocks {
    fn drop(&mut self) {
        if !self.held.is_empty() {
            self.released.fetch_add(1, Ordering::Release);
        }
    }
}
