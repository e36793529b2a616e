//! Socket Mode: clicks over a WebSocket that we open, so that nobody has to reach us.
//! <https://docs.slack.dev/apis/events-api/using-socket-mode>

use std::sync::Arc;
use std::time::Duration;

use domain::outcome::Failure;
use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use url::Url;

use super::errors::{About, Purpose};
use super::{Click, READ_PATIENCE, method_url};
use crate::http::{Call, Method, Outbound, is_loopback, needs_operator};
use crate::surrogates::with_whole_surrogates;

const FRAME_BYTES_MAX: usize = 4 * 1024 * 1024;
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Slack pings more often than this. After it we ask, and after it once more the line is dead.
const SILENCE: Duration = Duration::from_secs(30);
const SEND_MAX: Duration = Duration::from_secs(5);
/// A connection lasts for hours. One that is taken away sooner than this is not replaced at once a second time.
const LIFE_MIN: Duration = Duration::from_secs(10);

type Line = WebSocketStream<reqwest::Upgraded>;

/// The way to a connection, by the app's own token.
pub(super) struct Link {
    out: Outbound,
    base: Url,
    authorization: HeaderValue,
}

/// Clicks as they come. After a failure the next call connects anew.
pub struct Socket {
    link: Arc<Link>,
    open: Option<Open>,
    /// The one before, until Slack closes it: what was on its way over it when it was replaced counts too.
    leaving: Option<Open>,
    renewed: Option<Instant>,
    /// Heard, and not yet both acknowledged and handed on.
    owed: Option<Owed>,
}

struct Owed {
    envelope: String,
    click: Option<Click>,
    by_leaving: bool,
}

struct Open {
    line: Line,
    heard: Instant,
    /// We have asked whether somebody is there.
    asked: bool,
}

#[derive(Deserialize)]
struct Address {
    url: String,
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default, rename = "envelope_id")]
    id: Option<String>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    payload: Value,
}

enum Heard {
    Owed(String, Option<Click>),
    /// The connection is to be replaced.
    Renew,
    /// Socket Mode was turned off.
    Off,
    Nothing,
}

impl Link {
    pub fn new(out: Outbound, base: Url, authorization: HeaderValue) -> Self {
        Self {
            out,
            base,
            authorization,
        }
    }

    async fn open(&self) -> Result<Open, Failure> {
        let purpose = purpose();
        let call = Call {
            method: Method::POST,
            url: method_url(&self.base, "apps.connections.open"),
            headers: HeaderMap::from_iter([(AUTHORIZATION, self.authorization.clone())]),
            json: Some(json!({})),
            answer_bytes_max: ANSWER_BYTES_MAX,
        };
        let answer = self.out.send(call, READ_PATIENCE).await;
        let address: Address = purpose.understand(&answer.map_err(|lost| purpose.lost(lost))?)?;
        let url = self
            .address(&address.url)
            .ok_or_else(|| purpose.unknown("Slack named no address for it"))?;
        let line = self.out.upgrade(url).await;
        let line = line.map_err(|lost| purpose.lost(lost))?;
        let config = WebSocketConfig::default()
            .max_message_size(Some(FRAME_BYTES_MAX))
            .max_frame_size(Some(FRAME_BYTES_MAX));
        Ok(Open {
            line: WebSocketStream::from_raw_socket(line, Role::Client, Some(config)).await,
            heard: Instant::now(),
            asked: false,
        })
    }

    /// As http(s), which is how the line begins. Unencrypted only to a stand-in beside us.
    fn address(&self, text: &str) -> Option<Url> {
        let rest = match text.split_once("://")? {
            ("wss", rest) => format!("https://{rest}"),
            ("ws", rest) => format!("http://{rest}"),
            _ => return None,
        };
        let url = Url::parse(&rest).ok()?;
        let may_be_plain = is_loopback(&url) && is_loopback(&self.base);
        (url.has_host() && (url.scheme() == "https" || may_be_plain)).then_some(url)
    }
}

impl Socket {
    pub(super) async fn open(link: Arc<Link>) -> Result<Self, Failure> {
        let open = link.open().await?;
        Ok(Self {
            link,
            open: Some(open),
            leaving: None,
            renewed: None,
            owed: None,
        })
    }

