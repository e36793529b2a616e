//! Cal.com's API v2 and its OAuth server, on loopback. This file is the handle: its life, and how requests meet faults and
//! latency. The account is in `state.rs`, the routes and their versions in `routes.rs`. What happens to bookings is also
//! sent to the account's webhooks.

mod bookable;
mod changes;
mod event_types;
mod limit;
mod list;
mod log;
mod oauth;
mod render;
mod routes;
mod scene;
mod schedules;
mod slots;
mod state;
mod webhooks;

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

pub use bookable::{Bookable, Question};
pub use limit::Reset;
pub use log::LoggedRequest;
pub use oauth::OAuthClient;
pub use schedules::Schedule;

use super::lock;
use super::people::Host;
use crate::faults::{Fault, Match};
use crate::http::{self, Answer, Call, Listening, Reply};
use crate::suffering::{Own, ms, sleep_ms, suffer};
use state::State;

/// How the pretended Cal.com is set up. Everything has a default.
#[derive(Clone, Debug)]
pub struct Config {
    /// 0 picks a free one.
    pub port: u16,
    /// The account's API key.
    pub key: String,
    /// The account.
    pub host: Host,
    /// The shapes of the hosted one, where they differ from a self-hosted server's.
    pub hosted: bool,
    /// A server from before `/v2/slots`: only `/v2/slots/available`.
    pub older_slots_only: bool,
    /// Before the paths of booking pages.
    pub booking_base: String,
    /// Requests in a window, by key, by access token, and by neither.
    pub limit_by_key: u32,
    pub limit_by_token: u32,
    pub limit_by_address: u32,
    pub window: Duration,
    /// How long whoever went over the limit is refused.
    pub block: Duration,
    pub reset: Reset,
    /// What an access token is answered with that has ended: 498, or 401.
    pub expired_status: u16,
    pub access_life: Duration,
    /// Half before, half after a request is carried out; up to `jitter` comes on top.
    pub latency: Duration,
    pub jitter: Duration,
    /// The vendor's clock minus ours.
    pub clock_skew_ms: i64,
    pub log_entries_max: usize,
    /// The clock, in milliseconds: the machine's unless a simulation brings its own.
    pub wall_ms: fn() -> i64,
    /// For uids, tokens, fault rates and jitter.
    pub seed: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            port: 0,
            key: "cal_sim".to_owned(),
            host: Host::default(),
            hosted: false,
            older_slots_only: false,
            booking_base: "https://cal.example.com".to_owned(),
            limit_by_key: 120,
            limit_by_token: 500,
            limit_by_address: 120,
            window: Duration::from_secs(60),
            block: Duration::from_secs(60),
            reset: Reset::SecondsLeft,
            expired_status: 498,
            access_life: Duration::from_secs(1_800),
            latency: Duration::ZERO,
            jitter: Duration::ZERO,
            clock_skew_ms: 0,
            log_entries_max: 20_000,
            wall_ms: state::wall_ms,
            seed: 1,
        }
    }
}

/// The handle. Clones are the same Cal.com; the last one gone, the server stops with its runtime.
#[derive(Clone)]
pub struct Server {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    port: Mutex<u16>,
    listening: tokio::sync::Mutex<Option<Listening>>,
}

impl Server {
    /// Binds 127.0.0.1 and serves. Panics if the given port cannot be had.
    pub async fn start(config: Config) -> Self {
        let server = Self {
            shared: Arc::new(Shared {
                port: Mutex::new(config.port),
                state: Mutex::new(State::new(config)),
                listening: tokio::sync::Mutex::new(None),
            }),
        };
        server.restart().await;
        server
    }

    /// The base of the API, without `/v2`.
    pub fn api_url(&self) -> String {
        format!("http://127.0.0.1:{}", *lock(&self.shared.port))
    }

    /// Where people log in and consent.
    pub fn app_url(&self) -> String {
        self.api_url()
    }

    pub fn key(&self) -> String {
        self.state().config.key.clone()
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

    pub fn clear_faults(&self) {
        self.state().faults.clear();
    }

    /// How many counted faults have not fired yet.
    pub fn faults_left(&self) -> u64 {
        self.state().faults.left()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.shared.state)
    }

    async fn serve(self, call: Call) -> Reply {
        let (seq, fault, latency_ms) = self.arrive(&call);
        sleep_ms(latency_ms / 2).await;
        let mut reply = self.carry_out(&call, seq, fault).await;
        self.date(&mut reply);
        sleep_ms(latency_ms - latency_ms / 2).await;
        if let Reply::Answer(answer) | Reply::Cut(answer, _) = &reply {
            self.state().log.answered(seq, answer.status);
        }
        reply
    }

    fn arrive(&self, call: &Call) -> (u64, Option<Fault>, u64) {
        let mut state = self.state();
        let at_ms = (state.config.wall_ms)();
        let seq = state.log.arrive(call, at_ms);
        let fault = state.faults.pick(&call.method, &call.path, &call.query);
        let jitter = ms(state.config.jitter);
        let latency = ms(state.config.latency) + state.faults.jitter_ms(jitter);
        (seq, fault, latency)
    }

    // A gateway's page carries the vendor's clock as well.
    fn date(&self, reply: &mut Reply) {
        if let Reply::Answer(answer) | Reply::Cut(answer, _) = reply {
            let date = routes::http_date(self.state().now_ms());
            answer.headers.push(("Date".to_owned(), date));
        }
    }

    fn execute(&self, call: &Call, seq: u64) -> Answer {
        let (answer, outbox) = {
            let mut state = self.state();
            let (answer, executed) = routes::execute(&mut state, call);
            if executed {
                state.log.executed(seq);
            }
            (answer, std::mem::take(&mut state.outbox))
        };
        // As Cal.com does: once each, whatever is answered.
        for (url, delivery) in outbox {
            tokio::spawn(async move {
                let _nobody_asks =
                    http::send("POST", &url, &delivery.headers, &delivery.body).await;
            });
        }
        answer
    }

    async fn carry_out(&self, call: &Call, seq: u64, fault: Option<Fault>) -> Reply {
        let run = || self.execute(call, seq);
        let own = match fault.map(|fault| suffer(fault, run)) {
            None => return Reply::Answer(run()),
            Some(Ok(reply)) => return reply,
            Some(Err(own)) => own,
        };
        match own {
            // What it lists is never behind.
            Own::StaleRead(_) | Own::IndexLag(_) => Reply::Answer(run()),
            Own::Delay(wait_ms) => {
                let answer = run();
                sleep_ms(wait_ms).await;
                Reply::Answer(answer)
            }
            Own::ApplyLate(wait_ms) => {
                let (server, call) = (self.clone(), call.clone());
                tokio::spawn(async move {
                    sleep_ms(wait_ms).await;
                    server.execute(&call, seq);
                });
                Reply::Drop
            }
            Own::Limited(seconds) => {
                Reply::Answer(routes::limited(&self.state(), &call.path, seconds))
            }
        }
    }
}
