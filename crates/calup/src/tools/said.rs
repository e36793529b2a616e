//! How results show what others wrote. A model must not take it for instructions, so it stands apart, under a key that
//! says whose words they are (the chat's instructions explain it).

use domain::text;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use vendors::cal::api::{Booking, EventType, Status};

const CHARS_MAX: usize = 600;

/// Words of an attendee's, or of whoever wrote in the CRM.
pub fn theirs(words: &str) -> Value {
    json!({ "written_by_others": text::one_line(words, CHARS_MAX) })
}

/// With the offset of that zone: what is given back to a tool means the same instant.
pub fn at(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone())
        .strftime("%Y-%m-%dT%H:%M:%S%:z")
        .to_string()
}

pub fn zone_name(zone: &TimeZone) -> &str {
    zone.iana_name().unwrap_or("UTC")
}

pub fn event_type(it: &EventType) -> Value {
    let mut shown = json!({
        "id": it.id, "slug": it.slug, "title": it.title, "minutes": it.minutes, "booking_url": it.booking_url,
    });
    let description = it.description.trim();
    if !description.is_empty() {
        shown["description"] = text::one_line(description, CHARS_MAX).into();
    }
    if !it.minutes_to_choose.is_empty() {
        shown["minutes_to_choose"] = it.minutes_to_choose.clone().into();
    }
    for (name, is_so) in [
        ("hidden", it.hidden),
        ("needs_confirmation", it.needs_confirmation),
    ] {
        if is_so {
            shown[name] = true.into();
        }
    }
    if let Some(seats) = it.seats_per_slot {
        shown["seats_per_slot"] = seats.into();
    }
    if let Some((price, currency)) = &it.price {
        shown["price"] = json!({ "minor_units": price, "currency": currency });
    }
    shown
}

pub fn booking(it: &Booking, zone: &TimeZone) -> Value {
    let attendees: Vec<Value> = it
        .attendees
        .iter()
        .take(10)
        .map(|person| {
            json!({
                "name": theirs(&person.name), "email": person.email, "time_zone": person.time_zone,
            })
        })
        .collect();
    let mut shown = json!({
        "booking_id": it.id, "title": theirs(&it.title), "status": status(&it.status),
        "start": at(it.start, zone), "end": at(it.end, zone), "attendees": attendees,
    });
    if let Some(slug) = &it.event_type_slug {
        shown["event_type_slug"] = slug.as_str().into();
    }
    if let Some(notes) = &it.notes {
        shown["notes"] = theirs(notes);
    }
    if let Some(reason) = it.cancellation_reason.as_ref().filter(|_| !it.stands()) {
        shown["cancellation_reason"] = theirs(reason);
    }
    if it.moved_to.is_some() {
        shown["moved"] = true.into();
    }
    let answers: Vec<Value> = it
        .answers
        .iter()
        .take(20)
        .map(|answer| json!({ "question": answer.slug, "answer": theirs(&answer.value) }))
        .collect();
    if !answers.is_empty() {
        shown["answers"] = answers.into();
    }
    shown
}

fn status(status: &Status) -> &str {
    match status {
        Status::Accepted => "accepted",
        Status::Pending => "pending",
        Status::Cancelled => "cancelled",
        Status::Rejected => "rejected",
        Status::Other(word) => word,
    }
}
