//! What people read: comments, blocks, the text of a new lead. Written once as lines, rendered as rich text
//! for comments and as markdown for descriptions.

mod notes;

use crate::booking::{Booking, Party, Place};
use crate::chain::{Fold, Slot, State};
use crate::change::{Change, Kind, Person, fold_email};
use crate::event::Trigger;
use crate::lead::{RichText, Run};
use crate::note::Note;
use crate::template::{self, Values};
use crate::text::{self, ANSWER_CHARS_MAX, COMMENT_CHARS_MAX, NAME_CHARS_MAX, NOTES_CHARS_MAX};
use crate::when;

/// Meetings that a block lists one by one; the rest is counted.
pub const BLOCK_MEETINGS_MAX: usize = 5;

/// Signed addresses of recordings are long; a comment has room for one.
const LINK_CHARS_MAX: usize = 4_000;

/// Lines of text with a first line that stands out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text {
    lines: Vec<Line>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Line {
    /// Ours, in bold: "When".
    label: String,
    /// Somebody else's, harmless already.
    data: String,
    link: Option<String>,
    /// A heading, not an item.
    heading: bool,
    /// The booker's answer; the label is the host's question.
    answer: bool,
}

impl Text {
    fn heading(&mut self, label: &str, data: &str) {
        self.lines.push(Line {
            label: label.into(),
            data: data.into(),
            link: None,
            heading: true,
            answer: false,
        });
    }

    fn item(&mut self, label: &str, data: impl Into<String>) {
        self.lines.push(Line {
            label: label.into(),
            data: data.into(),
            link: None,
            heading: false,
            answer: false,
        });
    }

    fn answer(&mut self, label: &str, data: String) {
        self.item(label, data);
        if let Some(line) = self.lines.last_mut() {
            line.answer = true;
        }
    }

