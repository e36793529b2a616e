//! Which changes are being worked on: so many may soon have something to write, and share a commit.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::inline::Hand;
use crate::rows::Claim;

#[derive(Default)]
pub struct Lanes {
    /// Profile and key.
    at_work: Mutex<HashSet<(String, String)>>,
}

impl Lanes {
    /// Of this profile nothing else is at work than `keys` and `claims`.
    pub fn begin(&self, profile: &str, keys: &[String], claims: &[Claim], writer: &Hand) {
        let mut at_work = self.at_work();
        at_work.retain(|(of, key)| of != profile || keys.contains(key));
        at_work.extend(claims.iter().map(named));
        writer.expect(at_work.len());
    }

    pub fn end(&self, claim: &Claim, writer: &Hand) {
        let mut at_work = self.at_work();
        at_work.remove(&named(claim));
        writer.expect(at_work.len());
    }

    fn at_work(&self) -> MutexGuard<'_, HashSet<(String, String)>> {
        self.at_work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn named(Claim { stored, .. }: &Claim) -> (String, String) {
    (stored.profile.clone(), stored.key.clone())
}
