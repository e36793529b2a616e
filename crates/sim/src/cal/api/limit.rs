//! The rate limit: a fixed window per key, token or address; whoever goes over it is refused for a while.

use std::collections::HashMap;

/// What `X-RateLimit-Reset-Default` says. The code counts seconds down; one that shows the unix time has been reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reset {
    SecondsLeft,
    Unix,
}

/// How one request stands to its limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stand {
    pub over: bool,
    pub limit: u32,
    pub remaining: u32,
    pub resets_at_ms: i64,
}

#[derive(Debug)]
struct Window {
    ends_at_ms: i64,
    used: u32,
    blocked: bool,
}

#[derive(Debug, Default)]
pub(super) struct Limits {
    windows: HashMap<String, Window>,
}

impl Limits {
    /// Counts a request of this bearer.
    pub fn take(
        &mut self,
        who: &str,
        now: i64,
        limit: u32,
        window_ms: i64,
        block_ms: i64,
    ) -> Stand {
        let fresh = || Window {
            ends_at_ms: now + window_ms,
            used: 0,
            blocked: false,
        };
        let window = self.windows.entry(who.to_owned()).or_insert_with(fresh);
        if now >= window.ends_at_ms {
            *window = fresh();
        }
        if window.used >= limit && !window.blocked {
            window.blocked = true;
            window.ends_at_ms = now + block_ms;
        }
        if !window.blocked {
            window.used += 1;
        }
        Stand {
            over: window.blocked,
            limit,
            remaining: limit - window.used.min(limit),
            resets_at_ms: window.ends_at_ms,
        }
    }

    pub fn forget(&mut self) {
        self.windows.clear();
    }
}
