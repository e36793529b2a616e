//! A lead that calup made because nobody answered in time, and whose meeting a person has given to another since: it
//! goes, unless somebody has worked on it, or another meeting is on it.

use domain::effect::{Effect, Kind, State};
use domain::plan::Action;
use store::rows::Stored;
use vendors::Crm;

use super::leads::twin;
use super::twins;
use crate::app::App;
use crate::gather::{self, Stop};

pub async fn remove(
    app: &App,
    crm: &dyn Crm,
    stored: &Stored,
    lead: &str,
    by: &str,
) -> Result<(), Stop> {
    let related = gather::related(app, stored).await?;
    let mut made = None;
    for other in &related {
        let effects = app.store.effects(&other.profile, &other.key).await?;
        made = made.or_else(|| effects.into_iter().find(|e| is_make_of(e, lead)));
    }
    let Some(effect) = made else {
        return Ok(());
    };
    let Ok(Action::Create(sent)) = serde_json::from_str::<Action>(&effect.desired) else {
        return Ok(());
    };
    let is_used = |other: &&Stored| {
        other.key != stored.key
            && other.lead.as_deref() == Some(lead)
            && other.change.booking.uid != stored.change.booking.uid
    };
    if related.iter().any(|other| is_used(&other)) {
        return Ok(());
    }
    let _alone = app.lead_lock(lead).lock_owned().await;
    let Some(twin) = twin(app, crm, &effect, lead).await? else {
        return Ok(());
    };
    let (profile, grace) = (&app.config.profile, app.config.call_timeout());
    if let Some(why) = twins::touched(&twin, &sent, profile, grace) {
        let text = format!(
            "the meeting of lead {lead}, which calup made, was given to lead {by} by a late answer; the first stays, because somebody has worked on it: {why}"
        );
        let hint = format!("merge {lead} into {by} in ClickUp");
        app.notify(&format!("replaced:{lead}"), &text, &hint).await;
        return Ok(());
    }
    crm.delete(lead).await?;
    app.store
        .unindex(&stored.profile, &[lead.to_owned()])
        .await?;
    tracing::info!(
        lead,
        by,
        "a late answer gave its meeting to another lead: it was deleted, untouched"
    );
    Ok(())
}

fn is_make_of(effect: &Effect, lead: &str) -> bool {
    effect.kind == Kind::Create
        && effect.state == State::Applied
        && effect.remote_id.as_deref() == Some(lead)
}
