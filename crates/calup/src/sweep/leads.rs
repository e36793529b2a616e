//! A lead that was made twice: the older stays, gets what is only on the younger, and the younger goes.

use domain::effect::{Effect, Kind, State};
use domain::lead::{Lead, NewLead, Posted, Run, Write};
use domain::outcome::Failure;
use domain::plan::Action;
use store::rows::{Record, Register};
use vendors::Crm;

use super::twins::{self, Another, Twin};
use super::{SKEW, comments, is_of_an_attempt, oldest_first, told, without_repeats};
use crate::app::App;
use crate::gather::Stop;
use crate::{crash, guard, keys};

/// So begins the reason of a create of which a second lead was merged into the first.
const MADE_TWICE: &str = "made twice";

pub async fn look(app: &App, crm: &dyn Crm, effect: &Effect, made: &[Lead]) -> Result<(), Stop> {
    let Some((sent, ours)) = ours(crm, effect, made).await? else {
        return Ok(());
    };
    let Some((older, younger)) = ours.split_first() else {
        return Ok(());
    };
    for twin in younger {
        merge(app, crm, effect, &sent, &older.id, &twin.id).await?;
    }
    if younger.is_empty() && was_merged(effect) {
        comments::look_for_carried(app, crm, effect, &older.id).await?;
    }
    Ok(())
}

fn was_merged(create: &Effect) -> bool {
    let reason = create.reason.as_ref();
    reason.is_some_and(|reason| reason.starts_with(MADE_TWICE))
}

/// A create that was held for lost, and not sent again, for its person got a lead by another meeting: what it made after
/// all is the second.
pub async fn look_for_lost(
    app: &App,
    crm: &dyn Crm,
    effect: &Effect,
    made: &[Lead],
) -> Result<(), Stop> {
    let token = format!("person:{}", effect.target);
    let links = app.store.links(&effect.profile, &[token]).await?;
    let Some(kept) = links.iter().find(|link| !link.gone) else {
        return Ok(());
    };
    let Some((sent, ours)) = ours(crm, effect, made).await? else {
        return Ok(());
    };
    // It may be one of those that it made, and not the oldest.
    let stays = match ours.first() {
        Some(oldest) if ours.iter().any(|l| l.id == kept.lead) => &oldest.id,
        _ => &kept.lead,
    };
    let late: Vec<&Lead> = ours.iter().filter(|late| late.id != *stays).collect();
    if late.is_empty() && was_merged(effect) {
        return comments::look_for_carried(app, crm, effect, stays).await;
    }
    for late in late {
        merge(app, crm, effect, &sent, stays, &late.id).await?;
    }
    Ok(())
}

/// As what it was made, and whatever it has made, the oldest first. `None` without what was sent: nobody can say then
/// what people changed since.
async fn ours(
    crm: &dyn Crm,
    effect: &Effect,
    made: &[Lead],
) -> Result<Option<(NewLead, Vec<Lead>)>, Failure> {
    let Ok(Action::Create(sent)) = serde_json::from_str::<Action>(&effect.desired) else {
        return Ok(None);
    };
    let mut found = made.to_vec();
    if let Some(email) = &sent.email {
        found.extend(crm.find_by_email(email).await?);
    }
    // A person may have moved it to where nobody lists it.
    if let Some(known) = &effect.remote_id
        && !found.iter().any(|lead| lead.id == *known)
    {
        match crm.lead(known).await {
            Ok(lead) => found.push(lead),
            Err(Failure::Gone { .. }) => {}
            Err(failure) => return Err(failure),
        }
    }
    let ours = without_repeats(found)
        .into_iter()
        .filter(|l| l.ours && keys::carries(&l.description, &effect.marker))
        .filter(|l| is_of_an_attempt(effect, l.created_at))
        .collect();
    let ours = oldest_first(ours, |l: &Lead| (l.created_at, &l.id));
    Ok(Some((sent, ours)))
}

