//! Every request that the client sends, against the official specification.

use serde_json::{Value, json};
use sim::cal::api::LoggedRequest;
use vendors::cal::api::{Cancel, Move, SlotsWanted, Standing, Wanted, Whereabouts, Window};

use super::oauth::connected;
use super::{
    DEMO, INTRO, READS, VISIT, WRITES, account, at, booking_of, client, fixture, read, roomy, write,
};
use crate::openapi::{self, Sent};

/// What is wrong with a request by the specification.
fn violations(spec: &Value, request: &LoggedRequest) -> Vec<String> {
    let sent = Sent {
        method: &request.method,
        path: &request.path,
        query: &request.query,
        body: &request.body,
    };
    let mut found = openapi::violations(spec, &sent);
    let Ok((template, operation)) = openapi::operation(spec, &sent) else {
        return found;
    };
    let version = openapi::parameter(operation, "header", "cal-api-version");
    let version = version.map_or("", |it| {
        it["schema"]["default"].as_str().unwrap_or_default()
    });
    if request.version != version {
        found.push(format!(
            "{template}: version {:?}, not {version:?}",
            request.version
        ));
    }
    if openapi::parameter(operation, "header", "Authorization").is_some()
        && !request.authorization.starts_with("Bearer ")
    {
        found.push(format!("{template}: no bearer"));
    }
    found
}

#[tokio::test]
async fn every_request_is_one_of_the_specification_s() {
    let spec = fixture("cal-openapi.json");
    let server = account(roomy()).await;
    let cal = client(&server);
    let mut new = booking_of(VISIT, "Ada", "2026-12-01T12:00:00Z");
    new.guests = vec!["guest@x.example".to_owned()];
    new.answers.insert("company".to_owned(), json!("Byrd & Co"));
    new.metadata = vec![("calup".to_owned(), "p".to_owned())];
    new.minutes = Some(60);
    new.booker.phone = Some("+46701234567".to_owned());
    for place in [
        Whereabouts::Video("cal-video".to_owned()),
        Whereabouts::Hosts("address".to_owned()),
        Whereabouts::BookersPhone("+46701234567".to_owned()),
        Whereabouts::BookersAddress("Storgatan 1".to_owned()),
    ] {
        new.place = Some(place);
        cal.book(&new).await.expect("a booking");
        new.start += jiff::SignedDuration::from_hours(24);
    }
    let booked = cal
        .book(&booking_of(VISIT, "Ben", "2026-12-08T12:00:00Z"))
        .await;
    let uid = booked.expect("a booking").swap_remove(0).uid;
    let webhook = "00000000-0000-4000-8000-000000000000";
    for which in READS {
        read(&cal, which, &uid).await.expect("a reading");
    }
    for which in WRITES {
        // Some have nothing left to do it to.
        let _any = write(&cal, which, &uid, webhook).await;
    }
    let whole = Wanted {
        standing: vec![
            Standing::Upcoming,
            Standing::Past,
            Standing::Cancelled,
            Standing::Unconfirmed,
        ],
        attendee_email: Some("ada@x.example".to_owned()),
        event_type_id: Some(INTRO),
        after_start: Some(at("2026-12-01T00:00:00Z")),
        before_end: Some(at("2026-12-31T00:00:00Z")),
        updated_after: Some(at("2026-11-01T00:00:00Z")),
        order: vendors::cal::api::Order::Changed,
        limit: 3,
    };
    cal.bookings(&whole).await.expect("bookings");
    cal.default_schedule().await.expect("a schedule");
    let slots = SlotsWanted {
        event_type_id: INTRO,
        window: Window {
            from: at("2026-12-01T00:00:00Z"),
            until: at("2026-12-02T00:00:00Z"),
        },
        time_zone: Some("Europe/Stockholm".to_owned()),
        minutes: Some(30),
        instead_of: Some(uid.clone()),
    };
    cal.slots(&slots).await.expect("slots");
    let seated = cal
        .book(&booking_of(DEMO, "Ana", "2026-12-09T09:30:00Z"))
        .await;
    let seated = seated.expect("a seat").swap_remove(0);
    let how = Move {
        seat: seated.attendees[0].seat.clone(),
        by: Some("ana@x.example".to_owned()),
        reason: Some("ill".to_owned()),
    };
    let moved = cal
        .reschedule(&seated.uid, at("2026-12-10T09:30:00Z"), &how)
        .await;
    let moved = moved.expect("a booking");
    let seat = moved.attendees[0].seat.clone().expect("a seat");
    let cancelled = cal.cancel(&moved.uid, "ill", &Cancel::Seat(seat)).await;
    cancelled.expect("done");
    let _none = cal.cancel(&uid, "ill", &Cancel::WithLater).await;

    let requests = server.requests();
    let mut kinds: Vec<String> = requests
        .iter()
        .map(|it| {
            let parts: Vec<&str> = it.path.split('/').collect();
            format!("{} {} {}", it.method, parts[2], parts.get(4).unwrap_or(&""))
        })
        .collect();
    kinds.sort();
    kinds.dedup();
    assert_eq!(kinds.len(), 16, "{kinds:#?}");
    let found: Vec<String> = requests
        .iter()
        .flat_map(|it| violations(&spec, it))
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}

