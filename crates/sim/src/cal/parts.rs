//! What the payloads of `body.rs` are put together from: people, answers, places, times.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::Version;
use super::body::join;
use super::booking::Booking;
use super::people::{Host, Person};

pub(super) fn platform(booking: &Booking) -> Value {
    json!({
        "platformClientId": booking.event.platform_client_id,
        "platformRescheduleUrl": "",
        "platformCancelUrl": "",
        "platformBookingUrl": "",
    })
}

pub(super) fn video(booking: &Booking) -> Value {
    let room = format!("dly_{}", &booking.uid[..10]);
    json!({
        "videoCallData": {
            "type": "daily_video",
            "id": room,
            "password": "eyJhbGciOiJIUzI1NiJ9.sample.sample",
            "url": format!("https://meetco.daily.co/{room}"),
        },
        "conferenceData": {"createRequest": {"requestId": booking.cal.new_uuid()}},
        "appsStatus": [{
            "appName": "daily-video",
            "type": "daily_video",
            "success": 1,
            "failures": 0,
            "errors": [],
        }],
    })
}

pub(super) fn add_team(payload: &mut Value, booking: &Booking) {
    let Some(team) = &booking.event.team else {
        return;
    };
    let members: Vec<Value> = team
        .members
        .iter()
        .map(|member| {
            json!({
                "id": member.id,
                "name": member.name,
                "email": member.email,
                "timeZone": member.time_zone,
                "language": {"locale": "en"},
            })
        })
        .collect();
    // Seen on self-hosted servers; not established for the hosted one.
    if booking.cal.version != Version::V2026 {
        payload["organizer"]["usernameInOrg"] = json!(booking.host.username);
    }
    let reason = "Company size: 51-200";
    join(
        payload,
        json!({
            "team": {"id": team.id, "name": team.name, "members": members},
            "organizationId": 90,
            "assignmentReason": [{"reasonEnum": "ROUTING_FORM_ROUTING", "reasonString": reason}],
        }),
    );
}

// A connected Cal Video shows its public room; a booking by phone alone the number.
pub(super) fn shown_location(booking: &Booking) -> Value {
    match (booking.event.location.as_str(), &booking.person) {
        ("integrations:daily", _) => json!(video_url(booking)),
        (
            "phone",
            Person {
                phone: Some(phone), ..
            },
        ) => json!(phone),
        (location, _) => json!(location),
    }
}

pub(super) fn video_url(booking: &Booking) -> String {
    format!("https://app.cal.com/video/{}", booking.uid)
}

pub(super) fn metadata(booking: &Booking) -> Value {
    let mut metadata = booking.person.metadata.clone();
    let location = &booking.event.location;
    if location == "integrations:daily" {
        metadata.insert("videoCallUrl".to_owned(), json!(video_url(booking)));
    } else if location.starts_with("https://") {
        metadata.insert("videoCallUrl".to_owned(), json!(location));
    }
    Value::Object(metadata)
}

pub(super) fn responses(booking: &Booking) -> Value {
    let person = &booking.person;
    let system = |label: &str, value: Option<Value>, hidden: bool| {
        let mut response = json!({"label": label, "isHidden": hidden});
        if let Some(value) = value {
            response["value"] = value;
        }
        response
    };
    let location = json!({"value": booking.event.location, "optionValue": ""});
    let notes = (!person.notes.is_empty()).then(|| json!(person.notes));
    let guests = (!person.guests.is_empty()).then(|| json!(person.guests));
    let phone = person.phone.as_ref().map(|phone| json!(phone));
    let mut responses = json!({
        "name": system("your_name", Some(json!(person.name)), false),
        "email": system("email_address", Some(json!(person.address())), person.email.is_none()),
        "attendeePhoneNumber": system("phone_number", phone.clone(), phone.is_none()),
        "location": system("location", Some(location), false),
        "title": system("what_is_this_meeting_about", None, true),
        "notes": system("additional_notes", notes, false),
        "guests": system("additional_guests", guests, false),
        "rescheduleReason": system("reason_for_reschedule", None, false),
    });
    join(&mut responses, user_fields(booking));
    responses
}

