//! Creates and comments whose fate is not told, one after another in every way: none is missing, none is there twice.

use std::time::{Duration, Instant};

use sim::cal::Person;
use sim::clickup::Config;
use sim::{Fault, Match};

use crate::world::{BROKERS, Setup, World};

const START: &str = "2090-05-04T10:00:00Z";
/// Most waiting is for what may still arrive, so that many can wait at once.
const PATIENCE: Duration = Duration::from_secs(300);

/// More for a recorded run.
fn asked_for() -> usize {
    let asked = std::env::var("CALUP_IT_AMBIGUOUS").ok();
    asked.and_then(|n| n.parse().ok()).unwrap_or(500)
}

/// Nine in ten requests that write suffer one of these.
fn faults() -> Vec<Fault> {
    vec![
        Fault::ApplyThenDrop,
        Fault::Drop,
        Fault::DropThenApplyLate(400),
        Fault::ApplyThenStatus(504),
        Fault::Html(502),
        Fault::CutBody(20),
        Fault::EmptyBody200,
        Fault::ForeignJson200,
    ]
}

#[tokio::test]
async fn of_ambiguous_creates_and_comments_none_is_missing_and_none_doubled() {
    let total = asked_for();
    let world = World::with(Setup {
        clickup: Some(Config {
            limit_per_minute: 1_000_000,
            log_entries_max: 1,
            ..Config::default()
        }),
        env: vec![
            ("CALUP_LATE_APPLY_SECONDS", "0.6".to_owned()),
            ("CALUP_INDEX_LAG_SECONDS", "0.6".to_owned()),
            ("CALUP_LEASE_SECONDS", "3".to_owned()),
        ],
        ..Setup::default()
    })
    .await;
    let faults = faults();
    let rate = 0.9 / faults.len() as f64;
    for fault in faults {
        let create = Match::post("/list/").ending("/task");
        world.clickup.fault_rate(create, fault.clone(), rate);
        world
            .clickup
            .fault_rate(Match::post("/comment"), fault, rate);
    }
    let cal = world.cal();
    let email = |n: usize| format!("p{n}@ambiguous.example");
    // Half of them are to be made, half to be told on.
    for n in (1..total).step_by(2) {
        world.clickup.add_task(BROKERS, "Known", Some(&email(n)));
    }
    let began = Instant::now();
    for n in 0..total {
        let booking = cal.book(&Person::new(&format!("Person {n}"), &email(n)), START, 30);
        assert_eq!(world.deliver(booking.created().body).await, 200);
    }
    let patience = PATIENCE + Duration::from_millis(60) * u32::try_from(total).expect("few");
    let counts = world.settle_within(patience).await;
    // What arrives late has arrived.
    tokio::time::sleep(Duration::from_millis(600)).await;
    let (mut doubled, mut missing) = (0, 0);
    for n in 0..total {
        let leads = world.clickup.tasks_by_email(&email(n));
        let comments: usize = leads.iter().map(|l| l.comments.len()).sum();
        let is_known = n % 2 == 1;
        doubled += leads.len().saturating_sub(1) + comments.saturating_sub(usize::from(is_known));
        missing += usize::from(leads.is_empty()) + usize::from(is_known && comments == 0);
    }
    println!(
        "{total} ambiguous creates and comments in {:.0} s: {doubled} duplicates, {missing} missing, {counts}",
        began.elapsed().as_secs_f64()
    );
    assert_eq!((doubled, missing), (0, 0));
    assert_eq!(counts["done"], total);
}
