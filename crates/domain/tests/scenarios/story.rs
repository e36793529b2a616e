//! Reads a story. `scenarios/README.md` tells how one is written; whatever a line does not say has a default here.

use std::collections::BTreeMap;

use domain::booking::{Answer, Attendee, Booking, Party, Place, Recurrence};
use domain::event::{BookingEvent, Trigger};
use domain::lead::StatusKind;
use domain::note::Note;
use domain::profile::{Guests, Parts, Profile};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, civil};

pub struct Story {
    pub title: String,
    pub any_order: bool,
    /// The CRM's editor writes the same markdown in another way.
    pub renders_its_own_way: bool,
    pub profile: Profile,
    pub lists: Vec<List>,
    pub leads: Vec<Given>,
    pub steps: Vec<Step>,
}

#[derive(Clone)]
pub struct List {
    pub name: String,
    pub statuses: Vec<(String, StatusKind)>,
}

#[derive(Clone)]
pub struct Given {
    pub name: String,
    pub list: String,
    pub status: String,
    pub emails: Vec<String>,
    pub description: String,
}

#[derive(Clone)]
pub enum Step {
    Delivery {
        said: String,
        event: Box<BookingEvent>,
        received_at: Timestamp,
    },
    Human {
        said: String,
        does: Human,
    },
}

#[derive(Clone)]
pub enum Human {
    Sets { lead: String, status: String },
    Deletes { lead: String },
    TakesBlockOut { lead: String },
    Adds { lead: String, text: String },
    ClearsDescription { lead: String },
    DropsLastFence { lead: String },
    Moves { lead: String, list: String },
    Makes(Given),
}

/// Of the lists that a story has: what is matched first, and where new leads are made.
pub const MATCH_LISTS: [&str; 2] = ["Brokers", "Sellers"];
pub const INBOUND: &str = "Inbound Leads";

type Result<T> = std::result::Result<T, String>;

pub fn parse(text: &str) -> Result<Story> {
    let mut story = Story {
        title: String::new(),
        any_order: false,
        renders_its_own_way: false,
        profile: Profile {
            match_list_ids: MATCH_LISTS.map(str::to_owned).to_vec(),
            inbound_list_id: INBOUND.into(),
            ..Profile::default()
        },
        lists: lists(),
        leads: Vec::new(),
        steps: Vec::new(),
    };
    let mut section = "";
    let mut known = Known::default();
    for (number, line) in logical_lines(text) {
        let trimmed = line.trim();
        if trimmed == "given" || trimmed == "when" {
            section = if trimmed == "given" { "given" } else { "when" };
            continue;
        }
        let done = match section {
            "given" => given(trimmed, &mut story, &mut known),
            "when" => happens(trimmed, &mut known).map(|step| story.steps.push(step)),
            _ => {
                story.title.push_str(trimmed);
                story.title.push('\n');
                Ok(())
            }
        };
        done.map_err(|why| format!("line {number}: {why}"))?;
    }
    Ok(story)
}

/// Lines with what continues them: a line indented deeper than four goes on with the one before; a line that
/// begins with `|` is text, kept as it stands.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut out: Vec<(usize, String)> = Vec::new();
    for (i, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        if trimmed.is_empty() {
            continue;
        }
        let continues = line.len() - line.trim_start().len() >= 4;
        match out.last_mut() {
            Some((_, last)) if trimmed.starts_with('|') => {
                last.push('\n');
                last.push_str(trimmed.strip_prefix("| ").unwrap_or(&trimmed[1..]));
            }
            Some((_, last)) if continues => {
                last.push(' ');
                last.push_str(trimmed);
            }
            _ => out.push((i + 1, line.to_owned())),
        }
    }
    out
}

