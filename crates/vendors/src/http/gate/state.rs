//! What is known of a token's limit, and what may go out by it. Waiting is the gate's.

use std::time::Duration;

use tokio::time::Instant;

use super::heard::Heard;

/// A refusal without any time in it, and the length of a window that nobody has announced.
pub(super) const MINUTE: Duration = Duration::from_secs(60);
pub(super) const CLOSED_MAX: Duration = Duration::from_secs(300);
/// On top of what the vendor says, for what a clock may round away.
const MARGIN: Duration = Duration::from_millis(50);
/// While nothing is known, one request scouts; this much later another one may.
const SCOUT: Duration = Duration::from_secs(2);
/// At once, while answers announce nothing.
const BLIND_AT_ONCE: u32 = 3;
/// The same where silence is taken for the lack of a limit.
const UNLIMITED_AT_ONCE: u32 = 32;
/// So long after it was given up, a request may still be counted.
const LATE: Duration = MINUTE;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ask {
    Go,
    /// Not before.
    At(Instant),
    /// Not before an answer has come; or at this time, if none comes.
    Answer(Option<Instant>),
}

#[derive(Debug)]
pub(super) struct Window {
    left: u32,
    /// `None` when nothing announces an end.
    ends_at: Option<Instant>,
    /// As announced, in the vendor's seconds. `None` when it is our own guess.
    reset: Option<i64>,
}

#[derive(Debug)]
pub(super) struct State {
    sent: u64,
    pub in_flight: u32,
    given_up: u32,
    given_up_at: Option<Instant>,
    pub trusts_silence: bool,
    /// Whether any answer told of a limit.
    has_limit: bool,
    pub limit: Option<u32>,
    /// `None`: nothing is known, or what was known is over.
    window: Option<Window>,
    scout: Option<Instant>,
    closed_until: Option<Instant>,
    refusals_in_a_row: u32,
    /// The first request since a window is known to have ended.
    began: Option<Instant>,
    /// A window's length where answers announce nothing: learned from refusals.
    length: Duration,
}

impl Default for State {
    fn default() -> Self {
        Self {
            sent: 0,
            in_flight: 0,
            given_up: 0,
            given_up_at: None,
            trusts_silence: false,
            has_limit: false,
            limit: None,
            window: None,
            scout: None,
            closed_until: None,
            refusals_in_a_row: 0,
            began: None,
            length: MINUTE,
        }
    }
}

impl State {
    pub fn ask(&mut self, now: Instant) -> Ask {
        if let Some(at) = self.closed_until {
            if now < at {
                return Ask::At(at);
            }
            self.closed_until = None;
        }
        let over = |window: &Window| window.ends_at.is_some_and(|at| at <= now);
        if self.window.as_ref().is_some_and(over) {
            self.window = None;
            self.began = None;
        }
        let blind_at_once = if self.trusts_silence && !self.has_limit {
            UNLIMITED_AT_ONCE
        } else {
            BLIND_AT_ONCE
        };
        match &mut self.window {
            None => {
                if let Some(sent) = self.scout
                    && now < sent + SCOUT
                {
                    return Ask::Answer(Some(sent + SCOUT));
                }
                self.scout = Some(now);
            }
            Some(Window {
                left: 0,
                ends_at: Some(at),
                ..
            }) => return Ask::At(*at),
            Some(Window { left: 0, .. }) => return Ask::Answer(None),
            Some(Window { reset: None, .. }) if self.in_flight >= blind_at_once => {
                return Ask::Answer(None);
            }
            Some(window) => window.left -= 1,
        }
        self.in_flight += 1;
        self.sent += 1;
        self.began.get_or_insert(now);
        Ask::Go
    }

    /// When to look again, while there is no room for `calls`.
    pub fn short_of(&self, calls: u32, now: Instant) -> Option<Instant> {
        if let Some(at) = self.closed_until.filter(|at| now < *at) {
            return Some(at);
        }
        let window = self.window.as_ref()?;
        let ends_at = window.ends_at.filter(|at| now < *at)?;
        (window.left < calls.min(self.limit.unwrap_or(calls))).then_some(ends_at)
    }

    pub fn is_reached(&self, now: Instant) -> bool {
        let is_spent = |it: &Window| it.left == 0 && it.ends_at.is_some_and(|at| now < at);
        self.closed_until.is_some_and(|at| now < at) || self.window.as_ref().is_some_and(is_spent)
    }

