//! What calup's sweeper may take away, and until when something may stand there twice (P9).

use std::collections::{BTreeMap, BTreeSet};

use sim::clickup::TaskView;
use store::Store;
use store::rows::DEFAULT_PROFILE;

use crate::judge::Departed;
use crate::marks::{self, marked};
use crate::seen::Seen;
use crate::world::World;
use crate::{story, time};

/// From the last that came too late, or the last fault, on.
pub const WITHIN_MS: u64 = 10 * 60_000;
/// Between a look that shows that nobody has worked on it and the request that deletes it.
const LOOKED_AT_MS: u64 = 2_000;
const NOTICES: usize = 1_000;

/// The comment that a request is about, and the lead that it stands on.
pub fn comment_of(world: &World, path: &str) -> Option<(String, TaskView)> {
    let id = path.split_once("/v2/comment/")?.1;
    let tasks = world.clickup.live_tasks();
    let of = |task: &TaskView| task.comments.iter().any(|c| c.id == id);
    Some((id.to_owned(), tasks.into_iter().find(of)?))
}

/// A lead was deleted: only ever one of two of ours that nobody has worked on, and never the older.
pub fn lead_deleted(world: &World, lead: &TaskView, left: Departed) {
    let us = world.clickup.user_id();
    if lead.creator_id != us || world.seen().by_people.contains(&lead.id) {
        let what = format!("{} was deleted, which a person made", lead.id);
        return world.violated("I10", what);
    }
    let marks: Vec<String> = marked(&lead.markdown).into_iter().map(|(_, m)| m).collect();
    // What arrives late finds what people have done since.
    let mut others = world.clickup.live_tasks();
    let seen = world.seen();
    let gone = seen.gone.iter();
    let gone = gone.filter(|(_, at)| at + LOOKED_AT_MS > left.at_ms);
    others.extend(gone.map(|(task, _)| task.clone()));
    drop(seen);
    others.retain(|other| other.id != lead.id);
    let older = others.iter().find(|other| {
        other.creator_id == us
            && (other.date_created, &other.id) < (lead.date_created, &lead.id)
            && marked(&other.markdown)
                .iter()
                .any(|(_, m)| marks.contains(m))
    });
    let older = older.or_else(|| came_after_all(world, lead, &marks, &others));
    let Some(older) = older else {
        let what = format!("{} was deleted, and none older bears its mark", lead.id);
        return world.violated("I3", what);
    };
    world.fault("second lead taken back");
    world.tell(format_args!("{} was a second {}", lead.id, older.id));
    worked_on(world, &lead.id, left);
}

/// Held for lost, or forgotten with what came since a copy, it came after its person had got another by another meeting:
/// that one.
fn came_after_all<'a>(
    world: &World,
    lead: &TaskView,
    marks: &[String],
    others: &'a [TaskView],
) -> Option<&'a TaskView> {
    let seen = world.seen();
    let owner = seen.owners.get(&lead.id)?;
    // A person's copy bears it too.
    let bears_it = |other: &TaskView| {
        let mut theirs = marked(&other.markdown).into_iter();
        !seen.by_people.contains(&other.id) && theirs.any(|(_, mark)| marks.contains(&mark))
    };
    let is_lost =
        seen.forgotten.contains(&lead.id) || marks.iter().any(|m| seen.came_too_late.contains(m));
    if !is_lost || others.iter().any(bears_it) {
        return None;
    }
    let is_theirs = |other: &&TaskView| seen.owners.get(&other.id) == Some(owner);
    others.iter().find(is_theirs)
}

pub fn comment_deleted(world: &World, id: &str, lead: &TaskView, left: Departed) {
    let us = world.clickup.user_id();
    let Some(comment) = lead.comments.iter().find(|c| c.id == id) else {
        return;
    };
    if comment.user_id != us {
        let what = format!("comment {id} of {} was deleted, a person's", lead.id);
        return world.violated("I10", what);
    }
    let marks = marked(&comment.text);
    let is_second = lead.comments.iter().any(|other| {
        let is_older =
            (other.date, other.id.len(), &other.id) < (comment.date, id.len(), &comment.id);
        other.user_id == us && is_older && marked(&other.text) == marks
    });
    if !is_second {
        let what = format!(
            "comment {id} of {} was deleted, and none older bears its mark",
            lead.id
        );
        return world.violated("I3", what);
    }
    world.fault("second comment taken back");
    world.seen().swept.insert(lead.id.clone());
    worked_on(world, id, left);
}

fn worked_on(world: &World, id: &str, left: Departed) {
    let touched_at = world.seen().touched.get(id).copied();
    if let Some(at) = touched_at
        && at + LOOKED_AT_MS < left.at_ms
    {
        let what = format!(
            "{id} was deleted, which a person had worked on {} ms before",
            left.at_ms - at
        );
        world.violated("I10", what);
    }
}

