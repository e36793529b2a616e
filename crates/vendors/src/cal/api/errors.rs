//! What Cal.com's refusals mean to the rest of the house, and what a person may read of them. They come in several
//! envelopes: `{status:"error",error:{code,message,details}}`, the bare `{statusCode,message}` of its framework, and pages
//! of what stands in front of it.

use domain::outcome::Failure;
use domain::text;

use super::access::Bearer;
use crate::cal::json::{self, Json};
use crate::http::{self, Answer, needs_operator};

const SENTENCE_CHARS_MAX: usize = 300;
const SENTENCES_MAX: usize = 3;
/// Uids have 22 signs or more: whoever has one can read and cancel its booking.
const UID_CHARS_MIN: usize = 18;

/// What Cal.com says often, in words that help.
const KNOWN: [(&str, &str); 11] = [
    (
        "error_required_field",
        "an answer that the event type asks for is missing",
    ),
    (
        "already has booking at this time",
        "the time is not free any more",
    ),
    ("no available users found", "the time is not free any more"),
    ("no_available_users", "the time is not free any more"),
    (
        "cancelled and rescheduled already",
        "it has been moved to another time already",
    ),
    (
        "has been cancelled already",
        "it has been cancelled already",
    ),
    ("cancellation reason is required", "it wants a reason"),
    (
        "provide seatuid",
        "several people have seats in it: say whose is meant",
    ),
    ("meeting in the past", "the time is in the past"),
    (
        "subscriber url already exists",
        "there is a webhook with this address already",
    ),
    ("minimum booking notice", "the time is too soon"),
];

pub(super) type Purpose = http::Purpose<About>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// The key or token, and what belongs to its user.
    Account,
    /// One thing that was named by somebody: an event type, a booking, a webhook.
    Thing,
}

/// Why an answer is none that was hoped for.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The key or token is not taken: certainly nothing was done.
    Bearer,
    /// This server has no such route in this version: certainly nothing was done.
    NoRoute,
    Other(Failure),
}

impl Purpose {
    /// The whole envelope of a success.
    pub fn understand(&self, answer: &Answer) -> Result<Json, Refusal> {
        if !(200..300).contains(&answer.status) {
            return Err(self.refused(answer));
        }
        if answer.status == 204 {
            return Ok(Json::Null);
        }
        let read = body(answer).filter(|json| {
            json.at("status").text().as_deref() == Some("success") && !json.at("data").is_null()
        });
        read.ok_or_else(|| Refusal::Other(self.foreign(answer)))
    }

    /// The answer is no answer to what was asked.
    pub fn foreign(&self, answer: &Answer) -> Failure {
        self.unknown(&format!(
            "Cal.com answered {} with something else",
            answer.status
        ))
    }

    /// A success in the shape of another version: a server that does not know ours falls back to its oldest.
    pub fn older_shape(&self) -> Failure {
        let what = format!(
            "{}: Cal.com answered in the shape of an older version",
            self.what
        );
        if self.writes {
            return Failure::Unknown { what };
        }
        needs_operator(
            what,
            "update the self-hosted Cal.com that CALCOM_API_URL names",
        )
    }

    pub fn no_route(&self) -> Failure {
        needs_operator(
            format!("{}: Cal.com has no such address", self.what),
            "check CALCOM_API_URL: the address without /v2, usually https://api.cal.com; an old self-hosted Cal.com may lack it",
        )
    }

    pub fn refused_bearer(&self, bearer: &Bearer) -> Failure {
        let what = &self.what;
        match bearer {
            Bearer::Key(_) => needs_operator(
                format!("{what}: Cal.com refuses the key"),
                "make a new key at Cal.com (Settings → Developer → API keys) and put it into CALCOM_API_KEY",
            ),
            Bearer::Token(_) => needs_operator(
                format!("{what}: Cal.com has ended the connection"),
                "connect Cal.com again",
            ),
        }
    }