    /// For those who never came to ask.
    pub fn opens(&self, now: Instant) -> Instant {
        let spent = self.window.as_ref().filter(|window| window.left == 0);
        let ends_at = spent.and_then(|window| window.ends_at);
        let soon = now + Duration::from_secs(1);
        soon.max(ends_at.unwrap_or(now))
            .max(self.closed_until.unwrap_or(now))
    }

    fn lost(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.scout = None;
    }

    pub fn given_up(&mut self, now: Instant) {
        self.lost();
        self.given_up += 1;
        self.given_up_at = Some(now);
    }

    /// Of those sent, how many are certainly counted by now, or never will be.
    pub fn settled(&mut self, now: Instant) -> u64 {
        if self.given_up_at.is_some_and(|at| at + LATE <= now) {
            (self.given_up, self.given_up_at) = (0, None);
        }
        let unsettled = u64::from(self.in_flight) + u64::from(self.given_up);
        self.sent.saturating_sub(unsettled)
    }

    pub fn answered(
        &mut self,
        now: Instant,
        sent: Instant,
        status: u16,
        heard: &Heard,
    ) -> Option<Instant> {
        self.lost();
        self.limit = heard.limit.or(self.limit);
        self.has_limit |= status == 429 || heard.limit.or(heard.remaining).is_some();
        if status == 429 {
            return Some(self.refused(now, heard));
        }
        self.refusals_in_a_row = 0;
        if let (Some(remaining), Some(reset), Some(wait)) =
            (heard.remaining, heard.reset, heard.wait)
        {
            self.announced(
                remaining,
                reset,
                now + wait.max(Duration::from_secs(1)) + MARGIN,
            );
        } else if self.window.is_none() {
            let left = self
                .limit
                .map(|limit| limit.saturating_sub(1 + self.in_flight));
            self.window = Some(Window {
                left: left.unwrap_or(u32::MAX),
                ends_at: left.map(|_| sent + self.length + MARGIN),
                reset: None,
            });
        }
        None
    }

    // What is in flight may or may not be in `remaining` already: it is taken as not. Within a window what is left
    // never rises, for answers may come in another order than they were counted.
    fn announced(&mut self, remaining: u32, reset: i64, ends_at: Instant) {
        let left = remaining.saturating_sub(self.in_flight);
        match &mut self.window {
            Some(window) if window.reset.is_some_and(|known| reset <= known + 1) => {
                if window.reset.is_some_and(|known| reset >= known) {
                    window.left = window.left.min(left);
                    window.reset = Some(reset);
                    window.ends_at = window.ends_at.max(Some(ends_at));
                }
            }
            other => {
                *other = Some(Window {
                    left,
                    ends_at: Some(ends_at),
                    reset: Some(reset),
                });
            }
        }
    }

    // Seconds that count down name no window, so this may be another one, or headers that are always the same. Then more may
    // be left than before: what an answer says, less all that may have been counted after it.
    pub fn regained(&mut self, settled_before: u64, heard: &Heard) {
        let crossed = self.sent.saturating_sub(settled_before + 1);
        let crossed = u32::try_from(crossed).unwrap_or(u32::MAX);
        if heard.counts_down
            && let (Some(window), Some(remaining)) = (&mut self.window, heard.remaining)
            && window.reset == heard.reset
        {
            window.left = window.left.max(remaining.saturating_sub(crossed));
        }
    }

    fn refused(&mut self, now: Instant, heard: &Heard) -> Instant {
        // Several at once are one refusal.
        if self.closed_until.is_none_or(|at| at <= now) {
            self.refusals_in_a_row += 1;
        }
        let said = heard.retry_after.max(heard.wait).unwrap_or(MINUTE);
        // A reset that has passed by the vendor's own clock must not make us hammer.
        let least = if said.is_zero() {
            Duration::from_secs(1 << (self.refusals_in_a_row.min(6) - 1))
        } else {
            said
        };
        let wait = said.max(least).min(CLOSED_MAX);
        let until = now + wait + MARGIN;
        if let Some(began) = self.began.take()
            && heard.wait.is_some()
        {
            let seen = until.saturating_duration_since(began);
            self.length = self.length.min(seen.max(Duration::from_secs(1)));
        }
        self.window = None;
        let until = self.closed_until.map_or(until, |at| at.max(until));
        self.closed_until = Some(until);
        until
    }
}
