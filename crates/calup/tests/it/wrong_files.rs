//! A database that cannot be used ends the start in one sentence that says what to do; one that went bad on the way
//! costs what is bad and nothing else.

use sim::cal::Person;

use crate::small_disk::SmallDisk;
use crate::world::{Calup, INBOUND, World};

const START: &str = "2090-05-04T10:00:00Z";

/// `serve` must not begin, and says why in its last line.
fn refused(calup: &Calup, says: &[&str]) {
    let (out, err, code) = calup.run(&["serve"]);
    assert_eq!((code, out.as_str()), (1, ""), "{err}");
    let last = err.lines().last().unwrap_or_default();
    assert!(last.starts_with("error: "), "{err}");
    for part in says {
        assert!(last.contains(part), "{part}: {err}");
    }
    assert!(!err.contains("panicked"), "{err}");
}

async fn with_one_booking() -> World {
    let world = World::start().await;
    let booking = world
        .cal()
        .book(&Person::new("Ada Byrd", "ada@byrd.example"), START, 30);
    assert_eq!(world.deliver(booking.created().body).await, 200);
    assert_eq!(world.settle().await["done"], 1);
    world
}

fn database(world: &World) -> rusqlite::Connection {
    rusqlite::Connection::open(world.calup.dir.join("calup.db")).expect("opened")
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_not_touched() {
    let mut world = with_one_booking().await;
    assert_eq!(world.calup.stop(), Some(0));
    let version = |db: &rusqlite::Connection| -> i64 {
        db.pragma_query_value(None, "user_version", |row| row.get(0))
            .expect("a version")
    };
    let db = database(&world);
    let known = version(&db);
    db.pragma_update(None, "user_version", known + 1)
        .expect("set");
    drop(db);
    refused(
        &world.calup,
        &["written by a newer calup", "start that version"],
    );
    let db = database(&world);
    assert_eq!(version(&db), known + 1);
    db.pragma_update(None, "user_version", known).expect("set");
    drop(db);
    world.calup.start();
    assert_eq!(world.get("/api/counts").await["done"], 1);
}

#[tokio::test]
async fn a_master_key_that_does_not_fit_is_named_and_the_right_one_goes_on() {
    let mut world = with_one_booking().await;
    assert_eq!(world.calup.stop(), Some(0));
    let other = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    world.calup.set("CALUP_MASTER_KEY", other);
    refused(
        &world.calup,
        &["sealed with another key", "CALUP_MASTER_KEY"],
    );
    world.calup.set("CALUP_MASTER_KEY", "not a key");
    refused(&world.calup, &["CALUP_MASTER_KEY"]);
    world.calup.set("CALUP_MASTER_KEY", "");
    let key = world.calup.dir.join("calup.db.key");
    std::fs::rename(&key, world.calup.dir.join("away")).expect("moved");
    refused(&world.calup, &["its key is not here", "bring"]);
    std::fs::rename(world.calup.dir.join("away"), &key).expect("moved back");
    world.calup.start();
    assert_eq!(world.get("/api/counts").await["done"], 1);
}

#[tokio::test]
async fn a_read_only_disk_is_said_and_nothing_is_taken() {
    let Some(disk) = SmallDisk::of_mib(8) else {
        return;
    };
    let mut world = with_one_booking().await;
    assert_eq!(world.calup.stop(), Some(0));
    for name in ["calup.db", "calup.db.key", "calup.db.generation"] {
        std::fs::copy(world.calup.dir.join(name), disk.file(name)).expect("copied");
    }
    disk.make_read_only();
    world.calup.set("DATABASE_URL", &disk.url());
    refused(&world.calup, &["cannot be written", "read-only"]);
}

#[tokio::test]
async fn a_corrupt_row_costs_its_own_delivery_and_no_other() {
    let mut world = World::start().await;
    world.calup.keep_address();
    world.clickup.stop().await;
    let cal = world.cal();
    let book = |name: &str| {
        let person = Person::new(name, &format!("{name}@byrd.example"));
        cal.book(&person, START, 30).created()
    };
    let (bad, good, unread) = (book("bad"), book("good"), book("unread"));
    for delivery in [&bad, &good] {
        assert_eq!(world.deliver(delivery.body.clone()).await, 200);
    }
    world
        .until("both are read", async || {
            let deliveries = world.get("/api/deliveries").await;
            let all = deliveries["deliveries"].as_array().expect("a list");
            all.len() == 2 && all.iter().all(|d| d["uid"].is_string())
        })
        .await;
    assert_eq!(world.calup.stop(), Some(0));
    world.calup.start_as(&["serve", "--only", "intake"]);
    assert_eq!(world.deliver(unread.body.clone()).await, 200);
    assert_eq!(world.calup.stop(), Some(0));
    let db = database(&world);
    let spoil = "UPDATE change_body SET body = zeroblob(40)
          WHERE n = (SELECT n FROM change
            WHERE delivery_id = (SELECT id FROM delivery ORDER BY body_row LIMIT 1));
        UPDATE delivery_body SET body = zeroblob(40)
          WHERE n = (SELECT body_row FROM delivery ORDER BY id DESC LIMIT 1);";
    db.execute_batch(spoil).expect("spoilt");
    drop(db);
    world.clickup.restart().await;
    world.calup.start();
    world.settle().await;
    assert_eq!(world.ending(&good.body).await.0, "done");
    let (status, reason) = world.ending(&bad.body).await;
    assert!(
        status == "dead" && reason.contains("restore a backup"),
        "{status}: {reason}"
    );
    let (status, reason) = world.ending(&unread.body).await;
    assert!(
        status == "quarantined" && reason.contains("restore a backup"),
        "{status}: {reason}"
    );
    let more = book("more");
    assert_eq!(world.deliver(more.body.clone()).await, 200);
    world.settle().await;
    assert_eq!(world.ending(&more.body).await.0, "done");
    assert_eq!(world.clickup.tasks_in(INBOUND).len(), 2);
}
