//! What the parts of a running calup share that work for one profile.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};

use domain::outcome::Failure;
use secrecy::{ExposeSecret, SecretString};
use store::Store;
use store::rows::Claim;
use tokio::sync::Notify;
use vendors::Crm;
use vendors::claude::Claude;
use vendors::clickup::{self, ClickUp};
use vendors::slack::Slack;

use crate::calcom::{self, Account};
use crate::chain_locks::Chains;
use crate::config::Config;
use crate::hooks::Hooks;
use crate::index::{Asked, Following, Freshness};
use crate::lease::Lease;
use crate::leased::Leased;
use crate::misfits::Misfits;
use crate::ready::Readiness;
use crate::shared::Shared;
use crate::slack::{self, Words};
use crate::waits::Waits;

pub struct App {
    pub store: Arc<dyn Store>,
    pub config: Config,
    secrets: RwLock<Arc<Vec<SecretString>>>,
    crm: RwLock<Option<Arc<dyn Crm>>>,
    clickup: RwLock<Option<Arc<ClickUp>>>,
    /// Deliveries refused since the process started.
    pub refused: AtomicU64,
    /// Of these: with no signature at all, or the literal that stands for one where no secret is set.
    pub unsigned: AtomicU64,
    /// Deliveries that could not be stored since then.
    pub unstored: AtomicU64,
    pub misfits: Misfits,
    /// The same of clicks.
    pub slack_misfits: Misfits,
    pub epoch: AtomicI64,
    pub lease: Arc<Lease>,
    /// A delivery came in, or a person asked for something: the worker looks at once.
    pub wake: Notify,
    /// A question was asked, answered or closed: whoever shows them looks at once.
    pub ask: Notify,
    /// Something may be there to be read since it was last looked for.
    pub came: AtomicBool,
    pub health: Mutex<Health>,
    pub shared: Shared,
    /// Held while a meeting's lead may be made; another profile's meeting waits for nothing of ours.
    pub chains: Chains,
    pub readiness: Readiness,
    pub waits: Waits,
    /// Held while the index is brought up to date; what is left of that.
    pub indexing: tokio::sync::Mutex<Option<Following>>,
    pub freshness: Freshness,
    pub asked: Asked,
    pub hooks: Hooks,
    pub index_is_filled: AtomicBool,
    /// The CRM does not list its leads for us: nobody waits for the index.
    pub index_is_refused: AtomicBool,
    /// The database is an older copy: what is to be done may be done already.
    pub is_guarded: AtomicBool,
    /// What is to be told to the operator in Slack.
    pub words: Words,
    calcom: RwLock<Option<Arc<Account>>>,
    claude: RwLock<Option<Arc<Claude>>>,
    slack: RwLock<Option<Arc<Slack>>>,
    slack_signing_secret: RwLock<Option<SecretString>>,
    told: Mutex<HashSet<String>>,
    token: Mutex<Option<String>>,
    at_work: Mutex<HashMap<String, Lane>>,
    panics: Mutex<HashMap<String, u32>>,
}

struct Lane {
    claim: Claim,
    /// Nothing is left of it but to record its end.
    is_ending: bool,
}

/// A change is at work for as long as this is held.
pub struct AtWork {
    app: Arc<App>,
    key: String,
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.app
            .at_work
            .lock()
            .expect("no holder panics")
            .remove(&self.key);
    }
}

/// How the CRM has been answering.
#[derive(Debug, Default, Clone)]
pub struct Health {
    pub failures_in_a_row: u32,
    pub last_answer: Option<jiff::Timestamp>,
    /// No answer for a while: only probes go out.
    pub down: bool,
    /// A probe had no answer either: it is not about a few leads.
    pub is_away: bool,
    /// Its limit leaves no room before this.
    pub limited_until: Option<jiff::Timestamp>,
}

impl App {
    pub fn new(config: Config, store: Arc<dyn Store>) -> Result<Arc<Self>, Failure> {
        Self::sharing(config, store, Shared::default())
    }

    /// For another profile of the same process.
    pub fn beside(&self, config: Config) -> Result<Arc<Self>, Failure> {
        Self::sharing(config, self.store.clone(), self.shared.clone())
    }

    fn sharing(
        config: Config,
        store: Arc<dyn Store>,
        shared: Shared,
    ) -> Result<Arc<Self>, Failure> {
        let clickup = clickup(&config, &shared)?.map(Arc::new);
        let crm = clickup.clone().map(|it| it as Arc<dyn Crm>);
        let app = Self::of(config, store, crm, shared);
        *app.clickup.write().expect("no reader panics") = clickup;
        Ok(app)
    }

