//! Which call means what, and who may make it. A refusal is a 200 that says `"ok":false`:
//! <https://docs.slack.dev/apis/web-api/#responses>

use serde_json::{Map, Value, json};

use super::messages;
use super::state::State;
use crate::http::{Answer, Call};
use crate::suffering::content_type;

/// Why a call is refused.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Slack's word for it, and what it says beside it.
    Word(String, Value),
    /// Wait for so many seconds.
    Limited(i64),
}

pub(super) type Outcome = Result<Value, Refusal>;

pub(super) fn refuse<T>(word: &str) -> Result<T, Refusal> {
    Err(Refusal::Word(word.to_owned(), json!({})))
}

/// What a handler gets to see of a call.
pub(super) struct Asked {
    pub params: Map<String, Value>,
    /// Messages younger than this are missing from a history.
    pub lag_ms: i64,
}

impl Asked {
    pub fn text(&self, name: &str) -> Option<&str> {
        self.params.get(name).and_then(Value::as_str)
    }

    pub fn flag(&self, name: &str) -> bool {
        match self.params.get(name) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => matches!(text.as_str(), "true" | "1"),
            Some(Value::Number(number)) => number.as_i64() == Some(1),
            _ => false,
        }
    }

    pub fn number(&self, name: &str) -> Option<usize> {
        let value = self.params.get(name)?;
        let number = value
            .as_u64()
            .or_else(|| value.as_str().and_then(|text| text.parse().ok()));
        number.and_then(|number| usize::try_from(number).ok())
    }

    /// What is sent as JSON, in a form as a text that holds JSON.
    pub fn nested(&self, name: &str) -> Result<Option<Value>, ()> {
        match self.params.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => serde_json::from_str(text).map(Some).map_err(|_| ()),
            Some(value) => Ok(Some(value.clone())),
        }
    }
}

/// Carries a call of the Web API out, unless the limit or the token forbids it. Also says whether it was.
pub(super) fn execute(state: &mut State, call: &Call, lag_ms: i64) -> (Answer, bool) {
    if call.path.starts_with("/actions/") {
        return messages::respond(state, call);
    }
    let asked = Asked {
        params: params(call),
        lag_ms,
    };
    let method = call.path.strip_prefix("/api/").unwrap_or_default();
    let outcome = permitted(state, call, method, &asked)
        .and_then(|()| dispatch(state, &call.method, method, &asked));
    let executed = !matches!(outcome, Err(Refusal::Limited(_)));
    (answer(state, outcome), executed)
}

pub(super) fn params(call: &Call) -> Map<String, Value> {
    let mut params = Map::new();
    let mut add_form = |bytes: &[u8]| {
        for (key, value) in url::form_urlencoded::parse(bytes).into_owned() {
            params.insert(key, Value::String(value));
        }
    };
    add_form(call.query.as_bytes());
    if is_json(call) {
        if let Ok(Value::Object(body)) = serde_json::from_slice(&call.body) {
            params.extend(body);
        }
    } else {
        add_form(&call.body);
    }
    params
}

fn is_json(call: &Call) -> bool {
    let kind = call.headers.get("content-type");
    kind.and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.starts_with("application/json"))
}

pub(super) fn bearer(call: &Call) -> Option<&str> {
    let header = call.headers.get("authorization")?.to_str().ok()?;
    header.strip_prefix("Bearer ")
}

fn permitted(state: &State, call: &Call, method: &str, asked: &Asked) -> Result<(), Refusal> {
    // With a JSON body a token counts in the header only.
    let token = bearer(call).or_else(|| asked.text("token").filter(|_| !is_json(call)));
    let Some(token) = token.filter(|token| !token.is_empty()) else {
        return refuse("not_authed");
    };
    if let Some(word) = &state.token_error {
        return refuse(word);
    }
    let config = &state.config;
    let for_apps = method == "apps.connections.open";
    if token != config.bot_token && token != config.app_token {
        return refuse("invalid_auth");
    }
    if (token == config.app_token) != for_apps {
        return refuse("not_allowed_token_type");
    }
    let private = asked
        .text("channel")
        .and_then(|channel| state.channel_or_name(channel))
        .is_some_and(|at| state.channels[at].is_private);
    let needed = match (method, private) {
        ("chat.postMessage" | "chat.update" | "chat.delete", _) => "chat:write",
        ("conversations.history", false) => "channels:history",
        ("conversations.history", true) => "groups:history",
        ("conversations.info", true) => "groups:read",
        ("conversations.list" | "conversations.info", _) => "channels:read",
        _ => return Ok(()),
    };
    if config.scopes.iter().any(|scope| scope == needed) {
        return Ok(());
    }
    let provided = config.scopes.join(",");
    Err(Refusal::Word(
        "missing_scope".to_owned(),
        json!({"needed": needed, "provided": provided}),
    ))
}

