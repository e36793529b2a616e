//! When a failed change is tried again. Only this file decides what a failure means.

use jiff::{SignedDuration, Timestamp};

use crate::outcome::Failure;

pub const FIRST_MS: i64 = 1_000;
pub const LONGEST_MS: i64 = 300_000;
/// The longest wait of a failure that may yet be a short one: bad luck several times in a row must not cost minutes.
/// While the CRM answers nobody, one look goes out for all, however many wait.
pub const LONGEST_AT_FIRST_MS: i64 = 20_000;
pub const AT_FIRST_ATTEMPTS: u32 = 32;
/// Trying goes on this long while the CRM answers.
pub const ANSWERING_HOURS_MAX: i64 = 24;

/// What to do with the change whose call failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// `counted` is false for waits that are nobody's fault.
    Again {
        at: Timestamp,
        counted: bool,
    },
    /// Stop the profile until a person has acted; look once a minute.
    Pause,
    Dead,
}

/// `attempt` counts from 1; `jitter` is uniform in 0..1.
pub fn verdict(
    failure: &Failure,
    attempt: u32,
    now: Timestamp,
    first_tried_at: Timestamp,
    answering: bool,
    jitter: f64,
) -> Verdict {
    match failure {
        Failure::Limited { until, .. } => {
            let spread = SignedDuration::from_millis((jitter * 500.0) as i64);
            Verdict::Again {
                at: (*until).max(now) + spread,
                counted: false,
            }
        }
        Failure::NeedsOperator { .. } => Verdict::Pause,
        Failure::Transient { .. } | Failure::Unknown { .. } | Failure::Gone { .. } => {
            let tried = now.duration_since(first_tried_at);
            if answering && tried > SignedDuration::from_hours(ANSWERING_HOURS_MAX) {
                return Verdict::Dead;
            }
            Verdict::Again {
                at: now + backoff(attempt, jitter),
                counted: true,
            }
        }
        Failure::Refused { .. } => Verdict::Dead,
    }
}

/// Doubles from at most 2 s to at most 20 s, and after 32 attempts (some seven minutes) to at most 5 minutes; half of it
/// is jitter.
pub fn backoff(attempt: u32, jitter: f64) -> SignedDuration {
    let doubled = FIRST_MS.saturating_mul(1_i64 << attempt.min(20).saturating_sub(1));
    let longest = match attempt {
        ..=AT_FIRST_ATTEMPTS => LONGEST_AT_FIRST_MS,
        _ => LONGEST_MS,
    };
    let ceiling = doubled.saturating_mul(2).min(longest);
    SignedDuration::from_millis(ceiling / 2 + (jitter * (ceiling / 2) as f64) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_begin_within_two_seconds_and_stay_under_five_minutes() {
        assert!(backoff(1, 0.999) <= SignedDuration::from_secs(2));
        assert!(backoff(1, 0.0) >= SignedDuration::from_secs(1));
        for attempt in 1..100 {
            assert!(backoff(attempt, 0.999) <= SignedDuration::from_secs(300));
        }
        assert!(backoff(AT_FIRST_ATTEMPTS + 1, 0.0) >= SignedDuration::from_secs(150));
    }

    #[test]
    fn ten_failures_in_a_row_cost_less_than_three_minutes() {
        let rests = (1..=10).map(|attempt| backoff(attempt, 0.999).as_secs_f64());
        assert!(rests.sum::<f64>() < 180.0);
        assert!(backoff(AT_FIRST_ATTEMPTS, 0.999) <= SignedDuration::from_secs(20));
    }

    #[test]
    fn a_limit_costs_no_attempt_and_an_unanswering_vendor_never_kills() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let long_ago = Timestamp::from_second(0).unwrap();
        let limited = Failure::Limited {
            what: String::new(),
            until: now + SignedDuration::from_secs(9),
        };
        assert_eq!(
            verdict(&limited, 99, now, long_ago, true, 0.0),
            Verdict::Again {
                at: now + SignedDuration::from_secs(9),
                counted: false
            }
        );
        let transient = Failure::Transient {
            what: String::new(),
        };
        assert!(matches!(
            verdict(&transient, 99, now, long_ago, false, 0.0),
            Verdict::Again { .. }
        ));
        assert_eq!(
            verdict(&transient, 99, now, long_ago, true, 0.0),
            Verdict::Dead
        );
    }
}