    /// The next click, acknowledged already. Nothing is lost when this is dropped before it ends.
    pub async fn next(&mut self) -> Result<Click, Failure> {
        loop {
            if let Some(click) = self.settle().await {
                return Ok(click);
            }
            let open = match &mut self.open {
                Some(open) => open,
                None => self.open.insert(self.link.open().await?),
            };
            let (heard, by_leaving) = match &mut self.leaving {
                Some(leaving) => tokio::select! {
                    heard = open.hear() => (heard, false),
                    heard = leaving.hear() => (heard, true),
                },
                None => (open.hear().await, false),
            };
            let heard = match heard {
                Ok(Heard::Renew | Heard::Off) | Err(_) if by_leaving => {
                    self.leaving = None;
                    continue;
                }
                Ok(heard) => heard,
                Err(why) => {
                    self.open = None;
                    return Err(purpose().unknown(why));
                }
            };
            match heard {
                Heard::Owed(envelope, click) => {
                    self.owed = Some(Owed {
                        envelope,
                        click,
                        by_leaving,
                    });
                }
                Heard::Nothing => {}
                Heard::Renew => self.renew().await?,
                Heard::Off => {
                    self.open = None;
                    return Err(needs_operator(
                        "keep a socket to Slack: Socket Mode was turned off".to_owned(),
                        "turn it on at api.slack.com/apps, or take SLACK_APP_TOKEN away",
                    ));
                }
            }
        }
    }

    /// Acknowledges what is owed. A click counts even if that fails: the worst is that it comes once more.
    async fn settle(&mut self) -> Option<Click> {
        if let Some(owed) = &self.owed {
            let line = if owed.by_leaving {
                &mut self.leaving
            } else {
                &mut self.open
            };
            if let Some(open) = line {
                let ack = json!({"envelope_id": owed.envelope}).to_string();
                if open.send(tungstenite::Message::text(ack)).await.is_err() {
                    *line = None;
                }
            }
        }
        self.owed.take().and_then(|owed| owed.click)
    }

    // The new one first, so that there is always one.
    async fn renew(&mut self) -> Result<(), Failure> {
        let now = Instant::now();
        if self.renewed.is_some_and(|at| now < at + LIFE_MIN) {
            self.open = None;
            return Err(purpose().unknown("Slack takes each connection away at once"));
        }
        self.renewed = Some(now);
        match self.link.open().await {
            Ok(open) => self.leaving = self.open.replace(open),
            Err(failure) => {
                self.open = None;
                return Err(failure);
            }
        }
        Ok(())
    }
}

impl Open {
    async fn hear(&mut self) -> Result<Heard, &'static str> {
        let Ok(frame) = timeout_at(self.heard + SILENCE, self.line.next()).await else {
            if self.asked {
                return Err("nothing was heard for a minute");
            }
            self.asked = true;
            self.heard = Instant::now();
            self.send(tungstenite::Message::Ping(Vec::new().into()))
                .await?;
            return Ok(Heard::Nothing);
        };
        self.heard = Instant::now();
        self.asked = false;
        match frame {
            Some(Ok(tungstenite::Message::Text(text))) => Ok(read(&text)),
            Some(Ok(tungstenite::Message::Close(_)) | Err(_)) | None => Err("the connection broke"),
            Some(Ok(_)) => Ok(Heard::Nothing),
        }
    }

    async fn send(&mut self, message: tungstenite::Message) -> Result<(), &'static str> {
        match timeout(SEND_MAX, self.line.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err("the connection broke"),
        }
    }
}

fn read(text: &str) -> Heard {
    let envelope = serde_json::from_str::<Envelope>(text)
        .or_else(|_| serde_json::from_str(&with_whole_surrogates(text)));
    let Ok(envelope) = envelope else {
        return Heard::Nothing;
    };
    if envelope.kind == "disconnect" {
        return match envelope.reason.as_deref() {
            Some("link_disabled") => Heard::Off,
            _ => Heard::Renew,
        };
    }
    // Whatever has an id is acknowledged, or it comes again.
    match envelope.id {
        Some(id) if envelope.kind == "interactive" => {
            Heard::Owed(id, Click::from_json(&envelope.payload))
        }
        Some(id) => Heard::Owed(id, None),
        None => Heard::Nothing,
    }
}

fn purpose() -> Purpose {
    Purpose::read(About::Socket, "keep a socket to Slack")
}
