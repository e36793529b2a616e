//! What is said of what happens beside a booking's own course.

use super::block::slot_times;
use super::{Text, answers, people, times, title};
use crate::chain::{Fold, Slot};
use crate::change::{Change, Kind, fold_email};
use crate::note::{self, Note};
use crate::text::{self, ANSWER_CHARS_MAX, NAME_CHARS_MAX};

const ABSENT_MAX: usize = 10;

pub fn tell(out: &mut Text, change: &Change, fold: &Fold, slot: Option<&Slot>) {
    let Some(note) = &change.note else { return };
    let told = &change.booking;
    // A note often tells no more of its booking than the uid.
    let booking = slot.map_or(told, |s| s.booking);
    let when = |out: &mut Text| {
        if booking.start != jiff::Timestamp::UNIX_EPOCH {
            match slot {
                Some(slot) => slot_times(out, "When", slot),
                None => times(out, "When", booking, &change.person),
            }
        }
    };
    match note {
        Note::NoShow { is } => {
            let heading = if *is { "No-show" } else { "No-show taken back" };
            out.heading(heading, &title(booking));
            who(out, change, slot);
            when(out);
        }
        Note::HostNoShow { host } => {
            out.heading("The host did not join", &title(booking));
            let hosts = [slot.map(|s| s.host), Some(&booking.organizer)];
            let named = hosts
                .into_iter()
                .flatten()
                .find(|h| !h.name.trim().is_empty() && fold_email(&h.email) == fold_email(host));
            let host = named.map_or(host, |h| &h.name);
            out.item("Host", text::one_line(host, NAME_CHARS_MAX));
            when(out);
        }
        Note::GuestsNoShow { absent } => {
            let heading = if absent.is_empty() {
                "Nobody joined the host"
            } else {
                "Did not join the host"
            };
            out.heading(heading, &title(booking));
            for name in absent.iter().take(ABSENT_MAX) {
                out.item("Who", text::one_line(name, NAME_CHARS_MAX));
            }
            when(out);
        }
        Note::Payment {
            is_paid,
            amount,
            currency,
            ..
        } => {
            let heading = if *is_paid { "Paid" } else { "Payment begun" };
            out.heading(heading, &title(booking));
            if let Some(amount) = amount {
                let currency = text::one_line(currency, 8);
                out.item("Amount", note::amount(*amount, &currency));
            }
            when(out);
        }
        Note::Location { before } => {
            out.heading("Place changed", &title(booking));
            if let Some(before) = before {
                out.item("From", text::one_line(before, ANSWER_CHARS_MAX));
            }
            out.place(&told.place);
            when(out);
        }
        Note::Recording { link } => {
            out.heading("Recording ready", &title(booking));
            out.link("Recording", link);
            when(out);
        }
        Note::Transcript { links } => {
            out.heading("Transcript ready", &title(booking));
            out.link("Transcript", readable(links).unwrap_or_default());
            when(out);
        }
        Note::Reassigned => {
            out.heading("Host changed", &title(booking));
            let host = [&told.organizer.name, &told.organizer.email];
            let host = host.into_iter().find(|h| !h.trim().is_empty());
            if let Some(host) = host {
                out.item("Host", text::one_line(host, NAME_CHARS_MAX));
            }
            when(out);
        }
        Note::Meeting { is_over } => {
            let heading = if *is_over {
                "Meeting ended"
            } else {
                "Meeting started"
            };
            out.heading(heading, &title(booking));
            when(out);
        }
        Note::Form => {
            out.heading("Form filled in", &title(told));
            people(out, change);
            answers(out, told);
        }
        Note::Guest { of } => guest(out, change, *of, fold, slot),
    }
}

/// The text among a transcript's files that people read most easily.
pub fn readable(links: &[(String, String)]) -> Option<&str> {
    let of = |format: &str| links.iter().find(|(f, _)| f == format);
    let link = of("txt").or_else(|| of("vtt")).or_else(|| links.first())?;
    Some(link.1.as_str())
}

fn who(out: &mut Text, change: &Change, slot: Option<&Slot>) {
    let person = &change.person;
    // The delivery gives addresses only; a name is known from the booking.
    let known = slot
        .map(|s| &s.set_by.person)
        .filter(|p| p.identity() == person.identity());
    let name = known.map_or(person.name.as_str(), |p| p.name.as_str());
    let parts = [Some(name), person.email.as_deref(), person.phone.as_deref()];
    let parts: Vec<String> = parts
        .into_iter()
        .flatten()
        .map(|p| text::one_line(p, NAME_CHARS_MAX))
        .filter(|p| !p.is_empty())
        .collect();
    if !parts.is_empty() {
        out.item("Who", parts.join(", "));
    }
}

/// What happened to a meeting that somebody is a guest of: what its booker's lead is told.
fn guest(out: &mut Text, change: &Change, of: Kind, fold: &Fold, slot: Option<&Slot>) {
    let of_booker = slot.and_then(|s| {
        let all = s.changes.iter().map(|&i| fold.changes[i]);
        all.filter(|c| c.kind == of && c.value() == change.value_of(of))
            .max_by_key(|c| c.created_at)
    });
    let alone = Change {
        kind: of,
        note: None,
        ..change.clone()
    };
    out.append(super::comment(
        of_booker.unwrap_or(&alone),
        fold,
        super::Telling::default(),
    ));
    if let Some(first) = out.lines.first_mut() {
        first.label = format!("As a guest: {}", super::lower_first(&first.label));
    }
}
