//! Asking a person when only a name matches, and what each answer comes to.

use serde_json::{Value, json};

use crate::asked::*;
use crate::world::{BROKERS, EMAIL_FIELD, INBOUND, World};

#[tokio::test]
async fn a_lead_of_the_same_name_is_asked_about_and_this_person_learns_the_address() {
    let asked = Asked::start().await;
    let world = &asked.world;
    let task = world.clickup.add_task(BROKERS, "Ross, Michael", None);
    let booking = world.cal().book(&mike(), START, 30);
    assert_eq!(world.deliver(booking.created().body).await, 200);
    let question = asked.question().await;
    assert_eq!(question["attendee"]["name"], "Mike Ross");
    assert_eq!(question["candidates"][0]["task_id"], task.as_str());
    assert_eq!(world.get("/api/counts").await["held"], 1);

    let message = asked.message().await;
    assert!(message.pings().is_empty());
    let clicked = asked.click(&message.ts, "calup_person_0").await;
    assert_eq!(clicked.status, Some(200));
    world
        .until("the booking is done", async || {
            world.get("/api/counts").await["done"] == 1
        })
        .await;

    let now = world.clickup.task(&task).expect("the task");
    assert_eq!(now.status, "meeting booked");
    assert_eq!(now.email.as_deref(), Some("mike@ross.example"));
    assert_eq!(world.clickup.task_count(), 1, "no lead was made");
    let aliases = world.calup.run(&["questions", "aliases", "--json"]);
    let aliases: Value = serde_json::from_str(&aliases.0).expect("JSON");
    assert_eq!(aliases["aliases"][0]["lead"], task.as_str());
    world
        .until("the message says who decided", async || {
            let seen = asked.slack.messages(CHANNEL).remove(0);
            seen.buttons.is_empty() && seen.seen.text.contains("robin")
        })
        .await;
    let answered = world.get("/api/questions?state=answered").await;
    assert_eq!(answered["questions"][0]["answered_by"], "robin");
}

#[tokio::test]
async fn only_this_meeting_leaves_the_others_to_be_asked_next() {
    let asked = Asked::start().await;
    let world = &asked.world;
    let task = world.clickup.add_task(BROKERS, "Mike Ross", None);
    let cal = world.cal();
    let first = cal.book(&mike(), START, 30).created();
    let second = cal.book(&mike(), LATER, 30).created();
    asked.is_held(&first).await;
    asked.is_held(&second).await;
    let question = asked.question().await;
    assert_eq!(question["deliveries"].as_array().map(Vec::len), Some(2));

    let (status, _) = asked
        .answers(&question, json!({"answer": "meeting", "task_id": task}))
        .await;
    assert_eq!(status, 200);
    assert_eq!(asked.ended(&first).await.0, "done");
    let next = asked.next_question(&question).await;
    assert_eq!(world.clickup.task(&task).expect("it").comments.len(), 1);
    let (status, _) = asked.answers(&next, json!({"answer": "new"})).await;
    assert_eq!(status, 200);
    assert_eq!(asked.ended(&second).await.0, "done");
    assert_eq!(world.clickup.tasks_in(INBOUND).len(), 1);
    assert_eq!(world.clickup.task(&task).expect("it").email, None);
}

#[tokio::test]
async fn not_a_lead_skips_this_person_and_the_next_booking_too() {
    let asked = Asked::start().await;
    let world = &asked.world;
    world.clickup.add_task(BROKERS, "Mike Ross", None);
    let cal = world.cal();
    let first = cal.book(&mike(), START, 30).created();
    asked.is_held(&first).await;
    let message = asked.message().await;
    asked.click(&message.ts, "calup_ignore").await;
    let skipped = ("skipped".to_owned(), "not a lead".to_owned());
    assert_eq!(asked.ended(&first).await, skipped);
    let second = cal.book(&mike(), LATER, 30).created();
    assert_eq!(asked.ends(&second).await, skipped);
    assert_eq!(world.clickup.task_count(), 1);
    assert_eq!(asked.slack.messages(CHANNEL).len(), 1);
}

