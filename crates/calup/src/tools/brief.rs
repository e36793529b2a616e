//! `meeting_brief`: what is known of whom one is going to meet.

use serde_json::{Value, json};
use vendors::cal::api::{Booking, Order, Wanted};

use super::{Answer, Desk, Input, Tool, Trouble, availability, people, said, upcoming};

const HISTORY_MAX: usize = 20;
const DESCRIPTION_CHARS_MAX: usize = 2_000;

pub struct Brief;

#[async_trait::async_trait]
impl Tool for Brief {
    fn name(&self) -> &'static str {
        "meeting_brief"
    }

    fn title(&self) -> &'static str {
        "Meeting brief"
    }

    fn description(&self) -> &'static str {
        "What to know before a meeting: the person's record in the CRM, their bookings so far, and what they answered when \
         they booked. Name the meeting by booking_id (from cal_upcoming), or the person by email or task_id; without any \
         of them it is about the next meeting."
    }

    fn input_schema(&self) -> Value {
        json!({
            "type": "object",
            "properties": {
                "booking_id": { "type": "string", "description": "From cal_upcoming" },
                "email": { "type": "string", "description": "The person's e-mail" },
                "task_id": { "type": "string", "description": "The person's task_id, from crm_find_person" },
            },
            "required": [],
        })
    }

    async fn call(&self, desk: &Desk<'_>, input: &Input) -> Answer {
        let account = desk.account()?;
        let zone = availability::users_zone(&account).await?;
        let id = upcoming::id(input);
        let mut lead = match input.text("task_id")? {
            Some(id) => Some(people::by_id(desk, id).await?),
            None => None,
        };
        let known = lead.as_ref().and_then(|lead| lead.emails.first().cloned());
        let given = input.text("email")?.map(str::to_owned).or(known);
        let meeting = match (&id, &given, &lead) {
            (Some(id), ..) => Some(upcoming::by_id(&account, id).await?),
            (None, Some(email), _) => next(
                desk,
                upcoming::standing(&account, Some(email.clone())).await?,
            ),
            (None, None, Some(_)) => None,
            (None, None, None) => {
                let next = next(desk, upcoming::standing(&account, None).await?);
                Some(next.ok_or_else(|| {
                    Trouble::not_there(
                        "there is no upcoming meeting",
                        "name a person by email or task_id",
                    )
                })?)
            }
        };
        let email = given.or_else(|| Some(meeting.as_ref()?.attendees.first()?.email.clone()));
        let email = email.filter(|email| !email.trim().is_empty());
        if let (None, Some(email)) = (&lead, &email) {
            lead = people::by_email(desk, email).await?;
        }
        let (history, more) = match &email {
            Some(email) => history(&account, email).await?,
            None => (Vec::new(), false),
        };
        let record = lead.as_ref().map(|lead| {
            let mut record = people::shown(lead);
            record["description"] = said::their_lines(&lead.description, DESCRIPTION_CHARS_MAX);
            record
        });
        let earlier: Vec<Value> = history
            .iter()
            .filter(|it| meeting.as_ref().is_none_or(|meeting| meeting.id != it.id))
            .map(|it| said::booking(it, &zone))
            .collect();
        let mut notes = Vec::new();
        if record.is_none() {
            notes.push("nobody in the CRM has this e-mail");
        }
        if more {
            notes.push("there are more bookings than these, the latest");
        }
        Ok(json!({
            "now": said::moment(desk.now, &zone), "time_zone": said::zone_name(&zone),
            "meeting": meeting.as_ref().map(|it| said::booking(it, &zone)),
            "crm_record": record, "other_bookings": earlier, "note": notes.join("; "),
        }))
    }
}

fn next(desk: &Desk<'_>, standing: Vec<Booking>) -> Option<Booking> {
    standing.into_iter().find(|it| it.end > desk.now)
}

/// The latest, and whether there are more.
async fn history(
    account: &crate::calcom::Account,
    email: &str,
) -> Result<(Vec<Booking>, bool), Trouble> {
    let wanted = Wanted {
        attendee_email: Some(email.to_owned()),
        order: Order::LatestFirst,
        limit: HISTORY_MAX,
        ..Wanted::default()
    };
    let found = account.cal.bookings(&wanted).await?;
    Ok((found.bookings, found.more))
}
