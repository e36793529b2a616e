//! A stateful Slack on loopback: Web API, interactions, Socket Mode. This file is the handle: its life, and how calls
//! meet faults and latency. The workspace is in `state.rs`, people's eyes on it in `view.rs`, their clicks in
//! `click.rs`, the methods in `routes.rs`.

mod blocks;
mod click;
mod messages;
mod render;
mod routes;
mod socket;
mod state;
mod view;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use serde_json::Value;

pub use click::{Click, Clicked, Signed, Signing, Way, sign};
pub use render::Seen;
pub use state::{LoggedCall, User};
pub use view::{ButtonView, MessageView};

use crate::faults::{Fault, Match};
use crate::http::{self, Answer, Call, Listening, Reply};
use crate::suffering::{Own, ms, sleep_ms, suffer};
use state::State;

/// How the pretended Slack is set up. Everything has a default.
#[derive(Clone, Debug)]
pub struct Config {
    /// 0 picks a free one.
    pub port: u16,
    pub bot_token: String,
    pub app_token: String,
    pub signing_secret: String,
    pub team_id: String,
    pub team_name: String,
    pub app_id: String,
    pub bot_id: String,
    pub bot_user: String,
    /// What the bot's token may do.
    pub scopes: Vec<String>,
    /// Where the app takes interactions, while no socket is open.
    pub interactions_url: Option<String>,
    /// How long a click waits for the app.
    pub answer_max: Duration,
    /// A channel takes one message per `pace`, and so many at once; a pace of zero takes all.
    pub pace: Duration,
    pub burst: u32,
    /// The words of all blocks of a message together. Not established.
    pub blocks_chars_max: usize,
    /// A page of a history holds no more, whatever was asked for.
    pub history_page_max: usize,
    /// How long a new message is missing from histories.
    pub history_lag: Duration,
    /// Half before, half after a call is carried out; up to `jitter` comes on top.
    pub latency: Duration,
    pub jitter: Duration,
    /// The vendor's clock minus ours.
    pub clock_skew_ms: i64,
    pub log_entries_max: usize,
    /// The clock, in milliseconds: the machine's unless a simulation brings its own.
    pub wall_ms: fn() -> i64,
    /// For fault rates, jitter and what cannot be guessed.
    pub seed: u64,
}

impl Default for Config {
    fn default() -> Self {
        let scopes = [
            "chat:write",
            "channels:history",
            "channels:read",
            "groups:history",
        ];
        Self {
            port: 0,
            bot_token: "xoxb-sim".to_owned(),
            app_token: "xapp-sim".to_owned(),
            signing_secret: "8f742231b10e8888abcd99yyyzzz85a5".to_owned(),
            team_id: "T0000ACME".to_owned(),
            team_name: "Acme".to_owned(),
            app_id: "A0000BOOKR".to_owned(),
            bot_id: "B0000BOOKR".to_owned(),
            bot_user: "U0000BOOKR".to_owned(),
            scopes: scopes.map(str::to_owned).to_vec(),
            interactions_url: None,
            answer_max: Duration::from_secs(3),
            pace: Duration::from_secs(1),
            burst: 5,
            blocks_chars_max: 13_200,
            history_page_max: 999,
            history_lag: Duration::ZERO,
            latency: Duration::ZERO,
            jitter: Duration::ZERO,
            clock_skew_ms: 0,
            log_entries_max: 20_000,
            wall_ms: state::wall_ms,
            seed: 0,
        }
    }
}

/// The handle. Clones are the same Slack; the last one gone, the server stops with its runtime.
#[derive(Clone)]
pub struct Slack {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    listening: tokio::sync::Mutex<Option<Listening>>,
}

impl Slack {
    /// Binds 127.0.0.1 and serves. Panics if the given port cannot be had.
    pub async fn start(config: Config) -> Self {
        let slack = Self {
            shared: Arc::new(Shared {
                state: Mutex::new(State::new(config)),
                listening: tokio::sync::Mutex::new(None),
            }),
        };
        slack.restart().await;
        slack
    }

    /// What `SLACK_API_URL` is to be.
    pub fn api_url(&self) -> String {
        format!("http://127.0.0.1:{}/api", self.state().config.port)
    }

    pub fn bot_token(&self) -> String {
        self.state().config.bot_token.clone()
    }

    pub fn app_token(&self) -> String {
        self.state().config.app_token.clone()
    }

    pub fn signing_secret(&self) -> String {
        self.state().config.signing_secret.clone()
    }

    /// Cuts every connection and refuses new ones. The state stays.
    pub async fn stop(&self) {
        self.cut_sockets();
        if let Some(listening) = self.shared.listening.lock().await.take() {
            listening.close().await;
        }
    }