    fn refused(&self, answer: &Answer) -> Refusal {
        let status = answer.status;
        let what = &self.what;
        if status == 429 {
            return Refusal::Other(Failure::Limited {
                what: what.clone(),
                until: answer.limited_until.unwrap_or_default(),
            });
        }
        // 498 is its own "access token expired".
        if matches!(status, 401 | 498) {
            return Refusal::Bearer;
        }
        let Some(said) = body(answer) else {
            // A page is not Cal.com's own voice, but something's on the way to it, or another address altogether.
            return match status {
                404 => Refusal::NoRoute,
                _ => Refusal::Other(self.unknown(&format!("Cal.com's gateway answered {status}"))),
            };
        };
        let sentence = sentence(&said);
        let with = |sentence: &Option<String>| match sentence {
            Some(sentence) => format!("Cal.com answered {status} ({sentence})"),
            None => format!("Cal.com answered {status}"),
        };
        match status {
            403 if lacks_scope(&said) => Refusal::Other(needs_operator(
                format!("{what}: the connection to Cal.com was not given the right to"),
                "connect Cal.com again and allow what it asks for",
            )),
            // Listing bookings without a key that works is answered so.
            403 if self.about == About::Account => Refusal::Bearer,
            403 => Refusal::Other(self.refuse("it is not this Cal.com account's")),
            404 if is_no_route(&said) => Refusal::NoRoute,
            404 => Refusal::Other(self.gone()),
            408 | 425 | 499 => Refusal::Other(self.unknown(&with(&sentence))),
            400..=499 => Refusal::Other(self.refuse(&match known(&said) {
                Some(known) => known.to_owned(),
                None => with(&sentence),
            })),
            _ => Refusal::Other(self.unknown(&with(&sentence))),
        }
    }
}

/// JSON objects only: everything that Cal.com itself says is one.
fn body(answer: &Answer) -> Option<Json> {
    let read = json::read(&json::text_of(&answer.body)).ok()?;
    read.is_object().then_some(read)
}

fn message(said: &Json) -> Option<String> {
    [said.at("error").at("message"), said.at("message")]
        .into_iter()
        .find_map(|json| match json {
            Json::List(parts) => parts.first().and_then(Json::text),
            other => other.text(),
        })
}

fn is_no_route(said: &Json) -> bool {
    const METHODS: [&str; 5] = ["GET", "POST", "PATCH", "PUT", "DELETE"];
    let message = message(said).unwrap_or_default();
    let route = message.strip_prefix("Cannot ");
    route.is_some_and(|route| METHODS.iter().any(|m| route.starts_with(m)))
}

fn lacks_scope(said: &Json) -> bool {
    message(said).is_some_and(|message| message.starts_with("insufficient_scope"))
}

fn known(said: &Json) -> Option<&'static str> {
    let message = message(said)?.to_lowercase();
    let known = KNOWN.iter().find(|(part, _)| message.contains(part));
    known.map(|(_, words)| *words)
}

/// What Cal.com says is wrong, as far as it may stand in a log.
fn sentence(said: &Json) -> Option<String> {
    let violations = said.at("error").at("details").at("errors").items();
    let violated: Vec<String> = violations
        .iter()
        .flat_map(|it| it.at("constraints").entries())
        .filter_map(|(_, sentence)| sentence.text())
        .take(SENTENCES_MAX)
        .collect();
    let sentence = if violated.is_empty() {
        message(said)?
    } else {
        violated.join("; ")
    };
    let words: Vec<String> = sentence.split_whitespace().map(covered).collect();
    let sentence = text::cut(&words.join(" "), SENTENCE_CHARS_MAX);
    let sentence = sentence.trim_end_matches('.').trim();
    (!sentence.is_empty()).then(|| sentence.to_owned())
}

