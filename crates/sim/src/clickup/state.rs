//! What the pretended workspace holds: places, fields, tasks, comments, and the few
//! rules about them that both people and the API obey. HTTP is not here.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;

use super::Config;
use super::events::{Outgoing, Told};
use super::hooks::Hook;
use super::limit::Limits;
use super::log::Log;
use super::markdown;
use crate::faults::Faults;

/// A person with a seat in the workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub id: u64,
    pub username: String,
    pub email: String,
}

impl User {
    pub fn new(id: u64, username: &str, email: &str) -> Self {
        Self {
            id,
            username: username.to_owned(),
            email: email.to_owned(),
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Status {
    pub name: String,
    /// `open`, `custom`, `done` or `closed`.
    pub kind: String,
}

#[derive(Clone, Debug)]
pub(super) struct List {
    pub id: String,
    pub name: String,
    pub folder: Option<usize>,
    pub space: usize,
    pub statuses: Vec<Status>,
    /// The list's default task type is over the plan's cap: see ITEM_246.
    pub type_capped: bool,
    /// What the token's user may do there, as shown; nothing is refused for it.
    pub permission: String,
    pub task_count: u64,
}

impl List {
    pub fn status(&self, name: &str) -> Option<&Status> {
        self.statuses
            .iter()
            .find(|status| status.name.eq_ignore_ascii_case(name.trim()))
    }

    pub fn first_status(&self) -> String {
        self.statuses
            .first()
            .map_or_else(String::new, |status| status.name.clone())
    }

    pub fn closes(&self, status: &str) -> bool {
        self.status(status)
            .is_some_and(|status| status.kind == "closed")
    }
}

#[derive(Clone, Debug)]
pub(super) struct Place {
    pub id: String,
    pub name: String,
    /// A folder's space; unused for a space.
    pub space: usize,
}

#[derive(Clone, Debug)]
pub(super) struct Field {
    pub id: String,
    pub name: String,
    pub kind: String,
    pub type_config: Value,
    pub lists: Vec<usize>,
}

#[derive(Clone, Debug)]
pub(super) struct Comment {
    pub id: u64,
    pub user: User,
    pub date: i64,
    /// Runs as stored, with the closing block.
    pub runs: Vec<Value>,
    pub resolved: bool,
}

impl Comment {
    pub fn text(&self) -> String {
        let text: String = self
            .runs
            .iter()
            .filter_map(|run| run.get("text").and_then(Value::as_str))
            .collect();
        text.strip_suffix('\n').unwrap_or(&text).to_owned()
    }
}

#[derive(Clone, Debug)]
pub(super) struct Task {
    pub id: String,
    pub name: String,
    pub list: usize,
    /// Further lists that it was added to.
    pub also_in: Vec<usize>,
    pub status: String,
    pub markdown: String,
    /// By index into [`State::fields`].
    pub values: Vec<(usize, Value)>,
    pub created: i64,
    pub updated: i64,
    pub closed: Option<i64>,
    pub due: Option<i64>,
    pub priority: Option<u64>,
    pub tags: Vec<String>,
    pub archived: bool,
    pub deleted: bool,
    pub parent: Option<String>,
    pub creator: u64,
    pub comments: Vec<Comment>,
    /// The state before the last write and when that was, for stale reads.
    pub before: Option<Box<(i64, Task)>>,
}

impl Task {
    pub fn value(&self, field: usize) -> Option<&Value> {
        self.values
            .iter()
            .find(|(index, _)| *index == field)
            .map(|(_, value)| value)
    }
}

pub(super) struct State {
    pub config: Config,
    pub spaces: Vec<Place>,
    pub folders: Vec<Place>,
    pub lists: Vec<List>,
    pub fields: Vec<Field>,
    pub tasks: Vec<Task>,
    pub by_id: HashMap<String, usize>,
    pub users: Vec<User>,
    /// Token → user id.
    pub tokens: BTreeMap<String, u64>,
    pub token_valid: bool,
    pub quota_exhausted: bool,
    pub faults: Faults,
    pub limits: Limits,
    pub log: Log,
    pub hooks: Vec<Hook>,
    pub may_make_hooks: bool,
    /// A base address instead of the webhooks' own.
    pub hooks_go_to: Option<String>,
    pub hooks_made: u64,
    pub told: VecDeque<Told>,
    /// Where events go out, while somebody serves.
    pub outbox: Option<UnboundedSender<Outgoing>>,
    pub history_items_made: u64,
    tasks_made: u64,
    comments_made: u64,
}

impl State {
    pub fn new(config: Config) -> Self {
        let human = User::new(54_000_002, "Robin Vale", "robin@acme.example");
        Self {
            spaces: vec![Place {
                id: "90110000001".to_owned(),
                name: "CRM".to_owned(),
                space: 0,
            }],
            folders: Vec::new(),
            lists: Vec::new(),
            fields: Vec::new(),
            tasks: Vec::new(),
            by_id: HashMap::new(),
            tokens: BTreeMap::from([(config.token.clone(), config.user.id)]),
            users: vec![config.user.clone(), human],
            token_valid: true,
            quota_exhausted: false,
            faults: Faults::new(config.seed),
            limits: Limits::default(),
            log: Log::new(config.log_entries_max),
            hooks: Vec::new(),
            may_make_hooks: true,
            hooks_go_to: None,
            hooks_made: 0,
            told: VecDeque::new(),
            outbox: None,
            history_items_made: 0,
            tasks_made: 0,
            comments_made: 0,
            config,
        }
    }

    /// Milliseconds by the vendor's clock.
    pub fn now(&self) -> i64 {
        (self.config.wall_ms)() + self.config.clock_skew_ms
    }

    pub fn list_index(&self, id: &str) -> Option<usize> {
        self.lists.iter().position(|list| list.id == id)
    }

    pub fn field_index(&self, id: &str) -> Option<usize> {
        self.fields
            .iter()
            .position(|field| field.id.eq_ignore_ascii_case(id))
    }

    /// The list's first field of type e-mail.
    pub fn email_field(&self, list: usize) -> Option<usize> {
        self.fields
            .iter()
            .position(|field| field.kind == "email" && field.lists.contains(&list))
    }

    pub fn email_of<'a>(&self, task: &'a Task) -> Option<&'a str> {
        let is_email = |index: &usize| self.fields[*index].kind == "email";
        task.values
            .iter()
            .find(|(index, _)| is_email(index))
            .and_then(|(_, value)| value.as_str())
    }

    pub fn human(&self) -> User {
        self.users[1].clone()
    }

    pub fn user(&self, id: u64) -> User {
        let known = self.users.iter().find(|user| user.id == id).cloned();
        known.unwrap_or_else(|| User::new(id, "Someone", "someone@acme.example"))
    }

    /// A task that was not deleted.
    pub fn live(&self, id: &str) -> Option<usize> {
        self.by_id
            .get(id)
            .copied()
            .filter(|index| !self.tasks[*index].deleted)
    }

    /// A task with defaults: first status, now, made by a person. Not in the workspace yet.
    pub fn blank_task(&mut self, list: usize, name: &str) -> Task {
        self.tasks_made += 1;
        let now = self.now();
        Task {
            id: format!("86{}", base36(300_000_000 + self.tasks_made * 7)),
            name: name.to_owned(),
            list,
            also_in: Vec::new(),
            status: self.lists[list].first_status(),
            markdown: String::new(),
            values: Vec::new(),
            created: now,
            updated: now,
            closed: None,
            due: None,
            priority: None,
            tags: Vec::new(),
            archived: false,
            deleted: false,
            parent: None,
            creator: self.users[1].id,
            comments: Vec::new(),
            before: None,
        }
    }

    pub fn put_in(&mut self, task: Task) -> usize {
        let index = self.tasks.len();
        self.lists[task.list].task_count += 1;
        self.by_id.insert(task.id.clone(), index);
        self.tasks.push(task);
        index
    }

    pub fn rerender(&self, markdown: &str) -> String {
        markdown::rerender(markdown, &self.config.rerender)
    }

    /// Every change of a task, by whomever, goes through here.
    pub fn change(&mut self, index: usize, change: impl FnOnce(&mut Task)) {
        let now = self.now();
        let task = &mut self.tasks[index];
        task.before = None;
        let before = task.clone();
        change(task);
        task.before = Some(Box::new((now, before)));
        // Two changes within a millisecond still differ.
        task.updated = now.max(task.updated + 1);
    }

    /// The status in the list's spelling is set, and the closing date follows.
    pub fn set_status(&mut self, index: usize, status: &str) {
        let now = self.now();
        let list = &self.lists[self.tasks[index].list];
        let Some(found) = list.status(status) else {
            return;
        };
        let (name, kind) = (found.name.clone(), found.kind.clone());
        let task = &mut self.tasks[index];
        task.status = name;
        task.closed = (kind == "closed" || kind == "done").then_some(now);
    }

    pub fn add_comment(&mut self, index: usize, user: User, mut runs: Vec<Value>) -> (u64, i64) {
        self.comments_made += 1;
        let id = 90_110_000_000_000 + self.comments_made;
        let now = self.now();
        close_block(&mut runs, id);
        let touches = self.config.comments_touch_tasks;
        let task = &mut self.tasks[index];
        // Newest first needs dates that differ.
        let date = task
            .comments
            .last()
            .map_or(now, |last| now.max(last.date + 1));
        task.comments.push(Comment {
            id,
            user,
            date,
            runs,
            resolved: false,
        });
        if touches {
            task.updated = now.max(task.updated + 1);
        }
        (id, date)
    }

    pub fn find_comment(&self, id: &str) -> Option<(usize, usize)> {
        let id: u64 = id.parse().ok()?;
        self.tasks
            .iter()
            .enumerate()
            .filter(|(_, task)| !task.deleted)
            .find_map(|(index, task)| {
                let at = task.comments.iter().position(|comment| comment.id == id)?;
                Some((index, at))
            })
    }
}

/// The editor ends every comment with a block of its own.
pub(super) fn close_block(runs: &mut Vec<Value>, id: u64) {
    let closed = runs
        .last()
        .and_then(|run| run.get("text"))
        .and_then(Value::as_str)
        .is_some_and(|text| text == "\n");
    if !closed {
        let block = format!("block-{}", uuid::Uuid::from_u64_pair(id, id));
        runs.push(serde_json::json!({"text": "\n", "attributes": {"block-id": block}}));
    }
}

pub(super) fn wall_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn base36(mut number: u64) -> String {
    let mut digits = Vec::new();
    while number > 0 {
        digits.push(b"0123456789abcdefghijklmnopqrstuvwxyz"[(number % 36) as usize]);
        number /= 36;
    }
    digits
        .iter()
        .rev()
        .map(|digit| char::from(*digit))
        .collect()
}
