//! People work in ClickUp at the same time: what they did stands. And lists that are not as they should be.

use serde_json::json;
use sim::cal::{Booking, Person};

use crate::world::{BROKERS, EMAIL_FIELD, INBOUND, SELLERS, STATUSES, World};

const START: &str = "2090-05-04T10:00:00Z";
const LATER: &str = "2090-05-05T10:00:00Z";
const EMAIL: &str = "ada@byrd.example";
const LINK: &str = "https://meet.example.com/nora";

fn ada(world: &World) -> Booking {
    world.cal().book(&Person::new("Ada Byrd", EMAIL), START, 30)
}

/// Sends and waits until it is done.
async fn done(world: &World, delivery: &sim::cal::Delivery) {
    assert_eq!(world.deliver(delivery.body.clone()).await, 200);
    world.settle().await;
    let ending = world.ending(&delivery.body).await;
    assert_eq!(ending.0, "done", "{ending:?}");
}

/// A world in which Ada's first meeting is on her task in Brokers.
async fn with_ada() -> (World, Booking, String) {
    let world = World::start().await;
    let id = world.clickup.add_task(BROKERS, "Ada", Some(EMAIL));
    let booking = ada(&world);
    done(&world, &booking.created()).await;
    (world, booking, id)
}

#[tokio::test]
async fn a_status_that_a_person_chose_stays() {
    let (world, booking, id) = with_ada().await;
    world.clickup.human_set_status(&id, "negotiating");
    let (moved, rescheduled) = booking.rescheduled(None, LATER);
    done(&world, &rescheduled).await;
    done(&world, &moved.cancelled(None, None)).await;
    let lead = world.clickup.task(&id).expect("the lead");
    assert_eq!(
        (lead.status.as_str(), lead.comments.len()),
        ("negotiating", 3)
    );
    assert!(
        lead.comments.iter().any(|c| c.text.contains("kept")),
        "{:#?}",
        lead.comments
    );
}

#[tokio::test]
async fn a_won_lead_is_not_reopened() {
    let world = World::start().await;
    let id = world.clickup.add_task(SELLERS, "Ada", Some(EMAIL));
    world.clickup.human_set_status(&id, "won");
    done(&world, &ada(&world).created()).await;
    let lead = world.clickup.task(&id).expect("the lead");
    assert_eq!((lead.status.as_str(), lead.comments.len()), ("won", 1));
}

#[tokio::test]
async fn a_block_that_a_person_took_out_does_not_come_back() {
    let (world, booking, id) = with_ada().await;
    world.clickup.human_edit_description(&id, "Only mine.");
    let (moved, rescheduled) = booking.rescheduled(None, LATER);
    done(&world, &rescheduled).await;
    done(&world, &moved.cancelled(None, None)).await;
    let lead = world.clickup.task(&id).expect("the lead");
    assert_eq!(lead.markdown.trim(), "Only mine.");
    assert_eq!(
        lead.comments.len(),
        3,
        "no substitute either: {:#?}",
        lead.comments
    );
}

#[tokio::test]
async fn a_description_with_a_table_is_left_alone_and_the_block_lives_in_a_comment() {
    let world = World::start().await;
    let id = world.clickup.add_task(BROKERS, "Ada", Some(EMAIL));
    let table = "Prices:\n\n| a | b |\n| --- | --- |\n| 1 | 2 |";
    world.clickup.human_edit_description(&id, table);
    let before = world.clickup.task(&id).expect("the lead").markdown;
    let booking = ada(&world);
    done(&world, &booking.created()).await;
    let (_, rescheduled) = booking.rescheduled(None, LATER);
    done(&world, &rescheduled).await;
    let lead = world.clickup.task(&id).expect("the lead");
    assert_eq!(lead.markdown, before);
    assert_eq!(lead.status, "meeting booked");
    assert_eq!(
        lead.comments.len(),
        3,
        "two, and the block edited in place: {:#?}",
        lead.comments
    );
    let notices = world.get("/api/notices").await.to_string();
    assert!(notices.contains("description"), "{notices}");
}

