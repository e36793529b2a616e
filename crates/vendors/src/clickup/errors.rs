//! What ClickUp's errors mean to the rest of the house. The `ECODE` decides: the text beside it varies, and may hold
//! people's data, so it goes nowhere. See <https://developer.clickup.com/docs/common_errors>.

use domain::outcome::{Cause, Failure};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::http::{self, Answer, needs_operator};
use crate::surrogates::with_whole_surrogates;

pub(super) type Purpose = http::Purpose<About>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum About {
    /// The token, its user, its workspaces.
    Account,
    /// Leads of several lists.
    Workspace,
    /// A list, and the setting that names it.
    List {
        id: String,
        setting: Option<&'static str>,
    },
    Lead,
    Comment,
    Hook,
}

impl Purpose {
    /// What the answer holds, or what its status means.
    pub fn understand<T: DeserializeOwned>(&self, answer: &Answer) -> Result<T, Failure> {
        if !(200..300).contains(&answer.status) {
            return Err(self.refused(answer));
        }
        // serde's own words quote values.
        read(&answer.body).map_err(|_| {
            self.unknown(&format!(
                "ClickUp answered {} with something else",
                answer.status
            ))
        })
    }

    /// For answers of which nothing but the status matters.
    pub fn done(&self, answer: &Answer) -> Result<(), Failure> {
        if !(200..300).contains(&answer.status) {
            return Err(self.refused(answer));
        }
        if answer.body.is_empty() || is_json(&answer.body) {
            return Ok(());
        }
        let status = answer.status;
        Err(self.unknown(&format!("ClickUp answered {status} with something else")))
    }

    /// What the call is about is not there, or not for us.
    pub fn missing(&self, said: &str) -> Failure {
        match &self.about {
            About::List {
                id,
                setting: Some(setting),
            } => needs_operator(
                format!(
                    "use list {id}, which {setting} names: ClickUp does not show it to this token ({said})"
                ),
                "correct the setting or share the list with the token's user",
            ),
            About::Workspace => needs_operator(
                format!(
                    "{}: ClickUp does not show one of the lists to this token ({said})",
                    self.what
                ),
                "check CLICKUP_MATCH_LIST_IDS and CLICKUP_INBOUND_LIST_ID, or share the lists with the token's user",
            ),
            About::Account => self.lacks_right(said),
            About::Lead | About::Comment | About::Hook | About::List { setting: None, .. } => {
                Failure::Gone {
                    what: self.what.clone(),
                }
            }
        }
    }

    fn refused(&self, answer: &Answer) -> Failure {
        let status = answer.status;
        if status == 429 {
            return Failure::Limited {
                what: self.what.clone(),
                until: answer.limited_until.unwrap_or_default(),
            };
        }
        let code = ecode(&answer.body).unwrap_or_default();
        let said = if code.is_empty() {
            status.to_string()
        } else {
            format!("{status} {code}")
        };
        // A page or a text is not ClickUp's own voice, but something's on the way to it.
        let is_foreign = !answer.body.is_empty() && !is_json(&answer.body);
        if is_foreign || !(400..500).contains(&status) || matches!(status, 408 | 425 | 499) {
            return self.unknown(&format!("ClickUp answered {said}"));
        }
        let about_a_list = matches!(self.about, About::List { .. });
        match (status, code.as_str()) {
            // A webhook of that address and place is there.
            (_, code @ "OAUTH_171") => Failure::Refused {
                what: format!("{}: ClickUp answered {said}", self.what),
                cause: cause(code),
            },
            (_, code) if code.starts_with("OAUTH_") => self.unauthorized(code, &said),
            (401, "") => self.unauthorized("", &said),
            (401 | 403, _) => self.forbidden(&said),
            (404, "" | "APP_001") => needs_operator(
                format!("{}: ClickUp has no such address ({said})", self.what),
                "check CLICKUP_API_URL: the address without /v2, usually https://api.clickup.com/api",
            ),
            (_, code) if code.starts_with("ACCESS_") => self.forbidden(&said),
            (404, _) => self.missing(&said),
            (_, "ITEM_013" | "ITEM_015") => self.missing(&said),
            (_, "INPUT_003" | "INPUT_004") if about_a_list => self.missing(&said),
            (_, code) => Failure::Refused {
                what: format!("{}: ClickUp answered {said}", self.what),
                cause: cause(code),
            },
        }
    }

