//! Days as they are named, and which they are: "next Tuesday", "in two weeks", "12 March", "Monday to Wednesday".

use jiff::civil::{Date, Weekday};
use jiff::{Span, Zoned};

use super::hours::is_named;
use super::words::{count, is_to, month, weekday};
use super::{DAYS_MAX, Unclear};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// A date in full.
    Dates(Date, Date),
    /// "tomorrow", "in 3 days".
    Near(Date, Date),
    /// A week or a weekend, which a weekday beside it is in.
    Span(Date, Date),
    Weekdays(Weekdays),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weekdays {
    pub first: Weekday,
    /// How many days follow the first.
    pub more: i64,
    pub is_next: bool,
    /// "this Friday" is not of a week that is named for another day.
    pub is_this: bool,
    pub said: String,
}

/// The first thing that the words say, if it names days.
#[derive(Debug)]
pub struct Found {
    pub named: Named,
    pub taken: usize,
    pub or: Option<String>,
}

pub fn told(day: Date) -> String {
    day.strftime("%a %-d %b %Y").to_string()
}

pub fn ahead(day: Date, days: i64) -> Result<Date, Unclear> {
    Span::new()
        .try_days(days)
        .and_then(|span| day.checked_add(span))
        .map_err(|_| Unclear::Days)
}

/// Days after Monday of this week.
fn of_week(today: Date, from: i64, to: i64) -> Result<(Date, Date), Unclear> {
    let monday = i64::from(today.weekday().to_monday_zero_offset());
    Ok((ahead(today, from - monday)?, ahead(today, to - monday)?))
}

/// One day, a week, or from one day to another.
pub fn days(words: &[&str], now: &Zoned) -> Result<Option<Found>, Unclear> {
    let today = now.date();
    let lead = match words.first() {
        Some(&"from" | &"between") => 1,
        _ => 0,
    };
    let words = &words[lead..];
    if let Some((first, last, taken)) = of_one_month(words, today) {
        return Ok(Some(Found::new(Named::Dates(first, last), lead + taken)));
    }
    let Some(first) = one(words, today)? else {
        return Ok(None);
    };
    let rest = &words[first.taken..];
    let between = rest.first().copied().unwrap_or_default();
    let is_range = is_to(between) || (between == "and" && lead == 1);
    let skipped = 1 + rest.iter().skip(1).take_while(|it| **it == "the").count();
    let last = match rest.get(skipped..) {
        Some(words) if is_range => one(words, today)?,
        _ => None,
    };
    let Some(last) = last else {
        // "from Tuesday" would go on for ever.
        return Ok(Some(first).filter(|_| lead == 0));
    };
    let taken = lead + first.taken + skipped + last.taken;
    let or = first.or.or(last.or);
    let named = first.named.to(last.named, today)?;
    let named = named.ok_or_else(|| Unclear::Word(between.to_owned()))?;
    Ok(Some(Found { named, taken, or }))
}

fn one(words: &[&str], today: Date) -> Result<Option<Found>, Unclear> {
    let word = |at: usize| words.get(at).copied().unwrap_or_default();
    let near = |day: Date, taken: usize| Ok(Some(Found::new(Named::Near(day, day), taken)));
    let span = |(first, last): (Date, Date), taken: usize| {
        Ok(Some(Found::new(Named::Span(first, last), taken)))
    };
    let weekdays = |first: Weekday, is_next: bool, taken: usize| {
        let more = 0;
        let said = words[..taken].join(" ");
        let named = Named::Weekdays(Weekdays {
            first,
            more,
            is_next,
            is_this: !is_next && taken == 2,
            said,
        });
        Ok(Some(Found::new(named, taken)))
    };
    match (word(0), word(1), word(2)) {
        ("day", "after", "tomorrow") => near(ahead(today, 2)?, 3),
        ("today", ..) => near(today, 1),
        ("tomorrow", ..) => near(ahead(today, 1)?, 1),
        ("tonight", ..) => near(today, 0),
        ("this", part, _) if is_named(part) => near(today, 1),
        ("this", "early" | "late", part) if is_named(part) => near(today, 1),
        ("week", "after", "next") => span(of_week(today, 14, 20)?, 3),
        ("next", "week", _) => span(of_week(today, 7, 13)?, 2),
        ("this", "week", _) => span(of_week(today, 0, 6)?, 2),
        ("next", "weekend", _) => span(of_week(today, 12, 13)?, 2),
        ("this" | "coming", "weekend", _) => span(of_week(today, 5, 6)?, 2),
        ("weekend", ..) => span(of_week(today, 5, 6)?, 1),
        ("this" | "coming", day, _) if weekday(day).is_some() => {
            weekdays(weekday(day).expect("just seen"), false, 2)
        }
        ("next" | "coming", n, unit @ ("days" | "weeks")) => {
            let n = count(n).ok_or_else(|| Unclear::Word(n.to_owned()))?;
            let days = n.saturating_mul(if unit == "days" { 1 } else { 7 });
            if days > i64::from(DAYS_MAX) {
                return Err(Unclear::Days);
            }
            span((today, ahead(today, days.saturating_sub(1))?), 3)
        }
        ("next", day, _) => match weekday(day) {
            Some(day) => weekdays(day, true, 2),
            None => Err(Unclear::Word(format!("next {day}"))),
        },
        ("in", n, "day" | "days") => {
            let n = count(n).ok_or_else(|| Unclear::Word(n.to_owned()))?;
            near(ahead(today, n)?, 3)
        }
        ("in", n, "week" | "weeks") => {
            let n = count(n).ok_or_else(|| Unclear::Word(n.to_owned()))?;
            in_weeks(today, n, 3).map(Some)
        }
        (n, unit @ ("day" | "days" | "week" | "weeks"), "from")
            if matches!(word(3), "now" | "today") && count(n).is_some() =>
        {
            let n = count(n).expect("just seen");
            match unit {
                "day" | "days" => near(ahead(today, n)?, 4),
                _ => in_weeks(today, n, 4).map(Some),
            }
        }
        (day, ..) if weekday(day).is_some() => weekdays(weekday(day).expect("just seen"), false, 1),
        _ => Ok(calendar_day(words, today)
            .map(|(day, taken)| Found::new(Named::Dates(day, day), taken))),
    }
}

