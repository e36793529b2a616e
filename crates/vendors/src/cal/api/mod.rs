//! Cal.com's API v2: one account, asked and written to. What its JSON looks like is known in the file named after the
//! thing, what its errors mean in `errors`. When something is asked or written, and what follows from it, is decided
//! elsewhere.
//!
//! Each endpoint has its own `cal-api-version`: without it, or with one that a server does not know, another shape comes
//! back, and mostly with a 200.

mod access;
mod booking;
mod bookings;
mod calendars;
mod changes;
mod errors;
mod event_types;
mod links;
mod me;
mod schedules;
mod slots;
mod webhooks;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use domain::outcome::Failure;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

pub use access::{Bearer, Source, always};
pub use booking::{Booking, Status};
pub use bookings::{Bookings, Order, Standing, Wanted};
pub use calendars::Calendar;
pub use changes::{Booker, Cancel, Move, NewBooking, Whereabouts};
pub use event_types::{EventType, Question, Takes, Venue, nearest};
pub use links::{OneOffLink, Prefill, prefilled};
pub use me::Me;
pub use schedules::{Exception, Hours, Schedule};
pub use slots::{Slot, SlotsWanted, Window, WindowError};
pub use webhooks::{NewWebhook, Webhook, WebhookChange};

use super::json::Json;
use crate::http::{self, Answer, Call, Gate, Method, Outbound, needs_operator};
use errors::{Purpose, Refusal};

const EVENT_TYPES: &str = "2024-06-14";
const BOOKINGS: &str = "2024-08-13";
const SLOTS: &str = "2024-09-04";
const OLDER_SLOTS: &str = "2024-08-13";
const SCHEDULES: &str = "2024-06-11";
const VERSION: HeaderName = HeaderName::from_static("cal-api-version");

const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;
const ID_BYTES_MAX: usize = 200;

/// Waiting for the limit, which a person may be waiting behind.
const PATIENCE: Duration = Duration::from_secs(5);
/// Before a read is repeated, once.
const PAUSE: Duration = Duration::from_millis(300);

pub struct Config {
    /// Without `/v2`: `https://api.cal.com`, `https://api.cal.eu`, or that of a server of one's own.
    pub api_url: String,
    /// For one call. A read that fails early is repeated once.
    pub timeout: Duration,
}

pub struct Cal {
    out: Outbound,
    base: Url,
    source: Box<Source>,
    timeout: Duration,
    /// Whether this server has turned out to know only the older way to ask for slots.
    slots_are_older: AtomicBool,
}

/// One request, but for whom it is made.
struct Asked<'a> {
    method: Method,
    path: String,
    query: Vec<(&'a str, String)>,
    version: Option<&'static str>,
    body: Option<Value>,
}

impl Cal {
    /// Calls nobody yet.
    pub fn new(config: Config, source: Box<Source>) -> Result<Self, Failure> {
        Self::with_gate(config, source, Arc::default())
    }

    /// For several clients of one account, which share its limit.
    pub fn with_gate(
        config: Config,
        source: Box<Source>,
        gate: Arc<Gate>,
    ) -> Result<Self, Failure> {
        let base = web_address(&config.api_url)?;
        gate.trust_silence();
        let out = Outbound::new(&base, config.timeout, gate).map_err(|why| {
            needs_operator(
                format!("use Cal.com: there is no HTTPS client ({why})"),
                "check that this system has root certificates",
            )
        })?;
        Ok(Self {
            out,
            base,
            source,
            timeout: config.timeout,
            slots_are_older: AtomicBool::new(false),
        })
    }

    /// Requests made so far.
    pub fn calls(&self) -> u64 {
        self.out.calls()
    }

    async fn get(&self, purpose: &Purpose, asked: Asked<'_>) -> Result<Json, Failure> {
        let (answered, bearer) = self.read(purpose, &asked).await?;
        answered.map_err(|refusal| settle(purpose, refusal, &bearer))
    }

    /// Sent at most once, but for a token that had to be renewed and a limit that was waited for.
    async fn change(&self, purpose: &Purpose, asked: Asked<'_>) -> Result<Json, Failure> {
        let (answered, bearer) = self.ask(purpose, &asked).await?;
        answered.map_err(|refusal| settle(purpose, refusal, &bearer))
    }

