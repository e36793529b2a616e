//! What is told to webhooks: an event per change, whoever made it, signed, and tried five times. Bodies have the shapes of
//! `fixtures/clickup-api/webhook.*`. <https://developer.clickup.com/docs/webhooktaskpayloads>

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::time::Duration;

use hmac::{Hmac, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{sleep, timeout};

use super::hooks::Health;
use super::render;
use super::state::{List, State};
use super::{ClickUp, Shared};
use crate::http;

const ATTEMPTS: u32 = 5;
const FAILURES_MAX: u32 = 100;
const ANSWER_MAX: Duration = Duration::from_secs(7);
const TOLD_MAX: usize = 20_000;

/// One property of a task that was changed.
pub(super) struct Changed {
    pub field: &'static str,
    pub before: Value,
    pub after: Value,
    /// The field, where `field` is `custom_field`.
    pub custom: Option<usize>,
    pub data: Value,
}

impl Changed {
    pub fn of(field: &'static str, before: impl Into<Value>, after: impl Into<Value>) -> Self {
        Self {
            field,
            before: before.into(),
            after: after.into(),
            custom: None,
            data: json!({}),
        }
    }

    /// A new task had none before.
    pub fn status(list: &List, before: Option<&str>, after: &str) -> Self {
        let shown = |name: &str| {
            let mut shown = render::status_json(list, name);
            let keys = shown.as_object_mut().expect("an object");
            keys.remove("id");
            shown
        };
        let none = json!({"status": null, "color": "#000000", "type": "removed", "orderindex": -1});
        let after = shown(after);
        Self {
            data: json!({"status_type": after["type"]}),
            ..Self::of("status", before.map_or(none, shown), after)
        }
    }
}

/// An event on its way to one webhook.
pub(super) struct Outgoing {
    hook: String,
    event: String,
    task: String,
    secret: String,
    body: Vec<u8>,
}

/// One attempt to tell a webhook of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub hook: String,
    pub event: String,
    pub task: String,
    /// Counted from 1.
    pub attempt: u32,
    /// 0 when no answer came within seven seconds.
    pub status: u16,
}

impl State {
    /// The events of one change, most particular first, as ClickUp fires them together.
    pub fn tell(&mut self, task: usize, user: u64, events: &[&str], changed: &[Changed]) {
        let list = self.tasks[task].list;
        self.tell_from(task, &[list], user, events, changed);
    }

    pub fn tell_created(&mut self, task: usize) {
        let user = self.tasks[task].creator;
        let list = &self.lists[self.tasks[task].list];
        let changed = [
            Changed::status(list, None, &self.tasks[task].status),
            Changed::of("task_creation", Value::Null, Value::Null),
        ];
        self.tell(task, user, &["taskCreated"], &changed);
    }

    /// Nobody is named.
    pub fn tell_deleted(&mut self, task: usize) {
        let list = self.tasks[task].list;
        self.send(task, &[list], "taskDeleted", None);
    }

    /// Told at both ends.
    pub fn tell_moved(&mut self, task: usize, from: usize, user: u64) {
        let to = self.tasks[task].list;
        let at = |list: usize| json!({"id": self.lists[list].id, "name": self.lists[list].name});
        let changed = [Changed::of("section_moved", at(from), at(to))];
        let events = ["taskMoved", "taskUpdated"];
        self.tell_from(task, &[from, to], user, &events, &changed);
    }

    fn tell_from(
        &mut self,
        task: usize,
        lists: &[usize],
        user: u64,
        events: &[&str],
        changed: &[Changed],
    ) {
        if self.hooks.is_empty() || changed.is_empty() {
            return;
        }
        let items: Vec<Value> = changed.iter().map(|it| self.item(task, user, it)).collect();
        for event in events {
            self.send(task, lists, event, Some(&items));
        }
    }

    fn item(&mut self, task: usize, user: u64, changed: &Changed) -> Value {
        self.history_items_made += 1;
        let id = 2_800_763_136_700_000_000 + self.history_items_made;
        let mut item = json!({
            "id": id.to_string(),
            "type": 1,
            "date": self.now().to_string(),
            "field": changed.field,
            "parent_id": self.lists[self.tasks[task].list].id,
            "data": changed.data,
            "source": null,
            "user": render::person(&self.user(user)),
            "before": changed.before,
            "after": changed.after,
        });
        if let Some(field) = changed.custom {
            item["custom_field"] = render::field(&self.fields[field]);
        }
        item
    }

