//! What comes in at one profile's address counts there only: Slack's clicks and ClickUp's events, each signed by the
//! account of the profile that it is for.

use reqwest::StatusCode;
use serde_json::{Value, json};
use sim::clickup::sign;
use sim::slack::{Click, Config, Signed, Slack};

use crate::asked::{CHANNEL, ROBIN, mike};
use crate::profiles::{NEW_PEOPLE, PEOPLE, START, Two, done, told};
use crate::told::free_address;
use crate::world::BROKERS;

const THEIR_CHANNEL: &str = "C0000THEIR";

async fn slack(channel: &str, bot_token: &str, signing_secret: &str) -> Slack {
    let slack = Slack::start(Config {
        bot_token: bot_token.to_owned(),
        signing_secret: signing_secret.to_owned(),
        ..Config::default()
    })
    .await;
    slack.add_channel(channel, "leads");
    slack
}

impl Two {
    async fn post(&self, path: &str, signed: Signed) -> StatusCode {
        let url = format!("http://{}{path}", self.world.calup.address);
        let mut request = self.world.http.post(url).body(signed.body);
        for (name, value) in signed.headers {
            request = request.header(name, value);
        }
        request.send().await.expect("calup answers").status()
    }

    async fn event(&self, profile: &str, secret: &str, body: &str) -> StatusCode {
        let address = &self.world.calup.address;
        let url = format!("http://{address}/api/webhooks/clickup/{profile}");
        let signature = sign(secret, body.as_bytes());
        let request = self.world.http.post(url).header("X-Signature", signature);
        let answer = request.body(body.to_owned()).send().await;
        answer.expect("calup answers").status()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_click_in_one_profile_s_slack_decides_nothing_of_another_s() {
    let ours = slack(CHANNEL, "xoxb-ours", "signed-by-ours").await;
    let theirs = slack(THEIR_CHANNEL, "xoxb-theirs", "signed-by-theirs").await;
    let mut two = Two::with(vec![
        ("SLACK_API_URL", ours.api_url()),
        ("SLACK_BOT_TOKEN", ours.bot_token()),
        ("SLACK_CHANNEL", CHANNEL.to_owned()),
        ("SLACK_SIGNING_SECRET", ours.signing_secret()),
    ])
    .await;
    let settings = [
        format!("slack_api_url={}", theirs.api_url()),
        format!("slack_channel={THEIR_CHANNEL}"),
    ];
    let mut set = vec!["profile", "set", "sales", &settings[0], &settings[1]];
    set.extend([
        "--secret",
        "slack_bot_token",
        "--secret",
        "slack_signing_secret",
    ]);
    let secrets = format!("{}\n{}\n", theirs.bot_token(), theirs.signing_secret());
    done(told(&two.world.calup, &set, &secrets));
    two.world.calup.restart();

    // The same person books with both, and both have somebody of that name.
    two.clickup.add_task(PEOPLE, "Ross, Michael", None);
    let known = two.world.clickup.add_task(BROKERS, "Ross, Michael", None);
    let created = two.world.cal().book(&mike(), START, 30).created();
    assert_eq!(two.world.deliver(created.body.clone()).await, 200);
    let cal = two.theirs();
    let their_booking = cal.book(&mike(), START, 30).created();
    assert_eq!(cal.send(&their_booking).await.0, 200);
    two.world
        .until("both are asked", async || {
            ours.messages(CHANNEL).len() == 1 && theirs.messages(THEIR_CHANNEL).len() == 1
        })
        .await;
    let their_ts = theirs.messages(THEIR_CHANNEL)[0].ts.clone();
    let our_ts = ours.messages(CHANNEL)[0].ts.clone();

    let (our_door, their_door) = ("/api/slack/interactions", "/api/slack/interactions/sales");
    let their_click = Click::new(ROBIN, &their_ts, "calup_new");
    for (door, signed) in [
        (our_door, theirs.signed(&their_click)),
        (
            their_door,
            ours.signed(&Click::new(ROBIN, &our_ts, "calup_new")),
        ),
        (
            "/api/slack/interactions/nobody",
            theirs.signed(&their_click),
        ),
    ] {
        let status = two.post(door, signed).await.as_u16();
        assert!([401, 404].contains(&status), "{door}: {status}");
    }
    let open = |token: String| {
        let two = &two;
        async move { two.of(&token, "/api/questions?state=open").await["questions"].clone() }
    };
    let both = [
        open(two.world.token.clone()).await,
        open(two.token.clone()).await,
    ];
    assert!(
        both.iter()
            .all(|it| it.as_array().is_some_and(|q| q.len() == 1)),
        "{both:?}"
    );

    assert_eq!(two.post(their_door, theirs.signed(&their_click)).await, 200);
    two.settle().await;
    two.world
        .until("theirs is a new lead", async || {
            two.clickup.tasks_in(NEW_PEOPLE).len() == 1
        })
        .await;
    assert_eq!(open(two.world.token.clone()).await[0]["state"], "open");
    assert_eq!(two.world.clickup.live_tasks().len(), 1);

    let ours_answers = ours.signed(&Click::new(ROBIN, &our_ts, "calup_person_0"));
    assert_eq!(two.post(our_door, ours_answers).await, 200);
    two.world
        .until("ours is the known lead's", async || {
            two.world.ending(&created.body).await.0 == "done"
        })
        .await;
    let lead = two.world.clickup.task(&known).expect("the lead");
    assert_eq!(lead.status, "meeting booked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_of_one_profile_s_clickup_says_nothing_about_another_s() {
    let (listen, url) = free_address();
    let two = Two::with(vec![
        ("CALUP_LISTEN", listen),
        ("CALUP_PUBLIC_URL", url),
        ("CALUP_HOOK_SECONDS", "1".to_owned()),
    ])
    .await;
    let secret_of = |hooks: Vec<sim::clickup::HookView>, profile: &str| {
        let end = format!("/api/webhooks/clickup/{profile}");
        assert!(
            hooks.iter().all(|hook| hook.endpoint.ends_with(&end)),
            "{hooks:?}"
        );
        hooks[0].secret.clone()
    };
    two.world
        .until("both are told of their lists", async || {
            two.world.clickup.hooks().len() == 3 && two.clickup.hooks().len() == 2
        })
        .await;
    let ours = secret_of(two.world.clickup.hooks(), "default");
    let theirs = secret_of(two.clickup.hooks(), "sales");

    let task = two.clickup.add_task(PEOPLE, "Ross, Michael", None);
    let body = json!({"event": "taskDeleted", "task_id": task}).to_string();
    two.world
        .until("their secret is known", async || {
            two.event("sales", &theirs, &body).await == 200
        })
        .await;
    assert_eq!(two.event("default", &ours, &body).await, 200);
    for (profile, secret) in [("default", &theirs), ("sales", &ours), ("nobody", &ours)] {
        assert_eq!(two.event(profile, secret, &body).await, 403, "{profile}");
    }
    let asked_of_ours = two.world.clickup.requests().into_iter();
    let foreign = asked_of_ours.filter(|it| it.path.contains(&task) && it.status == 200);
    assert_eq!(foreign.count(), 0);

    // It still stands, whatever the event said: a booking of theirs finds it, by its name, and ours finds nobody.
    let cal = two.theirs();
    let created = cal.book(&mike(), START, 30).created();
    assert_eq!(cal.send(&created).await.0, 200);
    let mut question = Value::Null;
    two.world
        .until("it is asked about", async || {
            let open = two.of(&two.token, "/api/questions?state=open").await;
            question = open["questions"][0].clone();
            question.is_object()
        })
        .await;
    assert_eq!(question["candidates"][0]["task_id"], task.as_str());
    assert_eq!(
        two.world.get("/api/questions").await["questions"],
        json!([])
    );
}
