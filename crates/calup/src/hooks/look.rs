//! Reads the leads that somebody has changed, one at a time, by calls that the pipeline leaves over, and brings the index up
//! to date. It runs wherever events come in: the index is in the common database.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::outcome::Failure;
use tokio::sync::watch;

use crate::app::App;
use crate::gather::Stop;
use crate::{clock, index};

const TRIES_MAX: u32 = 3;
const AFTER_FAILURE: Duration = Duration::from_secs(5);
/// A person has to act first.
const AFTER_REFUSAL: Duration = Duration::from_secs(60);

/// More may be coming of a flood.
const FLOOD_EBBS_IN: Duration = Duration::from_secs(1);

/// Until told to stop.
pub async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut listing = None;
    let mut pause = Duration::ZERO;
    loop {
        tokio::select! {
            biased;
            _ = stop.wait_for(|s| *s) => return,
            () = next(&app, listing, pause) => {}
        }
        if app.hooks.stale.shed() {
            listing.get_or_insert_with(|| Instant::now() + FLOOD_EBBS_IN);
        }
        pause = if listing.is_some_and(|at| at <= Instant::now()) {
            listing = follow(&app).await;
            Duration::ZERO
        } else {
            round(&app).await
        };
    }
}

/// Until something is due, one lead or a listing.
async fn next(app: &App, listing: Option<Instant>, pause: Duration) {
    tokio::time::sleep(pause).await;
    let stale = &app.hooks.stale;
    loop {
        let due = stale.due().into_iter().chain(listing).min();
        let wait = async {
            match due {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = wait => return,
            () = stale.come() => {}
        }
    }
}

/// What is to be read, if anything is due; gives how long to leave the CRM alone.
async fn round(app: &App) -> Duration {
    let Some((lead, waiting)) = app.hooks.stale.take(Instant::now()) else {
        return Duration::ZERO;
    };
    let pause = match look(app, &lead).await {
        Ok(()) => return Duration::ZERO,
        Err(Stop::Crm(Failure::Limited { until, .. })) => {
            let left = Duration::try_from(until.duration_since(clock::now()));
            let left = left.unwrap_or_default().min(AFTER_REFUSAL);
            app.hooks
                .stale
                .put_back(lead, waiting, Instant::now() + left);
            return left;
        }
        Err(Stop::Crm(failure @ (Failure::NeedsOperator { .. } | Failure::Refused { .. }))) => {
            tracing::info!("{failure}; the index has it as it was");
            return AFTER_REFUSAL;
        }
        Err(Stop::Crm(failure)) => {
            tracing::info!("{failure}; trying again");
            AFTER_FAILURE
        }
        Err(Stop::Store(error)) => {
            tracing::error!(%error, "could not bring the index of leads up to date; trying again");
            AFTER_FAILURE
        }
    };
    if waiting.tries < TRIES_MAX {
        app.hooks
            .stale
            .put_back(lead, waiting, Instant::now() + pause);
    }
    pause
}

/// What a lead is now decides, not what was told of it.
async fn look(app: &App, id: &str) -> Result<(), Stop> {
    let Some(crm) = app.crm() else {
        return Ok(());
    };
    let profile = &app.config.profile.name;
    crm.spare(1).await?;
    match crm.lead(id).await {
        Ok(lead) if index::is_kept(app, &lead.list_id) => {
            let lead = index::indexed(app, &lead);
            app.store.index(profile, vec![lead], clock::now()).await?;
        }
        Ok(_) | Err(Failure::Gone { .. }) => {
            app.store.unindex(profile, &[id.to_owned()]).await?;
        }
        Err(failure) => return Err(failure.into()),
    }
    Ok(())
}

/// Gives when to try again. How far the index is, is for the one that works to say; with any other its next look is waited
/// for.
async fn follow(app: &App) -> Option<Instant> {
    let crm = app.crm().filter(|_| !app.lease.is_over())?;
    let followed = async {
        crm.spare(1).await?;
        index::follow_now(app, crm.as_ref()).await
    };
    match followed.await {
        Ok(true) => None,
        Ok(false) => Some(Instant::now() + AFTER_FAILURE),
        Err(Stop::Crm(failure)) => {
            tracing::info!("could not list what was changed: {failure}; trying again");
            Some(Instant::now() + AFTER_FAILURE)
        }
        Err(Stop::Store(error)) => {
            tracing::error!(%error, "could not bring the index of leads up to date; trying again");
            Some(Instant::now() + AFTER_FAILURE)
        }
    }
}
