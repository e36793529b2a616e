//! The index of leads: read once in the background, page by page, then kept fresh by asking for what was changed, and read
//! anew once a day, because what was deleted or moved away is nowhere told. It makes names searchable, and is never the
//! reason for a write: whoever it finds is read from the CRM first.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use domain::lead::{Lead, Write};
use domain::name;
use domain::outcome::Failure;
use jiff::{SignedDuration, Timestamp};
use store::rows::{Indexed, Indexing};
use tokio::sync::watch;
use vendors::Crm;

use crate::app::App;
use crate::gather::Stop;
use crate::{clock, worker};

const AFRESH_EVERY: SignedDuration = SignedDuration::from_hours(24);
/// How long a look before a search counts: longer, the more bookings ask for one.
const FRESH_FOR: Duration = Duration::from_secs(3);
const FRESH_FOR_MAX: Duration = Duration::from_secs(30);
const CALM: Duration = Duration::from_secs(60);
const MARGIN: SignedDuration = SignedDuration::from_secs(5);
const AFTER_FAILURE: Duration = Duration::from_secs(5);
/// Until somebody may have given the token the right that it lacks.
const WITHOUT_RIGHT: Duration = Duration::from_secs(60);
/// ClickUp that has answered so lately is not away.
const ANSWERED_WITHIN: Duration = Duration::from_secs(60);
const IDLE_MAX: Duration = Duration::from_secs(1);
/// Of what was changed, a booking's look reads so many pages; what is left then is the background's.
const PAGES_AT_ONCE: u32 = 10;
/// Where nobody fills the index, somebody who asks for a name has so many pages read, in this long.
const PAGES_ASKED: u32 = 20;
const ASKED_WITHIN: Duration = Duration::from_secs(20);
const ASKED_AGAIN: Duration = Duration::from_secs(10 * 60);
/// A listing that keeps answering "there is more" ends here: a million leads.
const PAGES_MAX: u32 = 10_000;

/// A look at what was changed that is not over, for a limit was near: it goes on where it was.
#[derive(Debug, Clone, Copy)]
pub struct Following {
    since: Timestamp,
    began: Timestamp,
    next_page: u32,
}

/// For whom it is looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    /// Somebody's booking or question, which goes before the background.
    Person,
    /// Within its share of the limit.
    Background,
}

/// Until told to stop.
pub async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    if app.config.question_patience.is_zero() {
        return;
    }
    let mut pause = Duration::ZERO;
    loop {
        tokio::select! {
            biased;
            _ = stop.wait_for(|s| *s) => return,
            () = tokio::time::sleep(pause) => {}
        }
        pause = match round(&app, &stop).await {
            Ok(pause) => pause,
            Err(Stop::Crm(Failure::Limited { until, .. })) => {
                Duration::try_from(until.duration_since(clock::now())).unwrap_or_default()
            }
            Err(Stop::Crm(failure)) => failed(&app, &failure).await,
            Err(Stop::Store(error)) => {
                tracing::error!(%error, "could not use the index of leads; trying again");
                AFTER_FAILURE
            }
        }
        .max(Duration::from_millis(20));
    }
}

/// While nothing else is asked of ClickUp, this is how a dead token or an outage is found out. Gives how long to wait.
async fn failed(app: &App, failure: &Failure) -> Duration {
    if matches!(failure, Failure::Refused { .. }) {
        refused(app, failure).await;
        return AFTER_FAILURE;
    }
    tracing::info!("could not read the leads for the index: {failure}; trying again");
    let needs_operator = match failure {
        Failure::NeedsOperator { what, hint } => Some((what, hint)),
        _ => None,
    };
    let Some(crm) = app.crm() else {
        return AFTER_FAILURE;
    };
    if needs_operator.is_none() && has_just_answered(app) {
        return AFTER_FAILURE;
    }
    if let Err(failure) = crm.probe().await {
        worker::settle_health(app, &failure).await;
        return AFTER_FAILURE;
    }
    worker::answered(app);
    let Some((what, hint)) = needs_operator else {
        return AFTER_FAILURE;
    };
    let text = format!("could not {what}: names are not compared, and nobody is asked");
    app.notify(&format!("needs-operator:{what}"), &text, hint)
        .await;
    WITHOUT_RIGHT
}

fn has_just_answered(app: &App) -> bool {
    let health = app.health.lock().expect("no holder panics");
    let ago = health.last_answer.map(|at| clock::now().duration_since(at));
    ago.is_some_and(|ago| ago.unsigned_abs() < ANSWERED_WITHIN)
}

/// A listing that is refused stays so: nobody is to wait for it.
async fn refused(app: &App, failure: &Failure) {
    app.index_is_refused.store(true, Ordering::Relaxed);
    app.notify(
        "index-refused",
        &format!(
            "the leads could not be listed ({failure}): names are not compared, and nobody is asked"
        ),
        "check that the token's user may see all tasks of the lists",
    )
    .await;
    if let Err(error) = worker::go_on(app).await {
        tracing::error!(%error, "could not make what waits for the index due");
    }
}