    /// An address to open; as text where it may be something else.
    fn link(&mut self, label: &str, link: &str) {
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

    fn place(&mut self, place: &Place) {
        let (link, other): (Vec<&String>, Vec<&String>) =
            place.join_link.iter().partition(|l| is_plain_link(l));
        if let Some(link) = link.first() {
            self.link("Join", link);
        } else if let Some(at) = other.first().copied().or(place.text.as_ref()) {
            self.item("Where", text::one_line(at, ANSWER_CHARS_MAX));
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
        for (i, line) in self
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

    /// What a comment has room for, for where a text stands in for one.
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

/// The last line of each comment, and of the text under a new lead's block.
pub fn marker_line(uid: &str, marker: &str) -> String {
    format!("Cal.com booking {} · {marker}", text::one_line(uid, 64))
}

/// How a comment differs from the plain telling of its change.
#[derive(Debug, Clone, Copy, Default)]
pub struct Telling<'a> {
    /// A newer change of the chain was told before.
    pub late: bool,
    /// A status that the guard did not let us move.
    pub kept: Option<&'a str>,
}

/// What happened, for a comment or a new lead.
pub fn comment(change: &Change, fold: &Fold, telling: Telling) -> Text {
    let booking = &change.booking;
    let mut out = Text::default();
    let slot = fold.slot_of(change);
    let is_move = slot.is_some_and(|s| s.is_move);
    match change.kind {
        Kind::Note => notes::tell(&mut out, change, fold, slot),
        Kind::Booked if is_move || change.trigger == Trigger::Rescheduled => {
            moved(&mut out, change, fold, slot);
        }
        Kind::Booked => booked(&mut out, change),
        Kind::Cancelled if booking.request_reschedule => asked_to_move(&mut out, change),
        Kind::Cancelled => cancelled(&mut out, change, fold),
        Kind::Requested => requested(&mut out, change, fold, slot),
        Kind::Rejected => {
            out.heading(
                if is_move {
                    "New time declined"
                } else {
                    "Meeting request declined"
                },
                &title(booking),
            );
            times(&mut out, "Asked for", booking, &change.person);
            reason(&mut out, booking.rejection_reason.as_deref());
        }
    }
    if telling.late
        && let Some(first) = out.lines.first_mut()
    {
        first.label = format!("Late: {}", lower_first(&first.label));
        if let Some(since) = slot.and_then(|s| since(change, s)) {
            let line = Line {
                data: since.into(),
                ..Line::default()
            };
            out.lines.insert(1, line);
        }
    }
    if let Some(status) = telling.kept {
        out.item("Status kept", status);
    }
    out
}

/// What became of a booking that is only told now.
fn since(change: &Change, slot: &Slot) -> Option<&'static str> {
    if change.kind != Kind::Booked {
        return None;
    }
    let is_other_time =
        |b: &Booking| (b.start, b.end) != (change.booking.start, change.booking.end);
    match slot.state {
        State::Cancelled => Some("It has been cancelled since."),
        State::AwaitingNewTime => Some("Another time has been asked for since."),
        State::Rejected => Some("It has been declined since."),
        State::Moved => Some("It has been moved since."),
        State::Booked if is_other_time(slot.booking) => Some("It has been moved since."),
        State::Booked | State::Requested => None,
    }
}

fn booked(out: &mut Text, change: &Change) {
    let booking = &change.booking;
    out.heading("Meeting booked", &title(booking));
    times(out, "When", booking, &change.person);
    people(out, change);
    out.place(&booking.place);
    answers(out, booking);
}

fn moved(out: &mut Text, change: &Change, fold: &Fold, slot: Option<&Slot>) {
    let booking = &change.booking;
    out.heading("Meeting moved", &title(booking));
    let before = slot.and_then(|s| s.before).map(|b| fold.slots[b].booking);
    let before = slot.and_then(|s| earlier_time(change, s, fold)).or(before);
    let from = booking
        .reschedule_start
        .zip(booking.reschedule_end)
        .or_else(|| before.map(|b| (b.start, b.end)));
    if let Some((start, end)) = from {
        let zones = (&booking.organizer.time_zone, &change.person.time_zone);
        out.item("From", when::both(start, end, zones.0, zones.1));
    }
    times(out, "To", booking, &change.person);
    by(out, "Moved by", booking.rescheduled_by.as_deref(), change);
    // Cal.com puts the reason of a move into either of two places.
    reason(
        out,
        booking
            .reschedule_reason
            .as_deref()
            .or(booking.cancellation_reason.as_deref()),
    );
    // What the booker answered was told with the first time.
    if before.is_some() {
        host(out, &booking.organizer);
        out.place(&booking.place);
    } else {
        people(out, change);
        out.place(&booking.place);
        answers(out, booking);
    }
}

/// The time that the same booking had before, where a move kept its uid.
fn earlier_time<'a>(change: &Change, slot: &Slot, fold: &Fold<'a>) -> Option<&'a Booking> {
    let last = slot
        .changes
        .iter()
        .map(|&i| fold.changes[i])
        .filter(|c| matches!(c.kind, Kind::Booked | Kind::Requested))
        .filter(|c| fold.precedes(c, change) == Some(true))
        .reduce(|a, b| match fold.precedes(a, b) {
            Some(false) => a,
            Some(true) | None => b,
        })?;
    let last = &last.booking;
    ((last.start, last.end) != (change.booking.start, change.booking.end)).then_some(last)
}

