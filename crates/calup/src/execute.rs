//! Carrying a plan out: per action the intent is committed, then the call made; its result is committed with the next
//! intent, or with the change's end.

use std::time::Duration;

use domain::effect::{Effect, Kind, State};
use domain::facts::{Facts, Found};
use domain::lead::{Lead, NewLead, RichText, Run, Write};
use domain::outcome::{Cause, Failure};
use domain::plan::{Action, Plan};
use jiff::SignedDuration;
use store::rows::{Link, PEOPLE_MAX, Stored};
use tokio::time::Instant;
use vendors::Crm;

use crate::app::App;
use crate::gather::{Background, FIELD_QUOTA, Stop, is_strange};
use crate::journal::Journal;
use crate::{clock, crash, index, keys, lookup};

pub enum Step {
    /// Everything is done (or dead); the lead that was made, if one was.
    Done(Option<String>),
    /// Something was refused and can be left out: plan again.
    Amended,
    /// What was read is too old to write by: gather again.
    Stale,
    Failed(Failure),
}

/// A lead is not written by what was read longer ago than this.
const SNAPSHOT_MAX: Duration = Duration::from_secs(1);
/// How a lead is linked that calup made.
pub const MADE: &str = "made by calup";
const QUOTA_REMEMBERED: SignedDuration = SignedDuration::from_hours(24);

pub async fn all(
    app: &App,
    crm: &dyn Crm,
    stored: &Stored,
    background: &Background,
    facts: &Facts,
    plan: &Plan,
    journal: &mut Journal<'_>,
) -> Result<Step, Stop> {
    let mut made = None;
    for action in &plan.actions {
        let lead = match &facts.found {
            Found::Lead(lead, _) => Some(lead.as_ref()),
            Found::Nobody | Found::Deleted => None,
        };
        let target = lead.map_or(stored.person.as_str(), |l| l.id.as_str());
        let began = Instant::now();
        room(crm, 1, journal).await?;
        if lead.is_some() && began.elapsed() > SNAPSHOT_MAX {
            // The limit made us wait: people may have edited the lead since it was read.
            return Ok(Step::Stale);
        }
        let mut effect = intent(app, stored, target, action, lead, journal).await?;
        let kind = effect.kind.name();
        crash::on("intent", kind);
        crash::soon("sent", kind);
        let sent = match action {
            Action::Create(new) => crm.create(new).await.map(|lead| Some(lead.id)),
            Action::Write(write) => crm.write(target, write).await.map(|()| None),
            Action::Comment(text) => crm.comment(target, text).await.map(Some),
            Action::BlockComment(text) => {
                block_comment(app, crm, stored, &effect, text, journal).await?
            }
        };
        crash::on("answered", kind);
        match sent {
            Ok(id) => {
                effect.state = State::Applied;
                effect.remote_id.clone_from(&id);
                effect.reason = None;
                if let Action::Write(write) = action {
                    let profile = &app.config.profile;
                    let is_made_in = lead.is_some_and(|lead| {
                        lookup::is_made_in(&lead.status, lead.status_kind, profile)
                    });
                    remember_written(journal, &effect, write, is_made_in).await?;
                    if let Some(lead) = lead {
                        index::wrote(app, lead, write).await;
                    }
                }
                journal.set_effect(&effect);
                if effect.kind == Kind::Create
                    && let Some(id) = id
                {
                    remember_created(background, &id, &effect, journal).await?;
                    made = Some(id);
                }
            }
            Err(failure) => match settle(app, &mut effect, failure, journal).await? {
                None => return Ok(Step::Amended),
                Some(failure) => return Ok(Step::Failed(failure)),
            },
        }
    }
    Ok(Step::Done(made))
}

/// Waits until the limit leaves room; what is done is recorded before that takes a while.
pub async fn room(crm: &dyn Crm, calls: u32, journal: &mut Journal<'_>) -> Result<(), Stop> {
    let ready = crm.ready(calls);
    tokio::pin!(ready);
    tokio::select! {
        biased;
        ready = &mut ready => return Ok(ready?),
        () = std::future::ready(()) => {}
    }
    journal.record().await?;
    Ok(ready.await?)
}

