//! A scripted Claude on loopback that speaks the Messages API, streamed or whole. This file is the handle: its life, and
//! how calls meet faults. What it says is up to a script that whoever starts it brings along; how that becomes a stream
//! is known in `stream.rs`, which requests the API takes in `checks.rs`.

mod checks;
mod stream;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::faults::{Fault, Faults, Match};
use crate::http::{self, Answer, Call, Listening, Reply};

/// How the pretended Anthropic is set up. Everything has a default.
#[derive(Clone, Debug)]
pub struct Config {
    /// 0 picks a free one.
    pub port: u16,
    pub api_key: String,
    /// Others are not found; empty takes any.
    pub models: Vec<String>,
    /// Before the first event.
    pub latency: Duration,
    /// Between two events.
    pub pause: Duration,
    /// Characters of text, or of a tool's input, in one event.
    pub piece_chars: usize,
    pub log_entries_max: usize,
    /// For fault rates.
    pub seed: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            port: 0,
            api_key: "sk-ant-sim".to_owned(),
            models: Vec::new(),
            latency: Duration::ZERO,
            pause: Duration::ZERO,
            piece_chars: 12,
            log_entries_max: 1_000,
            seed: 0,
        }
    }
}

/// What it says in one round.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Say {
    pub parts: Vec<Part>,
    /// `end_turn`, or `tool_use` where a tool is used, unless this names another one.
    pub stop_reason: Option<String>,
    /// After so many events of the stream an error of this type comes instead of the next one.
    pub error_after: Option<(usize, String)>,
    /// After so many events the connection breaks.
    pub cut_after: Option<usize>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    Text(String),
    Thinking(String),
    Tool {
        name: String,
        input: Value,
    },
    /// A tool whose input is this text, JSON or not.
    RawTool {
        name: String,
        input: String,
    },
}

impl Say {
    pub fn text(text: &str) -> Self {
        Self::default().and_text(text)
    }

    pub fn tool(name: &str, input: Value) -> Self {
        Self::default().and_tool(name, input)
    }

    #[must_use]
    pub fn and_text(mut self, text: &str) -> Self {
        self.parts.push(Part::Text(text.to_owned()));
        self
    }

    #[must_use]
    pub fn and_thinking(mut self, text: &str) -> Self {
        self.parts.push(Part::Thinking(text.to_owned()));
        self
    }

    #[must_use]
    pub fn and_tool(mut self, name: &str, input: Value) -> Self {
        self.parts.push(Part::Tool {
            name: name.to_owned(),
            input,
        });
        self
    }

    #[must_use]
    pub fn then_error(mut self, events: usize, kind: &str) -> Self {
        self.error_after = Some((events, kind.to_owned()));
        self
    }

    #[must_use]
    pub fn then_cut(mut self, events: usize) -> Self {
        self.cut_after = Some(events);
        self
    }

    #[must_use]
    pub fn stopping(mut self, reason: &str) -> Self {
        self.stop_reason = Some(reason.to_owned());
        self
    }
}

/// Gets the request's body.
pub type Script = dyn Fn(&Value) -> Say + Send + Sync;

/// One request as it came in.
#[derive(Clone, Debug)]
pub struct Logged {
    pub body: Value,
    pub status: u16,
    /// When each event left.
    pub sent: Arc<Mutex<Vec<Instant>>>,
}

/// The handle. Clones are the same Claude; the last one gone, the server stops with its runtime.
#[derive(Clone)]
pub struct Claude {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    listening: tokio::sync::Mutex<Option<Listening>>,
}

struct State {
    config: Config,
    script: Arc<Script>,
    faults: Faults,
    log: Vec<Logged>,
    said: u64,
}

impl Claude {
    /// Binds 127.0.0.1 and serves. Panics if the given port cannot be had.
    pub async fn start(
        config: Config,
        script: impl Fn(&Value) -> Say + Send + Sync + 'static,
    ) -> Self {
        let claude = Self {
            shared: Arc::new(Shared {
                state: Mutex::new(State {
                    faults: Faults::new(config.seed),
                    config,
                    script: Arc::new(script),
                    log: Vec::new(),
                    said: 0,
                }),
                listening: tokio::sync::Mutex::new(None),
            }),
        };
        claude.restart().await;
        claude
    }

