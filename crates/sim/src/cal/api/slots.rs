//! When an event type can be booked: its schedule's hours, cut into slots, without what is booked and what the calendars
//! call busy.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};

use super::bookable::Bookable;
use super::routes::{Asked, Outcome, invalid, not_found, success};
use super::state::{Held, State, instant};

/// `GET /v2/slots`, version 2024-09-04.
pub(super) fn list(state: &State, asked: &Asked) -> Outcome {
    let with_end = asked.param("format") == Some("range");
    let found = found(state, asked, ["start", "end"], "bookingUidToReschedule");
    let (bookable, zone, slots) = match found {
        Ok(found) => found,
        Err(refusal) => return refusal,
    };
    let show = |(start, end): (Timestamp, Timestamp)| {
        let mut slot = json!({"start": local(start, &zone)});
        if with_end {
            slot["end"] = json!(local(end, &zone));
        }
        if let Some(seats) = bookable.seats {
            let held = seated_at(state, bookable, start);
            let booked = held.map_or(0, seats_taken);
            slot["seatsBooked"] = json!(booked);
            slot["seatsRemaining"] = json!(seats - booked);
            slot["seatsTotal"] = json!(seats);
            if let Some(held) = held {
                slot["bookingUid"] = json!(held.booking.uid);
            }
        }
        slot
    };
    success(by_day(slots, &zone, show))
}

/// `GET /v2/slots/available`, the versions before.
pub(super) fn older_list(state: &State, asked: &Asked) -> Outcome {
    let with_end = asked.param("slotFormat") == Some("range");
    let found = found(state, asked, ["startTime", "endTime"], "rescheduleUid");
    let (_, zone, slots) = match found {
        Ok(found) => found,
        Err(refusal) => return refusal,
    };
    let show = |(start, end): (Timestamp, Timestamp)| {
        if with_end {
            json!({"startTime": local(start, &zone), "endTime": local(end, &zone)})
        } else {
            json!({"time": local(start, &zone)})
        }
    };
    success(json!({"slots": by_day(slots, &zone, show)}))
}

type Found<'a> = (&'a Bookable, TimeZone, Vec<(Timestamp, Timestamp)>);

fn found<'a>(
    state: &'a State,
    asked: &Asked,
    range: [&str; 2],
    instead_of: &str,
) -> Result<Found<'a>, Outcome> {
    let bookable = bookable(state, asked)?;
    let at = |name: &str, ends| asked.param(name).and_then(|text| instant(text, ends));
    let (Some(from), Some(until)) = (at(range[0], false), at(range[1], true)) else {
        return Err(invalid(&format!(
            "{} and {} must be valid ISO 8601 date strings",
            range[0], range[1]
        )));
    };
    if until < from {
        return Err(invalid(&format!(
            "Invalid time range given - check the '{}' and '{}' query parameters.",
            range[0], range[1]
        )));
    }
    let zone = asked.param("timeZone").unwrap_or("UTC");
    let Ok(zone) = TimeZone::get(zone) else {
        return Err(invalid("timeZone must be a valid IANA time-zone"));
    };
    let minutes = asked.param("duration").and_then(|it| it.parse().ok());
    let minutes = minutes.unwrap_or(bookable.minutes);
    if minutes != bookable.minutes && !bookable.lengths.contains(&minutes) {
        return Err(invalid("Invalid duration for this event type"));
    }
    let slots = free(
        state,
        bookable,
        from,
        until,
        minutes,
        asked.param(instead_of),
    );
    Ok((bookable, zone, slots))
}

fn bookable<'a>(state: &'a State, asked: &Asked) -> Result<&'a Bookable, Outcome> {
    let by_id = asked.param("eventTypeId");
    let found = if let Some(id) = by_id {
        id.parse().ok().and_then(|id| state.bookable(id))
    } else if let (Some(slug), Some(username)) =
        (asked.param("eventTypeSlug"), asked.param("username"))
    {
        let mut all = state.bookables.iter();
        all.find(|it| it.event.slug == slug && username == state.config.host.username)
    } else {
        return Err(invalid(
            "eventTypeId or eventTypeSlug with username must be provided",
        ));
    };
    found.ok_or_else(|| {
        not_found(&match by_id {
            Some(id) => format!("Event Type with ID={id} not found"),
            None => "Event Type not found".to_owned(),
        })
    })
}