#[tokio::test]
async fn unanswered_it_becomes_a_lead_that_names_the_candidates_and_a_late_answer_moves_it() {
    let hours = ("CALUP_QUESTION_HOURS", "0.0004".to_owned());
    let asked = Asked::with(vec![hours]).await;
    let world = &asked.world;
    let task = world.clickup.add_task(BROKERS, "Mike Ross", None);
    let booked = world.cal().book(&mike(), START, 30);
    assert_eq!(asked.ends(&booked.created()).await.0, "done");
    let lead = world.clickup.tasks_in(INBOUND).remove(0);
    assert!(
        lead.markdown.contains("nobody said in time"),
        "{}",
        lead.markdown
    );
    assert!(lead.markdown.contains(&task), "{}", lead.markdown);

    let closed = world.get("/api/questions?state=closed").await["questions"][0].clone();
    assert_eq!(closed["closed"], "expired");
    let (status, _) = asked
        .answers(&closed, json!({"answer": "person", "task_id": task}))
        .await;
    assert_eq!(status, 200);
    world
        .until(
            "the meeting is on the right task and our lead is gone",
            async || {
                let right = world.clickup.task(&task).expect("it");
                right.status == "meeting booked"
                    && right.comments.len() == 1
                    && world.clickup.tasks_in(INBOUND).is_empty()
            },
        )
        .await;
    let (moved, rescheduled) = booked.rescheduled(None, LATER);
    assert_eq!(asked.ends(&rescheduled).await.0, "done");
    drop(moved);
    assert_eq!(world.clickup.task(&task).expect("it").comments.len(), 2);
    assert!(world.clickup.tasks_in(INBOUND).is_empty());
}

#[tokio::test]
async fn a_late_answer_leaves_a_lead_that_somebody_has_worked_on() {
    let hours = ("CALUP_QUESTION_HOURS", "0.0004".to_owned());
    let asked = Asked::with(vec![hours]).await;
    let world = &asked.world;
    let task = world.clickup.add_task(BROKERS, "Mike Ross", None);
    let booked = world.cal().book(&mike(), START, 30);
    assert_eq!(asked.ends(&booked.created()).await.0, "done");
    let lead = world.clickup.tasks_in(INBOUND).remove(0);
    world.clickup.human_comment(&lead.id, "called him");
    let closed = world.get("/api/questions?state=closed").await["questions"][0].clone();
    asked
        .answers(&closed, json!({"answer": "person", "task_id": task}))
        .await;
    world
        .until("the operator is told to merge the two", async || {
            let told = world.get("/api/notices").await.to_string();
            told.contains(&format!("merge {} into {task}", lead.id))
        })
        .await;
    assert!(world.clickup.task(&lead.id).is_some());
    assert_eq!(world.clickup.task(&task).expect("it").comments.len(), 1);
}

#[tokio::test]
async fn cancelled_meanwhile_it_closes_without_a_lead() {
    let asked = Asked::start().await;
    let world = &asked.world;
    world.clickup.add_task(BROKERS, "Mike Ross", None);
    let booked = world.cal().book(&mike(), START, 30);
    let created = booked.created();
    asked.is_held(&created).await;
    asked.message().await;
    let cancelled = booked.cancelled(None, None);
    assert_eq!(asked.ends(&cancelled).await.0, "skipped");
    assert_eq!(asked.ended(&created).await.0, "skipped");
    assert_eq!(world.clickup.task_count(), 1);
    world
        .until("the message says so", async || {
            let seen = asked.slack.messages(CHANNEL).remove(0);
            seen.buttons.is_empty() && seen.seen.text.contains("cancelled before anybody answered")
        })
        .await;
}

