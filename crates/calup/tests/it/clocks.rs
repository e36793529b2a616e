//! The wall clock jumps by a day, forwards and back: nothing is lost, and nothing is given up early.

use std::time::Duration;

use sim::cal::Person;
use sim::faults::ALWAYS;
use sim::{Fault, Match};

use crate::world::{BROKERS, Setup, World};

const START: &str = "2090-05-04T10:00:00Z";
const EMAIL: &str = "ada@byrd.example";
const DAY: i64 = 86_400;
const FILE: &str = "clock";

async fn world() -> World {
    world_with(Vec::new()).await
}

async fn world_with(env: Vec<(&'static str, String)>) -> World {
    let mut all = vec![
        ("CALUP_CLOCK_FILE", FILE.to_owned()),
        ("CALUP_UNKNOWN_BOOKING_SECONDS", "60".to_owned()),
    ];
    all.extend(env);
    World::with(Setup {
        env: all,
        ..Setup::default()
    })
    .await
}

/// By how many seconds the wall clock has jumped, and how much longer the steady one is to have run.
fn set_clock(world: &World, wall: i64, steady: u64) {
    // Whole or not at all.
    let (file, draft) = (world.calup.dir.join(FILE), world.calup.dir.join("draft"));
    std::fs::write(&draft, format!("{wall} {steady}")).expect("a file");
    std::fs::rename(draft, file).expect("renamed");
}

#[tokio::test]
async fn a_jump_ahead_makes_nothing_that_may_still_arrive_be_sent_again() {
    let world = world_with(vec![
        ("CALUP_LATE_APPLY_SECONDS", "10".to_owned()),
        ("CALUP_LEASE_SECONDS", "3".to_owned()),
    ])
    .await;
    let create = Match::post("/list/").ending("/task");
    world
        .clickup
        .fault(create, Fault::DropThenApplyLate(9_700), 1);
    let booking = world.cal().book(&Person::new("Ada Byrd", EMAIL), START, 30);
    assert_eq!(world.deliver(booking.created().body).await, 200);
    world
        .until("it was looked for in vain", async || {
            world.last().await.1.contains("looking whether")
        })
        .await;
    set_clock(&world, DAY, 0);
    assert_eq!(world.settle().await["done"], 1);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(world.clickup.task_count(), 1);
    let posts = world.clickup.requests();
    assert_eq!(posts.iter().filter(|r| r.method == "POST").count(), 1);
}

#[tokio::test]
async fn a_jump_ahead_does_not_end_the_waiting_of_a_note() {
    let world = world().await;
    let lead = world.clickup.add_task(BROKERS, "Ada", Some(EMAIL));
    let booking = world.cal().book(&Person::new("Ada Byrd", EMAIL), START, 30);
    assert_eq!(world.deliver(booking.paid(100, "eur").body).await, 200);
    let waits = async || world.get("/api/counts").await["waiting"] == 1;
    world.until("it waits", waits).await;
    set_clock(&world, DAY, 0);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert!(waits().await, "{}", world.get("/api/deliveries").await);
    assert_eq!(world.deliver(booking.created().body).await, 200);
    assert_eq!(world.settle().await["done"], 2);
    assert_eq!(
        world.clickup.task(&lead).expect("the lead").comments.len(),
        2
    );
}

#[tokio::test]
async fn a_jump_back_leaves_nothing_waiting_for_a_day() {
    let world = world().await;
    let lead = world.clickup.add_task(BROKERS, "Ada", Some(EMAIL));
    world
        .clickup
        .fault(Match::get("/task/"), Fault::Html(502), ALWAYS);
    let booking = world.cal().book(&Person::new("Ada Byrd", EMAIL), START, 30);
    assert_eq!(world.deliver(booking.created().body).await, 200);
    world.until_it_waits().await;
    set_clock(&world, -DAY, 0);
    world.clickup.clear_faults();
    assert_eq!(world.settle().await["done"], 1);
    let ben = world
        .cal()
        .book(&Person::new("Ben", "ben@byrd.example"), START, 30);
    assert_eq!(world.deliver(ben.created().body).await, 200);
    assert_eq!(world.settle().await["done"], 2);
    assert_eq!(
        world.clickup.task(&lead).expect("the lead").comments.len(),
        1
    );
}

#[tokio::test]
async fn what_nobody_can_find_out_within_a_day_is_left_to_the_operator() {
    let world = world().await;
    let lead = world.clickup.add_task(BROKERS, "Ada", Some(EMAIL));
    let comments = format!("/task/{lead}/comment");
    world.clickup.fault(Match::post(&comments), Fault::Drop, 1);
    world
        .clickup
        .fault(Match::get(&comments), Fault::Html(502), ALWAYS);
    let booking = world.cal().book(&Person::new("Ada Byrd", EMAIL), START, 30);
    let created = booking.created();
    assert_eq!(world.deliver(created.body.clone()).await, 200);
    world
        .until("it is looked for", async || {
            let requests = world.clickup.requests();
            let looks = |r: &&sim::clickup::LoggedRequest| {
                r.method == "GET" && r.path.ends_with("/comment")
            };
            requests.iter().filter(looks).count() >= 2
        })
        .await;
    set_clock(&world, 0, 25 * 3_600);
    // ClickUp answers others all the while.
    let ben = world
        .cal()
        .book(&Person::new("Ben", "ben@byrd.example"), START, 30);
    assert_eq!(world.deliver(ben.created().body).await, 200);
    world
        .until("it is given up", async || {
            world.ending(&created.body).await.0 == "dead"
        })
        .await;
    let proof = world.get(&format!("/api/bookings/{}", booking.uid)).await;
    assert!(proof.to_string().contains("\"operator\""), "{proof}");
    let posts = world.clickup.requests();
    let posts = posts
        .iter()
        .filter(|r| r.method == "POST" && r.path.ends_with("/comment"));
    assert_eq!(posts.count(), 1, "it was never sent again");
    // Looked for once more when a person asks for it.
    world.clickup.clear_faults();
    let id = world.get("/api/deliveries?status=dead").await["deliveries"][0]["id"].clone();
    let replay = format!("/api/deliveries/{}/replay", id.as_str().expect("an id"));
    assert_eq!(world.post(&replay, serde_json::json!({})).await.0, 200);
    assert_eq!(world.settle().await["done"], 2);
    assert_eq!(
        world.clickup.task(&lead).expect("the lead").comments.len(),
        1
    );
}

#[tokio::test]
async fn a_jump_ahead_does_not_end_the_waiting_for_the_index_and_half_an_hour_does() {
    let mut world = world_with(vec![("CALUP_QUESTION_HOURS", "0".to_owned())]).await;
    let pages = Match::get("reverse=true&page");
    world.clickup.fault(pages, Fault::Html(502), ALWAYS);
    world.calup.set("CALUP_QUESTION_HOURS", "24");
    world.calup.restart();
    let ada = Person::new("Ada Byrd", EMAIL);
    let created = world.cal().book(&ada, START, 30).created();
    assert_eq!(world.deliver(created.body.clone()).await, 200);
    world
        .until("it waits for the index", async || {
            world
                .last()
                .await
                .1
                .contains("once the leads have been read")
        })
        .await;
    // It may be looked at just now.
    let still_waits = async || {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        let waits = async || world.last().await.0 == "waiting";
        world.until("it still waits", waits).await;
    };
    set_clock(&world, DAY, 0);
    still_waits().await;
    // Five minutes are between two looks.
    set_clock(&world, DAY + 301, 29 * 60);
    still_waits().await;
    set_clock(&world, DAY + 602, 30 * 60 + 1);
    assert_eq!(world.settle().await["done"], 1);
    let lead = world.clickup.live_tasks().remove(0);
    assert!(
        lead.markdown.contains("names could not be compared"),
        "{}",
        lead.markdown
    );
}

#[tokio::test]
async fn a_lead_that_is_made_while_all_are_read_anew_is_compared_too() {
    let mut world = world_with(vec![("CALUP_QUESTION_HOURS", "0".to_owned())]).await;
    world.clickup.add_tasks(BROKERS, 150);
    world.calup.set("CALUP_QUESTION_HOURS", "24");
    world.calup.restart();
    world
        .until("the leads are indexed", async || {
            world.calup.log().contains("the leads are indexed")
        })
        .await;
    // A day later everything is read once more, and the second page takes its time.
    let second = Match::get("page=1&");
    world.clickup.fault(second, Fault::Delay(5_000), ALWAYS);
    world.clickup.clear_requests();
    set_clock(&world, DAY + 3_600, 0);
    world
        .until("the second page is read", async || {
            let requests = world.clickup.requests();
            requests.iter().any(|r| r.query.contains("page=1&"))
        })
        .await;
    let namesake = world.clickup.add_task(BROKERS, "Byrd, Ada", None);
    let ada = Person::new("Ada Byrd", EMAIL);
    let created = world.cal().book(&ada, START, 30).created();
    assert_eq!(world.deliver(created.body.clone()).await, 200);
    world
        .until("it is held", async || {
            world.ending(&created.body).await.0 == "held"
        })
        .await;
    let open = world.get("/api/questions?state=open").await;
    let candidate = &open["questions"][0]["candidates"][0];
    assert_eq!(candidate["task_id"], namesake.as_str(), "{open}");
}
