//! What is checked at every request: as it leaves, and as ClickUp carries it out.

use std::sync::Arc;

use domain::effect::State;
use serde_json::Value;
use sim::clickup::{Asked, TaskView};
use sim::http::Received;

use crate::life::Life;
use crate::marks::{self, marked};
use crate::world::World;
use crate::{poison, repair, restore, story, time};

/// Of the worker.
const LANES: u32 = 4;
/// From our last look at a lead to the write: a look-up of its list, which may take a call's patience, and two round
/// trips.
const LOOKED_MS: u64 = 4_000 + 1_500;

/// A request is about to leave: two of one record, or of one person, must never be on their way at once.
pub fn departure(world: &World, life: &Arc<Life>, asked: &Asked) -> u64 {
    let task = task_of(&asked.path).map(str::to_owned);
    let task = task.or_else(|| Some(repair::comment_of(world, &asked.path)?.1.id));
    let mut seen = world.seen();
    let person = match &task {
        // Only the sweeper takes comments back, and it is alone at the lead, not of the person's lane.
        Some(_) if asked.method == "DELETE" && task_of(&asked.path).is_none() => None,
        Some(task) => seen.owners.get(task).copied(),
        None => name_in(asked).and_then(|name| seen.person_named(&name)),
    };
    let other = seen.in_flight.iter().find(|f| {
        f.life == life.number
            && (f.task.is_some() && f.task == task || f.person.is_some() && f.person == person)
    });
    let other = other.cloned();
    let id = seen.depart(life.number, task.clone(), person);
    drop(seen);
    if let Some(other) = other {
        let what = format!(
            "{} {} leaves while {other:?} is on its way",
            asked.method, asked.path
        );
        world.violated("I9", what);
    }
    id
}

/// Whoever was superseded sends what was past its last look, one request per lane and the sweeper's, and begins nothing.
pub fn after_all(life: &Arc<Life>) {
    if !life.is_superseded() {
        return;
    }
    let mut seen = life.world.seen();
    let sent = seen.superseded.entry(life.number).or_default();
    *sent += 1;
    let is_too_many = *sent > LANES + 1;
    drop(seen);
    if is_too_many {
        let what = format!(
            "life {} goes on writing, and another one works",
            life.number
        );
        life.world.violated("I9", what);
    }
}

/// When the task of a write was last read by the life that sends it, before it left. What another one has asked for, and
/// is carried out only now, tells this one nothing.
pub fn last_read(world: &World, life: u32, asked: &Asked) -> u64 {
    let seen = world.seen();
    task_of(&asked.path)
        .and_then(|task| seen.reads.get(&(life, task.to_owned())).copied())
        .unwrap_or(0)
}

/// When what is known of the person's meetings was last read before a request left.
pub fn decided_at(world: &World, asked: &Asked) -> u64 {
    let person = person_of(world, asked);
    let seen = world.seen();
    let at = person.and_then(|person| seen.known_at.get(&person).copied());
    at.unwrap_or(0)
}

/// Whose record a request reads or writes, where it says so.
pub fn person_of(world: &World, asked: &Asked) -> Option<usize> {
    let seen = world.seen();
    match task_of(&asked.path) {
        Some(task) => seen.owners.get(task).copied(),
        None => name_in(asked).and_then(|name| seen.person_named(&name)),
    }
}

/// What the process could know when a request left.
#[derive(Debug, Clone, Copy)]
pub struct Departed {
    pub at_ms: u64,
    /// It will be carried out, or what it makes be listed, later than calup is told of.
    pub is_beyond: bool,
    pub life: u32,
    /// When its task was last read.
    pub read_at_ms: u64,
    pub planned_at_ms: u64,
}

