//! Looking up what may have been applied before it is sent again (protocol P6).

use std::time::Duration;

use domain::effect::{Effect, Kind, State};
use domain::lead::{Lead, StatusKind};
use domain::outcome::Failure;
use domain::plan::Action;
use domain::profile::Profile;
use domain::text::essence;
use jiff::{SignedDuration, Timestamp};
use store::rows::{Record, Stored};
use vendors::Crm;

use crate::app::App;
use crate::gather::Stop;
use crate::journal::Journal;
use crate::{clock, execute, guard, keys};

/// Fewer look-ups that found nothing prove nothing.
const NEGATIVES_MIN: u32 = 3;
/// Clocks differ: what we made may bear an earlier time than we sent it at.
pub const SKEW: SignedDuration = SignedDuration::from_secs(120);

/// A create and its last touch by ClickUp itself are not further apart.
pub const OWN_TOUCH: SignedDuration = SignedDuration::from_secs(1);

pub enum Resolved {
    Known,
    Wait(Timestamp),
}

/// Settles every effect of this change whose fate is unknown. Waits are given back as a time.
pub async fn resolve(
    app: &App,
    crm: &dyn Crm,
    stored: &Stored,
    journal: &mut Journal<'_>,
) -> Result<Resolved, Stop> {
    let mut wait: Option<Timestamp> = None;
    let is_unknown = |e: &&Effect| matches!(e.state, State::Unknown | State::Attempting);
    let unknown: Vec<Effect> = journal
        .effects()
        .iter()
        .filter(is_unknown)
        .cloned()
        .collect();
    carried_over(app, crm, journal).await?;
    shown_after_all(app, crm, stored, journal).await?;
    for effect in unknown {
        if let Some(at) = one(app, crm, stored, effect, journal).await? {
            wait = Some(wait.map_or(at, |w| w.min(at)));
        }
    }
    Ok(wait.map_or(Resolved::Known, Resolved::Wait))
}

/// What was held for lost may have come to a second lead before the sweeper carried its comments over to the first.
async fn carried_over(app: &App, crm: &dyn Crm, journal: &mut Journal<'_>) -> Result<(), Stop> {
    let is_lost = |e: &&Effect| e.kind == Kind::Comment && e.state == State::Absent;
    let lost: Vec<Effect> = journal.effects().iter().filter(is_lost).cloned().collect();
    for mut effect in lost {
        let lead = app
            .store
            .standing_for(&effect.profile, &effect.target)
            .await?;
        if lead == effect.target {
            continue;
        }
        if let Looked::Found(id) = commented(crm, &effect, &lead).await? {
            effect.epoch = app.epoch();
            effect.state = State::Applied;
            effect.remote_id = Some(id);
            journal.set_effect(&effect);
        }
    }
    Ok(())
}

/// A lead that was held for lost may show by the time it would be made again. Where its person has got another since, it is
/// the sweeper's.
async fn shown_after_all(
    app: &App,
    crm: &dyn Crm,
    stored: &Stored,
    journal: &mut Journal<'_>,
) -> Result<(), Stop> {
    let is_lost = |e: &&Effect| {
        let was_lost = e.attempt > 1 || e.negatives > 0;
        e.kind == Kind::Create && e.state == State::Absent && was_lost
    };
    let lost: Vec<Effect> = journal.effects().iter().filter(is_lost).cloned().collect();
    for mut effect in lost {
        let person = [format!("person:{}", effect.target)];
        if journal.links(&person).await?.iter().any(|l| !l.gone) {
            continue;
        }
        if let Looked::Found(id) = created(app, crm, stored, &mut effect).await? {
            effect.epoch = app.epoch();
            effect.state = State::Applied;
            effect.remote_id = Some(id);
            journal.set_effect(&effect);
        }
    }
    Ok(())
}

