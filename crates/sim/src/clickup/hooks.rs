//! Webhooks by the API: made, listed, changed, deleted. What is sent to them is in `events.rs`.
//! <https://developer.clickup.com/docs/webhooks>

use serde_json::{Map, Value, json};

use super::ClickUp;
use super::places;
use super::routes::{Asked, Outcome, Refusal, refuse};
use super::state::{State, Task};

const CLIENT_ID: &str = "QVOQP06ZXC6CMGVFKB0ZT7J9Y7APOYGO";
/// Of one location the lowest counts.
const LEVELS: [&str; 4] = ["task_id", "list_id", "folder_id", "space_id"];

#[derive(Clone, Debug)]
pub(super) struct Hook {
    pub id: String,
    /// Who made it: nobody else is shown it.
    pub user: u64,
    pub endpoint: String,
    pub events: Vec<String>,
    /// By the names of [`LEVELS`], as they were sent.
    location: Map<String, Value>,
    pub health: Health,
    pub fail_count: u32,
    pub secret: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Health {
    Active,
    Failing,
    Suspended,
}

impl Health {
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Failing => "failing",
            Self::Suspended => "suspended",
        }
    }
}

impl Hook {
    pub fn wants(&self, event: &str) -> bool {
        self.health != Health::Suspended && self.events.iter().any(|it| it == event || it == "*")
    }

    /// Whether a task that is, or was, in this list is in its place.
    pub fn covers(&self, state: &State, task: &Task, list: usize) -> bool {
        let id = |level: &str| self.location.get(level).map(plain);
        let list = &state.lists[list];
        if let Some(wanted) = id("task_id") {
            return wanted == task.id;
        }
        if let Some(wanted) = id("list_id") {
            return wanted == list.id;
        }
        if let Some(wanted) = id("folder_id") {
            return list.folder.is_some_and(|at| state.folders[at].id == wanted);
        }
        id("space_id").is_none_or(|wanted| state.spaces[list.space].id == wanted)
    }

    fn shown(&self, state: &State) -> Value {
        let at = |level: &str| self.location.get(level).cloned().unwrap_or_default();
        json!({
            "id": self.id,
            "userid": self.user,
            "team_id": state.config.team_id.parse::<u64>().unwrap_or_default(),
            "endpoint": self.endpoint,
            "client_id": CLIENT_ID,
            "events": self.events,
            "task_id": at("task_id"),
            "list_id": at("list_id"),
            "folder_id": at("folder_id"),
            "space_id": at("space_id"),
            "health": {"status": self.health.name(), "fail_count": self.fail_count},
            "secret": self.secret,
        })
    }
}

pub(super) fn list(state: &State, asked: &Asked) -> Value {
    let own = state.hooks.iter().filter(|it| it.user == asked.user.id);
    let shown: Vec<Value> = own.map(|hook| hook.shown(state)).collect();
    json!({"webhooks": shown})
}

pub(super) fn create(state: &mut State, asked: &Asked) -> Outcome {
    if !state.may_make_hooks {
        // Placeholder code: not established.
        return refuse(403, "You do not have access to this", "ACCESS_083");
    }
    let endpoint = endpoint(&asked.body)?;
    let events = events(&asked.body)?;
    let location: Map<String, Value> = LEVELS
        .iter()
        .filter_map(|level| Some((*level, asked.body.get(*level)?)))
        .filter(|(_, id)| !id.is_null())
        .map(|(level, id)| (level.to_owned(), id.clone()))
        .collect();
    if let Some(list) = location.get("list_id") {
        places::list(state, &plain(list))?;
    }
    let is_same = |it: &Hook| it.endpoint == endpoint && it.location == location;
    if !state.config.hooks_may_repeat && state.hooks.iter().any(is_same) {
        return refuse(400, "Webhook configuration already exists", "OAUTH_171");
    }
    state.hooks_made += 1;
    let made = state.hooks_made;
    let secret = state.config.hook_secret.clone();
    let hook = Hook {
        id: uuid::Uuid::from_u64_pair(0x7fa3_ec74_69a8_4530, made).to_string(),
        user: asked.user.id,
        endpoint,
        events,
        location,
        health: Health::Active,
        fail_count: 0,
        secret: secret.unwrap_or_else(|| format!("{made:0>64}")),
    };
    let answer = json!({"id": hook.id, "webhook": hook.shown(state)});
    state.hooks.push(hook);
    Ok(answer)
}