fn lists() -> Vec<List> {
    use StatusKind::{Closed, Custom, Done, Open};
    let statuses = |booked: &str, cancelled: &str| {
        [
            ("To do", Open),
            ("In contact", Custom),
            ("On hold", Custom),
            (booked, Custom),
            (cancelled, Custom),
            ("No show", Custom),
            ("Won", Done),
            ("Lost", Closed),
        ]
        .map(|(name, kind)| (name.to_owned(), kind))
        .to_vec()
    };
    // ClickUp keeps a spelling per list.
    vec![
        List {
            name: "Brokers".into(),
            statuses: statuses("Meeting Booked", "Meeting Cancelled"),
        },
        List {
            name: "Sellers".into(),
            statuses: statuses("meeting booked", "meeting cancelled"),
        },
        List {
            name: INBOUND.into(),
            statuses: statuses("Meeting Booked", "Meeting Cancelled"),
        },
        List {
            name: "Archive".into(),
            statuses: statuses("Meeting Booked", "Meeting Cancelled"),
        },
    ]
}

/// What earlier lines said, so that later ones need not.
struct Known {
    people: BTreeMap<String, Attendee>,
    host: Party,
    team: Vec<String>,
    bookings: BTreeMap<String, Booking>,
}

impl Default for Known {
    fn default() -> Self {
        Self {
            people: BTreeMap::new(),
            host: Party {
                name: "Nora Lindqvist".into(),
                email: "nora@lindqvist.example".into(),
                time_zone: "Europe/Stockholm".into(),
            },
            team: Vec::new(),
            bookings: BTreeMap::new(),
        }
    }
}

impl Known {
    fn person(&self, name: &str) -> Attendee {
        let (name, seat) = match name.split_once('/') {
            Some((name, seat)) => (name, Some(seat.to_owned())),
            None => (name, None),
        };
        let known = self.people.get(name).cloned();
        Attendee {
            seat,
            ..known.unwrap_or_else(|| Attendee {
                name: name.into(),
                email: format!("{}@house.example", name.to_lowercase()),
                time_zone: "Europe/London".into(),
                ..Attendee::default()
            })
        }
    }
}

fn given(line: &str, story: &mut Story, known: &mut Known) -> Result<()> {
    let mut words = Words::new(line)?;
    let first = words.next()?;
    match first.as_str() {
        "any" => story.any_order = true,
        "ClickUp" => story.renders_its_own_way = true,
        "keep" => story.profile.status_keep.push(words.next()?),
        "reopen" => story.profile.status_reopen.push(words.next()?),
        "internal" => story.profile.internal_domains.push(words.next()?),
        "guests" => story.profile.guests = Guests::Match,
        "requested" => story.profile.status_requested = Some(words.next()?),
        "booked" => {
            words.word("off")?;
            story.profile.status_booked = None;
        }
        "no-show" => story.profile.status_no_show = Some(words.next()?),
        "on" => {
            let trigger = words.next()?;
            let parts = words.rest();
            let has = |part: &str| parts.iter().any(|p| p == part);
            story.profile.on.insert(
                trigger,
                Parts {
                    status: has("status"),
                    block: has("block"),
                    comment: has("comment"),
                },
            );
        }
        "text" => {
            let trigger = words.next()?;
            story.profile.texts.insert(trigger, words.next()?);
        }
        "team" => known.team.push(words.next()?),
        "host" => {
            let host = person(&mut words)?;
            known.host = Party {
                name: host.name,
                email: host.email,
                time_zone: host.time_zone,
            };
        }
        "list" => {
            let name = words.next()?;
            words.word("without")?;
            let status = words.next()?;
            let list = story.lists.iter_mut().find(|l| l.name == name);
            list.ok_or(format!("no list {name}"))?
                .statuses
                .retain(|(n, _)| *n != status);
        }
        "person" => {
            let name = words.next()?;
            known.people.insert(name, person(&mut words)?);
        }
        "lead" => story.leads.push(lead(&mut words)?),
        other => return Err(format!("what is given by `{other}`?")),
    }
    Ok(())
}

