//! Bookings, written. What happens is delivered to the account's webhooks as well.

use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};

use super::bookable::Bookable;
use super::list::of_series;
use super::render;
use super::routes::{Asked, Outcome, created, invalid, invalid_property, not_found, raw, success};
use super::slots::{is_free, seated_at};
use super::state::{Held, Seated, State, instant, text};
use crate::cal::booking::Booking;
use crate::cal::people::Person;
use crate::cal::seats::Session;

const TAKEN: &str = "User either already has booking at this time or is not available";

pub(super) fn create(state: &mut State, asked: &Asked) -> Outcome {
    let body = &asked.body;
    let bookable = match bookable(state, body) {
        Ok(bookable) => bookable,
        Err(refusal) => return refusal,
    };
    let person = match person(&bookable, body) {
        Ok(person) => person,
        Err(refusal) => return refusal,
    };
    let Some(start) = start(body) else {
        return invalid_property("start", body["start"].clone(), "isDateString", NO_START);
    };
    let minutes = body["lengthInMinutes"].as_i64().unwrap_or(bookable.minutes);
    if minutes != bookable.minutes && !bookable.lengths.contains(&minutes) {
        return invalid("Invalid lengthInMinutes for this event type");
    }
    let asked_for = body["recurrenceCount"].as_u64();
    let count = match (bookable.occurrences, asked_for) {
        (None, Some(_)) => return invalid("recurrenceCount is only for recurring event types"),
        (None, None) => 1,
        (Some(most), Some(asked)) if asked > u64::from(most) => {
            return invalid("recurrenceCount is larger than the event type's");
        }
        (Some(most), asked) => asked.map_or(i64::from(most), u64::cast_signed),
    };
    let starts: Vec<Timestamp> = (0..count)
        .map(|week| start + (week * 7 * 24).hours())
        .collect();
    for start in &starts {
        if *start < state.now() {
            return invalid("Attempting to book a meeting in the past.");
        }
        if !is_free(state, &bookable, *start, *start + minutes.minutes(), None) {
            return invalid(TAKEN);
        }
    }
    if bookable.seats.is_some() {
        return seat(state, &bookable, &person, start, minutes);
    }
    let series = bookable.occurrences.map(|_| state.producer.new_uuid());
    let mut made = Vec::new();
    for start in starts {
        let producer = state.producer_of(&bookable);
        let mut booking = Booking::new(&producer, &person, start, minutes);
        booking.recurring = bookable
            .occurrences
            .map(|count| json!({"freq": 2, "count": count, "interval": 1}));
        let waits = bookable.event.requires_confirmation;
        let delivery = if waits {
            booking.requested()
        } else {
            booking.created()
        };
        state.deliver(bookable.event.id, &delivery);
        let mut held = held(state, booking);
        held.series.clone_from(&series);
        held.status = if waits { "pending" } else { "accepted" };
        made.push(shown_new(state, &held));
        state.bookings.push(held);
    }
    if series.is_some() {
        created(Value::Array(made))
    } else {
        created(made.remove(0))
    }
}

const NO_START: &str = "start must be a valid ISO 8601 date string";

fn seat(
    state: &mut State,
    bookable: &Bookable,
    person: &Person,
    start: Timestamp,
    minutes: i64,
) -> Outcome {
    let at = seated_at(state, bookable, start).map(|held| held.booking.uid.clone());
    let at = at.and_then(|uid| state.held(&uid));
    let producer = state.producer_of(bookable);
    let session = if let Some(at) = at {
        let seated = state.bookings[at].seated.as_ref();
        seated.expect("seats are here").session.clone()
    } else {
        let seats = bookable.seats.expect("seats are here");
        Session::new(&producer, start, minutes, seats)
    };
    let (seat, delivery) = session.seat_created(person);
    state.deliver(bookable.event.id, &delivery);
    if let Some(at) = at {
        // Seen on a running server: `updatedAt` stays.
        let held = &mut state.bookings[at];
        let mut seats = held.seated.take().expect("seats are here");
        seats.seats.push(seat.clone());
        held.seated = Some(seats);
        let mut view = render::booking(state, &state.bookings[at]);
        view["seatUid"] = json!(seat.reference);
        return created(view);
    }
    let mut new = held(state, seat.booking.clone());
    new.seated = Some(Seated {
        session,
        seats: vec![seat.clone()],
    });
    let mut view = shown_new(state, &new);
    view["seatUid"] = json!(seat.reference);
    state.bookings.push(new);
    created(view)
}

