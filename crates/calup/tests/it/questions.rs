//! Asking a person when only a name matches: over the API, the command line and Slack.

use std::time::Duration;

use serde_json::{Value, json};
use sim::cal::{Delivery, Person};
use sim::faults::{Fault, Match};
use sim::slack::{Click, Config as SlackConfig, Signing, Slack};

use crate::world::{BROKERS, EMAIL_FIELD, INBOUND, Setup, World};

const CHANNEL: &str = "C0000SALES";
const START: &str = "2090-05-04T10:00:00Z";
const LATER: &str = "2090-05-05T10:00:00Z";
const ROBIN: &str = "U0000ROBIN";

struct Asked {
    world: World,
    slack: Slack,
}

impl Asked {
    /// With a Slack that clicks reach, and further settings.
    async fn with(env: Vec<(&'static str, String)>) -> Self {
        let slack = Slack::start(SlackConfig::default()).await;
        slack.add_channel(CHANNEL, "sales");
        let mut all = vec![
            ("SLACK_API_URL", slack.api_url()),
            ("SLACK_BOT_TOKEN", slack.bot_token()),
            ("SLACK_CHANNEL", CHANNEL.to_owned()),
            ("SLACK_SIGNING_SECRET", slack.signing_secret()),
        ];
        all.extend(env);
        let world = World::with(Setup {
            env: all,
            ..Setup::default()
        })
        .await;
        let url = format!("http://{}/api/slack/interactions", world.calup.address);
        slack.set_interactions_url(&url);
        Self { world, slack }
    }

    async fn start() -> Self {
        Self::with(Vec::new()).await
    }

    async fn question(&self) -> Value {
        self.world
            .until("a question is open", async || {
                let open = self.world.get("/api/questions?state=open").await;
                open["questions"].as_array().is_some_and(|q| q.len() == 1)
            })
            .await;
        self.world.get("/api/questions?state=open").await["questions"][0].clone()
    }

    /// The message that asks.
    async fn message(&self) -> sim::slack::MessageView {
        self.world
            .until("the question stands in Slack", async || {
                !self.slack.messages(CHANNEL).is_empty()
            })
            .await;
        self.slack.messages(CHANNEL).remove(0)
    }

    async fn click(&self, ts: &str, action: &str) -> sim::slack::Clicked {
        self.slack.click(&Click::new(ROBIN, ts, action)).await
    }

    async fn answers(&self, question: &Value, answer: Value) -> (u16, Value) {
        let id = question["id"].as_str().expect("an id");
        self.world
            .post(&format!("/api/questions/{id}"), answer)
            .await
    }

    /// Delivers, and waits for how it ends.
    async fn ends(&self, delivery: &Delivery) -> (String, String) {
        assert_eq!(self.world.deliver(delivery.body.clone()).await, 200);
        self.ended(delivery).await
    }

    async fn ended(&self, delivery: &Delivery) -> (String, String) {
        self.world
            .until("it has ended", async || {
                let (status, _) = self.world.ending(&delivery.body).await;
                ["done", "skipped", "dead", "ignored"].contains(&status.as_str())
            })
            .await;
        self.world.ending(&delivery.body).await
    }

    async fn is_held(&self, delivery: &Delivery) {
        assert_eq!(self.world.deliver(delivery.body.clone()).await, 200);
        self.world
            .until("it is held", async || {
                self.world.ending(&delivery.body).await.0 == "held"
            })
            .await;
    }
}

fn mike() -> Person {
    Person::new("Mike Ross", "mike@ross.example")
}

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
    world
        .until("the other meeting is asked about", async || {
            let open = world.get("/api/questions?state=open").await;
            let next = &open["questions"][0];
            next["id"].is_string() && next["id"] != question["id"]
        })
        .await;
    assert_eq!(world.clickup.task(&task).expect("it").comments.len(), 1);
    let next = asked.question().await;
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
async fn forged_and_old_clicks_change_nothing_and_a_second_click_is_told_who_decided() {
    let asked = Asked::start().await;
    let world = &asked.world;
    let task = world.clickup.add_task(BROKERS, "Mike Ross", None);
    let created = world.cal().book(&mike(), START, 30).created();
    asked.is_held(&created).await;
    let ts = asked.message().await.ts;
    for signing in [Signing::Forged, Signing::Missing, Signing::Old(301)] {
        let click = Click::new(ROBIN, &ts, "calup_new").signing(signing);
        let clicked = asked.slack.click(&click).await;
        assert_eq!(clicked.status, Some(401));
        assert_eq!(clicked.body, r#"{"error":"Invalid signature"}"#);
    }
    assert_eq!(world.ending(&created.body).await.0, "held");

    asked.slack.add_user("U2", "sam");
    let late = asked.slack.signed(&Click::new("U2", &ts, "calup_new"));
    asked.click(&ts, "calup_person_0").await;
    assert_eq!(asked.ended(&created).await.0, "done");
    // Sam's screen still showed the buttons.
    let url = format!("http://{}/api/slack/interactions", world.calup.address);
    let mut request = world.http.post(url).body(late.body);
    for (name, value) in late.headers {
        request = request.header(name, value);
    }
    assert_eq!(request.send().await.expect("answered").status(), 200);
    world
        .until("sam is told", async || {
            let whispers = asked.slack.whispers(CHANNEL, "U2");
            whispers
                .iter()
                .any(|w| w.seen.text.contains("robin has decided"))
        })
        .await;
    assert_eq!(world.clickup.task_count(), 1);
    let question = world.get("/api/questions?state=answered").await["questions"][0].clone();
    let (status, error) = asked.answers(&question, json!({"answer": "new"})).await;
    assert_eq!(status, 409);
    assert!(
        error["error"].as_str().expect("a text").contains("robin"),
        "{error}"
    );
    assert_eq!(question["answer"]["task_id"], task.as_str());
}

#[tokio::test]
async fn a_name_that_is_markup_pings_nobody() {
    let asked = Asked::start().await;
    let world = &asked.world;
    let name = "<!channel> *Mike* |Ross|";
    world
        .clickup
        .add_task(BROKERS, "Ross, Mike <!channel>", None);
    let person = Person::new(name, "mike@ross.example");
    assert_eq!(
        world
            .deliver(world.cal().book(&person, START, 30).created().body)
            .await,
        200
    );
    asked.question().await;
    let message = asked.message().await;
    assert!(message.pings().is_empty(), "{:?}", message.seen);
    let text = &message.seen.text;
    assert!(text.contains("<!channel> ∗Mike∗ |Ross|"), "{text}");
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

#[tokio::test]
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
    world
        .calup
        .run(&["questions", "answer", id, "person", &task]);
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
async fn slack_s_outage_delays_nobody_else_and_the_message_comes_once_it_is_back() {
    let asked = Asked::start().await;
    let world = &asked.world;
    world.clickup.add_task(BROKERS, "Mike Ross", None);
    world
        .clickup
        .add_task(BROKERS, "Ada", Some("ada@byrd.example"));
    asked.slack.stop().await;
    let cal = world.cal();
    let created = cal.book(&mike(), START, 30).created();
    asked.is_held(&created).await;
    let ada = Person::new("Ada Byrd", "ada@byrd.example");
    let known = cal.book(&ada, START, 30).created();
    assert_eq!(asked.ends(&known).await.0, "done");
    asked.slack.restart().await;
    let ts = asked.message().await.ts;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(asked.slack.messages(CHANNEL).len(), 1);
    asked.click(&ts, "calup_new").await;
    assert_eq!(asked.ended(&created).await.0, "done");
}

#[tokio::test]
async fn a_post_whose_answer_was_lost_is_found_and_not_sent_again() {
    let asked = Asked::start().await;
    let world = &asked.world;
    world.clickup.add_task(BROKERS, "Mike Ross", None);
    asked
        .slack
        .fault(Match::post("chat.postMessage"), Fault::ApplyThenDrop, 1);
    let created = world.cal().book(&mike(), START, 30).created();
    asked.is_held(&created).await;
    let ts = asked.message().await.ts;
    // Found by its marker, it is changed when the question is answered.
    asked.click(&ts, "calup_new").await;
    assert_eq!(asked.ended(&created).await.0, "done");
    world
        .until("the message says so", async || {
            asked.slack.messages(CHANNEL).remove(0).buttons.is_empty()
        })
        .await;
    tokio::time::sleep(Duration::from_secs(7)).await;
    assert_eq!(asked.slack.messages(CHANNEL).len(), 1);
    assert_eq!(asked.slack.calls_of("chat.postMessage"), 1);
}

#[tokio::test]
async fn killed_as_it_asks_it_does_not_ask_twice() {
    let mut asked = Asked::start().await;
    asked.world.clickup.add_task(BROKERS, "Mike Ross", None);
    asked
        .slack
        .fault(Match::post("chat.postMessage"), Fault::ApplyThenDrop, 1);
    let created = asked.world.cal().book(&mike(), START, 30).created();
    asked.is_held(&created).await;
    let ts = asked.message().await.ts;
    asked.world.calup.kill();
    asked.world.calup.start();
    let url = format!(
        "http://{}/api/slack/interactions",
        asked.world.calup.address
    );
    asked.slack.set_interactions_url(&url);
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert_eq!(asked.slack.messages(CHANNEL).len(), 1);
    asked.click(&ts, "calup_person_0").await;
    assert_eq!(asked.ended(&created).await.0, "done");
}

#[tokio::test]
async fn clicks_come_over_a_socket_where_slack_cannot_reach_us() {
    let slack = Slack::start(SlackConfig::default()).await;
    slack.add_channel(CHANNEL, "sales");
    let world = World::with(Setup {
        env: vec![
            ("SLACK_API_URL", slack.api_url()),
            ("SLACK_BOT_TOKEN", slack.bot_token()),
            ("SLACK_APP_TOKEN", slack.app_token()),
            ("SLACK_CHANNEL", CHANNEL.to_owned()),
        ],
        ..Setup::default()
    })
    .await;
    let asked = Asked { world, slack };
    let task = asked.world.clickup.add_task(BROKERS, "Mike Ross", None);
    asked
        .world
        .until("a socket is open", async || asked.slack.sockets() == 1)
        .await;
    let created = asked.world.cal().book(&mike(), START, 30).created();
    asked.is_held(&created).await;
    let ts = asked.message().await.ts;
    let clicked = asked.click(&ts, "calup_person_0").await;
    assert!(clicked.is_answered, "{clicked:?}");
    assert!(clicked.took < Duration::from_secs(3), "{clicked:?}");
    assert_eq!(asked.ended(&created).await.0, "done");
    assert_eq!(
        asked.world.clickup.task(&task).expect("it").comments.len(),
        1
    );

    // The socket breaks: the next click comes over a new one.
    asked.slack.cut_sockets();
    let next = Person::new("Mike Ross", "other@ross.example");
    let second = asked.world.cal().book(&next, LATER, 30).created();
    asked.is_held(&second).await;
    asked
        .world
        .until("a socket is open again", async || {
            asked.slack.sockets() == 1 && asked.slack.messages(CHANNEL).len() == 2
        })
        .await;
    let messages = asked.slack.messages(CHANNEL);
    let newest = messages
        .iter()
        .find(|m| !m.buttons.is_empty())
        .expect("one that asks");
    asked.click(&newest.ts, "calup_new").await;
    assert_eq!(asked.ended(&second).await.0, "done");
}

#[tokio::test]
async fn the_operator_hears_in_slack_of_what_is_quarantined_and_of_a_changed_secret() {
    let asked = Asked::start().await;
    let world = &asked.world;
    assert_eq!(world.deliver("false").await, 200);
    for n in 0..3 {
        let body = format!("{{\"n\":{n}}}");
        let signature = sim::cal::sign("another", body.as_bytes());
        let sent = world
            .http
            .post(world.hook())
            .header("X-Cal-Signature-256", signature)
            .body(body)
            .send()
            .await
            .expect("answered");
        assert_eq!(sent.status(), 401);
    }
    world
        .until("both are told in the channel", async || {
            let messages = asked.slack.messages(CHANNEL);
            let told = |what: &str| messages.iter().any(|m| m.seen.text.contains(what));
            told("is quarantined") && told("signed with another secret")
        })
        .await;
    let notices = world.get("/api/notices").await.to_string();
    assert!(notices.contains("wrong-signatures") && notices.contains("quarantined"));
}
