//! What was seen in one storm so far, as far as later checks need it.

use std::collections::{BTreeMap, BTreeSet};

use domain::effect::Kind as Done;
use domain::effect::{Effect, State};
use domain::lead::Write;
use domain::plan::Action;
use sim::clickup::TaskView;

use crate::fatal::Fatal;
use crate::limits;
use crate::story::{Event, Kind, Person};

#[derive(Default)]
pub struct Seen {
    pub people: Vec<Person>,
    pub events: Vec<Event>,
    /// Whose record a task is.
    pub owners: BTreeMap<String, usize>,
    /// When a task was last read with an answer, by each life.
    pub reads: BTreeMap<(u32, String), u64>,
    /// What people wrote into descriptions.
    pub texts: Vec<HumanText>,
    /// The status that a person set, and when.
    pub statuses: BTreeMap<String, (String, u64)>,
    /// By person: when what is known of their meetings was last read, to decide by.
    pub known_at: BTreeMap<usize, u64>,
    /// Lives that were stopped once: whatever time passed, they do not know.
    pub stopped: BTreeSet<u32>,
    pub in_flight: Vec<Flight>,
    /// Lives that woke up when another one had taken over, and what they sent then.
    pub superseded: BTreeMap<u32, u32>,
    /// The last life that was granted the lease.
    pub leased_by: u32,
    flights: u64,
    /// By life: what it was told of ClickUp's limit.
    pub limits: BTreeMap<u32, limits::Told>,
    /// The booking that ends the process each time.
    pub fatal: Option<Fatal>,
    /// A process knows that its token or its right is refused.
    pub has_heard_refusal: bool,
    /// Which event a delivery tells, by SHA-256.
    pub tells: BTreeMap<String, usize>,
    /// Cancellations that ClickUp shows, by person and uid.
    pub cancelled: BTreeSet<(usize, String)>,
    /// The orders told per task and chain.
    pub told: BTreeMap<(String, usize), BTreeSet<usize>>,
    /// Of these, what came too late, or was carried over from a second lead, and its mark.
    pub told_too_late: BTreeMap<(String, usize, usize), String>,
    /// Marks of comments that the sweeper carried over from a second lead, under which nobody looks for them there.
    pub carried: BTreeSet<String>,
    /// People whose record somebody deleted or merged away: less can be said about them.
    pub removed: BTreeSet<usize>,
    /// Leads of people without an e-mail, made since the copy of the database that was put back: only a lost link told
    /// whose they are.
    pub forgotten: BTreeSet<String>,
    /// Leads made since then, whoever's.
    pub made_since_copy: BTreeSet<String>,
    /// Meetings whose record somebody deleted, and nobody else has the address; and when.
    pub deleted: BTreeMap<usize, u64>,
    /// Tasks that people deleted or merged away, as they were, and when.
    pub gone: Vec<(TaskView, u64)>,
    /// Copies and merge targets that people made.
    pub by_people: BTreeSet<String>,
    /// Leads and comments that somebody worked on, and when last.
    pub touched: BTreeMap<String, u64>,
    /// Leads of which a second comment was taken back.
    pub swept: BTreeSet<String>,
    /// Marks of what was carried out, or is listed, later than calup is told of; and until when that shows.
    pub came_too_late: BTreeSet<String>,
    pub too_late_ms: u64,
    pub mutations: u64,
    pub of_database: OfDatabase,
    /// When the database was put back to an earlier copy.
    pub restored_at_ms: Option<u64>,
    /// Requests on their way that nobody waits for any more.
    pub late: u64,
}

