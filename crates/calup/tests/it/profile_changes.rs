//! A profile is changed beside a running server: what counts at once, what at the next start, and what is refused.

use serde_json::Value;
use sim::cal::Person;
use sim::cal::api::{Config as CalConfig, Server};

use crate::profiles::{HOOK, PEOPLE, START, TOKEN, Two, done, told};
use crate::world::STATUSES;

const OTHER_PEOPLE: &str = "901200000011";
const OTHER_NEW: &str = "901200000012";
const OTHER_FIELD: &str = "a0b8efe1-0000-4c63-8850-0d0742888fff";
/// Longer than it takes a server to look for changes.
const NOTICED: std::time::Duration = std::time::Duration::from_secs(4);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_lists_count_at_the_next_start_and_nobody_gets_a_second_lead() {
    let mut two = Two::start().await;
    for (id, name) in [(OTHER_PEOPLE, "Other people"), (OTHER_NEW, "Other new")] {
        two.clickup.add_list(id, name, &STATUSES);
    }
    let lists = [OTHER_PEOPLE, OTHER_NEW];
    two.clickup.add_field(&lists, OTHER_FIELD, "Email", "email");
    two.clickup
        .add_task(PEOPLE, "Ada Byrd", Some("ada@byrd.example"));
    two.clickup
        .add_task(OTHER_PEOPLE, "Bo Dahl", Some("bo@dahl.example"));
    let lists = [
        format!("clickup_match_list_ids={OTHER_PEOPLE}"),
        format!("clickup_inbound_list_id={OTHER_NEW}"),
    ];
    let token = ["--secret", "clickup_api_token"];
    let set = [
        "profile", "set", "sales", &lists[0], &lists[1], token[0], token[1],
    ];
    done(told(&two.world.calup, &set, "pk_of_nobody\n"));
    tokio::time::sleep(NOTICED).await;
    let set = ["profile", "set", "sales", token[0], token[1]];
    done(told(&two.world.calup, &set, &format!("{TOKEN}\n")));
    tokio::time::sleep(NOTICED).await;

    let cal = two.theirs();
    let ada = cal.book(&Person::new("Ada Byrd", "ada@byrd.example"), START, 30);
    assert_eq!(cal.send(&ada.created()).await.0, 200);
    two.settle().await;
    assert_eq!(two.clickup.live_tasks().len(), 2, "Ada was known");

    two.world.calup.restart();
    let cal = two.theirs();
    let bo = cal.book(&Person::new("Bo Dahl", "bo@dahl.example"), START, 30);
    assert_eq!(cal.send(&bo.created()).await.0, 200);
    two.settle().await;
    let leads = two.clickup.live_tasks();
    assert_eq!(leads.len(), 2, "{leads:#?}");
    assert!(leads.iter().all(|lead| lead.status == "meeting booked"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_removed_and_added_again_at_once_has_its_new_secret() {
    let two = Two::start().await;
    let calup = &two.world.calup;
    let cal = two.theirs();
    let created = cal.book(&Person::new("Ada Byrd", "ada@byrd.example"), START, 30);
    let created = created.created();
    assert_eq!(cal.send(&created).await.0, 200);
    done(calup.run(&["profile", "remove", "sales", "--yes"]));
    let add = [
        "profile",
        "add",
        "sales",
        "--secret",
        "calcom_webhook_secret",
    ];
    done(told(calup, &add, "whsec_newer\n"));
    let newer = created.restamped().signed_with("whsec_newer");
    two.world
        .until("the new secret counts", async || {
            cal.send(&newer).await.0 == 200
        })
        .await;
    let older = created.restamped().signed_with(HOOK);
    assert_eq!(cal.send(&older).await.0, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_to_somebody_else_s_account_is_refused_unless_that_is_said() {
    let two = Two::start().await;
    let calup = &two.world.calup;
    let shown = |calup: &crate::world::Calup| -> Value {
        let shown = done(calup.run(&["profile", "show", "sales", "--json"]));
        serde_json::from_str(&shown).expect("JSON")
    };
    let ours = shown(calup)["calcom_username"].clone();
    assert!(ours.is_string(), "learned from the key");
    let mut config = CalConfig {
        key: "cal_live_of_bo".to_owned(),
        ..CalConfig::default()
    };
    config.host.username = "bo".to_owned();
    let other = Server::start(config).await;
    let address = format!("calcom_api_url={}", other.api_url());
    let set = [
        "profile",
        "set",
        "sales",
        &address,
        "--secret",
        "calcom_api_key",
    ];
    let (_, error, code) = told(calup, &set, "cal_live_of_bo\n");
    assert_eq!(code, 1, "{error}");
    assert!(error.contains("the account of bo"), "{error}");
    assert_eq!(shown(calup)["calcom_username"], ours);
    let (_, error, code) = calup.run(&["profile", "set", "sales", "calcom_username=carol"]);
    assert_eq!(code, 1, "{error}");
    assert!(error.contains("not of carol"), "{error}");
    assert_eq!(shown(calup)["calcom_username"], ours);

    let mut said = set.to_vec();
    said.push("calcom_username=bo");
    done(told(calup, &said, "cal_live_of_bo\n"));
    assert_eq!(shown(calup)["calcom_username"], "bo");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_was_written_by_hand_is_in_nobody_s_way() {
    let mut two = Two::start().await;
    two.world.calup.kill();
    {
        let db = rusqlite::Connection::open(two.world.calup.dir.join("calup.db")).expect("opened");
        let sql = "INSERT INTO profiles (name, version, settings, calcom_api_key) VALUES ('byhand', 1, '{}', 'plain')";
        db.execute_batch(sql).expect("written");
    }
    two.world.calup.start();
    let cal = two.theirs();
    let ada = cal.book(&Person::new("Ada Byrd", "ada@byrd.example"), START, 30);
    assert_eq!(cal.send(&ada.created()).await.0, 200);
    two.settle().await;
    let notices = two.world.get("/api/notices").await.to_string();
    assert!(
        notices.contains("profile `byhand` is not served"),
        "{notices}"
    );
    let listed = done(two.world.calup.run(&["profile", "list"]));
    assert!(
        listed.contains("sales") && listed.contains("byhand"),
        "{listed}"
    );
    done(
        two.world
            .calup
            .run(&["profile", "remove", "byhand", "--yes"]),
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_to_be_done_about_a_profile_is_told_for_that_profile() {
    let two = Two::start().await;
    let calup = &two.world.calup;
    let clear = ["profile", "set", "sales", "--secret", "clickup_api_token"];
    done(told(calup, &clear, "\n"));
    let (out, error, _) = calup.run(&["--profile", "sales", "doctor", "--json"]);
    let examined: Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {error}"));
    let all = examined["findings"].as_array().expect("findings");
    let told = |check: &str| {
        let found = all.iter().find(|it| it["check"] == check);
        found
            .unwrap_or_else(|| panic!("{check}: {examined:#}"))
            .to_string()
    };
    assert!(told("last-delivery").contains("/api/webhooks/cal/sales"));
    assert!(told("public-address").contains("/api/webhooks/cal/sales"));
    assert!(
        told("token").contains("calup profile set sales"),
        "{}",
        told("token")
    );
    let (out, ..) = calup.run(&["doctor", "--json"]);
    assert!(!out.contains("sales"), "{out}");
    for (arguments, code) in [
        (&["--profile", "sales", "serve"][..], 2),
        (&["profile", "add", "Sales!"], 2),
        (&["profile", "set", "sales", "nonsense"], 2),
        (&["tool", "cal_upcoming", "no json"], 2),
        (&["--profile", "nobody", "deliveries"], 1),
    ] {
        assert_eq!(calup.run(arguments).2, code, "{arguments:?}");
    }
}