pub(super) fn reschedule(state: &mut State, uid: &str, asked: &Asked) -> Outcome {
    let Some(at) = state.held(uid) else {
        return missing(uid);
    };
    let Some(start) = start(&asked.body) else {
        return invalid_property(
            "start",
            asked.body["start"].clone(),
            "isDateString",
            NO_START,
        );
    };
    let old = state.bookings[at].clone();
    if let Some(to) = &old.moved_to {
        return invalid(&format!(
            "Can't reschedule booking with uid={uid} because it has been cancelled and rescheduled already to \
             booking with uid={to}. You probably want to reschedule {to} instead by passing it within the request URL."
        ));
    }
    if !old.stands() {
        return invalid(&format!(
            "Can't reschedule booking with uid={uid} because it has been {} already. Please provide uid of a \
             booking that is not {}.",
            old.status, old.status
        ));
    }
    if old.seated.is_some() && text(&asked.body["seatUid"]).is_none() {
        return invalid(&format!(
            "Booking with uid={uid} is a seated booking which means you have to provide seatUid in the request body \
             to specify which seat specifically you want to reschedule."
        ));
    }
    let Some(bookable) = state.bookable(old.event_type()).cloned() else {
        return not_found("Event type not found");
    };
    // As Cal.com's `transformInputRescheduleBooking` does: the event type's own length, whatever the booking's was.
    let end = start + bookable.minutes.minutes();
    if start < state.now() {
        return invalid("Attempting to book a meeting in the past.");
    }
    if !is_free(state, &bookable, start, end, Some(uid)) {
        return invalid(TAKEN);
    }
    let start_text = crate::cal::seconds(start);
    if old.seated.is_some() {
        return move_seat(state, at, &start_text, asked);
    }
    let by = text(&asked.body["rescheduledBy"]);
    let reason = text(&asked.body["reschedulingReason"]);
    let by_host =
        asked.is_host() && by.is_none() || by.as_deref() == Some(&state.config.host.email);
    let waits = bookable.event.requires_confirmation && !by_host;
    let mut source = old.booking.clone();
    source.cal = state.producer_of(&bookable);
    source.end = source.start + bookable.minutes.minutes();
    let (moved, delivery) = if waits {
        source.moved_pending(&start_text)
    } else {
        let mut moved = source.moved_to(&start_text);
        if let Some(from) = &mut moved.predecessor {
            from.end = old.booking.end;
        }
        let delivery = moved.rescheduled_again(by.as_deref());
        (moved, delivery)
    };
    state.deliver(bookable.event.id, &delivery);
    let now = state.now_ms();
    let old = &mut state.bookings[at];
    old.status = "cancelled";
    old.updated_ms = now;
    old.rescheduled_by.clone_from(&by);
    old.moved_to = Some(moved.uid.clone());
    let series = old.series.clone();
    let mut new = held(state, moved);
    new.status = if waits { "pending" } else { "accepted" };
    new.series = series;
    new.rescheduled_by = by;
    if state.config.hosted {
        // Seen live: the reason of a move stands here as well.
        new.cancellation_reason = reason.clone().unwrap_or_default();
    }
    new.reschedule_reason = reason;
    let view = shown_new(state, &new);
    state.bookings.push(new);
    created(view)
}

fn move_seat(state: &mut State, at: usize, start: &str, asked: &Asked) -> Outcome {
    let reference = text(&asked.body["seatUid"]).unwrap_or_default();
    let seated = state.bookings[at].seated.as_mut().expect("seats are here");
    let found = seated.seats.iter().position(|it| it.reference == reference);
    let Some(found) = found else {
        return not_found(&format!("Seat with uid={reference} not found"));
    };
    let seat = seated.seats.remove(found);
    let (moved, delivery) = seat.rescheduled(start);
    state.deliver(moved.booking.event.id, &delivery);
    let mut new = held(state, moved.booking.clone());
    // A seat's move leaves no trace in the API.
    new.booking.predecessor = None;
    new.seated = Some(Seated {
        session: moved.session().clone(),
        seats: vec![moved.clone()],
    });
    let mut view = shown_new(state, &new);
    view["seatUid"] = json!(moved.reference);
    state.bookings.push(new);
    created(view)
}

