//! The command line: each mistake ends in one sentence and the right exit code.

use std::time::Duration;

use serde_json::Value;
use sim::cal::Person;

use crate::world::{Calup, World};

const START: &str = "2090-05-04T10:00:00Z";

fn env(more: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = |(k, v): &(&str, &str)| ((*k).to_owned(), (*v).to_owned());
    let mut env = vec![("CALUP_LISTEN".to_owned(), "127.0.0.1:0".to_owned())];
    env.extend(more.iter().map(own));
    env
}

/// One sentence for a person, no stack trace.
fn is_a_sentence(text: &str) -> bool {
    let text = text.trim();
    text.lines().count() == 1
        && text.starts_with("error: ")
        && !text.contains("panicked")
        && !text.contains("stack backtrace")
        && !text.contains("Error {")
}

#[tokio::test]
async fn a_database_that_is_none_is_named_in_one_sentence() {
    let file = Calup::in_new_folder(env(&[("DATABASE_URL", "sqlite://notes.txt")]));
    std::fs::write(
        file.dir.join("notes.txt"),
        "Dear diary, this is no database.",
    )
    .expect("a file");
    let folder = Calup::in_new_folder(env(&[("DATABASE_URL", "sqlite://no/such/folder/calup.db")]));
    let address = Calup::in_new_folder(env(&[("DATABASE_URL", "mysql://user:hunter2@db/calup")]));
    let cut = Calup::in_new_folder(env(&[("DATABASE_URL", "sqlite://cut.db")]));
    std::fs::write(cut.dir.join("cut.db"), b"SQLite format 3\0rubbish").expect("a file");
    for calup in [&file, &folder, &address, &cut] {
        for command in [
            vec!["serve"],
            vec!["deliveries"],
            vec!["replay", "x"],
            vec!["token", "new"],
        ] {
            let (out, err, code) = calup.run(&command);
            assert_eq!((code, out.as_str()), (1, ""), "{command:?}: {err}");
            assert!(is_a_sentence(&err), "{command:?}: {err}");
            assert!(!err.contains("hunter2"), "{err}");
        }
    }
    assert_eq!(
        std::fs::read_to_string(file.dir.join("notes.txt")).expect("still there"),
        "Dear diary, this is no database."
    );
}

#[tokio::test]
async fn a_second_server_on_one_database_is_refused_and_the_first_goes_on() {
    let world = World::start().await;
    let (_, err, code) = world.calup.run(&["serve"]);
    assert_eq!(code, 1, "{err}");
    let last = err.lines().last().unwrap_or_default();
    assert!(is_a_sentence(last), "{err}");
    let booking = world
        .cal()
        .book(&Person::new("Ada Byrd", "ada@byrd.example"), START, 30);
    assert_eq!(world.deliver(booking.created().body).await, 200);
    assert_eq!(world.settle().await["done"], 1);
}

#[tokio::test]
async fn intake_and_worker_are_two_processes_when_asked_for() {
    let mut world = World::start().await;
    world.calup.stop();
    world.calup.start_as(&["serve", "--only", "intake"]);
    let booking = world
        .cal()
        .book(&Person::new("Ada Byrd", "ada@byrd.example"), START, 30);
    assert_eq!(world.deliver(booking.created().body).await, 200);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(world.get("/api/counts").await["pending"], 1);
    // With the same settings: its port is taken, and it needs none.
    let mut worker = world
        .calup
        .command()
        .args(["serve", "--only", "worker"])
        .env("CALUP_LISTEN", &world.calup.address)
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("it starts");
    assert_eq!(world.settle().await["done"], 1);
    let _ = worker.kill();
    let _ = worker.wait();
}

#[tokio::test]
async fn wrong_usage_is_two_and_a_failure_is_one() {
    let calup = Calup::in_new_folder(env(&[]));
    for usage in [
        vec![],
        vec!["nonsense"],
        vec!["serve", "--nonsense"],
        vec!["serve", "--only", "nothing"],
        vec!["deliveries", "--status", "nothing"],
        vec!["deliveries", "--limit", "x"],
        vec!["replay"],
        vec!["send"],
        vec!["plan"],
        vec!["token", "new", "--scope", "nothing"],
        vec!["token", "revoke"],
        vec!["questions", "answer", "some-id", "maybe"],
        vec!["questions", "answer", "some-id", "person"],
        vec!["questions", "answer", "some-id", "person", "no id!"],
        vec!["wording", "NOTHING"],
    ] {
        let (out, err, code) = calup.run(&usage);
        assert_eq!((code, out.as_str()), (2, ""), "{usage:?}: {err}");
        assert!(!err.contains("panicked"), "{usage:?}: {err}");
    }
    for fails in [
        vec!["send", "PING"],
        vec!["replay", "nothing"],
        vec!["token", "revoke", "nothing"],
        vec!["plan", "no-such-file.json"],
    ] {
        let (out, err, code) = calup.run(&fails);
        assert_eq!((code, out.as_str()), (1, ""), "{fails:?}: {err}");
        assert!(is_a_sentence(&err), "{fails:?}: {err}");
    }
    for works in [
        vec!["--help"],
        vec!["--version"],
        vec!["config"],
        vec!["deliveries"],
        vec!["deliveries", "--json"],
        vec!["token", "list"],
        vec!["token", "list", "--json"],
    ] {
        let (out, err, code) = calup.run(&works);
        assert_eq!((code, err.as_str()), (0, ""), "{works:?}");
        assert!(!out.is_empty(), "{works:?}");
    }
    let wrong = Calup::in_new_folder(env(&[("CALUP_GUESTS", "perhaps")]));
    let (_, err, code) = wrong.run(&["serve"]);
    assert!(code == 1 && is_a_sentence(&err), "{code} {err}");
    std::fs::write(calup.dir.join("calup.toml"), "clickup_token = 1").expect("a file");
    let (_, err, code) = calup.run(&["serve"]);
    assert!(code == 1 && is_a_sentence(&err), "{code} {err}");
}