/// `"Mira Okafor" mira@okafor.example Europe/London +4670…`
fn person(words: &mut Words) -> Result<Attendee> {
    let mut out = Attendee {
        name: words.next()?,
        time_zone: "Europe/London".into(),
        ..Attendee::default()
    };
    while let Some(word) = words.maybe() {
        match word.as_str() {
            w if w.contains('@') => out.email = word,
            w if w.starts_with('+') => out.phone = Some(word),
            _ => out.time_zone = word,
        }
    }
    Ok(out)
}

/// `"Mira Okafor" on Brokers "In contact" mira@okafor.example`, its description in lines that begin with `|`.
fn lead(words: &mut Words) -> Result<Given> {
    let name = words.next()?;
    words.word("on")?;
    let list = words.next()?;
    let mut out = Given {
        name,
        list,
        status: "To do".into(),
        emails: Vec::new(),
        description: words.text.clone(),
    };
    while let Some(word) = words.maybe() {
        if word.contains('@') {
            out.emails.push(word);
        } else {
            out.status = word;
        }
    }
    Ok(out)
}

fn happens(line: &str, known: &mut Known) -> Result<Step> {
    let mut words = Words::new(line)?;
    if line.starts_with('*') {
        words.next()?;
        return Ok(Step::Human {
            said: line.lines().next().unwrap_or_default()[1..]
                .trim()
                .to_owned(),
            does: human(&mut words)?,
        });
    }
    let at = time(&mut words)?;
    let name = words.next()?;
    let trigger = Trigger::named(&name)
        .or_else(|| Trigger::named(&format!("BOOKING_{name}")))
        .ok_or_else(|| format!("no trigger {name}"))?;
    let uid = words.next()?;
    let said = line.split_whitespace().collect::<Vec<_>>().join(" ");
    if domain::change::Kind::of(&trigger) == Some(domain::change::Kind::Note) {
        let (booking, note) = note(&uid, &trigger, &mut words, known)?;
        return Ok(Step::Delivery {
            said,
            event: Box::new(BookingEvent {
                trigger,
                created_at: Some(at),
                booking,
                note: Some(note),
            }),
            received_at: at + SignedDuration::from_secs(2),
        });
    }
    let (booking, received_at) = booking(&uid, &trigger, &mut words, known)?;
    known.bookings.insert(uid, booking.clone());
    Ok(Step::Delivery {
        said,
        event: Box::new(BookingEvent {
            trigger,
            created_at: Some(at),
            booking,
            note: None,
        }),
        received_at: received_at.unwrap_or(at + SignedDuration::from_secs(2)),
    })
}

