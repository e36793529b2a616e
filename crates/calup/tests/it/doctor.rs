//! `calup doctor`: one thing is wrong with the world, and it is told, with what to do.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use sim::clickup::{ClickUp, Config, Rerender};
use sim::{Fault, Match, faults};

use crate::world::{BROKERS, Calup, EMAIL_FIELD, INBOUND, SECRET, SELLERS, STATUSES, Setup, World};

const OTHER_FIELD: &str = "a0b8efe1-0000-4c63-8850-0d0742888f9e";
const THIRD_FIELD: &str = "a0b8efe1-0000-4c63-8850-0d0742888f9f";

/// A calup that has never run, and the workspace it is set up for.
struct Town {
    clickup: ClickUp,
    calup: Calup,
}

impl Town {
    async fn new() -> Self {
        Self::with(Config::default()).await
    }

    async fn with(config: Config) -> Self {
        let clickup = ClickUp::start(Config {
            limit_per_minute: 10_000,
            ..config
        })
        .await;
        for (id, name) in [
            (BROKERS, "Brokers"),
            (SELLERS, "Sellers"),
            (INBOUND, "Inbound Leads"),
        ] {
            clickup.add_list(id, name, &STATUSES);
        }
        clickup.add_field(&[BROKERS, SELLERS, INBOUND], EMAIL_FIELD, "Email", "email");
        let env = [
            ("CALUP_LISTEN", "127.0.0.1:0".to_owned()),
            ("CALUP_PUBLIC_URL", "http://127.0.0.1:9".to_owned()),
            ("CALCOM_WEBHOOK_SECRET", SECRET.to_owned()),
            ("CLICKUP_API_TOKEN", "pk_sim".to_owned()),
            ("CLICKUP_API_URL", clickup.api_url()),
            ("CLICKUP_MATCH_LIST_IDS", format!("{BROKERS},{SELLERS}")),
            ("CLICKUP_INBOUND_LIST_ID", INBOUND.to_owned()),
        ];
        let env = env.map(|(name, value)| (name.to_owned(), value));
        let calup = Calup::in_new_folder(env.into());
        Self { clickup, calup }
    }

    fn examined(&self) -> Examined {
        Examined::by(&self.calup, &["doctor", "--json"])
    }

    fn probed(&self) -> Examined {
        Examined::by(&self.calup, &["doctor", "--json", "--probe", "--yes"])
    }
}

struct Examined {
    json: Value,
    code: i32,
}

impl Examined {
    fn by(calup: &Calup, arguments: &[&str]) -> Self {
        let (out, err, code) = calup.run(arguments);
        let told = format!("{out}{err}");
        for secret in [SECRET, "pk_sim", "crm-bot@acme.example", "panicked"] {
            assert!(!told.contains(secret), "{secret}: {told}");
        }
        let json: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}"));
        for finding in json["findings"].as_array().expect("findings") {
            let is_ok = finding["state"] == "ok";
            assert!(is_ok || finding["fix"].is_string(), "{finding} has no fix");
        }
        assert_eq!(json["ok"], failed(&json).is_empty(), "{json}");
        Self { json, code }
    }

    /// "check: says" of those in this state.
    fn of(&self, state: &str) -> Vec<String> {
        of(&self.json, state)
    }

    /// The one finding of that check and state that says so, as "says → fix".
    fn one(&self, state: &str, check: &str, says: &str) -> String {
        let found: Vec<String> = self.json["findings"]
            .as_array()
            .expect("findings")
            .iter()
            .filter(|it| it["check"] == check && it["state"] == state)
            .map(|it| format!("{} → {}", text(&it["says"]), text(&it["fix"])))
            .filter(|it| it.contains(says))
            .collect();
        assert_eq!(found.len(), 1, "{state} {check} {says}: {:#}", self.json);
        found.into_iter().next().expect("one")
    }

    fn belief(&self, about: &str) -> (bool, String, String) {
        let all = self.json["beliefs"].as_array().expect("beliefs");
        let it = all.iter().find(|it| it["about"] == about);
        let it = it.unwrap_or_else(|| panic!("{about}: {:#}", self.json));
        (it["settled"] == true, text(&it["found"]), text(&it["says"]))
    }
}

