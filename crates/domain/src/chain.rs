//! The fold: what a set of changes comes to. Any order, any duplication, the same result.
//!
//! A *slot* is one booking as one person holds it (a uid, or a seat of one). Slots that replace one another
//! through moves are a *chain*; its last slot, the *tip*, is the meeting as people know it.

mod link;
mod notes;
mod series;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::booking::{Booking, Party, Place};
use crate::change::{Change, Kind};
use crate::note::Note;

/// On which lead a change's meeting is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Shown {
    /// On none yet, or it is not known: wherever its person's lead is.
    #[default]
    Nowhere,
    Here,
    Elsewhere,
}

/// How a slot stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Asked for, not yet confirmed.
    Requested,
    Booked,
    /// Cancelled by the host with the wish for another time: not lost.
    AwaitingNewTime,
    Rejected,
    Cancelled,
    /// Another slot of the chain has taken its place.
    Moved,
}

#[derive(Debug, Clone)]
pub struct Slot<'a> {
    /// The uid, or for a seat its reference (else uid and person).
    pub id: String,
    pub uid: &'a str,
    pub state: State,
    /// Depth of reschedules: 0 for the first known.
    pub depth: u32,
    pub chain: usize,
    /// The slot before, if it is known.
    pub before: Option<usize>,
    /// It names a predecessor, known or not.
    pub is_move: bool,
    pub was_booked: bool,
    /// Somebody cancelled it, or asked for another time, whatever came of it.
    pub was_cancelled: bool,
    /// The booking as it was last set.
    pub booking: &'a Booking,
    /// The change that set `booking`.
    pub set_by: &'a Change,
    /// What ended it.
    pub ended_by: Option<&'a Change>,
    /// As last told, be it by a note.
    pub place: &'a Place,
    pub host: &'a Party,
    /// Notes of recordings and transcripts, oldest first.
    pub recordings: Vec<&'a Note>,
    /// Somebody did not come, as last told.
    pub missed: bool,
    /// Indices into the fold's changes.
    pub changes: Vec<usize>,
}

#[derive(Debug)]
pub struct Fold<'a> {
    pub changes: Vec<&'a Change>,
    pub slots: Vec<Slot<'a>>,
    /// The newest stamp among booked, cancelled and (of a meeting's move) rejected changes, each capped at its
    /// receipt.
    pub newest: Option<Timestamp>,
}

/// What a person's status should be, before names and guards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    Booked,
    Cancelled,
    NoShow,
    AsFound,
}

pub fn fold<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Fold<'a> {
    let mut changes: Vec<&Change> = changes.into_iter().collect();
    changes.sort_by_cached_key(|c| (c.created_at, c.kind, c.base_key(), c.received_at));
    let ids = slot_ids(&changes);
    let mut by_slot: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, of) in ids.iter().enumerate() {
        for id in of {
            by_slot.entry(id).or_default().push(i);
        }
    }
    let mut slots: Vec<Slot> = by_slot
        .into_iter()
        .map(|(id, of)| slot(id, of, &changes))
        .collect();
    slots.sort_by_key(|s| (s.set_by.created_at, s.id.clone()));
    link::link(&mut slots, &changes);
    series::end_series(&mut slots, &changes);
    notes::attach_notes(&mut slots, &changes);
    // A declined request that never was a meeting moves neither status nor block, so no clock either:
    // what stood would stop standing without anybody writing it down.
    let counts = |i: usize, c: &Change| match c.kind {
        Kind::Requested | Kind::Note => false,
        Kind::Rejected => slots
            .iter()
            .any(|s| s.is_meeting() && s.changes.contains(&i)),
        Kind::Booked | Kind::Cancelled => true,
    };
    let newest = changes
        .iter()
        .enumerate()
        .filter(|(i, c)| counts(*i, c))
        .map(|(_, c)| c.stamped())
        .max();
    Fold {
        changes,
        slots,
        newest,
    }
}

/// The fold of the meetings of the person whom `change` is about: what else is among `changes`, other seats of a
/// booking say, is left out. Whoever moved one of those meetings is part of it, under whatever address. A note is
/// about the person whose meeting it is.
pub fn fold_of<'a>(changes: impl IntoIterator<Item = &'a Change>, change: &Change) -> Fold<'a> {
    fold_shown(changes.into_iter().map(|c| (c, Shown::Nowhere)), change)
}

