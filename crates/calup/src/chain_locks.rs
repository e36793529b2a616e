//! Who works on a meeting's chain: one change at a time.

use tokio::sync::OwnedMutexGuard;

use crate::app::App;

/// Two people of one meeting must not both make its lead.
#[derive(Default)]
pub struct ChainLocks(Vec<(String, OwnedMutexGuard<()>)>);

impl ChainLocks {
    pub fn hold(&self, tokens: &[String]) -> bool {
        let is_held = |token: &String| self.0.iter().any(|(held, _)| held == token);
        !self.0.is_empty() && tokens.iter().all(is_held)
    }

    /// In one order, so nobody waits in a circle. Whether somebody else held one.
    pub async fn take(&mut self, app: &App, tokens: &[String]) -> bool {
        let mut tokens = tokens.to_vec();
        tokens.sort_unstable();
        let mut has_waited = false;
        for token in tokens {
            let lock = app.chains.of(&token);
            let free = lock.clone().try_lock_owned().ok();
            has_waited |= free.is_none();
            let held = match free {
                Some(held) => held,
                None => lock.lock_owned().await,
            };
            self.0.push((token, held));
        }
        has_waited
    }
}
