//! The worker: reads what came in, then works changes off, one at a time per person, up to four people at once.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::outcome::Failure;
use jiff::SignedDuration;
use store::rows::{Claim, Pause};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::app::{App, AtWork};
use crate::{clock, crash, given_up, process, reading};

/// People worked for at once; never two calls for one.
pub const LANES: usize = 4;
const READ_BATCH: usize = 128;
/// Another process (the command line) may have changed the database.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const LOOK_AGAIN: Duration = Duration::from_millis(20);
const AFTER_ERROR: Duration = Duration::from_secs(2);
const DOWN_PROBE: Duration = Duration::from_secs(15);
const PAUSE_PROBE: Duration = Duration::from_secs(60);
/// So many calls in a row without an answer, and only probes go out.
const DOWN_AFTER: u32 = 4;
const FORGOTTEN_EVERY: Duration = Duration::from_secs(10);
const CLOCK_WENT_BACK: SignedDuration = SignedDuration::from_secs(2);
/// On top of one call's time, work under way may finish in this when the process is asked to stop.
const FINISH: Duration = Duration::from_secs(3);

/// Works until `stop` turns true, then lets work under way finish. A database that cannot be written for a while
/// is waited for; one that another process has taken over ends the work.
pub async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) -> Result<(), store::Error> {
    let mut at_work: JoinSet<()> = JoinSet::new();
    let mut next_probe = tokio::time::Instant::now();
    let mut next_look = tokio::time::Instant::now();
    let mut forgotten = Forgotten::default();
    let mut latest = clock::now();
    let mut has_told = false;
    while !*stop.borrow() {
        if clock::now() < latest - CLOCK_WENT_BACK {
            // What waits until some time would wait for as long as the clock went back.
            tracing::warn!("the clock went back: what waits is tried now");
            // The gate keeps the limit, by the steady clock.
            app.health.lock().expect("no holder panics").limited_until = None;
            if let Err(error) = app.store.wake(&app.config.profile.name, clock::now()).await {
                tracing::error!(%error, "could not make what waits due");
            }
        }
        latest = clock::now();
        let pause = match turn(
            &app,
            &mut at_work,
            &mut next_probe,
            &mut next_look,
            &mut forgotten,
        )
        .await
        {
            Ok(pause) => pause,
            Err(error @ store::Error::Superseded) => return Err(error),
            Err(error) => {
                tracing::error!(%error, "could not use the database; looking again in {} s", AFTER_ERROR.as_secs());
                AFTER_ERROR
            }
        };
        // What is given up is so at the start, or when it is to be read for the first time after it.
        if !has_told && pause < AFTER_ERROR {
            match given_up::tell(&app).await {
                Ok(()) => has_told = true,
                Err(error) => tracing::error!(%error, "could not look for what was given up"),
            }
        }
        tokio::select! {
            biased;
            () = app.wake.notified(), if pause < AFTER_ERROR => {}
            _ = at_work.join_next(), if !at_work.is_empty() && pause < AFTER_ERROR => {}
            () = tokio::time::sleep(pause) => {}
            _ = stop.wait_for(|s| *s) => {}
        }
    }
    if forgotten.is_likely
        && let Err(error) = app.store.unclaim(app.profile(), &app.keys_at_work()).await
    {
        tracing::error!(%error, "could not put back what may have been claimed");
    }
    let finishing = async { while at_work.join_next().await.is_some() {} };
    let patience = app.config.call_timeout() + FINISH;
    if tokio::time::timeout(patience, finishing).await.is_err() {
        tracing::warn!("work under way did not finish in time; it is looked up at the next start");
        for claim in app.at_work() {
            // Asked to stop, it did not stop us: it must not be taken for the cause.
            let _ = app
                .store
                .retry_at(&claim, clock::now(), "calup was stopped", false)
                .await;
        }
    }
    Ok(())
}

/// Changes that are claimed in this process's name, and that nobody works on: a claim's answer was lost, or a database
/// that a fail-over has set back a moment says so.
#[derive(Default)]
struct Forgotten {
    is_likely: bool,
    looked_at: Option<tokio::time::Instant>,
}

impl Forgotten {
    fn is_to_be_looked_for(&mut self, app: &App) -> bool {
        let now = tokio::time::Instant::now();
        let is_long_ago = self.looked_at.is_none_or(|at| now - at >= FORGOTTEN_EVERY);
        let is_to_be = self.is_likely || app.store.is_shared() && is_long_ago;
        if is_to_be {
            self.looked_at = Some(now);
        }
        is_to_be
    }
}

