//! A hundred and twenty bookings of linked people at once, while ClickUp allows a hundred calls a minute.

use std::rc::Rc;
use std::time::{Duration, Instant};

use sim::cal::Person;

use crate::Effort;
use crate::deliveries::Bookings;
use crate::load;
use crate::table::Table;
use crate::world::{BROKERS, NO_LIMIT, World};

const PEOPLE: usize = 120;
const CALLS_PER_MINUTE: u32 = 100;
const CONNECTIONS: usize = 64;

pub async fn ask(table: &mut Table, effort: Effort) {
    let minute = Duration::from_secs(effort.pick(60, 12));
    let mut world = World::start(NO_LIMIT).await;
    world.clickup.add_tasks(BROKERS, PEOPLE);
    let known: Vec<Person> = (0..PEOPLE)
        .map(|n| Person::new(&format!("Person {n}"), &format!("person{n}@bulk.example")))
        .collect();
    let mut bookings = Bookings::new();
    let first: Vec<Vec<u8>> = known.iter().map(|person| bookings.of(person)).collect();
    load::run(world.calup.address, CONNECTIONS, Rc::new(first)).await;
    world.worked_off(2 * PEOPLE as u64).await;

    world.clickup.clear_requests();
    world.clickup.set_limit(CALLS_PER_MINUTE, minute);
    world.restart();
    let second: Vec<Vec<u8>> = known.iter().map(|person| bookings.of(person)).collect();
    let began = Instant::now();
    load::run(world.calup.address, CONNECTIONS, Rc::new(second)).await;
    world.worked_off(2 * PEOPLE as u64).await;
    let minutes = began.elapsed().as_secs_f64() / minute.as_secs_f64();
    let shortened = effort.pick(
        String::new(),
        format!(" (a minute of {} s)", minute.as_secs()),
    );
    let applied = world
        .clickup
        .requests()
        .iter()
        .filter(|r| r.path.ends_with("/comment") && r.status == 200)
        .count();
    table.at_least(
        &format!("of {PEOPLE} bookings at once against {CALLS_PER_MINUTE} calls a minute: applied{shortened}"),
        applied as f64,
        PEOPLE as f64,
        "",
    );
    table.at_least("… bookings a minute", PEOPLE as f64 / minutes, 32.0, "");
    let refused = world.clickup.refused_429() as f64 / world.clickup.calls() as f64;
    table.at_most(
        "… share of calls that were answered 429",
        100.0 * refused,
        1.0,
        "%",
    );
    world.end();
}
