//! The pretended Cal.com, held to `fixtures/cal-live` (self-hosted, genuine) and
//! `fixtures/cal-deliveries` (hosted and connected ones): the same keys at the top of
//! the payload and in its people, and a signature that verifies.

mod variants;

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};
use sim::cal::{Booking, Cal, Delivery, EventType, Host, Person, Version, sign};

struct Fixture {
    headers: Value,
    body: String,
    secret: String,
}

impl Fixture {
    fn read(path: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
        let text = std::fs::read_to_string(root.join(path)).expect("the fixture is there");
        let file: Value = serde_json::from_str(&text).expect("a fixture is JSON");
        let text = |key: &str| file[key].as_str().unwrap_or_default().to_owned();
        Self {
            headers: file["headers"].clone(),
            body: text("body"),
            secret: text("secret"),
        }
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("its body is JSON")
    }
}

fn cal() -> Cal {
    let event = EventType::new("intro-call", "Intro call");
    Cal::new("http://127.0.0.1:9/", "s")
        .event(event)
        .at("2026-11-22T23:24:22.659Z")
}

fn mira() -> Person {
    Person::new("Mira Okafor", "Mira@OkaforHomes.example")
        .notes("Looking for a <b>flat</b> & parking")
        .answer("company", "Company", "O'Brien & Söhne")
        .metadata("clickupTaskId", "86abc123")
}

fn booking(cal: &Cal) -> Booking {
    cal.book(&mira(), "2026-12-01T10:00:00Z", 30)
}

fn keys(value: &Value) -> BTreeSet<String> {
    value
        .as_object()
        .map(|object| object.keys().cloned().collect())
        .unwrap_or_default()
}

/// The delivery has the fixture's envelope, payload keys, people's keys and times.
fn assert_like(delivery: &Delivery, path: &str) {
    let fixture = Fixture::read(path).json();
    let ours = delivery.json();
    assert_eq!(ours["triggerEvent"], fixture["triggerEvent"], "{path}");
    assert_eq!(keys(&ours), keys(&fixture), "{path}: envelope");
    let (ours, theirs) = (&ours["payload"], &fixture["payload"]);
    assert_eq!(keys(ours), keys(theirs), "{path}: payload");
    assert_eq!(
        keys(&ours["organizer"]),
        keys(&theirs["organizer"]),
        "{path}: organizer"
    );
    let attendee = |payload: &Value| keys(&payload["attendees"][0]);
    assert_eq!(attendee(ours), attendee(theirs), "{path}: attendee");
    for key in ["status", "requestReschedule"] {
        assert_eq!(ours[key], theirs[key], "{path}: {key}");
    }
    for key in ["startTime", "rescheduleStartTime"] {
        assert_eq!(mask(&ours[key]), mask(&theirs[key]), "{path}: {key}");
    }
    assert_eq!(
        kinds(
            ours,
            &[
                "uid",
                "bookingId",
                "location",
                "responses",
                "attendeeSeatId"
            ]
        ),
        kinds(
            theirs,
            &[
                "uid",
                "bookingId",
                "location",
                "responses",
                "attendeeSeatId"
            ]
        ),
        "{path}: types"
    );
}

// Digits replaced, so that only the way of writing a time is compared.
fn mask(value: &Value) -> String {
    let text = value.as_str().unwrap_or_default();
    text.chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect()
}

fn kinds(payload: &Value, of: &[&str]) -> Vec<&'static str> {
    of.iter()
        .map(|key| match payload.get(key) {
            None => "absent",
            Some(Value::Null) => "null",
            Some(Value::Bool(_)) => "bool",
            Some(Value::Number(_)) => "number",
            Some(Value::String(_)) => "string",
            Some(Value::Array(_)) => "array",
            Some(Value::Object(_)) => "object",
        })
        .collect()
}

#[test]
fn self_hosted_bodies_have_the_keys_that_were_seen_live() {
    let cal = cal();
    let first = booking(&cal);
    assert_like(&first.created(), "cal-live/01-booking-created.json");
    let (moved, delivery) = first.rescheduled(Some("mira@x.example"), "2026-12-02T10:00:00Z");
    let live = "cal-live/05-rescheduled-once-by-attendee.json";
    assert_like(&delivery, live);
    let delivery = moved.rescheduled(None, "2026-12-03T10:00:00Z").1;
    assert_like(
        &delivery,
        "cal-live/11-rescheduled-without-rescheduledBy.json",
    );
    let live = "cal-live/07-cancelled-after-two-reschedules.json";
    assert_like(&moved.cancelled(None, Some("Found another flat")), live);

    let cal = cal.event(EventType::new("site-visit", "Site visit").confirmed_by_host());
    let visit = booking(&cal);
    assert_like(&visit.requested(), "cal-live/12-requested.json");
    assert_like(&visit.confirmed(), "cal-live/13-confirmed.json");
    let (moved, delivery) = visit.moved_pending("2026-12-08T09:00:00Z");
    let live = "cal-live/14-confirmed-then-moved-by-attendee.json";
    assert_like(&delivery, live);
    assert_like(&moved.confirmed(), "cal-live/15-moved-then-confirmed.json");
    assert_like(&visit.rejected("no"), "cal-live/17-rejected.json");
    let live = "cal-live/19-cancelled-while-pending.json";
    assert_like(&visit.cancelled(None, Some("no")), live);
}