#[tokio::test]
async fn a_deleted_lead_is_not_made_again_for_its_meeting() {
    let world = World::start().await;
    let booking = ada(&world);
    done(&world, &booking.created()).await;
    let id = world.clickup.tasks_in(INBOUND)[0].id.clone();
    world.clickup.human_delete(&id);
    let (moved, rescheduled) = booking.rescheduled(None, LATER);
    assert_eq!(world.deliver(rescheduled.body).await, 200);
    world.settle().await;
    assert_eq!(
        world.last().await,
        ("skipped".into(), "deleted task".into())
    );
    assert_eq!(world.clickup.task_count(), 0);
    // With another task of that e-mail, the meeting goes on there.
    let other = world.clickup.add_task(SELLERS, "Ada", Some(EMAIL));
    done(&world, &moved.cancelled(None, None)).await;
    assert_eq!(
        world
            .clickup
            .task(&other)
            .expect("the other")
            .comments
            .len(),
        1
    );
}

#[tokio::test]
async fn a_lead_moved_to_another_list_stays_the_lead() {
    let world = World::start().await;
    let booking = ada(&world);
    done(&world, &booking.created()).await;
    let id = world.clickup.tasks_in(INBOUND)[0].id.clone();
    world.clickup.human_move(&id, BROKERS);
    let (_, rescheduled) = booking.rescheduled(None, LATER);
    done(&world, &rescheduled).await;
    assert_eq!(world.clickup.task_count(), 1);
    let lead = world.clickup.task(&id).expect("the lead");
    assert_eq!((lead.list_id.as_str(), lead.comments.len()), (BROKERS, 1));
}

#[tokio::test]
async fn a_merged_lead_goes_on_in_the_one_it_was_merged_into() {
    let world = World::start().await;
    let booking = ada(&world);
    done(&world, &booking.created()).await;
    let made = world.clickup.tasks_in(INBOUND)[0].id.clone();
    let kept = world
        .clickup
        .add_task(BROKERS, "Ada of Byrd & Co", Some(EMAIL));
    world.clickup.human_merge(&made, &kept);
    let (moved, rescheduled) = booking.rescheduled(None, LATER);
    done(&world, &rescheduled).await;
    done(&world, &moved.cancelled(None, None)).await;
    assert_eq!(world.clickup.task_count(), 1);
    let lead = world.clickup.task(&kept).expect("the lead");
    assert_eq!(lead.comments.len(), 2, "{:#?}", lead.comments);
    assert_eq!(
        lead.markdown.matches("kept by calup").count(),
        1,
        "{}",
        lead.markdown
    );
}

#[tokio::test]
async fn a_plan_without_field_uses_gets_leads_without_fields_and_is_told_once() {
    let world = World::start().await;
    world.clickup.set_field_quota_exhausted(true);
    let cal = world.cal();
    for n in 0..3 {
        let person = Person::new("Ada Byrd", &format!("ada{n}@byrd.example"));
        done(&world, &cal.book(&person, START, 30).created()).await;
    }
    let leads = world.clickup.tasks_in(INBOUND);
    assert_eq!(leads.len(), 3);
    assert!(
        leads
            .iter()
            .all(|l| l.email.is_none() && l.markdown.contains("@byrd.example"))
    );
    assert_eq!(world.clickup.mutations(), 4, "the refusal is remembered");
    let notices = world.get("/api/notices").await;
    let told = notices["notices"].as_array().expect("a list");
    assert_eq!(
        told.iter().filter(|n| n["cause"] == "field-quota").count(),
        1,
        "{notices}"
    );
}

#[tokio::test]
async fn a_lead_without_its_e_mail_field_is_still_the_person_s_next_time() {
    let world = World::start().await;
    world.clickup.set_field_quota_exhausted(true);
    let cal = world.cal();
    let person = Person::new("Ada Byrd", EMAIL);
    done(&world, &cal.book(&person, START, 30).created()).await;
    done(&world, &cal.book(&person, LATER, 30).created()).await;
    let leads = world.clickup.live_tasks();
    assert_eq!((leads.len(), leads[0].comments.len()), (1, 1), "{leads:#?}");
}

#[tokio::test]
async fn a_list_without_the_status_gets_everything_else_and_the_operator_is_told() {
    let world = World::start().await;
    world.clickup.remove_status(INBOUND, "meeting booked");
    world.clickup.remove_status(BROKERS, "meeting booked");
    let id = world
        .clickup
        .add_task(BROKERS, "Ben", Some("ben@byrd.example"));
    done(&world, &ada(&world).created()).await;
    let ben = world
        .cal()
        .book(&Person::new("Ben", "ben@byrd.example"), LATER, 30);
    done(&world, &ben.created()).await;
    let made = &world.clickup.tasks_in(INBOUND)[0];
    assert_eq!(
        (made.status.as_str(), made.email.as_deref()),
        ("to do", Some(EMAIL))
    );
    assert!(made.markdown.contains(LINK));
    let known = world.clickup.task(&id).expect("the lead");
    assert_eq!((known.status.as_str(), known.comments.len()), ("to do", 1));
    assert!(known.markdown.contains(LINK));
    let notices = world.get("/api/notices").await.to_string();
    assert!(
        notices.to_lowercase().contains("meeting booked"),
        "{notices}"
    );
}

