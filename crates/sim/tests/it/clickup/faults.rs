//! Each fault as a client meets it: what comes back, and whether it was carried out.

use std::time::{Duration, Instant};

use serde_json::json;
use sim::clickup::ClickUp;
use sim::faults::{ALWAYS, Fault, Match};
use sim::http::Received;

use super::{BROKERS, TEAM, create, get, names, pause, try_call, unlimited};

async fn create_under(fault: Fault) -> (ClickUp, std::io::Result<Received>) {
    let sim = unlimited().await;
    sim.fault(Match::post("/list/"), fault, 1);
    let path = format!("/v2/list/{BROKERS}/task");
    let answer = try_call(&sim, "POST", &path, Some(json!({"name": "Ada"}))).await;
    (sim, answer)
}

fn status(answer: &std::io::Result<Received>) -> Option<u16> {
    answer.as_ref().ok().map(|answer| answer.status)
}

#[tokio::test]
async fn each_fault_answers_as_announced_and_is_carried_out_or_not() {
    let html = |status| format!("<title>{status}");
    for (fault, answered, text, made) in [
        (
            Fault::Status(500, r#"{"err":"x"}"#.to_owned()),
            Some(500),
            r#"{"err":"x"}"#.to_owned(),
            0,
        ),
        (Fault::Html(502), Some(502), html(502), 0),
        (Fault::Html(504), Some(504), html(504), 0),
        (Fault::Drop, None, String::new(), 0),
        (Fault::ApplyThenDrop, None, String::new(), 1),
        (Fault::ApplyThenStatus(503), Some(503), html(503), 1),
        (Fault::CutBody(10), None, String::new(), 1),
        (Fault::EmptyBody200, Some(200), String::new(), 1),
        (
            Fault::ForeignJson200,
            Some(200),
            r#"{"ok":true}"#.to_owned(),
            1,
        ),
        (Fault::Delay(50), Some(200), "Ada".to_owned(), 1),
        (Fault::RateLimited(7), Some(429), "APP_002".to_owned(), 0),
        (
            Fault::Redirect302("https://evil.example/".to_owned()),
            Some(302),
            String::new(),
            0,
        ),
    ] {
        let (sim, answer) = create_under(fault.clone()).await;
        assert_eq!(status(&answer), answered, "{fault:?}");
        if let Ok(answer) = &answer {
            assert!(
                answer.text().contains(&text),
                "{fault:?}: {}",
                answer.text()
            );
        }
        assert_eq!(sim.live_tasks().len(), made, "{fault:?}");
        // The rule is used up.
        create(&sim, BROKERS, "Bob", "bob@x.example").await;
    }
}

#[tokio::test]
async fn a_dropped_connection_carries_not_one_byte() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let sim = unlimited().await;
    sim.fault(Match::get("/user"), Fault::Drop, 1);
    let address = sim.api_url().replace("http://", "").replace("/api", "");
    let mut stream = tokio::net::TcpStream::connect(address)
        .await
        .expect("it listens");
    let request = b"GET /api/v2/user HTTP/1.1\r\nHost: x\r\nAuthorization: pk_sim\r\n\r\n";
    stream.write_all(request).await.expect("it reads");
    let mut raw = Vec::new();
    // A reset is as good as an end here.
    let _end = stream.read_to_end(&mut raw).await;
    assert!(raw.is_empty(), "{}", String::from_utf8_lossy(&raw));
}

#[tokio::test]
async fn a_hanging_request_is_never_answered() {
    for (fault, made) in [(Fault::Hang, 0), (Fault::ApplyThenHang, 1)] {
        let sim = unlimited().await;
        sim.fault(Match::post("/list/"), fault, 1);
        let path = format!("/v2/list/{BROKERS}/task");
        let call = try_call(&sim, "POST", &path, Some(json!({"name": "Ada"})));
        let waited = tokio::time::timeout(Duration::from_millis(200), call).await;
        assert!(waited.is_err());
        assert_eq!(sim.live_tasks().len(), made);
    }
}

