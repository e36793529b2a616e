//! A full disk: senders hear 503, nothing is half there, and it goes on by itself when there is room again.

use sim::cal::Person;

use crate::small_disk::SmallDisk;
use crate::world::{Setup, World};

const START: &str = "2090-05-04T10:00:00Z";

#[tokio::test]
async fn a_full_disk_means_503_and_room_means_work() {
    let Some(disk) = SmallDisk::of_mib(8) else {
        return;
    };
    let mut world = World::with(Setup {
        env: vec![("DATABASE_URL", disk.url())],
        ..Setup::default()
    })
    .await;
    world.calup.keep_address();
    let cal = world.cal();
    let book = |n: usize| {
        let person = Person::new("Ada Byrd", &format!("ada{n}@byrd.example"));
        cal.book(&person, START, 30).created()
    };
    assert_eq!(world.deliver(book(0).body).await, 200);
    assert_eq!(world.settle().await["done"], 1);
    disk.fill();
    let (mut taken, mut refused) = (1, Vec::new());
    for n in 1..400 {
        let delivery = book(n);
        match world.deliver(delivery.body.clone()).await {
            200 => taken += 1,
            503 => refused.push(delivery),
            other => panic!("{other}\n{}", world.calup.log()),
        }
        if refused.len() == 5 {
            break;
        }
    }
    assert_eq!(refused.len(), 5, "the disk was never full");
    // Started again on the full disk, it says so, or takes nothing; it loses nothing.
    world.calup.kill();
    if world.calup.try_start() {
        assert_eq!(world.deliver(book(900).body).await, 503);
    } else {
        let log = world.calup.log();
        assert!(
            log.lines().last().is_some_and(|l| l.contains("full")),
            "{log}"
        );
    }
    world.calup.kill();
    disk.make_room();
    world.calup.start();
    for delivery in refused {
        assert_eq!(world.deliver(delivery.body).await, 200);
        taken += 1;
    }
    let counts = world.settle().await;
    assert_eq!(
        (&counts["done"], &counts["received"]),
        (&taken.into(), &taken.into())
    );
    assert_eq!(world.clickup.task_count(), taken);
}

#[tokio::test]
async fn a_disk_that_was_full_for_a_while_needs_nobody() {
    let Some(disk) = SmallDisk::of_mib(8) else {
        return;
    };
    let world = World::with(Setup {
        env: vec![("DATABASE_URL", disk.url())],
        ..Setup::default()
    })
    .await;
    let cal = world.cal();
    disk.fill();
    let mut taken = 0;
    for n in 0..400 {
        let person = Person::new("Ada Byrd", &format!("ada{n}@byrd.example"));
        if world
            .deliver(cal.book(&person, START, 30).created().body)
            .await
            == 503
        {
            break;
        }
        taken += 1;
    }
    assert!(taken < 400, "the disk was never full");
    disk.make_room();
    let ben = cal.book(&Person::new("Ben", "ben@byrd.example"), START, 30);
    let body = ben.created().body;
    world
        .until("it takes deliveries again", async || {
            world.deliver(body.clone()).await == 200
        })
        .await;
    let counts = world.settle().await;
    assert_eq!(counts["done"], taken + 1, "{counts}");
    assert_eq!(world.clickup.task_count(), taken + 1);
    world
        .until("the operator is told what was refused", async || {
            let notices = world.get("/api/notices").await.to_string();
            notices.contains("unstored-deliveries")
        })
        .await;
}
