//! How many calls to ClickUp a booking costs, however large the workspace is. The hourly look-ups (the token's user,
//! the workspace, the lists and their fields) and the index's reads of what was changed are not counted.

use sim::cal::{Cal, Delivery, Person};

use crate::deliveries::{SECRET, on_the_wire};
use crate::http::Connection;
use crate::table::Table;
use crate::world::{BROKERS, INBOUND, NO_LIMIT, World};

const START: &str = "2090-05-04T10:00:00Z";
const LATER: &str = "2090-05-05T10:00:00Z";

pub async fn ask(table: &mut Table) {
    for tasks in [100, 10_000, 100_000] {
        let clickup = World::clickup(NO_LIMIT).await;
        clickup.add_tasks(BROKERS, tasks / 2);
        clickup.add_tasks(INBOUND, tasks / 2);
        let world = World::over(clickup);
        world.indexed().await;
        let cal = Cal::new("http://nobody.example/", SECRET);
        let known = Person::new("Person 7", "person7@bulk.example");
        let booking = cal.book(&known, START, 30);
        let created = booking.created();
        let (_, moved) = booking.rescheduled(None, LATER);
        let stranger = Person::new("Nobody Yet", "nobody@yet.example");
        let stranger = cal.book(&stranger, START, 30).created();
        for (what, delivery, most) in [
            ("first match by e-mail", &created, 4),
            ("linked person", &moved, 3),
            ("new lead", &stranger, 2),
            ("repeated delivery", &created, 0),
        ] {
            let calls = cost(&world, delivery).await;
            table.at_most(
                &format!("ClickUp calls, {what}, {tasks} tasks"),
                calls as f64,
                f64::from(most),
                "",
            );
        }
        world.end();
    }
}

async fn cost(world: &World, delivery: &Delivery) -> usize {
    world.clickup.clear_requests();
    let mut connection = Connection::open(world.calup.address)
        .await
        .expect("a connection");
    let sent = connection.send(&on_the_wire(delivery)).await;
    assert_eq!(sent.expect("an answer").0, 200);
    world.settle().await;
    let is_hourly = |path: &str| {
        path.ends_with("/v2/user")
            || path.ends_with("/v2/team")
            || path.contains("/v2/list/") && !path.ends_with("/task")
    };
    let made = world.clickup.requests();
    let is_of_index = |query: &str| query.contains("date_updated_gt=");
    made.iter()
        .filter(|r| r.method != "GET" || !is_hourly(&r.path) && !is_of_index(&r.query))
        .count()
}
