//! When nothing is left to do: what must be true of the database, and what each person's record must show. Written from
//! what calup is to do (behaviour.md), not from how it does it.

use std::collections::BTreeMap;

use domain::effect::State;
use domain::fence::{self, Fenced};
use sim::clickup::TaskView;
use store::Store;
use store::rows::{DEFAULT_PROFILE, DeliveryFilter, Status};

use crate::seen::Seen;
use crate::story::{Event, Kind, Known};
use crate::weather::INDEX_LAG_MS;
use crate::world::World;
use crate::{fatal, poison, spell, time};

/// Nobody can have overlooked a record that stood there for so long.
const LISTED_MS: i64 = 2 * INDEX_LAG_MS as i64 + 10_000;

/// The person's record that a colleague would open: calup's or an older one, never a copy.
pub fn lead_of(world: &World, person: usize) -> Option<String> {
    let seen = world.seen();
    let of = seen.owners.iter().filter(|(_, owner)| **owner == person);
    let mut live: Vec<TaskView> = of
        .filter_map(|(task, _)| world.clickup.task(task))
        .filter(|task| !task.deleted)
        .collect();
    live.sort_by_key(|task| (task.date_created, task.id.clone()));
    live.first().map(|task| task.id.clone())
}

/// Whether anything waits to be done, by the database.
pub async fn is_quiescent(file: &dyn Store) -> bool {
    let Ok(counts) = file.counts(None).await else {
        return false;
    };
    let open = [
        Status::Pending,
        Status::Running,
        Status::Waiting,
        Status::Held,
    ];
    counts
        .by_status
        .iter()
        .all(|(status, count)| *count == 0 || !open.contains(status))
}

/// I1: what was answered 200 is there.
pub async fn acked_is_there(world: &World, file: &dyn Store) {
    let acked: Vec<String> = world.seen().of_database.acked.keys().cloned().collect();
    for sha256 in acked {
        let filter = DeliveryFilter {
            sha256: Some(sha256.clone()),
            limit: 1,
            ..DeliveryFilter::default()
        };
        let found = file.deliveries(&filter).await;
        if found.is_ok_and(|found| found.is_empty()) {
            let what = format!(
                "delivery {} was answered 200 and is not stored",
                &sha256[..8]
            );
            world.violated("I1", what);
            return;
        }
    }
}

pub async fn check(world: &World, file: &dyn Store) {
    acked_is_there(world, file).await;
    conservation(world, file).await;
    poison::dead_are_told(world, file).await;
    fatal::is_given_up(world, file).await;
    spell::is_told(world, file).await;
    let uids: Vec<String> = {
        let seen = world.seen();
        let mut uids: Vec<String> = seen.events.iter().map(|e| e.uid.clone()).collect();
        uids.sort();
        uids.dedup();
        uids
    };
    for uid in uids {
        journal(world, file, &uid).await;
    }
    let people = world.seen().people.len();
    for person in 0..people {
        record(world, person);
    }
}

/// I13: every delivery ended in a way that has a name, and none of them by giving up.
async fn conservation(world: &World, file: &dyn Store) {
    let all = DeliveryFilter {
        limit: 1_000,
        ..DeliveryFilter::default()
    };
    let Ok(deliveries) = file.deliveries(&all).await else {
        return world.violated("I13", "the deliveries cannot be read".into());
    };
    for delivery in deliveries {
        let reason = delivery.reason.unwrap_or_default();
        match delivery.status {
            Status::Done | Status::Skipped | Status::Ignored | Status::Duplicate => {}
            Status::Pending | Status::Running | Status::Waiting | Status::Held => {
                let what = format!("a delivery is still {}: {reason}", delivery.status.name());
                world.violated("I4", what);
            }
            Status::Dead
                if poison::is_about(world, delivery.uid.as_deref().unwrap_or_default()) => {}
            Status::Quarantined | Status::Dead if fatal::is_told_by(world, &delivery.sha256) => {}
            Status::Quarantined | Status::Dead => {
                let what = format!("a delivery ended {}: {reason}", delivery.status.name());
                world.violated("I13", what);
            }
        }
    }
}

