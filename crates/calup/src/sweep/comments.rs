//! Comments of ours that stand there twice: the younger goes, unless somebody took it up.

use domain::effect::{Effect, Kind};
use domain::lead::Posted;
use domain::outcome::Failure;
use domain::plan::Action;
use store::rows::Record;
use vendors::Crm;

use super::{SKEW, is_of_an_attempt, oldest_first, told};
use crate::app::App;
use crate::gather::Stop;
use crate::{crash, keys};

pub async fn look(app: &App, crm: &dyn Crm, effect: &Effect) -> Result<(), Stop> {
    // Nobody else writes to the lead, or to what is remembered of it, meanwhile.
    let _lead = app.shared.leads.of(&effect.target).lock_owned().await;
    let posted = match crm
        .comments(&effect.target, effect.first_sent_at - SKEW)
        .await
    {
        Ok(posted) => posted,
        // With the lead went its comments.
        Err(Failure::Gone { .. }) => return Ok(()),
        Err(failure) => return Err(failure.into()),
    };
    let ours: Vec<Posted> = posted
        .into_iter()
        .filter(|c| c.ours && keys::carries(&c.text, &effect.marker))
        .filter(|c| is_of_an_attempt(effect, c.at))
        .collect();
    let ours = oldest_first(ours, |c| (c.at, &c.id));
    let Some((older, younger)) = ours.split_first() else {
        return Ok(());
    };
    // What stands at the lead by then may have changed the words between two attempts.
    let sent = sent(effect);
    for twin in younger {
        let is_as_sent = [Some(older.text.trim()), sent.as_deref().map(str::trim)]
            .contains(&Some(twin.text.trim()));
        if twin.taken_up || !is_as_sent {
            tell(app, &effect.target, older, twin).await;
            continue;
        }
        if effect.kind == Kind::BlockComment {
            keep_as_block(app, &effect.profile, &effect.target, older, twin).await?;
        }
        remove(crm, &effect.target, twin).await?;
    }
    Ok(())
}

/// What was carried from a second lead to the first may have got there twice, where carrying it was cut short.
pub async fn look_for_carried(
    app: &App,
    crm: &dyn Crm,
    create: &Effect,
    lead: &str,
) -> Result<(), Stop> {
    let _lead = app.shared.leads.of(lead).lock_owned().await;
    let posted = match crm.comments(lead, create.first_sent_at - SKEW).await {
        Ok(posted) => posted,
        Err(Failure::Gone { .. }) => return Ok(()),
        Err(failure) => return Err(failure.into()),
    };
    let ours: Vec<Posted> = posted
        .into_iter()
        .filter(|c| c.ours && is_of_an_attempt(create, c.at))
        .collect();
    for (older, twin) in told::told_twice(&oldest_first(ours, |c| (c.at, &c.id))) {
        if twin.taken_up {
            tell(app, lead, older, twin).await;
            continue;
        }
        keep_as_block(app, &create.profile, lead, older, twin).await?;
        remove(crm, lead, twin).await?;
    }
    Ok(())
}

async fn tell(app: &App, lead: &str, older: &Posted, twin: &Posted) {
    let text = format!(
        "a comment on lead {lead} stands there twice ({} and {}), and somebody has worked on the second",
        older.id, twin.id
    );
    let hint = "delete one of them in ClickUp";
    app.notify(&format!("doubled:{}", twin.id), &text, hint)
        .await;
}

async fn remove(crm: &dyn Crm, lead: &str, twin: &Posted) -> Result<(), Failure> {
    crm.delete_comment(&twin.id).await?;
    crash::at("deleted");
    tracing::info!(lead, comment = %twin.id, "a comment of ours stood there twice: the second was deleted");
    Ok(())
}

/// As the last attempt sent it.
fn sent(effect: &Effect) -> Option<String> {
    match serde_json::from_str(&effect.desired) {
        Ok(Action::Comment(text)) => Some(text.iter().map(|run| run.text.as_str()).collect()),
        Ok(Action::Create(_) | Action::Write(_) | Action::BlockComment(_)) | Err(_) => None,
    }
}

/// The comment that later blocks are written into must be the one that stays.
async fn keep_as_block(
    app: &App,
    profile: &str,
    lead: &str,
    older: &Posted,
    twin: &Posted,
) -> Result<(), store::Error> {
    let mut register = app.store.register(profile, lead).await?;
    if register.block_comment.as_ref() == Some(&twin.id) {
        register.block_comment = Some(older.id.clone());
        let record = Record {
            registers: vec![(lead.to_owned(), register)],
            ..Record::default()
        };
        app.store.record(profile, record).await?;
    }
    Ok(())
}
