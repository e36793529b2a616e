//! The rate limit: a fixed window per token. What the headers say follows from it.

use std::collections::HashMap;

/// How one request stands to its token's limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stand {
    pub over: bool,
    pub remaining: u32,
    /// Unix seconds, rounded up.
    pub reset: i64,
}

#[derive(Debug)]
struct Window {
    start: i64,
    used: u32,
}

#[derive(Debug, Default)]
pub(super) struct Limits {
    windows: HashMap<String, Window>,
}

impl Limits {
    /// Counts a request of this token. One that is over the limit costs nothing.
    pub fn take(&mut self, token: &str, now: i64, limit: u32, window_ms: i64) -> Stand {
        let window = self.windows.entry(token.to_owned()).or_insert(Window {
            start: now,
            used: 0,
        });
        if now >= window.start + window_ms || now < window.start {
            *window = Window {
                start: now,
                used: 0,
            };
        }
        let over = window.used >= limit;
        if !over {
            window.used += 1;
        }
        Stand {
            over,
            remaining: limit - window.used.min(limit),
            reset: (window.start + window_ms + 999).div_euclid(1000),
        }
    }

    pub fn forget(&mut self) {
        self.windows.clear();
    }
}
