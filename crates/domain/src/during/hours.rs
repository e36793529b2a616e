//! Times of day: "afternoon", "after 14:00", "between 2 and 4pm", "at 3". Days are not known here.

use super::Unclear;
use super::words::is_to;

/// Since midnight; 1440 is the day's end.
pub type Minutes = u16;

const HALF_DAY: Minutes = 12 * 60;
const DAY: Minutes = 24 * 60;
/// Who says "at 6" without more means the afternoon, and by "at 7" the morning.
const AFTERNOON_HOUR_MAX: Minutes = 6;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours {
    pub from: Minutes,
    pub to: Minutes,
    kind: Kind,
    /// The same twelve hours earlier or later, where neither am nor pm was said.
    other: Option<(Minutes, Minutes)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A part of the day, and how far it reaches for one who also names a clock time: "11 in the evening".
    Named(Minutes, Minutes),
    /// "after 14:00", "before noon".
    Open,
    Closed,
    /// Only where it begins was said.
    Hour,
}

/// The first thing that the words say, if it is a time of day, and how many of them it takes.
pub fn hours(words: &[&str]) -> Result<Option<(Hours, usize)>, Unclear> {
    let Some(word) = words.first().copied() else {
        return Ok(None);
    };
    let rest = &words[1..];
    let next = rest.first().copied().unwrap_or_default();
    let with_word = |found: Option<(Hours, usize)>| found.map(|(hours, taken)| (hours, taken + 1));
    Ok(match word {
        "between" => {
            let found = closed(rest, |it| it == "and" || is_to(it))?;
            Some(with_word(found).ok_or_else(|| Unclear::Word(word.to_owned()))?)
        }
        "at" | "around" | "about" => {
            let found = match closed(rest, is_to)? {
                Some(found) => Some(found),
                None if word == "at" => hour(rest),
                None => named(rest).or_else(|| hour(rest)),
            };
            with_word(found)
        }
        "after" | "from" | "since" => match closed(rest, is_to)? {
            Some(found) => with_word(Some(found)),
            None if matches!(next, "lunch" | "lunchtime") => {
                Some((Hours::new(13 * 60, DAY, Kind::Open), 2))
            }
            None => Clock::read(rest).map(|(clock, taken)| {
                let onwards = rest.get(taken).copied().unwrap_or_default();
                let more = usize::from(matches!(onwards, "on" | "onward" | "onwards"));
                (clock.open(|at| (at, DAY)), 1 + taken + more)
            }),
        },
        "before" if matches!(next, "lunch" | "lunchtime") => {
            Some((Hours::new(0, 12 * 60, Kind::Open), 2))
        }
        "before" | "until" | "till" | "by" => Clock::read(rest).map(|(clock, taken)| {
            let hours = clock.open(|at| (0, if at == 0 { DAY } else { at }));
            (hours, 1 + taken)
        }),
        _ => match closed(words, is_to)? {
            Some(found) => Some(found),
            None => named(words).or_else(|| {
                hour(words).filter(|_| Clock::read(words).is_some_and(|it| it.0.is_plain))
            }),
        },
    })
}

pub fn is_named(word: &str) -> bool {
    named(&[word]).is_some()
}

/// "afternoon", "late afternoon", "all day".
fn named(words: &[&str]) -> Option<(Hours, usize)> {
    let of = |from: Minutes, to: Minutes, begin: Minutes, end: Minutes| {
        Hours::new(from * 60, to * 60, Kind::Named(begin * 60, end * 60))
    };
    let word = words.first().copied()?;
    let part = |word: &str| {
        Some(match word {
            "morning" | "mornings" => of(6, 12, 0, 12),
            "afternoon" | "afternoons" => of(12, 18, 12, 18),
            "evening" | "evenings" | "night" | "nights" | "tonight" => of(18, 22, 17, 24),
            _ => return None,
        })
    };
    match word {
        "noon" | "midday" | "lunch" | "lunchtime" => Some((of(11, 14, 11, 14), 1)),
        "all" if words.get(1) == Some(&"day") => Some((of(0, 24, 0, 24), 2)),
        "early" | "late" => {
            let mut hours = part(words.get(1)?)?;
            let half = hours.from.midpoint(hours.to);
            if word == "early" {
                hours.to = half;
            } else {
                hours.from = half;
            }
            Some((hours, 2))
        }
        _ => Some((part(word)?, 1)),
    }
}

