//! A stateful ClickUp (API v2) on loopback. This file is the handle: its life, and how
//! requests meet faults and latency. The workspace is in `state.rs`, people's hands and
//! eyes on it in `scene.rs` and `view.rs`, the routes in `routes.rs`.

mod comments;
mod events;
mod hooks;
mod inline;
mod limit;
mod log;
mod markdown;
mod places;
mod query;
mod render;
mod rerender;
mod routes;
mod scene;
mod state;
mod tasks;
pub mod usual;
mod values;
mod view;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::unbounded_channel;

pub use events::{Told, sign};
pub use hooks::HookView;
pub use log::LoggedRequest;
pub use markdown::{plain, rerender};
pub use rerender::{HardBreak, Rerender};
pub use scene::TaskSeed;
pub use state::User;
pub use view::{CommentView, TaskView};

use crate::faults::{Fault, Match};
use crate::http::{self, Answer, Call, Listening, Received, Reply};
use crate::suffering::{Own, ms, sleep_ms, suffer};
use state::State;

/// How the pretended ClickUp is set up. Everything has a default.
#[derive(Clone, Debug)]
pub struct Config {
    /// 0 picks a free one.
    pub port: u16,
    pub token: String,
    /// The token's user: the creator of what the API creates.
    pub user: User,
    pub team_id: String,
    pub team_name: String,
    /// Further workspaces that the token lists; they are empty.
    pub other_teams: Vec<(String, String)>,
    pub limit_per_minute: u32,
    /// What "a minute" is: shorter in tests.
    pub window: Duration,
    /// Whether successes carry the `X-RateLimit-*` headers; errors always do.
    pub headers_on_success: bool,
    /// Half before, half after a request is carried out; up to `jitter` comes on top.
    pub latency: Duration,
    pub jitter: Duration,
    /// The vendor's clock minus ours: its `Date`, reset and timestamps.
    pub clock_skew_ms: i64,
    /// Whether `=` and `==` ignore case. Not established for the real one.
    pub contains_ignores_case: bool,
    /// Whether `==` applies to fields of type e-mail; if not, it finds nothing. Not established.
    pub exact_applies_to_email: bool,
    /// Every list's default task type is over the plan's cap: a create must send
    /// `custom_item_id`, else ITEM_246.
    pub type_cap: bool,
    /// How long a new task is missing from lists.
    pub index_lag: Duration,
    /// How long filters still see a task as it was before its last change.
    pub edit_lag: Duration,
    /// Whether `list_ids[]` gives archived tasks as well. Not established.
    pub lists_show_archived: bool,
    /// Whether `list_ids[]` gives tasks that were added from other lists. Not established.
    pub lists_show_added: bool,
    /// Whether an update with an invalid status is refused but for its other parts. Not established.
    pub bad_status_keeps_rest: bool,
    /// A longer comment is refused. Not established.
    pub comment_chars_max: usize,
    pub rerender: Rerender,
    /// Whether a comment moves its task's `date_updated`. Not established.
    pub comments_touch_tasks: bool,
    /// Whether the same endpoint and place may have a second webhook: else OAUTH_171. Which parts it compares is not
    /// established.
    pub hooks_may_repeat: bool,
    /// Of every webhook, instead of one of its own.
    pub hook_secret: Option<String>,
    /// Between two attempts to tell a webhook of an event. Not established.
    pub hook_retry: Duration,
    pub log_entries_max: usize,
    /// The clock, in milliseconds: the machine's unless a simulation brings its own.
    pub wall_ms: fn() -> i64,
    /// For fault rates and jitter.
    pub seed: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            port: 0,
            token: "pk_sim".to_owned(),
            user: User::new(54_000_001, "CRM Bot", "crm-bot@acme.example"),
            team_id: "9011000000".to_owned(),
            team_name: "Acme".to_owned(),
            other_teams: Vec::new(),
            limit_per_minute: 100,
            window: Duration::from_secs(60),
            headers_on_success: true,
            latency: Duration::ZERO,
            jitter: Duration::ZERO,
            clock_skew_ms: 0,
            contains_ignores_case: false,
            exact_applies_to_email: true,
            type_cap: false,
            index_lag: Duration::ZERO,
            edit_lag: Duration::ZERO,
            lists_show_archived: false,
            lists_show_added: false,
            bad_status_keeps_rest: false,
            comment_chars_max: usize::MAX,
            rerender: Rerender::default(),
            comments_touch_tasks: true,
            hooks_may_repeat: false,
            hook_secret: None,
            hook_retry: Duration::from_millis(200),
            log_entries_max: 20_000,
            wall_ms: state::wall_ms,
            seed: 0,
        }
    }
}

