//! ClickUp's JSON. Lenient where it was seen to vary: ids and times are strings or numbers, values may be absent.

use domain::lead::{Lead, Posted, RichText, StatusKind};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

#[derive(Debug, Deserialize)]
pub struct Tasks {
    pub tasks: Vec<Task>,
    last_page: Option<bool>,
}

/// Tasks a page.
const PAGE: usize = 100;

impl Tasks {
    pub fn is_last(&self) -> bool {
        self.tasks.is_empty() || self.last_page.unwrap_or(self.tasks.len() < PAGE)
    }
}

#[derive(Debug, Deserialize)]
pub struct Task {
    #[serde(deserialize_with = "text")]
    id: String,
    #[serde(default)]
    name: Option<String>,
    status: Status,
    #[serde(default)]
    markdown_description: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    date_created: Value,
    #[serde(default)]
    date_updated: Value,
    #[serde(default)]
    creator: Option<Creator>,
    #[serde(default)]
    custom_fields: Option<Vec<FieldValue>>,
    list: Place,
    #[serde(default)]
    url: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Creator {
    #[serde(default)]
    id: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct FieldValue {
    #[serde(deserialize_with = "text")]
    id: String,
    #[serde(default)]
    value: Value,
}

#[derive(Debug, Deserialize)]
struct Place {
    #[serde(deserialize_with = "text")]
    id: String,
    #[serde(default)]
    name: Option<String>,
}

impl Task {
    pub fn lead(self, email_fields: &[String], own_user: Option<i64>) -> Lead {
        let emails = self
            .custom_fields
            .unwrap_or_default()
            .into_iter()
            .filter(|f| email_fields.contains(&f.id))
            .filter_map(|f| f.value.as_str().map(ToOwned::to_owned))
            .filter(|v| !v.trim().is_empty())
            .collect();
        let description = self
            .markdown_description
            .or(self.description)
            .unwrap_or_default();
        let created_by = self.creator.and_then(|c| c.id);
        Lead {
            id: self.id,
            list_id: self.list.id,
            list_name: self.list.name.unwrap_or_default(),
            name: self.name.unwrap_or_default(),
            status_kind: self.status.kind(),
            status: self.status.status,
            description: description.replace("\r\n", "\n"),
            emails,
            created_at: time(&self.date_created),
            updated_at: time(&self.date_updated),
            url: self.url,
            ours: created_by.is_some() && created_by == own_user,
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
pub struct Status {
    pub status: String,
    #[serde(default, rename = "type")]
    kind: Option<String>,
}

impl Status {
    pub fn kind(&self) -> StatusKind {
        match self.kind.as_deref() {
            Some("open") => StatusKind::Open,
            Some("done") => StatusKind::Done,
            Some("closed") => StatusKind::Closed,
            _ => StatusKind::Custom,
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
pub struct List {
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub statuses: Vec<Status>,
}

#[derive(Debug, Deserialize)]
pub struct Fields {
    pub fields: Vec<Field>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Field {
    #[serde(deserialize_with = "text")]
    pub id: String,
    #[serde(default)]
    pub name: String,
    #[serde(default, rename = "type")]
    pub kind: String,
    #[serde(default)]
    type_config: Value,
}

impl Field {
    /// By name (whatever its case) or id.
    pub fn is_called(&self, name: &str) -> bool {
        self.id == name.trim() || self.name.trim().to_lowercase() == name.trim().to_lowercase()
    }

    /// The id of a drop-down's option.
    pub fn option(&self, label: &str) -> Option<String> {
        let options = self.type_config.get("options")?.as_array()?;
        let wanted = label.to_lowercase();
        let found = options.iter().find(|o| {
            o["name"]
                .as_str()
                .is_some_and(|n| n.trim().to_lowercase() == wanted)
        })?;
        found["id"].as_str().map(ToOwned::to_owned)
    }
}

#[derive(Debug, Deserialize)]
pub struct Teams {
    pub teams: Vec<Team>,
}

#[derive(Debug, Deserialize)]
pub struct Team {
    #[serde(deserialize_with = "text")]
    pub id: String,
    #[serde(default)]
    pub name: String,
}

#[derive(Debug, Deserialize)]
pub struct User {
    pub user: UserId,
}

#[derive(Debug, Deserialize)]
pub struct UserId {
    pub id: i64,
}

#[derive(Debug, Deserialize)]
pub struct Comments {
    pub comments: Vec<Comment>,
}

#[derive(Debug, Deserialize)]
pub struct Comment {
    #[serde(deserialize_with = "text")]
    id: String,
    #[serde(default)]
    comment_text: Option<String>,
    #[serde(default)]
    comment: Vec<Value>,
    #[serde(default)]
    date: Value,
}

impl Comment {
    pub fn posted(self) -> Option<Posted> {
        let runs = || {
            self.comment
                .iter()
                .filter_map(|r| r["text"].as_str())
                .collect::<String>()
        };
        let text = self.comment_text.clone().unwrap_or_else(runs);
        Some(Posted {
            id: self.id,
            text,
            at: time(&self.date),
        })
    }
}

/// Rich text: `comment_text` would show markdown literally, and both together render twice.
pub fn runs(text: &RichText) -> Vec<Value> {
    text.iter()
        .map(|run| {
            let mut attributes = json!({});
            if run.bold {
                attributes["bold"] = true.into();
            }
            if let Some(link) = &run.link {
                attributes["link"] = link.clone().into();
            }
            json!({ "text": run.text, "attributes": attributes })
        })
        .collect()
}

/// An id that is a number or a text.
pub fn id_of(value: &Value) -> Option<String> {
    match value.get("id")? {
        Value::String(id) if !id.is_empty() => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(serde::de::Error::custom("neither text nor number")),
    }
}

/// Milliseconds as text or number; the beginning of time where there are none.
fn time(value: &Value) -> Timestamp {
    let ms = match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.as_i64(),
        _ => None,
    };
    ms.and_then(|ms| Timestamp::from_millisecond(ms).ok())
        .unwrap_or(Timestamp::UNIX_EPOCH)
}
