//! Lists of tasks: filters, order, pages. Unknown parameters are ignored, as ClickUp
//! does, so a misspelt filter returns everything.

use serde_json::{Value, json};

use super::render;
use super::routes::{Asked, Outcome, Refusal, refuse};
use super::state::{State, Task};

const PAGE_TASKS: usize = 100;

pub(super) fn team_tasks(state: &State, asked: &Asked) -> Outcome {
    let named: Vec<&str> = asked.all("list_ids[]").collect();
    let spaces: Vec<&str> = asked.all("space_ids[]").collect();
    let within: Vec<bool> = state
        .lists
        .iter()
        .map(|list| {
            (named.is_empty() || named.contains(&list.id.as_str()))
                && (spaces.is_empty() || spaces.contains(&state.spaces[list.space].id.as_str()))
        })
        .collect();
    let is_listed = !named.is_empty();
    let mut filter = Filter::read(state, &within, asked)?;
    filter.added = is_listed && state.config.lists_show_added;
    filter.any_age = is_listed && state.config.lists_show_archived;
    Ok(tasks(state, &filter, asked))
}

/// Tasks whose home is this list, and on request those that were added to it.
pub(super) fn list_tasks(state: &State, list: usize, asked: &Asked) -> Outcome {
    let within: Vec<bool> = (0..state.lists.len()).map(|index| index == list).collect();
    let mut filter = Filter::read(state, &within, asked)?;
    filter.added = asked.flag("include_timl");
    Ok(tasks(state, &filter, asked))
}

fn tasks(state: &State, filter: &Filter, asked: &Asked) -> Value {
    let mut found: Vec<(i64, usize)> = Vec::new();
    for (index, task) in state.tasks.iter().enumerate() {
        if filter.admits(state, task) {
            found.push((filter.order.key(task), index));
        }
    }
    // Newest first, unless reversed; among equals the later one first.
    if asked.flag("reverse") {
        found.sort_unstable();
    } else {
        found.sort_unstable_by(|a, b| b.cmp(a));
    }
    let page = asked
        .param("page")
        .and_then(|page| page.parse().ok())
        .unwrap_or(0_usize);
    let markdown = asked.flag("include_markdown_description");
    let shown: Vec<Value> = found
        .iter()
        .skip(page.saturating_mul(PAGE_TASKS))
        .take(PAGE_TASKS)
        .map(|(_, index)| render::task(state, &state.tasks[*index], markdown, false))
        .collect();
    // A full page never claims to be the last, even if the next one is empty.
    let last_page = shown.len() < PAGE_TASKS;
    json!({"tasks": shown, "last_page": last_page})
}

#[derive(Clone, Copy)]
enum Order {
    Created,
    Updated,
    Due,
    Id,
}

impl Order {
    fn key(self, task: &Task) -> i64 {
        match self {
            Self::Created => task.created,
            Self::Updated => task.updated,
            Self::Due => task.due.unwrap_or(0),
            // Ids grow with the place in the table, which decides among equals.
            Self::Id => 0,
        }
    }
}

struct Filter<'a> {
    within: &'a [bool],
    include_closed: bool,
    subtasks: bool,
    archived: bool,
    statuses: Vec<String>,
    created: (Option<i64>, Option<i64>),
    updated: (Option<i64>, Option<i64>),
    /// Tasks made after this are not in the index yet.
    indexed_until: i64,
    /// Changes after this are not in the index yet; `None` when all are.
    changed_until: Option<i64>,
    /// Tasks that were added from other lists as well.
    added: bool,
    /// Archived or not.
    any_age: bool,
    conditions: Vec<Condition>,
    order: Order,
}

impl<'a> Filter<'a> {
    fn read(state: &State, within: &'a [bool], asked: &Asked) -> Result<Self, Refusal> {
        let order = match asked.param("order_by") {
            Some("closed") => return refuse(500, "Internal server error", "ITEMV2_003"),
            Some("updated") => Order::Updated,
            Some("due_date") => Order::Due,
            Some("id") => Order::Id,
            _ => Order::Created,
        };
        let ms = |name: &str| asked.param(name).and_then(|ms| ms.parse().ok());
        Ok(Self {
            within,
            include_closed: asked.flag("include_closed"),
            subtasks: asked.flag("subtasks"),
            archived: asked.flag("archived"),
            statuses: asked.all("statuses[]").map(str::to_lowercase).collect(),
            created: (ms("date_created_gt"), ms("date_created_lt")),
            updated: (ms("date_updated_gt"), ms("date_updated_lt")),
            indexed_until: state.now() - i64::try_from(asked.lag_ms).unwrap_or(0),
            changed_until: Some(state.config.edit_lag.as_millis())
                .filter(|lag| *lag > 0)
                .map(|lag| state.now() - i64::try_from(lag).unwrap_or(0)),
            added: false,
            any_age: false,
            conditions: conditions(state, asked)?,
            order,
        })
    }