fn cancelled(out: &mut Text, change: &Change, fold: &Fold) {
    let booking = &change.booking;
    let ended: Vec<&Slot> = fold
        .slots
        .iter()
        .filter(|s| booking.recurring.is_some() && s.ended_by.is_some_and(|e| e == change))
        .collect();
    if ended.len() > 1 {
        out.heading("Series cancelled", &title(booking));
        let mut starts: Vec<_> = ended
            .iter()
            .map(|s| (s.booking.start, s.booking.end))
            .collect();
        starts.sort_unstable();
        for (start, end) in starts.iter().take(BLOCK_MEETINGS_MAX) {
            let zones = (&booking.organizer.time_zone, &change.person.time_zone);
            out.item("Was", when::both(*start, *end, zones.0, zones.1));
        }
        if starts.len() > BLOCK_MEETINGS_MAX {
            out.item("", format!("{} more", starts.len() - BLOCK_MEETINGS_MAX));
        }
    } else {
        let label = if booking.recurring.is_some() {
            "Series cancelled"
        } else {
            "Meeting cancelled"
        };
        out.heading(label, &title(booking));
        times(out, "Was", booking, &change.person);
    }
    if fold
        .slot_of(change)
        .is_some_and(|s| s.state == State::Moved)
    {
        out.item(
            "",
            "It had been moved before; the newer time stands as it is.",
        );
    }
    by(out, "Cancelled by", booking.cancelled_by.as_deref(), change);
    reason(out, booking.cancellation_reason.as_deref());
}

fn asked_to_move(out: &mut Text, change: &Change) {
    let booking = &change.booking;
    out.heading("New time asked for", &title(booking));
    out.item(
        "",
        "The host asked for another time; the meeting is not lost.",
    );
    times(out, "Was", booking, &change.person);
    by(out, "Asked by", booking.cancelled_by.as_deref(), change);
    let said = booking
        .cancellation_reason
        .as_deref()
        .map(|r| r.strip_prefix("Please reschedule. ").unwrap_or(r));
    reason(out, said);
}

fn requested(out: &mut Text, change: &Change, fold: &Fold, slot: Option<&Slot>) {
    let booking = &change.booking;
    let is_move = slot.is_some_and(|s| s.is_move);
    out.heading(
        if is_move {
            "New time requested"
        } else {
            "Meeting requested"
        },
        &title(booking),
    );
    out.item(
        "",
        if is_move {
            "The old time is given up; the new one waits to be confirmed."
        } else {
            "Waiting to be confirmed."
        },
    );
    if let Some(before) = slot.and_then(|s| s.before) {
        times(out, "From", fold.slots[before].booking, &change.person);
        times(out, "To", booking, &change.person);
    } else {
        times(out, "When", booking, &change.person);
    }
    people(out, change);
    answers(out, booking);
}

fn title(booking: &Booking) -> String {
    let title = if booking.title.trim().is_empty() {
        booking.event_title.as_deref().unwrap_or("Meeting")
    } else {
        &booking.title
    };
    text::one_line(title, 200)
}

fn times(out: &mut Text, label: &str, booking: &Booking, person: &Person) {
    let zones = (&booking.organizer.time_zone, &person.time_zone);
    out.item(
        label,
        when::both(booking.start, booking.end, zones.0, zones.1),
    );
}

fn host(out: &mut Text, host: &Party) {
    let host = text::one_line(&host.name, NAME_CHARS_MAX);
    if !host.is_empty() {
        out.item("Host", host);
    }
}

fn people(out: &mut Text, change: &Change) {
    host(out, &change.booking.organizer);
    let person = &change.person;
    let parts = [
        Some(person.name.as_str()),
        person.email.as_deref(),
        person.phone.as_deref(),
    ];
    let line: Vec<String> = parts
        .into_iter()
        .flatten()
        .map(|p| text::one_line(p, NAME_CHARS_MAX))
        .filter(|p| !p.is_empty())
        .collect();
    if !line.is_empty() {
        out.item("With", line.join(", "));
    }
    if !change.guests.is_empty() {
        let guests: Vec<String> = change
            .guests
            .iter()
            .take(10)
            .map(|g| text::one_line(g, NAME_CHARS_MAX))
            .collect();
        let more = change.guests.len().saturating_sub(10);
        let tail = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        out.item("Guests", format!("{}{tail}", guests.join(", ")));
    }
}

