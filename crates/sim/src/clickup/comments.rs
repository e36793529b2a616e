//! Comments on a task by the API.

use serde_json::{Value, json};

use super::events::Changed;
use super::routes::{Asked, Outcome, Refusal, refuse};
use super::state::{Comment, State, close_block};
use super::{render, tasks};

const PAGE_COMMENTS: usize = 25;

pub(super) fn create(state: &mut State, task: &str, asked: &Asked) -> Outcome {
    let index = tasks::find(state, task)?;
    let runs = runs(state, &asked.body)?;
    let (id, date) = state.add_comment(index, asked.user.clone(), runs);
    let events = ["taskCommentPosted", "taskUpdated"];
    let changed = Changed::of("comment", Value::Null, id.to_string());
    state.tell(index, asked.user.id, &events, &[changed]);
    // A number here, a string in the list.
    Ok(json!({"id": id, "hist_id": (id + 7).to_string(), "date": date}))
}

/// Newest first; the next page needs `start` and `start_id` of the last one seen.
pub(super) fn list(state: &State, task: &str, asked: &Asked) -> Outcome {
    let task = &state.tasks[tasks::find(state, task)?];
    let start: Option<i64> = asked.param("start").and_then(|ms| ms.parse().ok());
    let start_id: Option<u64> = asked.param("start_id").and_then(|id| id.parse().ok());
    let older = |comment: &&Comment| match (start, start_id) {
        (Some(date), Some(id)) => comment.date < date || comment.date == date && comment.id < id,
        // One without the other is ignored: the first page again.
        _ => true,
    };
    let shown: Vec<Value> = task
        .comments
        .iter()
        .rev()
        .filter(older)
        .take(PAGE_COMMENTS)
        .map(render)
        .collect();
    Ok(json!({"comments": shown}))
}

pub(super) fn update(state: &mut State, comment: &str, asked: &Asked) -> Outcome {
    let (index, at) = find(state, comment)?;
    let replaces = ["comment", "comment_text"]
        .iter()
        .any(|key| asked.body.get(key).is_some());
    let replacement = if replaces {
        Some(runs(state, &asked.body)?)
    } else {
        None
    };
    let resolved = asked.body.get("resolved").and_then(Value::as_bool);
    let now = state.now();
    let touches = state.config.comments_touch_tasks;
    let task = &mut state.tasks[index];
    let comment = &mut task.comments[at];
    if let Some(mut runs) = replacement {
        close_block(&mut runs, comment.id);
        comment.runs = runs;
    }
    comment.resolved = resolved.unwrap_or(comment.resolved);
    if touches {
        task.updated = now.max(task.updated + 1);
    }
    Ok(json!({}))
}

pub(super) fn delete(state: &mut State, comment: &str) -> Outcome {
    let (index, at) = find(state, comment)?;
    state.tasks[index].comments.remove(at);
    Ok(json!({}))
}

fn find(state: &State, id: &str) -> Result<(usize, usize), Refusal> {
    match state.find_comment(id) {
        Some(found) => Ok(found),
        // Placeholder code: not established.
        None => refuse(404, "Comment not found", "COMM_000"),
    }
}

// `comment_text` is taken literally. Both sent are shown one after the other.
fn runs(state: &State, body: &Value) -> Result<Vec<Value>, Refusal> {
    let mut runs = Vec::new();
    if let Some(text) = body.get("comment_text").and_then(Value::as_str)
        && !text.is_empty()
    {
        runs.push(json!({"text": text, "attributes": {}}));
    }
    if let Some(given) = body.get("comment").and_then(Value::as_array) {
        runs.extend(given.iter().map(|run| stored_run(state, run)));
    }
    let text = |run: &Value| run.get("text").and_then(Value::as_str).map_or(0, chars);
    if runs.iter().map(text).sum::<usize>() > state.config.comment_chars_max {
        // Placeholder code: not established.
        return refuse(400, "Comment is too long", "COMM_001");
    }
    if runs.is_empty() {
        // Placeholder code: not established.
        return refuse(400, "Comment is empty", "INPUT_000");
    }
    Ok(runs)
}

fn stored_run(state: &State, run: &Value) -> Value {
    if run.get("type").and_then(Value::as_str) == Some("tag") {
        let id = run
            .pointer("/user/id")
            .and_then(Value::as_u64)
            .unwrap_or_default();
        let user = state.user(id);
        return json!({
            "type": "tag",
            "text": format!("@{}", user.username),
            "user": render::person(&user),
        });
    }
    let mut stored = run.clone();
    if let Some(keys) = stored.as_object_mut() {
        keys.entry("attributes").or_insert_with(|| json!({}));
        keys.entry("text").or_insert_with(|| json!(""));
    }
    stored
}

fn render(comment: &Comment) -> Value {
    json!({
        "id": comment.id.to_string(),
        "comment": comment.runs,
        "comment_text": comment.text(),
        "user": render::person(&comment.user),
        "resolved": comment.resolved,
        "assignee": null,
        "assigned_by": null,
        "reactions": [],
        "date": comment.date.to_string(),
        "reply_count": "0",
    })
}

fn chars(text: &str) -> usize {
    text.chars().count()
}
