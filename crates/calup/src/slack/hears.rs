//! Clicks over Socket Mode, where Slack cannot reach this machine.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::outcome::Failure;
use tokio::sync::watch;
use vendors::slack::Slack;

use super::{after, clicks};
use crate::app::App;

const IDLE: Duration = Duration::from_secs(2);
const LONG: Duration = Duration::from_secs(30);

pub async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    loop {
        let listening = listen(&app);
        let pause = tokio::select! {
            _ = stop.wait_for(|s| *s) => return,
            pause = listening => pause,
        };
        tokio::select! {
            _ = stop.wait_for(|s| *s) => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Until the socket cannot be opened; gives how long to wait then.
async fn listen(app: &Arc<App>) -> Duration {
    let Some(slack) = app.slack().filter(|slack| slack.has_app_token()) else {
        return IDLE;
    };
    let mut socket = match slack.connect().await {
        Ok(socket) => socket,
        Err(failure) => return after(app, &failure).await,
    };
    let mut heard_since = Instant::now();
    loop {
        let heard = tokio::select! {
            heard = socket.next() => heard,
            () = is_replaced(app, &slack) => return Duration::ZERO,
        };
        match heard {
            Ok(click) => {
                let app = app.clone();
                tokio::spawn(async move { clicks::heard(&app, click).await });
            }
            // One that held for a while has merely broken: a click may come any moment.
            Err(Failure::Transient { .. }) if heard_since.elapsed() > LONG => {
                heard_since = Instant::now();
            }
            Err(failure) => return after(app, &failure).await,
        }
    }
}

/// Another token is set, or none.
async fn is_replaced(app: &App, slack: &Arc<Slack>) {
    while app.slack().is_some_and(|now| Arc::ptr_eq(&now, slack)) {
        tokio::time::sleep(IDLE).await;
    }
}