fn failed(json: &Value) -> Vec<String> {
    of(json, "fail")
}

fn of(json: &Value, state: &str) -> Vec<String> {
    let all = json["findings"].as_array().expect("findings").iter();
    all.filter(|it| it["state"] == state)
        .map(|it| format!("{}: {}", text(&it["check"]), text(&it["says"])))
        .collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

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

/// Each: what is done to the town, then state, check and words of the one finding that tells.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_wrong_setting_is_told_with_what_to_do() {
    for (name, value, state, check, says) in [
        (
            "CALCOM_WEBHOOK_SECRET",
            "",
            "fail",
            "secret",
            "set CALCOM_WEBHOOK_SECRET",
        ),
        (
            "CALCOM_WEBHOOK_SECRET",
            "one, two",
            "ok",
            "secret",
            "2 webhook secrets",
        ),
        (
            "CLICKUP_API_TOKEN",
            "",
            "fail",
            "token",
            "CLICKUP_API_TOKEN",
        ),
        (
            "CLICKUP_API_TOKEN",
            "pk_dead",
            "fail",
            "token",
            "401 OAUTH_025",
        ),
        (
            "CALCOM_WEBHOOK_SECRET",
            "one, two",
            "ok",
            "unsigned",
            "leave these two triggers off",
        ),
        (
            "CLICKUP_API_URL",
            "http://127.0.0.1:9",
            "fail",
            "token",
            "no connection",
        ),
        (
            "CLICKUP_INBOUND_LIST_ID",
            "",
            "fail",
            "lists",
            "set CLICKUP_INBOUND_LIST_ID",
        ),
        (
            "CLICKUP_MATCH_LIST_IDS",
            "",
            "warn",
            "lists",
            "set CLICKUP_MATCH_LIST_IDS",
        ),
        (
            "CLICKUP_MATCH_LIST_IDS",
            "901100000099",
            "fail",
            "list",
            "list 901100000099, which CLICKUP_MATCH_LIST_IDS names",
        ),
        (
            "CLICKUP_INBOUND_LIST_ID",
            "no/list",
            "fail",
            "list",
            "it is not an id",
        ),
        (
            "CLICKUP_TEAM_ID",
            "7",
            "fail",
            "workspace",
            "only Acme (9011000000)",
        ),
        (
            "CLICKUP_EMAIL_FIELD",
            "E-mail",
            "fail",
            "email-field",
            "`Email` (a0b8efe1-0000-4c63-8850-0d0742888f9d)",
        ),
        (
            "CALUP_PUBLIC_URL",
            "http://calup.example.com",
            "warn",
            "public-address",
            "https only",
        ),
        (
            "CALUP_PUBLIC_URL",
            "http://127.0.0.1:1",
            "warn",
            "public-address",
            "public hosts",
        ),
        (
            "CALUP_LISTEN",
            "127.0.0.1:1",
            "warn",
            "server",
            "start `calup serve`",
        ),
        (
            "CALUP_LISTEN",
            "8787",
            "fail",
            "settings",
            "an address and a port",
        ),
        (
            "CLICKUP_STATUS_REQUESTED",
            "Asked",
            "fail",
            "status",
            "Brokers (901100000001) has no status `Asked`; it has to do, meeting booked",
        ),
        (
            "CLICKUP_STATUS_NO_SHOW",
            "No Show",
            "fail",
            "status",
            "Sellers (901100000002) has no status `No Show`",
        ),
        (
            "CLICKUP_STATUS_KEEP",
            "negotiating, Vip",
            "warn",
            "status",
            "no list has a status `Vip`, which CLICKUP_STATUS_KEEP names",
        ),
        (
            "CLICKUP_STATUS_REOPEN",
            "Gone",
            "warn",
            "status",
            "no list has a status `Gone`, which CLICKUP_STATUS_REOPEN names",
        ),
        (
            "DATABASE_URL",
            "sqlite://no/such/folder/calup.db",
            "fail",
            "database",
            "no folder no/such/folder",
        ),
        (
            "DATABASE_URL",
            "mysql://user:hunter2@db/calup",
            "fail",
            "database",
            "of the kind `mysql`",
        ),
    ] {
        let mut town = Town::new().await;
        town.calup.set(name, value);
        let found = town.examined();
        let told = if check == "email-field"
            || name == "CLICKUP_STATUS_REQUESTED"
            || name == "CLICKUP_STATUS_NO_SHOW"
        {
            // One for each list.
            assert_eq!(failed(&found.json).len(), 3, "{name}: {:#}", found.json);
            found.json.to_string()
        } else {
            found.one(state, check, says)
        };
        assert!(told.contains(says), "{name}: {told}");
        assert!(!told.contains("hunter2"), "{told}");
        assert_eq!(
            found.code,
            i32::from(state == "fail"),
            "{name}: {:#}",
            found.json
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_token_and_a_clickup_that_is_down_leave_the_rest_to_be_told() {
    let mut town = Town::new().await;
    town.calup.set("CALCOM_WEBHOOK_SECRET", "");
    town.clickup
        .fault(Match::any(), Fault::Html(502), faults::ALWAYS);
    let down = town.examined();
    down.one("fail", "token", "ClickUp answered 502");
    town.clickup.stop().await;
    let away = town.examined();
    away.one("fail", "token", "no connection");
    for found in [down, away] {
        assert_eq!(found.code, 1);
        found.one("fail", "secret", "every delivery is refused");
        found.one("warn", "database", "no database");
        found.one("warn", "workspace", "were not looked at");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_personal_token_behind_bearer_is_told_apart_from_a_dead_one() {
    let mut town = Town::new().await;
    town.calup.set("CLICKUP_API_TOKEN", "Bearer pk_other");
    let found = town.examined();
    assert_eq!(found.code, 1);
    let told = found.one("fail", "token", "Bearer");
    assert!(
        told.contains("the token alone") && !told.contains("pk_other"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_workspaces_it_asks_for_one_by_name_and_id() {
    let mut town = Town::with(Config {
        other_teams: vec![("9012000000".to_owned(), "Side project".to_owned())],
        ..Config::default()
    })
    .await;
    let told = town
        .examined()
        .one("fail", "workspace", "several workspaces");
    assert!(
        told.contains("Acme (9011000000), Side project (9012000000)"),
        "{told}"
    );
    assert!(told.contains("set CLICKUP_TEAM_ID"), "{told}");

    town.calup.set("CLICKUP_TEAM_ID", "9011000000");
    let found = town.examined();
    assert_eq!(found.code, 0, "{:#}", found.json);
    found.one("ok", "workspace", "Acme (9011000000)");

    town.calup.set("CLICKUP_TEAM_ID", "9012000000");
    let found = town.examined();
    assert_eq!(found.code, 1);
    let told = found.one("fail", "list", "Inbound Leads");
    assert!(
        told.contains("is in workspace Acme (9011000000), but CLICKUP_TEAM_ID is 9012000000"),
        "{told}"
    );
    assert_eq!(failed(&found.json).len(), 3, "{:#}", found.json);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_that_may_not_be_written_to_is_told() {
    let town = Town::new().await;
    town.clickup.set_permission(BROKERS, "comment");
    let found = town.examined();
    assert_eq!(found.code, 1);
    let told = found.one("fail", "list", "Brokers (901100000001)");
    assert!(told.contains("may only read and comment on"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_status_that_one_list_lacks_is_told_with_those_it_has() {
    let town = Town::new().await;
    town.clickup.remove_status(SELLERS, "meeting cancelled");
    let found = town.examined();
    assert_eq!(found.code, 1);
    let told = found.one("fail", "status", "Sellers (901100000002)");
    assert!(
        told.contains("has no status `Meeting Cancelled`; it has to do, meeting booked, negotiating, lost, won →"),
        "{told}"
    );
    assert!(told.contains("CLICKUP_STATUS_CANCELLED"), "{told}");
    assert_eq!(failed(&found.json).len(), 1, "{:#}", found.json);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_email_field_that_one_list_lacks_is_the_one_to_add_there() {
    let town = Town::new().await;
    town.clickup.remove_field(SELLERS, EMAIL_FIELD);
    let told = town.examined().one(
        "fail",
        "email-field",
        "Sellers (901100000002) has no field `Email`",
    );
    assert!(
        told.contains(&format!("add the existing field `Email` ({EMAIL_FIELD})")),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_email_fields_on_one_list_are_both_named() {
    let mut town = Town::new().await;
    town.clickup
        .add_field(&[SELLERS], OTHER_FIELD, " EMAIL ", "email");
    let found = town.examined();
    assert_eq!(found.code, 1);
    let told = found.one("fail", "email-field", "Sellers (901100000002)");
    assert!(
        told.contains(EMAIL_FIELD) && told.contains(OTHER_FIELD),
        "{told}"
    );
    assert!(told.contains("CLICKUP_EMAIL_FIELD"), "{told}");
    assert_eq!(failed(&found.json).len(), 1, "{:#}", found.json);

    town.calup.set("CLICKUP_EMAIL_FIELD", EMAIL_FIELD);
    assert_eq!(town.examined().code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_field_of_its_own_on_each_list_is_fine() {
    let town = Town::new().await;
    for (list, field) in [(BROKERS, OTHER_FIELD), (SELLERS, THIRD_FIELD)] {
        town.clickup.remove_field(list, EMAIL_FIELD);
        town.clickup.add_field(&[list], field, "email", "email");
    }
    let found = town.examined();
    assert_eq!(found.code, 0, "{:#}", found.json);
    let told = found.one("ok", "email-field", "each list has one");
    for id in [EMAIL_FIELD, OTHER_FIELD, THIRD_FIELD] {
        assert!(told.contains(id), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_field_of_another_type_is_told_by_what_it_can_do() {
    for (kind, state, says, code) in [
        ("short_text", "warn", "is of type short_text, not Email", 0),
        (
            "phone",
            "fail",
            "is of type phone, which cannot be searched",
            1,
        ),
    ] {
        let town = Town::new().await;
        town.clickup.remove_field(BROKERS, EMAIL_FIELD);
        town.clickup
            .add_field(&[BROKERS], OTHER_FIELD, "Email", kind);
        let found = town.examined();
        let told = found.one(state, "email-field", "Brokers (901100000001)");
        assert!(told.contains(says) && told.contains(OTHER_FIELD), "{told}");
        assert_eq!(found.code, code, "{:#}", found.json);
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
async fn a_database_that_is_damaged_is_told() {
    let mut world = World::start().await;
    for _ in 0..20 {
        assert_eq!(world.deliver(vec![b' '; 20_000]).await, 200);
    }
    world.settle().await;
    world.calup.stop();
    let path = world.calup.dir.join("calup.db");
    let mut bytes = std::fs::read(&path).expect("a database");
    let (from, to) = (bytes.len() / 2, bytes.len() / 2 + 3 * 4_096);
    bytes[from..to].fill(0xA5);
    std::fs::write(&path, bytes).expect("written");
    let found = Examined::by(&world.calup, &["doctor", "--json"]);
    assert_eq!(found.code, 1, "{:#}", found.json);
    let told = found.one("fail", "database", "calup.db");
    assert!(told.contains("restore a backup"), "{told}");
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_probe_writes_nothing_unless_it_is_told_to() {
    let mut town = Town::new().await;
    for (arguments, code) in [(vec!["doctor", "--probe"], 2), (vec!["doctor", "--yes"], 2)] {
        let (out, err, is) = town.calup.run(&arguments);
        assert_eq!((is, out.as_str()), (code, ""), "{err}");
        assert!(err.contains("--yes") || err.contains("--probe"), "{err}");
    }
    assert_eq!(town.clickup.calls(), 0);

    town.calup.set("CLICKUP_INBOUND_LIST_ID", "");
    let found = town.probed();
    assert_eq!(found.code, 1);
    assert!(
        text(&found.json["probe_error"]).contains("an inbound list"),
        "{:#}",
        found.json
    );
    assert_eq!(town.clickup.mutations(), 0);
}

/// One ClickUp as calup believes it to be, and one that is the contrary in everything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_probe_tells_one_clickup_from_another_and_leaves_nothing_behind() {
    let plain = Town::with(Config {
        rerender: Rerender::none(),
        ..Config::default()
    })
    .await;
    let contrary = Town::with(Config {
        headers_on_success: false,
        contains_ignores_case: true,
        exact_applies_to_email: false,
        index_lag: Duration::from_millis(1_200),
        edit_lag: Duration::from_millis(1_200),
        lists_show_archived: true,
        lists_show_added: true,
        bad_status_keeps_rest: true,
        comment_chars_max: 30_000,
        comments_touch_tasks: false,
        latency: Duration::from_millis(40),
        rerender: Rerender::nastiest(),
        ..Config::default()
    })
    .await;
    let (one, other) = (plain.probed(), contrary.probed());
    for (about, here, there) in [
        ("filter-case", "minded", "ignored"),
        ("filter-contains", "contains", "contains"),
        ("exact-operator-on-email", "applies", "finds nothing"),
        ("archived-in-search", "left out", "included"),
        ("tasks-in-several-lists", "left out", "included"),
        ("bad-email-error", "400 FIELD_000", "400 FIELD_000"),
        (
            "update-with-invalid-status",
            "nothing applied",
            "rest applied",
        ),
        ("comment-bumps-date-updated", "yes", "no"),
        (
            "comment-size-limit",
            "above 100000",
            "above 25000, below 100000",
        ),
        ("rate-limit-headers", "on every answer", "on errors only"),
        ("markdown-round-trip", "kept", "rewritten, same meaning"),
    ] {
        let (settled, found, says) = one.belief(about);
        assert_eq!((settled, found.as_str()), (true, here), "{about}: {says}");
        let (settled, found, says) = other.belief(about);
        assert_eq!((settled, found.as_str()), (true, there), "{about}: {says}");
    }
    let (settled, found, says) = one.belief("inline-fields-count-as-uses");
    assert_eq!((settled, found.as_str()), (false, "no refusal"), "{says}");
    let lag = |of: &Examined, about: &str| -> f64 {
        let (settled, found, says) = of.belief(about);
        assert!(settled, "{about}: {says}");
        found.trim_end_matches(" s").parse().expect("seconds")
    };
    for about in ["search-lag-after-create", "search-lag-after-edit"] {
        assert!(lag(&one, about) < 0.5, "{about}");
        assert!((1.0..3.0).contains(&lag(&other, about)), "{about}");
    }
    let latency = |of: &Examined| -> u32 {
        let (_, found, _) = of.belief("filtered-query-latency");
        found.trim_end_matches(" ms").parse().expect("milliseconds")
    };
    assert!(latency(&one) < 40 && latency(&other) >= 40);
    for (town, found) in [(&plain, &one), (&contrary, &other)] {
        assert_eq!(found.code, 0, "{:#}", found.json);
        assert_eq!(found.json["probe_error"], Value::Null);
        assert_eq!(town.clickup.live_tasks(), [], "the task is deleted");
        let made = town.clickup.requests().into_iter().filter(|it| {
            it.method == "POST" && it.path.ends_with(&format!("/list/{INBOUND}/task"))
        });
        let made: Vec<String> = made.map(|it| it.body.to_string()).collect();
        assert_eq!(made.len(), 1);
        assert!(made[0].contains("calup probe, may be deleted"), "{made:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_probe_without_field_uses_says_so_and_goes_on() {
    let town = Town::new().await;
    town.clickup.set_field_quota_exhausted(true);
    let found = town.probed();
    let (settled, said, _) = found.belief("inline-fields-count-as-uses");
    assert_eq!((settled, said.as_str()), (true, "counted"));
    for about in ["filter-case", "exact-operator-on-email", "bad-email-error"] {
        let (settled, _, says) = found.belief(about);
        assert!(!settled && says.contains("no address"), "{about}: {says}");
    }
    for about in ["search-lag-after-create", "archived-in-search"] {
        let (settled, _, says) = found.belief(about);
        assert!(settled, "{about}: {says}");
    }
    assert!(found.belief("comment-bumps-date-updated").0);
    assert_eq!(town.clickup.live_tasks(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_probe_that_is_stopped_half_way_deletes_its_task() {
    let town = Town::with(Config {
        index_lag: Duration::from_secs(60),
        ..Config::default()
    })
    .await;
    let mut probe = town.calup.begin(&["doctor", "--probe", "--yes"]);
    let limit = Instant::now() + Duration::from_secs(20);
    let is_searched = || {
        let requests = town.clickup.requests();
        let mut searches = requests.iter().filter(|it| it.query.contains("Probe"));
        searches.next().is_some()
    };
    while !is_searched() {
        assert!(Instant::now() < limit, "the probe does not begin");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(town.clickup.live_tasks().len(), 1);
    let pid = probe.id().to_string();
    let asked = Command::new("kill").args(["-TERM", &pid]).status();
    assert!(asked.expect("kill runs").success());
    let ended = probe.wait().expect("it ends");
    assert_eq!(ended.code(), Some(1));
    assert_eq!(town.clickup.live_tasks(), []);
}

/// Whatever breaks on the way, the task goes; what cannot be deleted is named.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_probe_that_meets_errors_still_deletes_its_task() {
    let broken: [(Match, Fault, u32); 6] = [
        (
            Match::get("/team/9011000000/task"),
            Fault::Html(502),
            faults::ALWAYS,
        ),
        (Match::post("/comment"), Fault::Drop, faults::ALWAYS),
        (
            Match::post(&format!("/list/{INBOUND}/task")),
            Fault::ApplyThenDrop,
            1,
        ),
        (
            Match::post(&format!("/list/{INBOUND}/task")),
            Fault::ForeignJson200,
            1,
        ),
        (
            Match::post(&format!("/list/{INBOUND}/task")),
            Fault::ApplyThenStatus(504),
            1,
        ),
        (Match::delete("/task/"), Fault::Html(503), 2),
    ];
    for (when, fault, times) in broken {
        let town = Town::new().await;
        town.clickup.fault(when.clone(), fault, times);
        let found = town.probed();
        assert_eq!(town.clickup.live_tasks(), [], "{when:?}: {:#}", found.json);
        let beliefs = found.json["beliefs"].as_array().map_or(0, Vec::len);
        let begins = found.json["probe_error"].is_null();
        assert!(beliefs == 15 || !begins, "{when:?}: {:#}", found.json);
        assert!(town.clickup.mutations() >= 2, "{when:?}");
    }
    let town = Town::new().await;
    town.clickup
        .fault(Match::delete("/task/86"), Fault::Html(503), faults::ALWAYS);
    let found = town.probed();
    assert_eq!(found.code, 1);
    let left = town.clickup.live_tasks();
    assert_eq!(left.len(), 1);
    let told = text(&found.json["probe_error"]);
    assert!(
        told.contains("Inbound Leads") && told.contains(&left[0].id),
        "{told}"
    );
}
