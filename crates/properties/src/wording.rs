//! What an attendee types is shown as typed: bounded, on its own lines, and without acting as markup, mention, fence
//! or marker, in a comment as in a description.
//!
//! Input: fields between U+001F, in the order of [`delivery`].

use domain::chain::{self, Fold};
use domain::change::{self, Change, Meaning};
use domain::event::Event;
use domain::facts::{Facts, Found, Known, Memory};
use domain::fence::{self, Fenced};
use domain::lead::{RichText, StatusKind};
use domain::plan::{self, Action};
use domain::profile::Profile;
use domain::text::essence;
use domain::wording::{self, Telling, Text};
use jiff::Timestamp;
use serde_json::json;
use sim::clickup::{Rerender, plain, rerender};
use vendors::cal::webhook;

const MARKER: &str = "mmmmmmmmmmmmmmmm";
const COMMENT_CHARS_MAX: usize = 5_000;
const NAME_CHARS_MAX: usize = 120;
const LINK_CHARS_MAX: usize = 4_000;

pub fn holds(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    for change in changes(&text) {
        is_told_well(&change);
    }
}

/// The changes of a delivery whose fields somebody typed.
pub fn changes(fields: &str) -> Vec<Change> {
    let now = Timestamp::from_second(1_795_000_000).expect("a time");
    let Ok(Event::Booking(event)) = webhook::parse(delivery(fields).as_bytes()) else {
        return Vec::new();
    };
    match change::understand(&event, &Profile::default(), now) {
        Meaning::Changes(changes) => changes,
        Meaning::Skipped(_) => Vec::new(),
    }
}

fn delivery(fields: &str) -> String {
    let fields: Vec<&str> = fields.split('\u{1f}').collect();
    let field = |i: usize| fields.get(i).copied().unwrap_or_default();
    let trigger = match field(0) {
        "moved" => "BOOKING_RESCHEDULED",
        "cancelled" => "BOOKING_CANCELLED",
        "requested" => "BOOKING_REQUESTED",
        "rejected" => "BOOKING_REJECTED",
        _ => "BOOKING_CREATED",
    };
    json!({
        "triggerEvent": trigger,
        "createdAt": "2026-11-01T09:00:00Z",
        "payload": {
            "uid": "b1",
            "startTime": "2026-12-01T09:00:00Z",
            "endTime": "2026-12-01T09:30:00Z",
            "organizer": {"name": field(10), "email": "host@x.example", "timeZone": field(11)},
            "attendees": [
                {"name": field(1), "email": field(2), "phoneNumber": field(3), "timeZone": field(12)},
                {"name": "Guest", "email": field(13), "timeZone": "UTC"},
            ],
            "title": field(4),
            "additionalNotes": field(5),
            "userFieldsResponses": {"asked": {"label": field(6), "value": field(7)}},
            "location": field(8),
            "cancellationReason": field(9),
            "rejectionReason": field(9),
            "rescheduledBy": field(14),
            "cancelledBy": field(14),
            "requestReschedule": field(15) == "again",
        },
    })
    .to_string()
}

pub fn is_told_well(change: &Change) {
    let fold = chain::fold_of([change], change);
    for text in comments(change, &fold) {
        let marker = wording::marker_line(&change.booking.uid, MARKER);
        is_comment(&text.rich(Some(&marker)), &marker);
        is_markdown(&text);
    }
    if let Some(block) = wording::block(&fold) {
        is_comment(&block.rich(None), "");
        is_markdown(&block);
        is_block(&block.markdown());
    }
    is_lead(change, &fold);
}

/// Without what takes long: for changes whose texts nobody chose.
pub fn is_told(change: &Change) {
    let fold = chain::fold_of([change], change);
    for text in comments(change, &fold)
        .into_iter()
        .chain(wording::block(&fold))
    {
        is_comment(&text.rich(None), "");
        is_harmless(&without_links(&text.markdown()));
    }
}

fn comments(change: &Change, fold: &Fold) -> [Text; 2] {
    let late = Telling {
        late: true,
        kept: Some("negotiating"),
    };
    [Telling::default(), late].map(|telling| wording::comment(change, fold, telling))
}

fn is_comment(runs: &RichText, marker: &str) {
    let text: String = runs.iter().map(|run| run.text.as_str()).collect();
    assert!(text.chars().count() <= COMMENT_CHARS_MAX);
    assert!(text.ends_with(marker));
    let typed = runs.iter().filter(|run| run.link.is_none());
    let typed: String = typed.map(|run| run.text.as_str()).collect();
    is_harmless(typed.strip_suffix(marker).expect("it ends in its marker"));
    for link in runs.iter().filter_map(|run| run.link.as_deref()) {
        assert!(link.starts_with("https://") || link.starts_with("http://"));
        assert!(!link.contains(char::is_whitespace) && link.chars().count() <= LINK_CHARS_MAX);
    }
}