/// Reads what came in, begins what may begin; gives how long nothing more needs doing.
async fn turn(
    app: &Arc<App>,
    at_work: &mut JoinSet<()>,
    next_probe: &mut tokio::time::Instant,
    next_look: &mut tokio::time::Instant,
    forgotten: &mut Forgotten,
) -> Result<Duration, store::Error> {
    let mut read = 0;
    // Between what came to us, another process may have stored something.
    if app.came.swap(false, Ordering::AcqRel) || tokio::time::Instant::now() >= *next_look {
        *next_look = tokio::time::Instant::now() + LOOK_EVERY;
        // After a stop they are handed out one by one, and what is worked off has to know of those that came with it.
        let is_left = loop {
            match reading::read_all(app, READ_BATCH).await {
                Ok(0) => break Ok(false),
                Ok(n) => read += n,
                Err(error) => break Err(error),
            }
            if read >= READ_BATCH {
                break Ok(true);
            }
        };
        // What is left is read at the next turn.
        let is_any_left = *is_left.as_ref().unwrap_or(&true);
        app.came.fetch_or(is_any_left, Ordering::AcqRel);
        is_left?;
    }
    // Others whose last verb shared the commit end now too.
    tokio::task::yield_now().await;
    while at_work.try_join_next().is_some() {}
    // What is claimed while the limit leaves no room would only be put back, each with two commits.
    let limited = limited_for(app);
    let free = LANES.saturating_sub(app.busy());
    let may_claim = free > 0 && limited.is_none() && may_work(app, next_probe).await?;
    if may_claim {
        let keys = app.keys_at_work();
        if forgotten.is_to_be_looked_for(app) {
            app.store.unclaim(app.profile(), &keys).await?;
        }
        // Until it has answered, it may have claimed what nobody works on.
        forgotten.is_likely = true;
        let claims = app
            .store
            .claim(app.profile(), clock::now(), free, &keys)
            .await?;
        forgotten.is_likely = false;
        for claim in claims {
            crash::at("claimed");
            let begun = app.begin(&claim);
            at_work.spawn(work(begun, app.clone(), claim));
        }
    }
    if read > 0 {
        return Ok(Duration::ZERO);
    }
    if let Some(limited) = limited {
        return Ok(limited.clamp(LOOK_AGAIN, LOOK_EVERY));
    }
    if !may_claim || app.busy() >= LANES {
        return Ok(LOOK_EVERY);
    }
    let due = app.store.next_due(app.profile()).await?;
    Ok(due.map_or(LOOK_EVERY, |due| {
        Duration::try_from(due.duration_since(clock::now()))
            .unwrap_or(LOOK_AGAIN)
            .clamp(LOOK_AGAIN, LOOK_EVERY)
    }))
}

fn limited_for(app: &App) -> Option<Duration> {
    let mut health = app.health.lock().expect("no holder panics");
    let left = health.limited_until?.duration_since(clock::now());
    let left = Duration::try_from(left).ok().filter(|left| !left.is_zero());
    if left.is_none() {
        health.limited_until = None;
    }
    left
}

/// Whether calls may go out; sends the probes that find out.
async fn may_work(
    app: &Arc<App>,
    next_probe: &mut tokio::time::Instant,
) -> Result<bool, store::Error> {
    let profile = &app.config.profile.name;
    let paused = app.store.paused(profile).await?;
    let down = app.health.lock().expect("no holder panics").down;
    let Some(crm) = app.crm() else {
        if paused.is_none() {
            let reason = "no ClickUp token is set".to_owned();
            app.store
                .pause(
                    profile,
                    Some(Pause {
                        reason,
                        since: clock::now(),
                    }),
                )
                .await?;
            app.notify(
                "no-token",
                "no ClickUp token is set: deliveries are kept and wait",
                "set CLICKUP_API_TOKEN",
            )
            .await;
        }
        return Ok(false);
    };
    if paused.is_none() && !down {
        return Ok(true);
    }
    if tokio::time::Instant::now() < *next_probe {
        return Ok(false);
    }
    let outcome = crm.probe().await;
    *next_probe = tokio::time::Instant::now()
        + if paused.is_some() {
            PAUSE_PROBE
        } else {
            DOWN_PROBE
        };
    match outcome {
        Ok(()) => {
            let now = crate::app::Health {
                last_answer: Some(clock::now()),
                ..Default::default()
            };
            let before = {
                let mut health = app.health.lock().expect("no holder panics");
                std::mem::replace(&mut *health, now)
            };
            // A few calls that fail for good are no outage: each rests on its own, and is given up in time.
            if paused.is_some() || before.is_away {
                tracing::info!("ClickUp answers again: work goes on");
                app.waits.begin_anew();
                app.store.pause(profile, None).await?;
                app.store.wake(profile, clock::now()).await?;
            }
            Ok(true)
        }
        Err(failure) => {
            settle_health(app, &failure).await;
            tell_away(app, &failure).await;
            Ok(false)
        }
    }
}

