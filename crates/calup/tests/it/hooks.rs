//! ClickUp's webhooks: what people do in ClickUp is known to the index of leads at once, and nothing else comes of it.

use std::time::Duration;

use serde_json::{Value, json};
use sim::clickup::{Config, TaskSeed, sign};

use crate::asked::{LATER, START, mike};
use crate::told::{Told, hide_from_polling};
use crate::world::{BROKERS, EMAIL_FIELD, INBOUND, SELLERS};

#[tokio::test]
async fn a_task_that_a_person_makes_is_asked_about_before_any_look_at_the_lists_finds_it() {
    let told = Told::start().await;
    let world = &told.world;
    hide_from_polling(world);
    let task = world.clickup.add_task(BROKERS, "Ross, Michael", None);
    told.until_indexed(&task, true).await;
    assert_eq!(told.reads_of(&task), 1);

    let created = world.cal().book(&mike(), START, 30).created();
    assert_eq!(world.deliver(created.body.clone()).await, 200);
    world
        .until("it is held", async || {
            world.ending(&created.body).await.0 == "held"
        })
        .await;
    let open = world.get("/api/questions?state=open").await;
    let candidate = &open["questions"][0]["candidates"][0];
    assert_eq!(candidate["task_id"], task.as_str(), "{open}");
}

#[tokio::test]
async fn what_people_change_move_and_delete_is_followed() {
    let told = Told::start().await;
    let world = &told.world;
    world
        .clickup
        .add_list("901100000009", "Elsewhere", &[("to do", "open")]);
    let [changed, moved, deleted] =
        ["Ada", "Ben", "Cleo"].map(|name| world.clickup.add_task(BROKERS, name, None));
    let elsewhere = world.clickup.add_task("901100000009", "Dora", None);
    for task in [&changed, &moved, &deleted] {
        told.until_indexed(task, true).await;
    }
    let email = Some(json!("ada@byrd.example"));
    world.clickup.human_set_field(&changed, EMAIL_FIELD, email);
    let updated = world.clickup.task(&changed).expect("it").date_updated;
    world
        .until("the change is known", async || {
            told.indexed_as_of(&changed) == updated
        })
        .await;
    assert_eq!(told.reads_of(&elsewhere), 0, "its list is not ours");

    world.clickup.human_move(&moved, "901100000009");
    told.until_indexed(&moved, false).await;
    world.clickup.human_delete(&deleted);
    told.until_indexed(&deleted, false).await;
    world.clickup.human_move(&elsewhere, SELLERS);
    told.until_indexed(&elsewhere, true).await;

    assert_eq!(world.clickup.mutations(), 3, "nothing but three webhooks");
    assert!(world.clickup.told().iter().all(|it| it.status == 200));
}

#[tokio::test]
async fn a_forged_event_changes_nothing_and_is_never_answered_401_or_410() {
    let told = Told::start().await;
    let world = &told.world;
    let task = world.clickup.add_task(BROKERS, "Ada", None);
    told.until_indexed(&task, true).await;
    let secret = world.clickup.hooks()[0].secret.clone();
    let (reads, taken) = (told.reads_of(&task), told.events("taken").await);
    let body = json!({"event": "taskDeleted", "task_id": task}).to_string();
    let right = sign(&secret, body.as_bytes());
    let here = told.hook();
    let elsewhere = here.replace("/default", "/nobody");
    let long = sign("", body.as_bytes()) + "00";
    for (url, signature) in [
        (&here, None),
        (&here, Some("")),
        (&here, Some("nonsense")),
        (&here, Some(right.to_uppercase().as_str())),
        (&here, Some(long.as_str())),
        (&here, Some(sign("", body.as_bytes()).as_str())),
        (&here, Some(sign("guessed", body.as_bytes()).as_str())),
        (&elsewhere, Some(right.as_str())),
    ] {
        let (status, said) = told.post(url, signature, &body).await;
        assert_eq!(status, 403, "{signature:?}");
        assert_eq!(said, json!({"error": "Invalid signature"}));
    }
    let changed = body.replace("taskDeleted", "taskCreated");
    let (status, _) = told.post(&here, Some(&right), &changed).await;
    assert_eq!(status, 403);
    let large = "x".repeat(1_048_577);
    let (status, _) = told.post(&here, Some(&right), &large).await;
    assert_eq!(status, 413);
    assert_eq!(told.events("refused").await, 9);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(told.events("taken").await, taken);
    assert_eq!(told.reads_of(&task), reads);
    world
        .until("the operator is told", async || {
            let told = world.get("/api/notices").await.to_string();
            told.contains("ClickUp's events") && told.contains("nothing is lost")
        })
        .await;

    // Rightly signed, but not true: what the task is decides.
    let (status, said) = told.post(&here, Some(&right), &body).await;
    assert_eq!((status, said), (200, json!({"success": true})));
    world
        .until("it was looked at", async || told.reads_of(&task) > reads)
        .await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(told.is_indexed(&task));
    for body in ["", "null", "[7]", r#"{"event":"taskDeleted"}"#] {
        let signature = sign(&secret, body.as_bytes());
        assert_eq!(told.post(&here, Some(&signature), body).await.0, 200);
    }
}

