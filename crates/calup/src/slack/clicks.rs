//! A click on a button: `POST /api/slack/interactions`, answered at once and worked on afterwards, and the same from a
//! socket.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::outcome::Failure;
use secrecy::ExposeSecret;
use store::rows::{Answer, Answered};
use vendors::slack::interaction::{SIGNATURE_HEADER, TIMESTAMP_HEADER};
use vendors::slack::{Click, Rejected, Reply, verify};

use super::message::{self, IGNORE, MEETING, NEW, PERSON};
use crate::app::App;
use crate::{answers, clock, inbox};

/// Slack takes an answer to a click for half an hour.
const TRIES: u32 = 5;
const AFTER_FAILURE: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(300);

pub async fn receive_for(
    State(app): State<Arc<App>>,
    profile: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    if profile.is_ok_and(|Path(name)| name == app.profile()) {
        receive(State(app), headers, body).await
    } else {
        refused()
    }
}

pub async fn receive(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Response {
    let body = match app.shared.bodies.read(&headers, body).await {
        Ok(body) => body,
        Err(refusal) => return inbox::refused(refusal),
    };
    let text = |name: &str| {
        headers
            .get(name)
            .and_then(|v| v.to_str().ok())
            .unwrap_or("")
    };
    let (timestamp, signature) = (text(TIMESTAMP_HEADER), text(SIGNATURE_HEADER));
    let secret = app.slack_signing_secret();
    let secret = secret.as_ref().map_or("", |s| s.expose_secret()).as_bytes();
    if let Err(rejected) = verify(secret, timestamp, signature, &body.bytes, clock::now()) {
        tracing::warn!("an interaction was refused: {rejected}");
        if rejected == Rejected::Forged {
            app.slack_misfits.add(Instant::now());
        }
        return refused();
    }
    app.slack_misfits.end();
    if let Some(click) = Click::from_form(&body.bytes) {
        // Slack shows an error to whoever clicked when it is not answered within three seconds.
        tokio::spawn(async move { heard(&app, click).await });
    }
    StatusCode::OK.into_response()
}

fn refused() -> Response {
    let json = [(header::CONTENT_TYPE, "application/json")];
    let body = r#"{"error":"Invalid signature"}"#;
    (StatusCode::UNAUTHORIZED, json, body).into_response()
}

/// What is neither ours nor a button is of no interest.
fn answer(click: &Click) -> Option<(String, Answer)> {
    let (question, lead) = match click.value.split_once(' ') {
        Some((question, lead)) => (question, Some(lead.to_owned())),
        None => (click.value.as_str(), None),
    };
    let is = |name: &str| click.action_id.starts_with(name);
    let answer = match lead {
        Some(lead) if is(PERSON) => Answer::Person(lead),
        Some(lead) if is(MEETING) => Answer::Meeting(lead),
        None if is(NEW) => Answer::New,
        None if is(IGNORE) => Answer::Ignore,
        Some(_) | None => return None,
    };
    Some((question.to_owned(), answer))
}

pub async fn heard(app: &App, click: Click) {
    let Some((question, answer)) = answer(&click) else {
        return;
    };
    let by = if click.user_name.is_empty() {
        click.user_id.clone()
    } else {
        click.user_name.clone()
    };
    match answers::own(app.store.as_ref(), app.profile(), &question).await {
        Ok(Some(_)) => stands(app, &question, &click).await,
        Ok(None) => {}
        Err(error) => tracing::info!(%error, "could not look up a question"),
    }
    let whisper = match answers::give(app, &question, answer, &by).await {
        Ok(Answered::First | Answered::Late) => {
            show(app, &question, &click).await;
            return;
        }
        Ok(Answered::Before(given)) => {
            // Whoever clicked had buttons before them still.
            show(app, &question, &click).await;
            format!("{} has decided this already.", given.by)
        }
        Ok(Answered::NoSuch) => "This question is not known here any more.".to_owned(),
        Err(error) => {
            tracing::error!(%error, question.id = %question, "could not take an answer");
            "The answer could not be kept; please click again in a minute.".to_owned()
        }
    };
    tell(app, &click, Reply::Whisper(&whisper)).await;
}

/// A click tells where its question stands, also when the answer to its post was lost.
async fn stands(app: &App, question: &str, click: &Click) {
    let (Some(channel), Some(ts)) = (&click.channel, &click.ts) else {
        return;
    };
    if let Err(error) = app.store.posted(question, channel, ts).await {
        tracing::info!(%error, question.id = question, "could not record where a question stands");
    }
}

/// At once; whoever works for the profile does it as well, should this fail.
async fn show(app: &App, id: &str, click: &Click) {
    if let Ok(Some(question)) = app.store.question(id).await {
        tell(app, click, Reply::Replace(&message::of(&question))).await;
    }
}

async fn tell(app: &App, click: &Click, reply: Reply<'_>) {
    let (Some(slack), Some(url)) = (app.slack(), &click.response_url) else {
        return;
    };
    for _ in 0..TRIES {
        let pause = match slack.respond(url, reply).await {
            Ok(()) => return,
            Err(Failure::Limited { until, .. }) => {
                Duration::try_from(until.duration_since(clock::now())).unwrap_or_default()
            }
            Err(Failure::Transient { .. }) => AFTER_FAILURE,
            Err(failure) => {
                tracing::info!("could not tell who clicked: {failure}");
                return;
            }
        };
        tokio::time::sleep(pause.min(PATIENCE)).await;
    }
    tracing::info!("could not tell who clicked: Slack took no answer");
}