pub fn carried_out(world: &World, life: u32, asked: &Asked, left: Departed) -> Received {
    let task = task_of(&asked.path).map(str::to_owned);
    let before = task.as_deref().and_then(|task| world.clickup.task(task));
    let comment = repair::comment_of(world, &asked.path);
    let received = world.clickup.ask(asked);
    let ok = received.status < 300;
    if asked.method == "GET" {
        return received;
    }
    world.tell(format_args!(
        "life {life}: {} {} → {}",
        asked.method, asked.path, received.status
    ));
    if !ok {
        return received;
    }
    world.seen().mutations += 1;
    match (asked.method.as_str(), task) {
        ("POST", None) => created(world, &received.json(), left),
        ("PUT", Some(task)) => {
            if let (Some(before), Some(after)) = (before, world.clickup.task(&task)) {
                written(world, &before, &after, left);
            }
        }
        ("POST", Some(task)) if asked.path.ends_with("/comment") => commented(world, &task, left),
        ("DELETE", Some(_)) => {
            if let Some(before) = before {
                repair::lead_deleted(world, &before, left);
            }
        }
        ("DELETE", None) => {
            if let Some((id, lead)) = comment {
                repair::comment_deleted(world, &id, &lead, left);
            }
        }
        _ => {}
    }
    marks::at_most_once(world);
    received
}

/// The process has got what it asked for, as it was at `at_ms`. What nobody hears tells nobody anything.
pub fn heard(world: &World, life: u32, asked: &Asked, received: &Received, at_ms: u64) {
    if asked.method != "GET" || received.status >= 300 {
        return;
    }
    let body = received.json();
    let mut seen = world.seen();
    let tasks = body["tasks"]
        .as_array()
        .map_or(std::slice::from_ref(&body), Vec::as_slice);
    for task in tasks {
        if let Some(id) = task["id"].as_str() {
            let read_at = seen.reads.entry((life, id.to_owned())).or_default();
            *read_at = at_ms.max(*read_at);
        }
    }
}

fn created(world: &World, body: &Value, left: Departed) {
    let (Some(id), Some(name)) = (body["id"].as_str(), body["name"].as_str()) else {
        return;
    };
    let mut seen = world.seen();
    if let Some(person) = seen.person_named(name) {
        seen.owners.insert(id.to_owned(), person);
    }
    let view = world.clickup.task(id).expect("just made");
    let was_late = marked(&view.markdown).into_iter().map(|(_, mark)| mark);
    let was_late: Vec<String> = was_late
        .filter(|mark| seen.came_too_late.contains(mark))
        .collect();
    if left.is_beyond {
        drop(seen);
        repair::came_too_late(world, &view.markdown);
        seen = world.seen();
    }
    let Some(person) = seen.owners.get(id).copied() else {
        return;
    };
    drop(seen);
    restore::made_before(world, &view, person, left.at_ms);
    let mut seen = world.seen();
    let mut again = None;
    for (uid, mark) in marked(&view.markdown) {
        let of = |e: &&story::Event| {
            e.person == person && e.uid == uid && e.kind.is_told_by(&view.markdown)
        };
        let Some(event) = seen.events.iter().find(of).cloned() else {
            continue;
        };
        let last = seen.events.iter().filter(|e| e.chain == event.chain);
        let last = last.map(|e| e.order).max().unwrap_or(0);
        // What an earlier try made too late, and a person deleted before it was found, nobody knows of.
        let bears_it = |task: &TaskView| marked(&task.markdown).iter().any(|(_, m)| *m == mark);
        let is_unheard = was_late.contains(&mark) && seen.gone.iter().any(|(it, _)| bears_it(it));
        let deleted_at = seen.deleted.get(&event.chain).filter(|_| !is_unheard);
        if deleted_at.is_some_and(|at| *at < left.planned_at_ms)
            && (1..=last).all(|order| seen.is_joined(event.chain, 0, order, left.planned_at_ms))
        {
            again = Some(format!(
                "{id} is made for a meeting whose record a person deleted"
            ));
        }
        if !seen.is_forgotten(left.at_ms) {
            let told = seen.told.entry((id.to_owned(), event.chain)).or_default();
            told.insert(event.order);
            if left.is_beyond {
                let place = (id.to_owned(), event.chain, event.order);
                seen.told_too_late.insert(place, mark);
            }
        }
    }
    drop(seen);
    shows(world, person, &view.markdown, left);
    if let Some(again) = again {
        world.violated("I10", again);
    }
}

