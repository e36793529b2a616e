//! `calup chat`: what it says to a pipe and in a terminal, and what it asks before anything is done.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::{Value, json};
use sim::claude::{Claude, Say};
use sim::{Fault, Match};

use crate::assistant::{Desk, desk_with};
use crate::world::World;

/// Looks the link up, or proposes to make one.
fn script(request: &Value) -> Say {
    let messages = request["messages"].as_array().expect("messages");
    let last = &messages.last().expect("one")["content"][0];
    let slug = json!({"event_type_slug": "intro-call"});
    match last["text"].as_str() {
        Some(asked) if asked.contains("once") => Say::tool("cal_one_off_link", slug),
        Some(asked) if asked.contains("link") => {
            Say::text("I look it up.").and_tool("cal_get_booking_link", slug)
        }
        Some(_) => Say::text("I know of links."),
        None => {
            let result: Value = last["content"]
                .as_str()
                .map(serde_json::from_str)
                .expect("a text")
                .expect("JSON");
            let link = result["booking_url"]
                .as_str()
                .unwrap_or("it waits for your yes");
            Say::text(&format!("Here: {link}"))
        }
    }
}

async fn desk() -> (Desk, Claude) {
    let claude = Claude::start(sim::claude::Config::default(), script).await;
    let desk = desk_with(vec![
        ("ANTHROPIC_BASE_URL", claude.base_url()),
        ("ANTHROPIC_API_KEY", claude.api_key()),
    ])
    .await;
    (desk, claude)
}

fn piped(world: &World, arguments: &[&str], input: &str) -> (String, String, i32) {
    let mut command = world.calup.command();
    command.args(arguments).stdin(Stdio::piped());
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("calup starts");
    let mut to = child.stdin.take().expect("piped");
    to.write_all(input.as_bytes()).expect("it reads");
    drop(to);
    let out = child.wait_with_output().expect("it ends");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (
        text(out.stdout),
        text(out.stderr),
        out.status.code().unwrap_or(-1),
    )
}

/// Somebody sits at it.
struct Terminal {
    child: Child,
    keys: File,
    seen: Arc<Mutex<String>>,
}