/// A note tells of its booking only what the vendor's would: the uid, and what the line says.
fn note(uid: &str, trigger: &Trigger, words: &mut Words, known: &Known) -> Result<(Booking, Note)> {
    let mut booking = Booking::bare(uid);
    let booker = known.bookings.get(uid).map(|b| b.attendees.clone());
    let mut named: Vec<Attendee> = Vec::new();
    let mut note = match trigger {
        Trigger::NoShowUpdated => Note::NoShow { is: true },
        Trigger::HostsNoShow => Note::HostNoShow {
            host: known.host.email.clone(),
        },
        Trigger::GuestsNoShow => Note::GuestsNoShow { absent: Vec::new() },
        Trigger::PaymentInitiated | Trigger::Paid => Note::Payment {
            is_paid: *trigger == Trigger::Paid,
            amount: Some(number(words)?),
            currency: words.next()?,
            id: "7001".into(),
        },
        Trigger::LocationUpdated => Note::Location { before: None },
        Trigger::RecordingReady => Note::Recording {
            link: words.next()?,
        },
        Trigger::TranscriptReady => Note::Transcript {
            links: vec![("txt".into(), words.next()?)],
        },
        Trigger::Reassigned => Note::Reassigned,
        Trigger::MeetingStarted | Trigger::MeetingEnded => Note::Meeting {
            is_over: *trigger == Trigger::MeetingEnded,
        },
        other => return Err(format!("{} is no note of a booking", other.name())),
    };
    while let Some(word) = words.maybe() {
        match word.as_str() {
            "of" => named.push(known.person(&words.next()?)),
            "absent" => match &mut note {
                Note::GuestsNoShow { absent } => absent.push(known.person(&words.next()?).email),
                Note::HostNoShow { host } => *host = known.person(&words.next()?).email,
                _ => return Err("who is absent?".into()),
            },
            "taken-back" => note = Note::NoShow { is: false },
            "link" => booking.place.join_link = Some(words.next()?),
            "where" => booking.place.text = Some(words.next()?),
            "before" => {
                note = Note::Location {
                    before: Some(words.next()?),
                }
            }
            "to" => {
                booking.organizer.name = words.next()?;
                booking.organizer.email = words.next()?;
            }
            "zone" => {
                booking.organizer.time_zone = words.next()?;
            }
            other => return Err(format!("what is `{other}`?")),
        }
    }
    if *trigger == Trigger::NoShowUpdated {
        // Names are not sent.
        for person in &mut named {
            person.name.clear();
        }
    }
    booking.attendees = if named.is_empty() {
        booker.unwrap_or_default()
    } else {
        named
    };
    Ok((booking, note))
}

