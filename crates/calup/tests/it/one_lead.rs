//! A lead whose meetings were booked under several addresses, and a person whose meetings are several leads': status and
//! block are the lead's.

use serde_json::{Value, json};
use sim::cal::{Booking, Delivery, Person};

use crate::asked::*;
use crate::world::{BROKERS, INBOUND, World};

fn lead(world: &World, task: &str) -> (String, String) {
    let lead = world.clickup.task(task).expect("the lead");
    (lead.status, lead.markdown)
}

struct Given {
    task: String,
    first: Booking,
    /// The other one, as it was delivered.
    two: Delivery,
    question: Value,
}

/// Of two meetings of somebody whom only a name knows, the first is given to the task by itself.
async fn first_of_two_given() -> (Asked, Given) {
    let asked = Asked::start().await;
    let world = &asked.world;
    let task = world.clickup.add_task(BROKERS, "Mike Ross", None);
    let cal = world.cal();
    let (first, second) = (cal.book(&mike(), START, 30), cal.book(&mike(), LATER, 30));
    let (one, two) = (first.created(), second.created());
    asked.is_held(&one).await;
    asked.is_held(&two).await;
    let question = asked.question().await;
    let answer = json!({"answer": "meeting", "task_id": task});
    assert_eq!(asked.answers(&question, answer).await.0, 200);
    assert_eq!(asked.ended(&one).await.0, "done");
    let given = Given {
        task,
        first,
        two,
        question,
    };
    (asked, given)
}

#[tokio::test]
async fn meetings_under_two_addresses_stand_on_one_lead_until_the_last_is_off() {
    let asked = Asked::start().await;
    let world = &asked.world;
    let task = world
        .clickup
        .add_task(BROKERS, "Mike Ross", Some("mike@ross.example"));
    let cal = world.cal();
    let monday = cal.book(&mike(), START, 30);
    assert_eq!(asked.ends(&monday.created()).await.0, "done");
    let elsewhere = Person::new("Mike Ross", "mike@elsewhere.example");
    let thursday = cal.book(&elsewhere, LATER, 30);
    let created = thursday.created();
    asked.is_held(&created).await;
    let question = asked.question().await;
    let answer = json!({"answer": "person", "task_id": task});
    assert_eq!(asked.answers(&question, answer).await.0, 200);
    assert_eq!(asked.ended(&created).await.0, "done");
    let (status, block) = lead(world, &task);
    assert_eq!(status, "meeting booked");
    assert!(block.contains("4 May"), "{block}");
    assert!(block.contains("5 May"), "{block}");

    let off = thursday.cancelled(Some("mike@elsewhere.example"), None);
    assert_eq!(asked.ends(&off).await.0, "done");
    let (status, block) = lead(world, &task);
    assert_eq!(status, "meeting booked", "the other one stands");
    assert!(block.contains("4 May"), "{block}");
    assert!(!block.contains("5 May"), "{block}");

    let (friday, moved) = monday.rescheduled(Some("mike@ross.example"), "2090-05-08T10:00:00Z");
    assert_eq!(asked.ends(&moved).await.0, "done");
    let again = cal.book(&elsewhere, "2090-05-09T10:00:00Z", 30);
    assert_eq!(asked.ends(&again.created()).await.0, "done");
    let (_, block) = lead(world, &task);
    assert!(block.contains("8 May"), "{block}");
    assert!(block.contains("9 May"), "{block}");
    let off = friday.cancelled(Some("mike@ross.example"), None);
    assert_eq!(asked.ends(&off).await.0, "done");
    assert_eq!(lead(world, &task).0, "meeting booked");
    let off = again.cancelled(Some("mike@elsewhere.example"), None);
    assert_eq!(asked.ends(&off).await.0, "done");
    assert_eq!(lead(world, &task).0, "meeting cancelled");
    assert_eq!(world.clickup.task_count(), 1);
}

