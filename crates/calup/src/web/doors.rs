//! Which profile a request is for: webhooks and clicks say it in their address, who comes back from Cal.com in the state
//! that was given out, and everybody else by a token, which is one profile's. What says nothing is the environment's own.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use store::rows::DEFAULT_PROFILE;
use tower::ServiceExt;
use url::form_urlencoded;

use super::{Problem, bearer, hashed, router};
use crate::app::App;

/// A profile's name follows.
const NAMING: [&str; 3] = [
    "/api/webhooks/cal/",
    "/api/webhooks/clickup/",
    "/api/slack/interactions/",
];
const CALLBACK: &str = "/api/calcom/callback";
/// The environment's own, whoever asks and whatever the database says.
const OPEN: [&str; 5] = [
    "/api/webhooks/cal",
    "/api/slack/interactions",
    "/connected",
    "/healthz",
    "/readyz",
];

struct Doors {
    own: Arc<App>,
    routers: BTreeMap<String, Router>,
}

/// The first one is the environment's own.
pub fn router_of(apps: &[Arc<App>]) -> Router {
    let [own, others @ ..] = apps else {
        return Router::new();
    };
    if others.is_empty() {
        return router(own.clone());
    }
    let routers = apps.iter().map(|app| {
        let name = app.profile().to_owned();
        (name, router(app.clone()))
    });
    let doors = Arc::new(Doors {
        own: own.clone(),
        routers: routers.collect(),
    });
    Router::new().fallback(move |request: Request| {
        let doors = doors.clone();
        async move { doors.pass(request).await }
    })
}

/// What is given out to whoever is sent to Cal.com.
pub fn state(profile: &str, chance: &str) -> String {
    match profile {
        DEFAULT_PROFILE => chance.to_owned(),
        other => format!("{other}.{chance}"),
    }
}

/// What a request says of whom it is for.
enum Says {
    Profile(Option<String>),
    /// Hashed.
    Token(String),
}

fn says(request: &Request) -> Says {
    let path = request.uri().path();
    if let Some(name) = NAMING.iter().find_map(|naming| path.strip_prefix(naming)) {
        return Says::Profile(Some(name.to_owned()));
    }
    if OPEN.contains(&path) {
        return Says::Profile(None);
    }
    if path == CALLBACK {
        let query = request.uri().query().unwrap_or_default().as_bytes();
        let state = form_urlencoded::parse(query).find(|(name, _)| name == "state");
        let named = state.and_then(|(_, state)| Some(state.split_once('.')?.0.to_owned()));
        return Says::Profile(named);
    }
    match bearer(request.headers()) {
        Some(token) => Says::Token(hashed(token)),
        None => Says::Profile(None),
    }
}

impl Doors {
    async fn pass(&self, request: Request) -> Response {
        let profile = match says(&request) {
            Says::Profile(profile) => profile,
            Says::Token(hash) => match self.own.store.token(&hash).await {
                Ok(token) => token.map(|token| token.profile),
                Err(error) => return Problem::from(error).into_response(),
            },
        };
        // What no door fits is turned away at our own.
        let fits = profile.and_then(|name| self.routers.get(&name));
        let router = fits.unwrap_or(&self.routers[self.own.profile()]);
        let answer = router.clone().oneshot(request).await;
        answer.unwrap_or_else(|never| match never {})
    }
}
