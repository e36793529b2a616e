//! On Postgres: what a replica had sent when its lease ran out arrives once more when another one works. Whatever it had
//! recorded of it, the second is taken back.

use std::time::Duration;

use serde_json::Value;
use sim::cal::Person;
use sim::clickup::LoggedRequest;
use sim::{Fault, Match};

use crate::pair::{LEASE, Pair, book, is_taken_over};
use crate::world::{BROKERS, World};

const START: &str = "2090-05-04T10:00:00Z";
const EMAIL: &str = "ada@byrd.example";

async fn pair() -> Option<Pair> {
    Pair::with(vec![("CALUP_SWEEP_SECONDS", "0.3".to_owned())]).await
}

/// The one that works is killed; the other one is asked from now on.
async fn killed(pair: &mut Pair) {
    let before = pair.calup.pid();
    pair.calup.kill();
    is_taken_over(&pair.database, before, LEASE + Duration::from_secs(10)).await;
    pair.swap();
}

fn carried_out(world: &World, ends: &str) -> Vec<LoggedRequest> {
    let requests = world.clickup.requests().into_iter();
    let is_it = |r: &LoggedRequest| r.method == "POST" && r.path.ends_with(ends) && r.executed;
    requests.filter(is_it).collect()
}

/// As a proxy that delivers a request again, long after it was answered.
async fn delivered_again(world: &World, request: &LoggedRequest) {
    let base = world.clickup.api_url();
    let path = request.path.trim_start_matches("/api");
    let sent = world
        .http
        .post(format!("{base}{path}"))
        .header("Authorization", &request.authorization)
        .json(&request.body)
        .send()
        .await
        .expect("ClickUp answers");
    assert_eq!(sent.status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_create_under_way_at_the_kill_that_arrives_late_leaves_one_lead() {
    let Some(mut pair) = pair().await else {
        return;
    };
    let create = Match::post("/list/").ending("/task");
    // The lease runs out after 4 s at most; 3.3 s later calup holds the create for lost.
    let late = Fault::DropThenApplyLate(15_000);
    pair.clickup.fault(create, late, 1);
    assert_eq!(book(&pair, "ada").await, 200);
    let clickup = pair.clickup.clone();
    pair.until("the create is at ClickUp", async || {
        clickup.faults_left() == 0
    })
    .await;
    killed(&mut pair).await;
    let counts = pair.settle().await;
    assert_eq!(counts["done"], 1, "{counts}");
    let first = pair.clickup.live_tasks();
    assert_eq!(first.len(), 1);
    pair.until("it was made twice", async || {
        carried_out(&pair, "/task").len() == 2
    })
    .await;
    pair.until("one is left", async || {
        pair.clickup.tasks_by_email(EMAIL).len() == 1
    })
    .await;
    assert_eq!(pair.clickup.tasks_by_email(EMAIL)[0].id, first[0].id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_done_before_the_kill_and_is_delivered_again_is_taken_back() {
    let Some(mut pair) = pair().await else {
        return;
    };
    let known = pair
        .clickup
        .add_task(BROKERS, "Ben", Some("ben@byrd.example"));
    let cal = pair.cal();
    for (name, email) in [("Ada", EMAIL), ("Ben", "ben@byrd.example")] {
        let booking = cal.book(&Person::new(name, email), START, 30);
        assert_eq!(pair.deliver(booking.created().body).await, 200);
    }
    assert_eq!(pair.settle().await["done"], 2);
    killed(&mut pair).await;
    let (creates, comments) = (carried_out(&pair, "/task"), carried_out(&pair, "/comment"));
    assert_eq!((creates.len(), comments.len()), (1, 1));
    delivered_again(&pair, &creates[0]).await;
    delivered_again(&pair, &comments[0]).await;
    assert_eq!(carried_out(&pair, "/task").len(), 2);
    pair.until("each is there once", async || {
        let comments = pair.clickup.task(&known).expect("the lead").comments;
        pair.clickup.tasks_by_email(EMAIL).len() == 1 && comments.len() == 1
    })
    .await;
    let notices = pair.get("/api/notices").await["notices"].clone();
    assert_eq!(notices, Value::Array(Vec::new()));
}
