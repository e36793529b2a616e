//! What a person would see of a message, and what in it would act: ping, link, or change how the text looks.
//! <https://docs.slack.dev/messaging/formatting-message-text>

use serde_json::Value;

use super::blocks::control;

/// A text as it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// One line per line that is shown; buttons as `[label]`.
    pub text: String,
    /// `@U…`, `!channel`, `!here`, `!everyone`, `!subteam…`: whoever is named gets a notification.
    pub pings: Vec<String>,
    /// Address and what stands there instead.
    pub links: Vec<(String, String)>,
    /// What is shown otherwise than as it was written: bold, italic, struck, code, quotes, emoji.
    pub formatted: Vec<String>,
}

impl Seen {
    pub(super) fn of_text(text: &str) -> Self {
        let mut seen = Self::default();
        seen.mrkdwn(text, false);
        seen
    }

    pub(super) fn of_blocks(blocks: &[Value]) -> Self {
        let mut seen = Self::default();
        for block in blocks {
            let texts = [&block["text"]].into_iter();
            let texts = texts
                .chain(list(&block["fields"]))
                .chain(list(&block["elements"]));
            for value in texts
                .chain([&block["accessory"]])
                .filter(|it| it.is_object())
            {
                if !seen.text.is_empty() {
                    seen.text.push('\n');
                }
                if value["type"] == "button" {
                    seen.text.push('[');
                    seen.object(&value["text"]);
                    seen.text.push(']');
                } else {
                    seen.object(value);
                }
            }
        }
        seen
    }

    fn object(&mut self, text: &Value) {
        let words = text["text"].as_str().unwrap_or_default();
        if text["type"] == "plain_text" {
            let shown = unescaped(words);
            if text["emoji"] != false {
                self.formatted.extend(emoji(&shown));
            }
            self.text.push_str(&shown);
        } else {
            self.mrkdwn(words, text["verbatim"] == true);
        }
    }

    fn mrkdwn(&mut self, text: &str, verbatim: bool) {
        for (n, line) in text.split('\n').enumerate() {
            if n > 0 {
                self.text.push('\n');
            }
            let quoted = line.strip_prefix("&gt;");
            if let Some(quoted) = quoted {
                self.formatted.push(unescaped(quoted.trim()));
            }
            let plain = self.controls(quoted.unwrap_or(line));
            let shown = self.styles(&plain);
            self.formatted.extend(emoji(&shown));
            if !verbatim {
                let words = shown.split_whitespace();
                for word in words.filter(|it| it.contains("://") || it.starts_with("www.")) {
                    self.links.push((word.to_owned(), word.to_owned()));
                }
            }
            self.text.push_str(&shown);
        }
    }

    /// What stands between angle brackets, replaced by what is shown there.
    fn controls(&mut self, line: &str) -> String {
        let mut out = String::new();
        let mut rest = line;
        while let Some(at) = rest.find('<') {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            let Some(whole) = control(rest) else {
                out.push('<');
                rest = &rest[1..];
                continue;
            };
            rest = &rest[whole.len()..];
            let inner = &whole[1..whole.len() - 1];
            let (what, label) = inner.split_once('|').unwrap_or((inner, ""));
            match what.as_bytes()[0] {
                b'@' => {
                    self.pings.push(what.to_owned());
                    out.push_str(what);
                }
                b'!' if what.starts_with("!date") => out.push_str(label),
                b'!' => {
                    self.pings.push(what.to_owned());
                    out.push_str(&what.replacen('!', "@", 1));
                }
                b'#' => out.push_str(if label.is_empty() { what } else { label }),
                _ => {
                    let shown = if label.is_empty() { what } else { label };
                    self.links.push((unescaped(what), unescaped(shown)));
                    out.push_str(shown);
                }
            }
        }
        out.push_str(rest);
        out
    }

    /// Takes the signs of bold, italic, struck and code away where they act.
    fn styles(&mut self, line: &str) -> String {
        let chars: Vec<char> = unescaped(line).chars().collect();
        let mut out = String::new();
        let mut at = 0;
        while at < chars.len() {
            if let Some(end) = span(&chars, at) {
                let inner: String = chars[at + 1..end].iter().collect();
                let shown = if chars[at] == '`' {
                    inner.clone()
                } else {
                    self.styles(&inner)
                };
                self.formatted.push(inner);
                out.push_str(&shown);
                at = end + 1;
            } else {
                out.push(chars[at]);
                at += 1;
            }
        }
        out
    }
}

/// Where the span that begins at `from` ends, if one does.
fn span(chars: &[char], from: usize) -> Option<usize> {
    let sign = chars[from];
    let word = |at: Option<&char>| at.is_some_and(|c| c.is_alphanumeric());
    let before = from.checked_sub(1).and_then(|at| chars.get(at));
    let is_sign = matches!(sign, '*' | '_' | '~' | '`');
    if !is_sign || word(before) || chars.get(from + 1).is_none_or(|c| c.is_whitespace()) {
        return None;
    }
    (from + 2..chars.len())
        .find(|&at| chars[at] == sign && !chars[at - 1].is_whitespace() && !word(chars.get(at + 1)))
}

fn emoji(text: &str) -> Vec<String> {
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_+-".contains(c);
    let mut found = Vec::new();
    let mut parts = text.split(':').peekable();
    parts.next();
    while let Some(part) = parts.next() {
        // The last part has no colon behind it.
        if parts.peek().is_some() && !part.is_empty() && part.chars().all(is_name) {
            let digits_only = part.chars().all(|c| c.is_ascii_digit());
            if !digits_only {
                found.push(format!(":{part}:"));
            }
        }
    }
    found
}

fn unescaped(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">");
    text.replace("&amp;", "&")
}

fn list(value: &Value) -> std::slice::Iter<'_, Value> {
    value.as_array().map_or([].iter(), |list| list.iter())
}