    fn send(&self, task: usize, lists: &[usize], event: &str, items: Option<&[Value]>) {
        let Some(outbox) = &self.outbox else {
            return;
        };
        let task = &self.tasks[task];
        let wanted = |list: &usize, hook: &super::hooks::Hook| hook.covers(self, task, *list);
        for hook in self.hooks.iter().filter(|hook| hook.wants(event)) {
            if !lists.iter().any(|list| wanted(list, hook)) {
                continue;
            }
            let mut body = json!({"event": event, "task_id": task.id, "webhook_id": hook.id});
            if let Some(items) = items {
                body["history_items"] = Value::Array(items.to_vec());
            }
            let outgoing = Outgoing {
                hook: hook.id.clone(),
                event: event.to_owned(),
                task: task.id.clone(),
                secret: hook.secret.clone(),
                body: body.to_string().into_bytes(),
            };
            // Nobody listens any more: the workspace is being given up.
            let _ = outbox.send(outgoing);
        }
    }
}

/// Sends what is put into the outbox, for as long as the workspace is there.
pub(super) async fn post(shared: Weak<Shared>, mut outbox: UnboundedReceiver<Outgoing>) {
    while let Some(outgoing) = outbox.recv().await {
        tokio::spawn(deliver(shared.clone(), outgoing));
    }
}

async fn deliver(shared: Weak<Shared>, outgoing: Outgoing) {
    let headers = [
        ("Content-Type".to_owned(), "application/json".to_owned()),
        (
            "X-Signature".to_owned(),
            sign(&outgoing.secret, &outgoing.body),
        ),
    ];
    for attempt in 1..=ATTEMPTS {
        let Some((url, pause)) = target(&shared, &outgoing.hook) else {
            return;
        };
        let sent = timeout(
            ANSWER_MAX,
            http::send("POST", &url, &headers, &outgoing.body),
        );
        let answered = sent.await.ok().and_then(Result::ok);
        let status = answered.map_or(0, |answer| answer.status);
        if !is_to_be_repeated(&shared, &outgoing, attempt, status) {
            return;
        }
        sleep(pause).await;
    }
}

/// Where it goes now, and how long until it is tried again; nowhere once the webhook is gone or suspended.
fn target(shared: &Weak<Shared>, hook: &str) -> Option<(String, Duration)> {
    let clickup = upgraded(shared)?;
    let state = clickup.state();
    let hook = state.hooks.iter().find(|it| it.id == hook)?;
    if hook.health == Health::Suspended {
        return None;
    }
    let url = match &state.hooks_go_to {
        Some(base) => {
            let path = hook.endpoint.splitn(4, '/').nth(3).unwrap_or_default();
            format!("{base}/{path}")
        }
        None => hook.endpoint.clone(),
    };
    Some((url, state.config.hook_retry))
}

fn is_to_be_repeated(
    shared: &Weak<Shared>,
    outgoing: &Outgoing,
    attempt: u32,
    status: u16,
) -> bool {
    let Some(clickup) = upgraded(shared) else {
        return false;
    };
    let mut state = clickup.state();
    if state.told.len() >= TOLD_MAX {
        state.told.pop_front();
    }
    state.told.push_back(Told {
        hook: outgoing.hook.clone(),
        event: outgoing.event.clone(),
        task: outgoing.task.clone(),
        attempt,
        status,
    });
    let Some(hook) = state.hooks.iter_mut().find(|it| it.id == outgoing.hook) else {
        return false;
    };
    match status {
        200..300 => {
            hook.fail_count = 0;
            if hook.health == Health::Failing {
                hook.health = Health::Active;
            }
            false
        }
        401 | 410 => {
            hook.health = Health::Suspended;
            false
        }
        _ if attempt < ATTEMPTS => true,
        _ => {
            hook.fail_count += 1;
            hook.health = if hook.fail_count >= FAILURES_MAX {
                Health::Suspended
            } else {
                Health::Failing
            };
            false
        }
    }
}

fn upgraded(shared: &Weak<Shared>) -> Option<ClickUp> {
    shared
        .upgrade()
        .map(|shared: Arc<Shared>| ClickUp { shared })
}

/// What stands in `X-Signature`.
pub fn sign(secret: &str, body: &[u8]) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length of key is fine");
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

impl ClickUp {
    /// Every attempt to tell a webhook of something, in order.
    pub fn told(&self) -> Vec<Told> {
        let told: &VecDeque<Told> = &self.state().told;
        told.iter().cloned().collect()
    }

    /// Events go to this base address from now on, whatever host their webhooks name: as by a balancer.
    pub fn set_hooks_go_to(&self, base: Option<&str>) {
        self.state().hooks_go_to = base.map(str::to_owned);
    }
}
