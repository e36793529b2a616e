//! What must not leave a delivery: the one-time password, which accepts or rejects the booking for whoever has it,
//! and the meeting's own password. Both are taken out of the JSON before anything is read from it, and so are
//! their copies in other texts.

use super::json::Json;

/// Stands where a secret was.
pub const HIDDEN: &str = "•••";

/// A shorter value is too likely a part of something harmless.
const SECRET_CHARS_MIN: usize = 6;
/// A shorter value counts only as a word of its own: six digits may well be a part of a phone number.
const ANYWHERE_CHARS_MIN: usize = 12;
const SECRETS_MAX: usize = 8;

/// A secret, and whether a meeting's own link may carry it.
struct Secret {
    text: String,
    is_of_meeting: bool,
}

pub fn hide(body: &mut Json) {
    let mut secrets = Vec::new();
    take(body, false, &mut secrets);
    secrets.retain(|s| s.text.chars().count() >= SECRET_CHARS_MIN);
    secrets.truncate(SECRETS_MAX);
    if !secrets.is_empty() {
        cover(body, &secrets);
    }
}

fn take(json: &mut Json, is_meeting: bool, secrets: &mut Vec<Secret>) {
    match json {
        Json::Object(entries) => {
            for (key, value) in entries {
                let is_password = is_meeting && key == "password";
                if key == "oneTimePassword" || is_password {
                    secrets.extend(value.text().map(|text| Secret {
                        text,
                        is_of_meeting: is_password,
                    }));
                    *value = Json::Null;
                } else {
                    take(value, is_meeting || key == "videoCallData", secrets);
                }
            }
        }
        Json::List(items) => items.iter_mut().for_each(|i| take(i, is_meeting, secrets)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) => {}
    }
}

fn cover(json: &mut Json, secrets: &[Secret]) {
    match json {
        Json::Text(text) | Json::Number(text) => secrets.iter().for_each(|s| s.cover_in(text)),
        Json::List(items) => items.iter_mut().for_each(|i| cover(i, secrets)),
        Json::Object(entries) => {
            for (key, value) in entries {
                for secret in secrets {
                    secret.cover_in(key);
                }
                cover(value, secrets);
            }
        }
        Json::Null | Json::Bool(_) => {}
    }
}

impl Secret {
    fn cover_in(&self, text: &mut String) {
        if !text.contains(&self.text) {
            return;
        }
        let is_long = self.text.chars().count() >= ANYWHERE_CHARS_MIN;
        let mut covered = String::with_capacity(text.len());
        let mut copied = 0;
        for (at, found) in text.match_indices(&self.text) {
            let end = at + found.len();
            // `?pwd=…` is how people get into the meeting: the link would be of no use without it.
            let is_way_in = self.is_of_meeting && text[..at].ends_with("pwd=");
            if !is_way_in && (is_long || is_word(text, at, end)) {
                covered.push_str(&text[copied..at]);
                covered.push_str(HIDDEN);
                copied = end;
            }
        }
        covered.push_str(&text[copied..]);
        *text = covered;
    }
}

fn is_word(text: &str, start: usize, end: usize) -> bool {
    let before = text[..start].chars().next_back();
    let after = text[end..].chars().next();
    !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
}
