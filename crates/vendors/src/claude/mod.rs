//! Claude, by Anthropic's Messages API: one round of a conversation at a time, streamed. How a stream becomes a reply is
//! known in `reply`, what refusals mean in `errors`. What is said, which tools there are and how many rounds are worth
//! their price is decided elsewhere.
//! <https://platform.claude.com/docs/en/api/messages>

mod errors;
mod reply;

use std::sync::Arc;
use std::time::Duration;

use domain::outcome::Failure;
use eventsource_stream::Eventsource as _;
use futures_util::{StreamExt as _, stream};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use url::Url;

pub use reply::{Reply, ToolUse, Usage};

use crate::http::{Call, Lost, Method, Opened, Outbound, needs_operator};
use reply::Draft;

const API_VERSION: &str = "2023-06-01";
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;
/// A person is waiting.
const PATIENCE: Duration = Duration::from_secs(20);
/// Until the first byte, and between any two: the API sends pings while it thinks.
const SILENCE_MAX: Duration = Duration::from_secs(60);
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const VERSION: HeaderName = HeaderName::from_static("anthropic-version");

pub struct Config {
    /// Without `/v1`.
    pub base_url: String,
    pub api_key: SecretString,
    pub model: String,
}

pub struct Claude {
    out: Outbound,
    messages: Url,
    api_key: HeaderValue,
    model: String,
}

/// What one round is asked with, in the API's own shapes.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    pub system: &'a str,
    /// `{"name", "description", "input_schema"}` each.
    pub tools: &'a [Value],
    /// `{"role", "content"}` each, beginning with the user's.
    pub messages: &'a [Value],
    pub tokens_max: u32,
    /// Else it answers with what it knows by now.
    pub may_use_tools: bool,
}

impl Claude {
    /// Calls nobody yet.
    pub fn new(config: Config) -> Result<Self, Failure> {
        let base = config.base_url.trim().trim_end_matches('/');
        let base = base.strip_suffix("/v1").unwrap_or(base);
        let messages = Url::parse(&format!("{base}/v1/messages")).ok();
        let messages = messages.filter(|it| matches!(it.scheme(), "http" | "https"));
        let messages = messages.ok_or_else(|| {
            needs_operator(
                "ask Claude: ANTHROPIC_BASE_URL is not a web address",
                "leave it out, or set it to https://api.anthropic.com",
            )
        })?;
        let key = config.api_key.expose_secret().trim();
        let mut api_key = HeaderValue::from_str(key).map_err(|_| {
            needs_operator(
                "ask Claude: ANTHROPIC_API_KEY holds characters that no key has",
                "copy the key from platform.claude.com once more",
            )
        })?;
        api_key.set_sensitive(true);
        let out = Outbound::new(&messages, SILENCE_MAX, Arc::default()).map_err(|why| {
            needs_operator(
                format!("ask Claude: there is no HTTPS client ({why})"),
                "check that this system has root certificates",
            )
        })?;
        Ok(Self {
            out,
            messages,
            api_key,
            model: config.model,
        })
    }

    pub fn model(&self) -> &str {
        &self.model
    }

    /// One round. `said` gets the text as it comes; dropping the future ends the round, and its cost. Nothing is asked a
    /// second time here: a failure after some text was passed on is the caller's to explain.
    pub async fn reply(
        &self,
        ask: Ask<'_>,
        said: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Reply, Failure> {
        let call = Call {
            method: Method::POST,
            url: self.messages.clone(),
            headers: HeaderMap::from_iter([
                (API_KEY, self.api_key.clone()),
                (VERSION, HeaderValue::from_static(API_VERSION)),
            ]),
            json: Some(self.body(ask)),
            answer_bytes_max: ANSWER_BYTES_MAX,
        };
        let mut answer = self.out.open(call, PATIENCE).await.map_err(errors::lost)?;
        if answer.status != 200 {
            let limited_until = answer.limited_until;
            let status = answer.status;
            let body = answer.whole().await.unwrap_or_default();
            return Err(errors::refused(status, limited_until, &body, &self.model));
        }
        draft(answer, said).await
    }

    fn body(&self, ask: Ask<'_>) -> Value {
        let mut body = json!({
            "model": self.model,
            "max_tokens": ask.tokens_max,
            "stream": true,
            // Tools and instructions stay the same from round to round; what was said before, too.
            "system": [{ "type": "text", "text": ask.system, "cache_control": { "type": "ephemeral" } }],
            "messages": with_cache_mark(ask.messages),
        });
        if !ask.tools.is_empty() {
            body["tools"] = ask.tools.into();
            if !ask.may_use_tools {
                body["tool_choice"] = json!({ "type": "none" });
            }
        }
        body
    }
}

/// Everything up to the last block is asked for again in the next round.
fn with_cache_mark(messages: &[Value]) -> Vec<Value> {
    let mut messages = messages.to_vec();
    if let Some(content) = messages.last_mut().map(|last| &mut last["content"]) {
        if let Some(text) = content.as_str() {
            *content = json!([{ "type": "text", "text": text }]);
        }
        let last = content.as_array_mut().and_then(|blocks| blocks.last_mut());
        if let Some(Value::Object(last)) = last {
            last.insert("cache_control".into(), json!({ "type": "ephemeral" }));
        }
    }
    messages
}

async fn draft(answer: Opened, said: &mut (dyn FnMut(&str) + Send)) -> Result<Reply, Failure> {
    let pieces = stream::unfold(Some(answer), async |answer| {
        let mut answer = answer?;
        match answer.piece().await {
            Ok(Some(piece)) => Some((Ok(piece), Some(answer))),
            Ok(None) => None,
            Err(lost) => Some((Err(lost), None)),
        }
    });
    let events = pieces.eventsource();
    futures_util::pin_mut!(events);
    let mut draft = Draft::default();
    while let Some(event) = events.next().await {
        let event = event.map_err(|error| match error {
            eventsource_stream::EventStreamError::Transport(lost) => errors::lost(lost),
            _ => errors::broken("its stream is no stream of events"),
        })?;
        if let Some(text) = draft.take(&event.data)? {
            said(&text);
        }
        if draft.is_whole() {
            return draft.reply();
        }
    }
    Err(errors::lost(Lost::Unanswered(
        "the stream ended early".to_owned(),
    )))
}
