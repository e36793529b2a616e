//! A booking as the API tells it, which is not as deliveries tell it: statuses in lower case, hosts in place of an
//! organizer, answers without labels, and of a seated one all who sit in it.

use domain::booking::{Answer, Attendee, Party, Place};
use domain::change::real_email;
use jiff::Timestamp;

use crate::cal::json::Json;
use crate::cal::{answers, booking, place, secrets};

const PEOPLE_MAX: usize = 1_000;

/// Its uid opens it to anybody: it belongs in no log, chat or link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booking {
    pub uid: String,
    pub id: i64,
    pub title: String,
    pub status: Status,
    pub start: Timestamp,
    pub end: Timestamp,
    pub event_type_id: Option<i64>,
    pub event_type_slug: Option<String>,
    pub hosts: Vec<Party>,
    /// Who booked first, then guests, or those who took the other seats. The e-mail is blank where there is none.
    pub attendees: Vec<Attendee>,
    pub place: Place,
    pub notes: Option<String>,
    /// To the host's own questions; the API has no labels. Of a seated booking, the first seat's.
    pub answers: Vec<Answer>,
    /// `metadata.calup`: the pointer that our own links carry. Anybody may have written it. Of a seated booking it is told
    /// only while one seat is taken, because it points to that one's person.
    pub pointer: Option<String>,
    /// Also filled when it was moved here.
    pub cancellation_reason: Option<String>,
    pub reschedule_reason: Option<String>,
    /// The bookings before and after it, where it was moved: a cancelled one with a successor was not called off.
    pub moved_from: Option<String>,
    pub moved_to: Option<String>,
    /// What the bookings of one series share.
    pub series: Option<String>,
    pub ical_uid: Option<String>,
    pub created_at: Option<Timestamp>,
    /// Does not move when a seat is taken or given up.
    pub updated_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    Accepted,
    Pending,
    Cancelled,
    Rejected,
    Other(String),
}

impl Booking {
    /// Whether it is going to happen, as far as it is known.
    pub fn stands(&self) -> bool {
        matches!(self.status, Status::Accepted | Status::Pending)
    }

    pub(super) fn has_attendee(&self, email: &str) -> bool {
        let wanted = email.trim().to_lowercase();
        let mut all = self.attendees.iter();
        !wanted.is_empty() && all.any(|it| it.email.trim().to_lowercase() == wanted)
    }
}

/// One booking, or each of a series.
pub(super) fn bookings(mut data: Json) -> Option<Vec<Booking>> {
    secrets::hide(&mut data);
    match &data {
        Json::List(items) => items.iter().map(booking_of).collect(),
        one => Some(vec![booking_of(one)?]),
    }
}

// In older versions times are `startTime` and `endTime`.
fn booking_of(json: &Json) -> Option<Booking> {
    let text = |key: &str| json.at(key).text();
    let attendees = json.at("attendees").items();
    // A seated one has answers and metadata by seat.
    let told = |key: &'static str, seats_max: usize| match json.at(key) {
        Json::Null if attendees.len() <= seats_max => attendees
            .first()
            .map_or(json.at(key), |first| first.at(key)),
        told => told,
    };
    let responses = told("bookingFieldsResponses", PEOPLE_MAX);
    let (from, to) = (
        uid_at(json, "rescheduledFromUid"),
        uid_at(json, "rescheduledToUid"),
    );
    Some(Booking {
        uid: booking::uid(json.at("uid"))?,
        id: json.at("id").integer()?,
        title: text("title").unwrap_or_default(),
        status: status(&text("status")?),
        start: json.at("start").time()?,
        end: json.at("end").time()?,
        event_type_id: [json.at("eventType").at("id"), json.at("eventTypeId")]
            .into_iter()
            .find_map(Json::integer),
        event_type_slug: json.at("eventType").at("slug").text(),
        hosts: json
            .at("hosts")
            .items()
            .iter()
            .take(PEOPLE_MAX)
            .map(host)
            .collect(),
        attendees: attendees.iter().take(PEOPLE_MAX).map(attendee).collect(),
        place: place::place(json),
        notes: answers::printable(responses.at("notes")).or_else(|| text("description")),
        answers: own_answers(responses),
        pointer: told("metadata", 1).at("calup").text(),
        cancellation_reason: text("cancellationReason"),
        reschedule_reason: text("reschedulingReason"),
        moved_from: from,
        moved_to: to,
        series: text("recurringBookingUid"),
        ical_uid: text("icsUid"),
        created_at: json.at("createdAt").time(),
        updated_at: json.at("updatedAt").time(),
    })
}

