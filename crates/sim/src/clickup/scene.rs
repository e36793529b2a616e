//! Setting the scene, and what people do in the app: build lists, fields and tasks,
//! edit, move, copy, merge, delete. The API has no part in this.

use std::time::Duration;

use serde_json::{Value, json};

use super::ClickUp;
use super::events::Changed;
use super::state::{Field, List, Place, State, Status, User};

/// A task as it should be found at the start. Only `list` is needed.
#[derive(Clone, Debug, Default)]
pub struct TaskSeed {
    pub list: String,
    pub name: String,
    /// Goes into the list's first field of type e-mail.
    pub email: Option<String>,
    pub status: Option<String>,
    pub markdown: Option<String>,
    /// Field id and value as read back.
    pub fields: Vec<(String, Value)>,
    pub tags: Vec<String>,
    pub archived: bool,
    pub parent: Option<String>,
    pub id: Option<String>,
    pub creator: Option<u64>,
    /// Milliseconds; now if absent.
    pub date_created: Option<i64>,
    /// As created if absent.
    pub date_updated: Option<i64>,
}

impl ClickUp {
    /// A folderless list; statuses are (name, `open` | `custom` | `done` | `closed`).
    pub fn add_list(&self, id: &str, name: &str, statuses: &[(&str, &str)]) {
        add_list(&mut self.state(), id, name, None, statuses);
    }

    pub fn add_folder(&self, id: &str, name: &str) {
        let place = Place {
            id: id.to_owned(),
            name: name.to_owned(),
            space: 0,
        };
        self.state().folders.push(place);
    }

    pub fn add_list_in(&self, folder: &str, id: &str, name: &str, statuses: &[(&str, &str)]) {
        let mut state = self.state();
        let index = state.folders.iter().position(|known| known.id == folder);
        let index = index.expect("the folder was added before");
        add_list(&mut state, id, name, Some(index), statuses);
    }

    /// One field that all these lists share.
    pub fn add_field(&self, lists: &[&str], id: &str, name: &str, kind: &str) {
        self.add_field_with(lists, id, name, kind, json!({}));
    }

    pub fn add_field_with(&self, lists: &[&str], id: &str, name: &str, kind: &str, config: Value) {
        let mut state = self.state();
        let lists = lists.iter().map(|list| known_list(&state, list)).collect();
        state.fields.push(Field {
            id: id.to_owned(),
            name: name.to_owned(),
            kind: kind.to_owned(),
            type_config: config,
            lists,
        });
    }

    /// The field no longer exists on this list; its tasks lose the value.
    pub fn remove_field(&self, list: &str, id: &str) {
        let mut state = self.state();
        let list = known_list(&state, list);
        let field = state.field_index(id).expect("the field was added before");
        state.fields[field].lists.retain(|index| *index != list);
        for task in state.tasks.iter_mut().filter(|task| task.list == list) {
            task.values.retain(|(index, _)| *index != field);
        }
    }

    pub fn add_task(&self, list: &str, name: &str, email: Option<&str>) -> String {
        self.add_task_with(TaskSeed {
            list: list.to_owned(),
            name: name.to_owned(),
            email: email.map(str::to_owned),
            ..TaskSeed::default()
        })
    }

    pub fn add_task_with(&self, seed: TaskSeed) -> String {
        add_task(&mut self.state(), seed)
    }

    /// `n` tasks "Person 0" … with `person0@bulk.example` …, created a second apart up to now.
    pub fn add_tasks(&self, list: &str, n: usize) -> Vec<String> {
        let mut state = self.state();
        let list = known_list(&state, list);
        let email = state.email_field(list);
        let first = state.now() - 1000 * i64::try_from(n).unwrap_or(0);
        let mut ids = Vec::with_capacity(n);
        for number in 0..n {
            let mut task = state.blank_task(list, &format!("Person {number}"));
            task.created = first + 1000 * i64::try_from(number).unwrap_or(0);
            task.updated = task.created;
            if let Some(email) = email {
                task.values
                    .push((email, json!(format!("person{number}@bulk.example"))));
            }
            ids.push(task.id.clone());
            let index = state.put_in(task);
            state.tell_created(index);
        }
        ids
    }

    /// Another person's token, for a second profile on the same workspace.
    pub fn add_token(&self, token: &str, user: User) {
        let mut state = self.state();
        state.tokens.insert(token.to_owned(), user.id);
        state.users.push(user);
    }

    pub fn set_token_valid(&self, valid: bool) {
        self.state().token_valid = valid;
    }

    /// The free plan's custom field uses are used up: FIELD_033.
    pub fn set_field_quota_exhausted(&self, exhausted: bool) {
        self.state().quota_exhausted = exhausted;
    }

    /// `read`, `comment`, `edit` or `create`.
    pub fn set_permission(&self, list: &str, level: &str) {
        let mut state = self.state();
        let list = known_list(&state, list);
        level.clone_into(&mut state.lists[list].permission);
    }