async fn tell_away(app: &App, failure: &Failure) {
    let (Failure::Transient { what } | Failure::Unknown { what }) = failure else {
        return;
    };
    {
        let mut health = app.health.lock().expect("no holder panics");
        if !health.down || std::mem::replace(&mut health.is_away, true) {
            return;
        }
    }
    let text = format!("ClickUp does not answer (could not {what}): deliveries are kept and wait");
    app.notify(
        "clickup-down",
        &text,
        "nothing needs to be done; calup looks every 15 seconds and goes on by itself",
    )
    .await;
}

async fn work(_begun: AtWork, app: Arc<App>, claim: Claim) {
    let delivery = claim.stored.delivery_id.clone();
    // In a task of its own, so that a mistake of ours ends one change's work and not the worker.
    let mut task = EndsWithUs(tokio::spawn({
        let (app, claim) = (app.clone(), claim.clone());
        async move { process::process(&app, &claim).await }
    }));
    let result = (&mut task.0).await;
    match result {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::error!(delivery.id = %delivery, %error, "could not record the work on a change; it is done again");
            put_back(&app, &claim, "the database could not be used", true).await;
        }
        Err(panic) => {
            let panics = app.panicked(&claim.stored.key);
            tracing::error!(delivery.id = %delivery, %panic, "working on a change stopped unexpectedly");
            process::after_panic(&app, &claim, panics).await;
        }
    }
}

/// A task that is not left alone when nobody waits for it any more: the lease may be another's by then.
struct EndsWithUs<T>(JoinHandle<T>);

impl<T> Drop for EndsWithUs<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Until it is recorded: a change that stayed `running` would block its lane for ever.
pub async fn put_back(app: &App, claim: &Claim, reason: &str, counted: bool) {
    loop {
        let at = clock::now() + SignedDuration::from_secs(2);
        match app.store.retry_at(claim, at, reason, counted).await {
            Ok(()) | Err(store::Error::Superseded) => return,
            Err(error) => {
                tracing::error!(%error, "could not put a change back; trying again in {} s", AFTER_ERROR.as_secs());
                tokio::time::sleep(AFTER_ERROR).await;
            }
        }
    }
}

/// Remembers how the CRM answers: a run of silence turns into "down", a refusal of the token into a pause.
pub async fn settle_health(app: &App, failure: &Failure) {
    let now = clock::now();
    match failure {
        Failure::Transient { .. } | Failure::Unknown { .. } => {
            let mut health = app.health.lock().expect("no holder panics");
            health.failures_in_a_row += 1;
            health.down = health.failures_in_a_row >= DOWN_AFTER;
        }
        Failure::NeedsOperator { what, hint } => {
            answered(app);
            // Whatever was asked for when the token was refused.
            let cause = format!("needs-operator:{hint}");
            let reason = format!("could not {what}; {hint}");
            let pause = Pause {
                reason: reason.clone(),
                since: now,
            };
            // Told first: whoever sees the pause is sent there.
            app.notify(
                &cause,
                &format!("could not {what}: deliveries are kept and wait"),
                hint,
            )
            .await;
            let profile = &app.config.profile.name;
            if let Ok(None) = app.store.paused(profile).await
                && let Err(error) = app.store.pause(profile, Some(pause)).await
            {
                tracing::error!(%error, "could not pause the profile");
            }
        }
        Failure::Limited { until, .. } => {
            answered(app);
            let mut health = app.health.lock().expect("no holder panics");
            health.limited_until = health.limited_until.max(Some(*until));
        }
        Failure::Refused { .. } | Failure::Gone { .. } => answered(app),
    }
}

pub fn answered(app: &App) {
    let mut health = app.health.lock().expect("no holder panics");
    health.failures_in_a_row = 0;
    health.down = false;
    health.is_away = false;
    health.last_answer = Some(clock::now());
}

/// Ends a pause and makes what waits due now: somebody mended something, and the first call tells whether it helped.
pub async fn go_on(app: &App) -> Result<(), store::Error> {
    let profile = &app.config.profile.name;
    app.waits.begin_anew();
    app.store.pause(profile, None).await?;
    app.store.wake(profile, clock::now()).await?;
    app.wake.notify_one();
    Ok(())
}