fn uid_at(json: &Json, key: &str) -> Option<String> {
    booking::uid(json.at(key))
}

fn status(word: &str) -> Status {
    match word.to_lowercase().as_str() {
        "accepted" => Status::Accepted,
        "pending" => Status::Pending,
        "cancelled" => Status::Cancelled,
        "rejected" => Status::Rejected,
        other => Status::Other(other.to_owned()),
    }
}

fn host(json: &Json) -> Party {
    Party {
        name: json.at("name").text().unwrap_or_default(),
        email: json.at("email").text().unwrap_or_default(),
        time_zone: json.at("timeZone").text().unwrap_or_default(),
    }
}

fn attendee(json: &Json) -> Attendee {
    Attendee {
        name: answers::printable(json.at("name")).unwrap_or_default(),
        email: email(json).unwrap_or_default(),
        phone: json.at("phoneNumber").text(),
        time_zone: json.at("timeZone").text().unwrap_or_default(),
        seat: json.at("seatUid").text(),
        no_show: match json.at("absent") {
            Json::Bool(is) => Some(*is),
            _ => None,
        },
    }
}

/// None of whoever has only a phone. `displayEmail` is without what Cal.com adds to a managed user's.
fn email(json: &Json) -> Option<String> {
    let told = ["displayEmail", "email"].map(|key| json.at(key).text());
    let mut told = told.into_iter().flatten();
    told.find_map(|it| real_email(&it).map(str::to_owned))
}

/// What Cal.com puts beside its own questions' answers is none.
fn own_answers(responses: &Json) -> Vec<Answer> {
    const ADDED: [&str; 3] = ["displayEmail", "displayGuests", "rescheduledReason"];
    let mut own = answers::own(responses);
    own.retain(|it| !ADDED.contains(&it.slug.as_str()));
    own
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cal::json;

    fn attended_by(person: &str) -> Booking {
        let text = format!(
            r#"{{"id": 1, "uid": "u1", "status": "accepted", "start": "2026-12-01T10:00:00Z",
                "end": "2026-12-01T10:30:00Z", "attendees": [{person}]}}"#
        );
        let json = json::read(&text).expect("JSON");
        booking_of(&json).expect("a booking")
    }

    #[test]
    fn what_only_stands_for_an_address_is_not_shown_or_found() {
        for (email, shown) in [
            ("46701234567@sms.cal.com", ""),
            (" +46701234567@SMS.cal.com", ""),
            ("nobody", ""),
            ("ada lovelace@x.example", ""),
            (" Ada@x.example ", "Ada@x.example"),
            ("support@sms.cal.com", "support@sms.cal.com"),
        ] {
            let booking = attended_by(&format!(
                r#"{{"name": "Ada", "email": "{email}", "phoneNumber": "+46701234567"}}"#
            ));
            let ada = &booking.attendees[0];
            assert_eq!(ada.email, shown);
            assert_eq!(
                (ada.name.as_str(), ada.phone.as_deref()),
                ("Ada", Some("+46701234567"))
            );
            assert_eq!(booking.has_attendee(email), !shown.is_empty(), "{email}");
            assert!(!booking.has_attendee(""), "{email}");
        }
    }

    #[test]
    fn a_managed_user_has_the_address_that_the_person_has() {
        let booking = attended_by(
            r#"{"email": "ada+cm0abcdefghijklmnopqrstuv@x.example", "displayEmail": "ada@x.example"}"#,
        );
        assert_eq!(booking.attendees[0].email, "ada@x.example");
    }
}
