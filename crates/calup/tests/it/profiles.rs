//! Several profiles in one process: each has its own webhook, secrets, lists, accounts and tokens, and none of what is one's
//! ever reaches another.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};
use sim::cal::Person;
use sim::cal::api::{Bookable, Config as CalConfig, Server};
use sim::clickup::{ClickUp, Config};

use crate::pair::within;
use crate::postgres::{Database, KEY};
use crate::world::{BROKERS, Calup, EMAIL_FIELD, INBOUND, SECRET, STATUSES, Setup, World};

pub const START: &str = "2090-05-04T10:00:00Z";
pub const HOOK: &str = "whsec_of_sales_5e1f";
pub const TOKEN: &str = "pk_of_sales_77aa";
pub const KEY_AT_CAL: &str = "cal_live_of_sales_91";
pub const PEOPLE: &str = "901200000001";
pub const NEW_PEOPLE: &str = "901200000003";

/// The usual world is the environment's profile; beside it there is `sales`, with accounts of its own.
pub struct Two {
    pub world: World,
    calcom: Server,
    pub clickup: ClickUp,
    pub cal: Server,
    /// Of `sales`.
    pub token: String,
}

pub async fn cal_with(key: &str, event_type: u64, slug: &str) -> Server {
    let server = Server::start(CalConfig {
        key: key.to_owned(),
        limit_by_key: 100_000,
        ..CalConfig::default()
    })
    .await;
    let bookable = Bookable::new(event_type, slug, "A call", 30);
    server.add_event_type(bookable.location("https://meet.example.com/n"));
    server
}

fn secrets() -> String {
    format!("{HOOK}\n{TOKEN}\n{KEY_AT_CAL}\n")
}

/// Runs a command that reads.
pub fn told(calup: &Calup, arguments: &[&str], input: &str) -> (String, String, i32) {
    let mut child = calup
        .command()
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("calup starts");
    let mut stdin = child.stdin.take().expect("piped");
    // It may have ended without reading.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let out = child.wait_with_output().expect("it ends");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (
        text(out.stdout),
        text(out.stderr),
        out.status.code().unwrap_or(-1),
    )
}

pub fn done(told: (String, String, i32)) -> String {
    assert_eq!(told.2, 0, "{} {}", told.0, told.1);
    told.0
}

fn new_token(calup: &Calup) -> String {
    let made = done(calup.run(&["token", "new", "--json", "--profile", "sales"]));
    let made: Value = serde_json::from_str(&made).expect("JSON");
    made["token"].as_str().expect("a token").to_owned()
}

impl Two {
    pub async fn start() -> Self {
        Self::with(Vec::new()).await
    }

    pub async fn with(more: Vec<(&'static str, String)>) -> Self {
        let calcom = cal_with("cal_live_of_ours", 880_101, "intro-call").await;
        let cal = cal_with(KEY_AT_CAL, 990_201, "sales-call").await;
        let clickup = ClickUp::start(Config {
            token: TOKEN.to_owned(),
            hook_secret: Some("5".repeat(64)),
            limit_per_minute: 10_000,
            ..Config::default()
        })
        .await;
        clickup.add_list(PEOPLE, "People", &STATUSES);
        clickup.add_list(NEW_PEOPLE, "New people", &STATUSES);
        clickup.add_field(&[PEOPLE, NEW_PEOPLE], EMAIL_FIELD, "Email", "email");
        let mut env = vec![
            ("CALCOM_API_URL", calcom.api_url()),
            ("CALCOM_API_KEY", calcom.key()),
            ("CALUP_INDEX_SECONDS", "1".to_owned()),
            ("RUST_LOG", "debug".to_owned()),
        ];
        env.extend(more);
        let mut world = World::with(Setup {
            env,
            ..Setup::default()
        })
        .await;
        let lists = format!("clickup_match_list_ids={PEOPLE}");
        let inbound = format!("clickup_inbound_list_id={NEW_PEOPLE}");
        let addresses = [
            format!("clickup_api_url={}", clickup.api_url()),
            format!("calcom_api_url={}", cal.api_url()),
        ];
        let added = told(
            &world.calup,
            &[
                "profile",
                "add",
                "sales",
                &lists,
                &inbound,
                &addresses[0],
                &addresses[1],
                "--secret",
                "calcom_webhook_secret",
                "--secret",
                "clickup_api_token",
                "--secret",
                "calcom_api_key",
            ],
            &secrets(),
        );
        assert!(done(added).contains("/api/webhooks/cal/sales"));
        let token = new_token(&world.calup);
        world.calup.restart();
        Self {
            world,
            calcom,
            clickup,
            cal,
            token,
        }
    }

    pub fn theirs(&self) -> sim::cal::Cal {
        let cal = self.world.cal();
        cal.set_target(&format!("{}/sales", self.world.hook()));
        cal.set_secret(HOOK);
        cal
    }

    async fn asks(&self, token: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let url = format!("http://{}{path}", self.world.calup.address);
        let request = match body {
            Some(body) => self.world.http.post(url).json(&body),
            None => self.world.http.get(url),
        };
        let answer = request.bearer_auth(token).send().await;
        let answer = answer.expect("calup answers");
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or_default())
    }

