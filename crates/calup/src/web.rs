//! Every route. Webhooks are open and signed, and who comes back from Cal.com has a state that was given out; everything
//! else under `/api` wants a token.

mod assistant;
mod body;
mod chat;
mod consent;
mod doors;
mod mcp;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use store::rows::{Delivery, DeliveryFilter, Status, Token};

use crate::app::App;
use crate::{answers, explain, hooks, inbox, ready, slack, view};

pub use doors::router_of;

/// What a token reaches: everything, or the assistant's tools only.
pub const ALL: &str = "all";
pub const TOOLS: &str = "tools";

const LIMIT_DEFAULT: usize = 50;
const LIMIT_MAX: usize = 500;
const API_BODY_BYTES_MAX: usize = 1024 * 1024;
const TOOL_INPUT_BYTES_MAX: usize = 64 * 1024;
const REPLAY_BYTES_MAX: usize = 16 * 1024;

/// For one profile.
pub fn router(app: Arc<App>) -> Router {
    let guarded = Router::new()
        .route("/api/deliveries", get(deliveries))
        .route("/api/deliveries/{id}", get(delivery))
        .route("/api/deliveries/{id}/replay", post(replay))
        .route("/api/bookings/{uid}", get(booking))
        .route("/api/counts", get(counts))
        .route("/api/notices", get(notices))
        .route("/api/questions", get(answers::list))
        .route("/api/questions/{id}", post(answers::answer))
        .route("/api/chat", post(chat::receive))
        .route("/api/proposals/{id}", post(assistant::decide))
        .route("/api/calcom/auth-url", get(consent::begin))
        .route_layer(middleware::from_fn_with_state(
            API_BODY_BYTES_MAX,
            body::whole,
        ))
        .route_layer(middleware::from_fn_with_state(app.clone(), authorize));
    // What a model may be given a token for.
    let tools = Router::new()
        .route("/api/tools", get(assistant::list))
        .route("/api/tools/{name}", post(assistant::call))
        .route_layer(middleware::from_fn_with_state(
            TOOL_INPUT_BYTES_MAX,
            body::whole,
        ))
        .route_layer(middleware::from_fn_with_state(app.clone(), authorize_tools));
    let mcp = Router::new()
        .route_service("/mcp", mcp::service(app.clone()))
        .route_layer(middleware::from_fn_with_state(
            TOOL_INPUT_BYTES_MAX,
            body::whole,
        ))
        .route_layer(middleware::from_fn_with_state(app.clone(), authorize_tools))
        .route_layer(middleware::from_fn_with_state(
            app.clone(),
            mcp::only_as_ourselves,
        ));
    Router::new()
        .route("/api/webhooks/cal", post(inbox::receive_default))
        .route("/api/webhooks/cal/{profile}", post(inbox::receive_for))
        .route(
            "/api/webhooks/clickup/{profile}",
            post(hooks::receive::receive),
        )
        .route("/api/slack/interactions", post(slack::clicks::receive))
        .route(
            "/api/slack/interactions/{profile}",
            post(slack::clicks::receive_for),
        )
        .route("/api/calcom/callback", get(consent::end))
        .route("/connected", get(consent::connected))
        .route(
            "/healthz",
            get(|| async { Json(json!({ "status": "ok" })) }),
        )
        .route("/readyz", get(ready::answer))
        .merge(guarded)
        .merge(tools)
        .merge(mcp)
        .fallback(|| async { Problem::new(StatusCode::NOT_FOUND, "there is no such route", None) })
        .method_not_allowed_fallback(|| async {
            Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "this route does not take that method",
                None,
            )
        })
        .with_state(app)
}

/// `{"error": …, "hint": …}` with a status that says whose fault it was.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    error: String,
    hint: Option<String>,
}

impl Problem {
    pub fn new(status: StatusCode, error: &str, hint: Option<&str>) -> Self {
        Self {
            status,
            error: error.to_owned(),
            hint: hint.map(ToOwned::to_owned),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({ "error": self.error });
        if let Some(hint) = self.hint {
            body["hint"] = Value::String(hint);
        }
        (self.status, Json(body)).into_response()
    }
}

impl From<QueryRejection> for Problem {
    fn from(_: QueryRejection) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "the part of the address behind `?` cannot be read",
            Some("name each parameter once, percent-encoded as UTF-8"),
        )
    }
}

impl From<PathRejection> for Problem {
    fn from(_: PathRejection) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "the address cannot be read",
            Some("percent-encode it as UTF-8"),
        )
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        tracing::error!(%error, "could not use the database");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the database could not be used",
            Some("the server's log says why"),
        )
    }
}

async fn authorize(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let token = token(&app, request.headers()).await?;
    if token.scope != ALL {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "this token reaches the assistant's tools only, and can confirm nothing",
            Some("`calup token new` without `--scope tools` makes one for everything"),
        ));
    }
    Ok(go_on(token, request, next).await)
}

async fn authorize_tools(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let token = token(&app, request.headers()).await?;
    if ![ALL, TOOLS].contains(&token.scope.as_str()) {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "this token does not reach the assistant's tools",
            Some("`calup token new --scope tools` makes one that does"),
        ));
    }
    Ok(go_on(token, request, next).await)
}

async fn go_on(token: Token, mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(token);
    next.run(request).await
}

