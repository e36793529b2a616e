//! The profile's account at Cal.com: what calls go out with, and what is remembered of it for a while, so that a repeated
//! question costs no call.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::outcome::Failure;
use tokio::sync::Mutex;
use vendors::cal::api::{self, Bearer, Cal, EventType, Me};

use crate::config::Config;

/// What people change at Cal.com shows within this.
const REMEMBERED: Duration = Duration::from_secs(300);
/// A person waits for it.
const CALL_TIMEOUT: Duration = Duration::from_secs(15);

pub struct Account {
    pub cal: Cal,
    me: Remembered<Me>,
    event_types: Remembered<Vec<EventType>>,
}

/// Whoever asks while somebody else is asking gets the same answer.
struct Remembered<T>(Mutex<Option<(Instant, Arc<T>)>>);

impl<T> Remembered<T> {
    async fn or(&self, ask: impl Future<Output = Result<T, Failure>>) -> Result<Arc<T>, Failure> {
        let mut kept = self.0.lock().await;
        if let Some((at, value)) = kept.as_ref()
            && at.elapsed() < REMEMBERED
        {
            return Ok(value.clone());
        }
        let value = Arc::new(ask.await?);
        *kept = Some((Instant::now(), value.clone()));
        Ok(value)
    }
}

impl<T> Default for Remembered<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

/// `None` while the profile has no way into Cal.com.
pub fn account(config: &Config) -> Result<Option<Account>, Failure> {
    let Some(key) = config.calcom.api_key.clone() else {
        return Ok(None);
    };
    let cal = Cal::new(
        api::Config {
            api_url: config.calcom.api_url.clone(),
            timeout: CALL_TIMEOUT,
        },
        api::always(Bearer::Key(key)),
    )?;
    Ok(Some(Account {
        cal,
        me: Remembered::default(),
        event_types: Remembered::default(),
    }))
}

impl Account {
    pub async fn me(&self) -> Result<Arc<Me>, Failure> {
        self.me.or(self.cal.me()).await
    }

    pub async fn event_types(&self) -> Result<Arc<Vec<EventType>>, Failure> {
        self.event_types.or(self.cal.event_types()).await
    }

    /// The booking pages that were seen lately.
    pub fn links(&self) -> Vec<String> {
        let kept = self.event_types.0.try_lock();
        let kept = kept.ok().and_then(|kept| Some(kept.as_ref()?.1.clone()));
        let all = kept.iter().flat_map(|all| all.iter());
        all.filter_map(|it| it.booking_url.clone()).collect()
    }
}
