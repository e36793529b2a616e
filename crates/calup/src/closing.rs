//! Questions whose time is over are closed, whatever becomes of showing them: what they held becomes a new lead.

use std::sync::Arc;
use std::time::Duration;

use store::rows::Closed;
use tokio::sync::watch;

use crate::app::App;
use crate::clock;

const LOOK_EVERY: Duration = Duration::from_secs(1);
/// More are closed in the next round, at once.
const AT_ONCE: usize = 20;

/// Until told to stop.
pub async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    loop {
        let pause = match close_due(&app).await {
            Ok(closed) if closed == AT_ONCE => Duration::ZERO,
            Ok(_) => LOOK_EVERY,
            Err(error) => {
                tracing::error!(%error, "could not look for questions whose time is over; looking again");
                LOOK_EVERY
            }
        };
        tokio::select! {
            biased;
            _ = stop.wait_for(|s| *s) => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

async fn close_due(app: &App) -> Result<usize, store::Error> {
    if app.lease.is_over() || app.epoch() == 0 {
        return Ok(0);
    }
    let profile = &app.config.profile.name;
    let now = clock::now();
    let due = app.store.questions_due(profile, now, AT_ONCE).await?;
    for id in &due {
        if app.store.close(id, Closed::Expired, now).await? {
            tracing::info!(question.id = %id, "nobody answered in time: it becomes a new lead");
            app.wake.notify_one();
            app.ask.notify_one();
        }
    }
    Ok(due.len())
}
