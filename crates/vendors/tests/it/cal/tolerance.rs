//! One meaning, many spellings.

use domain::booking::{Attendee, Party, Recurrence};
use domain::event::{Event, Trigger};
use domain::note::Note;
use serde_json::{Value, json};
use vendors::cal::webhook;

use super::{booking, created, event, payload, recording};

fn aside(body: &Value) -> (Trigger, Option<String>) {
    match webhook::parse(body.to_string().as_bytes()) {
        Ok(Event::Aside { trigger, uid }) => (trigger, uid),
        other => panic!("no aside: {other:?}"),
    }
}

#[test]
fn a_hosted_delivery_is_read_whole() {
    let event = event(&recording("cal-deliveries/75-hosted-2026-07-27-seated-created-seat-1").body);
    let booking = event.booking;
    assert_eq!(event.trigger, Trigger::Created);
    assert_eq!(
        booking.organizer,
        Party {
            name: "Ingrid Solheim".into(),
            email: "ingrid@solheim.example".into(),
            time_zone: "America/Los_Angeles".into(),
        }
    );
    let seat = Some("5b0c7f52-2f0e-4a7d-8a7b-1e2f3a4b5c6d".to_owned());
    assert_eq!(
        booking.attendees,
        [Attendee {
            name: "Mirela Kostova".into(),
            email: "mirela@kostova.example".into(),
            phone: None,
            time_zone: "Europe/Sofia".into(),
            seat: seat.clone(),
            no_show: None,
        }]
    );
    assert_eq!((booking.seats_per_slot, booking.seat), (Some(6), seat));
    assert_eq!(booking.event_title.as_deref(), Some("Workshop"));
    assert_eq!(booking.platform_client_id, None);
    assert_eq!(
        booking.responses_email.as_deref(),
        Some("mirela@kostova.example")
    );
}

#[test]
fn a_move_names_its_predecessor_its_times_and_its_reason() {
    let booking =
        event(&recording("cal-deliveries/05-booking-rescheduled-by-attendee").body).booking;
    assert_eq!(
        booking.reschedule_uid.as_deref(),
        Some("sX1priyaB1uidQ7hTz4mWc")
    );
    assert_eq!(
        booking.reschedule_start.map(|t| t.to_string()).as_deref(),
        Some("2026-09-10T14:00:00Z")
    );
    assert_eq!(
        booking.reschedule_end.map(|t| t.to_string()).as_deref(),
        Some("2026-09-10T14:30:00Z")
    );
    assert_eq!(
        booking.rescheduled_by.as_deref(),
        Some("priya.raman@northwindfoods.example")
    );
    assert_eq!(
        booking.reschedule_reason.as_deref(),
        Some("Conflict with a board meeting")
    );
    assert_eq!(booking.ical_sequence, Some(1));
}

#[test]
fn a_cancellation_tells_why_and_by_whom_and_whether_a_new_time_is_wanted() {
    let asked =
        event(&recording("cal-deliveries/13-booking-cancelled-host-requested-reschedule").body)
            .booking;
    assert!(asked.request_reschedule);
    assert_eq!(
        asked.cancelled_by.as_deref(),
        Some("nora@brightharbor.example")
    );
    assert_eq!(
        asked.cancellation_reason.as_deref(),
        Some("Please reschedule. Travelling that day")
    );
    let series = event(&recording("cal-live/35-recurring-cancel-series-uid").body).booking;
    let weekly = Recurrence {
        freq: 2,
        count: Some(3),
        interval: 1,
    };
    assert_eq!(series.recurring, Some(weekly));
    let rejected = event(&recording("cal-live/17-rejected").body).booking;
    assert_eq!(rejected.rejection_reason.as_deref(), Some("Not our area"));
    let silent =
        booking(json!({ "cancellationReason": "", "cancelledBy": null, "rejectionReason": " " }));
    assert_eq!(
        (
            silent.cancellation_reason,
            silent.cancelled_by,
            silent.rejection_reason
        ),
        (None, None, None)
    );
}

#[test]
fn a_phone_only_booker_keeps_the_placeholder_and_the_number() {
    let booking = event(&recording("cal-deliveries/84-hosted-2026-07-27-phone-only").body).booking;
    assert_eq!(booking.attendees[0].email, "15550104477@sms.cal.com");
    assert_eq!(booking.attendees[0].phone.as_deref(), Some("+15550104477"));
    assert_eq!(booking.responses_phone.as_deref(), Some("+15550104477"));
}

#[test]
fn every_spelling_of_an_instant_is_the_same_instant() {
    let spellings = [
        json!("2026-09-10T14:00:00Z"),
        json!("2026-09-10T14:00:00.000Z"),
        json!("2026-09-10T14:00:00+00:00"),
        json!("2026-09-10T16:00:00+02:00"),
        json!("2026-09-10T19:45:00+05:45"),
        json!("2026-09-10 14:00:00Z"),
        json!(" 2026-09-10T14:00:00Z "),
        json!(1_789_048_800_000_i64),
        json!("1789048800000"),
    ];
    for spelling in spellings {
        let read = booking(json!({ "startTime": spelling })).start;
        assert_eq!(read.to_string(), "2026-09-10T14:00:00Z", "{spelling}");
    }
}

