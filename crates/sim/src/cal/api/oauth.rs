//! Cal.com's OAuth server: consent, codes of one use, access tokens that end, refresh tokens that are replaced by each use.
//! A refresh token that is used once more ends the whole grant.

use std::collections::HashMap;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::log::header;
use super::routes::{Outcome, params, raw};
use super::state::State;
use crate::http::Call;

const CODE_LIFE_MS: i64 = 10 * 60 * 1_000;
const REFRESH_LIFE_MS: i64 = 30 * 24 * 3_600 * 1_000;

/// An application that is registered with the pretended Cal.com.
#[derive(Clone, Debug)]
pub struct OAuthClient {
    pub id: String,
    /// A public client has none, and must prove itself by PKCE.
    pub secret: Option<String>,
    pub redirect_uris: Vec<String>,
    pub scopes: Vec<String>,
    /// Until then only its owner may try it.
    pub approved: bool,
}

/// What was granted, to whom, and what has become of it.
#[derive(Debug, Default)]
pub(super) struct Grants {
    pub clients: Vec<OAuthClient>,
    /// Whether the next consent is refused.
    pub refuses: bool,
    codes: HashMap<String, Code>,
    given: Vec<Grant>,
}

#[derive(Debug)]
struct Code {
    client: String,
    redirect_uri: String,
    challenge: Option<String>,
    scopes: Vec<String>,
    ends_at_ms: i64,
}

#[derive(Debug)]
struct Grant {
    client: String,
    scopes: Vec<String>,
    /// The newest last.
    access: Vec<(String, i64)>,
    refresh: Vec<(String, i64)>,
    ended: bool,
}

impl Grants {
    /// What a token may do; `Err` when its time is over.
    pub fn scopes_of(&self, access: &str, now: i64) -> Option<Result<Vec<String>, ()>> {
        self.given.iter().filter(|it| !it.ended).find_map(|grant| {
            let (_, ends_at) = grant.access.iter().find(|(token, _)| token == access)?;
            Some(if now < *ends_at {
                Ok(grant.scopes.clone())
            } else {
                Err(())
            })
        })
    }

    pub fn end_all(&mut self) {
        for grant in &mut self.given {
            grant.ended = true;
        }
    }

    pub fn live(&self) -> usize {
        self.given.iter().filter(|it| !it.ended).count()
    }
}

/// The page where somebody consents, and does so at once.
pub(super) fn authorize(state: &mut State, params: &[(String, String)]) -> Outcome {
    let param = |name: &str| {
        let found = params.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    };
    let page = |text: &str| raw(400, json!(format!("<html><body>{text}</body></html>")));
    let id = param("client_id").unwrap_or_default();
    let Some(client) = state.grants.clients.iter().find(|it| it.id == id).cloned() else {
        return page("unauthorized_client");
    };
    let redirect_uri = param("redirect_uri").unwrap_or_default();
    // Never sent to an address that is not registered to the letter.
    if !client.redirect_uris.iter().any(|it| it == redirect_uri) {
        return page("redirect_uri_mismatch");
    }
    let back = |pairs: &[(&str, &str)]| {
        let Ok(mut url) = url::Url::parse(redirect_uri) else {
            return page("redirect_uri_mismatch");
        };
        url.query_pairs_mut().extend_pairs(pairs);
        if let Some(given) = param("state") {
            url.query_pairs_mut().append_pair("state", given);
        }
        Outcome {
            location: Some(url.into()),
            ..raw(302, Value::Null)
        }
    };
    let refuse = |error: &str, why: &str| back(&[("error", error), ("error_description", why)]);
    if param("response_type") != Some("code") {
        return refuse("unsupported_response_type", "unsupported_response_type");
    }
    if !client.approved {
        return refuse("unauthorized_client", "client_not_approved");
    }
    let scopes: Vec<String> = param("scope")
        .unwrap_or_default()
        .split([' ', ','])
        .filter(|it| !it.is_empty())
        .map(str::to_owned)
        .collect();
    if scopes.is_empty() {
        return refuse("invalid_scope", "scope_required");
    }
    if scopes.iter().any(|it| !client.scopes.contains(it)) {
        return refuse("invalid_scope", "scope_exceeds_client_registration");
    }
    let challenge = param("code_challenge").map(str::to_owned);
    if challenge.is_none() && client.secret.is_none() {
        return refuse("invalid_request", "pkce_required");
    }
    if challenge.is_some() && param("code_challenge_method") != Some("S256") {
        return refuse("invalid_request", "invalid_code_challenge_method");
    }
    if state.grants.refuses {
        return refuse("access_denied", "access_denied");
    }
    let code = state.producer.new_uid();
    let ends_at_ms = state.now_ms() + CODE_LIFE_MS;
    state.grants.codes.insert(
        code.clone(),
        Code {
            client: client.id.clone(),
            redirect_uri: redirect_uri.to_owned(),
            challenge,
            scopes,
            ends_at_ms,
        },
    );
    back(&[("code", &code)])
}

