//! Ten thousand leads are read for the index while bookings come in: within ClickUp's limit, in the background's share of
//! it, and nobody who is known waits for that.

use std::time::{Duration, Instant};

use sim::cal::Person;
use sim::clickup::{Config, LoggedRequest};

use crate::world::{BROKERS, INBOUND, SELLERS, Setup, World};

const START: &str = "2090-05-04T10:00:00Z";
const LEADS: usize = 10_000;
const LIMIT: u32 = 100;
/// Of the limit. The rest is kept for bookings (protocol.md P13).
const BACKGROUND: usize = 40;
/// The minute, as short as lets a debug build keep up.
const WINDOW: Duration = Duration::from_secs(4);
/// From the answer to its webhook until a booking of somebody known is applied.
const APPLIED_WITHIN: Duration = Duration::from_secs(4);

fn is_page(request: &LoggedRequest) -> bool {
    request.path.contains("/v2/team/") && request.query.contains("reverse=true")
}

/// How many of each window's calls were the index's, the windows cut as the limit cuts them.
fn pages_by_window(requests: &[LoggedRequest]) -> Vec<usize> {
    let window = WINDOW.as_millis() as i64;
    let mut all: Vec<(i64, bool)> = requests.iter().map(|r| (r.at_ms, is_page(r))).collect();
    all.sort_unstable();
    let mut windows: Vec<(i64, usize)> = Vec::new();
    for (at, is_page) in all {
        if windows.last().is_none_or(|(start, _)| at >= start + window) {
            windows.push((at, 0));
        }
        if let Some((_, pages)) = windows.last_mut().filter(|_| is_page) {
            *pages += 1;
        }
    }
    windows.into_iter().map(|(_, pages)| pages).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_index_is_filled_in_the_background_and_bookings_go_first() {
    let mut world = World::with(Setup {
        clickup: Some(Config {
            limit_per_minute: LIMIT,
            window: WINDOW,
            ..Config::default()
        }),
        // Nothing is read yet.
        env: vec![("CALUP_QUESTION_HOURS", "0".to_owned())],
        ..Setup::default()
    })
    .await;
    world.clickup.add_tasks(BROKERS, LEADS / 2);
    world.clickup.add_tasks(SELLERS, LEADS / 2);
    let namesake = world.clickup.add_task(SELLERS, "Ross, Mike", None);
    world.calup.set("CALUP_QUESTION_HOURS", "24");
    world.clickup.clear_requests();
    world.calup.restart();
    let began = Instant::now();
    let mike = Person::new("Mike Ross", "mike@ross.example");
    let unknown = world.cal().book(&mike, START, 30).created();
    assert_eq!(world.deliver(unknown.body.clone()).await, 200);
    let is_filled = || world.calup.log().contains("the leads are indexed");
    let mut slowest = Duration::ZERO;
    let mut live = 0;
    while !is_filled() {
        let known = Person::new("Known", &format!("person{live}@bulk.example"));
        let booking = world.cal().book(&known, START, 30).created();
        assert_eq!(world.deliver(booking.body.clone()).await, 200);
        let sent = Instant::now();
        world
            .until("a known person's booking is applied", async || {
                world.ending(&booking.body).await.0 == "done"
            })
            .await;
        let is_still_filling = !is_filled();
        if is_still_filling {
            slowest = slowest.max(sent.elapsed());
            live += 1;
            let (status, why) = world.ending(&unknown.body).await;
            assert_eq!(status, "waiting", "{why}");
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let took = began.elapsed();
    let requests = world.clickup.requests();
    let pages = requests.iter().filter(|r| is_page(r)).count();
    let by_window = pages_by_window(&requests);
    println!(
        "{LEADS} leads indexed in {took:.1?} of a minute shortened to {WINDOW:?}: {pages} pages, {by_window:?} a window; {live} bookings meanwhile, the slowest applied within {slowest:.1?}"
    );
    assert_eq!(world.clickup.refused_429(), 0);
    assert!(pages > LEADS / 100, "{pages}");
    // What arrives at a window's edge may be counted into the next one here.
    let most = by_window.iter().max().copied().unwrap_or_default();
    assert!(most <= BACKGROUND + 5, "{by_window:?}");
    assert!(live >= 5, "{live} bookings came while it was filled");
    assert!(slowest <= APPLIED_WITHIN, "{slowest:?}");
    world
        .until("who waited for it is asked about", async || {
            let open = world.get("/api/questions?state=open").await;
            open["questions"][0]["candidates"][0]["task_id"] == namesake.as_str()
        })
        .await;
    assert!(world.clickup.tasks_in(INBOUND).is_empty());
}
