//! Which time somebody means by "next Tuesday afternoon". Days are civil days in one zone, so a day on which clocks are
//! changed has 23 or 25 hours. What is free then is not known here.

mod words;

use jiff::civil::{Date, Time, Weekday, time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned};

use words::{clock, month, weekday};

const DAYS_MAX: i32 = 62;
const WORDS_MAX: usize = 24;

/// On each of these days, from one time of day to another; `to` at midnight is the day's end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct During {
    pub first: Date,
    /// The last one, included.
    pub last: Date,
    pub from: Time,
    pub to: Time,
    /// What else it could mean, for people.
    pub or: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unclear {
    #[error("`{0}` is no time that is understood here")]
    Word(String),
    #[error("no day is named")]
    NoDay,
    #[error("the last day is before the first, or more than {DAYS_MAX} days after it")]
    Days,
    #[error("the time of day ends before it begins")]
    Hours,
}

pub const EXAMPLES: &str = "today, tomorrow morning, Tuesday afternoon, next week, 12 March after 14:00, \
     2026-03-12, 2026-03-09 to 2026-03-13 between 9 and 11";

impl During {
    pub fn days(first: Date, last: Date) -> Self {
        Self {
            first,
            last,
            from: Time::midnight(),
            to: Time::midnight(),
            or: None,
        }
    }

    /// One stretch a day, in order.
    pub fn stretches(&self, zone: &TimeZone) -> Vec<(Timestamp, Timestamp)> {
        let at = |day: Date, time: Time| day.to_datetime(time).to_zoned(zone.clone()).ok();
        let mut out = Vec::new();
        let mut day = self.first;
        while day <= self.last && out.len() <= DAYS_MAX as usize {
            let Ok(next) = day.tomorrow() else { break };
            let end = if self.to == Time::midnight() {
                at(next, self.to)
            } else {
                at(day, self.to)
            };
            if let (Some(begin), Some(end)) = (at(day, self.from), end) {
                let (begin, end) = (begin.timestamp(), end.timestamp());
                if begin < end {
                    out.push((begin, end));
                }
            }
            day = next;
        }
        out
    }

    fn checked(self) -> Result<Self, Unclear> {
        let days = self.first.until(self.last).map_err(|_| Unclear::Days)?;
        if !(0..DAYS_MAX).contains(&days.get_days()) {
            return Err(Unclear::Days);
        }
        if self.to != Time::midnight() && self.to <= self.from {
            return Err(Unclear::Hours);
        }
        Ok(self)
    }
}

/// What the words mean to somebody for whom it is `now`.
pub fn during(words: &str, now: &Zoned) -> Result<During, Unclear> {
    let lower = words.to_lowercase().replace(['–', '—'], "-");
    let spaced = lower
        .replace("..", " to ")
        .replace([',', ';', '?', '!', '"', '\''], " ");
    let words: Vec<&str> = spaced.split_whitespace().take(WORDS_MAX).collect();
    let mut reading = Reading {
        today: now.date(),
        days: None,
        hours: None,
        or: None,
    };
    let mut rest: &[&str] = &words;
    while !rest.is_empty() {
        let taken = reading.take(rest)?;
        rest = &rest[taken.clamp(1, rest.len())..];
    }
    let (first, last) = reading.days.ok_or(Unclear::NoDay)?;
    let (from, to) = reading.hours.unwrap_or_default();
    During {
        from,
        to,
        or: reading.or,
        ..During::days(first, last)
    }
    .checked()
}

struct Reading {
    today: Date,
    days: Option<(Date, Date)>,
    hours: Option<(Time, Time)>,
    or: Option<String>,
}

