//! What Slack tells of a click on a button: whether Slack sent it, and what was clicked. Over HTTP it comes signed:
//! <https://docs.slack.dev/authentication/verifying-requests-from-slack>

use domain::text::{NAME_CHARS_MAX, one_line};
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use sha2::Sha256;
use thiserror::Error;
use url::Url;

use crate::surrogates::with_whole_surrogates;

pub const SIGNATURE_HEADER: &str = "x-slack-signature";
pub const TIMESTAMP_HEADER: &str = "x-slack-request-timestamp";

const WINDOW_SECONDS: u64 = 300;
const SIGNATURE_BYTES: usize = 32;
const ID_BYTES_MAX: usize = 64;
const ACTION_BYTES_MAX: usize = 1_024;
const VALUE_BYTES_MAX: usize = 8_192;
const URL_BYTES_MAX: usize = 2_048;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Rejected {
    #[error("the request is not signed as Slack signs")]
    Malformed,
    #[error("the request's time is more than five minutes from ours")]
    Stale,
    #[error("the signature is not Slack's")]
    Forged,
}

/// Whether Slack sent this body just now. An empty secret verifies nothing.
pub fn verify(
    secret: &[u8],
    timestamp: &str,
    signature: &str,
    raw_body: &[u8],
    now: Timestamp,
) -> Result<(), Rejected> {
    let is_number = !timestamp.is_empty() && timestamp.bytes().all(|b| b.is_ascii_digit());
    let at: i64 = match timestamp.parse() {
        Ok(at) if is_number => at,
        _ => return Err(Rejected::Malformed),
    };
    let claimed = claimed(signature).ok_or(Rejected::Malformed)?;
    if now.as_second().abs_diff(at) > WINDOW_SECONDS {
        return Err(Rejected::Stale);
    }
    // In constant time.
    let is_theirs = mac(secret, timestamp, raw_body)
        .verify_slice(&claimed)
        .is_ok();
    if is_theirs && !secret.is_empty() {
        Ok(())
    } else {
        Err(Rejected::Forged)
    }
}

/// What Slack would put into [`SIGNATURE_HEADER`].
pub fn sign(secret: &[u8], timestamp: &str, raw_body: &[u8]) -> String {
    let mac = mac(secret, timestamp, raw_body).finalize();
    format!("v0={}", hex::encode(mac.into_bytes()))
}

fn claimed(signature: &str) -> Option<[u8; SIGNATURE_BYTES]> {
    let digits = signature.strip_prefix("v0=")?;
    let is_lower_hex = digits
        .bytes()
        .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let mut bytes = [0; SIGNATURE_BYTES];
    (is_lower_hex && hex::decode_to_slice(digits, &mut bytes).is_ok()).then_some(bytes)
}

fn mac(secret: &[u8], timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(b"v0:");
    mac.update(timestamp.as_bytes());
    mac.update(b":");
    mac.update(body);
    mac
}

/// A button that somebody clicked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Click {
    pub action_id: String,
    pub value: String,
    pub user_id: String,
    /// For people to read; the id where there is no name.
    pub user_name: String,
    /// Where the message stands.
    pub channel: Option<String>,
    /// The message's.
    pub ts: Option<String>,
    /// Good for five answers within half an hour.
    pub response_url: Option<String>,
}

impl Click {
    /// From the body of a request, which is a form. `None`: it is something else.
    pub fn from_form(raw_body: &[u8]) -> Option<Self> {
        let mut fields = url::form_urlencoded::parse(raw_body).filter(|(key, _)| key == "payload");
        let (_, only) = fields.next()?;
        if fields.next().is_some() {
            return None;
        }
        let said: Value = serde_json::from_str(&only)
            .or_else(|_| serde_json::from_str(&with_whole_surrogates(&only)))
            .ok()?;
        Self::from_json(&said)
    }

    /// The same, as it stands in a socket's envelope.
    pub fn from_json(said: &Value) -> Option<Self> {
        Said::deserialize(said).ok()?.click()
    }
}

#[derive(Deserialize)]
struct Said {
    #[serde(rename = "type")]
    kind: String,
    user: User,
    actions: Vec<Action>,
    #[serde(default)]
    container: Option<Container>,
    #[serde(default)]
    channel: Option<Channel>,
    #[serde(default)]
    message: Option<Of>,
    #[serde(default)]
    response_url: Option<String>,
}

#[derive(Deserialize)]
struct User {
    id: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    username: Option<String>,
}

#[derive(Deserialize)]
struct Action {
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(rename = "action_id")]
    id: String,
    #[serde(default)]
    value: Option<String>,
}

#[derive(Deserialize)]
struct Container {
    #[serde(default)]
    message_ts: Option<String>,
    #[serde(default)]
    channel_id: Option<String>,
}

#[derive(Deserialize)]
struct Channel {
    id: String,
}

#[derive(Deserialize)]
struct Of {
    #[serde(default)]
    ts: Option<String>,
}

impl Said {
    fn click(self) -> Option<Click> {
        let mut actions = self.actions.into_iter();
        let (action, more) = (actions.next()?, actions.next());
        let is_button = action.kind.as_deref().is_none_or(|kind| kind == "button");
        if self.kind != "block_actions" || !is_button || more.is_some() {
            return None;
        }
        let (message_ts, channel_id) = self
            .container
            .map_or((None, None), |it| (it.message_ts, it.channel_id));
        let user_id = id(self.user.id)?;
        let name = self.user.name.or(self.user.username);
        let name = one_line(name.as_deref().unwrap_or_default(), NAME_CHARS_MAX);
        let value = action.value.unwrap_or_default();
        let is_bounded = action.id.len() <= ACTION_BYTES_MAX && value.len() <= VALUE_BYTES_MAX;
        is_bounded.then_some(())?;
        Some(Click {
            action_id: action.id,
            value,
            user_name: if name.is_empty() {
                user_id.clone()
            } else {
                name
            },
            user_id,
            channel: channel_id.or(self.channel.map(|it| it.id)).and_then(id),
            ts: message_ts
                .or(self.message.and_then(|it| it.ts))
                .filter(|ts| is_ts(ts)),
            response_url: self.response_url.filter(|url| is_url(url)),
        })
    }
}

fn id(id: String) -> Option<String> {
    let is_plain = id.bytes().all(|b| b.is_ascii_alphanumeric());
    (!id.is_empty() && id.len() <= ID_BYTES_MAX && is_plain).then_some(id)
}

/// A message is known by the time it was posted: `1795388500.000200`.
pub(super) fn is_ts(ts: &str) -> bool {
    let digits = |part: &str| {
        let is_some = !part.is_empty() && part.len() <= 12;
        is_some && part.bytes().all(|b| b.is_ascii_digit())
    };
    ts.split_once('.')
        .is_some_and(|(a, b)| digits(a) && digits(b))
}

fn is_url(url: &str) -> bool {
    url.len() <= URL_BYTES_MAX && Url::parse(url).is_ok_and(|it| it.has_host())
}
