//! One task: create, read, update, delete by the API.

use serde_json::{Value, json};

use super::events::Changed;
use super::routes::{Asked, Outcome, Refusal, refuse};
use super::state::{State, Task};
use super::{render, values};

const DESCRIPTION_BYTES_MAX: usize = 256 * 1024;

pub(super) fn create(state: &mut State, list: usize, asked: &Asked) -> Outcome {
    let body = &asked.body;
    let name = match body.get("name").and_then(Value::as_str).map(str::trim) {
        Some(name) if !name.is_empty() => name.to_owned(),
        _ => return refuse(400, "Task name invalid", "INPUT_005"),
    };
    let markdown = description(state, body)?;
    let capped = state.config.type_cap || state.lists[list].type_capped;
    if capped && body.get("custom_item_id").is_none_or(Value::is_null) {
        return refuse(
            400,
            "Custom task type limit reached for your plan",
            "ITEM_246",
        );
    }
    let status = match body.get("status").and_then(Value::as_str) {
        None => state.lists[list].first_status(),
        Some(wanted) => match state.lists[list].status(wanted) {
            Some(status) => status.name.clone(),
            None => return refuse(400, "Status not found", "CRTSK_001"),
        },
    };
    let values = values::inline(state, list, body)?;
    let parent = body
        .get("parent")
        .and_then(Value::as_str)
        .map(str::to_owned);
    if parent
        .as_deref()
        .is_some_and(|parent| state.live(parent).is_none())
    {
        return refuse(404, "Task not found, deleted", "ITEM_013");
    }
    // Nothing was changed up to here, and nothing fails from here.
    let mut task = state.blank_task(list, &name);
    task.markdown = markdown.unwrap_or_default();
    task.values = values;
    task.parent = parent;
    task.creator = asked.user.id;
    set_plain_properties(&mut task, body);
    if let Some(tags) = body.get("tags").and_then(Value::as_array) {
        task.tags = tags
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_lowercase)
            .collect();
    }
    let index = state.put_in(task);
    state.set_status(index, &status);
    state.tell_created(index);
    Ok(render::task(state, &state.tasks[index], true, false))
}

pub(super) fn get(state: &State, id: &str, asked: &Asked) -> Outcome {
    let task = &state.tasks[find(state, id)?];
    let since = state.now() - i64::try_from(asked.stale_ms).unwrap_or(0);
    let task = match &task.before {
        Some(before) if asked.stale_ms > 0 && before.0 > since => &before.1,
        _ => task,
    };
    let mut shown = render::task(
        state,
        task,
        asked.flag("include_markdown_description"),
        true,
    );
    if asked.flag("include_subtasks") {
        let children: Vec<Value> = state
            .tasks
            .iter()
            .filter(|child| !child.deleted && child.parent.as_deref() == Some(id))
            .map(|child| render::task(state, child, false, false))
            .collect();
        shown["subtasks"] = Value::Array(children);
    }
    Ok(shown)
}

/// `custom_fields` and `tags` are ignored here without a word, as ClickUp does.
pub(super) fn update(state: &mut State, id: &str, asked: &Asked) -> Outcome {
    let index = find(state, id)?;
    let body = &asked.body;
    let name = body.get("name").and_then(Value::as_str).map(str::trim);
    if name.is_some_and(str::is_empty) {
        return refuse(400, "Task name invalid", "INPUT_005");
    }
    let status = body.get("status").and_then(Value::as_str);
    let list = &state.lists[state.tasks[index].list];
    let is_bad = status.is_some_and(|status| list.status(status).is_none());
    if is_bad && !state.config.bad_status_keeps_rest {
        return bad_status();
    }
    let markdown = description(state, body)?;
    state.change(index, |task| {
        if let Some(name) = name {
            name.clone_into(&mut task.name);
        }
        if let Some(markdown) = markdown {
            task.markdown = markdown;
        }
        if let Some(archived) = body.get("archived").and_then(Value::as_bool) {
            task.archived = archived;
        }
        if let Some(parent) = body.get("parent").and_then(Value::as_str) {
            task.parent = Some(parent.to_owned());
        }
        set_plain_properties(task, body);
    });
    if let Some(status) = status.filter(|_| !is_bad) {
        state.set_status(index, status);
    }
    tell_updated(state, index, asked.user.id);
    if is_bad {
        return bad_status();
    }
    Ok(render::task(state, &state.tasks[index], true, true))
}

fn tell_updated(state: &mut State, index: usize, user: u64) {
    let now = &state.tasks[index];
    let Some((_, before)) = now.before.as_deref() else {
        return;
    };
    let mut changed = Vec::new();
    if now.name != before.name {
        changed.push(Changed::of("name", before.name.as_str(), now.name.as_str()));
    }
    if now.markdown != before.markdown {
        let after = now.markdown.as_str();
        changed.push(Changed::of("content", Value::Null, after));
    }
    let mut events = vec!["taskUpdated"];
    if now.status != before.status {
        events.insert(0, "taskStatusUpdated");
        let list = &state.lists[now.list];
        changed.push(Changed::status(list, Some(&before.status), &now.status));
    }
    state.tell(index, user, &events, &changed);
}

/// The task keeps its home, and shows in this list too.
pub(super) fn add_to(state: &mut State, list: usize, id: &str) -> Outcome {
    let index = find(state, id)?;
    let task = &state.tasks[index];
    if task.list != list && !task.also_in.contains(&list) {
        state.change(index, |task| task.also_in.push(list));
    }
    Ok(json!({}))
}

pub(super) fn take_from(state: &mut State, list: usize, id: &str) -> Outcome {
    let index = find(state, id)?;
    if !state.tasks[index].also_in.contains(&list) {
        // Placeholder code: not established.
        return refuse(
            400,
            "Task is not in this list, or it is its home",
            "ITEM_000",
        );
    }
    state.change(index, |task| task.also_in.retain(|at| *at != list));
    Ok(json!({}))
}

pub(super) fn delete(state: &mut State, id: &str) -> Outcome {
    let index = find(state, id)?;
    state.change(index, |task| task.deleted = true);
    let list = state.tasks[index].list;
    state.lists[list].task_count = state.lists[list].task_count.saturating_sub(1);
    state.tell_deleted(index);
    Ok(Value::Null)
}

pub(super) fn find(state: &State, id: &str) -> Result<usize, Refusal> {
    match state.live(id) {
        Some(index) => Ok(index),
        None => refuse(404, "Task not found, deleted", "ITEM_013"),
    }
}

fn bad_status<T>() -> Result<T, Refusal> {
    refuse(400, "Status does not exist", "ITEM_114")
}

// `markdown_content` wins over `description`; a lone blank clears, an empty text is no change.
fn description(state: &State, body: &Value) -> Result<Option<String>, Refusal> {
    let text = |key| body.get(key).and_then(Value::as_str);
    let Some(written) = text("markdown_content").or_else(|| text("description")) else {
        return Ok(None);
    };
    if written.len() > DESCRIPTION_BYTES_MAX {
        // Placeholder code: not established.
        return refuse(400, "Task description is too long", "INPUT_000");
    }
    Ok(match written {
        "" => None,
        _ if written.trim().is_empty() => Some(String::new()),
        _ => Some(state.rerender(written)),
    })
}

fn set_plain_properties(task: &mut Task, body: &Value) {
    if let Some(due) = body.get("due_date") {
        task.due = due
            .as_i64()
            .or_else(|| due.as_str().and_then(|due| due.parse().ok()));
    }
    if let Some(priority) = body.get("priority") {
        task.priority = priority.as_u64().filter(|level| (1..=4).contains(level));
    }
}
