//! Webhooks: what is told to whom, how it is signed, and what becomes of one that nobody answers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use sim::clickup::{ClickUp, Config, User, sign};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::contract::shape_of;
use super::replay::read;
use super::{BROKERS, EMAIL, SELLERS, TEAM, call, call_as, get, post, put, refusal, workspace};

const EVENTS: [&str; 4] = ["taskCreated", "taskUpdated", "taskDeleted", "taskMoved"];

async fn quick() -> ClickUp {
    workspace(Config {
        limit_per_minute: 1_000_000,
        hook_retry: Duration::from_millis(5),
        ..Config::default()
    })
    .await
}

/// Answers every request with this status, and keeps what came.
struct Ear {
    url: String,
    heard: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Ear {
    async fn answering(status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let kept = heard.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut raw = Vec::new();
                let mut piece = [0; 4096];
                let (head, body) = loop {
                    let read = stream.read(&mut piece).await.expect("a request");
                    raw.extend_from_slice(&piece[..read]);
                    let text = String::from_utf8_lossy(&raw).into_owned();
                    let Some((head, body)) = text.split_once("\r\n\r\n") else {
                        continue;
                    };
                    let named = |name: &str| {
                        let line = head.lines().find_map(|line| line.strip_prefix(name));
                        line.unwrap_or_default().trim().to_owned()
                    };
                    if body.len() >= named("Content-Length:").parse().expect("a length") {
                        break (named("X-Signature:"), body.to_owned());
                    }
                };
                let body = if head == sign(&format!("{:0>64}", 1), body.as_bytes()) {
                    serde_json::from_str(&body).expect("JSON")
                } else {
                    Value::Null
                };
                kept.lock().expect("nobody panicked").push((head, body));
                let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n");
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Self {
            url: format!("http://127.0.0.1:{port}/hook"),
            heard,
        }
    }

    /// Rightly signed bodies, once there are so many.
    async fn heard(&self, many: usize) -> Vec<Value> {
        for _ in 0..500 {
            let heard = self.heard.lock().expect("nobody panicked").clone();
            if heard.len() >= many {
                return heard.into_iter().map(|(_, body)| body).collect();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{many} were not heard: {:?}", self.heard);
    }
}

async fn hook(sim: &ClickUp, ear: &Ear, list: &str) -> String {
    let list: u64 = list.parse().expect("digits");
    let body = json!({"endpoint": ear.url, "events": EVENTS, "list_id": list});
    let made = post(sim, &format!("/v2/team/{TEAM}/webhook"), body).await;
    made["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn each_event_is_signed_and_has_the_recorded_shape() {
    let (sim, ear) = (quick().await, Ear::answering(200).await);
    hook(&sim, &ear, BROKERS).await;
    let task = sim.add_task(BROKERS, "Riley Stone", None);
    ear.heard(1).await;
    sim.human_set_field(&task, EMAIL, Some(json!("riley@x.example")));
    ear.heard(2).await;
    sim.human_edit_description(&task, "Met at expo.");
    ear.heard(3).await;
    sim.human_delete(&task);
    let heard = ear.heard(4).await;
    let mut found = Vec::new();
    for (name, body) in [
        ("taskCreated", &heard[0]),
        ("taskUpdated.custom-field-email", &heard[1]),
        ("taskUpdated.content", &heard[2]),
        ("taskDeleted", &heard[3]),
    ] {
        let fixture = &read(&format!("clickup-api/webhook.{name}.json"))["body"];
        assert_eq!(fixture["event"], body["event"], "{name}");
        let items = |of: &Value| of["history_items"].as_array().map(Vec::len);
        assert_eq!(items(fixture), items(body), "{name}");
        found.extend(shape_of(name, fixture, body));
    }
    // The recorded field has more about itself than a list's fields show; only the first of two items is about a status.
    found.retain(|it| !it.contains("custom_field.") && !it.contains("[1].data"));
    assert!(found.is_empty(), "{found:#?}");
}

#[tokio::test]
async fn a_write_by_the_api_names_the_token_s_user_and_other_lists_are_not_told() {
    let (sim, ear) = (quick().await, Ear::answering(200).await);
    hook(&sim, &ear, BROKERS).await;
    let elsewhere = sim.add_task(SELLERS, "Sam", None);
    let task = sim.add_task(BROKERS, "Riley", None);
    ear.heard(1).await;
    put(
        &sim,
        &format!("/v2/task/{task}"),
        json!({"status": "negotiating"}),
    )
    .await;
    let heard = ear.heard(2).await;
    let item = &heard[1]["history_items"][0];
    assert_eq!(item["user"]["id"], sim.user_id());
    assert_eq!(item["field"], "status");
    sim.human_move(&elsewhere, BROKERS);
    let heard = ear.heard(4).await;
    let mut events: Vec<&Value> = heard[2..].iter().map(|it| &it["event"]).collect();
    events.sort_by_key(ToString::to_string);
    assert_eq!(events, ["taskMoved", "taskUpdated"]);
}

#[tokio::test]
async fn an_event_is_tried_five_times_and_a_hundred_failures_suspend() {
    let (sim, ear) = (quick().await, Ear::answering(500).await);
    let id = hook(&sim, &ear, BROKERS).await;
    sim.add_task(BROKERS, "Riley", None);
    ear.heard(5).await;
    settled(&sim, "failing", 1).await;
    sim.add_tasks(BROKERS, 99);
    settled(&sim, "suspended", 100).await;
    let attempts = sim.told().len();
    assert_eq!(attempts, 500);
    sim.add_task(BROKERS, "Sam", None);
    let body = json!({"endpoint": ear.url, "events": "*", "status": "active"});
    put(&sim, &format!("/v2/webhook/{id}"), body).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(sim.told().len(), attempts, "what was lost stays lost");
    assert_eq!(sim.hooks()[0].status, "active");
}

#[tokio::test]
async fn who_answers_401_or_410_is_suspended_at_once() {
    for status in [401, 410] {
        let (sim, ear) = (quick().await, Ear::answering(status).await);
        hook(&sim, &ear, BROKERS).await;
        sim.add_task(BROKERS, "Riley", None);
        settled(&sim, "suspended", 0).await;
        assert_eq!(sim.told().len(), 1);
    }
}

async fn settled(sim: &ClickUp, status: &str, failures: u32) {
    for _ in 0..500 {
        let hook = sim.hooks().remove(0);
        if hook.status == status && hook.fail_count == failures {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never {status}: {:?}", sim.hooks());
}

#[tokio::test]
async fn a_place_has_one_webhook_of_an_endpoint_and_only_its_maker_sees_it() {
    let (sim, ear) = (quick().await, Ear::answering(200).await);
    let id = hook(&sim, &ear, BROKERS).await;
    let path = format!("/v2/team/{TEAM}/webhook");
    let list: u64 = BROKERS.parse().expect("digits");
    let body = json!({"endpoint": ear.url, "events": EVENTS, "list_id": list});
    let again = refusal(&sim, "POST", &path, Some(body.clone())).await;
    assert_eq!(again, (400, "OAUTH_171".to_owned()));
    assert_eq!(get(&sim, &path).await["webhooks"][0]["id"], id.as_str());

    sim.add_token("pk_other", User::new(7, "Sam", "sam@acme.example"));
    let theirs = call_as(&sim, Some("pk_other"), "GET", &path, None).await;
    assert_eq!(theirs.expect("answers").json(), json!({"webhooks": []}));

    sim.set_may_make_hooks(false);
    let body = json!({"endpoint": ear.url, "events": EVENTS});
    let barred = refusal(&sim, "POST", &path, Some(body)).await;
    assert_eq!(barred, (403, "ACCESS_083".to_owned()));
    let path = format!("/v2/webhook/{id}");
    assert_eq!(call(&sim, "DELETE", &path, None).await.status, 200);
    assert!(sim.hooks().is_empty());
    assert_eq!(call(&sim, "DELETE", &path, None).await.status, 404);
}