    pub fn with(config: Config, store: Arc<dyn Store>, crm: Option<Arc<dyn Crm>>) -> Arc<Self> {
        Self::of(config, store, crm, Shared::default())
    }

    fn of(
        config: Config,
        store: Arc<dyn Store>,
        crm: Option<Arc<dyn Crm>>,
        shared: Shared,
    ) -> Arc<Self> {
        let lease = Arc::new(Lease::lasting_for(config.lease, config.call_timeout()));
        let crm = crm.map(|crm| within(crm, &lease));
        let secrets = Arc::new(config.webhook_secrets.clone());
        let token = Mutex::new(token(&config));
        let slack = slack::client(&config).unwrap_or_else(|failure| {
            tracing::error!("{failure}");
            None
        });
        let calcom = calcom::account(&config, &store).unwrap_or_else(|failure| {
            tracing::error!("{failure}");
            None
        });
        let calcom = calcom.map(Arc::new);
        let claude = claude(&config).unwrap_or_else(|failure| {
            tracing::error!("{failure}");
            None
        });
        let signing_secret = config.slack_signing_secret.clone();
        Arc::new(Self {
            store,
            config,
            secrets: RwLock::new(secrets),
            crm: RwLock::new(crm),
            clickup: RwLock::new(None),
            refused: AtomicU64::new(0),
            unsigned: AtomicU64::new(0),
            unstored: AtomicU64::new(0),
            misfits: Misfits::default(),
            slack_misfits: Misfits::default(),
            epoch: AtomicI64::new(0),
            lease,
            wake: Notify::new(),
            ask: Notify::new(),
            came: AtomicBool::new(true),
            health: Mutex::default(),
            shared,
            chains: Chains::default(),
            readiness: Readiness::default(),
            waits: Waits::default(),
            indexing: tokio::sync::Mutex::default(),
            freshness: Freshness::default(),
            asked: Asked::default(),
            hooks: Hooks::default(),
            index_is_filled: AtomicBool::new(false),
            index_is_refused: AtomicBool::new(false),
            is_guarded: AtomicBool::new(false),
            words: Words::default(),
            calcom: RwLock::new(calcom),
            claude: RwLock::new(claude),
            slack: RwLock::new(slack),
            slack_signing_secret: RwLock::new(signing_secret),
            told: Mutex::default(),
            token,
            at_work: Mutex::default(),
            panics: Mutex::default(),
        })
    }

    /// The profile's name.
    pub fn profile(&self) -> &str {
        &self.config.profile.name
    }

    pub fn webhook_secrets(&self) -> Arc<Vec<SecretString>> {
        self.secrets.read().expect("no writer panics").clone()
    }

    /// `None` while no token is set.
    pub fn crm(&self) -> Option<Arc<dyn Crm>> {
        self.crm.read().expect("no writer panics").clone()
    }

    /// What only ClickUp has. `None` while no token is set.
    pub fn clickup(&self) -> Option<Arc<ClickUp>> {
        self.clickup.read().expect("no writer panics").clone()
    }

    /// `None` while neither a key nor an OAuth client is set.
    pub fn calcom(&self) -> Option<Arc<Account>> {
        self.calcom.read().expect("no writer panics").clone()
    }

    /// `None` while no key is set.
    pub fn claude(&self) -> Option<Arc<Claude>> {
        self.claude.read().expect("no writer panics").clone()
    }

    /// `None` while no token is set.
    pub fn slack(&self) -> Option<Arc<Slack>> {
        self.slack.read().expect("no writer panics").clone()
    }

    pub fn slack_signing_secret(&self) -> Option<SecretString> {
        let secret = self.slack_signing_secret.read();
        secret.expect("no writer panics").clone()
    }

    /// Takes secrets from settings that were read anew: all of them, or (when one is no good) none. Everything else stays
    /// as it was at the start: a client that looked into other lists than those the leads are chosen from would find
    /// nobody, and make leads anew.
    pub fn renew(&self, read: &Config) -> Result<(), Failure> {
        let config = &self.config.with_secrets_of(read);
        let slack = slack::client(config)?;
        let calcom = calcom::account(config, &self.store)?.map(Arc::new);
        let claude = claude(config)?;
        let new = token(config);
        let mut used = self.token.lock().expect("no holder panics");
        if new != *used {
            let clickup = clickup(config, &self.shared)?.map(Arc::new);
            let crm = clickup.clone().map(|it| within(it, &self.lease));
            *self.crm.write().expect("no reader panics") = crm;
            *self.clickup.write().expect("no reader panics") = clickup;
            *used = new;
        }
        *self.claude.write().expect("no reader panics") = claude;
        *self.calcom.write().expect("no reader panics") = calcom;
        *self.slack.write().expect("no reader panics") = slack;
        let signing_secret = &config.slack_signing_secret;
        let mut used = self.slack_signing_secret.write().expect("no reader panics");
        used.clone_from(signing_secret);
        drop(used);
        *self.secrets.write().expect("no reader panics") = Arc::new(config.webhook_secrets.clone());
        Ok(())
    }