/// Whatever it was, it is as `status` says, and its failures are forgotten.
pub(super) fn update(state: &mut State, id: &str, asked: &Asked) -> Outcome {
    let at = find(state, id, asked)?;
    let (endpoint, events) = (endpoint(&asked.body)?, events(&asked.body)?);
    let hook = &mut state.hooks[at];
    hook.endpoint = endpoint;
    hook.events = events;
    if asked.body.get("status").and_then(Value::as_str) == Some("active") {
        hook.health = Health::Active;
        hook.fail_count = 0;
    }
    let hook = &state.hooks[at];
    Ok(json!({"id": hook.id, "webhook": hook.shown(state)}))
}

pub(super) fn delete(state: &mut State, id: &str, asked: &Asked) -> Outcome {
    let at = find(state, id, asked)?;
    state.hooks.remove(at);
    Ok(json!({}))
}

fn find(state: &State, id: &str, asked: &Asked) -> Result<usize, Refusal> {
    let is_it = |it: &Hook| it.id == id && it.user == asked.user.id;
    match state.hooks.iter().position(is_it) {
        Some(at) => Ok(at),
        // Placeholder code: not established.
        None => refuse(404, "Webhook not found", "WEBHOOK_000"),
    }
}

fn endpoint(body: &Value) -> Result<String, Refusal> {
    match body.get("endpoint").and_then(Value::as_str) {
        Some(url) if url.starts_with("https://") || url.starts_with("http://") => {
            Ok(url.to_owned())
        }
        // Placeholder code: not established.
        _ => refuse(400, "Endpoint is invalid", "INPUT_000"),
    }
}

fn events(body: &Value) -> Result<Vec<String>, Refusal> {
    let named: Vec<String> = match body.get("events") {
        Some(Value::String(all)) if all == "*" => vec![all.clone()],
        Some(Value::Array(names)) => names.iter().map(plain).collect(),
        _ => Vec::new(),
    };
    if named.is_empty() {
        // Placeholder code: not established.
        return refuse(400, "Events are invalid", "INPUT_000");
    }
    Ok(named)
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// A webhook, seen from outside the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookView {
    pub id: String,
    pub user_id: u64,
    pub endpoint: String,
    pub events: Vec<String>,
    pub list_id: Option<String>,
    /// `active`, `failing` or `suspended`.
    pub status: String,
    pub fail_count: u32,
    pub secret: String,
}

impl ClickUp {
    /// Everybody's.
    pub fn hooks(&self) -> Vec<HookView> {
        let state = self.state();
        let shown = state.hooks.iter().map(|hook| HookView {
            id: hook.id.clone(),
            user_id: hook.user,
            endpoint: hook.endpoint.clone(),
            events: hook.events.clone(),
            list_id: hook.location.get("list_id").map(plain),
            status: hook.health.name().to_owned(),
            fail_count: hook.fail_count,
            secret: hook.secret.clone(),
        });
        shown.collect()
    }

    /// As after a hundred events that nobody took.
    pub fn suspend_hook(&self, id: &str) {
        let mut state = self.state();
        let hook = state.hooks.iter_mut().find(|it| it.id == id);
        let hook = hook.expect("the webhook exists");
        hook.health = Health::Suspended;
        hook.fail_count = 100;
    }

    /// It is gone, as when somebody else deletes it.
    pub fn lose_hook(&self, id: &str) {
        self.state().hooks.retain(|it| it.id != id);
    }

    /// Whether the token's user may make webhooks.
    pub fn set_may_make_hooks(&self, may: bool) {
        self.state().may_make_hooks = may;
    }
}
