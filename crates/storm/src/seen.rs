//! What was seen in one storm so far, as far as later checks need it.

use std::collections::{BTreeMap, BTreeSet};

use domain::effect::Kind as Done;
use domain::effect::{Effect, State};

use crate::story::{Event, Kind, Person};

#[derive(Default)]
pub struct Seen {
    pub people: Vec<Person>,
    pub events: Vec<Event>,
    /// Whose record a task is.
    pub owners: BTreeMap<String, usize>,
    /// As last committed, by key.
    pub effects: BTreeMap<String, Effect>,
    /// When a task was last read with an answer.
    pub reads: BTreeMap<String, u64>,
    /// What people wrote into descriptions.
    pub texts: Vec<HumanText>,
    /// The status that a person set, and when.
    pub statuses: BTreeMap<String, (String, u64)>,
    pub in_flight: Vec<Flight>,
    flights: u64,
    /// By life: no request before this time of the vendor's clock.
    pub limited_until_ms: BTreeMap<u32, i64>,
    /// SHA-256 of what was answered 200, and when.
    pub acked: BTreeMap<String, u64>,
    /// Which event a delivery tells, by SHA-256.
    pub tells: BTreeMap<String, usize>,
    /// The events that the database knows of, answered or not, and since when.
    pub stored: BTreeMap<usize, u64>,
    /// Cancellations that ClickUp shows, by person and uid.
    pub cancelled: BTreeSet<(usize, String)>,
    /// The orders told per task and chain.
    pub told: BTreeMap<(String, usize), BTreeSet<usize>>,
    /// People whose record somebody deleted or merged away: less can be said about them.
    pub removed: BTreeSet<usize>,
    /// Meetings whose record somebody deleted, and nobody else has the address.
    pub deleted: BTreeSet<usize>,
    /// Copies and merge targets that people made.
    pub by_people: BTreeSet<String>,
    pub mutations: u64,
    /// Requests on their way that nobody waits for any more.
    pub late: u64,
}

pub struct HumanText {
    pub task: String,
    pub text: String,
    pub at_ms: u64,
}

#[derive(Debug, Clone)]
pub struct Flight {
    pub id: u64,
    pub life: u32,
    pub task: Option<String>,
    pub person: Option<usize>,
}

impl Seen {
    pub fn effect(&mut self, effect: &Effect) {
        self.effects.insert(effect.key.clone(), effect.clone());
    }

    pub fn announced(&self, kind: Done, target: &str) -> Option<&Effect> {
        self.effects
            .values()
            .find(|e| e.kind == kind && e.target == target && e.state == State::Attempting)
    }

    pub fn person_named(&self, name: &str) -> Option<usize> {
        self.people.iter().position(|person| person.name == name)
    }

    pub fn event(&self, person: usize, uid: &str, heading: &str) -> Option<&Event> {
        self.events
            .iter()
            .find(|e| e.person == person && e.uid == uid && e.kind.heading() == heading)
    }

    /// Whether calup was told of every move between two events of a meeting by then: else it cannot know that they are
    /// one.
    pub fn is_joined(&self, chain: usize, from: usize, to: usize, by_ms: u64) -> bool {
        self.events.iter().enumerate().all(|(number, e)| {
            let is_between = e.chain == chain && e.order > from && e.order <= to;
            !(is_between && e.kind == Kind::Moved)
                || self.stored.get(&number).is_some_and(|at| *at <= by_ms)
        })
    }

    pub fn depart(&mut self, life: u32, task: Option<String>, person: Option<usize>) -> u64 {
        self.flights += 1;
        self.in_flight.push(Flight {
            id: self.flights,
            life,
            task,
            person,
        });
        self.flights
    }

    pub fn arrive(&mut self, flight: u64) {
        self.in_flight.retain(|f| f.id != flight);
    }
}