    pub fn begin(self: &Arc<Self>, claim: &Claim) -> AtWork {
        let key = claim.stored.key.clone();
        self.at_work.lock().expect("no holder panics").insert(
            key.clone(),
            Lane {
                claim: claim.clone(),
                is_ending: false,
            },
        );
        AtWork {
            app: self.clone(),
            key,
        }
    }

    pub fn at_work(&self) -> Vec<Claim> {
        self.at_work
            .lock()
            .expect("no holder panics")
            .values()
            .map(|lane| lane.claim.clone())
            .collect()
    }

    /// No more calls are made for it: another may begin, and its claim be recorded together with this one's end.
    pub fn ending(&self, claim: &Claim) {
        let mut at_work = self.at_work.lock().expect("no holder panics");
        if let Some(lane) = at_work.get_mut(&claim.stored.key) {
            lane.is_ending = true;
        }
        drop(at_work);
        self.wake.notify_one();
    }

    /// For how many changes calls may be made just now.
    pub fn busy(&self) -> usize {
        let at_work = self.at_work.lock().expect("no holder panics");
        at_work.values().filter(|lane| !lane.is_ending).count()
    }

    pub fn keys_at_work(&self) -> Vec<String> {
        let at_work = self.at_work.lock().expect("no holder panics");
        at_work.keys().cloned().collect()
    }

    /// Counts how often working on a change stopped unexpectedly in this process.
    pub fn panicked(&self, key: &str) -> u32 {
        let mut panics = self.panics.lock().expect("no holder panics");
        let count = panics.entry(key.to_owned()).or_default();
        *count += 1;
        *count
    }

    pub fn epoch(&self) -> i64 {
        self.epoch.load(Ordering::Relaxed)
    }

    /// Tells the worker that there is something to read.
    pub fn tell_worker(&self) {
        self.came.store(true, Ordering::Release);
        self.wake.notify_one();
    }

    /// Tells the operator: in `GET /api/notices` and the log, once per cause and hour.
    pub async fn notify(&self, cause: &str, text: &str, hint: &str) {
        let now = crate::clock::now();
        let hint = &self.config.hint(hint);
        let notice = store::rows::Notice {
            profile: self.config.profile.name.clone(),
            cause: cause.to_owned(),
            text: text.to_owned(),
            hint: hint.to_string(),
            first_at: now,
            last_at: now,
            count: 1,
        };
        match self.store.notify(&notice, now).await {
            Ok(true) => {
                tracing::warn!(cause, "{text}; {hint}");
                if self.slack().is_some() {
                    self.words.add(format!("{text}; {hint}"));
                }
            }
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

fn token(config: &Config) -> Option<String> {
    config
        .clickup
        .token
        .as_ref()
        .map(|t| t.expose_secret().to_owned())
}

/// `None` while no key is set.
fn claude(config: &Config) -> Result<Option<Arc<Claude>>, Failure> {
    let Some(api_key) = config.claude.api_key.clone() else {
        return Ok(None);
    };
    let claude = Claude::new(vendors::claude::Config {
        base_url: config.claude.base_url.clone(),
        api_key,
        model: config.claude.model.clone(),
    })?;
    Ok(Some(Arc::new(claude)))
}

fn within(crm: Arc<dyn Crm>, lease: &Arc<Lease>) -> Arc<dyn Crm> {
    let lease = lease.clone();
    Arc::new(Leased { crm, lease })
}

/// `None` while no token is set.
pub fn clickup(config: &Config, shared: &Shared) -> Result<Option<ClickUp>, Failure> {
    let Some(token) = config.clickup.token.clone() else {
        return Ok(None);
    };
    let gate = shared.gate(&config.clickup.api_url, &token);
    let config = clickup::Config {
        api_url: config.clickup.api_url.clone(),
        token,
        team_id: config.clickup.team_id.clone(),
        match_list_ids: config.profile.match_list_ids.clone(),
        inbound_list_id: config.profile.inbound_list_id.clone(),
        email_field: config.clickup.email_field.clone(),
        timeout: config.call_timeout(),
    };
    ClickUp::with_gate(config, gate).map(Some)
}
