//! Keeps a token within the limit that the vendor's headers announce, first come, first served. Plans and their
//! limits are not known here: everything is learned from answers. Clocks are not trusted: a reset is measured from
//! the answer's own `Date`, and waited for on the monotonic clock.

mod heard;
mod state;

use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::header::HeaderMap;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use heard::Heard;
pub(super) use heard::timestamp;
use state::{Ask, State};

/// Of each window's calls, for what cannot wait.
const KEPT_PERCENT: u32 = 60;

/// One per token in a process; several clients may share it.
#[derive(Debug, Default)]
pub struct Gate {
    state: Mutex<State>,
    // Fair, and held by whoever is next.
    turn: tokio::sync::Mutex<()>,
    changed: Notify,
}

/// One request that may be on its way. Dropped without an answer, it still ends here.
#[derive(Debug)]
pub(super) struct Permit<'a> {
    gate: &'a Gate,
    sent: Instant,
    settled_before: u64,
    answered: bool,
}

/// Why one was not let out.
#[derive(Debug)]
pub(super) enum Shut {
    /// The limit is reached: there is no use in asking again before.
    Until(Timestamp),
    /// Its turn did not come, though no limit is known to be reached.
    Busy,
}

impl Gate {
    /// For a vendor that announces a limit where it has one.
    pub(crate) fn trust_silence(&self) {
        self.state().trusts_silence = true;
    }

    /// Waits no longer than `patience`; the error says before when there is no use in asking again.
    pub(super) async fn enter(&self, patience: Duration) -> Result<Permit<'_>, Timestamp> {
        let until = Instant::now() + patience;
        let entered = self.take_turn(until, until).await;
        entered.map_err(|shut| match shut {
            Shut::Until(at) => at,
            Shut::Busy => clock(self.state().opens(Instant::now())),
        })
    }

    /// Where silence is trusted, `patience` is for limits only: a turn is waited for as long as `busy`.
    pub(super) async fn enter_by(
        &self,
        patience: Duration,
        busy: Duration,
    ) -> Result<Permit<'_>, Shut> {
        if !self.state().trusts_silence {
            return self.enter(patience).await.map_err(Shut::Until);
        }
        let now = Instant::now();
        self.take_turn(now + patience, now + busy.max(patience))
            .await
    }

    async fn take_turn(&self, until: Instant, busy_until: Instant) -> Result<Permit<'_>, Shut> {
        // One future for both waits: whoever asks anew is last in line.
        let mut turn = pin!(self.turn.lock());
        let _turn = if let Ok(turn) = timeout_at(until, &mut turn).await {
            turn
        } else {
            let now = Instant::now();
            if self.state().is_reached(now) {
                return Err(Shut::Until(clock(self.state().opens(now))));
            }
            let turn = timeout_at(busy_until, turn).await;
            turn.map_err(|_| Shut::Busy)?
        };
        loop {
            let changed = self.changed.notified();
            let now = Instant::now();
            let at = {
                let mut state = self.state();
                let settled_before = state.settled(now);
                match state.ask(now) {
                    Ask::Go => {
                        return Ok(Permit {
                            gate: self,
                            sent: now,
                            settled_before,
                            answered: false,
                        });
                    }
                    Ask::At(at) if at > until => return Err(Shut::Until(clock(at))),
                    Ask::At(at) => at,
                    Ask::Answer(at) => at.map_or(busy_until, |at| at.min(busy_until)),
                }
            };
            if now >= busy_until {
                return Err(Shut::Busy);
            }
            // Either way the state is asked again.
            let _elapsed = timeout_at(at, changed).await;
        }
    }

    /// Waits no longer than `patience` until there is room for `calls`, and takes none of it.
    pub(super) async fn room(&self, calls: u32, patience: Duration) -> Result<(), Timestamp> {
        self.wait_for_room(patience, |_| calls).await
    }

    /// The same, with [`KEPT_PERCENT`] of the limit left over.
    pub(super) async fn spare(&self, calls: u32, patience: Duration) -> Result<(), Timestamp> {
        let with_kept = |limit: u32| (calls + kept(limit)).min(limit);
        self.wait_for_room(patience, with_kept).await
    }

    /// `wanted` is how many calls must be left, given the limit.
    async fn wait_for_room(
        &self,
        patience: Duration,
        wanted: impl Fn(u32) -> u32,
    ) -> Result<(), Timestamp> {
        let until = Instant::now() + patience;
        loop {
            let changed = self.changed.notified();
            let short = {
                let state = self.state();
                let calls = wanted(state.limit.unwrap_or_default());
                state.short_of(calls, Instant::now())
            };
            let Some(at) = short else {
                return Ok(());
            };
            if at > until {
                return Err(clock(at));
            }
            let _elapsed = timeout_at(at, changed).await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit<'_> {
    /// Learns from the answer's headers. With a 429: when the gate opens again.
    pub fn answered(mut self, status: u16, headers: &HeaderMap) -> Option<Timestamp> {
        self.answered = true;
        let heard = Heard::read(headers, super::now());
        let closed = {
            let mut state = self.gate.state();
            let closed = state.answered(Instant::now(), self.sent, status, &heard);
            state.regained(self.settled_before, &heard);
            closed
        };
        self.gate.changed.notify_waiters();
        closed.map(clock)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if !self.answered {
            self.gate.state().given_up(Instant::now());
            self.gate.changed.notify_waiters();
        }
    }
}

fn kept(limit: u32) -> u32 {
    u32::try_from(u64::from(limit) * u64::from(KEPT_PERCENT) / 100).unwrap_or(limit)
}

fn clock(at: Instant) -> Timestamp {
    let wait = at.saturating_duration_since(Instant::now());
    super::now() + SignedDuration::try_from(wait).unwrap_or(SignedDuration::from_mins(5))
}

#[cfg(test)]
mod tests;