/// One request for [`ClickUp::ask`], and how much of the past it sees.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub method: String,
    pub path: String,
    /// Percent-encoded.
    pub query: String,
    pub headers: hyper::HeaderMap,
    pub body: bytes::Bytes,
    /// Tasks younger than this are left out of lists.
    pub index_lag: Duration,
    /// A task changed within this time reads as before.
    pub stale: Duration,
}

/// The handle. Clones are the same ClickUp; the last one gone, the server stops with its runtime.
#[derive(Clone)]
pub struct ClickUp {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    port: Mutex<u16>,
    listening: tokio::sync::Mutex<Option<Listening>>,
}

impl ClickUp {
    /// Binds 127.0.0.1 and serves. Panics if the given port cannot be had.
    pub async fn start(config: Config) -> Self {
        let clickup = Self::unbound(config);
        let (outbox, outgoing) = unbounded_channel();
        clickup.state().outbox = Some(outbox);
        tokio::spawn(events::post(Arc::downgrade(&clickup.shared), outgoing));
        clickup.restart().await;
        clickup
    }

    /// Without a port: asked by [`ClickUp::ask`] only.
    pub fn unbound(config: Config) -> Self {
        Self {
            shared: Arc::new(Shared {
                port: Mutex::new(config.port),
                state: Mutex::new(State::new(config)),
                listening: tokio::sync::Mutex::new(None),
            }),
        }
    }

    /// Carries one request out at once, without a socket. What goes wrong on the way is the caller's own doing.
    pub fn ask(&self, asked: &Asked) -> Received {
        let call = Call {
            method: asked.method.clone(),
            path: asked.path.clone(),
            query: asked.query.clone(),
            headers: asked.headers.clone(),
            body: asked.body.clone(),
        };
        let (lag_ms, stale_ms) = (ms(asked.index_lag), ms(asked.stale));
        let (answer, _) = routes::execute(&mut self.state(), &call, lag_ms, stale_ms);
        Received {
            status: answer.status,
            headers: answer.headers,
            body: answer.body.to_vec(),
        }
    }

    /// What a client that is over the limit hears.
    pub fn refusal(&self, resets_in_seconds: i64) -> Received {
        let state = self.state();
        let reset = state.now().div_euclid(1000) + resets_in_seconds;
        let answer = routes::rate_limited(&state, reset);
        Received {
            status: answer.status,
            headers: answer.headers,
            body: answer.body.to_vec(),
        }
    }

    /// The base URL without `/v2`.
    pub fn api_url(&self) -> String {
        format!("http://127.0.0.1:{}/api", *lock(&self.shared.port))
    }

    pub fn token(&self) -> String {
        self.state().config.token.clone()
    }

    pub fn team_id(&self) -> String {
        self.state().config.team_id.clone()
    }

    /// The id of the token's user.
    pub fn user_id(&self) -> u64 {
        self.state().config.user.id
    }

    /// Cuts every connection and refuses new ones. The state stays.
    pub async fn stop(&self) {
        if let Some(listening) = self.shared.listening.lock().await.take() {
            listening.close().await;
        }
    }

    /// Serves again on the same port with the same state.
    pub async fn restart(&self) {
        self.stop().await;
        let port = *lock(&self.shared.port);
        // Weak: the server must not keep alive what its handle has given up.
        let shared = Arc::downgrade(&self.shared);
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
        *lock(&self.shared.port) = listening.addr.port();
        *self.shared.listening.lock().await = Some(listening);
    }

    /// This fault for the next `times` requests that match; [`crate::faults::ALWAYS`] lasts.
    pub fn fault(&self, when: Match, fault: Fault, times: u32) {
        self.state().faults.add(when, fault, times);
    }

    /// Each matching request suffers this with the given chance (0 to 1).
    pub fn fault_rate(&self, when: Match, fault: Fault, chance: f64) {
        self.state().faults.add_rate(when, fault, chance);
    }

    /// Seeds the dice of [`ClickUp::fault_rate`] and of the latency's jitter.
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

    pub fn set_latency(&self, latency: Duration, jitter: Duration) {
        let mut state = self.state();
        state.config.latency = latency;
        state.config.jitter = jitter;
    }

