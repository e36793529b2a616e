//! What must not leave a delivery.

use domain::event::Event;
use serde_json::{Value, json};
use vendors::cal::webhook;

use super::{booking, created, event, payload, recording, recordings};

const PASSWORD: &str = "canary-0b5d7a2e-otp";
const MEETING: &str = "canary.eyJhbGciOiJIUzI1NiJ9.meeting";

#[test]
fn no_secret_of_a_delivery_is_in_its_event() {
    let body = created(&payload(json!({
        "title": format!("Call {PASSWORD}"),
        "oneTimePassword": PASSWORD,
        "videoCallData": { "type": "daily_video", "id": "x", "password": MEETING, "url": "https://x.daily.co/x" },
        "location": format!("https://app.cal.com/booking/accept?token={PASSWORD}"),
        "metadata": { "videoCallUrl": format!("https://x.daily.co/x?t={MEETING}"), "calup": PASSWORD },
        "attendees": [{ "name": format!("Ada {MEETING}"), "email": "ada@example.com" }],
        "additionalNotes": format!("x{PASSWORD}y{PASSWORD}"),
        "cancellationReason": PASSWORD,
        "userFieldsResponses": { PASSWORD: { "label": PASSWORD, "value": [MEETING, { "a": PASSWORD }] } },
    })));
    let event = event(&body);
    let shown = format!(
        "{event:?} {}",
        serde_json::to_string(&event).expect("an event is JSON")
    );
    assert!(!shown.contains("canary"), "{shown}");
    assert_eq!(event.booking.title, "Call •••");
    assert_eq!(event.booking.notes.as_deref(), Some("x•••y•••"));
    assert_eq!(event.booking.place.join_link, None);
}

#[test]
fn no_secret_of_a_recording_is_in_what_is_read_from_it() {
    let mut seen = 0;
    for name in recordings() {
        let recording = recording(&name);
        let Ok(body) = serde_json::from_slice::<Value>(&recording.body) else {
            continue;
        };
        let shown = format!("{:?}", webhook::parse(&recording.body));
        let payload = &body["payload"];
        for secret in [
            &payload["oneTimePassword"],
            &payload["videoCallData"]["password"],
        ] {
            if let Some(secret) = secret.as_str() {
                seen += 1;
                assert!(!shown.contains(secret), "{name}");
            }
        }
    }
    assert!(seen > 10, "the recordings hold secrets");
}

#[test]
fn neither_an_aside_nor_a_reason_tells_a_secret() {
    for trigger in ["MEETING_ENDED", PASSWORD, "BOOKING_CREATED"] {
        let body = json!({ "triggerEvent": trigger, "oneTimePassword": PASSWORD, "uid": PASSWORD, "payload": { "uid": "bk_1", "startTime": PASSWORD } });
        let shown = format!("{:?}", webhook::parse(body.to_string().as_bytes()));
        assert!(!shown.contains("canary"), "{shown}");
    }
}

#[test]
fn a_short_secret_is_hidden_as_a_word_and_leaves_numbers_that_contain_it_alone() {
    let read = booking(json!({
        "videoCallData": { "password": 512_345 },
        "additionalNotes": "code 512345, phone +48512345678",
        "attendees": [{ "name": "Bartek", "email": "48512345678@sms.cal.com", "phoneNumber": "+48512345678" }],
    }));
    assert_eq!(read.notes.as_deref(), Some("code •••, phone +48512345678"));
    assert_eq!(read.attendees[0].phone.as_deref(), Some("+48512345678"));
    let tiny = booking(json!({ "videoCallData": { "password": "call" }, "title": "Intro call" }));
    assert_eq!(tiny.title, "Intro call");
}

#[test]
fn the_meetings_own_link_may_carry_its_password_but_never_a_one_time_password() {
    let zoom = "https://zoom.us/j/99911122233?pwd=Qx81kZ0pWn";
    let kept = booking(json!({ "location": zoom, "videoCallData": { "password": "Qx81kZ0pWn" } }));
    assert_eq!(kept.place.join_link.as_deref(), Some(zoom));
    let hidden = booking(json!({ "location": zoom, "oneTimePassword": "Qx81kZ0pWn" }));
    assert_eq!(hidden.place.join_link, None);
}

#[test]
fn a_reason_quotes_nothing_of_the_body() {
    let bodies = [
        "canary",
        "{\"canary\"",
        "{\"canary\":1}",
        "\"canary\"",
        "[\"canary\"]",
        "{&quot;canary&quot;:1}",
        "{\"triggerEvent\":{\"canary\":1}}",
        "{\"triggerEvent\":\"BOOKING_CREATED\",\"payload\":\"canary\"}",
        "{\"triggerEvent\":\"BOOKING_CREATED\",\"payload\":{\"uid\":\"bk_1\",\"startTime\":\"canary\"}}",
    ];
    for body in bodies {
        match webhook::parse(body.as_bytes()) {
            Err(unreadable) => assert!(!unreadable.reason.contains("canary"), "{body}"),
            Ok(Event::Booking(_) | Event::Form(_) | Event::Aside { .. }) => {
                panic!("{body} was read")
            }
        }
    }
}
