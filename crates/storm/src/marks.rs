//! The marks that our objects bear, and that none of them is there twice.

use std::collections::BTreeMap;

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

pub fn at_most_once(world: &World) {
    let us = world.clickup.user_id();
    let mut objects: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut leads: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let mut said_twice = None;
    {
        let seen = world.seen();
        for task in world.clickup.live_tasks() {
            if task.creator_id == us {
                for (_, mark) in marked(&task.markdown) {
                    objects.entry(mark).or_default().push(task.id.clone());
                }
                if let Some(person) = seen.owners.get(&task.id) {
                    leads.entry(*person).or_default().push(task.id.clone());
                }
            }
            let twice = comments(&task, us, &mut objects);
            // What was merged into a record may have been told there too.
            let twice = twice.filter(|_| !seen.by_people.contains(&task.id));
            said_twice = said_twice.or(twice);
        }
    }
    if let Some((mark, places)) = objects.iter().find(|(_, places)| places.len() > 1) {
        world.violated(
            "I3",
            format!("mark {mark} is there more than once: {}", places.join(", ")),
        );
    }
    if let Some((person, leads)) = leads.iter().find(|(_, leads)| leads.len() > 1) {
        // A person who deleted the lead of one meeting may get another one for the next.
        if !world.seen().removed.contains(person) {
            world.violated(
                "I8",
                format!(
                    "person {person} has several leads of ours: {}",
                    leads.join(", ")
                ),
            );
        }
    }
    if let Some(what) = said_twice {
        world.violated("I3", what);
    }
}

fn comments(
    task: &TaskView,
    us: u64,
    objects: &mut BTreeMap<String, Vec<String>>,
) -> Option<String> {
    let mut said: BTreeMap<String, &str> = BTreeMap::new();
    let mut twice = None;
    for comment in task.comments.iter().filter(|c| c.user_id == us) {
        for (_, mark) in marked(&comment.text) {
            let place = format!("comment {} of {}", comment.id, task.id);
            objects.entry(mark).or_default().push(place);
        }
        if said.insert(words(&comment.text), &comment.id).is_some() {
            twice = Some(format!(
                "{}: the same words twice, the second time in {}",
                task.id, comment.id
            ));
        }
    }
    twice
}
