//! Posting, changing, deleting and listing messages, by the Web API and by a response URL.

use serde_json::{Value, json};

use super::blocks;
use super::routes::{self, Asked, Outcome, Refusal, refuse};
use super::state::{Message, ResponseUrl, State};
use crate::http::{Answer, Call};

const TEXT_CHARS_MAX: usize = 40_000;
const METADATA_BYTES_MAX: usize = 8 * 1024;
/// <https://docs.slack.dev/interactivity/handling-user-interaction#message_responses>
const RESPONSES_MAX: u32 = 5;
const RESPONSE_MS_MAX: i64 = 30 * 60 * 1000;

/// The parts of a message that somebody sent. `None` is what was not sent.
struct Sent {
    text: Option<String>,
    blocks: Option<Vec<Value>>,
    metadata: Option<Value>,
}

impl Sent {
    fn read(asked: &Asked, blocks_chars_max: usize) -> Result<Self, Refusal> {
        let text = asked.text("text").map(blocks::stored);
        if text
            .as_deref()
            .is_some_and(|it| blocks::length(it) > TEXT_CHARS_MAX)
        {
            return refuse("msg_too_long");
        }
        let blocks = match asked.nested("blocks") {
            Ok(None) => None,
            Ok(Some(Value::Array(list))) => Some(list),
            Ok(Some(_)) | Err(()) => return refuse("invalid_blocks_format"),
        };
        if let Some(list) = &blocks {
            blocks::check(list).map_err(invalid_blocks)?;
            if blocks::text_length(list) > blocks_chars_max {
                return refuse("msg_blocks_too_long");
            }
        }
        let metadata = match asked.nested("metadata") {
            Ok(None) => None,
            Ok(Some(value)) if value == json!({}) => Some(value),
            Ok(Some(value)) if value["event_type"].as_str().is_none_or(str::is_empty) => {
                return refuse("invalid_metadata_format");
            }
            Ok(Some(value)) if !value["event_payload"].is_object() => {
                return refuse("invalid_metadata_schema");
            }
            Ok(Some(value)) if value.to_string().len() > METADATA_BYTES_MAX => {
                return refuse("metadata_too_large");
            }
            Ok(Some(value)) => Some(value),
            Err(()) => return refuse("invalid_metadata_format"),
        };
        Ok(Self {
            text,
            blocks: blocks.map(|list| {
                let numbered = list.into_iter().enumerate();
                numbered
                    .map(|(n, it)| blocks::stored_block(n, it))
                    .collect()
            }),
            metadata,
        })
    }

    fn is_empty(&self) -> bool {
        self.text.as_deref().is_none_or(str::is_empty)
            && self.blocks.as_ref().is_none_or(Vec::is_empty)
    }
}

fn invalid_blocks(why: String) -> Refusal {
    Refusal::Word(
        "invalid_blocks".to_owned(),
        json!({"errors": [why], "response_metadata": {"messages": [format!("[ERROR] {why}")]}}),
    )
}

pub(super) fn post(state: &mut State, asked: &Asked) -> Outcome {
    let Some(at) = state.channel_or_name(asked.text("channel").unwrap_or_default()) else {
        return refuse("channel_not_found");
    };
    let channel = &state.channels[at];
    if channel.is_private && !channel.is_member {
        return refuse("channel_not_found");
    }
    if channel.is_archived {
        return refuse("is_archived");
    }
    if !channel.is_member {
        return refuse("not_in_channel");
    }
    let sent = Sent::read(asked, state.config.blocks_chars_max)?;
    if sent.is_empty() {
        return refuse("no_text");
    }
    let id = state.channels[at].id.clone();
    state.pace(&id).map_err(Refusal::Limited)?;
    let bot = state.config.bot_user.clone();
    let text = sent.text.unwrap_or_default();
    let mut message = state.blank_message(&bot, &text, sent.blocks.unwrap_or_default());
    message.metadata = sent.metadata;
    let answer = json!({"channel": id, "ts": message.ts, "message": shown(state, &message, true)});
    state.channels[at].messages.push(message);
    Ok(answer)
}

