//! The channel: which one is meant, and which messages are in it.

use domain::outcome::Failure;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::errors::{About, Purpose};
use super::{Slack, interaction, message};
use crate::http::needs_operator;

/// Of a history, and of the workspace's channels.
const PAGE: &str = "200";
const PAGES_MAX: usize = 50;
/// How far the vendor's clock may be from ours.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

#[derive(Deserialize)]
pub(super) struct History {
    messages: Vec<Told>,
    #[serde(default)]
    has_more: bool,
    #[serde(default)]
    response_metadata: Option<Next>,
}

#[derive(Deserialize)]
struct Told {
    #[serde(default)]
    ts: String,
    #[serde(default)]
    metadata: Value,
}

#[derive(Deserialize)]
struct Channels {
    channels: Vec<Channel>,
    #[serde(default)]
    response_metadata: Option<Next>,
}

#[derive(Deserialize)]
struct Channel {
    id: String,
    #[serde(default)]
    name: String,
}

#[derive(Default, Deserialize)]
struct Next {
    #[serde(default)]
    next_cursor: Option<String>,
}

impl Slack {
    /// The newest message with this marker among those posted after `since`. A history that cannot be read to its end
    /// is a failure, never "not there".
    pub async fn find(&self, marker: &str, since: Timestamp) -> Result<Option<String>, Failure> {
        let purpose = Purpose::read(About::Channel, "look for a message at Slack");
        let channel = self.channel_id().await?;
        let oldest = since.as_second().saturating_sub(SKEW.as_secs()).max(0);
        let oldest = format!("{oldest}.000000");
        let mut cursor = String::new();
        for _ in 0..PAGES_MAX {
            let mut query = vec![
                ("channel", channel),
                ("limit", PAGE),
                ("oldest", &oldest),
                ("include_all_metadata", "true"),
            ];
            if !cursor.is_empty() {
                query.push(("cursor", &cursor));
            }
            let page: History = self.get(&purpose, "conversations.history", &query).await?;
            let mut told = page.messages.into_iter();
            if let Some(found) = told.find(|it| it.has(marker)) {
                return Ok(Some(found.ts));
            }
            match next(page.response_metadata) {
                Some(next) if next != cursor => cursor = next,
                _ if page.has_more => return Err(purpose.unknown("the history has no next page")),
                _ => return Ok(None),
            }
        }
        Err(purpose.unknown("the history is too long to be read whole"))
    }

    /// However the channel was named: names do not do where a message is changed or a history is read.
    pub async fn channel_id(&self) -> Result<&str, Failure> {
        let id = self.channel_id.get_or_try_init(|| async {
            if is_channel_id(&self.channel) {
                return Ok(self.channel.clone());
            }
            self.channel_by_name().await
        });
        id.await.map(String::as_str)
    }

    async fn channel_by_name(&self) -> Result<String, Failure> {
        let purpose = Purpose::read(About::Channel, "find the channel at Slack");
        let name = self.channel.to_lowercase();
        // Without the right to see private ones, asking for them is refused.
        for types in ["public_channel,private_channel", "public_channel"] {
            let mut cursor = String::new();
            for _ in 0..PAGES_MAX {
                let mut query = vec![
                    ("types", types),
                    ("limit", PAGE),
                    ("exclude_archived", "true"),
                ];
                if !cursor.is_empty() {
                    query.push(("cursor", &cursor));
                }
                let page: Result<Channels, Failure> =
                    self.get(&purpose, "conversations.list", &query).await;
                let page = match page {
                    Err(Failure::NeedsOperator { .. }) if types.contains("private") => break,
                    page => page?,
                };
                let mut channels = page.channels.into_iter();
                if let Some(found) = channels.find(|it| it.name == name) {
                    return Ok(found.id);
                }
                match next(page.response_metadata) {
                    Some(next) if next != cursor => cursor = next,
                    _ => break,
                }
            }
        }
        Err(needs_operator(
            "find the channel at Slack: SLACK_CHANNEL names none that the app can see".to_owned(),
            "set it to the channel's id, or invite the app to the channel",
        ))
    }
}

impl Told {
    fn has(&self, marker: &str) -> bool {
        self.metadata["event_type"] == message::EVENT_TYPE
            && self.metadata["event_payload"]["marker"] == marker
            && interaction::is_ts(&self.ts)
    }
}

fn next(said: Option<Next>) -> Option<String> {
    said.and_then(|it| it.next_cursor)
        .filter(|cursor| !cursor.is_empty())
}

fn is_channel_id(text: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    text.len() >= 9 && text.starts_with(['C', 'G', 'D']) && text.bytes().all(is_plain)
}