#[test]
fn seats_and_series_have_the_keys_that_were_seen_live() {
    let cal = cal();
    let session = cal.seated("2026-12-01T13:00:00Z", 45, 4);
    let (_, first) = session.seat_created(&Person::new("Ana Duarte", "ana@duarte.example"));
    assert_like(&first, "cal-live/20-seated-created-seat-1.json");
    let (ben, second) = session.seat_created(&Person::new("Ben Achebe", "ben@achebe.example"));
    assert_like(&second, "cal-live/21-seated-created-seat-2.json");
    let (cleo, third) = session.seat_created(&Person::new("Cleo Marin", "cleo@marin.example"));
    assert_like(&third, "cal-live/22-seated-created-seat-3.json");
    let live = "cal-live/23-seated-one-seat-cancelled.json";
    assert_like(&ben.cancelled(""), live);
    let live = "cal-live/24-seated-one-seat-rescheduled.json";
    assert_like(&cleo.rescheduled("2026-12-02T13:00:00Z").1, live);
    let live = "cal-live/25-seated-whole-cancelled-by-host.json";
    assert_like(&session.cancelled("off"), live);

    let series = cal.series(&mira(), "2026-12-08T13:00:00Z", 30, 3);
    assert_like(&series[0].created(), "cal-live/26-recurring-created-1.json");
    assert_like(&series[2].created(), "cal-live/28-recurring-created-3.json");
    let delivery = series[0].rescheduled(None, "2026-12-09T13:00:00Z").1;
    assert_like(&delivery, "cal-live/29-recurring-one-rescheduled.json");
    let live = "cal-live/30-recurring-one-cancelled.json";
    assert_like(&series[1].cancelled(None, Some("ill")), live);
    let live = "cal-live/35-recurring-cancel-series-uid.json";
    assert_like(&series[1].series_cancelled(None, "all off"), live);
}

#[test]
fn connected_bodies_have_the_keys_of_the_fixtures() {
    let cal = cal();
    let like = |delivery: &Delivery, name: &str| {
        assert_like(delivery, &format!("cal-deliveries/{name}.json"));
    };
    like(&cal.ping(), "01-ping-test-trigger");
    like(
        &booking(&cal).created(),
        "12-booking-created-static-link-location",
    );
    like(
        &booking(&cal)
            .created_as("BOOKING_SOMETHING_NEW")
            .edited(add_video),
        "66-unknown-trigger",
    );
    like(
        &booking(&cal).cancelled(Some("mira@x.example"), Some("no")),
        "07-booking-cancelled-by-attendee",
    );
    like(
        &booking(&cal).payment_initiated(5000, "usd"),
        "37-booking-payment-initiated",
    );
    like(&booking(&cal).no_show(true), "39-booking-no-show-marked");
    like(
        &booking(&cal).host_no_show(),
        "41-after-hosts-cal-video-no-show",
    );
    like(&booking(&cal).meeting_started(), "43-meeting-started-flat");
    like(&booking(&cal).meeting_ended(), "44-meeting-ended-flat");
    like(
        &booking(&cal).recording_ready("https://x.example/r"),
        "46-recording-ready",
    );

    let video = cal
        .clone()
        .event(EventType::default().location("integrations:daily"));
    like(&booking(&video).created(), "02-booking-created-cal-video");
    let without = booking(&video).created_without_attendees();
    like(&without, "22-booking-created-no-attendees");
    let connected = video.with_calendar();
    let delivery = booking(&connected)
        .rescheduled(Some("a@b.example"), "2026-12-02T10:00:00Z")
        .1;
    like(&delivery, "05-booking-rescheduled-by-attendee");

    let phone = cal
        .clone()
        .event(EventType::new("call", "Call").location("phone"));
    let bartek = Person::by_phone("Bartek", "+48512345678");
    let call = phone.book(&bartek, "2026-12-01T10:00:00Z", 30);
    like(&call.created(), "14-booking-created-phone-only-attendee");
    assert_eq!(
        call.created().payload()["attendees"][0]["email"],
        "48512345678@sms.cal.com"
    );
}

// The fixture of the unknown trigger was made with a connected Cal Video.
fn add_video(body: &mut Value) {
    for key in ["videoCallData", "conferenceData", "appsStatus"] {
        body["payload"][key] = json!({});
    }
}

