//! Custom field values: what is accepted, set and unset.

use serde_json::{Value, json};

use super::events::Changed;
use super::routes::{Asked, Outcome, Refusal, refuse};
use super::state::{Field, State};

pub(super) fn set(state: &mut State, task: &str, field: &str, asked: &Asked) -> Outcome {
    let field = known(state, field)?;
    let Some(index) = state.by_id.get(task).copied() else {
        return refuse(404, "Task not found, deleted", "ITEM_013");
    };
    // Seen live: a deleted task answers 200 and nothing happens.
    if state.tasks[index].deleted {
        return Ok(json!({}));
    }
    if state.quota_exhausted {
        return over_quota();
    }
    let field = on_list(state, field, state.tasks[index].list)?;
    let value = accepted(
        &state.fields[field],
        asked.body.get("value").unwrap_or(&Value::Null),
    )?;
    let before = state.tasks[index].value(field).cloned();
    let changed = Changed {
        custom: Some(field),
        ..Changed::of("custom_field", before, value.clone())
    };
    state.change(index, |task| {
        task.values.retain(|(index, _)| *index != field);
        task.values.push((field, value));
    });
    state.tell(index, asked.user.id, &["taskUpdated"], &[changed]);
    Ok(json!({}))
}

pub(super) fn unset(state: &mut State, task: &str, field: &str) -> Outcome {
    let field = known(state, field)?;
    let index = super::tasks::find(state, task)?;
    let field = on_list(state, field, state.tasks[index].list)?;
    state.change(index, |task| {
        task.values.retain(|(index, _)| *index != field);
    });
    Ok(json!({}))
}

/// The `custom_fields` of a create call.
pub(super) fn inline(
    state: &State,
    list: usize,
    body: &Value,
) -> Result<Vec<(usize, Value)>, Refusal> {
    let mut values = Vec::new();
    let Some(given) = body.get("custom_fields").and_then(Value::as_array) else {
        return Ok(values);
    };
    for one in given {
        let id = one.get("id").and_then(Value::as_str).unwrap_or_default();
        let field = known(state, id)?;
        if state.quota_exhausted {
            return over_quota();
        }
        let field = on_list(state, field, list)?;
        let value = one.get("value").unwrap_or(&Value::Null);
        values.push((field, accepted(&state.fields[field], value)?));
    }
    Ok(values)
}

fn over_quota<T>() -> Result<T, Refusal> {
    refuse(
        400,
        "Custom field usages exceeded for your plan",
        "FIELD_033",
    )
}

fn known(state: &State, id: &str) -> Result<Option<usize>, Refusal> {
    if uuid::Uuid::try_parse(id).is_err() {
        return refuse(400, "Custom field id must be a valid UUID", "FIELD_057");
    }
    Ok(state.field_index(id))
}

fn on_list(state: &State, field: Option<usize>, list: usize) -> Result<usize, Refusal> {
    match field.filter(|field| state.fields[*field].lists.contains(&list)) {
        Some(field) => Ok(field),
        None => refuse(
            400,
            "Custom field does not exist in the task location hierarchy",
            "FIELD_115",
        ),
    }
}

// The value as it is stored and read back.
fn accepted(field: &Field, value: &Value) -> Result<Value, Refusal> {
    match field.kind.as_str() {
        "email" => match value.as_str() {
            Some(address) if is_email(address) => Ok(json!(address)),
            // Placeholder code: not established.
            _ => refuse(400, "Value is not a valid email address", "FIELD_000"),
        },
        "phone" => match value.as_str() {
            Some(number) if is_phone(number) => Ok(json!(number)),
            // Placeholder code: not established.
            _ => refuse(400, "Value is not a valid phone number", "FIELD_000"),
        },
        "url" => match value.as_str() {
            Some(url) if url.starts_with("http://") || url.starts_with("https://") => {
                Ok(json!(url))
            }
            // Placeholder code: not established.
            _ => refuse(400, "Value is not a valid URL", "FIELD_000"),
        },
        "date" => {
            let text = value.as_str().and_then(|text| text.parse::<i64>().ok());
            match value.as_i64().or(text) {
                Some(ms) => Ok(json!(ms.to_string())),
                None => refuse(400, "Value is not a valid date", "FIELD_017"),
            }
        }
        "drop_down" => option(field, value),
        "checkbox" => match value.as_bool() {
            Some(checked) => Ok(json!(checked)),
            None => refuse(400, "Value must be a boolean", "FIELD_144"),
        },
        "number" | "currency" => match value.as_f64() {
            Some(_) => Ok(value.clone()),
            None => refuse(400, "Value is not a valid number", "FIELD_144"),
        },
        _ => match value.as_str() {
            Some(text) => Ok(json!(text)),
            None => refuse(400, "Value must be a string", "FIELD_144"),
        },
    }
}

// Written as the option's uuid or index, read back as its index.
fn option(field: &Field, value: &Value) -> Outcome {
    let options = field.type_config.get("options").and_then(Value::as_array);
    let found = options.into_iter().flatten().find(|option| {
        option.get("id") == Some(value)
            || value.as_u64().is_some() && option.get("orderindex") == Some(value)
    });
    match found {
        Some(option) => Ok(option
            .get("orderindex")
            .cloned()
            .unwrap_or_else(|| json!(0))),
        None => refuse(400, "Value must be an option index or uuid", "FIELD_011"),
    }
}

pub(super) fn is_email(address: &str) -> bool {
    let Some((local, domain)) = address.split_once('@') else {
        return false;
    };
    !local.is_empty()
        && domain.contains('.')
        && !domain.contains('@')
        && !domain.starts_with('.')
        && !domain.ends_with('.')
        && !address.contains(char::is_whitespace)
}

fn is_phone(number: &str) -> bool {
    number.starts_with('+')
        && number.bytes().filter(u8::is_ascii_digit).count() >= 7
        && number
            .chars()
            .all(|c| c.is_ascii_digit() || "+ -().".contains(c))
}
