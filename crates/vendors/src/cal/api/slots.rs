//! When an event type can be booked. Cal.com takes a bare date for the UTC day, whatever the time zone beside it, so days
//! are turned into instants here.

use std::sync::atomic::Ordering;

use domain::outcome::Failure;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::errors::{About, Purpose, Refusal};
use super::{Asked, Cal, OLDER_SLOTS, SLOTS, seconds, settle};
use crate::cal::json::Json;

const DAYS_MAX: i32 = 92;
const SLOTS_MAX: usize = 10_000;

/// From an instant up to, and without, another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub from: Timestamp,
    pub until: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    #[error("the last day is before the first")]
    Reversed,
    #[error("at most {DAYS_MAX} days can be asked for at once")]
    TooLong,
    #[error("there is no such day")]
    NoSuchDay,
}

impl Window {
    /// Whole days of that zone, the last one included; a day may have 23 or 25 hours.
    pub fn days(first: Date, last: Date, zone: &TimeZone) -> Result<Self, WindowError> {
        if last < first {
            return Err(WindowError::Reversed);
        }
        let days = (last - first).get_days();
        if days >= DAYS_MAX {
            return Err(WindowError::TooLong);
        }
        let begins = |day: Date| day.to_zoned(zone.clone()).map(|at| at.timestamp());
        let until = last.tomorrow().and_then(begins);
        match (begins(first), until) {
            (Ok(from), Ok(until)) => Ok(Self { from, until }),
            _ => Err(WindowError::NoSuchDay),
        }
    }

    fn has(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotsWanted {
    pub event_type_id: i64,
    pub window: Window,
    /// How Cal.com is to write its times, as an IANA name. It decides nothing.
    pub time_zone: Option<String>,
    /// Where the event type lets the booker choose.
    pub minutes: Option<i64>,
    /// The uid of a booking that is to be moved: its own time counts as free.
    pub instead_of: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    pub start: Timestamp,
    /// Not told by every server.
    pub end: Option<Timestamp>,
    /// How many may still come, where several may.
    pub seats_left: Option<i64>,
}

impl Cal {
    /// The slots that begin in the window, in order. None at all may also mean that Cal.com cannot read a calendar
    /// ([`Cal::calendars`]).
    pub async fn slots(&self, wanted: &SlotsWanted) -> Result<Vec<Slot>, Failure> {
        let id = wanted.event_type_id;
        let purpose = Purpose::read(
            About::Thing,
            format!("look for free times of event type {id}"),
        );
        if !self.slots_are_older.load(Ordering::Relaxed) {
            let (read, bearer) = self.read(&purpose, &newer(wanted)).await?;
            match read {
                Err(Refusal::NoRoute) => {}
                Err(refusal) => return Err(settle(&purpose, refusal, &bearer)),
                Ok(read) => return readable(&purpose, &read, wanted.window),
            }
        }
        let (read, bearer) = self.read(&purpose, &older(wanted)).await?;
        match read {
            Ok(read) => {
                let slots = readable(&purpose, &read, wanted.window)?;
                self.slots_are_older.store(true, Ordering::Relaxed);
                Ok(slots)
            }
            Err(refusal) => {
                // A server that was updated meanwhile.
                self.slots_are_older.store(false, Ordering::Relaxed);
                Err(settle(&purpose, refusal, &bearer))
            }
        }
    }
}

fn newer(wanted: &SlotsWanted) -> Asked<'static> {
    let mut asked = Asked::get("/slots", Some(SLOTS));
    asked.query = vec![
        ("eventTypeId", wanted.event_type_id.to_string()),
        ("start", seconds(wanted.window.from)),
        ("end", seconds(wanted.window.until)),
        ("format", "range".to_owned()),
    ];
    asked.query.extend(chosen(wanted));
    if let Some(uid) = &wanted.instead_of {
        asked.query.push(("bookingUidToReschedule", uid.clone()));
    }
    asked
}

/// `/slots/available`, which newer servers keep for older versions only.
fn older(wanted: &SlotsWanted) -> Asked<'static> {
    let mut asked = Asked::get("/slots/available", Some(OLDER_SLOTS));
    asked.query = vec![
        ("eventTypeId", wanted.event_type_id.to_string()),
        ("startTime", seconds(wanted.window.from)),
        ("endTime", seconds(wanted.window.until)),
    ];
    asked.query.extend(chosen(wanted));
    if let Some(uid) = &wanted.instead_of {
        asked.query.push(("rescheduleUid", uid.clone()));
    }
    asked
}

fn chosen(wanted: &SlotsWanted) -> impl Iterator<Item = (&'static str, String)> {
    let zone = wanted.time_zone.clone().map(|it| ("timeZone", it));
    let minutes = wanted.minutes.map(|it| ("duration", it.to_string()));
    zone.into_iter().chain(minutes)
}