fn by(out: &mut Text, label: &str, email: Option<&str>, change: &Change) {
    let Some(email) = email.map(str::trim).filter(|e| !e.is_empty()) else {
        return;
    };
    let is = |other: &str| fold_email(other) == fold_email(email);
    let name = if is(&change.booking.organizer.email) {
        &change.booking.organizer.name
    } else if change.person.email.as_deref().is_some_and(is) {
        &change.person.name
    } else {
        email
    };
    let name = text::one_line(
        if name.trim().is_empty() { email } else { name },
        NAME_CHARS_MAX,
    );
    out.item(label, name);
}

fn reason(out: &mut Text, said: Option<&str>) {
    let said = paragraph(said.unwrap_or_default());
    if !said.is_empty() {
        out.item("Reason", said);
    }
}

/// What somebody wrote in several lines, without the blank ones.
fn paragraph(typed: &str) -> String {
    let mut lines = text::lines(typed, NOTES_CHARS_MAX);
    lines.retain(|line| !line.is_empty());
    lines.join("\n")
}

fn answers(out: &mut Text, booking: &Booking) {
    if let Some(notes) = &booking.notes {
        let notes = paragraph(notes);
        if !notes.is_empty() {
            out.item("Notes", notes);
        }
    }
    for answer in &booking.answers {
        let label = text::one_line(&answer.label, NAME_CHARS_MAX);
        let label = if label.is_empty() {
            "Answer".to_owned()
        } else {
            label
        };
        // The label is the host's own question: shown in bold like ours, but as data.
        out.answer(&label, text::one_line(&answer.value, ANSWER_CHARS_MAX));
    }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map_or_else(String::new, |c| c.to_lowercase().chain(chars).collect())
}

/// The person's standing meetings, next first; or, when none stands, the last one with how it ended.
pub fn block(fold: &Fold) -> Option<Text> {
    let standing = fold.standing();
    let mut out = Text::default();
    for (i, slot) in standing.iter().take(BLOCK_MEETINGS_MAX).enumerate() {
        out.heading(
            if i == 0 { "Next meeting" } else { "Then" },
            &title(slot.booking),
        );
        about(&mut out, "When", slot);
        out.place(slot.place);
        recordings(&mut out, slot);
    }
    if standing.len() > BLOCK_MEETINGS_MAX {
        let label = format!("{} more", standing.len() - BLOCK_MEETINGS_MAX);
        out.heading(&label, "");
    }
    if !standing.is_empty() {
        return Some(out);
    }
    let last = fold.last()?;
    let (how, label) = match last.state {
        State::AwaitingNewTime => ("Waiting for a new time", "Was"),
        State::Requested if last.is_move => ("Waiting for confirmation of a new time", "Asked for"),
        State::Requested => ("Waiting for confirmation", "Asked for"),
        State::Rejected if last.is_move => ("New time declined", "Asked for"),
        State::Rejected => ("Meeting declined", "Asked for"),
        State::Cancelled => ("Meeting cancelled", "Was"),
        State::Booked | State::Moved => ("Meeting held", "Was"),
    };
    out.heading(how, &title(last.booking));
    about(&mut out, label, last);
    recordings(&mut out, last);
    Some(out)
}

/// For the comment that stood in for a block.
pub fn block_is_back() -> Text {
    let mut out = Text::default();
    out.heading("Meetings", "kept in the description again");
    out
}

/// For the comment that stood in for a block that a person took out.
pub fn block_is_gone() -> Text {
    let mut out = Text::default();
    out.heading(
        "Meetings",
        "no longer kept here, because the block was taken out of the description",
    );
    out
}

/// In the zones of who hosts and of who booked this one.
fn about(out: &mut Text, label: &str, slot: &Slot) {
    slot_times(out, label, slot);
    host(out, slot.host);
}

fn slot_times(out: &mut Text, label: &str, slot: &Slot) {
    let booking = slot.booking;
    let zones = [&slot.host.time_zone, &booking.organizer.time_zone];
    let zone = zones.into_iter().find(|z| !z.is_empty());
    out.item(
        label,
        when::both(
            booking.start,
            booking.end,
            zone.map_or("", String::as_str),
            &slot.set_by.person.time_zone,
        ),
    );
}