fn hour(words: &[&str]) -> Option<(Hours, usize)> {
    let (clock, taken) = Clock::read(words)?;
    let mut hours = clock.open(|at| (at, (at + 60).min(DAY)));
    hours.kind = Kind::Hour;
    (clock.at < DAY).then_some((hours, taken))
}

/// "9 to 11", "2-4pm".
fn closed(words: &[&str], is_between: fn(&str) -> bool) -> Result<Option<(Hours, usize)>, Unclear> {
    let Some((from, taken)) = Clock::read(words) else {
        return Ok(None);
    };
    let rest = &words[taken..];
    let Some((to, more)) = rest
        .split_first()
        .filter(|(word, _)| is_between(word))
        .and_then(|(_, rest)| Clock::read(rest))
    else {
        return Ok(None);
    };
    Ok(Some((from.to(to)?, taken + 1 + more)))
}

impl Hours {
    fn new(from: Minutes, to: Minutes, kind: Kind) -> Self {
        Self {
            from,
            to,
            kind,
            other: None,
        }
    }

    pub fn from_now_on(now: Minutes) -> Self {
        Self::new(now, DAY, Kind::Open)
    }

    pub fn is_end_assumed(&self) -> bool {
        self.kind == Kind::Hour
    }

    /// What is in both: "Tuesday afternoon after 3".
    pub fn and(&self, second: &Self) -> Result<Self, Unclear> {
        let ways = |it: &Self, with: &Self| {
            let is_clock = matches!(with.kind, Kind::Closed | Kind::Hour);
            match it.kind {
                Kind::Named(from, to) if is_clock => vec![(from, to)],
                _ => [Some((it.from, it.to)), it.other]
                    .into_iter()
                    .flatten()
                    .collect(),
            }
        };
        let mut found = Vec::new();
        for a in ways(self, second) {
            for b in ways(second, self) {
                let both = (a.0.max(b.0), a.1.min(b.1));
                if both.0 < both.1 {
                    // "after 7" says nothing about an evening, unless it is 19:00.
                    let is_idle = (self.other.is_some() && both == b)
                        || (second.other.is_some() && both == a);
                    found.push((is_idle, both));
                }
            }
        }
        found.sort_by_key(|(is_idle, _)| *is_idle);
        let (_, (from, to)) = *found.first().ok_or(Unclear::OtherHours)?;
        let kind = match (self.kind, second.kind) {
            (Kind::Hour, _) | (_, Kind::Hour) => Kind::Hour,
            _ => Kind::Closed,
        };
        Ok(Self::new(from, to, kind))
    }

    /// Told where the words could as well mean the other half of the day.
    pub fn or(&self) -> Option<String> {
        let (from, to) = self.other?;
        let is_guess = self.from.max(self.to % DAY) >= HALF_DAY || self.kind == Kind::Hour;
        let told = |at: Minutes| format!("{:02}:{:02}", at / 60 % 24, at % 60);
        is_guess.then(|| {
            format!(
                "neither am nor pm was said: {}–{} is taken, and not {}–{}",
                told(self.from),
                told(self.to),
                told(from),
                told(to)
            )
        })
    }
}