impl Terminal {
    fn open(world: &World, arguments: &[&str]) -> Self {
        let keys = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&keys).expect("granted");
        unlockpt(&keys).expect("unlocked");
        let name = ptsname(&keys, Vec::new()).expect("a name");
        let screen = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty());
        let screen = screen.expect("the other end");
        let end = || Stdio::from(screen.try_clone().expect("a copy"));
        let mut command = world.calup.command();
        command
            .args(arguments)
            .stdin(end())
            .stdout(end())
            .stderr(end());
        let child = command.spawn().expect("calup starts");
        let seen = Arc::new(Mutex::new(String::new()));
        let keys = File::from(keys);
        let (mut from, writes) = (keys.try_clone().expect("a copy"), seen.clone());
        std::thread::spawn(move || {
            let mut piece = [0; 1_024];
            while let Ok(count) = from.read(&mut piece) {
                if count == 0 {
                    break;
                }
                let text = String::from_utf8_lossy(&piece[..count]).into_owned();
                writes.lock().expect("no holder panics").push_str(&text);
            }
        });
        Self { child, keys, seen }
    }

    fn types(&mut self, text: &str) {
        self.keys.write_all(text.as_bytes()).expect("typed");
    }

    /// Waits for it, and forgets what was seen until then.
    async fn sees(&self, text: &str) -> String {
        let limit = Instant::now() + Duration::from_secs(20);
        loop {
            {
                let mut seen = self.seen.lock().expect("no holder panics");
                if let Some(at) = seen.find(text) {
                    return seen.drain(..at + text.len()).collect();
                }
                assert!(Instant::now() < limit, "{text} in {seen}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn interrupt(&self) {
        let pid = self.child.id().to_string();
        let sent = std::process::Command::new("kill")
            .args(["-INT", &pid])
            .status();
        assert!(sent.expect("there is a kill").success());
    }

    async fn ends(&mut self) -> Option<i32> {
        let limit = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(status) = self.child.try_wait().expect("its state is known") {
                return status.code();
            }
            assert!(Instant::now() < limit, "it goes on: {:?}", self.seen);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

fn links_made(desk: &Desk) -> usize {
    let requests = desk.calcom.requests();
    let made = requests
        .iter()
        .filter(|it| it.path.ends_with("/private-links"));
    made.count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pipe_gets_the_answer_and_nothing_else_and_json_all_of_it() {
    let (desk, claude) = desk().await;
    let world = &desk.world;
    let (out, err, code) = piped(world, &["chat"], "What is my intro link?\n");
    assert_eq!(code, 0, "{err}");
    assert!(
        out.starts_with("I look it up.\n\nHere: https://cal.example.com/"),
        "{out}"
    );
    assert!(
        !out.contains("cal_get_booking_link") && err.contains("cal_get_booking_link"),
        "{out}{err}"
    );

    let (out, err, code) = piped(
        world,
        &["chat", "--json", "A link that is used once, please"],
        "",
    );
    assert_eq!(code, 0, "{err}");
    let told: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(told["tools"][0]["name"], "cal_one_off_link");
    let summary = told["proposals"][0]["summary"].as_str().expect("a summary");
    assert!(summary.contains("Intro call"), "{told}");
    let id = told["conversation"].as_str().expect("an id");

    let (out, err, code) = piped(
        world,
        &["chat", "--conversation", id, "one that is used", "once"],
        "",
    );
    assert_eq!(code, 0, "{err}");
    assert!(
        out.contains("Proposed: Make a link") && out.contains("calup confirm p_"),
        "{out}"
    );
    let asked = claude.requests().last().expect("asked").body.to_string();
    assert!(
        asked.contains("please") && asked.contains("one that is used once"),
        "{asked}"
    );
    assert_eq!(links_made(&desk), 0, "nobody was asked");

    let (out, err, code) = piped(world, &["chat"], " \n");
    assert_eq!((out.as_str(), code), ("", 1), "{err}");
    assert!(err.contains("nothing was asked"), "{err}");
    let (_, err, code) = piped(world, &["chat", "--conversation", "c_none"], "Hello");
    assert_eq!(code, 1);
    assert!(
        err.contains("no such conversation") && err.contains("30 days"),
        "{err}"
    );
}

#[tokio::test]
async fn without_a_key_it_says_what_is_missing() {
    let world = World::start().await;
    for arguments in [
        ["chat", "Hello"].as_slice(),
        &["chat", "--json", "Hello"],
        &["chat"],
    ] {
        let (out, err, code) = piped(&world, arguments, "Hello");
        assert_eq!((out.as_str(), code), ("", 1), "{err}");
        assert!(
            err.contains("ANTHROPIC_API_KEY") && err.contains("MCP"),
            "{err}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_terminal_a_person_is_asked_and_what_was_pasted_is_no_answer() {
    let (desk, claude) = desk().await;
    let mut terminal = Terminal::open(&desk.world, &["chat"]);
    terminal.sees("> ").await;
    terminal.types("What is my intro link?\n");
    let seen = terminal.sees("Here: https://cal.example.com/").await;
    assert!(
        seen.contains("· cal_get_booking_link {\"event_type_slug\":\"intro-call\"}"),
        "{seen}"
    );
    terminal.sees("> ").await;

    // Two lines at once are one question, and no yes.
    terminal.types("One that is used once\ny\n");
    terminal
        .sees("Proposed: Make a link for `Intro call`")
        .await;
    terminal.sees("[y/N] ").await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(links_made(&desk), 0);
    terminal.types("n\n");
    terminal.sees("Left undone.").await;
    terminal.sees("> ").await;

    terminal.types("Then another, used once\n");
    terminal.sees("[y/N] ").await;
    terminal.types("y\n");
    terminal.sees("Done.").await;
    let seen = terminal.sees("> ").await;
    assert!(seen.contains("https://cal.example.com/d/"), "{seen}");
    assert_eq!(links_made(&desk), 1);
    terminal.types("Thanks\n");
    terminal.sees("I know of links.").await;
    let asked = claude.requests().last().expect("asked").body.to_string();
    assert!(
        asked.contains("is now declined.)") && asked.contains("is now done.)"),
        "{asked}"
    );
    assert!(!asked.contains("/d/"), "the link is its user's");
    terminal.sees("> ").await;
    terminal.types("\u{4}");
    let id = terminal.sees("calup chat --conversation c_").await;
    assert!(id.contains("To go on"), "{id}");
    assert_eq!(terminal.ends().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ctrl_c_ends_an_answer_then_the_conversation_and_decides_nothing() {
    let (desk, claude) = desk().await;
    let mut terminal = Terminal::open(&desk.world, &["chat"]);
    terminal.sees("> ").await;
    claude.set_latency(Duration::from_secs(30), Duration::ZERO);
    terminal.types("Hello?\n");
    tokio::time::sleep(Duration::from_millis(500)).await;
    terminal.interrupt();
    terminal.sees("the answer was stopped").await;
    claude.set_latency(Duration::ZERO, Duration::ZERO);
    terminal.sees("> ").await;
    terminal.types("A link to use once\n");
    terminal.sees("[y/N] ").await;
    terminal.interrupt();
    terminal.sees("nothing was decided").await;
    assert_eq!(terminal.ends().await, Some(0));
    assert_eq!(links_made(&desk), 0);

    let mut terminal = Terminal::open(&desk.world, &["chat"]);
    terminal.sees("> ").await;
    terminal.interrupt();
    assert_eq!(terminal.ends().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_confirmed_any_more_is_told_in_the_terminal_as_over_http() {
    let desk = desk_with(vec![("CALUP_CLOCK_FILE", "clock".to_owned())]).await;
    let slug = json!({"event_type_slug": "intro-call"});
    let propose = async || {
        let proposed = desk.good("cal_one_off_link", slug.clone()).await;
        proposed["proposal"]["id"]
            .as_str()
            .expect("an id")
            .to_owned()
    };
    let lost = propose().await;
    let link = Match::post("/private-links");
    desk.calcom.fault(link, Fault::ApplyThenDrop, 1);
    let path = format!("/api/proposals/{lost}");
    let yes = json!({"confirm": true});
    let (status, told) = desk.post(&path, &desk.world.token, yes.clone()).await;
    assert_eq!(status, 502, "{told}");
    let (status, told) = desk.post(&path, &desk.world.token, yes).await;
    let look = "what came of it is not known: look at Cal.com";
    assert_eq!(status, 409, "{told}");
    assert!(told["error"].to_string().contains(look), "{told}");
    let mut terminal = Terminal::open(&desk.world, &["confirm", &lost]);
    terminal.sees(look).await;
    assert_eq!(terminal.ends().await, Some(1));

    let late = propose().await;
    let clock = desk.world.calup.dir.join("clock");
    std::fs::write(&clock, "960 960").expect("a file");
    let mut terminal = Terminal::open(&desk.world, &["confirm", &late]);
    terminal.sees("has expired; ask for it anew").await;
    assert_eq!(terminal.ends().await, Some(1));
    assert_eq!(links_made(&desk), 1);
}