/// What still stands there twice, but for what people were told of because somebody has worked on it.
pub async fn left(world: &World, file: &dyn Store) -> Option<(&'static str, String)> {
    let notices = file
        .notices(DEFAULT_PROFILE, NOTICES)
        .await
        .unwrap_or_default();
    let mut excused = unheard(world);
    excused.extend(disowned(world));
    let told: BTreeSet<&str> = notices
        .iter()
        .filter_map(|notice| notice.cause.strip_prefix("doubled:"))
        .collect();
    let mut people: Vec<usize> = Vec::new();
    for task in world.clickup.live_tasks() {
        let seen = world.seen();
        // What calup did to it itself looks like somebody's work, and so does what it forgot to have made.
        let is_changed = |id: &str| {
            seen.touched.contains_key(id)
                || seen.swept.contains(id)
                || seen.made_since_copy.contains(id)
        };
        let is_theirs = |id: &str| told.contains(id) && is_changed(id);
        if is_theirs(&task.id) {
            excused.extend(marked(&task.markdown).into_iter().map(|(_, mark)| mark));
            excused.extend(marks::marks_in_comments(&task));
            people.extend(seen.owners.get(&task.id));
        }
        // Its person's meetings are on another lead by now, and nobody looks at what came to it too late, or was made too
        // late beside it.
        if is_given_up(world, &seen, &task) {
            let made = marked(&task.markdown).into_iter().map(|(_, mark)| mark);
            let too_late = marks::marks_in_comments(&task).into_iter().chain(made);
            excused.extend(too_late.filter(|mark| seen.came_too_late.contains(mark)));
        }
        // What was there twice when somebody merged it is there twice still.
        if seen.by_people.contains(&task.id) {
            excused.extend(marks::marks_in_comments(&task));
        }
        // Two attempts may have used other words, which looks like an edit.
        let mut first: BTreeMap<String, &str> = BTreeMap::new();
        let mut others = BTreeSet::new();
        for comment in &task.comments {
            for (_, mark) in marked(&comment.text) {
                let text = first.entry(mark).or_insert(&comment.text);
                if *text != comment.text && told.contains(comment.id.as_str()) {
                    others.insert(comment.id.as_str());
                }
            }
        }
        let is_left = |id: &str| is_theirs(id) || others.contains(id);
        for comment in task.comments.iter().filter(|c| is_left(&c.id)) {
            excused.extend(marked(&comment.text).into_iter().map(|(_, mark)| mark));
        }
    }
    // A copy that was put back does not know that they were carried over, and for which change.
    let seen = world.seen();
    if seen.restored_at_ms.is_some() {
        excused.extend(seen.carried.iter().cloned());
    }
    drop(seen);
    // Which of the two is meant by now is for people to say.
    world.seen().removed.extend(people);
    marks::doubled(world, &excused)
}

/// Leads made before the database was put back that came too late beside each other, and whose person got another one
/// since, because none of them was listed yet: nothing refers to them.
fn disowned(world: &World) -> BTreeSet<String> {
    let seen = world.seen();
    if seen.restored_at_ms.is_none() {
        return BTreeSet::new();
    }
    let us = world.clickup.user_id();
    let mut known = BTreeSet::new();
    let mut late = Vec::new();
    for task in world.clickup.live_tasks() {
        let Some(owner) = seen.owners.get(&task.id).filter(|_| task.creator_id == us) else {
            continue;
        };
        for (_, mark) in marked(&task.markdown) {
            if seen.state_of(&mark).is_some() {
                known.insert(*owner);
            } else if seen.came_too_late.contains(&mark) {
                late.push((*owner, mark));
            }
        }
    }
    let late = late.into_iter().filter(|(owner, _)| known.contains(owner));
    late.map(|(_, mark)| mark).collect()
}

/// A comment that came too late to a record before the database was put back, and whose change nobody was known for when it came
/// again: it has no effect that could be looked after.
fn unheard(world: &World) -> BTreeSet<String> {
    let seen = world.seen();
    if seen.restored_at_ms.is_none() {
        return BTreeSet::new();
    }
    let tasks = world.clickup.live_tasks();
    let comments = tasks.iter().flat_map(marks::marks_in_comments);
    let is_unheard =
        |mark: &String| seen.came_too_late.contains(mark) && seen.state_of(mark).is_none();
    comments.filter(is_unheard).collect()
}

/// A lead that was forgotten when the database was put back, and whose person has got another one since.
fn is_given_up(world: &World, seen: &Seen, lead: &TaskView) -> bool {
    let us = world.clickup.user_id();
    let others = world.clickup.live_tasks();
    let mut others = others
        .iter()
        .filter(|other| other.creator_id == us && other.date_created > lead.date_created);
    seen.forgotten.contains(&lead.id)
        && others.any(|other| seen.owners.get(&other.id) == seen.owners.get(&lead.id))
}

/// Whether whatever stands there twice had long enough to be taken back.
pub fn is_overdue(world: &World, calm_at_ms: u64) -> bool {
    let since = world.seen().too_late_ms.max(calm_at_ms);
    time::elapsed_ms() > since + WITHIN_MS
}

/// A request was carried out, or will be listed, later than any that calup waits for.
pub fn came_too_late(world: &World, text: &str) {
    let lag = world.weather().index_lag_ms;
    let mut seen = world.seen();
    seen.came_too_late
        .extend(marked(text).into_iter().map(|(_, mark)| mark));
    seen.too_late_ms = time::elapsed_ms() + lag;
}

/// Somebody worked on it, other than by taking it away.
pub fn touched(world: &World, deed: story::Deed, id: &str) {
    use story::Deed;
    match deed {
        Deed::Copies | Deed::Deletes | Deed::Merges | Deed::Resolves => {}
        Deed::WritesAbove
        | Deed::WritesBelow
        | Deed::Wins
        | Deed::Negotiates
        | Deed::Renames
        | Deed::Moves
        | Deed::Comments => {
            world
                .seen()
                .touched
                .insert(id.to_owned(), time::elapsed_ms());
        }
    }
}