#[derive(Debug, Clone, Copy)]
struct Clock {
    at: Minutes,
    half: Option<Half>,
    /// It can be in either half of the day.
    is_either: bool,
    /// More than a number, so nothing but a time.
    is_plain: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Half {
    Am,
    Pm,
}

impl Clock {
    /// "9", "9:30", "3pm", "3 pm", "15.30", "15h", "3 o'clock", "noon".
    fn read(words: &[&str]) -> Option<(Self, usize)> {
        let word = words.first()?.trim_end_matches('.');
        if matches!(word, "noon" | "midday") {
            let noon = Self {
                at: HALF_DAY,
                half: None,
                is_either: false,
                is_plain: true,
            };
            return Some((noon, 1));
        }
        let halves = |word: &str| match word {
            "am" | "a.m" => Some(Half::Am),
            "pm" | "p.m" => Some(Half::Pm),
            _ => None,
        };
        let end =
            word.find(|letter: char| !(letter.is_ascii_digit() || matches!(letter, ':' | '.')));
        let (digits, tail) = word.split_at(end.unwrap_or(word.len()));
        let second = words.get(1).copied().unwrap_or_default();
        let (half, is_in_full, taken) = match tail {
            "" if halves(second).is_some() => (halves(second), false, 2),
            "" if second == "oclock" => (None, true, 2),
            "" => (None, false, 1),
            "h" => (None, true, 1),
            _ => (Some(halves(tail)?), false, 1),
        };
        let (hour, minute) = digits.split_once([':', '.']).unwrap_or((digits, "0"));
        let is_24_hours = hour.starts_with('0') || tail == "h";
        let is_plain = half.is_some() || is_in_full || digits.contains(':');
        let number = |digits: &str| digits.parse::<u8>().ok().map(Minutes::from);
        let (hour, minute) = (number(hour)?, number(minute)?);
        let is_on_a_dial = (1..=12).contains(&hour);
        if minute > 59 || hour * 60 + minute > DAY || (half.is_some() && !is_on_a_dial) {
            return None;
        }
        let hour = match half {
            Some(Half::Pm) => hour % 12 + 12,
            Some(Half::Am) => hour % 12,
            None => hour,
        };
        let clock = Self {
            at: hour * 60 + minute,
            half,
            is_either: half.is_none() && !is_24_hours && (1..12).contains(&hour),
            is_plain,
        };
        Some((clock, taken))
    }

    /// First what is likelier.
    fn ways(self) -> Vec<Minutes> {
        let later = self.at + HALF_DAY;
        match self.is_either {
            false => vec![self.at],
            true if self.at / 60 <= AFTERNOON_HOUR_MAX => vec![later, self.at],
            true => vec![self.at, later],
        }
    }

    fn open(self, stretch: fn(Minutes) -> (Minutes, Minutes)) -> Hours {
        let ways = self.ways();
        let (from, to) = stretch(ways[0]);
        Hours {
            other: ways.get(1).map(|at| stretch(*at)),
            ..Hours::new(from, to, Kind::Open)
        }
    }

    /// What one of the two leaves open the other one says: "2-4pm", "9am to 5", "11-2pm".
    fn to(self, end: Self) -> Result<Hours, Unclear> {
        let end_at = |at: Minutes| if at == 0 { DAY } else { at };
        let earlier_first = |clock: Self, half: Option<Half>| match half {
            Some(Half::Pm) => vec![clock.at + HALF_DAY, clock.at],
            _ => vec![clock.at, clock.at + HALF_DAY],
        };
        let (begins, ends) = match (self.is_either, end.is_either) {
            (true, true) => (vec![self.ways()[0]], vec![end.at, end.at + HALF_DAY]),
            (true, false) if end.half == Some(Half::Pm) => {
                (earlier_first(self, end.half), vec![end.at])
            }
            (true, false) => (vec![self.at], vec![end_at(end.at)]),
            (false, true) => (vec![self.at], earlier_first(end, self.half)),
            (false, false) => (vec![self.at], vec![end_at(end.at)]),
        };
        let fits = |begins: &[Minutes], ends: &[Minutes]| {
            begins
                .iter()
                .flat_map(|from| ends.iter().map(move |to| (*from, *to)))
                .find(|(from, to)| from < to)
        };
        let (from, to) = fits(&begins, &ends).ok_or(Unclear::Hours)?;
        let other = |at: Minutes| (at + HALF_DAY) % DAY;
        let other = (other(from), end_at(other(to)));
        let is_either = self.is_either && end.is_either && other.0 < other.1;
        Ok(Hours {
            other: is_either.then_some(other),
            ..Hours::new(from, to, Kind::Closed)
        })
    }
}
