//! Creates and comments whose fate is not told: none is missing, none is there twice. Four lost answers in a row count as
//! ClickUp being down, and the next look comes 15 s later; so that many can be asked for, they are spread over several
//! worlds side by side.

use std::time::{Duration, Instant};

use sim::cal::Person;
use sim::clickup::{ClickUp, Config};
use sim::faults::ALWAYS;
use sim::{Fault, Match};
use tokio::task::JoinSet;

use crate::world::{BROKERS, Setup, World};

const START: &str = "2090-05-04T10:00:00Z";
const WORLDS_MAX: usize = 8;
/// A world of its own pays from so many on.
const SHARE_MIN: usize = 125;
/// Of each fault, for each request that [`Lost::Most`] looks at.
const CHANCE: f64 = 0.11;
/// What was sent may still arrive for so long.
const LATE: Duration = Duration::from_millis(600);

/// More for a recorded run.
fn asked_for() -> usize {
    let asked = std::env::var("CALUP_IT_AMBIGUOUS").ok();
    asked.and_then(|n| n.parse().ok()).unwrap_or(500)
}

/// Waiting for 15 s again and again, and for a processor that all worlds share.
fn patience(share: usize) -> Duration {
    Duration::from_secs(120) + Duration::from_millis(1_500) * u32::try_from(share).expect("few")
}

/// Which of the requests that make something suffer a fault.
#[derive(Clone, Copy, Debug)]
enum Lost {
    /// Whatever the dice say, six in ten.
    Most,
    /// One, then not the next, so that what is in doubt lies between what goes on.
    EverySecond,
}

impl Lost {
    fn befall(self, clickup: &ClickUp) {
        let create = || Match::post("/list/").ending("/task");
        let comment = || Match::post("/comment");
        let faults = faults();
        let turns = u32::try_from(faults.len()).expect("few") * 2;
        for (turn, fault) in (0..).zip(faults) {
            for when in [create(), comment()] {
                match self {
                    Self::Most => clickup.fault_rate(when, fault.clone(), CHANCE),
                    Self::EverySecond => {
                        let when = when.skip(2 * turn).every(turns);
                        clickup.fault(when, fault.clone(), ALWAYS);
                    }
                }
            }
        }
    }

    /// The part of those requests that is to suffer one.
    fn odds(self) -> f64 {
        match self {
            // Each fault is asked whether it strikes.
            Self::Most => 1.0 - (1.0 - CHANCE).powi(faults().len() as i32),
            Self::EverySecond => 0.5,
        }
    }
}

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

/// What became of them, and of how many it was not told.
#[derive(Debug, Default)]
struct Told {
    done: u64,
    doubled: usize,
    missing: usize,
    sent: u64,
    lost: u64,
}

async fn world(seed: usize) -> World {
    World::with(Setup {
        clickup: Some(Config {
            limit_per_minute: 1_000_000,
            log_entries_max: 1,
            seed: seed as u64,
            ..Config::default()
        }),
        env: vec![
            ("CALUP_LATE_APPLY_SECONDS", LATE.as_secs_f64().to_string()),
            ("CALUP_INDEX_LAG_SECONDS", "0.6".to_owned()),
            ("CALUP_LEASE_SECONDS", "3".to_owned()),
        ],
        ..Setup::default()
    })
    .await
}

/// Half of them are to be made, half to be told on.
async fn told(seed: usize, share: usize, lost: Lost) -> Told {
    let world = world(seed).await;
    let email = |n: usize| format!("p{n}@ambiguous.example");
    let is_known = |n: usize| n % 2 == 1;
    for n in (0..share).filter(|n| is_known(*n)) {
        world.clickup.add_task(BROKERS, "Known", Some(&email(n)));
    }
    lost.befall(&world.clickup);
    let cal = world.cal();
    for n in 0..share {
        let booking = cal.book(&Person::new(&format!("Person {n}"), &email(n)), START, 30);
        assert_eq!(world.deliver(booking.created().body).await, 200);
    }
    let counts = world.settle_within(patience(share)).await;
    // What arrives late has arrived.
    tokio::time::sleep(LATE).await;
    let mut told = Told {
        done: counts["done"].as_u64().expect("counted"),
        sent: world.clickup.mutations(),
        lost: world.clickup.faulted(),
        ..Told::default()
    };
    for n in 0..share {
        let leads = world.clickup.tasks_by_email(&email(n));
        let comments: usize = leads.iter().map(|l| l.comments.len()).sum();
        let wanted = usize::from(is_known(n));
        told.doubled += leads.len().saturating_sub(1) + comments.saturating_sub(wanted);
        told.missing += 1_usize.saturating_sub(leads.len()) + wanted.saturating_sub(comments);
    }
    told
}

async fn none_is_missing_and_none_doubled(lost: Lost) {
    let total = asked_for();
    let worlds = (total / SHARE_MIN).clamp(1, WORLDS_MAX);
    let began = Instant::now();
    let mut side_by_side = JoinSet::new();
    for n in 0..worlds {
        let share = total / worlds + usize::from(n < total % worlds);
        side_by_side.spawn(told(n, share, lost));
    }
    let mut all = Told::default();
    for told in side_by_side.join_all().await {
        all.done += told.done;
        all.doubled += told.doubled;
        all.missing += told.missing;
        all.sent += told.sent;
        all.lost += told.lost;
    }
    println!(
        "{total} creates and comments, {lost:?} lost, in {worlds} worlds and {:.0} s: {} requests sent, of {} the answer or \
         the request was lost; {} done, {} duplicates, {} missing",
        began.elapsed().as_secs_f64(),
        all.sent,
        all.lost,
        all.done,
        all.doubled,
        all.missing
    );
    assert_eq!((all.doubled, all.missing), (0, 0));
    assert_eq!(all.done, total as u64);
    // Each was sent at least once.
    let expected = total as f64 * lost.odds();
    assert!(
        all.lost as f64 >= expected / 4.0,
        "{} were lost, where {expected:.0} were to be expected",
        all.lost
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_ambiguous_creates_and_comments_none_is_missing_and_none_doubled() {
    none_is_missing_and_none_doubled(Lost::Most).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_in_doubt_between_others_that_go_on_is_neither_missing_nor_doubled() {
    none_is_missing_and_none_doubled(Lost::EverySecond).await;
}