fn booking(
    uid: &str,
    trigger: &Trigger,
    words: &mut Words,
    known: &Known,
) -> Result<(Booking, Option<Timestamp>)> {
    let words = words.rest();
    // A move says again all that it does not change, and so does anything that happens to a booking.
    let named = words
        .iter()
        .position(|w| w == "from")
        .and_then(|i| words.get(i + 1));
    let names_it = |b: &&Booking| b.reschedule_uid.as_deref() == Some(uid);
    let before = known
        .bookings
        .get(uid)
        .or_else(|| named.and_then(|n| known.bookings.get(n)))
        .or_else(|| known.bookings.values().find(names_it));
    let mut out = before.cloned().unwrap_or_else(|| blank(known));
    let was_new = !known.bookings.contains_key(uid);
    uid.clone_into(&mut out.uid);
    if was_new {
        out.place = Place {
            join_link: Some(format!("https://meet.example/{uid}")),
            text: None,
        };
    }
    if words.iter().any(|w| w == "by") {
        out.notes = None;
        out.answers.clear();
    }
    out.ical_uid = None;
    out.ical_sequence = None;
    out.seat = None;
    out.reschedule_uid = None;
    out.reschedule_start = None;
    out.reschedule_end = None;
    out.rescheduled_by = None;
    out.cancellation_reason = None;
    out.cancelled_by = None;
    out.request_reschedule = false;
    out.rejection_reason = None;
    out.recurring = None;
    let mut called = out.event_title.clone().unwrap_or_default();
    let mut minutes = out.end.duration_since(out.start).as_mins();
    let mut received_at = None;
    let mut attendees: Vec<Attendee> = Vec::new();
    let mut typed = None;
    let mut title = None;
    let mut nobody = false;
    let mut words = Words {
        words: words.into_iter().rev().collect(),
        text: String::new(),
    };
    while let Some(word) = words.maybe() {
        match word.as_str() {
            "by" | "with" => attendees.push(known.person(&words.next()?)),
            "nobody" => nobody = true,
            "at" => out.start = time(&mut words)?,
            "for" => minutes = number(&mut words)?,
            "from" => out.reschedule_uid = Some(words.next()?),
            "was" => {
                let start = time(&mut words)?;
                out.reschedule_start = Some(start);
                out.reschedule_end = Some(start + SignedDuration::from_mins(minutes));
            }
            "seats" => out.seats_per_slot = Some(number(&mut words)?),
            "seat" => out.seat = Some(words.next()?),
            "asking-for-another-time" => out.request_reschedule = true,
            "through" => {
                let name = words.next()?;
                let email = if name == "host" {
                    known.host.email.clone()
                } else {
                    known.person(&name).email
                };
                match trigger {
                    Trigger::Cancelled => out.cancelled_by = Some(email),
                    _ => out.rescheduled_by = Some(email),
                }
            }
            "because" => {
                let why = Some(words.next()?);
                match trigger {
                    Trigger::Rejected => out.rejection_reason = why,
                    _ => out.cancellation_reason = why,
                }
            }
            "notes" => out.notes = Some(words.next()?),
            "answer" => {
                let label = words.next()?;
                out.answers.push(Answer {
                    slug: label.to_lowercase().replace(' ', "-"),
                    label,
                    value: words.next()?,
                });
            }
            "link" => {
                out.place = Place {
                    join_link: Some(words.next()?),
                    text: None,
                }
            }
            "where" => {
                out.place = Place {
                    join_link: None,
                    text: Some(words.next()?),
                }
            }
            "weekly" | "fortnightly" => {
                out.recurring = Some(Recurrence {
                    freq: 2,
                    count: Some(number(&mut words)?),
                    interval: if word == "weekly" { 1 } else { 2 },
                });
            }
            "calendar" => out.ical_uid = Some(format!("{}@Cal.com", words.next()?)),
            "sequence" => out.ical_sequence = Some(number(&mut words)?),
            "called" => called = words.next()?,
            "titled" => title = Some(words.next()?),
            "type" => out.event_type_id = Some(number(&mut words)?),
            "typed" => typed = Some(words.next()?),
            "platform" => out.platform_client_id = Some(words.next()?),
            "received" => received_at = Some(time(&mut words)?),
            other => return Err(format!("what is `{other}`?")),
        }
    }
    out.end = out.start + SignedDuration::from_mins(minutes);
    if let Some(booker) = attendees.first() {
        out.responses_email = Some(booker.email.clone());
        out.responses_name = Some(booker.name.clone());
        out.title = format!(
            "{called} between {} and {}",
            out.organizer.name, booker.name
        );
        out.attendees = attendees;
    }
    if out.attendees.is_empty() != nobody {
        return Err(format!("who is at {uid}?"));
    }
    if out.start == Timestamp::UNIX_EPOCH {
        return Err(format!("when is {uid}?"));
    }
    out.event_title = Some(called);
    if typed.is_some() {
        out.responses_email = typed;
    }
    if let Some(title) = title {
        out.title = title;
    }
    Ok((out, received_at))
}

fn blank(known: &Known) -> Booking {
    let start = Timestamp::UNIX_EPOCH;
    Booking {
        event_title: Some("Intro call".into()),
        event_type_id: Some(7),
        end: start + SignedDuration::from_mins(30),
        organizer: known.host.clone(),
        team_emails: known.team.clone(),
        ..Booking::bare("")
    }
}

fn human(words: &mut Words) -> Result<Human> {
    let verb = words.next()?;
    if verb == "makes" {
        words.word("lead")?;
        return lead(words).map(Human::Makes);
    }
    let lead = words.next()?;
    Ok(match verb.as_str() {
        "sets" => {
            words.word("to")?;
            Human::Sets {
                lead,
                status: words.next()?,
            }
        }
        "deletes" => Human::Deletes { lead },
        "takes-the-block-out-of" => Human::TakesBlockOut { lead },
        "adds-to" => Human::Adds {
            lead,
            text: words.text.clone(),
        },
        "clears" => Human::ClearsDescription { lead },
        "drops-the-last-fence-of" => Human::DropsLastFence { lead },
        "moves" => {
            words.word("to")?;
            Human::Moves {
                lead,
                list: words.next()?,
            }
        }
        other => return Err(format!("nobody knows how to `{other}`")),
    })
}

