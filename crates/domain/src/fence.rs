//! The managed block inside a description: finding it after the CRM's editor has re-rendered the markdown,
//! and replacing it without touching what people wrote around it.

use crate::text::essence;

pub const BEGIN: &str = "⟦ Cal.com meetings · kept by calup ⟧";
pub const END: &str = "⟦ end of Cal.com meetings ⟧";

/// ClickUp: 256 KB a description (help.clickup.com 29664799512855).
pub const DESCRIPTION_BYTES_MAX: usize = 256 * 1024;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fenced<'a> {
    /// Neither fence.
    Absent,
    /// Both, once each, in order.
    Present {
        before: &'a str,
        block: &'a str,
        after: &'a str,
    },
    /// One is missing, doubled, or they are the wrong way round.
    Broken,
}

pub fn find(description: &str) -> Fenced<'_> {
    let (begin, end) = (essence(BEGIN), essence(END));
    let (mut begins, mut ends) = (Vec::new(), Vec::new());
    let mut at = 0;
    for line in description.split_inclusive('\n') {
        if line.contains('⟦') {
            let line_essence = essence(line);
            if line_essence == begin {
                begins.push((at, at + line.len()));
            } else if line_essence == end {
                ends.push((at, at + line.len()));
            } else if line_essence.contains(&begin) || line_essence.contains(&end) {
                return Fenced::Broken;
            }
        }
        at += line.len();
    }
    match (begins.as_slice(), ends.as_slice()) {
        ([], []) => Fenced::Absent,
        ([b], [e]) if b.1 <= e.0 => Fenced::Present {
            before: &description[..b.0],
            block: &description[b.1..e.0],
            after: &description[e.1..],
        },
        _ => Fenced::Broken,
    }
}

/// Puts a block between fences.
pub fn enclose(block: &str) -> String {
    format!("{BEGIN}\n\n{}\n\n{END}", block.trim())
}

/// The description with its block replaced, or set before what people wrote. `None` when it would not fit.
pub fn replace(description: &str, block: &str) -> Option<String> {
    let fenced = enclose(block);
    let out = match find(description) {
        Fenced::Present { before, after, .. } => {
            let after = if after.is_empty() {
                String::new()
            } else {
                format!("\n{after}")
            };
            format!("{before}{fenced}{after}")
        }
        _ if description.trim().is_empty() => fenced,
        _ => format!("{fenced}\n\n{description}"),
    };
    (out.len() <= DESCRIPTION_BYTES_MAX).then_some(out)
}

/// Whether text outlives a round trip through markdown, as far as is known: tables, mentions, embeds, images,
/// raw HTML and check lists do not.
pub fn survives(text: &str) -> bool {
    let mut in_code = false;
    for line in text.lines() {
        let line = without_escaped(line);
        let trimmed = line.trim_start();
        if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
            in_code = !in_code;
            continue;
        }
        if in_code {
            continue;
        }
        let inner = without_marks(trimmed);
        let is_marked = inner.len() < trimmed.len();
        let is_rule = inner.contains("---") && inner.chars().all(|c| "|-: ".contains(c));
        let is_table = inner.starts_with('|') || (inner.contains('|') && is_rule);
        let is_check = ["[ ]", "[x]", "[X]"].iter().any(|c| {
            inner
                .strip_prefix(c)
                .is_some_and(|after| is_marked || after.starts_with(' '))
        });
        let is_block =
            trimmed.starts_with(":::") || trimmed.starts_with("[[") || trimmed.starts_with("{{");
        let is_inline = trimmed.contains("![")
            || has_typed_mention(trimmed)
            || trimmed.contains("[embed")
            || trimmed.contains("](@")
            || has_mention(trimmed)
            || has_tag(trimmed);
        if is_table || is_check || is_block || is_inline {
            return false;
        }
    }
    !in_code
}

/// The line with a blank for each sign that a backslash makes mean nothing.
fn without_escaped(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\\' && chars.next_if(char::is_ascii_punctuation).is_some() {
            out.push(' ');
        } else {
            out.push(c);
        }
    }
    out
}

/// What stands in the quotes and list items that the line begins with.
fn without_marks(line: &str) -> &str {
    let mut inner = line.trim_start();
    loop {
        let after_number = inner.trim_start_matches(|c: char| c.is_ascii_digit());
        let after_item = if after_number.len() < inner.len() {
            after_number.strip_prefix(['.', ')'])
        } else {
            inner.strip_prefix(['-', '*', '+'])
        };
        let Some(rest) = inner
            .strip_prefix('>')
            .or_else(|| after_item.filter(|rest| rest.starts_with([' ', '\t'])))
        else {
            return inner;
        };
        inner = rest.trim_start();
    }
}

