//! ClickUp is down while bookings come in; afterwards they are worked off as fast as its limit allows.

use std::time::{Duration, Instant};

use sim::cal::Person;
use sim::clickup::Config;

use crate::world::{INBOUND, Setup, World};

const START: &str = "2090-05-04T10:00:00Z";
/// ClickUp's largest, for a recorded run; a shared machine's disk may not keep up with that.
const LIMIT_PER_MINUTE_RECORDED: u32 = 10_000;
const LIMIT_PER_MINUTE: u32 = 3_000;
const MEMORY_MIB_MAX: f64 = 200.0;

/// More for a recorded run; and the limit.
fn asked_for() -> (usize, u32) {
    let asked = std::env::var("CALUP_IT_BACKLOG").ok();
    match asked.and_then(|n| n.parse().ok()) {
        Some(total) => (total, LIMIT_PER_MINUTE_RECORDED),
        None => (2_000, LIMIT_PER_MINUTE),
    }
}

#[tokio::test]
#[cfg_attr(
    debug_assertions,
    ignore = "it measures: cargo test --release -p calup --test alone"
)]
async fn what_came_while_clickup_was_down_is_worked_off_within_its_limit_and_in_little_memory() {
    let (total, limit_per_minute) = asked_for();
    let world = World::with(Setup {
        clickup: Some(Config {
            limit_per_minute,
            log_entries_max: 1,
            ..Config::default()
        }),
        ..Setup::default()
    })
    .await;
    world.clickup.stop().await;
    let cal = world.cal();
    for n in 0..total {
        let person = Person::new("Ada Byrd", &format!("ada{n}@byrd.example"));
        let delivery = cal.book(&person, START, 30).created();
        assert_eq!(world.deliver(delivery.body).await, 200);
    }
    let before = world.clickup.calls();
    world.clickup.restart().await;
    world
        .until("work goes on", async || world.clickup.calls() > before + 20)
        .await;
    let (began, calls) = (Instant::now(), world.clickup.calls());
    let patience = Duration::from_secs(120) + Duration::from_millis(200) * total as u32;
    let counts = world.settle_within(patience).await;
    let took = began.elapsed().as_secs_f64();
    let calls = world.clickup.calls() - calls;
    let share = 100.0 * calls as f64 / (f64::from(limit_per_minute) * took / 60.0);
    println!(
        "{total} queued: worked off in {took:.0} s by {calls} calls, {share:.0} % of {limit_per_minute} a minute; {:.0} MiB at most",
        world.calup.peak_mib()
    );
    assert_eq!(counts["done"], total, "{counts}");
    assert_eq!(world.clickup.tasks_in(INBOUND).len(), total);
    assert_eq!(world.clickup.refused_429(), 0);
    assert!(world.calup.peak_mib() < MEMORY_MIB_MAX);
    assert!(share >= 90.0, "{share:.0} %");
}
