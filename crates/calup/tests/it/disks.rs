//! A full disk: senders hear 503, nothing is half there, and it goes on by itself when there is room again.

use std::path::PathBuf;
use std::process::Command;

use sim::cal::Person;

use crate::world::{Setup, World};

const START: &str = "2090-05-04T10:00:00Z";

/// A file system of its own, as small as this.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` where this user may not mount one.
    fn of_mib(size: u32) -> Option<Self> {
        let path = std::env::temp_dir().join(format!("calup-disk-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir(&path).expect("a folder");
        let size = format!("size={size}m");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(&path)
            .output();
        if mounted.is_ok_and(|out| out.status.success()) {
            return Some(Self(path));
        }
        let _ = std::fs::remove_dir(&path);
        None
    }

    fn fill(&self) {
        let block = vec![b'x'; 4 * 1024];
        let mut file = std::fs::File::create(self.0.join("filler")).expect("a file");
        while std::io::Write::write_all(&mut file, &block).is_ok() {}
    }

    fn make_room(&self) {
        std::fs::remove_file(self.0.join("filler")).expect("removed");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
        let _ = std::fs::remove_dir(&self.0);
    }
}

#[tokio::test]
async fn a_full_disk_means_503_and_room_means_work() {
    let Some(disk) = SmallDisk::of_mib(8) else {
        eprintln!("*** SKIPPED: a full disk (mounting a tmpfs takes root)");
        return;
    };
    let url = format!("sqlite://{}", disk.0.join("calup.db").display());
    let mut world = World::with(Setup {
        env: vec![("DATABASE_URL", url)],
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
        eprintln!("*** SKIPPED: a full disk (mounting a tmpfs takes root)");
        return;
    };
    let url = format!("sqlite://{}", disk.0.join("calup.db").display());
    let world = World::with(Setup {
        env: vec![("DATABASE_URL", url)],
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
