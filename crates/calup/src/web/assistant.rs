//! The assistant's tools over HTTP, and the confirmation of what they propose.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use serde_json::{Value, json};
use store::rows::Token;

use super::Problem;
use crate::app::App;
use crate::proposals::{self, Decided};
use crate::tools::{self, Blame, By, Trouble};

pub async fn list() -> Json<Value> {
    Json(json!({ "tools": tools::schemas() }))
}

pub async fn call(
    State(app): State<Arc<App>>,
    Extension(token): Extension<Token>,
    name: Result<Path<String>, PathRejection>,
    body: Bytes,
) -> Result<Response, Problem> {
    let Path(name) = name?;
    let arguments = if body.iter().all(u8::is_ascii_whitespace) {
        json!({})
    } else {
        serde_json::from_slice(&body).map_err(|_| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                "the body is no JSON",
                Some("send the tool's input as a JSON object"),
            )
        })?
    };
    let by = By { name: token.name };
    Ok(match tools::call(&app, &by, &name, &arguments).await {
        Ok(result) => Json(result).into_response(),
        Err(trouble) => refused(&trouble),
    })
}

pub fn refused(trouble: &Trouble) -> Response {
    let status = match trouble.blame {
        Blame::Input => StatusCode::BAD_REQUEST,
        Blame::NotThere => StatusCode::NOT_FOUND,
        Blame::Setup | Blame::Refused => StatusCode::CONFLICT,
        Blame::Vendor | Blame::Unknown => StatusCode::BAD_GATEWAY,
        Blame::Ours => StatusCode::INTERNAL_SERVER_ERROR,
    };
    (status, Json(trouble.json())).into_response()
}

pub async fn decide(
    State(app): State<Arc<App>>,
    Extension(token): Extension<Token>,
    id: Result<Path<String>, PathRejection>,
    body: Bytes,
) -> Result<Response, Problem> {
    let Path(id) = id?;
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let Some(confirm) = body["confirm"].as_bool() else {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "the body is not what this route takes",
            Some(r#"send {"confirm": true} or {"confirm": false}"#),
        ));
    };
    let by = By { name: token.name };
    // Whoever confirmed it may go away: what came of it is written down all the same.
    let deciding = tokio::spawn(async move { proposals::decide(&app, &id, confirm, &by).await });
    let decided = deciding.await.map_err(|error| {
        tracing::error!(%error, "a decision ended before its time");
        Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "what came of it is not known",
            Some("look at Cal.com before doing it again"),
        )
    })?;
    Ok(match decided? {
        Decided::Now(told) => Json(told).into_response(),
        Decided::NoSuch => Problem::new(
            StatusCode::NOT_FOUND,
            "there is no proposal with that id",
            Some("it may have been made long ago: ask for it anew"),
        )
        .into_response(),
        Decided::Before(told) => (StatusCode::CONFLICT, Json(told)).into_response(),
        Decided::Failed(trouble) => refused(&trouble),
    })
}
