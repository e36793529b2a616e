//! The block: what a description says of a person's meetings.

use super::{BLOCK_MEETINGS_MAX, Text, host, notes, title};
use crate::chain::{Fold, Slot, State};
use crate::note::Note;
use crate::when;

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

pub(super) fn slot_times(out: &mut Text, label: &str, slot: &Slot) {
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
