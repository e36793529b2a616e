//! The attacks, as the tables have them.

use super::*;

pub fn rows(table: &str) -> impl Iterator<Item = Vec<&str>> {
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split('\t').collect())
}

/// `\n`, `\t`, `\r`, `\\` and `\u{…}`.
pub fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, escaped)) = rest.split_once('\\') {
        out += before;
        let mut chars = escaped.chars();
        match chars.next().expect("something is escaped") {
            'n' => out.push('\n'),
            't' => out.push('\t'),
            'r' => out.push('\r'),
            'u' => {
                let (code, _) = chars.as_str()[1..].split_once('}').expect("it is closed");
                let code = u32::from_str_radix(code, 16).expect("a number");
                out.push(char::from_u32(code).expect("a letter"));
                chars = escaped[code_end(escaped)..].chars();
            }
            other => out.push(other),
        }
        rest = chars.as_str();
    }
    out + rest
}

pub fn code_end(escaped: &str) -> usize {
    escaped.find('}').expect("it is closed") + 1
}

pub struct Link {
    pub name: String,
    pub gone: String,
    pub text: String,
}

pub fn links() -> Vec<Link> {
    rows(LINKS)
        .map(|row| Link {
            name: row[0].to_owned(),
            gone: unescaped(row[1]),
            text: unescaped(row[2]),
        })
        .collect()
}

/// One after the other, where there are two rounds.
pub fn carried(text: &str) -> [(&'static str, Vec<String>); CARRIERS] {
    let half = (0..=text.len() / 2)
        .rev()
        .find(|at| text.is_char_boundary(*at));
    let (first, second) = text.split_at(half.unwrap_or_default());
    [
        ("alone", vec![text.to_owned()]),
        (
            "in a sentence",
            vec![format!("Hello Mike, see {text} today.")],
        ),
        (
            "in a list",
            vec![format!("- one\n- {text}\n\n> So: {text}")],
        ),
        ("in bold and code", vec![format!("**{text}** `{text}`")]),
        (
            "in a table",
            vec![format!("| a | b |\n|---|---|\n| {text} | x |")],
        ),
        (
            "in two rounds",
            vec![format!("So: {first}"), second.to_owned()],
        ),
    ]
}

pub fn notes() -> Vec<String> {
    let rows = NOTES.lines().filter(|line| !line.starts_with('#'));
    let long = "very ".repeat(4_000);
    rows.map(|row| unescaped(row).replace("{long}", &long))
        .collect()
}