/// One step; gives how long nothing more needs doing.
async fn round(app: &App, stop: &watch::Receiver<bool>) -> Result<Duration, Stop> {
    let profile = &app.config.profile.name;
    let may_work = !app.lease.is_over() && app.epoch() > 0;
    let down = app.health.lock().expect("no holder panics").down;
    if !may_work || down || app.store.paused(profile).await?.is_some() {
        return Ok(IDLE_MAX);
    }
    let Some(crm) = app.crm() else {
        return Ok(IDLE_MAX);
    };
    let state = app.store.indexing(profile).await?;
    let now = clock::now();
    let is_stale = |began: Timestamp| now.duration_since(began) > AFRESH_EVERY;
    let is_under_way = state.next_page > 0;
    if state.filled_at.is_none() || is_under_way || state.began_at.is_none_or(is_stale) {
        fill(app, crm.as_ref(), state, stop).await?;
        return Ok(Duration::ZERO);
    }
    let due = state.seen_until.map_or(now, |seen| {
        seen.min(now) + SignedDuration::try_from(app.config.index_every).unwrap_or_default()
    });
    // One that failed at its first page has left nothing.
    let is_begun = |left: &Following| left.next_page > 0;
    let is_left = app.indexing.lock().await.as_ref().is_some_and(is_begun);
    if due > now && !is_left {
        let left = Duration::try_from(due.duration_since(now)).unwrap_or_default();
        return Ok(left);
    }
    crm.spare(1).await?;
    let mut following = app.indexing.lock().await;
    catch_up(app, crm.as_ref(), &mut following, Who::Background).await?;
    Ok(Duration::ZERO)
}

/// Before a name is looked for: a lead that was made a moment ago counts too, also while everything is read anew.
pub async fn freshen(app: &App, crm: &dyn Crm) -> Result<(), Stop> {
    let mut following = app.indexing.lock().await;
    if !app.freshness.is_over(Instant::now()) {
        return Ok(());
    }
    catch_up(app, crm, &mut following, Who::Person).await
}

/// Nobody fills the index, for no `calup serve` is running, and somebody asks for a name: the first leads are read.
pub async fn look_once(app: &App, crm: &dyn Crm) -> Result<(), Stop> {
    let profile = &app.config.profile.name;
    let state = app.store.indexing(profile).await?;
    if app.epoch() > 0 || state.filled_at.is_some() {
        return Ok(());
    }
    let _at_work = app.indexing.lock().await;
    let began = Instant::now();
    if !app.asked.is_over(began) {
        return Ok(());
    }
    for number in 0..PAGES_ASKED {
        let page = crm.page(None, number).await?;
        let leads = page.leads.iter().map(|lead| indexed(app, lead)).collect();
        app.store.index(profile, leads, clock::now()).await?;
        if page.is_last || began.elapsed() > ASKED_WITHIN {
            break;
        }
    }
    app.asked.is_done(began);
    Ok(())
}

/// When the first leads were last read for somebody who asked.
#[derive(Default)]
pub struct Asked(Mutex<Option<Instant>>);

impl Asked {
    fn is_over(&self, now: Instant) -> bool {
        let last = *self.0.lock().expect("no holder panics");
        last.is_none_or(|last| now.duration_since(last) > ASKED_AGAIN)
    }

    fn is_done(&self, at: Instant) {
        *self.0.lock().expect("no holder panics") = Some(at);
    }
}

/// For what was told of that is too much to be read lead by lead. `false`: the index is being worked on, so that this
/// may have been missed.
pub async fn follow_now(app: &App, crm: &dyn Crm) -> Result<bool, Stop> {
    let Ok(mut following) = app.indexing.try_lock() else {
        return Ok(false);
    };
    catch_up(app, crm, &mut following, Who::Background).await?;
    Ok(true)
}

/// When the index was last looked after for a booking, and how long that counts.
#[derive(Default)]
pub struct Freshness(Mutex<Option<(Instant, Duration)>>);

impl Freshness {
    /// If so, it begins anew.
    fn is_over(&self, now: Instant) -> bool {
        let mut kept = self.0.lock().expect("no holder panics");
        let next = match *kept {
            Some((last, counts)) if now.duration_since(last) < counts => return false,
            Some((last, counts)) if now.duration_since(last) < CALM => {
                (counts * 2).min(FRESH_FOR_MAX)
            }
            Some(_) | None => FRESH_FOR,
        };
        *kept = Some((now, next));
        true
    }
}

