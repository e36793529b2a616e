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
const LOOK: Duration = Duration::from_millis(20);
/// At once, while answers announce nothing.
const BLIND_AT_ONCE: u32 = 3;

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
                Ask::Answer => until,
            };
            if now >= until {
                return Err(clock(self.state().opens(now)));
            }
            // Either way the state is asked again.
            let _elapsed = timeout_at(at, self.changed.notified()).await;
        }
    }

    /// Waits no longer than `patience` until there is room for `calls`, and takes none of it.
    pub(super) async fn room(&self, calls: u32, patience: Duration) -> Result<(), Timestamp> {
        let until = Instant::now() + patience;
        loop {
            let now = Instant::now();
            let Some(at) = self.state().short_of(calls, now) else {
                return Ok(());
            };
            if at > until {
                return Err(clock(at));
            }
            let _elapsed = timeout_at(at, self.changed.notified()).await;
            // Whoever waits at the gate itself must hear of it too.
            self.changed.notify_one();
            tokio::time::sleep(LOOK).await;
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
        self.gate.changed.notify_one();
        closed.map(clock)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if !self.answered {
            self.gate.state().lost();
            self.gate.changed.notify_one();
        }
    }
}

fn clock(at: Instant) -> Timestamp {
    let wait = at.saturating_duration_since(Instant::now());
    super::now() + SignedDuration::try_from(wait).unwrap_or(SignedDuration::from_mins(5))
}

#[derive(Debug, PartialEq, Eq)]
enum Ask {
    Go,
    /// Not before, unless an answer comes.
    At(Instant),
    /// Not before an answer has come.
    Answer,
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
                    return Ask::At(sent + SCOUT);
                }
                self.scout = Some(now);
            }
            Some(Window {
                left: 0,
                ends_at: Some(at),
                ..
            }) => return Ask::At(*at),
            Some(Window { left: 0, .. }) => return Ask::Answer,
            Some(Window { reset: None, .. }) if self.in_flight >= BLIND_AT_ONCE => {
                return Ask::Answer;
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
        let date = text("date").and_then(timestamp).unwrap_or(now);
        let reset: Option<i64> = text("x-ratelimit-reset").and_then(|text| text.parse().ok());
        // Seconds as documented; anything beyond the year 5000 is milliseconds.
        let reset = reset.map(|reset| {
            if reset > 100_000_000_000 {
                reset / 1000
            } else {
                reset
            }
        });
        Self {
            limit: text("x-ratelimit-limit").and_then(|text| text.parse().ok()),
            remaining: text("x-ratelimit-remaining").and_then(|text| text.parse().ok()),
            reset,
            wait: reset.map(|reset| match u64::try_from(reset - date.as_second()) {
                Ok(seconds) if seconds <= CLOSED_MAX.as_secs() => Duration::from_secs(seconds),
                // No window is that long: without a `Date`, our clock is wrong.
                Ok(_) => MINUTE,
                Err(_) => Duration::ZERO,
            }),
            retry_after: text("retry-after").and_then(|text| match text.parse() {
                Ok(seconds) => Some(Duration::from_secs(seconds)),
                Err(_) => Duration::try_from(timestamp(text)?.duration_since(date)).ok(),
            }),
        }
    }
}

fn timestamp(http_date: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new()
        .parse_timestamp(http_date)
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An answer by a vendor whose clock is an hour behind.
    fn told(remaining: u32, resets_in_s: i64) -> HeaderMap {
        let now = crate::http::now() - SignedDuration::from_hours(1);
        let date = jiff::fmt::rfc2822::DateTimePrinter::new()
            .timestamp_to_rfc9110_string(&now)
            .unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("date", date.parse().unwrap());
        headers.insert("x-ratelimit-limit", 100.into());
        headers.insert("x-ratelimit-remaining", remaining.into());
        headers.insert("x-ratelimit-reset", (now.as_second() + resets_in_s).into());
        headers
    }

    const SHORT: Duration = Duration::from_millis(10);

    #[tokio::test]
    async fn no_more_goes_out_than_the_headers_left_room_for() {
        let gate = Gate::default();
        gate.enter(SHORT).await.unwrap().answered(200, &told(2, 30));
        let first = gate.enter(SHORT).await;
        let second = gate.enter(SHORT).await;
        assert!(first.is_ok() && second.is_ok());
        let until = gate
            .enter(SHORT)
            .await
            .expect_err("two are all that was left");
        let wait = until.duration_since(crate::http::now()).as_secs();
        assert!((25..=31).contains(&wait), "{wait}");
    }

    #[tokio::test]
    async fn room_for_three_is_not_room_for_two() {
        let gate = Gate::default();
        gate.enter(SHORT).await.unwrap().answered(200, &told(2, 30));
        assert!(gate.room(2, SHORT).await.is_ok());
        assert!(gate.room(3, SHORT).await.is_err());
    }

    #[tokio::test]
    async fn after_a_refusal_nothing_goes_out_before_the_reset() {
        let gate = Gate::default();
        let began = Instant::now();
        assert!(
            gate.enter(SHORT)
                .await
                .unwrap()
                .answered(429, &told(0, 1))
                .is_some()
        );
        assert!(gate.enter(SHORT).await.is_err());
        assert!(gate.enter(Duration::from_secs(5)).await.is_ok());
        assert!(
            began.elapsed() >= Duration::from_millis(950),
            "{:?}",
            began.elapsed()
        );
    }
}
