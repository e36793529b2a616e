//! The marks that our objects bear, and that none of them is there twice.

use std::collections::{BTreeMap, BTreeSet};

use sim::clickup::TaskView;

use crate::world::World;

const LINE: &str = "Cal.com booking ";
const MARK_CHARS: usize = 16;

/// Booking and mark of each marker line.
pub fn marked(text: &str) -> Vec<(String, String)> {
    text.lines()
        .filter_map(|line| {
            let (uid, mark) = line.trim().strip_prefix(LINE)?.split_once(" · ")?;
            let mark: String = mark.chars().take(MARK_CHARS).collect();
            (mark.len() == MARK_CHARS).then(|| (uid.to_owned(), mark))
        })
        .collect()
}

/// A text without its marker lines: what people read.
fn words(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim().starts_with(LINE));
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// I3 and I8, at any moment: what a request that was carried out or listed too late made may stand there twice for now.
pub fn at_most_once(world: &World) {
    if let Some((invariant, what)) = doubled(world, &excused(world)) {
        world.violated(invariant, what);
    }
}

/// What came too late, and what was said on a lead that did, or was forgotten: the sweeper carries that over before it
/// deletes.
fn excused(world: &World) -> BTreeSet<String> {
    let (mut excused, forgotten) = {
        let seen = world.seen();
        (seen.came_too_late.clone(), seen.forgotten.clone())
    };
    if excused.is_empty() && forgotten.is_empty() {
        return excused;
    }
    for task in world.clickup.live_tasks() {
        let mut marks = marked(&task.markdown).into_iter();
        let is_twin =
            forgotten.contains(&task.id) || marks.any(|(_, mark)| excused.contains(&mark));
        if is_twin {
            excused.extend(marks_in_comments(&task));
        }
    }
    excused
}

pub fn marks_in_comments(task: &TaskView) -> Vec<String> {
    let marks = task.comments.iter().flat_map(|c| marked(&c.text));
    marks.map(|(_, mark)| mark).collect()
}

/// Whether a comment with this mark stands on another lead too.
pub fn is_on_another(world: &World, mark: &str, lead: &str) -> bool {
    let tasks = world.clickup.live_tasks();
    let mut others = tasks.iter().filter(|task| task.id != lead);
    others.any(|task| marks_in_comments(task).iter().any(|m| m == mark))
}

/// Something of ours that is there twice, and by which invariant it must not be.
pub fn doubled(world: &World, excused: &BTreeSet<String>) -> Option<(&'static str, String)> {
    let us = world.clickup.user_id();
    let mut objects: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut leads: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let mut said_twice = None;
    let seen = world.seen();
    for task in world.clickup.live_tasks() {
        if task.creator_id == us {
            let marks = marked(&task.markdown);
            let is_excused = marks.iter().any(|(_, mark)| excused.contains(mark));
            for (_, mark) in marks {
                objects.entry(mark).or_default().push(task.id.clone());
            }
            if let Some(person) = seen.owners.get(&task.id)
                && !is_excused
            {
                leads.entry(*person).or_default().push(task.id.clone());
            }
        }
        let twice = comments(&task, us, &mut objects, excused);
        // What was merged into a record may have been told there too.
        let twice = twice.filter(|_| !seen.by_people.contains(&task.id));
        said_twice = said_twice.or(twice);
    }
    let mut twice = objects
        .iter()
        .filter(|(mark, places)| places.len() > 1 && !excused.contains(*mark));
    if let Some((mark, places)) = twice.next() {
        let what = format!("mark {mark} is there more than once: {}", places.join(", "));
        return Some(("I3", what));
    }
    // A person who deleted the lead of one meeting may get another one for the next.
    let mut several = leads
        .iter()
        .filter(|(person, leads)| leads.len() > 1 && !seen.removed.contains(person));
    if let Some((person, leads)) = several.next() {
        let what = format!(
            "person {person} has several leads of ours: {}",
            leads.join(", ")
        );
        return Some(("I8", what));
    }
    said_twice.map(|what| ("I3", what))
}

fn comments(
    task: &TaskView,
    us: u64,
    objects: &mut BTreeMap<String, Vec<String>>,
    excused: &BTreeSet<String>,
) -> Option<String> {
    let mut said: BTreeMap<String, &str> = BTreeMap::new();
    let mut twice = None;
    for comment in task.comments.iter().filter(|c| c.user_id == us) {
        let marks = marked(&comment.text);
        let is_excused = marks.iter().any(|(_, mark)| excused.contains(mark));
        for (_, mark) in marks {
            let place = format!("comment {} of {}", comment.id, task.id);
            objects.entry(mark).or_default().push(place);
        }
        if !is_excused && said.insert(words(&comment.text), &comment.id).is_some() {
            twice = Some(format!(
                "{}: the same words twice, the second time in {}",
                task.id, comment.id
            ));
        }
    }
    twice
}
