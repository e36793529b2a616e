//! ClickUp is down while bookings come in; afterwards they are worked off as fast as its limit allows.

use std::time::{Duration, Instant};

use sim::cal::Person;
use sim::clickup::{Config, LoggedRequest};

use crate::world::{INBOUND, Setup, World};

const START: &str = "2090-05-04T10:00:00Z";
/// ClickUp's largest, for a recorded run; a shared machine's disk may not keep up with that.
const LIMIT_PER_MINUTE_RECORDED: u32 = 10_000;
const LIMIT_PER_MINUTE: u32 = 3_000;
const MINUTE: Duration = Duration::from_secs(60);
const MEMORY_MIB_MAX: f64 = 200.0;

/// How many calls came in each minute, the minutes cut as the limit cuts them: from the first call on.
fn calls_by_minute(requests: &[LoggedRequest]) -> Vec<usize> {
    let minute_ms = MINUTE.as_millis() as i64;
    let mut minutes: Vec<(i64, usize)> = Vec::new();
    for at_ms in requests.iter().map(|request| request.at_ms) {
        match minutes.last_mut() {
            Some((began, calls)) if at_ms < *began + minute_ms => *calls += 1,
            _ => minutes.push((at_ms, 1)),
        }
    }
    minutes.into_iter().map(|(_, calls)| calls).collect()
}

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
            log_entries_max: 4 * total,
            ..Config::default()
        }),
        ..Setup::default()
    })
    .await;
    let is_indexed = async || world.calup.log().contains("the leads are indexed");
    world.until("names can be compared", is_indexed).await;
    world.clickup.stop().await;
    world.clickup.set_limit(limit_per_minute, MINUTE);
    world.clickup.clear_requests();
    let cal = world.cal();
    for n in 0..total {
        let person = Person::new("Ada Byrd", &format!("ada{n}@byrd.example"));
        let delivery = cal.book(&person, START, 30).created();
        assert_eq!(world.deliver(delivery.body).await, 200);
    }
    world.clickup.restart().await;
    let began = Instant::now();
    let patience = Duration::from_secs(120) + Duration::from_millis(200) * total as u32;
    let counts = world.settle_within(patience).await;
    let took = began.elapsed().as_secs_f64();
    let by_minute = calls_by_minute(&world.clickup.requests());
    println!(
        "{total} queued: worked off in {took:.0} s by {by_minute:?} calls a minute of {limit_per_minute}; {:.0} MiB at most",
        world.calup.peak_mib()
    );
    assert_eq!(counts["done"], total, "{counts}");
    assert_eq!(world.clickup.tasks_in(INBOUND).len(), total);
    assert_eq!(world.clickup.refused_429(), 0);
    assert!(world.calup.peak_mib() < MEMORY_MIB_MAX);
    // The last minute ends when there is nothing more to do.
    let (_, whole) = by_minute.split_last().expect("some calls");
    assert!(!whole.is_empty(), "too few to meet the limit");
    let wanted = limit_per_minute as usize * 9 / 10;
    assert!(whole.iter().all(|calls| *calls >= wanted), "{by_minute:?}");
}
