//! Keeps a token within the limit that the vendor's headers announce, first come, first served. Plans and their
//! limits are not known here: everything is learned from answers. Clocks are not trusted: a reset is measured from
//! the answer's own `Date`, and waited for on the monotonic clock.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::header::HeaderMap;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// A refusal without any time in it, and the length of a window that nobody has announced.
const MINUTE: Duration = Duration::from_secs(60);
const CLOSED_MAX: Duration = Duration::from_secs(300);
/// On top of what the vendor says, for what a clock may round away.
const MARGIN: Duration = Duration::from_millis(50);
/// While nothing is known, one request scouts; this much later another one may.
const SCOUT: Duration = Duration::from_secs(2);
/// At once, while answers announce nothing.
const BLIND_AT_ONCE: u32 = 3;
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
    answered: bool,
}

impl Gate {
    /// Waits no longer than `patience`; the error says before when there is no use in asking again.
    pub(super) async fn enter(&self, patience: Duration) -> Result<Permit<'_>, Timestamp> {
        let until = Instant::now() + patience;
        let Ok(_turn) = timeout_at(until, self.turn.lock()).await else {
            return Err(clock(self.state().opens(Instant::now())));
        };
        loop {
            let changed = self.changed.notified();
            let now = Instant::now();
            let at = match self.state().ask(now) {
                Ask::Go => {
                    return Ok(Permit {
                        gate: self,
                        sent: now,
                        answered: false,
                    });
                }
                Ask::At(at) if at > until => return Err(clock(at)),
                Ask::At(at) => at,
                Ask::Answer(at) => at.map_or(until, |at| at.min(until)),
            };
            if now >= until {
                return Err(clock(self.state().opens(now)));
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
        let closed = self
            .gate
            .state()
            .answered(Instant::now(), self.sent, status, &heard);
        self.gate.changed.notify_waiters();
        closed.map(clock)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if !self.answered {
            self.gate.state().lost();
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

#[derive(Debug, PartialEq, Eq)]
enum Ask {
    Go,
    /// Not before.
    At(Instant),
    /// Not before an answer has come; or at this time, if none comes.
    Answer(Option<Instant>),
}

#[derive(Debug)]
struct Window {
    left: u32,
    /// `None` when nothing announces an end.
    ends_at: Option<Instant>,
    /// As announced, in the vendor's seconds. `None` when it is our own guess.
    reset: Option<i64>,
}

#[derive(Debug)]
struct State {
    in_flight: u32,
    limit: Option<u32>,
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
            in_flight: 0,
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
    fn ask(&mut self, now: Instant) -> Ask {
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
            Some(Window { reset: None, .. }) if self.in_flight >= BLIND_AT_ONCE => {
                return Ask::Answer(None);
            }
            Some(window) => window.left -= 1,
        }
        self.in_flight += 1;
        self.began.get_or_insert(now);
        Ask::Go
    }

    /// When to look again, while there is no room for `calls`.
    fn short_of(&self, calls: u32, now: Instant) -> Option<Instant> {
        if let Some(at) = self.closed_until.filter(|at| now < *at) {
            return Some(at);
        }
        let window = self.window.as_ref()?;
        let ends_at = window.ends_at.filter(|at| now < *at)?;
        (window.left < calls.min(self.limit.unwrap_or(calls))).then_some(ends_at)
    }

    /// For those who never came to ask.
    fn opens(&self, now: Instant) -> Instant {
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

    fn answered(
        &mut self,
        now: Instant,
        sent: Instant,
        status: u16,
        heard: &Heard,
    ) -> Option<Instant> {
        self.lost();
        self.limit = heard.limit.or(self.limit);
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

/// What an answer says about the limit.
#[derive(Debug, Default, PartialEq, Eq)]
struct Heard {
    limit: Option<u32>,
    remaining: Option<u32>,
    /// Unix seconds of the vendor's clock.
    reset: Option<i64>,
    /// From the answer to the reset.
    wait: Option<Duration>,
    retry_after: Option<Duration>,
}

impl Heard {
    fn read(headers: &HeaderMap, now: Timestamp) -> Self {
        let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
        // Where there may be several limits the names say which: `X-RateLimit-Reset-Default`.
        let of_limit = |name: &str| {
            text(&format!("x-ratelimit-{name}"))
                .or_else(|| text(&format!("x-ratelimit-{name}-default")))
        };
        let date = text("date").and_then(timestamp).unwrap_or(now);
        let reset: Option<i64> = of_limit("reset").and_then(|text| text.parse().ok());
        // Unix seconds as documented; anything beyond the year 5000 is milliseconds, and anything of the
        // first days of that clock counts down.
        let reset = reset.map(|reset| match reset {
            100_000_000_001.. => reset / 1000,
            0..10_000_000 => date.as_second() + reset,
            _ => reset,
        });
        Self {
            limit: of_limit("limit").and_then(|text| text.parse().ok()),
            remaining: of_limit("remaining").and_then(|text| text.parse().ok()),
            reset,
            wait: reset.map(
                |reset| match u64::try_from(reset.saturating_sub(date.as_second())) {
                    Ok(seconds) if seconds <= CLOSED_MAX.as_secs() => Duration::from_secs(seconds),
                    // No window is that long: without a `Date`, our clock is wrong.
                    Ok(_) => MINUTE,
                    Err(_) => Duration::ZERO,
                },
            ),
            retry_after: text("retry-after").and_then(|text| match text.parse() {
                Ok(seconds) => Some(Duration::from_secs(seconds)),
                Err(_) => Duration::try_from(timestamp(text)?.duration_since(date)).ok(),
            }),
        }
    }
}

pub(super) fn timestamp(http_date: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new()
        .parse_timestamp(http_date)
        .ok()
}

#[cfg(test)]
mod tests;