/// What the database holds: it goes when an earlier copy is put back.
#[derive(Default, Clone)]
pub struct OfDatabase {
    /// As last committed, by key.
    pub effects: BTreeMap<String, Effect>,
    /// SHA-256 of what was answered 200, and when.
    pub acked: BTreeMap<String, u64>,
    /// The events that it knows of, answered or not, and since when.
    pub stored: BTreeMap<usize, u64>,
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
        self.of_database
            .effects
            .insert(effect.key.clone(), effect.clone());
    }

    /// Whether every write of this to the lead that may be on its way lacks something; one that is in doubt may arrive
    /// beside the next.
    pub fn all_announced(
        &self,
        target: &str,
        sets: impl Fn(&Write) -> bool,
        lacks: impl Fn(&Effect) -> bool,
    ) -> bool {
        let sets_it = |e: &Effect| matches!(serde_json::from_str(&e.desired), Ok(Action::Write(write)) if sets(&write));
        let on_its_way = |e: &&Effect| {
            e.kind == Done::Write
                && e.target == target
                && matches!(e.state, State::Attempting | State::Unknown)
                && sets_it(e)
        };
        let mut announced = self.of_database.effects.values().filter(on_its_way);
        announced.clone().next().is_some() && announced.all(lacks)
    }

    /// Of the effect that bears a mark, as the database has it.
    pub fn state_of(&self, mark: &str) -> Option<State> {
        let mut effects = self.of_database.effects.values();
        effects.find(|e| e.marker == mark).map(|e| e.state)
    }

    /// It came after all, or was forgotten, which nobody knows until it is found or sent again.
    pub fn is_held_for_lost(&self, task: &str, chain: usize, order: usize) -> bool {
        let mark = self.told_too_late.get(&(task.to_owned(), chain, order));
        mark.is_some_and(|mark| matches!(self.state_of(mark), None | Some(State::Absent)))
    }

    /// A decision about this booking reads what is known.
    pub fn decides(&mut self, uid: &str, at_ms: u64) {
        let mut people = self
            .events
            .iter()
            .filter(|e| e.uid == uid)
            .map(|e| e.person);
        // Which of several people on one booking is meant, nobody can tell from here.
        if let Some(person) = people.next()
            && people.all(|other| other == person)
        {
            self.known_at.insert(person, at_ms);
        }
    }

    pub fn person_named(&self, name: &str) -> Option<usize> {
        self.people.iter().position(|person| person.name == name)
    }

    pub fn event(&self, person: usize, uid: &str, kind: Kind) -> Option<&Event> {
        self.events
            .iter()
            .find(|e| e.person == person && e.uid == uid && e.kind == kind)
    }

    /// What left then was on its way when the database was put back: nobody knows of it any more. Whoever works on the older
    /// copy begins later than in the same millisecond.
    pub fn is_forgotten(&self, left_at_ms: u64) -> bool {
        self.restored_at_ms.is_some_and(|at| left_at_ms <= at)
    }

    /// Whether calup can know of what happened to a meeting at this place.
    pub fn is_stored(&self, chain: usize, order: usize) -> bool {
        let mut known = self.of_database.stored.keys().map(|e| &self.events[*e]);
        known.any(|e| e.chain == chain && e.order == order)
    }

    /// Whether calup knew by then that two events of a meeting are of one: else it cannot tell which comes first.
    pub fn is_joined(&self, chain: usize, from: usize, to: usize, by_ms: u64) -> bool {
        let stored = &self.of_database.stored;
        let known = self.events.iter().enumerate().filter(|(number, e)| {
            // What came in the same millisecond may have come after the look.
            e.chain == chain && stored.get(number).is_some_and(|at| *at < by_ms)
        });
        let joints: Vec<(&str, &str)> = known
            .filter_map(|(_, e)| Some((e.uid.as_str(), e.names.as_deref()?)))
            .collect();
        let uid_at = |order: usize| {
            let mut of = self.events.iter();
            of.find(|e| e.chain == chain && e.order == order)
                .map(|e| e.uid.as_str())
        };
        let (Some(from), Some(to)) = (uid_at(from), uid_at(to)) else {
            return false;
        };
        let mut reached = vec![from];
        let mut at = 0;
        while at < reached.len() {
            for (uid, names) in &joints {
                for (here, there) in [(uid, names), (names, uid)] {
                    if *here == reached[at] && !reached.contains(there) {
                        reached.push(there);
                    }
                }
            }
            at += 1;
        }
        reached.contains(&to)
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
