//! Calls to vendors: through the token's [`Gate`], with a deadline, bounded, never repeated and never redirected.
//! What an answer means is each vendor's own business.

mod gate;
mod purpose;
mod until;

use std::cell::Cell;
use std::error::Error as _;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
pub use reqwest::Method;
use reqwest::header::{
    ACCEPT, CONNECTION, CONTENT_TYPE, HeaderMap, HeaderValue, SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use reqwest::redirect;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::handshake::{client::generate_key, derive_accept_key};
use url::{Host, Url};

pub use gate::Gate;
use gate::Shut;
pub(crate) use purpose::{Purpose, needs_operator};
pub use until::until;

const CONNECT_MAX: Duration = Duration::from_secs(5);
/// The calls of a booking follow each other on one connection; an older one may be closed by the vendor just as a call is
/// written, and what became of that call is then unknown.
const IDLE_MAX: Duration = Duration::from_secs(2);
/// As many as there are lanes at work.
const IDLE_CONNECTIONS_MAX: usize = 4;

/// One vendor, by one token.
pub struct Outbound {
    line: Line,
    gate: Arc<Gate>,
    timeout: Duration,
    calls: AtomicU64,
    /// The vendor's clock minus ours, as the last answer showed it.
    skew_s: AtomicI64,
}

enum Line {
    Network(reqwest::Client),
    StandIn(Box<StandIn>),
}

/// Stands in for the network where answers are made up by the hundred thousand: a call, and what came back for it.
pub type Replay = dyn Fn(&Call) -> Result<Answer, Lost> + Send + Sync;

/// The same where answers take their time, or never come.
pub type StandIn =
    dyn Fn(Call) -> Pin<Box<dyn Future<Output = Result<Answer, Lost>> + Send>> + Send + Sync;

pub struct Call {
    pub method: Method,
    pub url: Url,
    /// Marked sensitive by the vendor's client where it is a secret.
    pub headers: HeaderMap,
    pub json: Option<serde_json::Value>,
    pub answer_bytes_max: usize,
}

/// A whole answer, of whatever status.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// With a 429: when the gate opens again, by our clock.
    pub limited_until: Option<Timestamp>,
}

impl Answer {
    /// The vendor's clock, to the second.
    pub fn date(&self) -> Option<Timestamp> {
        let date = self.headers.get(reqwest::header::DATE)?.to_str().ok()?;
        gate::timestamp(date)
    }
}

/// Why there is no answer. The texts hold no address: a query may name a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lost {
    /// The gate let nothing out: no request before this time.
    Held(Timestamp),
    /// No byte of the request was written.
    Unsent(String),
    /// The request, or part of it, was written, and there is no whole answer.
    Unanswered(String),
}

impl From<Shut> for Lost {
    fn from(shut: Shut) -> Self {
        match shut {
            Shut::Until(at) => Self::Held(at),
            Shut::Busy => Self::Unsent("earlier calls were not answered in time".to_owned()),
        }
    }
}

