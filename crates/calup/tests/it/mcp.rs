//! The tools over MCP, by both ways: what a client sees, what it is refused, and that nothing but the protocol is spoken.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use sim::{Fault, Match};
use tokio::sync::mpsc;

use crate::assistant::{Desk, INTRO, desk_with};
use crate::world::{BROKERS, SECRET, World};

const VERSION: &str = "2025-06-18";
const PATIENCE: Duration = Duration::from_secs(20);

/// One client of either kind.
enum Client {
    Http { url: String, token: String },
    Piped(Piped),
}

struct Piped {
    child: Child,
    input: Option<ChildStdin>,
    said: mpsc::UnboundedReceiver<String>,
    asked: u64,
}

impl Piped {
    fn of(world: &World, arguments: &[&str]) -> Self {
        let mut child = world
            .calup
            .command()
            .args(arguments)
            .env("RUST_LOG", "debug")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("calup starts");
        let (tell, said) = mpsc::unbounded_channel();
        let output = BufReader::new(child.stdout.take().expect("piped"));
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let _ = tell.send(line);
            }
        });
        Self {
            input: child.stdin.take(),
            child,
            said,
            asked: 0,
        }
    }

    fn say(&mut self, message: &Value) {
        let input = self.input.as_mut().expect("it was not ended");
        writeln!(input, "{message}").expect("calup reads");
    }

    /// Nothing but the protocol is to be heard.
    async fn hear(&mut self) -> Option<Value> {
        let heard = tokio::time::timeout(PATIENCE, self.said.recv()).await;
        let line = heard.expect("calup says something")?;
        let message: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"));
        assert_eq!(message["jsonrpc"], "2.0", "{line}");
        Some(message)
    }

    async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.asked += 1;
        let id = self.asked;
        self.say(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        let answer = self.hear().await.expect("an answer");
        assert_eq!(answer["id"], id, "{answer}");
        answer
    }

    /// Its exit code, once nobody speaks to it any more.
    async fn ends(mut self) -> Option<i32> {
        self.input = None;
        assert_eq!(self.hear().await, None);
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Piped {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

impl Client {
    fn http(desk: &Desk) -> Self {
        Self::Http {
            url: format!("http://{}/mcp", desk.world.calup.address),
            token: desk.model.clone(),
        }
    }

    fn piped(desk: &Desk) -> Self {
        Self::Piped(Piped::of(&desk.world, &["mcp"]))
    }

    async fn ask(&mut self, method: &str, params: Value) -> Value {
        match self {
            Self::Piped(piped) => piped.ask(method, params).await,
            Self::Http { url, token } => {
                let message =
                    json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params});
                let sent = post(url).bearer_auth(token).json(&message).send().await;
                let sent = sent.expect("an answer");
                assert_eq!(sent.status(), 200);
                sent.json().await.expect("JSON")
            }
        }
    }

    async fn begin(&mut self) -> Value {
        let client = json!({"name": "journey", "version": "0"});
        let params = json!({"protocolVersion": VERSION, "capabilities": {}, "clientInfo": client});
        let begun = self.ask("initialize", params).await;
        let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        match self {
            Self::Piped(piped) => piped.say(&ready),
            Self::Http { url, token } => {
                let sent = post(url).bearer_auth(token).json(&ready).send().await;
                assert_eq!(sent.expect("an answer").status(), 202);
            }
        }
        begun["result"].clone()
    }

    async fn call(&mut self, name: &str, arguments: Value) -> Value {
        let params = json!({"name": name, "arguments": arguments});
        let answer = self.ask("tools/call", params).await;
        let result = answer["result"].clone();
        assert!(result.is_object(), "{name}: {answer}");
        let text = result["content"][0]["text"].as_str().expect("a text");
        let text: Value = serde_json::from_str(text).expect("JSON");
        assert_eq!(text, result["structuredContent"], "the same both ways");
        result
    }

    async fn good(&mut self, name: &str, arguments: Value) -> Value {
        let result = self.call(name, arguments).await;
        assert_eq!(result["isError"], false, "{name}: {result}");
        result["structuredContent"].clone()
    }
}

fn post(url: &str) -> reqwest::RequestBuilder {
    reqwest::Client::new()
        .post(url)
        .header("Accept", "application/json, text/event-stream")
        .header("MCP-Protocol-Version", VERSION)
        .timeout(PATIENCE)
}

async fn desk() -> Desk {
    let desk = desk_with(vec![("RUST_LOG", "debug".to_owned())]).await;
    desk.world
        .clickup
        .add_task(BROKERS, "Mike Ross", Some("mike@ross.example"));
    desk.is_indexed("Mike", 1).await;
    desk
}

