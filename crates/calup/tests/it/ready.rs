//! What strangers may ask costs nothing, tells no names, and says the truth about the database.

use std::time::Duration;

use sim::cal::Person;

use crate::world::World;

const START: &str = "2090-05-04T10:00:00Z";

#[tokio::test]
async fn asking_whether_it_is_ready_writes_nothing() {
    let world = World::start().await;
    world.get("/readyz").await;
    let before = world.calup.bytes_written();
    for _ in 0..200 {
        assert_eq!(world.get("/readyz").await["status"], "ready");
    }
    let written = world.calup.bytes_written() - before;
    assert!(written < 20 * 4_096, "{written} bytes for 200 questions");
}

#[tokio::test]
async fn readiness_says_that_it_is_paused_and_leaves_the_reason_to_those_with_a_token() {
    let world = World::start().await;
    world.clickup.set_token_valid(false);
    let person = Person::new("Ada Byrd", "ada@byrd.example");
    let booking = world.cal().book(&person, START, 30);
    assert_eq!(world.deliver(booking.created().body).await, 200);
    world
        .until("the profile is paused", async || {
            let ready = world.get("/readyz").await;
            ready["clickup"] == "paused: deliveries wait; GET /api/notices says why"
        })
        .await;
    let notices = world.get("/api/notices").await.to_string();
    assert!(notices.contains("CLICKUP_API_TOKEN"), "{notices}");
}

#[tokio::test]
async fn a_token_that_is_refused_is_noticed_though_nothing_is_booked() {
    let mut world = World::start().await;
    world.clickup.set_token_valid(false);
    world.calup.restart();
    let ready = async || world.get("/readyz").await["clickup"].to_string();
    world
        .until("the profile is paused", async || {
            ready().await.starts_with("\"paused")
        })
        .await;
    let notices = world.get("/api/notices").await.to_string();
    assert!(notices.contains("CLICKUP_API_TOKEN"), "{notices}");
}

#[tokio::test]
async fn a_database_that_cannot_be_written_is_not_ready_until_it_can() {
    let world = World::start().await;
    let db = rusqlite::Connection::open(world.calup.dir.join("calup.db")).expect("opened");
    db.execute_batch("BEGIN IMMEDIATE").expect("locked");
    assert_eq!(world.deliver("{}").await, 503);
    let status = async || {
        let url = format!("http://{}/readyz", world.calup.address);
        world.http.get(url).send().await.expect("answers").status()
    };
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(status().await, 503);
    db.execute_batch("ROLLBACK").expect("released");
    world.until("ready", async || status().await == 200).await;
    assert_eq!(world.deliver("{}").await, 200);
}