    pub async fn of(&self, token: &str, path: &str) -> Value {
        let (status, answer) = self.asks(token, path, None).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    pub async fn settle(&self) {
        self.world.settle().await;
        self.world
            .until("theirs is done, too", async || {
                let counts = self.of(&self.token, "/api/counts").await;
                let open = ["pending", "running", "waiting"];
                open.iter().all(|status| counts[status] == 0)
            })
            .await;
    }

    fn tokens(&self) -> [&str; 2] {
        [&self.world.token, &self.token]
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_booking_of_one_profile_is_no_other_s_whatever_is_asked() {
    let two = Two::start().await;
    let ada = Person::new("Ada Byrd", "ada@byrd.example");
    let cal = two.world.cal();
    let booking = cal.book(&ada, START, 30);
    // The same bytes to both: a booking is known to each by itself.
    let created = booking.created();
    assert_eq!(cal.send(&created).await.0, 200);
    let theirs = two.theirs();
    assert_eq!(theirs.send(&created.signed_with(HOOK)).await.0, 200);
    assert_eq!(theirs.send(&created).await.0, 401, "another one's secret");
    assert_eq!(cal.send(&created.signed_with(HOOK)).await.0, 401);
    theirs.set_target(&format!("{}/nobody", two.world.hook()));
    assert_eq!(theirs.send(&created.signed_with(HOOK)).await.0, 401);
    two.settle().await;

    for (clickup, list) in [(&two.world.clickup, INBOUND), (&two.clickup, NEW_PEOPLE)] {
        let leads = clickup.live_tasks();
        assert_eq!(leads.len(), 1, "{leads:#?}");
        assert_eq!(clickup.tasks_in(list).len(), 1);
    }
    let mut ids = Vec::new();
    for (token, name) in two.tokens().into_iter().zip(["default", "sales"]) {
        let all = two.of(token, "/api/deliveries").await;
        let all = all["deliveries"].as_array().expect("a list");
        assert_eq!(all.len(), 1, "{all:?}");
        assert_eq!(
            (&all[0]["profile"], &all[0]["status"]),
            (&json!(name), &json!("done"))
        );
        assert_eq!(two.of(token, "/api/counts").await["received"], 1);
        let proof = two
            .of(token, &format!("/api/bookings/{}", booking.uid))
            .await;
        assert_eq!(
            proof["deliveries"].as_array().map(Vec::len),
            Some(1),
            "{proof}"
        );
        ids.push(all[0]["id"].as_str().expect("an id").to_owned());
    }
    let [ours, theirs] = [&ids[0], &ids[1]];
    for (token, own, foreign) in [(&two.world.token, ours, theirs), (&two.token, theirs, ours)] {
        two.of(token, &format!("/api/deliveries/{own}")).await;
        let path = format!("/api/deliveries/{foreign}");
        assert_eq!(two.asks(token, &path, None).await.0, 404);
        let path = format!("{path}/replay");
        for body in [json!({}), json!({"dry_run": true})] {
            assert_eq!(two.asks(token, &path, Some(body)).await.0, 404);
        }
    }
    for (profile, own, foreign) in [("default", ours, theirs), ("sales", theirs, ours)] {
        let profile = ["--profile", profile];
        let listed = done(
            two.world
                .calup
                .run(&[&["deliveries", "--json"][..], &profile].concat()),
        );
        assert!(
            listed.contains(own) && !listed.contains(foreign),
            "{listed}"
        );
        let replayed = two
            .world
            .calup
            .run(&[&["replay", foreign][..], &profile].concat());
        assert_eq!(replayed.2, 1, "{}", replayed.0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tools_and_proposals_are_those_of_the_token_s_profile() {
    let two = Two::start().await;
    for (token, own, foreign) in [
        (two.world.token.as_str(), "intro-call", "sales-call"),
        (&two.token, "sales-call", "intro-call"),
    ] {
        let call = async |name: &str, input: Value| {
            two.asks(token, &format!("/api/tools/{name}"), Some(input))
                .await
        };
        let (status, types) = call("cal_get_event_types", json!({})).await;
        assert_eq!(status, 200, "{types}");
        let types = types.to_string();
        assert!(types.contains(own) && !types.contains(foreign), "{types}");
        let link = async |slug: &str| {
            let input = json!({"event_type_slug": slug});
            call("cal_get_booking_link", input).await.0
        };
        assert_eq!((link(own).await, link(foreign).await), (200, 404));
    }
    let input = json!({"event_type_slug": "sales-call"});
    let (status, proposed) = two
        .asks(&two.token, "/api/tools/cal_one_off_link", Some(input))
        .await;
    assert_eq!(status, 200, "{proposed}");
    let id = proposed["proposal"]["id"].as_str().expect("an id");
    let path = format!("/api/proposals/{id}");
    let confirm = || Some(json!({"confirm": true}));
    assert_eq!(two.asks(&two.world.token, &path, confirm()).await.0, 404);
    let (status, made) = two.asks(&two.token, &path, confirm()).await;
    assert_eq!(status, 200, "{made}");

    let input = r#"{"event_type_slug": "sales-call"}"#;
    let asked = ["tool", "cal_get_booking_link", input, "--json"];
    assert_eq!(two.world.calup.run(&asked).2, 1);
    done(
        two.world
            .calup
            .run(&[&asked[..], &["--profile", "sales"]].concat()),
    );
    let calls = |server: &Server| {
        let made = server.requests();
        made.iter().filter(|call| call.status < 400).count()
    };
    assert!(calls(&two.calcom) > 0 && calls(&two.cal) > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_of_one_profile_counts_for_nothing_with_another() {
    let two = Two::start().await;
    let task = two.clickup.add_task(PEOPLE, "Ada Byrd", None);
    let ours = two.world.clickup.add_task(BROKERS, "Ada Byrd", None);
    let input = json!({"event_type_slug": "sales-call", "task_id": task});
    let (status, link) = two
        .asks(&two.token, "/api/tools/cal_link_for_person", Some(input))
        .await;
    assert_eq!(status, 200, "{link}");
    let url: reqwest::Url = link["booking_url"]
        .as_str()
        .expect("a link")
        .parse()
        .expect("a URL");
    let pointer = url
        .query_pairs()
        .find(|(name, _)| name == "metadata[calup]");
    let pointer = pointer.expect("a pointer").1.into_owned();

    let ada = Person::new("Ada Byrd", "ada@byrd.example");
    let booking = two.world.cal().book(&ada, START, 30);
    let with = |pointer: &str| {
        let pointer = pointer.to_owned();
        booking.created().edited(move |body| {
            body["payload"]["metadata"]["calup"] = pointer.into();
        })
    };
    // As if its task were ours.
    let forged = pointer.replace(&task, &ours);
    for pointer in [&pointer, &forged] {
        assert_eq!(two.world.deliver(with(pointer).body).await, 200);
    }
    let cal = two.theirs();
    let sent = with(&pointer).signed_with(HOOK);
    assert_eq!(cal.send(&sent).await.0, 200);
    two.world
        .until("theirs is done", async || {
            two.of(&two.token, "/api/counts").await["done"] == 1
        })
        .await;

    let led_back = two.clickup.task(&task).expect("it is there");
    assert_eq!(led_back.status, "meeting booked");
    let untouched = two.world.clickup.task(&ours).expect("it is there");
    assert_eq!(untouched.status, "to do");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_of_one_profile_is_answered_by_nobody_else() {
    let two = Two::start().await;
    two.clickup.add_task(PEOPLE, "Ross, Michael", None);
    two.world.clickup.add_task(BROKERS, "Ross, Michael", None);
    let mike = Person::new("Mike Ross", "mike@ross.example");
    let cal = two.theirs();
    let created = cal.book(&mike, START, 30).created();
    assert_eq!(cal.send(&created).await.0, 200);
    let mut question = Value::Null;
    two.world
        .until("it is asked", async || {
            question =
                two.of(&two.token, "/api/questions?state=open").await["questions"][0].clone();
            question.is_object()
        })
        .await;

    let none = two.world.get("/api/questions").await;
    assert_eq!(none["questions"], json!([]));
    let id = question["id"].as_str().expect("an id");
    let path = format!("/api/questions/{id}");
    let answer = || Some(json!({"answer": "new"}));
    assert_eq!(two.asks(&two.world.token, &path, answer()).await.0, 404);
    let by_hand = two.world.calup.run(&["questions", "answer", id, "new"]);
    assert_eq!(by_hand.2, 1, "{}", by_hand.0);
    let (status, answered) = two.asks(&two.token, &path, answer()).await;
    assert_eq!(status, 200, "{answered}");
    two.settle().await;
    assert_eq!(two.clickup.tasks_in(NEW_PEOPLE).len(), 1);
    assert_eq!(two.world.clickup.live_tasks().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vendor_that_is_away_for_one_profile_holds_up_no_other() {
    let two = Two::start().await;
    two.clickup.stop().await;
    let cal = two.theirs();
    let person = |n: usize| Person::new("Ada Byrd", &format!("ada{n}@byrd.example"));
    for n in 0..6 {
        let created = cal.book(&person(n), START, 30).created();
        assert_eq!(cal.send(&created).await.0, 200);
    }
    let cal = two.world.cal();
    for n in 0..6 {
        let created = cal.book(&person(n), START, 30).created();
        assert_eq!(cal.send(&created).await.0, 200);
    }
    let counts = two.world.settle().await;
    assert_eq!(counts["done"], 6, "{counts}");
    let theirs = two.of(&two.token, "/api/counts").await;
    assert_eq!(theirs["done"], 0, "{theirs}");
    two.clickup.restart().await;
    two.world
        .until("theirs is done", async || {
            two.of(&two.token, "/api/counts").await["done"] == 6
        })
        .await;
    assert_eq!(two.clickup.live_tasks().len(), 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_are_told_without_a_command_line_and_seen_nowhere() {
    let two = Two::start().await;
    let calup = &two.world.calup;
    let mut seen = vec![calup.log()];
    for arguments in [
        &["profile", "list"][..],
        &["profile", "list", "--json"],
        &["profile", "show", "sales"],
        &["profile", "show", "sales", "--json"],
    ] {
        seen.push(done(calup.run(arguments)));
    }
    let shown: Value = serde_json::from_str(&seen[4]).expect("JSON");
    assert_eq!(shown["secrets"]["calcom_api_key"], true);
    assert_eq!(shown["secrets"]["slack_bot_token"], false);
    assert_eq!(shown["settings"]["clickup_inbound_list_id"], NEW_PEOPLE);
    assert!(
        shown["calcom_username"].is_string(),
        "Cal.com said so: {shown}"
    );

    let typed = format!("calcom_api_key={KEY_AT_CAL}");
    let refused = calup.run(&["profile", "set", "sales", &typed]);
    assert_eq!(refused.2, 1);
    assert!(
        refused.1.contains("--secret calcom_api_key"),
        "{}",
        refused.1
    );
    let unnamed = calup.run(&["profile", "set", "sales", "--secret", KEY_AT_CAL]);
    assert_eq!(unnamed.2, 1);
    seen.extend([refused.1, unnamed.1]);
    for text in seen {
        for secret in [HOOK, TOKEN, KEY_AT_CAL] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
    for file in std::fs::read_dir(&calup.dir).expect("a folder") {
        let path = file.expect("an entry").path();
        let bytes = std::fs::read(&path).unwrap_or_default();
        for secret in [HOOK, TOKEN, KEY_AT_CAL] {
            let is_there = bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
            assert!(!is_there, "{secret} in {}", path.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_profile_is_said_and_nothing_is_changed() {
    let world = World::start().await;
    let calup = &world.calup;
    for (arguments, says) in [
        (&["profile", "add", "Sales!"][..], "begins with a letter"),
        (&["profile", "add", "default"], "the environment's own"),
        (
            &["profile", "set", "sales", "calup_guests=match"],
            "profile list",
        ),
        (&["profile", "show", "default"], "calup.toml"),
        (
            &["profile", "add", "sales", "calup_guests=perhaps"],
            "CALUP_GUESTS",
        ),
        (
            &["profile", "add", "sales", "calup_listen=1"],
            "no setting of a profile",
        ),
        (
            &["profile", "add", "sales", "clickup_inbound_list=1"],
            "clickup_inbound_list_id",
        ),
        (
            &["profile", "add", "sales", "calcom_api_url=http://10.0.0.1"],
            "public host",
        ),
        (
            &[
                "profile",
                "add",
                "sales",
                "--secret-from-env",
                "calcom_api_key",
            ],
            "CALCOM_API_KEY",
        ),
        (&["profile", "remove", "sales"], "--yes"),
        (&["profile", "remove", "sales", "--yes"], "profile list"),
        (&["serve", "--profile", "sales"], "--profile"),
        (&["deliveries", "--profile", "sales"], "profile list"),
    ] {
        let (_, error, code) = calup.run(arguments);
        assert!(code != 0 && error.contains(says), "{arguments:?}: {error}");
    }
    let listed = done(calup.run(&["profile", "list"]));
    assert!(listed.contains("no profiles"), "{listed}");
    done(calup.run(&["profile", "add", "sales"]));
    assert_eq!(calup.run(&["profile", "add", "sales"]).2, 1, "twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_secret_counts_within_seconds_and_so_does_a_removal() {
    let two = Two::start().await;
    let cal = two.theirs();
    let created = cal.book(&Person::new("Ada Byrd", "ada@byrd.example"), START, 30);
    let created = created.created();
    assert_eq!(cal.send(&created).await.0, 200);
    let set = [
        "profile",
        "set",
        "sales",
        "--secret",
        "calcom_webhook_secret",
    ];
    done(told(&two.world.calup, &set, "whsec_newer\n"));
    let newer = created.restamped().signed_with("whsec_newer");
    two.world
        .until("the new secret counts", async || {
            cal.send(&newer).await.0 == 200
        })
        .await;
    assert_eq!(cal.send(&created).await.0, 401, "the old one is gone");

    done(
        two.world
            .calup
            .run(&["profile", "remove", "sales", "--yes"]),
    );
    two.world
        .until("it is refused", async || cal.send(&newer).await.0 == 401)
        .await;
    assert_eq!(two.asks(&two.token, "/api/counts", None).await.0, 401);
    assert_eq!(
        two.world.deliver(created.signed_with(SECRET).body).await,
        200
    );
    let counts = two.world.settle().await;
    assert_eq!(counts["done"], 1, "{counts}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_profile_is_worked_for_by_one_of_the_replicas() {
    let Some(database) = Database::made().await else {
        return;
    };
    let two = Two::with(vec![
        ("DATABASE_URL", database.url()),
        ("CALUP_MASTER_KEY", KEY.to_owned()),
        ("CALUP_LEASE_SECONDS", "4".to_owned()),
    ])
    .await;
    let mut other = two.world.calup.replica();
    other.start();
    let (ours, theirs) = (two.world.cal(), two.theirs());
    for n in 0..4 {
        let ada = Person::new("Ada Byrd", &format!("ada{n}@byrd.example"));
        for (cal, path) in [(&ours, ""), (&theirs, "/sales")] {
            // Any replica takes any profile's.
            let address = if n % 2 == 0 {
                &other.address
            } else {
                &two.world.calup.address
            };
            cal.set_target(&format!("http://{address}/api/webhooks/cal{path}"));
            let created = cal.book(&ada, START, 30).created();
            assert_eq!(cal.send(&created).await.0, 200);
        }
    }
    two.settle().await;
    assert_eq!(two.world.clickup.live_tasks().len(), 4);
    assert_eq!(two.clickup.live_tasks().len(), 4);
    let held = within(
        std::time::Duration::from_secs(10),
        "both are held",
        async || Some(database.leased().await).filter(|held| held.len() == 2),
    )
    .await;
    assert_eq!(held, ["default", "sales"]);
}
