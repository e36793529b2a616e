//! The block under hard conditions: whatever people do to a description or to the lead itself, their text stays byte
//! for byte, the meetings are told somewhere, and what calup changed can be put back.

use std::time::Duration;

use serde_json::Value;
use sim::cal::{Booking, Delivery, Person};
use sim::clickup::{CommentView, LoggedRequest, TaskView};

use crate::world::{BROKERS, INBOUND, SELLERS, STATUSES, World};

const START: &str = "2090-05-04T10:00:00Z";
const LATER: &str = "2090-05-05T10:00:00Z";
const EMAIL: &str = "ada@byrd.example";
const BEGIN: &str = "⟦ Cal.com meetings · kept by calup ⟧";
const END: &str = "⟦ end of Cal.com meetings ⟧";
const ELSEWHERE: &str = "901100000099";

fn ada(world: &World) -> Booking {
    world.cal().book(&Person::new("Ada Byrd", EMAIL), START, 30)
}

/// Sends and waits until it is done.
async fn done(world: &World, delivery: &Delivery) {
    assert_eq!(world.deliver(delivery.body.clone()).await, 200);
    world.settle().await;
    let ending = world.ending(&delivery.body).await;
    assert_eq!(ending.0, "done", "{ending:?}");
}

fn lead(world: &World, id: &str) -> TaskView {
    world.clickup.task(id).expect("the lead")
}

/// The comments that hold the block.
fn block_comments(lead: &TaskView) -> Vec<&str> {
    let texts = lead.comments.iter().map(|c| c.text.as_str());
    texts.filter(|t| t.starts_with("Next meeting")).collect()
}

async fn notices_about(world: &World, cause: &str) -> Vec<Value> {
    let all = world.get("/api/notices").await;
    let all = all["notices"].as_array().expect("a list").clone();
    let is_it = |n: &Value| n["cause"].as_str().unwrap_or_default().starts_with(cause);
    all.into_iter().filter(is_it).collect()
}

/// A booking and its move leave a description alone: the block lives in one comment that is edited in place.
async fn lives_in_a_comment(world: &World, id: &str, booking: &Booking) {
    let before = lead(world, id).markdown;
    done(world, &booking.created()).await;
    let (_, moved) = booking.rescheduled(None, LATER);
    done(world, &moved).await;
    let now = lead(world, id);
    assert_eq!(now.markdown, before, "byte for byte");
    assert_eq!(now.status, "meeting booked");
    assert_eq!(now.comments.len(), 3, "{:#?}", now.comments);
    let block = block_comments(&now);
    assert_eq!(block.len(), 1, "{:#?}", now.comments);
    assert!(block[0].contains("5 May 2090") && !block[0].contains("4 May 2090"));
    let told = notices_about(world, "block-in-comment").await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0]["text"].as_str().is_some_and(|t| t.contains(id)));
}

#[tokio::test]
async fn what_may_not_survive_a_round_trip_is_never_written_back() {
    for text in [
        "Prices:\n\n| a | b |\n| --- | --- |\n| 1 | 2 |",
        "Ask @Robin first.",
        "Ask [@Robin](#user_mention#57) first.",
        "![plan](https://files.example/plan.png)",
        "<iframe src=\"https://maps.example\"></iframe>",
        "[embed](https://maps.example)",
        "- [ ] call\n- [x] write",
        ":::info\nA banner\n:::",
        "```\nnever closed",
    ] {
        let world = World::start().await;
        let id = world.clickup.add_task(BROKERS, "Ada", Some(EMAIL));
        world.clickup.human_edit_description(&id, text);
        lives_in_a_comment(&world, &id, &ada(&world)).await;
    }
}

#[tokio::test]
async fn a_lost_or_doubled_fence_is_nobody_s_to_guess_at() {
    for text in [
        format!("Mine.\n\n{BEGIN}\n\nx\n\nAlso mine."),
        format!("Mine.\n\nx\n\n{END}\n\nAlso mine."),
        format!("{END}\n\nMine.\n\n{BEGIN}"),
        format!("{BEGIN}\n\nx\n\n{END}\n\nMine.\n\n{BEGIN}\n\ny\n\n{END}"),
        format!("{BEGIN}\n\nx\n\n{END}\n\n{END}"),
        format!("Moved: {BEGIN} x {END}"),
    ] {
        let world = World::start().await;
        let id = world.clickup.add_task(BROKERS, "Ada", Some(EMAIL));
        world.clickup.human_edit_description(&id, &text);
        lives_in_a_comment(&world, &id, &ada(&world)).await;
    }
}

#[tokio::test]
async fn a_description_without_room_keeps_every_byte() {
    let world = World::start().await;
    let id = world.clickup.add_task(BROKERS, "Ada", Some(EMAIL));
    let line = "A line that somebody pasted.\n\n";
    let full = line.repeat(256 * 1024 / line.len());
    world.clickup.human_edit_description(&id, &full);
    lives_in_a_comment(&world, &id, &ada(&world)).await;
    let told = notices_about(&world, "block-in-comment").await;
    assert!(
        told[0]["text"].as_str().is_some_and(|t| t.contains("fit")),
        "{told:?}"
    );
}