/// A text of ours told of a cancellation. One that was on its way when the database was put back is forgotten like those
/// before it, until it is delivered again.
fn shows(world: &World, person: usize, text: &str, left: Departed) {
    for (uid, _) in marked(text) {
        let mut seen = world.seen();
        let cancelled = story::Kind::Cancelled;
        let Some(event) = seen.event(person, &uid, cancelled) else {
            continue;
        };
        let is_forgotten =
            seen.is_forgotten(left.at_ms) && !seen.is_stored(event.chain, event.order);
        let is_told = text.starts_with(cancelled.headings()[0]);
        if is_told && !is_forgotten {
            seen.cancelled.insert((person, uid));
        }
    }
}

/// Description and status were written.
fn written(world: &World, before: &TaskView, after: &TaskView, left: Departed) {
    // What people do between our last look and the write is lost, if that is one round trip and no more.
    let read_at_ms = if world.seen().stopped.contains(&left.life) {
        left.read_at_ms
    } else {
        left.read_at_ms.max(left.at_ms.saturating_sub(LOOKED_MS))
    };
    let kept = before.name == after.name
        && before.email == after.email
        && before.fields == after.fields
        && before.list_id == after.list_id
        && before.tags == after.tags
        && before.comments == after.comments;
    if !kept {
        world.violated(
            "I10",
            format!("a write to {} changed what is not calup's", before.id),
        );
    }
    let mut lost = None;
    {
        let seen = world.seen();
        for text in seen.texts.iter().filter(|t| t.task == before.id) {
            let is_lost =
                before.markdown.contains(&text.text) && !after.markdown.contains(&text.text);
            if is_lost && text.at_ms <= read_at_ms {
                lost = Some(format!(
                    "`{}`, which a person wrote {} ms before calup read {}, is gone",
                    text.text,
                    read_at_ms - text.at_ms,
                    before.id
                ));
            }
        }
        if lost.is_none()
            && before.markdown != after.markdown
            && seen.all_announced(
                &before.id,
                |write| write.description.is_some(),
                |effect| effect.pre_image.is_none(),
            )
        {
            lost = Some(format!(
                "what {} held before a write is not kept",
                before.id
            ));
        }
        if lost.is_none()
            && before.status != after.status
            && seen.all_announced(
                &before.id,
                |write| write.status.is_some(),
                |effect| effect.status_before.is_none(),
            )
        {
            lost = Some(format!("which status {} had is not kept", before.id));
        }
        let ends_a_deal = before.status_type == "closed" || before.status_type == "done";
        let human_at = seen.statuses.get(&before.id).map_or(0, |(_, at)| *at);
        if lost.is_none() && ends_a_deal && before.status != after.status && human_at <= read_at_ms
        {
            lost = Some(format!(
                "status {} of {}, which ends a deal, was moved",
                before.status, before.id
            ));
        }
    }
    if let Some(lost) = lost {
        world.violated("I10", lost);
    }
    if before.status != after.status {
        // A person set it between our last read and the write: nobody could know, and it is gone.
        let mut seen = world.seen();
        let by_hand = seen.statuses.get(&before.id);
        if by_hand.is_some_and(|(_, at)| *at > read_at_ms) {
            seen.statuses.remove(&before.id);
            // Nor is it what it was at first.
            if let Some(owner) = seen.owners.get(&before.id).copied() {
                seen.people[owner].status = "negotiating";
            }
        }
    }
    // What was known when it left, an older copy may not know.
    let is_forgotten = world.seen().is_forgotten(left.at_ms);
    if after.status == "meeting booked" && before.status != after.status && !is_forgotten {
        resurrected(world, &before.id);
    }
}

