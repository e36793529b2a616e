//! `--probe`: what cannot be known without writing is tried on a task, which is deleted again.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use sim::clickup::{Config, LoggedRequest, Rerender};
use sim::{Fault, Match, faults};

use super::{Examined, Town, text};
use crate::world::INBOUND;

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
    let is_searched = |it: &LoggedRequest| it.query.contains("Probe");
    town.stop_probe_at(is_searched).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_probe_that_is_stopped_while_its_task_is_made_deletes_it() {
    let town = Town::new().await;
    let create = Match::post(&format!("/list/{INBOUND}/task"));
    town.clickup.fault(create, Fault::Delay(1_500), 1);
    let is_created = |it: &LoggedRequest| it.method == "POST" && it.path.ends_with("/task");
    town.stop_probe_at(is_created).await;
}

impl Town {
    /// Once such a request has come; nothing is left behind.
    async fn stop_probe_at(&self, has_come: impl Fn(&LoggedRequest) -> bool) {
        let mut probe = self.calup.begin(&["doctor", "--probe", "--yes"]);
        let limit = Instant::now() + Duration::from_secs(20);
        while !self.clickup.requests().iter().any(&has_come) {
            assert!(Instant::now() < limit, "the probe does not begin");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        while self.clickup.live_tasks().is_empty() {
            assert!(Instant::now() < limit, "the task is not made");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let pid = probe.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(asked.expect("kill runs").success());
        let ended = probe.wait().expect("it ends");
        assert_eq!(ended.code(), Some(1));
        assert_eq!(self.clickup.live_tasks(), []);
    }
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