/// The same for the lead that is written to: with the meetings of others that are shown on it, without the person's own
/// that are shown on another.
pub fn fold_shown<'a>(
    changes: impl IntoIterator<Item = (&'a Change, Shown)>,
    change: &Change,
) -> Fold<'a> {
    let changes: Vec<(&Change, Shown)> = changes.into_iter().collect();
    let all = fold(changes.iter().map(|(c, _)| *c));
    let person = all
        .slot_of(change)
        .filter(|_| change.kind == Kind::Note)
        .map_or_else(|| change.identity(), |slot| slot.set_by.identity());
    let is_own = |&i: &usize| {
        let of = all.changes[i];
        of == change || (of.kind != Kind::Note && of.identity() == person)
    };
    let shown = |want: Shown| -> BTreeSet<usize> {
        let is_so = |&i: &usize| {
            let mut of_it = changes
                .iter()
                .filter(|(c, _)| std::ptr::eq(*c, all.changes[i]));
            of_it.any(|(_, shown)| *shown == want)
        };
        let slots = all.slots.iter().filter(|s| s.changes.iter().any(is_so));
        slots.map(|s| s.chain).collect()
    };
    let (here, elsewhere) = if changes.iter().all(|(_, shown)| *shown == Shown::Nowhere) {
        Default::default()
    } else {
        (shown(Shown::Here), shown(Shown::Elsewhere))
    };
    let at_hand = all.slot_of(change).map(|slot| slot.chain);
    let is_on_it = |slot: &Slot| {
        let is_elsewhere = elsewhere.contains(&slot.chain) && at_hand != Some(slot.chain);
        here.contains(&slot.chain) || !is_elsewhere && slot.changes.iter().any(is_own)
    };
    let chains: BTreeSet<usize> = all
        .slots
        .iter()
        .filter(|s| is_on_it(s))
        .map(|s| s.chain)
        .collect();
    // What ended a series may be of an occurrence that is left out.
    let is_end = |slot: &Slot, i: usize| {
        slot.ended_by
            .is_some_and(|end| std::ptr::eq(end, all.changes[i]))
    };
    let kept: BTreeSet<usize> = all
        .slots
        .iter()
        .filter(|s| chains.contains(&s.chain))
        .flat_map(|s| {
            let ends = (0..all.changes.len()).filter(|&i| is_end(s, i));
            s.changes.iter().copied().chain(ends)
        })
        .collect();
    if kept.len() == all.changes.len() {
        return all;
    }
    fold(kept.into_iter().map(|i| all.changes[i]))
}

/// For each change the slots it is about: one, or for a seatless cancellation all of that person's.
fn slot_ids(changes: &[&Change]) -> Vec<Vec<String>> {
    let seated: BTreeSet<&str> = changes
        .iter()
        .filter(|c| c.seated && c.kind != Kind::Note)
        .map(|c| c.booking.uid.as_str())
        .collect();
    changes
        .iter()
        .map(|c| {
            let uid = &c.booking.uid;
            if c.kind == Kind::Note {
                // It makes no slot; it is attached to one.
                return Vec::new();
            }
            if !seated.contains(uid.as_str()) {
                return vec![uid.clone()];
            }
            if let Some(seat) = &c.seat {
                return vec![format!("{uid}/{seat}")];
            }
            let of_same_person = changes.iter().filter(|o| {
                o.kind != Kind::Note
                    && o.booking.uid == *uid
                    && o.seat.is_some()
                    && o.identity() == c.identity()
            });
            let ids: BTreeSet<String> = of_same_person
                .filter(|o| c.kind != Kind::Cancelled || o.created_at <= c.created_at)
                .filter_map(|o| Some(format!("{uid}/{}", o.seat.as_ref()?)))
                .collect();
            if ids.is_empty() {
                vec![format!("{uid}/{}", c.identity())]
            } else {
                ids.into_iter().collect()
            }
        })
        .collect()
}