/// I4 and I13: what the journal says was done is there, and nothing is left half-way.
async fn journal(world: &World, file: &dyn Store, uid: &str) {
    let Ok(proof) = file.proof(DEFAULT_PROFILE, uid).await else {
        return world.violated("I13", format!("the proof of {uid} cannot be read"));
    };
    for effect in proof.effects {
        let name = format!("{} of {uid}", effect.kind.name());
        match effect.state {
            State::Applied | State::Absent => {}
            State::Attempting | State::Unknown if fatal::has_begun(world, &effect) => {}
            State::Attempting | State::Unknown => {
                world.violated("I4", format!("{name} is left {}", effect.state.name()));
            }
            State::Dead if poison::is_about(world, uid) => {}
            State::Dead | State::Operator => {
                world.violated("I13", format!("{name} ended {}", effect.state.name()));
            }
        }
    }
}

/// I4 and I5: what a person's record shows is what the whole of their meetings comes to.
fn record(world: &World, person: usize) {
    let cannot_be_written = [world.weather().refuses, fatal::person(world)];
    if world.seen().removed.contains(&person) || cannot_be_written.contains(&Some(person)) {
        return;
    }
    let lead = lead_of(world, person).and_then(|id| world.clickup.task(&id));
    let seen = world.seen();
    let mut meetings: BTreeMap<usize, Vec<&Event>> = BTreeMap::new();
    for event in seen.events.iter().filter(|e| e.person == person) {
        meetings.entry(event.chain).or_default().push(event);
    }
    let is_known = matches!(
        seen.people[person].known,
        Known::InMatchList | Known::InInbound
    );
    let us = world.clickup.user_id();
    let made = world.clickup.tasks_created_by(us);
    let made = made
        .iter()
        .find(|task| seen.owners.get(&task.id) == Some(&person));
    let is_booked = meetings.values().any(|events| was_booked(events));
    let wrong = if meetings.is_empty() {
        None
    } else if let Some(made) = made.filter(|_| is_known) {
        Some((
            "I8",
            format!("{} was made for person {person}, who was known", made.id),
        ))
    } else if let Some(made) = made.filter(|_| !is_booked) {
        Some((
            "I8",
            format!("{} was made for person {person}, who only asked", made.id),
        ))
    } else if let Some(lead) = lead {
        differs(&seen, person, &meetings, &lead)
    } else if !is_booked {
        None
    } else {
        let known = seen.people[person].known;
        Some(("I4", format!("person {person} ({known:?}) has no record")))
    };
    drop(seen);
    if let Some((invariant, what)) = wrong {
        world.violated(invariant, what);
    }
}

fn differs(
    seen: &Seen,
    person: usize,
    meetings: &BTreeMap<usize, Vec<&Event>>,
    lead: &TaskView,
) -> Option<(&'static str, String)> {
    let wrong =
        status_differs(seen, person, meetings, lead).or_else(|| block_differs(meetings, lead));
    if let Some(what) = wrong {
        return Some(("I5", what));
    }
    let us_told = told(lead);
    for of in meetings.values() {
        let is_told = |event: &Event| us_told.iter().any(|text| tells(text, event));
        let mut untold = of.iter().filter(|event| !is_told(event));
        if let Some(event) = untold.find(|event| has_to_be_told(seen, event, of, lead)) {
            let (kind, uid, day) = (event.kind, &event.uid, day(event));
            return Some((
                "I4",
                format!("{} does not tell {kind:?} of {uid} ({day})", lead.id),
            ));
        }
    }
    None
}

fn was_booked(events: &[&Event]) -> bool {
    events.iter().any(|e| e.kind.books())
}

/// What it came to.
fn last<'a>(events: &[&'a Event]) -> Option<&'a Event> {
    let course = events.iter().filter(|e| e.kind != Kind::NoShow);
    course.max_by_key(|e| e.order).copied()
}

fn stands(event: &Event) -> bool {
    event.kind.books()
}

/// It has no time for now.
fn awaits(event: &Event) -> bool {
    matches!(event.kind, Kind::Asked | Kind::MoveRequested)
}