    /// Creates without `custom_item_id` are refused on this list: ITEM_246.
    pub fn set_type_capped(&self, list: &str, capped: bool) {
        let mut state = self.state();
        let list = known_list(&state, list);
        state.lists[list].type_capped = capped;
    }

    /// Tasks in it go to the list's first status.
    pub fn remove_status(&self, list: &str, name: &str) {
        let mut state = self.state();
        let list = known_list(&state, list);
        state.lists[list]
            .statuses
            .retain(|status| !status.name.eq_ignore_ascii_case(name));
        let first = state.lists[list].first_status();
        for task in state.tasks.iter_mut().filter(|task| task.list == list) {
            if task.status.eq_ignore_ascii_case(name) {
                task.status.clone_from(&first);
            }
        }
    }

    pub fn add_status(&self, list: &str, name: &str, kind: &str) {
        let mut state = self.state();
        let list = known_list(&state, list);
        state.lists[list].statuses.push(status(name, kind));
    }

    /// Replaces the description; the editor prints it its own way.
    pub fn human_edit_description(&self, task: &str, markdown: &str) {
        let mut state = self.state();
        let index = known_task(&state, task);
        let markdown = state.rerender(markdown);
        let changed = Changed::of("content", Value::Null, markdown.as_str());
        state.change(index, |task| task.markdown = markdown);
        told(&mut state, index, &["taskUpdated"], changed);
    }

    pub fn human_rename(&self, task: &str, name: &str) {
        let mut state = self.state();
        let index = known_task(&state, task);
        let changed = Changed::of("name", state.tasks[index].name.as_str(), name);
        state.change(index, |task| name.clone_into(&mut task.name));
        told(&mut state, index, &["taskUpdated"], changed);
    }

    pub fn human_set_status(&self, task: &str, status: &str) {
        let mut state = self.state();
        let index = known_task(&state, task);
        let list = &state.lists[state.tasks[index].list];
        assert!(
            list.status(status).is_some(),
            "list {} has no status {status}",
            list.name
        );
        let before = state.tasks[index].status.clone();
        let list = &state.lists[state.tasks[index].list];
        let changed = Changed::status(list, Some(&before), &status.to_lowercase());
        state.change(index, |_| ());
        state.set_status(index, status);
        told(
            &mut state,
            index,
            &["taskStatusUpdated", "taskUpdated"],
            changed,
        );
    }

    pub fn human_set_field(&self, task: &str, field: &str, value: Option<Value>) {
        let mut state = self.state();
        let index = known_task(&state, task);
        let field = state
            .field_index(field)
            .expect("the field was added before");
        let before = state.tasks[index].value(field).cloned();
        let changed = Changed {
            custom: Some(field),
            ..Changed::of("custom_field", before, value.clone())
        };
        state.change(index, |task| {
            task.values.retain(|(index, _)| *index != field);
            task.values.extend(value.map(|value| (field, value)));
        });
        told(&mut state, index, &["taskUpdated"], changed);
    }

    pub fn human_archive(&self, task: &str, archived: bool) {
        let mut state = self.state();
        let index = known_task(&state, task);
        state.change(index, |task| task.archived = archived);
        let changed = Changed::of("archived", !archived, archived);
        told(&mut state, index, &["taskUpdated"], changed);
    }

    pub fn human_delete(&self, task: &str) {
        let mut state = self.state();
        let index = known_task(&state, task);
        delete(&mut state, index);
    }

    /// To the equally named status there, or the first.
    pub fn human_move(&self, task: &str, list: &str) {
        let mut state = self.state();
        let index = known_task(&state, task);
        let to = known_list(&state, list);
        let from = state.tasks[index].list;
        let found = state.lists[to].status(&state.tasks[index].status);
        let status = found.map_or_else(|| state.lists[to].first_status(), |it| it.name.clone());
        let kept: Vec<bool> = state
            .fields
            .iter()
            .map(|field| field.lists.contains(&to))
            .collect();
        state.change(index, |task| {
            task.list = to;
            task.status = status;
            task.values.retain(|(field, _)| kept[*field]);
        });
        state.lists[from].task_count = state.lists[from].task_count.saturating_sub(1);
        state.lists[to].task_count += 1;
        let human = state.human().id;
        state.tell_moved(index, from, human);
    }

    /// A copy with everything but the comments, made by a person. Its id.
    pub fn human_copy(&self, task: &str) -> String {
        let mut state = self.state();
        let index = known_task(&state, task);
        let list = state.tasks[index].list;
        let blank = state.blank_task(list, "");
        let mut copy = state.tasks[index].clone();
        copy.name = format!("{} (copy)", copy.name);
        copy.id.clone_from(&blank.id);
        copy.created = blank.created;
        copy.updated = blank.updated;
        copy.creator = blank.creator;
        copy.comments.clear();
        copy.before = None;
        let index = state.put_in(copy);
        state.tell_created(index);
        blank.id
    }