#[tokio::test]
async fn a_late_apply_happens_after_the_client_has_given_up() {
    let (sim, answer) = create_under(Fault::DropThenApplyLate(150)).await;
    assert_eq!(status(&answer), None);
    assert_eq!(sim.live_tasks().len(), 0);
    pause(400).await;
    assert_eq!(sim.live_tasks().len(), 1);
}

#[tokio::test]
async fn a_lagging_index_omits_new_tasks_but_reads_them() {
    let sim = unlimited().await;
    sim.fault(Match::get(""), Fault::IndexLag(300), ALWAYS);
    let id = create(&sim, BROKERS, "Ada", "ada@x.example").await;
    let list = format!("/v2/list/{BROKERS}/task");
    let team = format!("/v2/team/{TEAM}/task");
    assert!(names(&get(&sim, &list).await).is_empty());
    assert!(names(&get(&sim, &team).await).is_empty());
    assert_eq!(get(&sim, &format!("/v2/task/{id}")).await["name"], "Ada");
    pause(350).await;
    assert_eq!(names(&get(&sim, &list).await), ["Ada"]);
}

#[tokio::test]
async fn a_rule_can_wait_for_the_nth_request_and_last_several() {
    let sim = unlimited().await;
    sim.fault(Match::get("/user").skip(2), Fault::Html(502), 2);
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(super::call(&sim, "GET", "/v2/user", None).await.status);
    }
    assert_eq!(statuses, [200, 200, 502, 502, 200, 200]);
}

#[tokio::test]
async fn a_rule_can_come_round_again_and_again() {
    let sim = unlimited().await;
    let when = Match::get("/user").skip(1).every(3);
    sim.fault(when, Fault::Html(502), ALWAYS);
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(super::call(&sim, "GET", "/v2/user", None).await.status);
    }
    assert_eq!(statuses, [200, 502, 200, 200, 502, 200]);
    assert_eq!(sim.faulted(), 2);
}

#[tokio::test]
async fn rates_follow_the_seed() {
    let run = async |seed: u64| {
        let sim = unlimited().await;
        sim.seed(seed);
        sim.fault_rate(Match::any(), Fault::Html(503), 0.5);
        let mut statuses = Vec::new();
        for _ in 0..40 {
            statuses.push(super::call(&sim, "GET", "/v2/user", None).await.status);
        }
        sim.clear_faults();
        assert_eq!(super::call(&sim, "GET", "/v2/user", None).await.status, 200);
        statuses
    };
    let first = run(7).await;
    assert_eq!(first, run(7).await);
    assert_ne!(first, run(8).await);
    assert!(first.contains(&200) && first.contains(&503));
}

#[tokio::test]
async fn a_delay_delays() {
    let sim = unlimited().await;
    sim.fault(Match::get("/user"), Fault::Delay(120), 1);
    let started = Instant::now();
    get(&sim, "/v2/user").await;
    assert!(started.elapsed() >= Duration::from_millis(120));
}

#[tokio::test]
async fn a_stale_read_answers_what_was_there_before() {
    let sim = unlimited().await;
    let id = create(&sim, BROKERS, "Ada", "ada@x.example").await;
    sim.human_rename(&id, "Ada Lovelace");
    sim.fault(Match::get("/task/"), Fault::StaleRead(60_000), 1);
    let path = format!("/v2/task/{id}");
    assert_eq!(get(&sim, &path).await["name"], "Ada");
    assert_eq!(get(&sim, &path).await["name"], "Ada Lovelace");
}

#[tokio::test]
async fn two_writes_to_one_task_at_once_are_counted() {
    let sim = unlimited().await;
    let id = sim.add_task(BROKERS, "Ada", None);
    let path = format!("/v2/task/{id}");
    let write = || super::put(&sim, &path, json!({"name": "Ada L."}));
    write().await;
    write().await;
    assert_eq!(sim.overlaps(), 0);
    sim.fault(Match::put(&path), Fault::Delay(100), 1);
    tokio::join!(write(), write());
    assert_eq!(sim.overlaps(), 1);
}