/// Who asks for a meeting is known by a record that stood there before, and by nothing else.
fn has_to_be_told(seen: &Seen, event: &Event, of: &[&Event], lead: &TaskView) -> bool {
    let only_asks = event.kind.only_asks() || event.kind == Kind::MoveRequested;
    let is_of_a_meeting = !only_asks && was_booked(of);
    let same = |e: &Event| e.chain == event.chain && e.order == event.order;
    let number = seen.events.iter().position(same);
    let stored_at = number.and_then(|n| seen.of_database.stored.get(&n));
    let stood_since = lead.date_created - time::vendor_ms() + time::elapsed_ms() as i64;
    let was_there = stored_at.is_some_and(|at| stood_since + LISTED_MS < *at as i64);
    is_of_a_meeting || was_there
}

fn status_differs(
    seen: &Seen,
    person: usize,
    meetings: &BTreeMap<usize, Vec<&Event>>,
    lead: &TaskView,
) -> Option<String> {
    let by_hand = seen.statuses.get(&lead.id);
    let of = &seen.people[person];
    let ended_at_first =
        of.status == "won" && matches!(of.known, Known::InMatchList | Known::InInbound);
    if let Some((status, _)) = by_hand {
        // Out of any other status the first booking of a meeting may move it, whatever it was at first.
        let stays = status == "won";
        return (stays && lead.status != *status && lead.status != of.status)
            .then(|| format!("{} is `{}`, a person set `{status}`", lead.id, lead.status));
    }
    let is_booked = meetings.values().any(|events| was_booked(events));
    let holds = |event: &Event| stands(event) || awaits(event);
    let wanted = if ended_at_first || !is_booked {
        of.status
    } else if meetings
        .values()
        .any(|events| last(events).is_some_and(holds))
    {
        "meeting booked"
    } else {
        "meeting cancelled"
    };
    (lead.status != wanted).then(|| format!("{} is `{}`, not `{wanted}`", lead.id, lead.status))
}

fn block_differs(meetings: &BTreeMap<usize, Vec<&Event>>, lead: &TaskView) -> Option<String> {
    let is_meeting = |e: &&Event| !e.kind.only_asks();
    let is_shown = meetings.values().flatten().any(is_meeting);
    let block = match fence::find(&lead.markdown) {
        Fenced::Present { block, .. } if is_shown => block,
        Fenced::Absent if !is_shown => return None,
        Fenced::Present { .. } | Fenced::Absent | Fenced::Broken => {
            return Some(format!(
                "{} has not one block: {:?}",
                lead.id, lead.markdown
            ));
        }
    };
    let ends: Vec<&Event> = meetings.values().filter_map(|e| last(e)).collect();
    let standing: Vec<&Event> = ends.iter().copied().filter(|e| stands(e)).collect();
    if standing.is_empty() && ends.iter().any(|e| awaits(e)) && !block.contains("Waiting for") {
        return Some(format!(
            "the block of {} does not say that a meeting waits for a time",
            lead.id
        ));
    }
    for event in meetings.values().flatten() {
        let day = day(event);
        let stands = standing.iter().any(|s| s.start == event.start);
        let shown = block.contains(&day);
        if stands && !shown && standing.len() <= 5 {
            return Some(format!(
                "the block of {} lacks the meeting of {day}",
                lead.id
            ));
        }
        if shown && !stands && !standing.is_empty() {
            return Some(format!(
                "the block of {} shows the meeting of {day}, which does not stand",
                lead.id
            ));
        }
    }
    None
}

/// The day as calup writes it, in the host's and the bookers' zone.
fn day(event: &Event) -> String {
    let zone = jiff::tz::TimeZone::get("Europe/Stockholm").expect("a known zone");
    event
        .start
        .to_zoned(zone)
        .strftime("%a %-d %b %Y")
        .to_string()
}

/// Comments, and the text under a new lead's block.
fn told(lead: &TaskView) -> Vec<String> {
    let comments = lead.comments.iter().map(|c| c.text.clone());
    let description = match fence::find(&lead.markdown) {
        Fenced::Present { after, .. } => after.to_owned(),
        Fenced::Absent | Fenced::Broken => lead.markdown.clone(),
    };
    comments.chain([description]).collect()
}

fn tells(text: &str, event: &Event) -> bool {
    let about = text.contains(&event.uid) || text.contains(&day(event));
    event.kind.is_told_by(text) && about
}