/// On the grid that begins with the hours of each day.
fn free(
    state: &State,
    bookable: &Bookable,
    from: Timestamp,
    until: Timestamp,
    minutes: i64,
    instead_of: Option<&str>,
) -> Vec<(Timestamp, Timestamp)> {
    if state.calendars.iter().any(|(_, works)| !works) {
        return Vec::new();
    }
    let earliest = state.now() + bookable.notice_minutes.minutes();
    let step = bookable.slot_interval.unwrap_or(minutes).minutes();
    let mut slots = Vec::new();
    let last = until.to_zoned(TimeZone::UTC).date().tomorrow();
    let last = last.expect("a near date");
    let mut day = from
        .to_zoned(TimeZone::UTC)
        .date()
        .yesterday()
        .expect("a near date");
    while day <= last {
        for (begins, ends) in state.schedule_of(bookable).spans(day) {
            let mut start = begins;
            while start + minutes.minutes() <= ends {
                let end = start + minutes.minutes();
                let is_asked = from <= start && start <= until && start >= earliest;
                if is_asked && !is_busy(state, bookable, start, end, instead_of) {
                    slots.push((start, end));
                }
                start += step;
            }
        }
        day = day.tomorrow().expect("a near date");
    }
    slots
}

/// Whether a booking from then to then would be taken.
pub(super) fn is_free(
    state: &State,
    bookable: &Bookable,
    start: Timestamp,
    end: Timestamp,
    instead_of: Option<&str>,
) -> bool {
    let schedule = state.schedule_of(bookable);
    let zone = TimeZone::get(&schedule.time_zone).unwrap_or(TimeZone::UTC);
    let spans = schedule.spans(start.to_zoned(zone).date());
    let is_open = spans
        .iter()
        .any(|(from, until)| *from <= start && end <= *until);
    is_open && !is_busy(state, bookable, start, end, instead_of)
}

fn is_busy(
    state: &State,
    bookable: &Bookable,
    start: Timestamp,
    end: Timestamp,
    instead_of: Option<&str>,
) -> bool {
    if let Some(seats) = bookable.seats
        && seated_at(state, bookable, start).is_some_and(|held| seats_taken(held) >= seats)
    {
        return true;
    }
    let (start, end) = (
        start - bookable.buffer_before.minutes(),
        end + bookable.buffer_after.minutes(),
    );
    let overlaps = |from: Timestamp, until: Timestamp| from < end && start < until;
    let in_the_way = state.bookings.iter().any(|held| {
        // Seats of one event type do not stand in each other's way.
        let is_shared = held.seated.is_some() && held.event_type() == bookable.event.id;
        held.stands()
            && !is_shared
            && instead_of != Some(held.booking.uid.as_str())
            && overlaps(held.booking.start, held.booking.end)
    });
    in_the_way
        || state
            .busy
            .iter()
            .any(|(from, until)| overlaps(*from, *until))
}

pub(super) fn seated_at<'a>(
    state: &'a State,
    bookable: &Bookable,
    start: Timestamp,
) -> Option<&'a Held> {
    state.bookings.iter().find(|held| {
        held.seated.is_some()
            && held.stands()
            && held.event_type() == bookable.event.id
            && held.booking.start == start
    })
}

fn seats_taken(held: &Held) -> u32 {
    let seats = held.seated.as_ref().map_or(0, |it| it.seats.len());
    u32::try_from(seats).unwrap_or(u32::MAX)
}

/// Days without a slot are absent.
fn by_day(
    slots: Vec<(Timestamp, Timestamp)>,
    zone: &TimeZone,
    show: impl Fn((Timestamp, Timestamp)) -> Value,
) -> Value {
    let mut days: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for slot in slots {
        let day = slot.0.to_zoned(zone.clone()).date().to_string();
        days.entry(day).or_default().push(show(slot));
    }
    json!(days)
}

fn local(at: Timestamp, zone: &TimeZone) -> String {
    if zone.iana_name() == Some("UTC") {
        return crate::cal::millis(at);
    }
    let at = at.to_zoned(zone.clone());
    at.strftime("%Y-%m-%dT%H:%M:%S.%3f%:z").to_string()
}
