//! Looking at the workspace from outside the API: what a person would see, and what
//! was asked of it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::ClickUp;
use super::log::LoggedRequest;
use super::markdown;
use super::state::{State, Task};

#[derive(Clone, Debug, PartialEq)]
pub struct CommentView {
    pub id: String,
    pub user_id: u64,
    pub text: String,
    /// The rich runs as stored, with the closing block.
    pub runs: Vec<Value>,
    pub date: i64,
    pub resolved: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct TaskView {
    pub id: String,
    pub name: String,
    pub list_id: String,
    pub list_name: String,
    pub status: String,
    /// `open`, `custom`, `done` or `closed`.
    pub status_type: String,
    pub markdown: String,
    pub plain: String,
    /// The first value of a field of type e-mail.
    pub email: Option<String>,
    /// By field id.
    pub fields: BTreeMap<String, Value>,
    /// Oldest first.
    pub comments: Vec<CommentView>,
    pub creator_id: u64,
    pub date_created: i64,
    pub date_updated: i64,
    pub date_closed: Option<i64>,
    pub due_date: Option<i64>,
    pub tags: Vec<String>,
    pub archived: bool,
    pub deleted: bool,
    pub parent: Option<String>,
}

impl ClickUp {
    /// Also a deleted one.
    pub fn task(&self, id: &str) -> Option<TaskView> {
        let state = self.state();
        state
            .by_id
            .get(id)
            .map(|index| view(&state, &state.tasks[*index]))
    }

    /// Every task that was not deleted, oldest first.
    pub fn live_tasks(&self) -> Vec<TaskView> {
        self.tasks_where(|_, _| true)
    }

    pub fn tasks_in(&self, list: &str) -> Vec<TaskView> {
        self.tasks_where(|state, task| state.lists[task.list].id == list)
    }

    /// Exact, but for case.
    pub fn tasks_by_email(&self, email: &str) -> Vec<TaskView> {
        self.tasks_where(|state, task| {
            state
                .email_of(task)
                .is_some_and(|value| value.eq_ignore_ascii_case(email))
        })
    }

    pub fn task_named(&self, name: &str) -> Option<TaskView> {
        self.tasks_where(|_, task| task.name == name)
            .into_iter()
            .next()
    }

    /// What the API created with this user's token and still exists.
    pub fn tasks_created_by(&self, user_id: u64) -> Vec<TaskView> {
        self.tasks_where(|_, task| task.creator == user_id)
    }

    pub fn task_count(&self) -> usize {
        self.state()
            .tasks
            .iter()
            .filter(|task| !task.deleted)
            .count()
    }

    /// Deleted ones too.
    pub fn tasks_ever(&self) -> usize {
        self.state().tasks.len()
    }

    /// The newest requests, oldest first; as many as `Config::log_entries_max`.
    pub fn requests(&self) -> Vec<LoggedRequest> {
        self.state().log.entries()
    }

    /// Forgets the requests and sets the counters to zero.
    pub fn clear_requests(&self) {
        self.state().log.clear();
    }

    /// Requests that arrived, whatever became of them.
    pub fn calls(&self) -> u64 {
        self.state().log.counts.calls
    }

    /// Requests other than GET that arrived.
    pub fn mutations(&self) -> u64 {
        self.state().log.counts.mutations
    }

    /// Requests that met one of the faults.
    pub fn faulted(&self) -> u64 {
        self.state().log.counts.faulted
    }

    pub fn refused_429(&self) -> u64 {
        self.state().log.counts.refused_429
    }

    /// How often a mutating request for a task arrived while another one for it was in flight.
    pub fn overlaps(&self) -> u64 {
        self.state().log.counts.overlaps
    }

    fn tasks_where(&self, wanted: impl Fn(&State, &Task) -> bool) -> Vec<TaskView> {
        let state = self.state();
        state
            .tasks
            .iter()
            .filter(|task| !task.deleted && wanted(&state, task))
            .map(|task| view(&state, task))
            .collect()
    }
}

fn view(state: &State, task: &Task) -> TaskView {
    let list = &state.lists[task.list];
    TaskView {
        id: task.id.clone(),
        name: task.name.clone(),
        list_id: list.id.clone(),
        list_name: list.name.clone(),
        status: task.status.clone(),
        status_type: list
            .status(&task.status)
            .map_or_else(String::new, |it| it.kind.clone()),
        markdown: task.markdown.clone(),
        plain: markdown::plain(&task.markdown),
        email: state.email_of(task).map(str::to_owned),
        fields: task
            .values
            .iter()
            .map(|(index, value)| (state.fields[*index].id.clone(), value.clone()))
            .collect(),
        comments: task
            .comments
            .iter()
            .map(|comment| CommentView {
                id: comment.id.to_string(),
                user_id: comment.user.id,
                text: comment.text(),
                runs: comment.runs.clone(),
                date: comment.date,
                resolved: comment.resolved,
            })
            .collect(),
        creator_id: task.creator,
        date_created: task.created,
        date_updated: task.updated,
        date_closed: task.closed,
        due_date: task.due,
        tags: task.tags.clone(),
        archived: task.archived,
        deleted: task.deleted,
        parent: task.parent.clone(),
    }
}
