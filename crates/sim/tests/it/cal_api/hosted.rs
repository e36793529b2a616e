//! The hosted one: the fixtures' requests, on an account like theirs.

use jiff::civil::{date, time};
use serde_json::{Value, json};
use sim::cal::Host;
use sim::cal::api::{Bookable, Config, Reset, Schedule, Server};
use sim::{Fault, Match};

use super::shape::differences;
use super::{ask, call, fixture};

fn captured() -> i64 {
    let at: jiff::Timestamp = "2026-09-08T04:00:00Z".parse().expect("a time");
    at.as_millisecond()
}

async fn account() -> Server {
    let host =
        Host::new("Ingrid Solheim", "ingrid@solheim.example").time_zone("America/Los_Angeles");
    let server = Server::start(Config {
        host,
        hosted: true,
        booking_base: "https://cal.com".to_owned(),
        wall_ms: captured,
        ..Config::default()
    })
    .await;
    let link = "https://meet.solheim.example/room-7";
    for bookable in [
        Bookable::new(6_900_101, "intro-call", "Intro call", 15).location("integrations:daily"),
        Bookable::new(6_900_102, "consult", "Consultation", 30)
            .location(link)
            .confirmed_by_host(),
        Bookable::new(6_900_103, "workshop", "Workshop", 60).seats(6),
        Bookable::new(6_900_104, "weekly", "Weekly check-in", 15).weekly(4),
    ] {
        server.add_event_type(bookable);
    }
    let mut hours = Schedule::working_hours("America/Los_Angeles");
    hours.overrides = vec![
        (date(2026, 12, 24), time(10, 0, 0, 0), time(12, 0, 0, 0)),
        (date(2026, 12, 25), time(0, 0, 0, 0), time(0, 0, 0, 0)),
    ];
    server.set_schedules(vec![hours]);
    server
}

/// The fixture's request, to where it leads here.
async fn replay(server: &Server, name: &str, path: Option<&str>) -> (Value, Value) {
    let fixture = fixture(&format!("cal-api/{name}.json"));
    let request = &fixture["request"];
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (key, value) in request["query"].as_object().into_iter().flatten() {
        query.append_pair(key, value.as_str().expect("a value is text"));
    }
    let path = path.unwrap_or(request["path"].as_str().expect("a path"));
    let path = format!("{path}?{}", query.finish());
    let version = request["headers"]["cal-api-version"].as_str();
    let body = Some(request["body"].clone()).filter(|it| !it.is_null());
    let method = request["method"].as_str().expect("a method");
    let answer = ask(server, method, &path, version.unwrap_or_default(), body).await;
    assert_eq!(
        fixture["response"]["status"],
        answer.status,
        "{name}: {}",
        answer.text()
    );
    (fixture["response"]["body"].clone(), answer.json())
}