pub(super) fn cancel(state: &mut State, uid: &str, asked: &Asked) -> Outcome {
    let reason = text(&asked.body["cancellationReason"]);
    let seat = text(&asked.body["seatUid"]);
    if asked.is_host() && seat.is_none() && reason.as_deref().is_none_or(str::is_empty) {
        let message = "Cancellation reason is required";
        return raw(400, json!({"statusCode": 400, "message": message}));
    }
    let Some(at) = state.held(uid) else {
        let series: Vec<String> = of_series(state, uid)
            .iter()
            .map(|it| it.booking.uid.clone())
            .collect();
        return if series.is_empty() {
            missing(uid)
        } else {
            cancel_series(state, uid, None, reason)
        };
    };
    if !state.bookings[at].stands() {
        return invalid(&format!(
            "Can't cancel booking with uid={uid} because it has been cancelled already. Please provide uid of a \
             booking that is not cancelled."
        ));
    }
    if let (Some(series), Some(true)) = (
        state.bookings[at].series.clone(),
        asked.body["cancelSubsequentBookings"].as_bool(),
    ) {
        let from = state.bookings[at].booking.start;
        return cancel_series(state, &series, Some(from), reason);
    }
    let event_type = state.bookings[at].event_type();
    if let Some(reference) = seat {
        let Some(seated) = &mut state.bookings[at].seated else {
            return invalid("Booking is not a seated booking");
        };
        let Some(found) = seated.seats.iter().position(|it| it.reference == reference) else {
            return not_found(&format!("Seat with uid={reference} not found"));
        };
        let seat = seated.seats.remove(found);
        let is_empty = seated.seats.is_empty();
        let delivery = seat.cancelled(&reason.unwrap_or_default());
        state.deliver(event_type, &delivery);
        if is_empty {
            end(state, at, "");
        }
    } else if let Some(seated) = &mut state.bookings[at].seated {
        let delivery = seated
            .session
            .cancelled(reason.as_deref().unwrap_or_default());
        seated.seats.clear();
        state.deliver(event_type, &delivery);
        end(state, at, reason.as_deref().unwrap_or_default());
    } else {
        let delivery = current(state, at).cancelled(None, reason.as_deref());
        state.deliver(event_type, &delivery);
        end(state, at, reason.as_deref().unwrap_or_default());
    }
    success(render::booking(state, &state.bookings[at]))
}

/// One delivery for all of it, unless only one is left.
fn cancel_series(
    state: &mut State,
    series: &str,
    from: Option<Timestamp>,
    reason: Option<String>,
) -> Outcome {
    let ends: Vec<usize> = (0..state.bookings.len())
        .filter(|at| {
            let held = &state.bookings[*at];
            held.series.as_deref() == Some(series)
                && held.stands()
                && from.is_none_or(|from| held.booking.start >= from)
        })
        .collect();
    let reason = reason.unwrap_or_default();
    if let Some(first) = ends.first() {
        let booking = current(state, *first);
        let delivery = if ends.len() > 1 {
            booking.series_cancelled(None, &reason)
        } else {
            booking.cancelled(None, Some(&reason))
        };
        state.deliver(booking.event.id, &delivery);
    }
    for at in ends {
        end(state, at, &reason);
    }
    let all = of_series(state, series);
    success(all.iter().map(|it| render::booking(state, it)).collect())
}

pub(super) fn confirm(state: &mut State, uid: &str) -> Outcome {
    decide(state, uid, "accepted", None)
}

pub(super) fn decline(state: &mut State, uid: &str, asked: &Asked) -> Outcome {
    let reason = text(&asked.body["reason"]);
    decide(state, uid, "rejected", Some(&reason.unwrap_or_default()))
}

fn decide(state: &mut State, uid: &str, status: &'static str, reason: Option<&str>) -> Outcome {
    let Some(at) = state.held(uid) else {
        return missing(uid);
    };
    let is = state.bookings[at].status;
    if is != "pending" {
        return invalid(&format!(
            "Booking with uid={uid} is {is}: only a pending booking can be confirmed or declined."
        ));
    }
    let booking = current(state, at);
    let delivery = match reason {
        None => booking.confirmed(),
        Some(reason) => booking.rejected(reason),
    };
    state.deliver(booking.event.id, &delivery);
    let now = state.now_ms();
    let held = &mut state.bookings[at];
    held.status = status;
    held.updated_ms = now;
    success(render::booking(state, &state.bookings[at]))
}

