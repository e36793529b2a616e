//! `cal_get_booking_link`.

use serde_json::{Value, json};
use vendors::cal::api::{EventType, nearest};

use super::{Answer, Desk, Input, Tool, Trouble, said};
use crate::calcom::Account;

pub struct BookingLink;

#[async_trait::async_trait]
impl Tool for BookingLink {
    fn name(&self) -> &'static str {
        "cal_get_booking_link"
    }

    fn title(&self) -> &'static str {
        "Booking link"
    }

    fn description(&self) -> &'static str {
        "Gives the booking link of an event type, by its slug. For a draft to a person who is in the CRM, \
         cal_link_for_person gives a better one. If several event types fit what the user said, ask which one is meant."
    }

    fn input_schema(&self) -> Value {
        json!({
            "type": "object",
            "properties": {
                "event_type_slug": { "type": "string", "description": "The event type's slug, from cal_get_event_types" },
            },
            "required": ["event_type_slug"],
        })
    }

    async fn call(&self, desk: &Desk<'_>, input: &Input) -> Answer {
        let account = desk.account()?;
        let found = by_slug(&account, input.needed("event_type_slug")?).await?;
        let url = link(&found)?;
        Ok(json!({ "booking_url": url, "event_type": said::event_type(&found) }))
    }
}

pub fn link(event_type: &EventType) -> Result<&str, Trouble> {
    let url = event_type.booking_url.as_deref();
    url.ok_or_else(|| {
        Trouble::not_there(
            format!("Cal.com tells no link of event type `{}`", event_type.slug),
            "this Cal.com server is too old to tell it: the user copies it from Event types",
        )
    })
}

/// Two teams may have the same slug: then all of them are told.
pub async fn by_slug(account: &Account, slug: &str) -> Result<EventType, Trouble> {
    let all = account.event_types().await?;
    let wanted = slug.trim().trim_matches('/').to_lowercase();
    // What people copy is an address.
    let wanted = wanted.rsplit('/').next().unwrap_or_default();
    let found: Vec<&EventType> = all
        .iter()
        .filter(|it| it.slug.to_lowercase() == wanted)
        .collect();
    let show = |some: &[&EventType]| -> Vec<Value> {
        some.iter().map(|it| said::event_type(it)).collect()
    };
    match found.as_slice() {
        [only] => Ok((*only).clone()),
        [_, _, ..] => Err(Trouble::input(
            format!("several event types have the slug `{wanted}`"),
            "ask the user which one is meant",
        )
        .with(json!({ "event_types": show(&found) }))),
        [] => Err(Trouble::not_there(
            format!("there is no event type with the slug `{wanted}`"),
            "take one of the nearest, or ask the user which one is meant",
        )
        .with(json!({ "nearest": show(&nearest(&all, wanted)) }))),
    }
}
