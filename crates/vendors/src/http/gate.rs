//! Keeps a token within the limit that the vendor's headers announce, first come, first served. Plans and their
//! limits are not known here: everything is learned from answers. Clocks are not trusted: a reset is measured from
//! the answer's own `Date`, and waited for on the monotonic clock.

use std::pin::pin;
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
/// The same where silence is taken for the lack of a limit.
const UNLIMITED_AT_ONCE: u32 = 32;
/// So long after it was given up, a request may still be counted.
const LATE: Duration = MINUTE;
/// Of each window's calls, for what cannot wait.
const KEPT_PERCENT: u32 = 60;
/// A reset of the first days of the Unix clock is no time, but so many seconds from now.
const COUNTING_DOWN: std::ops::Range<i64> = 0..10_000_000;

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
    sent: u64,
    in_flight: u32,
    given_up: u32,
    given_up_at: Option<Instant>,
    trusts_silence: bool,
    /// Whether any answer told of one.
    has_limit: bool,
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
    fn short_of(&self, calls: u32, now: Instant) -> Option<Instant> {
        if let Some(at) = self.closed_until.filter(|at| now < *at) {
            return Some(at);
        }
        let window = self.window.as_ref()?;
        let ends_at = window.ends_at.filter(|at| now < *at)?;
        (window.left < calls.min(self.limit.unwrap_or(calls))).then_some(ends_at)
    }

    fn is_reached(&self, now: Instant) -> bool {
        let is_spent = |it: &Window| it.left == 0 && it.ends_at.is_some_and(|at| now < at);
        self.closed_until.is_some_and(|at| now < at) || self.window.as_ref().is_some_and(is_spent)
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

    fn given_up(&mut self, now: Instant) {
        self.lost();
        self.given_up += 1;
        self.given_up_at = Some(now);
    }

    /// Of those sent, how many are certainly counted by now, or never will be.
    fn settled(&mut self, now: Instant) -> u64 {
        if self.given_up_at.is_some_and(|at| at + LATE <= now) {
            (self.given_up, self.given_up_at) = (0, None);
        }
        let unsettled = u64::from(self.in_flight) + u64::from(self.given_up);
        self.sent.saturating_sub(unsettled)
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
    fn regained(&mut self, settled_before: u64, heard: &Heard) {
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
    /// Whether the reset came as seconds that are left.
    counts_down: bool,
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
        let told: Option<i64> = of_limit("reset").and_then(|text| text.parse().ok());
        let counts_down = told.is_some_and(|told| COUNTING_DOWN.contains(&told));
        // Unix seconds as documented; anything beyond the year 5000 is milliseconds.
        let reset = told.map(|told| match told {
            100_000_000_001.. => told / 1000,
            _ if counts_down => date.as_second() + told,
            _ => told,
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
            counts_down,
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
