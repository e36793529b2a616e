//! The sweeper (protocol P9): what a late request made a second time is found and taken back. Only what our token's user
//! made while we were trying counts as ours; a copy that a person made is never touched, and where people have been at
//! work on the second, they are told and nothing is deleted. What is decided about two leads stands in `twins`.

mod comments;
mod leads;
pub mod replaced;
mod told;
mod twins;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::effect::{Effect, Kind, State};
use domain::lead::Lead;
use domain::outcome::Failure;
use domain::plan::Action;
use jiff::{SignedDuration, Timestamp};
use store::rows::{DOUBTED_FOR, Doubt};
use tokio::sync::watch;
use vendors::Crm;

use crate::app::App;
use crate::gather::Stop;
use crate::lookup::SKEW;
use crate::{clock, guard};

/// So long after its answer was lost, or its sender's lease ran out, an effect is looked after.
pub const DAY: SignedDuration = SignedDuration::from_secs(DOUBTED_FOR.as_secs() as i64);
/// What was made later than this after the last attempt was not made by it.
const WINDOW: SignedDuration = SignedDuration::from_hours(1);
const LOOK_EVERY_MAX: Duration = Duration::from_secs(60);
const FIRST_LOOK: Duration = Duration::from_secs(10);
/// The longer nothing turned up, the less often it is looked for.
const LEISURE_MAX: SignedDuration = SignedDuration::from_mins(5);
const BATCH: usize = 200;
/// So many may go wrong in a round; then ClickUp, or the token, is no use at the moment.
const FAILED_MAX: usize = 3;
/// Two listings of leads, or the reading of two leads and their comments.
const CALLS_OF_A_LOOK: u32 = 4;

/// Works, and sweeps beside that until told to stop. Work that ends with an error takes the sweeper along, so that
/// whoever waits for both hears of it.
pub async fn beside(
    work: impl Future<Output = Result<(), store::Error>>,
    app: Arc<App>,
    stop: watch::Receiver<bool>,
) -> Result<(), store::Error> {
    let mut work = std::pin::pin!(work);
    let mut sweeper = std::pin::pin!(run(app, stop));
    tokio::select! {
        biased;
        worked = &mut work => {
            if worked.is_ok() {
                sweeper.await;
            }
            worked
        }
        () = &mut sweeper => work.await,
    }
}

/// Sweeps until told to stop; also renews the database's generation and ends the restore guard.
async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut commits = 0;
    // A process that is ended again and again must come to it too.
    let mut pause = app.config.sweep.min(FIRST_LOOK);
    loop {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stop.wait_for(|s| *s) => break,
        }
        pause = app.config.sweep.min(LOOK_EVERY_MAX);
        match round(&app, &stop).await {
            Ok(()) => {}
            Err(Stop::Crm(Failure::Limited { until, .. })) => {
                let left = Duration::try_from(until.duration_since(clock::now()));
                pause = left.unwrap_or_default().min(LOOK_EVERY_MAX);
            }
            Err(Stop::Crm(failure)) => {
                tracing::info!("could not look for what stands twice: {failure}; looking again");
            }
            Err(Stop::Store(error)) => {
                tracing::error!(%error, "could not look for what stands twice; looking again");
            }
        }
        // One of the process's is enough.
        if app.config.is_default_profile() && app.store.commits() != commits {
            renew(&app).await;
            commits = app.store.commits();
        }
    }
    renew(&app).await;
}

async fn renew(app: &App) {
    if app.lease.is_over() {
        return;
    }
    if let Err(error) = app.store.renew().await {
        tracing::error!(%error, "an older copy of the database that is put back would not be noticed");
    }
}

async fn round(app: &App, stop: &watch::Receiver<bool>) -> Result<(), Stop> {
    if app.lease.is_over() {
        return Ok(());
    }
    guard::look(app).await?;
    let profile = &app.config.profile.name;
    let due = app.store.doubts(profile, clock::now(), BATCH).await?;
    if due.is_empty() || is_down(app) || app.store.paused(profile).await?.is_some() {
        return Ok(());
    }
    let Some(crm) = app.crm() else {
        return Ok(());
    };
    let crm = crm.as_ref();
    let mut journal = Vec::with_capacity(due.len());
    for doubt in due {
        let effects = app.store.effects(profile, &doubt.change).await?;
        let effect = effects.into_iter().find(|e| e.key == doubt.effect);
        journal.push((doubt, effect));
    }
    // A comment that is taken back changes its lead, which then looks as if somebody had worked on it.
    let is_create = |effect: &Effect| effect.kind == Kind::Create;
    journal.sort_by_key(|(_, effect)| !effect.as_ref().is_some_and(is_create));
    let made = made_lately(crm, &journal).await?;
    let mut failed = 0;
    for (doubt, _) in journal {
        if *stop.borrow() || app.lease.is_over() {
            return Ok(());
        }
        // Its change may have gone on since. Without a row it never came to it, or has not yet.
        let effects = app.store.effects(profile, &doubt.change).await?;
        let effect = effects.iter().find(|e| e.key == doubt.effect);
        match look(app, crm, effect, &made).await {
            Ok(()) => {}
            Err(Stop::Crm(failure)) if failed < FAILED_MAX && !is_limit(&failure) => {
                failed += 1;
                tracing::info!("could not look for what stands twice: {failure}; looking again");
                // What is the matter with one lead does not keep the others from being looked at.
                if !is_about_one(&failure) {
                    continue;
                }
                let text = format!(
                    "what may stand in ClickUp twice could not be looked at, or taken back: {failure}"
                );
                let hint = "let the token's user reach the lead, and delete what is there, or look for the second yourself";
                app.notify(&format!("unswept:{}", doubt.effect), &text, hint)
                    .await;
            }
            Err(stop) => return Err(stop),
        }
        app.store.look_again(&doubt, next_look(app, &doubt)).await?;
    }
    Ok(())
}

