//! What an editor does to markdown between a write and the next read: it parses into
//! its own document and prints that again. Each rewrite is a switch. Also the plain
//! text that `description` and `text_content` show. Inline rewrites are in `inline.rs`.

use super::inline;
use super::rerender::{HardBreak, Rerender};

/// Prints markdown as the editor would. Doing it twice changes nothing more.
pub fn rerender(markdown: &str, how: &Rerender) -> String {
    if *how == Rerender::none() {
        return markdown.to_owned();
    }
    // One pass can make room for another rewrite (a dropped comment joins two lines).
    let mut text = pass(&markdown.replace("\r\n", "\n"), how);
    for _ in 0..16 {
        let again = pass(&text, how);
        if again == text {
            break;
        }
        text = again;
    }
    text
}

/// What the editor shows without any formatting; link addresses are lost.
pub fn plain(markdown: &str) -> String {
    let mut lines = Vec::new();
    let mut code = false;
    for line in markdown.lines() {
        let bare = line.trim();
        if is_fence(bare) {
            code = !code;
        } else if code {
            lines.push(line.to_owned());
        } else if !bare.is_empty() && !is_rule(bare) {
            let (_, text) = split_marker(bare);
            lines.push(inline::plain(text.trim_start_matches('#').trim_start()));
        }
    }
    lines.join("\n")
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Blank,
    Text,
    Item,
    Heading,
    Rule,
    Code,
    Table,
    Quote,
}

struct Line {
    kind: Kind,
    text: String,
}

fn pass(markdown: &str, how: &Rerender) -> String {
    let markdown = if how.drop_html_comments {
        drop_comments(markdown)
    } else {
        markdown.to_owned()
    };
    let lines = read(&markdown, how);
    let lines = space(lines, how);
    let mut text = String::with_capacity(markdown.len() + 64);
    for (index, line) in lines.iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        text.push_str(&line.text);
    }
    text
}

fn read(markdown: &str, how: &Rerender) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut code = false;
    let source: Vec<&str> = markdown.split('\n').collect();
    for (index, raw) in source.iter().enumerate() {
        let bare = raw.trim();
        if is_fence(bare) {
            code = !code;
            lines.push(Line {
                kind: Kind::Code,
                text: trimmed(raw, how),
            });
            continue;
        }
        if code {
            lines.push(Line {
                kind: Kind::Code,
                text: (*raw).to_owned(),
            });
            continue;
        }
        if bare.is_empty() {
            lines.push(Line {
                kind: Kind::Blank,
                text: trimmed(raw, how),
            });
            continue;
        }
        let after_text = lines.last().is_some_and(|line| line.kind == Kind::Text);
        if how.setext_headings && after_text && is_underline(bare) {
            let level = if bare.starts_with('=') { "# " } else { "## " };
            let heading = lines.pop().expect("after_text says there is a line");
            let text = format!("{level}{}", heading.text.trim_end_matches(['\\', ' ']));
            lines.push(Line {
                kind: Kind::Heading,
                text,
            });
            continue;
        }
        if is_rule(bare) {
            let text = how.rule.map_or_else(|| trimmed(raw, how), str::to_owned);
            lines.push(Line {
                kind: Kind::Rule,
                text,
            });
            continue;
        }
        let followed = source
            .get(index + 1)
            .is_some_and(|next| !next.trim().is_empty());
        lines.push(read_line(raw, followed, how));
    }
    lines
}

fn read_line(raw: &str, followed: bool, how: &Rerender) -> Line {
    let bare = raw.trim();
    let indent = &raw[..raw.len() - raw.trim_start().len()];
    if bare.starts_with('|') {
        return Line {
            kind: Kind::Table,
            text: trimmed(raw, how),
        };
    }
    let (marker, text) = split_marker(raw.trim_start());
    let kind = if bare.starts_with("# ") || is_heading(bare) {
        Kind::Heading
    } else if bare.starts_with('>') {
        Kind::Quote
    } else if marker.is_empty() {
        Kind::Text
    } else {
        Kind::Item
    };
    let marker = match (how.bullet, marker.chars().next()) {
        (Some(bullet), Some('*' | '+' | '-')) => format!("{bullet} {}", &marker[2..]),
        _ => marker.to_owned(),
    };
    let (text, ending) = end_of_line(text, followed, how);
    Line {
        kind,
        text: format!("{indent}{marker}{}{ending}", inline::rerender(&text, how)),
    }
}

