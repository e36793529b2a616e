//! Until when this process may act, as far as it knows. Counted from before it asked, and ended a margin early: what the
//! database grants to another one later on never overlaps with what is done here.

use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Of the lease: what is between the last act here and its end.
const MARGIN: u32 = 12;
/// Of the lease: how often it is made to last.
const RENEWALS: u32 = 6;

pub struct Lease {
    lasts: Duration,
    call_timeout: Duration,
    state: Mutex<State>,
}

#[derive(Clone, Copy)]
enum State {
    Lost,
    /// As long as the process lives: an operating-system lock stands for it.
    Lasting,
    Until(Instant),
}

/// When a call must be over.
#[derive(Clone, Copy)]
pub enum Deadline {
    None,
    At(Instant),
}

impl Lease {
    pub fn lasting_for(lasts: Duration, call_timeout: Duration) -> Self {
        Self {
            lasts,
            call_timeout,
            state: Mutex::new(State::Lost),
        }
    }

    pub fn hold_for_good(&self) {
        *self.state() = State::Lasting;
    }

    /// Granted in answer to what was asked then.
    pub fn hold(&self, asked_at: Instant) {
        *self.state() = State::Until(asked_at + self.lasts / MARGIN * (MARGIN - 1));
    }

    pub fn lose(&self) {
        *self.state() = State::Lost;
    }

    pub fn is_over(&self) -> bool {
        match *self.state() {
            State::Lost => true,
            State::Lasting => false,
            State::Until(end) => end <= Instant::now(),
        }
    }

    /// For a call that would begin now; `None` when there is no time for it.
    pub fn call(&self) -> Option<Deadline> {
        match *self.state() {
            State::Lost => None,
            State::Lasting => Some(Deadline::None),
            State::Until(end) => {
                let is_time_left = end >= Instant::now() + self.call_timeout;
                is_time_left.then_some(Deadline::At(end))
            }
        }
    }

    pub fn lasts(&self) -> Duration {
        self.lasts
    }

    /// How long to wait before it is made to last again, and before that is tried again.
    pub fn renew_every(&self) -> Duration {
        self.lasts / RENEWALS
    }

    pub fn try_again_after(&self) -> Duration {
        (self.lasts / MARGIN).min(Duration::from_secs(1))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder panics")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease() -> Lease {
        Lease::lasting_for(Duration::from_secs(60), Duration::from_secs(20))
    }

    #[test]
    fn a_call_begins_only_when_the_lease_outlives_it() {
        let lease = lease();
        assert!(lease.call().is_none(), "nothing before it is granted");
        let ago = |seconds| Instant::now().checked_sub(Duration::from_secs(seconds));
        lease.hold(ago(34).expect("some time ago"));
        assert!(lease.call().is_some() && !lease.is_over());
        lease.hold(ago(36).expect("some time ago"));
        assert!(lease.call().is_none() && !lease.is_over());
        lease.hold(ago(56).expect("some time ago"));
        assert!(lease.is_over(), "a margin before its end");
        lease.hold(Instant::now());
        lease.lose();
        assert!(lease.call().is_none() && lease.is_over());
    }

    #[test]
    fn an_operating_system_lock_has_no_end() {
        let lease = lease();
        lease.hold_for_good();
        assert!(matches!(lease.call(), Some(Deadline::None)) && !lease.is_over());
    }
}