impl Reading {
    /// Gives how many words it took.
    fn take(&mut self, words: &[&str]) -> Result<usize, Unclear> {
        let word = words[0].trim_matches('.');
        let second = words.get(1).copied().unwrap_or_default();
        let third = words.get(2).copied().unwrap_or_default();
        let is_filler = matches!(
            word,
            "on" | "the"
                | "in"
                | "at"
                | "for"
                | "of"
                | "during"
                | "any"
                | "time"
                | "coming"
                | "this"
                | "and"
                | "a"
                | ""
        );
        if word == "day" && second == "after" && third == "tomorrow" {
            self.is_day(self.ahead(2)?);
            return Ok(3);
        }
        if matches!(word, "this" | "coming") && weekday(second).is_some() {
            self.is_day(self.coming(weekday(second).expect("just seen"))?);
            return Ok(2);
        }
        if let Some(taken) = self.week(word, second, third)? {
            return Ok(taken);
        }
        if let Some(taken) = self.hours(word, words)? {
            return Ok(taken);
        }
        match word {
            "today" => self.is_day(self.today),
            "tonight" => {
                self.is_day(self.today);
                self.hours = Some((time(18, 0, 0, 0), time(22, 0, 0, 0)));
            }
            "tomorrow" => self.is_day(self.ahead(1)?),
            "to" | "until" | "till" | "through" | "-" => {
                return self.range(&words[1..]).map(|n| n + 1);
            }
            _ if weekday(word).is_some() => {
                self.is_day(self.coming(weekday(word).expect("just seen"))?);
            }
            _ => {
                if let Some((day, taken)) = self.calendar_day(words) {
                    self.is_day(day);
                    return Ok(taken);
                }
                if !is_filler {
                    return Err(Unclear::Word(word.to_owned()));
                }
            }
        }
        Ok(1)
    }

    fn is_day(&mut self, day: Date) {
        self.days = Some((day, day));
    }

    fn ahead(&self, days: i64) -> Result<Date, Unclear> {
        self.today
            .checked_add(Span::new().try_days(days).map_err(|_| Unclear::Days)?)
            .map_err(|_| Unclear::Days)
    }

    /// Today, or the next day of that name.
    fn coming(&self, weekday: Weekday) -> Result<Date, Unclear> {
        let ahead = weekday.since(self.today.weekday());
        self.ahead(i64::from(ahead))
    }

    /// "next week", "next Tuesday", "next 5 days", "in 3 days", "this week", "weekend".
    fn week(&mut self, word: &str, second: &str, third: &str) -> Result<Option<usize>, Unclear> {
        let monday = i64::from(self.today.weekday().to_monday_zero_offset());
        let of_week =
            |from: i64, to: i64| Ok((self.ahead(from - monday)?, self.ahead(to - monday)?));
        let (days, taken) = match (word, second, third) {
            ("next", "week", _) => (of_week(7, 13)?, 2),
            ("this", "week", _) => ((self.today, of_week(0, 6)?.1), 2),
            ("next", "weekend", _) => (of_week(12, 13)?, 2),
            ("this" | "coming", "weekend", _) => (of_week(5, 6)?, 2),
            ("weekend", ..) => (of_week(5, 6)?, 1),
            ("next" | "coming", n, "days") => {
                let n: i64 = n.parse().map_err(|_| Unclear::Word(n.to_owned()))?;
                ((self.today, self.ahead(n - 1)?), 3)
            }
            ("in", n, "days" | "day") => {
                let n: i64 = n.parse().map_err(|_| Unclear::Word(n.to_owned()))?;
                ((self.ahead(n)?, self.ahead(n)?), 3)
            }
            ("next", day, _) => {
                let Some(weekday) = weekday(day) else {
                    return Err(Unclear::Word(format!("next {day}")));
                };
                let offset = i64::from(weekday.to_monday_zero_offset());
                let (said, _) = of_week(7 + offset, 7 + offset)?;
                let coming = self.coming(weekday)?;
                if coming != said && coming != self.today {
                    let coming = coming.strftime("%a %-d %b %Y");
                    self.or = Some(format!(
                        "`next {day}` is taken for the one of next week; the coming one is {coming}"
                    ));
                }
                ((said, said), 2)
            }
            _ => return Ok(None),
        };
        self.days = Some(days);
        Ok(Some(taken))
    }

    fn range(&mut self, words: &[&str]) -> Result<usize, Unclear> {
        let Some((first, _)) = self.days else {
            return Err(Unclear::NoDay);
        };
        let Some(word) = words.first() else {
            return Err(Unclear::Days);
        };
        if let Some(weekday) = weekday(word) {
            let ahead = i64::from(weekday.since(first.weekday()));
            let last = first
                .checked_add(Span::new().days(ahead))
                .map_err(|_| Unclear::Days)?;
            self.days = Some((first, last));
            return Ok(1);
        }
        let Some((last, taken)) = self.calendar_day(words) else {
            return Err(Unclear::Word((*word).to_owned()));
        };
        self.days = Some((first, last));
        Ok(taken)
    }

