//! Which slot took the place of which: by the uid or seat that a move names, else by the calendar's id.

use std::collections::{BTreeMap, BTreeSet};

use super::{Slot, State};
use crate::change::{Change, Kind};

/// What a slot's changes say of its predecessor.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Reference {
    /// `rescheduleUid`: a uid or a seat.
    Named(String),
    /// The first uid of the chain, from the calendar's id.
    First(String),
}

fn reference(slot: &Slot, changes: &[&Change]) -> Option<Reference> {
    let of = || slot.changes.iter().map(|&i| changes[i]);
    // A request names a move's predecessor, and so does its refusal, but a seated one gives nothing up before it is
    // confirmed.
    let moving = of().filter(|c| match c.kind {
        Kind::Booked => true,
        Kind::Requested | Kind::Rejected => !c.seated,
        Kind::Cancelled | Kind::Note => false,
    });
    if let Some(named) = moving
        .filter_map(|c| c.booking.reschedule_uid.clone())
        .find(|r| *r != slot.id)
    {
        return (named != slot.uid || of().any(|c| c.seated)).then_some(Reference::Named(named));
    }
    if of().any(|c| c.seated) {
        return None;
    }
    of().filter_map(|c| c.booking.ical_uid.as_deref())
        .filter_map(|ical| ical.split_once('@').map(|(uid, _)| uid))
        .find(|uid| *uid != slot.uid)
        .map(|uid| Reference::First(uid.to_owned()))
}

pub fn link(slots: &mut [Slot], changes: &[&Change]) {
    let references: Vec<Option<Reference>> = slots.iter().map(|s| reference(s, changes)).collect();
    let mut groups = Union::new(slots.len());
    // Those that name the same predecessor follow one another by the stamp: a seat's moves all name the
    // reference it had first, and of two moves of one booking only the later can stand.
    // A seat that names a booking and no seat takes only its own person along.
    let mut followers: BTreeMap<(&str, Option<String>), Vec<usize>> = BTreeMap::new();
    for (i, r) in references.iter().enumerate() {
        if let Some(Reference::Named(named)) = r {
            let is_seat = slots.iter().any(|s| seat_of(s) == Some(named.as_str()));
            let person = (slots[i].is_seated() && !is_seat).then(|| slots[i].set_by.identity());
            followers.entry((named, person)).or_default().push(i);
        }
    }
    for ((named, _), of) in followers {
        let mut before = named_slot(named, of[0], slots);
        for i in of {
            slots[i].is_move = true;
            if let Some(b) = before.filter(|b| *b != i && !leads_to(slots, *b, i)) {
                slots[i].before = Some(b);
                groups.join(b, i);
            }
            before = Some(i);
        }
    }
    // The calendar's id names the first booking of a chain; the predecessor is whatever came last before.
    for i in 0..slots.len() {
        let Some(Reference::First(first)) = &references[i] else {
            continue;
        };
        // Whoever names it is of its chain, also where it was never heard of.
        let names_first = |j: usize| match &references[j] {
            Some(Reference::Named(uid) | Reference::First(uid)) => uid == first,
            None => false,
        };
        let roots: Vec<usize> = (0..slots.len())
            .filter(|&j| j != i)
            .filter(|&j| slots[j].uid == first || (!slots[j].is_seated() && names_first(j)))
            .collect();
        let mut same_chain: Vec<usize> = (0..slots.len())
            .filter(|&j| j != i && roots.iter().any(|&root| groups.same(root, j)))
            .collect();
        // The calendar's id is a hint only: it takes nobody to another person's meeting.
        if !same_chain
            .iter()
            .any(|&j| may_be_one_person(&slots[i], &slots[j]))
        {
            same_chain.clear();
        }
        let has_first = same_chain.iter().any(|&j| slots[j].uid == first);
        slots[i].is_move = has_first || slots[i].counts_as_moved(changes);
        let before = same_chain
            .iter()
            .copied()
            .filter(|&j| {
                slots[j].set_by.created_at < slots[i].set_by.created_at || slots[j].uid == first
            })
            .filter(|&j| !slots.iter().any(|s| s.before == Some(j)))
            .filter(|&j| !leads_to(slots, j, i))
            .max_by_key(|&j| (slots[j].set_by.created_at, j));
        if let Some(b) = before {
            slots[i].before = Some(b);
            groups.join(b, i);
        }
    }
    for i in 0..slots.len() {
        slots[i].chain = groups.find(i);
        slots[i].depth = depth(slots, i);
    }
    let moved: BTreeSet<usize> = slots.iter().filter_map(|s| s.before).collect();
    for i in moved {
        slots[i].state = State::Moved;
    }
}

pub fn seat_of<'s>(slot: &'s Slot) -> Option<&'s str> {
    slot.id.split_once('/').map(|(_, seat)| seat)
}

/// A reference may be a seat, or a uid; under a seated uid it means the follower's own seat.
fn named_slot(named: &str, follower: usize, slots: &[Slot]) -> Option<usize> {
    let person = slots[follower].set_by.identity();
    let by_uid = |i: &usize| slots[*i].uid == named;
    let older = |i: &usize| *i != follower;
    (0..slots.len())
        .filter(older)
        .find(|i| seat_of(&slots[*i]) == Some(named))
        .or_else(|| {
            (0..slots.len())
                .filter(older)
                .filter(by_uid)
                .rfind(|i| !slots[*i].is_seated() || slots[*i].set_by.identity() == person)
        })
}

fn may_be_one_person(one: &Slot, other: &Slot) -> bool {
    match (one.set_by.person.identity(), other.set_by.person.identity()) {
        (Some(one), Some(other)) => one == other,
        (None, _) | (_, None) => true,
    }
}

fn leads_to(slots: &[Slot], from: usize, to: usize) -> bool {
    let mut at = Some(from);
    let mut steps = 0;
    while let Some(i) = at {
        if i == to || steps > slots.len() {
            return true;
        }
        at = slots[i].before;
        steps += 1;
    }
    false
}

fn depth(slots: &[Slot], of: usize) -> u32 {
    let mut depth = 0;
    let mut at = slots[of].before;
    while let Some(i) = at {
        depth += 1;
        at = slots[i].before;
    }
    depth + u32::from(slots[of].is_move && slots[of].before.is_none())
}

struct Union(Vec<usize>);

impl Union {
    fn new(n: usize) -> Self {
        Self((0..n).collect())
    }

    fn find(&self, mut i: usize) -> usize {
        while self.0[i] != i {
            i = self.0[i];
        }
        i
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.find(a), self.find(b));
        self.0[a.max(b)] = a.min(b);
    }

    fn same(&self, a: usize, b: usize) -> bool {
        self.find(a) == self.find(b)
    }
}
