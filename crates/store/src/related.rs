//! Which changes are of one meeting: those of a person, and what their chains reach. Chains are followed seat by
//! seat: under one uid the seats of others are other meetings. Looking up is the backend's concern.

use std::collections::{BTreeSet, HashSet, VecDeque};

use domain::change::{Change, Kind};

use crate::rows::Stored;

const ROWS_MAX: usize = 1_000;

/// A change, as far as its chain goes.
#[derive(Clone)]
pub struct Node {
    /// Empty when it is not stored.
    pub id: String,
    pub person: String,
    pub uid: String,
    pub reference: Option<String>,
    pub seat: Option<String>,
    pub seated: bool,
    pub first_uid: Option<String>,
    pub created_at: i64,
}

/// The column in which a neighbour's value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Uid,
    Reference,
    Seat,
    FirstUid,
}

/// Which of those that bear the value are of the same meeting.
#[derive(Clone, Copy)]
enum Which {
    All,
    Unseated,
    /// A uid that has seats means, as a predecessor, the follower's own seat.
    OwnWhenSeated,
    OwnOrUnseated,
    OwnOrBothUnseated,
    OwnSeatOrBothUnseated,
}

pub struct Question {
    pub by: By,
    pub value: String,
    which: Which,
}

impl Question {
    pub fn is_answered_by(&self, of: &Node, node: &Node) -> bool {
        let value = match self.by {
            By::Uid => Some(&node.uid),
            By::Reference => node.reference.as_ref(),
            By::Seat => node.seat.as_ref(),
            By::FirstUid => node.first_uid.as_ref(),
        };
        if value != Some(&self.value) {
            return false;
        }
        let is_own = node.person == of.person;
        let are_unseated = !of.seated && !node.seated;
        match self.which {
            Which::All => true,
            Which::Unseated => !node.seated,
            Which::OwnWhenSeated => !of.seated || is_own,
            Which::OwnOrUnseated => !node.seated || is_own,
            Which::OwnOrBothUnseated => are_unseated || is_own,
            Which::OwnSeatOrBothUnseated => {
                are_unseated || is_own || (of.seat.is_some() && of.seat == node.seat)
            }
        }
    }
}

impl Node {
    fn of(stored: &Stored) -> Self {
        let change = &stored.change;
        Self {
            id: String::new(),
            person: stored.person.clone(),
            uid: change.booking.uid.clone(),
            reference: reference(change).map(str::to_owned),
            seat: change.seat.clone(),
            seated: change.seated,
            first_uid: first_uid(change).map(str::to_owned),
            created_at: 0,
        }
    }

    /// Whose answers are its neighbours.
    pub fn questions(&self) -> Vec<Question> {
        let mut all = Vec::new();
        let mut ask = |by, value: &str, which| {
            all.push(Question {
                by,
                value: value.to_owned(),
                which,
            });
        };
        ask(By::Uid, &self.uid, Which::OwnSeatOrBothUnseated);
        ask(By::Reference, &self.uid, Which::OwnWhenSeated);
        if let Some(before) = &self.reference {
            ask(By::Uid, before, Which::OwnOrUnseated);
            ask(By::Seat, before, Which::All);
            ask(By::Reference, before, Which::OwnOrBothUnseated);
            if !self.seated {
                ask(By::FirstUid, before, Which::All);
            }
        }
        if let Some(seat) = &self.seat {
            ask(By::Seat, seat, Which::All);
            ask(By::Reference, seat, Which::All);
        }
        if !self.seated {
            // Rows with a first uid are never of a seat.
            ask(By::FirstUid, &self.uid, Which::All);
            if let Some(first) = &self.first_uid {
                ask(By::Uid, first, Which::Unseated);
                ask(By::FirstUid, first, Which::All);
                ask(By::Reference, first, Which::Unseated);
            }
        }
        all
    }
}

/// What was found so far, and whose neighbours were not looked for yet.
#[derive(Default)]
pub struct Found {
    nodes: Vec<Node>,
    ids: HashSet<String>,
    queue: VecDeque<Node>,
}

impl Found {
    /// `this`: the change itself, as stored; `person`: what is known of its person.
    pub fn from(change: &Stored, this: Vec<Node>, person: Vec<Node>) -> Self {
        let mut found = Self::default();
        if this.is_empty() {
            // Not stored (a preview): what it would be related to.
            found.queue.push_back(Node::of(change));
        }
        found.extend(this);
        found.extend(person);
        found
    }

    pub fn of_person(person: Vec<Node>) -> Self {
        let mut found = Self::default();
        found.extend(person);
        found
    }

    pub fn extend(&mut self, nodes: impl IntoIterator<Item = Node>) {
        for node in nodes {
            if self.nodes.len() < ROWS_MAX && self.ids.insert(node.id.clone()) {
                self.queue.push_back(node.clone());
                self.nodes.push(node);
            }
        }
    }

    /// One whose neighbours are to be looked for.
    pub fn next(&mut self) -> Option<Node> {
        self.queue.pop_front()
    }

    /// In the order of their stamps.
    pub fn ids(&mut self) -> impl Iterator<Item = &str> {
        self.nodes
            .sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        self.nodes.iter().map(|node| node.id.as_str())
    }
}

/// A cancellation's reference says nothing of what its booking replaced.
pub fn reference(change: &Change) -> Option<&str> {
    change
        .booking
        .reschedule_uid
        .as_deref()
        .filter(|_| change.kind != Kind::Cancelled)
}

/// Of a booking that is not its chain's first.
pub fn first_uid(change: &Change) -> Option<&str> {
    let ical = change
        .booking
        .ical_uid
        .as_deref()
        .filter(|_| !change.seated)?;
    let (uid, _) = ical.split_once('@')?;
    (uid != change.booking.uid).then_some(uid)
}

/// Under which the chain of these changes may be linked (`domain::chain::Fold::tokens`).
pub fn tokens<'a>(uid: &str, changes: impl Iterator<Item = &'a Stored>) -> BTreeSet<String> {
    let mut tokens = BTreeSet::from([format!("chain:{uid}")]);
    for Stored { change, .. } in changes {
        for name in std::iter::once(&change.booking.uid).chain(&change.booking.reschedule_uid) {
            tokens.insert(format!("chain:{name}"));
            if change.seated {
                tokens.insert(format!("chain:{name}/{}", change.identity()));
            }
            if let Some(seat) = &change.seat {
                tokens.insert(format!("chain:{name}/{seat}"));
            }
        }
    }
    tokens
}
