//! ClickUp's webhooks: one for each list, however the process ends; revived, replaced, given up, and told of.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sim::clickup::Config;
use sim::faults::{ALWAYS, Fault, Match};

use crate::pair::Pair;
use crate::told::{Told, free_address};
use crate::world::{BROKERS, INBOUND, SELLERS};

#[tokio::test]
async fn a_suspended_webhook_is_set_going_and_one_that_is_gone_is_made_again() {
    let told = Told::start().await;
    let world = &told.world;
    let hooks = world.clickup.hooks();
    world.clickup.suspend_hook(&hooks[0].id);
    world
        .until("it is active again", async || {
            world.clickup.hooks()[0].status == "active"
        })
        .await;
    assert_eq!(world.clickup.hooks()[0].id, hooks[0].id);
    let task = world.clickup.add_task(BROKERS, "Ada", None);
    told.until_indexed(&task, true).await;

    world.clickup.lose_hook(&hooks[1].id);
    let hooks = told.until_registered(3).await;

    // ClickUp refuses: it is replaced.
    let put = Match::put("/webhook/");
    let no = r#"{"err":"Webhook is invalid","ECODE":"WEBHOOK_001"}"#;
    let refusal = Fault::Status(400, no.to_owned());
    world.clickup.fault(put, refusal, 1);
    world.clickup.suspend_hook(&hooks[0].id);
    world
        .until("another one stands in", async || {
            let now = world.clickup.hooks();
            now.len() == 3
                && now
                    .iter()
                    .all(|it| it.id != hooks[0].id && it.status == "active")
        })
        .await;
    let task = world.clickup.add_task(BROKERS, "Ben", None);
    told.until_indexed(&task, true).await;
    let noticed = world.get("/api/notices").await;
    assert_eq!(noticed["notices"], json!([]), "all was mended");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_cannot_be_set_going_becomes_a_notice() {
    let told = Told::start().await;
    let world = &told.world;
    let suspend = async || {
        world.clickup.suspend_hook(&world.clickup.hooks()[0].id);
        world
            .until("it is active again", async || {
                world.clickup.hooks()[0].status == "active"
            })
            .await;
    };
    suspend().await;
    let noticed = world.get("/api/notices").await;
    assert_eq!(noticed["notices"], json!([]), "once may happen");
    suspend().await;
    world
        .until("the operator is told", async || {
            let told = world.get("/api/notices").await.to_string();
            told.contains("suspends its webhook again and again")
        })
        .await;

    let no = r#"{"err":"You do not have access to this","ECODE":"ACCESS_083"}"#;
    let refusal = Fault::Status(403, no.to_owned());
    world
        .clickup
        .fault(Match::put("/webhook/"), refusal, ALWAYS);
    world.clickup.suspend_hook(&world.clickup.hooks()[0].id);
    world
        .until("the operator is told", async || {
            let told = world.get("/api/notices").await.to_string();
            told.contains("ClickUp has suspended its webhook, and it could not be set going")
        })
        .await;
    let (out, _, code) = world.calup.run(&["doctor", "--json"]);
    assert_eq!(code, 0, "{out}");
}

#[tokio::test]
async fn after_a_restart_nothing_is_registered_anew() {
    let mut told = Told::start().await;
    let before = told.world.clickup.hooks();
    for _ in 0..2 {
        told.world.calup.restart();
        let task = told.world.clickup.add_task(BROKERS, "Ada", None);
        told.until_indexed(&task, true).await;
    }
    assert_eq!(told.world.clickup.hooks(), before);
    assert_eq!(told.world.clickup.mutations(), 3);
}

#[tokio::test]
async fn a_lost_answer_at_registration_leaves_one_webhook_for_each_list() {
    for (fault, may_repeat) in [
        (Fault::ApplyThenDrop, false),
        (Fault::ForeignJson200, false),
        (Fault::DropThenApplyLate(3_000), true),
        (Fault::DropThenApplyLate(3_000), false),
    ] {
        let clickup = Config {
            hooks_may_repeat: may_repeat,
            ..Config::default()
        };
        let more = [("CLICKUP_MATCH_LIST_IDS", "")];
        let told = Told::with_fault(clickup, &more, fault.clone()).await;
        let world = &told.world;
        tokio::time::sleep(Duration::from_secs(5)).await;
        let hooks = told.until_registered(1).await;
        assert_eq!(hooks[0].list_id.as_deref(), Some(INBOUND), "{fault:?}");
        let task = world.clickup.add_task(INBOUND, "Ada", None);
        told.until_indexed(&task, true).await;
        let answers = world.clickup.told();
        assert!(
            answers.iter().all(|it| it.status == 200),
            "{fault:?}: {answers:?}"
        );
    }
}

#[tokio::test]
async fn a_kill_between_answer_and_database_leaves_one_webhook_for_each_list() {
    let mut told = Told::unsettled(Config::default(), &[]).await;
    for _ in 0..6 {
        told.world.calup.restart();
        let made = told.world.clickup.hooks().len();
        let begun = Instant::now();
        // As soon as another one is made.
        while told.world.clickup.hooks().len() <= made && begun.elapsed() < Duration::from_secs(2) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        told.world.calup.kill();
    }
    told.world.calup.start();
    let hooks = told.until_registered(3).await;
    let mut lists: Vec<Option<String>> = hooks.into_iter().map(|it| it.list_id).collect();
    lists.sort();
    let all = [BROKERS, SELLERS, INBOUND].map(|list| Some(list.to_owned()));
    assert_eq!(lists, all);
}

#[tokio::test]
async fn a_list_that_is_taken_out_and_another_address_lose_their_webhooks() {
    let mut told = Told::start().await;
    told.world.calup.set("CLICKUP_MATCH_LIST_IDS", BROKERS);
    told.world.calup.restart();
    let hooks = told.until_registered(2).await;
    assert!(
        hooks
            .iter()
            .all(|it| it.list_id.as_deref() != Some(SELLERS))
    );

    let (listen, url) = free_address();
    told.world.calup.set("CALUP_LISTEN", &listen);
    told.world.calup.set("CALUP_PUBLIC_URL", &url);
    told.world.calup.restart();
    told.world
        .until("both send to the new address", async || {
            let hooks = told.world.clickup.hooks();
            hooks.len() == 2 && hooks.iter().all(|it| it.endpoint.starts_with(&url))
        })
        .await;
    told.until_registered(2).await;

    told.world.calup.set("CALUP_QUESTION_HOURS", "0");
    told.world.calup.restart();
    told.until_registered(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_make_no_webhooks_polls_and_the_doctor_says_so() {
    let mut told = Told::unsettled(Config::default(), &[("CALUP_HOOK_SECONDS", "0")]).await;
    told.world.clickup.set_may_make_hooks(false);
    told.world.calup.set("CALUP_HOOK_SECONDS", "1");
    told.world.calup.set("CALUP_INDEX_SECONDS", "1");
    told.world.calup.restart();
    told.until_filled().await;
    let world = &told.world;
    let task = world.clickup.add_task(BROKERS, "Ada", None);
    told.until_indexed(&task, true).await;
    world
        .until("the doctor says so", async || {
            let (out, _, code) = world.calup.run(&["doctor", "--json"]);
            code == 0 && out.contains("the token's user may make no webhooks")
        })
        .await;
    let asked = world.clickup.requests();
    let asked = asked
        .iter()
        .filter(|it| it.method == "POST" && it.path.ends_with("/webhook"));
    assert_eq!(asked.count(), 3, "once for each list");
    assert_eq!(world.get("/api/notices").await["notices"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_tells_how_the_webhooks_are() {
    let told = Told::with(Config::default(), &[("CALUP_HOOK_SECONDS", "3600")]).await;
    let world = &told.world;
    let task = world.clickup.add_task(BROKERS, "Ada", None);
    told.until_indexed(&task, true).await;
    let found = || {
        let (out, _, _) = world.calup.run(&["doctor", "--json"]);
        assert!(!out.contains(&world.clickup.hooks()[0].secret));
        let found: Value = serde_json::from_str(&out).expect("JSON");
        let all = found["findings"].as_array().expect("findings").clone();
        let hooks: Vec<String> = all
            .iter()
            .filter(|it| it["check"] == "hooks")
            .map(|it| format!("{}: {}", it["state"], it["says"]))
            .collect();
        hooks.join("\n")
    };
    let well = found();
    assert!(
        well.contains("by 3 webhooks; the last event came"),
        "{well}"
    );
    let hooks = world.clickup.hooks();
    world.clickup.suspend_hook(&hooks[0].id);
    world.clickup.lose_hook(&hooks[1].id);
    let ill = found();
    assert!(ill.contains("1 list has no webhook"), "{ill}");
    assert!(ill.contains("has suspended 1 webhook"), "{ill}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_register_once_and_each_takes_what_comes_to_it() {
    let env = vec![
        ("CALUP_PUBLIC_URL", "http://127.0.0.1:1".to_owned()),
        ("CALUP_INDEX_SECONDS", "3600".to_owned()),
        ("CALUP_HOOK_SECONDS", "1".to_owned()),
    ];
    let Some(mut pair) = Pair::with(env).await else {
        return;
    };
    let clickup = pair.clickup.clone();
    pair.until("each list has a webhook", async || {
        clickup.hooks().len() == 3
    })
    .await;
    let registered = clickup.hooks();
    for turn in 0..4 {
        // The balancer's choice: the one that works, the other one, and so on.
        clickup.set_hooks_go_to(Some(&format!("http://{}", pair.calup.address)));
        let task = clickup.add_task(BROKERS, "Ada Byrd", None);
        let db = pair.database.direct().await;
        pair.until("the index knows", async || {
            let sql = "SELECT count(*) FROM indexed_lead WHERE lead = $1";
            let row = db.query_one(sql, &[&task]).await.expect("counted");
            row.get::<_, i64>(0) == 1
        })
        .await;
        let taken = pair.get("/readyz").await["clickup_events"]["taken"].clone();
        assert_eq!(taken, json!(turn / 2 + 1));
        pair.swap();
    }
    assert!(clickup.told().iter().all(|it| it.status == 200));
    assert_eq!(clickup.hooks(), registered);
    assert_eq!(clickup.mutations(), 3);

    // The one that worked dies: the other finds the webhooks, and makes none.
    pair.look_through_the_holder().await;
    let before = pair.calup.pid();
    pair.calup.kill();
    crate::pair::is_taken_over(&pair.database, before, Duration::from_secs(20)).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(clickup.hooks(), registered);
    assert_eq!(clickup.mutations(), 3);
}
