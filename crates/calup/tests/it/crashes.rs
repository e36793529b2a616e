//! kill -9 at any moment: what was answered 200 is there, is worked off, and nothing is done twice.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sim::cal::{Cal, Person};
use sim::{Fault, Match};
use tokio::task::JoinHandle;

use crate::postgres::{Database, KEY};
use crate::world::{BROKERS, INBOUND, SECRET, Setup, World};

const START: &str = "2090-05-04T10:00:00Z";
const LATER: &str = "2090-05-05T10:00:00Z";

/// More rounds for a long night.
fn rounds(usual: usize) -> usize {
    let asked = std::env::var("CALUP_IT_KILLS").ok();
    asked.and_then(|n| n.parse().ok()).unwrap_or(usual)
}

/// What became of one person's deliveries: created, moved, cancelled.
pub struct Sent {
    pub email: String,
    pub taken: Vec<Vec<u8>>,
}

/// Senders that go on until they are stopped.
pub struct Load {
    stop: Arc<AtomicBool>,
    all: Arc<Mutex<Vec<Sent>>>,
    senders: Vec<JoinHandle<()>>,
}

impl Load {
    /// One sender for each.
    pub fn of(cals: impl IntoIterator<Item = Cal>) -> Self {
        static SENDERS: AtomicUsize = AtomicUsize::new(0);
        let (stop, all) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let send = |cal| {
            let name = SENDERS.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(keep_booking(cal, name, stop.clone(), Arc::clone(&all)))
        };
        let senders = cals.into_iter().map(send).collect();
        Self { stop, all, senders }
    }

    /// What became of everything that was sent.
    pub async fn stopped(self) -> Vec<Sent> {
        self.stop.store(true, Ordering::Relaxed);
        for sender in self.senders {
            sender.await.expect("a sender ends");
        }
        std::mem::take(&mut *self.all.lock().expect("nobody else"))
    }
}

