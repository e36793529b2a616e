//! The captured exchanges, sent again in their order: the answers must have their statuses, keys and types, and where
//! nothing is random their values.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;

use super::shape::differences;
use super::{account, call, captured, fixture, roomy};

/// What the pretended server does not have: making event types, webhooks of one of them, marking people absent (of a
/// booking that was put back in time by hand), adding guests, changing a place.
const ELSEWHERE: [&str; 17] = [
    "02", "03", "04", "05", "06", "07", "18", "21", "65", "68", "69", "73", "74", "75", "76", "77",
    "72",
];

fn exchanges() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/cal-live-api");
    let files = std::fs::read_dir(folder).expect("the exchanges");
    let mut names: Vec<String> = files
        .map(|file| file.expect("a file").file_name().into_string())
        .map(|name| name.expect("a name"))
        .collect();
    names.sort();
    names
}

/// What is random is called otherwise here: learned from answers that say the same.
fn learn(theirs: &Value, ours: &Value, names: &mut HashMap<String, String>) {
    const RANDOM: [&str; 5] = [
        "uid",
        "seatUid",
        "recurringBookingUid",
        "id",
        "rescheduledToUid",
    ];
    match (theirs, ours) {
        (Value::Object(theirs), Value::Object(ours)) => {
            for (key, theirs) in theirs {
                let Some(ours) = ours.get(key) else { continue };
                if let (true, Value::String(from), Value::String(to)) =
                    (RANDOM.contains(&key.as_str()), theirs, ours)
                {
                    names.insert(from.clone(), to.clone());
                }
                learn(theirs, ours, names);
            }
        }
        (Value::Array(theirs), Value::Array(ours)) => {
            for (theirs, ours) in theirs.iter().zip(ours) {
                learn(theirs, ours, names);
            }
        }
        _ => {}
    }
}

/// When it was answered.
fn date(headers: &Value) -> i64 {
    let date = headers["Date"].as_str().expect("a date");
    let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date);
    at.expect("a date").as_millisecond()
}

fn renamed(text: &str, names: &HashMap<String, String>) -> String {
    let mut text = text.to_owned();
    for (from, to) in names {
        text = text.replace(from, to);
    }
    text
}

#[tokio::test]
async fn a_captured_day_is_answered_as_it_was() {
    let server = account(roomy()).await;
    let mut names = HashMap::new();
    let mut found = Vec::new();
    let mut asked = 0;
    let mut clock = captured();
    for name in exchanges() {
        if ELSEWHERE.iter().any(|it| name.starts_with(it)) {
            continue;
        }
        let exchange = fixture(&format!("cal-live-api/{name}"));
        let (request, response) = (&exchange["request"], &exchange["response"]);
        let at = date(&response["headers"]);
        server.pass(Duration::from_millis(
            at.saturating_sub(clock).cast_unsigned(),
        ));
        clock = clock.max(at);
        let path = renamed(request["path"].as_str().expect("a path"), &names);
        let mut headers = Vec::new();
        let key = format!("Bearer {}", server.key());
        for (header, value) in request["headers"].as_object().expect("headers") {
            let value = value.as_str().expect("a header is text");
            match header.as_str() {
                "Authorization" => headers.push(("Authorization", key.as_str())),
                "cal-api-version" => headers.push(("cal-api-version", value)),
                _ => {}
            }
        }
        let body = Some(&request["body"]).filter(|it| !it.is_null());
        let body = body.map(|it| renamed(&it.to_string(), &names).parse().expect("JSON"));
        let method = request["method"].as_str().expect("a method");
        let answer = call(&server, method, &path, &headers, body).await;
        let theirs: Value = serde_json::from_str(response["body"].as_str().expect("a body"))
            .expect("an answer is JSON");
        let ours = answer.json();
        if response["status"] != answer.status {
            found.push(format!("{name}: {} {}", answer.status, answer.text()));
            continue;
        }
        learn(&theirs, &ours, &mut names);
        // The oldest shapes are only told from the others.
        if !["98", "99"].iter().any(|it| name.starts_with(it)) {
            differences(&name, &theirs, &ours, &mut found);
        }
        for header in response["headers"].as_object().expect("headers").keys() {
            if answer.header(header).is_none() {
                found.push(format!("{name} lacks {header}"));
            }
        }
        if name.contains("slots") {
            assert_eq!(theirs, ours, "{name}");
        }
        if let (Some(theirs), Some(ours)) = (
            theirs["error"]["message"].as_str(),
            ours["error"]["message"].as_str(),
        ) {
            let theirs = renamed(theirs, &names);
            // What a seat's move wants is said at length.
            let is_said = theirs.starts_with(ours.trim_end_matches('.'));
            assert!(is_said, "{name}:\n{theirs}\n{ours}");
        }
        asked += 1;
    }
    // Guests were added to this one.
    found.retain(|it| !it.starts_with("95-bookings-list-upcoming.json.data[2]"));
    assert!(found.is_empty(), "{found:#?}");
    assert_eq!(asked, 80);
}
