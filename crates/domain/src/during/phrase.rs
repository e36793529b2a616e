//! A whole phrase: which times of day belong to which days, and which days those are.

use jiff::Zoned;
use jiff::civil::Date;

use super::days::{Found, Named, Weekdays, ahead, days, told};
use super::hours::{Hours, Minutes, hours};
use super::{Part, Unclear};

/// What lies between one "or" and the next.
#[derive(Debug, Default)]
struct Segment {
    day: Day,
    hours: Option<Hours>,
    /// "afternoons on Tuesday or Thursday".
    is_hours_first: bool,
}

/// All that is said of one day, or of days in a row.
#[derive(Debug, Default, Clone)]
struct Day {
    dates: Option<(Date, Date)>,
    near: Option<(Date, Date)>,
    span: Option<(Date, Date)>,
    weekdays: Option<Weekdays>,
}

/// Every day is meant at every time of day.
#[derive(Debug, Default)]
struct Clause {
    days: Vec<Day>,
    hours: Vec<Hours>,
    is_hours_first: bool,
}

#[derive(Debug)]
pub struct Phrase<'a> {
    now: &'a Zoned,
    segments: Vec<Segment>,
    or: Vec<String>,
}

/// How a question begins that asks for days and times: "Am I free on Tuesday?", "When do we have time next week?".
const ASKING: [&str; 24] = [
    "am",
    "i",
    "is",
    "are",
    "we",
    "you",
    "do",
    "does",
    "have",
    "has",
    "can",
    "could",
    "free",
    "available",
    "open",
    "when",
    "what",
    "about",
    "how",
    "got",
    "there",
    "meet",
    "slots",
    "anything",
];
/// How it may end.
const ASKED: [&str; 5] = ["free", "available", "open", "meet", "please"];