/// Books, moves and cancels for one person after another until told to stop.
async fn keep_booking(cal: Cal, name: usize, stop: Arc<AtomicBool>, all: Arc<Mutex<Vec<Sent>>>) {
    let mut n = 0;
    while !stop.load(Ordering::Relaxed) {
        n += 1;
        let email = format!("p{name}-{n}@crash.example");
        let booking = cal.book(
            &Person::new(&format!("Person {name} {n}"), &email),
            START,
            30,
        );
        let mut taken = Vec::new();
        let created = booking.created();
        let (moved, rescheduled) = booking.rescheduled(Some(&email), LATER);
        tokio::time::sleep(Duration::from_millis(3)).await;
        let cancelled = moved.cancelled(Some(&email), Some("no time"));
        for delivery in [
            created,
            rescheduled.restamped(),
            cancelled.restamped().restamped(),
        ] {
            // As Cal.com does: sent once, whatever comes back.
            if let Ok((200, _)) = cal.try_send(&delivery).await {
                taken.push(delivery.body);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        all.lock()
            .expect("held shortly")
            .push(Sent { email, taken });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_was_answered_200_before_kill_9_is_worked_off_once() {
    killed_under_load(World::start().await, 3, Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_on_postgres() {
    let Some(database) = Database::made().await else {
        return;
    };
    let lease = Duration::from_secs(3);
    let env = vec![
        ("DATABASE_URL", database.url()),
        ("CALUP_MASTER_KEY", KEY.to_owned()),
        ("CALUP_LEASE_SECONDS", lease.as_secs().to_string()),
    ];
    let setup = Setup {
        env,
        ..Setup::default()
    };
    killed_under_load(World::with(setup).await, 1, lease).await;
}

/// In every fourth round it lives for `while_working` longer (on Postgres the lease of the one before has to run out): work
/// is killed too, and not only intake.
async fn killed_under_load(mut world: World, senders: usize, while_working: Duration) {
    world.calup.keep_address();
    world
        .clickup
        .set_latency(Duration::from_millis(20), Duration::from_millis(40));
    let load = Load::of(std::iter::repeat_n(world.cal(), senders));
    let rounds = rounds(20);
    for round in 0..rounds as u64 {
        let lives = if round % 4 == 3 {
            while_working
        } else {
            Duration::ZERO
        };
        tokio::time::sleep(lives + Duration::from_millis(150 + 70 * (round % 5))).await;
        world.calup.restart();
    }
    let all = load.stopped().await;
    world.clickup.set_latency(Duration::ZERO, Duration::ZERO);
    // The senders go on while it is dead and starts anew: of many rounds, most is left to do at the end.
    let limit = Duration::from_secs(60 + 6 * rounds as u64);
    world.settle_within(limit).await;
    let taken: usize = all.iter().map(|s| s.taken.len()).sum();
    each_was_done_once(&world, &all).await;
    println!("{rounds} times killed, {taken} deliveries taken: none lost, nothing doubled");
}

/// What was taken was worked off, and nothing of it twice.
pub async fn each_was_done_once(world: &World, all: &[Sent]) {
    let counts = world.settle_within(Duration::from_secs(60)).await;
    assert_eq!(
        counts["dead"],
        0,
        "{}",
        world.get("/api/deliveries?status=dead").await
    );
    assert!(all.iter().any(|s| s.taken.len() == 3), "some were taken");
    for sent in all {
        for body in &sent.taken {
            let (status, reason) = world.ending(body).await;
            assert!(
                status == "done" || status == "skipped",
                "{}: {status} {reason}",
                sent.email
            );
        }
        let leads = world.clickup.tasks_by_email(&sent.email);
        assert!(leads.len() <= 1, "{} leads of {}", leads.len(), sent.email);
        for lead in &leads {
            let mut texts: Vec<&str> = lead.comments.iter().map(|c| c.text.as_str()).collect();
            texts.sort_unstable();
            texts.dedup();
            assert_eq!(
                texts.len(),
                lead.comments.len(),
                "doubled comments: {lead:#?}"
            );
            assert_eq!(
                lead.markdown.matches("Cal.com booking").count(),
                1,
                "{}",
                lead.markdown
            );
        }
        if sent.taken.len() == 3 {
            let lead = leads
                .first()
                .unwrap_or_else(|| panic!("no lead of {}", sent.email));
            assert_eq!(
                (lead.status.as_str(), lead.comments.len()),
                ("meeting cancelled", 2),
                "{lead:#?}"
            );
        }
    }
}

#[tokio::test]
async fn a_kill_right_after_the_answer_loses_nothing() {
    let mut world = World::start().await;
    world.calup.keep_address();
    let cal = world.cal();
    let rounds = rounds(6);
    for n in 0..rounds {
        let person = Person::new("Ada Byrd", &format!("ada{n}@byrd.example"));
        assert_eq!(
            cal.send(&cal.book(&person, START, 30).created()).await.0,
            200
        );
        world.calup.restart();
    }
    let counts = world.settle().await;
    assert_eq!(
        (&counts["received"], &counts["done"]),
        (&rounds.into(), &rounds.into()),
        "{counts}"
    );
    assert_eq!(world.clickup.tasks_in(INBOUND).len(), rounds);
}

/// Delivers, waits until the faulty request is at ClickUp, kills, starts again and lets it settle.
async fn killed_at(when: Match, fault: Fault, is_known: bool) -> World {
    let mut world = World::start().await;
    world.calup.keep_address();
    if is_known {
        world
            .clickup
            .add_task(BROKERS, "Ada", Some("ada@byrd.example"));
    }
    world.clickup.fault(when, fault, 1);
    let booking = world
        .cal()
        .book(&Person::new("Ada Byrd", "ada@byrd.example"), START, 30);
    assert_eq!(world.deliver(booking.created().body).await, 200);
    let clickup = world.clickup.clone();
    world
        .until("the request is at ClickUp", async || {
            clickup.faults_left() == 0
        })
        .await;
    world.calup.restart();
    let counts = world.settle().await;
    assert_eq!(counts["done"], 1, "{counts}");
    world
}

#[tokio::test]
async fn a_create_under_way_at_the_kill_makes_one_lead_whether_it_was_applied_or_not() {
    let create = || Match::post("/list/").ending("/task");
    let (applied, lost) = tokio::join!(
        killed_at(create(), Fault::ApplyThenHang, false),
        killed_at(create(), Fault::Hang, false),
    );
    for world in [applied, lost] {
        let leads = world.clickup.tasks_in(INBOUND);
        assert_eq!(leads.len(), 1);
        assert_eq!(
            (leads[0].status.as_str(), leads[0].comments.len()),
            ("meeting booked", 0)
        );
    }
}

#[tokio::test]
async fn a_comment_or_write_under_way_at_the_kill_is_there_once() {
    let comment = || Match::post("/comment");
    let write = || Match::put("/task/");
    let (a, b, c, d) = tokio::join!(
        killed_at(comment(), Fault::ApplyThenHang, true),
        killed_at(comment(), Fault::Hang, true),
        killed_at(write(), Fault::ApplyThenHang, true),
        killed_at(write(), Fault::Hang, true),
    );
    for world in [a, b, c, d] {
        let leads = world.clickup.live_tasks();
        assert_eq!(leads.len(), 1);
        assert_eq!(
            (leads[0].status.as_str(), leads[0].comments.len()),
            ("meeting booked", 1),
            "{leads:#?}"
        );
        let blocks = leads[0]
            .markdown
            .matches("https://meet.example.com/nora")
            .count();
        assert!((1..=2).contains(&blocks), "{}", leads[0].markdown);
    }
}

#[tokio::test]
async fn sigterm_finishes_what_is_under_way_and_exits_with_zero() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut world = World::start().await;
    world.calup.keep_address();
    world
        .clickup
        .set_latency(Duration::from_millis(150), Duration::ZERO);
    let cal = world.cal();
    for n in 0..8 {
        let person = Person::new("Ada Byrd", &format!("ada{n}@byrd.example"));
        assert_eq!(
            cal.send(&cal.book(&person, START, 30).created()).await.0,
            200
        );
    }
    // A delivery that is half there.
    let body = cal
        .book(&Person::new("Ben", "ben@byrd.example"), START, 30)
        .created()
        .body;
    let mut half = tokio::net::TcpStream::connect(&world.calup.address)
        .await
        .expect("a connection");
    let head = format!(
        "POST /api/webhooks/cal HTTP/1.1\r\nHost: x\r\nX-Cal-Signature-256: {}\r\nContent-Length: {}\r\n\r\n",
        sim::cal::sign(SECRET, &body),
        body.len()
    );
    half.write_all(head.as_bytes()).await.expect("written");
    half.write_all(&body[..100]).await.expect("written");
    let clickup = world.clickup.clone();
    world
        .until("work is under way", async || clickup.mutations() > 0)
        .await;
    let mut calup = world.calup;
    let stopped = tokio::task::spawn_blocking(move || (calup.stop(), calup));
    tokio::time::sleep(Duration::from_millis(200)).await;
    half.write_all(&body[100..]).await.expect("written");
    let mut answer = String::new();
    let _ = half.read_to_string(&mut answer).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let (code, mut calup) = stopped.await.expect("it stops");
    assert_eq!(code, Some(0), "{}", calup.log());
    // Nothing was cut: each request that ClickUp saw was answered.
    assert!(
        clickup
            .requests()
            .iter()
            .all(|r| r.answered_at_ms.is_some())
    );
    let made = clickup.tasks_in(INBOUND).len();
    assert!((1..9).contains(&made), "{made}");
    clickup.set_latency(Duration::ZERO, Duration::ZERO);
    calup.start();
    let world = World { calup, ..world };
    let counts = world.settle().await;
    assert_eq!(
        (&counts["received"], &counts["done"]),
        (&9.into(), &9.into()),
        "{counts}"
    );
    assert_eq!(clickup.tasks_in(INBOUND).len(), 9);
    let creates = clickup
        .requests()
        .iter()
        .filter(|r| r.method == "POST")
        .count();
    assert_eq!(creates, 9, "no create was sent twice");
}
