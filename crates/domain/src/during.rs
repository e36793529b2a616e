//! Which time somebody means by "next Tuesday afternoon". Days are civil days in one zone, so a day on which clocks are
//! changed has 23 or 25 hours. What is free then is not known here.

mod days;
mod hours;
mod phrase;
#[cfg(test)]
mod tests;
mod words;

use std::fmt;

use jiff::civil::{Date, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, Zoned};

use hours::{Hours, Minutes};
use phrase::Phrase;

const DAYS_MAX: i32 = 62;
const WORDS_MAX: usize = 24;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct During {
    /// In order, and at least one.
    pub parts: Vec<Part>,
    /// What else it could mean, for people.
    pub or: Option<String>,
}

/// On each of these days, from one time of day to another; `to` at midnight is the day's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    pub first: Date,
    /// The last one, included.
    pub last: Date,
    pub from: Time,
    pub to: Time,
    /// Only where it begins was said.
    pub is_end_assumed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unclear {
    #[error("`{0}` is no time that is understood here")]
    Word(String),
    #[error("more than {WORDS_MAX} words are not understood here")]
    Long,
    #[error("no day is named")]
    NoDay,
    #[error(
        "the last day is before the first, or they reach over more than {DAYS_MAX} days: ask for fewer at a time"
    )]
    Days,
    #[error("the time of day ends before it begins")]
    Hours,
    #[error(
        "`{0}` and another day that is named are not the same: put `or` between days, or ask for one at a time"
    )]
    OtherDay(String),
    #[error(
        "the times of day that are named do not overlap: put `or` between them, or ask for one at a time"
    )]
    OtherHours,
    #[error("that time is past")]
    Past,
}

pub const EXAMPLES: &str = "today, tomorrow at 3pm, this evening, Tuesday afternoon, Tuesday or Thursday morning, \
     next week after 14:00, in two weeks, 12 March between 2 and 4pm, 2026-03-12, 2026-03-09 to 2026-03-13 before noon";

impl During {
    /// Whole days.
    pub fn days(first: Date, last: Date) -> Result<Self, Unclear> {
        let all_day = Part::of((first, last), None);
        Self::checked(vec![all_day], None)
    }

    pub fn first(&self) -> Date {
        self.parts.iter().map(|it| it.first).min().expect("a part")
    }

    pub fn last(&self) -> Date {
        self.parts.iter().map(|it| it.last).max().expect("a part")
    }

    /// One stretch for each day of each part.
    pub fn stretches(&self, zone: &TimeZone) -> Vec<(Timestamp, Timestamp)> {
        self.parts
            .iter()
            .flat_map(|it| it.stretches(zone))
            .collect()
    }

    fn checked(mut parts: Vec<Part>, or: Option<String>) -> Result<Self, Unclear> {
        parts.sort_unstable();
        parts.dedup();
        if parts.is_empty() {
            return Err(Unclear::NoDay);
        }
        let is_reversed = parts.iter().any(|it| it.last < it.first);
        let it = Self { parts, or };
        let days = it.first().until(it.last()).map_err(|_| Unclear::Days)?;
        if is_reversed || days.get_days() >= DAYS_MAX {
            return Err(Unclear::Days);
        }
        Ok(it)
    }
}

/// As people read it: "Tue 1 Dec 2026, 12:00–18:00; Thu 3 Dec 2026, all day".
impl fmt::Display for During {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.parts.iter().map(ToString::to_string).collect();
        f.write_str(&parts.join("; "))
    }
}

impl Part {
    fn of((first, last): (Date, Date), hours: Option<&Hours>) -> Self {
        let (from, to) = hours.map_or((0, 0), |it| (it.from, it.to));
        Self {
            first,
            last,
            from: time_of(from),
            to: time_of(to),
            is_end_assumed: hours.is_some_and(Hours::is_end_assumed),
        }
    }

    fn is_over(&self, now: &Zoned) -> bool {
        let is_over_today = if self.is_end_assumed {
            self.from < now.time()
        } else {
            self.to != Time::midnight() && self.to <= now.time()
        };
        self.last < now.date() || (self.last == now.date() && is_over_today)
    }

    fn stretches(&self, zone: &TimeZone) -> Vec<(Timestamp, Timestamp)> {
        let mut out = Vec::new();
        let mut day = self.first;
        while day <= self.last {
            let Ok(next) = day.tomorrow() else { break };
            let ends_on = if self.to == Time::midnight() {
                next
            } else {
                day
            };
            let (begin, end) = (at(day, self.from, zone), at(ends_on, self.to, zone));
            if let (Some(begin), Some(end)) = (begin, end)
                && begin < end
            {
                out.push((begin, end));
            }
            day = next;
        }
        out
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = |day: Date| day.strftime("%a %-d %b %Y");
        write!(f, "{}", day(self.first))?;
        if self.first != self.last {
            write!(f, " to {}", day(self.last))?;
        }
        if self.from == self.to {
            return f.write_str(", all day");
        }
        let time = |time: Time| time.strftime("%H:%M");
        write!(f, ", {}–{}", time(self.from), time(self.to))?;
        if self.is_end_assumed {
            f.write_str(" (no end was named: one hour)")?;
        }
        Ok(())
    }
}

/// When clocks there first show that time, or a later one if they skip it.
fn at(day: Date, time: Time, zone: &TimeZone) -> Option<Timestamp> {
    let told = zone.to_ambiguous_timestamp(day.to_datetime(time));
    match told.offset() {
        AmbiguousOffset::Gap { .. } => {
            let before_gap = told.earlier().ok()?;
            zone.following(before_gap).next().map(|it| it.timestamp())
        }
        _ => told.compatible().ok(),
    }
}

/// A whole day's minutes are midnight again.
fn time_of(minutes: Minutes) -> Time {
    let part = |n: Minutes| i8::try_from(n).expect("below 60");
    Time::constant(part(minutes / 60 % 24), part(minutes % 60), 0, 0)
}

/// What the words mean to somebody for whom it is `now`.
pub fn during(said: &str, now: &Zoned) -> Result<During, Unclear> {
    let words = words::split(said);
    if words.len() > WORDS_MAX {
        return Err(Unclear::Long);
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (parts, or) = Phrase::read(&words, now)?.parts()?;
    let it = During::checked(parts, or)?;
    if it.parts.iter().all(|part| part.is_over(now)) {
        return Err(Unclear::Past);
    }
    Ok(it)
}
