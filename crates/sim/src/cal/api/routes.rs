//! Which request means what in which version, who may ask, and the envelopes around what is said. What a route does is in
//! the file named after the thing it does it to.

use serde_json::{Value, json};

use super::limit::{Reset, Stand};
use super::log::header;
use super::state::State;
use super::{changes, event_types, list, oauth, schedules, slots, webhooks};
use crate::http::{Answer, Call};
use crate::suffering::content_type;

/// The versions that are known, oldest first. One that is not is taken for the oldest.
const VERSIONS: [&str; 5] = [
    "2024-04-15",
    "2024-06-11",
    "2024-06-14",
    "2024-08-13",
    "2024-09-04",
];
const SCHEDULES_FROM: usize = 1;
const EVENT_TYPES_FROM: usize = 2;
const BOOKINGS_FROM: usize = 3;
const SLOTS_FROM: usize = 4;

/// What is said, without what the envelope of an error tells of the request.
#[derive(Debug)]
pub(super) struct Outcome {
    pub status: u16,
    pub body: Value,
    pub location: Option<String>,
}

/// What a handler gets to see of a request.
pub(super) struct Asked {
    params: Vec<(String, String)>,
    pub body: Value,
    who: Who,
}

#[derive(Debug)]
enum Who {
    Nobody,
    Key,
    Token(Vec<String>),
}