/// `POST /v2/auth/oauth2/token`: a form, or JSON.
pub(super) fn token(state: &mut State, call: &Call) -> Outcome {
    let fields = if header(call, "content-type").starts_with("application/json") {
        let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        let fields = body.as_object().into_iter().flatten();
        fields
            .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
            .collect()
    } else {
        params(&String::from_utf8_lossy(&call.body))
    };
    let field = |name: &str| {
        let found = fields.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    };
    let Some(id) = field("client_id") else {
        return refuse(400, "invalid_request", "client_id is required");
    };
    let Some(client) = state.grants.clients.iter().find(|it| it.id == id).cloned() else {
        return refuse(401, "invalid_client", "client_not_found");
    };
    if client.secret.is_some() && client.secret.as_deref() != field("client_secret") {
        return refuse(401, "invalid_client", "invalid_client_credentials");
    }
    match field("grant_type") {
        Some("authorization_code") => exchange(
            state,
            &client,
            field("code").unwrap_or_default(),
            field("redirect_uri"),
            field("code_verifier"),
        ),
        Some("refresh_token") => {
            refresh(state, &client, field("refresh_token").unwrap_or_default())
        }
        _ => refuse(
            400,
            "invalid_request",
            "grant_type must be 'authorization_code' or 'refresh_token'",
        ),
    }
}

fn exchange(
    state: &mut State,
    client: &OAuthClient,
    code: &str,
    redirect_uri: Option<&str>,
    verifier: Option<&str>,
) -> Outcome {
    // Used up by the first who tries it, whatever comes of that.
    let found = state.grants.codes.remove(code);
    let now = state.now_ms();
    let Some(code) = found.filter(|it| it.client == client.id && now < it.ends_at_ms) else {
        return refuse(400, "invalid_grant", "code_invalid_or_expired");
    };
    if redirect_uri != Some(code.redirect_uri.as_str()) {
        return refuse(400, "invalid_grant", "redirect_uri_mismatch");
    }
    if let Some(challenge) = &code.challenge {
        let Some(verifier) = verifier else {
            let why = "pkce_missing_parameters_or_invalid_method";
            return refuse(400, "invalid_request", why);
        };
        if base64url(&Sha256::digest(verifier)) != *challenge {
            return refuse(400, "invalid_grant", "pkce_verification_failed");
        }
    }
    state.grants.given.push(Grant {
        client: client.id.clone(),
        scopes: code.scopes,
        access: Vec::new(),
        refresh: Vec::new(),
        ended: false,
    });
    let at = state.grants.given.len() - 1;
    issue(state, at)
}

fn refresh(state: &mut State, client: &OAuthClient, token: &str) -> Outcome {
    let now = state.now_ms();
    let grants = &mut state.grants.given;
    let at = grants.iter().position(|it| {
        it.client == client.id && it.refresh.iter().any(|(known, _)| known == token)
    });
    let Some(at) = at else {
        return refuse(400, "invalid_grant", "invalid_refresh_token");
    };
    let grant = &mut grants[at];
    let newest = grant.refresh.last().filter(|(known, _)| known == token);
    let Some((_, ends_at)) = newest else {
        grant.ended = true;
        return refuse(400, "invalid_grant", "refresh_token_revoked");
    };
    if grant.ended || now >= *ends_at {
        return refuse(400, "invalid_grant", "invalid_refresh_token");
    }
    issue(state, at)
}

fn issue(state: &mut State, at: usize) -> Outcome {
    let [access, refresh] = [0, 1].map(|_| {
        let parts = [state.producer.new_uid(), state.producer.new_uid()];
        format!("eyJhbGciOiJIUzI1NiJ9.{}", parts.join("."))
    });
    let now = state.now_ms();
    let life = state.config.access_life;
    let life_ms = i64::try_from(life.as_millis()).unwrap_or(1_800_000);
    let grant = &mut state.grants.given[at];
    grant.access.push((access.clone(), now + life_ms));
    grant.refresh.push((refresh.clone(), now + REFRESH_LIFE_MS));
    raw(
        200,
        json!({
            "access_token": access,
            "token_type": "bearer",
            "refresh_token": refresh,
            "expires_in": life.as_secs(),
            "scope": grant.scopes.join(" "),
        }),
    )
}

/// Not the envelope of the rest of the API.
fn refuse(status: u16, error: &str, why: &str) -> Outcome {
    raw(status, json!({"error": error, "error_description": why}))
}

fn base64url(bytes: &[u8]) -> String {
    const SIGNS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let mut bits = [0; 3];
        bits[..three.len()].copy_from_slice(three);
        let bits = u32::from_be_bytes([0, bits[0], bits[1], bits[2]]);
        for n in 0..=three.len() {
            let sign = (bits >> (18 - 6 * n)) & 63;
            text.push(char::from(SIGNS[sign as usize]));
        }
    }
    text
}
