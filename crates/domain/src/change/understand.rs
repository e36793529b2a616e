//! What an event means: for whom, and for how many people.

use jiff::Timestamp;

use super::{Change, Kind, Meaning, Person, clean_email, digits, fold_email, placeholder_digits};
use crate::booking::{Attendee, Booking};
use crate::event::{BookingEvent, FormEvent};
use crate::note::Note;
use crate::profile::{Guests, Profile};

/// So many guests of one meeting are looked for.
const GUESTS_MAX: usize = 20;

/// One change for the booker; for a seated booking, one per attendee listed.
pub fn understand(event: &BookingEvent, profile: &Profile, received_at: Timestamp) -> Meaning {
    let booking = &event.booking;
    let Some(kind) = Kind::of(&event.trigger) else {
        return Meaning::Changes(Vec::new());
    };
    if booking.attendees.is_empty() && kind != Kind::Note {
        return Meaning::Skipped("no attendee");
    }
    let outside: Vec<&Attendee> = booking
        .attendees
        .iter()
        .filter(|a| !is_internal(&a.email, booking, profile))
        .collect();
    if booking.attendees.is_empty() {
        return Meaning::Changes(vec![of_nobody(event, received_at)]);
    }
    if outside.is_empty() {
        return Meaning::Skipped("self-booking");
    }
    let seated = booking.is_seated();
    let booker = booker(booking, kind, seated, &outside);
    // A change is one person's: the others' addresses do not go along, nor are they copied once for each.
    let bare = Booking {
        attendees: Vec::new(),
        ..booking.clone()
    };
    let make = |attendee: &Attendee| {
        let is_booker = std::ptr::eq(attendee, booker);
        let seat = attendee
            .seat
            .clone()
            .or_else(|| booking.seat.clone().filter(|_| is_booker));
        let mut booking = bare.clone();
        booking.attendees.push(attendee.clone());
        if seated {
            // A seated booking's title names whoever booked first, and on a cancellation so do the answers.
            if let Some(event_title) = &booking.event_title {
                booking.title.clone_from(event_title);
            }
            if !is_booker || kind == Kind::Cancelled {
                booking.notes = None;
                booking.answers.clear();
            }
        }
        Change {
            kind,
            trigger: event.trigger.clone(),
            person: person(
                attendee,
                &event.booking,
                is_booker && !(seated && kind == Kind::Cancelled),
            ),
            seat,
            seated,
            created_at: event.created_at.unwrap_or(received_at),
            received_at,
            booking,
            guests: Vec::new(),
            note: match &event.note {
                Some(Note::NoShow { is }) => Some(Note::NoShow {
                    is: attendee.no_show.unwrap_or(*is),
                }),
                other => other.clone(),
            },
        }
    };
    // Absences are told of each by name, whether or not they had seats; a payment is one person's.
    let is_everybody_s = match event.note {
        Some(Note::NoShow { .. }) => true,
        Some(Note::Payment { .. }) => false,
        _ => seated,
    };
    if is_everybody_s {
        return Meaning::Changes(outside.into_iter().map(make).collect());
    }
    let mut change = make(booker);
    let own = change.identity();
    change.guests = outside
        .iter()
        .filter(|a| !std::ptr::eq(**a, booker))
        .filter_map(|a| clean_email(&a.email, booking))
        .filter(|e| format!("email:{}", fold_email(e)) != own)
        .collect();
    let mut changes = vec![change];
    if profile.guests == Guests::Match && kind != Kind::Note {
        let guests = outside
            .into_iter()
            .filter(|a| !std::ptr::eq(*a, booker))
            .filter(|a| clean_email(&a.email, booking).is_some());
        let told = guests.take(GUESTS_MAX).map(|guest| Change {
            kind: Kind::Note,
            note: Some(Note::Guest { of: kind }),
            ..make(guest)
        });
        let told: Vec<Change> = told.filter(|g| g.identity() != own).collect();
        changes.extend(told);
    }
    Meaning::Changes(changes)
}

/// A note that names none of its booking's people: the booking tells whose it is.
fn of_nobody(event: &BookingEvent, received_at: Timestamp) -> Change {
    Change {
        kind: Kind::Note,
        trigger: event.trigger.clone(),
        person: nobody(),
        seat: event.booking.seat.clone(),
        seated: event.booking.is_seated(),
        created_at: event.created_at.unwrap_or(received_at),
        received_at,
        booking: Booking {
            attendees: Vec::new(),
            ..event.booking.clone()
        },
        guests: Vec::new(),
        note: event.note.clone(),
    }
}

fn nobody() -> Person {
    Person {
        name: String::new(),
        email: None,
        phone: None,
        time_zone: String::new(),
    }
}