fn bookable(state: &State, body: &Value) -> Result<Bookable, Outcome> {
    let found = if let Some(id) = body["eventTypeId"].as_u64() {
        state.bookable(id)
    } else {
        let (slug, username) = (&body["eventTypeSlug"], &body["username"]);
        let mut all = state.bookables.iter();
        all.find(|it| *slug == it.event.slug && *username == state.config.host.username)
    };
    found
        .cloned()
        .ok_or_else(|| not_found("Event type not found"))
}

fn person(bookable: &Bookable, body: &Value) -> Result<Person, Outcome> {
    let attendee = &body["attendee"];
    for name in ["name", "timeZone"] {
        if !attendee[name].is_string() {
            let rule = format!("attendee.{name} must be a string");
            let value = attendee[name].clone();
            return Err(invalid_property("attendee", value, "isString", &rule));
        }
    }
    let email = text(&attendee["email"]);
    // Its email question may be hidden only where the phone number is asked for.
    if email.is_none() {
        let message = "responses - {email}error_required_field, ";
        return Err(raw(
            400,
            json!({"status": "error", "error": {"code": "BAD_REQUEST", "message": message}}),
        ));
    }
    let responses = body["bookingFieldsResponses"].as_object();
    let missing = bookable
        .questions
        .iter()
        .find(|it| it.required && responses.is_none_or(|given| !given.contains_key(&it.slug)));
    if let Some(question) = missing {
        let slug = &question.slug;
        let message = format!("responses - {{{slug}}}error_required_field, ");
        return Err(raw(
            400,
            json!({"status": "error", "error": {"code": "BAD_REQUEST", "message": message}}),
        ));
    }
    let location = &body["location"];
    let mut person = Person::new(
        attendee["name"].as_str().unwrap_or_default(),
        email.as_deref().unwrap_or_default(),
    )
    .time_zone(attendee["timeZone"].as_str().unwrap_or_default());
    person.phone = text(&attendee["phoneNumber"]).or_else(|| text(&location["phone"]));
    person.locale = text(&attendee["language"]).unwrap_or_else(|| "en".to_owned());
    person.metadata = body["metadata"].as_object().cloned().unwrap_or_default();
    let guests = body["guests"].as_array().into_iter().flatten();
    person.guests = guests.filter_map(text).collect();
    for (slug, value) in responses.into_iter().flatten() {
        if slug == "notes" {
            person.notes = text(value).unwrap_or_default();
            continue;
        }
        let asked = bookable.questions.iter().find(|it| it.slug == *slug);
        let label = asked.map_or(slug, |it| &it.label).clone();
        person.answers.push((slug.clone(), label, value.clone()));
    }
    Ok(person)
}

/// In UTC, whatever else: without an offset it is taken so.
fn start(body: &Value) -> Option<Timestamp> {
    let start = body["start"].as_str()?;
    instant(start, false).or_else(|| instant(&format!("{start}Z"), false))
}

fn held(state: &State, booking: Booking) -> Held {
    let now = state.now_ms();
    Held {
        booking,
        status: "accepted",
        created_ms: now,
        updated_ms: now,
        cancellation_reason: String::new(),
        reschedule_reason: None,
        rescheduled_by: None,
        moved_to: None,
        series: None,
        seated: None,
    }
}

/// The booking, with deliveries that say they were made now.
fn current(state: &State, at: usize) -> Booking {
    let mut booking = state.bookings[at].booking.clone();
    booking.cal.created_at = Some(state.now());
    booking
}

fn end(state: &mut State, at: usize, reason: &str) {
    let now = state.now_ms();
    let held = &mut state.bookings[at];
    held.status = "cancelled";
    held.updated_ms = now;
    reason.clone_into(&mut held.cancellation_reason);
}

/// Only new ones say whether a platform manages their user, on a self-hosted server.
fn shown_new(state: &State, held: &Held) -> Value {
    let mut view = render::booking(state, held);
    view["isPlatformManagedUserBooking"] = json!(false);
    view
}

fn missing(uid: &str) -> Outcome {
    not_found(&format!(
        "Booking with uid={uid} was not found in the database"
    ))
}
