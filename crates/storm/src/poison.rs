//! One person's record that ClickUp refuses to have written, for good: that person's meetings end dead, somebody is told,
//! and nobody else waits for it (I21).

use sim::clickup::Asked;
use store::Store;
use store::rows::{DEFAULT_PROFILE, DeliveryFilter};

use crate::world::World;
use crate::{dice, fatal, judge, time};

/// One call's patience, and what a change and those before it in its own lane take where nothing else goes wrong.
const TOLD_WITHIN_MS: u64 = 4_000 + 16_000;
const NOTICES: usize = 1_000;

/// Draws whose, if anybody's, and clears the weather for half of those storms: only then can it be told who waits.
pub fn draw(world: &World) {
    let people = world.seen().people.len();
    if people < 2 || !dice::chance(0.15) {
        return;
    }
    world.weather().refuses = Some(dice::between(0, people as u64 - 1) as usize);
    if dice::chance(0.5) {
        world.clear_weather();
    }
}

/// What ClickUp says to a write, if it refuses it.
pub fn refusal(world: &World, asked: &Asked) -> Option<&'static [u8]> {
    let whose = world.weather().refuses?;
    let of = judge::person_of(world, asked);
    (of == Some(whose)).then_some(br#"{"err":"Not allowed here","ECODE":"ITEM_999"}"#)
}

/// Whether a booking is of the person whose record is refused.
pub fn is_about(world: &World, uid: &str) -> bool {
    let Some(whose) = world.weather().refuses else {
        return false;
    };
    let seen = world.seen();
    seen.events
        .iter()
        .any(|e| e.person == whose && e.uid == uid)
}

/// An event was told just now: nobody waits for what cannot be done for somebody else.
pub fn told(world: &World, event: usize) {
    if !world.weather().is_clear || world.seen().restored_at_ms.is_some() {
        return;
    }
    let within = {
        let seen = world.seen();
        match &seen.fatal {
            None => TOLD_WITHIN_MS,
            Some(fatal) if fatal.keeps_others_waiting() => return,
            Some(_) => fatal::OTHERS_WITHIN_MS,
        }
    };
    let whose = world.seen().events[event].person;
    if fatal::person(world) == Some(whose) {
        return;
    }
    let now = time::elapsed_ms();
    let stored_at = world.seen().of_database.stored.get(&event).copied();
    let waited = stored_at.map_or(0, |at| now.saturating_sub(at));
    if waited > within {
        let what = format!(
            "event {event} was told {waited} ms after it came, while nothing can be done for another"
        );
        world.violated("I21", what);
    }
}

/// Each delivery that ended dead was told to the operator, if the database could be written then.
pub async fn dead_are_told(world: &World, file: &dyn Store) {
    if world.counts().faults.contains_key("database error") {
        return;
    }
    let all = DeliveryFilter {
        status: Some(store::rows::Status::Dead),
        limit: 1_000,
        ..DeliveryFilter::default()
    };
    let deliveries = file.deliveries(&all).await.unwrap_or_default();
    let notices = file
        .notices(DEFAULT_PROFILE, NOTICES)
        .await
        .unwrap_or_default();
    for delivery in deliveries {
        let cause = format!("dead:{}", delivery.id);
        if !notices.iter().any(|notice| notice.cause == cause) {
            let what = format!("nobody was told that delivery {} ended dead", delivery.id);
            world.violated("I13", what);
        }
    }
}