/// A page more of everything. Stopped anywhere, it goes on there.
async fn fill(
    app: &App,
    crm: &dyn Crm,
    mut state: Indexing,
    stop: &watch::Receiver<bool>,
) -> Result<(), Stop> {
    let profile = &app.config.profile.name;
    if state.next_page == 0 {
        state.began_at = Some(clock::now());
    }
    loop {
        crm.spare(1).await?;
        // A clock that goes back makes nobody unseen.
        let seen_at = clock::now().max(state.began_at.unwrap_or_default());
        let page = crm.page(None, state.next_page).await?;
        worker::answered(app);
        app.index_is_refused.store(false, Ordering::Relaxed);
        app.store
            .index(
                profile,
                page.leads.iter().map(|lead| indexed(app, lead)).collect(),
                seen_at,
            )
            .await?;
        state.next_page += 1;
        let is_first_time = state.filled_at.is_none();
        let is_over = page.is_last || state.next_page >= PAGES_MAX;
        let began = state.began_at.unwrap_or_else(clock::now);
        if is_over {
            app.store.sweep_index(profile, began).await?;
        }
        let _at_work = app.indexing.lock().await;
        // Moved on meanwhile, for a booking.
        state.seen_until = app.store.indexing(profile).await?.seen_until;
        if is_over {
            state.next_page = 0;
            state.filled_at = Some(clock::now());
            state.seen_until = state.seen_until.max(Some(began));
        }
        app.store.set_indexing(profile, &state).await?;
        if is_over && is_first_time {
            tracing::info!("the leads are indexed: names can be compared");
            app.store.wake(profile, clock::now()).await?;
            app.wake.notify_one();
        }
        if is_over || *stop.borrow() || app.lease.is_over() {
            return Ok(());
        }
    }
}

/// Reads what was changed since the last look, and a little before: a listing lags.
async fn catch_up(
    app: &App,
    crm: &dyn Crm,
    following: &mut Option<Following>,
    who: Who,
) -> Result<(), Stop> {
    let profile = &app.config.profile.name;
    let mut state = app.store.indexing(profile).await?;
    let now = clock::now();
    let lag = SignedDuration::try_from(app.config.index_lag).unwrap_or_default();
    let anew = Following {
        since: state.seen_until.unwrap_or(now) - lag - MARGIN,
        began: now,
        next_page: 0,
    };
    let is_of_use = |left: &Following| state.seen_until.is_none_or(|seen| seen < left.began);
    let mut look = following.filter(is_of_use).unwrap_or(anew);
    // What has been deleted since moves the rest to an earlier page.
    look.next_page = look.next_page.saturating_sub(1);
    let first = look.next_page;
    while look.next_page < PAGES_MAX {
        // A failure may end it here.
        *following = Some(look);
        let read = look.next_page - first;
        if who == Who::Person && read >= PAGES_AT_ONCE {
            return Ok(());
        }
        if who == Who::Background && read > 0 {
            crm.spare(1).await?;
        }
        let page = crm.page(Some(look.since), look.next_page).await?;
        let leads: Vec<Indexed> = page.leads.iter().map(|lead| indexed(app, lead)).collect();
        if !leads.is_empty() {
            app.store.index(profile, leads, clock::now()).await?;
        }
        if page.is_last {
            break;
        }
        look.next_page += 1;
    }
    *following = None;
    state.seen_until = Some(look.began);
    app.store.set_indexing(profile, &state).await?;
    Ok(())
}

/// What calup itself fills in need not be read back.
pub async fn wrote(app: &App, lead: &Lead, write: &Write) {
    let Some(fill) = &write.email else {
        return;
    };
    if app.config.question_patience.is_zero() || !is_kept(app, &lead.list_id) {
        return;
    }
    let mut lead = lead.clone();
    lead.emails.push(fill.email.clone());
    let lead = indexed(app, &lead);
    let profile = &app.config.profile.name;
    if let Err(error) = app.store.index(profile, vec![lead], clock::now()).await {
        tracing::debug!(%error, "the index knows of a write only after the next look at the lists");
    }
}

/// Whether the index is about leads of this list.
pub fn is_kept(app: &App, list: &str) -> bool {
    let profile = &app.config.profile;
    profile.inbound_list_id == list || profile.match_list_ids.iter().any(|id| id == list)
}

/// As the index keeps a lead. By a whole name only those on the match lists are found: nobody else is asked about.
pub fn indexed(app: &App, lead: &Lead) -> Indexed {
    let candidate = name::Candidate {
        name: &lead.name,
        emails: &lead.emails,
        company: None,
    };
    let read = candidate.read();
    let is_asked_about = app.config.profile.match_list_ids.contains(&lead.list_id);
    let mut tokens: Vec<String> = Vec::new();
    if is_asked_about {
        tokens.extend(read.search_tokens());
    }
    tokens.extend(read.part_tokens());
    Indexed {
        lead: lead.id.clone(),
        list_id: lead.list_id.clone(),
        list_name: lead.list_name.clone(),
        name: lead.name.clone(),
        emails: lead.emails.clone(),
        company: None,
        status: lead.status.clone(),
        url: lead.url.clone(),
        updated_at: lead.updated_at,
        tokens,
    }
}