/// Commits the intent before the first byte is sent.
async fn intent(
    app: &App,
    stored: &Stored,
    target: &str,
    action: &Action,
    before: Option<&Lead>,
    journal: &mut Journal<'_>,
) -> Result<Effect, store::Error> {
    let profile = &app.config.profile.name;
    let kind = action.kind();
    let change = stored.key.as_str();
    let key = keys::effect(profile, change, target, kind);
    let now = clock::now();
    let known = journal.effects().iter().find(|e| e.key == key).cloned();
    let desired = serde_json::to_string(action).unwrap_or_default();
    // What it takes to undo it by hand.
    let (pre_image, status_before) = match (action, before) {
        (Action::Write(write), Some(lead)) => (
            write.description.as_ref().map(|_| lead.description.clone()),
            write.status.as_ref().map(|_| lead.status.clone()),
        ),
        (Action::Create(lead), _) => {
            let before = known.as_ref().and_then(sent);
            let (description, status) = before.map(|b| (b.description, b.status)).unzip();
            (
                description.filter(|before| *before != lead.description),
                status.flatten().filter(|s| Some(s) != lead.status.as_ref()),
            )
        }
        (Action::Write(_) | Action::Comment(_) | Action::BlockComment(_), _) => (None, None),
    };
    let effect = Effect {
        profile: profile.clone(),
        change: change.to_owned(),
        target: target.to_owned(),
        kind,
        state: State::Attempting,
        desired,
        pre_image: pre_image.or_else(|| known.as_ref()?.pre_image.clone()),
        status_before: status_before.or_else(|| known.as_ref()?.status_before.clone()),
        epoch: app.epoch(),
        attempt: known.as_ref().map_or(0, |k| k.attempt) + 1,
        marker: keys::marker(app, change, target, kind),
        remote_id: known.as_ref().and_then(|k| k.remote_id.clone()),
        reason: None,
        first_sent_at: known.as_ref().map_or(now, |k| k.first_sent_at),
        last_sent_at: now,
        negatives: 0,
        last_probe_at: None,
        amended: known.map(|k| k.amended).unwrap_or_default(),
        key,
    };
    journal.set_effect(&effect);
    journal.record().await?;
    Ok(effect)
}

/// What the last attempt of a create sent.
fn sent(effect: &Effect) -> Option<NewLead> {
    match serde_json::from_str(&effect.desired) {
        Ok(Action::Create(sent)) => Some(sent),
        _ => None,
    }
}

type Sent = Result<Option<String>, Failure>;

async fn block_comment(
    app: &App,
    crm: &dyn Crm,
    stored: &Stored,
    effect: &Effect,
    text: &RichText,
    journal: &mut Journal<'_>,
) -> Result<Sent, store::Error> {
    let target = effect.target.as_str();
    let mut register = journal.register(target).await?;
    let mut marked = text.clone();
    let markers = format!("{} {}", effect.marker, keys::block_comment(app, target));
    let line = domain::wording::marker_line(&stored.change.booking.uid, &markers);
    marked.push(Run {
        text: format!("\n{line}"),
        bold: false,
        link: None,
    });
    let sent = match &register.block_comment {
        Some(id) => match crm.edit_comment(id, &marked).await {
            // A person removed the comment: it does not come back.
            Err(Failure::Gone { .. }) => {
                register.block_removed = true;
                Ok(Some(id.clone()))
            }
            done => done.map(|()| Some(id.clone())),
        },
        None => crm.comment(target, &marked).await.map(Some),
    };
    if let Ok(id) = &sent {
        register.block_comment.clone_from(id);
        register.block_comment_text = Some(text.iter().map(|r| r.text.as_str()).collect());
        journal.set_register(target, register);
    }
    Ok(sent)
}

/// Records how a call failed. `None`: it can be planned again, now; else the failure ends the attempt.
async fn settle(
    app: &App,
    effect: &mut Effect,
    failure: Failure,
    journal: &mut Journal<'_>,
) -> Result<Option<Failure>, store::Error> {
    effect.reason = Some(failure.to_string());
    let again = match &failure {
        Failure::Transient { .. } | Failure::Limited { .. } | Failure::NeedsOperator { .. } => {
            effect.state = State::Absent;
            Some(failure)
        }
        Failure::Unknown { .. } => {
            effect.state = State::Unknown;
            Some(failure)
        }
        Failure::Gone { .. } => {
            // The lead was deleted as we wrote: gathering finds that out and matches once more.
            effect.state = State::Absent;
            Some(failure)
        }
        Failure::Refused { cause, .. } => {
            if can_amend(effect, *cause) {
                effect.amended.push(*cause);
                effect.state = State::Absent;
                tell_refusal(app, *cause).await?;
            } else {
                effect.state = State::Dead;
            }
            None
        }
    };
    journal.set_effect(effect);
    Ok(again)
}

async fn tell_refusal(app: &App, cause: Cause) -> Result<(), store::Error> {
    let profile = &app.config.profile.name;
    match cause {
        Cause::Quota => {
            app.store
                .remember(profile, FIELD_QUOTA, clock::now() + QUOTA_REMEMBERED)
                .await?;
            app.notify(
                "field-quota",
                "ClickUp's plan allows no more uses of custom fields: leads are made without them for 24 hours",
                "upgrade the ClickUp plan, or put up with leads that have their e-mail in the description only",
            )
            .await;
        }
        Cause::Field => {
            app.notify(
                "field-refused",
                "ClickUp refused a custom field's value: the lead was made without fields",
                "check that the Email field is of type e-mail and belongs to the inbound list",
            )
            .await;
        }
        // Told by the plan, which has read the list's statuses again.
        Cause::Status | Cause::Type | Cause::Other => {}
    }
    Ok(())
}

