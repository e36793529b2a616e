//! How two pieces of JSON differ, but for their values.

use std::collections::BTreeSet;

use serde_json::Value;

/// What people filled in differs from one to the next.
const FREE: [&str; 3] = ["metadata", "target", "constraints"];

/// Where the answer lacks keys or types of the fixture, or has keys that it lacks.
pub fn differences(at: &str, fixture: &Value, answer: &Value, found: &mut Vec<String>) {
    match (fixture, answer) {
        (Value::Object(fixture), Value::Object(answer)) => {
            let keys: BTreeSet<&String> = fixture.keys().chain(answer.keys()).collect();
            for key in keys {
                if FREE.contains(&key.as_str()) {
                    continue;
                }
                match (fixture.get(key), answer.get(key)) {
                    (Some(fixture), Some(answer)) => {
                        differences(&format!("{at}.{key}"), fixture, answer, found);
                    }
                    (Some(_), None) => found.push(format!("{at}.{key} is missing")),
                    (None, _) => found.push(format!("{at}.{key} is not in the fixture")),
                }
            }
        }
        (Value::Array(fixture), Value::Array(answer)) => {
            for (index, (fixture, answer)) in fixture.iter().zip(answer).enumerate() {
                differences(&format!("{at}[{index}]"), fixture, answer, found);
            }
        }
        (Value::Null, _) | (_, Value::Null) => {}
        _ => {
            if std::mem::discriminant(fixture) != std::mem::discriminant(answer) {
                found.push(format!("{at}: {fixture} in the fixture, {answer} here"));
            }
        }
    }
}