/// Nobody is told that there is no free time because an answer could not be read.
fn readable(purpose: &Purpose, envelope: &Json, window: Window) -> Result<Vec<Slot>, Failure> {
    slots(envelope, window)
        .ok_or_else(|| purpose.unknown("Cal.com answered with something else than slots"))
}

/// By day, in older versions one level deeper. Slots outside of what was asked for have been seen.
fn slots(envelope: &Json, window: Window) -> Option<Vec<Slot>> {
    let data = envelope.at("data");
    let days = match data.at("slots") {
        Json::Null => data,
        older => older,
    };
    let Json::Object(days) = days else {
        return None;
    };
    let mut slots = Vec::new();
    for (_, of_day) in days {
        let Json::List(of_day) = of_day else {
            return None;
        };
        for json in of_day {
            slots.extend(Some(slot(json)?).filter(|slot| window.has(slot.start)));
        }
    }
    slots.sort_by_key(|slot| slot.start);
    slots.dedup_by_key(|slot| slot.start);
    slots.truncate(SLOTS_MAX);
    Some(slots)
}

fn slot(json: &Json) -> Option<Slot> {
    let time = |keys: [&str; 2]| keys.iter().find_map(|key| json.at(key).time());
    let start = json.time().or_else(|| json.at("start").time());
    Some(Slot {
        start: start.or_else(|| time(["time", "startTime"]))?,
        end: time(["end", "endTime"]),
        seats_left: json.at("seatsRemaining").integer(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(zone: &str, first: &str, last: &str) -> Result<(String, String), WindowError> {
        let zone = TimeZone::get(zone).expect("a zone");
        let day = |text: &str| text.parse().expect("a day");
        let window = Window::days(day(first), day(last), &zone)?;
        Ok((window.from.to_string(), window.until.to_string()))
    }

    #[test]
    fn what_cannot_be_read_is_not_taken_for_no_free_time() {
        let window = Window::days(
            "2026-12-01".parse().expect("a day"),
            "2026-12-01".parse().expect("a day"),
            &TimeZone::UTC,
        )
        .expect("a window");
        let count = |body: &str| {
            let json = crate::cal::json::read(body).expect("JSON");
            slots(&json, window).map(|slots| slots.len())
        };
        let at = r#"{"start":"2026-12-01T08:00:00Z"}"#;
        for (body, expected) in [
            (r#"{"data":{}}"#.to_owned(), Some(0)),
            (r#"{"data":{"slots":{}}}"#.to_owned(), Some(0)),
            (format!(r#"{{"data":{{"2026-12-01":[{at}]}}}}"#), Some(1)),
            (
                format!(r#"{{"data":{{"slots":{{"2026-12-01":[{at}]}}}}}}"#),
                Some(1),
            ),
            (
                format!(r#"{{"data":{{"2026-12-02":[{at}, {{"begin":1}}]}}}}"#),
                None,
            ),
            (
                r#"{"data":{"2026-12-01":[{"start":"not a time"}]}}"#.to_owned(),
                None,
            ),
            (r#"{"data":{"2026-12-01":"none"}}"#.to_owned(), None),
            (r#"{"data":[]}"#.to_owned(), None),
            (r#"{"data":{"slots":[]}}"#.to_owned(), None),
        ] {
            assert_eq!(count(&body), expected, "{body}");
        }
    }

    #[test]
    fn a_day_is_as_long_as_it_is_in_its_zone() {
        let told = |from: &str, until: &str| Ok((from.to_owned(), until.to_owned()));
        for (zone, first, last, window) in [
            (
                "Europe/Berlin",
                "2026-12-01",
                "2026-12-02",
                told("2026-11-30T23:00:00Z", "2026-12-02T23:00:00Z"),
            ),
            // The clocks go back, and forward.
            (
                "Europe/Berlin",
                "2026-10-25",
                "2026-10-25",
                told("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
            ),
            (
                "America/New_York",
                "2027-03-14",
                "2027-03-14",
                told("2027-03-14T05:00:00Z", "2027-03-15T04:00:00Z"),
            ),
            (
                "Asia/Kathmandu",
                "2026-12-01",
                "2026-12-01",
                told("2026-11-30T18:15:00Z", "2026-12-01T18:15:00Z"),
            ),
            // A day without a midnight.
            (
                "Africa/Cairo",
                "2026-04-24",
                "2026-04-24",
                told("2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"),
            ),
            (
                "UTC",
                "2026-12-02",
                "2026-12-01",
                Err(WindowError::Reversed),
            ),
            ("UTC", "2026-01-01", "2026-12-01", Err(WindowError::TooLong)),
        ] {
            assert_eq!(days(zone, first, last), window, "{zone} {first}");
        }
    }
}