fn dispatch(state: &mut State, verb: &str, method: &str, asked: &Asked) -> Outcome {
    match (verb, method) {
        ("GET" | "POST", "auth.test") => Ok(identity(state)),
        ("GET" | "POST", "conversations.history") => messages::history(state, asked),
        ("GET" | "POST", "conversations.info") => info(state, asked),
        ("GET" | "POST", "conversations.list") => list(state, asked),
        ("POST", "chat.postMessage") => messages::post(state, asked),
        ("POST", "chat.update") => messages::update(state, asked),
        ("POST", "chat.delete") => messages::delete(state, asked),
        ("POST", "apps.connections.open") => Ok(open(state)),
        _ => refuse("unknown_method"),
    }
}

fn identity(state: &State) -> Value {
    let config = &state.config;
    json!({
        "url": format!("https://{}.slack.com/", config.team_name.to_lowercase()),
        "team": config.team_name, "team_id": config.team_id,
        "user": state.user_name(&config.bot_user), "user_id": config.bot_user,
        "bot_id": config.bot_id, "is_enterprise_install": false,
    })
}

fn open(state: &mut State) -> Value {
    let ticket = state.token();
    state.tickets.insert(ticket.clone());
    let (port, app) = (state.config.port, &state.config.app_id);
    json!({"url": format!("ws://127.0.0.1:{port}/link/?ticket={ticket}&app_id={app}")})
}

fn shown(state: &State, at: usize) -> Value {
    let channel = &state.channels[at];
    json!({
        "id": channel.id, "name": channel.name, "name_normalized": channel.name,
        "is_channel": !channel.is_private, "is_group": channel.is_private, "is_im": false,
        "is_private": channel.is_private, "is_archived": channel.is_archived,
        "is_member": channel.is_member, "num_members": 3,
    })
}

fn info(state: &State, asked: &Asked) -> Outcome {
    match state.channel(asked.text("channel").unwrap_or_default()) {
        Some(at) if !state.channels[at].is_private || state.channels[at].is_member => {
            Ok(json!({"channel": shown(state, at)}))
        }
        _ => refuse("channel_not_found"),
    }
}

// A page may hold fewer than asked for, even none, and still have a next one.
fn list(state: &State, asked: &Asked) -> Outcome {
    let types = asked.text("types").unwrap_or("public_channel");
    let limit = asked.number("limit").unwrap_or(100).clamp(1, 1000);
    let from: usize = match asked.text("cursor").filter(|cursor| !cursor.is_empty()) {
        None => 0,
        Some(cursor) => match cursor.strip_prefix("team:").and_then(|at| at.parse().ok()) {
            Some(at) => at,
            None => return refuse("invalid_cursor"),
        },
    };
    let until = (from + limit).min(state.channels.len());
    let page: Vec<Value> = (from..until)
        .filter(|at| {
            let channel = &state.channels[*at];
            let wanted = if channel.is_private {
                types.contains("private_channel") && channel.is_member
            } else {
                types.contains("public_channel")
            };
            wanted && !(channel.is_archived && asked.flag("exclude_archived"))
        })
        .map(|at| shown(state, at))
        .collect();
    let next = if until < state.channels.len() {
        format!("team:{until}")
    } else {
        String::new()
    };
    Ok(json!({"channels": page, "response_metadata": {"next_cursor": next}}))
}

fn answer(state: &mut State, outcome: Outcome) -> Answer {
    let mut body = match outcome {
        Ok(body) => body,
        Err(Refusal::Limited(seconds)) => return limited(state, seconds),
        Err(Refusal::Word(word, mut beside)) => {
            beside["error"] = json!(word);
            beside
        }
    };
    body["ok"] = json!(body.get("error").is_none());
    let mut headers = vec![content_type()];
    headers.push(("X-OAuth-Scopes".to_owned(), state.config.scopes.join(",")));
    Answer {
        status: 200,
        headers,
        body: body.to_string().into_bytes().into(),
    }
}

pub(super) fn limited(state: &mut State, seconds: i64) -> Answer {
    state.refused_429 += 1;
    Answer {
        status: 429,
        headers: vec![
            content_type(),
            ("Retry-After".to_owned(), seconds.max(0).to_string()),
        ],
        body: json!({"ok": false, "error": "ratelimited"})
            .to_string()
            .into_bytes()
            .into(),
    }
}