    fn hours(&mut self, word: &str, words: &[&str]) -> Result<Option<usize>, Unclear> {
        let begin = self.hours.unwrap_or_default().0;
        let span = |from: i8, to: i8| (time(from, 0, 0, 0), time(to, 0, 0, 0));
        let (hours, taken) = match word {
            "morning" | "mornings" => (span(6, 12), 1),
            "noon" | "midday" | "lunch" | "lunchtime" => (span(11, 14), 1),
            "afternoon" | "afternoons" => (span(12, 18), 1),
            "evening" | "evenings" => (span(18, 22), 1),
            "after" | "from" | "since" if clock(&words[1..]).is_some() => {
                let (from, taken) = clock(&words[1..]).expect("just seen");
                let to = words
                    .get(1 + taken)
                    .filter(|w| matches!(**w, "to" | "until" | "till" | "-"));
                match to.and_then(|_| clock(&words[2 + taken..])) {
                    Some((to, more)) => ((from, to), 2 + taken + more),
                    None => ((from, Time::midnight()), 1 + taken),
                }
            }
            "before" | "until" | "till" | "by" if clock(&words[1..]).is_some() => {
                let (to, taken) = clock(&words[1..]).expect("just seen");
                ((begin, to), 1 + taken)
            }
            "between" => {
                let said = clock(&words[1..]).and_then(|(from, taken)| {
                    let between = *words.get(1 + taken)?;
                    let (to, more) = clock(words.get(2 + taken..)?)?;
                    matches!(between, "and" | "to" | "-").then_some(((from, to), 2 + taken + more))
                });
                said.ok_or_else(|| Unclear::Word("between".to_owned()))?
            }
            _ => match word
                .split_once('-')
                .and_then(|(from, to)| Some((clock(&[from])?.0, clock(&[to])?.0)))
            {
                Some(hours) => (hours, 1),
                None => return Ok(None),
            },
        };
        self.hours = Some(hours);
        Ok(Some(taken))
    }