/// The newest recording, and the newest transcript in the form that people read.
fn recordings(out: &mut Text, slot: &Slot) {
    let recording = slot.recordings.iter().rev().find_map(|n| match n {
        Note::Recording { link } => Some(link.as_str()),
        _ => None,
    });
    out.link("Recording", recording.unwrap_or_default());
    let transcript = slot.recordings.iter().rev().find_map(|n| match n {
        Note::Transcript { links } => notes::readable(links),
        _ => None,
    });
    out.link("Transcript", transcript.unwrap_or_default());
}

/// What a person's own template says instead of `usual`, which tells `change`. The first line stands out. That it is
/// late, a guest's, or without the status is said whatever the template leaves out.
pub fn by_template(
    source: &str,
    usual: &Text,
    change: &Change,
    fold: &Fold,
    telling: Telling,
) -> Result<Text, String> {
    let made = template::render(source, &values(usual, change, fold))?;
    let mut out = Text::default();
    for line in text::lines(&made, COMMENT_CHARS_MAX) {
        if out.lines.is_empty() {
            out.heading(&line, "");
        } else if !line.is_empty() {
            out.item("", line);
        }
    }
    let Some(first) = out.lines.first_mut() else {
        return Err("it makes no text".into());
    };
    if matches!(change.note, Some(Note::Guest { .. })) {
        first.label = format!("As a guest: {}", first.label);
    }
    if telling.late {
        first.label = format!("Late: {}", first.label);
    }
    if let Some(status) = telling.kept.filter(|_| !source.contains("status_kept")) {
        out.item("Status kept", status);
    }
    Ok(out)
}

/// What a template can name, taken from the usual wording.
pub fn values(usual: &Text, change: &Change, fold: &Fold) -> Values {
    let shown = |typed: &str| text::one_line(typed, NAME_CHARS_MAX);
    let is_guest = matches!(change.note, Some(Note::Guest { .. }));
    let booker = fold.slot_of(change).map(|s| &s.set_by.person);
    // Notes often name their person by address only.
    let person = booker
        .filter(|b| is_guest || b.identity() == change.person.identity())
        .unwrap_or(&change.person);
    let guest = [
        change.person.name.as_str(),
        change.person.email.as_deref().unwrap_or_default(),
    ];
    let guest = guest.into_iter().find(|g| is_guest && !g.is_empty());
    let mut values = Values {
        text: usual.plain(),
        uid: text::one_line(&change.booking.uid, 64),
        name: shown(&person.name),
        email: shown(person.email.as_deref().unwrap_or_default()),
        phone: shown(person.phone.as_deref().unwrap_or_default()),
        guest: shown(guest.unwrap_or_default()),
        ..Values::default()
    };
    for line in &usual.lines {
        let data = line.link.clone().unwrap_or_else(|| line.data.clone());
        if line.answer {
            values.answers.push(template::Answer {
                label: line.label.clone(),
                value: data,
            });
            continue;
        }
        let place = match line.label.as_str() {
            _ if line.heading && values.heading.is_empty() => {
                values.heading.clone_from(&line.label);
                &mut values.title
            }
            "When" => &mut values.when,
            "Was" => &mut values.was,
            "From" => &mut values.from,
            "To" => &mut values.to,
            "Asked for" => &mut values.asked_for,
            "Host" => &mut values.host,
            "With" | "Who" => &mut values.with,
            "Guests" => &mut values.guests,
            "Join" | "Recording" | "Transcript" => &mut values.join,
            "Where" => &mut values.place,
            "Notes" => &mut values.notes,
            "Reason" => &mut values.reason,
            "Moved by" => &mut values.moved_by,
            "Cancelled by" => &mut values.cancelled_by,
            "Asked by" => &mut values.asked_by,
            "Amount" => &mut values.amount,
            "Status kept" => &mut values.status_kept,
            _ => continue,
        };
        if place.is_empty() {
            *place = data;
        }
    }
    values
}
