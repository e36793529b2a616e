//! `cal_book`: proposes a booking.

use domain::outcome::Failure;
use domain::text::{NAME_CHARS_MAX, one_line};
use domain::when;
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use vendors::cal::api::{Booker, EventType, NewBooking, Window};

use super::{
    Answer, Desk, Input, Tool, Trouble, answers, availability, booking_link, people, said,
};
use crate::pointer;

pub struct Book;

#[async_trait::async_trait]
impl Tool for Book {
    fn name(&self) -> &'static str {
        "cal_book"
    }

    fn title(&self) -> &'static str {
        "Propose a booking"
    }

    fn description(&self) -> &'static str {
        "Proposes to book a meeting for somebody. Nothing is booked before the user confirms the proposal themselves; say so, \
         and do not say that it is booked. Check the time with cal_free_times or cal_check_availability first."
    }

    fn input_schema(&self) -> Value {
        json!({
            "type": "object",
            "properties": {
                "event_type_slug": { "type": "string", "description": "The event type's slug" },
                "start": { "type": "string", "description": "A slot's start, exactly as it was given" },
                "name": { "type": "string", "description": "The attendee's name" },
                "email": { "type": "string", "description": "The attendee's e-mail" },
                "task_id": { "type": "string", "description": "The person's task_id, if they are in the CRM: name and email come from there" },
                "their_time_zone": { "type": "string", "description": "The attendee's zone, such as America/New_York; else the user's" },
                "notes": { "type": "string", "description": "Notes for the booking" },
                "answers": { "type": "object", "description": "To the event type's own questions, by their slugs in cal_get_event_types" },
                "minutes": { "type": "integer", "description": "The length, where the event type has minutes_to_choose" },
            },
            "required": ["event_type_slug", "start"],
        })
    }

    fn proposes(&self) -> bool {
        true
    }

    async fn call(&self, desk: &Desk<'_>, input: &Input) -> Answer {
        let account = desk.account()?;
        let event_type = booking_link::by_slug(&account, input.needed("event_type_slug")?).await?;
        let zone = availability::users_zone(&account).await?;
        let start = input.instant("start", &zone)?;
        if start <= desk.now {
            return Err(Trouble::input(
                "that time is past",
                "take one that is free, from cal_free_times",
            ));
        }
        let lead = match input.text("task_id")? {
            Some(id) => Some(people::by_id(desk, id).await?),
            None => None,
        };
        let email = input.text("email")?.map(str::to_owned);
        let email = email.or_else(|| lead.as_ref()?.emails.first().cloned());
        let Some(email) = email.filter(|email| said::is_address(email)) else {
            return Err(Trouble::input(
                "the attendee's e-mail is missing, or is none",
                "ask the user for it",
            ));
        };
        let name = input.text("name")?.map(str::to_owned);
        let name = name.or_else(|| Some(lead.as_ref()?.name.clone()));
        let Some(name) = name else {
            return Err(Trouble::input(
                "the attendee's name is missing",
                "ask the user for it",
            ));
        };
        // As it is shown to whoever confirms, so it is booked.
        let name = desk.sayable(&one_line(&name, NAME_CHARS_MAX));
        let notes = input.spoken("notes")?;
        let notes = notes.map(|it| desk.sayable(&it));
        let given = input.object("answers")?;
        let answers = answers::checked(desk, &event_type, given, notes.is_some())?;
        let minutes = length(&event_type, input.number("minutes")?)?;
        is_free(&account, &event_type, start, &zone, minutes).await?;
        let theirs = input
            .zone("their_time_zone")?
            .unwrap_or_else(|| zone.clone());
        let arguments = json!({
            "event_type_id": event_type.id, "event_type_slug": event_type.slug, "start": start.to_string(),
            "name": name, "email": email, "task_id": lead.as_ref().map(|lead| &lead.id),
            "time_zone": said::zone_name(&theirs), "notes": notes, "answers": answers, "minutes": minutes,
        });
        let end = start + SignedDuration::from_mins(minutes.unwrap_or(event_type.minutes));
        let at = when::both(start, end, said::zone_name(&zone), said::zone_name(&theirs));
        let mut summary = format!("Book `{}` with {name} <{email}>: {at}", event_type.title);
        if let Some(lead) = lead.filter(|lead| lead.name != name) {
            let theirs = one_line(&lead.name, NAME_CHARS_MAX);
            summary.push_str(&format!("; for the CRM's “{theirs}”"));
        }
        if let Some(notes) = notes {
            summary.push_str(&format!("; with the notes “{notes}”"));
        }
        if let Some(answers) = answers::told(&event_type, &answers) {
            summary.push_str(&format!("; answering {answers}"));
        }
        desk.propose(self, arguments, summary).await
    }

    async fn carry_out(&self, desk: &Desk<'_>, arguments: &Value) -> Answer {
        let account = desk.account()?;
        let text = |name: &str| arguments[name].as_str().map(str::to_owned);
        let start = text("start").and_then(|at| at.parse().ok());
        let start = start.ok_or_else(|| Trouble::ours("the proposal cannot be read"))?;
        let key = desk.app.store.marker_key();
        let pointer =
            text("task_id").map(|lead| pointer::to(&key, desk.profile(), &lead, desk.now));
        let mut answers = arguments["answers"]
            .as_object()
            .cloned()
            .unwrap_or_default();
        let phone = answers.remove(answers::PHONE);
        if let Some(notes) = text("notes") {
            answers.insert("notes".into(), notes.into());
        }
        let new = NewBooking {
            event_type_id: arguments["event_type_id"].as_i64().unwrap_or_default(),
            start,
            minutes: arguments["minutes"].as_i64(),
            booker: Booker {
                name: text("name").unwrap_or_default(),
                email: text("email"),
                phone: phone.map(|it| it.as_str().map_or_else(|| it.to_string(), str::to_owned)),
                time_zone: text("time_zone").unwrap_or_default(),
            },
            guests: Vec::new(),
            answers,
            metadata: pointer
                .map(|pointer| ("calup".to_owned(), pointer))
                .into_iter()
                .collect(),
            place: None,
        };
        let booked = match account.cal.book(&new).await {
            Ok(booked) => booked.into_iter().next(),
            // The answer was lost: whether it was booked shows there.
            Err(Failure::Unknown { what }) => match account.cal.booked(&new).await {
                Ok(Some(booked)) => Some(booked),
                Ok(None) | Err(_) => return Err(Failure::Unknown { what }.into()),
            },
            Err(failure) => return Err(failure.into()),
        };
        let zone = availability::users_zone(&account).await?;
        let booked = booked.ok_or_else(|| Trouble::ours("Cal.com named no booking"))?;
        Ok(json!({ "booked": said::booking(&booked, &zone) }))
    }
}

