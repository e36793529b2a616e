//! What an event type asks beside name and e-mail, and the answers that a booking brings along.

use domain::text::one_line;
use serde_json::{Map, Value, json};
use vendors::cal::api::{EventType, Question, Takes};

use super::{Desk, Trouble};

/// Cal.com's own: given by other arguments, or not asked for when somebody else books.
const OWN: [&str; 7] = [
    "name",
    "email",
    "title",
    "location",
    "notes",
    "guests",
    "rescheduleReason",
];
/// Cal.com takes it as the booker's number.
pub const PHONE: &str = "attendeePhoneNumber";
const ANSWER_CHARS_MAX: usize = 500;
const LABEL_CHARS_MAX: usize = 120;

fn asked(event_type: &EventType) -> impl Iterator<Item = &Question> {
    let all = event_type.questions.iter();
    all.filter(|it| !OWN.contains(&it.slug.as_str()))
}

/// For a model.
pub fn questions(event_type: &EventType) -> Vec<Value> {
    asked(event_type).map(shown).collect()
}

fn shown(question: &Question) -> Value {
    let label = one_line(&question.label, LABEL_CHARS_MAX);
    let mut shown = json!({ "slug": question.slug, "label": label });
    if question.required {
        shown["required"] = true.into();
    }
    if !question.options.is_empty() {
        shown["options"] = question.options.clone().into();
    }
    let takes = match question.takes {
        Takes::Text => return shown,
        Takes::YesOrNo => "true or false",
        Takes::Number => "a number",
        Takes::Several => "a list",
    };
    shown["takes"] = takes.into();
    shown
}

/// As they can be sent; told now what is missing, rather than after somebody has confirmed.
pub fn checked(
    desk: &Desk<'_>,
    event_type: &EventType,
    given: Option<&Map<String, Value>>,
    has_notes: bool,
) -> Result<Map<String, Value>, Trouble> {
    let wrong = |error: String| {
        Trouble::input(
            error,
            "give `answers` by the questions' slugs; ask the user for what is not known",
        )
        .with(json!({ "questions": questions(event_type) }))
    };
    let mut answers = Map::new();
    for (slug, answer) in given.into_iter().flatten() {
        let question = asked(event_type).find(|it| it.slug == *slug);
        let Some(question) = question else {
            let slug = one_line(slug, LABEL_CHARS_MAX);
            return Err(wrong(format!(
                "the event type asks nothing called `{slug}`"
            )));
        };
        let answer = taken(question, answer).map_err(&wrong)?;
        // Options are the user's own words.
        let answer = if question.options.is_empty() {
            sayable(desk, answer)
        } else {
            answer
        };
        answers.insert(slug.clone(), answer);
    }
    let missing: Vec<&str> = asked(event_type)
        .filter(|it| it.required && !answers.contains_key(&it.slug))
        .map(|it| it.slug.as_str())
        .collect();
    if !missing.is_empty() {
        let missing = missing.join(", ");
        return Err(wrong(format!(
            "the event type wants an answer to: {missing}"
        )));
    }
    let wants_notes = |it: &Question| it.slug == "notes" && it.required;
    if !has_notes && event_type.questions.iter().any(wants_notes) {
        return Err(wrong("the event type wants `notes`".to_owned()));
    }
    Ok(answers)
}

fn taken(question: &Question, answer: &Value) -> Result<Value, String> {
    let slug = &question.slug;
    let one = |answer: &Value| match answer {
        Value::String(text) if text.chars().count() <= ANSWER_CHARS_MAX => {
            let text = one_line(text, ANSWER_CHARS_MAX);
            let is_known = question.options.is_empty() || question.options.contains(&text);
            is_known
                .then_some(Value::String(text))
                .ok_or_else(|| format!("`{slug}` takes one of its options only"))
        }
        Value::Bool(_) | Value::Number(_) => Ok(answer.clone()),
        _ => Err(format!(
            "the answer to `{slug}` is no text of at most {ANSWER_CHARS_MAX} characters"
        )),
    };
    let answer = match answer {
        Value::Array(several) => several.iter().map(one).collect::<Result<Value, _>>()?,
        answer => one(answer)?,
    };
    // Cal.com refuses any other kind, when somebody has confirmed.
    match question.takes {
        Takes::Text => Ok(answer),
        Takes::Several if answer.is_array() => Ok(answer),
        Takes::Several => Ok(json!([answer])),
        Takes::YesOrNo => {
            yes_or_no(&answer).ok_or_else(|| format!("`{slug}` takes true or false only"))
        }
        Takes::Number => number(&answer).ok_or_else(|| format!("`{slug}` takes a number only")),
    }
}

fn yes_or_no(answer: &Value) -> Option<Value> {
    let word = answer.as_str().map(str::to_lowercase);
    match word.as_deref().map(str::trim) {
        None => answer.is_boolean().then(|| answer.clone()),
        Some("yes" | "true") => Some(true.into()),
        Some("no" | "false") => Some(false.into()),
        Some(_) => None,
    }
}

fn number(answer: &Value) -> Option<Value> {
    let Some(text) = answer.as_str() else {
        return answer.is_number().then(|| answer.clone());
    };
    let whole = text.trim().parse::<i64>().ok().map(Value::from);
    whole.or_else(|| text.trim().parse::<f64>().ok().map(Value::from))
}

fn sayable(desk: &Desk<'_>, answer: Value) -> Value {
    match answer {
        Value::String(text) => desk.sayable(&text).into(),
        Value::Array(several) => several.into_iter().map(|it| sayable(desk, it)).collect(),
        other => other,
    }
}

/// For whoever confirms.
pub fn told(event_type: &EventType, answers: &Map<String, Value>) -> Option<String> {
    let all: Vec<String> = answers
        .iter()
        .map(|(slug, answer)| {
            let question = event_type.questions.iter().find(|it| it.slug == *slug);
            let label = question.map(|it| one_line(&it.label, LABEL_CHARS_MAX));
            let label = label.filter(|it| !it.is_empty());
            let answer = match answer {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            format!("{}: “{answer}”", label.as_deref().unwrap_or(slug))
        })
        .collect();
    (!all.is_empty()).then(|| all.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_of_the_kind_that_cal_com_takes() {
        let question = |takes| Question {
            slug: "q".into(),
            label: String::new(),
            required: true,
            options: Vec::new(),
            takes,
        };
        let taken = |takes, answer: Value| taken(&question(takes), &answer).ok();
        assert_eq!(taken(Takes::YesOrNo, json!("Yes")), Some(json!(true)));
        assert_eq!(taken(Takes::YesOrNo, json!(false)), Some(json!(false)));
        assert_eq!(taken(Takes::YesOrNo, json!("perhaps")), None);
        assert_eq!(taken(Takes::Number, json!("25")), Some(json!(25)));
        assert_eq!(taken(Takes::Number, json!("2.5")), Some(json!(2.5)));
        assert_eq!(taken(Takes::Number, json!("many")), None);
        assert_eq!(
            taken(Takes::Several, json!("Sales")),
            Some(json!(["Sales"]))
        );
        assert_eq!(
            taken(Takes::Several, json!(["a", "b"])),
            Some(json!(["a", "b"]))
        );
        assert_eq!(taken(Takes::Text, json!("25")), Some(json!("25")));
    }
}
