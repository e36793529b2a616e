//! What truly happens in one storm: who books, moves and cancels what, and what people do in ClickUp meanwhile. Drawn
//! from the seed before anything begins.

mod course;

use jiff::{SignedDuration, Timestamp, ToSpan as _};
use sim::cal::{Booking, Cal, Delivery, Person as Booker};

use crate::{dice, time};

pub const SECRET: &str = "whsec_storm_canary";
/// Things happen within this; deliveries may come later.
const STORY_MS: u64 = 90_000;

pub struct Story {
    pub people: Vec<Person>,
    pub events: Vec<Event>,
    pub sendings: Vec<Sending>,
    pub acts: Vec<Act>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// In ClickUp before the storm, as a broker or seller.
    InMatchList,
    InInbound,
    /// Nobody has heard of them.
    No,
    /// Left a number and no address.
    ByPhone,
}

pub struct Person {
    pub name: String,
    pub address: Option<String>,
    pub known: Known,
    /// Their record's status at the start.
    pub status: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// At once, or confirmed by the host.
    Created,
    Moved,
    Cancelled,
    /// The host asks for another time.
    Asked,
    NoShow,
    /// Waits for the host to confirm it.
    Requested,
    Declined,
    /// The same of another time for a meeting that was booked.
    MoveRequested,
    MoveConfirmed,
    MoveDeclined,
}

impl Kind {
    /// How its telling begins, without what follows. A move that nobody has told of yet is told like a first booking.
    pub fn headings(self) -> &'static [&'static str] {
        match self {
            Self::Created => &["Meeting booked"],
            Self::Moved => &["Meeting moved"],
            Self::Cancelled => &["Meeting cancelled"],
            Self::Asked => &["New time asked for"],
            Self::NoShow => &["No-show"],
            Self::Requested => &["Meeting requested"],
            Self::Declined => &["Meeting request declined"],
            Self::MoveRequested => &["New time requested"],
            Self::MoveConfirmed => &["Meeting moved", "Meeting booked"],
            Self::MoveDeclined => &["New time declined", "Meeting request declined"],
        }
    }

    /// There is a meeting from here on.
    pub fn books(self) -> bool {
        matches!(self, Self::Created | Self::Moved | Self::MoveConfirmed)
    }

    pub fn is_told_by(self, text: &str) -> bool {
        let text = text.to_lowercase();
        let mut headings = self.headings().iter();
        headings.any(|heading| text.contains(&heading.to_lowercase()))
    }

    /// Nobody was promised a time.
    pub fn only_asks(self) -> bool {
        matches!(self, Self::Requested | Self::Declined)
    }
}

/// One thing that happened at Cal.com, for one person.
#[derive(Debug, Clone)]
pub struct Event {
    pub person: usize,
    pub chain: usize,
    /// Within the chain.
    pub order: usize,
    pub kind: Kind,
    pub uid: String,
    pub start: Timestamp,
    /// The booking by which it tells whose place it takes: the one before, or the chain's first.
    pub names: Option<String>,
}

/// One request that Cal.com sends, or sends again.
#[derive(Clone)]
pub struct Sending {
    pub event: usize,
    pub at_ms: u64,
    pub delivery: Delivery,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    WritesAbove,
    WritesBelow,
    /// A status that ends a deal.
    Wins,
    Negotiates,
    Renames,
    Moves,
    Copies,
    Comments,
    /// The newest comment that calup made.
    Resolves,
    Deletes,
    /// Into another record that somebody made for it.
    Merges,
}

/// What somebody does to a person's record in ClickUp.
#[derive(Debug, Clone, Copy)]
pub struct Act {
    pub at_ms: u64,
    pub person: usize,
    pub deed: Deed,
    /// Also while the lead is in doubt: nothing finds what somebody takes away then.
    pub at_any_time: bool,
}

impl Story {
    pub fn drawn(seed: u64, beyond: bool) -> Self {
        let mut teller = Teller {
            cal: Cal::seeded("http://unused", SECRET, seed),
            story: Self {
                people: Vec::new(),
                events: Vec::new(),
                sendings: Vec::new(),
                acts: Vec::new(),
            },
            chains: 0,
            days: 0,
            beyond,
        };
        let people = dice::one(&[1, 1, 2, 3, 4]);
        for person in 0..people {
            teller.introduce(person);
            for _ in 0..dice::one(&[1, 1, 2, 3]) {
                teller.meeting(person);
            }
        }
        if people > 1 && dice::chance(0.25) {
            teller.seats(0, 1);
        }
        teller.people_act();
        let mut story = teller.story;
        story.sendings.sort_by_key(|sending| sending.at_ms);
        story.acts.sort_by_key(|act| act.at_ms);
        story
    }
}