#[tokio::test]
async fn whoever_is_known_by_address_is_never_asked_about_and_an_alias_yields_to_the_crm() {
    let asked = Asked::start().await;
    let world = &asked.world;
    let namesake = world.clickup.add_task(BROKERS, "Mike Ross", None);
    let cal = world.cal();
    let first = cal.book(&mike(), START, 30).created();
    asked.is_held(&first).await;
    let question = asked.question().await;
    asked
        .answers(&question, json!({"answer": "person", "task_id": namesake}))
        .await;
    assert_eq!(asked.ended(&first).await.0, "done");

    // Somebody moves the address to another task.
    world.clickup.human_set_field(&namesake, EMAIL_FIELD, None);
    let other = world
        .clickup
        .add_task(BROKERS, "Michael Ross", Some("mike@ross.example"));
    let second = cal.book(&mike(), LATER, 30).created();
    assert_eq!(asked.ends(&second).await.0, "done");
    assert_eq!(world.clickup.task(&other).expect("it").comments.len(), 1);
    assert_eq!(world.clickup.task(&namesake).expect("it").comments.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_answers_too() {
    let asked = Asked::start().await;
    let world = &asked.world;
    let task = world.clickup.add_task(BROKERS, "Mike Ross", None);
    let created = world.cal().book(&mike(), START, 30).created();
    asked.is_held(&created).await;
    let listed = world.calup.run(&["questions", "--json"]);
    let listed: Value = serde_json::from_str(&listed.0).expect("JSON");
    let id = listed["questions"][0]["id"].as_str().expect("an id");
    let shown = world.calup.run(&["questions"]);
    assert!(
        shown.0.contains("Mike Ross") && shown.0.contains(&task),
        "{}",
        shown.0
    );
    let (out, err, code) = world
        .calup
        .run(&["questions", "answer", id, "person", "nosuchtask"]);
    assert_eq!(code, 1, "{out}{err}");
    assert!(err.contains("ClickUp has no such task"), "{err}");
    let (_, err, code) = world
        .calup
        .run(&["questions", "answer", id, "person", &task]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(asked.ended(&created).await.0, "done");
    assert_eq!(world.clickup.task_count(), 1);
}

#[tokio::test]
async fn without_slack_the_question_waits_where_it_is_asked() {
    let world = World::start().await;
    let task = world.clickup.add_task(BROKERS, "Mike Ross", None);
    let created = world.cal().book(&mike(), START, 30).created();
    assert_eq!(world.deliver(created.body.clone()).await, 200);
    world
        .until("it is held", async || {
            world.ending(&created.body).await.0 == "held"
        })
        .await;
    let open = world.get("/api/questions?state=open").await;
    let id = open["questions"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let body = json!({"answer": "person", "task_id": "nosuchtask"});
    let (status, _) = world.post(&format!("/api/questions/{id}"), body).await;
    assert_eq!(status, 422);
    let body = json!({"answer": "person", "task_id": task});
    let (status, _) = world.post(&format!("/api/questions/{id}"), body).await;
    assert_eq!(status, 200);
    world.settle().await;
}

#[tokio::test]
async fn namesakes_that_are_there_no_more_hide_nobody() {
    let asked = Asked::start().await;
    let world = &asked.world;
    world
        .clickup
        .add_list("901100000099", "Elsewhere", &[("open", "open")]);
    let right = world.clickup.add_task(BROKERS, "Mike Ross", None);
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    let mut others = Vec::new();
    for _ in 0..6 {
        others.push(world.clickup.add_task(BROKERS, "Mike Ross", None));
    }
    // They get into the index, and are nowhere told to have left.
    let first = world.cal().book(&mike(), START, 30).created();
    asked.is_held(&first).await;
    for (n, other) in others.iter().enumerate() {
        if n % 2 == 0 {
            world.clickup.human_delete(other);
        } else {
            world.clickup.human_move(other, "901100000099");
        }
    }
    let namesake = sim::cal::Person::new("Mike Ross", "other@ross.example");
    let second = world.cal().book(&namesake, START, 30).created();
    asked.is_held(&second).await;
    let open = world.get("/api/questions?state=open").await;
    let candidates = &open["questions"][0]["candidates"];
    assert_eq!(candidates[0]["task_id"], right.as_str(), "{open}");
    assert_eq!(candidates.as_array().map(Vec::len), Some(1), "{open}");
}

#[tokio::test]
async fn a_question_closes_in_time_for_the_meeting_as_it_stands_now() {
    let asked = Asked::start().await;
    let world = &asked.world;
    world.clickup.add_task(BROKERS, "Mike Ross", None);
    let cal = world.cal();
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(70);
    let booked = cal.book(&mike(), &soon.strftime("%FT%TZ").to_string(), 30);
    let (moved, rescheduled) = booked.rescheduled(None, START);
    // The later one comes first.
    asked.is_held(&rescheduled).await;
    asked.is_held(&booked.created()).await;
    let (_, again) = moved.rescheduled(None, LATER);
    asked.is_held(&again).await;
    let question = asked.question().await;
    let closes: jiff::Timestamp = question["expires_at"]
        .as_str()
        .and_then(|at| at.parse().ok())
        .expect("a time");
    let left = closes.duration_since(jiff::Timestamp::now());
    assert!(left.as_hours() >= 23, "{left:?}: {question}");
}
