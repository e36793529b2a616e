//! What happens to bookings, and the deliveries about it.

use serde_json::{Value, json};
use sim::cal::api::Server;
use sim::cal::sign;
use sim::{Fault, Match};

use super::{DEMO, INTRO, VISIT, WEEKLY, account, ask, data, roomy};

const VERSION: &str = "2024-08-13";
const ALL: [&str; 5] = [
    "BOOKING_CREATED",
    "BOOKING_RESCHEDULED",
    "BOOKING_CANCELLED",
    "BOOKING_REQUESTED",
    "BOOKING_REJECTED",
];

fn by(name: &str, event_type: u64, start: &str) -> Value {
    json!({
        "start": start, "eventTypeId": event_type,
        "attendee": {
            "name": name, "email": format!("{}@x.example", name.to_lowercase()),
            "timeZone": "Europe/Paris",
        },
    })
}

async fn post(server: &Server, path: &str, body: Value) -> Value {
    let answer = ask(server, "POST", path, VERSION, Some(body)).await;
    assert!(answer.status < 300, "{path}: {}", answer.text());
    answer.json()["data"].clone()
}

fn uid(booking: &Value) -> String {
    booking["uid"].as_str().expect("a uid").to_owned()
}

fn triggers(server: &Server) -> Vec<String> {
    let sent = server.deliveries();
    sent.iter()
        .filter_map(sim::cal::Delivery::trigger)
        .collect()
}

#[tokio::test]
async fn each_happening_is_one_signed_delivery_per_webhook() {
    let server = account(roomy()).await;
    server.add_webhook("http://127.0.0.1:9/hook", Some("s1"), &ALL, None);
    let made = post(
        &server,
        "/v2/bookings",
        by("Ada", INTRO, "2026-12-01T09:00:00Z"),
    )
    .await;
    let path = format!("/v2/bookings/{}", uid(&made));
    let body = json!({"start": "2026-12-01T10:00:00Z", "rescheduledBy": "ada@x.example"});
    let moved = post(&server, &format!("{path}/reschedule"), body).await;
    assert_eq!(moved["rescheduledFromUid"], made["uid"]);
    let path = format!("/v2/bookings/{}/cancel", uid(&moved));
    post(&server, &path, json!({"cancellationReason": "ill"})).await;
    assert_eq!(
        triggers(&server),
        [
            "BOOKING_CREATED",
            "BOOKING_RESCHEDULED",
            "BOOKING_CANCELLED"
        ]
    );
    let sent = server.deliveries();
    for delivery in &sent {
        assert_eq!(
            delivery.signature(),
            Some(sign("s1", &delivery.body).as_str())
        );
    }
    assert_eq!(sent[0].payload()["uid"], made["uid"]);
    assert_eq!(sent[0].payload()["bookingId"], made["id"]);
    assert_eq!(sent[1].payload()["rescheduleUid"], made["uid"]);
    assert_eq!(sent[1].payload()["rescheduledBy"], "ada@x.example");
    assert_eq!(sent[2].payload()["cancellationReason"], "ill");

    // A second subscription, of another event type, and one without a secret.
    server.add_webhook("http://127.0.0.1:9/visits", Some("s2"), &ALL, Some(VISIT));
    server.add_webhook("http://127.0.0.1:9/open", None, &["BOOKING_CREATED"], None);
    post(
        &server,
        "/v2/bookings",
        by("Ben", INTRO, "2026-12-02T09:00:00Z"),
    )
    .await;
    let sent = server.deliveries();
    assert_eq!(sent.len(), 5);
    assert_eq!(sent[4].signature(), Some("no-secret-provided"));
}

