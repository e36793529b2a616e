//! What a language model says may refer to known hosts only: whatever it was talked into, nothing is fetched from, or leads
//! to, anywhere else, be it shown as markdown, as HTML, in a terminal, or by a program that makes links of plain text. Text
//! comes in pieces and is passed on at once, but for what may still become an address.
//!
//! Whitespace ends a word, and a word is judged as a whole: addresses to known hosts stay as they are, others are removed,
//! a bare name of another host loses its dots, and what could join an address out of several words is broken by a blank.

#[cfg(test)]
mod tests;

use crate::text;

/// Longer than any address; of a longer word the rest is left out.
const WORD_BYTES_MAX: usize = 4_096;
/// Of a long word of letters, so many may still become part of an address.
const TAIL_CHARS: usize = 64;
pub const REMOVED: &str = "(link removed)";
/// Some need no slashes to lead somewhere, others run or show what stands behind them.
const SCHEMES: [&str; 9] = [
    "https:",
    "http:",
    "javascript:",
    "vbscript:",
    "data:",
    "file:",
    "blob:",
    "mailto:",
    "xmpp:",
];
const PLAIN: &str = ",;-'’“”„–—…、，！？：；「」『』（）";

/// Behind an address without a path.
const CLOSERS: &str = ")]}>\"'`*|.,;:!?»”’";

/// One text.
#[derive(Debug, Clone)]
pub struct Links {
    /// In lower case, with the port where it is not the usual one.
    hosts: Vec<String>,
    names_stay: bool,
    word: String,
    /// Of the word, so many bytes have been passed on.
    passed: usize,
    /// The rest of the word is left out.
    is_lost: bool,
}

/// What stands behind a text within a word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    /// The end, or an address that is removed.
    Nothing,
    /// An address that stays, and whether `>` closes it.
    Known { closed: bool },
}

/// Where in a word an address stands.
struct Address {
    begin: usize,
    end: usize,
    is_known: bool,
}

impl Links {
    pub fn to(hosts: impl IntoIterator<Item = String>) -> Self {
        Self {
            hosts: hosts.into_iter().map(|host| host.to_lowercase()).collect(),
            names_stay: false,
            word: String::new(),
            passed: 0,
            is_lost: false,
        }
    }

    /// None at all, but names with dots stay as they are: for what others wrote, which a model reads.
    pub fn none() -> Self {
        Self {
            names_stay: true,
            ..Self::to([])
        }
    }

    /// A whole text.
    pub fn cleaned(mut self, text: &str) -> String {
        let mut out = self.take(text);
        out.push_str(&self.end());
        out
    }

    /// What may be passed on now.
    pub fn take(&mut self, piece: &str) -> String {
        let mut out = String::new();
        for c in piece.chars().filter(|c| is_shown(*c)) {
            if c.is_whitespace() || self.ends_sentence(c) {
                out.push_str(&self.end_word());
                out.push(c);
                continue;
            }
            if self.is_lost {
                continue;
            }
            self.word.push(c);
            if self.word.len() > WORD_BYTES_MAX {
                out.push_str(&self.shorten());
            }
        }
        // A word of letters is passed on as it comes: should it turn out to begin an address, the rest of it is not.
        if self.is_plain() {
            out.push_str(&self.word[self.passed..]);
            self.passed = self.word.len();
        }
        out
    }

    /// What is left at the end.
    pub fn end(&mut self) -> String {
        self.end_word()
    }

    fn is_plain(&self) -> bool {
        let mut chars = self.word.chars();
        chars.all(|c| c.is_alphanumeric() || PLAIN.contains(c))
    }

    /// Chinese and Japanese have no blanks; between letters of theirs it is no host's dot.
    fn ends_sentence(&self, c: char) -> bool {
        let before = self.word.chars().next_back();
        c == '。' && before.is_some_and(|c| !c.is_ascii())
    }

    fn shorten(&mut self) -> String {
        if self.is_plain() {
            let out = self.word[self.passed..].to_owned();
            let first = self.word.char_indices().rev().nth(TAIL_CHARS - 1);
            self.word.drain(..first.map_or(0, |(at, _)| at));
            self.passed = self.word.len();
            return out;
        }
        self.word.clear();
        self.passed = 0;
        self.is_lost = true;
        format!(" {REMOVED}")
    }

    fn end_word(&mut self) -> String {
        self.is_lost = false;
        let word = std::mem::take(&mut self.word);
        let passed = &word[..std::mem::take(&mut self.passed)];
        let judged = self.judged(&word);
        if let Some(rest) = judged.strip_prefix(passed) {
            return rest.to_owned();
        }
        // An address began in what was passed on.
        let pairs = judged.chars().zip(passed.chars());
        let same: usize = pairs
            .take_while(|(a, b)| a == b)
            .map(|(a, _)| a.len_utf8())
            .sum();
        format!(" {}", &judged[same..])
    }