pub(super) fn update(state: &mut State, asked: &Asked) -> Outcome {
    let (at, place) = own(state, asked, "cant_update_message")?;
    let sent = Sent::read(asked, state.config.blocks_chars_max)?;
    if sent.text.is_none() && sent.blocks.is_none() {
        return refuse("no_text");
    }
    let message = &mut state.channels[at].messages[place];
    change(message, sent);
    let message = message.clone();
    let channel = state.channels[at].id.clone();
    let shown = shown(state, &message, true);
    Ok(json!({"channel": channel, "ts": message.ts, "text": message.text, "message": shown}))
}

// https://docs.slack.dev/reference/methods/chat.update: a text without blocks removes the blocks that were there;
// metadata that is not sent stays.
fn change(message: &mut Message, sent: Sent) {
    message.earlier.push(message.blocks.clone());
    match (sent.blocks, &sent.text) {
        (Some(blocks), _) => message.blocks = blocks,
        (None, Some(_)) => message.blocks.clear(),
        (None, None) => {}
    }
    message.text = sent.text.unwrap_or_default();
    if let Some(metadata) = sent.metadata {
        message.metadata = Some(metadata).filter(|it| *it != json!({}));
    }
    message.edited = true;
}

pub(super) fn delete(state: &mut State, asked: &Asked) -> Outcome {
    let (at, place) = own(state, asked, "cant_delete_message")?;
    let channel = &mut state.channels[at];
    channel.messages[place].deleted = true;
    Ok(json!({"channel": channel.id, "ts": channel.messages[place].ts}))
}

/// The bot's own message that is meant. A channel's name does not do here.
fn own(state: &State, asked: &Asked, refusal: &str) -> Result<(usize, usize), Refusal> {
    let channel = asked.text("channel").unwrap_or_default();
    if state.channel(channel).is_none() {
        return refuse("channel_not_found");
    }
    let Some((at, place)) = state.message(channel, asked.text("ts").unwrap_or_default()) else {
        return refuse("message_not_found");
    };
    if state.channels[at].messages[place].user != state.config.bot_user {
        return refuse(refusal);
    }
    Ok((at, place))
}

/// Newest first, from `latest` (or the cursor) back to `oldest`.
pub(super) fn history(state: &State, asked: &Asked) -> Outcome {
    let Some(at) = state.channel(asked.text("channel").unwrap_or_default()) else {
        return refuse("channel_not_found");
    };
    let channel = &state.channels[at];
    if !channel.is_member {
        let word = if channel.is_private {
            "channel_not_found"
        } else {
            "not_in_channel"
        };
        return refuse(word);
    }
    let micros = |name: &str| asked.text(name).and_then(micros);
    let inclusive = asked.flag("inclusive");
    let mut latest = micros("latest").map_or(i64::MAX, |us| us + i64::from(inclusive));
    let oldest = micros("oldest").map_or(i64::MIN, |us| us - i64::from(inclusive));
    if let Some(cursor) = asked.text("cursor").filter(|cursor| !cursor.is_empty()) {
        let Some(before) = cursor.strip_prefix("next_ts:").and_then(self::micros) else {
            return refuse("invalid_cursor");
        };
        latest = latest.min(before);
    }
    let limit = asked.number("limit").unwrap_or(100).clamp(1, 999);
    let limit = limit.min(state.config.history_page_max);
    let now = state.now();
    let mut found = channel.messages.iter().rev().filter(|message| {
        let us = self::micros(&message.ts).unwrap_or_default();
        !message.deleted && us < latest && us > oldest && now - message.made_ms >= asked.lag_ms
    });
    let page: Vec<&Message> = found.by_ref().take(limit).collect();
    let has_more = found.next().is_some();
    let with_metadata = asked.flag("include_all_metadata");
    let shown: Vec<Value> = page
        .iter()
        .map(|it| shown(state, it, with_metadata))
        .collect();
    let mut answer = json!({"messages": shown, "has_more": has_more, "pin_count": 0});
    if let Some(last) = page.last().filter(|_| has_more) {
        answer["response_metadata"] = json!({"next_cursor": format!("next_ts:{}", last.ts)});
    }
    Ok(answer)
}

