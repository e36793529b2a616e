//! What an answer's headers say about the limit.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::HeaderMap;

use super::state::{CLOSED_MAX, MINUTE};

/// A reset of the first days of the Unix clock is no time, but so many seconds from now.
const COUNTING_DOWN: std::ops::Range<i64> = 0..10_000_000;

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    pub limit: Option<u32>,
    pub remaining: Option<u32>,
    /// Unix seconds of the vendor's clock.
    pub reset: Option<i64>,
    /// From the answer to the reset.
    pub wait: Option<Duration>,
    pub retry_after: Option<Duration>,
    /// Whether the reset came as seconds that are left.
    pub counts_down: bool,
}

impl Heard {
    pub fn read(headers: &HeaderMap, now: Timestamp) -> Self {
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

pub fn timestamp(http_date: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new()
        .parse_timestamp(http_date)
        .ok()
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn headers_are_read_by_the_vendors_own_clock() {
        let now: Timestamp = "2026-11-25T12:00:00Z".parse().expect("a time");
        let read = |pairs: &[(&'static str, &str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, value.parse().expect("a header"));
            }
            Heard::read(&headers, now)
        };
        let said = read(&[
            ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ("x-ratelimit-reset", "784111797"),
            ("x-ratelimit-limit", "100"),
            ("x-ratelimit-remaining", "7"),
            ("retry-after", "Sun, 06 Nov 1994 08:50:00 GMT"),
        ]);
        assert_eq!(said.wait, Some(Duration::from_secs(20)));
        assert_eq!(said.retry_after, Some(Duration::from_secs(23)));
        assert_eq!((said.limit, said.remaining), (Some(100), Some(7)));
        let reset = (now.as_second() + 30).to_string();
        let in_ms = format!("{reset}250");
        assert_eq!(
            read(&[("x-ratelimit-reset", &reset)]).wait,
            Some(Duration::from_secs(30))
        );
        assert_eq!(
            read(&[("x-ratelimit-reset", &in_ms)]).wait,
            Some(Duration::from_secs(30))
        );
        assert_eq!(
            read(&[("x-ratelimit-reset", "99999999999")]).wait,
            Some(MINUTE)
        );
        assert_eq!(
            read(&[("x-ratelimit-reset", "soon"), ("retry-after", "-1")]),
            Heard::default()
        );
    }

    #[test]
    fn a_reset_beyond_all_times_is_no_reason_to_panic() {
        let now = crate::http::now();
        for (reset, wait) in [
            (i64::MIN.to_string(), Duration::ZERO),
            (i64::MAX.to_string(), MINUTE),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("x-ratelimit-reset", reset.parse().expect("a header"));
            assert_eq!(Heard::read(&headers, now).wait, Some(wait), "{reset}");
        }
    }

    #[test]
    fn a_limit_with_a_name_and_seconds_that_count_down_are_understood() {
        let now = crate::http::now();
        let behind = now - SignedDuration::from_hours(1);
        let date = jiff::fmt::rfc2822::DateTimePrinter::new()
            .timestamp_to_rfc9110_string(&behind)
            .expect("a year of four digits");
        for (reset, wait_s) in [
            ("42", 42),
            ("0", 0),
            (&(behind.as_second() + 42).to_string(), 42),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("date", date.parse().expect("a header"));
            headers.insert("x-ratelimit-limit-default", 120.into());
            headers.insert("x-ratelimit-remaining-default", 7.into());
            headers.insert(
                "x-ratelimit-reset-default",
                reset.parse().expect("a header"),
            );
            let heard = Heard::read(&headers, now);
            assert_eq!(
                (heard.limit, heard.remaining, heard.wait),
                (Some(120), Some(7), Some(Duration::from_secs(wait_s))),
                "{reset}"
            );
        }
    }
}
