//! Closing questions whose time is over, and showing each question as it stands: posted once, changed when it is
//! answered or closed. A post whose answer was lost is looked up by its marker before it is sent again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::outcome::Failure;
use jiff::SignedDuration;
use store::rows::{Closed, Question, QuestionState};
use tokio::sync::watch;
use vendors::slack::Slack;

use super::{after, message};
use crate::app::App;
use crate::lookup::SKEW;
use crate::{clock, keys};

const LOOK_EVERY: Duration = Duration::from_secs(1);
const AT_ONCE: usize = 20;
const NEGATIVES_MIN: u32 = 3;

/// A post that may be there: how often it was not found, and since when it is looked for.
struct Doubt {
    negatives: u32,
    since: Instant,
    again: Instant,
}

pub async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut doubts = HashMap::new();
    let mut leave_alone_until = Instant::now();
    loop {
        if !app.lease.is_over()
            && app.epoch() > 0
            && let Err(error) = close_due(&app).await
        {
            tracing::error!(%error, "could not look for questions whose time is over; looking again");
        }
        if Instant::now() >= leave_alone_until
            && let Err(pause) = show(&app, &mut doubts).await
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

async fn close_due(app: &App) -> Result<(), store::Error> {
    let profile = &app.config.profile.name;
    let now = clock::now();
    for due in app.store.questions_due(profile, now, AT_ONCE).await? {
        if app.store.close(&due, Closed::Expired, now).await? {
            tracing::info!(question.id = %due, "nobody answered in time: it becomes a new lead");
            app.wake.notify_one();
        }
    }
    Ok(())
}

/// Fails with how long Slack is to be left alone.
async fn show(app: &App, doubts: &mut HashMap<String, Doubt>) -> Result<(), Duration> {
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
    for question in unshown {
        if app.lease.is_over() {
            return Ok(());
        }
        match one(app, &slack, &question, doubts).await {
            Ok(()) => {}
            Err(Trouble::Slack(failure)) => return Err(after(app, &failure).await),
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
    doubts: &mut HashMap<String, Doubt>,
) -> Result<(), Trouble> {
    let marker = keys::question(app, &question.id);
    let mut shown = message::of(question);
    shown.marker = Some(marker.clone());
    if let Some(posted) = &question.message {
        return match slack.update(&posted.ts, &shown).await {
            // Somebody deleted the message.
            Ok(()) | Err(Failure::Gone { .. } | Failure::Refused { .. }) => {
                Ok(app.store.shown(&question.id, question.state).await?)
            }
            Err(failure) => Err(failure.into()),
        };
    }
    // Asked first: a question that had to wait for its turn was still never sent.
    slack.ready().await?;
    let is_fresh = app.asked_here(&question.id);
    if !is_fresh && !is_absent(app, slack, question, &marker, doubts).await? {
        return Ok(());
    }
    if question.state != QuestionState::Open {
        // Nobody has seen it, and there is nothing to decide any more.
        return Ok(());
    }
    let now = Instant::now();
    let doubt = Doubt {
        negatives: 0,
        since: now,
        again: now,
    };
    doubts.insert(question.id.clone(), doubt);
    match slack.post(&shown).await {
        Ok(ts) => {
            doubts.remove(&question.id);
            remember(app, slack, question, &ts).await
        }
        Err(failure @ Failure::Unknown { .. }) => Err(failure.into()),
        Err(failure) => {
            doubts.remove(&question.id);
            app.ask_here(&question.id);
            Err(failure.into())
        }
    }
}

/// Whether the question surely stands nowhere in the channel; found, it is remembered.
async fn is_absent(
    app: &App,
    slack: &Slack,
    question: &Question,
    marker: &str,
    doubts: &mut HashMap<String, Doubt>,
) -> Result<bool, Trouble> {
    let now = Instant::now();
    let quiet = app.config.late_apply;
    let doubt = doubts.entry(question.id.clone()).or_insert(Doubt {
        negatives: 0,
        since: now,
        again: now,
    });
    if now < doubt.again {
        return Ok(false);
    }
    let since = question.asked.asked_at - SKEW;
    if let Some(ts) = slack.find(marker, since).await? {
        doubts.remove(&question.id);
        remember(app, slack, question, &ts).await?;
        return Ok(false);
    }
    doubt.negatives += 1;
    doubt.again =
        now + (quiet / NEGATIVES_MIN).clamp(Duration::from_millis(100), Duration::from_secs(20));
    Ok(doubt.negatives >= NEGATIVES_MIN && now.duration_since(doubt.since) >= quiet)
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
