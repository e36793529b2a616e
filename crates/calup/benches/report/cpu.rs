//! Processor time of a booking from its first byte to the last commit: taken in, read, decided, written to ClickUp
//! (plain HTTP, as the simulated one speaks) and recorded.

use std::rc::Rc;

use sim::cal::Person;

use crate::Effort;
use crate::deliveries::Bookings;
use crate::load;
use crate::table::Table;
use crate::world::{BROKERS, NO_LIMIT, World};

const CONNECTIONS: usize = 16;
const LIMIT_MS: f64 = 1.0;

pub async fn ask(table: &mut Table, effort: Effort) {
    let people = effort.pick(2_000, 500);
    let world = World::start(NO_LIMIT).await;
    world.clickup.add_tasks(BROKERS, people);
    let known: Vec<Person> = (0..people)
        .map(|n| Person::new(&format!("Person {n}"), &format!("person{n}@bulk.example")))
        .collect();
    let mut bookings = Bookings::new();
    let mut mutations = 0;
    for (what, writes) in [("first match", 2), ("linked person", 2), ("new lead", 1)] {
        let requests: Vec<Vec<u8>> = if what == "new lead" {
            bookings.of_strangers(people)
        } else {
            known.iter().map(|person| bookings.of(person)).collect()
        };
        world.calup.quiet().await;
        let before = world.calup.cpu_ms();
        load::run(world.calup.address, CONNECTIONS, Rc::new(requests)).await;
        mutations += writes * people as u64;
        world.worked_off(mutations).await;
        let each = (world.calup.cpu_ms() - before) / people as f64;
        table.at_most(
            &format!("processor time per booking, end to end, {what}"),
            each,
            LIMIT_MS,
            "ms",
        );
    }
    world.end();
}