    fn unauthorized(&self, code: &str, said: &str) -> Failure {
        let number = code.strip_prefix("OAUTH_").and_then(|n| n.parse().ok());
        let what = &self.what;
        match number {
            Some(23 | 26 | 27 | 29..=45) => needs_operator(
                format!("{what}: the token is not authorised for this workspace ({said})"),
                "check CLICKUP_TEAM_ID, or authorise the workspace for the token at ClickUp (Settings → Apps)",
            ),
            _ => needs_operator(
                format!("{what}: ClickUp refuses the token ({said})"),
                "make a new token at ClickUp (Settings → Apps) and put it into CLICKUP_API_TOKEN",
            ),
        }
    }

    // Out of reach is not deleted: a lead taken for gone would be matched anew, or its meeting given up.
    fn forbidden(&self, said: &str) -> Failure {
        match &self.about {
            About::Lead | About::Comment | About::Hook => self.lacks_right(said),
            About::Account | About::Workspace | About::List { .. } if self.writes => {
                self.lacks_right(said)
            }
            About::Account | About::Workspace | About::List { .. } => self.missing(said),
        }
    }

    fn lacks_right(&self, said: &str) -> Failure {
        needs_operator(
            format!("{}: the token's user lacks the right ({said})", self.what),
            "let that user edit the lists at ClickUp, or put the token of another user into CLICKUP_API_TOKEN",
        )
    }
}

/// Half a character in somebody's text is no reason to know nothing of a whole listing.
fn read<T: DeserializeOwned>(body: &[u8]) -> serde_json::Result<T> {
    serde_json::from_slice(body).or_else(|_| {
        let text = String::from_utf8_lossy(body);
        serde_json::from_str(&with_whole_surrogates(&text))
    })
}

fn cause(code: &str) -> Cause {
    match code {
        "CRTSK_001" | "ITEM_114" => Cause::Status,
        "FIELD_033" => Cause::Quota,
        "ITEM_246" => Cause::Type,
        _ if code.starts_with("FIELD_") => Cause::Field,
        _ => Cause::Other,
    }
}

/// Only if it has the form of one: it is shown.
fn ecode(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Error {
        #[serde(rename = "ECODE")]
        code: String,
    }
    let code = serde_json::from_slice::<Error>(body).ok()?.code;
    let is_plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    (code.len() <= 32 && code.chars().all(is_plain)).then_some(code)
}

