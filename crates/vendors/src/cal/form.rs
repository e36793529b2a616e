//! A form that somebody filled in. It names no booking; its answers are under `payload.responses`, and older servers
//! spread them over the top of the body as well.

use domain::booking::Answer;
use domain::event::{FormEvent, Trigger};
use domain::text;
use sha2::{Digest, Sha256};

use super::answers;
use super::json::Json;

const OWN_ADDRESS: [&str; 7] = [
    "email",
    "your email",
    "email address",
    "emailaddress",
    "your email address",
    "work email",
    "business email",
];
const ENVELOPE: [&str; 4] = ["triggerEvent", "createdAt", "payload", "webhook"];

pub fn form(trigger: Trigger, root: &Json) -> FormEvent {
    let payload = root.at("payload");
    let mut all = answers::every(payload.at("responses"));
    if all.is_empty() {
        all = answers::every(root);
        all.retain(|a| !ENVELOPE.contains(&a.slug.as_str()));
    }
    let form = [payload.at("formName"), payload.at("form").at("name")];
    let named = |wanted: &[&str]| {
        let found = all.iter().find(|a| {
            let asked = [a.slug.to_lowercase(), a.label.to_lowercase()];
            asked.iter().any(|q| wanted.contains(&q.trim()))
        });
        found.map(|a| a.value.clone())
    };
    // Somebody else's address (a manager's, say) may be asked for as well.
    let email = all
        .iter()
        .filter(|a| is_address(&a.value))
        .min_by_key(|a| rank(&a.slug).min(rank(&a.label)))
        .map(|a| a.value.clone());
    let created_at = root.at("createdAt").time();
    FormEvent {
        id: id(payload, &all),
        form: form
            .into_iter()
            .find_map(Json::text)
            .unwrap_or_else(|| "Form".into()),
        name: named(&["name", "full name", "full-name", "your name", "your_name"]),
        phone: named(&["phone", "phone number", "phone-number", "mobile"]),
        email,
        answers: all,
        created_at,
        trigger,
    }
}

/// How likely a question asks for one's own address: the lower the likelier.
fn rank(question: &str) -> u8 {
    let asked = question.to_lowercase().replace(['-', '_'], "");
    let asked = asked.trim().trim_end_matches([':', '?', '*', ' ']);
    match asked {
        own if OWN_ADDRESS.contains(&own) => 0,
        mail if mail.contains("mail") => 1,
        _ => 2,
    }
}

/// The response's number; without one, the same answers to the same form are the same response.
fn id(payload: &Json, answers: &[Answer]) -> String {
    let of = |key: &str| payload.at(key).text();
    let form = of("formId").or_else(|| payload.at("form").at("id").text());
    let form = form.unwrap_or_default();
    if let Some(response) = of("responseId") {
        return text::cut(&format!("form {form} {response}"), 200);
    }
    let mut hash = Sha256::new();
    for answer in answers {
        hash.update(answer.slug.as_bytes());
        hash.update([0]);
        hash.update(answer.value.as_bytes());
        hash.update([0]);
    }
    let hash = hex::encode(hash.finalize());
    text::cut(&format!("form {form} {}", &hash[..16]), 200)
}

fn is_address(value: &str) -> bool {
    let parts = value.trim().rsplit_once('@');
    parts.is_some_and(|(local, domain)| {
        !local.is_empty() && domain.contains('.') && !value.trim().contains(char::is_whitespace)
    })
}
