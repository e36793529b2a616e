//! The profile's account at Cal.com: what calls go out with, and what is remembered of it for a while, so that a repeated
//! question costs no call.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::outcome::Failure;
use secrecy::SecretString;
use store::Store;
use tokio::sync::Mutex;
use vendors::cal::api::{self, Bearer, Cal, EventType, Me};
use vendors::cal::oauth::{self, OAuth};

use crate::config::Config;
use crate::grant::Grants;

/// What people change at Cal.com shows within this.
const REMEMBERED: Duration = Duration::from_secs(300);
/// A person waits for it.
const CALL_TIMEOUT: Duration = Duration::from_secs(15);
/// What the tools need.
const SCOPES: [&str; 7] = [
    "PROFILE_READ",
    "APPS_READ",
    "SCHEDULE_READ",
    "EVENT_TYPE_READ",
    "EVENT_TYPE_WRITE",
    "BOOKING_READ",
    "BOOKING_WRITE",
];

pub struct Account {
    pub cal: Cal,
    pub grants: Grants,
    me: Remembered<Me>,
    event_types: Remembered<Vec<EventType>>,
    /// The booking pages that were seen lately.
    pages: std::sync::Mutex<Vec<String>>,
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
pub fn account(config: &Config, store: &Arc<dyn Store>) -> Result<Option<Account>, Failure> {
    let calcom = &config.calcom;
    if calcom.api_key.is_none() && calcom.client_id.is_none() {
        return Ok(None);
    }
    let client = calcom.client_id.clone().map(|client_id| {
        OAuth::new(oauth::Config {
            app_url: calcom.app_url.clone(),
            api_url: calcom.api_url.clone(),
            client_id,
            client_secret: calcom.client_secret.clone(),
            redirect_uri: format!("{}/api/calcom/callback", config.public_url),
            scopes: SCOPES.map(str::to_owned).to_vec(),
            timeout: CALL_TIMEOUT,
        })
    });
    let grants = Grants::new(
        store.clone(),
        &config.profile.name,
        client.transpose()?,
        calcom.api_key.clone(),
    );
    let cal = Cal::new(
        api::Config {
            api_url: calcom.api_url.clone(),
            timeout: CALL_TIMEOUT,
        },
        grants.clone().source(),
    )?;
    Ok(Some(Account {
        cal,
        grants,
        me: Remembered::default(),
        event_types: Remembered::default(),
        pages: std::sync::Mutex::default(),
    }))
}

/// The name of the account that a key opens; organisations have none.
pub async fn whose_key(key: SecretString, api_url: &str) -> Result<Option<String>, Failure> {
    let config = api::Config {
        api_url: api_url.to_owned(),
        timeout: CALL_TIMEOUT,
    };
    let cal = Cal::new(config, api::always(Bearer::Key(key)))?;
    Ok(cal.me().await?.username)
}

impl Account {
    /// Another account may be connected by now.
    pub async fn forget(&self) {
        *self.me.0.lock().await = None;
        *self.event_types.0.lock().await = None;
        self.pages.lock().expect("no holder panics").clear();
    }

    pub async fn me(&self) -> Result<Arc<Me>, Failure> {
        self.me.or(self.cal.me()).await
    }

    pub async fn event_types(&self) -> Result<Arc<Vec<EventType>>, Failure> {
        let all = self.event_types.or(self.cal.event_types()).await?;
        let pages = all.iter().filter_map(|it| it.booking_url.clone()).collect();
        *self.pages.lock().expect("no holder panics") = pages;
        Ok(all)
    }

    /// The booking pages that were seen lately.
    pub fn links(&self) -> Vec<String> {
        self.pages.lock().expect("no holder panics").clone()
    }
}