fn is_json(body: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> About {
        About::List {
            id: "9013".to_owned(),
            setting: Some("CLICKUP_MATCH_LIST_IDS"),
        }
    }

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status,
            headers: reqwest::header::HeaderMap::new(),
            body: body.into(),
            limited_until: None,
        }
    }

    fn class(failure: &Failure) -> String {
        match failure {
            Failure::Transient { .. } => "transient".to_owned(),
            Failure::Limited { .. } => "limited".to_owned(),
            Failure::Unknown { .. } => "unknown".to_owned(),
            Failure::Gone { .. } => "gone".to_owned(),
            Failure::Refused { cause, .. } => format!("{cause:?}"),
            Failure::NeedsOperator { what, hint } => {
                let about = [
                    ("token", "a new token"),
                    ("workspace", "authorise the workspace"),
                    ("list", "correct the setting"),
                    ("lists", "share the lists"),
                    ("rights", "let that user edit"),
                    ("address", "CLICKUP_API_URL"),
                ];
                let known = about.iter().find(|(_, part)| hint.contains(part));
                known.map_or_else(|| format!("{what}; {hint}"), |(name, _)| (*name).to_owned())
            }
        }
    }

    /// How a read and a write of this end.
    fn classes(about: &About, status: u16, code: &str) -> (String, String) {
        let body = format!(r#"{{"err":"no ada@example.com here","ECODE":"{code}"}}"#);
        let of = |purpose: Purpose| {
            let failure = purpose.refused(&answer(status, &body));
            assert!(!failure.to_string().contains("ada"), "{failure}");
            class(&failure)
        };
        (
            of(Purpose::read(about.clone(), "do it")),
            of(Purpose::write(about.clone(), "do it")),
        )
    }

    #[test]
    fn each_code_means_what_it_is_about() {
        use About::{Comment, Lead, Workspace};
        for (about, status, code, read, write) in [
            (Lead, 401, "OAUTH_025", "token", "token"),
            (Lead, 401, "OAUTH_017", "token", "token"),
            (Lead, 400, "OAUTH_019", "token", "token"),
            (Workspace, 401, "OAUTH_027", "workspace", "workspace"),
            (Workspace, 403, "OAUTH_029", "workspace", "workspace"),
            (Workspace, 400, "OAUTH_045", "workspace", "workspace"),
            (Workspace, 401, "OAUTH_077", "token", "token"),
            (Lead, 401, "ACCESS_083", "rights", "rights"),
            (Lead, 403, "ACCESS_083", "rights", "rights"),
            (Lead, 404, "ACCESS_999", "rights", "rights"),
            (Lead, 404, "ITEM_013", "gone", "gone"),
            (Lead, 404, "ITEM_015", "gone", "gone"),
            (Comment, 404, "COMM_000", "gone", "gone"),
            (list(), 404, "ITEM_015", "list", "list"),
            (list(), 400, "OAUTH_171", "Other", "Other"),
            (About::Hook, 404, "WEBHOOK_000", "gone", "gone"),
            (About::Hook, 403, "ACCESS_083", "rights", "rights"),
            (list(), 404, "ACCESS_999", "list", "rights"),
            (list(), 401, "ACCESS_083", "list", "rights"),
            (list(), 400, "INPUT_003", "list", "list"),
            (Workspace, 404, "ITEM_015", "lists", "lists"),
            (Lead, 404, "APP_001", "address", "address"),
            (list(), 400, "CRTSK_001", "Status", "Status"),
            (Lead, 400, "ITEM_114", "Status", "Status"),
            (list(), 400, "FIELD_033", "Quota", "Quota"),
            (list(), 400, "FIELD_115", "Field", "Field"),
            (list(), 400, "ITEM_246", "Type", "Type"),
            (Lead, 400, "INPUT_003", "Other", "Other"),
            (Lead, 413, "X_1", "Other", "Other"),
            (Lead, 429, "APP_002", "limited", "limited"),
            (Lead, 408, "APP_003", "transient", "unknown"),
            (Lead, 499, "APP_003", "transient", "unknown"),
            (Lead, 500, "ITEMV2_003", "transient", "unknown"),
            (Lead, 302, "", "transient", "unknown"),
        ] {
            let ends = classes(&about, status, code);
            assert_eq!(
                ends,
                (read.to_owned(), write.to_owned()),
                "{about:?} {status} {code}"
            );
        }
    }

    #[test]
    fn what_is_not_clickups_own_voice_leaves_a_write_unknown() {
        let page = "<html>blocked</html>";
        for (status, body) in [
            (200, page),
            (200, ""),
            (200, r#"{"tas"#),
            (201, "[]"),
            (302, ""),
            (401, page),
            (403, page),
            (404, page),
            (400, "upstream said no"),
            (502, page),
            (503, ""),
        ] {
            let of = |purpose: Purpose| {
                let failed = purpose.understand::<super::super::wire::Page>(&answer(status, body));
                failed.map(|_| ()).map_err(|failure| class(&failure))
            };
            let read = of(Purpose::read(About::Lead, "do it"));
            let write = of(Purpose::write(About::Lead, "do it"));
            assert_eq!(read, Err("transient".to_owned()), "{status} {body}");
            assert_eq!(write, Err("unknown".to_owned()), "{status} {body}");
        }
    }

    #[test]
    fn half_a_character_in_a_text_costs_that_character() {
        let body = r#"{"tasks":[{"id":"1","list":{"id":"2"},"name":"cut \ud83d"}]}"#;
        let read = Purpose::read(About::Workspace, "find leads");
        let page: super::super::wire::Page =
            read.understand(&answer(200, body)).expect("a listing");
        assert_eq!(page.tasks.len(), 1);
    }

    #[test]
    fn what_is_shown_is_a_code_and_nothing_else() {
        assert_eq!(
            ecode(br#"{"ECODE":"ITEM_013"}"#).as_deref(),
            Some("ITEM_013")
        );
        for text in [
            r#"{"ECODE":"ada@example.com"}"#,
            r#"{"ECODE":7}"#,
            "{}",
            "",
            "<p>",
        ] {
            assert_eq!(ecode(text.as_bytes()), None, "{text}");
        }
    }
}
