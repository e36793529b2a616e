//! The payloads of booking deliveries, key by key as seen on the wire: the self-hosted
//! shapes of version 2021-10-20, which differ from path to path, and the hosted one of
//! 2026-07-27, which does not.

use serde_json::{Map, Value, json};

use super::booking::Booking;
use super::parts::{
    add_team, attendees, calendar_file, hosted_attendee, ical_uid, legacy_attendee, metadata,
    organizer, platform, responses, row_attendee, shown_location, user_attendee, user_fields,
    video,
};
use super::{Version, millis, offset, seconds};

pub(super) fn keys(payload: &mut Value) -> &mut Map<String, Value> {
    payload.as_object_mut().expect("a payload is an object")
}

pub(super) fn join(payload: &mut Value, more: Value) {
    if let Value::Object(more) = more {
        keys(payload).extend(more);
    }
}

/// CREATED and RESCHEDULED.
pub(super) fn standard(booking: &Booking, status: &str) -> Value {
    if booking.cal.version == Version::V2026 {
        return hosted(booking, status);
    }
    let mut payload = common(booking);
    join(
        &mut payload,
        json!({
            "startTime": seconds(booking.start),
            "endTime": seconds(booking.end),
            "attendees": attendees(booking, legacy_attendee),
            "organizer": organizer(booking),
            "location": shown_location(booking),
            "destinationCalendar": null,
            "iCalUID": ical_uid(booking),
            "iCalSequence": booking.sequence,
            "requiresConfirmation": booking.event.requires_confirmation,
            "oneTimePassword": null,
            "metadata": metadata(booking),
            "status": status,
        }),
    );
    if booking.event.location == "integrations:daily" {
        join(&mut payload, video(booking));
    }
    if booking.person.email.is_none() {
        let phone = json!(booking.person.phone);
        keys(&mut payload).insert("smsReminderNumber".to_owned(), phone);
    }
    add_team(&mut payload, booking);
    payload
}

/// REQUESTED: the newer producer's shape, whatever the version.
pub(super) fn requested(booking: &Booking) -> Value {
    if booking.cal.version == Version::V2026 {
        return hosted(booking, "PENDING");
    }
    let mut payload = common(booking);
    join(&mut payload, platform(booking));
    join(
        &mut payload,
        json!({
            "startTime": millis(booking.start),
            "endTime": millis(booking.end),
            "attendees": attendees(booking, hosted_attendee),
            "organizer": organizer(booking),
            "location": booking.event.location,
            "destinationCalendar": null,
            "iCalUID": ical_uid(booking),
            "iCalSequence": booking.sequence,
            "requiresConfirmation": true,
            "oneTimePassword": booking.cal.new_uuid(),
            "organizationId": null,
            "assignmentReason": [],
            "metadata": booking.person.metadata,
            "status": "PENDING",
        }),
    );
    payload
}

/// CREATED after a confirmation, and REJECTED: without the keys of the calendar.
pub(super) fn decided(booking: &Booking, status: &str) -> Value {
    if booking.cal.version == Version::V2026 {
        let mut payload = hosted(booking, status);
        keys(&mut payload).remove("metadata");
        return payload;
    }
    let mut payload = common(booking);
    for gone in ["schedulingType", "seatsShowAvailabilityCount", "hashedLink"] {
        keys(&mut payload).remove(gone);
    }
    join(
        &mut payload,
        json!({
            "startTime": millis(booking.start),
            "endTime": millis(booking.end),
            "attendees": attendees(booking, row_attendee),
            "organizer": organizer(booking),
            "location": booking.event.location,
            "destinationCalendar": [],
            "requiresConfirmation": true,
            "seatsShowAttendees": false,
            "organizationId": null,
            "assignmentReason": null,
            "status": status,
        }),
    );
    payload
}

/// CANCELLED: without metadata, with times the other way.
pub(super) fn cancelled(booking: &Booking, reason: Option<&str>) -> Value {
    if booking.cal.version == Version::V2026 {
        let mut payload = hosted(booking, "CANCELLED");
        join(
            &mut payload,
            json!({
                "cancellationReason": reason,
                "iCalSequence": booking.sequence + 1,
                "requestReschedule": false,
            }),
        );
        return payload;
    }
    let mut payload = common(booking);
    for gone in [
        "hideCalendarNotes",
        "hideCalendarEventDetails",
        "seatsShowAvailabilityCount",
        "disableRescheduling",
        "disableCancelling",
        "hashedLink",
    ] {
        keys(&mut payload).remove(gone);
    }
    join(
        &mut payload,
        json!({
            "startTime": offset(booking.start),
            "endTime": offset(booking.end),
            "attendees": attendees(booking, row_attendee),
            "organizer": organizer(booking),
            "location": booking.event.location,
            "destinationCalendar": [],
            "cancellationReason": reason,
            "seatsShowAttendees": false,
            "iCalUID": ical_uid(booking),
            "iCalSequence": booking.sequence + 1,
            "requiresConfirmation": null,
            "price": null,
            "status": "CANCELLED",
            "requestReschedule": false,
        }),
    );
    payload
}