#[test]
fn an_absent_or_unreadable_stamp_is_none() {
    for stamp in [
        json!(null),
        json!("yesterday"),
        json!(""),
        json!({}),
        json!(5),
    ] {
        let body = json!({ "triggerEvent": "BOOKING_CREATED", "createdAt": stamp, "payload": payload(json!({})) });
        assert_eq!(
            event(body.to_string().as_bytes()).created_at,
            None,
            "{stamp}"
        );
    }
    let body = json!({ "triggerEvent": "BOOKING_CREATED", "payload": payload(json!({})) });
    assert_eq!(event(body.to_string().as_bytes()).created_at, None);
}

#[test]
fn types_that_differ_are_read_and_the_missing_is_not_there() {
    let read = booking(json!({
        "uid": 4711,
        "eventTypeId": "880101",
        "iCalSequence": "3",
        "seatsPerTimeSlot": "5",
        "requestReschedule": "true",
        "attendees": null,
        "organizer": null,
        "team": [],
        "responses": "none",
        "metadata": null,
        "recurringEvent": { "freq": "2", "count": null },
        "platformClientId": "",
        "title": null,
        "eventTypeTitle": "Intro call",
        "location": [],
        "unknown": { "future": true },
    }));
    assert_eq!(read.uid, "4711");
    assert_eq!(read.event_type_id, Some(880_101));
    assert_eq!(
        (read.ical_sequence, read.seats_per_slot),
        (Some(3), Some(5))
    );
    assert!(read.request_reschedule);
    assert_eq!(read.attendees, []);
    assert_eq!(read.organizer, Party::default());
    assert_eq!(
        read.recurring,
        Some(Recurrence {
            freq: 2,
            count: None,
            interval: 1
        })
    );
    assert_eq!(read.platform_client_id, None);
    assert_eq!(read.title, "Intro call");
    assert_eq!(read.pointer, None);
}

#[test]
fn an_attendee_may_be_named_in_parts_and_a_nobody_is_none() {
    let read = booking(json!({ "attendees": [
        null,
        {},
        "ada@example.com",
        { "name": { "firstName": "Ada", "lastName": "King" }, "email": "Ada@Example.com", "timeZone": "Europe/London" },
        { "name": "", "firstName": "Bo", "lastName": "", "phoneNumber": 46_700 },
    ], "responses": { "name": { "value": { "firstName": "Ada", "lastName": "King" } } } }));
    let short: Vec<_> = read
        .attendees
        .iter()
        .map(|a| (a.name.as_str(), a.email.as_str(), a.phone.as_deref()))
        .collect();
    assert_eq!(
        short,
        [
            ("Ada King", "Ada@Example.com", None),
            ("Bo", "", Some("46700"))
        ]
    );
    assert_eq!(read.responses_name.as_deref(), Some("Ada King"));
}

#[test]
fn team_members_and_the_pointer_are_read() {
    let read = booking(json!({
        "team": { "id": 1, "members": [{ "email": "bo@host.example" }, { "email": null }, { "email": "Cy@host.example" }] },
        "metadata": { "calup": "v1.abc.def", "other": "x" },
        "platformClientId": "client_1",
    }));
    assert_eq!(read.team_emails, ["bo@host.example", "Cy@host.example"]);
    assert_eq!(read.pointer.as_deref(), Some("v1.abc.def"));
    assert_eq!(read.platform_client_id.as_deref(), Some("client_1"));
    assert_eq!(booking(json!({ "metadata": { "calup": 7 } })).pointer, None);
}