// The text of a line without its end, and how the end is printed.
fn end_of_line(text: &str, followed: bool, how: &Rerender) -> (String, &'static str) {
    let bare = text.trim_end();
    let spaces = text.len() - bare.len();
    let backslash = bare.ends_with('\\') && !bare.ends_with("\\\\");
    if followed
        && (spaces >= 2 || backslash)
        && let Some(hard_break) = how.hard_break
    {
        let bare = if backslash {
            bare[..bare.len() - 1].trim_end()
        } else {
            bare
        };
        let ending = match hard_break {
            HardBreak::Newline => "",
            HardBreak::Backslash => "\\",
            HardBreak::Spaces => "  ",
        };
        return (bare.to_owned(), ending);
    }
    // A break before nothing is none.
    if how.trim_trailing {
        return (bare.to_owned(), "");
    }
    (text.to_owned(), "")
}

fn space(lines: Vec<Line>, how: &Rerender) -> Vec<Line> {
    let mut spaced: Vec<Line> = Vec::with_capacity(lines.len());
    for line in lines {
        let before = spaced.last().map_or(Kind::Blank, |line| line.kind);
        if apart(before, line.kind, how) {
            spaced.push(Line {
                kind: Kind::Blank,
                text: String::new(),
            });
        }
        if how.collapse_blank && line.kind == Kind::Blank && before == Kind::Blank {
            continue;
        }
        spaced.push(line);
    }
    while how.collapse_blank && spaced.last().is_some_and(|line| line.kind == Kind::Blank) {
        spaced.pop();
    }
    spaced
}

fn apart(before: Kind, now: Kind, how: &Rerender) -> bool {
    if before == Kind::Blank || now == Kind::Blank {
        return false;
    }
    let list_edge = before == Kind::Text && now == Kind::Item;
    let is_heading = |kind| matches!(kind, Kind::Heading | Kind::Rule);
    (how.space_lists && list_edge)
        || (how.space_headings && (is_heading(before) || is_heading(now)))
        || (how.lines_are_paragraphs && before == Kind::Text && now == Kind::Text)
}

fn trimmed(raw: &str, how: &Rerender) -> String {
    if how.trim_trailing {
        raw.trim_end().to_owned()
    } else {
        raw.to_owned()
    }
}

// The list marker with its blank and a task box, and the rest.
fn split_marker(line: &str) -> (&str, &str) {
    let bytes = line.as_bytes();
    let digits = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let marker = match bytes.first() {
        Some(b'*' | b'+' | b'-') => 1,
        _ if (1..=9).contains(&digits) && matches!(bytes.get(digits), Some(b'.' | b')')) => {
            digits + 1
        }
        _ => return ("", line),
    };
    if bytes.get(marker) != Some(&b' ') {
        return ("", line);
    }
    let mut end = marker + 1;
    if ["[ ] ", "[x] ", "[X] "]
        .iter()
        .any(|task| line[end..].starts_with(task))
    {
        end += 4;
    }
    line.split_at(end)
}

fn is_fence(bare: &str) -> bool {
    bare.starts_with("```") || bare.starts_with("~~~")
}

fn is_heading(bare: &str) -> bool {
    let hashes = bare.bytes().take_while(|byte| *byte == b'#').count();
    (1..=6).contains(&hashes) && bare.as_bytes().get(hashes) == Some(&b' ')
}

fn is_underline(bare: &str) -> bool {
    bare.len() >= 2
        && (bare.bytes().all(|byte| byte == b'-') || bare.bytes().all(|byte| byte == b'='))
}

fn is_rule(bare: &str) -> bool {
    ['-', '*', '_'].iter().any(|mark| {
        bare.chars().all(|c| c == *mark || c == ' ')
            && bare.chars().filter(|c| c == mark).count() >= 3
    })
}

fn drop_comments(markdown: &str) -> String {
    let mut kept = String::with_capacity(markdown.len());
    let mut code = false;
    let mut inside = false;
    for (index, line) in markdown.split('\n').enumerate() {
        if index > 0 && !inside {
            kept.push('\n');
        }
        if !inside && is_fence(line.trim()) {
            code = !code;
        }
        if code {
            kept.push_str(line);
            continue;
        }
        let mut rest = line;
        loop {
            if inside {
                let Some(end) = rest.find("-->") else { break };
                rest = &rest[end + 3..];
                inside = false;
            }
            let Some(start) = inline::find_outside_code(rest, "<!--") else {
                kept.push_str(rest);
                break;
            };
            kept.push_str(&rest[..start]);
            rest = &rest[start + 4..];
            inside = true;
        }
    }
    kept
}