/// CANCELLED because the host wants another time: a shape of its own.
pub(super) fn asked_to_reschedule(booking: &Booking, reason: &str) -> Value {
    let mut payload = cancelled(booking, Some(reason));
    join(
        &mut payload,
        json!({"requestReschedule": true, "cancelledBy": booking.host.email}),
    );
    if booking.cal.version == Version::V2026 {
        return payload;
    }
    for gone in [
        "bookerUrl",
        "additionalNotes",
        "description",
        "seatsPerTimeSlot",
        "seatsShowAttendees",
        "hideOrganizerEmail",
        "customReplyToEmail",
        "schedulingType",
        "hideBranding",
        "eventDescription",
        "requiresConfirmation",
        "price",
        "currency",
    ] {
        keys(&mut payload).remove(gone);
    }
    keys(&mut payload["organizer"]).remove("timeFormat");
    payload["attendees"] = attendees(booking, user_attendee);
    payload
}

/// Only CREATED carries the rule of a series.
pub(super) fn add_recurrence(payload: &mut Value, booking: &Booking) {
    let Some(rule) = &booking.recurring else {
        return;
    };
    keys(payload).insert("recurringEvent".to_owned(), rule.clone());
    if booking.cal.version == Version::V2026 {
        keys(payload).insert(
            "recurrenceTimeZone".to_owned(),
            json!(booking.host.time_zone),
        );
    }
}

/// Version 2026-07-27 attaches calendar files to accepted and cancelled bookings.
pub(super) fn add_calendar_files(payload: &mut Value, booking: &Booking, method: &str) {
    if booking.cal.version != Version::V2026 {
        return;
    }
    let file = json!(calendar_file(booking, method));
    keys(payload).insert("attendeeIcsContent".to_owned(), file.clone());
    keys(payload).insert("organizerIcsContent".to_owned(), file);
}

// What every self-hosted shape has, but for those that take some of it away.
fn common(booking: &Booking) -> Value {
    json!({
        "bookerUrl": "https://cal.example.com",
        "title": booking.title(),
        "type": booking.event.slug,
        "additionalNotes": booking.person.notes,
        "description": booking.person.notes,
        "eventTypeId": booking.event.id,
        "hideCalendarNotes": false,
        "hideCalendarEventDetails": false,
        "hideOrganizerEmail": false,
        "schedulingType": booking.event.team.as_ref().map(|_| "ROUND_ROBIN"),
        "seatsPerTimeSlot": null,
        "seatsShowAttendees": true,
        "seatsShowAvailabilityCount": true,
        "customReplyToEmail": null,
        "disableRescheduling": false,
        "disableCancelling": false,
        "customInputs": {},
        "responses": responses(booking),
        "userFieldsResponses": user_fields(booking),
        "hashedLink": null,
        "hideBranding": false,
        "uid": booking.uid,
        "bookingId": booking.id,
        "eventTitle": booking.event.title,
        "eventDescription": null,
        "price": 0,
        "currency": "usd",
        "length": booking.minutes(),
    })
}

fn hosted(booking: &Booking, status: &str) -> Value {
    let mut payload = common(booking);
    join(&mut payload, platform(booking));
    join(
        &mut payload,
        json!({
            "bookerUrl": "https://cal.com",
            "startTime": millis(booking.start),
            "endTime": millis(booking.end),
            "eventTypeTitle": booking.event.title,
            "privateNoteEnabled": false,
            "privateNoteMode": null,
            "privateNoteTemplate": null,
            "disableReschedulingScope": "HOST_AND_ATTENDEE",
            "disableCancellingScope": "HOST_AND_ATTENDEE",
            "attendees": attendees(booking, hosted_attendee),
            "organizer": organizer(booking),
            "location": shown_location(booking),
            "iCalUID": format!("{}@Cal.com", booking.ical_uid),
            "iCalSequence": booking.sequence,
            "requiresConfirmation": booking.event.requires_confirmation,
            "oneTimePassword": (status == "PENDING").then(|| booking.cal.new_uuid()),
            "organizationId": null,
            "cancellationReason": null,
            "rejectionReason": null,
            "assignmentReason": [],
            "destinationCalendar": null,
            "metadata": metadata(booking),
            "status": status,
        }),
    );
    add_team(&mut payload, booking);
    payload
}
