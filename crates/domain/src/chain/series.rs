//! The end of a series: one delivery ends whatever of it is still to come.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::{Slot, State};
use crate::booking::Recurrence;
use crate::change::{Change, Kind};

/// Clocks are put forward and back by so much, and occurrences keep the time on the clock.
const SUMMER_TIME: SignedDuration = SignedDuration::from_hours(1);

/// What the known bookings of one chain say of the series that it is an occurrence of.
#[derive(Default)]
struct Occurrence<'a> {
    rules: BTreeSet<&'a Recurrence>,
    /// When it was told first, and the time that it had before it was moved.
    first: Option<(Timestamp, Timestamp)>,
}

/// One cancellation ends the rest of a series: later occurrences of that person, event type, rule and time.
pub fn end_series<'a>(slots: &mut [Slot<'a>], changes: &[&'a Change]) {
    if changes.iter().all(|c| c.booking.recurring.is_none()) {
        return;
    }
    let mut by_chain: BTreeMap<usize, Occurrence> = BTreeMap::new();
    for slot in &*slots {
        let of = by_chain.entry(slot.chain).or_default();
        let told = slot.changes.iter().map(|&i| changes[i]);
        let times = told.clone().map(|c| {
            let moved_from = c.booking.reschedule_start;
            (c.created_at, moved_from.unwrap_or(c.booking.start))
        });
        of.first = of.first.into_iter().chain(times).min();
        let told = told.filter(|c| c.kind != Kind::Cancelled);
        of.rules
            .extend(told.filter_map(|c| c.booking.recurring.as_ref()));
    }
    for (i, &cancel) in changes.iter().enumerate() {
        if cancel.kind != Kind::Cancelled || cancel.booking.request_reschedule {
            continue;
        }
        let Some(said) = &cancel.booking.recurring else {
            continue;
        };
        // A booking says how many were booked, a cancellation how many the event type allows (Cal.com's
        // handleNewBooking.ts and handleCancelBooking.ts): the rule is the one that the booking came with.
        let mut own = Occurrence::default();
        for slot in slots.iter().filter(|slot| slot.changes.contains(&i)) {
            own.rules.extend(&by_chain[&slot.chain].rules);
            own.first = own
                .first
                .into_iter()
                .chain(by_chain[&slot.chain].first)
                .min();
        }
        for slot in slots.iter_mut() {
            let is_of_series = own.is_of_one_series(&by_chain[&slot.chain], said)
                && slot.booking.event_type_id == cancel.booking.event_type_id
                && slot.set_by.identity() == cancel.identity()
                && slot.booking.start >= cancel.booking.start
                && slot.set_by.created_at <= cancel.created_at;
            if is_of_series
                && matches!(
                    slot.state,
                    State::Booked | State::Requested | State::AwaitingNewTime
                )
            {
                slot.state = State::Cancelled;
                slot.ended_by = Some(cancel);
            }
        }
    }
}

impl Occurrence<'_> {
    fn is_of_one_series(&self, other: &Self, said: &Recurrence) -> bool {
        let is_same = |rule: &Recurrence| {
            if self.rules.is_empty() {
                (rule.freq, rule.interval) == (said.freq, said.interval)
            } else {
                self.rules.contains(rule)
            }
        };
        let (Some((_, one)), Some((_, other_one))) = (self.first, other.first) else {
            return false;
        };
        let mut rules = other.rules.iter().filter(|rule| is_same(rule));
        rules.any(|rule| rule.joins(one, other_one))
    }
}

impl Recurrence {
    /// Whether two times may be of one series: a person may have two, by one rule, at different times. Months and years
    /// have no fixed length; of them only the time of day is looked at.
    fn joins(&self, one: Timestamp, other: Timestamp) -> bool {
        let days = match self.freq {
            2 => 7 * self.interval.clamp(1, 520),
            3 => self.interval.clamp(1, 3_650),
            0 | 1 => 1,
            // By the hour, or none that is known.
            _ => return true,
        };
        let step = 24 * 3_600 * days;
        let off = other.duration_since(one).as_secs().rem_euclid(step);
        off.min(step - off) <= SUMMER_TIME.as_secs()
    }
}
