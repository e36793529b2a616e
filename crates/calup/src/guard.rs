//! The restore guard (protocol P11). A database that was put back does not know what was done since it was copied: before
//! anything is made or said for a change, it is looked for at the CRM by its marker, and what is found counts as done.

use std::sync::atomic::Ordering;

use domain::change::Kind as Change;
use domain::effect::{Effect, Kind, State};
use domain::facts::Found;
use domain::fence::{self, Fenced};
use domain::lead::{Lead, Posted};
use domain::note::Note;
use domain::outcome::Failure;
use domain::plan::{self, Action};
use domain::profile::Profile;
use domain::question::Asking;
use jiff::{SignedDuration, Timestamp};
use store::RESTORED;
use store::rows::{DEFAULT_PROFILE, DeliveryFilter, Doubt, Record, Register, Status, Stored};
use vendors::Crm;

use crate::app::App;
use crate::gather::{self, Background, Search, Stop};
use crate::journal::Journal;
use crate::{clock, keys};

/// It ends when nothing is left to work off, but not before: what the backup lacks may be delivered later.
const AT_LEAST: SignedDuration = SignedDuration::from_hours(24);
/// Cal.com's clock and ours may differ by this much.
const SKEW: SignedDuration = SignedDuration::from_hours(1);
const OFF: &str = "off";

/// Since when it is on.
pub async fn since(store: &dyn store::Store) -> Result<Option<Timestamp>, store::Error> {
    let fact = store.meta(RESTORED).await?;
    Ok(fact.and_then(|text| text.parse().ok()))
}

pub async fn turn_on(store: &dyn store::Store) -> Result<(), store::Error> {
    store.set_meta(RESTORED, &clock::now().to_string()).await
}

pub async fn turn_off(store: &dyn store::Store) -> Result<(), store::Error> {
    store.set_meta(RESTORED, OFF).await
}

/// After a take-over: dates what the store has found out.
pub async fn after_take_over(app: &App) -> Result<(), store::Error> {
    if app.store.meta(RESTORED).await?.as_deref() == Some("") {
        turn_on(app.store.as_ref()).await?;
        app.notify(
            "restored",
            "the database is an older copy than the one that calup worked with last, or another server's after a fail-over: \
             for each booking ClickUp is asked first whether it was done already",
            "have what came since the copy delivered again; `calup guard off` ends the asking before its day is over",
        )
        .await;
    }
    look(app).await
}

/// Whether it is on, which another process may have changed; ends it in time.
pub async fn look(app: &App) -> Result<(), store::Error> {
    let mut since = since(app.store.as_ref()).await?;
    if let Some(on) = since
        && clock::now().duration_since(on) >= AT_LEAST
        && is_all_worked_off(app).await?
    {
        turn_off(app.store.as_ref()).await?;
        since = None;
    }
    app.is_guarded.store(since.is_some(), Ordering::Relaxed);
    Ok(())
}

