//! On Postgres, one calup: it works as on SQLite, waits while the database is away, and says what keeps it from starting.

use std::time::{Duration, Instant};

use sim::cal::Person;

use crate::pair::{LEASE, alone_on, book, holder, one_lead_each, within};
use crate::postgres::{Database, KEY, Way};
use crate::replicas::rounds;
use crate::world::{BROKERS, Calup};

const START: &str = "2090-05-04T10:00:00Z";
const LATER: &str = "2090-05-05T10:00:00Z";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_booking_lives_on_postgres_as_it_does_on_sqlite() {
    let Some(database) = Database::made().await else {
        return;
    };
    let world = alone_on(&database, Vec::new(), None).await;
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

/// Deliveries are refused in time while the database is away, and everything goes on by itself when it is back.
async fn away(way: Way) {
    let Some(database) = Database::made().await else {
        return;
    };
    let world = alone_on(&database, Vec::new(), None).await;
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
async fn a_claim_whose_answer_is_lost_holds_nobody_up() {
    let Some(database) = Database::made().await else {
        return;
    };
    // Nobody takes over: what the lost claim left is not settled by that.
    let world = alone_on(&database, Vec::new(), None).await;
    let holder_before = holder(&database).await;
    let mut names = Vec::new();
    for round in 0..3 {
        database.lose_claims(1);
        for n in 0..3 {
            let name = format!("ada{round}x{n}");
            assert_eq!(book(&world, &name).await, 200);
            names.push(name);
        }
        within(Duration::from_secs(20), "a claim is lost", async || {
            (database.claims_to_lose() == 0).then_some(())
        })
        .await;
        world.settle_within(Duration::from_secs(30)).await;
    }
    let counts = world.get("/api/counts").await;
    assert_eq!(counts["done"], names.len(), "{counts}");
    one_lead_each(&world, &names);
    let lease = database.holder().await;
    assert_eq!(lease, Some((holder_before, 1)), "{}", world.calup.log());
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
