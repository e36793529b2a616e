//! How a text looks to those who show it: as markdown, as HTML, to a program that makes links of plain text, in a terminal.
//! Shares nothing with what it judges.

use linkify::{LinkFinder, LinkKind};
use pulldown_cmark::{Event, LinkType, Options, Parser, Tag};
use url::Url;

/// Where a page would be that shows it.
const PAGE: &str = "http://chat.example/talk";

/// What leads, shows or runs something that it should not.
pub fn faults(text: &str, known: &[&str]) -> Vec<String> {
    let mut faults = in_markdown(text, known);
    faults.extend(in_html(text, known));
    faults.extend(as_links(text, known));
    let is_odd = |c: &char| c.is_control() && !matches!(c, '\n' | '\t');
    let is_hidden = |c: &char| matches!(c, '\u{200b}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{e0000}'..='\u{e0fff}');
    let odd = text.chars().find(|c| is_odd(c) || is_hidden(c));
    faults.extend(odd.map(|c| format!("the character {c:?}")));
    faults
}

/// Whether it is there, however it is written.
pub fn holds(text: &str, gone: &str) -> bool {
    let paragraphs = text.replace("\n\n", " ");
    plain(&paragraphs).contains(gone) || text.contains(gone)
}

fn leads_astray(address: &str, known: &[&str]) -> Option<String> {
    let page = Url::parse(PAGE).expect("an address");
    // What is no address leads nowhere.
    let url = page.join(address).ok()?;
    let port = url.port().map(|port| format!(":{port}"));
    let host = format!(
        "{}{}",
        url.host_str().unwrap_or_default().trim_end_matches('.'),
        port.unwrap_or_default()
    );
    let is_web = matches!(url.scheme(), "http" | "https");
    let is_known = host == "chat.example" || known.contains(&host.as_str());
    let is_harmless = is_web && (is_known || !can_be_had(&host));
    (!is_harmless).then(|| format!("a link to {url}"))
}

/// Nobody can have a name under `com)` or `com-x`, nor one like `com'.example`.
fn can_be_had(host: &str) -> bool {
    let host = host.split(':').next().unwrap_or_default();
    if host.starts_with('.') {
        return false;
    }
    let is_plain = |label: &str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        !label.is_empty() && label.bytes().all(plain) && !label.ends_with('-')
    };
    let is_top =
        |label: &str| label.starts_with("xn--") || label.bytes().all(|b| b.is_ascii_alphabetic());
    let mut labels = host.rsplit('.');
    let (top, name) = (labels.next(), labels.next());
    let is_number = host.parse::<std::net::Ipv4Addr>().is_ok() || host.starts_with('[');
    is_number || (top.is_none_or(is_top) && name.is_none_or(is_plain))
}

fn in_markdown(text: &str, known: &[&str]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut shown = String::new();
    let options = Options::all().difference(Options::ENABLE_SMART_PUNCTUATION);
    for event in Parser::new_ext(text, options) {
        match event {
            Event::Start(Tag::Link {
                link_type,
                dest_url,
                ..
            }) if link_type != LinkType::Email => faults.extend(leads_astray(&dest_url, known)),
            Event::Start(Tag::Image { dest_url, .. }) => {
                faults.push(format!("an image {dest_url}"));
            }
            Event::Html(html) | Event::InlineHtml(html) => faults.push(format!("HTML {html}")),
            Event::Text(text) => shown.push_str(&text),
            Event::Code(text) => shown.push_str(&format!("\n{text}\n")),
            _ => shown.push('\n'),
        }
    }
    faults.extend(as_links(&shown, known));
    faults
}

fn in_html(text: &str, known: &[&str]) -> Vec<String> {
    let tags = text.match_indices('<').map(|(at, _)| &text[at + 1..]);
    let tags = tags.filter(|rest| {
        rest.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'))
    });
    tags.filter_map(|rest| {
        let inner = rest.split('>').next().unwrap_or_default();
        let is_person = inner.contains('@') && !inner.contains([' ', ':', '/']);
        let is_address = inner.starts_with("http") && !inner.contains(char::is_whitespace);
        let is_good = is_person || (is_address && leads_astray(inner, known).is_none());
        (!is_good).then(|| format!("a tag <{inner}>"))
    })
    .collect()
}

fn as_links(text: &str, known: &[&str]) -> Vec<String> {
    let mut finder = LinkFinder::new();
    finder.url_must_have_scheme(false);
    let found = finder.links(text).filter(|it| *it.kind() == LinkKind::Url);
    found
        .filter_map(|it| {
            let address = it.as_str();
            if address.contains("://") {
                leads_astray(address, known)
            } else {
                leads_astray(&format!("https://{address}"), known)
            }
        })
        .collect()
}

/// Without what other programs see through.
fn plain(text: &str) -> String {
    let mut plain = text.to_lowercase();
    for (written, sign) in [
        ("&colon;", ":"),
        ("&sol;", "/"),
        ("&period;", "."),
        ("&#58;", ":"),
        ("&#x2f;", "/"),
        ("&#46;", "."),
        ("%3a", ":"),
        ("%2f", "/"),
        ("%2e", "."),
    ] {
        plain = plain.replace(written, sign);
    }
    plain
        .chars()
        .filter(|c| {
            !matches!(
                c,
                '\t' | '\n' | '\\' | '\u{200b}' | '\u{2060}' | '\u{202a}'..='\u{202e}'
            )
        })
        .map(|c| match c {
            '。' | '｡' => '.',
            // Their wide forms stand in the same order.
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
            other => other,
        })
        .collect()
}
