//! ClickUp's webhooks, which tell of leads that people make, change, move and delete, so that the index knows of them within a
//! second instead of at the next look. What they tell is a hint to read a lead, never a reason for a write; a hint that is
//! lost costs nothing but time, because the lists are polled all the same (`index.rs`).

pub mod keep;
pub mod look;
pub mod receive;
mod stale;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

use store::rows::Hook;
use url::Url;

use crate::app::App;
use crate::config::Config;
use crate::misfits::Misfits;
use crate::{address, clock};
use stale::Stale;

/// Where they come in; the profile's name follows.
pub const PATH: &str = "/api/webhooks/clickup";
/// What another replica has registered is known after so long, or as soon as something comes that nobody is known to sign.
const KNOWN_FOR: Duration = Duration::from_secs(60);
const KNOWN_FOR_MIN: Duration = Duration::from_secs(1);
/// When something last came is written down this often.
const HEARD_EVERY: Duration = Duration::from_secs(60);

#[derive(Default)]
pub struct Hooks {
    pub stale: Stale,
    /// Since the process started.
    pub taken: AtomicU64,
    pub refused: AtomicU64,
    misfits: Misfits,
    known: RwLock<Arc<Vec<Hook>>>,
    known_at: tokio::sync::Mutex<Option<Instant>>,
    heard_at: Mutex<Option<Instant>>,
}

/// Why there are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Off {
    NobodyIsAsked,
    Setting,
    NoAddress,
    NotReached,
}

impl Off {
    pub fn why(self) -> &'static str {
        match self {
            Self::NobodyIsAsked => "CALUP_QUESTION_HOURS is 0, so no index of leads is kept",
            Self::Setting => "CALUP_HOOK_SECONDS is 0",
            Self::NoAddress => "CALUP_PUBLIC_URL is not set",
            Self::NotReached => {
                "CALUP_PUBLIC_URL is not the https address of a public host, so ClickUp cannot reach it"
            }
        }
    }
}

/// The address that ClickUp is to send to.
pub fn endpoint(config: &Config) -> Result<String, Off> {
    if config.question_patience.is_zero() {
        return Err(Off::NobodyIsAsked);
    }
    if config.hooks_every.is_zero() {
        return Err(Off::Setting);
    }
    if !config.is_public_url_set {
        return Err(Off::NoAddress);
    }
    // One that stands beside us reaches what the outside does not.
    let theirs = Url::parse(&config.clickup.api_url);
    let is_beside_us = theirs.is_ok_and(|url| !address::has_public_host(&url));
    if !is_beside_us && !address::is_public(&config.public_url) {
        return Err(Off::NotReached);
    }
    Ok(format!(
        "{}{PATH}/{}",
        config.public_url, config.profile.name
    ))
}

/// The fact (`Store::meta`) when something last came, RFC 3339.
pub fn last_event(profile: &str) -> String {
    format!("last_clickup_event:{profile}")
}

/// The fact (`Store::meta`) which address was last registered.
fn registered_at(profile: &str) -> String {
    format!("clickup_hooks_at:{profile}")
}

/// The fact (`Store::remembered`) that the token's user may make none.
pub const BARRED: &str = "hooks-barred";

impl Hooks {
    /// Read again when it was read longer ago than `at_most`.
    async fn known(&self, app: &App, at_most: Duration) -> Result<Arc<Vec<Hook>>, store::Error> {
        let mut known_at = self.known_at.lock().await;
        if known_at.is_none_or(|at| at.elapsed() >= at_most) {
            match app.store.hooks(&app.config.profile.name).await {
                Ok(hooks) => *self.known.write().expect("no reader panics") = Arc::new(hooks),
                Err(error) if known_at.is_none() => return Err(error),
                Err(error) => tracing::debug!(%error, "ClickUp's webhooks are known as they were"),
            }
            *known_at = Some(Instant::now());
        }
        Ok(self.known.read().expect("no writer panics").clone())
    }

    async fn forget_known(&self) {
        *self.known_at.lock().await = None;
    }

    fn heard(&self, app: &Arc<App>) {
        let now = Instant::now();
        {
            let mut heard_at = self.heard_at.lock().expect("no holder panics");
            if heard_at.is_some_and(|at| now.duration_since(at) < HEARD_EVERY) {
                return;
            }
            *heard_at = Some(now);
        }
        let app = app.clone();
        tokio::spawn(async move {
            let key = last_event(&app.config.profile.name);
            if let Err(error) = app.store.set_meta(&key, &clock::now().to_string()).await {
                tracing::debug!(%error, "when ClickUp last told of something is not written down");
            }
        });
    }
}

pub async fn tell_misfits(app: &App) {
    if app.hooks.misfits.are_news(Instant::now()) {
        app.notify(
            "wrong-hook-signatures",
            "three or more of ClickUp's events, in a row or within an hour, were signed with a secret that is not known, and refused",
            "nothing is lost, because the lists are polled; `calup doctor` tells whether the webhooks are in order, and a \
             proxy must pass their bodies on as they are",
        )
        .await;
    }
}