impl Asked {
    pub fn param(&self, name: &str) -> Option<&str> {
        let found = self.params.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Whether the account itself asks, by key or token.
    pub fn is_host(&self) -> bool {
        !matches!(self.who, Who::Nobody)
    }
}

/// Carries a request out, unless the limit or the bearer forbids it. Also says whether it was.
pub(super) fn execute(state: &mut State, call: &Call) -> (Answer, bool) {
    if call.path == "/auth/oauth2/authorize" {
        let outcome = oauth::authorize(state, &params(&call.query));
        return (page(outcome), true);
    }
    let bearer = header(call, "authorization");
    let bearer = bearer
        .strip_prefix("Bearer ")
        .unwrap_or_default()
        .to_owned();
    let limit = match bearer.as_str() {
        "" => state.config.limit_by_address,
        key if key.starts_with("cal_") => state.config.limit_by_key,
        _ => state.config.limit_by_token,
    };
    let millis =
        |duration: std::time::Duration| i64::try_from(duration.as_millis()).unwrap_or(60_000);
    let (window, block) = (millis(state.config.window), millis(state.config.block));
    let now = state.now_ms();
    let stand = state.limits.take(&bearer, now, limit, window, block);
    if stand.over {
        return (too_many(state, &call.path, &stand), false);
    }
    let (outcome, executed) = answered(state, call, &bearer);
    (dressed(state, outcome, call, &stand), executed)
}

fn answered(state: &mut State, call: &Call, bearer: &str) -> (Outcome, bool) {
    if (call.method.as_str(), call.path.as_str()) == ("POST", "/v2/auth/oauth2/token") {
        return (oauth::token(state, call), true);
    }
    let who = match who(state, bearer) {
        Ok(who) => who,
        Err(refusal) => return (refusal, false),
    };
    let body = match serde_json::from_slice(&call.body) {
        Ok(body) => body,
        Err(_) if call.body.is_empty() => Value::Null,
        Err(_) => return (invalid("Unexpected token in JSON"), false),
    };
    let asked = Asked {
        params: params(&call.query),
        body,
        who,
    };
    let version = version(state, &header(call, "cal-api-version"));
    let path = call.path.strip_prefix("/v2/").unwrap_or_default();
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    if let Some(refusal) = forbidden_to(&asked, &call.method, &parts) {
        return (refusal, false);
    }
    let outcome = dispatch(state, &call.method, &parts, version, &asked);
    let outcome = outcome.unwrap_or_else(|| {
        let what = format!("Cannot {} {}", call.method, call.path);
        error(404, "NotFoundException", &what, "Not Found")
    });
    (outcome, true)
}

fn dispatch(
    state: &mut State,
    method: &str,
    parts: &[&str],
    version: usize,
    asked: &Asked,
) -> Option<Outcome> {
    let in_bookings = version >= BOOKINGS_FROM;
    let in_schedules = version >= SCHEDULES_FROM;
    Some(match (method, parts) {
        ("GET", ["me"]) => me(state),
        ("GET", ["calendars"]) => calendars(state),
        ("GET", ["event-types"]) if version >= EVENT_TYPES_FROM => event_types::list(state, asked),
        ("GET", ["event-types"]) => event_types::older_list(state),
        ("GET", ["event-types", id]) => event_types::get(state, id),
        ("POST", ["event-types", id, "private-links"]) => {
            event_types::create_link(state, id, asked)
        }
        ("GET", ["slots"]) if version >= SLOTS_FROM => slots::list(state, asked),
        ("GET", ["slots", "available"]) if version < SLOTS_FROM => slots::older_list(state, asked),
        ("GET", ["schedules"]) => schedules::list(state, in_schedules),
        ("GET", ["schedules", "default"]) => schedules::default(state, in_schedules),
        ("GET", ["schedules", id]) => schedules::get(state, id, in_schedules),
        ("GET", ["bookings"]) if in_bookings => list::list(state, asked),
        ("GET", ["bookings"]) => list::older_list(state, asked),
        ("GET", ["bookings", uid]) if in_bookings => list::get(state, uid),
        ("POST", ["bookings"]) if in_bookings => changes::create(state, asked),
        // Its body was another one.
        ("POST", ["bookings"]) => invalid("responses should not be empty"),
        ("POST", ["bookings", uid, "reschedule"]) if in_bookings => {
            changes::reschedule(state, uid, asked)
        }
        ("POST", ["bookings", uid, "cancel"]) if in_bookings => changes::cancel(state, uid, asked),
        ("POST", ["bookings", uid, "confirm"]) if in_bookings => changes::confirm(state, uid),
        ("POST", ["bookings", uid, "decline"]) if in_bookings => {
            changes::decline(state, uid, asked)
        }
        ("GET", ["webhooks"]) => webhooks::list(state, asked),
        ("POST", ["webhooks"]) => webhooks::create(state, asked),
        ("GET", ["webhooks", id]) => webhooks::get(state, id),
        ("PATCH", ["webhooks", id]) => webhooks::update(state, id, asked),
        ("DELETE", ["webhooks", id]) => webhooks::delete(state, id),
        _ => return None,
    })
}

fn version(state: &State, name: &str) -> usize {
    let known = VERSIONS.iter().position(|known| *known == name);
    let known = known.unwrap_or(0);
    // A server from before that one.
    if state.config.older_slots_only && known >= SLOTS_FROM {
        0
    } else {
        known
    }
}

fn who(state: &State, bearer: &str) -> Result<Who, Outcome> {
    if bearer.is_empty() {
        return Ok(Who::Nobody);
    }
    if bearer.starts_with("cal_") {
        return if state.key_valid && bearer == state.config.key {
            Ok(Who::Key)
        } else {
            Err(unauthorized("api key - Your api key is not valid"))
        };
    }
    match state.grants.scopes_of(bearer, state.now_ms()) {
        Some(Ok(scopes)) => Ok(Who::Token(scopes)),
        Some(Err(())) if state.config.expired_status == 498 => Err(error(
            498,
            "TokenExpiredException",
            "Access token is expired",
            "Invalid Token",
        )),
        Some(Err(())) | None => Err(unauthorized(
            "access token - Invalid or expired access token.",
        )),
    }
}

/// Where nobody may ask, and what a token must have been granted.
fn forbidden_to(asked: &Asked, method: &str, parts: &[&str]) -> Option<Outcome> {
    let reads = method == "GET";
    let scope = match parts.first().copied().unwrap_or_default() {
        "me" => "PROFILE_READ",
        "calendars" => "APPS_READ",
        "event-types" if reads => "EVENT_TYPE_READ",
        "event-types" => "EVENT_TYPE_WRITE",
        "bookings" if reads => "BOOKING_READ",
        "bookings" => "BOOKING_WRITE",
        "schedules" => "SCHEDULE_READ",
        "webhooks" if reads => "WEBHOOK_READ",
        "webhooks" => "WEBHOOK_WRITE",
        _ => "",
    };
    // Whoever has a booking's uid may read, move and cancel it; slots are public, and so are event types by name.
    let is_public = match (method, parts) {
        (_, ["slots", ..]) | ("POST", ["bookings"]) | ("GET", ["bookings", _]) => true,
        ("POST", ["bookings", _, verb]) => ["reschedule", "cancel"].contains(verb),
        ("GET", ["event-types"]) => true,
        _ => false,
    };
    match &asked.who {
        Who::Key => None,
        Who::Nobody if is_public => None,
        Who::Nobody if parts == ["bookings"] => Some(forbidden("Forbidden resource")),
        Who::Nobody => Some(unauthorized(
            "No authentication method provided. Either pass an API key as 'Bearer' header or OAuth client \
             credentials as 'x-cal-secret-key' and 'x-cal-client-id' headers",
        )),
        Who::Token(scopes) => {
            let lacks =
                !scope.is_empty() && !scopes.is_empty() && !scopes.iter().any(|it| it == scope);
            lacks.then(|| {
                forbidden(&format!(
                    "insufficient_scope: token does not have the required scopes. Required: {scope}. Token has: {}",
                    scopes.join(", ")
                ))
            })
        }
    }
}

fn me(state: &State) -> Outcome {
    let host = &state.config.host;
    let mut me = json!({
        "id": host.id,
        "email": host.email,
        "name": host.name,
        "avatarUrl": null,
        "bio": null,
        "timeFormat": 24,
        "defaultScheduleId": state.schedules[0].id,
        "weekStart": "Monday",
        "timeZone": host.time_zone,
        "username": host.username,
        "organizationId": null,
    });
    if state.config.hosted {
        me["locale"] = Value::Null;
    }
    success(me)
}

fn calendars(state: &State) -> Outcome {
    let connected = state.calendars.iter().enumerate().map(|(n, (name, works))| {
        let mut calendar = json!({
            "integration": {
                "name": name, "title": name, "description": "", "type": "other_calendar",
                "variant": "calendar", "categories": ["calendar"], "logo": "", "publisher": "Cal.com",
                "slug": name.to_lowercase().replace(' ', "-"), "url": "https://cal.com/", "email": "help@cal.com",
                "locationOption": null,
            },
            "credentialId": n + 1,
            "calendars": [],
        });
        if !works {
            calendar["error"] = json!({"message": "Invalid grant"});
        }
        calendar
    });
    success(json!({
        "connectedCalendars": connected.collect::<Value>(),
        "destinationCalendar": null,
    }))
}

pub(super) fn params(query: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect()
}

pub(super) fn raw(status: u16, body: Value) -> Outcome {
    Outcome {
        status,
        body,
        location: None,
    }
}

pub(super) fn success(data: Value) -> Outcome {
    raw(200, json!({"status": "success", "data": data}))
}

pub(super) fn created(data: Value) -> Outcome {
    raw(201, json!({"status": "success", "data": data}))
}

pub(super) fn error(status: u16, code: &str, message: &str, name: &str) -> Outcome {
    let details = json!({"message": message, "error": name, "statusCode": status});
    raw(
        status,
        json!({"status": "error", "error": {"code": code, "message": message, "details": details}}),
    )
}

pub(super) fn invalid(message: &str) -> Outcome {
    error(400, "BadRequestException", message, "Bad Request")
}

pub(super) fn not_found(message: &str) -> Outcome {
    error(404, "NotFoundException", message, "Not Found")
}

pub(super) fn forbidden(message: &str) -> Outcome {
    error(403, "ForbiddenException", message, "Forbidden")
}

pub(super) fn conflict(message: &str) -> Outcome {
    error(409, "ConflictException", message, "Conflict")
}

fn unauthorized(message: &str) -> Outcome {
    let message = format!("ApiAuthStrategy - {message}");
    error(401, "UnauthorizedException", &message, "Unauthorized")
}

/// What the validation of a request says.
pub(super) fn invalid_property(name: &str, value: Value, rule: &str, sentence: &str) -> Outcome {
    let target = json!({name: value});
    let violation = json!({
        "target": target, "value": value, "property": name, "children": [],
        "constraints": {rule: sentence},
    });
    raw(
        400,
        json!({"status": "error", "error": {
            "code": "BadRequestException", "message": "Bad Request Exception",
            "details": {"errors": [violation]},
        }}),
    )
}

fn dressed(state: &State, mut outcome: Outcome, call: &Call, stand: &Stand) -> Answer {
    if outcome.body["status"] == "error" {
        let mut path = call.path.clone();
        if !call.query.is_empty() {
            path = format!("{path}?{}", call.query);
        }
        outcome.body["timestamp"] = json!(crate::cal::millis(state.now()));
        outcome.body["path"] = json!(path);
    }
    let mut headers = limit_headers(state, stand);
    headers.push(content_type());
    Answer {
        status: outcome.status,
        headers,
        body: outcome.body.to_string().into(),
    }
}

/// Of the web app: a redirection, or a page.
fn page(outcome: Outcome) -> Answer {
    let mut headers = vec![("Content-Type".to_owned(), "text/html".to_owned())];
    headers.extend(outcome.location.map(|to| ("Location".to_owned(), to)));
    Answer {
        status: outcome.status,
        headers,
        body: outcome.body.as_str().unwrap_or_default().to_owned().into(),
    }
}

/// What a fault says: refused for so many seconds.
pub(super) fn limited(state: &State, path: &str, seconds: i64) -> Answer {
    let stand = Stand {
        over: true,
        limit: state.config.limit_by_key,
        remaining: 0,
        resets_at_ms: state.now_ms() + seconds * 1_000,
    };
    too_many(state, path, &stand)
}

// Without Retry-After: the guard sends none.
fn too_many(state: &State, path: &str, stand: &Stand) -> Answer {
    let hosted = "ThrottlerException: Too Many Requests";
    let own = "CustomThrottlerGuard - Too many requests. Please try again later.";
    let mut body = if state.config.hosted {
        error(429, "ThrottlerException", hosted, "Too Many Requests").body
    } else {
        json!({"status": "error", "error": {"code": "ThrottlerException", "message": own, "details": own}})
    };
    body["timestamp"] = json!(crate::cal::millis(state.now()));
    body["path"] = json!(path);
    let mut headers = limit_headers(state, stand);
    headers.push(content_type());
    Answer {
        status: 429,
        headers,
        body: body.to_string().into(),
    }
}

fn limit_headers(state: &State, stand: &Stand) -> Vec<(String, String)> {
    let reset = match state.config.reset {
        Reset::SecondsLeft => (stand.resets_at_ms - state.now_ms() + 999).div_euclid(1_000),
        Reset::Unix => (stand.resets_at_ms + 999).div_euclid(1_000),
    };
    [
        ("Limit", i64::from(stand.limit)),
        ("Remaining", i64::from(stand.remaining)),
        ("Reset", reset),
    ]
    .map(|(name, value)| (format!("X-RateLimit-{name}-Default"), value.to_string()))
    .into()
}

pub(super) fn http_date(ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    jiff::fmt::rfc2822::DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&at)
        .expect("every year the clock can show has four digits")
}
