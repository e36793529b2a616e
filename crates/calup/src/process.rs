//! One change, from its claim to its end: what is already settled, a try, and what comes of it.

use domain::outcome::Failure;
use domain::retry::{self, Verdict};
use jiff::SignedDuration;
use store::rows::{Claim, Ended, Record, Status};

use crate::app::App;
use crate::attempt::{self, End, Locks};
use crate::gather::Stop;
use crate::journal::Journal;
use crate::{asking, clock, crash, early, lookup, worker};

const PANICS_MAX: u32 = 3;
const PAUSED_RETRY: SignedDuration = SignedDuration::from_secs(60);
/// Some three minutes. While ClickUp answers nobody, that is told instead, and nothing is tried.
const TOLD_AFTER: u32 = 16;
/// A note looks for its booking so often, when the booking's own end has not woken it.
pub const PARKED: SignedDuration = SignedDuration::from_secs(5);

pub async fn process(app: &App, claim: &Claim) -> Result<(), store::Error> {
    if let Some(end) = early::without_calls(app, claim).await? {
        return end.settle(app, claim).await;
    }
    let Some(crm) = app.crm() else {
        return app
            .store
            .retry_at(
                claim,
                clock::now() + PAUSED_RETRY,
                "no ClickUp token is set",
                false,
            )
            .await;
    };
    let mut journal = Journal::of(app, &claim.stored).await?;
    // Held until the end is recorded: whoever comes next reads what this change leaves.
    let mut locks = Locks::default();
    let attempt = attempt::attempt(app, crm.as_ref(), &claim.stored, &mut journal, &mut locks);
    let end = match attempt.await {
        Ok(end) => end,
        // A refused read refuses no effect: what it stands on may be mended, and is asked for again.
        Err(Stop::Crm(Failure::Refused { what, .. })) => End::Failed(Failure::Transient { what }),
        Err(Stop::Crm(failure)) => End::Failed(failure),
        Err(Stop::Store(error)) => return Err(error),
    };
    match end {
        End::Finished(ended) => {
            worker::answered(app);
            finish(app, claim, ended, journal.take_unrecorded()).await
        }
        End::Yielded => {
            let why = "whether an earlier try has made the lead is looked up first";
            app.store.park(claim, clock::now() + PARKED, why).await
        }
        End::LookAgain(at) => {
            worker::answered(app);
            journal.record().await?;
            app.store
                .retry_at(
                    claim,
                    at,
                    "an answer was lost: looking whether ClickUp has done it",
                    false,
                )
                .await
        }
        End::AwaitsIndex(at) => {
            worker::answered(app);
            journal.record().await?;
            let why = asking::AWAITS_INDEX;
            app.store.retry_at(claim, at, why, false).await?;
            // It may have been filled, and those who waited woken, since this one looked.
            if asking::is_filled(app, &claim.stored.profile).await? {
                app.store.wake(&claim.stored.profile, clock::now()).await?;
                app.wake.notify_one();
            }
            Ok(())
        }
        End::Held(question) => {
            worker::answered(app);
            journal.record().await?;
            app.store.hold(claim, question).await?;
            app.waits.is_over(&claim.stored.key);
            crash::at("held");
            app.ask.notify_one();
            Ok(())
        }
        End::Failed(failure) => {
            journal.record().await?;
            failed(app, claim, failure).await
        }
    }
}

async fn failed(app: &App, claim: &Claim, failure: Failure) -> Result<(), store::Error> {
    let now = clock::now();
    let stored = &claim.stored;
    if let Failure::NeedsOperator { what, hint } = &failure
        && let Some(crm) = app.crm()
        && crm.probe().await.is_ok()
    {
        // The token is good: this is about one lead or list, and must not stop what has nothing to do with it.
        worker::answered(app);
        let told = format!("could not {what}: delivery {} waits", stored.delivery_id);
        app.notify(&format!("needs-operator:{what}"), &told, hint)
            .await;
        let wait = retry::backoff(stored.attempts, clock::jitter()).max(PAUSED_RETRY);
        return app
            .store
            .retry_at(claim, now + wait, &failure.to_string(), true)
            .await;
    }
    worker::settle_health(app, &failure).await;
    let answering = app
        .health
        .lock()
        .expect("no holder panics")
        .last_answer
        .is_some_and(|at| now.duration_since(at) < SignedDuration::from_hours(1));
    let tried = SignedDuration::try_from(app.waits.of(&stored.key)).unwrap_or_default();
    let reason = failure.to_string();
    match retry::verdict(
        &failure,
        stored.attempts,
        now,
        now - tried,
        answering,
        clock::jitter(),
    ) {
        Verdict::Again { at, counted } => {
            if counted && stored.attempts >= TOLD_AFTER {
                let text = format!(
                    "{reason}; delivery {} waits, after {} tries",
                    stored.delivery_id, stored.attempts
                );
                let hint = "it is tried again for a day; look whether ClickUp shows the lead, and whether it has trouble (status.clickup.com)";
                app.notify(&format!("failing:{}", stored.delivery_id), &text, hint)
                    .await;
            }
            tracing::info!(delivery.id = %stored.delivery_id, attempt = stored.attempts, "{reason}; tried again at {at}");
            app.store.retry_at(claim, at, &reason, counted).await
        }
        Verdict::Pause => {
            app.store
                .retry_at(claim, now + PAUSED_RETRY, &reason, false)
                .await
        }
        Verdict::Dead => {
            lookup::give_up(app, stored).await?;
            bury(app, claim, reason).await
        }
    }
}

/// A mistake of ours must neither loop nor lose the change.
pub async fn after_panic(app: &App, claim: &Claim, panics: u32) {
    let reason = "working on it stopped unexpectedly, which is a mistake in calup";
    if panics < PANICS_MAX {
        return worker::put_back(app, claim, reason, true).await;
    }
    let reason = format!("{reason}; replay it after an upgrade");
    if let Err(error) = bury(app, claim, reason).await {
        tracing::error!(%error, "could not record that working on a change stopped");
        worker::put_back(app, claim, "the database could not be used", true).await;
    }
}

async fn bury(app: &App, claim: &Claim, reason: String) -> Result<(), store::Error> {
    let ended = Ended {
        status: Status::Dead,
        reason: Some(reason),
        why: claim.stored.why.clone(),
        lead: claim.stored.lead.clone(),
    };
    finish(app, claim, ended, Record::default()).await
}

/// Ends a change; a dead one is told to the operator.
pub async fn finish(
    app: &App,
    claim: &Claim,
    ended: Ended,
    record: Record,
) -> Result<(), store::Error> {
    if let (Status::Dead, Some(reason)) = (ended.status, &ended.reason) {
        let delivery = &claim.stored.delivery_id;
        let text = format!("delivery {delivery} ended dead: {reason}");
        let hint = "mend the cause, then `calup replay` with that id";
        app.notify(&format!("dead:{delivery}"), &text, hint).await;
    }
    tokio::join!(biased; app.store.finish(claim, ended, record), async { app.ending(claim) }).0?;
    app.waits.is_over(&claim.stored.key);
    crash::at("finished");
    Ok(())
}