impl Outbound {
    /// `timeout` covers connection and answer, not the wait for a limit. A rustls provider must be installed before.
    pub fn new(base: &Url, timeout: Duration, gate: Arc<Gate>) -> Result<Self, String> {
        // Beneath reqwest, hyper-util takes another connection when the pooled one turns out to be dead, and reqwest has
        // no switch for that. It does so only where hyper gives the request back, which is one of which no byte was
        // written; anything else is lost here, and looked up.
        let client = client(base, timeout)
            .pool_idle_timeout(IDLE_MAX)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX);
        Ok(Self {
            line: Line::Network(client.build().map_err(|error| cause(&error))?),
            gate,
            timeout,
            calls: AtomicU64::new(0),
            skew_s: AtomicI64::new(0),
        })
    }

    pub fn replaying(replay: Box<Replay>) -> Self {
        let stand_in = move |call: Call| {
            let answer = replay(&call);
            Box::pin(std::future::ready(answer)) as Pin<Box<dyn Future<Output = _> + Send>>
        };
        Self::standing_in(Box::new(stand_in), Duration::from_secs(1))
    }

    pub fn standing_in(stand_in: Box<StandIn>, timeout: Duration) -> Self {
        Self {
            line: Line::StandIn(stand_in),
            gate: Arc::default(),
            timeout,
            calls: AtomicU64::new(0),
            skew_s: AtomicI64::new(0),
        }
    }

    /// Requests that were sent, or tried to be.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// By the vendor's clock, as far as it is known.
    pub fn vendor_now(&self) -> Timestamp {
        now() + SignedDuration::from_secs(self.skew_s.load(Ordering::Relaxed))
    }

    /// Waits until the limit leaves room for `calls`, at most `patience`; takes none of it.
    pub async fn ready(&self, calls: u32, patience: Duration) -> Result<(), Lost> {
        self.gate.room(calls, patience).await.map_err(Lost::Held)
    }

    /// The same for what can wait: most of each window is kept for others.
    pub async fn spare(&self, calls: u32, patience: Duration) -> Result<(), Lost> {
        self.gate.spare(calls, patience).await.map_err(Lost::Held)
    }

    fn learn_clock(&self, headers: &HeaderMap) {
        let date = headers.get(reqwest::header::DATE);
        let date = date.and_then(|date| gate::timestamp(date.to_str().ok()?));
        if let Some(date) = date {
            let skew = date.duration_since(now()).as_secs();
            self.skew_s.store(skew, Ordering::Relaxed);
        }
    }

    /// Sends once, after at most `patience` at the gate.
    pub async fn send(&self, call: Call, patience: Duration) -> Result<Answer, Lost> {
        self.send_with(call, None, patience).await
    }

    /// The same with a form (`a=b&c=d`, encoded) in place of JSON. Only over a network: who stands in for one sees no form.
    pub async fn send_form(
        &self,
        call: Call,
        form: String,
        patience: Duration,
    ) -> Result<Answer, Lost> {
        self.send_with(call, Some(form), patience).await
    }

    async fn send_with(
        &self,
        call: Call,
        form: Option<String>,
        patience: Duration,
    ) -> Result<Answer, Lost> {
        let permit = self.gate.enter_by(patience, self.timeout).await?;
        let deadline = Instant::now() + self.timeout;
        self.calls.fetch_add(1, Ordering::Relaxed);
        let client = match &self.line {
            Line::Network(client) => client,
            Line::StandIn(stand_in) => {
                let bytes_max = call.answer_bytes_max;
                let Ok(answer) = tokio::time::timeout_at(deadline, stand_in(call)).await else {
                    return Err(Lost::Unanswered("no answer in time".to_owned()));
                };
                let mut answer = answer?;
                answer.limited_until = permit.answered(answer.status, &answer.headers);
                return bounded(answer, bytes_max);
            }
        };
        let mut request = client
            .request(call.method, call.url)
            .headers(call.headers)
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .timeout(deadline.saturating_duration_since(Instant::now()));
        if let Some(json) = call.json {
            request = request
                .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
                .body(until::body(json.to_string()));
        } else if let Some(form) = form {
            let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
            request = request.header(CONTENT_TYPE, kind).body(until::body(form));
        }
        let mut response = request.send().await.map_err(|error| lost(&error))?;
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let limited_until = permit.answered(status, &headers);
        self.learn_clock(&headers);
        let body = whole(response, call.answer_bytes_max).await?;
        Ok(Answer {
            status,
            headers,
            body,
            limited_until,
        })
    }

    /// Sends once, and gives the answer before its body has come. Here the timeout is for each piece of the body anew.
    pub(crate) async fn open(&self, call: Call, patience: Duration) -> Result<Opened, Lost> {
        let Line::Network(client) = &self.line else {
            return Err(Lost::Unsent("there is no network".to_owned()));
        };
        let permit = self.gate.enter(patience).await.map_err(Lost::Held)?;
        self.calls.fetch_add(1, Ordering::Relaxed);
        let mut request = client.request(call.method, call.url).headers(call.headers);
        if let Some(json) = call.json {
            request = request
                .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
                .body(json.to_string());
        }
        let Ok(response) = tokio::time::timeout(self.timeout, request.send()).await else {
            return Err(Lost::Unanswered("no answer in time".to_owned()));
        };
        let mut response = response.map_err(|error| lost(&error))?;
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let limited_until = permit.answered(status, &headers);
        Ok(Opened {
            status,
            limited_until,
            response,
            left_bytes: call.answer_bytes_max,
            timeout: self.timeout,
        })
    }

    /// Opens a WebSocket's line at an http(s) address, by the same roots and proxies as every call. No limit counts it.
    pub(crate) async fn upgrade(&self, url: Url) -> Result<reqwest::Upgraded, Lost> {
        let Line::Network(client) = &self.line else {
            return Err(Lost::Unsent("there is no network".to_owned()));
        };
        let key = generate_key();
        let request = client
            .get(url)
            .header(CONNECTION, HeaderValue::from_static("Upgrade"))
            .header(UPGRADE, HeaderValue::from_static("websocket"))
            .header(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"))
            .header(SEC_WEBSOCKET_KEY, &key)
            .timeout(self.timeout);
        let response = request.send().await.map_err(|error| lost(&error))?;
        let status = response.status().as_u16();
        let accepted = response.headers().get(SEC_WEBSOCKET_ACCEPT);
        if status != 101
            || accepted
                .is_none_or(|it| it.as_bytes() != derive_accept_key(key.as_bytes()).as_bytes())
        {
            let why = format!("the socket was answered {status}");
            return Err(Lost::Unanswered(why));
        }
        response.upgrade().await.map_err(|error| lost(&error))
    }
}

