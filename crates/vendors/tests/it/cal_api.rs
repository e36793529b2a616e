//! The Cal.com client over HTTP, against the pretended Cal.com. That the pretended one is like the real one is `sim`'s own
//! test.

mod bearers;
mod bookings;
mod faults;
mod fixtures;
mod limits;
mod oauth;
mod slots;
mod spec;
mod webhooks;

use std::path::PathBuf;
use std::time::Duration;

use domain::outcome::Failure;
use jiff::Timestamp;
use serde_json::Value;
use sim::cal::api::{Bookable, Config as SimConfig, Server};
use vendors::cal::api::{Bearer, Booker, Cal, Config, NewBooking, Source, always};

use crate::failures::class;

const INTRO: i64 = 880_101;
const VISIT: i64 = 880_102;
const DEMO: i64 = 880_103;
const WEEKLY: i64 = 880_104;

/// A Sunday evening.
fn november() -> i64 {
    at("2026-11-22T23:24:20Z").as_millisecond()
}

fn roomy() -> SimConfig {
    SimConfig {
        limit_by_key: 1_000_000,
        limit_by_token: 1_000_000,
        limit_by_address: 1_000_000,
        wall_ms: november,
        ..SimConfig::default()
    }
}

/// Nora in Stockholm, Monday to Friday from nine to five, and what can be booked with her.
async fn account(config: SimConfig) -> Server {
    let server = Server::start(config).await;
    let link = "https://meet.example.com/nora";
    let id = |id: i64| id.cast_unsigned();
    for bookable in [
        Bookable::new(id(INTRO), "intro-call", "Intro call", 30)
            .location(link)
            .described("First talk")
            .question("company", "Company", false)
            .choice("deal-size", "Deal size", &["< 1M", "> 1M"]),
        Bookable::new(id(VISIT), "site-visit", "Site visit", 60)
            .location("Strandvägen 7, Stockholm")
            .confirmed_by_host(),
        Bookable::new(id(DEMO), "group-demo", "Group demo", 45).seats(4),
        Bookable::new(id(WEEKLY), "weekly-check-in", "Weekly check-in", 30)
            .weekly(3)
            .hidden(),
    ] {
        server.add_event_type(bookable);
    }
    server
}

fn client_of(server: &Server, source: Box<Source>) -> Cal {
    // Another test of this binary has installed one already.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let config = Config {
        api_url: server.api_url(),
        timeout: Duration::from_secs(5),
    };
    Cal::new(config, source).expect("a client can be made")
}

fn client(server: &Server) -> Cal {
    client_of(server, always(Bearer::Key(server.key().into())))
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn booking_of(event_type_id: i64, name: &str, start: &str) -> NewBooking {
    NewBooking {
        event_type_id,
        start: at(start),
        minutes: None,
        booker: Booker {
            name: name.to_owned(),
            email: Some(format!("{}@x.example", name.to_lowercase())),
            phone: None,
            time_zone: "Europe/Paris".to_owned(),
        },
        guests: Vec::new(),
        answers: serde_json::Map::new(),
        metadata: Vec::new(),
        place: None,
    }
}

/// What became of it; a failure is shown to people, and must name nobody and nothing that opens a door.
fn classed<T>(result: &Result<T, Failure>) -> &'static str {
    match result {
        Ok(_) => "done",
        Err(failure) => {
            let shown = failure.to_string();
            assert!(!shown.contains('@'), "{shown}");
            assert!(!shown.contains("cal_sim"), "{shown}");
            let is_long = |word: &str| word.len() >= 22 && !word.contains(['_', ';', ':', '/']);
            assert!(!shown.split(' ').any(is_long), "{shown}");
            class(failure)
        }
    }
}

/// As it is shown.
fn shown<T: std::fmt::Debug>(result: Result<T, Failure>) -> String {
    classed(&result);
    result.expect_err("a failure").to_string()
}

/// Any fixture, by its path under `fixtures/`.
fn fixture(path: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures");
    let text = std::fs::read(PathBuf::from(folder).join(path)).expect("a fixture of that name");
    serde_json::from_slice(&text).expect("a fixture is JSON")
}

/// Everything that a client can be asked to change, by name, with a booking and a webhook to do it to.
const WRITES: [&str; 9] = [
    "book",
    "reschedule",
    "cancel",
    "confirm",
    "decline",
    "create webhook",
    "update webhook",
    "delete webhook",
    "one-off link",
];

async fn write(cal: &Cal, which: &str, uid: &str, webhook: &str) -> Result<(), Failure> {
    use vendors::cal::api::{Cancel, Move, NewWebhook, WebhookChange};
    let start = at("2026-12-03T10:00:00Z");
    match which {
        "book" => {
            let new = booking_of(INTRO, "Ada", "2026-12-01T10:00:00Z");
            cal.book(&new).await.map(|_| ())
        }
        "reschedule" => {
            let moved = cal.reschedule(uid, start, &Move::default()).await;
            moved.map(|_| ())
        }
        "cancel" => cal.cancel(uid, "ill", &Cancel::Whole).await.map(|_| ()),
        "confirm" => cal.confirm(uid).await.map(|_| ()),
        "decline" => cal.decline(uid, Some("no")).await.map(|_| ()),
        "create webhook" => {
            let new = NewWebhook {
                url: "https://calup.example/hook".to_owned(),
                triggers: vec!["BOOKING_CREATED".to_owned()],
                secret: "shh".into(),
            };
            cal.create_webhook(&new).await.map(|_| ())
        }
        "update webhook" => {
            let change = WebhookChange {
                active: Some(false),
                ..WebhookChange::default()
            };
            cal.update_webhook(webhook, &change).await.map(|_| ())
        }
        "delete webhook" => cal.delete_webhook(webhook).await,
        "one-off link" => cal.one_off_link(INTRO, "intro-call").await.map(|_| ()),
        other => panic!("{other} is no write"),
    }
}

const READS: [&str; 9] = [
    "me",
    "event types",
    "event type",
    "slots",
    "bookings",
    "booking",
    "schedules",
    "webhooks",
    "calendars",
];

async fn read(cal: &Cal, which: &str, uid: &str) -> Result<(), Failure> {
    use vendors::cal::api::{SlotsWanted, Wanted, Window};
    match which {
        "me" => cal.me().await.map(|_| ()),
        "event types" => cal.event_types().await.map(|_| ()),
        "event type" => cal.event_type(INTRO).await.map(|_| ()),
        "slots" => {
            let wanted = SlotsWanted {
                event_type_id: INTRO,
                window: Window {
                    from: at("2026-12-01T00:00:00Z"),
                    until: at("2026-12-02T00:00:00Z"),
                },
                time_zone: None,
                minutes: None,
                instead_of: None,
            };
            cal.slots(&wanted).await.map(|_| ())
        }
        "bookings" => cal.bookings(&Wanted::default()).await.map(|_| ()),
        "booking" => cal.booking(uid).await.map(|_| ()),
        "schedules" => cal.schedules().await.map(|_| ()),
        "webhooks" => cal.webhooks().await.map(|_| ()),
        "calendars" => cal.calendars().await.map(|_| ()),
        other => panic!("{other} is no read"),
    }
}