async fn merge(
    app: &App,
    crm: &dyn Crm,
    effect: &Effect,
    sent: &NewLead,
    older: &str,
    younger: &str,
) -> Result<(), Stop> {
    // Nobody else reads or writes either meanwhile.
    let (first, second) = (older.min(younger), older.max(younger));
    let _first = app.shared.leads.of(first).lock_owned().await;
    let _second = app.shared.leads.of(second).lock_owned().await;
    if !is_unchanged(app, effect).await? {
        return Ok(());
    }
    // The one that is written to comes last: what people have written to it by then is seen.
    let Some(younger) = twin(app, crm, effect, younger).await? else {
        return Ok(());
    };
    let Some(older) = twin(app, crm, effect, older).await? else {
        return Ok(());
    };
    // A person has copied the second, and the copy is in use: which of the two is meant is for people to say.
    if !older.lead.ours && keys::carries(&older.lead.description, &effect.marker) {
        return Ok(());
    }
    let grace = app.config.call_timeout();
    let profile = &app.config.profile;
    let another = Another::of(effect);
    if let Some(why) = twins::touched(&younger, sent, another, profile, grace) {
        let text = format!(
            "a lead was made twice in ClickUp ({} and {}), and somebody has worked on the second: {why}",
            older.lead.id, younger.lead.id
        );
        let hint = "merge the two in ClickUp, keeping the first";
        let cause = format!("doubled:{}", younger.lead.id);
        app.notify(&cause, &text, hint).await;
        return Ok(());
    }
    let known = effect.remote_id.as_deref();
    let write = twins::carried(&older, &younger, sent, profile, known);
    let mut register = older.register.clone();
    if register.status_set.is_none() {
        guard::as_ours(&mut register, &older.lead, profile);
    }
    if twins::shows_status_of(&older, &younger, known) {
        register.status_set.clone_from(&younger.register.status_set);
    }
    for person in &younger.register.people {
        if !register.people.contains(person) {
            register.people.push(person.clone());
        }
    }
    if write != Write::default() {
        crm.write(&older.lead.id, &write).await?;
        if write.status.is_some() {
            register.status_set = write.status;
        }
        register.block_written |= write.description.is_some();
    }
    for comment in told::only_there(&older.comments, &younger.comments) {
        let id = crm.comment(&older.lead.id, &as_text(comment)).await?;
        crash::at("moved");
        if younger.register.block_comment.as_ref() == Some(&comment.id) {
            register.block_comment = Some(id);
            register.block_comment_text = younger.register.block_comment_text.clone();
        }
    }
    remember(app, effect, &older, &younger, &register).await?;
    crash::at("merged");
    crm.delete(&younger.lead.id).await?;
    crash::at("deleted");
    let gone = [younger.lead.id.clone()];
    app.store.unindex(&effect.profile, &gone).await?;
    tracing::info!(lead = %older.lead.id, second = %younger.lead.id, "a lead was made twice: the second was deleted");
    Ok(())
}

/// Whether its change has not sent it again, or found out about it, since it was read.
async fn is_unchanged(app: &App, effect: &Effect) -> Result<bool, store::Error> {
    let effects = app.store.effects(&effect.profile, &effect.change).await?;
    Ok(effects
        .iter()
        .any(|e| e.key == effect.key && (e.state, e.attempt) == (effect.state, effect.attempt)))
}

/// `None` when it is gone.
pub(super) async fn twin(
    app: &App,
    crm: &dyn Crm,
    effect: &Effect,
    id: &str,
) -> Result<Option<Twin>, Stop> {
    let read = async {
        let lead = crm.lead(id).await?;
        let comments = crm.comments(id, effect.first_sent_at - SKEW).await?;
        Ok((lead, comments))
    };
    let (lead, comments) = match read.await {
        Ok(read) => read,
        Err(Failure::Gone { .. }) => return Ok(None),
        Err(failure) => return Err(Stop::Crm(failure)),
    };
    Ok(Some(Twin {
        register: app.store.register(&effect.profile, id).await?,
        last_sent: app.store.last_sent(&effect.profile, id, None).await?,
        last_written: app
            .store
            .last_sent(&effect.profile, id, Some(Kind::Write))
            .await?,
        lead,
        comments,
    }))
}

/// Before anything is deleted: what names the younger means the older from now on.
async fn remember(
    app: &App,
    effect: &Effect,
    older: &Twin,
    younger: &Twin,
    register: &Register,
) -> Result<(), store::Error> {
    let (profile, kept) = (&effect.profile, &older.lead.id);
    app.store.merge(profile, &younger.lead.id, kept).await?;
    let merged = Effect {
        remote_id: (effect.state != State::Absent).then(|| kept.clone()),
        reason: Some(format!(
            "{MADE_TWICE}, because an answer was lost; the second, {}, was deleted",
            younger.lead.id
        )),
        epoch: app.epoch(),
        ..effect.clone()
    };
    let record = Record {
        effects: vec![merged],
        registers: vec![(kept.clone(), register.clone())],
        ..Record::default()
    };
    app.store.record(profile, record).await
}

fn as_text(comment: &Posted) -> Vec<Run> {
    vec![Run {
        text: comment.text.trim_end().to_owned(),
        bold: false,
        link: None,
    }]
}