/// `10 Sep 14:00`, in UTC and, unless said, in 2026.
fn time(words: &mut Words) -> Result<Timestamp> {
    let day: i8 = number(words)?.try_into().map_err(|_| "no such day")?;
    let month = words.next()?;
    let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let month = months.iter().position(|m| *m == month);
    let month = month.ok_or("no such month")? as i8 + 1;
    let mut clock = words.next()?;
    let mut year = 2026;
    if !clock.contains(':') {
        year = clock.parse().map_err(|_| format!("no year: {clock}"))?;
        clock = words.next()?;
    }
    let (hour, minute) = clock.split_once(':').ok_or("no time of day")?;
    let parse = |s: &str| s.parse::<i8>().map_err(|_| format!("no time: {s}"));
    civil::date(year, month, day)
        .at(parse(hour)?, parse(minute)?, 0, 0)
        .to_zoned(TimeZone::UTC)
        .map(|z| z.timestamp())
        .map_err(|e| e.to_string())
}

fn number(words: &mut Words) -> Result<i64> {
    let word = words.next()?;
    word.parse().map_err(|_| format!("`{word}` is no number"))
}

/// The words of a line, last first; what stands in quotes is one. Commas and colons at a word's end say nothing.
struct Words {
    words: Vec<String>,
    /// The lines that began with `|`.
    text: String,
}

impl Words {
    fn new(line: &str) -> Result<Self> {
        let (line, text) = line.split_once('\n').unwrap_or((line, ""));
        let mut words = Vec::new();
        let mut rest = line.trim_start();
        while !rest.is_empty() {
            if let Some(quoted) = rest.strip_prefix('"') {
                let end = quoted.find('"').ok_or("a quote stays open")?;
                words.push(unescape(&quoted[..end])?);
                rest = quoted[end + 1..].trim_start_matches([',', ':', ' ']);
            } else {
                let end = rest.find(' ').unwrap_or(rest.len());
                words.push(rest[..end].trim_end_matches([',', ':']).to_owned());
                rest = rest[end..].trim_start();
            }
        }
        words.reverse();
        Ok(Self {
            words,
            text: text.to_owned(),
        })
    }

    fn next(&mut self) -> Result<String> {
        self.words.pop().ok_or_else(|| "the line ends early".into())
    }

    fn maybe(&mut self) -> Option<String> {
        self.words.pop()
    }

    fn word(&mut self, expected: &str) -> Result<()> {
        let word = self.next()?;
        (word == expected)
            .then_some(())
            .ok_or(format!("`{expected}` should stand where `{word}` does"))
    }

    fn rest(&mut self) -> Vec<String> {
        let mut words = std::mem::take(&mut self.words);
        words.reverse();
        words
    }
}

/// `\n`, `\q` for a quote, `\u{202e}`, and `\*{2100}x` for a text that repeats.
fn unescape(text: &str) -> Result<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let tail = &rest[at + 1..];
        let braced = || {
            let inner = tail[1..].strip_prefix('{')?;
            inner.split_once('}')
        };
        match tail.chars().next() {
            Some('n') => {
                out.push('\n');
                rest = &tail[1..];
            }
            Some('q') => {
                out.push('"');
                rest = &tail[1..];
            }
            Some('u') => {
                let (hex, after) = braced().ok_or("\\u{…}")?;
                let code = u32::from_str_radix(hex, 16).map_err(|e| e.to_string())?;
                out.push(char::from_u32(code).ok_or("no such character")?);
                rest = after;
            }
            Some('*') => {
                let (count, after) = braced().ok_or("\\*{…}")?;
                let (what, after) = after.split_once("\\*").ok_or("\\*{n}what\\*")?;
                let count: usize = count.parse().map_err(|_| "no count")?;
                out.push_str(&what.repeat(count));
                rest = after;
            }
            _ => {
                out.push('\\');
                rest = tail;
            }
        }
    }
    out.push_str(rest);
    Ok(out)
}