struct Teller {
    cal: Cal,
    story: Story,
    chains: usize,
    days: i64,
    beyond: bool,
}

impl Teller {
    fn introduce(&mut self, number: usize) {
        const NAMES: [&str; 4] = ["Ada Marsh", "Bo Lindgren", "Cleo Duarte", "Dai Evans"];
        let known = dice::one(&[
            Known::InMatchList,
            Known::InInbound,
            Known::No,
            Known::No,
            Known::ByPhone,
        ]);
        let name = NAMES[number].to_owned();
        let address = format!("{}@example.com", name.to_lowercase().replace(' ', "."));
        let address = if dice::chance(0.2) {
            address.replacen('a', "A", 1)
        } else {
            address
        };
        self.story.people.push(Person {
            address: (known != Known::ByPhone).then_some(address),
            name,
            known,
            status: dice::one(&["to do", "to do", "negotiating", "won"]),
        });
    }

    fn booker(&self, person: usize) -> Booker {
        let of = &self.story.people[person];
        let booker = match &of.address {
            Some(address) => Booker::new(&of.name, address),
            None => Booker::by_phone(&of.name, &format!("+46 70 123 45 0{person}")),
        };
        booker.time_zone("Europe/Stockholm")
    }

    /// Another day for each, so that a time tells a meeting.
    fn new_start(&mut self) -> Timestamp {
        self.days += 1;
        let day = self.days * 24 + 48;
        time::true_time() + SignedDuration::from_hours(day)
    }

    fn happens(
        &mut self,
        person: usize,
        order: usize,
        kind: Kind,
        booking: &Booking,
        at_ms: u64,
        delivery: Delivery,
    ) {
        let of = &delivery.payload();
        let before = of["rescheduleUid"].as_str();
        // Only a request is told to be a move by nothing but the calendar's id.
        let first = of["iCalUID"].as_str().and_then(|id| id.split_once('@'));
        let first = first.filter(|_| kind == Kind::MoveRequested);
        let names = before.or(first.map(|(uid, _)| uid)).map(str::to_owned);
        let chain = self.chains;
        let event = self.story.events.len();
        self.story.events.push(Event {
            person,
            chain,
            order,
            kind,
            uid: booking.uid.clone(),
            start: booking.start,
            names,
        });
        self.send(event, at_ms, delivery);
    }

    /// Once at least; late, twice, and in other bytes as the dice fall.
    fn send(&mut self, event: usize, happened_ms: u64, delivery: Delivery) {
        let delay = || match dice::between(0, 9) {
            0..=5 => dice::between(50, 2_000),
            6..=7 => dice::between(2_000, 30_000),
            _ => dice::between(20_000, 90_000),
        };
        let mut sendings = vec![(happened_ms + delay(), delivery.clone())];
        if dice::chance(0.2) {
            sendings.push((happened_ms + delay(), delivery.clone()));
        }
        if dice::chance(0.2) {
            sendings.push((happened_ms + delay(), delivery.restamped()));
        }
        self.story
            .sendings
            .extend(sendings.into_iter().map(|(at_ms, delivery)| Sending {
                event,
                at_ms,
                delivery,
            }));
    }

    fn people_act(&mut self) {
        if dice::chance(0.4) {
            return;
        }
        for person in 0..self.story.people.len() {
            for _ in 0..dice::between(0, 4) {
                let deed = dice::one(&[
                    Deed::WritesAbove,
                    Deed::WritesBelow,
                    Deed::WritesBelow,
                    Deed::Wins,
                    Deed::Negotiates,
                    Deed::Renames,
                    Deed::Moves,
                    Deed::Copies,
                    Deed::Comments,
                    Deed::Resolves,
                    Deed::Deletes,
                    Deed::Merges,
                ]);
                let at_ms = dice::between(0, STORY_MS + 60_000);
                self.story.acts.push(Act {
                    at_ms,
                    person,
                    deed,
                    at_any_time: self.beyond,
                });
            }
        }
    }
}

fn stamp(at_ms: u64) -> String {
    let at = time::true_time() + (at_ms as i64).milliseconds();
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}