#[tokio::test]
async fn a_meeting_that_is_another_lead_s_is_not_shown_and_holds_no_status() {
    let (asked, of) = first_of_two_given().await;
    let world = &asked.world;
    let Given {
        task,
        first,
        two,
        question,
    } = of;
    let next = asked.next_question(&question).await;
    assert_eq!(asked.answers(&next, json!({"answer": "new"})).await.0, 200);
    assert_eq!(asked.ended(&two).await.0, "done");
    let made = world.clickup.tasks_in(INBOUND).remove(0).id;
    let (_, block) = lead(world, &made);
    assert!(block.contains("5 May"), "{block}");
    assert!(!block.contains("4 May"), "{block}");

    let (moved, rescheduled) = first.rescheduled(Some("mike@ross.example"), "2090-05-08T10:00:00Z");
    assert_eq!(asked.ends(&rescheduled).await.0, "done");
    let (_, block) = lead(world, &task);
    assert!(block.contains("8 May"), "{block}");
    assert!(!block.contains("5 May"), "{block}");
    let off = moved.cancelled(Some("mike@ross.example"), None);
    assert_eq!(asked.ends(&off).await.0, "done");
    assert_eq!(lead(world, &task).0, "meeting cancelled");
    assert_eq!(lead(world, &made).0, "meeting booked");
}

#[tokio::test]
async fn a_meeting_that_nobody_has_placed_yet_is_not_shown_beside_one_that_was() {
    let (asked, of) = first_of_two_given().await;
    let world = &asked.world;
    let Given {
        task, first, two, ..
    } = of;
    let (_, block) = lead(world, &task);
    assert!(block.contains("4 May"), "{block}");
    assert!(!block.contains("5 May"), "{block}");

    let off = first.cancelled(Some("mike@ross.example"), None);
    assert_eq!(asked.ends(&off).await.0, "done");
    assert_eq!(lead(world, &task).0, "meeting cancelled");
    assert_eq!(world.ending(&two.body).await.0, "held");
}

#[tokio::test]
async fn a_lead_that_a_person_has_deleted_claims_no_meeting() {
    let asked = Asked::start().await;
    let world = &asked.world;
    let email = Some("mike@ross.example");
    let old = world.clickup.add_task(BROKERS, "Mike Ross", email);
    let cal = world.cal();
    let first = cal.book(&mike(), START, 30);
    assert_eq!(asked.ends(&first.created()).await.0, "done");
    world.clickup.human_delete(&old);
    let task = world.clickup.add_task(BROKERS, "Mike Ross", email);

    let second = cal.book(&mike(), LATER, 30);
    assert_eq!(asked.ends(&second.created()).await.0, "done");

    let (_, block) = lead(world, &task);
    assert!(block.contains("4 May"), "{block}");
    assert!(block.contains("5 May"), "{block}");
    let off = second.cancelled(email, None);
    assert_eq!(asked.ends(&off).await.0, "done");
    assert_eq!(lead(world, &task).0, "meeting booked");
}

#[tokio::test]
async fn a_late_answer_deletes_no_lead_that_has_somebody_else_s_meeting() {
    let asked = Asked::with(vec![("CALUP_QUESTION_HOURS", "0.0004".to_owned())]).await;
    let world = &asked.world;
    world.clickup.add_task(BROKERS, "Mike Ross", None);
    let cal = world.cal();
    let first = cal.book(&mike(), START, 30).created();
    assert_eq!(asked.ends(&first).await.0, "done");
    let made = world.clickup.tasks_in(INBOUND).remove(0).id;
    let question_of = async |email: &str| {
        world
            .until("a question is known", async || {
                let all = world.get("/api/questions").await;
                all.to_string().contains(email)
            })
            .await;
        let all = world.get("/api/questions").await;
        let all = all["questions"].as_array().expect("a list").clone();
        let is_it = |q: &Value| q["attendee"]["email"] == email;
        all.into_iter().find(is_it).expect("it is there")
    };
    let about_mike = question_of("mike@ross.example").await;
    let elsewhere = Person::new("Mike Ross", "mike@elsewhere.example");
    let second = cal.book(&elsewhere, LATER, 30).created();
    assert_eq!(world.deliver(second.body.clone()).await, 200);
    let about_other = question_of("mike@elsewhere.example").await;
    let answer = json!({"answer": "person", "task_id": made});
    assert_eq!(asked.answers(&about_other, answer).await.0, 200);
    assert_eq!(asked.ended(&second).await.0, "done");
    world
        .until("both stand on it", async || {
            let (_, block) = lead(world, &made);
            block.contains("4 May") && block.contains("5 May")
        })
        .await;

    let late = asked
        .answers(&about_mike, json!({"answer": "ignore"}))
        .await;
    assert_eq!(late.0, 200);
    world.settle().await;

    let (status, block) = lead(world, &made);
    assert_eq!(status, "meeting booked");
    assert!(block.contains("5 May"), "{block}");
}