fn in_weeks(today: Date, weeks: i64, taken: usize) -> Result<Found, Unclear> {
    let days = weeks.saturating_mul(7);
    let day = ahead(today, days)?;
    let (first, last) = of_week(today, days, days.saturating_add(6))?;
    Ok(Found {
        or: Some(format!(
            "the week from {} is meant, and not {} alone",
            told(first),
            told(day)
        )),
        ..Found::new(Named::Span(first, last), taken)
    })
}

impl Found {
    fn new(named: Named, taken: usize) -> Self {
        Self {
            named,
            taken,
            or: None,
        }
    }
}

impl Named {
    fn to(self, last: Self, today: Date) -> Result<Option<Self>, Unclear> {
        let after = |first: Weekday, last: Weekday| match i64::from(last.since(first)) {
            0 => 7,
            days => days,
        };
        Ok(Some(match (self, last) {
            (Self::Weekdays(first), Self::Weekdays(last)) if first.is_next || !last.is_next => {
                let weeks = i64::from(first.is_next && last.is_next);
                let offset = |day: Weekday| i64::from(day.to_monday_zero_offset());
                let more = match weeks {
                    0 => after(first.first, last.first),
                    _ => offset(last.first) - offset(first.first),
                };
                let said = format!("{} to {}", first.said, last.said);
                Self::Weekdays(Weekdays {
                    more,
                    said,
                    ..first
                })
            }
            (Self::Weekdays(first), Self::Weekdays(last)) => {
                Self::Near(first.alone(today)?, last.alone(today)?)
            }
            (Self::Weekdays(first), Self::Dates(_, last) | Self::Near(_, last)) => {
                Self::Near(first.alone(today)?, last)
            }
            (Self::Dates(first, _) | Self::Near(first, _), Self::Weekdays(last)) => {
                let last = if last.is_next {
                    last.alone(today)?
                } else {
                    ahead(first, after(first.weekday(), last.first))?
                };
                Self::Near(first, last)
            }
            (
                Self::Dates(first, _) | Self::Near(first, _),
                Self::Dates(_, last) | Self::Near(_, last),
            ) => Self::Dates(first, last),
            (Self::Span(..), _) | (_, Self::Span(..)) => return Ok(None),
        }))
    }
}

impl Weekdays {
    /// Of next week, or the next day of that name, which may be today.
    pub fn alone(&self, today: Date) -> Result<Date, Unclear> {
        if self.is_next {
            let offset = 7 + i64::from(self.first.to_monday_zero_offset());
            return Ok(of_week(today, offset, offset)?.0);
        }
        ahead(today, i64::from(self.first.since(today.weekday())))
    }

    pub fn with_more(&self, first: Date) -> Result<(Date, Date), Unclear> {
        Ok((first, ahead(first, self.more)?))
    }
}

fn number(word: &str) -> Option<i8> {
    let word = word.trim_end_matches('.');
    let ends = ["st", "nd", "rd", "th"];
    let digits = ends.iter().find_map(|end| word.strip_suffix(end));
    digits.unwrap_or(word).parse().ok()
}

/// "12 to 14 March", "March 12-14".
fn of_one_month(words: &[&str], today: Date) -> Option<(Date, Date, usize)> {
    let (day, to, name) = match words {
        [name, day, between, to, ..] if is_to(between) && month(name).is_some() => (day, to, name),
        [day, between, to, name, ..] if is_to(between) => (day, to, name),
        _ => return None,
    };
    number(to)?;
    let after = words.get(4).copied().unwrap_or_default();
    let is_name_first = month(words[0]).is_some();
    if is_name_first && (month(after).is_some() || matches!(after, "am" | "pm" | "oclock")) {
        return None;
    }
    let (first, taken) = calendar_day(&[day, name, after], today)?;
    let last = Date::new(first.year(), month(name)?, number(to)?).ok()?;
    Some((first, last, taken + 2))
}

/// "2026-03-12", "12 March", "12th of March", "March 12th, 2027"; without a year the next such day.
fn calendar_day(words: &[&str], today: Date) -> Option<(Date, usize)> {
    let first = words.first()?;
    if let Ok(day) = first.parse::<Date>() {
        return Some((day, 1));
    }
    let skipped = usize::from(words.get(1) == Some(&"of"));
    let second = words.get(1 + skipped)?;
    let (day, month) = match (number(first), month(second)) {
        (Some(day), Some(month)) => (day, month),
        _ if skipped == 1 => return None,
        _ => (number(second)?, month(first)?),
    };
    let year = words.get(2 + skipped).and_then(|it| it.parse::<i16>().ok());
    if let Some(year) = year.filter(|it| *it > 1970) {
        return Some((Date::new(year, month, day).ok()?, 3 + skipped));
    }
    let this_year = Date::new(today.year(), month, day).ok();
    let next_year = || Date::new(today.year() + 1, month, day).ok();
    let day = this_year.filter(|it| *it >= today).or_else(next_year)?;
    Some((day, 2 + skipped))
}
