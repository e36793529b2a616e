//! The pretended Cal.com API, held to `fixtures/cal-live-api` (a genuine self-hosted server, one exchange after the other)
//! and to `fixtures/cal-api` (the hosted one).

mod bookings;
mod hosted;
mod limits;
mod live;
mod oauth;
mod shape;
mod slots;

use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::Value;
use sim::cal::Host;
use sim::cal::api::{Bookable, Config, Server};
use sim::http::{Received, send};

/// When the exchanges were captured.
fn captured() -> i64 {
    let at: Timestamp = "2026-11-22T23:24:20Z".parse().expect("a time");
    at.as_millisecond()
}

fn roomy() -> Config {
    Config {
        limit_by_key: 1_000_000,
        limit_by_token: 1_000_000,
        limit_by_address: 1_000_000,
        wall_ms: captured,
        ..Config::default()
    }
}

const INTRO: u64 = 880_101;
const VISIT: u64 = 880_102;
const DEMO: u64 = 880_103;
const WEEKLY: u64 = 880_104;

/// The event types of the server that was captured.
async fn account(config: Config) -> Server {
    let link = "https://meet.example.com/nora";
    let server = Server::start(config).await;
    let intro = Bookable::new(INTRO, "intro-call", "Intro call", 30)
        .described("First talk")
        .location(link)
        .question("company", "Company", false)
        .choice("deal-size", "Deal size", &["< 1M", "1-5M", "> 5M"]);
    for bookable in [
        intro,
        Bookable::new(VISIT, "site-visit", "Site visit", 60)
            .location("Strandvägen 7, Stockholm")
            .confirmed_by_host(),
        Bookable::new(DEMO, "group-demo", "Group demo", 45)
            .location(link)
            .seats(4),
        Bookable::new(WEEKLY, "weekly-check-in", "Weekly check-in", 30)
            .location(link)
            .weekly(3),
        Bookable::new(880_105, "video-consult", "Video consult", 20).location("integrations:daily"),
        Bookable::new(880_106, "phone-call", "Phone call", 15).location("phone"),
    ] {
        server.add_event_type(bookable);
    }
    server
}

/// Any fixture, by its path under `fixtures/`.
fn fixture(path: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures")
        .join(path);
    let text = std::fs::read_to_string(&path);
    let text = text.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).expect("a fixture is JSON")
}

async fn call(
    server: &Server,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<Value>,
) -> Received {
    let mut headers: Vec<(String, String)> = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    if body.is_some() {
        headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
    }
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    let url = format!("{}{path}", server.api_url());
    let answer = send(method, &url, &headers, body.as_bytes()).await;
    answer.expect("an answer")
}

/// As the account itself, in that version.
async fn ask(
    server: &Server,
    method: &str,
    path: &str,
    version: &str,
    body: Option<Value>,
) -> Received {
    let key = format!("Bearer {}", server.key());
    let headers = [
        ("Authorization", key.as_str()),
        ("cal-api-version", version),
    ];
    call(server, method, path, &headers, body).await
}

async fn data(server: &Server, path: &str, version: &str) -> Value {
    let answer = ask(server, "GET", path, version, None).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.json()["data"].clone()
}

fn host() -> Host {
    Host::default()
}
