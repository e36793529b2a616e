//! How many calls a booking costs, whatever the size of the workspace.

use sim::cal::Person;
use sim::clickup::LoggedRequest;

use crate::world::{BROKERS, INBOUND, Setup, World};

const START: &str = "2090-05-04T10:00:00Z";
const LATER: &str = "2090-05-05T10:00:00Z";

/// Calls since the last time, without the hourly look-ups and what the index of leads reads.
fn calls(world: &World) -> Vec<String> {
    let hourly = |path: &str| {
        path.ends_with("/v2/user")
            || path.ends_with("/v2/team")
            || path.contains("/v2/list/") && !path.ends_with("/task")
    };
    let requests = world.clickup.requests();
    world.clickup.clear_requests();
    requests
        .iter()
        .filter(|r| r.method != "GET" || !hourly(&r.path) && !is_of_the_index(r))
        .map(|r| format!("{} {}", r.method, r.path))
        .collect()
}

fn is_of_the_index(request: &LoggedRequest) -> bool {
    request.path.contains("/v2/team/") && !request.query.contains("custom_fields")
}

async fn costs_the_same(tasks: usize, question_hours: &str) {
    let world = World::with(Setup {
        env: vec![("CALUP_QUESTION_HOURS", question_hours.to_owned())],
        ..Setup::default()
    })
    .await;
    world.clickup.add_tasks(BROKERS, tasks);
    world.clickup.add_tasks(INBOUND, tasks);
    let cal = world.cal();
    let known = Person::new("Person 7", "person7@bulk.example");
    // The same address is in both lists: the match list's task is chosen.
    let booking = cal.book(&known, START, 30);
    let created = booking.created();
    let (moved, rescheduled) = booking.rescheduled(None, LATER);
    let cancelled = moved.cancelled(None, None);
    let somebody = cal
        .book(&Person::new("Nobody Yet", "nobody@yet.example"), START, 30)
        .created();
    for (what, delivery, most) in [
        ("first match", &created, 4),
        ("linked", &rescheduled, 3),
        ("linked", &cancelled, 3),
        ("a repeat", &created, 0),
        ("a repeat in other bytes", &created.restamped(), 0),
        ("a new lead", &somebody, 2),
        ("its repeat", &somebody, 0),
    ] {
        assert_eq!(cal.send(delivery).await.0, 200);
        world.settle().await;
        let made = calls(&world);
        assert!(made.len() <= most, "{what}: {made:#?}");
    }
    let second = cal.book(&known, "2090-06-04T10:00:00Z", 30).created();
    assert_eq!(cal.send(&second).await.0, 200);
    world.settle().await;
    let made = calls(&world);
    assert!(
        made.len() <= 3,
        "another meeting of a linked person: {made:#?}"
    );
    assert_eq!(world.clickup.task_count(), 2 * tasks + 1);
}

#[tokio::test]
async fn a_booking_costs_the_same_among_a_hundred_people() {
    costs_the_same(100, "24").await;
}

#[tokio::test]
async fn a_booking_costs_the_same_among_a_hundred_thousand_people() {
    // Somebody new would wait until all of them are indexed, which takes a debug build minutes.
    costs_the_same(50_000, "0").await;
}