async fn one(
    app: &App,
    crm: &dyn Crm,
    stored: &Stored,
    mut effect: Effect,
    journal: &mut Journal<'_>,
) -> Result<Option<Timestamp>, Stop> {
    effect.epoch = app.epoch();
    // By the steady clock, so from the first look-up of this process.
    let waited = app.waits.of(&effect.key);
    if effect.kind != Kind::Write {
        guard::doubt(app, &effect.profile, &effect.key, &effect.change).await?;
    }
    // What is found is written into the lead's register: as it is while nobody else is at the lead.
    let alone = match effect.kind {
        Kind::Write | Kind::BlockComment => {
            let lead = app
                .store
                .standing_for(&effect.profile, &effect.target)
                .await?;
            let held = app.shared.leads.of(&lead).lock_owned().await;
            journal.forget_what_was_read().await?;
            Some(held)
        }
        Kind::Create | Kind::Comment => None,
    };
    let remote = match effect.kind {
        Kind::Write => written(crm, &app.config.profile, &effect, journal).await?,
        Kind::Create => created(app, crm, stored, &mut effect).await?,
        Kind::Comment | Kind::BlockComment => {
            let lead = app
                .store
                .standing_for(&effect.profile, &effect.target)
                .await?;
            commented(crm, &effect, &lead).await?
        }
    };
    let now = clock::now();
    match remote {
        Looked::Found(id) => {
            tracing::info!(delivery.id = %stored.delivery_id, kind = effect.kind.name(), "an answer was lost, but ClickUp had done it");
            if effect.kind == Kind::BlockComment {
                execute::remember_block_comment(journal, &effect, &id).await?;
            }
            app.waits.is_over(&effect.key);
            effect.state = State::Applied;
            effect.remote_id = Some(id);
            journal.set_effect(&effect);
            if alone.is_some() {
                journal.forget_what_was_read().await?;
            }
            Ok(None)
        }
        Looked::Gone => {
            app.waits.is_over(&effect.key);
            effect.state = State::Absent;
            journal.set_effect(&effect);
            Ok(None)
        }
        Looked::Nothing => {
            effect.negatives += 1;
            effect.last_probe_at = Some(now);
            if effect.negatives >= NEGATIVES_MIN && waited >= quiet(app) {
                app.waits.is_over(&effect.key);
                effect.state = State::Absent;
            }
            journal.set_effect(&effect);
            if alone.is_some() {
                journal.forget_what_was_read().await?;
            }
            let step =
                SignedDuration::from_millis((quiet(app).as_millis() / 3).clamp(100, 20_000) as i64);
            Ok((effect.state != State::Absent).then_some(now + step))
        }
    }
}

/// How long what was sent may still arrive, and then not show yet.
fn quiet(app: &App) -> Duration {
    let config = &app.config;
    config.late_apply + config.index_lag + config.call_timeout()
}

enum Looked {
    Found(String),
    Nothing,
    /// Certainly not there: where it would be is gone, or says otherwise.
    Gone,
}

/// Whether a lead shows what a lost write was to set; then that is remembered as ours. A write that shows nothing yet
/// may still arrive, over what is written later: it is waited for like everything else.
async fn written(
    crm: &dyn Crm,
    profile: &Profile,
    effect: &Effect,
    journal: &mut Journal<'_>,
) -> Result<Looked, Stop> {
    let Ok(Action::Write(write)) = serde_json::from_str(&effect.desired) else {
        return Ok(Looked::Gone);
    };
    let lead = match crm.lead(&effect.target).await {
        Ok(lead) => lead,
        Err(Failure::Gone { .. }) => return Ok(Looked::Gone),
        Err(failure) => return Err(failure.into()),
    };
    let shows_status = write
        .status
        .as_ref()
        .is_none_or(|s| s.to_lowercase() == lead.status.to_lowercase());
    let shows_block = write
        .description
        .as_ref()
        .is_none_or(|d| essence(d) == essence(&lead.description));
    let has_email = write.email.is_none() || lead.emails.iter().any(|e| !e.trim().is_empty());
    // Which of the others its list begins with is not on record.
    let before = effect.status_before.as_deref();
    let is_made_in = before.is_some_and(|status| profile.sets(status));
    if !(shows_status && shows_block && has_email) {
        // Somebody may have written another block over ours; the status is nobody else's.
        let lower = |text: &Option<String>| text.as_ref().map(|s| s.to_lowercase());
        let shown = Some(lead.status.to_lowercase());
        let has_moved = write.status.is_some() && lower(&effect.status_before) != shown;
        let known = journal.register(&effect.target).await?.status_set;
        if shows_status && has_moved && lower(&known) != shown {
            execute::remember_status(journal, effect, &lead.status, is_made_in).await?;
        }
        return Ok(Looked::Nothing);
    }
    execute::remember_written(journal, effect, &write, is_made_in).await?;
    Ok(Looked::Found(effect.target.clone()))
}

