//! `cal_link_for_person`: a booking link that is filled in for somebody, and leads the booking back to their record.

use domain::change::fold_email;
use domain::text::{NAME_CHARS_MAX, one_line};
use serde_json::{Value, json};
use vendors::cal::api::{Prefill, prefilled};

use super::{Answer, Desk, Input, Tool, Trouble, booking_link, people, said};
use crate::pointer;

pub struct LinkForPerson;

#[async_trait::async_trait]
impl Tool for LinkForPerson {
    fn name(&self) -> &'static str {
        "cal_link_for_person"
    }

    fn title(&self) -> &'static str {
        "Booking link for a person"
    }

    fn description(&self) -> &'static str {
        "Gives the booking link of an event type for one person: filled in with their name and e-mail, and signed, so that \
         the booking finds its way back to their record in the CRM. Name the person by task_id (from crm_find_person) or \
         by email. Whoever is not in the CRM gets the plain link. Put the link into the draft exactly as it is."
    }

    fn input_schema(&self) -> Value {
        json!({
            "type": "object",
            "properties": {
                "event_type_slug": { "type": "string", "description": "The event type's slug, from cal_get_event_types" },
                "task_id": { "type": "string", "description": "The person's task_id, from crm_find_person" },
                "email": { "type": "string", "description": "The person's e-mail, where there is no task_id" },
            },
            "required": ["event_type_slug"],
        })
    }

    async fn call(&self, desk: &Desk<'_>, input: &Input) -> Answer {
        let account = desk.account()?;
        let event_type = booking_link::by_slug(&account, input.needed("event_type_slug")?).await?;
        let plain = booking_link::link(&event_type)?;
        let email = input.text("email")?;
        if email.is_some_and(|email| !said::is_address(email)) {
            return Err(Trouble::input(
                "`email` is no e-mail address",
                "give the address alone, or the person's task_id",
            ));
        }
        let lead = match (input.text("task_id")?, email) {
            (Some(id), _) => Some(people::by_id(desk, id).await?),
            (None, Some(email)) => people::by_email(desk, email).await?,
            (None, None) => {
                return Err(Trouble::input(
                    "it is not said for whom",
                    "give task_id or email; cal_get_booking_link gives a link for anybody",
                ));
            }
        };
        let Some(lead) = lead else {
            return Ok(json!({
                "booking_url": plain, "person": null,
                "note": "nobody in the CRM has that e-mail: this is the plain link",
            }));
        };
        let is_theirs = |email: &str| {
            let mut own = lead.emails.iter();
            lead.emails.is_empty() || own.any(|it| fold_email(it) == fold_email(email))
        };
        if email.is_some_and(|email| !is_theirs(email)) {
            return Err(Trouble::input(
                "that e-mail is not the one of this task",
                "ask the user which of the two is meant, and give that one alone",
            ));
        }
        let key = desk.app.store.marker_key();
        let pointer = pointer::to(&key, desk.profile(), &lead.id, desk.now);
        let name = one_line(&lead.name, NAME_CHARS_MAX);
        let fill = Prefill {
            name: Some(name).filter(|name| !name.is_empty()),
            email: lead
                .emails
                .first()
                .cloned()
                .or_else(|| email.map(str::to_owned)),
            metadata: vec![("calup".to_owned(), pointer)],
        };
        let url = prefilled(plain, &fill);
        let url = url.ok_or_else(|| Trouble::ours("the booking link is no web address"))?;
        Ok(json!({
            "booking_url": url, "person": people::shown(&lead),
            "event_type": { "slug": event_type.slug, "title": event_type.title, "minutes": event_type.minutes },
            "note": "made for this person alone; it leads a booking back to them for 90 days",
        }))
    }
}
