//! `GET /readyz`: whether deliveries can be stored. Anybody may ask, as often as they like, so the answer is kept for
//! a second, costs a write only when that tells something new, and names nobody.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use serde_json::json;
use tokio::sync::Mutex;

use crate::app::App;

const KEPT: Duration = Duration::from_secs(1);
/// Nothing was written for so long: what went well then proves nothing any more.
const PROVEN: Duration = Duration::from_secs(60);

#[derive(Default)]
pub struct Readiness(Mutex<Option<Known>>);

#[derive(Clone, Copy)]
struct Known {
    looked_at: Instant,
    is_usable: bool,
    is_paused: bool,
    commits: u64,
    wrote_at: Instant,
}

pub async fn answer(State(app): State<Arc<App>>) -> Response {
    let known = known(&app).await;
    let is_down = app.health.lock().expect("no holder panics").down;
    let status = if known.is_usable {
        "ready"
    } else {
        "the database is unusable; the server's log says why"
    };
    let webhook_secret = if app.webhook_secrets().is_empty() {
        "not set: every delivery is refused"
    } else {
        "set"
    };
    let clickup = match (app.crm().is_some(), known.is_paused, is_down) {
        (false, _, _) => "no token set: deliveries wait",
        (true, true, _) => "paused: deliveries wait; GET /api/notices says why",
        (true, false, true) => "does not answer: deliveries wait",
        (true, false, false) => "ok",
    };
    let work = match (app.store.is_shared(), app.lease.is_over()) {
        (false, _) => "as the only process",
        (true, false) => "here",
        (true, true) => "not here: another replica's turn, or nobody's",
    };
    let unsigned = app.unsigned.load(Ordering::Relaxed);
    let refused = app.refused.load(Ordering::Relaxed);
    let body = json!({
        "status": status,
        "webhook_secret": webhook_secret,
        "clickup": clickup,
        "work": work,
        "refused": { "unsigned": unsigned, "wrong_signature": refused.saturating_sub(unsigned) },
        "clickup_events": {
            "taken": app.hooks.taken.load(Ordering::Relaxed),
            "refused": app.hooks.refused.load(Ordering::Relaxed),
        },
    });
    let code = if known.is_usable {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (code, Json(body)).into_response()
}

/// One caller looks, the others wait for what it finds.
async fn known(app: &App) -> Known {
    let mut kept = app.readiness.0.lock().await;
    let now = Instant::now();
    if let Some(known) = kept.filter(|known| now.duration_since(known.looked_at) < KEPT) {
        return known;
    }
    let commits = app.store.commits();
    let wrote_at = match *kept {
        Some(before) if before.commits == commits => before.wrote_at,
        Some(_) | None => now,
    };
    let looked = app.store.paused(&app.config.profile.name).await;
    let is_paused = matches!(&looked, Ok(Some(_)));
    let is_proven = !app.store.is_failing() && now.duration_since(wrote_at) < PROVEN;
    let usable = match looked {
        Ok(_) if !is_proven => app.store.healthy().await,
        looked => looked.map(|_| ()),
    };
    if let Err(error) = &usable {
        tracing::error!(%error, "the database is unusable");
    }
    let known = Known {
        looked_at: now,
        is_usable: usable.is_ok(),
        is_paused,
        commits,
        wrote_at,
    };
    *kept = Some(known);
    known
}
