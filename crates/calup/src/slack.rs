//! People in Slack: questions are shown there, clicks are heard, and the operator is told what needs somebody. Never on
//! the way of a write to the CRM: nothing here is waited for.

pub mod clicks;
mod hears;
mod message;
mod shows;
mod stands;
mod tells;

pub use message::outcome;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::outcome::Failure;
use tokio::sync::{Notify, watch};
use vendors::slack::{self, Slack};

use crate::app::App;
use crate::clock;
use crate::config::Config;

/// Words to the operator that wait; older ones make room.
const WORDS_MAX: usize = 200;

#[derive(Default)]
pub struct Words {
    waiting: Mutex<VecDeque<String>>,
    come: Notify,
}

impl Words {
    pub fn add(&self, text: String) {
        let mut waiting = self.waiting.lock().expect("no holder panics");
        if waiting.len() >= WORDS_MAX {
            waiting.pop_front();
        }
        waiting.push_back(text);
        drop(waiting);
        self.come.notify_one();
    }

    fn first(&self) -> Option<String> {
        self.waiting
            .lock()
            .expect("no holder panics")
            .front()
            .cloned()
    }

    fn first_is_told(&self) {
        self.waiting.lock().expect("no holder panics").pop_front();
    }
}

/// `None` while no token is set.
pub fn client(config: &Config) -> Result<Option<Arc<Slack>>, Failure> {
    let Some(slack) = &config.slack else {
        return Ok(None);
    };
    let config = slack::Config {
        api_url: slack.api_url.clone(),
        bot_token: slack.bot_token.clone(),
        app_token: slack.app_token.clone(),
        channel: slack.channel.clone(),
        timeout: config.call_timeout(),
    };
    Slack::new(config).map(|slack| Some(Arc::new(slack)))
}

/// Until told to stop. `works`: this process may be the one that works for the profile.
pub async fn run(app: Arc<App>, works: bool, stop: watch::Receiver<bool>) {
    let shows = async {
        if works {
            shows::run(app.clone(), stop.clone()).await;
        }
    };
    tokio::join!(
        shows,
        tells::run(app.clone(), stop.clone()),
        hears::run(app.clone(), stop.clone()),
    );
}

/// How long to leave Slack alone after a failure; the operator hears of what only a person can mend.
async fn after(app: &App, failure: &Failure) -> Duration {
    match failure {
        Failure::Limited { until, .. } => {
            let left = until.duration_since(clock::now());
            Duration::try_from(left).unwrap_or_default()
        }
        Failure::NeedsOperator { what, hint } => {
            let text = format!("could not {what}: questions wait in `calup questions` and the API");
            app.notify("slack", &text, hint).await;
            Duration::from_secs(60)
        }
        Failure::Refused { .. } => {
            tracing::error!("{failure}");
            Duration::from_secs(60)
        }
        Failure::Transient { .. } | Failure::Unknown { .. } | Failure::Gone { .. } => {
            tracing::info!("could not reach people in Slack: {failure}; trying again");
            Duration::from_secs(5)
        }
    }
}
