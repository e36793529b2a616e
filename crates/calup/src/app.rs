//! What the parts of a running calup share.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicI64, AtomicU64};
use std::sync::{Arc, Mutex, RwLock};

use domain::outcome::Failure;
use secrecy::{ExposeSecret, SecretString};
use store::Store;
use tokio::sync::Notify;
use vendors::Crm;
use vendors::clickup::{self, ClickUp};

use crate::config::Config;

pub struct App {
    pub store: Arc<dyn Store>,
    pub config: Config,
    secrets: RwLock<Arc<Vec<SecretString>>>,
    crm: RwLock<Option<Arc<dyn Crm>>>,
    /// Deliveries refused since the process started.
    pub refused: AtomicU64,
    pub epoch: AtomicI64,
    /// A delivery came in, or a person asked for something: the worker looks at once.
    pub wake: Notify,
    pub health: Mutex<Health>,
    leads: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
    told: Mutex<HashSet<String>>,
}

/// How the CRM has been answering.
#[derive(Debug, Default, Clone)]
pub struct Health {
    pub failures_in_a_row: u32,
    pub last_answer: Option<jiff::Timestamp>,
    /// No answer for a while: only probes go out.
    pub down: bool,
}

impl App {
    pub fn new(config: Config, store: Arc<dyn Store>) -> Result<Arc<Self>, Failure> {
        let crm = crm(&config)?;
        let secrets = Arc::new(config.webhook_secrets.clone());
        Ok(Arc::new(Self {
            store,
            config,
            secrets: RwLock::new(secrets),
            crm: RwLock::new(crm),
            refused: AtomicU64::new(0),
            epoch: AtomicI64::new(0),
            wake: Notify::new(),
            health: Mutex::default(),
            leads: Mutex::default(),
            told: Mutex::default(),
        }))
    }

    pub fn webhook_secrets(&self) -> Arc<Vec<SecretString>> {
        self.secrets.read().expect("no writer panics").clone()
    }

    /// `None` while no token is set.
    pub fn crm(&self) -> Option<Arc<dyn Crm>> {
        self.crm.read().expect("no writer panics").clone()
    }

    /// Takes secrets from settings that were read anew.
    pub fn renew(&self, config: &Config) -> Result<(), Failure> {
        let expose = |c: &Config| {
            c.clickup
                .token
                .as_ref()
                .map(|t| t.expose_secret().to_owned())
        };
        *self.secrets.write().expect("no reader panics") = Arc::new(config.webhook_secrets.clone());
        if expose(config) != expose(&self.config) {
            *self.crm.write().expect("no reader panics") = crm(config)?;
        }
        Ok(())
    }

    pub fn epoch(&self) -> i64 {
        self.epoch.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Held while a lead is read and written, so that two people of one lead never write at once.
    pub fn lead_lock(&self, id: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut all = self.leads.lock().expect("no holder panics");
        all.retain(|_, lock| Arc::strong_count(lock) > 1);
        all.entry(id.to_owned()).or_default().clone()
    }

    /// Tells the operator: in `GET /api/notices` and the log, once per cause and hour.
    pub async fn notify(&self, cause: &str, text: &str, hint: &str) {
        let now = crate::clock::now();
        let notice = store::rows::Notice {
            profile: self.config.profile.name.clone(),
            cause: cause.to_owned(),
            text: text.to_owned(),
            hint: hint.to_owned(),
            first_at: now,
            last_at: now,
            count: 1,
        };
        match self.store.notify(&notice, now).await {
            Ok(true) => tracing::warn!(cause, "{text}; {hint}"),
            Ok(false) => {}
            Err(error) => {
                let fresh = self
                    .told
                    .lock()
                    .expect("no holder panics")
                    .insert(cause.to_owned());
                if fresh {
                    tracing::warn!(cause, %error, "{text}; {hint}");
                }
            }
        }
    }
}

fn crm(config: &Config) -> Result<Option<Arc<dyn Crm>>, Failure> {
    let Some(token) = config.clickup.token.clone() else {
        return Ok(None);
    };
    let clickup = ClickUp::new(clickup::Config {
        api_url: config.clickup.api_url.clone(),
        token,
        team_id: config.clickup.team_id.clone(),
        match_list_ids: config.profile.match_list_ids.clone(),
        inbound_list_id: config.profile.inbound_list_id.clone(),
        email_field: config.clickup.email_field.clone(),
        timeout: config.call_timeout(),
    })?;
    Ok(Some(Arc::new(clickup)))
}