#[tokio::test]
async fn the_fixtures_are_answered_in_their_shape() {
    let server = account().await;
    let mut found = Vec::new();
    let mut check = |name: &str, (theirs, ours): &(Value, Value)| {
        let mut differ = Vec::new();
        differences(name, theirs, ours, &mut differ);
        // Its fields are told in another way, which nobody reads here.
        differ.retain(|it| !it.contains("bookingFields[") && !it.contains("locations["));
        // Of the slots, some days were copied.
        differ.retain(|it| !it.contains("2026-09-") || !it.ends_with("is not in the fixture"));
        found.extend(differ);
    };
    let seat = json!({
        "start": "2026-09-22T16:00:00Z", "eventTypeId": 6_900_103,
        "attendee": {"name": "Mirela", "email": "mirela@kostova.example", "timeZone": "Europe/Sofia"},
    });
    for name in ["bookings-list-empty", "me"] {
        check(name, &replay(&server, name, None).await);
    }
    let made = ask(&server, "POST", "/v2/bookings", "2024-08-13", Some(seat)).await;
    assert_eq!(made.status, 201, "{}", made.text());
    for name in [
        "event-types-list",
        "event-type-get",
        "event-types-list-by-username",
        "slots-range",
        "slots-empty",
        "slots-seated",
        "slots-time",
        "slots-available-legacy-2024-08-13",
        "schedules-default",
        "private-link-create",
        "private-link-create-expiring",
        "webhook-create",
        "webhooks-list",
        "booking-create-recurring",
        "error-404-booking",
        "error-404-missing-version",
        "error-403-forbidden",
    ] {
        check(name, &replay(&server, name, None).await);
    }
    let made = replay(&server, "booking-create", None).await;
    check("booking-create", &made);
    let uid = made.1["data"]["uid"].as_str().expect("a uid");
    let path = |uid: &str, verb: &str| format!("/v2/bookings/{uid}/{verb}");
    let moved = replay(
        &server,
        "booking-reschedule",
        Some(&path(uid, "reschedule")),
    )
    .await;
    check("booking-reschedule", &moved);
    let original = format!("/v2/bookings/{uid}");
    let name = "booking-get-original-after-reschedule";
    check(name, &replay(&server, name, Some(&original)).await);
    let uid = moved.1["data"]["uid"].as_str().expect("a uid");
    let cancelled = replay(&server, "booking-cancel", Some(&path(uid, "cancel"))).await;
    check("booking-cancel", &cancelled);
    let mut consult = fixture("cal-api/booking-create.json")["request"]["body"].clone();
    consult["eventTypeId"] = json!(6_900_102);
    consult["start"] = json!("2026-09-18T16:00:00Z");
    for (name, verb) in [
        ("booking-confirm", "confirm"),
        ("booking-decline", "decline"),
    ] {
        let body = Some(consult.clone());
        let pending = ask(&server, "POST", "/v2/bookings", "2024-08-13", body).await;
        let uid = pending.json()["data"]["uid"].clone();
        let uid = uid.as_str().expect("a uid");
        check(name, &replay(&server, name, Some(&path(uid, verb))).await);
        consult["start"] = json!("2026-09-18T17:00:00Z");
    }
    let taken = Some(consult.clone());
    ask(&server, "POST", "/v2/bookings", "2024-08-13", taken.clone()).await;
    let answer = ask(&server, "POST", "/v2/bookings", "2024-08-13", taken).await;
    let refusal = &fixture("cal-api/error-400-slot-taken.json")["response"]["body"];
    assert_eq!(answer.json()["error"], refusal["error"]);
    assert!(found.is_empty(), "{found:#?}");
}

#[tokio::test]
async fn refusals_are_worded_as_they_were() {
    let server = account().await;
    let wrong = [("Authorization", "Bearer cal_wrong")];
    let answer = call(&server, "GET", "/v2/me", &wrong, None).await;
    let theirs = &fixture("cal-api/error-401-invalid-key.json")["response"];
    assert_eq!(theirs["status"], answer.status);
    assert_eq!(theirs["body"]["error"], answer.json()["error"]);

    server.fault(Match::get("/v2/event-types"), Fault::RateLimited(60), 1);
    let answer = ask(&server, "GET", "/v2/event-types", "2024-06-14", None).await;
    let theirs = &fixture("cal-api/error-429-rate-limited.json")["response"];
    assert_eq!(theirs["status"], answer.status);
    assert_eq!(theirs["body"]["error"], answer.json()["error"]);
    for (name, value) in theirs["headers"].as_object().expect("headers") {
        assert_eq!(answer.header(name), value.as_str(), "{name}");
    }
    assert_eq!(answer.header("Retry-After"), None);

    server.fault(Match::get("/v2/bookings"), Fault::Html(524), 1);
    let answer = ask(&server, "GET", "/v2/bookings", "2024-08-13", None).await;
    assert_eq!(answer.status, 524);
    assert!(answer.text().starts_with("<html>"), "{}", answer.text());
}

#[tokio::test]
async fn the_reset_may_be_a_unix_time() {
    let server = account().await;
    for (reset, expected) in [
        (Reset::SecondsLeft, 60),
        (Reset::Unix, captured() / 1000 + 60),
    ] {
        server.set_reset(reset);
        let answer = ask(&server, "GET", "/v2/me", "", None).await;
        let said = answer.header("X-RateLimit-Reset-Default");
        assert_eq!(said, Some(expected.to_string().as_str()));
    }
}