/// Whatever a client may want, once.
async fn is_served(desk: &Desk, client: &mut Client) {
    let begun = client.begin().await;
    assert_eq!(begun["protocolVersion"], VERSION);
    assert_eq!(begun["serverInfo"]["name"], "calup");
    assert!(begun["capabilities"]["tools"].is_object(), "{begun}");
    let told = begun["instructions"].as_str().expect("instructions");
    assert!(told.contains("written_by_others"), "{told}");

    let listed = client.ask("tools/list", json!({})).await;
    let listed = listed["result"]["tools"].as_array().expect("tools").clone();
    let known = desk.world.get("/api/tools").await;
    let known = known["tools"].as_array().expect("tools");
    assert_eq!(listed.len(), known.len());
    for (tool, known) in listed.iter().zip(known) {
        assert_eq!(tool["name"], known["name"]);
        assert_eq!(tool["description"], known["description"]);
        assert_eq!(tool["inputSchema"], known["input_schema"]);
        let description = known["description"].as_str().expect("a description");
        let proposes = description.starts_with("Proposes");
        let hints = json!({
            "title": tool["title"], "readOnlyHint": !proposes, "destructiveHint": false,
            "idempotentHint": !proposes, "openWorldHint": true,
        });
        assert_eq!(tool["annotations"], hints, "{tool}");
        assert!(tool["title"].is_string(), "{tool}");
    }

    let calls = calls(desk).await;
    let before = desk.calcom.bookings();
    let mut seen = String::new();
    for (name, arguments) in calls.clone() {
        seen += &client.good(&name, arguments).await.to_string();
    }
    // Whoever has a booking's uid can read and cancel it.
    let uids = before.iter().filter_map(|booking| booking["uid"].as_str());
    for secret in uids.chain([SECRET, "cal_sim", "pk_sim"]) {
        assert!(!seen.contains(secret), "{secret}");
    }
    for tool in &listed {
        assert!(
            calls.iter().any(|(name, _)| tool["name"] == *name),
            "{tool}"
        );
    }
    assert_eq!(desk.calcom.bookings(), before, "nothing was confirmed");

    is_told_what_cannot_be(client).await;
}

/// Each tool once, with what it takes; there is a meeting by then, which somebody has confirmed.
async fn calls(desk: &Desk) -> Vec<(String, Value)> {
    let people = desk.good("crm_find_person", json!({"query": "Mike"})).await;
    let mike = people["people"][0]["task_id"].clone();
    let slug = json!({"event_type_slug": "intro-call"});
    let start = desk.slot().await;
    let book = json!({"event_type_slug": "intro-call", "start": start, "task_id": mike});
    let proposed = desk.good("cal_book", book).await;
    let id = proposed["proposal"]["id"].as_str().expect("an id");
    let path = format!("/api/proposals/{id}");
    let confirm = json!({"confirm": true});
    let (status, told) = desk.post(&path, &desk.world.token, confirm).await;
    assert_eq!(status, 200, "{told}");
    let meeting = &told["result"]["booked"]["booking_id"];
    let start = desk.slot().await;
    let for_mike = json!({"event_type_slug": "intro-call", "task_id": mike});
    let calls = [
        ("cal_get_event_types", json!({})),
        (
            "cal_check_availability",
            json!({"event_type_id": INTRO, "date_from": "2090-01-02", "date_to": "2090-01-03"}),
        ),
        ("cal_get_booking_link", slug.clone()),
        ("crm_find_person", json!({"query": "Mike"})),
        ("cal_link_for_person", for_mike),
        ("cal_free_times", json!({"when": "next week"})),
        ("cal_upcoming", json!({})),
        ("meeting_brief", json!({"task_id": mike})),
        (
            "cal_book",
            json!({"event_type_slug": "intro-call", "start": start, "task_id": mike}),
        ),
        (
            "cal_reschedule",
            json!({"booking_id": meeting, "start": start}),
        ),
        ("cal_cancel", json!({"booking_id": meeting})),
        ("cal_one_off_link", slug),
    ];
    calls
        .map(|(name, arguments)| (name.to_owned(), arguments))
        .into()
}

async fn is_told_what_cannot_be(client: &mut Client) {
    for (name, arguments, hint) in [
        (
            "cal_get_booking_link",
            json!({"event_type_slug": "intro"}),
            "nearest",
        ),
        ("cal_get_booking_link", json!({}), "slug"),
        ("cal_free_times", json!({"when": "whenever"}), ""),
        ("cal_upcoming", json!({"days": "many"}), ""),
        ("cal_upcoming", json!({"colour": "red"}), "days"),
    ] {
        let result = client.call(name, arguments).await;
        assert_eq!(result["isError"], true, "{result}");
        let told = &result["structuredContent"];
        assert!(
            told["error"].is_string() && told["hint"].is_string(),
            "{told}"
        );
        assert!(told.to_string().contains(hint), "{told}");
    }
    let params = json!({"name": "cal_pay", "arguments": {}});
    let answer = client.ask("tools/call", params).await;
    assert_eq!(answer["error"]["code"], -32602, "{answer}");
    assert!(answer.to_string().contains("cal_book"), "{answer}");
    let answer = client
        .ask("resources/read", json!({"uri": "file:///etc"}))
        .await;
    assert!(answer["error"]["code"].is_i64(), "{answer}");
}

