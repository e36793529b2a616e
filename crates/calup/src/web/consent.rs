//! Connecting Cal.com by OAuth: where somebody is sent for their consent, and what comes back with them.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use domain::outcome::Failure;
use jiff::SignedDuration;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use store::rows::{Paper, PaperKind, Token};
use vendors::cal::oauth::{self, Verifier};

use super::{Problem, doors};
use crate::app::App;
use crate::clock;

/// As long as a code lasts.
const OPEN_FOR: SignedDuration = SignedDuration::from_mins(10);
const BEGIN_ANEW: &str = "begin anew at GET /api/calcom/auth-url";

/// Asked for, and not come back yet. It is kept per profile, under its state.
#[derive(Serialize, Deserialize)]
struct Consent {
    verifier: String,
    /// The token by which it was asked for.
    asked_by: String,
}

pub async fn begin(
    State(app): State<Arc<App>>,
    Extension(token): Extension<Token>,
) -> Result<Json<Value>, Problem> {
    let client = app.calcom().and_then(|account| account.grants.oauth());
    let client = client.ok_or_else(|| {
        Problem::new(
            StatusCode::CONFLICT,
            "there is no OAuth client",
            Some("make one at Cal.com (Settings → Developer → OAuth), and set CALCOM_CLIENT_ID and CALCOM_CLIENT_SECRET"),
        )
    })?;
    let state = doors::state(app.profile(), &hex::encode(clock::secret()));
    let verifier = Verifier::of(clock::secret());
    let consent = Consent {
        verifier: verifier.secret().expose_secret().to_owned(),
        asked_by: token.hash,
    };
    let now = clock::now();
    let paper = Paper {
        id: kept_as(&state),
        version: 0,
        body: serde_json::to_vec(&consent).unwrap_or_default(),
        until: Some(now + OPEN_FOR),
    };
    let profile = &app.config.profile.name;
    app.store
        .write_paper(profile, PaperKind::Consent, &paper, now)
        .await?;
    let url = client.authorize_url(&state, &verifier);
    Ok(Json(json!({ "url": url.as_str() })))
}

#[derive(Debug, Deserialize)]
pub struct Back {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
}

pub async fn end(
    State(app): State<Arc<App>>,
    query: Result<Query<Back>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(back) = query?;
    let consent = used_up(&app, back.state.as_deref().unwrap_or_default()).await?;
    if let Some(error) = &back.error {
        return Err(failed(oauth::denied(error)));
    }
    let code = back.code.filter(|code| !code.is_empty()).ok_or_else(bad)?;
    let account = app.calcom().ok_or_else(bad)?;
    let client = account.grants.oauth().ok_or_else(bad)?;
    let verifier = Verifier::kept(consent.verifier.into());
    let tokens = client.exchange(&code, &verifier).await.map_err(failed)?;
    account.grants.keep(&tokens).await?;
    account.forget().await;
    tracing::info!("Cal.com is connected by OAuth");
    let home = format!("{}/connected", app.config.public_url);
    Ok((StatusCode::FOUND, [(header::LOCATION, home)]).into_response())
}

/// For whoever was sent to Cal.com and back.
pub async fn connected() -> &'static str {
    "Cal.com is connected to calup. You may close this page.\n"
}

/// What this state was given for, once: of several who come back with it, one goes on.
async fn used_up(app: &App, state: &str) -> Result<Consent, Problem> {
    let (id, profile) = (kept_as(state), &app.config.profile.name);
    let kept = app
        .store
        .paper(profile, PaperKind::Consent, &id, clock::now())
        .await?;
    let kept = kept.ok_or_else(bad)?;
    let is_first = app
        .store
        .remove_paper(profile, PaperKind::Consent, &id, kept.version)
        .await?;
    if !is_first {
        return Err(bad());
    }
    let consent: Consent = serde_json::from_slice(&kept.body).map_err(|_| bad())?;
    // A token that was taken back meanwhile connects nothing any more.
    app.store.token(&consent.asked_by).await?.ok_or_else(bad)?;
    Ok(consent)
}

/// The state itself stands nowhere: whoever reads the database cannot come back with it.
fn kept_as(state: &str) -> String {
    hex::encode(Sha256::digest(state.as_bytes()))
}

fn bad() -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "nobody was sent to Cal.com with this state, or it was used already, or it took longer than ten minutes",
        Some(BEGIN_ANEW),
    )
}

fn failed(failure: Failure) -> Problem {
    match &failure {
        Failure::NeedsOperator { what, hint } => Problem::new(
            StatusCode::CONFLICT,
            &format!("could not {what}"),
            Some(hint),
        ),
        Failure::Refused { .. } | Failure::Gone { .. } => Problem::new(
            StatusCode::BAD_REQUEST,
            &failure.to_string(),
            Some(BEGIN_ANEW),
        ),
        Failure::Transient { .. } | Failure::Limited { .. } | Failure::Unknown { .. } => {
            Problem::new(
                StatusCode::BAD_GATEWAY,
                &failure.to_string(),
                Some(BEGIN_ANEW),
            )
        }
    }
}
