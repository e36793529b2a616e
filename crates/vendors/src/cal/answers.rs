//! What the booker answered to the host's own questions. Name, e-mail, notes and whatever else Cal.com asks by
//! itself are not answers; they have fields of their own in a booking.

use domain::booking::Answer;
use domain::text;

use super::json::{Json, TEXT_CHARS_MAX};

const ANSWERS_MAX: usize = 50;
const PARTS_MAX: usize = 100;

/// Cal.com's own questions.
const SYSTEM_SLUGS: [&str; 11] = [
    "name",
    "email",
    "attendeePhoneNumber",
    "location",
    "title",
    "notes",
    "guests",
    "rescheduleReason",
    "cancellationReason",
    "smsReminderNumber",
    "aiAgentPhoneNumber",
];

/// Labels that Cal.com translates when it shows them, and sends as they are.
const TRANSLATED_LABELS: [(&str, &str); 12] = [
    ("your_name", "Your name"),
    ("email_address", "E-mail address"),
    ("phone_number", "Phone number"),
    ("phone", "Phone"),
    ("location", "Location"),
    ("what_is_this_meeting_about", "What is this meeting about?"),
    ("additional_notes", "Additional notes"),
    ("additional_guests", "Additional guests"),
    ("reason_for_reschedule", "Reason for reschedule"),
    ("number_text_notifications", "Phone number for reminders"),
    ("company", "Company"),
    ("short_text", "Short text"),
];

/// The answers in the order sent. The two older shapes count only where the newer ones hold nothing.
pub fn answers(payload: &Json) -> Vec<Answer> {
    let mut answers = Vec::new();
    add(&mut answers, payload.at("userFieldsResponses"));
    add(&mut answers, payload.at("responses"));
    for older in [
        payload.at("metadata").at("responses"),
        payload.at("customInputs"),
    ] {
        if answers.is_empty() {
            add(&mut answers, older);
        }
    }
    answers
}

/// All answers of a form, Cal.com's own questions among them.
pub fn every(fields: &Json) -> Vec<Answer> {
    let answered = fields.entries().iter().filter_map(|(slug, field)| {
        Some(Answer {
            label: label(slug, field),
            slug: text::cut(slug, TEXT_CHARS_MAX),
            value: printable(value(field))?,
        })
    });
    answered.take(ANSWERS_MAX).collect()
}

/// The answers to the host's own questions among `fields`.
pub fn own(fields: &Json) -> Vec<Answer> {
    let mut answers = Vec::new();
    add(&mut answers, fields);
    answers
}

/// What was typed into one of Cal.com's own fields.
pub fn system(payload: &Json, slug: &str) -> Option<String> {
    printable(value(payload.at("responses").at(slug)))
}

fn add(answers: &mut Vec<Answer>, fields: &Json) {
    for (slug, field) in fields.entries() {
        if answers.len() == ANSWERS_MAX {
            return;
        }
        let is_known = answers.iter().any(|a| a.slug == *slug);
        if is_known || SYSTEM_SLUGS.contains(&slug.as_str()) || field.at("isHidden").is_true() {
            continue;
        }
        if let Some(value) = printable(value(field)) {
            answers.push(Answer {
                label: label(slug, field),
                slug: text::cut(slug, TEXT_CHARS_MAX),
                value,
            });
        }
    }
}

/// A field is `{label, value?, isHidden}`, or the value itself.
fn value(field: &Json) -> &Json {
    let is_wrapped = ["label", "value", "isHidden"]
        .iter()
        .any(|key| field.entries().iter().any(|(k, _)| k == key));
    // `{value, optionValue}` without a label is a choice, not a field around one.
    if is_wrapped && !is_choice(field) {
        field.at("value")
    } else {
        field
    }
}

fn is_choice(json: &Json) -> bool {
    json.at("label").is_null() && !json.at("optionValue").is_null()
}

fn label(slug: &str, field: &Json) -> String {
    let Some(label) = field.at("label").text() else {
        return text::cut(slug, TEXT_CHARS_MAX);
    };
    TRANSLATED_LABELS
        .iter()
        .find(|(key, _)| *key == label)
        .map_or(label, |(_, readable)| (*readable).to_owned())
}

/// The value as people would write it; nothing where nothing was answered.
pub fn printable(value: &Json) -> Option<String> {
    match value {
        Json::Null => None,
        Json::Bool(is_yes) => Some(if *is_yes { "yes" } else { "no" }.to_owned()),
        Json::Text(_) | Json::Number(_) => value.text(),
        Json::List(items) => joined(items.iter(), ", "),
        Json::Object(entries) => full_name(value)
            .or_else(|| choice(value))
            .or_else(|| joined(entries.iter().map(|(_, v)| v), ", ")),
    }
}

/// First and last name.
pub fn full_name(value: &Json) -> Option<String> {
    joined(
        [value.at("firstName"), value.at("lastName")].into_iter(),
        " ",
    )
}

fn choice(value: &Json) -> Option<String> {
    ["optionValue", "value", "label"]
        .iter()
        .find_map(|key| printable(value.at(key)))
}

fn joined<'a>(parts: impl Iterator<Item = &'a Json>, with: &str) -> Option<String> {
    let parts: Vec<String> = parts.filter_map(printable).take(PARTS_MAX).collect();
    (!parts.is_empty()).then(|| text::cut(&parts.join(with), TEXT_CHARS_MAX))
}