    /// Also forgets what was used of the current window.
    pub fn set_limit(&self, limit_per_minute: u32, window: Duration) {
        let mut state = self.state();
        state.config.limit_per_minute = limit_per_minute;
        state.config.window = window;
        state.limits.forget();
    }

    pub fn set_index_lag(&self, lag: Duration) {
        self.state().config.index_lag = lag;
    }

    pub fn set_clock_skew_ms(&self, skew_ms: i64) {
        self.state().config.clock_skew_ms = skew_ms;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.shared.state)
    }

    async fn serve(self, call: Call) -> Reply {
        let (seq, fault, latency_ms) = self.arrive(&call);
        sleep_ms(latency_ms / 2).await;
        let (mut reply, applied_later) = self.carry_out(&call, seq, fault).await;
        self.date(&mut reply);
        sleep_ms(latency_ms - latency_ms / 2).await;
        let status = match &reply {
            Reply::Answer(answer) | Reply::Cut(answer, _) => answer.status,
            Reply::Drop | Reply::Hang | Reply::Upgrade(..) | Reply::Paced(..) => 0,
        };
        if !applied_later {
            self.leave(&call, seq, status);
        }
        reply
    }

    fn arrive(&self, call: &Call) -> (u64, Option<Fault>, u64) {
        let mut state = self.state();
        let at_ms = (state.config.wall_ms)();
        let authorization = call.headers.get("authorization");
        let seq = state.log.arrive(LoggedRequest {
            seq: 0,
            method: call.method.clone(),
            path: call.path.clone(),
            query: call.query.clone(),
            body: log::body_kept(&call.body),
            authorization: authorization
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
                .to_owned(),
            status: 0,
            executed: false,
            at_ms,
            answered_at_ms: None,
        });
        let fault = state.faults.pick(&call.method, &call.path, &call.query);
        state.log.counts.faulted += u64::from(fault.is_some());
        let jitter = ms(state.config.jitter);
        let latency = ms(state.config.latency) + state.faults.jitter_ms(jitter);
        (seq, fault, latency)
    }

    // A gateway's page carries the vendor's clock as well.
    fn date(&self, reply: &mut Reply) {
        if let Reply::Answer(answer) | Reply::Cut(answer, _) = reply
            && !answer.headers.iter().any(|(name, _)| name == "Date")
        {
            let date = routes::http_date(self.state().now());
            answer.headers.push(("Date".to_owned(), date));
        }
    }

    fn leave(&self, call: &Call, seq: u64, status: u16) {
        let mut state = self.state();
        let now = (state.config.wall_ms)();
        state
            .log
            .answered(seq, &call.method, &call.path, status, now);
    }

    fn execute(&self, call: &Call, seq: u64, lag_ms: Option<u64>, stale_ms: u64) -> Answer {
        let mut state = self.state();
        let lag_ms = lag_ms.unwrap_or_else(|| ms(state.config.index_lag));
        let (answer, executed) = routes::execute(&mut state, call, lag_ms, stale_ms);
        if executed {
            state.log.executed(seq);
        }
        answer
    }

    // The reply, and whether the request is still to be carried out behind its back.
    async fn carry_out(&self, call: &Call, seq: u64, fault: Option<Fault>) -> (Reply, bool) {
        let run = || self.execute(call, seq, None, 0);
        let own = match fault.map(|fault| suffer(fault, run)) {
            None => return (Reply::Answer(run()), false),
            Some(Ok(reply)) => return (reply, false),
            Some(Err(own)) => own,
        };
        let answer = match own {
            Own::Delay(wait_ms) => {
                let answer = run();
                sleep_ms(wait_ms).await;
                answer
            }
            Own::ApplyLate(wait_ms) => {
                self.apply_late(call.clone(), seq, wait_ms);
                return (Reply::Drop, true);
            }
            Own::Limited(seconds) => {
                let state = self.state();
                let reset = state.now().div_euclid(1000) + seconds;
                routes::rate_limited(&state, reset)
            }
            Own::IndexLag(lag_ms) => self.execute(call, seq, Some(lag_ms), 0),
            Own::StaleRead(stale_ms) => self.execute(call, seq, None, stale_ms),
        };
        (Reply::Answer(answer), false)
    }

    fn apply_late(&self, call: Call, seq: u64, wait_ms: u64) {
        let clickup = self.clone();
        tokio::spawn(async move {
            sleep_ms(wait_ms).await;
            clickup.execute(&call, seq, None, 0);
            clickup.leave(&call, seq, 0);
        });
    }
}

// A test that panicked while it held the lock has failed already.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
