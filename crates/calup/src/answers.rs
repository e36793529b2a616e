//! Questions over the API, and what every answer goes through, wherever it was given.

use std::sync::Arc;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Extension, Path, Query, State};
use axum::http::StatusCode;
use axum::response::Json;
use domain::outcome::Failure;
use serde::Deserialize;
use serde_json::{Value, json};
use store::Store;
use store::rows::{Answer, Answered, Question, QuestionFilter, QuestionState, Token};

use crate::app::App;
use crate::web::{self, Problem};
use crate::{clock, view};

const TASK_ID_BYTES_MAX: usize = 64;
pub const NO_TASK: &str = "ClickUp has no such task";

/// The first answer counts, on whichever replica and by whichever way it came.
pub async fn give(
    app: &App,
    question: &str,
    answer: Answer,
    by: &str,
) -> Result<Answered, store::Error> {
    let by = domain::text::one_line(by, domain::text::NAME_CHARS_MAX);
    let own = own(app.store.as_ref(), app.profile(), question).await?;
    if own.is_none() {
        return Ok(Answered::NoSuch);
    }
    let answered = app
        .store
        .answer(question, answer, &by, clock::now())
        .await?;
    if matches!(answered, Answered::First | Answered::Late) {
        tracing::info!(question.id = question, "a question was answered");
        app.wake.notify_one();
        app.ask.notify_one();
    }
    Ok(answered)
}

/// Another profile's is as good as none.
pub async fn own(
    store: &dyn Store,
    profile: &str,
    question: &str,
) -> Result<Option<Question>, store::Error> {
    let found = store.question(question).await?;
    Ok(found.filter(|found| found.profile == profile))
}

#[derive(Debug, Deserialize)]
pub struct Listing {
    state: Option<String>,
    limit: Option<String>,
    after: Option<String>,
}

pub async fn list(
    State(app): State<Arc<App>>,
    query: Result<Query<Listing>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(query) = query?;
    let state = match query.state.filter(|s| !s.is_empty()) {
        None => None,
        Some(name) => Some(QuestionState::parse(&name).ok_or_else(|| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                "`state` is not a state of a question",
                Some("one of open, answered, closed"),
            )
        })?),
    };
    let limit = web::limit(query.limit)?;
    let filter = QuestionFilter {
        profile: Some(app.profile().to_owned()),
        state,
        limit: limit + 1,
        after: query.after.filter(|a| !a.is_empty()),
    };
    let mut found = app.store.questions(&filter).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|q| q.id.clone());
    let questions: Vec<Value> = found.iter().map(view::question).collect();
    Ok(Json(json!({ "questions": questions, "next": next })))
}

#[derive(Debug, Deserialize)]
pub struct Given {
    answer: String,
    task_id: Option<String>,
}

impl Given {
    pub fn of(answer: String, task: Option<String>) -> Self {
        Self {
            answer,
            task_id: task,
        }
    }

    /// With what is wrong, and what to send instead.
    pub fn meant(self) -> Result<Answer, &'static str> {
        let task = self.task_id.map(|id| id.trim().to_owned());
        let is_id = |id: &String| {
            !id.is_empty()
                && id.len() <= TASK_ID_BYTES_MAX
                && id
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        let names_task = task.as_ref().is_some_and(|id| !id.is_empty());
        match (self.answer.as_str(), task.filter(is_id)) {
            ("person", Some(task)) => Ok(Answer::Person(task)),
            ("meeting", Some(task)) => Ok(Answer::Meeting(task)),
            ("person" | "meeting", None) => {
                Err("`person` and `meeting` want the `task_id` of a task")
            }
            ("new", _) if !names_task => Ok(Answer::New),
            ("ignore", _) if !names_task => Ok(Answer::Ignore),
            ("new" | "ignore", _) => Err("`new` and `ignore` are about no task: leave it out"),
            (_, _) => Err("`answer` is one of person, meeting, new, ignore"),
        }
    }
}

pub async fn answer(
    State(app): State<Arc<App>>,
    Extension(token): Extension<Token>,
    id: Result<Path<String>, PathRejection>,
    body: axum::body::Bytes,
) -> Result<Json<Value>, Problem> {
    let Path(id) = id?;
    let given: Given = serde_json::from_slice(&body).map_err(|_| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "the body is not what this route takes",
            Some(r#"send {"answer": "person", "task_id": "…"}, "meeting" likewise, {"answer": "new"} or {"answer": "ignore"}"#),
        )
    })?;
    let answer = given
        .meant()
        .map_err(|why| Problem::new(StatusCode::BAD_REQUEST, why, None))?;
    let question = own(app.store.as_ref(), app.profile(), &id).await?;
    let question = question.ok_or_else(no_question)?;
    if is_about_no_task(&app, &question, &answer).await {
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            NO_TASK,
            Some("take the task_id of one of the candidates, or of another task"),
        ));
    }
    match give(&app, &id, answer, &token.name).await? {
        Answered::First | Answered::Late => {
            let question = app.store.question(&id).await?;
            Ok(Json(question.as_ref().map_or(Value::Null, view::question)))
        }
        Answered::Before(given) => Err(Problem::new(
            StatusCode::CONFLICT,
            &format!("{} has answered it already, at {}", given.by, given.at),
            Some("GET /api/questions?state=answered shows how"),
        )),
        Answered::NoSuch => Err(no_question()),
    }
}

/// ClickUp says so. Where it does not answer the answer counts, and a question that was answered says that first.
pub async fn is_about_no_task(app: &App, question: &Question, answer: &Answer) -> bool {
    let (Answer::Person(task) | Answer::Meeting(task)) = answer else {
        return false;
    };
    let Some(crm) = app
        .crm()
        .filter(|_| question.state != QuestionState::Answered)
    else {
        return false;
    };
    matches!(crm.lead(task).await, Err(Failure::Gone { .. }))
}

fn no_question() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "there is no question with that id",
        Some("GET /api/questions lists them"),
    )
}