// The command blocks a thread while the simulated ClickUp answers on another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plan_writes_nothing_and_send_deliveries_and_replay_work_beside_the_server() {
    let world = World::start().await;
    let calup = &world.calup;
    let booking = world
        .cal()
        .book(&Person::new("Ada Byrd", "ada@byrd.example"), START, 30);
    std::fs::write(calup.dir.join("booking.json"), booking.created().body).expect("a file");
    let (out, err, code) = calup.run(&["plan", "booking.json", "--json"]);
    assert_eq!((code, err.as_str()), (0, ""));
    let plan: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(plan["plans"][0]["trigger"], "BOOKING_CREATED");
    assert!(!out.contains("\"unknown\""), "{out}");
    let (out, _, code) = calup.run(&["plan", "booking.json"]);
    assert!(code == 0 && out.contains("Ada Byrd"), "{out}");
    assert_eq!(
        (
            world.clickup.mutations(),
            world.get("/api/counts").await["received"].clone()
        ),
        (0, 0.into())
    );

    let hook = world.hook();
    let (out, err, code) = calup.run(&["send", "--json", "--to", &hook, "booking.json", "PING"]);
    assert_eq!((code, err.as_str()), (0, ""));
    let answers: Vec<Value> = out
        .lines()
        .map(|l| serde_json::from_str(l).expect("JSON"))
        .collect();
    assert!(
        answers.len() == 2 && answers.iter().all(|a| a["status"] == 200),
        "{answers:?}"
    );
    let counts = world.settle().await;
    assert_eq!(
        (&counts["done"], &counts["ignored"]),
        (&1.into(), &1.into()),
        "{counts}"
    );

    let (out, _, code) = calup.run(&["deliveries", "--json", "--status", "done"]);
    let listed: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(
        (code, listed["deliveries"].as_array().map(Vec::len)),
        (0, Some(1)),
        "{out}"
    );
    let id = listed["deliveries"][0]["id"].as_str().expect("an id");
    let (out, _, code) = calup.run(&["replay", id, "--dry-run", "--json"]);
    assert!(
        code == 0 && serde_json::from_str::<Value>(&out).is_ok(),
        "{out}"
    );
    let mutations = world.clickup.mutations();
    let (out, _, code) = calup.run(&["replay", id, "--json"]);
    let replayed: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, &replayed["status"]), (0, &"pending".into()));
    let counts = world.settle().await;
    assert_eq!(
        (&counts["done"], world.clickup.mutations()),
        (&1.into(), mutations)
    );
    let (_, err, code) = calup.run(&["send", "--to", "http://127.0.0.1:9", "PING"]);
    assert!(code == 1 && is_a_sentence(&err), "{err}");
    let (_, err, code) = calup.run(&["send", "--to", "calup.example.com", "PING"]);
    assert!(
        code == 1 && err.contains("`calup.example.com` is no address"),
        "{err}"
    );
}

// The command blocks a thread while the simulated ClickUp answers on another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_listed_and_opens_nothing_once_it_is_revoked() {
    let world = World::start().await;
    let run = |arguments: &[&str]| -> Value {
        let (out, err, code) = world.calup.run(arguments);
        assert_eq!((code, err.as_str()), (0, ""), "{arguments:?}");
        serde_json::from_str(&out).expect("JSON")
    };
    let made = run(&["token", "new", "--name", "laptop", "--json"]);
    let token = made["token"].as_str().expect("a token").to_owned();
    let counts = async || {
        let url = format!("http://{}/api/counts", world.calup.address);
        let asked = world.http.get(url).bearer_auth(&token).send().await;
        asked.expect("answered").status().as_u16()
    };
    assert_eq!(counts().await, 200);
    let listed = run(&["token", "list", "--json"]);
    let is_ours = |t: &&Value| t["name"] == "laptop";
    let listed = listed["tokens"].as_array().expect("a list").clone();
    let ours = listed.iter().find(is_ours).expect("it is listed");
    assert_eq!(ours["scope"], "all");
    assert!(!ours.to_string().contains(&token), "{ours}");

    let id = ours["id"].as_str().expect("an id");
    assert_eq!(run(&["token", "revoke", id, "--json"])["revoked"], id);

    assert_eq!(counts().await, 401);
    let (_, again, code) = world.calup.run(&["token", "revoke", id]);
    assert!(code == 1 && again.contains("calup token list"), "{again}");
}

#[tokio::test]
async fn a_plan_that_could_not_be_made_is_a_failure_and_says_what_is_known() {
    let calup = Calup::in_new_folder(env(&[
        ("CLICKUP_API_TOKEN", "pk_1"),
        ("CLICKUP_API_URL", "http://127.0.0.1:9"),
        ("CLICKUP_INBOUND_LIST_ID", "1"),
    ]));
    let cal = sim::cal::Cal::new("http://127.0.0.1:9", "secret");
    let booking = cal.book(&Person::new("Ada Byrd", "ada@byrd.example"), START, 30);
    std::fs::write(calup.dir.join("booking.json"), booking.created().body).expect("a file");
    let (out, err, code) = calup.run(&["plan", "booking.json", "--json"]);
    assert!(code == 1 && is_a_sentence(&err), "{code} {err}");
    let plan: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(plan["plans"][0]["status"], "unknown", "{plan}");
}
