//! ClickUp's webhooks: what people do in ClickUp is known to the index of leads at once, and nothing else comes of it.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};
use sim::clickup::{Config, HookView, TaskSeed, sign};
use sim::faults::{ALWAYS, Fault, Match};

use crate::asked::{LATER, START, mike};
use crate::pair::Pair;
use crate::world::{BROKERS, EMAIL_FIELD, INBOUND, SELLERS, Setup, World};

/// A world whose lists ClickUp tells of, and which would not be looked through for an hour.
struct Told {
    world: World,
}

impl Told {
    async fn start() -> Self {
        Self::with(Config::default(), &[]).await
    }

    async fn with(clickup: Config, more: &[(&'static str, &str)]) -> Self {
        let told = Self::unsettled(clickup, more).await;
        told.until_registered(3).await;
        told.until_filled().await;
        told
    }

    async fn unsettled(clickup: Config, more: &[(&'static str, &str)]) -> Self {
        let (listen, url) = free_address();
        let mut env = vec![
            ("CALUP_LISTEN", listen),
            ("CALUP_PUBLIC_URL", url),
            ("CALUP_INDEX_SECONDS", "3600".to_owned()),
            ("CALUP_HOOK_SECONDS", "1".to_owned()),
        ];
        env.retain(|(name, _)| !more.iter().any(|(n, _)| n == name));
        env.extend(
            more.iter()
                .map(|(name, value)| (*name, (*value).to_owned())),
        );
        let clickup = Config {
            limit_per_minute: 10_000,
            hook_retry: Duration::from_millis(50),
            ..clickup
        };
        let world = World::with(Setup {
            clickup: Some(clickup),
            env,
            ..Setup::default()
        })
        .await;
        Self { world }
    }

    async fn until_registered(&self, many: usize) -> Vec<HookView> {
        self.world
            .until("each list has a webhook", async || {
                let hooks = self.world.clickup.hooks();
                hooks.len() == many && hooks.len() == self.kept()
            })
            .await;
        self.world.clickup.hooks()
    }

    async fn until_filled(&self) {
        self.world
            .until("the leads have been read once", async || {
                let sql = "SELECT count(*) FROM indexing WHERE filled_at IS NOT NULL";
                self.count(sql) == 1
            })
            .await;
    }

    fn count(&self, sql: &str) -> i64 {
        let path = self.world.calup.dir.join("calup.db");
        let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY);
        let db = db.expect("a database");
        db.query_row(sql, [], |row| row.get(0)).expect("a number")
    }

    fn kept(&self) -> usize {
        usize::try_from(self.count("SELECT count(*) FROM hook")).expect("few")
    }

    fn is_indexed(&self, task: &str) -> bool {
        self.count(&format!(
            "SELECT count(*) FROM indexed_lead WHERE lead = '{task}'"
        )) == 1
    }

    /// As of when the index has it, in milliseconds.
    fn indexed_as_of(&self, task: &str) -> i64 {
        self.count(&format!(
            "SELECT updated_at / 1000 FROM indexed_lead WHERE lead = '{task}'"
        ))
    }

    async fn until_indexed(&self, task: &str, wanted: bool) {
        let began = Instant::now();
        self.world
            .until("the index knows", async || self.is_indexed(task) == wanted)
            .await;
        let took = began.elapsed();
        assert!(took < Duration::from_secs(10), "{took:?}");
    }

    fn reads_of(&self, task: &str) -> usize {
        let path = format!("/task/{task}");
        let all = self.world.clickup.requests();
        all.iter()
            .filter(|it| it.method == "GET" && it.path.ends_with(&path))
            .count()
    }

    async fn events(&self, name: &str) -> u64 {
        let ready = self.world.get("/readyz").await;
        ready["clickup_events"][name].as_u64().expect("a number")
    }

    fn hook(&self) -> String {
        format!(
            "http://{}/api/webhooks/clickup/default",
            self.world.calup.address
        )
    }

    async fn post(&self, url: &str, signature: Option<&str>, body: &str) -> (u16, Value) {
        let mut request = self.world.http.post(url).body(body.to_owned());
        if let Some(signature) = signature {
            request = request.header("X-Signature", signature);
        }
        let sent = request.send().await.expect("calup answers");
        let status = sent.status().as_u16();
        (status, sent.json().await.unwrap_or_default())
    }
}

/// To listen on, and for the outside.
fn free_address() -> (String, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let url = format!("http://{address}");
    (address, url)
}

/// The listing of what was changed omits what was made within the last hour.
fn hide_from_polling(world: &World) {
    let listing = Match::get("date_updated_gt");
    world
        .clickup
        .fault(listing, Fault::IndexLag(3_600_000), ALWAYS);
}

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

impl Told {
    /// The fault strikes the first registration.
    async fn with_fault(clickup: Config, more: &[(&'static str, &str)], fault: Fault) -> Self {
        let off = [more, &[("CALUP_HOOK_SECONDS", "0")]].concat();
        let mut told = Self::unsettled(clickup, &off).await;
        told.until_filled().await;
        assert!(told.world.clickup.hooks().is_empty(), "0 makes none");
        told.world.clickup.fault(Match::post("/webhook"), fault, 1);
        told.world.calup.set("CALUP_HOOK_SECONDS", "1");
        told.world.calup.restart();
        told
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