#[tokio::test]
async fn over_http_every_tool_is_listed_and_called_and_the_log_names_nobody() {
    let desk = desk().await;
    is_served(&desk, &mut Client::http(&desk)).await;
    let log = desk.world.calup.log();
    for secret in ["mike@ross.example", desk.model.as_str()] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[tokio::test]
async fn over_standard_input_every_tool_is_listed_and_called_and_nothing_else_is_said() {
    let desk = desk().await;
    let mut client = Client::piped(&desk);
    is_served(&desk, &mut client).await;
    let Client::Piped(piped) = client else {
        unreachable!("it was made so");
    };
    assert_eq!(piped.ends().await, Some(0));
}

#[tokio::test]
async fn over_standard_input_calup_may_live_in_another_folder_and_says_what_is_wrong_elsewhere() {
    let desk = desk().await;
    let folder = desk.world.calup.dir.display().to_string();
    let elsewhere = std::env::temp_dir();
    let mut command = desk.world.calup.command();
    command
        .current_dir(&elsewhere)
        .args(["mcp", "--folder", &folder])
        .stdin(Stdio::null());
    let ended = command.output().expect("calup runs");
    assert_eq!((ended.status.code(), ended.stdout), (Some(0), Vec::new()));
    let (out, err, code) = desk.world.calup.run(&["mcp", "--folder", "/nowhere"]);
    assert_eq!((out.as_str(), code), ("", 1), "{err}");
    assert!(err.contains("could not enter /nowhere"), "{err}");

    let mut client = Piped::of(&desk.world, &["mcp"]);
    client.say(&json!("hello"));
    let told = client.hear().await.expect("an answer");
    let no_request = json!({"code": -32600, "message": "Invalid request"});
    assert_eq!(told, json!({"jsonrpc": "2.0", "error": no_request}));
    client.say(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}));
    let told = client.hear().await.expect("an answer");
    let (id, code) = (&told["id"], &told["error"]["code"]);
    assert_eq!((id, code), (&json!(1), &json!(-32602)), "{told}");
    // Whoever begins as one should is served all the same.
    let mut client = Client::Piped(client);
    assert_eq!(client.begin().await["protocolVersion"], VERSION);
}

#[tokio::test]
async fn only_a_token_for_the_tools_is_let_in_and_only_under_calup_s_own_address() {
    let mut desk = desk_with(vec![(
        "CALUP_PUBLIC_URL",
        "https://calup.example".to_owned(),
    )])
    .await;
    let url = format!("http://{}/mcp", desk.world.calup.address);
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}});
    let here = desk.world.calup.address.clone();
    let own = format!("http://{here}");
    let all: [(&[(&str, &str)], u16); 11] = [
        (&[], 200),
        (&[("Host", "calup.example")], 200),
        (&[("Host", "localhost:8787")], 200),
        (&[("Origin", &own)], 200),
        (
            &[
                ("Host", "calup.example"),
                ("Origin", "https://calup.example"),
            ],
            200,
        ),
        // No browser: in a container it may have any name.
        (&[("Host", "calup:8787")], 200),
        (
            &[
                ("Host", "rebound.example"),
                ("Origin", "http://rebound.example"),
            ],
            403,
        ),
        (
            &[
                ("Host", "calup.example.rebound.example"),
                ("Origin", "https://calup.example.rebound.example"),
            ],
            403,
        ),
        (&[("Origin", "https://rebound.example")], 403),
        (&[("Origin", "null")], 403),
        (&[("Origin", "http://localhost:1")], 403),
    ];
    for (headers, status) in all {
        let mut request = post(&url).bearer_auth(&desk.model).json(&list);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), status, "{headers:?}");
        if status == 403 {
            let told: Value = answer.json().await.expect("JSON");
            let hint = told["hint"].as_str().expect("a hint");
            assert!(hint.contains("CALUP_PUBLIC_URL"), "{told}");
        }
    }
    for token in [None, Some("calup_no_such"), Some("")] {
        let mut request = post(&url).json(&list);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 401, "{token:?}");
    }
    // There is no authorization server, and none is promised.
    for path in [
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/mcp",
        "/.well-known/oauth-authorization-server",
    ] {
        let asked = reqwest::get(format!("{own}{path}")).await;
        assert_eq!(asked.expect("an answer").status(), 404, "{path}");
    }
    let http = reqwest::Client::new();
    let listening = http.get(&url).bearer_auth(&desk.model).send().await;
    assert_eq!(listening.expect("an answer").status(), 405);
    let long = "x".repeat(70_000);
    let large = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"x": long}});
    let large = post(&url)
        .bearer_auth(&desk.model)
        .json(&large)
        .send()
        .await;
    assert_eq!(large.expect("an answer").status(), 413);

    // Of a scope that reaches other things.
    desk.world.calup.keep_address();
    desk.world.calup.kill();
    let file = desk.world.calup.dir.join("calup.db");
    let db = rusqlite::Connection::open(file).expect("the database");
    let changed = db.execute(
        "UPDATE token SET scope = 'deliveries' WHERE scope = 'tools'",
        [],
    );
    assert_eq!(changed.expect("changed"), 1);
    drop(db);
    desk.world.calup.start();
    let answer = post(&url).bearer_auth(&desk.model).json(&list).send().await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.status(), 403);
    let told: Value = answer.json().await.expect("JSON");
    assert!(told["hint"].to_string().contains("--scope tools"), "{told}");
}