/// Without what only asks.
fn asked<'w>(words: &'w [&'w str]) -> &'w [&'w str] {
    let first = words.iter().position(|word| !ASKING.contains(word));
    let last = words.iter().rposition(|word| !ASKED.contains(word));
    match (first, last) {
        (Some(first), Some(last)) if first <= last => &words[first..=last],
        _ => &[],
    }
}

impl<'a> Phrase<'a> {
    pub fn read(words: &[&str], now: &'a Zoned) -> Result<Self, Unclear> {
        let words = asked(words);
        let mut it = Self {
            now,
            segments: vec![Segment::default()],
            or: Vec::new(),
        };
        let mut rest = words;
        while !rest.is_empty() {
            rest = &rest[it.take(rest)?..];
        }
        Ok(it)
    }

    /// Gives how many words it took.
    fn take(&mut self, words: &[&str]) -> Result<usize, Unclear> {
        let word = words[0];
        if matches!(word, "and" | "or" | "&" | "plus") {
            self.segments.push(Segment::default());
            return Ok(1);
        }
        if let Some(taken) = self.later(words)? {
            return Ok(taken);
        }
        if let Some(found) = days(words, self.now)? {
            let taken = found.taken;
            self.add_day(found)?;
            if word != "tonight" {
                return Ok(taken);
            }
        }
        if let Some((hours, taken)) = hours(words)? {
            self.add_hours(hours)?;
            return Ok(taken);
        }
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
                | "anytime"
                | "sometime"
                | "either"
                | "coming"
                | "this"
                | "a"
        );
        if is_filler {
            Ok(1)
        } else {
            Err(Unclear::Word(word.to_owned()))
        }
    }

    /// "later today", "later this afternoon", "the rest of the week".
    fn later(&mut self, words: &[&str]) -> Result<Option<usize>, Unclear> {
        let (taken, rest) = match words {
            ["later", rest @ ..] => (1, rest),
            ["rest", "of", "the", "day", ..] => (4, &["today"][..]),
            ["rest", "of", "the", "week", ..] => (4, &["this", "week"][..]),
            ["rest", "of", rest @ ..] => (2, rest),
            _ => return Ok(None),
        };
        let is_time_of_today = match rest {
            ["this", "week", ..] => false,
            ["today" | "tonight", ..] => true,
            ["this", part, ..] if super::hours::is_named(part) => true,
            _ => return Err(Unclear::Word(words[0].to_owned())),
        };
        if is_time_of_today {
            let time = self.now.time();
            let now = i32::from(time.hour()) * 60 + i32::from(time.minute());
            let now = Minutes::try_from(now).expect("a time of day");
            self.add_hours(Hours::from_now_on(now))?;
        }
        if taken == 4 {
            let found = days(rest, self.now)?.expect("days");
            self.add_day(found)?;
        }
        Ok(Some(taken))
    }

    fn last(&mut self) -> &mut Segment {
        self.segments
            .last_mut()
            .expect("there is one from the start")
    }

    fn add_day(&mut self, found: Found) -> Result<(), Unclear> {
        self.or.extend(found.or);
        let day = &self.last().day;
        let is_another = match &found.named {
            Named::Weekdays(_) => day.weekdays.is_some(),
            Named::Dates(..) => day.dates.is_some(),
            Named::Near(..) => day.near.is_some(),
            Named::Span(first, last) => {
                if day.span.is_some_and(|span| span != (*first, *last)) {
                    return Err(Unclear::OtherDay(told(*first)));
                }
                false
            }
        };
        if is_another {
            self.segments.push(Segment::default());
        }
        let segment = self.last();
        segment.is_hours_first |= segment.hours.is_some() && segment.day.is_empty();
        match found.named {
            Named::Dates(first, last) => segment.day.dates = Some((first, last)),
            Named::Near(first, last) => segment.day.near = Some((first, last)),
            Named::Span(first, last) => segment.day.span = Some((first, last)),
            Named::Weekdays(weekdays) => segment.day.weekdays = Some(weekdays),
        }
        Ok(())
    }

    fn add_hours(&mut self, hours: Hours) -> Result<(), Unclear> {
        let segment = self.last();
        segment.hours = Some(match &segment.hours {
            Some(known) => known.and(&hours)?,
            None => hours,
        });
        Ok(())
    }

    pub fn parts(mut self) -> Result<(Vec<Part>, Option<String>), Unclear> {
        self.share_weeks()?;
        let mut or = std::mem::take(&mut self.or);
        let mut parts = Vec::new();
        for clause in self.clauses() {
            if clause.days.is_empty() {
                return Err(Unclear::NoDay);
            }
            or.extend(clause.hours.iter().filter_map(Hours::or));
            let hours: Vec<Option<&Hours>> = match clause.hours.as_slice() {
                [] => vec![None],
                some => some.iter().map(Some).collect(),
            };
            for day in &clause.days {
                for hours in &hours {
                    parts.extend(day.parts(*hours, self.now, &mut or)?);
                }
            }
        }
        or.dedup();
        Ok((parts, (!or.is_empty()).then(|| or.join("; "))))
    }

    /// "Tuesday and Thursday next week", "next Tuesday and Thursday": the week is said once.
    fn share_weeks(&mut self) -> Result<(), Unclear> {
        let today = self.now.date();
        let mut following = None;
        for at in (0..self.segments.len()).rev() {
            let day = &mut self.segments[at].day;
            if day.is_weekday_with_week() {
                following = day.span;
            } else if let (true, Some(span)) = (day.is_weekday_alone(), following) {
                let weekdays = day.weekdays.clone().expect("just seen");
                let coming = weekdays.alone(today)?;
                day.span = Some(span);
                if !weekdays.is_next && !(span.0..=span.1).contains(&coming) {
                    self.or.push(format!(
                        "`{}` is taken for the one of the week that is named; the coming one is {}",
                        weekdays.said,
                        told(coming)
                    ));
                }
            }
        }
        let mut before = None;
        let mut is_next = false;
        for segment in &mut self.segments {
            let day = &mut segment.day;
            if day.is_weekday_with_week() {
                before = day.span;
            } else if let (true, Some(span)) = (day.is_weekday_alone(), before) {
                day.span = Some(span);
            }
            if let Some(weekdays) = &mut day.weekdays {
                weekdays.is_next |= is_next && !weekdays.is_this && day.span.is_none();
                is_next = weekdays.is_next;
            }
        }
        Ok(())
    }

    fn clauses(&mut self) -> Vec<Clause> {
        let mut out: Vec<Clause> = Vec::new();
        let mut clause = Clause::default();
        for segment in self.segments.drain(..) {
            let has_day = !segment.day.is_empty();
            let is_whole = !clause.days.is_empty() && !clause.hours.is_empty();
            let is_new = match (has_day, segment.hours.is_some()) {
                (true, true) => is_whole,
                (true, false) => is_whole && !clause.is_hours_first,
                (false, _) => false,
            };
            if is_new {
                out.push(std::mem::take(&mut clause));
            }
            if has_day {
                clause.is_hours_first |= segment.is_hours_first || !clause.hours.is_empty();
                clause.days.push(segment.day);
            }
            clause.hours.extend(segment.hours);
        }
        out.push(clause);
        out
    }
}

