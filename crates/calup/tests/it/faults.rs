//! ClickUp misbehaves: one lead, one comment, all the same.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use sim::cal::Person;
use sim::clickup::Config;
use sim::faults::ALWAYS;
use sim::{Fault, Match};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::world::{BROKERS, EMAIL_FIELD, INBOUND, SELLERS, Setup, World};

const START: &str = "2090-05-04T10:00:00Z";
const WORLDS_AT_ONCE: usize = 6;
const EMAIL: &str = "ada@byrd.example";

fn faults() -> Vec<Fault> {
    vec![
        Fault::Drop,
        Fault::ApplyThenDrop,
        Fault::DropThenApplyLate(400),
        Fault::Html(502),
        Fault::Html(404),
        Fault::ApplyThenStatus(504),
        Fault::Status(
            500,
            r#"{"err":"Team(s) not authorized","ECODE":"ITEMV2_003"}"#.into(),
        ),
        Fault::CutBody(20),
        Fault::EmptyBody200,
        Fault::ForeignJson200,
        Fault::RateLimited(1),
        Fault::RateLimited(-30),
        Fault::Hang,
        Fault::ApplyThenHang,
        Fault::Redirect302("https://app.clickup.com/login".into()),
        Fault::IndexLag(700),
        Fault::Delay(900),
    ]
}

/// One booking by somebody known (or not) while the matching request goes wrong once.
async fn one_booking(is_known: bool, when: Match, fault: Fault) {
    let shown = format!("known: {is_known}, {when:?}, {fault:?}");
    let world = World::start().await;
    if is_known {
        world.clickup.add_task(BROKERS, "Ada", Some(EMAIL));
        world.clickup.age(Duration::from_secs(3_600));
    }
    world.clickup.fault(when, fault, 1);
    let booking = world.cal().book(&Person::new("Ada Byrd", EMAIL), START, 30);
    assert_eq!(world.deliver(booking.created().body).await, 200);
    let counts = world.settle().await;
    assert_eq!(world.clickup.faults_left(), 0, "{shown}");
    assert_eq!(
        counts["done"],
        1,
        "{shown}: {}",
        world.get("/api/deliveries").await
    );
    let leads = world.clickup.live_tasks();
    assert_eq!(leads.len(), 1, "{shown}: {leads:#?}");
    let lead = &leads[0];
    assert_eq!(lead.status, "meeting booked", "{shown}");
    assert_eq!(
        lead.comments.len(),
        usize::from(is_known),
        "{shown}: {:#?}",
        lead.comments
    );
    assert!(
        lead.markdown.contains("https://meet.example.com/nora"),
        "{shown}: {}",
        lead.markdown
    );
}

async fn each_fault(is_known: bool, when: fn() -> Match) {
    // A world that begins keeps the others from answering: too many, and their connections are given up.
    let room = Arc::new(Semaphore::new(WORLDS_AT_ONCE));
    let mut all = JoinSet::new();
    for fault in faults() {
        let (room, when) = (room.clone(), when());
        all.spawn(async move {
            let _room = room.acquire_owned().await.expect("never closed");
            one_booking(is_known, when, fault).await;
        });
    }
    while let Some(ended) = all.join_next().await {
        if let Err(failed) = ended {
            std::panic::resume_unwind(failed.into_panic());
        }
    }
}

#[tokio::test]
async fn whatever_happens_to_a_create_there_is_one_lead() {
    each_fault(false, || Match::post("/list/").ending("/task")).await;
}

#[tokio::test]
async fn whatever_happens_to_a_comment_it_stands_there_once() {
    each_fault(true, || Match::post("/comment")).await;
}

#[tokio::test]
async fn whatever_happens_to_a_write_status_and_block_stand() {
    each_fault(true, || Match::put("/task/")).await;
}

#[tokio::test]
async fn whatever_a_search_answers_a_known_person_gets_no_second_lead() {
    each_fault(true, || Match::get("/team/").ending("/task")).await;
}

#[tokio::test]
async fn whatever_a_read_of_a_lead_answers_the_booking_arrives() {
    each_fault(true, || Match::get("/task/")).await;
}

#[tokio::test]
async fn whatever_the_hourly_look_ups_answer_the_booking_arrives() {
    each_fault(false, || Match::get("/list/")).await;
}