/// A booked state is set though ClickUp shows the end of every meeting that anybody has told us of.
fn resurrected(world: &World, task: &str) {
    let what = {
        let seen = world.seen();
        let Some(person) = seen.owners.get(task).copied() else {
            return;
        };
        let told: Vec<usize> = seen.of_database.stored.keys().copied().collect();
        let stands = told
            .iter()
            .map(|e| &seen.events[*e])
            .filter(|e| e.person == person && !e.kind.only_asks())
            .any(|e| !seen.cancelled.contains(&(person, e.uid.clone())));
        (!stands).then(|| format!("{task} is booked again after its last meeting was cancelled"))
    };
    if let Some(what) = what {
        world.violated("I7", what);
    }
}

fn commented(world: &World, task: &str, left: Departed) {
    let Some(view) = world.clickup.task(task) else {
        return;
    };
    let Some(comment) = view.comments.last() else {
        return;
    };
    if left.is_beyond {
        repair::came_too_late(world, &comment.text);
    }
    let person = world.seen().owners.get(task).copied();
    let Some(person) = person else { return };
    shows(world, person, &comment.text, left);
    let first = comment.text.lines().next().unwrap_or_default();
    world.tell(format_args!("{task} shows: {first}"));
    let mut out_of_order = None;
    for (uid, mark) in marked(&comment.text) {
        let state = world.seen().state_of(&mark);
        // What it says stood there already, by another attempt that came too late.
        let is_second = world.seen().came_too_late.contains(&mark);
        // From a second lead the sweeper carries over what was said there, as it was said.
        let is_carried = marks::is_on_another(world, &mark, task);
        let mut seen = world.seen();
        if is_carried {
            seen.carried.insert(mark.clone());
        }
        let event = seen
            .events
            .iter()
            .find(|e| {
                e.person == person
                    && e.uid == uid
                    && e.kind != story::Kind::NoShow
                    && e.kind.headings().iter().any(|h| first.starts_with(h))
            })
            .cloned();
        let Some(event) = event else { continue };
        let key = (task.to_owned(), event.chain);
        let later = seen.told.get(&key).into_iter().flatten();
        // What comes too late comes where it comes, and goes again.
        let is_excused =
            left.is_beyond || is_second || is_carried || is_misdated(world, left, state);
        let later = later.filter(|order| **order > event.order && !is_excused);
        // One that was forgotten with the rest of the database is not known to have been told.
        let later = later.filter(|order| seen.is_stored(event.chain, **order));
        let mut later = later.filter(|order| !seen.is_held_for_lost(task, event.chain, **order));
        if later.any(|order| seen.is_joined(event.chain, event.order, *order, left.planned_at_ms)) {
            out_of_order = Some(format!(
                "{task}: `{first}` of {uid} comes after a later one of its meeting and does not say that it is late"
            ));
        }
        if !seen.is_forgotten(left.at_ms) {
            seen.told.entry(key).or_default().insert(event.order);
            let place = (task.to_owned(), event.chain, event.order);
            if left.is_beyond || is_carried {
                seen.told_too_late.insert(place, mark);
            } else {
                seen.told_too_late.remove(&place);
            }
        }
        let same = |e: &story::Event| e.chain == event.chain && e.order == event.order;
        let number = seen.events.iter().position(same);
        drop(seen);
        if let Some(number) = number {
            poison::told(world, number);
        }
    }
    if let Some(what) = out_of_order {
        world.violated("I6", what);
    }
}

/// While something of a person's is looked for, what came after it and by our clock before it is not held up.
fn is_misdated(world: &World, left: Departed, state: Option<State>) -> bool {
    let was_set = world.counts().faults.contains_key("clock set");
    let is_looked_for = state == Some(State::Unknown);
    was_set && (is_looked_for || time::elapsed_ms() > left.at_ms + LOOKED_MS)
}

pub fn task_of(path: &str) -> Option<&str> {
    let rest = path.split_once("/v2/task/")?.1;
    rest.split('/').next()
}

fn name_in(asked: &Asked) -> Option<String> {
    let body: Value = serde_json::from_slice(&asked.body).ok()?;
    body["name"].as_str().map(str::to_owned)
}
