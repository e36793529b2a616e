//! Intake: a webhook is verified over its raw bytes and stored durably before it is answered. Nothing here
//! looks at what the body means, and no vendor is called.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use store::rows::{DEFAULT_PROFILE, NewDelivery};
use vendors::cal::signature;

use crate::app::App;
use crate::body::Refusal;
use crate::config::Config;
use crate::{clock, crash};

const KEPT_HEADERS: [&str; 3] = ["content-type", "x-cal-webhook-version", "user-agent"];
const HEADER_CHARS_MAX: usize = 200;

/// Where a profile's deliveries come in.
pub fn address(config: &Config) -> String {
    let all = format!("{}/api/webhooks/cal", config.public_url);
    if config.is_default_profile() {
        all
    } else {
        format!("{all}/{}", config.profile.name)
    }
}

pub async fn receive_default(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    receive(&app, DEFAULT_PROFILE, &headers, body).await
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
    let mut body = match app.shared.bodies.read(headers, body).await {
        Ok(body) => body,
        Err(refusal) => return refused(refusal),
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
    let Some(secret_index) = signature::verify(&secrets, headers, &body.bytes) else {
        app.refused.fetch_add(1, Ordering::Relaxed);
        if signature::is_missing(headers) {
            app.unsigned.fetch_add(1, Ordering::Relaxed);
        } else if is_known && signature::is_well_formed(headers) {
            app.misfits.add(Instant::now());
        }
        return (
            StatusCode::UNAUTHORIZED,
            [json()],
            r#"{"error":"Invalid signature"}"#,
        )
            .into_response();
    };
    app.misfits.end();
    let delivery = NewDelivery {
        profile: profile.to_owned(),
        received_at: clock::now(),
        sha256: hex::encode(Sha256::digest(&body.bytes)),
        body: std::mem::take(&mut body.bytes),
        headers: kept(headers),
        secret_index,
    };
    // In a task of its own: should the sender hang up, its body counts as held until it is written, and a failure is
    // still told.
    let storing = tokio::spawn({
        let app = app.clone();
        async move {
            let stored = app.store.receive(delivery).await;
            drop(body);
            if let Err(error) = &stored {
                app.unstored.fetch_add(1, Ordering::Relaxed);
                tracing::error!(%error, "could not store a delivery: the sender is told 503");
            }
            stored
        }
    });
    match storing.await {
        Ok(Ok(_id)) => {
            crash::at("stored");
            app.tell_worker();
            (StatusCode::OK, [json()], r#"{"success":true}"#).into_response()
        }
        Ok(Err(_told)) => unstored(),
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

/// The connection is closed after it, since what is left of the body was not read.
pub fn refused(refusal: Refusal) -> Response {
    let (status, body) = match refusal {
        Refusal::TooLarge => (
            StatusCode::PAYLOAD_TOO_LARGE,
            r#"{"error":"the body is larger than 1048576 bytes"}"#,
        ),
        Refusal::Cut => (
            StatusCode::BAD_REQUEST,
            r#"{"error":"the body ended before its announced length"}"#,
        ),
        Refusal::Late => (
            StatusCode::REQUEST_TIMEOUT,
            r#"{"error":"the body did not arrive within 10 seconds"}"#,
        ),
    };
    let close = (header::CONNECTION, HeaderValue::from_static("close"));
    (status, [json(), close], body).into_response()
}