/// Nothing more is found out by looking: a person must.
pub async fn give_up(app: &App, stored: &Stored) -> Result<(), store::Error> {
    let all = app.store.effects(&stored.profile, &stored.key).await?;
    let unknown = all.into_iter().filter(|e| e.state == State::Unknown);
    let effects = unknown.map(|effect| Effect {
        state: State::Operator,
        epoch: app.epoch(),
        ..effect
    });
    let record = Record {
        effects: effects.collect(),
        ..Record::default()
    };
    app.store.record(&stored.profile, record).await
}

/// Two routes: the person's listing, and what was made lately. The first to be made wins.
async fn created(
    app: &App,
    crm: &dyn Crm,
    stored: &Stored,
    effect: &mut Effect,
) -> Result<Looked, Failure> {
    let mut hits = Vec::new();
    if let Some(email) = &stored.change.person.email {
        hits.extend(crm.find_by_email(email).await?);
    }
    hits.extend(crm.created_since(effect.first_sent_at - SKEW).await?);
    let found = hits
        .into_iter()
        .filter(|l| keys::carries(&l.description, &effect.marker))
        .min_by_key(|l| (l.created_at, l.id.len(), l.id.clone()));
    if let Some(lead) = &found {
        take_as_made(effect, lead, &app.config.profile);
    }
    Ok(found.map_or(Looked::Nothing, |l| Looked::Found(l.id)))
}

/// An earlier attempt than the last may have made it, in a status that was wanted then: calup's all the same. In one of
/// calup's own statuses people may have edited the rest; in the list's first one, or where there was but one attempt, nobody
/// may have touched the lead. What the last attempt said beyond that, nobody has been told.
fn take_as_made(effect: &mut Effect, lead: &Lead, profile: &Profile) {
    let is_untouched = lead.updated_at <= lead.created_at + OWN_TOUCH;
    if effect.attempt > 1
        && is_untouched
        && let Ok(Action::Create(mut sent)) = serde_json::from_str(&effect.desired)
        && essence(&lead.description) != essence(&sent.description)
    {
        effect.pre_image = Some(std::mem::replace(
            &mut sent.description,
            lead.description.clone(),
        ));
        effect.desired = serde_json::to_string(&Action::Create(sent)).unwrap_or_default();
    }
    // One attempt sent one status only.
    if (effect.attempt > 1 && profile.sets(&lead.status)
        || is_untouched && is_made_in(&lead.status, lead.status_kind, profile))
        && let Ok(Action::Create(mut sent)) = serde_json::from_str(&effect.desired)
        && sent.status.is_some()
    {
        let before = sent.status.replace(lead.status.clone());
        let is_same = |s: &String| s.to_lowercase() == lead.status.to_lowercase();
        if !before.as_ref().is_some_and(is_same) {
            effect.status_before = before;
        }
        effect.desired = serde_json::to_string(&Action::Create(sent)).unwrap_or_default();
    }
}

/// A lead is made in a status of calup's, or in the one that its list begins with. In any other, a person was quick.
pub fn is_made_in(status: &str, kind: StatusKind, profile: &Profile) -> bool {
    kind == StatusKind::Open || profile.sets(status)
}