#[tokio::test]
async fn a_status_taken_away_after_it_was_looked_up_costs_nothing_but_the_status() {
    let (world, booking, id) = with_ada().await;
    world.clickup.remove_status(BROKERS, "meeting cancelled");
    done(&world, &booking.cancelled(None, None)).await;
    let lead = world.clickup.task(&id).expect("the lead");
    assert_eq!(
        (lead.status.as_str(), lead.comments.len()),
        ("meeting booked", 2)
    );
}

#[tokio::test]
async fn each_list_may_have_an_e_mail_field_of_its_own() {
    let world = World::start().await;
    let own = "b1c9f002-0000-4c63-8850-0d0742888f9d";
    world.clickup.remove_field(SELLERS, EMAIL_FIELD);
    world.clickup.add_field(&[SELLERS], own, "E-Mail", "email");
    world.clickup.remove_field(INBOUND, EMAIL_FIELD);
    world.clickup.add_field(
        &[INBOUND],
        "c1c9f002-0000-4c63-8850-0d0742888f9d",
        "email",
        "email",
    );
    let in_brokers = world.clickup.add_task(BROKERS, "Ada", Some(EMAIL));
    done(&world, &ada(&world).created()).await;
    assert_eq!(
        world
            .clickup
            .task(&in_brokers)
            .expect("the lead")
            .comments
            .len(),
        1
    );
    let cal = world.cal();
    let stranger = cal.book(&Person::new("Zoe", "zoe@new.example"), START, 30);
    done(&world, &stranger.created()).await;
    let made = &world.clickup.tasks_in(INBOUND)[0];
    assert_eq!(made.email.as_deref(), Some("zoe@new.example"));
}

#[tokio::test]
async fn a_list_whose_task_type_is_capped_still_gets_its_leads() {
    let world = World::start().await;
    world.clickup.set_type_capped(INBOUND, true);
    done(&world, &ada(&world).created()).await;
    let made = &world.clickup.tasks_in(INBOUND)[0];
    assert_eq!(
        (made.status.as_str(), made.email.as_deref()),
        ("meeting booked", Some(EMAIL))
    );
}

#[tokio::test]
async fn an_e_mail_that_merely_contains_the_booker_s_is_somebody_else() {
    let world = World::start().await;
    world
        .clickup
        .add_list("901100000077", "Elsewhere", &STATUSES);
    let other = world
        .clickup
        .add_task(BROKERS, "Not Ada", Some("xada@byrd.example"));
    let long = world
        .clickup
        .add_task(BROKERS, "Not Ada", Some("ada@byrd.example.org"));
    done(&world, &ada(&world).created()).await;
    for id in [&other, &long] {
        assert_eq!(world.clickup.task(id).expect("a task").comments.len(), 0);
    }
    assert_eq!(world.clickup.tasks_in(INBOUND).len(), 1);
}

#[tokio::test]
async fn edits_by_people_around_the_block_survive_a_move() {
    let (world, booking, id) = with_ada().await;
    let before = world.clickup.task(&id).expect("the lead").markdown;
    world.clickup.human_edit_description(
        &id,
        &format!("**Above** it.\n\n{before}\n\nBelow it, *too*."),
    );
    let (_, rescheduled) = booking.rescheduled(None, LATER);
    done(&world, &rescheduled).await;
    let lead = world.clickup.task(&id).expect("the lead");
    assert!(
        lead.markdown.contains("**Above** it.") && lead.markdown.contains("Below it, *too*."),
        "{}",
        lead.markdown
    );
    assert!(
        lead.markdown.contains("5 May 2090") && !lead.markdown.contains("4 May 2090"),
        "{}",
        lead.markdown
    );
    world
        .clickup
        .human_set_field(&id, EMAIL_FIELD, Some(json!("ada@elsewhere.example")));
    let (_, again) = booking.rescheduled(None, LATER);
    done(&world, &again).await;
    assert_eq!(
        world.clickup.task_count(),
        1,
        "a choice sticks for its meeting"
    );
}