#[tokio::test]
async fn once_there_is_room_again_the_block_comes_back_and_its_comment_says_so() {
    let world = World::start().await;
    let id = world.clickup.add_task(BROKERS, "Ada", Some(EMAIL));
    world
        .clickup
        .human_edit_description(&id, "Ask @Robin first.");
    let booking = ada(&world);
    done(&world, &booking.created()).await;
    world.clickup.human_edit_description(&id, "Asked.");
    let (_, moved) = booking.rescheduled(None, LATER);
    done(&world, &moved).await;
    let now = lead(&world, &id);
    assert!(now.markdown.contains("5 May 2090") && now.markdown.ends_with("Asked."));
    assert!(block_comments(&now).is_empty(), "{:#?}", now.comments);
    assert!(
        now.comments
            .iter()
            .any(|c| c.text.contains("in the description again"))
    );
}

#[tokio::test]
async fn a_comment_that_held_the_block_and_was_deleted_stays_away() {
    let world = World::start().await;
    let id = world.clickup.add_task(BROKERS, "Ada", Some(EMAIL));
    world
        .clickup
        .human_edit_description(&id, "Ask @Robin first.");
    let booking = ada(&world);
    done(&world, &booking.created()).await;
    let comments = lead(&world, &id).comments;
    let held = comments.iter().find(|c| c.text.starts_with("Next meeting"));
    world
        .clickup
        .human_delete_comment(&held.expect("the block").id);
    let (moved, rescheduled) = booking.rescheduled(None, LATER);
    done(&world, &rescheduled).await;
    done(&world, &moved.cancelled(None, None)).await;
    let now = lead(&world, &id);
    assert_eq!(
        (now.comments.len(), now.status.as_str()),
        (3, "meeting cancelled")
    );
    assert!(block_comments(&now).is_empty(), "{:#?}", now.comments);
}

#[tokio::test]
async fn a_lead_in_another_list_gets_that_list_s_statuses() {
    let world = World::start().await;
    world.clickup.add_list(
        ELSEWHERE,
        "Partners",
        &[
            ("open", "open"),
            ("meeting booked", "custom"),
            ("gone", "closed"),
        ],
    );
    let id = world.clickup.add_task(BROKERS, "Ada", Some(EMAIL));
    let booking = ada(&world);
    done(&world, &booking.created()).await;
    world.clickup.human_move(&id, ELSEWHERE);
    let (moved, rescheduled) = booking.rescheduled(None, LATER);
    done(&world, &rescheduled).await;
    done(&world, &moved.cancelled(None, None)).await;
    let now = lead(&world, &id);
    assert_eq!(now.list_id, ELSEWHERE);
    // Partners has no "meeting cancelled": everything but the status is written.
    assert_eq!(
        (now.status.as_str(), now.comments.len()),
        ("meeting booked", 3)
    );
    assert!(
        now.markdown.contains("Meeting cancelled"),
        "{}",
        now.markdown
    );
    let told = notices_about(&world, "status-missing").await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0]["text"]
            .as_str()
            .is_some_and(|t| t.contains("Partners"))
    );
    assert_eq!(world.clickup.task_count(), 1);
}

#[tokio::test]
async fn two_leads_with_blocks_merged_into_one_keep_both_texts() {
    let world = World::start().await;
    let booking = ada(&world);
    done(&world, &booking.created()).await;
    let made = world.clickup.tasks_in(INBOUND)[0].id.clone();
    let ben = world
        .cal()
        .book(&Person::new("Ben", "ben@byrd.example"), START, 30);
    let kept = world
        .clickup
        .add_task(SELLERS, "Ben", Some("ben@byrd.example"));
    done(&world, &ben.created()).await;
    world.clickup.human_merge(&made, &kept);
    world
        .clickup
        .human_set_field(&kept, crate::world::EMAIL_FIELD, Some(EMAIL.into()));
    let before = lead(&world, &kept);
    assert_eq!(before.markdown.matches(BEGIN).count(), 2);
    let (_, rescheduled) = booking.rescheduled(None, LATER);
    done(&world, &rescheduled).await;
    let now = lead(&world, &kept);
    assert_eq!(now.markdown, before.markdown, "byte for byte");
    assert_eq!(world.clickup.task_count(), 1);
    assert!(
        block_comments(&now)[0].contains("5 May 2090"),
        "{:#?}",
        now.comments
    );
}