/// What calup set on a lead, for the guards to know later. `is_made_in`: leads are made in the status before.
pub async fn remember_written(
    journal: &mut Journal<'_>,
    effect: &Effect,
    write: &Write,
    is_made_in: bool,
) -> Result<(), store::Error> {
    let lead = effect.target.as_str();
    if let Some(status) = &write.status {
        remember_status(journal, effect, status, is_made_in).await?;
    }
    let mut register = journal.register(lead).await?;
    register.block_written |= write.description.is_some();
    journal.set_register(lead, register);
    Ok(())
}

/// The same of the status alone.
pub async fn remember_status(
    journal: &mut Journal<'_>,
    effect: &Effect,
    status: &str,
    is_made_in: bool,
) -> Result<(), store::Error> {
    let mut register = journal.register(&effect.target).await?;
    let lower = |text: &Option<String>| text.as_deref().map(str::to_lowercase);
    let (set, before) = (lower(&register.status_set), lower(&effect.status_before));
    // Where calup has set none yet, it may be a lead that a late create made: what it was made in, nobody moved it to.
    let is_ours = set == before || set.is_none() && is_made_in;
    register.worked_on |= before.is_some() && !is_ours;
    register.status_set = Some(status.to_owned());
    journal.set_register(&effect.target, register);
    Ok(())
}

/// The comment that holds a lead's block was found, though its answer was lost.
pub async fn remember_block_comment(
    journal: &mut Journal<'_>,
    effect: &Effect,
    id: &str,
) -> Result<(), store::Error> {
    let mut register = journal.register(&effect.target).await?;
    if register.block_comment.is_some() {
        return Ok(());
    }
    register.block_comment = Some(id.to_owned());
    if let Ok(Action::BlockComment(text)) = serde_json::from_str(&effect.desired) {
        register.block_comment_text = Some(text.iter().map(|r| r.text.as_str()).collect());
    }
    journal.set_register(&effect.target, register);
    Ok(())
}

/// Links a lead that we made, and remembers what we put into it.
pub async fn remember_created(
    background: &Background,
    id: &str,
    effect: &Effect,
    journal: &mut Journal<'_>,
) -> Result<(), store::Error> {
    let mut register = journal.register(id).await?;
    if let Ok(Action::Create(new)) = serde_json::from_str::<Action>(&effect.desired) {
        register.status_set = new.status;
        register.block_written =
            domain::fence::find(&new.description) != domain::fence::Fenced::Absent;
    }
    journal.set_register(id, register);
    link(background, id, MADE, true, journal).await
}

/// What the plan saw of the lead and later plans need to know.
pub async fn remember_seen(
    journal: &mut Journal<'_>,
    lead: &str,
    plan: &Plan,
) -> Result<(), store::Error> {
    let mut register = journal.register(lead).await?;
    register.block_removed |= plan.block_removed;
    if let Some(status) = &plan.status_taken {
        register.status_set = Some(status.clone());
    }
    journal.set_register(lead, register);
    Ok(())
}

/// Ties the change's chain, and its person, to a lead.
pub async fn link(
    background: &Background,
    lead: &str,
    how: &str,
    is_person: bool,
    journal: &mut Journal<'_>,
) -> Result<(), store::Error> {
    // Through somebody else's meeting nobody becomes the lead's person.
    let only = !is_person && is_strange(background, lead, journal).await?;
    let person = is_person.then(|| background.person.clone());
    let wanted: Vec<String> = background.tokens.iter().cloned().chain(person).collect();
    let have = journal.links(&wanted).await?;
    let is_there = |t: &String| {
        have.iter()
            .any(|l| l.token == *t && l.lead == lead && !l.gone)
    };
    let missing = wanted.into_iter().filter(|t| !is_there(t));
    let links: Vec<Link> = missing
        .map(|token| Link {
            token,
            lead: lead.to_owned(),
            how: how.to_owned(),
            gone: false,
            only,
        })
        .collect();
    journal.set_links(links);
    shows(background, lead, journal).await
}

/// Whose meetings are shown on the lead.
async fn shows(
    background: &Background,
    lead: &str,
    journal: &mut Journal<'_>,
) -> Result<(), store::Error> {
    let mut register = journal.register(lead).await?;
    let person = background.person.trim_start_matches("person:");
    if register.people.len() < PEOPLE_MAX && !register.people.iter().any(|p| p == person) {
        register.people.push(person.to_owned());
        journal.set_register(lead, register);
    }
    Ok(())
}

/// Whether a refusal can be amended, and was not before.
fn can_amend(effect: &Effect, cause: Cause) -> bool {
    !effect.amended.contains(&cause) && cause != Cause::Other
}
