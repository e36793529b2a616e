//! Slack: one channel where people are told and asked. What a message looks like is known in `message`, what a click
//! says in `interaction`, what errors mean in `errors`. When somebody is asked, and what follows from the answer, is
//! decided elsewhere.

mod channel;
mod errors;
pub mod interaction;
mod message;
mod pace;
mod socket;
pub mod text;

use std::sync::Arc;
use std::time::Duration;

use domain::outcome::Failure;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use url::Url;

pub use interaction::{Click, Rejected, verify};
pub use message::{Block, Button, Message, Style};
pub use pace::Limits;
pub use socket::Socket;

use crate::http::{Call, Lost, Method, Outbound, needs_operator};
use channel::History;
use errors::{About, Purpose};
use socket::Link;

const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;
const READ_PATIENCE: Duration = Duration::from_secs(5);
/// A write was announced already: it goes in its turn, which is at most the next but one, or not at all.
const WRITE_PATIENCE: Duration = Duration::from_millis(2_500);

pub struct Config {
    pub api_url: String,
    pub bot_token: SecretString,
    /// For Socket Mode.
    pub app_token: Option<SecretString>,
    /// Its id, or its name with or without `#`.
    pub channel: String,
    /// For one call.
    pub timeout: Duration,
}

pub struct Slack {
    out: Outbound,
    base: Url,
    authorization: HeaderValue,
    channel: String,
    channel_id: OnceCell<String>,
    limits: Arc<Limits>,
    link: Option<Arc<Link>>,
}

/// What `check` found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    pub team: String,
    /// The name that messages come from.
    pub bot: String,
    pub channel_id: String,
}

