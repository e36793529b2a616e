//! ClickUp's JSON, read tolerantly: ids and times come as texts or numbers, unset values have no key, `null` may stand
//! anywhere. Only what makes an answer an answer is demanded.

use domain::lead::{Lead, Posted, StatusKind};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::{Number, Value};

use super::fields;

const PAGE_TASKS: usize = 100;

#[derive(Deserialize)]
pub(super) struct Page {
    pub tasks: Vec<Task>,
    #[serde(default)]
    pub last_page: Option<bool>,
}

impl Page {
    pub fn is_last(&self) -> bool {
        self.tasks.is_empty() || self.last_page.unwrap_or(self.tasks.len() < PAGE_TASKS)
    }
}

#[derive(Deserialize)]
pub(super) struct Task {
    #[serde(deserialize_with = "id")]
    pub id: String,
    list: Named,
    #[serde(default, deserialize_with = "or_default")]
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    status: Status,
    #[serde(default)]
    markdown_description: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    text_content: Option<String>,
    #[serde(default, deserialize_with = "milliseconds")]
    date_created: Timestamp,
    #[serde(default, deserialize_with = "milliseconds")]
    date_updated: Timestamp,
    #[serde(default)]
    creator: Option<Identified>,
    #[serde(default, deserialize_with = "or_default")]
    custom_fields: Vec<Field>,
    #[serde(default)]
    url: Option<String>,
}

/// A status of a list, or of a task.
#[derive(Default, Deserialize)]
pub(super) struct Status {
    #[serde(default, deserialize_with = "or_default")]
    pub status: String,
    #[serde(default, rename = "type", deserialize_with = "or_default")]
    kind: String,
}

/// A field of a list, or of a task: then with its value, if it has one.
#[derive(Deserialize)]
pub(super) struct Field {
    #[serde(deserialize_with = "id")]
    pub id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    #[serde(default, rename = "type", deserialize_with = "or_default")]
    pub kind: String,
    #[serde(default)]
    pub type_config: Value,
    #[serde(default)]
    value: Value,
}

#[derive(Deserialize)]
pub(super) struct List {
    #[serde(deserialize_with = "id")]
    pub id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    pub statuses: Vec<Status>,
    #[serde(default)]
    pub space: Option<Identified>,
    #[serde(default, deserialize_with = "or_default")]
    pub permission_level: String,
}

#[derive(Deserialize)]
pub(super) struct Fields {
    pub fields: Vec<Field>,
}

#[derive(Deserialize)]
pub(super) struct Teams {
    pub teams: Vec<Named>,
}

#[derive(Deserialize)]
pub(super) struct Spaces {
    pub spaces: Vec<Identified>,
}

#[derive(Deserialize)]
pub(super) struct Named {
    #[serde(deserialize_with = "id")]
    pub id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
}

#[derive(Deserialize)]
pub(super) struct Account {
    pub user: User,
}

#[derive(Deserialize)]
pub(super) struct User {
    #[serde(deserialize_with = "id")]
    pub id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub username: String,
}

#[derive(Deserialize)]
pub(super) struct Webhooks {
    pub webhooks: Vec<Webhook>,
}

#[derive(Deserialize)]
pub(super) struct MadeWebhook {
    pub webhook: Webhook,
}

#[derive(Deserialize)]
pub(super) struct Webhook {
    #[serde(deserialize_with = "id")]
    pub id: String,
    pub endpoint: String,
    #[serde(default, deserialize_with = "some_id")]
    pub userid: Option<String>,
    #[serde(default, deserialize_with = "some_id")]
    pub list_id: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub health: Health,
    #[serde(default)]
    pub secret: Option<String>,
}

#[derive(Default, Deserialize)]
pub(super) struct Health {
    #[serde(default, deserialize_with = "or_default")]
    pub status: String,
    #[serde(default, deserialize_with = "or_default")]
    pub fail_count: u64,
}

/// Anything of which only the id matters.
#[derive(Deserialize)]
pub(super) struct Identified {
    #[serde(deserialize_with = "id")]
    pub id: String,
}

#[derive(Deserialize)]
pub(super) struct Comments {
    pub comments: Vec<Comment>,
}

