//! Other people's text in Slack's formats, so that it shows as typed and does nothing. Slack reads `&`, `<` and `>`
//! everywhere, and more in mrkdwn: <https://docs.slack.dev/messaging/formatting-message-text>

/// For plain text, and for whatever mrkdwn has no signs for.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        push_escaped(c, &mut out);
    }
    out
}

/// For mrkdwn. It has no escape for its own signs, so those that would act are replaced by their look-alikes; inside
/// words, as in most addresses, they do not act and stay.
pub fn mrkdwn(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let is_word = |at: Option<&char>| at.is_some_and(|c| c.is_alphanumeric());
    let mut out = String::with_capacity(text.len() + 8);
    for (at, &c) in chars.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| chars.get(at));
        let inside = is_word(before) && is_word(chars.get(at + 1));
        match c {
            '*' if !inside => out.push('∗'),
            '_' if !inside => out.push('＿'),
            '~' if !inside => out.push('∼'),
            '`' => out.push('ˋ'),
            // At the beginning of a line it would quote, even escaped.
            '>' if before.is_none_or(|c| *c == '\n') => out.push_str("\u{2060}&gt;"),
            ':' if names_emoji(&chars[at + 1..]) => out.push_str(":\u{2060}"),
            _ => push_escaped(c, &mut out),
        }
    }
    out
}

/// An escaped text cut to `max` units of UTF-16, the strictest way that Slack may count; no entity is cut in two.
pub fn fit(escaped: &str, max: usize) -> String {
    if length(escaped) <= max {
        return escaped.to_owned();
    }
    let mut kept = String::new();
    let mut left = max.saturating_sub(1);
    for c in escaped.chars() {
        let Some(rest) = left.checked_sub(c.len_utf16()) else {
            break;
        };
        left = rest;
        kept.push(c);
    }
    if let Some(at) = kept.rfind('&')
        && !kept[at..].contains(';')
    {
        kept.truncate(at);
    }
    kept.truncate(kept.trim_end().len());
    if max > 0 {
        kept.push('…');
    }
    kept
}

/// In units of UTF-16.
pub(super) fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

fn push_escaped(c: char, out: &mut String) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        _ => out.push(c),
    }
}

/// Whether what follows a colon makes it the beginning of an emoji's name, or would if another text with a colon came
/// behind it. Times of day do not.
fn names_emoji(after: &[char]) -> bool {
    let is_of_one = |c: &char| {
        let is_plain = c.is_ascii_lowercase() || c.is_ascii_digit() || "_+-'".contains(*c);
        is_plain || (!c.is_ascii() && c.is_alphanumeric())
    };
    let end = after.iter().position(|c| !is_of_one(c));
    let name: String = after[..end.unwrap_or(after.len())].iter().collect();
    let is_number = name.bytes().all(|b| b.is_ascii_digit());
    let is_closed = end.is_none_or(|end| after[end] == ':');
    is_closed && (!is_number || matches!(name.as_str(), "100" | "1234"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_act_is_shown_instead() {
        for (typed, sent) in [
            (
                "<!channel> & <@U1|x>",
                "&lt;!channel&gt; &amp; &lt;@U1|x&gt;",
            ),
            ("&lt;!here&gt;", "&amp;lt;!here&amp;gt;"),
            ("*bold* _it_ ~no~ `code`", "∗bold∗ ＿it＿ ∼no∼ ˋcodeˋ"),
            ("ada_lovelace@x.example 2*3", "ada_lovelace@x.example 2*3"),
            (
                "> quote\n>more a>b",
                "\u{2060}&gt; quote\n\u{2060}&gt;more a&gt;b",
            ),
            ("10:30:00 :tada: a: b:", "10:30:00 :\u{2060}tada: a: b:"),
            (":100: 9:30", ":\u{2060}100: 9:30"),
            (":tada", ":\u{2060}tada"),
            ("https://x.example:80/a:b/", "https://x.example:80/a:b/"),
            (
                "<https://evil.example|Ada>",
                "&lt;https://evil.example|Ada&gt;",
            ),
        ] {
            assert_eq!(mrkdwn(typed), sent);
        }
        assert_eq!(escape("*A* & <B>"), "*A* &amp; &lt;B&gt;");
    }

    #[test]
    fn a_cut_text_ends_before_an_entity_and_counts_as_javascript_does() {
        for (text, max, cut) in [
            ("abc", 3, "abc"),
            ("abcd", 3, "ab…"),
            ("ab&amp;cd", 6, "ab…"),
            ("ab&amp;cd", 8, "ab&amp;…"),
            ("🎉🎉", 4, "🎉🎉"),
            ("🎉🎉", 3, "🎉…"),
            ("🎉🎉", 2, "…"),
            ("a b c", 3, "a…"),
            ("abc", 1, "…"),
            ("abc", 0, ""),
        ] {
            assert_eq!(fit(text, max), cut, "{text} {max}");
            assert!(length(cut) <= max);
        }
    }
}
