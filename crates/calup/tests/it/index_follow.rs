//! Many leads are changed at once, by an import: a booking does not wait for what the background may not do, and the
//! background comes to an end.

use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use sim::cal::Person;
use sim::clickup::Config;

use crate::world::{BROKERS, SELLERS, Setup, World};

const START: &str = "2090-05-04T10:00:00Z";
const LIMIT: u32 = 100;

async fn filled(window: Duration) -> World {
    let world = World::with(Setup {
        clickup: Some(Config {
            limit_per_minute: LIMIT,
            window,
            ..Config::default()
        }),
        env: vec![("CALUP_INDEX_SECONDS", "2".to_owned())],
        ..Setup::default()
    })
    .await;
    let is_filled = async || world.calup.log().contains("the leads are indexed");
    world.until("the leads are indexed", is_filled).await;
    world
}

fn indexed(world: &World) -> usize {
    let path = world.calup.dir.join("calup.db");
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY);
    let db = db.expect("a database");
    let sql = "SELECT count(*) FROM indexed_lead";
    let count: i64 = db.query_row(sql, [], |row| row.get(0)).expect("a number");
    usize::try_from(count).expect("some")
}

/// So that the background, for which 60 of the window's calls are not meant, has none left.
async fn use_up(world: &World, calls: u32) {
    for _ in 0..calls {
        let url = format!("{}/v2/user", world.clickup.api_url());
        let call = world.http.get(url).header("Authorization", "pk_sim");
        let answer = call.send().await.expect("the stand-in answers");
        assert_eq!(answer.status(), 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_booking_waits_neither_for_an_import_nor_for_the_share_of_the_background() {
    let window = Duration::from_secs(60);
    let world = filled(window).await;
    let known = Person::new("Kim Known", "kim@known.example");
    world
        .clickup
        .add_task(BROKERS, "Kim Known", Some("kim@known.example"));
    for n in 0..250 {
        world
            .clickup
            .add_task(SELLERS, &format!("Imported {n}"), None);
    }
    let namesake = world.clickup.add_task(SELLERS, "Ross, Mike", None);
    world.clickup.set_limit(LIMIT, window);
    use_up(&world, 50).await;
    let began = Instant::now();
    let mike = Person::new("Mike Ross", "mike@ross.example");
    let unknown = world.cal().book(&mike, START, 30).created();
    assert_eq!(world.deliver(unknown.body).await, 200);
    world
        .until("who was imported a moment ago is asked about", async || {
            let open = world.get("/api/questions?state=open").await;
            open["questions"][0]["candidates"][0]["task_id"] == namesake.as_str()
        })
        .await;
    let booking = world
        .cal()
        .book(&known, "2090-05-05T10:00:00Z", 30)
        .created();
    assert_eq!(world.deliver(booking.body.clone()).await, 200);
    world
        .until("a known person's booking is applied", async || {
            world.ending(&booking.body).await.0 == "done"
        })
        .await;
    let took = began.elapsed();
    assert!(
        took < window / 2,
        "{took:?}: somebody waited for the window's end"
    );
    assert_eq!(world.clickup.refused_429(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_takes_more_calls_than_a_window_has_for_it_is_read_to_its_end() {
    let window = Duration::from_secs(12);
    let world = filled(window).await;
    let before = indexed(&world);
    for n in 0..6_000 {
        world
            .clickup
            .add_task(SELLERS, &format!("Imported {n}"), None);
    }
    let began = Instant::now();
    while indexed(&world) < before + 6_000 {
        assert!(
            began.elapsed() < 5 * window,
            "{} of 6000 leads after five windows",
            indexed(&world) - before
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(world.clickup.refused_429(), 0);
}