#[tokio::test]
async fn a_lead_deleted_while_it_is_written_is_matched_once_more() {
    let world = World::start().await;
    let other = world.clickup.add_task(SELLERS, "Ada", Some(EMAIL));
    tokio::time::sleep(Duration::from_millis(5)).await;
    let newest = world.clickup.add_task(BROKERS, "Ada", Some(EMAIL));
    world
        .clickup
        .set_latency(Duration::from_millis(600), Duration::ZERO);
    let created = ada(&world).created();
    assert_eq!(world.deliver(created.body.clone()).await, 200);
    let is_write = |r: &LoggedRequest| r.method == "PUT" && r.path.ends_with(&newest);
    world
        .until("the write is on its way", async || {
            world.clickup.requests().iter().any(is_write)
        })
        .await;
    world.clickup.human_delete(&newest);
    world.clickup.set_latency(Duration::ZERO, Duration::ZERO);
    world.settle().await;
    assert_eq!(world.ending(&created.body).await.0, "done");
    let now = lead(&world, &other);
    assert!(now.markdown.contains("4 May 2090"), "{}", now.markdown);
    assert_eq!(
        (now.status.as_str(), now.comments.len()),
        ("meeting booked", 1)
    );
    assert_eq!(world.clickup.task_count(), 1);
}

#[tokio::test]
async fn an_archived_lead_stays_the_lead() {
    let world = World::start().await;
    let booking = ada(&world);
    done(&world, &booking.created()).await;
    let id = world.clickup.tasks_in(INBOUND)[0].id.clone();
    world.clickup.human_archive(&id, true);
    let (_, rescheduled) = booking.rescheduled(None, LATER);
    done(&world, &rescheduled).await;
    // A listing shows no archived lead, but calup has it on its own record.
    let again = world.cal().book(&Person::new("Ada Byrd", EMAIL), LATER, 30);
    done(&world, &again.created()).await;
    let now = lead(&world, &id);
    assert_eq!((now.comments.len(), now.archived), (2, true));
    assert!(now.markdown.contains("Then"), "{}", now.markdown);
    assert_eq!(world.clickup.task_count(), 1);
}

#[tokio::test]
async fn what_was_changed_can_be_put_back_by_hand() {
    let world = World::start().await;
    let id = world.clickup.add_task(BROKERS, "Ada", Some(EMAIL));
    let mine = "Met **Ada** (ada.private@byrd.example) at the expo.";
    world.clickup.human_edit_description(&id, mine);
    let before = lead(&world, &id);
    let booking = ada(&world);
    let created = booking.created();
    done(&world, &created).await;
    let proof = world.get(&format!("/api/bookings/{}", booking.uid)).await;
    let effects = proof["changes"][0]["effects"].as_array().expect("effects");
    let write = effects
        .iter()
        .find(|e| e["kind"] == "write")
        .expect("a write");
    assert_eq!(write["before"]["status"], before.status.as_str());
    assert_eq!(write["before"]["description"], before.markdown.as_str());
    let comment = effects
        .iter()
        .find(|e| e["kind"] == "comment")
        .expect("a comment");
    assert_eq!(comment["before"], Value::Null);
    // At rest it is sealed.
    for entry in std::fs::read_dir(&world.calup.dir).expect("a folder") {
        let path = entry.expect("a file").path();
        if path.is_file() {
            let bytes = std::fs::read(&path).expect("readable");
            let is_there = bytes.windows(11).any(|w| w == b"ada.private");
            assert!(!is_there, "in {}", path.display());
        }
    }
}

#[tokio::test]
async fn both_fences_gone_is_a_person_s_word() {
    let world = World::start().await;
    world.clickup.add_list("901100000088", "Unused", &STATUSES);
    let id = world.clickup.add_task(BROKERS, "Ada", Some(EMAIL));
    let booking = ada(&world);
    done(&world, &booking.created()).await;
    // Its lines are still there, its fences are not.
    let bare = lead(&world, &id)
        .markdown
        .replace(BEGIN, "")
        .replace(END, "");
    world.clickup.human_edit_description(&id, &bare);
    let before = lead(&world, &id).markdown;
    let (moved, rescheduled) = booking.rescheduled(None, LATER);
    done(&world, &rescheduled).await;
    done(&world, &moved.cancelled(None, None)).await;
    let now = lead(&world, &id);
    assert_eq!(now.markdown, before);
    assert_eq!(
        now.comments.len(),
        3,
        "no substitute either: {:#?}",
        now.comments
    );
    assert!(block_comments(&now).is_empty(), "{:#?}", now.comments);
}

#[tokio::test]
async fn a_comment_that_stood_in_says_that_the_block_was_taken_out() {
    let world = World::start().await;
    let id = world.clickup.add_task(BROKERS, "Ada", Some(EMAIL));
    let booking = ada(&world);
    done(&world, &booking.created()).await;
    let half = lead(&world, &id).markdown.replace(END, "");
    world.clickup.human_edit_description(&id, &half);
    let (moved, rescheduled) = booking.rescheduled(None, LATER);
    done(&world, &rescheduled).await;
    assert_eq!(block_comments(&lead(&world, &id)).len(), 1);
    world.clickup.human_edit_description(&id, "Mine.");
    done(&world, &moved.cancelled(None, None)).await;
    let now = lead(&world, &id);
    assert_eq!(now.markdown.trim(), "Mine.");
    assert_eq!(now.comments.len(), 4, "{:#?}", now.comments);
    assert!(block_comments(&now).is_empty(), "{:#?}", now.comments);
    let says_so = |c: &CommentView| c.text.contains("no longer kept here");
    assert!(now.comments.iter().any(says_so), "{:#?}", now.comments);
}
