//! On Postgres: two replicas that share a database. They are killed, and stopped for longer than the lease; what was
//! answered 200 is worked off, and nothing twice.

use std::time::Duration;

use sim::{Fault, Match};

use crate::crashes::each_was_done_once;
use crate::pair::{LEASE, Pair, alone_on, book, is_taken_over, one_lead_each};
use crate::postgres::Database;
use crate::world::BROKERS;

/// More rounds for a long night.
pub fn rounds(usual: usize) -> usize {
    let asked = std::env::var("CALUP_IT_REPLICA_FAULTS").ok();
    asked.and_then(|n| n.parse().ok()).unwrap_or(usual)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_take_deliveries_and_each_is_worked_off_once() {
    let Some(mut pair) = Pair::start().await else {
        return;
    };
    let mut names = Vec::new();
    for n in 0..24 {
        let name = format!("ada{n}");
        assert_eq!(book(&pair, &name).await, 200);
        names.push(name);
        pair.swap();
    }
    let counts = pair.settle().await;
    assert_eq!(counts["done"], 24, "{counts}");
    one_lead_each(&pair, &names);
    pair.look_through_the_holder().await;
    let deliveries = pair.get("/api/deliveries").await;
    assert_eq!(pair.get("/readyz").await["work"], "here");
    pair.swap();
    let stands_by = pair.get("/readyz").await;
    assert_eq!(stands_by["status"], "ready", "it takes deliveries");
    assert!(
        stands_by["work"]
            .as_str()
            .is_some_and(|w| w.starts_with("not here")),
        "{stands_by}"
    );
    assert_eq!(pair.get("/api/counts").await, counts);
    assert_eq!(pair.get("/api/deliveries").await, deliveries);
    let log = format!("{}{}", pair.calup.log(), pair.other.log());
    assert_eq!(log.matches("this replica works now").count(), 1, "{log}");
    assert_eq!(log.matches("another replica works").count(), 1, "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn intake_and_worker_may_be_processes_of_their_own() {
    let Some(database) = Database::made().await else {
        return;
    };
    let mut world = alone_on(&database, Vec::new(), None).await;
    world.calup.kill();
    world.calup.start_as(&["serve", "--only", "intake"]);
    assert_eq!(book(&world, "ada").await, 200);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(world.get("/api/counts").await["pending"], 1);
    assert_eq!(world.clickup.mutations(), 0, "nobody works");
    let mut worker = world.calup.replica();
    worker.set("CALUP_LISTEN", "127.0.0.1:0");
    worker.start_as(&["serve", "--only", "worker"]);
    let counts = world.settle().await;
    assert_eq!(counts["done"], 1, "{counts}");
    one_lead_each(&world, &["ada".into()]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_clean_stop_the_next_one_works_at_once() {
    let Some(mut pair) = Pair::start().await else {
        return;
    };
    let before = pair.calup.pid();
    assert_eq!(pair.calup.stop(), Some(0), "{}", pair.calup.log());
    // A second between two questions, and room for a busy machine; the lease would have lasted longer.
    let took = is_taken_over(&pair.database, before, Duration::from_secs(3)).await;
    println!("taken over within {took:?} of a clean stop");
    pair.swap();
    assert_eq!(book(&pair, "ada").await, 200);
    let counts = pair.settle().await;
    assert_eq!(counts["done"], 1, "{counts}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_of_the_one_that_works_loses_and_doubles_nothing() {
    let Some(mut pair) = Pair::start().await else {
        return;
    };
    pair.clickup
        .set_latency(Duration::from_millis(20), Duration::from_millis(40));
    let load = pair.load();
    for round in 0..rounds(5) as u64 {
        pair.look_through_the_holder().await;
        tokio::time::sleep(Duration::from_millis(400 + 70 * (round % 5))).await;
        let before = pair.calup.pid();
        pair.calup.kill();
        let took = is_taken_over(&pair.database, before, LEASE + Duration::from_secs(4)).await;
        println!("taken over within {took:?} of kill -9");
        pair.calup.start();
    }
    let all = load.stopped().await;
    pair.clickup.set_latency(Duration::ZERO, Duration::ZERO);
    let limit = Duration::from_secs(90 + 30 * rounds(5) as u64);
    pair.settle_within(limit).await;
    each_was_done_once(&pair, &all).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_stopped_for_longer_than_the_lease_writes_nothing_when_it_goes_on() {
    let Some(mut pair) = Pair::start().await else {
        return;
    };
    pair.clickup
        .set_latency(Duration::from_millis(60), Duration::from_millis(60));
    let mut names = Vec::new();
    for round in 0..rounds(5) {
        pair.look_through_the_holder().await;
        for n in 0..6 {
            let name = format!("ada{round}x{n}");
            assert_eq!(book(&pair, &name).await, 200);
            names.push(name);
        }
        let before = pair.clickup.mutations();
        let clickup = pair.clickup.clone();
        pair.until("work is under way", async || clickup.mutations() > before)
            .await;
        let stopped = pair.calup.pid();
        pair.calup.signal("STOP");
        is_taken_over(&pair.database, stopped, LEASE + Duration::from_secs(12)).await;
        // The one that works now is asked, and has time to do everything.
        pair.swap();
        let counts = pair.settle_within(Duration::from_secs(60)).await;
        assert_eq!(counts["done"], names.len(), "{counts}");
        let done = pair.clickup.mutations();
        let (_, epoch) = pair.database.holder().await.expect("somebody works");

        let asked = pair.clickup.requests().len();
        pair.other.signal("CONT");
        pair.until("it has noticed", async || {
            pair.other.log().matches("has lost its lease").count() > 0
        })
        .await;
        tokio::time::sleep(Duration::from_secs(2)).await;

        let since: Vec<String> = pair.clickup.requests()[asked..]
            .iter()
            .map(|r| format!("{} {} at {}", r.method, r.path, r.at_ms))
            .collect();
        assert_eq!(
            pair.clickup.mutations(),
            done,
            "{since:#?}\n{}\n{}",
            pair.other.log(),
            pair.calup.log()
        );
        assert_eq!(pair.database.holder().await.map(|(_, e)| e), Some(epoch));
        let late = pair
            .database
            .direct()
            .await
            .query_one(
                "SELECT count(*) FROM effect WHERE state = 'attempting' OR epoch > $1",
                &[&epoch],
            )
            .await
            .expect("counted");
        assert_eq!(late.get::<_, i64>(0), 0);
        one_lead_each(&pair, &names);
        // In the next round it is the other one's turn to be stopped; its log begins anew.
        let _ = std::fs::remove_file(pair.other.dir.join("serve.log"));
        pair.other.kill();
        pair.other.start();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_one_before_may_have_sent_is_not_written_anew_before_it_could_have_arrived() {
    let late_apply = Duration::from_secs(8);
    let seconds = late_apply.as_secs().to_string();
    let env = vec![("CALUP_LATE_APPLY_SECONDS", seconds)];
    let Some(mut pair) = Pair::with(env).await else {
        return;
    };
    pair.clickup
        .add_task(BROKERS, "Ada", Some("ada@byrd.example"));
    pair.clickup.fault(Match::put("/task/"), Fault::Hang, 1);
    assert_eq!(book(&pair, "ada").await, 200);
    let clickup = pair.clickup.clone();
    pair.until("the write is at ClickUp", async || {
        clickup.faults_left() == 0
    })
    .await;
    pair.calup.kill();
    pair.swap();
    let counts = pair.settle_within(Duration::from_secs(60)).await;
    assert_eq!(counts["done"], 1, "{counts}");
    let writes: Vec<i64> = pair
        .clickup
        .requests()
        .iter()
        .filter(|r| r.method == "PUT")
        .map(|r| r.at_ms)
        .collect();
    assert_eq!(writes.len(), 2);
    let between = Duration::from_millis(writes[1].abs_diff(writes[0]));
    assert!(between > late_apply, "{between:?}");
    let leads = pair.clickup.live_tasks();
    assert_eq!(
        (leads[0].status.as_str(), leads[0].comments.len()),
        ("meeting booked", 1),
        "{leads:#?}"
    );
}
