//! Custom fields that a new lead is made with: the e-mail, and what the booker answered to equally named ones.

use domain::lead::NewLead;
use serde_json::{Value, json};

use super::wire::Field;

/// Each field at most once; values that ClickUp would refuse are left out, so that the lead is made all the same.
pub fn inline(new: &NewLead, fields: &[Field], email_field: &str) -> Vec<Value> {
    let mut out: Vec<Value> = Vec::new();
    let mut taken: Vec<&str> = Vec::new();
    let mut put = |field: &'_ Field, value: Value, taken: &mut Vec<&str>| {
        if taken.iter().any(|t| *t == field.id) {
            return;
        }
        out.push(json!({ "id": field.id, "value": value }));
    };
    let mut wanted: Vec<(&Field, Value)> = Vec::new();
    if let Some(email) = &new.email
        && let Some(field) = fields.iter().find(|f| f.is_called(email_field))
    {
        wanted.push((field, email.clone().into()));
    }
    if let Some(phone) = new.phone.as_deref().and_then(phone)
        && let Some(field) = fields.iter().find(|f| f.kind == "phone")
    {
        wanted.push((field, phone.into()));
    }
    for (name, answer) in &new.answers {
        if let Some(field) = fields.iter().find(|f| f.is_called(name))
            && let Some(value) = value(field, answer)
        {
            wanted.push((field, value));
        }
    }
    for (field, value) in wanted {
        put(field, value, &mut taken);
        taken.push(&field.id);
    }
    out
}

fn value(field: &Field, answer: &str) -> Option<Value> {
    let answer = answer.trim();
    match field.kind.as_str() {
        "short_text" | "text" => Some(answer.into()),
        "phone" => phone(answer).map(Into::into),
        "email" => {
            (answer.contains('@') && !answer.contains(char::is_whitespace)).then(|| answer.into())
        }
        "url" => {
            (answer.starts_with("https://") || answer.starts_with("http://")).then(|| answer.into())
        }
        "number" | "currency" => answer
            .parse::<f64>()
            .ok()
            .filter(|n| n.is_finite())
            .map(Into::into),
        "drop_down" => field.option(answer).map(Into::into),
        _ => None,
    }
}

/// A number with its country code, as the field wants it (docs/customfields).
fn phone(typed: &str) -> Option<String> {
    let digits = domain::change::digits(typed);
    let is_one = typed.trim_start().starts_with('+') && (7..=15).contains(&digits.len());
    is_one.then(|| format!("+{digits}"))
}