/// What a click is answered with at its response URL.
#[derive(Debug, Clone, Copy)]
pub enum Reply<'a> {
    /// The message becomes this one.
    Replace(&'a Message),
    /// Only who clicked sees this.
    Whisper(&'a str),
}

#[derive(Deserialize)]
struct Posted {
    ts: String,
}

#[derive(Deserialize)]
struct Identity {
    team: String,
    user: String,
}

impl Slack {
    /// Calls nobody yet.
    pub fn new(config: Config) -> Result<Self, Failure> {
        Self::with_limits(config, Arc::default())
    }

    pub fn has_app_token(&self) -> bool {
        self.link.is_some()
    }

    /// For several clients with one token.
    pub fn with_limits(config: Config, limits: Arc<Limits>) -> Result<Self, Failure> {
        let base = web_address(&config.api_url)?;
        let gate = Arc::clone(&limits.gate);
        let link = match &config.app_token {
            Some(token) => {
                let authorization = authorization(token, "SLACK_APP_TOKEN")?;
                let out = outbound(&base, config.timeout, Arc::default())?;
                Some(Arc::new(Link::new(out, base.clone(), authorization)))
            }
            None => None,
        };
        let channel = config.channel.trim().trim_start_matches('#').to_owned();
        if channel.is_empty() {
            return Err(needs_operator(
                "use Slack: SLACK_CHANNEL names no channel".to_owned(),
                "set it to the channel's id or name",
            ));
        }
        Ok(Self {
            out: outbound(&base, config.timeout, gate)?,
            authorization: authorization(&config.bot_token, "SLACK_BOT_TOKEN")?,
            base,
            channel,
            channel_id: OnceCell::new(),
            limits,
            link,
        })
    }

    /// Requests made so far, but for Socket Mode's.
    pub fn calls(&self) -> u64 {
        self.out.calls()
    }

    /// Waits, within limits, until a message may be sent. To be asked before one is announced.
    pub async fn ready(&self) -> Result<(), Failure> {
        let purpose = Purpose::read(About::Channel, "begin to write to Slack");
        let channel = self.channel_id().await?;
        let held = |until| purpose.lost(Lost::Held(until));
        let turn = self.limits.pace.open(channel, READ_PATIENCE).await;
        turn.map_err(held)?;
        let room = self.out.ready(1, READ_PATIENCE).await;
        room.map_err(|lost| purpose.lost(lost))
    }

    /// Sent at most once. Gives the message's time stamp, which is what it is known by.
    pub async fn post(&self, message: &Message) -> Result<String, Failure> {
        let purpose = Purpose::write(About::Channel, "post a message to Slack");
        let mut body = message.json().map_err(|why| purpose.refuse(why))?;
        body["unfurl_links"] = json!(false);
        body["unfurl_media"] = json!(false);
        let channel = self.channel_id().await?;
        self.write(&purpose, "chat.postMessage", channel, body)
            .await
    }

    /// The message becomes this one; without a marker it keeps the one it has. `channel` is the id of where it was posted.
    pub async fn update(&self, channel: &str, ts: &str, message: &Message) -> Result<(), Failure> {
        let purpose = Purpose::write(About::Message, "change a message at Slack");
        if !interaction::is_ts(ts) {
            return Err(purpose.gone());
        }
        let mut body = message.json().map_err(|why| purpose.refuse(why))?;
        body["ts"] = json!(ts);
        let changed = self.write(&purpose, "chat.update", channel, body).await;
        changed.map(|_| ())
    }

    /// Whether the token works, and the channel can be written to and read. Writes nothing.
    pub async fn check(&self) -> Result<Checked, Failure> {
        let purpose = Purpose::read(About::Account, "reach Slack");
        let identity: Identity = self.get(&purpose, "auth.test", &[]).await?;
        let channel = self.channel_id().await?;
        let purpose = Purpose::read(About::Channel, "read the channel at Slack");
        let query = [("channel", channel), ("limit", "1")];
        let _newest: History = self.get(&purpose, "conversations.history", &query).await?;
        Ok(Checked {
            team: identity.team,
            bot: identity.user,
            channel_id: channel.to_owned(),
        })
    }

    /// Answers a click at the address that came with it: `Gone` when it has been used up. Addresses elsewhere than at
    /// Slack are refused.
    pub async fn respond(&self, response_url: &str, reply: Reply<'_>) -> Result<(), Failure> {
        let purpose = Purpose::write(About::Message, "answer a click at Slack");
        let url = self
            .response_address(response_url)
            .ok_or_else(|| purpose.refuse("its address is not Slack's"))?;
        let body = match reply {
            Reply::Replace(message) => {
                let mut body = message.json().map_err(|why| purpose.refuse(why))?;
                body["replace_original"] = json!(true);
                body
            }
            Reply::Whisper(text) => json!({
                "text": text::fit(&text::mrkdwn(text), 3_000),
                "replace_original": false, "response_type": "ephemeral",
            }),
        };
        let call = Call {
            method: Method::POST,
            url,
            headers: HeaderMap::new(),
            json: Some(body),
            answer_bytes_max: ANSWER_BYTES_MAX,
        };
        let answer = self.out.send(call, WRITE_PATIENCE).await;
        purpose.responded(&answer.map_err(|lost| purpose.lost(lost))?)
    }

    /// Opens Socket Mode: clicks come over it instead of to the interactions' address, while it is open.
    pub async fn connect(&self) -> Result<Socket, Failure> {
        match &self.link {
            Some(link) => Socket::open(Arc::clone(link)).await,
            None => Err(needs_operator(
                "open a socket to Slack: SLACK_APP_TOKEN is not set".to_owned(),
                "set it, or let Slack send clicks to /api/slack/interactions",
            )),
        }
    }

    async fn get<T: DeserializeOwned>(
        &self,
        purpose: &Purpose,
        method: &str,
        query: &[(&str, &str)],
    ) -> Result<T, Failure> {
        let mut url = method_url(&self.base, method);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let call = Call {
            method: Method::GET,
            url,
            headers: HeaderMap::from_iter([(AUTHORIZATION, self.authorization.clone())]),
            json: None,
            answer_bytes_max: ANSWER_BYTES_MAX,
        };
        let answer = self.out.send(call, READ_PATIENCE).await;
        purpose.understand(&answer.map_err(|lost| purpose.lost(lost))?)
    }

    async fn write(
        &self,
        purpose: &Purpose,
        method: &str,
        channel: &str,
        mut body: Value,
    ) -> Result<String, Failure> {
        body["channel"] = json!(channel);
        let turn = self.limits.pace.turn(channel, WRITE_PATIENCE).await;
        turn.map_err(|until| purpose.lost(Lost::Held(until)))?;
        let call = Call {
            method: Method::POST,
            url: method_url(&self.base, method),
            headers: HeaderMap::from_iter([(AUTHORIZATION, self.authorization.clone())]),
            json: Some(body),
            answer_bytes_max: ANSWER_BYTES_MAX,
        };
        let answer = self.out.send(call, WRITE_PATIENCE).await;
        let posted: Posted = purpose.understand(&answer.map_err(|lost| purpose.lost(lost))?)?;
        if interaction::is_ts(&posted.ts) {
            Ok(posted.ts)
        } else {
            Err(purpose.unknown("Slack answered with something else"))
        }
    }

    /// Whoever could choose this address could make us call any.
    fn response_address(&self, text: &str) -> Option<Url> {
        let url = Url::parse(text).ok()?;
        let is_base = url.origin() == self.base.origin();
        let is_slacks = url.scheme() == "https"
            && url.port().is_none()
            && matches!(
                url.host_str(),
                Some("hooks.slack.com" | "hooks.slack-gov.com")
            );
        let is_anybodys = !url.username().is_empty() || url.password().is_some();
        ((is_base || is_slacks) && !is_anybodys).then_some(url)
    }
}

fn method_url(base: &Url, method: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{method}", base.path().trim_end_matches('/')));
    url
}

fn outbound(
    base: &Url,
    timeout: Duration,
    gate: Arc<crate::http::Gate>,
) -> Result<Outbound, Failure> {
    Outbound::new(base, timeout, gate).map_err(|why| {
        needs_operator(
            format!("use Slack: there is no HTTPS client ({why})"),
            "check that this system has root certificates",
        )
    })
}

fn web_address(api_url: &str) -> Result<Url, Failure> {
    let url = Url::parse(api_url.trim().trim_end_matches('/')).ok();
    let url = url.filter(|it| matches!(it.scheme(), "http" | "https") && it.has_host());
    let mut url = url.ok_or_else(|| {
        needs_operator(
            "use Slack: SLACK_API_URL is not a web address".to_owned(),
            "leave it out, or set it to https://slack.com/api",
        )
    })?;
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

fn authorization(token: &SecretString, setting: &str) -> Result<HeaderValue, Failure> {
    let text = format!("Bearer {}", token.expose_secret().trim());
    let mut value = HeaderValue::from_str(&text).map_err(|_| {
        needs_operator(
            format!("use Slack: {setting} holds characters that no token has"),
            "copy the token from api.slack.com/apps once more",
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}
