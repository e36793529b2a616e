//! Cal.com's deliveries: who sent them, and what they mean.

mod answers;
mod nonsense;
mod places;
mod recordings;
mod secrets;
mod signatures;
mod tolerance;

use std::path::PathBuf;

use domain::booking::Booking;
use domain::event::{BookingEvent, Event};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use vendors::cal::webhook;

struct Recording {
    headers: HeaderMap,
    body: Vec<u8>,
    secret: String,
    signature_valid: bool,
}

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures"))
}

fn recording(name: &str) -> Recording {
    let path = folder().join(format!("{name}.json"));
    let file = std::fs::read(path).expect("a recording of that name");
    let file: Value = serde_json::from_slice(&file).expect("a recording is JSON");
    let headers = file["headers"].as_object().expect("headers").iter();
    Recording {
        headers: headers
            .map(|(name, value)| {
                let value = value.as_str().expect("a header is text");
                let name: HeaderName = name.parse().expect("a header's name");
                (name, HeaderValue::from_str(value).expect("a header"))
            })
            .collect(),
        body: file["body"].as_str().expect("a body").as_bytes().to_vec(),
        // One host had set none.
        secret: file["secret"].as_str().unwrap_or_default().to_owned(),
        signature_valid: file["signature_valid"].as_bool().expect("a flag"),
    }
}

/// The names of all recordings, in order.
fn recordings() -> Vec<String> {
    let mut all = Vec::new();
    for place in ["cal-deliveries", "cal-live"] {
        let files = std::fs::read_dir(folder().join(place)).expect("recordings");
        let names = files.map(|f| {
            f.expect("a file")
                .file_name()
                .into_string()
                .expect("a name")
        });
        let mut names: Vec<String> = names
            .filter_map(|n| Some(format!("{place}/{}", n.strip_suffix(".json")?)))
            .collect();
        names.sort();
        all.extend(names);
    }
    all
}

/// The least that makes a booking, with more laid over it.
fn payload(more: Value) -> Value {
    let mut payload = json!({
        "uid": "bk_1",
        "startTime": "2026-09-10T14:00:00Z",
        "endTime": "2026-09-10T14:30:00Z",
    });
    let Value::Object(more) = more else {
        panic!("more fields are an object")
    };
    payload.as_object_mut().expect("an object").extend(more);
    payload
}

fn created(payload: &Value) -> Vec<u8> {
    let body = json!({ "triggerEvent": "BOOKING_CREATED", "createdAt": "2026-09-01T08:12:48.622Z", "payload": payload });
    body.to_string().into_bytes()
}

fn event(body: &[u8]) -> BookingEvent {
    match webhook::parse(body) {
        Ok(Event::Booking(event)) => *event,
        other => panic!("no booking: {other:?}"),
    }
}

fn booking(more: Value) -> Booking {
    event(&created(&payload(more))).booking
}