#[test]
fn bytes_that_are_not_quite_json_are_still_read() {
    let plain = String::from_utf8(created(&payload(json!({ "title": "TITLE" })))).expect("UTF-8");
    let titled = |title: &[u8]| {
        let (before, after) = plain.split_once("TITLE").expect("a title");
        let body = [before.as_bytes(), title, after.as_bytes()].concat();
        event(&body).booking.title
    };
    assert_eq!(titled(br"half \ud83d smile"), "half \u{fffd} smile");
    assert_eq!(titled(br"\ude00\ud83d\ude00"), "\u{fffd}😀");
    assert_eq!(titled(br"a\u0000b"), "ab");
    assert_eq!(titled(b"a\0b"), "ab");
    assert_eq!(titled(b"Caf\xe9"), "Caf\u{fffd}");
    let marked = [b"\xef\xbb\xbf \n", plain.as_bytes(), b"\r\n"].concat();
    assert_eq!(event(&marked).booking.title, "TITLE");
    let twice = plain.replace(r#""title":"TITLE""#, r#""title":"first","title":"last""#);
    assert_eq!(event(twice.as_bytes()).booking.title, "last");
}

#[test]
fn triggers_are_exact_and_all_others_are_asides() {
    let table = [
        ("PING", Trigger::Ping),
        ("booking.created", Trigger::Other("booking.created".into())),
        ("Booking_Created", Trigger::Other("Booking_Created".into())),
        ("OOO_CREATED", Trigger::Other("OOO_CREATED".into())),
        ("A\nB", Trigger::Other("AB".into())),
        ("PI\nNG", Trigger::Other("PING".into())),
        (" BOOKING_CREATED", Trigger::Other("BOOKING_CREATED".into())),
    ];
    for (name, trigger) in table {
        assert_eq!(aside(&json!({ "triggerEvent": name })), (trigger, None));
    }
    let long = "X".repeat(500);
    assert_eq!(
        aside(&json!({ "triggerEvent": long })).0,
        Trigger::Other("X".repeat(64))
    );
    let by_name = json!({ "triggerEvent": "BOOKING_REJECTED", "payload": payload(json!({})) });
    assert_eq!(
        event(by_name.to_string().as_bytes()).trigger,
        Trigger::Rejected
    );
}

#[test]
fn an_asides_uid_is_found_wherever_it_is() {
    for body in [
        json!({ "payload": { "uid": "bk_1", "bookingUid": "bk_2" } }),
        json!({ "payload": { "bookingUid": "bk_1" } }),
        json!({ "payload": { "booking": { "uid": "bk_1" } } }),
        json!({ "uid": "bk_1", "payload": null }),
        json!({ "uid": "bk_1", "payload": { "uid": "" } }),
    ] {
        let mut body = body;
        body["triggerEvent"] = "INSTANT_MEETING".into();
        assert_eq!(aside(&body).1.as_deref(), Some("bk_1"), "{body}");
        body["triggerEvent"] = "MEETING_ENDED".into();
        let note = event(body.to_string().as_bytes());
        assert_eq!(note.booking.uid, "bk_1", "{body}");
    }
    assert_eq!(
        aside(&json!({ "triggerEvent": "X", "uid": "x".repeat(300) })).1,
        None
    );
}

#[test]
fn who_did_not_come_is_whoever_is_marked() {
    for (payload, absent) in [
        (json!({}), vec![]),
        (
            json!({ "guests": [{ "email": "a@x.example" }] }),
            vec!["a@x.example"],
        ),
        (
            json!({ "guests": [{ "email": "a@x.example", "noShow": true }, { "email": "b@x.example", "noShow": false }] }),
            vec!["a@x.example"],
        ),
        (
            json!({ "attendees": [{ "email": "a@x.example", "noShow": false }, { "name": "Bo", "noShow": true }] }),
            vec!["Bo"],
        ),
    ] {
        let mut payload = payload;
        payload["bookingUid"] = "bk_1".into();
        let body = json!({ "triggerEvent": "AFTER_GUESTS_CAL_VIDEO_NO_SHOW", "payload": payload });
        let Some(Note::GuestsNoShow { absent: read }) = event(body.to_string().as_bytes()).note
        else {
            panic!("{body}");
        };
        assert_eq!(read, absent, "{body}");
    }
}

#[test]
fn a_form_s_own_address_is_told_from_others() {
    for (responses, email) in [
        (
            json!({ "Email": { "value": "a@x.example" }, "Your manager's e-mail": { "value": "b@x.example" } }),
            "a@x.example",
        ),
        (
            json!({ "Manager e-mail": { "value": "b@x.example" }, "e-mail": { "value": "a@x.example" } }),
            "a@x.example",
        ),
        (
            json!({ "Site": { "value": "me@home" }, "How to reach you": { "value": "a@x.example" } }),
            "a@x.example",
        ),
    ] {
        let body = json!({ "triggerEvent": "FORM_SUBMITTED", "payload": { "formId": "f", "responses": responses } });
        let Ok(Event::Form(form)) = webhook::parse(body.to_string().as_bytes()) else {
            panic!("{body}");
        };
        assert_eq!(form.email.as_deref(), Some(email), "{body}");
    }
}

#[test]
fn a_place_that_was_is_no_token_and_no_credential() {
    for (previous, before) in [
        ("https://meet.example/a", Some("https://meet.example/a")),
        ("integrations:daily", Some("Cal Video")),
        ("https://user:pw@meet.example/a", None),
    ] {
        let body = json!({ "triggerEvent": "BOOKING_LOCATION_UPDATED", "payload": { "uid": "bk_1", "previousLocation": previous } });
        let note = event(body.to_string().as_bytes()).note;
        let before = before.map(str::to_owned);
        assert_eq!(note, Some(Note::Location { before }), "{previous}");
    }
}
