//! An answer that comes when the question is closed and calup has made a lead: the meeting goes to whom it belongs, and
//! our lead goes if nobody has worked on it.

use serde_json::{Value, json};
use sim::cal::{Booking, Cal, Delivery};
use sim::clickup::TaskView;

use crate::asked::*;
use crate::world::{BROKERS, INBOUND};

/// Nobody answered: Mike's first meeting has made a lead, although the brokers' list has a namesake.
struct Expired {
    asked: Asked,
    cal: Cal,
    namesake: String,
    booking: Booking,
    created: Delivery,
    made: TaskView,
}

impl Expired {
    async fn with(env: Vec<(&'static str, String)>) -> Self {
        let mut all = vec![("CALUP_QUESTION_HOURS", "0.0004".to_owned())];
        all.extend(env);
        let asked = Asked::with(all).await;
        let namesake = asked.world.clickup.add_task(BROKERS, "Mike Ross", None);
        let cal = asked.world.cal();
        let booking = cal.book(&mike(), START, 30);
        let created = booking.created();
        assert_eq!(asked.ends(&created).await.0, "done");
        let made = asked.world.clickup.tasks_in(INBOUND).remove(0);
        Self {
            asked,
            cal,
            namesake,
            booking,
            created,
            made,
        }
    }

    async fn start() -> Self {
        Self::with(Vec::new()).await
    }

    async fn is_answered(&self, answer: Value) {
        let closed = self.asked.world.get("/api/questions?state=closed").await;
        let (status, said) = self.asked.answers(&closed["questions"][0], answer).await;
        assert_eq!(status, 200, "{said}");
    }

    async fn is_the_namesake(&self) {
        let answer = json!({"answer": "person", "task_id": self.namesake});
        self.is_answered(answer).await;
    }

    async fn our_lead_goes(&self) {
        let world = &self.asked.world;
        world
            .until("our lead is gone", async || {
                world.clickup.tasks_in(INBOUND).is_empty()
            })
            .await;
        world.settle().await;
    }

    fn namesake(&self) -> TaskView {
        self.asked.world.clickup.task(&self.namesake).expect("it")
    }
}

#[tokio::test]
async fn a_meeting_that_was_moved_meanwhile_is_one_meeting_still() {
    let story = Expired::start().await;
    let (_, moved) = story.booking.rescheduled(None, LATER);
    assert_eq!(story.asked.ends(&moved).await.0, "done");
    story.is_the_namesake().await;
    story.our_lead_goes().await;
    let now = story.namesake();
    assert!(now.markdown.contains("5 May 2090"), "{}", now.markdown);
    assert!(!now.markdown.contains("4 May 2090"), "{}", now.markdown);
    let texts: Vec<&str> = now.comments.iter().map(|c| c.text.as_str()).collect();
    assert_eq!(texts.len(), 2, "{texts:#?}");
    assert!(texts.iter().all(|t| !t.starts_with("Late:")), "{texts:#?}");
}

#[tokio::test]
async fn this_person_takes_along_what_was_booked_since() {
    let story = Expired::start().await;
    let second = story.cal.book(&mike(), LATER, 30).created();
    assert_eq!(story.asked.ends(&second).await.0, "done");
    assert_eq!(story.asked.world.clickup.tasks_in(INBOUND).len(), 1);
    story.is_the_namesake().await;
    story.our_lead_goes().await;
    let now = story.namesake();
    for day in ["4 May 2090", "5 May 2090"] {
        assert!(now.markdown.contains(day), "{}", now.markdown);
    }
    assert_eq!(now.comments.len(), 2, "{:#?}", now.comments);
}

#[tokio::test]
async fn only_this_meeting_leaves_our_lead_with_the_other() {
    let story = Expired::start().await;
    let second = story.cal.book(&mike(), LATER, 30).created();
    assert_eq!(story.asked.ends(&second).await.0, "done");
    let answer = json!({"answer": "meeting", "task_id": story.namesake});
    story.is_answered(answer).await;
    let world = &story.asked.world;
    world
        .until("the meeting is on the right task", async || {
            story.namesake().comments.len() == 1
        })
        .await;
    world.settle().await;
    let ours = world.clickup.task(&story.made.id).expect("our lead");
    assert!(ours.markdown.contains("5 May 2090"), "{}", ours.markdown);
}

#[tokio::test]
async fn not_a_lead_takes_our_lead_back() {
    let story = Expired::start().await;
    let not_a_lead = ("skipped".to_owned(), "not a lead".to_owned());
    story.is_answered(json!({"answer": "ignore"})).await;
    story.our_lead_goes().await;
    let ending = story.asked.world.ending(&story.created.body).await;
    assert_eq!(ending, not_a_lead);
    let second = story.cal.book(&mike(), LATER, 30).created();
    assert_eq!(story.asked.ends(&second).await, not_a_lead);
    assert_eq!(story.asked.world.clickup.task_count(), 1);
}

#[tokio::test]
async fn not_a_lead_leaves_a_lead_that_somebody_has_worked_on() {
    let story = Expired::start().await;
    let world = &story.asked.world;
    world.clickup.human_comment(&story.made.id, "called him");
    story.is_answered(json!({"answer": "ignore"})).await;
    world
        .until("the operator is told", async || {
            let told = world.get("/api/notices").await.to_string();
            told.contains(&format!("delete {} in ClickUp", story.made.id))
        })
        .await;
    assert_eq!(world.settle().await["done"], 1);
    assert!(world.clickup.task(&story.made.id).is_some());
}

#[tokio::test]
async fn killed_when_our_lead_is_deleted_the_meeting_is_on_the_right_task_all_the_same() {
    for (point, deleted) in [("replacing", false), ("replaced", true)] {
        let crash = vec![("CALUP_CRASH_AT", point.to_owned())];
        let mut story = Expired::with(crash).await;
        story.asked.world.calup.keep_address();
        story.is_the_namesake().await;
        story.asked.world.calup.ended().await;
        let clickup = &story.asked.world.clickup;
        assert_eq!(clickup.tasks_in(INBOUND).is_empty(), deleted, "{point}");
        story.asked.world.calup.set("CALUP_CRASH_AT", "");
        story.asked.world.calup.start();
        story.our_lead_goes().await;
        let counts = story.asked.world.get("/api/counts").await;
        assert_eq!(counts["done"], 1, "{point}: {counts}");
        assert_eq!(story.namesake().comments.len(), 1, "{point}");

        let (_, moved) = story.booking.rescheduled(None, LATER);
        assert_eq!(story.asked.ends(&moved).await.0, "done", "{point}");
        assert_eq!(story.namesake().comments.len(), 2, "{point}");
        assert_eq!(story.asked.world.clickup.task_count(), 1, "{point}");
    }
}
