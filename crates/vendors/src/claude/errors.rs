//! What Anthropic's refusals mean to the rest of the house.
//! <https://platform.claude.com/docs/en/api/errors>

use domain::outcome::Failure;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::http::{self, Lost, Purpose, needs_operator};

const WHAT: &str = "ask Claude";
/// A refusal without a time.
const PAUSE: SignedDuration = SignedDuration::from_secs(30);
const SAID_CHARS_MAX: usize = 300;

/// Asking changes nothing at Anthropic, so it may be asked again.
fn purpose() -> Purpose<()> {
    Purpose::read((), WHAT)
}

/// No whole answer came.
pub(super) fn lost(lost: Lost) -> Failure {
    purpose().lost(lost)
}

pub(super) fn broken(why: &str) -> Failure {
    purpose().unknown(why)
}

/// An answer other than 200.
pub(super) fn refused(
    status: u16,
    limited_until: Option<Timestamp>,
    body: &[u8],
    model: &str,
) -> Failure {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let kind = body["error"]["type"].as_str().unwrap_or_default();
    let said = body["error"]["message"].as_str().unwrap_or_default();
    // Only the first is the status of an answer; the others come over gateways as well.
    match status {
        401 => needs_operator(
            "ask Claude: Anthropic refuses the key",
            "put a key from platform.claude.com into ANTHROPIC_API_KEY",
        ),
        403 => needs_operator(
            "ask Claude: the key may not do this (403)",
            "give the key's workspace access to the model, or take another key",
        ),
        404 => needs_operator(
            format!("ask Claude: there is no model `{model}` for this key"),
            "set CALUP_MODEL to a model's id, such as one of platform.claude.com/docs/en/about-claude/models",
        ),
        400 | 402 if said.to_lowercase().contains("credit balance") => needs_operator(
            "ask Claude: Anthropic's credit is used up",
            "buy credits at platform.claude.com",
        ),
        429 => Failure::Limited {
            what: WHAT.to_owned(),
            until: limited_until.unwrap_or_else(|| http::now() + PAUSE),
        },
        413 => purpose().refuse("the conversation is too long; begin a new one"),
        400..=499 => purpose().refuse(&spoken(status, kind, said)),
        _ => of_kind(kind, &spoken(status, kind, said)),
    }
}

/// An error event in a stream that began well.
pub(super) fn in_stream(error: &Value) -> Failure {
    let kind = error["type"].as_str().unwrap_or_default();
    let said = error["message"].as_str().unwrap_or_default();
    of_kind(kind, &spoken(200, kind, said))
}

fn of_kind(kind: &str, said: &str) -> Failure {
    match kind {
        "overloaded_error" => broken("Anthropic is overloaded at the moment"),
        _ => broken(said),
    }
}

fn spoken(status: u16, kind: &str, said: &str) -> String {
    let said: String = said.chars().take(SAID_CHARS_MAX).collect();
    match (kind.is_empty(), said.is_empty()) {
        (_, false) => format!("Anthropic says: {said}"),
        (false, true) => format!("Anthropic answered {kind}"),
        (true, true) => format!("Anthropic answered {status}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_says_what_to_do() {
        let class = |status, kind: &str, message: &str| {
            let body =
                serde_json::json!({"type": "error", "error": {"type": kind, "message": message}});
            match refused(status, None, body.to_string().as_bytes(), "claude-x") {
                Failure::NeedsOperator { hint, .. } => format!("operator: {hint}"),
                other => other.to_string(),
            }
        };
        for (status, kind, message, told) in [
            (
                401,
                "authentication_error",
                "invalid x-api-key",
                "ANTHROPIC_API_KEY",
            ),
            (404, "not_found_error", "model: claude-x", "CALUP_MODEL"),
            (
                400,
                "invalid_request_error",
                "Your credit balance is too low to access the Anthropic API.",
                "buy credits",
            ),
            (
                400,
                "invalid_request_error",
                "messages: at least one",
                "at least one",
            ),
            (413, "request_too_large", "", "begin a new one"),
            (
                529,
                "overloaded_error",
                "Overloaded",
                "overloaded at the moment",
            ),
            (
                500,
                "api_error",
                "Internal server error",
                "Internal server error",
            ),
            (502, "", "", "502"),
        ] {
            let is = class(status, kind, message);
            assert!(is.contains(told), "{status} {kind}: {is}");
        }
    }
}