    fn admits(&self, state: &State, task: &Task) -> bool {
        let between = |at: i64, (after, before): (Option<i64>, Option<i64>)| {
            after.is_none_or(|after| at > after) && before.is_none_or(|before| at < before)
        };
        let is_within =
            self.within[task.list] || self.added && task.also_in.iter().any(|at| self.within[*at]);
        is_within
            && !task.deleted
            && (self.any_age || task.archived == self.archived)
            && (self.subtasks || task.parent.is_none())
            && between(task.created, self.created)
            && between(task.updated, self.updated)
            && task.created <= self.indexed_until
            && self
                .conditions
                .iter()
                .all(|condition| condition.holds(state, self.indexed(task)))
            && self.admits_status(state, task)
    }

    fn indexed<'t>(&self, task: &'t Task) -> &'t Task {
        match (self.changed_until, &task.before) {
            (Some(until), Some(before)) if before.0 > until => &before.1,
            _ => task,
        }
    }

    // Naming a closed status returns its tasks even without include_closed (seen live).
    fn admits_status(&self, state: &State, task: &Task) -> bool {
        if self.statuses.is_empty() {
            return self.include_closed || !state.lists[task.list].closes(&task.status);
        }
        self.statuses.contains(&task.status.to_lowercase())
    }
}

enum Operator {
    Contains,
    Is,
    ContainsNot,
    IsNot,
    Null,
    NotNull,
    Below(bool),
    Above(bool),
    Any,
}

struct Condition {
    /// `None` is a field that does not exist: nothing matches, and nobody is told.
    field: Option<usize>,
    operator: Operator,
    value: Value,
}

fn conditions(state: &State, asked: &Asked) -> Result<Vec<Condition>, Refusal> {
    let Some(text) = asked
        .param("custom_fields")
        .or_else(|| asked.param("custom_field"))
    else {
        return Ok(Vec::new());
    };
    let given = match serde_json::from_str(text) {
        Ok(Value::Array(given)) => given,
        Ok(one @ Value::Object(_)) => vec![one],
        // Placeholder code: not established.
        _ => return refuse(400, "Custom fields filter is not a JSON array", "INPUT_000"),
    };
    given.iter().map(|one| condition(state, one)).collect()
}

fn condition(state: &State, given: &Value) -> Result<Condition, Refusal> {
    let text = |key| given.get(key).and_then(Value::as_str).unwrap_or_default();
    let operator = match text("operator") {
        "=" => Operator::Contains,
        "==" => Operator::Is,
        "!=" => Operator::ContainsNot,
        "!==" => Operator::IsNot,
        "IS NULL" => Operator::Null,
        "IS NOT NULL" => Operator::NotNull,
        "<" => Operator::Below(false),
        "<=" => Operator::Below(true),
        ">" => Operator::Above(false),
        ">=" => Operator::Above(true),
        "ANY" => Operator::Any,
        // Placeholder code: not established.
        _ => return refuse(400, "Custom field filter operator invalid", "INPUT_000"),
    };
    Ok(Condition {
        field: state.field_index(text("field_id")),
        operator,
        value: given.get("value").cloned().unwrap_or_default(),
    })
}

impl Condition {
    fn holds(&self, state: &State, task: &Task) -> bool {
        let Some(field) = self.field else {
            return false;
        };
        let value = task.value(field);
        let ignore_case = state.config.contains_ignores_case;
        match (&self.operator, value) {
            (Operator::Null, value) => value.is_none(),
            (Operator::ContainsNot | Operator::IsNot, None) => true,
            (_, None) => false,
            (Operator::NotNull, Some(_)) => true,
            (Operator::Contains, Some(value)) => contains(value, &self.value, ignore_case),
            (Operator::ContainsNot, Some(value)) => !contains(value, &self.value, ignore_case),
            (Operator::Is, Some(_))
                if !state.config.exact_applies_to_email && state.fields[field].kind == "email" =>
            {
                false
            }
            (Operator::Is, Some(value)) => is(value, &self.value, ignore_case),
            (Operator::IsNot, Some(value)) => !is(value, &self.value, ignore_case),
            (Operator::Below(or_equal), Some(value)) => {
                compare(value, &self.value).is_some_and(|o| o.is_lt() || *or_equal && o.is_eq())
            }
            (Operator::Above(or_equal), Some(value)) => {
                compare(value, &self.value).is_some_and(|o| o.is_gt() || *or_equal && o.is_eq())
            }
            (Operator::Any, Some(value)) => self
                .value
                .as_array()
                .is_some_and(|wanted| wanted.contains(value)),
        }
    }
}

fn contains(value: &Value, wanted: &Value, ignore_case: bool) -> bool {
    match (value.as_str(), wanted.as_str()) {
        (Some(value), Some(wanted)) if ignore_case => {
            value.to_lowercase().contains(&wanted.to_lowercase())
        }
        (Some(value), Some(wanted)) => value.contains(wanted),
        _ => value == wanted,
    }
}

fn is(value: &Value, wanted: &Value, ignore_case: bool) -> bool {
    match (value.as_str(), wanted.as_str()) {
        (Some(value), Some(wanted)) if ignore_case => value.eq_ignore_ascii_case(wanted),
        _ => value == wanted,
    }
}

fn compare(value: &Value, wanted: &Value) -> Option<std::cmp::Ordering> {
    let number = |value: &Value| {
        value
            .as_f64()
            .or_else(|| value.as_str().and_then(|text| text.parse().ok()))
    };
    number(value)?.partial_cmp(&number(wanted)?)
}