/// The length to ask for; `None` where it is the event type's own.
fn length(event_type: &EventType, wanted: Option<i64>) -> Result<Option<i64>, Trouble> {
    let taken = event_type.length(wanted);
    if taken.is_none() && wanted.is_some_and(|it| it != event_type.minutes) {
        return Err(Trouble::input(
            format!("`{}` cannot be booked for that long", event_type.slug),
            "take one of its lengths, or another event type",
        )
        .with(json!({ "event_type": said::event_type(event_type) })));
    }
    Ok(taken)
}

/// Told now rather than after somebody has confirmed.
async fn is_free(
    account: &crate::calcom::Account,
    event_type: &EventType,
    start: jiff::Timestamp,
    zone: &TimeZone,
    minutes: Option<i64>,
) -> Result<(), Trouble> {
    let window = Window {
        from: start - SignedDuration::from_hours(12),
        until: start + SignedDuration::from_hours(12),
    };
    let slots = availability::slots(account, event_type.id, window, zone, minutes).await?;
    if slots.iter().any(|slot| slot.start == start) {
        return Ok(());
    }
    let mut near: Vec<_> = slots.iter().map(|slot| slot.start).collect();
    near.sort_by_key(|at| at.duration_since(start).abs());
    near.truncate(5);
    near.sort_unstable();
    let near: Vec<String> = near.into_iter().map(|at| said::at(at, zone)).collect();
    Err(Trouble::input(
        format!("`{}` cannot be booked at that time", event_type.slug),
        "propose one of the nearest free times, or look for others with cal_free_times",
    )
    .with(json!({ "nearest": near })))
}
