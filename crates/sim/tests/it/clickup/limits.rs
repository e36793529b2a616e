//! Tokens and the rate limit.

use std::time::{Duration, Instant};

use sim::clickup::Config;
use sim::faults::{Fault, Match};

use super::{TEAM, call, call_as, get, pause, refusal, refused, unlimited, workspace};

#[tokio::test]
async fn only_the_bare_token_is_let_in() {
    let sim = unlimited().await;
    for (token, code) in [
        (None, "OAUTH_017"),
        (Some("Bearer pk_sim"), "OAUTH_025"),
        (Some("pk_other"), "OAUTH_025"),
        (Some("pk_sim"), ""),
    ] {
        let answer = call_as(&sim, token, "GET", "/v2/user", None)
            .await
            .expect("an answer");
        assert_eq!(
            answer.json()["ECODE"].as_str().unwrap_or_default(),
            code,
            "{token:?}"
        );
        assert_eq!(answer.status, if code.is_empty() { 200 } else { 401 });
    }
    sim.set_token_valid(false);
    assert_eq!(
        refusal(&sim, "GET", "/v2/user", None).await,
        refused(401, "OAUTH_025")
    );
    sim.set_token_valid(true);
    assert_eq!(get(&sim, "/v2/user").await["user"]["id"], 54_000_001);
}

#[tokio::test]
async fn another_workspace_is_not_authorized() {
    let sim = unlimited().await;
    let path = "/v2/team/9019999999/task";
    assert_eq!(
        refusal(&sim, "GET", path, None).await,
        refused(401, "OAUTH_027")
    );
    let path = "/v2/team/9019999999/space";
    assert_eq!(
        refusal(&sim, "GET", path, None).await,
        refused(401, "OAUTH_027")
    );
}

#[tokio::test]
async fn requests_over_the_limit_are_refused_unexecuted_until_the_window_ends() {
    let config = Config {
        limit_per_minute: 3,
        window: Duration::from_millis(1500),
        ..Config::default()
    };
    let sim = workspace(config).await;
    let path = format!("/v2/list/{}/task", super::INBOUND);
    let body = || Some(serde_json::json!({"name": "Ada"}));

    for left in ["2", "1", "0"] {
        let answer = call(&sim, "POST", &path, body()).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("X-RateLimit-Limit"), Some("3"));
        assert_eq!(answer.header("X-RateLimit-Remaining"), Some(left));
    }
    let answer = call(&sim, "POST", &path, body()).await;
    assert_eq!(
        (answer.status, answer.json()["ECODE"].as_str()),
        (429, Some("APP_002"))
    );
    assert_eq!(answer.header("X-RateLimit-Remaining"), Some("0"));
    let reset: i64 = answer
        .header("X-RateLimit-Reset")
        .expect("a reset")
        .parse()
        .expect("seconds");
    let now = jiff::Timestamp::now().as_second();
    assert!(
        (now - 1..=now + 4).contains(&reset),
        "{reset} is not near {now}"
    );
    assert_eq!((sim.live_tasks().len(), sim.refused_429()), (3, 1));

    pause(1600).await;
    assert_eq!(call(&sim, "POST", &path, body()).await.status, 200);
}

#[tokio::test]
async fn headers_on_success_can_be_missing_but_never_on_a_refusal() {
    let config = Config {
        limit_per_minute: 1,
        headers_on_success: false,
        ..Config::default()
    };
    let sim = workspace(config).await;
    assert_eq!(
        call(&sim, "GET", "/v2/user", None)
            .await
            .header("X-RateLimit-Limit"),
        None
    );
    let answer = call(&sim, "GET", "/v2/user", None).await;
    assert_eq!(
        (answer.status, answer.header("X-RateLimit-Limit")),
        (429, Some("1"))
    );
}

#[tokio::test]
async fn every_answer_tells_the_vendors_time() {
    let config = Config {
        clock_skew_ms: 3_600_000,
        ..Config::default()
    };
    let sim = workspace(config).await;
    sim.fault(Match::any().skip(1), Fault::Html(502), 1);
    for status in [200, 502] {
        let answer = call(&sim, "GET", "/v2/user", None).await;
        assert_eq!(answer.status, status);
        let date = answer.header("Date").expect("a date");
        let date = jiff::fmt::rfc2822::parse(date)
            .expect("an HTTP date")
            .timestamp();
        let ahead = date.as_second() - jiff::Timestamp::now().as_second();
        assert!((3598..=3602).contains(&ahead), "{ahead} s ahead");
    }
}

#[tokio::test]
async fn a_stopped_server_refuses_connections_and_keeps_its_state() {
    let sim = unlimited().await;
    let id = sim.add_task(super::BROKERS, "Ada", Some("ada@example.com"));
    let url = sim.api_url();

    sim.stop().await;
    let error = super::try_call(&sim, "GET", "/v2/user", None)
        .await
        .expect_err("nobody answers");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);

    sim.restart().await;
    assert_eq!(sim.api_url(), url);
    assert_eq!(get(&sim, &format!("/v2/task/{id}")).await["name"], "Ada");
}

#[tokio::test]
async fn requests_are_logged_and_counted() {
    let sim = unlimited().await;
    super::create(&sim, super::BROKERS, "Ada", "ada@example.com").await;
    get(&sim, &format!("/v2/team/{TEAM}/task?page=0")).await;

    assert_eq!((sim.calls(), sim.mutations()), (2, 1));
    let log = sim.requests();
    assert_eq!(log[0].method, "POST");
    assert_eq!(log[0].path, format!("/api/v2/list/{}/task", super::BROKERS));
    assert_eq!(log[0].body["name"], "Ada");
    assert_eq!((log[1].query.as_str(), log[1].status), ("page=0", 200));
    sim.clear_requests();
    assert!(sim.requests().is_empty());
}

#[tokio::test]
async fn a_hundred_thousand_tasks_are_searched_at_once() {
    let sim = unlimited().await;
    sim.add_tasks(super::BROKERS, 100_000);
    sim.add_task(super::SELLERS, "Ada", Some("ada@rare.example"));

    // A busy machine may hold up some of them.
    let mut fastest = Duration::MAX;
    for _ in 0..5 {
        let started = Instant::now();
        let found = get(&sim, &super::search("=", "ada@rare.example")).await;
        fastest = fastest.min(started.elapsed());
        assert_eq!(super::names(&found), ["Ada"]);
    }
    assert!(fastest < Duration::from_millis(300), "took {fastest:?}");

    let started = Instant::now();
    let page = get(
        &sim,
        &format!("/v2/team/{TEAM}/task?page=500&order_by=updated"),
    )
    .await;
    let took = started.elapsed();
    assert_eq!(super::names(&page).len(), 100);
    assert!(took < Duration::from_secs(2), "took {took:?}");
}
