//! Every status that a delivery can have in its life is reached, and shown in the API, the counts and the command line.

use serde_json::Value;
use sim::cal::{Delivery, Person};
use sim::faults::{ALWAYS, Fault, Match};

use crate::world::{BROKERS, INBOUND, Setup, World};

const START: &str = "2090-05-04T10:00:00Z";
const EMAIL: &str = "ada@byrd.example";

/// Wherever a person may look, it says the same.
async fn shows(world: &World, delivery: &Delivery, status: &str, reason: &str) {
    world
        .until(&format!("it is {status}"), async || {
            world.ending(&delivery.body).await.0 == status
        })
        .await;
    let (_, shown) = world.ending(&delivery.body).await;
    assert!(shown.contains(reason), "{status}: {shown}");
    let counts = world.get("/api/counts").await;
    assert!(counts[status].as_u64() >= Some(1), "{status}: {counts}");
    let total: u64 = counts
        .as_object()
        .expect("counts")
        .iter()
        .filter(|(name, _)| !["received", "refused"].contains(&name.as_str()))
        .filter_map(|(_, n)| n.as_u64())
        .sum();
    assert_eq!(counts["received"], total, "{counts}");
    let filtered = world.get(&format!("/api/deliveries?status={status}")).await;
    let has = |all: &Value| {
        let all = all["deliveries"].as_array().expect("deliveries");
        all.iter().any(|d| d["sha256"] == delivery.sha256())
    };
    assert!(has(&filtered), "{status}: {filtered}");
    let (listed, _, code) = world
        .calup
        .run(&["deliveries", "--status", status, "--json"]);
    assert_eq!(code, 0);
    assert!(listed.contains(&delivery.sha256()), "{status}: {listed}");
}

async fn comes(world: &World, delivery: &Delivery) {
    assert_eq!(world.deliver(delivery.body.clone()).await, 200);
}

#[tokio::test]
async fn a_delivery_on_its_way_is_pending_running_or_waiting() {
    let mut world = World::start().await;
    world.calup.stop();
    world.calup.start_as(&["serve", "--only", "intake"]);
    let cal = world.cal();
    let booking = cal.book(&Person::new("Ada Byrd", EMAIL), START, 30);
    let created = booking.created();
    comes(&world, &created).await;
    shows(&world, &created, "pending", "").await;

    world
        .clickup
        .fault(Match::any(), Fault::Delay(1_500), ALWAYS);
    world.calup.restart();
    shows(&world, &created, "running", "").await;
    world.clickup.clear_faults();
    world.settle().await;
    shows(&world, &created, "done", "").await;

    world.clickup.fault(Match::any(), Fault::Html(503), ALWAYS);
    let moved = booking.rescheduled(None, "2090-05-05T10:00:00Z").1;
    comes(&world, &moved).await;
    shows(&world, &moved, "waiting", "503").await;
    world.clickup.clear_faults();
    world.calup.restart();
    world.settle().await;
    shows(&world, &moved, "done", "").await;

    let early = cal
        .book(&Person::new("Bo Lind", "bo@lind.example"), START, 30)
        .paid(100, "eur");
    comes(&world, &early).await;
    shows(&world, &early, "waiting", "its booking").await;
}

#[tokio::test]
async fn a_delivery_ends_for_each_reason_there_is() {
    let world = World::with(Setup {
        env: vec![
            ("CALUP_GUESTS", "match".into()),
            ("CALUP_UNKNOWN_BOOKING_SECONDS", "0.2".into()),
        ],
        ..Setup::default()
    })
    .await;
    let cal = world.cal();
    let ada = Person::new("Ada Byrd", EMAIL);
    let stranger = || cal.book(&Person::new("Bo Lind", "bo@lind.example"), START, 30);
    let booking = cal.book(&ada, START, 30);
    let host = booking.created().json()["payload"]["organizer"]["email"].clone();
    let self_booking = stranger().created().edited(|body| {
        body["payload"]["attendees"][0]["email"] = host.clone();
        body["payload"]["responses"]["email"]["value"] = host;
    });
    let nobody = stranger().created().edited(|body| {
        body["payload"]["attendees"] = serde_json::json!([]);
    });
    let created = booking.created();
    for (delivery, status, reason) in [
        (created.clone(), "done", ""),
        (
            created.restamped(),
            "duplicate",
            "the same change came with delivery",
        ),
        (self_booking, "skipped", "self-booking"),
        (nobody, "skipped", "no attendee"),
        (
            stranger().cancelled(None, None),
            "skipped",
            "unknown booking",
        ),
        (stranger().no_show(true), "skipped", "unknown booking"),
        (stranger().requested(), "skipped", "not confirmed"),
        (stranger().rejected("No."), "skipped", "not confirmed"),
        (cal.ping(), "ignored", "ping"),
        (booking.meeting_ended(), "ignored", "MEETING_ENDED"),
        (
            cal.literal_false(),
            "quarantined",
            "custom payload template",
        ),
        (
            cal.template_json(&booking),
            "quarantined",
            "custom payload template",
        ),
        (
            created.edited(|body| {
                let payload = body["payload"].take();
                *body = payload;
            }),
            "quarantined",
            "Zapier",
        ),
    ] {
        comes(&world, &delivery).await;
        shows(&world, &delivery, status, reason).await;
    }
    let deleted = world.clickup.tasks_in(INBOUND)[0].id.clone();
    world.clickup.human_delete(&deleted);
    let moved = booking.rescheduled(None, "2090-05-05T10:00:00Z").1;
    comes(&world, &moved).await;
    shows(&world, &moved, "skipped", "deleted task").await;
    let unsigned = created.signed_with("other");
    let sent = sim::http::send("POST", &world.hook(), &unsigned.headers, &unsigned.body).await;
    assert_eq!(sent.expect("calup answers").status, 401);
    assert_eq!(world.get("/api/counts").await["refused"], 1);
}

#[tokio::test]
async fn what_is_refused_for_good_is_dead_until_it_is_mended_and_replayed() {
    let world = World::start().await;
    let lead = world.clickup.add_task(BROKERS, "Ada Byrd", Some(EMAIL));
    let refusal = r#"{"err":"Comment too long","ECODE":"COMM_400"}"#;
    world.clickup.fault(
        Match::post(&format!("/task/{lead}/comment")),
        Fault::Status(400, refusal.into()),
        ALWAYS,
    );
    let created = world
        .cal()
        .book(&Person::new("Ada Byrd", EMAIL), START, 30)
        .created();
    comes(&world, &created).await;
    shows(&world, &created, "dead", "comment").await;
    let task = world.clickup.task(&lead).expect("the lead");
    assert_eq!(task.status, "meeting booked", "the rest is done");
    let notices = world.get("/api/notices").await.to_string();
    assert!(notices.contains("calup replay"), "{notices}");

    world.clickup.clear_faults();
    let all = world
        .get(&format!("/api/deliveries?sha256={}", created.sha256()))
        .await;
    let id = all["deliveries"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let (_, error, code) = world.calup.run(&["replay", &id]);
    assert_eq!(code, 0, "{error}");
    shows(&world, &created, "done", "").await;
    let comments = world.clickup.task(&lead).expect("the lead").comments;
    assert_eq!(comments.len(), 1);
}
