//! What the operator is told, as messages.

use std::sync::Arc;

use domain::outcome::Failure;
use tokio::sync::watch;
use vendors::slack::{Block, Message};

use super::after;
use crate::app::App;

/// Each word is sent until Slack has it, or surely had it once: told twice is better than not at all.
pub async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    loop {
        let word = app.words.first();
        let (Some(slack), Some(word)) = (app.slack(), word) else {
            tokio::select! {
                _ = stop.wait_for(|s| *s) => return,
                () = app.words.come.notified() => continue,
            }
        };
        let message = Message {
            text: word.clone(),
            blocks: vec![Block::Plain(word)],
            marker: None,
        };
        let sent = match slack.ready().await {
            Ok(()) => slack.post(&message).await.map(|_| ()),
            Err(failure) => Err(failure),
        };
        let pause = match sent {
            Ok(()) | Err(Failure::Unknown { .. } | Failure::Refused { .. }) => {
                app.words.first_is_told();
                continue;
            }
            // Telling it in Slack is what does not work.
            Err(failure @ Failure::NeedsOperator { .. }) => {
                app.words.first_is_told();
                after(&app, &failure).await
            }
            Err(failure) => after(&app, &failure).await,
        };
        tokio::select! {
            _ = stop.wait_for(|s| *s) => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}