fn is_limit(failure: &Failure) -> bool {
    matches!(failure, Failure::Limited { .. })
}

/// And lasts.
fn is_about_one(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::NeedsOperator { .. } | Failure::Refused { .. } | Failure::Gone { .. }
    )
}

fn is_down(app: &App) -> bool {
    app.health.lock().expect("no holder panics").down
}

/// One listing for all. Who has no e-mail is found in no other way, wherever people have moved the lead.
async fn made_lately(
    crm: &dyn Crm,
    journal: &[(Doubt, Option<Effect>)],
) -> Result<Vec<Lead>, Failure> {
    let creates = journal.iter().filter_map(|(_, effect)| effect.as_ref());
    let creates = creates.filter(|e| e.kind == Kind::Create);
    let Some(since) = creates.clone().map(|e| e.first_sent_at).min() else {
        return Ok(Vec::new());
    };
    crm.spare(CALLS_OF_A_LOOK).await?;
    let mut made = crm.created_since(since - SKEW).await?;
    if creates.clone().any(is_without_email) {
        made.extend(crm.moved_on(since - SKEW).await?);
    }
    Ok(made)
}

fn is_without_email(create: &Effect) -> bool {
    let sent = serde_json::from_str(&create.desired);
    sent.is_ok_and(|sent| matches!(sent, Action::Create(new) if new.email.is_none()))
}

async fn look(
    app: &App,
    crm: &dyn Crm,
    effect: Option<&Effect>,
    made: &[Lead],
) -> Result<(), Stop> {
    let Some(effect) = effect else {
        return Ok(());
    };
    let is_lost = effect.kind == Kind::Create && effect.state == State::Absent;
    if !is_lost && is_left_to_its_change(effect) {
        return Ok(());
    }
    crm.spare(CALLS_OF_A_LOOK).await?;
    match effect.kind {
        Kind::Create if is_lost => leads::look_for_lost(app, crm, effect, made).await,
        Kind::Create => leads::look(app, crm, effect, made).await,
        Kind::Comment | Kind::BlockComment => comments::look(app, crm, effect).await,
        // Written twice, it says the same.
        Kind::Write => Ok(()),
    }
}

/// `None` when its day is over.
fn next_look(app: &App, doubt: &Doubt) -> Option<Timestamp> {
    let now = clock::now();
    let sweep = SignedDuration::try_from(app.config.sweep).unwrap_or(LEISURE_MAX);
    let age = now.duration_since(doubt.until - DAY);
    let wait = (age / 10)
        .clamp(SignedDuration::ZERO, LEISURE_MAX)
        .max(sweep);
    (now < doubt.until).then_some(now + wait)
}

/// Its own change looks up what it has made. One that was given up does not, and of its comment two may stand there.
fn is_left_to_its_change(effect: &Effect) -> bool {
    match effect.kind {
        Kind::Comment | Kind::BlockComment => effect.state == State::Absent,
        Kind::Create | Kind::Write => matches!(
            effect.state,
            State::Attempting | State::Unknown | State::Absent
        ),
    }
}

/// Whether something with the effect's marker was made by one of our attempts. Before the first there was no marker.
fn is_of_an_attempt(effect: &Effect, at: Timestamp) -> bool {
    at <= effect.last_sent_at + WINDOW
}

/// Those of ours, the oldest first.
fn oldest_first<T>(mut all: Vec<T>, age: impl Fn(&T) -> (Timestamp, &str)) -> Vec<T> {
    all.sort_by(|a, b| {
        let ((a_at, a_id), (b_at, b_id)) = (age(a), age(b));
        (a_at, a_id.len(), a_id).cmp(&(b_at, b_id.len(), b_id))
    });
    all
}

/// Each lead by its id, once.
fn without_repeats(leads: Vec<Lead>) -> Vec<Lead> {
    let by_id: HashMap<String, Lead> = leads.into_iter().map(|l| (l.id.clone(), l)).collect();
    by_id.into_values().collect()
}
