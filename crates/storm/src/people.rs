//! What people do in ClickUp while calup works.

use std::sync::Arc;

use domain::effect::State;

use crate::ending::lead_of;
use crate::marks::marked;
use crate::set::{BROKERS, INBOUND, SELLERS};
use crate::story::{Act, Deed};
use crate::world::World;
use crate::{dice, repair, time};

pub async fn act(world: Arc<World>, act: Act) {
    time::sleep_ms(act.at_ms.saturating_sub(time::elapsed_ms())).await;
    let found = if world.weather().is_beyond && dice::chance(0.5) {
        newest_of(&world, act.person)
    } else {
        lead_of(&world, act.person)
    };
    let Some(task) = found else {
        return;
    };
    let is_harmless = act.deed == Deed::Copies && world.weather().is_beyond;
    let takes_away = matches!(
        act.deed,
        Deed::Moves | Deed::Copies | Deed::Deletes | Deed::Merges
    );
    if takes_away && !is_harmless && !act.at_any_time && is_in_doubt(&world, &task) {
        return;
    }
    world.tell(format_args!("a person: {:?} {task}", act.deed));
    world.fault("a person's hand");
    let clickup = &world.clickup;
    let view = clickup.task(&task).expect("it is live");
    let now = time::elapsed_ms();
    repair::touched(&world, act.deed, &task);
    if matches!(act.deed, Deed::Deletes | Deed::Merges) {
        world.seen().gone.push((view.clone(), now));
    }
    match act.deed {
        Deed::WritesAbove | Deed::WritesBelow => {
            let text = format!("Noted by hand at {now}");
            let markdown = if act.deed == Deed::WritesAbove {
                format!("{text}\n\n{}", view.markdown)
            } else {
                format!("{}\n\n{text}", view.markdown)
            };
            clickup.human_edit_description(&task, &markdown);
            world.seen().texts.push(crate::seen::HumanText {
                task,
                text,
                at_ms: now,
            });
        }
        Deed::Wins | Deed::Negotiates => {
            let status = if act.deed == Deed::Wins {
                "won"
            } else {
                "negotiating"
            };
            clickup.human_set_status(&task, status);
            world.seen().statuses.insert(task, (status.to_owned(), now));
        }
        Deed::Renames => clickup.human_rename(&task, &format!("{} (hot)", view.name)),
        Deed::Moves => {
            let elsewhere = if view.list_id == BROKERS {
                SELLERS
            } else {
                BROKERS
            };
            let to = if view.list_id == INBOUND {
                BROKERS
            } else {
                elsewhere
            };
            clickup.human_move(&task, to);
        }
        Deed::Copies => {
            let copy = clickup.human_copy(&task);
            let mut seen = world.seen();
            seen.by_people.insert(copy);
            // From here on two records have the address, and the newer one may be chosen for a new meeting.
            seen.removed.insert(act.person);
        }
        Deed::Comments => {
            clickup.human_comment(&task, "Called, no answer.");
        }
        Deed::Resolves => {
            let us = clickup.user_id();
            if let Some(comment) = view.comments.iter().rfind(|c| c.user_id == us) {
                clickup.human_resolve_comment(&comment.id);
                let mut seen = world.seen();
                seen.touched.insert(comment.id.clone(), now);
                seen.touched.insert(task, now);
            }
        }
        Deed::Deletes => {
            clickup.human_delete(&task);
            let mut seen = world.seen();
            let told = seen.told.keys().filter(|(of, _)| *of == task);
            let told: Vec<usize> = told.map(|(_, chain)| *chain).collect();
            seen.deleted
                .extend(told.into_iter().map(|chain| (chain, now)));
            seen.removed.insert(act.person);
        }
        Deed::Merges => {
            let into = clickup.add_task(&view.list_id, &view.name, view.email.as_deref());
            clickup.human_merge(&task, &into);
            let mut seen = world.seen();
            seen.by_people.insert(into.clone());
            seen.owners.insert(into, act.person);
            seen.removed.insert(act.person);
        }
    }
}

/// Where a record is there twice, the second.
fn newest_of(world: &World, person: usize) -> Option<String> {
    let seen = world.seen();
    let of = seen.owners.iter().filter(|(_, owner)| **owner == person);
    let live = of
        .filter_map(|(task, _)| world.clickup.task(task))
        .filter(|task| !task.deleted);
    let newest = live.max_by_key(|task| (task.date_created, task.id.clone()));
    newest.map(|task| task.id)
}

/// The answer that told of it was lost, and it is being looked for where calup put it.
fn is_in_doubt(world: &World, task: &str) -> bool {
    let Some(view) = world.clickup.task(task) else {
        return false;
    };
    let marks = marked(&view.markdown);
    let seen = world.seen();
    let in_doubt = seen
        .of_database
        .effects
        .values()
        .filter(|e| matches!(e.state, State::Attempting | State::Unknown));
    in_doubt
        .into_iter()
        .any(|e| e.target == task || marks.iter().any(|(_, mark)| *mark == e.marker))
}
