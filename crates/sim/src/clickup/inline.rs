//! Markdown within a line: links, code, emphasis and escapes, re-printed or stripped.

use super::rerender::Rerender;

enum Piece<'a> {
    /// Copied as it is: code spans, escapes, unknown text.
    Verbatim(&'a str),
    Link {
        text: &'a str,
        address: &'a str,
    },
    BareUrl(&'a str),
    Char(char),
}

/// Re-prints the inline markup of one line.
pub(super) fn rerender(line: &str, how: &Rerender) -> String {
    print(&emphasis(line, how), how, false)
}

fn print(line: &str, how: &Rerender, in_link: bool) -> String {
    let mut out = String::with_capacity(line.len() + 16);
    let mut at = 0;
    while at < line.len() {
        let (piece, length) = next(line, at);
        match piece {
            Piece::Verbatim(text) if how.drop_needless_escapes && is_needless(line, at, text) => {
                out.push_str(&text[1..]);
            }
            Piece::Verbatim(text) => out.push_str(text),
            Piece::Link { text, address } if !in_link => {
                out.push('[');
                out.push_str(&print(text, how, true));
                out.push_str("](");
                out.push_str(address);
                out.push(')');
            }
            Piece::BareUrl(url) if how.link_bare_urls && !in_link => {
                out.push('[');
                out.push_str(&print(url, how, true));
                out.push_str("](");
                out.push_str(url);
                out.push(')');
            }
            Piece::BareUrl(_) if !in_link => out.push_str(&line[at..at + length]),
            // Within a link's text there are neither links nor addresses, only characters.
            Piece::Link { .. } | Piece::BareUrl(_) => {
                let first = line[at..].chars().next().expect("at is before the end");
                push_char(&mut out, line, at, first, how, in_link);
                at += first.len_utf8();
                continue;
            }
            Piece::Char(c) => push_char(&mut out, line, at, c, how, in_link),
        }
        at += length;
    }
    out
}

fn push_char(out: &mut String, line: &str, at: usize, c: char, how: &Rerender, in_link: bool) {
    let escaped = match c {
        '_' => how.escape_underscores && within_word(line, at),
        '[' => how.escape_brackets,
        ']' => how.escape_brackets && in_link,
        '<' => how.escape_angles,
        _ => false,
    };
    if escaped {
        out.push('\\');
    }
    out.push(c);
}

// An escape without which the character would mean nothing else.
fn is_needless(line: &str, at: usize, text: &str) -> bool {
    let mut chars = text.chars();
    let (Some('\\'), Some(escaped)) = (chars.next(), chars.next()) else {
        return false;
    };
    match escaped {
        '!' => !line[at + 2..].starts_with('['),
        ',' | ';' | '?' | '\'' | '"' | '%' | '$' | '@' | '/' | '{' | '}' | '^' => true,
        _ => false,
    }
}

// The run of underscores around `at` has a letter or digit on both sides.
fn within_word(line: &str, at: usize) -> bool {
    let before = line[..at].trim_end_matches('_').chars().next_back();
    let after = line[at..].trim_start_matches('_').chars().next();
    before.is_some_and(char::is_alphanumeric) && after.is_some_and(char::is_alphanumeric)
}

fn next(line: &str, at: usize) -> (Piece<'_>, usize) {
    let rest = &line[at..];
    let first = rest.chars().next().expect("at is before the end");
    match first {
        '\\' => {
            let escaped = rest[1..].chars().next().filter(char::is_ascii_punctuation);
            let length = 1 + escaped.map_or(0, char::len_utf8);
            (Piece::Verbatim(&rest[..length]), length)
        }
        '`' => {
            let ticks = rest.bytes().take_while(|byte| *byte == b'`').count();
            match rest[ticks..].find(&rest[..ticks]) {
                Some(end) => {
                    let length = ticks + end + ticks;
                    (Piece::Verbatim(&rest[..length]), length)
                }
                None => (Piece::Verbatim(&rest[..ticks]), ticks),
            }
        }
        '[' => match link(rest) {
            Some((text, address, length)) => (Piece::Link { text, address }, length),
            None => (Piece::Char('['), 1),
        },
        '<' => match rest[1..].find('>').map(|end| &rest[1..=end]) {
            Some(url) if is_autolink(url) => (Piece::BareUrl(url), url.len() + 2),
            _ => (Piece::Char('<'), 1),
        },
        'h' if url_length(rest) > 0 => {
            let length = url_length(rest);
            (Piece::BareUrl(&rest[..length]), length)
        }
        _ => (Piece::Char(first), first.len_utf8()),
    }
}

// `[text](address)` at the start: text, address and the length of it all.
fn link(rest: &str) -> Option<(&str, &str, usize)> {
    let mut depth = 0;
    let mut escaped = false;
    let mut end = None;
    for (at, c) in rest.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => depth += 1,
            ']' => {
                depth -= 1;
                if depth == 0 {
                    end = Some(at);
                    break;
                }
            }
            _ => {}
        }
    }
    let end = end?;
    let address = rest[end + 1..].strip_prefix('(')?;
    let close = address.find([')', ' ', '\t'])?;
    // An address may hold balanced parentheses.
    let close = if address[..close].contains('(') {
        balanced(address)?
    } else {
        close
    };
    address[close..]
        .starts_with(')')
        .then(|| (&rest[1..end], &address[..close], end + 1 + 1 + close + 1))
}

