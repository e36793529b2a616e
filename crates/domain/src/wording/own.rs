//! A person's own wording: what a template can name, and what it says in place of the usual one.

use super::{Telling, Text};
use crate::chain::Fold;
use crate::change::Change;
use crate::note::Note;
use crate::template::{self, Values};
use crate::text::{self, COMMENT_CHARS_MAX, NAME_CHARS_MAX};

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
    for line in usual.lines.iter().filter(|line| !line.repeats) {
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
