//! Making other people's text harmless: what an attendee typed is data wherever it is shown.

pub const NAME_CHARS_MAX: usize = 120;
pub const ANSWER_CHARS_MAX: usize = 500;
pub const NOTES_CHARS_MAX: usize = 2_000;
pub const COMMENT_CHARS_MAX: usize = 5_000;
const ADDRESS_CHARS_MAX: usize = 4_096;

/// Cut to `max` characters, the last of them "…" when something was cut.
pub fn cut(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(max.saturating_sub(1)).collect();
    out.truncate(out.trim_end().len());
    out.push('…');
    out
}

/// One line without control, bidi-override or invisible characters, blanks collapsed, cut to `max` characters.
pub fn one_line(text: &str, max: usize) -> String {
    let joined = text
        .split_whitespace()
        .map(visible)
        .filter(|w| !w.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    cut(&disarm(&joined), max)
}

/// Several lines, each as [`one_line`], blank ones at the ends dropped and runs of them collapsed.
pub fn lines(text: &str, max: usize) -> Vec<String> {
    let cut = cut(text.trim(), max);
    let mut out: Vec<String> = Vec::new();
    for line in cut.lines() {
        let line = one_line(line, max);
        if line.is_empty() && out.last().is_none_or(String::is_empty) {
            continue;
        }
        out.push(line);
    }
    while out.last().is_some_and(String::is_empty) {
        out.pop();
    }
    out
}

fn visible(word: &str) -> String {
    word.chars()
        .filter(|c| !c.is_control() && !is_invisible(*c))
        .collect()
}

pub(crate) fn is_invisible(c: char) -> bool {
    // The joiner U+200D stays: emoji are made with it. Overrides and isolates reorder what a reader sees; with tags and
    // the later selectors of variants whole sentences can be written that only a model reads.
    matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{61c}' | '\u{180e}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Takes from text what only our own lines may hold: the fence's brackets, and the dot of a marker line.
/// A mention needs its sign at the beginning of a word; there it is followed by an invisible joiner.
fn disarm(text: &str) -> String {
    let marker_like = text.to_lowercase().contains("cal.com booking") || may_hold_a_marker(text);
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    for c in text.chars() {
        match c {
            '⟦' => out.push('['),
            '⟧' => out.push(']'),
            '·' if marker_like => out.push('-'),
            '@' | '#' if !before.is_alphanumeric() => {
                out.push(c);
                out.push('\u{2060}');
            }
            _ => out.push(c),
        }
        before = c;
    }
    out
}

/// A marker is sixteen such characters (calup's `keys`).
fn may_hold_a_marker(text: &str) -> bool {
    let is_of_one = |c: char| matches!(c, 'a'..='z' | '2'..='7');
    let mut runs = text.split(|c| !is_of_one(c));
    runs.any(|run| run.len() >= 16)
}

/// Escapes a line for markdown, so that it shows as typed.
pub fn markdown(line: &str) -> String {
    let mut out = String::with_capacity(line.len() + 8);
    let digits = line.chars().take_while(char::is_ascii_digit).count();
    for (i, c) in line.chars().enumerate() {
        let special = match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '~' | '|' | '{' | '}' => true,
            '#' | '+' | '-' | '=' => i == 0,
            '.' | ')' => {
                let ends = line.chars().nth(i + 1).is_none_or(char::is_whitespace);
                i > 0 && i == digits && ends
            }
            '!' => line.chars().nth(i + 1) == Some('['),
            // Or "&lt;" would show as "<".
            '&' => line
                .chars()
                .nth(i + 1)
                .is_some_and(|n| n == '#' || n.is_ascii_alphabetic()),
            _ => false,
        };
        if special {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

const SCHEMES: [&str; 2] = ["https://", "http://"];

/// What is left of markdown when everything that an editor may re-render is taken away: letters, digits and
/// the signs of addresses. A link whose text is its address counts once, with or without its scheme. Two texts that
/// differ only in markup, escapes or blank space have the same essence.
pub fn essence(markdown: &str) -> String {
    let mut out = String::new();
    let mut rest = markdown;
    while let Some(middle) = rest.find("](") {
        keep(&rest[..middle], &mut out);
        let escaped = rest[..middle].ends_with('\\');
        rest = &rest[middle + 2..];
        // What an editor made a link of inside brackets begins with its own "[".
        if escaped || rest.starts_with('[') {
            continue;
        }
        if let Some(close) = link_end(rest) {
            let mut address = String::new();
            keep(&rest[..close], &mut address);
            if !out.ends_with(&address) && !says_the_same(&out, &rest[..close]) {
                out.push_str(&address);
            }
            rest = &rest[close + 1..];
        }
    }
    keep(rest, &mut out);
    for scheme in SCHEMES {
        // As calup spells it, it is a name.
        out = out.replace(&format!("{scheme}Calcom"), "Calcom");
    }
    out
}

/// Whether an address leads where the text before it says: an editor took a word for an address.
fn says_the_same(text: &str, address: &str) -> bool {
    let target = address.split_whitespace().next().unwrap_or_default();
    let target = SCHEMES
        .iter()
        .find_map(|s| target.strip_prefix(s))
        .unwrap_or(target);
    let mut bare = String::new();
    keep(target.trim_end_matches('/'), &mut bare);
    let at = text.len().checked_sub(bare.len());
    let tail = at.and_then(|at| text.get(at..));
    !bare.is_empty() && tail.is_some_and(|tail| tail.eq_ignore_ascii_case(&bare))
}

/// Where an address that was opened by "(" ends, in bytes.
fn link_end(text: &str) -> Option<usize> {
    let mut depth = 0_u32;
    for (i, c) in text.char_indices().take(ADDRESS_CHARS_MAX) {
        match c {
            '\n' => return None,
            '(' => depth += 1,
            ')' if depth == 0 => return Some(i),
            ')' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn keep(text: &str, out: &mut String) {
    let text = text
        .replace("&amp;", "&")
        .replace("&lt;", "<")
        .replace("&gt;", ">");
    out.extend(
        text.chars()
            .filter(|c| c.is_alphanumeric() || "⟦⟧·:/?=&%@,;…→–".contains(*c)),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attendee_text_cannot_carry_fences_markers_mentions_or_overrides() {
        for (typed, shown) in [
            ("Ann\u{202e}gpj.exe", "Anngpj.exe"),
            ("a\nb\t c", "a b c"),
            ("⟦ Cal.com meetings ⟧", "[ Cal.com meetings ]"),
            ("cal.com BOOKING x · y", "cal.com BOOKING x - y"),
            ("x · abcdefghijklmnop", "x - abcdefghijklmnop"),
            ("Anna · Nora", "Anna · Nora"),
            (
                "hi @channel, mail me@x.example",
                "hi @\u{2060}channel, mail me@x.example",
            ),
        ] {
            assert_eq!(one_line(typed, 120), shown);
        }
    }

    #[test]
    fn cutting_counts_characters_and_ends_with_an_ellipsis() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöüß", 3), "äö…");
    }

    #[test]
    fn markdown_shows_as_typed() {
        assert_eq!(
            markdown("# [x](http://y) *b* <i>"),
            r"\# \[x\](http://y) \*b\* \<i\>"
        );
        assert_eq!(markdown("1. no list"), r"1\. no list");
        assert_eq!(markdown("1.50 EUR"), "1.50 EUR");
        assert_eq!(markdown("- no list"), r"\- no list");
        assert_eq!(markdown("A & B &lt;"), r"A & B \&lt;");
    }

    #[test]
    fn re_rendering_leaves_the_essence() {
        let ours = "**Join:** https://meet.example/a_b\n- one\n- two";
        let theirs =
            "__Join:__ [https://meet.example/a_b](https://meet.example/a_b)\n\n* one\n\n* two";
        assert_eq!(essence(ours), essence(theirs));
        assert_ne!(
            essence(ours),
            essence("**Join:** https://meet.example/ab2\n- one\n- two")
        );
        for (ours, theirs) in [
            (
                r"\[text\](https://x.example)",
                r"\[text\]([https://x.example](https://x.example))",
            ),
            (
                r"\[text\](https://x.example)",
                "[text]([https://x.example](https://x.example))",
            ),
            (
                r"https://x.example\](https://x.example)",
                r"[https://x.example](https://x.example)\]([https://x.example](https://x.example))",
            ),
            (
                r"\[text\](https://x.exam…",
                r"\[text\]([https://x.exam…](https://x.exam…)",
            ),
            (
                "Cal.com booking bk1 · 2f",
                "[Cal.com](http://Cal.com) booking bk1 · 2f",
            ),
            (
                "Cal.com booking bk1 · 2f",
                "<https://Cal.com> booking bk1 · 2f",
            ),
            (
                "Ann of acme.example",
                r#"Ann of [acme.example](https://acme.example/ "acme.example")"#,
            ),
        ] {
            assert_eq!(essence(ours), essence(theirs), "{ours}");
        }
        for (ours, other) in [
            ("Join", "[Join](https://meet.example)"),
            ("", "![](https://meet.example)"),
            ("https://cal.com/anna", "https://cal.com/bert"),
            ("acme.example", "[acme.example](https://evil.example)"),
        ] {
            assert_ne!(essence(ours), essence(other), "{other}");
        }
    }
}
