//! How users, lists and tasks look in JSON: types as seen live, not as the
//! specification claims (timestamps are strings, user ids numbers).

use serde_json::{Value, json};

use super::markdown;
use super::state::{Field, List, State, Task, User};

/// `GET /user`.
pub(super) fn account(user: &User) -> Value {
    json!({
        "id": user.id,
        "username": user.username,
        "email": user.email,
        "color": "#827718",
        "profilePicture": null,
        "initials": initials(user),
        "week_start_day": 0,
        "global_font_support": false,
        "timezone": "Europe/Berlin",
    })
}

/// A user where it stands beside something else.
pub(super) fn person(user: &User) -> Value {
    json!({
        "id": user.id,
        "username": user.username,
        "color": "#827718",
        "email": user.email,
        "profilePicture": null,
        "initials": initials(user),
    })
}

fn initials(user: &User) -> String {
    user.username
        .split_whitespace()
        .filter_map(|word| word.chars().next())
        .collect()
}

pub(super) fn list(state: &State, index: usize) -> Value {
    let list = &state.lists[index];
    let statuses: Vec<Value> = list
        .statuses
        .iter()
        .map(|status| status_json(list, &status.name))
        .collect();
    json!({
        "id": list.id,
        "name": list.name,
        "orderindex": index,
        "content": "",
        "status": null,
        "priority": null,
        "assignee": null,
        "task_count": list.task_count,
        "due_date": null,
        "due_date_time": false,
        "start_date": null,
        "start_date_time": null,
        "folder": folder(state, list),
        "space": {
            "id": state.spaces[list.space].id,
            "name": state.spaces[list.space].name,
            "access": true,
        },
        "inbound_address": format!("add.task.{}.fictional@tasks.clickup.com", list.id),
        "archived": false,
        "override_statuses": true,
        "statuses": statuses,
        "permission_level": list.permission,
    })
}

// A list without a folder still shows a hidden one.
fn folder(state: &State, list: &List) -> Value {
    match list.folder.map(|index| &state.folders[index]) {
        Some(folder) => {
            json!({"id": folder.id, "name": folder.name, "hidden": false, "access": true})
        }
        None => json!({"id": "90110000011", "name": "hidden", "hidden": true, "access": true}),
    }
}

pub(super) fn status_json(list: &List, name: &str) -> Value {
    let at = list
        .statuses
        .iter()
        .position(|status| status.name == name)
        .unwrap_or(0);
    let kind = list
        .statuses
        .get(at)
        .map_or("open", |status| status.kind.as_str());
    let color = match kind {
        "closed" => "#008844",
        "done" => "#e50000",
        "custom" => "#7c4dff",
        _ => "#87909e",
    };
    json!({
        "id": format!("sc{}_{at:08}", list.id),
        "status": name,
        "orderindex": at,
        "color": color,
        "type": kind,
    })
}

pub(super) fn field(field: &Field) -> Value {
    json!({
        "id": field.id,
        "name": field.name,
        "type": field.kind,
        "type_config": field.type_config,
        "date_created": "1752225840284",
        "hide_from_guests": false,
        "required": false,
    })
}

/// A task; the markdown only where it was asked for, attachments only where the API has them.
pub(super) fn task(state: &State, task: &Task, with_markdown: bool, attachments: bool) -> Value {
    let list = &state.lists[task.list];
    let plain = markdown::plain(&task.markdown);
    let kind = list
        .status(&task.status)
        .map_or("open", |status| status.kind.as_str());
    let creator = state.user(task.creator);
    let tags: Vec<Value> = task
        .tags
        .iter()
        .map(|tag| {
            json!({
                "name": tag,
                "tag_fg": "#FFFFFF",
                "tag_bg": "#FF4081",
                "creator": task.creator,
            })
        })
        .collect();
    let place = folder(state, list);
    let mut shown = json!({
        "id": task.id,
        "custom_id": null,
        "custom_item_id": 0,
        "name": task.name,
        "text_content": plain,
        "description": plain,
        "status": status_json(list, &task.status),
        "orderindex": "120304945.00000000000000000000000000000000",
        "date_created": task.created.to_string(),
        "date_updated": task.updated.to_string(),
        "date_closed": task.closed.filter(|_| kind == "closed").map(|at| at.to_string()),
        "date_done": task.closed.map(|at| at.to_string()),
        "archived": task.archived,
        "creator": creator_json(&creator),
        "assignees": [],
        "group_assignees": [],
        "watchers": [person(&creator)],
        "checklists": [],
        "tags": tags,
        "parent": task.parent,
        "top_level_parent": task.parent,
        "priority": task.priority.map(priority),
        "due_date": task.due.map(|at| at.to_string()),
        "start_date": null,
        "points": null,
        "time_estimate": null,
        "time_spent": 0,
        "custom_fields": values(state, task),
        "dependencies": [],
        "linked_tasks": [],
        "locations": [],
        "team_id": state.config.team_id,
        "url": format!("https://app.clickup.com/t/{}", task.id),
        "permission_level": "create",
        "list": {"id": list.id, "name": list.name, "access": true},
        "project": place.clone(),
        "folder": place,
        "space": {"id": state.spaces[list.space].id},
    });
    shown["sharing"] = json!({
        "public": false,
        "public_share_expires_on": null,
        "public_fields": ["assignees", "priority", "due_date", "content", "comments"],
        "token": null,
        "seo_optimized": false,
    });
    if with_markdown {
        shown["markdown_description"] = json!(task.markdown);
    }
    if attachments {
        shown["attachments"] = json!([]);
    }
    shown
}

fn creator_json(user: &User) -> Value {
    json!({
        "id": user.id,
        "username": user.username,
        "color": "#827718",
        "email": user.email,
        "profilePicture": null,
    })
}

fn priority(level: u64) -> Value {
    let (name, color) = match level {
        1 => ("urgent", "#f50000"),
        2 => ("high", "#f8ae00"),
        3 => ("normal", "#6fddff"),
        _ => ("low", "#d8d8d8"),
    };
    json!({"color": color, "id": level.to_string(), "orderindex": level.to_string(), "priority": name})
}

// A field without a value is listed, without the key `value`.
fn values(state: &State, task: &Task) -> Value {
    let mut shown = Vec::new();
    for (index, at) in state.fields.iter().enumerate() {
        if !at.lists.contains(&task.list) {
            continue;
        }
        let mut one = field(at);
        if let Some(value) = task.value(index) {
            one["value"] = value.clone();
            one["value_richtext"] = json!("");
        }
        shown.push(one);
    }
    Value::Array(shown)
}
