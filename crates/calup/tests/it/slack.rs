//! Questions in Slack: who may click, what is lost on the way, and what the operator hears there.

use std::time::Duration;

use serde_json::json;
use sim::cal::Person;
use sim::faults::{Fault, Match};
use sim::slack::{Click, Config as SlackConfig, Signed, Signing, Slack};

use crate::asked::*;
use crate::world::{BROKERS, INBOUND, SELLERS, Setup, World};

async fn post(url: &str, signed: Signed) -> u16 {
    let mut request = reqwest::Client::new().post(url).body(signed.body);
    for (name, value) in signed.headers {
        request = request.header(name, value);
    }
    request.send().await.expect("answered").status().as_u16()
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
    assert_eq!(post(&url, late).await, 200);
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
async fn a_rightly_signed_click_is_taken_where_no_bot_is_set_too() {
    let asked = Asked::start().await;
    asked.world.clickup.add_task(BROKERS, "Mike Ross", None);
    let created = asked.world.cal().book(&mike(), START, 30).created();
    asked.is_held(&created).await;
    let ts = asked.message().await.ts;
    let other = World::with(Setup {
        env: vec![("SLACK_SIGNING_SECRET", asked.slack.signing_secret())],
        ..Setup::default()
    })
    .await;
    let url = format!("http://{}/api/slack/interactions", other.calup.address);
    let click = Click::new(ROBIN, &ts, "calup_new");
    assert_eq!(post(&url, asked.slack.signed(&click)).await, 200);
    let forged = asked.slack.signed(&click.signing(Signing::Forged));
    assert_eq!(post(&url, forged).await, 401);
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

#[tokio::test]
async fn a_question_that_slack_refuses_keeps_no_other_from_being_shown() {
    let asked = Asked::start().await;
    let world = &asked.world;
    world.clickup.add_task(BROKERS, "Mike Ross", None);
    world.clickup.add_task(SELLERS, "Ada Byrd", None);
    let refusal = r#"{"ok":false,"error":"invalid_blocks"}"#.to_owned();
    let post = Match::post("chat.postMessage");
    asked.slack.fault(post, Fault::Status(200, refusal), 1);
    let cal = world.cal();
    let first = cal.book(&mike(), START, 30).created();
    asked.is_held(&first).await;
    let refused = async || asked.slack.faults_left() == 0;
    world.until("Slack has refused it", refused).await;
    let ada = Person::new("Ada Byrd", "ada@byrd.example");
    let second = cal.book(&ada, START, 30).created();
    asked.is_held(&second).await;
    world
        .until("the other is shown", async || {
            let messages = asked.slack.messages(CHANNEL);
            let asks = messages.iter().find(|m| !m.buttons.is_empty());
            asks.is_some_and(|m| m.seen.text.contains("Ada Byrd"))
        })
        .await;
    let told = world.get("/api/notices").await.to_string();
    assert!(told.contains("invalid_blocks"), "{told}");
}

#[tokio::test]
async fn a_slack_that_takes_its_time_puts_off_no_lead() {
    let asked = Asked::with(vec![
        ("CALUP_QUESTION_HOURS", "0.0004".to_owned()),
        ("CALUP_LEASE_SECONDS", "60".to_owned()),
    ])
    .await;
    let world = &asked.world;
    asked
        .slack
        .set_latency(Duration::from_secs(10), Duration::ZERO);
    let cal = world.cal();
    let began = std::time::Instant::now();
    for name in ["Mike Ross", "Ada Byrd", "Nora Hill", "Otto Falk"] {
        world.clickup.add_task(BROKERS, name, None);
        let email = format!("{}@other.example", name.replace(' ', "."));
        let created = cal.book(&Person::new(name, &email), START, 30).created();
        assert_eq!(world.deliver(created.body).await, 200);
    }
    world
        .until("each has a lead", async || {
            world.clickup.tasks_in(INBOUND).len() == 4
        })
        .await;
    assert!(
        began.elapsed() < Duration::from_secs(8),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn answered_while_nobody_knows_whether_it_was_posted_the_message_says_so_too() {
    let asked = Asked::start().await;
    let world = &asked.world;
    world.clickup.add_task(BROKERS, "Mike Ross", None);
    let post = Match::post("chat.postMessage");
    asked.slack.fault(post, Fault::ApplyThenDrop, 1);
    let created = world.cal().book(&mike(), START, 30).created();
    asked.is_held(&created).await;
    asked.message().await;
    let question = asked.question().await;
    let (status, _) = asked.answers(&question, json!({"answer": "new"})).await;
    assert_eq!(status, 200);
    world
        .until("the message says who decided", async || {
            let message = asked.slack.messages(CHANNEL).remove(0);
            message.buttons.is_empty() && message.seen.text.contains("test decided")
        })
        .await;
    assert_eq!(asked.slack.messages(CHANNEL).len(), 1);
}

#[tokio::test]
async fn a_message_in_the_channel_of_before_is_changed_there() {
    let mut asked = Asked::start().await;
    asked.world.clickup.add_task(BROKERS, "Mike Ross", None);
    let created = asked.world.cal().book(&mike(), START, 30).created();
    asked.is_held(&created).await;
    asked.message().await;
    asked.slack.add_channel("C0000OTHER", "other");
    asked.world.calup.keep_address();
    asked.world.calup.kill();
    asked.world.calup.set("SLACK_CHANNEL", "C0000OTHER");
    asked.world.calup.start();
    let question = asked.question().await;
    asked.answers(&question, json!({"answer": "new"})).await;
    asked
        .world
        .until("the message says so", async || {
            asked.slack.messages(CHANNEL).remove(0).buttons.is_empty()
        })
        .await;
    assert!(asked.slack.messages("C0000OTHER").is_empty());
}

#[tokio::test]
async fn clicks_that_are_signed_with_another_secret_are_told_to_the_operator() {
    let asked = Asked::start().await;
    let world = &asked.world;
    world.clickup.add_task(BROKERS, "Mike Ross", None);
    let created = world.cal().book(&mike(), START, 30).created();
    asked.is_held(&created).await;
    let ts = asked.message().await.ts;
    for _ in 0..3 {
        let click = Click::new(ROBIN, &ts, "calup_new").signing(Signing::Forged);
        assert_eq!(asked.slack.click(&click).await.status, Some(401));
    }
    world
        .until("it is told", async || {
            let notices = world.get("/api/notices").await.to_string();
            notices.contains("SLACK_SIGNING_SECRET")
        })
        .await;
    assert_eq!(world.ending(&created.body).await.0, "held");
}