async fn is_all_worked_off(app: &App) -> Result<bool, store::Error> {
    // What came in for a profile that has been removed is not worked off by anybody.
    let rows = app.store.profiles().await?;
    let mut served = vec![DEFAULT_PROFILE.to_owned()];
    served.extend(rows.into_iter().map(|(name, _)| name));
    for profile in served {
        if !is_worked_off(app, &profile).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn is_worked_off(app: &App, profile: &str) -> Result<bool, store::Error> {
    let open = [
        Status::Pending,
        Status::Running,
        Status::Waiting,
        Status::Held,
    ];
    for status in open {
        let any = DeliveryFilter {
            profile: Some(profile.to_owned()),
            status: Some(status),
            limit: 1,
            ..DeliveryFilter::default()
        };
        if !app.store.deliveries(&any).await?.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Looks for what was made or said for this change; `true` when something was found that the journal did not know.
pub async fn adopt(
    app: &App,
    crm: &dyn Crm,
    stored: &Stored,
    background: &Background,
    found: &Found,
    journal: &mut Journal<'_>,
) -> Result<bool, Stop> {
    if !app.is_guarded.load(Ordering::Relaxed) {
        return Ok(false);
    }
    let since = stored.change.created_at.min(stored.change.received_at) - SKEW;
    let create = Planned::of(app, stored, &stored.person, Kind::Create);
    match found {
        Found::Deleted => Ok(false),
        Found::Nobody => {
            if create.is_known(journal.effects()) || !may_make(stored) {
                return Ok(false);
            }
            create.doubt(app).await?;
            match made(crm, since, &create.marker).await? {
                Some(lead) => {
                    let sent = as_planned(app, crm, stored, background, &lead, journal).await?;
                    create.is_done(app, (since, lead.created_at), lead.id, sent, journal);
                    Ok(true)
                }
                None => Ok(false),
            }
        }
        Found::Lead(lead, _) => {
            let comment = Planned::of(app, stored, &lead.id, Kind::Comment);
            let is_told = create.has_made(lead, journal.effects());
            if is_told || comment.is_known(journal.effects()) {
                return Ok(false);
            }
            take_as_ours(app, lead, journal).await?;
            let may_be_made = !create.is_known(journal.effects());
            if may_be_made && keys::carries(&lead.description, &create.marker) {
                create.doubt(app).await?;
                let (id, made_at) = (lead.id.clone(), lead.created_at);
                let sent = as_planned(app, crm, stored, background, lead, journal).await?;
                create.is_done(app, (since, made_at), id, sent, journal);
                return Ok(true);
            }
            comment.doubt(app).await?;
            let posted = crm.comments(&lead.id, since).await?;
            adopt_block_comment(app, lead, &posted, journal).await?;
            let told = posted
                .iter()
                .filter(|c| keys::carries(&c.text, &comment.marker))
                .min_by_key(|c| c.at);
            match told {
                Some(told) => {
                    let sent = String::new();
                    comment.is_done(app, (since, told.at), told.id.clone(), sent, journal);
                    Ok(true)
                }
                None => Ok(false),
            }
        }
    }
}

/// A lead that the copy knows, and that calup has deleted since because it was made twice: the one that stayed bears the
/// same marker, and is meant from now on.
pub async fn adopt_stayed(
    app: &App,
    crm: &dyn Crm,
    stored: &Stored,
    search: &Search,
    journal: &mut Journal<'_>,
) -> Result<bool, Stop> {
    let is_found = matches!(search.found, Found::Lead(..));
    if !app.is_guarded.load(Ordering::Relaxed) || is_found || search.gone.is_empty() {
        return Ok(false);
    }
    let mut is_any = false;
    for other in gather::related(app, stored).await? {
        for mut create in app.store.effects(&other.profile, &other.key).await? {
            let mut gone = search.gone.iter().map(|link| &link.lead);
            let is_made = |id: &&String| create.remote_id.as_ref() == Some(*id);
            let gone = gone.find(is_made).filter(|_| create.kind == Kind::Create);
            let Some(gone) = gone else {
                continue;
            };
            let since = create.first_sent_at - SKEW;
            let Some(stayed) = made(crm, since, &create.marker).await? else {
                continue;
            };
            // A copy that a person has made is theirs.
            if stayed.id == *gone || !stayed.ours {
                continue;
            }
            app.store.merge(&other.profile, gone, &stayed.id).await?;
            create.remote_id = Some(stayed.id);
            create.epoch = app.epoch();
            if other.key == stored.key {
                journal.set_effect(&create);
            } else {
                let effects = vec![create];
                let record = Record {
                    effects,
                    ..Record::default()
                };
                app.store.record(&other.profile, record).await?;
            }
            is_any = true;
        }
    }
    if is_any {
        journal.forget_what_was_read().await?;
    }
    Ok(is_any)
}

/// Where it was made; else where people may have moved it since, which nobody remembers.
async fn made(crm: &dyn Crm, since: Timestamp, marker: &str) -> Result<Option<Lead>, Failure> {
    let first = |leads: Vec<Lead>| {
        let made = leads.into_iter();
        let made = made.filter(|l| keys::carries(&l.description, marker));
        made.min_by_key(|l| (l.created_at, l.id.clone()))
    };
    match first(crm.created_since(since).await?) {
        Some(lead) => Ok(Some(lead)),
        None => Ok(first(crm.moved_on(since).await?)),
    }
}

/// What a create would send now, in place of what was sent and is forgotten: without it the sweeper could not tell what
/// people have done to a second one.
async fn as_planned(
    app: &App,
    crm: &dyn Crm,
    stored: &Stored,
    background: &Background,
    made: &Lead,
    journal: &mut Journal<'_>,
) -> Result<String, Stop> {
    let profile = &app.config.profile;
    let (found, asking) = ((Found::Nobody, false), Asking::Settled);
    let facts = gather::facts(app, crm, stored, background, found, asking, journal).await?;
    let actions = plan::plan(&stored.change, &facts, profile).actions;
    for action in actions {
        if let Action::Create(mut sent) = action {
            if sent.status.is_some() && profile.sets(&made.status) {
                sent.status = Some(made.status.clone());
            }
            return Ok(serde_json::to_string(&Action::Create(sent)).unwrap_or_default());
        }
    }
    Ok(String::new())
}

fn may_make(stored: &Stored) -> bool {
    match stored.change.kind {
        Change::Booked => true,
        Change::Note => matches!(stored.change.note, Some(Note::Form)),
        Change::Cancelled | Change::Requested | Change::Rejected => false,
    }
}

/// Who moved the status is forgotten with the rest.
async fn take_as_ours(
    app: &App,
    lead: &Lead,
    journal: &mut Journal<'_>,
) -> Result<(), store::Error> {
    let mut register = journal.register(&lead.id).await?;
    as_ours(&mut register, lead, &app.config.profile);
    journal.set_register(&lead.id, register);
    Ok(())
}

/// Of a lead about which nothing is on record: a status that calup sets counts as set by calup, and so does a block.
pub fn as_ours(register: &mut Register, lead: &Lead, profile: &Profile) {
    if profile.sets(&lead.status) {
        register.status_set = Some(lead.status.clone());
    }
    register.block_written |= fence::find(&lead.description) != Fenced::Absent;
}

async fn adopt_block_comment(
    app: &App,
    lead: &Lead,
    posted: &[Posted],
    journal: &mut Journal<'_>,
) -> Result<(), store::Error> {
    let mut register = journal.register(&lead.id).await?;
    if register.block_comment.is_some() {
        return Ok(());
    }
    let marker = keys::block_comment(app, &lead.id);
    if let Some(block) = posted.iter().find(|c| keys::carries(&c.text, &marker)) {
        register.block_comment = Some(block.id.clone());
        journal.set_register(&lead.id, register);
    }
    Ok(())
}

/// An effect that a plan may come to, before there is a plan.
struct Planned<'a> {
    stored: &'a Stored,
    target: String,
    kind: Kind,
    key: String,
    marker: String,
}

impl<'a> Planned<'a> {
    fn of(app: &App, stored: &'a Stored, target: &str, kind: Kind) -> Self {
        Self {
            stored,
            target: target.to_owned(),
            kind,
            key: keys::effect(&stored.profile, &stored.key, target, kind),
            marker: keys::marker(app, &stored.key, target, kind),
        }
    }

    /// One that the copy holds as not done may have been done since.
    fn is_known(&self, journal: &[Effect]) -> bool {
        let mut known = journal.iter().filter(|e| e.key == self.key);
        known.any(|e| e.state != State::Absent)
    }

    /// What it made may have been merged into another lead since, which is told anew.
    fn has_made(&self, lead: &Lead, journal: &[Effect]) -> bool {
        let mut known = journal.iter().filter(|e| e.key == self.key);
        known.any(|e| e.state == State::Applied && e.remote_id.as_ref() == Some(&lead.id))
    }

    /// A listing that lags may not show it yet: the sweeper looks again.
    async fn doubt(&self, app: &App) -> Result<(), store::Error> {
        doubt(app, &self.stored.profile, &self.key, &self.stored.key).await
    }

    /// Sent at some time since then, and made at that time: a second one is looked for from there on.
    fn is_done(
        &self,
        app: &App,
        (since, made_at): (Timestamp, Timestamp),
        id: String,
        desired: String,
        journal: &mut Journal<'_>,
    ) {
        tracing::info!(delivery.id = %self.stored.delivery_id, kind = self.kind.name(), "the database was put back, but ClickUp shows that this was done");
        let effect = Effect {
            key: self.key.clone(),
            profile: self.stored.profile.clone(),
            change: self.stored.key.clone(),
            target: self.target.clone(),
            kind: self.kind,
            state: State::Applied,
            desired,
            pre_image: None,
            status_before: None,
            epoch: app.epoch(),
            attempt: 0,
            marker: self.marker.clone(),
            remote_id: Some(id),
            reason: Some(
                "found at ClickUp after an older copy of the database was put back".into(),
            ),
            first_sent_at: since,
            last_sent_at: made_at,
            negatives: 0,
            last_probe_at: Some(clock::now()),
            amended: Vec::new(),
        };
        journal.set_effect(&effect);
    }
}

/// Has an effect looked after for a day.
pub async fn doubt(
    app: &App,
    profile: &str,
    effect: &str,
    change: &str,
) -> Result<(), store::Error> {
    let now = clock::now();
    let doubt = Doubt {
        profile: profile.to_owned(),
        effect: effect.to_owned(),
        change: change.to_owned(),
        until: now + crate::sweep::DAY,
        due: now + SignedDuration::try_from(app.config.sweep).unwrap_or_default(),
    };
    app.store.doubt(&doubt).await
}
