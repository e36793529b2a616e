//! The pretended ClickUp over HTTP. It is held to `fixtures/clickup-api` and to the
//! official specification in `contract.rs`; the rest are its rules, one story each.

mod contract;
mod editor;
mod faults;
mod hooks;
mod limits;
mod queries;
mod replay;
mod unsettled;
mod writes;

use std::time::Duration;

use serde_json::{Value, json};
use sim::clickup::{ClickUp, Config};
use sim::http::{Received, send};

const TEAM: &str = "9011000000";
const SPACE: &str = "90110000001";
const BROKERS: &str = "901100000001";
const SELLERS: &str = "901100000002";
const INBOUND: &str = "901100000003";
const EMAIL: &str = "a0b8efe1-0000-4c63-8850-0d0742888f9d";
const PHONE: &str = "9c5b9ad9-0000-4fdd-a0a9-0110d341de7c";
const DATE: &str = "1f3cc395-0000-4264-bedd-590a3b3fa178";

const STATUSES: &[(&str, &str)] = &[
    ("to do", "open"),
    ("meeting booked", "custom"),
    ("negotiating", "custom"),
    ("lost", "done"),
    ("complete", "closed"),
];

/// The workspace of the fixtures, without tasks.
async fn workspace(config: Config) -> ClickUp {
    let sim = ClickUp::start(config).await;
    sim.add_list(BROKERS, "Brokers", STATUSES);
    sim.add_list(SELLERS, "Sellers", STATUSES);
    sim.add_list(INBOUND, "Inbound Leads", STATUSES);
    let all = [BROKERS, SELLERS, INBOUND];
    sim.add_field(&all, EMAIL, "Email", "email");
    sim.add_field(&all, PHONE, "Phone", "phone");
    sim.add_field(&all, DATE, "Next meeting", "date");
    sim
}

/// As [`workspace`], without a limit to run into.
async fn unlimited() -> ClickUp {
    workspace(Config {
        limit_per_minute: 1_000_000,
        ..Config::default()
    })
    .await
}

async fn call(sim: &ClickUp, method: &str, path: &str, body: Option<Value>) -> Received {
    try_call(sim, method, path, body)
        .await
        .expect("the pretended ClickUp answers")
}

async fn try_call(
    sim: &ClickUp,
    method: &str,
    path: &str,
    body: Option<Value>,
) -> std::io::Result<Received> {
    call_as(sim, Some("pk_sim"), method, path, body).await
}

async fn call_as(
    sim: &ClickUp,
    token: Option<&str>,
    method: &str,
    path: &str,
    body: Option<Value>,
) -> std::io::Result<Received> {
    let mut headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
    headers.extend(token.map(|token| ("Authorization".to_owned(), token.to_owned())));
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    send(
        method,
        &format!("{}{path}", sim.api_url()),
        &headers,
        body.as_bytes(),
    )
    .await
}

async fn get(sim: &ClickUp, path: &str) -> Value {
    let answer = call(sim, "GET", path, None).await;
    assert_eq!(answer.status, 200, "GET {path}: {}", answer.text());
    answer.json()
}

async fn post(sim: &ClickUp, path: &str, body: Value) -> Value {
    let answer = call(sim, "POST", path, Some(body)).await;
    assert_eq!(answer.status, 200, "POST {path}: {}", answer.text());
    answer.json()
}

async fn put(sim: &ClickUp, path: &str, body: Value) -> Value {
    let answer = call(sim, "PUT", path, Some(body)).await;
    assert_eq!(answer.status, 200, "PUT {path}: {}", answer.text());
    answer.json()
}

/// Status and error code of a refusal.
async fn refusal(sim: &ClickUp, method: &str, path: &str, body: Option<Value>) -> (u16, String) {
    let answer = call(sim, method, path, body).await;
    (
        answer.status,
        answer.json()["ECODE"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
    )
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// Creates a task with this e-mail through the API.
async fn create(sim: &ClickUp, list: &str, name: &str, email: &str) -> String {
    let fields = json!([{"id": EMAIL, "value": email}]);
    let path = format!("/v2/list/{list}/task");
    let task = post(sim, &path, json!({"name": name, "custom_fields": fields})).await;
    task["id"].as_str().expect("a task has an id").to_owned()
}

/// A team query for one e-mail in brokers and sellers, closed and subtasks included.
fn search(operator: &str, email: &str) -> String {
    let filter = json!([{"field_id": EMAIL, "operator": operator, "value": email}]).to_string();
    let filter: String = url::form_urlencoded::byte_serialize(filter.as_bytes()).collect();
    format!(
        "/v2/team/{TEAM}/task?page=0&include_closed=true&subtasks=true\
         &list_ids%5B%5D={BROKERS}&list_ids%5B%5D={SELLERS}&custom_fields={filter}"
    )
}

fn names(answer: &Value) -> Vec<String> {
    let tasks = answer["tasks"].as_array().expect("a query answers tasks");
    tasks
        .iter()
        .map(|task| task["name"].as_str().expect("a name").to_owned())
        .collect()
}

async fn pause(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}
