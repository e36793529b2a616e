//! Intake: a webhook is verified over its raw bytes and stored durably before it is answered. Nothing here
//! looks at what the body means, and no vendor is called.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use store::rows::NewDelivery;
use vendors::cal::signature;

use crate::app::App;
use crate::clock;

pub const BODY_BYTES_MAX: usize = 1_048_576;
pub const BODY_DEADLINE: Duration = Duration::from_secs(10);
const KEPT_HEADERS: [&str; 3] = ["content-type", "x-cal-webhook-version", "user-agent"];
const HEADER_CHARS_MAX: usize = 200;

pub async fn receive_default(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    receive(&app, "default", &headers, body).await
}

pub async fn receive_for(
    State(app): State<Arc<App>>,
    profile: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    // What cannot be read names no profile.
    let profile = profile.map_or_else(|_| String::new(), |Path(name)| name);
    receive(&app, &profile, &headers, body).await
}

async fn receive(app: &Arc<App>, profile: &str, headers: &HeaderMap, body: Body) -> Response {
    let body = match read(headers, body).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let is_known = profile == app.config.profile.name;
    let secrets = if is_known {
        app.webhook_secrets()
    } else {
        Arc::default()
    };
    let secrets: Vec<&[u8]> = secrets
        .iter()
        .map(|s| s.expose_secret().as_bytes())
        .collect();
    let Some(secret_index) = signature::verify(&secrets, headers, &body) else {
        app.refused.fetch_add(1, Ordering::Relaxed);
        if signature::is_missing(headers) {
            app.unsigned.fetch_add(1, Ordering::Relaxed);
        }
        return (
            StatusCode::UNAUTHORIZED,
            [json()],
            r#"{"error":"Invalid signature"}"#,
        )
            .into_response();
    };
    let delivery = NewDelivery {
        profile: profile.to_owned(),
        received_at: clock::now(),
        sha256: hex::encode(Sha256::digest(&body)),
        body,
        headers: kept(headers),
        secret_index,
    };
    // In a task of its own: a sender that hangs up must not stop the write half-way.
    let storing = tokio::spawn({
        let app = app.clone();
        async move { app.store.receive(delivery).await }
    });
    match storing.await {
        Ok(Ok(_id)) => {
            app.wake.notify_one();
            (StatusCode::OK, [json()], r#"{"success":true}"#).into_response()
        }
        Ok(Err(error)) => {
            tracing::error!(%error, "could not store a delivery: the sender is told 503");
            unstored()
        }
        Err(error) => {
            tracing::error!(%error, "could not store a delivery: the sender is told 503");
            unstored()
        }
    }
}

fn unstored() -> Response {
    let body = r#"{"error":"the delivery could not be stored","hint":"send it again; the server's log says what is wrong with its database"}"#;
    (StatusCode::SERVICE_UNAVAILABLE, [json()], body).into_response()
}

fn json() -> (header::HeaderName, HeaderValue) {
    (
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    )
}

fn kept(headers: &HeaderMap) -> Vec<(String, String)> {
    KEPT_HEADERS
        .iter()
        .filter_map(|name| {
            let value = headers.get(*name)?.to_str().ok()?;
            Some((
                (*name).to_owned(),
                value.chars().take(HEADER_CHARS_MAX).collect(),
            ))
        })
        .collect()
}

/// The raw bytes, or the answer that a body without them deserves. The connection is closed after it, since
/// what is left of the body was not read.
async fn read(headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Response> {
    let refuse = |status: StatusCode, body: &'static str| {
        Err((
            status,
            [
                json(),
                (header::CONNECTION, HeaderValue::from_static("close")),
            ],
            body,
        )
            .into_response())
    };
    let too_large = || {
        refuse(
            StatusCode::PAYLOAD_TOO_LARGE,
            r#"{"error":"the body is larger than 1048576 bytes"}"#,
        )
    };
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > BODY_BYTES_MAX as u64) {
        return too_large();
    }
    let mut body = body;
    let mut bytes = Vec::with_capacity(announced.unwrap_or(4_096) as usize);
    let reading = async {
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return Some(false) };
            if let Ok(data) = frame.into_data() {
                if bytes.len() + data.len() > BODY_BYTES_MAX {
                    return None;
                }
                bytes.extend_from_slice(&data);
            }
        }
        Some(true)
    };
    match tokio::time::timeout(BODY_DEADLINE, reading).await {
        Ok(Some(true)) => Ok(bytes),
        Ok(Some(false)) => refuse(
            StatusCode::BAD_REQUEST,
            r#"{"error":"the body ended before its announced length"}"#,
        ),
        Ok(None) => too_large(),
        Err(_) => refuse(
            StatusCode::REQUEST_TIMEOUT,
            r#"{"error":"the body did not arrive within 10 seconds"}"#,
        ),
    }
}