#[tokio::test]
async fn deliveries_are_taken_while_clickup_is_down_and_worked_off_when_it_is_back() {
    let mut world = World::start().await;
    world.clickup.stop().await;
    world.calup.restart();
    let cal = world.cal();
    for n in 0..3 {
        let person = Person::new("Ada Byrd", &format!("ada{n}@byrd.example"));
        assert_eq!(
            cal.send(&cal.book(&person, START, 30).created()).await.0,
            200
        );
    }
    world
        .until("all wait", async || {
            world.get("/api/counts").await["waiting"] == 3
        })
        .await;
    assert_eq!(world.get("/readyz").await["status"], "ready");
    world.clickup.restart().await;
    let counts = world.settle_within(Duration::from_secs(45)).await;
    assert_eq!(counts["done"], 3, "{counts}");
    assert_eq!(world.clickup.tasks_in(INBOUND).len(), 3);
}

/// The lead of a booking whose write ClickUp refused for good, and where it is replayed.
async fn refused_write(world: &World) -> (String, String) {
    let lead = world.clickup.add_task(INBOUND, "Ada Byrd", Some(EMAIL));
    let refused = r#"{"err":"Internal","ECODE":"ITEM_999"}"#;
    let write = Match::put(&format!("/task/{lead}"));
    world
        .clickup
        .fault(write, Fault::Status(400, refused.into()), 1);
    let booking = world.cal().book(&Person::new("Ada Byrd", EMAIL), START, 30);
    assert_eq!(world.deliver(booking.created().body).await, 200);
    assert_eq!(world.settle().await["dead"], 1);
    let shown = world.clickup.task(&lead).expect("the lead");
    assert_eq!((shown.status.as_str(), shown.comments.len()), ("to do", 1));
    let all = world.get("/api/deliveries").await;
    let id = all["deliveries"][0]["id"].as_str().expect("an id");
    (lead, format!("/api/deliveries/{id}/replay"))
}

/// The block is written, nothing is told again, and the lead has this status then.
async fn replayed(world: &World, (lead, replay): (String, String), status: &str) {
    assert_eq!(world.post(&replay, json!({})).await.0, 200);
    assert_eq!(world.settle().await["done"], 1);
    let shown = world.clickup.task(&lead).expect("the lead");
    assert_eq!((shown.status.as_str(), shown.comments.len()), (status, 1));
    assert!(shown.markdown.contains("Cal.com meetings"));
}

#[tokio::test]
async fn a_refused_write_that_is_replayed_moves_the_status_too() {
    let world = World::start().await;
    let refused = refused_write(&world).await;
    replayed(&world, refused, "meeting booked").await;
}

#[tokio::test]
async fn a_refused_write_that_is_replayed_leaves_the_status_that_a_person_set_since() {
    let world = World::start().await;
    let refused = refused_write(&world).await;
    world.clickup.human_set_status(&refused.0, "negotiating");
    replayed(&world, refused, "negotiating").await;
}

#[tokio::test]
async fn a_refused_token_makes_deliveries_wait_and_says_what_to_do() {
    let mut world = World::start().await;
    world.clickup.set_token_valid(false);
    let cal = world.cal();
    for n in 0..2 {
        let person = Person::new("Ada Byrd", &format!("ada{n}@byrd.example"));
        assert_eq!(
            cal.send(&cal.book(&person, START, 30).created()).await.0,
            200
        );
    }
    world
        .until("the operator is told", async || {
            world
                .get("/api/notices")
                .await
                .to_string()
                .contains("CLICKUP_API_TOKEN")
        })
        .await;
    // The operator is told before the pause is written, and `/readyz` keeps its answer for a second.
    world
        .until("it says that it is paused", async || {
            let ready = world.get("/readyz").await;
            ready["clickup"]
                .as_str()
                .is_some_and(|s| s.starts_with("paused"))
        })
        .await;
    world
        .until("both wait", async || {
            let counts = world.get("/api/counts").await;
            counts["waiting"].as_u64().unwrap_or(0) + counts["pending"].as_u64().unwrap_or(0) == 2
        })
        .await;
    let told = world.get("/api/notices").await;
    let told = told["notices"].as_array().expect("a list").iter();
    let told = told.filter(|n| n.to_string().contains("CLICKUP_API_TOKEN"));
    assert_eq!(told.count(), 1, "one cause");
    let calls = world.clickup.calls();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(
        world.clickup.calls() <= calls + 1,
        "a dead token is not tried again and again"
    );
    world.clickup.set_token_valid(true);
    // Else a probe finds out, which goes out once a minute.
    world.calup.restart();
    let counts = world.settle().await;
    assert_eq!(counts["done"], 2, "{counts}");
}

