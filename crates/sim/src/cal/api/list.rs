//! Bookings, read.

use serde_json::{Value, json};

use super::render;
use super::routes::{Asked, Outcome, invalid_property, not_found, raw, success};
use super::state::{Held, State, instant};

const TAKE_MAX: usize = 250;
const TAKE: usize = 100;

pub(super) fn get(state: &State, uid: &str) -> Outcome {
    if let Some(at) = state.held(uid) {
        return success(render::booking(state, &state.bookings[at]));
    }
    let series = of_series(state, uid);
    if series.is_empty() {
        return not_found(&format!(
            "Booking with uid={uid} was not found in the database"
        ));
    }
    success(series.iter().map(|it| render::booking(state, it)).collect())
}

/// By their starts.
pub(super) fn of_series<'a>(state: &'a State, series: &str) -> Vec<&'a Held> {
    let all = state.bookings.iter();
    let mut found: Vec<&Held> = all
        .filter(|it| it.series.as_deref() == Some(series))
        .collect();
    found.sort_by_key(|it| it.booking.start);
    found
}

pub(super) fn list(state: &State, asked: &Asked) -> Outcome {
    let number = |name: &str, usual: usize| match asked.param(name) {
        None => Ok(usual),
        Some(text) => text.parse::<usize>().map_err(|_| {
            let rule = format!("{name} must be a number conforming to the specified constraints");
            invalid_property(name, json!(text), "isNumber", &rule)
        }),
    };
    let (take, skip) = match (number("take", TAKE), number("skip", 0)) {
        (Ok(take), Ok(skip)) => (take, skip),
        (Err(refusal), _) | (_, Err(refusal)) => return refusal,
    };
    if take > TAKE_MAX {
        let rule = format!("take must not be greater than {TAKE_MAX}");
        return invalid_property("take", json!(take), "max", &rule);
    }
    let mut found: Vec<&Held> = match wanted(state, asked) {
        Ok(found) => found,
        Err(refusal) => return refusal,
    };
    sort(&mut found, asked);
    let total = found.len();
    let page: Vec<&Held> = found.into_iter().skip(skip).take(take).collect();
    let returned = page.len();
    let remaining = total.saturating_sub(skip + returned);
    let number = skip.checked_div(take).unwrap_or(0);
    let first = usize::from(!state.config.hosted && total > 0);
    raw(
        200,
        json!({
            "status": "success",
            "data": page.iter().map(|it| render::booking(state, it)).collect::<Value>(),
            "pagination": {
                "returnedItems": returned,
                "totalItems": total,
                "itemsPerPage": take,
                "remainingItems": remaining,
                "currentPage": number + first,
                "totalPages": total.div_ceil(take.max(1)),
                "hasNextPage": remaining > 0,
                "hasPreviousPage": skip > 0,
            },
        }),
    )
}

/// A version before: HTTP 200 all the same.
pub(super) fn older_list(state: &State, asked: &Asked) -> Outcome {
    let limit = asked.param("limit").and_then(|it| it.parse().ok());
    let shown = state.bookings.iter().take(limit.unwrap_or(10));
    success(json!({
        "bookings": shown.map(render::older_booking).collect::<Value>(),
        "recurringInfo": [],
        "totalCount": state.bookings.len(),
        "nextCursor": null,
    }))
}

fn wanted<'a>(state: &'a State, asked: &Asked) -> Result<Vec<&'a Held>, Outcome> {
    let mut times = Vec::new();
    for (name, ends) in [
        ("afterStart", false),
        ("beforeEnd", true),
        ("afterCreatedAt", false),
        ("beforeCreatedAt", true),
        ("afterUpdatedAt", false),
        ("beforeUpdatedAt", true),
    ] {
        if let Some(text) = asked.param(name) {
            let Some(at) = instant(text, ends) else {
                let rule = format!("{name} must be a valid ISO 8601 date string");
                return Err(invalid_property(name, json!(text), "isISO8601", &rule));
            };
            times.push((name, at.as_millisecond()));
        }
    }
    let status: Vec<&str> = asked
        .param("status")
        .map_or_else(Vec::new, |it| it.split(',').collect());
    let known = ["upcoming", "recurring", "past", "cancelled", "unconfirmed"];
    if let Some(other) = status.iter().find(|it| !known.contains(it)) {
        let rule = format!("Invalid status. Allowed are {}", known.join(", "));
        return Err(invalid_property("status", json!(other), "isEnum", &rule));
    }
    let now = state.now();
    let is_wanted = |it: &&Held| {
        let in_time = times.iter().all(|(name, at)| {
            let start = it.booking.start.as_millisecond();
            let end = it.booking.end.as_millisecond();
            match *name {
                "afterStart" => start >= *at,
                "beforeEnd" => end <= *at,
                "afterCreatedAt" => it.created_ms >= *at,
                "beforeCreatedAt" => it.created_ms <= *at,
                "afterUpdatedAt" => it.updated_ms >= *at,
                _ => it.updated_ms <= *at,
            }
        });
        let ahead = it.booking.end >= now;
        let stands = it.stands();
        let in_status = |status: &&str| match *status {
            "upcoming" => ahead && stands,
            "recurring" => ahead && stands && it.series.is_some(),
            "past" => !ahead && stands,
            "cancelled" => !stands,
            _ => ahead && it.status == "pending",
        };
        let emails = || -> Vec<String> {
            match &it.seated {
                Some(seated) => {
                    let seats = seated.seats.iter();
                    seats.map(|seat| seat.booking.person.address()).collect()
                }
                None => vec![it.booking.person.address()],
            }
        };
        in_time
            && (status.is_empty() || status.iter().any(in_status))
            && asked.param("bookingUid").is_none_or(|uid| it.booking.uid == uid)
            && asked
                .param("eventTypeId")
                .is_none_or(|id| it.event_type().to_string() == id)
            && asked
                .param("eventTypeIds")
                .is_none_or(|ids| ids.split(',').any(|id| it.event_type().to_string() == id))
            // To the letter, as seen on a running server.
            && asked.param("attendeeEmail").is_none_or(|email| emails().iter().any(|it| it == email))
            && asked.param("attendeeName").is_none_or(|name| it.booking.person.name == name)
    };
    Ok(state.bookings.iter().filter(is_wanted).collect())
}

fn sort(found: &mut [&Held], asked: &Asked) {
    for name in ["sortStart", "sortEnd", "sortCreated", "sortUpdatedAt"] {
        let key = |it: &&Held| match name {
            "sortStart" => it.booking.start.as_millisecond(),
            "sortEnd" => it.booking.end.as_millisecond(),
            "sortCreated" => it.created_ms,
            _ => it.updated_ms,
        };
        match asked.param(name) {
            Some("asc") => return found.sort_by_key(key),
            Some("desc") => return found.sort_by_key(|it| std::cmp::Reverse(key(it))),
            _ => {}
        }
    }
    let is_back = asked
        .param("status")
        .is_some_and(|it| ["past", "cancelled"].contains(&it));
    if is_back {
        found.sort_by_key(|it| std::cmp::Reverse(it.booking.start));
    } else {
        found.sort_by_key(|it| it.booking.start);
    }
}