    /// Serves again on the same port with the same state.
    pub async fn restart(&self) {
        self.stop().await;
        let port = self.state().config.port;
        // Weak: the server must not keep alive what its handle has given up.
        let shared = self.weak();
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

    /// Where clicks go from now on, while no socket is open.
    pub fn set_interactions_url(&self, url: &str) {
        self.state().config.interactions_url = Some(url.to_owned());
    }

    pub fn set_scopes(&self, scopes: &[&str]) {
        self.state().config.scopes = scopes.iter().map(|&it| it.to_owned()).collect();
    }

    /// From now on every call with a token hears this (`token_revoked`, `account_inactive` …); `None` heals it.
    pub fn set_token_error(&self, word: Option<&str>) {
        self.state().token_error = word.map(str::to_owned);
    }

    pub fn set_latency(&self, latency: Duration, jitter: Duration) {
        let mut state = self.state();
        state.config.latency = latency;
        state.config.jitter = jitter;
    }

    pub fn set_clock_skew_ms(&self, skew_ms: i64) {
        self.state().config.clock_skew_ms = skew_ms;
    }

    /// This fault for the next `times` requests that match; [`crate::faults::ALWAYS`] lasts.
    pub fn fault(&self, when: Match, fault: Fault, times: u32) {
        self.state().faults.add(when, fault, times);
    }

    /// Each matching request suffers this with the given chance (0 to 1).
    pub fn fault_rate(&self, when: Match, fault: Fault, chance: f64) {
        self.state().faults.add_rate(when, fault, chance);
    }

    /// Seeds the dice of [`Slack::fault_rate`] and of the latency's jitter.
    pub fn seed(&self, seed: u64) {
        self.state().faults.seed(seed);
    }

    pub fn clear_faults(&self) {
        self.state().faults.clear();
    }

    /// How many counted faults have not fired yet.
    pub fn faults_left(&self) -> u64 {
        self.state().faults.left()
    }

    // A test that panicked while it held the lock has failed already.
    fn state(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn weak(&self) -> Weak<Shared> {
        Arc::downgrade(&self.shared)
    }

    async fn serve(self, call: Call) -> Reply {
        let (seq, fault, latency_ms) = self.arrive(&call);
        sleep_ms(latency_ms / 2).await;
        let reply = self.carry_out(&call, seq, fault).await;
        sleep_ms(latency_ms - latency_ms / 2).await;
        if let Reply::Answer(answer) | Reply::Cut(answer, _) | Reply::Upgrade(answer, _) = &reply
            && let Some(logged) = self.state().logged(seq)
        {
            logged.status = answer.status;
        }
        reply
    }

    fn arrive(&self, call: &Call) -> (u64, Option<Fault>, u64) {
        let mut state = self.state();
        let method = call.path.strip_prefix("/api/").unwrap_or(&call.path);
        let authorization = call.headers.get("authorization");
        let authorization = authorization.and_then(|it| it.to_str().ok());
        let seq = state.log(
            method.to_owned(),
            Value::Object(routes::params(call)),
            authorization.unwrap_or_default().to_owned(),
        );
        let fault = state.faults.pick(&call.method, &call.path, &call.query);
        let jitter = ms(state.config.jitter);
        let latency = ms(state.config.latency) + state.faults.jitter_ms(jitter);
        (seq, fault, latency)
    }

    fn run(&self, call: &Call, seq: u64, lag_ms: Option<u64>) -> Reply {
        if call.path == "/link/" {
            return self.link(call);
        }
        Reply::Answer(self.execute(call, seq, lag_ms))
    }

    fn execute(&self, call: &Call, seq: u64, lag_ms: Option<u64>) -> Answer {
        let mut state = self.state();
        let lag_ms = lag_ms.unwrap_or_else(|| ms(state.config.history_lag));
        let lag_ms = i64::try_from(lag_ms).unwrap_or(i64::MAX);
        let (answer, executed) = routes::execute(&mut state, call, lag_ms);
        if executed && let Some(logged) = state.logged(seq) {
            logged.executed = true;
        }
        answer
    }

    async fn carry_out(&self, call: &Call, seq: u64, fault: Option<Fault>) -> Reply {
        let run = || self.execute(call, seq, None);
        let own = match fault.map(|fault| suffer(fault, run)) {
            None => return self.run(call, seq, None),
            Some(Ok(reply)) => return reply,
            Some(Err(own)) => own,
        };
        match own {
            // What it lists is never behind but by its lag.
            Own::StaleRead(_) => self.run(call, seq, None),
            Own::IndexLag(lag_ms) => self.run(call, seq, Some(lag_ms)),
            Own::Delay(wait_ms) => {
                let reply = self.run(call, seq, None);
                sleep_ms(wait_ms).await;
                reply
            }
            Own::ApplyLate(wait_ms) => {
                let (slack, call) = (self.clone(), call.clone());
                tokio::spawn(async move {
                    sleep_ms(wait_ms).await;
                    slack.execute(&call, seq, None);
                });
                Reply::Drop
            }
            Own::Limited(seconds) => Reply::Answer(routes::limited(&mut self.state(), seconds)),
        }
    }
}
