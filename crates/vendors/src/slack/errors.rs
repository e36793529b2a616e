//! What Slack's refusals mean to the rest of the house. They come as a 200 with a word in `error`; the word decides.
//! <https://docs.slack.dev/reference/methods/chat.postMessage#errors>

use domain::outcome::{Cause, Failure};
use jiff::SignedDuration;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::http::{self, Answer, needs_operator};
use crate::surrogates::with_whole_surrogates;

/// A refusal without a time, and without the status that closes the gate.
const PAUSE: SignedDuration = SignedDuration::from_secs(30);

/// The token, its user or its workspace is not what it was.
const TOKEN_WORDS: &[&str] = &[
    "invalid_auth",
    "not_authed",
    "account_inactive",
    "token_revoked",
    "token_expired",
    "no_permission",
    "org_login_required",
    "ekm_access_denied",
    "not_allowed_token_type",
    "access_denied",
    "two_factor_setup_required",
    "team_access_not_granted",
    "enterprise_is_restricted",
];

pub(super) type Purpose = http::Purpose<About>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// The bot's token and its workspace.
    Account,
    /// The channel that `SLACK_CHANNEL` names.
    Channel,
    /// One message there.
    Message,
    /// Socket Mode, by the app's own token.
    Socket,
}

#[derive(Deserialize)]
struct Said {
    ok: bool,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    needed: Option<String>,
}

impl Purpose {
    /// What the answer holds, or what its word means.
    pub fn understand<T: DeserializeOwned>(&self, answer: &Answer) -> Result<T, Failure> {
        self.permitted(answer)?;
        // serde's own words quote values.
        read(&answer.body).ok_or_else(|| self.foreign(answer))
    }

    /// An answer of the Web API that says ok.
    fn permitted(&self, answer: &Answer) -> Result<(), Failure> {
        if answer.status == 429 {
            return Err(Failure::Limited {
                what: self.what.clone(),
                until: answer.limited_until.unwrap_or_default(),
            });
        }
        match read::<Said>(&answer.body) {
            Some(said) if said.ok && answer.status == 200 => Ok(()),
            Some(Said {
                error: Some(word),
                needed,
                ..
            }) if is_word(&word) && answer.status < 500 => {
                Err(self.refused(&word, needed.as_deref().filter(|it| is_word(it))))
            }
            _ => Err(self.foreign(answer)),
        }
    }

    /// What an answer at a response URL means: `ok` as a text, or as the Web API says it.
    pub fn responded(&self, answer: &Answer) -> Result<(), Failure> {
        if answer.status == 200 && answer.body.trim_ascii() == b"ok" {
            return Ok(());
        }
        match (answer.status, answer.body.trim_ascii()) {
            // The words have come without JSON around them.
            (400..=499, b"used_url" | b"expired_url") => Err(self.gone()),
            _ => self.permitted(answer),
        }
    }

    fn foreign(&self, answer: &Answer) -> Failure {
        self.unknown(&format!(
            "Slack answered {} with something else",
            answer.status
        ))
    }

    fn refused(&self, word: &str, needed: Option<&str>) -> Failure {
        let what = &self.what;
        match word {
            "ratelimited" | "rate_limited" | "message_limit_exceeded" => Failure::Limited {
                what: what.clone(),
                until: http::now() + PAUSE,
            },
            // "It's possible some aspect of the operation succeeded before the error was raised."
            "internal_error"
            | "fatal_error"
            | "service_unavailable"
            | "team_added_to_org"
            | "accesslimited" => self.unknown(&format!("Slack answered {word}")),
            // The request itself did not arrive whole.
            "request_timeout" => Failure::Transient {
                what: format!("{what}: Slack answered {word}"),
            },
            "missing_scope" => needs_operator(
                format!(
                    "{what}: the app lacks the scope {}",
                    needed.unwrap_or("it needs")
                ),
                "add the scope at api.slack.com/apps (OAuth & Permissions) and install the app again",
            ),
            word if TOKEN_WORDS.contains(&word) => self.refused_token(word),
            "channel_not_found" | "is_archived" => needs_operator(
                format!("{what}: the channel that SLACK_CHANNEL names is not there ({word})"),
                "correct SLACK_CHANNEL; a private channel is only seen when the app was invited to it",
            ),
            "not_in_channel"
            | "restricted_action"
            | "restricted_action_read_only_channel"
            | "restricted_action_thread_only_channel"
            | "restricted_action_non_threadable_channel"
            | "posting_to_general_channel_denied"
            | "not_in_workspace" => needs_operator(
                format!("{what}: the app may not use the channel ({word})"),
                "invite the app to the channel (/invite), or name another one in SLACK_CHANNEL",
            ),
            "unknown_method" => needs_operator(
                format!("{what}: Slack has no such address ({word})"),
                "check SLACK_API_URL: usually https://slack.com/api",
            ),
            "message_not_found"
            | "cant_update_message"
            | "edit_window_closed"
            | "used_url"
            | "expired_url" => self.gone(),
            _ => Failure::Refused {
                what: format!("{what}: Slack answered {word}"),
                cause: Cause::Other,
            },
        }
    }

