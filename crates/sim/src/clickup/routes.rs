//! Which request means what, and who may ask. What it does is in the file named after
//! the thing it does it to.

use serde_json::{Value, json};

use super::limit::Stand;
use super::state::{State, User};
use super::{comments, hooks, places, query, render, tasks, values};
use crate::http::{Answer, Call};
use crate::suffering::content_type;

/// An error as ClickUp words it. The text varies there; the code is what counts.
#[derive(Debug)]
pub(super) struct Refusal {
    pub status: u16,
    pub err: String,
    pub code: &'static str,
}

pub(super) type Outcome = Result<Value, Refusal>;

pub(super) fn refuse<T>(status: u16, err: &str, code: &'static str) -> Result<T, Refusal> {
    Err(Refusal {
        status,
        err: err.to_owned(),
        code,
    })
}

/// What a handler gets to see of a request.
pub(super) struct Asked {
    pub params: Vec<(String, String)>,
    pub body: Value,
    pub user: User,
    /// Tasks younger than this are left out of lists.
    pub lag_ms: u64,
    /// A task changed within this time reads as before.
    pub stale_ms: u64,
}

impl Asked {
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn flag(&self, name: &str) -> bool {
        self.param(name) == Some("true")
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.params
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Carries a request out, unless the limit or the token forbids it. Also says whether it was.
pub(super) fn execute(
    state: &mut State,
    call: &Call,
    lag_ms: u64,
    stale_ms: u64,
) -> (Answer, bool) {
    let now = state.now();
    let token = authorization(call);
    let window_ms = i64::try_from(state.config.window.as_millis()).unwrap_or(60_000);
    let stand = state
        .limits
        .take(&token, now, state.config.limit_per_minute, window_ms);
    if stand.over {
        return (rate_limited(state, stand.reset), false);
    }
    let outcome = user(state, &token).and_then(|user| {
        let asked = Asked {
            params: url::form_urlencoded::parse(call.query.as_bytes())
                .into_owned()
                .collect(),
            body: body(call)?,
            user,
            lag_ms,
            stale_ms,
        };
        dispatch(state, &call.method, &call.path, &asked)
    });
    (answer(state, outcome, stand, call.method == "DELETE"), true)
}

fn authorization(call: &Call) -> String {
    let header = call
        .headers
        .get("authorization")
        .and_then(|value| value.to_str().ok());
    header.unwrap_or_default().to_owned()
}

fn user(state: &State, authorization: &str) -> Result<User, Refusal> {
    if authorization.is_empty() {
        return refuse(401, "Authorization header required", "OAUTH_017");
    }
    // A personal token stands alone, an OAuth token behind "Bearer".
    let token = match authorization.strip_prefix("Bearer ") {
        Some(token) if token.starts_with("pk_") => "",
        Some(token) => token,
        None if authorization.starts_with("pk_") => authorization,
        None => "",
    };
    match state.tokens.get(token) {
        Some(id) if state.token_valid => Ok(state.user(*id)),
        _ => refuse(401, "Token invalid", "OAUTH_025"),
    }
}

fn body(call: &Call) -> Outcome {
    if call.body.is_empty() {
        return Ok(Value::Null);
    }
    match serde_json::from_slice(&call.body) {
        Ok(body) => Ok(body),
        // Placeholder code: not established.
        Err(_) => refuse(400, "Unexpected token in JSON", "INPUT_000"),
    }
}

fn dispatch(state: &mut State, method: &str, path: &str, asked: &Asked) -> Outcome {
    let Some(path) = path.strip_prefix("/api/v2/") else {
        return no_route();
    };
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match (method, parts.as_slice()) {
        ("GET", ["user"]) => Ok(json!({"user": render::account(&asked.user)})),
        ("GET", ["team"]) => Ok(places::teams(state)),
        ("GET", ["team", team, "space"]) => {
            places::team(state, team).map(|()| places::spaces(state, team))
        }
        ("GET", ["team", team, "field"]) => {
            places::team(state, team).map(|()| places::fields(state, None))
        }
        ("GET", ["team", team, "task"]) => {
            places::team(state, team)?;
            query::team_tasks(state, asked)
        }
        ("GET", ["team", team, "webhook"]) => {
            places::team(state, team).map(|()| hooks::list(state, asked))
        }
        ("POST", ["team", team, "webhook"]) => {
            places::team(state, team)?;
            hooks::create(state, asked)
        }
        ("PUT", ["webhook", hook]) => hooks::update(state, hook, asked),
        ("DELETE", ["webhook", hook]) => hooks::delete(state, hook, asked),
        ("GET", ["space", space, "folder"]) => places::folders(state, space),
        ("GET", ["space", space, "list"]) => places::folderless_lists(state, space),
        ("GET", ["folder", folder, "list"]) => places::folder_lists(state, folder),
        ("GET", ["list", list]) => places::list(state, list).map(|at| render::list(state, at)),
        ("GET", ["list", list, "field"]) => {
            places::list(state, list).map(|at| places::fields(state, Some(at)))
        }
        ("GET", ["list", list, "task"]) => {
            let list = places::list(state, list)?;
            query::list_tasks(state, list, asked)
        }
        ("POST", ["list", list, "task"]) => {
            let list = places::list(state, list)?;
            tasks::create(state, list, asked)
        }
        // https://developer.clickup.com/ lists this route; it was seen to answer so.
        ("POST", ["list", _, "comment"]) => refuse(500, "Internal server error", "ERROR_HANDLER"),
        ("POST", ["list", list, "task", task]) => {
            let list = places::list(state, list)?;
            tasks::add_to(state, list, task)
        }
        ("DELETE", ["list", list, "task", task]) => {
            let list = places::list(state, list)?;
            tasks::take_from(state, list, task)
        }
        ("GET", ["task", task]) => tasks::get(state, task, asked),
        ("PUT", ["task", task]) => tasks::update(state, task, asked),
        ("DELETE", ["task", task]) => tasks::delete(state, task),
        ("POST", ["task", task, "field", field]) => values::set(state, task, field, asked),
        ("DELETE", ["task", task, "field", field]) => values::unset(state, task, field),
        ("GET", ["task", task, "comment"]) => comments::list(state, task, asked),
        ("POST", ["task", task, "comment"]) => comments::create(state, task, asked),
        ("PUT", ["comment", comment]) => comments::update(state, comment, asked),
        ("DELETE", ["comment", comment]) => comments::delete(state, comment),
        _ => no_route(),
    }
}

fn no_route() -> Outcome {
    refuse(404, "Route not found", "APP_001")
}

fn answer(state: &State, outcome: Outcome, stand: Stand, deletes: bool) -> Answer {
    let (status, body) = match outcome {
        // A deleted task answers 204; a deleted comment or value `{}`.
        Ok(Value::Null) if deletes => (204, None),
        Ok(body) => (200, Some(body)),
        Err(refusal) => (
            refusal.status,
            Some(json!({"err": refusal.err, "ECODE": refusal.code})),
        ),
    };
    let mut headers = vec![("Date".to_owned(), http_date(state.now()))];
    if state.config.headers_on_success || status >= 400 {
        headers.extend(limit_headers(state, stand.remaining, stand.reset));
    }
    if body.is_some() {
        headers.push(content_type());
    }
    let body = body.map_or_else(Vec::new, |body| body.to_string().into_bytes());
    Answer {
        status,
        headers,
        body: body.into(),
    }
}

pub(super) fn rate_limited(state: &State, reset: i64) -> Answer {
    let mut headers = limit_headers(state, 0, reset);
    headers.push(("Date".to_owned(), http_date(state.now())));
    headers.push(content_type());
    let body = json!({"err": "Rate limit reached", "ECODE": "APP_002"}).to_string();
    Answer {
        status: 429,
        headers,
        body: body.into(),
    }
}

fn limit_headers(state: &State, remaining: u32, reset: i64) -> Vec<(String, String)> {
    vec![
        (
            "X-RateLimit-Limit".to_owned(),
            state.config.limit_per_minute.to_string(),
        ),
        ("X-RateLimit-Remaining".to_owned(), remaining.to_string()),
        ("X-RateLimit-Reset".to_owned(), reset.to_string()),
    ]
}

pub(super) fn http_date(ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    jiff::fmt::rfc2822::DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&at)
        .expect("every year the clock can show has four digits")
}
