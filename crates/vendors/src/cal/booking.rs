//! A booking out of the payload of one of the five booking triggers, in any of the versions that servers send.
//! Fields that only some servers know are optional; without uid, start and end there is no booking.

use domain::booking::{Attendee, Booking, Party, Recurrence};
use jiff::Timestamp;

use super::json::Json;
use super::{answers, place};

/// As many as a time slot may have seats.
const ATTENDEES_MAX: usize = 1_000;
const UID_CHARS_MAX: usize = 200;

/// Why there is no booking in a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lacking {
    Uid,
    Start,
    End,
}

pub fn booking(payload: &Json) -> Result<Booking, Lacking> {
    let uid = uid(payload.at("uid")).ok_or(Lacking::Uid)?;
    payload.at("startTime").time().ok_or(Lacking::Start)?;
    payload.at("endTime").time().ok_or(Lacking::End)?;
    Ok(told_of(uid, payload))
}

/// As much of a booking as a note tells; times that are not told are the epoch.
pub fn told_of(uid: String, payload: &Json) -> Booking {
    let text = |key: &str| payload.at(key).text();
    let event_title = text("eventTitle").or_else(|| text("eventTypeTitle"));
    let instant = |key: &str| time(payload, key).unwrap_or(Timestamp::UNIX_EPOCH);
    Booking {
        uid,
        ical_uid: text("iCalUID"),
        ical_sequence: payload.at("iCalSequence").integer(),
        title: text("title")
            .or_else(|| event_title.clone())
            .unwrap_or_default(),
        event_title,
        event_type_id: payload.at("eventTypeId").integer(),
        start: instant("startTime"),
        end: instant("endTime"),
        organizer: [payload.at("organizer"), payload.at("user")]
            .into_iter()
            .find(|json| json.is_object())
            .map(organizer)
            .unwrap_or_default(),
        team_emails: team_emails(payload),
        attendees: attendees(payload),
        responses_email: answers::system(payload, "email"),
        responses_name: answers::system(payload, "name"),
        responses_phone: answers::system(payload, "attendeePhoneNumber"),
        answers: answers::answers(payload),
        // The description is the host's text in some versions, so it is no note.
        notes: text("additionalNotes").or_else(|| answers::system(payload, "notes")),
        place: place::place(payload),
        seats_per_slot: payload.at("seatsPerTimeSlot").integer(),
        seat: text("attendeeSeatId"),
        reschedule_uid: text("rescheduleUid"),
        reschedule_start: time(payload, "rescheduleStartTime"),
        reschedule_end: time(payload, "rescheduleEndTime"),
        rescheduled_by: text("rescheduledBy"),
        reschedule_reason: answers::system(payload, "rescheduleReason"),
        cancellation_reason: text("cancellationReason"),
        cancelled_by: text("cancelledBy"),
        request_reschedule: payload.at("requestReschedule").is_true(),
        rejection_reason: text("rejectionReason"),
        recurring: recurrence(payload.at("recurringEvent")),
        platform_client_id: text("platformClientId"),
        pointer: text_only(payload.at("metadata").at("calup")),
    }
}

/// An identifier as sent, be it text or number. One of absurd length is none: cut, it could be another's.
pub fn uid(json: &Json) -> Option<String> {
    let uid = json.text()?;
    let is_sane = uid.chars().count() <= UID_CHARS_MAX && !uid.contains(char::is_control);
    is_sane.then_some(uid)
}

fn time(payload: &Json, key: &str) -> Option<Timestamp> {
    payload.at(key).time()
}

fn text_only(json: &Json) -> Option<String> {
    matches!(json, Json::Text(_)).then(|| json.text()).flatten()
}

fn organizer(json: &Json) -> Party {
    Party {
        name: name(json).unwrap_or_default(),
        email: json.at("email").text().unwrap_or_default(),
        time_zone: json.at("timeZone").text().unwrap_or_default(),
    }
}

fn team_emails(payload: &Json) -> Vec<String> {
    let members = payload.at("team").at("members").items();
    members
        .iter()
        .filter_map(|m| m.at("email").text())
        .take(ATTENDEES_MAX)
        .collect()
}

/// An entry without name, address, phone and seat is nobody.
fn attendees(payload: &Json) -> Vec<Attendee> {
    let listed = payload.at("attendees").items().iter().map(|json| Attendee {
        name: name(json).unwrap_or_default(),
        email: json.at("email").text().unwrap_or_default(),
        phone: json.at("phoneNumber").text(),
        time_zone: json.at("timeZone").text().unwrap_or_default(),
        seat: json.at("bookingSeat").at("referenceUid").text(),
        no_show: match json.at("noShow") {
            Json::Bool(is) => Some(*is),
            _ => None,
        },
    });
    listed
        .filter(|a| {
            let is_named = !a.name.is_empty() || !a.email.is_empty();
            is_named || a.phone.is_some() || a.seat.is_some()
        })
        .take(ATTENDEES_MAX)
        .collect()
}

/// `name` is a text, or first and last name; an empty one may stand beside both.
fn name(json: &Json) -> Option<String> {
    answers::printable(json.at("name")).or_else(|| answers::full_name(json))
}

fn recurrence(json: &Json) -> Option<Recurrence> {
    Some(Recurrence {
        freq: json.at("freq").integer()?,
        count: json.at("count").integer(),
        interval: json.at("interval").integer().unwrap_or(1),
    })
}
