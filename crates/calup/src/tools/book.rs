//! `cal_book`: proposes a booking.

use domain::outcome::Failure;
use domain::text::{NAME_CHARS_MAX, one_line};
use domain::when;
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use vendors::cal::api::{Booker, EventType, NewBooking, Whereabouts, Window};

use super::{
    Answer, Desk, Input, Tool, Trouble, answers, availability, booking_link, people, place, said,
    shown,
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
                "phone": { "type": "string", "description": "The attendee's number with its country code, where the meeting is a call to them" },
                "address": { "type": "string", "description": "Where the meeting is at the attendee's" },
            },
            "required": ["event_type_slug", "start"],
        })
    }

    fn proposes(&self) -> bool {
        true
    }

    async fn call(&self, desk: &Desk<'_>, input: &Input) -> Answer {
        let account = desk.account()?;
        let known = booking_link::by_slug(&account, input.needed("event_type_slug")?).await?;
        // What is remembered may have changed, and what is shown has to be so.
        let event_type = account.cal.event_type(known.id).await?;
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
        let place = place::theirs(desk, &event_type, input)?;
        let minutes = length(&event_type, input.number("minutes")?)?;
        is_free(&account, &event_type, start, &zone, minutes).await?;
        let theirs = input
            .zone("their_time_zone")?
            .unwrap_or_else(|| zone.clone());
        let arguments = json!({
            "event_type_id": event_type.id, "event_type_slug": event_type.slug, "start": start.to_string(),
            "name": name, "email": email, "task_id": lead.as_ref().map(|lead| &lead.id),
            "time_zone": said::zone_name(&theirs), "notes": notes, "answers": answers, "minutes": minutes,
            "phone": place.phone, "address": place.address, "shown": shown::Offer::of(&event_type, minutes),
        });
        let end = start + SignedDuration::from_mins(minutes.unwrap_or(event_type.minutes));
        let at = when::both(start, end, said::zone_name(&zone), said::zone_name(&theirs));
        let mut summary = format!("Book `{}` with {name} <{email}>: {at}", event_type.title);
        if let Some(times) = event_type.occurrences.filter(|times| *times > 1) {
            summary.push_str(&format!("; it is a series: the first of {times} meetings"));
        }
        if let Some(place) = place.told() {
            summary.push_str(&format!("; {place}"));
        }
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
            place: text("phone")
                .map(Whereabouts::BookersPhone)
                .or_else(|| text("address").map(Whereabouts::BookersAddress)),
        };
        let offer = shown::Offer::kept(arguments)?;
        let now = async { Ok(account.cal.event_type(new.event_type_id).await?) };
        // Asked before: what is done must not fail for it.
        let (zone, now) = tokio::try_join!(availability::users_zone(&account), now)?;
        offer.still(&now, new.minutes)?;
        let booked = match account.cal.book(&new).await {
            Ok(booked) => booked,
            // The answer was lost: whether it was booked shows there.
            Err(Failure::Unknown { what }) => match account.cal.booked(&new).await {
                Ok(Some(booked)) => vec![booked],
                Ok(None) | Err(_) => return Err(Failure::Unknown { what }.into()),
            },
            Err(failure) => return Err(failure.into()),
        };
        let (booked, rest) = booked
            .split_first()
            .ok_or_else(|| Trouble::ours("Cal.com named no booking"))?;
        let mut result = json!({ "booked": said::booking(booked, &zone) });
        if !rest.is_empty() {
            let starts = rest.iter().map(|it| said::at(it.start, &zone));
            result["and_of_the_series"] = starts.collect::<Vec<_>>().into();
        }
        Ok(result)
    }
}

/// The length to ask for; `None` where it is the event type's own.
pub fn length(event_type: &EventType, wanted: Option<i64>) -> Result<Option<i64>, Trouble> {
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
    let slots = availability::slots(account, event_type.id, window, zone, minutes, None).await?;
    if slots.iter().any(|slot| slot.start == start) {
        return Ok(());
    }
    let free = slots.iter().map(|slot| slot.start).collect();
    let near = said::nearest(free, &[start], zone);
    Err(Trouble::input(
        format!("`{}` cannot be booked at that time", event_type.slug),
        "propose one of the nearest free times, or look for others with cal_free_times",
    )
    .with(json!({ "nearest": near })))
}