    fn refused_token(&self, word: &str) -> Failure {
        let what = &self.what;
        match self.about {
            About::Socket => needs_operator(
                format!("{what}: Slack refuses the app's token ({word})"),
                "put an app-level token (xapp-…) with connections:write into SLACK_APP_TOKEN",
            ),
            About::Account | About::Channel | About::Message => needs_operator(
                format!("{what}: Slack refuses the token ({word})"),
                "put the bot token (xoxb-…) of the installed app into SLACK_BOT_TOKEN",
            ),
        }
    }
}

/// Half a character in somebody's text is no reason to know nothing of a whole history.
fn read<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    let whole = || {
        let text = String::from_utf8_lossy(body);
        serde_json::from_str(&with_whole_surrogates(&text))
    };
    serde_json::from_slice(body).or_else(|_| whole()).ok()
}

/// Only if it has the form of one: it is shown.
fn is_word(text: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_:.,".contains(&b);
    !text.is_empty() && text.len() <= 64 && text.bytes().all(is_plain)
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
        match purpose.permitted(&answer) {
            Ok(()) => "fine".to_owned(),
            Err(Failure::Transient { .. }) => "transient".to_owned(),
            Err(Failure::Limited { .. }) => "limited".to_owned(),
            Err(Failure::Unknown { .. }) => "unknown".to_owned(),
            Err(Failure::Refused { what, .. }) => what,
            Err(Failure::Gone { .. }) => "gone".to_owned(),
            Err(Failure::NeedsOperator { hint, .. }) => {
                let settings = [
                    "SLACK_BOT_TOKEN",
                    "SLACK_APP_TOKEN",
                    "SLACK_API_URL",
                    "scope",
                ];
                let named = settings.iter().find(|it| hint.contains(**it));
                (*named.unwrap_or(&"SLACK_CHANNEL")).to_owned()
            }
        }
    }

    #[test]
    fn each_word_means_what_has_to_be_done() {
        for (word, read, write) in [
            ("invalid_auth", "SLACK_BOT_TOKEN", "SLACK_BOT_TOKEN"),
            ("token_expired", "SLACK_BOT_TOKEN", "SLACK_BOT_TOKEN"),
            ("missing_scope", "scope", "scope"),
            ("channel_not_found", "SLACK_CHANNEL", "SLACK_CHANNEL"),
            ("is_archived", "SLACK_CHANNEL", "SLACK_CHANNEL"),
            ("not_in_channel", "SLACK_CHANNEL", "SLACK_CHANNEL"),
            ("unknown_method", "SLACK_API_URL", "SLACK_API_URL"),
            ("ratelimited", "limited", "limited"),
            ("fatal_error", "transient", "unknown"),
            ("internal_error", "transient", "unknown"),
            ("request_timeout", "transient", "transient"),
            ("message_not_found", "gone", "gone"),
            (
                "msg_too_long",
                "do it: Slack answered msg_too_long",
                "do it: Slack answered msg_too_long",
            ),
            // No word, and so nothing to show.
            ("ada@x.example", "transient", "unknown"),
            ("", "transient", "unknown"),
        ] {
            let body = format!(r#"{{"ok":false,"error":"{word}"}}"#);
            let ends = [false, true].map(|writes| class(About::Channel, writes, 200, &body));
            assert_eq!(ends, [read, write], "{word}");
        }
        let dead = r#"{"ok":false,"error":"invalid_auth"}"#;
        assert_eq!(class(About::Socket, false, 200, dead), "SLACK_APP_TOKEN");
        for (status, body, is) in [
            (200, r#"{"ok":true}"#, "fine"),
            (201, r#"{"ok":true}"#, "unknown"),
            (500, dead, "unknown"),
            (403, dead, "SLACK_BOT_TOKEN"),
            (403, "<html>", "unknown"),
            (429, "", "limited"),
            (200, r#"{"ok":"true"}"#, "unknown"),
            (200, r#"{"ok":false}"#, "unknown"),
            (200, "", "unknown"),
        ] {
            assert_eq!(
                class(About::Message, true, status, body),
                is,
                "{status} {body}"
            );
        }
    }
}