pub(super) fn user_fields(booking: &Booking) -> Value {
    let answers = booking.person.answers.iter().map(|(slug, label, value)| {
        (
            slug.clone(),
            json!({"label": label, "value": value, "isHidden": false}),
        )
    });
    Value::Object(answers.collect())
}

// The booker first, then the guests, who have no names.
pub(super) fn attendees(booking: &Booking, show: fn(&Booking, &Person) -> Value) -> Value {
    let guests = booking.person.guests.iter().map(|email| Person {
        time_zone: booking.person.time_zone.clone(),
        ..Person::new("", email)
    });
    std::iter::once(booking.person.clone())
        .chain(guests)
        .map(|person| show(booking, &person))
        .collect()
}

pub(super) fn legacy_attendee(booking: &Booking, person: &Person) -> Value {
    let mut shown = json!({
        "email": person.address(),
        "name": person.name,
        "firstName": "",
        "lastName": "",
        "timeZone": person.time_zone,
        "language": {"locale": person.locale},
        "utcOffset": utc_offset(&person.time_zone, booking.start),
    });
    if let Some(phone) = &person.phone {
        shown["phoneNumber"] = json!(phone);
    }
    shown
}

/// As read from the database row.
pub(super) fn row_attendee(booking: &Booking, person: &Person) -> Value {
    json!({
        "name": person.name,
        "email": person.address(),
        "timeZone": person.time_zone,
        "phoneNumber": person.phone,
        "language": {"locale": person.locale},
        "utcOffset": utc_offset(&person.time_zone, booking.start),
    })
}

/// Dressed up as a user, for the host who asks for another time.
pub(super) fn user_attendee(booking: &Booking, person: &Person) -> Value {
    json!({
        "id": 99001,
        "name": person.name,
        "email": person.address(),
        "username": "",
        "timeZone": person.time_zone,
        "language": {"locale": person.locale},
        "utcOffset": utc_offset(&person.time_zone, booking.start),
    })
}

pub(super) fn hosted_attendee(booking: &Booking, person: &Person) -> Value {
    let (first, last) = person
        .name
        .split_once(' ')
        .unwrap_or((person.name.as_str(), ""));
    json!({
        "name": person.name,
        "email": person.address(),
        "timeZone": person.time_zone,
        "language": {"locale": person.locale},
        "phoneNumber": person.phone,
        "bookingSeat": null,
        "utcOffset": utc_offset(&person.time_zone, booking.start),
        "firstName": first,
        "lastName": last,
    })
}

pub(super) fn organizer(booking: &Booking) -> Value {
    let Host {
        id,
        name,
        email,
        username,
        time_zone,
    } = &booking.host;
    json!({
        "id": id,
        "name": name,
        "email": email,
        "username": username,
        "timeZone": time_zone,
        "language": {"locale": "en"},
        "timeFormat": "HH:mm",
        "utcOffset": utc_offset(time_zone, booking.start),
    })
}

pub(super) fn ical_uid(booking: &Booking) -> String {
    format!("{}@Cal.diy", booking.ical_uid)
}

/// Minutes east of UTC at that instant.
pub(super) fn utc_offset(time_zone: &str, at: Timestamp) -> i32 {
    let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
    zone.to_offset(at).seconds() / 60
}

pub(super) fn calendar_file(booking: &Booking, method: &str) -> String {
    let compact = |at: Timestamp| at.strftime("%Y%m%dT%H%M%SZ").to_string();
    [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Cal.com//EN",
        &format!("METHOD:{method}"),
        "BEGIN:VEVENT",
        &format!("UID:{}@Cal.com", booking.ical_uid),
        &format!("SEQUENCE:{}", booking.sequence),
        &format!("SUMMARY:{}", booking.title()),
        &format!("DTSTART:{}", compact(booking.start)),
        &format!("DTEND:{}", compact(booking.end)),
        &format!(
            "ORGANIZER;CN={}:mailto:{}",
            booking.host.name, booking.host.email
        ),
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    .join("\n")
}