// The names are ClickUp's.
#[allow(clippy::struct_field_names)]
#[derive(Deserialize)]
pub(super) struct Comment {
    #[serde(deserialize_with = "id")]
    id: String,
    #[serde(default, deserialize_with = "or_default")]
    comment_text: String,
    #[serde(default, deserialize_with = "or_default")]
    comment: Vec<Piece>,
    #[serde(default, deserialize_with = "milliseconds")]
    date: Timestamp,
    #[serde(default)]
    user: Value,
    #[serde(default, deserialize_with = "or_default")]
    resolved: bool,
    #[serde(default)]
    assignee: Value,
    #[serde(default)]
    reactions: Value,
    #[serde(default)]
    reply_count: Value,
}

#[derive(Deserialize)]
struct Piece {
    #[serde(default, deserialize_with = "or_default")]
    text: String,
}

impl Task {
    pub fn list_id(&self) -> &str {
        &self.list.id
    }

    /// `me` is the id of the token's user, `email_field` the setting.
    pub fn into_lead(self, me: &str, email_field: &str) -> Lead {
        let emails = self
            .custom_fields
            .iter()
            .filter(|field| fields::is_email_field(field, email_field))
            .filter_map(|field| field.value.as_str())
            .filter(|value| !value.trim().is_empty())
            .map(str::to_owned)
            .collect();
        // The plain texts have lost their links: they stand in where the markdown is missing.
        let plain = [self.description, self.text_content].into_iter().flatten();
        let plain = plain.into_iter().find(|text| !text.trim().is_empty());
        let description_is_plain = self.markdown_description.is_none() && plain.is_some();
        let description = self.markdown_description.or(plain).unwrap_or_default();
        Lead {
            id: self.id,
            list_id: self.list.id,
            list_name: self.list.name,
            name: self.name,
            status_kind: self.status.kind(),
            status: self.status.status,
            description: description.replace("\r\n", "\n"),
            description_is_plain,
            emails,
            created_at: self.date_created,
            updated_at: self.date_updated,
            url: self.url,
            ours: self.creator.is_some_and(|creator| creator.id == me),
        }
    }
}

impl Status {
    pub fn kind(&self) -> StatusKind {
        match self.kind.as_str() {
            "open" => StatusKind::Open,
            "done" => StatusKind::Done,
            "closed" => StatusKind::Closed,
            _ => StatusKind::Custom,
        }
    }
}

impl Comment {
    /// `me` is the id of the token's user.
    pub fn into_posted(self, me: &str) -> Posted {
        let author = match &self.user["id"] {
            Value::String(id) => id.clone(),
            id => id.to_string(),
        };
        let is_answered = !matches!(
            self.reply_count.to_string().trim_matches('"'),
            "0" | "null" | ""
        );
        let is_liked = self.reactions.as_array().is_some_and(|all| !all.is_empty());
        let text = if self.comment_text.is_empty() {
            self.comment.into_iter().map(|piece| piece.text).collect()
        } else {
            self.comment_text
        };
        Posted {
            id: self.id,
            text: text.replace("\r\n", "\n"),
            at: self.date,
            ours: author == me,
            taken_up: self.resolved || !self.assignee.is_null() || is_liked || is_answered,
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Number(Number),
}

/// Ids become part of addresses: what holds another sign is no answer of ClickUp's.
fn id<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let id = match Scalar::deserialize(from)? {
        Scalar::Text(text) => text,
        Scalar::Number(number) => number.to_string(),
    };
    if super::is_id(&id) {
        Ok(id)
    } else {
        Err(serde::de::Error::custom("not an id"))
    }
}

fn some_id<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(match Option::<Scalar>::deserialize(from)? {
        Some(Scalar::Text(text)) => Some(text),
        Some(Scalar::Number(number)) => Some(number.to_string()),
        None => None,
    })
}

/// The beginning of time where there is none.
fn milliseconds<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
    let ms: Option<i64> = match Option::<Scalar>::deserialize(from)? {
        None => None,
        Some(Scalar::Text(text)) => text.trim().parse().ok(),
        Some(Scalar::Number(number)) => number.as_i64(),
    };
    let at = ms.and_then(|ms| Timestamp::from_millisecond(ms).ok());
    Ok(at.unwrap_or_default())
}

fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    from: D,
) -> Result<T, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}
