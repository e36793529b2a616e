//! What truly happens in one storm: who books, moves and cancels what, and what people do in ClickUp meanwhile. Drawn
//! from the seed before anything begins.

use jiff::{SignedDuration, Timestamp, ToSpan as _};
use sim::cal::{Booking, Cal, Delivery, EventType, Person as Booker};

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
    Created,
    Moved,
    Cancelled,
    /// The host asks for another time.
    Asked,
    NoShow,
}

impl Kind {
    /// How its telling begins, without what follows.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Created => "Meeting booked",
            Self::Moved => "Meeting moved",
            Self::Cancelled => "Meeting cancelled",
            Self::Asked => "New time asked for",
            Self::NoShow => "No-show",
        }
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
        let chain = self.chains;
        let event = self.story.events.len();
        self.story.events.push(Event {
            person,
            chain,
            order,
            kind,
            uid: booking.uid.clone(),
            start: booking.start,
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

    fn meeting(&mut self, person: usize) {
        let number = self.chains;
        let event = EventType::new("intro", &format!("Intro {number}"));
        let event = event.location(&format!("https://meet.example/{number}"));
        let cal = self.cal.clone().event(event);
        let mut at_ms = dice::between(0, STORY_MS / 2);
        let start = self.new_start().to_string();
        let mut booking = cal.at(&stamp(at_ms)).book(&self.booker(person), &start, 30);
        self.happens(person, 0, Kind::Created, &booking, at_ms, booking.created());
        for order in 1..=dice::one(&[0, 1, 1, 2, 3]) {
            at_ms += dice::between(1_500, 20_000);
            booking = booking.at(&stamp(at_ms));
            let by = booking.person.address();
            let ends = match dice::between(0, 9) {
                0..=3 => {
                    let start = self.new_start().to_string();
                    let (moved, delivery) = booking.rescheduled(Some(&by), &start);
                    booking = moved;
                    self.happens(person, order, Kind::Moved, &booking, at_ms, delivery);
                    false
                }
                4..=6 => {
                    let delivery = booking.cancelled(Some(&by), Some("no time"));
                    self.happens(person, order, Kind::Cancelled, &booking, at_ms, delivery);
                    true
                }
                7 => {
                    let delivery = booking.cancelled_request_reschedule("a clash");
                    self.happens(person, order, Kind::Asked, &booking, at_ms, delivery);
                    at_ms += 1_500;
                    let start = self.new_start().to_string();
                    if dice::chance(0.5) {
                        let (moved, delivery) =
                            booking.at(&stamp(at_ms)).rescheduled(Some(&by), &start);
                        self.happens(person, order + 1, Kind::Moved, &moved, at_ms, delivery);
                    }
                    true
                }
                _ => {
                    let delivery = booking.no_show(true);
                    self.happens(person, order, Kind::NoShow, &booking, at_ms, delivery);
                    true
                }
            };
            if ends {
                break;
            }
        }
        self.chains += 1;
    }

    /// Two people on one booking; one of them may leave or move.
    fn seats(&mut self, first: usize, second: usize) {
        let number = self.chains;
        let event = EventType::new("group", &format!("Group {number}"));
        let at_ms = dice::between(0, STORY_MS / 2);
        let event = event.location(&format!("https://meet.example/{number}"));
        let cal = self.cal.clone().event(event).at(&stamp(at_ms));
        let session = cal.seated(&self.new_start().to_string(), 30, 5);
        for person in [first, second] {
            if self.story.people[person].address.is_none() {
                continue;
            }
            let (seat, delivery) = session.seat_created(&self.booker(person));
            self.happens(person, 0, Kind::Created, &seat.booking, at_ms, delivery);
            let moves = dice::chance(0.3);
            let leaves = !moves && dice::chance(0.3);
            if moves {
                let start = self.new_start().to_string();
                // The sim stamps a seat's deliveries with its session's time: later ones are stamped by hand.
                let (moved, delivery) = seat.rescheduled(&start);
                let at_ms = at_ms + 5_000;
                let delivery = delivery.stamped(&stamp(at_ms));
                self.happens(person, 1, Kind::Moved, &moved.booking, at_ms, delivery);
            } else if leaves {
                let at_ms = at_ms + 5_000;
                let delivery = seat.cancelled("no time").stamped(&stamp(at_ms));
                self.happens(person, 1, Kind::Cancelled, &seat.booking, at_ms, delivery);
            }
            self.chains += 1;
        }
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
