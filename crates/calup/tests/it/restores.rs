//! An older copy of the database is put back, and what came since is delivered again: nothing is doubled.

use std::path::Path;

use sim::cal::{Delivery, Person};
use sim::clickup::TaskView;
use sim::{Fault, Match};

use crate::world::{BROKERS, Setup, World};

const START: &str = "2090-05-04T10:00:00Z";
const LATER: &str = "2090-05-06T10:00:00Z";

/// What people see of each lead.
fn seen(world: &World) -> Vec<(String, String, String, Vec<String>)> {
    let all = world.clickup.live_tasks();
    let view = |t: TaskView| {
        let comments = t.comments.iter().map(|c| said(&c.text)).collect();
        (t.name, t.status, t.markdown, comments)
    };
    all.into_iter().map(view).collect()
}

/// A block's last line names the change that wrote it last, which may have been an earlier one that found it so.
fn said(comment: &str) -> String {
    let lines = comment.lines();
    let is_block = comment.starts_with("Next meeting");
    let kept: Vec<&str> = lines
        .filter(|l| !is_block || !l.starts_with("Cal.com booking"))
        .collect();
    kept.join("\n")
}

fn copy(from: &Path, to: &Path) {
    for name in ["calup.db", "calup.db-wal", "calup.db-shm"] {
        let _ = std::fs::remove_file(to.join(name));
        if from.join(name).exists() {
            std::fs::copy(from.join(name), to.join(name)).expect("copied");
        }
    }
}

async fn deliver(world: &World, all: &[Delivery]) {
    for delivery in all {
        assert_eq!(world.deliver(delivery.body.clone()).await, 200);
        world.settle().await;
    }
}

#[tokio::test]
async fn after_an_older_copy_is_put_back_nothing_is_done_a_second_time() {
    let mut world = World::with(Setup {
        env: vec![("CALUP_SWEEP_SECONDS", "0.3".to_owned())],
        ..Setup::default()
    })
    .await;
    world.calup.keep_address();
    world
        .clickup
        .add_task(BROKERS, "Known", Some("known@crm.example"));
    let mentioned = world
        .clickup
        .add_task(BROKERS, "Mentioned", Some("mentioned@crm.example"));
    world
        .clickup
        .human_edit_description(&mentioned, "Ask @Robin first.");
    let cal = world.cal();
    let known = cal.book(&Person::new("Known", "known@crm.example"), START, 30);
    let early = cal.book(&Person::new("Early", "early@new.example"), START, 30);
    let before = [known.created(), early.created()];
    deliver(&world, &before).await;

    let backup = world.calup.dir.join("backup");
    std::fs::create_dir(&backup).expect("a folder");
    assert_eq!(world.calup.stop(), Some(0));
    copy(&world.calup.dir, &backup);
    world.calup.start();

    let late = cal.book(&Person::new("Late", "late@new.example"), START, 30);
    let phone = cal.book(&Person::by_phone("Phone", "+15550100"), START, 30);
    let mention = cal.book(
        &Person::new("Mentioned", "mentioned@crm.example"),
        START,
        30,
    );
    let since = [
        known.rescheduled(None, LATER).1.restamped(),
        early.cancelled(None, None).restamped(),
        late.created(),
        phone.created(),
        mention.created(),
        mention.rescheduled(None, LATER).1.restamped(),
        late.cancelled(None, None).restamped(),
    ];
    deliver(&world, &since).await;
    let expected = seen(&world);
    assert_eq!(expected.len(), 5);

    world.calup.kill();
    copy(&backup, &world.calup.dir);
    world.calup.start();
    let notices = world.get("/api/notices").await.to_string();
    assert!(notices.contains("older copy"), "{notices}");
    let (out, _, code) = world.calup.run(&["guard"]);
    assert!(code == 0 && out.starts_with("on since"), "{out}");
    let again: Vec<Delivery> = before.into_iter().chain(since).collect();
    deliver(&world, &again).await;
    assert_eq!(seen(&world), expected);

    // Nor when all comes at once.
    world.calup.kill();
    copy(&backup, &world.calup.dir);
    world.calup.start();
    for delivery in &again {
        assert_eq!(world.deliver(delivery.body.clone()).await, 200);
    }
    world.settle().await;
    assert_eq!(seen(&world), expected);

    let (out, _, code) = world.calup.run(&["guard", "off"]);
    assert!(code == 0 && out.starts_with("off"), "{out}");
    let (out, _, _) = world.calup.run(&["guard"]);
    assert!(out.starts_with("off"), "{out}");
}