#[tokio::test]
async fn a_booking_that_wants_confirmation_waits_for_the_host() {
    let server = account(roomy()).await;
    server.add_webhook("http://127.0.0.1:9/hook", Some("s1"), &ALL, None);
    let visit = async |start: &str| {
        let made = post(&server, "/v2/bookings", by("Ada", VISIT, start)).await;
        assert_eq!(made["status"], "pending");
        uid(&made)
    };
    let first = visit("2026-12-01T09:00:00Z").await;
    let confirmed = post(&server, &format!("/v2/bookings/{first}/confirm"), json!({})).await;
    assert_eq!(confirmed["status"], "accepted");
    // Somebody else than the host moves it: it waits again, and no delivery says that it was moved.
    let body = json!({"start": "2026-12-01T12:00:00Z", "rescheduledBy": "ada@x.example"});
    let moved = post(&server, &format!("/v2/bookings/{first}/reschedule"), body).await;
    assert_eq!(moved["status"], "pending");
    let second = visit("2026-12-02T09:00:00Z").await;
    let body = json!({"reason": "Not our area"});
    let declined = post(&server, &format!("/v2/bookings/{second}/decline"), body).await;
    assert_eq!(declined["status"], "rejected");
    assert_eq!(
        triggers(&server),
        [
            "BOOKING_REQUESTED",
            "BOOKING_CREATED",
            "BOOKING_REQUESTED",
            "BOOKING_REQUESTED",
            "BOOKING_REJECTED"
        ]
    );
    let again = format!("/v2/bookings/{second}/confirm");
    let answer = ask(&server, "POST", &again, VERSION, Some(json!({}))).await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn seats_share_a_booking_and_leave_it_one_by_one() {
    let server = account(roomy()).await;
    server.add_webhook("http://127.0.0.1:9/hook", Some("s1"), &ALL, None);
    let start = "2026-12-01T09:30:00Z";
    let first = post(&server, "/v2/bookings", by("Ana", DEMO, start)).await;
    let both = post(&server, "/v2/bookings", by("Ben", DEMO, start)).await;
    assert_eq!(first["uid"], both["uid"]);
    let seat = both["attendees"][1]["seatUid"].clone();
    let path = format!("/v2/slots?eventTypeId={DEMO}&start=2026-12-01&end=2026-12-01");
    let slots = data(&server, &path, "2024-09-04").await;
    let taken = slots["2026-12-01"].as_array().expect("slots").iter();
    let taken: Vec<&Value> = taken.filter(|it| it["seatsBooked"] != 0).collect();
    assert_eq!(taken[0]["seatsRemaining"], 2);
    assert_eq!(taken[0]["bookingUid"], first["uid"]);
    let path = format!("/v2/bookings/{}/cancel", uid(&first));
    let left = post(&server, &path, json!({"seatUid": seat})).await;
    assert_eq!(left["status"], "accepted");
    assert_eq!(left["attendees"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        triggers(&server),
        ["BOOKING_CREATED", "BOOKING_CREATED", "BOOKING_CANCELLED"]
    );
}

#[tokio::test]
async fn a_series_is_booked_and_called_off_at_once() {
    let server = account(roomy()).await;
    server.add_webhook("http://127.0.0.1:9/hook", Some("s1"), &ALL, None);
    let made = post(
        &server,
        "/v2/bookings",
        by("Ada", WEEKLY, "2026-12-01T09:00:00Z"),
    )
    .await;
    assert_eq!(made.as_array().map(Vec::len), Some(3));
    let path = format!("/v2/bookings/{}/cancel", uid(&made[1]));
    let body = json!({"cancellationReason": "holidays", "cancelSubsequentBookings": true});
    let left = post(&server, &path, body).await;
    let left = left.as_array().expect("the series").iter();
    let statuses: Vec<&Value> = left.map(|it| &it["status"]).collect();
    assert_eq!(statuses, ["accepted", "cancelled", "cancelled"]);
    assert_eq!(triggers(&server).len(), 4);
}

#[tokio::test]
async fn a_fault_loses_the_answer_and_not_the_booking() {
    let server = account(roomy()).await;
    server.fault(Match::post("/v2/bookings"), Fault::ApplyThenStatus(502), 1);
    let body = Some(by("Ada", INTRO, "2026-12-01T09:00:00Z"));
    let answer = ask(&server, "POST", "/v2/bookings", VERSION, body).await;
    assert_eq!(answer.status, 502);
    assert_eq!(server.bookings().len(), 1);
    assert!(server.requests()[0].executed);
    assert_eq!(server.requests()[0].version, VERSION);
}

#[tokio::test]
async fn whoever_has_the_uid_has_the_booking_and_nobody_else_the_list() {
    let server = account(roomy()).await;
    let made = post(
        &server,
        "/v2/bookings",
        by("Ada", INTRO, "2026-12-01T09:00:00Z"),
    )
    .await;
    let version = [("cal-api-version", VERSION)];
    for (path, status) in [
        (format!("/v2/bookings/{}", uid(&made)), 200),
        ("/v2/bookings".to_owned(), 403),
        ("/v2/me".to_owned(), 401),
        ("/v2/webhooks".to_owned(), 401),
    ] {
        let answer = super::call(&server, "GET", &path, &version, None).await;
        assert_eq!(answer.status, status, "{path}");
    }
    // Its filter minds the case.
    for (email, count) in [("ada@x.example", 1), ("Ada@x.example", 0)] {
        let listed = data(
            &server,
            &format!("/v2/bookings?attendeeEmail={email}"),
            VERSION,
        )
        .await;
        assert_eq!(listed.as_array().map(Vec::len), Some(count), "{email}");
    }
}
