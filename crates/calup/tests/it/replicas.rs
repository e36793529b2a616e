//! On Postgres: one calup, or several that share a database. They are killed, stopped for longer than the lease, and
//! cut off from the database; what was answered 200 is worked off, and nothing twice.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sim::cal::Person;
use sim::{Fault, Match};

use crate::crashes::{each_was_done_once, keep_booking};
use crate::postgres::{Database, KEY, Way};
use crate::world::{BROKERS, Calup, INBOUND, Setup, World};

const START: &str = "2090-05-04T10:00:00Z";
const LATER: &str = "2090-05-05T10:00:00Z";
/// A call may take a third of it.
const LEASE: Duration = Duration::from_secs(4);

/// More rounds for a long night.
fn rounds(usual: usize) -> usize {
    let asked = std::env::var("CALUP_IT_REPLICA_FAULTS").ok();
    asked.and_then(|n| n.parse().ok()).unwrap_or(usual)
}

async fn world(database: &Database) -> World {
    world_with(database, Vec::new()).await
}

async fn world_with(database: &Database, more: Vec<(&'static str, String)>) -> World {
    let mut env = vec![
        ("DATABASE_URL", database.url()),
        ("CALUP_MASTER_KEY", KEY.to_owned()),
        ("CALUP_LEASE_SECONDS", LEASE.as_secs().to_string()),
    ];
    env.extend(more);
    World::with(Setup {
        env,
        ..Setup::default()
    })
    .await
}

/// The next start listens where this one does.
fn keep_address(calup: &mut Calup) {
    let address = calup.address.clone();
    calup.set("CALUP_LISTEN", &address);
}

/// A second one; each keeps its address.
fn second(world: &mut World) -> Calup {
    keep_address(&mut world.calup);
    let mut other = world.calup.replica();
    other.set("CALUP_LISTEN", "127.0.0.1:0");
    other.start();
    keep_address(&mut other);
    other
}

/// Lets the world look through the other one.
fn swap(world: &mut World, other: &mut Calup) {
    std::mem::swap(&mut world.calup, other);
}

/// Makes `world.calup` the one that works.
async fn look_through_the_holder(world: &mut World, other: &mut Calup, database: &Database) {
    let holder = holder(database).await;
    if world.calup.pid() != holder {
        swap(world, other);
    }
    assert_eq!(world.calup.pid(), holder, "one of the two works");
}

async fn holder(database: &Database) -> u32 {
    within(Duration::from_secs(30), "somebody works", async || {
        database.holder().await.map(|(pid, _)| pid)
    })
    .await
}

async fn within<T>(limit: Duration, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(began.elapsed() < limit, "never so: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn is_taken_over(database: &Database, from: u32, limit: Duration) -> Duration {
    let began = Instant::now();
    within(limit, "another one works", async || {
        let (pid, _) = database.holder().await?;
        (pid != from).then_some(())
    })
    .await;
    began.elapsed()
}

async fn book(world: &World, name: &str) -> u16 {
    let cal = world.cal();
    let person = Person::new(name, &format!("{name}@byrd.example"));
    let created = cal.book(&person, START, 30).created();
    cal.send(&created).await.0
}

/// Each has one lead and was told once.
fn one_lead_each(world: &World, names: &[String]) {
    for name in names {
        let leads = world
            .clickup
            .tasks_by_email(&format!("{name}@byrd.example"));
        assert_eq!(leads.len(), 1, "{name}");
        assert_eq!(
            (leads[0].status.as_str(), leads[0].comments.len()),
            ("meeting booked", 0),
            "{name}: {leads:#?}"
        );
    }
    assert_eq!(world.clickup.tasks_in(INBOUND).len(), names.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_booking_lives_on_postgres_as_it_does_on_sqlite() {
    let Some(database) = Database::made().await else {
        return;
    };
    let world = world(&database).await;
    world
        .clickup
        .add_task(BROKERS, "Ada", Some("ada@byrd.example"));
    let cal = world.cal();
    let email = "ada@byrd.example";
    let booking = cal.book(&Person::new("Ada Byrd", email), START, 30);
    let created = booking.created();
    assert_eq!(cal.send(&created).await.0, 200);
    assert_eq!(cal.send(&created.restamped()).await.0, 200);
    world.settle().await;
    let (moved, rescheduled) = booking.rescheduled(Some(email), LATER);
    assert_eq!(cal.send(&rescheduled).await.0, 200);
    world.settle().await;
    let cancelled = moved.cancelled(Some(email), Some("no time"));
    assert_eq!(cal.send(&cancelled).await.0, 200);

    let counts = world.settle().await;

    assert_eq!(
        (&counts["done"], &counts["duplicate"]),
        (&3.into(), &1.into()),
        "{counts}"
    );
    let leads = world.clickup.live_tasks();
    assert_eq!(leads.len(), 1);
    assert_eq!(
        (leads[0].status.as_str(), leads[0].comments.len()),
        ("meeting cancelled", 3),
        "{leads:#?}"
    );
    let proof = world.get(&format!("/api/bookings/{}", moved.uid)).await;
    assert_eq!(
        proof["changes"].as_array().map(Vec::len),
        Some(2),
        "{proof}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_take_deliveries_and_each_is_worked_off_once() {
    let Some(database) = Database::made().await else {
        return;
    };
    let mut world = world(&database).await;
    let mut other = second(&mut world);
    let mut names = Vec::new();
    for n in 0..24 {
        let name = format!("ada{n}");
        assert_eq!(book(&world, &name).await, 200);
        names.push(name);
        swap(&mut world, &mut other);
    }
    let counts = world.settle().await;
    assert_eq!(counts["done"], 24, "{counts}");
    one_lead_each(&world, &names);
    look_through_the_holder(&mut world, &mut other, &database).await;
    let deliveries = world.get("/api/deliveries").await;
    assert_eq!(world.get("/readyz").await["work"], "here");
    swap(&mut world, &mut other);
    let stands_by = world.get("/readyz").await;
    assert_eq!(stands_by["status"], "ready", "it takes deliveries");
    assert!(
        stands_by["work"]
            .as_str()
            .is_some_and(|w| w.starts_with("not here")),
        "{stands_by}"
    );
    assert_eq!(world.get("/api/counts").await, counts);
    assert_eq!(world.get("/api/deliveries").await, deliveries);
    let log = format!("{}{}", world.calup.log(), other.log());
    assert_eq!(log.matches("this replica works now").count(), 1, "{log}");
    assert_eq!(log.matches("another replica works").count(), 1, "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn intake_and_worker_may_be_processes_of_their_own() {
    let Some(database) = Database::made().await else {
        return;
    };
    let mut world = world(&database).await;
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
    let Some(database) = Database::made().await else {
        return;
    };
    let mut world = world(&database).await;
    let mut other = second(&mut world);
    look_through_the_holder(&mut world, &mut other, &database).await;
    let before = holder(&database).await;
    assert_eq!(world.calup.stop(), Some(0), "{}", world.calup.log());
    // A second between two questions, and room for a busy machine; the lease would have lasted longer.
    let took = is_taken_over(&database, before, Duration::from_secs(3)).await;
    println!("taken over within {took:?} of a clean stop");
    swap(&mut world, &mut other);
    assert_eq!(book(&world, "ada").await, 200);
    let counts = world.settle().await;
    assert_eq!(counts["done"], 1, "{counts}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_of_the_one_that_works_loses_and_doubles_nothing() {
    let Some(database) = Database::made().await else {
        return;
    };
    let mut world = world(&database).await;
    let mut other = second(&mut world);
    world
        .clickup
        .set_latency(Duration::from_millis(20), Duration::from_millis(40));
    let stop = Arc::new(AtomicBool::new(false));
    let all = Arc::new(Mutex::new(Vec::new()));
    let one = world.cal();
    swap(&mut world, &mut other);
    let two = world.cal();
    let senders: Vec<_> = [one, two]
        .into_iter()
        .enumerate()
        .map(|(n, cal)| tokio::spawn(keep_booking(cal, n, stop.clone(), all.clone())))
        .collect();
    for round in 0..rounds(5) as u64 {
        look_through_the_holder(&mut world, &mut other, &database).await;
        tokio::time::sleep(Duration::from_millis(400 + 70 * (round % 5))).await;
        let before = world.calup.pid();
        world.calup.kill();
        let took = is_taken_over(&database, before, LEASE + Duration::from_secs(4)).await;
        println!("taken over within {took:?} of kill -9");
        world.calup.start();
    }
    stop.store(true, Ordering::Relaxed);
    for sender in senders {
        sender.await.expect("a sender ends");
    }
    world.clickup.set_latency(Duration::ZERO, Duration::ZERO);
    let all = std::mem::take(&mut *all.lock().expect("nobody else"));
    let limit = Duration::from_secs(90 + 30 * rounds(5) as u64);
    world.settle_within(limit).await;
    each_was_done_once(&world, &all).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_stopped_for_longer_than_the_lease_writes_nothing_when_it_goes_on() {
    let Some(database) = Database::made().await else {
        return;
    };
    let mut world = world(&database).await;
    let mut other = second(&mut world);
    world
        .clickup
        .set_latency(Duration::from_millis(60), Duration::from_millis(60));
    let mut names = Vec::new();
    for round in 0..rounds(5) {
        look_through_the_holder(&mut world, &mut other, &database).await;
        for n in 0..6 {
            let name = format!("ada{round}x{n}");
            assert_eq!(book(&world, &name).await, 200);
            names.push(name);
        }
        let before = world.clickup.mutations();
        let clickup = world.clickup.clone();
        world
            .until("work is under way", async || clickup.mutations() > before)
            .await;
        let stopped = world.calup.pid();
        world.calup.signal("STOP");
        is_taken_over(&database, stopped, LEASE + Duration::from_secs(12)).await;
        // The one that works now is asked, and has time to do everything.
        swap(&mut world, &mut other);
        let counts = world.settle_within(Duration::from_secs(60)).await;
        assert_eq!(counts["done"], names.len(), "{counts}");
        let done = world.clickup.mutations();
        let (_, epoch) = database.holder().await.expect("somebody works");

        other.signal("CONT");
        world
            .until("it has noticed", async || {
                other.log().matches("has lost its lease").count() > 0
            })
            .await;
        tokio::time::sleep(Duration::from_secs(2)).await;

        assert_eq!(world.clickup.mutations(), done, "{}", other.log());
        assert_eq!(database.holder().await.map(|(_, e)| e), Some(epoch));
        let late = database
            .direct()
            .await
            .query_one(
                "SELECT count(*) FROM effect WHERE state = 'attempting' OR epoch > $1",
                &[&epoch],
            )
            .await
            .expect("counted");
        assert_eq!(late.get::<_, i64>(0), 0);
        one_lead_each(&world, &names);
        // In the next round it is the other one's turn to be stopped; its log begins anew.
        let _ = std::fs::remove_file(other.dir.join("serve.log"));
        other.kill();
        other.start();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_one_before_may_have_sent_is_not_written_anew_before_it_could_have_arrived() {
    let Some(database) = Database::made().await else {
        return;
    };
    let late_apply = Duration::from_secs(8);
    let seconds = late_apply.as_secs().to_string();
    let mut world = world_with(&database, vec![("CALUP_LATE_APPLY_SECONDS", seconds)]).await;
    let mut other = second(&mut world);
    look_through_the_holder(&mut world, &mut other, &database).await;
    world
        .clickup
        .add_task(BROKERS, "Ada", Some("ada@byrd.example"));
    world.clickup.fault(Match::put("/task/"), Fault::Hang, 1);
    assert_eq!(book(&world, "ada").await, 200);
    let clickup = world.clickup.clone();
    world
        .until("the write is at ClickUp", async || {
            clickup.faults_left() == 0
        })
        .await;
    world.calup.kill();
    swap(&mut world, &mut other);
    let counts = world.settle_within(Duration::from_secs(60)).await;
    assert_eq!(counts["done"], 1, "{counts}");
    let writes: Vec<i64> = world
        .clickup
        .requests()
        .iter()
        .filter(|r| r.method == "PUT")
        .map(|r| r.at_ms)
        .collect();
    assert_eq!(writes.len(), 2);
    let between = Duration::from_millis(writes[1].abs_diff(writes[0]));
    assert!(between > late_apply, "{between:?}");
    let leads = world.clickup.live_tasks();
    assert_eq!(
        (leads[0].status.as_str(), leads[0].comments.len()),
        ("meeting booked", 1),
        "{leads:#?}"
    );
}

/// Deliveries are refused in time while the database is away, and everything goes on by itself when it is back.
async fn away(way: Way) {
    let Some(database) = Database::made().await else {
        return;
    };
    let world = world(&database).await;
    holder(&database).await;
    let mut names = Vec::new();
    for round in 0..rounds(5) {
        for n in 0..4 {
            let name = format!("ada{round}x{n}");
            assert_eq!(book(&world, &name).await, 200);
            names.push(name);
        }
        database.make(way);
        let began = Instant::now();
        // The second of the two finds connections that are known to be of no use.
        for name in ["lost", "too"] {
            let asked = Instant::now();
            assert_eq!(book(&world, &format!("{name}{round}")).await, 503);
            let took = asked.elapsed();
            assert!(took < Duration::from_millis(2_500), "{took:?}");
        }
        // Sometimes shorter than the lease, sometimes longer.
        let lasts = LEASE / 2 + LEASE * (round % 2) as u32;
        tokio::time::sleep(lasts.saturating_sub(began.elapsed())).await;
        database.make(Way::Open);
        within(
            Duration::from_secs(20),
            "deliveries are taken again",
            async || {
                let name = format!("back{round}");
                let is_taken = book(&world, &name).await == 200;
                is_taken.then(|| names.push(name))
            },
        )
        .await;
        world.settle_within(Duration::from_secs(60)).await;
    }
    let counts = world.get("/api/counts").await;
    assert_eq!(counts["dead"], 0, "{counts}");
    for name in &names {
        let leads = world
            .clickup
            .tasks_by_email(&format!("{name}@byrd.example"));
        assert_eq!(leads.len(), 1, "{name}\n{}", world.calup.log());
        assert_eq!(leads[0].comments.len(), 0, "{name}: {leads:#?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_stopped_and_started_again_is_waited_for() {
    away(Way::Closed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_swallows_everything_is_waited_for() {
    away(Way::Silent).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_keeps_it_from_starting_is_a_sentence() {
    let Some(database) = Database::made().await else {
        return;
    };
    let mut calup = Calup::in_new_folder(vec![
        ("DATABASE_URL".into(), database.url()),
        ("CALUP_LISTEN".into(), "127.0.0.1:0".into()),
    ]);
    let refused = |calup: &Calup, says: &str| {
        let (_, said, code) = calup.run(&["serve"]);
        assert_eq!(code, 1, "{said}");
        assert!(said.contains(says), "{said}");
        assert!(
            !said.contains("s3cret") && !said.contains("panicked"),
            "{said}"
        );
    };
    refused(&calup, "CALUP_MASTER_KEY is not set");

    calup.set("CALUP_MASTER_KEY", KEY);
    let (_, said, code) = calup.run(&["deliveries"]);
    assert_eq!(code, 0, "{said}");
    calup.set("CALUP_MASTER_KEY", &KEY.replace('M', "N"));
    refused(&calup, "put that key back");

    calup.set("CALUP_MASTER_KEY", KEY);
    let newer = "INSERT INTO calup_schema (version) VALUES (999)";
    let direct = database.direct().await;
    direct
        .batch_execute(newer)
        .await
        .expect("as a newer one left it");
    refused(&calup, "written by a newer calup");

    calup.set("DATABASE_URL", "postgres://me:s3cret@127.0.0.1:1/calup");
    refused(&calup, "check that the server runs");
    calup.set("DATABASE_URL", "postgres://me:s3cret@127.0.0.1:port/calup");
    refused(&calup, "cannot be read");
}
