//! The pretended Slack over HTTP. It is held to `fixtures/slack` in `contract.rs`; the rest are its rules.

mod clicks;
mod contract;
mod limits;
mod messages;
mod render;
mod sockets;

use std::path::PathBuf;

use serde_json::{Value, json};
use sim::http::{Received, send};
use sim::slack::{Config, Slack};

const SALES: &str = "C0000SALES";
const ROBIN: &str = "U0000ROBIN";

/// The workspace of the fixtures.
async fn workspace() -> Slack {
    workspace_of(Config::default()).await
}

async fn workspace_of(config: Config) -> Slack {
    let sim = Slack::start(config).await;
    sim.add_channel(SALES, "sales-bookings");
    sim
}

async fn try_call(sim: &Slack, method: &str, body: Value) -> std::io::Result<Received> {
    let headers = [
        (
            "Content-Type".to_owned(),
            "application/json; charset=utf-8".to_owned(),
        ),
        (
            "Authorization".to_owned(),
            format!("Bearer {}", sim.bot_token()),
        ),
    ];
    let url = format!("{}/{method}", sim.api_url());
    send("POST", &url, &headers, body.to_string().as_bytes()).await
}

async fn call(sim: &Slack, method: &str, body: Value) -> Value {
    let answer = try_call(sim, method, body).await;
    let answer = answer.expect("the pretended Slack answers");
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

async fn ok(sim: &Slack, method: &str, body: Value) -> Value {
    let answer = call(sim, method, body).await;
    assert_eq!(answer["ok"], true, "{method}: {answer}");
    answer
}

async fn refusal(sim: &Slack, method: &str, body: Value) -> String {
    let answer = call(sim, method, body).await;
    assert_eq!(answer["ok"], false, "{method}: {answer}");
    answer["error"].as_str().expect("a word").to_owned()
}

/// Posts blocks and gives the time stamp.
async fn post(sim: &Slack, blocks: Value) -> String {
    let body = json!({"channel": SALES, "text": "x", "blocks": blocks});
    let answer = ok(sim, "chat.postMessage", body).await;
    answer["ts"].as_str().expect("a time stamp").to_owned()
}

fn button(action_id: &str, label: &str) -> Value {
    let text = json!({"type": "plain_text", "text": label});
    json!({"type": "button", "action_id": action_id, "text": text, "value": "v1"})
}

fn actions(buttons: &[Value]) -> Value {
    json!([{"type": "actions", "block_id": "q", "elements": buttons}])
}

fn fixture(name: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/slack");
    let text = std::fs::read(PathBuf::from(folder).join(name)).expect("a fixture of that name");
    serde_json::from_slice(&text).expect("a fixture is JSON")
}
