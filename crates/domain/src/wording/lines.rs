//! Lines of text that are rendered as rich text for comments and as markdown for descriptions.

use crate::booking::Place;
use crate::lead::{RichText, Run};
use crate::text::{self, ANSWER_CHARS_MAX, COMMENT_CHARS_MAX};

/// Signed addresses of recordings are long; a comment has room for one.
const LINK_CHARS_MAX: usize = 4_000;

/// Lines of text with a first line that stands out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text {
    pub(super) lines: Vec<Line>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// Ours, in bold: "When".
    pub(super) label: String,
    /// Somebody else's, harmless already.
    pub(super) data: String,
    pub(super) link: Option<String>,
    /// A heading, not an item.
    pub(super) heading: bool,
    /// The booker's answer; the label is the host's question.
    pub(super) answer: bool,
    /// Comments leave it out: one before has told it. A lead that is only made has none before.
    pub(super) repeats: bool,
}

impl Text {
    pub(super) fn heading(&mut self, label: &str, data: &str) {
        self.lines.push(Line {
            label: label.into(),
            data: data.into(),
            heading: true,
            ..Line::default()
        });
    }

    pub(super) fn item(&mut self, label: &str, data: impl Into<String>) {
        self.lines.push(Line {
            label: label.into(),
            data: data.into(),
            ..Line::default()
        });
    }

    pub(super) fn answer(&mut self, label: &str, data: String) {
        self.item(label, data);
        if let Some(line) = self.lines.last_mut() {
            line.answer = true;
        }
    }

    /// An address to open; as text where it may be something else.
    pub(super) fn link(&mut self, label: &str, link: &str) {
        if is_plain_link(link) {
            self.lines.push(Line {
                label: label.into(),
                link: Some(link.to_owned()),
                ..Line::default()
            });
        } else if !link.is_empty() {
            self.item(label, text::one_line(link, ANSWER_CHARS_MAX));
        }
    }

    pub(super) fn place(&mut self, place: &Place) {
        let (link, other): (Vec<&String>, Vec<&String>) =
            place.join_link.iter().partition(|l| is_plain_link(l));
        if let Some(link) = link.first() {
            self.link("Join", link);
        } else if let Some(at) = other.first().copied().or(place.text.as_ref()) {
            self.item("Where", text::one_line(at, ANSWER_CHARS_MAX));
        }
    }

    /// What `say` adds, which was told before or was not.
    pub(super) fn tell(&mut self, was_told: bool, say: impl FnOnce(&mut Self)) {
        let before = self.lines.len();
        say(self);
        for line in &mut self.lines[before..] {
            line.repeats = was_told;
        }
    }

    /// Another text, below this one.
    pub fn append(&mut self, other: Self) {
        self.lines.extend(other.lines);
    }

    /// Runs for a comment, ending in `marker`; at most 5,000 characters, cut before the marker.
    pub fn rich(&self, marker: Option<&str>) -> RichText {
        let mut runs = Vec::new();
        let reserved = marker.map_or(0, |m| m.chars().count() + 1);
        let told = self.without_repeats();
        for (i, line) in told
            .within(COMMENT_CHARS_MAX - reserved)
            .lines
            .iter()
            .enumerate()
        {
            let label = line.labelled(i == 0);
            if !label.is_empty() {
                runs.push(Run {
                    text: label,
                    bold: !line.label.is_empty(),
                    link: None,
                });
            }
            let data = line.shown();
            if !data.is_empty() {
                runs.push(Run {
                    text: data,
                    bold: false,
                    link: line.link.clone(),
                });
            }
        }
        if let Some(marker) = marker {
            runs.push(Run {
                text: format!("\n{marker}"),
                bold: false,
                link: None,
            });
        }
        runs
    }

    fn without_repeats(&self) -> Self {
        let told = self.lines.iter().filter(|line| !line.repeats);
        Self {
            lines: told.cloned().collect(),
        }
    }

    /// What a comment has room for, for where a text stands in for one: under the block of a lead that is made.
    #[must_use]
    pub fn as_in_a_comment(&self) -> Self {
        self.within(COMMENT_CHARS_MAX)
    }

    /// As many lines as fit, the last one cut.
    fn within(&self, chars_max: usize) -> Self {
        // Two are kept for a line that says that others are missing.
        let room = chars_max - 2;
        let mut out = Self::default();
        let mut used = 0;
        for (i, line) in self.lines.iter().enumerate() {
            let label = line.labelled(i == 0).chars().count();
            let data = line.shown();
            let want = label + data.chars().count();
            if used + want > room {
                let left = room.saturating_sub(used + label);
                if left > 1 && line.link.is_none() {
                    out.lines.push(Line {
                        data: text::cut(&data, left).replace("\n  ", "\n"),
                        ..line.clone()
                    });
                } else {
                    out.item("", "…");
                }
                break;
            }
            used += want;
            out.lines.push(line.clone());
        }
        out
    }

    /// Paragraphs and lists for a description.
    pub fn markdown(&self) -> String {
        let mut out = String::new();
        for (i, line) in self.lines.iter().enumerate() {
            let data = match &line.link {
                Some(link) => format!("<{link}>"),
                // A line break within an item is not known to survive.
                None => text::markdown(&line.data.replace('\n', " / ")),
            };
            let after = line.after_label().trim_end();
            let label = match (line.label.is_empty(), line.is_bare()) {
                (true, _) => String::new(),
                (false, true) => format!("**{}**", text::markdown(&line.label)),
                (false, false) => format!("**{}{after}** ", text::markdown(&line.label)),
            };
            let is_item = !line.heading;
            if i > 0 {
                out.push_str(if is_item && !self.lines[i - 1].heading {
                    "\n"
                } else {
                    "\n\n"
                });
            }
            if is_item {
                out.push_str("- ");
            }
            out.push_str(&label);
            out.push_str(&data);
        }
        out
    }

    /// What stands there when only the words count.
    pub fn plain(&self) -> String {
        self.rich(None).iter().map(|r| r.text.as_str()).collect()
    }
}

/// An address that can be nothing but one, wherever it is written; any other is shown as text.
fn is_plain_link(link: &str) -> bool {
    (link.starts_with("https://") || link.starts_with("http://"))
        && link.chars().count() <= LINK_CHARS_MAX
        && !link
            .chars()
            .any(|c| c.is_whitespace() || c.is_control() || "<>()[]{}|^*⟦⟧\"`\\".contains(c))
}

impl Line {
    /// The label as a comment shows it, with the line break before it.
    fn labelled(&self, is_first: bool) -> String {
        let newline = match (is_first, self.heading) {
            (true, _) => "",
            (false, true) => "\n\n",
            (false, false) => "\n",
        };
        if self.label.is_empty() {
            newline.to_owned()
        } else {
            format!("{newline}{}{}", self.label, self.after_label())
        }
    }

    fn shown(&self) -> String {
        self.link
            .clone()
            .unwrap_or_else(|| self.data.replace('\n', "\n  "))
    }

    /// A question needs no colon.
    fn after_label(&self) -> &'static str {
        if self.is_bare() {
            ""
        } else if self.label.ends_with(['?', ':', '!', '.']) {
            " "
        } else {
            ": "
        }
    }

    fn is_bare(&self) -> bool {
        self.data.is_empty() && self.link.is_none()
    }
}
