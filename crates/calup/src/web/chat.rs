//! `POST /api/chat`: whole, or as it comes.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::{Event as Sse, KeepAlive};
use axum::response::{IntoResponse, Json, Response};
use futures_util::stream;
use serde_json::{Value, json};
use store::rows::Token;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::{Problem, assistant};
use crate::app::App;
use crate::chat::{self, Event};
use crate::tools::By;

pub async fn receive(
    State(app): State<Arc<App>>,
    Extension(token): Extension<Token>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let body: Value = serde_json::from_slice(&body).map_err(|_| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "the body is no JSON",
            Some(r#"send {"messages": [{"role": "user", "content": "…"}]}"#),
        )
    })?;
    let asked = match chat::asked(&body["messages"]) {
        Ok(asked) => asked,
        Err(trouble) => return Ok(assistant::refused(&trouble)),
    };
    let by = By { name: token.name };
    let conversation = body["conversation"].as_str().map(str::to_owned);
    if let Err(trouble) = chat::may_begin(&app, conversation.as_deref()).await {
        return Ok(assistant::refused(&trouble));
    }
    let accepts = headers.get(header::ACCEPT).and_then(|it| it.to_str().ok());
    if accepts.is_some_and(|it| it.contains("application/json")) {
        let answered = chat::answer(&app, &by, conversation.as_deref(), asked, &mut |_| ()).await;
        return Ok(match answered {
            Ok(answered) => Json(answered.json()).into_response(),
            Err(trouble) => assistant::refused(&trouble),
        });
    }
    Ok(streamed(app, by, conversation, asked))
}

/// Ends with whoever listens: nobody pays for an answer that nobody hears.
struct Answering(JoinHandle<()>);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn streamed(app: Arc<App>, by: By, conversation: Option<String>, asked: Vec<Value>) -> Response {
    let (tell, told) = mpsc::unbounded_channel::<(&'static str, Value)>();
    let answering = tokio::spawn(async move {
        let events = tell.clone();
        let mut pass_on = move |event: Event| {
            let event = match event {
                Event::Text(text) => ("text", json!({ "text": text })),
                Event::Tool { name, input, ok } => {
                    ("tool", json!({ "name": name, "input": input, "ok": ok }))
                }
                Event::Proposal(proposal) => ("proposal", proposal),
            };
            // Gone with its reader, and so is this task.
            let _ = events.send(event);
        };
        let answered = chat::answer(&app, &by, conversation.as_deref(), asked, &mut pass_on).await;
        let _ = tell.send(match answered {
            Ok(answered) => ("done", answered.json()),
            Err(trouble) => ("error", trouble.json()),
        });
    });
    let state = (told, Answering(answering));
    let events = stream::unfold(state, |(mut told, answering)| async move {
        let (name, data) = told.recv().await?;
        let event = Sse::default().event(name).data(data.to_string());
        Some((Ok::<_, Infallible>(event), (told, answering)))
    });
    axum::response::Sse::new(events)
        .keep_alive(KeepAlive::default())
        .into_response()
}