/// Notes of a seated booking often name neither seats nor persons: told for each seat that is known of the booking,
/// one change per seat holder. `known` are changes of the same uid.
pub fn for_seats(note: Change, known: &[Change]) -> Vec<Change> {
    let names_one = matches!(
        note.note,
        None | Some(Note::NoShow { .. } | Note::Payment { .. } | Note::Form | Note::Guest { .. })
    );
    if names_one || note.seated {
        return vec![note];
    }
    let mut seats: Vec<&Change> = Vec::new();
    for of in known.iter().filter(|k| k.kind == Kind::Booked && k.seated) {
        match seats.iter_mut().find(|s| s.is_of_same_seat(of)) {
            Some(seat) if seat.created_at < of.created_at => *seat = of,
            Some(_) => {}
            None => seats.push(of),
        }
    }
    if seats.is_empty() {
        return vec![note];
    }
    let is_given_up = |seat: &Change| {
        known.iter().any(|k| {
            k.kind == Kind::Cancelled && k.is_of_same_seat(seat) && k.created_at >= seat.created_at
        })
    };
    seats.retain(|seat| !is_given_up(seat));
    if seats.is_empty() {
        // Whoever it names may have been of them.
        return vec![Change {
            person: nobody(),
            ..note
        }];
    }
    let told = seats.into_iter().map(|holder| Change {
        person: holder.person.clone(),
        seat: holder.seat.clone(),
        seated: true,
        ..note.clone()
    });
    told.collect()
}

/// A form that somebody filled in; its answers stand where a booking's do.
pub fn of_form(form: &FormEvent, profile: &Profile, received_at: Timestamp) -> Meaning {
    let created_at = form.created_at.unwrap_or(received_at);
    let booking = Booking {
        title: form.form.clone(),
        answers: form.answers.clone(),
        ..Booking::bare(&form.id)
    };
    let email = form.email.as_deref().and_then(|e| clean_email(e, &booking));
    if email
        .as_deref()
        .is_some_and(|e| is_internal(e, &booking, profile))
    {
        return Meaning::Skipped("self-booking");
    }
    Meaning::Changes(vec![Change {
        kind: Kind::Note,
        trigger: form.trigger.clone(),
        person: Person {
            name: crate::text::one_line(
                form.name.as_deref().unwrap_or_default(),
                crate::text::NAME_CHARS_MAX,
            ),
            email,
            phone: form.phone.clone(),
            time_zone: String::new(),
        },
        seat: None,
        seated: false,
        created_at,
        received_at,
        booking,
        guests: Vec::new(),
        note: Some(Note::Form),
    }])
}

fn booker<'a>(
    booking: &Booking,
    kind: Kind,
    seated: bool,
    outside: &[&'a Attendee],
) -> &'a Attendee {
    let by_seat = booking
        .seat
        .as_ref()
        .and_then(|seat| outside.iter().find(|a| a.seat.as_ref() == Some(seat)));
    // On the cancellation of a seat, `responses` are the first booker's: only `attendees` names the leaver.
    let by_email = booking
        .responses_email
        .as_deref()
        .filter(|_| !(seated && kind == Kind::Cancelled))
        .and_then(|email| {
            outside
                .iter()
                .find(|a| fold_email(&a.email) == fold_email(email))
        });
    by_seat.or(by_email).copied().unwrap_or(outside[0])
}

fn person(attendee: &Attendee, booking: &Booking, with_responses: bool) -> Person {
    let responses_phone = booking.responses_phone.clone().filter(|_| with_responses);
    let phone = attendee
        .phone
        .clone()
        .or(responses_phone)
        .or_else(|| placeholder_digits(&attendee.email).map(|d| format!("+{d}")))
        .map(|p| p.trim().to_owned())
        .filter(|p| !digits(p).is_empty());
    let name = if attendee.name.trim().is_empty() && with_responses {
        booking.responses_name.clone().unwrap_or_default()
    } else {
        attendee.name.clone()
    };
    Person {
        name: crate::text::one_line(&name, crate::text::NAME_CHARS_MAX),
        email: clean_email(&attendee.email, booking),
        phone,
        time_zone: attendee.time_zone.clone(),
    }
}

fn is_internal(email: &str, booking: &Booking, profile: &Profile) -> bool {
    let folded = clean_email(email, booking).map_or_else(|| fold_email(email), |e| fold_email(&e));
    if folded.is_empty() {
        return false;
    }
    let ours = std::iter::once(&booking.organizer.email).chain(&booking.team_emails);
    let is_host = ours.filter(|e| !e.trim().is_empty()).any(|e| {
        clean_email(e, booking).map_or_else(|| fold_email(e), |e| fold_email(&e)) == folded
    });
    let domain = folded.rsplit_once('@').map_or("", |(_, d)| d);
    is_host || profile.internal_domains.iter().any(|d| d == domain)
}