fn slot<'a>(id: &str, of: Vec<usize>, changes: &[&'a Change]) -> Slot<'a> {
    let all: Vec<&Change> = of.iter().map(|&i| changes[i]).collect();
    let newest = |kind: Kind| all.iter().filter(|c| c.kind == kind).copied().reduce(later);
    let booked = newest(Kind::Booked);
    let requested = newest(Kind::Requested);
    let rejected = newest(Kind::Rejected);
    // Seats are given up and taken again under one uid; any other booking's cancellation is final.
    let cancels = || {
        all.iter()
            .copied()
            .filter(|c| c.kind == Kind::Cancelled)
            .filter(|c| {
                !(c.seated && c.seat.is_none())
                    || booked.is_none_or(|b| b.created_at <= c.created_at)
            })
    };
    let plain = cancels().rfind(|c| !c.booking.request_reschedule);
    let asked = cancels().rfind(|c| c.booking.request_reschedule);
    let (state, ended_by) = match (plain, asked, rejected) {
        (Some(c), _, _) => (State::Cancelled, Some(c)),
        (None, Some(c), _) => (State::AwaitingNewTime, Some(c)),
        (None, None, Some(r)) if booked.is_none_or(|b| b.created_at <= r.created_at) => {
            (State::Rejected, Some(r))
        }
        _ if booked.is_some() => (State::Booked, None),
        _ => (State::Requested, None),
    };
    let set_by = booked.or(requested).or(ended_by).unwrap_or(all[0]);
    Slot {
        id: id.to_owned(),
        uid: &set_by.booking.uid,
        state,
        depth: 0,
        chain: 0,
        before: None,
        is_move: false,
        was_booked: booked.is_some(),
        was_cancelled: all.iter().any(|c| c.kind == Kind::Cancelled),
        booking: &set_by.booking,
        set_by,
        ended_by,
        place: &set_by.booking.place,
        host: &set_by.booking.organizer,
        recordings: Vec::new(),
        missed: false,
        changes: of,
    }
}

/// By the sequence where both have one, then by the stamp.
fn later<'a>(a: &'a Change, b: &'a Change) -> &'a Change {
    let by_sequence = match (a.booking.ical_sequence, b.booking.ical_sequence) {
        (Some(x), Some(y)) if x != y => Some(x < y),
        _ => None,
    };
    if by_sequence.unwrap_or(a.created_at <= b.created_at) {
        b
    } else {
        a
    }
}

impl Slot<'_> {
    /// A calendar's id that names an unknown booking is a predecessor's only where the calendar counts a move;
    /// other calendars give ids of their own.
    fn counts_as_moved(&self, changes: &[&Change]) -> bool {
        self.changes.iter().any(|&i| {
            changes[i].kind != Kind::Cancelled
                && changes[i].booking.ical_sequence.is_some_and(|n| n > 0)
        })
    }

    fn is_seated(&self) -> bool {
        self.id.contains('/')
    }

    /// Whether it was ever more than a request: booked, or the move of something.
    pub fn is_meeting(&self) -> bool {
        self.was_booked || self.is_move || self.was_cancelled
    }
}

impl<'a> Fold<'a> {
    /// Accepted, neither moved nor cancelled, and ending after the newest thing that is known of the person.
    pub fn stands(&self, slot: &Slot) -> bool {
        slot.state == State::Booked && self.newest.is_none_or(|newest| slot.booking.end > newest)
    }