/// `#user_mention#57`, also of a task or a document; the same within an address is none.
fn has_typed_mention(line: &str) -> bool {
    line.match_indices('#').any(|(i, _)| {
        let word = line[i + 1..].split(|c: char| !c.is_alphanumeric() && c != '_');
        let is_typed = word.take(1).any(|w| w.ends_with("_mention"));
        is_typed && !line[..i].ends_with(|c: char| c.is_alphanumeric() || c == '/')
    })
}

fn has_mention(line: &str) -> bool {
    let mut before = ' ';
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        let opens =
            c == '@' && !before.is_alphanumeric() && before != '\\' && !"/.".contains(before);
        if opens && chars.peek().is_some_and(|n| n.is_alphabetic() || *n == '[') {
            return true;
        }
        before = c;
    }
    false
}

fn has_tag(line: &str) -> bool {
    line.match_indices('<').any(|(i, _)| {
        let escaped = line[..i].ends_with('\\');
        let tail = &line[i + 1..];
        let is_address = tail.starts_with("http")
            || tail
                .split('>')
                .next()
                .is_some_and(|t| t.find('@').is_some_and(|at| at > 0) && !t.contains(' '));
        !escaped
            && !is_address
            && tail.starts_with(|c: char| c.is_ascii_alphabetic() || "/!@".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_replaced_and_what_people_wrote_stays() {
        let once = replace("Met at **expo**.\n\n- likes tea", "next: A").unwrap();
        let twice = replace(&once, "next: B").unwrap();
        assert_eq!(
            twice,
            format!("{BEGIN}\n\nnext: B\n\n{END}\n\nMet at **expo**.\n\n- likes tea")
        );
    }

    #[test]
    fn fences_are_recognised_however_the_editor_wrote_them() {
        for text in [
            format!("before\n\n{BEGIN}\nx\n{END}\nafter"),
            format!("# {}\n\nx\n\n**{}**", BEGIN, END.replace('.', "\\.")),
            format!("> {BEGIN}  \n> x\n> {END}"),
            // Its editor takes "Cal.com" for an address.
            format!("{BEGIN}\n\nx\n\n{END}").replace("Cal.com", "[Cal.com](http://Cal.com)"),
            format!("{BEGIN}\n\nx\n\n{END}")
                .replace("Cal.com", r#"[Cal.com](https://cal.com/ "Cal.com")"#),
            format!("{BEGIN}\n\nx\n\n{END}").replace("Cal.com", "<http://Cal.com>"),
        ] {
            assert!(matches!(find(&text), Fenced::Present { .. }), "{text}");
        }
    }

    #[test]
    fn a_missing_or_doubled_fence_is_broken() {
        for text in [
            format!("{BEGIN}\nx"),
            format!("x\n{END}"),
            format!("{END}\nx\n{BEGIN}"),
            format!("{BEGIN}\nx\n{END}\n{BEGIN}\nx\n{END}"),
            format!("moved {BEGIN} x"),
            format!("{BEGIN}\nx\n{END}![](https://x.example/shot.png)"),
            format!("[{BEGIN}](https://x.example)\nx\n{END}"),
        ] {
            assert_eq!(find(&text), Fenced::Broken, "{text}");
        }
        assert_eq!(find("nothing of ours"), Fenced::Absent);
    }

    #[test]
    fn what_is_not_known_to_survive_is_left_alone() {
        for text in [
            "| a | b |",
            "see @Robin",
            "see [Robin](@57)",
            "see [@Robin](#user_mention#57)",
            "![x](y)",
            "<iframe src=x>",
            "- [ ] call",
            "```\nopen",
            "a | b\n--- | ---",
            "> | a | b |\n> |---|---|",
            "> a | b\n> --- | ---",
            "- | a | b |",
            "> - [ ] call",
            "1. [ ] call",
            "2) [x] call",
            "+ [ ] call",
            "* [X] call",
            "- > * [ ] call",
            "[X] call",
            "see <@57>",
        ] {
            assert!(!survives(text), "{text}");
        }
        for text in [
            "**b** [l](https://x.example)",
            "# h\n- a\n- b",
            "mail a@b.example <https://x.example>",
            "```\n| t |\n```",
            r"\| typed \| --- \<b\> \!\[x\](y)",
            "either | or --- whatever",
            "at noon (@ the office)",
            "<https://app.example/#user_mention> <https://x.example/a_mention#b>",
            "> a quote\n>\n> 1. one | two\n> 2) [three](https://x.example)",
            "- budget [x], see below\n-5 | 3\n2026 [ ]",
            "[x](https://x.example)",
            "write to <a@b.example>",
        ] {
            assert!(survives(text), "{text}");
        }
    }
}