#[test]
fn hosted_bodies_have_the_keys_of_the_fixtures() {
    let cal = cal().version(Version::V2026);
    let like = |delivery: &Delivery, name: &str| {
        assert_like(delivery, &format!("cal-deliveries/{name}.json"));
        assert_eq!(delivery.header("X-Cal-Webhook-Version"), Some("2026-07-27"));
    };
    let first = booking(&cal);
    like(&first.created(), "68-hosted-2026-07-27-booking-created");
    let (moved, delivery) = first.location_updated("https://meet.example.com/other");
    like(&delivery, "69-hosted-2026-07-27-booking-location-updated");
    like(
        &moved.cancelled(None, Some("no")),
        "71-hosted-2026-07-27-booking-cancelled",
    );
    like(&first.requested(), "72-hosted-2026-07-27-booking-requested");
    let session = cal.seated("2026-12-01T13:00:00Z", 60, 6);
    let (_, delivery) = session.seat_created(&mira());
    like(&delivery, "75-hosted-2026-07-27-seated-created-seat-1");
    let (_, delivery) = session.seat_created(&Person::new("Owen Adair", "owen@adair.example"));
    like(
        &delivery,
        "76-hosted-2026-07-27-seated-created-seat-2-same-uid",
    );
    let series = cal.series(&mira(), "2026-12-08T13:00:00Z", 30, 3);
    like(
        &series[0].created(),
        "78-hosted-2026-07-27-recurring-created-1",
    );
    let call = cal.book(
        &Person::by_phone("Amadou Diallo", "+15550104477"),
        "2026-12-01T10:00:00Z",
        15,
    );
    like(&call.created(), "84-hosted-2026-07-27-phone-only");
}

#[test]
fn headers_are_those_of_a_genuine_delivery() {
    let fixture = Fixture::read("cal-live/01-booking-created.json");
    let lower = |name: &str| name.to_lowercase();
    // These three are the connection's, added when sending.
    let of_connection = ["host", "connection", "content-length"];
    let theirs: BTreeSet<String> = keys(&fixture.headers)
        .iter()
        .map(|name| lower(name))
        .filter(|name| !of_connection.contains(&name.as_str()))
        .collect();
    let delivery = booking(&cal()).created();
    let ours: BTreeSet<String> = delivery
        .headers
        .iter()
        .map(|(name, _)| lower(name))
        .collect();
    assert_eq!(ours, theirs);
    let old = booking(&cal().version(Version::None)).created();
    assert_eq!(old.header("X-Cal-Webhook-Version"), None);
}

#[test]
fn signatures_are_made_the_way_the_fixtures_were_signed() {
    for path in [
        "cal-live/01-booking-created.json",
        "cal-deliveries/68-hosted-2026-07-27-booking-created.json",
        "cal-deliveries/18-booking-created-unicode-injection.json",
    ] {
        let fixture = Fixture::read(path);
        let expected = sign(&fixture.secret, fixture.body.as_bytes());
        assert_eq!(fixture.headers["X-Cal-Signature-256"], expected, "{path}");
    }
    let delivery = booking(&cal()).created();
    assert_eq!(
        delivery.signature(),
        Some(sign("s", &delivery.body).as_str())
    );
}

#[test]
fn a_second_subscription_sends_the_same_change_in_other_bytes() {
    let delivery = booking(&cal()).created();
    let other = delivery.restamped();
    assert_ne!(delivery.body, other.body);
    assert_eq!(delivery.payload(), other.payload());
    assert_eq!(other.json()["createdAt"], "2026-11-22T23:24:22.796Z");
    assert_eq!(other.signature(), Some(sign("s", &other.body).as_str()));
    assert_eq!(
        booking(&cal()).created(),
        delivery,
        "the same seed gives the same bytes"
    );
}

#[test]
fn a_move_points_at_its_immediate_predecessor_under_a_new_uid() {
    let cal = cal();
    let a = booking(&cal);
    let (b, _) = a.rescheduled(None, "2026-12-02T10:00:00Z");
    let (c, delivery) = b.rescheduled(Some("mira@x.example"), "2026-12-03T11:00:00Z");
    let payload = delivery.payload();
    assert_eq!(payload["uid"], json!(c.uid));
    assert_eq!(payload["rescheduleUid"], json!(b.uid));
    assert_eq!(payload["rescheduleId"], json!(b.id));
    assert_eq!(payload["rescheduleStartTime"], "2026-12-02T10:00:00Z");
    assert_eq!(
        (&payload["startTime"], &payload["endTime"]),
        (
            &json!("2026-12-03T11:00:00Z"),
            &json!("2026-12-03T11:30:00Z")
        )
    );
    assert_eq!(payload["iCalSequence"], 2);
    let cancelled = c.cancelled(None, None).payload();
    assert_eq!(cancelled["iCalUID"], json!(format!("{}@Cal.diy", a.uid)));
    assert_eq!(cancelled["cancellationReason"], Value::Null);
    assert_eq!(a.uid.len(), 22);
}

