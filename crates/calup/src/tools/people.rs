//! Who is meant: people in the CRM, as they are there now.

use domain::lead::Lead;
use domain::name;
use domain::outcome::Failure;
use futures_util::future::join_all;
use serde_json::{Value, json};
use vendors::Crm;

use super::{Desk, Trouble, said};
use crate::gather::Stop;
use crate::index;

pub const SHOWN_MAX: usize = 8;
const QUERY_CHARS_MAX: usize = 254;
/// Of those the index gives, so many are compared.
const SOUGHT_MAX: usize = 200;

pub struct Found {
    pub people: Vec<Lead>,
    pub more: bool,
    /// What may be missing, and why.
    pub note: Option<String>,
}

/// By an address exactly, else by any part of a name.
pub async fn find(desk: &Desk<'_>, query: &str) -> Result<Found, Trouble> {
    let crm = crm(desk)?;
    if query.chars().count() > QUERY_CHARS_MAX {
        return Err(Trouble::input(
            "that is too long for a name or an address",
            "ask for one person",
        ));
    }
    if query.contains('@') {
        let mut people = crm.find_by_email(query).await?;
        let more = people.len() > SHOWN_MAX;
        people.sort_by_key(|lead| std::cmp::Reverse(lead.updated_at));
        people.truncate(SHOWN_MAX);
        return Ok(Found {
            people,
            more,
            note: None,
        });
    }
    let app = desk.app;
    if app.config.question_patience.is_zero() {
        return Err(Trouble::setup(
            "people cannot be found by name here, only by e-mail",
            "CALUP_QUESTION_HOURS is 0, which turns the index of names off; ask for the e-mail",
        ));
    }
    index::freshen(app, crm.as_ref()).await.map_err(stopped)?;
    index::look_once(app, crm.as_ref()).await.map_err(stopped)?;
    let meant = name::Booker {
        name: query,
        email: None,
        company: None,
    };
    let read = meant.read();
    let tokens: Vec<String> = read
        .search_tokens()
        .into_iter()
        .chain(read.part_tokens())
        .collect();
    let found = app
        .store
        .resembling(desk.profile(), &tokens, SOUGHT_MAX)
        .await?;
    let mut ranked: Vec<_> = found
        .iter()
        .map(|lead| {
            let candidate = name::Candidate {
                name: &lead.name,
                emails: &lead.emails,
                company: lead.company.as_deref(),
            };
            (read.resemblance(&candidate.read()).score(), lead)
        })
        .collect();
    // Sorted stably: on a tie who shares more tokens, then who was updated last.
    ranked.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    let more = ranked.len() > SHOWN_MAX;
    let best = ranked.into_iter().take(SHOWN_MAX);
    let read = join_all(best.map(|(_, known)| crm.lead(&known.lead))).await;
    let mut people = Vec::new();
    for lead in read {
        match lead {
            Ok(lead) => people.push(lead),
            Err(Failure::Gone { .. }) => {}
            Err(failure) => return Err(failure.into()),
        }
    }
    let indexing = app.store.indexing(desk.profile()).await?;
    let note = indexing.filled_at.is_none().then(|| {
        "not all names are known yet: a running `calup serve` reads all of the CRM's people, and of many somebody may be missing until then"
            .to_owned()
    });
    Ok(Found { people, more, note })
}

/// The one with this id, if it is in one of the profile's lists.
pub async fn by_id(desk: &Desk<'_>, id: &str) -> Result<Lead, Trouble> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let nobody = || {
        Trouble::not_there(
            "there is no such person in the CRM's lists",
            "find the person with crm_find_person, and take the task_id from there",
        )
    };
    if id.is_empty() || id.len() > 64 || !id.bytes().all(is_plain) {
        return Err(nobody());
    }
    let lead = match crm(desk)?.lead(id).await {
        Ok(lead) => lead,
        Err(Failure::Gone { .. }) => return Err(nobody()),
        Err(failure) => return Err(failure.into()),
    };
    let profile = &desk.app.config.profile;
    let is_ours =
        profile.inbound_list_id == lead.list_id || profile.match_list_ids.contains(&lead.list_id);
    is_ours.then_some(lead).ok_or_else(nobody)
}

pub async fn by_email(desk: &Desk<'_>, email: &str) -> Result<Option<Lead>, Trouble> {
    let leads = crm(desk)?.find_by_email(email).await?;
    Ok(domain::matching::choose(&leads, email, &desk.app.config.profile).cloned())
}

pub fn shown(lead: &Lead) -> Value {
    json!({
        "task_id": lead.id, "name": said::theirs(&lead.name),
        "email": lead.emails.first().map(|email| said::address(email)), "list": lead.list_name,
        "status": lead.status, "url": lead.url,
    })
}

fn crm(desk: &Desk<'_>) -> Result<std::sync::Arc<dyn Crm>, Trouble> {
    desk.app
        .crm()
        .ok_or_else(|| Trouble::setup("ClickUp is not connected", "set CLICKUP_API_TOKEN"))
}

fn stopped(stop: Stop) -> Trouble {
    match stop {
        Stop::Crm(failure) => failure.into(),
        Stop::Store(error) => error.into(),
    }
}