/// `lead` is the effect's target, or what that was merged into.
async fn commented(crm: &dyn Crm, effect: &Effect, lead: &str) -> Result<Looked, Failure> {
    let comments = match crm.comments(lead, effect.first_sent_at - SKEW).await {
        Ok(comments) => comments,
        Err(Failure::Gone { .. }) => return Ok(Looked::Gone),
        Err(failure) => return Err(failure),
    };
    let found = comments
        .into_iter()
        .filter(|c| keys::carries(&c.text, &effect.marker))
        .min_by_key(|c| c.at);
    Ok(found.map_or(Looked::Nothing, |c| Looked::Found(c.id)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::lead::NewLead;

    fn effect() -> Effect {
        let sent = NewLead {
            name: "Ada Byrd".into(),
            description: "booked".into(),
            status: Some("Meeting Cancelled".into()),
            email: None,
            phone: None,
            answers: Vec::new(),
            with_fields: true,
            plain_type: false,
        };
        Effect {
            key: "e".into(),
            profile: "default".into(),
            change: "c".into(),
            target: "p".into(),
            kind: Kind::Create,
            state: State::Unknown,
            desired: serde_json::to_string(&Action::Create(sent)).expect("plain data"),
            pre_image: None,
            status_before: None,
            epoch: 1,
            attempt: 2,
            marker: "m".into(),
            remote_id: None,
            reason: None,
            first_sent_at: Timestamp::UNIX_EPOCH,
            last_sent_at: Timestamp::UNIX_EPOCH,
            negatives: 0,
            last_probe_at: None,
            amended: Vec::new(),
        }
    }

    fn lead(status: &str, kind: StatusKind, touched_after_ms: i64) -> Lead {
        Lead {
            id: "a".into(),
            list_id: "inbound".into(),
            list_name: "Inbound".into(),
            name: "Ada Byrd".into(),
            status: status.into(),
            status_kind: kind,
            description: "booked".into(),
            description_is_plain: false,
            emails: Vec::new(),
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH + SignedDuration::from_millis(touched_after_ms),
            url: None,
            ours: true,
        }
    }

    fn taken(status: &str, kind: StatusKind, touched_after_ms: i64) -> String {
        let lead = lead(status, kind, touched_after_ms);
        let mut effect = effect();
        take_as_made(&mut effect, &lead, &Profile::default());
        match serde_json::from_str(&effect.desired) {
            Ok(Action::Create(sent)) => sent.status.expect("a status"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_only_the_last_attempt_said_is_not_held_to_have_been_told() {
        let said = |attempt, touched_after_ms| {
            let mut effect = Effect {
                attempt,
                ..effect()
            };
            let lead = lead("meeting booked", StatusKind::Custom, touched_after_ms);
            let made = Lead {
                description: "asked".into(),
                ..lead
            };
            take_as_made(&mut effect, &made, &Profile::default());
            match serde_json::from_str(&effect.desired) {
                Ok(Action::Create(sent)) => sent.description,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(said(2, 0), "asked");
        assert_eq!(said(2, 5_000), "booked");
        assert_eq!(said(1, 0), "booked");
    }

    #[test]
    fn an_earlier_attempt_s_status_is_calup_s_and_a_quick_person_s_is_not() {
        assert_eq!(
            taken("meeting booked", StatusKind::Custom, 0),
            "meeting booked"
        );
        assert_eq!(taken("to do", StatusKind::Open, 0), "to do");
        let edited = taken("meeting booked", StatusKind::Custom, 5_000);
        assert_eq!(edited, "meeting booked");
        let put_back = taken("to do", StatusKind::Open, 5_000);
        assert_eq!(put_back, "Meeting Cancelled");
        for (status, kind) in [
            ("won", StatusKind::Closed),
            ("lost", StatusKind::Done),
            ("negotiating", StatusKind::Custom),
        ] {
            assert_eq!(taken(status, kind, 756), "Meeting Cancelled");
        }
    }
}