#[test]
fn the_oddities_of_confirmations_and_seats_are_there() {
    let cal = cal().event(EventType::default().confirmed_by_host());
    let visit = booking(&cal);
    assert_eq!(
        visit.requested().payload()["metadata"],
        json!({"clickupTaskId": "86abc123"})
    );
    assert_eq!(visit.confirmed().payload()["metadata"], json!({}));
    let (moved, delivery) = visit.moved_pending("2026-12-08T09:00:00Z");
    assert_eq!(
        delivery.payload()["iCalUID"],
        json!(format!("{}@Cal.diy", visit.uid))
    );
    assert_ne!(moved.uid, visit.uid);

    let session = cal.seated("2026-12-01T13:00:00Z", 45, 4);
    let (ana, first) = session.seat_created(&mira());
    let (ben, second) = session.seat_created(&Person::new("Ben Achebe", "ben@achebe.example"));
    let (first, second) = (first.payload(), second.payload());
    assert_eq!(first["uid"], second["uid"]);
    assert_ne!(first["iCalUID"], second["iCalUID"]);
    assert_eq!(
        second["metadata"]["clickupTaskId"], "86abc123",
        "the first seat's leaks"
    );
    assert_eq!(second["attendees"].as_array().map(Vec::len), Some(1));
    let left = ben.cancelled("").payload();
    assert_eq!(left["attendees"][0]["email"], "ben@achebe.example");
    assert_eq!(
        left["responses"]["email"]["value"],
        "Mira@OkaforHomes.example"
    );
    assert!(
        left["title"]
            .as_str()
            .is_some_and(|title| title.ends_with("Mira Okafor"))
    );
    let (moved, delivery) = ana.rescheduled("2026-12-02T13:00:00Z");
    assert_eq!(delivery.payload()["rescheduleUid"], json!(session.uid));
    assert_ne!(moved.reference, ana.reference);
}

#[test]
fn odd_bodies_are_signed_too() {
    let cal = cal();
    let booking = booking(&cal);
    assert_eq!(cal.literal_false().body, b"false");
    let template = cal.template_json(&booking).json();
    let fixture = Fixture::read("cal-deliveries/56-custom-template-json.json").json();
    assert_eq!(keys(&template), keys(&fixture));
    let form = cal.template_form(&booking);
    assert_eq!(
        form.header("Content-Type"),
        Some("application/x-www-form-urlencoded")
    );
    assert_eq!(form.signature(), Some(sign("s", &form.body).as_str()));
    let host = Host::default();
    let own = cal
        .book(&host.as_person(), "2026-12-01T10:00:00Z", 30)
        .created()
        .payload();
    assert_eq!(own["attendees"][0]["email"], own["organizer"]["email"]);
    let team = EventType::new("sales-rr", "Sales demo")
        .team(
            "Sales",
            vec![Host::new("Tomás Ferreira", "tomas@brightharbor.example")],
        )
        .location("integrations:daily");
    let delivery = cal
        .event(team)
        .book(&mira(), "2026-12-01T10:00:00Z", 30)
        .created();
    let fixture = Fixture::read("cal-deliveries/32-booking-created-team-round-robin.json").json();
    assert_eq!(keys(&delivery.payload()), keys(&fixture["payload"]));
}

#[tokio::test]
async fn a_delivery_is_sent_as_it_is_and_resent_identically() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
    let cal = cal();
    cal.set_target(&url);
    let delivery = booking(&cal)
        .created()
        .with_header("X-Cal-Signature-256", "twice");

    let server = tokio::spawn(async move {
        let mut seen = Vec::new();
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().await.expect("a client");
            let mut raw = vec![0; 64 * 1024];
            let mut length = 0;
            while !raw[..length].ends_with(b"}") {
                length += stream.read(&mut raw[length..]).await.expect("bytes");
            }
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{\"success\":true}";
            stream.write_all(answer).await.expect("it listens");
            seen.push(raw[..length].to_vec());
        }
        seen
    });
    for _ in 0..2 {
        assert_eq!(
            cal.send(&delivery).await,
            (200, r#"{"success":true}"#.to_owned())
        );
    }
    let seen = server.await.expect("the server ends");
    assert_eq!(seen[0], seen[1]);
    let text = String::from_utf8_lossy(&seen[0]);
    assert!(text.starts_with("POST /hook HTTP/1.1\r\n"));
    assert_eq!(text.matches("X-Cal-Signature-256: ").count(), 2);
    assert!(seen[0].ends_with(&delivery.body));
}