#[tokio::test]
async fn a_call_that_is_cancelled_gets_no_answer_and_holds_up_nothing() {
    let desk = desk().await;
    let slow = || {
        desk.calcom
            .fault(Match::get("/bookings"), Fault::Delay(3_000), 1);
    };
    let mut client = Piped::of(&desk.world, &["mcp"]);
    let hello = json!({"protocolVersion": VERSION, "capabilities": {}, "clientInfo": {"name": "j", "version": "0"}});
    client.ask("initialize", hello).await;
    client.say(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
    slow();
    let params = json!({"name": "cal_upcoming", "arguments": {}});
    client.say(&json!({"jsonrpc": "2.0", "id": "slow", "method": "tools/call", "params": params}));
    tokio::time::sleep(Duration::from_millis(300)).await;
    client.say(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "slow"}}));
    client.ask("ping", json!({})).await;
    let answer = client.ask("tools/call", params.clone()).await;
    assert_eq!(answer["result"]["isError"], false, "{answer}");
    tokio::time::sleep(Duration::from_secs(3)).await;
    client.ask("ping", json!({})).await;

    slow();
    let url = format!("http://{}/mcp", desk.world.calup.address);
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
    let asked = post(&url).bearer_auth(&desk.model).json(&call);
    let left = asked.timeout(Duration::from_millis(300)).send().await;
    assert!(left.is_err(), "{left:?}");
    let mut client = Client::http(&desk);
    client.good("cal_upcoming", json!({})).await;
}

#[tokio::test]
async fn a_proposal_is_confirmed_in_a_terminal_by_a_person_only() {
    let desk = desk().await;
    let mut client = Client::piped(&desk);
    client.begin().await;
    let slug = json!({"event_type_slug": "intro-call"});
    let proposed = client.good("cal_one_off_link", slug).await;
    let id = proposed["proposal"]["id"].as_str().expect("an id");
    let mut command = desk.world.calup.command();
    let piped = command.args(["confirm", id]).stdin(Stdio::null()).output();
    let piped = piped.expect("calup runs");
    assert_eq!(piped.status.code(), Some(1));
    let said = String::from_utf8_lossy(&piped.stderr).into_owned();
    assert!(said.contains("a person"), "{said}");
    let made = desk.calcom.requests();
    assert!(!made.iter().any(|it| it.path.ends_with("/private-links")));
}

/// Where the official clients are installed: `scripts/test` does it, and says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_official_clients_list_and_call_the_tools() {
    let Ok(folder) = std::env::var("CALUP_TEST_MCP_CLIENTS") else {
        let said = b"\n*** SKIPPED: the official MCP clients; scripts/test installs them\n\n";
        let _ = std::io::stderr().write_all(said);
        return;
    };
    let desk = desk().await;
    desk.world.calup.write_settings();
    let calls = desk.world.calup.dir.join("calls.json");
    let all = serde_json::to_vec(&self::calls(&desk).await).expect("JSON");
    std::fs::write(&calls, all).expect("a file");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/mcp/try");
    let tried = Command::new(script)
        .arg(folder)
        .arg(env!("CARGO_BIN_EXE_calup"))
        .arg(&desk.world.calup.dir)
        .arg(format!("http://{}/mcp", desk.world.calup.address))
        .arg(calls)
        .env("CALUP_TOKEN", &desk.model)
        .output();
    let tried = tried.expect("the script runs");
    let said = [tried.stdout, tried.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(tried.status.success(), "{said}");
    for client in ["python", "typescript", "inspector"] {
        for way in ["stdio", "http"] {
            assert!(
                said.contains(&format!("{client} over {way}: 12 tools")),
                "{said}"
            );
        }
    }
}