fn micros(ts: &str) -> Option<i64> {
    let (seconds, rest) = ts.split_once('.').unwrap_or((ts, "0"));
    let rest: i64 = format!("{rest:0<6}").get(..6)?.parse().ok()?;
    Some(seconds.parse::<i64>().ok()? * 1_000_000 + rest)
}

pub(super) fn shown(state: &State, message: &Message, with_metadata: bool) -> Value {
    let mut shown = json!({
        "type": "message", "user": message.user, "text": message.text, "ts": message.ts,
        "team": state.config.team_id,
    });
    if message.user == state.config.bot_user {
        shown["bot_id"] = json!(state.config.bot_id);
        shown["app_id"] = json!(state.config.app_id);
    }
    if !message.blocks.is_empty() {
        shown["blocks"] = json!(message.blocks);
    }
    if message.edited {
        shown["edited"] = json!({"user": message.user, "ts": message.ts});
    }
    if let Some(metadata) = message.metadata.as_ref().filter(|_| with_metadata) {
        shown["metadata"] = metadata.clone();
    }
    shown
}

/// What is posted to a response URL. Its refusals' status is a guess; the words are Slack's.
pub(super) fn respond(state: &mut State, call: &Call) -> (Answer, bool) {
    let now = state.now();
    let outcome = match state.response_urls.get_mut(&call.path) {
        None => Err("expired_url"),
        Some(it) if now - it.made_ms > RESPONSE_MS_MAX => Err("expired_url"),
        Some(it) if it.uses >= RESPONSES_MAX => Err("used_url"),
        Some(it) => {
            it.uses += 1;
            Ok((it.channel.clone(), it.ts.clone(), it.user.clone()))
        }
    };
    let outcome = match outcome {
        Ok(whose) => apply(state, call, &whose),
        Err(word) => refuse(word),
    };
    let (status, body) = match outcome {
        Ok(_) => (200, "ok".to_owned()),
        Err(Refusal::Limited(seconds)) => return (routes::limited(state, seconds), false),
        Err(Refusal::Word(word, mut beside)) => {
            beside["ok"] = json!(false);
            let status = if word.ends_with("_url") { 404 } else { 400 };
            beside["error"] = json!(word);
            (status, beside.to_string())
        }
    };
    let answer = Answer {
        status,
        headers: vec![("Content-Type".to_owned(), "text/plain".to_owned())],
        body: body.into_bytes().into(),
    };
    (answer, true)
}

fn apply(
    state: &mut State,
    call: &Call,
    (channel, ts, user): &(String, String, String),
) -> Outcome {
    let asked = Asked {
        params: routes::params(call),
        lag_ms: 0,
    };
    let found = state.message(channel, ts);
    if asked.flag("delete_original") {
        if let Some((at, place)) = found {
            state.channels[at].messages[place].deleted = true;
        }
        return Ok(Value::Null);
    }
    let sent = Sent::read(&asked, state.config.blocks_chars_max)?;
    if sent.is_empty() {
        return refuse("no_text");
    }
    if asked.flag("replace_original") {
        if let Some((at, place)) = found {
            change(&mut state.channels[at].messages[place], sent);
        }
        return Ok(Value::Null);
    }
    let bot = state.config.bot_user.clone();
    let text = sent.text.unwrap_or_default();
    let message = state.blank_message(&bot, &text, sent.blocks.unwrap_or_default());
    if let Some(at) = state.channel(channel) {
        let channel = &mut state.channels[at];
        if asked.text("response_type") == Some("in_channel") {
            channel.messages.push(message);
        } else {
            channel.ephemerals.push((user.clone(), message));
        }
    }
    Ok(Value::Null)
}

/// A new address to answer a click at: its path.
pub(super) fn response_path(state: &mut State, channel: &str, ts: &str, user: &str) -> String {
    let (team, number, token) = (state.config.team_id.clone(), state.next(), state.token());
    let path = format!("/actions/{team}/{number}/{token}");
    let made_ms = state.now();
    state.response_urls.insert(
        path.clone(),
        ResponseUrl {
            channel: channel.to_owned(),
            ts: ts.to_owned(),
            user: user.to_owned(),
            uses: 0,
            made_ms,
        },
    );
    path
}
