//! Notes make no slot: each is attached to the slot that it is about.

use super::Slot;
use super::link::seat_of;
use crate::change::{Change, fold_email};
use crate::note::Note;

/// To the slot of that uid; under a uid that has seats, to that person's own.
pub fn attach_notes<'a>(slots: &mut [Slot<'a>], changes: &[&'a Change]) {
    for (i, note) in changes.iter().enumerate() {
        let Some(what) = &note.note else { continue };
        for slot in slots.iter_mut().filter(|s| s.uid == note.booking.uid) {
            let is_own = match (&note.seat, seat_of(slot)) {
                (Some(seat), Some(of)) => seat == of,
                (None, Some(_)) => slot.set_by.identity() == note.identity(),
                (_, None) => true,
            };
            if !is_own {
                continue;
            }
            slot.changes.push(i);
            let is_newer = note.created_at >= slot.set_by.created_at;
            match what {
                Note::Location { .. } if is_newer => slot.place = &note.booking.place,
                Note::Reassigned if is_newer => slot.host = &note.booking.organizer,
                Note::Recording { .. } | Note::Transcript { .. } => slot.recordings.push(what),
                _ => {}
            }
            if let Some(missed) = what
                .missed()
                .filter(|_| is_newer && is_absence_of(slot, note))
            {
                slot.missed = missed;
            }
        }
    }
}

/// Whether the meeting itself was missed: its own person or host was absent, not somebody beside them.
fn is_absence_of(slot: &Slot, note: &Change) -> bool {
    let of = &slot.set_by.person;
    match &note.note {
        Some(Note::NoShow { .. }) => {
            note.person.identity().is_none() || note.person.identity() == of.identity()
        }
        Some(Note::GuestsNoShow { absent }) => {
            let is_own = |who: &String| {
                let email = of
                    .email
                    .as_deref()
                    .is_some_and(|e| fold_email(e) == fold_email(who));
                email || fold_email(&of.name) == fold_email(who)
            };
            absent.is_empty() || absent.iter().any(is_own)
        }
        _ => true,
    }
}