async fn token(app: &App, headers: &HeaderMap) -> Result<Token, Problem> {
    let denied = || {
        Problem::new(
            StatusCode::UNAUTHORIZED,
            "this route wants `Authorization: Bearer <token>`",
            Some("`calup token new` makes a token"),
        )
    };
    let token = bearer(headers).ok_or_else(denied)?;
    let token = app.store.token(&hashed(token)).await?;
    // One of a profile that is not served any more may have come to another's door.
    let own = token.filter(|token| token.profile == app.profile());
    own.ok_or_else(denied)
}

/// As it is kept.
pub fn hashed(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim())
        .filter(|t| !t.is_empty())
}

#[derive(Debug, Deserialize)]
struct Listing {
    status: Option<String>,
    uid: Option<String>,
    sha256: Option<String>,
    limit: Option<String>,
    after: Option<String>,
}

/// How many of a list are asked for; more than the most there is, and it is that.
pub fn limit(asked: Option<String>) -> Result<usize, Problem> {
    let Some(asked) = asked.filter(|text| !text.is_empty()) else {
        return Ok(LIMIT_DEFAULT);
    };
    let number = asked.parse::<usize>().ok().filter(|n| *n > 0);
    let number = number.ok_or_else(|| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            &format!("`limit` must be a number from 1 to {LIMIT_MAX}"),
            None,
        )
    })?;
    Ok(number.min(LIMIT_MAX))
}

async fn deliveries(
    State(app): State<Arc<App>>,
    query: Result<Query<Listing>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(query) = query?;
    let some = |text: Option<String>| text.filter(|t| !t.is_empty());
    let status = match some(query.status) {
        None => None,
        Some(name) => Some(Status::parse(&name).ok_or_else(|| {
            let names: Vec<&str> = Status::ALL.iter().map(|s| s.name()).collect();
            Problem::new(
                StatusCode::BAD_REQUEST,
                "`status` is not a status of a delivery",
                Some(&format!("one of {}", names.join(", "))),
            )
        })?),
    };
    let limit = limit(query.limit)?;
    let filter = DeliveryFilter {
        profile: Some(app.profile().to_owned()),
        status,
        uid: some(query.uid),
        sha256: some(query.sha256).map(|s| s.to_lowercase()),
        limit: limit + 1,
        after: some(query.after),
    };
    let mut found = app.store.deliveries(&filter).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = if more {
        found.last().map(|d| d.id.clone())
    } else {
        None
    };
    let deliveries: Vec<Value> = found.iter().map(view::delivery).collect();
    Ok(Json(json!({ "deliveries": deliveries, "next": next })))
}

/// Another profile's is as good as none.
async fn own_delivery(app: &App, id: &str) -> Result<Delivery, Problem> {
    let found = app.store.delivery(id).await?;
    let own = found.filter(|delivery| delivery.profile == app.profile());
    own.ok_or_else(no_delivery)
}

fn no_delivery() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "there is no delivery with that id",
        Some("GET /api/deliveries lists them"),
    )
}

async fn delivery(
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Value>, Problem> {
    let Path(id) = id?;
    let found = own_delivery(&app, &id).await?;
    let mut out = view::delivery(&found);
    out["headers"] = found
        .headers
        .iter()
        .map(|(k, v)| (k.clone(), Value::from(v.clone())))
        .collect::<serde_json::Map<_, _>>()
        .into();
    out["body"] = view::body(&found.body);
    Ok(Json(out))
}

async fn replay(
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Json<Value>, Problem> {
    let Path(id) = id?;
    let body = axum::body::to_bytes(request.into_body(), REPLAY_BYTES_MAX)
        .await
        .map_err(|_| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large", None))?;
    let dry_run = dry_run(&body).ok_or_else(|| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "the body is not what this route takes",
            Some(r#"send {"dry_run": true}, {"dry_run": false}, or nothing"#),
        )
    })?;
    let found = own_delivery(&app, &id).await?;
    if dry_run {
        let explained = explain::body(&app, &found.body, found.received_at).await;
        return Ok(Json(
            json!({ "id": id, "dry_run": true, "plans": explained }),
        ));
    }
    if !app.store.replay(&id).await? {
        return Err(no_delivery());
    }
    app.tell_worker();
    Ok(Json(json!({ "id": id, "status": "pending" })))
}

/// Nothing means no; anything but a plain yes or no is no answer to "shall it be done?".
fn dry_run(body: &[u8]) -> Option<bool> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Some(false);
    }
    match serde_json::from_slice::<Value>(body).ok()? {
        Value::Object(asked) if asked.keys().all(|key| key == "dry_run") => {
            asked.get("dry_run").map_or(Some(false), Value::as_bool)
        }
        _ => None,
    }
}

async fn booking(
    State(app): State<Arc<App>>,
    uid: Result<Path<String>, PathRejection>,
) -> Result<Json<Value>, Problem> {
    let Path(uid) = uid?;
    let proof = app.store.proof(app.profile(), &uid).await?;
    if proof.deliveries.is_empty() && proof.changes.is_empty() {
        return Err(Problem::new(
            StatusCode::NOT_FOUND,
            "no delivery has named that booking",
            None,
        ));
    }
    Ok(Json(view::proof(&uid, &proof)))
}

async fn counts(State(app): State<Arc<App>>) -> Result<Json<Value>, Problem> {
    let counts = app.store.counts(Some(app.profile())).await?;
    Ok(Json(view::counts(
        &counts,
        app.refused.load(Ordering::Relaxed),
    )))
}

async fn notices(State(app): State<Arc<App>>) -> Result<Json<Value>, Problem> {
    let notices = app.store.notices(app.profile(), LIMIT_DEFAULT * 2).await?;
    let notices: Vec<Value> = notices.iter().map(view::notice).collect();
    Ok(Json(json!({ "notices": notices })))
}
