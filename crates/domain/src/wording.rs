//! What people read: comments, blocks, the text of a new lead. Written once as lines, rendered as rich text
//! for comments and as markdown for descriptions.

mod block;
mod lines;
mod notes;
mod own;
mod unsure;

use crate::booking::{Booking, Party};
use crate::chain::{Fold, Slot, State};
use crate::change::{Change, Kind, Person, fold_email};
use crate::event::Trigger;
use crate::text::{self, ANSWER_CHARS_MAX, NAME_CHARS_MAX, NOTES_CHARS_MAX};
use crate::when;
pub use block::{block, block_is_back, block_is_gone};
use lines::Line;
pub use lines::Text;
pub use own::{by_template, values};
pub use unsure::unsure;

/// Meetings that a block lists one by one; the rest is counted.
pub const BLOCK_MEETINGS_MAX: usize = 5;

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
    // Who comes and what the booker answered was told with the first time.
    host(out, &booking.organizer);
    out.tell(before.is_some(), |out| attendees(out, change));
    out.place(&booking.place);
    out.tell(before.is_some(), |out| answers(out, booking));
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
    attendees(out, change);
}

fn attendees(out: &mut Text, change: &Change) {
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