/// No address of a person or a webhook, and nothing that may be a uid.
fn covered(word: &str) -> String {
    let is_uid = |part: &str| {
        part.len() >= UID_CHARS_MIN
            && part.bytes().any(|b| b.is_ascii_digit())
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let hides = word.contains('@')
        || word.contains("://")
        || word
            .split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'))
            .any(is_uid);
    if hides { "…" } else { word }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(about: About, writes: bool, status: u16, body: &str) -> String {
        let purpose = Purpose {
            what: "do it".to_owned(),
            about,
            writes,
        };
        let answer = Answer {
            status,
            headers: reqwest::header::HeaderMap::new(),
            body: body.into(),
            limited_until: None,
        };
        match purpose.understand(&answer) {
            Ok(_) => "fine".to_owned(),
            Err(Refusal::Bearer) => "bearer".to_owned(),
            Err(Refusal::NoRoute) => "no route".to_owned(),
            Err(Refusal::Other(failure)) => match failure {
                Failure::Transient { .. } => "transient".to_owned(),
                Failure::Limited { .. } => "limited".to_owned(),
                Failure::Unknown { .. } => "unknown".to_owned(),
                Failure::Refused { what, .. } => what,
                Failure::Gone { .. } => "gone".to_owned(),
                Failure::NeedsOperator { hint, .. } => hint,
            },
        }
    }

    fn said(message: &str) -> String {
        format!(r#"{{"status":"error","error":{{"code":"XException","message":"{message}"}}}}"#)
    }

    #[test]
    fn each_status_means_what_has_to_be_done() {
        let bare = r#"{"statusCode":400,"message":"Cancellation reason is required"}"#;
        let html = "<!DOCTYPE html><html><title>524: A timeout occurred</title></html>";
        let scope = said("insufficient_scope: token does not have the required scopes.");
        let connect = "connect Cal.com again and allow what it asks for";
        for (about, status, body, read, write) in [
            (About::Account, 401, said("x"), "bearer", "bearer"),
            (About::Thing, 498, said("x"), "bearer", "bearer"),
            (About::Thing, 401, html.to_owned(), "bearer", "bearer"),
            (About::Account, 498, String::new(), "bearer", "bearer"),
            (
                About::Account,
                403,
                said("Forbidden resource"),
                "bearer",
                "bearer",
            ),
            (About::Account, 403, scope.clone(), connect, connect),
            (About::Thing, 403, scope, connect, connect),
            (
                About::Thing,
                403,
                said("User is not allowed to access this event type"),
                "do it: it is not this Cal.com account's",
                "do it: it is not this Cal.com account's",
            ),
            (
                About::Thing,
                404,
                said("Cannot GET /v2/slots"),
                "no route",
                "no route",
            ),
            (About::Thing, 404, html.to_owned(), "no route", "no route"),
            (
                About::Thing,
                404,
                said("Booking was not found"),
                "gone",
                "gone",
            ),
            (About::Thing, 429, said("slow down"), "limited", "limited"),
            (
                About::Thing,
                400,
                bare.to_owned(),
                "do it: it wants a reason",
                "do it: it wants a reason",
            ),
            (About::Thing, 500, said("x"), "transient", "unknown"),
            (About::Thing, 524, html.to_owned(), "transient", "unknown"),
            (About::Thing, 403, html.to_owned(), "transient", "unknown"),
            (About::Thing, 302, String::new(), "transient", "unknown"),
            (About::Thing, 200, html.to_owned(), "transient", "unknown"),
            (
                About::Thing,
                200,
                r#"{"ok":true}"#.to_owned(),
                "transient",
                "unknown",
            ),
            (
                About::Thing,
                200,
                r#"{"status":"success","data":{}}"#.to_owned(),
                "fine",
                "fine",
            ),
        ] {
            let ends = [false, true].map(|writes| class(about, writes, status, &body));
            assert_eq!(ends, [read, write], "{status} {body}");
        }
    }

    #[test]
    fn what_is_shown_of_a_refusal_names_nobody() {
        for (message, shown) in [
            (
                "Can't mark uid=7wajuUUJQpmmaHY91XWXoR of ada@x.example, see https://x.example/y.",
                "do it: Cal.com answered 400 (Can't mark … of … see …)",
            ),
            (
                "User either already has booking at this time or is not available",
                "do it: the time is not free any more",
            ),
            (
                "Can't reschedule booking with uid=7waj because it has been cancelled and rescheduled already to uid=3P.",
                "do it: it has been moved to another time already",
            ),
        ] {
            assert_eq!(class(About::Thing, true, 400, &said(message)), shown);
        }
        let violations = r#"{"error":{"message":"Bad Request Exception","details":{"errors":[
            {"property":"take","constraints":{"max":"take must not be greater than 250"}}]}}}"#;
        assert_eq!(
            class(About::Thing, false, 400, violations),
            "do it: Cal.com answered 400 (take must not be greater than 250)"
        );
    }
}
