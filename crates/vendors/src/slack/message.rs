//! A message as blocks, within Block Kit's limits: <https://docs.slack.dev/reference/block-kit/blocks>. All text in it
//! is data: no type here can hold a mention or a markup of somebody else's.

use domain::lead::{RichText, Run};
use serde_json::{Value, json};
use url::Url;

use super::text::{escape, fit, length, mrkdwn};

const BLOCKS_MAX: usize = 50;
const TEXT_MAX: usize = 3_000;
const HEADER_MAX: usize = 150;
const BUTTONS_MAX: usize = 25;
const LABEL_MAX: usize = 75;
const VALUE_MAX: usize = 2_000;
const ID_MAX: usize = 255;
const URL_MAX: usize = 2_000;
/// Beyond something like 13,000 a message is refused as a whole, though no limit says so.
const MESSAGE_MAX: usize = 12_000;
/// Metadata tell one app's messages from another's by this.
pub(super) const EVENT_TYPE: &str = "calup_effect";

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message {
    /// Shown in notifications.
    pub text: String,
    pub blocks: Vec<Block>,
    /// What the message is found by when its answer was lost.
    pub marker: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    Header(String),
    Section(RichText),
    /// Without any formatting: shows exactly what was typed.
    Plain(String),
    /// Small print.
    Context(RichText),
    Divider,
    Actions {
        id: String,
        buttons: Vec<Button>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    /// Unique within its actions.
    pub action_id: String,
    pub label: String,
    /// Opaque: it comes back with the click, and whoever reads the channel's data sees it.
    pub value: String,
    pub style: Style,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Style {
    #[default]
    Plain,
    Primary,
    Danger,
}

impl Message {
    /// `text`, `blocks` and `metadata`. The error finishes "could not …: ": what cannot be cut to a limit.
    pub(super) fn json(&self) -> Result<Value, &'static str> {
        let mut left = MESSAGE_MAX;
        let mut blocks = Vec::new();
        for block in &self.blocks {
            block.push_to(&mut blocks, &mut left)?;
        }
        if blocks.len() > BLOCKS_MAX {
            return Err("a message has at most 50 blocks");
        }
        let text = fit(&mrkdwn(&self.text), TEXT_MAX);
        if text.trim().is_empty() {
            return Err("a message needs a text for its notification");
        }
        let mut json = json!({"text": text, "blocks": blocks});
        if let Some(marker) = &self.marker {
            json["metadata"] =
                json!({"event_type": EVENT_TYPE, "event_payload": {"marker": marker}});
        }
        Ok(json)
    }
}

impl Block {
    fn push_to(&self, blocks: &mut Vec<Value>, left: &mut usize) -> Result<(), &'static str> {
        let max = TEXT_MAX.min(*left);
        let mut section = |text: Value, kind: &str| {
            let words = text["text"].as_str().unwrap_or_default();
            if !words.trim().is_empty() {
                *left = left.saturating_sub(length(words));
                blocks.push(match kind {
                    "context" => json!({"type": kind, "elements": [text]}),
                    _ => json!({"type": kind, "text": text}),
                });
            }
        };
        match self {
            Self::Header(text) => section(plain(text, HEADER_MAX), "header"),
            Self::Plain(text) => section(plain(text, max), "section"),
            Self::Section(runs) => section(rich(runs, max), "section"),
            Self::Context(runs) => section(rich(runs, max), "context"),
            Self::Divider => blocks.push(json!({"type": "divider"})),
            Self::Actions { id, buttons } => {
                // Room for a number behind it.
                if id.is_empty() || length(id) > ID_MAX - 4 {
                    return Err("a block's id has 1 to 251 characters");
                }
                for (n, some) in buttons.chunks(BUTTONS_MAX).enumerate() {
                    let id = if n == 0 {
                        id.clone()
                    } else {
                        format!("{id}-{n}")
                    };
                    let some: Vec<Value> =
                        some.iter().map(Button::json).collect::<Result<_, _>>()?;
                    blocks.push(json!({"type": "actions", "block_id": id, "elements": some}));
                }
            }
        }
        Ok(())
    }
}

impl Button {
    fn json(&self) -> Result<Value, &'static str> {
        if self.action_id.is_empty() || length(&self.action_id) > ID_MAX {
            return Err("a button's action id has 1 to 255 characters");
        }
        if length(&self.value) > VALUE_MAX {
            return Err("a button's value has at most 2,000 characters");
        }
        let label = if self.label.trim().is_empty() {
            "…"
        } else {
            &self.label
        };
        let mut json = json!({
            "type": "button", "action_id": self.action_id, "value": self.value,
            "text": plain(label, LABEL_MAX),
        });
        match self.style {
            Style::Plain => {}
            Style::Primary => json["style"] = json!("primary"),
            Style::Danger => json["style"] = json!("danger"),
        }
        Ok(json)
    }
}

fn plain(text: &str, max: usize) -> Value {
    json!({"type": "plain_text", "text": fit(&escape(text), max), "emoji": false})
}

// Verbatim: or Slack makes links of addresses, and of names that look like channels.
fn rich(runs: &RichText, max: usize) -> Value {
    let mut out = String::new();
    for run in runs {
        let left = max - length(&out);
        let whole = written(run, &mrkdwn(&run.text));
        if length(&whole) <= left {
            out.push_str(&whole);
            continue;
        }
        // A link that is cut is no link.
        let signs = if run.bold { 2 } else { 0 };
        let kept = fit(&mrkdwn(&run.text), left.saturating_sub(signs));
        let cut = Run {
            link: None,
            ..run.clone()
        };
        let cut = written(&cut, &kept);
        if length(&cut) <= left {
            out.push_str(&cut);
        }
        break;
    }
    json!({"type": "mrkdwn", "text": out, "verbatim": true})
}

