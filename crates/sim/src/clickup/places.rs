//! Workspaces, spaces, folders, lists and their fields: reading only.

use serde_json::{Value, json};

use super::render;
use super::routes::{Outcome, Refusal, refuse};
use super::state::State;

/// Whether the token may see this workspace.
pub(super) fn team(state: &State, id: &str) -> Result<(), Refusal> {
    if state.config.team_id == id {
        return Ok(());
    }
    // Also for an extra workspace that the token lists but has nothing in.
    if state
        .config
        .other_teams
        .iter()
        .any(|(other, _)| other == id)
    {
        return Ok(());
    }
    refuse(401, "Team not authorized", "OAUTH_027")
}

/// The list's index; a bad id is 400, an unknown one 404.
pub(super) fn list(state: &State, id: &str) -> Result<usize, Refusal> {
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_digit()) {
        return refuse(400, "validateListIDEx List ID invalid", "INPUT_003");
    }
    match state.list_index(id) {
        Some(index) => Ok(index),
        None => refuse(404, "List not found", "ITEM_015"),
    }
}

pub(super) fn teams(state: &State) -> Value {
    let own = (&state.config.team_id, &state.config.team_name);
    let others = state.config.other_teams.iter().map(|(id, name)| (id, name));
    let members: Vec<Value> = state
        .users
        .iter()
        .map(|user| json!({"user": render::person(user)}))
        .collect();
    let teams: Vec<Value> = std::iter::once(own)
        .chain(others)
        .map(|(id, name)| {
            json!({
                "id": id,
                "name": name,
                "color": "#536cfe",
                "avatar": null,
                "members": members,
            })
        })
        .collect();
    json!({"teams": teams})
}

/// Further workspaces that the token lists have none.
pub(super) fn spaces(state: &State, team: &str) -> Value {
    let spaces: Vec<Value> = state
        .spaces
        .iter()
        .filter(|_| team == state.config.team_id)
        .map(|space| {
            json!({
                "id": space.id,
                "name": space.name,
                "private": false,
                "color": null,
                "avatar": null,
                "admin_can_manage": true,
                "archived": false,
                "members": [],
                "statuses": [
                    {"status": "to do", "type": "open", "orderindex": 0, "color": "#d3d3d3"},
                    {"status": "complete", "type": "closed", "orderindex": 1, "color": "#6bc950"},
                ],
                "multiple_assignees": true,
                "features": {
                    "due_dates": {
                        "enabled": true,
                        "start_date": false,
                        "remap_due_dates": false,
                        "remap_closed_due_date": false,
                    },
                    "time_tracking": {"enabled": false},
                    "tags": {"enabled": true},
                    "time_estimates": {"enabled": false},
                    "checklists": {"enabled": true},
                    "custom_fields": {"enabled": true},
                    "remap_dependencies": {"enabled": false},
                    "dependency_warning": {"enabled": false},
                    "portfolios": {"enabled": false},
                },
            })
        })
        .collect();
    json!({"spaces": spaces})
}

pub(super) fn folders(state: &State, space: &str) -> Outcome {
    let space = space_index(state, space)?;
    let folders: Vec<Value> = state
        .folders
        .iter()
        .enumerate()
        .filter(|(_, folder)| folder.space == space)
        .map(|(index, folder)| {
            json!({
                "id": folder.id,
                "name": folder.name,
                "orderindex": index,
                "override_statuses": false,
                "hidden": false,
                "space": {
                    "id": state.spaces[space].id,
                    "name": state.spaces[space].name,
                    "access": true,
                },
                "task_count": "0",
                "lists": lists(state, |folder, _| folder == Some(index)),
            })
        })
        .collect();
    Ok(json!({"folders": folders}))
}

pub(super) fn folderless_lists(state: &State, space: &str) -> Outcome {
    let space = space_index(state, space)?;
    Ok(json!({"lists": lists(state, |folder, its| folder.is_none() && its == space)}))
}

pub(super) fn folder_lists(state: &State, folder: &str) -> Outcome {
    match state.folders.iter().position(|known| known.id == folder) {
        Some(index) => Ok(json!({"lists": lists(state, |folder, _| folder == Some(index))})),
        None => refuse(404, "Folder not found", "ITEM_015"),
    }
}

pub(super) fn fields(state: &State, list: Option<usize>) -> Value {
    let fields: Vec<Value> = state
        .fields
        .iter()
        .filter(|field| list.is_none_or(|list| field.lists.contains(&list)))
        .map(render::field)
        .collect();
    json!({"fields": fields})
}

fn space_index(state: &State, id: &str) -> Result<usize, Refusal> {
    match state.spaces.iter().position(|space| space.id == id) {
        Some(index) => Ok(index),
        None => refuse(404, "Space not found", "ITEM_015"),
    }
}

// In these listings a list carries no statuses: only `GET /list/{id}` has them.
fn lists(state: &State, wanted: impl Fn(Option<usize>, usize) -> bool) -> Vec<Value> {
    (0..state.lists.len())
        .filter(|index| wanted(state.lists[*index].folder, state.lists[*index].space))
        .map(|index| {
            let mut shown = render::list(state, index);
            let keys = shown
                .as_object_mut()
                .expect("a list is rendered as an object");
            for absent in [
                "statuses",
                "inbound_address",
                "due_date_time",
                "start_date_time",
            ] {
                keys.remove(absent);
            }
            shown
        })
        .collect()
}