fn balanced(address: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, c) in address.char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => return Some(at),
            ')' => depth -= 1,
            ' ' | '\t' => return None,
            _ => {}
        }
    }
    None
}

// Between "<" and ">" an address ends nowhere else. <https://spec.commonmark.org/0.31.2/#autolinks>
fn is_autolink(text: &str) -> bool {
    let rest = ["https://", "http://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme));
    rest.is_some_and(|rest| !rest.is_empty())
        && !text.contains(|c: char| c == '<' || c.is_whitespace() || c.is_control())
}

// How many bytes at the start are an address; 0 for none.
fn url_length(rest: &str) -> usize {
    let scheme = ["https://", "http://"]
        .iter()
        .find(|scheme| rest.starts_with(**scheme));
    let Some(scheme) = scheme else { return 0 };
    let end = rest
        .find(|c: char| c.is_whitespace() || "<>()[]`\"|\\*".contains(c))
        .unwrap_or(rest.len());
    let url = rest[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', '_']);
    if url.len() > scheme.len() {
        url.len()
    } else {
        0
    }
}

// `__bold__` and `_italic_` with stars, outside code, links' addresses and words.
fn emphasis(line: &str, how: &Rerender) -> String {
    if !how.bold_stars && !how.italic_stars {
        return line.to_owned();
    }
    let mut out = String::with_capacity(line.len());
    let mut at = 0;
    while at < line.len() {
        let (piece, length) = next(line, at);
        if matches!(piece, Piece::Char('_'))
            && let Some((marks, inner)) = underlined(line, at)
            && (if marks == 2 {
                how.bold_stars
            } else {
                how.italic_stars
            })
        {
            let stars = if marks == 2 { "**" } else { "*" };
            out.push_str(stars);
            out.push_str(&emphasis(inner, how));
            out.push_str(stars);
            at += inner.len() + 2 * marks;
            continue;
        }
        out.push_str(&line[at..at + length]);
        at += length;
    }
    out
}

// The emphasised text that opens at `at`, and whether with one or two underscores.
fn underlined(line: &str, at: usize) -> Option<(usize, &str)> {
    let rest = &line[at..];
    let marks = rest.bytes().take_while(|byte| *byte == b'_').count();
    let before = line[..at].chars().next_back();
    if !(1..=2).contains(&marks)
        || before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '*')
        || !rest[marks..].starts_with(|c: char| c.is_alphanumeric())
    {
        return None;
    }
    let mut end = at + marks;
    while end < line.len() {
        let (piece, length) = next(line, end);
        if matches!(piece, Piece::Char('_')) {
            let run = line[end..].bytes().take_while(|byte| *byte == b'_').count();
            let inside = line[..end].ends_with(|c: char| c.is_alphanumeric());
            let after = line[end + run..].chars().next();
            if run == marks
                && inside
                && after.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != '*')
            {
                return Some((marks, &line[at + marks..end]));
            }
            end += run;
            continue;
        }
        end += length;
    }
    None
}

/// Where `needle` begins in the line, outside code spans.
pub(super) fn find_outside_code(line: &str, needle: &str) -> Option<usize> {
    let mut at = 0;
    while at < line.len() {
        if line[at..].starts_with(needle) {
            return Some(at);
        }
        let (piece, length) = next(line, at);
        at += match piece {
            Piece::Verbatim(_) => length,
            _ => line[at..].chars().next().map_or(1, char::len_utf8),
        };
    }
    None
}

/// The line without markup.
pub(super) fn plain(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut at = 0;
    while at < line.len() {
        let (piece, length) = next(line, at);
        match piece {
            Piece::Verbatim(text) if text.starts_with('`') => out.push_str(text.trim_matches('`')),
            Piece::Verbatim(text) => out.push_str(text.strip_prefix('\\').unwrap_or(text)),
            Piece::Link { text, .. } => out.push_str(&plain(text)),
            Piece::BareUrl(url) => out.push_str(url),
            Piece::Char('*') => {}
            Piece::Char('_') if !within_word(line, at) => {}
            Piece::Char(c) => out.push(c),
        }
        at += length;
    }
    out
}
