//! How an installation stands: its server, its database, its clock and its queue, and how that is shown.

use super::{Examined, Town};
use crate::world::{EMAIL_FIELD, Setup, World};

const PAGE_BYTES: usize = 4_096;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_is_well_beside_a_running_server_and_it_says_when_it_last_heard_of_cal() {
    let mut world = World::with(Setup {
        env: vec![("CLICKUP_STATUS_KEEP", "Negotiating".to_owned())],
        ..Setup::default()
    })
    .await;
    let address = world.calup.address.clone();
    world.calup.keep_address();
    let before = Examined::by(&world.calup, &["doctor", "--json"]);
    before.one("warn", "last-ping", "no ping has come yet");
    before.one("warn", "last-delivery", "no delivery has come yet");

    let ping =
        br#"{"triggerEvent":"PING","createdAt":"2026-11-26T10:00:00Z","payload":{"type":"Test"}}"#;
    assert_eq!(world.deliver(*ping).await, 200);
    world.settle().await;

    let after = Examined::by(&world.calup, &["doctor", "--json"]);
    assert_eq!(after.code, 0, "{:#}", after.json);
    after.one("ok", "last-ping", "the last ping came");
    after.one("ok", "last-delivery", "PING, ignored");
    after.one("ok", "server", &format!("calup answers on {address}"));
    after.one("ok", "database", "is whole and can be written");
    after.one("ok", "disk", "are free");
    after.one("ok", "clock", "agrees");
    after.one("ok", "workspace", "Acme (9011000000)");
    after.one("ok", "email-field", EMAIL_FIELD);
    after.one("ok", "status", "`Meeting Booked`, `Meeting Cancelled`");
    after.one("ok", "search", "answers in");
    after.one("ok", "queue", "nothing waits");
    after.one("ok", "unsigned", "MEETING_STARTED");
    assert_eq!(after.of("fail"), Vec::<String>::new());
    // The public address of a test is a loopback one.
    assert_eq!(after.of("warn").len(), 1, "{:?}", after.of("warn"));
    assert_eq!(world.clickup.mutations(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_not_there_is_reported_and_not_made() {
    let town = Town::new().await;
    let found = town.examined();
    assert_eq!(found.code, 0, "{:#}", found.json);
    found.one("warn", "database", "there is no database at calup.db yet");
    let left: Vec<_> = std::fs::read_dir(&town.calup.dir)
        .expect("a folder")
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_damaged_is_told() {
    let mut world = World::start().await;
    for _ in 0..20 {
        assert_eq!(world.deliver(vec![b' '; 20_000]).await, 200);
    }
    world.settle().await;
    world.calup.stop();
    let path = world.calup.dir.join("calup.db");
    let whole = std::fs::read(&path).expect("a database");
    let middle = whole.len() / 2;
    for (from, to) in [
        (middle, middle + 3 * PAGE_BYTES),
        (2 * PAGE_BYTES, 10 * PAGE_BYTES),
    ] {
        let mut bytes = whole.clone();
        bytes[from..to].fill(0xA5);
        std::fs::write(&path, bytes).expect("written");
        let found = Examined::by(&world.calup, &["doctor", "--json"]);
        assert_eq!(found.code, 1, "{:#}", found.json);
        let told = found.one("fail", "database", "calup.db");
        assert!(told.contains("restore a backup"), "{told}");
        assert!(!told.contains("read-only"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_off_is_told_by_clickup_s_date() {
    for (skew_ms, state, says) in [
        (-90_000, "warn", "9"),
        (3_600_000, "warn", "behind"),
        (20_000, "ok", "behind"),
    ] {
        let town = Town::new().await;
        town.clickup.set_clock_skew_ms(skew_ms);
        let found = town.examined();
        assert_eq!(found.code, 0, "{:#}", found.json);
        found.one(state, "clock", says);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_failed_and_was_told_is_told_again() {
    let mut world = World::start().await;
    assert_eq!(world.deliver(*b"false").await, 200);
    world.settle().await;
    world.clickup.set_token_valid(false);
    let booking = world.cal().book(
        &sim::cal::Person::new("Ada Byrd", "ada@byrd.example"),
        "2090-05-04T10:00:00Z",
        30,
    );
    assert_eq!(world.deliver(booking.created().body).await, 200);
    world
        .until("the delivery waits", async || {
            world.get("/api/counts").await["waiting"] == 1
        })
        .await;
    world.calup.kill();

    let found = Examined::by(&world.calup, &["doctor", "--json"]);
    assert_eq!(found.code, 1);
    found.one("fail", "token", "401 OAUTH_025");
    found.one("fail", "paused", "ClickUp refuses the token");
    found.one("warn", "queue", "1 delivery waiting");
    found.one("warn", "queue", "1 delivery could not be read");
    let told = found.of("warn");
    let told = told.iter().find(|it| it.starts_with("notice: "));
    assert!(
        told.is_some_and(|it| it.contains("ClickUp refuses the token")),
        "{:#}",
        found.json
    );
    let told = found.json.to_string();
    assert!(!told.contains("ada@"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn for_people_it_is_a_table_with_what_to_do_below_each_line() {
    let mut town = Town::new().await;
    town.calup.set("CALCOM_WEBHOOK_SECRET", "");
    let (out, err, code) = town.calup.run(&["doctor"]);
    assert_eq!(
        (code, err.as_str()),
        (1, "error: 1 check failed; it says what to do\n")
    );
    let lines: Vec<&str> = out.lines().collect();
    let at = lines
        .iter()
        .position(|line| line.starts_with("fail  secret"))
        .expect("a line");
    assert!(
        lines[at + 1]
            .trim_start()
            .starts_with("→ set CALCOM_WEBHOOK_SECRET"),
        "{out}"
    );
    let column = |line: &str| line.find("no webhook").or_else(|| line.find('→'));
    assert_eq!(column(lines[at]), column(lines[at + 1]), "{out}");
    assert!(out.contains("1 failed"), "{out}");
}
