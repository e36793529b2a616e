//! What a late request made a second time is taken back; what people made or worked on is left alone.

use std::time::Duration;

use serde_json::Value;
use sim::cal::{Booking, Cal, Person};
use sim::clickup::{TaskSeed, TaskView};
use sim::faults::ALWAYS;
use sim::{Fault, Match};

use crate::world::{BROKERS, INBOUND, Setup, World};

const START: &str = "2090-05-04T10:00:00Z";
const LATER: &str = "2090-05-06T10:00:00Z";
const EMAIL: &str = "ada@byrd.example";
/// In these worlds calup looks for it within two seconds, and holds what it does not find for four more for lost; the rest
/// is for a busy machine.
const TOO_LATE_MS: u64 = 9_000;

async fn world_with(env: Vec<(&'static str, String)>) -> World {
    let mut all = vec![("CALUP_SWEEP_SECONDS", "0.3".to_owned())];
    all.extend(env);
    World::with(Setup {
        env: all,
        ..Setup::default()
    })
    .await
}

fn create() -> Match {
    Match::post("/list/").ending("/task")
}

fn deletes(world: &World) -> usize {
    let requests = world.clickup.requests();
    requests.iter().filter(|r| r.method == "DELETE").count()
}

/// A booking by somebody unknown whose create arrives when calup has long made another lead.
async fn made_twice(world: &World) -> (Cal, Booking, Vec<TaskView>) {
    world
        .clickup
        .fault(create(), Fault::DropThenApplyLate(TOO_LATE_MS), 1);
    let cal = world.cal();
    let booking = cal.book(&Person::new("Ada Byrd", EMAIL), START, 30);
    assert_eq!(world.deliver(booking.created().body).await, 200);
    assert_eq!(world.settle().await["done"], 1);
    let first = world.clickup.live_tasks();
    assert_eq!(first.len(), 1);
    world
        .until("it was made twice", async || created(world) == 2)
        .await;
    (cal, booking, first)
}

/// Deleted ones too.
fn created(world: &World) -> usize {
    let requests = world.clickup.requests();
    let is_create = |r: &&sim::clickup::LoggedRequest| {
        r.method == "POST" && r.path.ends_with("/task") && r.executed
    };
    requests.iter().filter(is_create).count()
}

async fn until_one_is_left(world: &World) -> TaskView {
    world
        .until("one is left", async || {
            world.clickup.tasks_by_email(EMAIL).len() == 1
        })
        .await;
    world.clickup.tasks_by_email(EMAIL).remove(0)
}

async fn notices(world: &World) -> Vec<Value> {
    let all = world.get("/api/notices").await;
    let all = all["notices"].as_array().expect("a list").clone();
    let is_it = |n: &Value| {
        n["cause"]
            .as_str()
            .unwrap_or_default()
            .starts_with("doubled:")
    };
    all.into_iter().filter(is_it).collect()
}

/// Long enough for several sweeps.
async fn sweeps_go_by() {
    tokio::time::sleep(Duration::from_millis(1_800)).await;
}

#[tokio::test]
async fn a_lead_that_a_late_create_made_again_is_taken_back() {
    let world = world_with(Vec::new()).await;
    let (_, booking, first) = made_twice(&world).await;
    let left = until_one_is_left(&world).await;
    assert_eq!(left.id, first[0].id, "the older stays");
    assert_eq!(left.markdown, first[0].markdown);
    assert_eq!(deletes(&world), 1);
    let cancelled = booking.cancelled(Some(EMAIL), None);
    assert_eq!(world.deliver(cancelled.body).await, 200);
    assert_eq!(world.settle().await["done"], 2);
    let left = world.clickup.task(&left.id).expect("the lead");
    assert_eq!(
        (left.status.as_str(), left.comments.len()),
        ("meeting cancelled", 1)
    );
    assert_eq!(world.clickup.live_tasks().len(), 1);
    assert!(notices(&world).await.is_empty());
}

#[tokio::test]
async fn a_lead_out_of_reach_keeps_no_other_from_being_looked_at() {
    let world = world_with(Vec::new()).await;
    let theirs = "ben@hale.example";
    world.clickup.fault(create(), Fault::ApplyThenDrop, 1);
    let cal = world.cal();
    let booking = cal.book(&Person::new("Ben Hale", theirs), START, 30);
    assert_eq!(world.deliver(booking.created().body).await, 200);
    assert_eq!(world.settle().await["done"], 1);
    let moved = world.clickup.tasks_by_email(theirs).remove(0).id;
    world
        .clickup
        .add_list("901100000077", "Private", &[("to do", "open")]);
    world.clickup.human_move(&moved, "901100000077");
    let refused = r#"{"err":"You have no access","ECODE":"ACCESS_083"}"#;
    let read = Match::get(&format!("/task/{moved}"));
    world
        .clickup
        .fault(read, Fault::Status(403, refused.into()), ALWAYS);

    world
        .clickup
        .fault(create(), Fault::DropThenApplyLate(TOO_LATE_MS), 1);
    let booking = cal.book(&Person::new("Ada Byrd", EMAIL), START, 30);
    assert_eq!(world.deliver(booking.created().body).await, 200);
    assert_eq!(world.settle().await["done"], 2);
    world
        .until("it was made twice", async || created(&world) == 3)
        .await;
    until_one_is_left(&world).await;
    let requests = world.clickup.requests();
    let mut reads = requests.iter().filter(|r| r.method == "GET");
    assert!(
        reads.any(|r| r.path.ends_with(&moved)),
        "it was looked at too"
    );
}

/// A list that lags longer than calup was told hides the first lead, and calup works on the second.
async fn worked_on_the_second(world: &World) -> (Cal, String, String) {
    world.clickup.set_index_lag(Duration::from_secs(9));
    world.clickup.fault(create(), Fault::ApplyThenDrop, 1);
    let cal = world.cal();
    let booking = cal.book(&Person::new("Ada Byrd", EMAIL), START, 30);
    assert_eq!(world.deliver(booking.created().body).await, 200);
    world
        .until("it was made twice", async || created(world) == 2)
        .await;
    world.settle().await;
    let moved = booking.rescheduled(None, LATER).1;
    assert_eq!(world.deliver(moved.body).await, 200);
    world.settle().await;
    let both = world.clickup.live_tasks();
    assert_eq!(both.len(), 2);
    assert_eq!((both[0].comments.len(), both[1].comments.len()), (0, 1));
    (cal, both[0].id.clone(), both[1].id.clone())
}

async fn is_whole_and_in_use(world: &World, cal: &Cal, older: &str) {
    let left = until_one_is_left(world).await;
    assert_eq!(left.id, older, "the older stays");
    assert_eq!(left.comments.len(), 1, "{:#?}", left.comments);
    assert!(left.markdown.contains("6 May 2090"), "{}", left.markdown);
    assert!(!left.markdown.contains("4 May 2090 ") || left.markdown.contains("6 May 2090"));
    world.clickup.set_index_lag(Duration::ZERO);
    let again = cal.book(&Person::new("Ada Byrd", EMAIL), LATER, 30);
    assert_eq!(world.deliver(again.created().body).await, 200);
    world.settle().await;
    let left = world.clickup.task(older).expect("the lead");
    assert_eq!(left.comments.len(), 2, "{:#?}", left.comments);
    assert_eq!(world.clickup.live_tasks().len(), 1);
}

#[tokio::test]
async fn what_calup_wrote_to_the_younger_goes_to_the_older() {
    let world = world_with(Vec::new()).await;
    let (cal, older, _) = worked_on_the_second(&world).await;
    is_whole_and_in_use(&world, &cal, &older).await;
}

async fn swept_through(point: &str) {
    let mut world = world_with(vec![("CALUP_CRASH_AT", point.to_owned())]).await;
    world.calup.keep_address();
    let (cal, older, _) = worked_on_the_second(&world).await;
    world.calup.ended().await;
    world.calup.set("CALUP_CRASH_AT", "");
    world.calup.start();
    is_whole_and_in_use(&world, &cal, &older).await;
}

#[tokio::test]
async fn a_sweep_that_is_cut_short_is_finished_by_the_next() {
    tokio::join!(
        swept_through("moved"),
        swept_through("merged"),
        swept_through("deleted")
    );
}

#[tokio::test]
async fn a_second_lead_that_somebody_worked_on_is_told_and_left() {
    let world = world_with(vec![("CALUP_SWEEP_SECONDS", "2".to_owned())]).await;
    let (_, _, first) = made_twice(&world).await;
    let both = world.clickup.tasks_by_email(EMAIL);
    let second = both
        .iter()
        .find(|t| t.id != first[0].id)
        .expect("not swept yet");
    world
        .clickup
        .human_rename(&second.id, "Ada, called on Monday");
    world
        .until("the operator is told", async || {
            !notices(&world).await.is_empty()
        })
        .await;
    let told = notices(&world).await.remove(0);
    let text = told["text"].as_str().expect("a text");
    assert!(
        text.contains(&first[0].id) && text.contains(&second.id),
        "{text}"
    );
    sweeps_go_by().await;
    assert_eq!(world.clickup.tasks_by_email(EMAIL).len(), 2);
    assert_eq!(deletes(&world), 0);
}

#[tokio::test]
async fn a_second_lead_that_somebody_moved_on_is_left_though_a_meeting_moved_it_on_since() {
    let world = world_with(vec![("CALUP_SWEEP_SECONDS", "2".to_owned())]).await;
    let (cal, _, first) = made_twice(&world).await;
    let both = world.clickup.tasks_by_email(EMAIL);
    let second = both
        .iter()
        .find(|t| t.id != first[0].id)
        .expect("not swept yet");
    world.clickup.human_set_status(&second.id, "negotiating");
    let again = cal.book(&Person::new("Ada Byrd", EMAIL), LATER, 30);
    assert_eq!(world.deliver(again.created().body).await, 200);
    world.settle().await;
    let shown = world.clickup.task(&second.id).expect("the second");
    assert_eq!(
        (shown.status.as_str(), shown.comments.len()),
        ("meeting booked", 1)
    );
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(world.clickup.tasks_by_email(EMAIL).len(), 2);
    assert_eq!(deletes(&world), 0);
    assert_eq!(notices(&world).await.len(), 1);
}

#[tokio::test]
async fn copies_that_people_make_are_left_alone() {
    let world = world_with(Vec::new()).await;
    world.clickup.fault(create(), Fault::ApplyThenDrop, 1);
    let cal = world.cal();
    let booking = cal.book(&Person::new("Ada Byrd", EMAIL), START, 30);
    assert_eq!(world.deliver(booking.created().body).await, 200);
    world.settle().await;
    let lead = world.clickup.live_tasks().remove(0);
    let theirs = world.clickup.human_copy(&lead.id);
    world.clickup.human_rename(&theirs, &lead.name);
    // A personal token's owner copies in ClickUp as the user that calup is.
    let own = world.clickup.add_task_with(TaskSeed {
        list: INBOUND.to_owned(),
        name: format!("{} (copy)", lead.name),
        email: Some(EMAIL.to_owned()),
        status: Some(lead.status.clone()),
        markdown: Some(lead.markdown.clone()),
        creator: Some(world.clickup.user_id()),
        ..TaskSeed::default()
    });
    sweeps_go_by().await;
    for id in [&lead.id, &theirs, &own] {
        assert!(!world.clickup.task(id).expect("a task").deleted);
    }
    assert_eq!(deletes(&world), 0);
    let told = notices(&world).await;
    assert!(
        told.iter().all(|n| !n.to_string().contains(&theirs)),
        "{told:?}"
    );
}

/// A comment that arrives when calup has long posted it again.
async fn said_twice(world: &World) -> String {
    let lead = world.clickup.add_task(BROKERS, "Ada", Some(EMAIL));
    world.clickup.fault(
        Match::post("/comment"),
        Fault::DropThenApplyLate(TOO_LATE_MS),
        1,
    );
    let booking = world.cal().book(&Person::new("Ada Byrd", EMAIL), START, 30);
    assert_eq!(world.deliver(booking.created().body).await, 200);
    world.settle().await;
    let said = || {
        let requests = world.clickup.requests();
        let is_it = |r: &&sim::clickup::LoggedRequest| {
            r.method == "POST" && r.path.ends_with("/comment") && r.executed
        };
        requests.iter().filter(is_it).count()
    };
    world.until("it was said twice", async || said() == 2).await;
    lead
}

#[tokio::test]
async fn a_comment_that_arrived_late_again_is_taken_back() {
    let world = world_with(Vec::new()).await;
    let lead = said_twice(&world).await;
    let comments = || world.clickup.task(&lead).expect("the lead").comments;
    world
        .until("one is left", async || comments().len() == 1)
        .await;
    assert_eq!(deletes(&world), 1);
    assert!(notices(&world).await.is_empty());
}

#[tokio::test]
async fn a_doubled_comment_that_somebody_took_up_is_told_and_left() {
    let world = world_with(vec![("CALUP_SWEEP_SECONDS", "2".to_owned())]).await;
    let lead = said_twice(&world).await;
    let comments = || world.clickup.task(&lead).expect("the lead").comments;
    let second = comments().pop().expect("not swept yet");
    world.clickup.human_resolve_comment(&second.id);
    world
        .until("the operator is told", async || {
            !notices(&world).await.is_empty()
        })
        .await;
    assert!(notices(&world).await[0].to_string().contains(&second.id));
    assert_eq!(comments().len(), 2);
    assert_eq!(deletes(&world), 0);
}

#[tokio::test]
async fn a_late_write_does_not_come_over_what_was_written_after_it() {
    let world = World::start().await;
    let lead = world.clickup.add_task(BROKERS, "Ada", Some(EMAIL));
    world.clickup.age(Duration::from_secs(3_600));
    world
        .clickup
        .fault(Match::put("/task/"), Fault::DropThenApplyLate(2_600), 1);
    let booking = world.cal().book(&Person::new("Ada Byrd", EMAIL), START, 30);
    let cancelled = booking.cancelled(Some(EMAIL), None).restamped();
    for delivery in [booking.created(), cancelled] {
        assert_eq!(world.deliver(delivery.body).await, 200);
    }
    assert_eq!(world.settle().await["done"], 2);
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let lead = world.clickup.task(&lead).expect("the lead");
    assert_eq!(lead.status, "meeting cancelled");
    assert_eq!(lead.comments.len(), 2);
}