/// The storm's seed 504235.
#[tokio::test]
async fn what_was_said_on_the_lead_that_a_made_one_was_merged_into_is_not_said_again() {
    let (mut world, backup) = world_with_backup().await;
    let ada = Person::new("Ada", "ada@new.example");
    let created = world.cal().book(&ada, START, 30).created();
    deliver(&world, &[created]).await;
    let made = world.clickup.live_tasks()[0].id.clone();
    let email = Some("ada@new.example");
    let kept = world.clickup.add_task(BROKERS, "Ada of Byrd & Co", email);
    world.clickup.human_merge(&made, &kept);
    assert_eq!(world.calup.stop(), Some(0));
    copy(&world.calup.dir, &backup);
    world.calup.start();

    let all = world.get("/api/deliveries").await;
    let id = all["deliveries"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let again = async |world: &World| {
        let (out, err, code) = world.calup.run(&["replay", &id]);
        assert_eq!(code, 0, "{out}{err}");
        world.settle().await;
        let comments = world.clickup.task(&kept).expect("kept").comments;
        comments.iter().map(|c| said(&c.text)).collect::<Vec<_>>()
    };
    let told = again(&world).await;
    assert_eq!(told.len(), 1, "{told:#?}");
    put_back(&mut world, &backup);
    assert_eq!(again(&world).await, told);
}

/// A world, and a copy of its empty database.
async fn world_with_backup() -> (World, std::path::PathBuf) {
    let mut world = World::with(Setup {
        env: vec![("CALUP_SWEEP_SECONDS", "0.3".to_owned())],
        ..Setup::default()
    })
    .await;
    world.calup.keep_address();
    let backup = world.calup.dir.join("backup");
    std::fs::create_dir(&backup).expect("a folder");
    assert_eq!(world.calup.stop(), Some(0));
    copy(&world.calup.dir, &backup);
    world.calup.start();
    (world, backup)
}

fn put_back(world: &mut World, backup: &Path) {
    world.calup.kill();
    copy(backup, &world.calup.dir);
    world.calup.start();
}

#[tokio::test]
async fn a_forgotten_lead_that_a_person_has_moved_on_is_not_made_again() {
    let (mut world, backup) = world_with_backup().await;
    let phone = world
        .cal()
        .book(&Person::by_phone("Phone", "+15550100"), START, 30);
    deliver(&world, &[phone.created()]).await;
    let made = world.clickup.live_tasks();
    world.clickup.human_move(&made[0].id, BROKERS);

    put_back(&mut world, &backup);
    let cancelled = phone.cancelled(None, None).restamped();
    deliver(&world, &[phone.created(), cancelled]).await;
    let left = world.clickup.live_tasks();
    assert_eq!(left.len(), 1, "{left:#?}");
    assert_eq!(left[0].id, made[0].id);
    assert_eq!(left[0].status, "meeting cancelled");
    assert_eq!(left[0].comments.len(), 1);
}

#[tokio::test]
async fn a_second_lead_of_a_forgotten_create_is_taken_back() {
    let (mut world, backup) = world_with_backup().await;
    let create = Match::post("/list/").ending("/task");
    // When the first has long been held for lost.
    let late = Fault::DropThenApplyLate(9_000);
    world.clickup.fault(create, late, 1);
    let booking = world
        .cal()
        .book(&Person::new("Late", "late@new.example"), START, 30);
    deliver(&world, &[booking.created()]).await;
    let first = world.clickup.live_tasks();
    assert_eq!(first.len(), 1);

    put_back(&mut world, &backup);
    deliver(&world, &[booking.created()]).await;
    let creates = || {
        let requests = world.clickup.requests();
        let is_it = |r: &&sim::clickup::LoggedRequest| {
            r.method == "POST" && r.path.ends_with("/task") && r.executed
        };
        requests.iter().filter(is_it).count()
    };
    world
        .until("it was made twice", async || creates() == 2)
        .await;
    world
        .until("one is left", async || {
            world.clickup.live_tasks().len() == 1
        })
        .await;
    let left = world.clickup.live_tasks();
    assert_eq!(left[0].id, first[0].id, "the older stays");
    let notices = world.get("/api/notices").await.to_string();
    assert!(!notices.contains("made twice"), "{notices}");
}