/// An answer whose body is still coming.
pub(crate) struct Opened {
    pub status: u16,
    /// With a 429: when the gate opens again, by our clock.
    pub limited_until: Option<Timestamp>,
    response: reqwest::Response,
    left_bytes: usize,
    timeout: Duration,
}

impl Opened {
    /// `None` at the end.
    pub async fn piece(&mut self) -> Result<Option<Bytes>, Lost> {
        let Ok(piece) = tokio::time::timeout(self.timeout, self.response.chunk()).await else {
            return Err(Lost::Unanswered("it fell silent".to_owned()));
        };
        let piece = piece.map_err(|error| lost(&error))?;
        let bytes = piece.as_ref().map_or(0, Bytes::len);
        match self.left_bytes.checked_sub(bytes) {
            Some(left) => self.left_bytes = left,
            None => return Err(Lost::Unanswered("the answer is too long".to_owned())),
        }
        Ok(piece)
    }

    /// What is left of it.
    pub async fn whole(&mut self) -> Result<Vec<u8>, Lost> {
        let mut body = Vec::new();
        while let Some(piece) = self.piece().await? {
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }
}

thread_local! {
    static TOLD: Cell<Option<fn() -> Timestamp>> = const { Cell::new(None) };
}

/// From here on, this thread's wall clock is what a simulation tells.
pub fn tell(now: fn() -> Timestamp) {
    TOLD.set(Some(now));
}

/// Our wall clock: the one place in this crate that reads it, for times that leave as [`Timestamp`]s.
pub(crate) fn now() -> Timestamp {
    TOLD.get().map_or_else(Timestamp::now, |now| now())
}

fn client(base: &Url, timeout: Duration) -> reqwest::ClientBuilder {
    let client = reqwest::Client::builder()
        .user_agent(concat!("calup/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(CONNECT_MAX.min(timeout / 2));
    if is_loopback(base) {
        client.no_proxy()
    } else {
        client
    }
}

pub(crate) fn is_loopback(base: &Url) -> bool {
    match base.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

async fn whole(mut response: reqwest::Response, bytes_max: usize) -> Result<Vec<u8>, Lost> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| lost(&error))? {
        if body.len() + chunk.len() > bytes_max {
            return Err(too_long(bytes_max));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn bounded(answer: Answer, bytes_max: usize) -> Result<Answer, Lost> {
    if answer.body.len() > bytes_max {
        return Err(too_long(bytes_max));
    }
    Ok(answer)
}

fn too_long(bytes_max: usize) -> Lost {
    Lost::Unanswered(format!("the answer is longer than {bytes_max} bytes"))
}

fn lost(error: &reqwest::Error) -> Lost {
    if error.is_connect() || error.is_builder() {
        Lost::Unsent(format!("no connection ({})", cause(error)))
    } else if error.is_timeout() {
        Lost::Unanswered("no answer in time".to_owned())
    } else {
        Lost::Unanswered("the connection broke".to_owned())
    }
}

// The innermost cause names a host or a certificate at most; the outer ones quote the address with its query.
fn cause(error: &reqwest::Error) -> String {
    let mut innermost = error.source();
    while let Some(next) = innermost.and_then(|error| error.source()) {
        innermost = Some(next);
    }
    innermost.map_or_else(
        || "the client cannot be built".to_owned(),
        ToString::to_string,
    )
}