    /// Repeated once when it failed before half of its time was over.
    async fn read(
        &self,
        purpose: &Purpose,
        asked: &Asked<'_>,
    ) -> Result<(Result<Json, Refusal>, Bearer), Failure> {
        let began = Instant::now();
        let first = self.ask(purpose, asked).await;
        let failed = matches!(
            &first,
            Err(Failure::Transient { .. })
                | Ok((Err(Refusal::Other(Failure::Transient { .. })), _))
        );
        if !failed || began.elapsed() > self.timeout / 2 {
            return first;
        }
        tokio::time::sleep(PAUSE).await;
        self.ask(purpose, asked).await
    }

    /// A token that is refused is asked for anew once: certainly nothing had been done.
    async fn ask(
        &self,
        purpose: &Purpose,
        asked: &Asked<'_>,
    ) -> Result<(Result<Json, Refusal>, Bearer), Failure> {
        let bearer = (self.source)(None).await?;
        let answer = self.send(purpose, asked, &bearer).await?;
        let answered = purpose.understand(&answer);
        if !matches!(answered, Err(Refusal::Bearer)) || !bearer.is_token() {
            return Ok((answered, bearer));
        }
        let renewed = (self.source)(Some(bearer.clone())).await?;
        if renewed.is_same(&bearer) {
            return Ok((answered, bearer));
        }
        let answer = self.send(purpose, asked, &renewed).await?;
        Ok((purpose.understand(&answer), renewed))
    }

    /// What the limit refused is sent once more when the limit ends soon: certainly nothing had been done.
    async fn send(
        &self,
        purpose: &Purpose,
        asked: &Asked<'_>,
        bearer: &Bearer,
    ) -> Result<Answer, Failure> {
        let answer = self.send_once(purpose, asked, bearer).await?;
        let soon = http::now() + PATIENCE;
        if answer.status == 429 && answer.limited_until.is_some_and(|until| until <= soon) {
            // The gate is closed until then.
            return self.send_once(purpose, asked, bearer).await;
        }
        Ok(answer)
    }

    async fn send_once(
        &self,
        purpose: &Purpose,
        asked: &Asked<'_>,
        bearer: &Bearer,
    ) -> Result<Answer, Failure> {
        let mut url = self.url(&asked.path);
        if !asked.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&asked.query);
        }
        let mut headers = HeaderMap::from_iter([(AUTHORIZATION, bearer.header()?)]);
        if let Some(version) = asked.version {
            headers.insert(VERSION, HeaderValue::from_static(version));
        }
        let call = Call {
            method: asked.method.clone(),
            url,
            headers,
            json: asked.body.clone(),
            answer_bytes_max: ANSWER_BYTES_MAX,
        };
        let answer = self.out.send(call, PATIENCE).await;
        answer.map_err(|lost| purpose.lost(lost))
    }

    // Paths are made of our own words and of ids that were looked at.
    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!(
            "{}/v2{path}",
            self.base.path().trim_end_matches('/')
        ));
        url
    }
}

impl Asked<'_> {
    fn get(path: impl Into<String>, version: Option<&'static str>) -> Self {
        Self {
            method: Method::GET,
            path: path.into(),
            query: Vec::new(),
            version,
            body: None,
        }
    }

    fn post(path: impl Into<String>, version: Option<&'static str>, body: Option<Value>) -> Self {
        Self {
            method: Method::POST,
            body,
            ..Self::get(path, version)
        }
    }
}

fn settle(purpose: &Purpose, refusal: Refusal, bearer: &Bearer) -> Failure {
    match refusal {
        Refusal::Bearer => purpose.refused_bearer(bearer),
        Refusal::NoRoute => purpose.no_route(),
        Refusal::Other(failure) => failure,
    }
}

fn web_address(api_url: &str) -> Result<Url, Failure> {
    super::address(api_url).ok_or_else(|| {
        needs_operator(
            "use Cal.com: CALCOM_API_URL is not a web address".to_owned(),
            "set it to the address without /v2, usually https://api.cal.com",
        )
    })
}

/// Ids become part of addresses, and may come from anybody: what cannot be one names nothing.
fn id_or_gone<'a>(id: &'a str, purpose: &Purpose) -> Result<&'a str, Failure> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let is_id = !id.is_empty() && id.len() <= ID_BYTES_MAX && id.bytes().all(is_plain);
    if is_id { Ok(id) } else { Err(purpose.gone()) }
}

/// `2026-12-01T10:00:00Z`: an instant without fractions, rounded down.
fn seconds(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
