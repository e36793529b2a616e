//! What ClickUp tells a webhook, and whether ClickUp said it. An event is a hint that somebody changed a lead, no more: it
//! carries no time that is signed and may come twice, late or not at all, and what it says of values is "not normalized".
//! <https://developer.clickup.com/docs/webhooksignature>, <https://developer.clickup.com/docs/webhooktaskpayloads>

use reqwest::header::HeaderMap;
use serde::Deserialize;
use serde_json::Value;

use crate::mac;

pub const HEADER: &str = "x-signature";

/// Which of the secrets signed the body.
pub fn verify(secrets: &[impl AsRef<[u8]>], headers: &HeaderMap, body: &[u8]) -> Option<usize> {
    let claimed = mac::read(mac::only(headers, HEADER)?)?;
    mac::signer(secrets, &claimed, body)
}

/// Whether it looks like ClickUp's, whatever secret made it.
pub fn is_well_formed(headers: &HeaderMap) -> bool {
    mac::only(headers, HEADER).and_then(mac::read).is_some()
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub lead: String,
    pub what: What,
    /// Ids of the users who did it, each once; nobody is named for a deletion.
    pub by: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A listing of what was changed shows it, too.
    Changed,
    /// It may be in none of our lists any more, which no listing shows.
    Left,
}

impl Event {
    /// `None` for what is about no lead.
    pub fn read(body: &[u8]) -> Option<Self> {
        let told: Told = serde_json::from_slice(body).ok()?;
        let lead = told.task_id.filter(|id| super::is_id(id))?;
        let what = match told.event.as_str() {
            "taskDeleted" | "taskMoved" => What::Left,
            name if name.starts_with("task") => What::Changed,
            _ => return None,
        };
        let mut by: Vec<String> = Vec::new();
        for item in told.history_items.unwrap_or_default() {
            let id = match &item.user["id"] {
                Value::String(id) => id.clone(),
                id => id.to_string(),
            };
            if !by.contains(&id) {
                by.push(id);
            }
        }
        Some(Self { lead, what, by })
    }

    /// Whether this user did all of it.
    pub fn is_by(&self, user: &str) -> bool {
        !self.by.is_empty() && self.by.iter().all(|by| by == user)
    }
}

#[derive(Deserialize)]
struct Told {
    event: String,
    #[serde(default)]
    task_id: Option<String>,
    #[serde(default)]
    history_items: Option<Vec<Item>>,
}

#[derive(Deserialize)]
struct Item {
    #[serde(default)]
    user: Value,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_about_no_lead_or_is_no_event_says_nothing() {
        for body in [
            "",
            "null",
            "[]",
            "{}",
            r#"{"event":"taskCreated"}"#,
            r#"{"event":"taskCreated","task_id":null}"#,
            r#"{"event":"taskCreated","task_id":"../user"}"#,
            r#"{"event":7,"task_id":"86b7"}"#,
            r#"{"event":"listDeleted","task_id":"86b7"}"#,
        ] {
            assert_eq!(Event::read(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn who_did_it_is_known_unless_somebody_else_took_part() {
        for (users, ours) in [
            ("", false),
            (r#"{"user":{"id":7}}"#, true),
            (r#"{"user":{"id":"7"}},{"user":{"id":7}}"#, true),
            (r#"{"user":{"id":7}},{"user":{"id":8}}"#, false),
            (r#"{"user":{"id":7}},{}"#, false),
            (r#"{"user":null}"#, false),
        ] {
            let body =
                format!(r#"{{"event":"taskUpdated","task_id":"86b7","history_items":[{users}]}}"#);
            let event = Event::read(body.as_bytes()).expect("an event");
            assert_eq!(event.is_by("7"), ours, "{users}");
        }
    }
}