    /// What `ANTHROPIC_BASE_URL` is to be.
    pub fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.state().config.port)
    }

    pub fn api_key(&self) -> String {
        self.state().config.api_key.clone()
    }

    /// From now on it says what this script says.
    pub fn follow(&self, script: impl Fn(&Value) -> Say + Send + Sync + 'static) {
        self.state().script = Arc::new(script);
    }

    /// Cuts every connection and refuses new ones.
    pub async fn stop(&self) {
        if let Some(listening) = self.shared.listening.lock().await.take() {
            listening.close().await;
        }
    }

    /// Serves again on the same port.
    pub async fn restart(&self) {
        self.stop().await;
        let port = self.state().config.port;
        let shared: Weak<Shared> = Arc::downgrade(&self.shared);
        let handler = http::handler(move |call| {
            let shared = shared.upgrade();
            async move {
                match shared {
                    Some(shared) => Self { shared }.serve(call).await,
                    None => Reply::Drop,
                }
            }
        });
        let listening = Listening::start(port, handler)
            .await
            .expect("the port can be bound");
        self.state().config.port = listening.addr.port();
        *self.shared.listening.lock().await = Some(listening);
    }

    pub fn set_latency(&self, latency: Duration, pause: Duration) {
        let mut state = self.state();
        state.config.latency = latency;
        state.config.pause = pause;
    }

    /// This fault for the next `times` requests that match. What would be carried out is a round.
    pub fn fault(&self, when: Match, fault: Fault, times: u32) {
        self.state().faults.add(when, fault, times);
    }

    pub fn clear_faults(&self) {
        self.state().faults.clear();
    }

    /// Oldest first.
    pub fn requests(&self) -> Vec<Logged> {
        self.state().log.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    async fn serve(self, call: Call) -> Reply {
        let (fault, latency) = {
            let mut state = self.state();
            let fault = state.faults.pick(&call.method, &call.path, &call.query);
            (fault, state.config.latency)
        };
        sleep(latency).await;
        match fault {
            None => self.round(&call),
            Some(Fault::Status(status, body)) => self.refuse(&call, status, &body, &[]),
            Some(Fault::Html(status)) => Reply::Answer(http::gateway(status)),
            Some(Fault::Drop | Fault::DropThenApplyLate(_)) => Reply::Drop,
            Some(Fault::Hang) => Reply::Hang,
            Some(Fault::Delay(wait_ms)) => {
                sleep(Duration::from_millis(wait_ms)).await;
                self.round(&call)
            }
            Some(Fault::RateLimited(seconds)) => {
                let body = checks::error(
                    "rate_limit_error",
                    "This request would exceed your organization's rate limit",
                );
                let after = seconds.to_string();
                self.refuse(&call, 429, &body.to_string(), &[("retry-after", &after)])
            }
            Some(other) => panic!("the pretended Claude cannot suffer {other:?}"),
        }
    }

    fn refuse(&self, call: &Call, status: u16, body: &str, headers: &[(&str, &str)]) -> Reply {
        self.log(call, status);
        let mut answer = Answer {
            status,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: Bytes::from(body.to_owned()),
        };
        let more = headers.iter();
        answer
            .headers
            .extend(more.map(|&(name, value)| (name.to_owned(), value.to_owned())));
        Reply::Answer(answer)
    }

    fn log(&self, call: &Call, status: u16) -> Arc<Mutex<Vec<Instant>>> {
        let sent: Arc<Mutex<Vec<Instant>>> = Arc::default();
        let mut state = self.state();
        if state.log.len() >= state.config.log_entries_max {
            state.log.remove(0);
        }
        state.log.push(Logged {
            body: serde_json::from_slice(&call.body).unwrap_or_default(),
            status,
            sent: sent.clone(),
        });
        sent
    }

    fn round(&self, call: &Call) -> Reply {
        let config = self.state().config.clone();
        let body = match checks::request(call, &config) {
            Ok(body) => body,
            Err((status, error)) => return self.refuse(call, status, &error.to_string(), &[]),
        };
        let sent = self.log(call, 200);
        let (script, id) = {
            let mut state = self.state();
            state.said += 1;
            (state.script.clone(), state.said)
        };
        let say = script(&body);
        if body["stream"] == json!(true) {
            stream::paced(&say, &body, id, &config, sent)
        } else {
            Reply::Answer(stream::whole(&say, &body, id))
        }
    }
}