    /// The standing meetings, next first.
    pub fn standing(&self) -> Vec<&Slot<'a>> {
        let mut all: Vec<&Slot> = self.slots.iter().filter(|s| self.stands(s)).collect();
        all.sort_by_key(|s| (s.booking.start, s.id.clone()));
        all
    }

    /// A meeting that was to be and has no time now: its host asked for another, or a move is not confirmed.
    pub fn awaits(&self, slot: &Slot) -> bool {
        match slot.state {
            State::AwaitingNewTime => true,
            State::Requested => slot.is_move && self.was_ever_booked(slot),
            State::Booked | State::Rejected | State::Cancelled | State::Moved => false,
        }
    }

    /// Whether the chain up to `slot` held a meeting; what came before all that is known is taken for one.
    fn was_ever_booked(&self, slot: &Slot) -> bool {
        let mut at = slot;
        loop {
            if at.was_booked {
                return true;
            }
            let Some(before) = at.before else {
                return at.is_meeting();
            };
            at = &self.slots[before];
        }
    }

    /// `missed_counts`: whether a meeting that somebody missed has a status of its own.
    pub fn wanted(&self, missed_counts: bool) -> Wanted {
        let is_missed = |s: &Slot| missed_counts && s.missed && s.state == State::Booked;
        let mut ahead = self
            .slots
            .iter()
            .filter(|s| self.stands(s) || self.awaits(s))
            .peekable();
        if ahead.peek().is_some() {
            return if ahead.all(is_missed) {
                Wanted::NoShow
            } else {
                Wanted::Booked
            };
        }
        if self.last().is_some_and(is_missed) {
            return Wanted::NoShow;
        }
        let lost = |s: &Slot| match s.state {
            State::Cancelled => true,
            State::Rejected => s.is_move && self.was_ever_booked(s),
            State::Requested | State::Booked | State::AwaitingNewTime | State::Moved => false,
        };
        if self.slots.iter().any(lost) {
            Wanted::Cancelled
        } else {
            Wanted::AsFound
        }
    }

    /// The meeting to show when none stands: the last to happen. A request that was never more is none.
    pub fn last(&self) -> Option<&Slot<'a>> {
        self.slots
            .iter()
            .filter(|s| s.state != State::Moved && s.is_meeting())
            .max_by_key(|s| (self.awaits(s), s.booking.start, s.id.clone()))
    }

    /// The slot that `change` is about.
    pub fn slot_of(&self, change: &Change) -> Option<&Slot<'a>> {
        let at = self.changes.iter().position(|c| *c == change)?;
        self.slots.iter().find(|s| s.changes.contains(&at))
    }

    /// Whether `a` comes before `b` in one chain: depth of moves, then within a slot a cancellation is last,
    /// then the calendar's sequence, then the stamp. `None` for changes of different chains.
    pub fn precedes(&self, a: &Change, b: &Change) -> Option<bool> {
        let (sa, sb) = (self.slot_of(a)?, self.slot_of(b)?);
        if sa.chain != sb.chain {
            return None;
        }
        if sa.id != sb.id {
            return Some((sa.depth, sa.set_by.created_at) < (sb.depth, sb.set_by.created_at));
        }
        // A note is about what was booked, whatever the stamps say.
        let is_note = |c: &Change| c.kind == Kind::Note;
        if is_note(a) != is_note(b) {
            return Some(is_note(b));
        }
        let is_final = |c: &Change| c.kind == Kind::Cancelled && sa.state == State::Cancelled;
        if is_final(a) != is_final(b) {
            return Some(is_final(b));
        }
        match (a.booking.ical_sequence, b.booking.ical_sequence) {
            (Some(x), Some(y)) if x != y => Some(x < y),
            _ => Some((a.created_at, a.kind) < (b.created_at, b.kind)),
        }
    }

    /// Whether `b` comes after `a` in its chain, or ended the series that `a` is an occurrence of.
    pub fn is_followed_by(&self, a: &Change, b: &Change) -> bool {
        self.precedes(a, b)
            .unwrap_or_else(|| self.is_ended_from_elsewhere(a, b))
    }

    /// Whether `b` ended the booking of `a` by ending another occurrence of its series.
    pub fn is_ended_from_elsewhere(&self, a: &Change, b: &Change) -> bool {
        let ended = self.slot_of(a).and_then(|slot| slot.ended_by);
        a.kind != Kind::Note && ended.is_some_and(|end| end == b) && self.precedes(a, b).is_none()
    }

    /// Names under which the chain of `change` is linked to a lead: every uid, seat and reference in it.
    pub fn tokens(&self, change: &Change) -> Vec<String> {
        let Some(mine) = self.slot_of(change) else {
            return Vec::new();
        };
        let mut tokens = BTreeSet::new();
        for slot in self.slots.iter().filter(|s| s.chain == mine.chain) {
            tokens.insert(slot.id.clone());
            for &i in &slot.changes {
                let of = self.changes[i];
                if of.seated && of.seat.is_none() {
                    // What the slot was called before its seat was known.
                    tokens.insert(format!("{}/{}", of.booking.uid, of.identity()));
                }
                if let Some(named) = of
                    .booking
                    .reschedule_uid
                    .as_ref()
                    .filter(|_| of.kind != Kind::Cancelled)
                {
                    // Under a seated uid the name alone would be everybody's.
                    tokens.insert(if of.seated {
                        format!("{named}/{}", of.identity())
                    } else {
                        named.clone()
                    });
                }
            }
        }
        tokens.into_iter().collect()
    }
}
