//! `POST /api/webhooks/clickup/{profile}`: verified over the raw bytes, noted, answered. No vendor is called meanwhile. 401
//! and 410 are never answered, because ClickUp gives a webhook up at once for either.
//! <https://developer.clickup.com/docs/webhookhealth>

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use store::rows::Hook;
use vendors::clickup::event::{self, Event};

use super::{KNOWN_FOR, KNOWN_FOR_MIN};
use crate::app::App;
use crate::inbox;

pub async fn receive(
    State(app): State<Arc<App>>,
    profile: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let body = match app.shared.bodies.read(&headers, body).await {
        Ok(body) => body.bytes,
        Err(refusal) => return inbox::refused(refusal),
    };
    // What cannot be read names no profile.
    let is_ours = profile.is_ok_and(|Path(name)| name == app.config.profile.name);
    let signer = if is_ours {
        signer(&app, &headers, &body).await
    } else {
        Ok(None)
    };
    let hook = match signer {
        Ok(Some(hook)) => hook,
        Ok(None) => {
            app.hooks.refused.fetch_add(1, Ordering::Relaxed);
            if is_ours && event::is_well_formed(&headers) {
                app.hooks.misfits.add(Instant::now());
            }
            return answer(StatusCode::FORBIDDEN, r#"{"error":"Invalid signature"}"#);
        }
        Err(error) => {
            tracing::error!(%error, "could not look up who signs ClickUp's events");
            let unusable =
                r#"{"error":"the database could not be used","hint":"the server's log says why"}"#;
            return answer(StatusCode::SERVICE_UNAVAILABLE, unusable);
        }
    };
    app.hooks.misfits.end();
    app.hooks.taken.fetch_add(1, Ordering::Relaxed);
    app.hooks.heard(&app);
    if let Some(event) = Event::read(&body) {
        // What calup writes itself is in the index already.
        let is_own = hook.user.is_some_and(|user| event.is_by(&user));
        if !is_own {
            app.hooks.stale.add(event.lead, event.what, Instant::now());
        }
    }
    answer(StatusCode::OK, r#"{"success":true}"#)
}

/// Whose secret signed it. One that another replica has just registered is looked for once more.
async fn signer(app: &App, headers: &HeaderMap, body: &[u8]) -> Result<Option<Hook>, store::Error> {
    if !event::is_well_formed(headers) {
        return Ok(None);
    }
    for at_most in [KNOWN_FOR, KNOWN_FOR_MIN] {
        let hooks = app.hooks.known(app, at_most).await?;
        let secrets: Vec<&[u8]> = hooks.iter().map(|hook| hook.secret.as_bytes()).collect();
        if let Some(at) = event::verify(&secrets, headers, body) {
            return Ok(Some(hooks[at].clone()));
        }
    }
    Ok(None)
}

fn answer(status: StatusCode, body: &'static str) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
