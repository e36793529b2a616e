//! Bookings as the API shows them.

use serde_json::{Map, Value, json};

use super::state::{Held, Seated, State};
use crate::cal::people::Person;
use crate::cal::{millis, seats::Seat};

/// Version 2024-08-13.
pub(super) fn booking(state: &State, held: &Held) -> Value {
    let it = &held.booking;
    let host = &it.host;
    let hosted = state.config.hosted;
    let suffix = if hosted { "Cal.com" } else { "Cal.diy" };
    let location = location(held);
    let mut view = json!({
        "id": it.id,
        "uid": it.uid,
        "title": it.title(),
        "hosts": [{
            "id": host.id, "name": host.name, "email": host.email, "displayEmail": host.email,
            "username": host.username, "timeZone": host.time_zone,
        }],
        "status": held.status,
        "cancellationReason": held.cancellation_reason,
        "start": millis(it.start),
        "end": millis(it.end),
        "duration": it.minutes(),
        "eventTypeId": it.event.id,
        "eventType": {"id": it.event.id, "slug": it.event.slug},
        "meetingUrl": location,
        "location": location,
        "absentHost": false,
        "createdAt": millis_of(held.created_ms),
        "updatedAt": millis_of(held.updated_ms),
        "rating": null,
        "icsUid": format!("{}@{suffix}", it.ical_uid),
    });
    let keys = view.as_object_mut().expect("a view is an object");
    let is_told = hosted || held.series.is_none();
    if is_told {
        keys.insert("rescheduledByEmail".to_owned(), json!(held.rescheduled_by));
    }
    if let Some(from) = &it.predecessor {
        keys.insert("rescheduledFromUid".to_owned(), json!(from.uid));
    }
    // One of a series does not tell.
    if let Some(to) = held.moved_to.as_ref().filter(|_| is_told) {
        keys.insert("rescheduledToUid".to_owned(), json!(to));
    }
    if let Some(reason) = &held.reschedule_reason {
        keys.insert("reschedulingReason".to_owned(), json!(reason));
    }
    if let Some(series) = &held.series {
        keys.insert("recurringBookingUid".to_owned(), json!(series));
    }
    match &held.seated {
        Some(seated) => add_seats(keys, seated),
        None => add_person(keys, held, hosted),
    }
    if hosted {
        keys.insert("isPlatformManagedUserBooking".to_owned(), json!(false));
    }
    view
}

/// What a version before shows in a list: a row of the database, more or less.
pub(super) fn older_booking(held: &Held) -> Value {
    let it = &held.booking;
    json!({
        "id": it.id,
        "uid": it.uid,
        "title": it.title(),
        "description": it.person.notes,
        "startTime": millis(it.start),
        "endTime": millis(it.end),
        "createdAt": millis_of(held.created_ms),
        "updatedAt": millis_of(held.updated_ms),
        "metadata": it.person.metadata,
        "responses": {"name": it.person.name, "email": it.person.address()},
        "location": it.event.location,
        "status": held.status.to_uppercase(),
        "paid": false,
        "fromReschedule": it.predecessor.as_ref().map(|from| &from.uid),
        "rescheduled": held.moved_to.as_ref().map(|_| true),
        "eventType": {"id": it.event.id, "slug": it.event.slug, "title": it.event.title},
    })
}

fn add_person(keys: &mut Map<String, Value>, held: &Held, hosted: bool) {
    let person = &held.booking.person;
    keys.insert("description".to_owned(), json!(person.notes));
    keys.insert("cancelledByEmail".to_owned(), json!(""));
    keys.insert("metadata".to_owned(), json!(person.metadata));
    let guests = person.guests.iter().map(|email| Person {
        time_zone: person.time_zone.clone(),
        ..Person::new("", email)
    });
    let people = std::iter::once(person.clone()).chain(guests);
    let attendees: Value = people.map(|it| attendee(&it)).collect();
    keys.insert("attendees".to_owned(), attendees);
    if hosted || !person.guests.is_empty() {
        keys.insert("guests".to_owned(), json!(person.guests));
    }
    let mut responses = responses(person, hosted);
    if let Some(reason) = held.reschedule_reason.as_ref().filter(|_| !hosted) {
        responses["rescheduledReason"] = json!(reason);
    }
    if hosted {
        responses["location"] = json!({"value": "link", "optionValue": ""});
    }
    responses["displayEmail"] = json!(person.address());
    if hosted || !person.guests.is_empty() {
        responses["displayGuests"] = json!(person.guests);
    }
    responses["email"] = json!(person.address());
    keys.insert("bookingFieldsResponses".to_owned(), responses);
}

fn add_seats(keys: &mut Map<String, Value>, seated: &Seated) {
    keys.insert("description".to_owned(), Value::Null);
    let attendees: Value = seated.seats.iter().map(seat).collect();
    keys.insert("attendees".to_owned(), attendees);
}

fn seat(seat: &Seat) -> Value {
    let person = &seat.booking.person;
    let mut shown = attendee(person);
    let mut answers = responses(person, false);
    answers["guests"] = json!(person.guests);
    shown["seatUid"] = json!(seat.reference);
    shown["bookingFieldsResponses"] = answers;
    shown["metadata"] = json!(person.metadata);
    shown
}

fn attendee(person: &Person) -> Value {
    let email = person.address();
    let mut shown = json!({
        "name": person.name,
        "email": email,
        "displayEmail": email,
        "timeZone": person.time_zone,
        "language": person.locale,
        "absent": false,
    });
    if let Some(phone) = &person.phone {
        shown["phoneNumber"] = json!(phone);
    }
    shown
}

fn responses(person: &Person, always_guests: bool) -> Value {
    let mut responses = json!({"name": person.name});
    if always_guests || !person.guests.is_empty() {
        responses["guests"] = json!(person.guests);
    }
    if !person.notes.is_empty() {
        responses["notes"] = json!(person.notes);
    }
    for (slug, _, value) in &person.answers {
        responses[slug] = value.clone();
    }
    responses
}

fn location(held: &Held) -> String {
    let it = &held.booking;
    match (it.event.location.as_str(), &it.person.phone) {
        ("phone", Some(phone)) => phone.clone(),
        (location, _) => location.to_owned(),
    }
}

fn millis_of(ms: i64) -> String {
    millis(jiff::Timestamp::from_millisecond(ms).expect("a time of these days"))
}