    /// The first task's description and comments go to the second; the first is gone.
    pub fn human_merge(&self, from: &str, into: &str) {
        let mut state = self.state();
        let from = known_task(&state, from);
        let into = known_task(&state, into);
        let markdown = state.tasks[from].markdown.clone();
        let comments = std::mem::take(&mut state.tasks[from].comments);
        let joined = format!("{}\n\n{markdown}", state.tasks[into].markdown);
        let joined = state.rerender(joined.trim());
        state.change(into, |task| {
            task.markdown = joined;
            task.comments.extend(comments);
            task.comments
                .sort_by_key(|comment| (comment.date, comment.id));
        });
        let markdown = state.tasks[into].markdown.clone();
        let changed = Changed::of("content", Value::Null, markdown);
        told(&mut state, into, &["taskUpdated"], changed);
        delete(&mut state, from);
    }

    /// A person's comment; its id.
    pub fn human_comment(&self, task: &str, text: &str) -> String {
        let mut state = self.state();
        let index = known_task(&state, task);
        let human = state.human();
        let runs = vec![json!({"text": text, "attributes": {}})];
        let id = state.add_comment(index, human, runs).0.to_string();
        let changed = Changed::of("comment", Value::Null, id.as_str());
        told(
            &mut state,
            index,
            &["taskCommentPosted", "taskUpdated"],
            changed,
        );
        id
    }

    pub fn human_resolve_comment(&self, comment: &str) {
        let mut state = self.state();
        let (index, at) = state.find_comment(comment).expect("the comment exists");
        state.tasks[index].comments[at].resolved = true;
    }

    pub fn human_delete_comment(&self, comment: &str) {
        let mut state = self.state();
        let (index, at) = state.find_comment(comment).expect("the comment exists");
        state.tasks[index].comments.remove(at);
    }

    /// Every task looks this much older, so that index lag and windows are over.
    pub fn age(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(0);
        for task in &mut self.state().tasks {
            task.created -= by;
            task.updated -= by;
        }
    }
}

fn add_list(
    state: &mut State,
    id: &str,
    name: &str,
    folder: Option<usize>,
    statuses: &[(&str, &str)],
) {
    assert!(
        id.bytes().all(|byte| byte.is_ascii_digit()),
        "list ids are digits: {id}"
    );
    state.lists.push(List {
        id: id.to_owned(),
        name: name.to_owned(),
        folder,
        space: 0,
        statuses: statuses
            .iter()
            .map(|(name, kind)| status(name, kind))
            .collect(),
        type_capped: state.config.type_cap,
        permission: "create".to_owned(),
        task_count: 0,
    });
}

// ClickUp shows status names in lower case, however they were typed.
fn status(name: &str, kind: &str) -> Status {
    Status {
        name: name.to_lowercase(),
        kind: kind.to_owned(),
    }
}

fn add_task(state: &mut State, seed: TaskSeed) -> String {
    let list = known_list(state, &seed.list);
    let mut task = state.blank_task(list, &seed.name);
    task.id = seed.id.unwrap_or(task.id);
    task.markdown = state.rerender(&seed.markdown.unwrap_or_default());
    task.archived = seed.archived;
    task.parent = seed.parent;
    task.creator = seed.creator.unwrap_or(task.creator);
    task.created = seed.date_created.unwrap_or(task.created);
    task.updated = seed.date_updated.unwrap_or(task.created);
    task.tags = seed.tags;
    if let Some(email) = seed.email {
        let field = state
            .email_field(list)
            .expect("the list has a field of type email");
        task.values.push((field, json!(email)));
    }
    for (id, value) in seed.fields {
        let field = state.field_index(&id).expect("the field was added before");
        task.values.push((field, value));
    }
    let (id, updated) = (task.id.clone(), task.updated);
    let index = state.put_in(task);
    if let Some(status) = seed.status {
        assert!(
            state.lists[list].status(&status).is_some(),
            "no status {status}"
        );
        state.set_status(index, &status);
        let closed = state.tasks[index].closed.map(|_| updated);
        state.tasks[index].closed = closed;
    }
    state.tell_created(index);
    id
}

/// A person did it.
fn told(state: &mut State, index: usize, events: &[&str], changed: Changed) {
    let human = state.human().id;
    state.tell(index, human, events, &[changed]);
}

fn delete(state: &mut State, index: usize) {
    state.change(index, |task| task.deleted = true);
    let list = state.tasks[index].list;
    state.lists[list].task_count = state.lists[list].task_count.saturating_sub(1);
    state.tell_deleted(index);
}

fn known_list(state: &State, id: &str) -> usize {
    state
        .list_index(id)
        .unwrap_or_else(|| panic!("list {id} was not added"))
}

fn known_task(state: &State, id: &str) -> usize {
    state
        .live(id)
        .unwrap_or_else(|| panic!("task {id} does not exist"))
}