fn written(run: &Run, text: &str) -> String {
    let linked = match run.link.as_deref().and_then(address) {
        Some(url) if !text.trim().is_empty() => {
            let label = text.replace('\n', " ");
            format!("<{url}|{label}>")
        }
        _ => text.to_owned(),
    };
    if run.bold { bold(&linked) } else { linked }
}

// The signs must touch what they enclose, and reach over no line's end.
fn bold(text: &str) -> String {
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| {
            let inner = line.trim();
            if inner.is_empty() {
                return line.to_owned();
            }
            let (before, after) = line.split_once(inner).unwrap_or(("", ""));
            format!("{before}*{inner}*{after}")
        })
        .collect();
    lines.join("\n")
}

/// A web address in the form that ends at no bracket and no bar.
fn address(link: &str) -> Option<String> {
    let url = Url::parse(link.trim()).ok()?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return None;
    }
    let text = url.as_str().replace('|', "%7C").replace('<', "%3C");
    let text = escape(&text.replace('>', "%3E"));
    (length(&text) <= URL_MAX).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str, bold: bool, link: Option<&str>) -> Run {
        Run {
            text: text.to_owned(),
            bold,
            link: link.map(str::to_owned),
        }
    }

    fn text(runs: &[Run], max: usize) -> String {
        let json = rich(&runs.to_vec(), max);
        json["text"].as_str().expect("a text").to_owned()
    }

    #[test]
    fn our_own_formatting_encloses_what_others_typed_and_nothing_more() {
        for (runs, sent) in [
            (vec![run(" Ada ", true, None)], " *Ada* "),
            (
                vec![run("Ada* <!here>", true, None)],
                "*Ada∗ &lt;!here&gt;*",
            ),
            (vec![run("a\nb", true, None)], "*a*\n*b*"),
            (
                vec![run(
                    "Ada|x>",
                    false,
                    Some("https://app.example/t/1?a=1&b=<|>"),
                )],
                "<https://app.example/t/1?a=1&amp;b=%3C%7C%3E|Ada|x&gt;>",
            ),
            (vec![run("Ada", false, Some("javascript:alert(1)"))], "Ada"),
            (vec![run("Ada", false, Some("!channel"))], "Ada"),
        ] {
            assert_eq!(text(&runs, 3000), sent);
        }
    }

    #[test]
    fn a_text_that_is_too_long_is_cut_and_what_is_enclosed_stays_so() {
        let link = Some("https://app.example/t/1");
        assert_eq!(text(&[run("abcdef", true, None)], 6), "*abc…*");
        assert_eq!(text(&[run("abcdef", false, link)], 4), "abc…");
        let three = ["ab", "cdef", "g"].map(|it| run(it, false, None));
        assert_eq!(text(&three, 5), "abcd…");
    }

    #[test]
    fn the_limits_hold_for_any_length() {
        let long = "&<>🎉*".repeat(4_000);
        let button = |n: usize| Button {
            action_id: format!("calup_person_{n}"),
            label: long.clone(),
            value: "v".repeat(VALUE_MAX),
            style: Style::Primary,
        };
        let message = Message {
            text: long.clone(),
            blocks: vec![
                Block::Header(long.clone()),
                Block::Section(vec![run(&long, true, None)]),
                Block::Plain(long.clone()),
                Block::Context(vec![run(&long, false, Some("https://x.example"))]),
                Block::Plain(long.clone()),
                Block::Plain(long.clone()),
                Block::Plain(String::new()),
                Block::Divider,
                Block::Actions {
                    id: "q".to_owned(),
                    buttons: (0..30).map(button).collect(),
                },
            ],
            marker: Some("abc".to_owned()),
        };
        let json = message.json().expect("it can be cut");
        let blocks = json["blocks"].as_array().expect("blocks");
        let mut total = 0;
        for block in blocks {
            let max = if block["type"] == "header" {
                HEADER_MAX
            } else {
                TEXT_MAX
            };
            for it in [&block["text"], &block["elements"][0]] {
                if let Some(words) = it["text"].as_str() {
                    assert!(!words.is_empty() && length(words) <= max);
                    total += length(words);
                }
            }
            for it in block["elements"].as_array().into_iter().flatten() {
                if let Some(label) = it["text"]["text"].as_str() {
                    assert!(length(label) <= LABEL_MAX);
                }
            }
        }
        assert!(total <= MESSAGE_MAX + HEADER_MAX, "{total}");
        let actions = blocks.iter().filter(|it| it["type"] == "actions").count();
        assert_eq!(actions, 2);
    }

    #[test]
    fn what_cannot_be_cut_is_refused() {
        let with = |block: Block| Message {
            text: "x".to_owned(),
            blocks: vec![block],
            marker: None,
        };
        let button = |action_id: &str, value: usize| Block::Actions {
            id: "q".to_owned(),
            buttons: vec![Button {
                action_id: action_id.to_owned(),
                label: "x".to_owned(),
                value: "v".repeat(value),
                style: Style::Plain,
            }],
        };
        assert!(with(button("a", 2_000)).json().is_ok());
        assert!(with(button("a", 2_001)).json().is_err());
        assert!(with(button(&"a".repeat(256), 1)).json().is_err());
        assert!(with(button("", 1)).json().is_err());
        let many = Message {
            text: "x".to_owned(),
            blocks: vec![Block::Divider; 51],
            marker: None,
        };
        assert!(many.json().is_err());
        assert!(Message::default().json().is_err());
    }
}