impl Day {
    fn is_empty(&self) -> bool {
        self.dates.is_none()
            && self.near.is_none()
            && self.span.is_none()
            && self.weekdays.is_none()
    }

    fn is_weekday_with_week(&self) -> bool {
        self.weekdays.is_some() && self.span.is_some()
    }

    fn is_weekday_alone(&self) -> bool {
        self.weekdays.as_ref().is_some_and(|it| !it.is_this)
            && self.dates.is_none()
            && self.near.is_none()
            && self.span.is_none()
    }

    fn parts(
        &self,
        hours: Option<&Hours>,
        now: &Zoned,
        or: &mut Vec<String>,
    ) -> Result<Vec<Part>, Unclear> {
        let today = now.date();
        if let Some(days) = self.dates.or(self.near) {
            self.is_all_of(days)?;
            return Ok(vec![Part::of(days, hours)]);
        }
        let Some(weekdays) = &self.weekdays else {
            let (first, last) = self.span.ok_or(Unclear::NoDay)?;
            return Ok(vec![Part::of((first.max(today), last), hours)]);
        };
        if let Some((first, last)) = self.span {
            return of_span(weekdays, first, last)?
                .into_iter()
                .filter(|(_, last)| *last >= today)
                .map(|(first, last)| Ok(Part::of((first.max(today), last), hours)))
                .collect::<Result<Vec<Part>, Unclear>>()
                .and_then(|parts| {
                    if parts.is_empty() {
                        Err(Unclear::Past)
                    } else {
                        Ok(parts)
                    }
                });
        }
        let said = &weekdays.said;
        let first = weekdays.alone(today)?;
        let coming = ahead(today, i64::from(weekdays.first.since(today.weekday())))?;
        let part = Part::of(weekdays.with_more(first)?, hours);
        if weekdays.is_next && coming != first && coming != today {
            or.push(format!(
                "`{said}` is taken for the one of next week; the coming one is {}",
                told(coming)
            ));
        }
        if weekdays.is_next || first != today {
            let since = ahead(first, -7)?;
            if !weekdays.is_next && ahead(since, weekdays.more)? >= today && weekdays.more < 7 {
                or.push(format!(
                    "`{said}` is taken for the coming ones; those of this week end on {}",
                    told(ahead(since, weekdays.more)?)
                ));
            }
            return Ok(vec![part]);
        }
        let in_a_week = ahead(first, 7)?;
        if part.is_over(now) {
            return Ok(vec![Part::of(weekdays.with_more(in_a_week)?, hours)]);
        }
        or.push(format!(
            "`{said}` is taken for today; the next one is {}",
            told(in_a_week)
        ));
        Ok(vec![part])
    }

    /// "Tuesday 1 December" is one day only if that is a Tuesday.
    fn is_all_of(&self, (first, last): (Date, Date)) -> Result<(), Unclear> {
        let is_same = |days: Option<(Date, Date)>| days.is_none_or(|it| it == (first, last));
        let is_in =
            |span: Option<(Date, Date)>| span.is_none_or(|it| it.0 <= first && last <= it.1);
        let is_weekday = self.weekdays.as_ref().is_none_or(|it| {
            it.first == first.weekday() && it.with_more(first).is_ok_and(|days| days.1 == last)
        });
        if is_same(self.dates) && is_same(self.near) && is_in(self.span) && is_weekday {
            return Ok(());
        }
        Err(Unclear::OtherDay(told(first)))
    }
}

fn of_span(weekdays: &Weekdays, first: Date, last: Date) -> Result<Vec<(Date, Date)>, Unclear> {
    let mut out = Vec::new();
    let mut day = ahead(first, i64::from(weekdays.first.since(first.weekday())))?;
    while day <= last {
        out.push(weekdays.with_more(day)?);
        day = ahead(day, 7)?;
    }
    if out.is_empty() {
        return Err(Unclear::OtherDay(weekdays.said.clone()));
    }
    Ok(out)
}