    fn judged(&self, word: &str) -> String {
        let word = unescaped(word);
        let mut out = String::with_capacity(word.len());
        let mut rest = word.as_str();
        while let Some(address) = self.address(rest) {
            let Address {
                begin,
                end,
                is_known,
            } = address;
            let next = if is_known {
                let closed = rest[end..].starts_with('>');
                Next::Known { closed }
            } else {
                Next::Nothing
            };
            // Behind an address that stays, it would belong to it.
            if begin == 0 && !is_known && !out.is_empty() {
                out.push(' ');
            }
            self.text(&rest[..begin], next, &mut out);
            out.push_str(if is_known { &rest[begin..end] } else { REMOVED });
            rest = &rest[end..];
        }
        self.text(rest, Next::Nothing, &mut out);
        out
    }

    /// The first one.
    fn address(&self, word: &str) -> Option<Address> {
        // As long as the word, byte for byte.
        let lower = word.to_ascii_lowercase().replace('\\', "/");
        let slashes = lower.find("//");
        let whole = slashes.map(|at| self.whole(word, &lower, at));
        let other = bare_scheme(&lower);
        match (whole, other) {
            (Some(whole), Some(other)) if other < whole.begin => Some(to_the_end(word, other)),
            (Some(whole), _) => Some(whole),
            (None, Some(other)) => Some(to_the_end(word, other)),
            (None, None) => None,
        }
    }

    /// The one with these slashes.
    fn whole(&self, word: &str, lower: &str, slashes: usize) -> Address {
        let begin = scheme(lower, slashes);
        let from = slashes + 2;
        let path = lower[from..].find(['/', '?', '#']).map(|at| from + at);
        let authority = match path {
            Some(path) => &lower[from..path],
            // Whatever else stands there could be part of a host's name.
            None => lower[from..].trim_end_matches(|c| CLOSERS.contains(c)),
        };
        let mut end = path.map_or(from + authority.len(), |path| ending(lower, path));
        if let Some(inner) = lower[from..end].find("//").map(|at| from + at) {
            end = scheme(lower, inner).max(from);
        }
        let is_web = matches!(&lower[begin..slashes], "http:" | "https:");
        // Programs differ about what a host is where these stand.
        let whole = &word[begin..end];
        let is_clear = !whole.contains('\\')
            && (lower[from + authority.len()..].starts_with('/') || !whole.contains('@'));
        let is_known = is_web && is_clear && self.is_known(authority);
        Address {
            begin,
            end: if is_known { end } else { ending(lower, from) },
            is_known,
        }
    }

    fn is_known(&self, authority: &str) -> bool {
        self.hosts.iter().any(|known| known == authority)
    }

    fn text(&self, text: &str, next: Next, out: &mut String) {
        let mut at = 0;
        while let Some(c) = text[at..].chars().next() {
            let name = text[at..].find(|c: char| !is_of_name(c));
            let name = name.map_or(text.len(), |len| at + len);
            if name > at {
                at = self.name(text, at..name, out);
                continue;
            }
            let behind = &text[at + c.len_utf8()..];
            // An image is never shown.
            if c != '!' || !behind.trim_start_matches('!').starts_with('[') {
                out.push(c);
            }
            let is_broken = match c {
                // Of a link, and of what a link refers to.
                ']' if behind == "(" => next == Next::Nothing,
                ']' => behind.starts_with(['(', ':']),
                '[' => behind.trim_start_matches('!').starts_with('['),
                // Of HTML.
                '<' if behind.is_empty() => next == Next::Known { closed: false },
                '<' => may_be_tag(behind) && !is_person(behind),
                // Of a letter by its number or name.
                '&' => is_entity(behind),
                _ => false,
            };
            if is_broken {
                out.push(' ');
            }
            at += c.len_utf8();
        }
    }

    /// What looks like a host's name; gives where the text goes on.
    fn name(&self, text: &str, at: std::ops::Range<usize>, out: &mut String) -> usize {
        let run = &text[at.clone()];
        let begin = at.end - run.trim_start_matches(is_edge).len();
        let end = begin + text[begin..at.end].trim_end_matches(is_edge).len();
        let name = &text[begin..end];
        let behind = &text[end..];
        let leads_on = leads_on(behind);
        let is_persons = (is_mailbox(&text[..begin]) && !leads_on) || is_at_a_host(behind);
        if !is_host(name) || self.is_known(&authority(name, behind)) || is_persons {
            out.push_str(run);
            return at.end;
        }
        if leads_on || name.to_ascii_lowercase().starts_with("www.") {
            out.push_str(REMOVED);
            return ending(text, end);
        }
        if self.names_stay {
            out.push_str(run);
        } else {
            out.push_str(&text[at.start..begin]);
            let labels: Vec<&str> = name.split(is_dot).collect();
            out.push_str(&labels.join("[.]"));
            out.push_str(&text[end..at.end]);
        }
        at.end
    }
}

/// Neither steers a terminal, nor hides in a text, nor turns it around.
fn is_shown(c: char) -> bool {
    matches!(c, '\n' | '\t') || !(c.is_control() || text::is_invisible(c))
}