#[tokio::test]
async fn a_new_token_in_the_file_resumes_at_once() {
    let world = World::with(Setup {
        without: vec!["CLICKUP_API_TOKEN"],
        file: Some("clickup_api_token = \"pk_dead\"\n".to_owned()),
        ..Setup::default()
    })
    .await;
    let booking = world.cal().book(&Person::new("Ada Byrd", EMAIL), START, 30);
    assert_eq!(world.deliver(booking.created().body).await, 200);
    world
        .until("the token is found dead", async || {
            let ready = world.get("/readyz").await["clickup"].to_string();
            ready.starts_with("\"paused")
        })
        .await;
    let file = world.calup.dir.join("calup.toml");
    std::fs::write(file, "clickup_api_token = \"pk_sim\"\n").expect("a file");
    assert_eq!(world.settle().await["done"], 1);
}

#[tokio::test]
async fn a_list_that_does_not_exist_makes_deliveries_wait_and_says_what_to_do() {
    let mut world = World::with(Setup {
        env: vec![("CLICKUP_INBOUND_LIST_ID", "901100009999".to_owned())],
        ..Setup::default()
    })
    .await;
    let booking = world.cal().book(&Person::new("Ada Byrd", EMAIL), START, 30);
    assert_eq!(world.deliver(booking.created().body).await, 200);
    world
        .until("the operator is told", async || {
            let notices = world.get("/api/notices").await.to_string();
            notices.contains("CLICKUP_INBOUND_LIST_ID") && notices.contains("901100009999")
        })
        .await;
    world.until_it_waits().await;
    world.calup.set("CLICKUP_INBOUND_LIST_ID", INBOUND);
    world.calup.restart();
    assert_eq!(world.settle().await["done"], 1);
}

#[tokio::test]
async fn without_a_clickup_token_deliveries_wait() {
    let mut world = World::with(Setup {
        env: vec![("CLICKUP_API_TOKEN", String::new())],
        ..Setup::default()
    })
    .await;
    let booking = world.cal().book(&Person::new("Ada Byrd", EMAIL), START, 30);
    assert_eq!(world.deliver(booking.created().body).await, 200);
    world
        .until("the operator is told", async || {
            world
                .get("/api/notices")
                .await
                .to_string()
                .contains("set CLICKUP_API_TOKEN")
        })
        .await;
    world.calup.set("CLICKUP_API_TOKEN", "pk_sim");
    world.calup.restart();
    assert_eq!(world.settle().await["done"], 1);
}

#[tokio::test]
async fn a_limit_of_ten_a_minute_is_kept_without_losing_anything() {
    let world = World::with(Setup {
        clickup: Some(Config {
            limit_per_minute: 10,
            window: Duration::from_secs(1),
            ..Config::default()
        }),
        ..Setup::default()
    })
    .await;
    let cal = world.cal();
    for n in 0..12 {
        let person = Person::new("Ada Byrd", &format!("ada{n}@byrd.example"));
        assert_eq!(
            cal.send(&cal.book(&person, START, 30).created()).await.0,
            200
        );
    }
    assert_eq!(world.settle().await["done"], 12);
    assert_eq!(world.clickup.tasks_in(INBOUND).len(), 12);
}

#[tokio::test]
async fn an_always_failing_comment_of_one_person_holds_up_nobody_else() {
    let world = World::start().await;
    let id = world.clickup.add_task(BROKERS, "Ada", Some(EMAIL));
    world.clickup.fault(
        Match::post(&format!("/task/{id}/comment")),
        Fault::Html(502),
        ALWAYS,
    );
    let cal = world.cal();
    assert_eq!(
        cal.send(
            &cal.book(&Person::new("Ada Byrd", EMAIL), START, 30)
                .created()
        )
        .await
        .0,
        200
    );
    let ben = cal
        .book(&Person::new("Ben", "ben@byrd.example"), START, 30)
        .created();
    assert_eq!(cal.send(&ben).await.0, 200);
    world
        .until("the other is done", async || {
            world.ending(&ben.body).await.0 == "done"
        })
        .await;
    world.clickup.clear_faults();
    let counts = world.settle_within(Duration::from_secs(60)).await;
    assert_eq!(counts["done"], 2, "{counts}");
    assert_eq!(world.clickup.task(&id).expect("the lead").comments.len(), 1);
}

