//! Showing each question as it stands: posted once, changed when it is answered or closed. That posting begins is
//! recorded first; when nothing is known of what came of it, the message is looked for (`stands`).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::outcome::Failure;
use jiff::SignedDuration;
use store::rows::{Message, Question};
use tokio::sync::watch;
use vendors::slack::{self, Slack};

use super::stands::{Doubts, Stands};
use super::{after, message};
use crate::app::App;
use crate::{clock, crash, keys, leased};

const LOOK_EVERY: Duration = Duration::from_secs(1);
const AT_ONCE: usize = 100;
/// One that Slack will not take as it is keeps no other from being shown.
const AFTER_REFUSAL: Duration = Duration::from_secs(60);

/// What only this process knows of those that are not shown yet.
#[derive(Default)]
struct Waiting {
    doubts: Doubts,
    /// Until when they are left alone.
    refused: HashMap<String, Instant>,
}

pub async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut waiting = Waiting::default();
    let mut leave_alone_until = Instant::now();
    loop {
        if Instant::now() >= leave_alone_until
            && let Err(pause) = show(&app, &mut waiting).await
        {
            leave_alone_until = Instant::now() + pause;
        }
        tokio::select! {
            _ = stop.wait_for(|s| *s) => return,
            () = app.ask.notified() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// Fails with how long Slack is to be left alone.
async fn show(app: &App, waiting: &mut Waiting) -> Result<(), Duration> {
    let Some(slack) = app.slack() else {
        return Ok(());
    };
    if app.lease.is_over() || app.epoch() == 0 {
        return Ok(());
    }
    let profile = &app.config.profile.name;
    let unshown = match app.store.unposted(profile, AT_ONCE).await {
        Ok(unshown) => unshown,
        Err(error) => {
            tracing::error!(%error, "could not look for questions to show; looking again");
            return Err(LOOK_EVERY);
        }
    };
    let now = Instant::now();
    waiting.refused.retain(|_, until| *until > now);
    for question in unshown {
        if app.lease.is_over() {
            return Ok(());
        }
        if waiting.refused.contains_key(&question.id) {
            continue;
        }
        match one(app, &slack, &question, &mut waiting.doubts).await {
            Ok(()) => {}
            Err(Trouble::Slack(failure)) => return Err(after(app, &failure).await),
            Err(Trouble::Question(failure)) => {
                let text = format!("{failure}: question {} is not shown there", question.id);
                let hint = "answer it with `calup questions` or over the API";
                app.notify("slack-question", &text, hint).await;
                let until = Instant::now() + AFTER_REFUSAL;
                waiting.refused.insert(question.id, until);
            }
            Err(Trouble::Store(error)) => {
                tracing::error!(%error, "could not record what Slack shows; looking again");
                return Err(LOOK_EVERY);
            }
        }
    }
    Ok(())
}

enum Trouble {
    Slack(Failure),
    /// About this one only.
    Question(Failure),
    Store(store::Error),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Slack(failure)
    }
}

impl From<store::Error> for Trouble {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

async fn one(
    app: &App,
    slack: &Slack,
    question: &Question,
    doubts: &mut Doubts,
) -> Result<(), Trouble> {
    let marker = keys::question(app, &question.id);
    if let Some(posted) = &question.message {
        let mut shown = message::of(question);
        shown.marker = Some(marker);
        return change(app, slack, question, posted, &shown).await;
    }
    if question.may_be_posted {
        return match doubts.look(app, slack, question, &marker).await {
            Ok(Stands::There(ts)) => remember(app, slack, question, &ts).await,
            Ok(Stands::Nowhere) => Ok(app.store.not_posted(&question.id).await?),
            Ok(Stands::Unclear) => Ok(()),
            Err(failure @ Failure::NeedsOperator { .. }) => Err(Trouble::Question(failure)),
            Err(failure) => Err(failure.into()),
        };
    }
    // Asked first: a question that had to wait for its turn was still never sent.
    slack.ready().await?;
    if !app.store.begin_posting(&question.id).await? {
        return Ok(());
    }
    crash::at("posting");
    let mut shown = message::of(question);
    shown.marker = Some(marker);
    match leased::within(&app.lease, "ask in Slack", slack.post(&shown)).await {
        Ok(ts) => {
            crash::at("posted");
            remember(app, slack, question, &ts).await
        }
        Err(failure @ Failure::Unknown { .. }) => {
            doubts.begin(&question.id);
            Err(failure.into())
        }
        Err(failure) => {
            app.store.not_posted(&question.id).await?;
            Err(match failure {
                Failure::Refused { .. } => Trouble::Question(failure),
                failure => failure.into(),
            })
        }
    }
}

async fn change(
    app: &App,
    slack: &Slack,
    question: &Question,
    posted: &Message,
    shown: &slack::Message,
) -> Result<(), Trouble> {
    let changed = slack.update(&posted.channel, &posted.ts, shown);
    let changed = leased::within(&app.lease, "change a message in Slack", changed).await;
    let is_over = match &changed {
        // Somebody deleted the message.
        Ok(()) | Err(Failure::Gone { .. } | Failure::Refused { .. }) => true,
        // It stands where calup may not write any more.
        Err(Failure::NeedsOperator { .. }) => posted.channel != slack.channel_id().await?,
        Err(_) => false,
    };
    if !is_over {
        return Ok(changed?);
    }
    Ok(app.store.shown(&question.id, question.state).await?)
}

async fn remember(app: &App, slack: &Slack, question: &Question, ts: &str) -> Result<(), Trouble> {
    let channel = slack.channel_id().await?;
    app.store.posted(&question.id, channel, ts).await?;
    let waited = clock::now().duration_since(question.asked.asked_at);
    if waited > SignedDuration::from_secs(30) {
        tracing::info!(question.id = %question.id, waited_s = waited.as_secs(), "a question was shown late");
    }
    Ok(())
}