/// The specification takes a client's secret or a verifier; Cal.com's documentation has PKCE for clients with a secret too.
#[tokio::test]
async fn a_code_is_exchanged_as_the_specification_has_it_but_for_the_verifier_beside_the_secret() {
    let spec = fixture("cal-openapi.json");
    let server = account(roomy()).await;
    let tokens = connected(&server).await;
    let oauth = super::oauth::client(&server);
    oauth.refresh(&tokens.refresh).await.expect("tokens");
    let sent: Vec<LoggedRequest> = server
        .requests()
        .into_iter()
        .filter(|it| it.method == "POST")
        .map(|mut it| {
            let form = it.body.as_str().expect("a form").to_owned();
            let pairs = url::form_urlencoded::parse(form.as_bytes());
            it.body = pairs
                .map(|(key, value)| (key.into_owned(), json!(value)))
                .collect();
            it
        })
        .collect();
    assert_eq!(sent.len(), 2);
    let mut exchange = sent[0].clone();
    assert!(!violations(&spec, &exchange).is_empty());
    exchange
        .body
        .as_object_mut()
        .expect("fields")
        .remove("code_verifier");
    for request in [&exchange, &sent[1]] {
        assert_eq!(violations(&spec, request), Vec::<String>::new());
    }
}

/// The validator itself must be able to object.
#[test]
fn a_misspelt_request_is_objected_to() {
    let spec = fixture("cal-openapi.json");
    let request =
        |method: &str, path: &str, query: &str, version: &str, body: Value| LoggedRequest {
            seq: 1,
            method: method.to_owned(),
            path: format!("/v2{path}"),
            query: query.to_owned(),
            body,
            content_type: "application/json".to_owned(),
            version: version.to_owned(),
            authorization: "Bearer cal_sim".to_owned(),
            status: 0,
            executed: false,
            at_ms: 0,
        };
    let null = || Value::Null;
    let slots = "start=2026-12-01&end=2026-12-02";
    assert!(
        violations(
            &spec,
            &request("GET", "/slots", slots, "2024-09-04", null())
        )
        .is_empty()
    );
    for wrong in [
        request("GET", "/slot", slots, "2024-09-04", null()),
        request("GET", "/slots", slots, "2024-08-13", null()),
        request("GET", "/slots", slots, "", null()),
        request("GET", "/slots", "start=2026-12-01", "2024-09-04", null()),
        request("GET", "/bookings", "take=all", "2024-08-13", null()),
        request(
            "GET",
            "/bookings",
            "status=upcoming,lost",
            "2024-08-13",
            null(),
        ),
        request("GET", "/bookings", "limit=3", "2024-08-13", null()),
        request("POST", "/bookings", "", "2024-08-13", json!({"start": "x"})),
        request("POST", "/bookings/u/confirm", "", "2024-08-13", json!({})),
        request(
            "POST",
            "/webhooks",
            "",
            "",
            json!({"active": true, "subscriberUrl": "x", "triggers": ["X"]}),
        ),
        request(
            "POST",
            "/event-types/1/private-links",
            "",
            "",
            json!({"maxUsageCount": 0}),
        ),
    ] {
        assert!(!violations(&spec, &wrong).is_empty(), "{wrong:?}");
    }
}