/// Each rests on its own, and nobody is told that ClickUp is away.
#[tokio::test]
async fn a_lead_that_is_never_answered_for_is_no_outage() {
    let world = World::start().await;
    let id = world.clickup.add_task(BROKERS, "Ada", Some(EMAIL));
    let read = Match::get(&format!("/task/{id}"));
    world.clickup.fault(read, Fault::Html(500), ALWAYS);
    let booking = world.cal().book(&Person::new("Ada Byrd", EMAIL), START, 30);
    assert_eq!(world.deliver(booking.created().body).await, 200);
    let probes = || {
        let requests = world.clickup.requests();
        let is_probe = |r: &&sim::clickup::LoggedRequest| r.path.ends_with("/v2/user");
        requests.iter().filter(is_probe).count()
    };
    world
        .until("four failures have been followed by a probe", async || {
            probes() >= 2
        })
        .await;
    let ready = world.get("/readyz").await.to_string();
    let notices = world.get("/api/notices").await.to_string();
    assert!(!notices.contains("clickup-down"), "{notices} {ready}");
    world.clickup.clear_faults();
    assert_eq!(
        world.settle_within(Duration::from_secs(60)).await["done"],
        1
    );
}

#[tokio::test]
async fn an_outage_is_told() {
    let world = World::start().await;
    world.clickup.stop().await;
    let booking = world.cal().book(&Person::new("Ada Byrd", EMAIL), START, 30);
    assert_eq!(world.deliver(booking.created().body).await, 200);
    world
        .until("the operator is told", async || {
            let notices = world.get("/api/notices").await.to_string();
            notices.contains("clickup-down")
        })
        .await;
    world.clickup.restart().await;
    let counts = world.settle_within(Duration::from_secs(60)).await;
    assert_eq!(counts["done"], 1, "{counts}");
}

#[tokio::test]
async fn a_match_list_without_the_email_field_is_told() {
    let world = World::start().await;
    world.clickup.remove_field(SELLERS, EMAIL_FIELD);
    let booking = world.cal().book(&Person::new("Ada Byrd", EMAIL), START, 30);
    assert_eq!(world.deliver(booking.created().body).await, 200);
    assert_eq!(world.settle().await["done"], 1);
    let notices = world.get("/api/notices").await.to_string();
    assert!(
        notices.contains(&format!("no-email-field:{SELLERS}")) && notices.contains("`Sellers`"),
        "{notices}"
    );
}

/// One request in five goes wrong, in every way at once.
#[tokio::test]
async fn a_storm_of_faults_leaves_each_person_one_lead_with_each_comment_once() {
    let world = World::start().await;
    let seed = std::env::var("CALUP_IT_SEED").ok();
    world
        .clickup
        .seed(seed.and_then(|s| s.parse().ok()).unwrap_or(7));
    for fault in [
        Fault::ApplyThenDrop,
        Fault::Drop,
        Fault::Html(502),
        Fault::CutBody(30),
        Fault::ForeignJson200,
    ] {
        world.clickup.fault_rate(Match::any(), fault, 0.04);
    }
    let cal = world.cal();
    for n in 0..8 {
        let email = format!("p{n}@storm.example");
        let booking = cal.book(&Person::new(&format!("Person {n}"), &email), START, 30);
        let (moved, rescheduled) = booking.rescheduled(None, "2090-05-06T10:00:00Z");
        for delivery in [
            booking.created(),
            rescheduled.restamped(),
            moved.cancelled(None, None).restamped().restamped(),
        ] {
            assert_eq!(cal.send(&delivery).await.0, 200);
        }
    }
    let counts = world.settle_within(Duration::from_secs(240)).await;
    assert_eq!(counts["done"], 24, "{}", world.get("/api/deliveries").await);
    for n in 0..8 {
        let leads = world.clickup.tasks_by_email(&format!("p{n}@storm.example"));
        assert_eq!(leads.len(), 1, "{leads:#?}");
        assert_eq!(leads[0].status, "meeting cancelled");
        assert_eq!(leads[0].comments.len(), 2, "{:#?}", leads[0].comments);
    }
    let (struck, calls) = (world.clickup.faulted(), world.clickup.calls());
    assert!(struck * 20 >= calls, "{struck} of {calls} calls went wrong");
}

/// Without an e-mail a lead can only be looked for among those that were made lately, by ClickUp's clock.
#[tokio::test]
async fn clocks_that_are_apart_hide_no_lead_that_was_made() {
    for skew_ms in [-900_000, 900_000] {
        let world = World::start().await;
        world.clickup.set_clock_skew_ms(skew_ms);
        world.clickup.fault(
            Match::post("/list/").ending("/task"),
            Fault::ApplyThenDrop,
            1,
        );
        let phone = Person::by_phone("Ada Byrd", "+15550100");
        let booking = world.cal().book(&phone, START, 30);
        assert_eq!(world.deliver(booking.created().body).await, 200);
        assert_eq!(world.settle().await["done"], 1);
        assert_eq!(world.clickup.task_count(), 1, "{skew_ms}");
    }
}