#[tokio::test]
async fn the_secret_of_a_webhook_stands_in_no_file_and_no_log() {
    const HOOK: &str = "O94IM25S7PXBPYTMNXLLET230SRP0S89";
    let clickup = Config {
        hook_secret: Some(HOOK.to_owned()),
        ..Config::default()
    };
    let mut told = Told::with(clickup, &[]).await;
    let task = told.world.clickup.add_task(BROKERS, "Ada", None);
    told.until_indexed(&task, true).await;
    told.world.calup.stop();
    let mut files = 0;
    for entry in std::fs::read_dir(&told.world.calup.dir).expect("a folder") {
        let path = entry.expect("an entry").path();
        let bytes = std::fs::read(&path).expect("readable");
        let found = bytes.windows(HOOK.len()).any(|it| it == HOOK.as_bytes());
        assert!(!found, "{}", path.display());
        files += 1;
    }
    assert!(files >= 3, "a database, its key and a log");
}

#[tokio::test]
async fn what_calup_writes_itself_is_not_read_back() {
    let told = Told::start().await;
    let world = &told.world;
    let task = world
        .clickup
        .add_task(BROKERS, "Mike Ross", Some("mike@ross.example"));
    told.until_indexed(&task, true).await;
    let booking = world.cal().book(&mike(), START, 30);
    assert_eq!(world.deliver(booking.created().body).await, 200);
    world.settle().await;
    let (_, rescheduled) = booking.rescheduled(None, LATER);
    assert_eq!(world.deliver(rescheduled.body).await, 200);
    world.settle().await;
    let stranger = sim::cal::Person::new("Ada Byrd", "ada@byrd.example");
    let created = world.cal().book(&stranger, START, 30).created();
    assert_eq!(world.deliver(created.body).await, 200);
    world.settle().await;

    // Longer than a lead that was read lately is left alone.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let own = world.clickup.told();
    let own = own.iter().filter(|it| it.event == "taskUpdated");
    assert!(own.count() >= 4, "{:?}", world.clickup.told());
    let requests = world.clickup.requests();
    let last_write = requests.iter().rposition(|it| {
        it.is_mutation() && (it.path.contains("/task/") || it.path.ends_with("/task"))
    });
    let after = &requests[last_write.expect("a write")..];
    let reads: Vec<&str> = after
        .iter()
        .filter(|it| it.method == "GET" && it.path.contains("/task/"))
        .map(|it| it.path.as_str())
        .collect();
    assert_eq!(reads, Vec::<&str>::new());
    let lead = world.clickup.tasks_in(INBOUND).remove(0);
    assert_eq!(told.reads_of(&lead.id), 0);

    // The same lead in somebody else's hands.
    world.clickup.human_rename(&lead.id, "Ada Byrd (Lakeside)");
    world
        .until("that is read", async || told.reads_of(&lead.id) == 1)
        .await;
}

#[tokio::test]
async fn a_burst_is_one_reading_and_a_flood_is_not_read_task_by_task() {
    let told = Told::start().await;
    let world = &told.world;
    let task = world.clickup.add_task(BROKERS, "Ada", None);
    told.until_indexed(&task, true).await;
    for n in 0..20 {
        let text = format!("Called {n} times.");
        world.clickup.human_edit_description(&task, &text);
    }
    world
        .until("the burst is known", async || {
            let updated = world.clickup.task(&task).expect("it").date_updated;
            told.indexed_as_of(&task) == updated
        })
        .await;
    assert_eq!(told.reads_of(&task), 2);

    let before = world.clickup.calls();
    let add = |n: i32| {
        world
            .clickup
            .add_task(SELLERS, &format!("Person {n}"), None)
    };
    let many: Vec<String> = (0..400).map(add).collect();
    world
        .until("the flood is known", async || {
            many.iter().all(|task| told.is_indexed(task))
        })
        .await;
    let calls = world.clickup.calls() - before;
    assert!(calls < 100, "{calls}");
}

#[tokio::test]
async fn the_recorded_events_are_taken() {
    let recorded = |name: &str| -> Value {
        let path = format!(
            "{}/../../fixtures/clickup-api/webhook.{name}.json",
            env!("CARGO_MANIFEST_DIR")
        );
        let text = std::fs::read(&path).expect(&path);
        serde_json::from_slice(&text).expect("JSON")
    };
    let secret = recorded("taskCreated")["secret"]
        .as_str()
        .map(str::to_owned);
    let clickup = Config {
        hook_secret: secret,
        ..Config::default()
    };
    let told = Told::with(clickup, &[]).await;
    let world = &told.world;
    for (id, name) in [("86b7aaaa1", "Jordan Marsh"), ("86b7dddd1", "Dora")] {
        world.clickup.add_task_with(TaskSeed {
            list: BROKERS.to_owned(),
            name: name.to_owned(),
            id: Some(id.to_owned()),
            ..TaskSeed::default()
        });
        told.until_indexed(id, true).await;
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    let (made, changed) = (told.reads_of("86b7dddd1"), told.reads_of("86b7aaaa1"));
    for name in [
        "taskStatusUpdated",
        "taskCreated",
        "taskDeleted",
        "taskUpdated.content",
        "taskUpdated.custom-field-email",
    ] {
        let event = recorded(name);
        let body = event["raw_body"].as_str().expect("a body");
        let signature = event["headers"]["X-Signature"].as_str();
        let (status, said) = told.post(&told.hook(), signature, body).await;
        assert_eq!((status, said), (200, json!({"success": true})), "{name}");
    }
    world
        .until("what they are about is read once", async || {
            told.reads_of("86b7dddd1") == made + 1
                && told.reads_of("86b7aaaa1") == changed + 1
                && told.reads_of("86b7aaaa2") == 1
        })
        .await;
    assert!(told.is_indexed("86b7aaaa1") && !told.is_indexed("86b7aaaa2"));
}