/// Markdown shows `\.` as a dot.
fn unescaped(word: &str) -> String {
    let mut word = word.to_owned();
    for (escaped, sign) in [("\\.", "."), ("\\/", "/"), ("\\:", ":")] {
        while word.contains(escaped) {
            word = word.replace(escaped, sign);
        }
    }
    word
}

fn bare_scheme(lower: &str) -> Option<usize> {
    let found = SCHEMES.iter().filter_map(|scheme| {
        let mut all = lower.match_indices(scheme);
        all.find_map(|(at, _)| {
            let is_begun = lower[..at].ends_with(|c: char| c.is_alphanumeric());
            let behind = &lower[at + scheme.len()..];
            let is_whole = scheme.starts_with("http") && behind.starts_with("//");
            (!is_begun && !behind.is_empty() && !is_whole).then_some(at)
        })
    });
    found.min()
}

fn to_the_end(word: &str, begin: usize) -> Address {
    Address {
        begin,
        end: word.len(),
        is_known: false,
    }
}

/// Where the scheme before `//` begins.
fn scheme(lower: &str, slashes: usize) -> usize {
    let Some(head) = lower[..slashes].strip_suffix(':') else {
        return slashes;
    };
    let name = |c: char| c.is_ascii_alphanumeric() || "+.-".contains(c);
    head.rfind(|c: char| !name(c)).map_or(0, |at| {
        at + head[at..].chars().next().map_or(1, char::len_utf8)
    })
}

/// Where an address ends within a word.
fn ending(word: &str, from: usize) -> usize {
    let end = word[from..].find([')', ']', '>', '"', '<', '|', '`', '*']);
    let end = end.map_or(word.len(), |end| from + end);
    let trimmed = word[from..end].trim_end_matches(['.', ',', ';', '!', '?', '\'']);
    from + trimmed.len()
}

/// Hosts' names may be written with any of them.
fn is_dot(c: char) -> bool {
    matches!(c, '.' | '。' | '．' | '｡')
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || is_edge(c)
}

fn is_edge(c: char) -> bool {
    is_dot(c) || matches!(c, '-' | '_')
}

/// `1.5`, `e.g` and `wait...what` are none, `192.0.2.7` is one.
fn is_host(name: &str) -> bool {
    let mut labels = name.rsplit(is_dot);
    let (Some(last), Some(before)) = (labels.next(), labels.next()) else {
        return false;
    };
    let is_word = last.chars().count() > 1 && last.chars().all(char::is_alphabetic);
    let is_coded = last.to_ascii_lowercase().starts_with("xn--");
    let is_number = |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_digit());
    let mut four = name.rsplit(is_dot).take(4);
    let are_numbers = four.by_ref().take(3).all(is_number)
        && four
            .next()
            .is_some_and(|it| it.ends_with(|c: char| c.is_ascii_digit()));
    ((is_word || is_coded) && !before.is_empty()) || are_numbers
}

/// Whether a path, a port or a query follows a name.
fn leads_on(behind: &str) -> bool {
    let mut chars = behind.chars();
    match chars.next() {
        Some('/') => true,
        Some('?' | '#' | ':') => chars
            .next()
            .is_some_and(|c| c.is_alphanumeric() || c == '%'),
        _ => false,
    }
}

fn authority(name: &str, behind: &str) -> String {
    let digits = behind.strip_prefix(':').map_or(0, |port| {
        port.find(|c: char| !c.is_ascii_digit())
            .unwrap_or(port.len())
    });
    let port = if digits > 0 { &behind[..=digits] } else { "" };
    format!("{name}{port}").to_lowercase()
}

/// Whether somebody's name at a host ends here.
fn is_mailbox(before: &str) -> bool {
    let mailbox = before.strip_suffix('@');
    mailbox.is_some_and(|it| it.ends_with(|c: char| c.is_alphanumeric() || "_%+-".contains(c)))
}

/// Whether what stands before is somebody's name, and the host follows.
fn is_at_a_host(behind: &str) -> bool {
    let Some(rest) = behind.strip_prefix('@') else {
        return false;
    };
    let end = rest.find(|c: char| !is_of_name(c)).unwrap_or(rest.len());
    let name = rest[..end].trim_end_matches(is_edge);
    is_host(name) && !leads_on(&rest[name.len()..])
}

fn may_be_tag(behind: &str) -> bool {
    behind.starts_with(|c: char| c.is_ascii_alphabetic() || "/!?".contains(c))
}

/// `<ada@byrd.example>`.
fn is_person(behind: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || "._%+-".contains(c);
    let address = behind
        .split_once('>')
        .and_then(|(it, _)| it.split_once('@'));
    address.is_some_and(|(mailbox, host)| {
        mailbox.chars().all(plain) && !host.is_empty() && host.chars().all(plain)
    })
}

fn is_entity(behind: &str) -> bool {
    let name = behind.split_once(';').map(|(name, _)| name);
    name.is_some_and(|name| {
        let name = name.strip_prefix('#').unwrap_or(name);
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric())
    })
}
