//! Custom fields: which of them holds the e-mail, and what a new lead's are filled with. Values that ClickUp would
//! refuse are left out, so that the lead is made all the same.
//! See <https://developer.clickup.com/docs/customfields>.

use domain::lead::{Fill, NewLead};
use domain::outcome::Failure;
use serde_json::{Value, json};
use url::Url;

use super::errors::Purpose;
use super::wire::Field;
use super::{ClickUp, id_or_gone, shown};
use crate::http::Method;

const EMAIL_BYTES_MAX: usize = 254;

/// By name (whatever its case) or id; other types cannot be searched as text.
pub(super) fn is_email_field(field: &Field, setting: &str) -> bool {
    is_named(field, setting) && holds_text(field)
}

pub(super) fn is_named(field: &Field, setting: &str) -> bool {
    field.id == setting || folded(&field.name) == folded(setting)
}

pub(super) fn holds_text(field: &Field) -> bool {
    matches!(field.kind.as_str(), "email" | "short_text" | "text")
}

/// What to send in `custom_fields`: each field once. The e-mail and the phone come before answers.
pub(super) fn values(lead: &NewLead, fields: &[Field], email_field: &str) -> Vec<Value> {
    let mut wanted: Vec<(&Field, &str)> = Vec::new();
    if let Some(email) = &lead.email {
        wanted.extend(self::email_field(fields, email_field).map(|field| (field, email.as_str())));
    }
    if let Some(phone) = &lead.phone {
        let mut phones = fields.iter().filter(|field| field.kind == "phone");
        let named = phones.clone().find(|field| same(&field.name, "phone"));
        // A list with a single field for numbers means that one, whatever it is called.
        let only = phones.next().filter(|_| phones.next().is_none());
        if let Some(field) = named.or(only) {
            wanted.push((field, phone));
        }
    }
    for (name, answer) in &lead.answers {
        if let Some(field) = fields.iter().find(|field| same(&field.name, name)) {
            wanted.push((field, answer));
        }
    }
    let mut chosen: Vec<(&str, Value)> = Vec::new();
    for (field, text) in wanted {
        if let Some(value) = value(field, text.trim())
            && !chosen.iter().any(|(taken, _)| *taken == field.id)
        {
            chosen.push((&field.id, value));
        }
    }
    chosen
        .into_iter()
        .map(|(id, value)| json!({"id": id, "value": value}))
        .collect()
}

/// The one that an address goes into.
pub(super) fn email_field<'a>(fields: &'a [Field], setting: &str) -> Option<&'a Field> {
    let mut known = fields.iter().filter(|field| is_email_field(field, setting));
    let typed = known.clone().find(|field| field.kind == "email");
    typed.or_else(|| known.next())
}

impl ClickUp {
    /// A list without such a field, or an address that is none, is left as it is.
    pub(super) async fn fill_email(&self, lead: &str, fill: &Fill) -> Result<(), Failure> {
        let list = self.list_of(&fill.list_id, false).await?;
        let Some(field) = email_field(&list.fields, &self.email_field) else {
            return Ok(());
        };
        let Some(value) = value(field, fill.email.trim()) else {
            return Ok(());
        };
        let what = format!("fill in the e-mail of lead {}", shown(lead));
        let purpose = Purpose::write(self.places.about(&fill.list_id), what);
        let lead = id_or_gone(lead, &purpose)?;
        let path = format!("/task/{lead}/field/{}", field.id);
        let filled: Result<Value, Failure> = self
            .change(&purpose, Method::POST, &path, json!({ "value": value }))
            .await;
        if let Err(Failure::Refused { .. }) = &filled {
            self.places.expire_lists();
        }
        filled.map(|_| ())
    }
}

fn value(field: &Field, text: &str) -> Option<Value> {
    if text.is_empty() {
        return None;
    }
    match field.kind.as_str() {
        "short_text" | "text" => Some(json!(text)),
        "email" => is_email(text).then(|| json!(text)),
        "phone" => phone(text).map(Value::String),
        "url" => is_url(text).then(|| json!(text)),
        "number" => number(text),
        "drop_down" => option(field, text),
        _ => None,
    }
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let labels = || domain.split('.');
    text.len() <= EMAIL_BYTES_MAX
        && !text
            .contains(|c: char| c.is_whitespace() || c.is_control() || "<>(),;:\\\"[]".contains(c))
        && !local.is_empty()
        && !domain.contains('@')
        && labels().count() >= 2
        && labels().all(|label| !label.is_empty())
}