    /// "2026-03-12", "12 March", "March 12th, 2027"; without a year the next such day.
    fn calendar_day(&self, words: &[&str]) -> Option<(Date, usize)> {
        if let Ok(day) = words[0].parse::<Date>() {
            return Some((day, 1));
        }
        let second = words.get(1)?;
        let number = |word: &str| -> Option<i8> {
            word.trim_end_matches(['.'])
                .trim_end_matches("st")
                .trim_end_matches("nd")
                .trim_end_matches("rd")
                .trim_end_matches("th")
                .parse()
                .ok()
        };
        let (day, month) = match (number(words[0]), month(second)) {
            (Some(day), Some(month)) => (day, month),
            _ => (number(second)?, month(words[0])?),
        };
        if let Some(year) = words
            .get(2)
            .and_then(|w| w.parse::<i16>().ok())
            .filter(|y| *y > 1970)
        {
            return Some((Date::new(year, month, day).ok()?, 3));
        }
        let this_year = Date::new(self.today.year(), month, day).ok();
        let next_year = || Date::new(self.today.year() + 1, month, day).ok();
        let day = this_year.filter(|d| *d >= self.today).or_else(next_year)?;
        Some((day, 2))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    /// A Wednesday.
    fn read(words: &str) -> Result<String, Unclear> {
        let now = "2026-11-25T10:00[Europe/Stockholm]"
            .parse()
            .expect("a time");
        let it = during(words, &now)?;
        let day = |d: Date| d.strftime("%a %-d %b").to_string();
        let days = if it.first == it.last {
            day(it.first)
        } else {
            format!("{} to {}", day(it.first), day(it.last))
        };
        let hours = |t: Time| t.strftime("%H:%M").to_string();
        Ok(if it.from == it.to {
            days
        } else {
            format!("{days}, {}–{}", hours(it.from), hours(it.to))
        })
    }

    #[test]
    fn what_people_say_means_these_times() {
        for (said, means) in [
            ("today", "Wed 25 Nov"),
            ("Tomorrow morning", "Thu 26 Nov, 06:00–12:00"),
            ("the day after tomorrow", "Fri 27 Nov"),
            ("tonight", "Wed 25 Nov, 18:00–22:00"),
            ("Tuesday afternoon", "Tue 1 Dec, 12:00–18:00"),
            ("next Tuesday afternoon?", "Tue 1 Dec, 12:00–18:00"),
            ("on Wednesday", "Wed 25 Nov"),
            ("next Friday", "Fri 4 Dec"),
            ("this Friday", "Fri 27 Nov"),
            ("Fri", "Fri 27 Nov"),
            ("Mondays", "Mon 30 Nov"),
            ("this week", "Wed 25 Nov to Sun 29 Nov"),
            ("next week", "Mon 30 Nov to Sun 6 Dec"),
            (
                "afternoons next week",
                "Mon 30 Nov to Sun 6 Dec, 12:00–18:00",
            ),
            ("this weekend", "Sat 28 Nov to Sun 29 Nov"),
            ("in 3 days", "Sat 28 Nov"),
            ("next 5 days", "Wed 25 Nov to Sun 29 Nov"),
            ("2026-12-03", "Thu 3 Dec"),
            ("2026-12-03..2026-12-05", "Thu 3 Dec to Sat 5 Dec"),
            (
                "2026-12-03 to 2026-12-05 between 9 and 11:30",
                "Thu 3 Dec to Sat 5 Dec, 09:00–11:30",
            ),
            ("12 March", "Fri 12 Mar"),
            ("March 12th, 2027 after 2 pm", "Fri 12 Mar, 14:00–00:00"),
            ("Dec 3 before 10", "Thu 3 Dec, 00:00–10:00"),
            ("Monday to Wednesday", "Mon 30 Nov to Wed 2 Dec"),
            ("Friday from 9 to 3pm", "Fri 27 Nov, 09:00–15:00"),
            ("friday 9-12", "Fri 27 Nov, 09:00–12:00"),
            ("Friday at lunch", "Fri 27 Nov, 11:00–14:00"),
        ] {
            assert_eq!(read(said).as_deref(), Ok(means), "{said}");
        }
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for (said, unclear) in [
            ("whenever", Unclear::Word("whenever".into())),
            ("afternoon", Unclear::NoDay),
            ("", Unclear::NoDay),
            ("next month", Unclear::Word("next month".into())),
            ("2026-12-05 to 2026-12-03", Unclear::Days),
            ("2026-12-05 to 2027-12-03", Unclear::Days),
            ("Friday between 3pm and 2pm", Unclear::Hours),
            ("31 February", Unclear::Word("31".into())),
        ] {
            assert_eq!(read(said), Err(unclear), "{said}");
        }
    }

    #[test]
    fn next_is_told_where_it_can_mean_two_days() {
        let now: Zoned = "2026-11-23T10:00[Europe/Stockholm]"
            .parse()
            .expect("a Monday");
        let it = during("next tuesday", &now).expect("understood");
        assert_eq!(it.first, date(2026, 12, 1));
        assert!(it.or.expect("a word on it").contains("Tue 24 Nov 2026"));
        let now: Zoned = "2026-11-29T10:00[Europe/Stockholm]"
            .parse()
            .expect("a Sunday");
        let it = during("next tuesday", &now).expect("understood");
        assert_eq!((it.first, it.or), (date(2026, 12, 1), None));
    }

    #[test]
    fn a_day_has_the_hours_that_it_has() {
        let zone = TimeZone::get("America/New_York").expect("a zone");
        let hours = |day: Date| {
            let all = During::days(day, day).stretches(&zone);
            assert_eq!(all.len(), 1);
            all[0].1.duration_since(all[0].0).as_hours()
        };
        assert_eq!(hours(date(2026, 3, 8)), 23);
        assert_eq!(hours(date(2026, 11, 1)), 25);
        assert_eq!(hours(date(2026, 11, 2)), 24);
        let afternoon = During {
            from: time(12, 0, 0, 0),
            to: time(18, 0, 0, 0),
            ..During::days(date(2026, 3, 7), date(2026, 3, 9))
        };
        let begins: Vec<String> = afternoon
            .stretches(&zone)
            .iter()
            .map(|(begin, _)| begin.to_string())
            .collect();
        assert_eq!(
            begins,
            [
                "2026-03-07T17:00:00Z",
                "2026-03-08T16:00:00Z",
                "2026-03-09T16:00:00Z"
            ]
        );
    }
}
