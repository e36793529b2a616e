//! About one message a second to a channel, as Slack asks: <https://docs.slack.dev/apis/web-api/rate-limits>. Longer
//! waits, when Slack itself says so, are the gate's.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep_until};

use crate::http::{self, Gate};

const EACH: Duration = Duration::from_millis(1_050);

/// What clients with one token share in a process.
#[derive(Debug, Default)]
pub struct Limits {
    pub(super) gate: Arc<Gate>,
    pub(super) pace: Pace,
}

#[derive(Debug, Default)]
pub(super) struct Pace {
    /// By channel: when the next message may go.
    next: Mutex<HashMap<String, Instant>>,
}

impl Pace {
    /// Waits for a turn and takes it; the error, before any wait, says when there may be one.
    pub async fn turn(&self, channel: &str, patience: Duration) -> Result<(), Timestamp> {
        let at = self.look(channel, patience, EACH)?;
        sleep_until(at).await;
        Ok(())
    }

    /// The same, but leaves the turn to others.
    pub async fn open(&self, channel: &str, patience: Duration) -> Result<(), Timestamp> {
        let at = self.look(channel, patience, Duration::ZERO)?;
        sleep_until(at).await;
        Ok(())
    }

    fn look(
        &self,
        channel: &str,
        patience: Duration,
        takes: Duration,
    ) -> Result<Instant, Timestamp> {
        let now = Instant::now();
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let at = next.get(channel).map_or(now, |at| (*at).max(now));
        if at > now + patience {
            let wait = SignedDuration::try_from(at - now).unwrap_or(SignedDuration::from_secs(1));
            return Err(http::now() + wait);
        }
        if !takes.is_zero() {
            next.insert(channel.to_owned(), at + takes);
        }
        Ok(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_would_wait_too_long_takes_no_turn() {
        let pace = Pace::default();
        let soon = Duration::from_millis(10);
        assert!(pace.turn("C1", soon).await.is_ok());
        assert!(pace.turn("C2", soon).await.is_ok());
        for _ in 0..5 {
            assert!(pace.turn("C1", soon).await.is_err());
            assert!(pace.open("C1", soon).await.is_err());
        }
        let began = Instant::now();
        assert!(pace.turn("C1", EACH).await.is_ok());
        assert!(began.elapsed() >= Duration::from_millis(900));
    }
}