// Without its country code a number is not one to ClickUp. The digits are sent bare.
fn phone(text: &str) -> Option<String> {
    let rest = text.strip_prefix('+')?;
    if !rest
        .chars()
        .all(|c| c.is_ascii_digit() || c.is_whitespace() || "-().\u{a0}/".contains(c))
    {
        return None;
    }
    let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
    (7..=15)
        .contains(&digits.len())
        .then(|| format!("+{digits}"))
}

fn is_url(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

fn number(text: &str) -> Option<Value> {
    if let Ok(whole) = text.parse::<i64>() {
        return Some(json!(whole));
    }
    let number: f64 = text.parse().ok()?;
    number.is_finite().then(|| json!(number))
}

fn option(field: &Field, text: &str) -> Option<Value> {
    let options = field.type_config.get("options")?.as_array()?;
    let named = |option: &&Value| {
        let name = option.get("name").and_then(Value::as_str);
        name.is_some_and(|name| folded(name) == folded(text))
    };
    options.iter().find(named)?.get("id").cloned()
}

// A question's slug is its label with hyphens: "company-name" is "Company name".
fn same(field: &str, asked: &str) -> bool {
    let words = |text: &str| folded(&text.replace(['-', '_'], " "));
    !field.trim().is_empty() && words(field) == words(asked)
}

/// Without regard to case and to how much space is where.
fn folded(text: &str) -> String {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(id: &str, name: &str, kind: &str) -> Field {
        let options = json!({"options": [{"id": "opt-1", "name": "Cal.com", "orderindex": 0}]});
        let text = json!({"id": id, "name": name, "type": kind, "type_config": options});
        serde_json::from_value(text).expect("a field")
    }

    fn asked(email: Option<&str>, phone: Option<&str>, answers: &[(&str, &str)]) -> NewLead {
        NewLead {
            name: "Ada".to_owned(),
            description: String::new(),
            status: None,
            email: email.map(str::to_owned),
            phone: phone.map(str::to_owned),
            answers: answers
                .iter()
                .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
                .collect(),
            with_fields: true,
            plain_type: false,
        }
    }

    #[test]
    fn answers_fill_equally_named_fields_with_values_that_are_valid() {
        let fields = [
            field("e", "E-mail address", "email"),
            field("E", "email", "email"),
            field("p", "Phone", "phone"),
            field("c", "Company name", "short_text"),
            field("s", "Source", "drop_down"),
            field("n", "Deals", "number"),
            field("u", "Website", "url"),
            field("d", "Next meeting", "date"),
        ];
        let lead = asked(
            Some("Ada@Example.com"),
            Some("+1 (555) 010-0007"),
            &[
                ("company-name", " Acme "),
                ("SOURCE", "cal.com"),
                ("deals", "12.5"),
                ("Website", "javascript:alert(1)"),
                ("phone", "+49 30 1234567"),
                ("next meeting", "tomorrow"),
                ("unheard of", "x"),
            ],
        );
        assert_eq!(
            Value::Array(values(&lead, &fields, " Email")),
            json!([
                {"id": "E", "value": "Ada@Example.com"},
                {"id": "p", "value": "+15550100007"},
                {"id": "c", "value": "Acme"},
                {"id": "s", "value": "opt-1"},
                {"id": "n", "value": 12.5},
            ])
        );
    }

    #[test]
    fn what_clickup_would_refuse_is_left_out() {
        let fields = [
            field("e", "Email", "email"),
            field("p", "Mobile", "phone"),
            field("n", "Deals", "number"),
            field("s", "Source", "drop_down"),
        ];
        for email in [
            "ada",
            "ada@x",
            "a da@x.example",
            "ada@@x.example",
            "@x.example",
            "ada@.x",
        ] {
            let lead = asked(Some(email), None, &[]);
            assert!(values(&lead, &fields, "Email").is_empty(), "{email}");
        }
        for phone in ["030 1234567", "+49", "+49 30 CALL-ME", "+1234567890123456"] {
            let lead = asked(None, Some(phone), &[]);
            assert!(values(&lead, &fields, "Email").is_empty(), "{phone}");
        }
        let lead = asked(
            None,
            None,
            &[("deals", "NaN"), ("source", "Fax"), ("email", "")],
        );
        assert!(values(&lead, &fields, "Email").is_empty());
    }

    #[test]
    fn the_email_field_is_known_by_name_or_id_and_must_hold_text() {
        assert!(is_email_field(&field("f1", " EMAIL ", "email"), "Email"));
        assert!(is_email_field(&field("f1", "Mail", "short_text"), "f1"));
        assert!(!is_email_field(&field("f1", "Email", "checkbox"), "Email"));
        assert!(!is_email_field(&field("f1", "", "email"), "Email"));
    }
}
