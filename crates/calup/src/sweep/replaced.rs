//! A lead that calup made because nobody answered in time, and about which a person has answered since: its meeting is
//! another lead's, or its person is no lead. It goes, unless somebody has worked on it, or another meeting is on it.

use domain::effect::{Effect, Kind, State};
use domain::lead::NewLead;
use domain::plan::Action;
use store::rows::Stored;
use vendors::Crm;

use super::leads::twin;
use super::twins::{self, Another};
use crate::app::App;
use crate::crash;
use crate::gather::{self, Stop};

/// The meeting is on lead `by` now.
pub async fn remove(
    app: &App,
    crm: &dyn Crm,
    stored: &Stored,
    lead: &str,
    by: &str,
) -> Result<(), Stop> {
    let related = gather::related(app, stored).await?;
    let mine = gather::known_from(app, &related, stored).tokens;
    let is_of_this_meeting = |other: &Stored| {
        let theirs = gather::known_from(app, &related, other).tokens;
        theirs.iter().any(|token| mine.contains(token))
    };
    let _alone = app.shared.leads.of(lead).lock_owned().await;
    for other in related.iter().filter(|other| !is_of_this_meeting(other)) {
        if is_on(app, &related, other, lead).await? {
            return Ok(());
        }
    }
    if is_another_s(app, stored, lead, &mine).await? {
        return Ok(());
    }
    crash::at("replacing");
    let end = end(app, crm, &related, lead).await?;
    crash::at("replaced");
    match end {
        End::NotOurs => {}
        End::Gone => tracing::info!(
            lead,
            by,
            "a late answer gave its meeting to another lead: it was deleted, untouched"
        ),
        End::Stays(why) => {
            let text = format!(
                "the meeting of lead {lead}, which calup made, was given to lead {by} by a late answer; the first stays, because somebody has worked on it: {why}"
            );
            let hint = format!("merge {lead} into {by} in ClickUp");
            app.notify(&format!("replaced:{lead}"), &text, &hint).await;
        }
    }
    Ok(())
}

/// Its person is no lead. Says whether it is gone.
pub async fn take_back(
    app: &App,
    crm: &dyn Crm,
    stored: &Stored,
    lead: &str,
) -> Result<bool, Stop> {
    let related = gather::related(app, stored).await?;
    let _alone = app.shared.leads.of(lead).lock_owned().await;
    for other in related.iter().filter(|other| other.person != stored.person) {
        if is_on(app, &related, other, lead).await? {
            return Ok(false);
        }
    }
    if is_another_s(app, stored, lead, &[]).await? {
        return Ok(false);
    }
    match end(app, crm, &related, lead).await? {
        End::NotOurs => Ok(false),
        End::Gone => {
            tracing::info!(
                lead,
                "a late answer said that this is no lead: it was deleted, untouched"
            );
            Ok(true)
        }
        End::Stays(why) => {
            let text = format!(
                "a late answer said of lead {lead}, which calup made, that it is none; it stays, because somebody has worked on it: {why}"
            );
            let hint = format!("delete {lead} in ClickUp if nobody needs it");
            app.notify(&format!("replaced:{lead}"), &text, &hint).await;
            Ok(false)
        }
    }
}

/// Whether somebody under another address has a meeting on it that is none of `mine`.
async fn is_another_s(
    app: &App,
    stored: &Stored,
    lead: &str,
    mine: &[String],
) -> Result<bool, store::Error> {
    let people = app.store.register(&stored.profile, lead).await?.people;
    for person in people.iter().filter(|person| **person != stored.person) {
        let theirs = app.store.of_person(&stored.profile, person).await?;
        for other in theirs.iter().filter(|other| other.person == *person) {
            let tokens = gather::known_from(app, &theirs, other).tokens;
            let is_mine = tokens.iter().any(|token| mine.contains(token));
            if !is_mine && is_on(app, &theirs, other, lead).await? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Whether its meeting is tied to the lead, or to one that was merged into it; what is at work still has no other sign.
async fn is_on(
    app: &App,
    related: &[Stored],
    change: &Stored,
    lead: &str,
) -> Result<bool, store::Error> {
    if let Some(its) = &change.lead
        && app.store.standing_for(&change.profile, its).await? == lead
    {
        return Ok(true);
    }
    let tokens = gather::known_from(app, related, change).tokens;
    let links = app.store.links(&change.profile, &tokens).await?;
    Ok(links.iter().any(|link| link.lead == lead && !link.gone))
}

enum End {
    Gone,
    Stays(&'static str),
    /// Calup did not make it.
    NotOurs,
}

/// For whoever is alone at the lead.
async fn end(app: &App, crm: &dyn Crm, related: &[Stored], lead: &str) -> Result<End, Stop> {
    let Some((effect, sent)) = made(app, related, lead).await? else {
        return Ok(End::NotOurs);
    };
    let Some(twin) = twin(app, crm, &effect, lead).await? else {
        return Ok(End::Gone);
    };
    let (profile, grace) = (&app.config.profile, app.config.call_timeout());
    let another = Another::of(&effect);
    if let Some(why) = twins::touched(&twin, &sent, another, profile, grace) {
        return Ok(End::Stays(why));
    }
    crm.delete(lead).await?;
    let gone = [lead.to_owned()];
    app.store.unindex(&effect.profile, &gone).await?;
    Ok(End::Gone)
}

/// How it was made, and as what.
async fn made(
    app: &App,
    related: &[Stored],
    lead: &str,
) -> Result<Option<(Effect, NewLead)>, store::Error> {
    for other in related {
        let effects = app.store.effects(&other.profile, &other.key).await?;
        let made = effects.into_iter().find(|e| is_make_of(e, lead));
        if let Some(effect) = made
            && let Ok(Action::Create(sent)) = serde_json::from_str(&effect.desired)
        {
            return Ok(Some((effect, sent)));
        }
    }
    Ok(None)
}

fn is_make_of(effect: &Effect, lead: &str) -> bool {
    effect.kind == Kind::Create
        && effect.state == State::Applied
        && effect.remote_id.as_deref() == Some(lead)
}