/// In plain text there are mentions, signs that reorder, and what only our own lines may hold.
fn is_harmless(text: &str) {
    assert!(!text.contains(['⟦', '⟧']), "a fence's bracket");
    assert!(!text.lines().any(is_marker_line), "a marker");
    let is_control = |c: char| c.is_control() && c != '\n';
    assert!(!text.contains(is_control), "a control character");
    let reorders = |c| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    assert!(!text.contains(reorders), "a sign that reorders");
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let names = chars.peek().is_some_and(|next| next.is_alphanumeric());
        let mentions = matches!(c, '@' | '#') && !before.is_alphanumeric() && names;
        assert!(!mentions, "a mention");
        before = c;
    }
}

/// `Cal.com booking <uid> · <marker>`
fn is_marker_line(line: &str) -> bool {
    let line = line.trim();
    let is_marker =
        |m: &str| m.len() == MARKER.len() && m.bytes().all(|b| b.is_ascii_alphanumeric());
    line.to_lowercase().starts_with("cal.com booking ")
        && line.rsplit_once(" · ").is_some_and(|(_, m)| is_marker(m))
}

/// Read as markdown it says what it says in a comment.
fn is_markdown(text: &Text) {
    let markdown = text.markdown();
    is_harmless(&without_links(&markdown));
    assert!(fence::survives(&markdown), "known to survive: {markdown}");
    let typed = text.plain();
    // A longer one is cut in a comment and not in a block.
    if typed.chars().count() < COMMENT_CHARS_MAX - 2 && !typed.ends_with('…') {
        assert_eq!(
            words(&plain(&markdown)),
            words(&typed.replace("\n  ", " / "))
        );
    }
}

fn without_links(markdown: &str) -> String {
    let is_link = |line: &&str| line.starts_with("- **Join:** <");
    let typed: Vec<&str> = markdown.lines().filter(|l| !is_link(l)).collect();
    typed.join("\n")
}

fn words(text: &str) -> Vec<&str> {
    text.lines()
        .map(str::trim)
        .filter(|l| !l.is_empty())
        .collect()
}

fn is_block(markdown: &str) {
    let fenced = fence::enclose(markdown);
    holds_block(&fenced, markdown);
    for how in [Rerender::default(), Rerender::nastiest()] {
        holds_block(&rerender(&fenced, &how), markdown);
    }
}

pub fn holds_block(description: &str, markdown: &str) {
    match fence::find(description) {
        Fenced::Present { block, .. } => {
            assert_eq!(essence(block), essence(markdown), "in {description}");
        }
        Fenced::Absent | Fenced::Broken => panic!("no block in {description}"),
    }
}

fn is_lead(change: &Change, fold: &Fold) {
    let plan = plan::plan(change, &nobody_knows(change), &Profile::default());
    for action in &plan.actions {
        let Action::Create(lead) = action else {
            panic!("nobody is known, and something else than a lead is made")
        };
        assert!((1..=NAME_CHARS_MAX).contains(&lead.name.chars().count()));
        is_harmless(&lead.name);
        assert!(!lead.name.contains('\n') && !lead.name.trim().is_empty());
        let block = wording::block(fold).expect("a booked meeting is shown");
        holds_block(&lead.description, &block.markdown());
        for how in [Rerender::default(), Rerender::nastiest()] {
            holds_block(&rerender(&lead.description, &how), &block.markdown());
        }
        assert!(lead.description.len() <= fence::DESCRIPTION_BYTES_MAX);
        let markers = lead.description.lines().filter(|l| is_marker_line(l));
        assert_eq!(markers.count(), 1);
        for (_, answer) in &lead.answers {
            is_harmless(answer);
        }
    }
}

fn nobody_knows(change: &Change) -> Facts {
    Facts {
        known: vec![Known {
            change: change.clone(),
            shown: chain::Shown::Nowhere,
            done: false,
            given_up: false,
            untold: false,
            tried_at: None,
            said: None,
        }],
        found: Found::Nobody,
        is_said: false,
        asking: domain::question::Asking::default(),
        memory: Memory::default(),
        statuses: vec![
            ("Meeting Booked".into(), StatusKind::Custom),
            ("Meeting Cancelled".into(), StatusKind::Custom),
        ],
        list_name: "Inbound".into(),
        told: false,
        moved_status: false,
        dead: Vec::new(),
        comment_marker: MARKER.into(),
        create_marker: MARKER.into(),
        no_fields: false,
        no_status: false,
        plain_type: false,
    }
}
