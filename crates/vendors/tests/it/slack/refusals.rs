//! What each way of going wrong means, and that nothing is sent twice.

use std::time::Duration;

use domain::outcome::Failure;
use sim::slack::Slack as Sim;
use sim::{Fault, Match};
use vendors::slack::Slack;

use super::{SALES, classed, client, client_of, config, ever, question, workspace};

async fn posted(sim: &Sim, slack: &Slack, fault: Fault) -> &'static str {
    sim.fault(Match::post("chat."), fault, 1);
    let class = classed(slack.post(&question("Ada", "m")).await);
    assert_eq!(sim.calls_of("chat.postMessage"), 1);
    class
}

#[tokio::test]
async fn a_post_that_may_have_been_carried_out_is_unknown_and_sent_once() {
    for (fault, is, made) in [
        (Fault::Drop, "unknown", 0),
        (Fault::ApplyThenDrop, "unknown", 1),
        (Fault::ApplyThenStatus(502), "unknown", 1),
        (Fault::Html(503), "unknown", 0),
        (
            Fault::Status(500, r#"{"ok":false,"error":"internal_error"}"#.to_owned()),
            "unknown",
            0,
        ),
        (
            Fault::Status(200, r#"{"ok":false,"error":"fatal_error"}"#.to_owned()),
            "unknown",
            0,
        ),
        (Fault::CutBody(10), "unknown", 1),
        (Fault::EmptyBody200, "unknown", 1),
        (Fault::ForeignJson200, "unknown", 1),
        (
            Fault::Redirect302("https://evil.example/".to_owned()),
            "unknown",
            0,
        ),
        (Fault::Hang, "unknown", 0),
        (Fault::ApplyThenHang, "unknown", 1),
        (Fault::RateLimited(2), "limited", 0),
        (
            Fault::Status(200, r#"{"ok":false,"error":"ratelimited"}"#.to_owned()),
            "limited",
            0,
        ),
        (
            Fault::Status(200, r#"{"ok":false,"error":"request_timeout"}"#.to_owned()),
            "transient",
            0,
        ),
        (
            Fault::Status(200, r#"{"ok":false,"error":"invalid_blocks"}"#.to_owned()),
            "refused",
            0,
        ),
        (Fault::Status(404, "<html>".to_owned()), "unknown", 0),
        (Fault::Delay(50), "done", 1),
    ] {
        let sim = workspace().await;
        let mut impatient = config(&sim);
        impatient.timeout = Duration::from_millis(600);
        let slack = client_of(impatient);
        assert_eq!(posted(&sim, &slack, fault.clone()).await, is, "{fault:?}");
        assert_eq!(sim.messages(SALES).len(), made, "{fault:?}");
        if is == "unknown" {
            let found = slack.find("m", ever()).await.expect("a history");
            assert_eq!(found.is_some(), made == 1, "{fault:?}");
        }
    }
}

#[tokio::test]
async fn a_slack_that_is_down_has_taken_nothing() {
    let sim = workspace().await;
    let slack = client(&sim);
    sim.stop().await;
    assert_eq!(
        classed(slack.post(&question("Ada", "m")).await),
        "transient"
    );
    assert_eq!(classed(slack.find("m", ever()).await), "transient");
    sim.restart().await;
    assert_eq!(classed(slack.post(&question("Ada", "m")).await), "done");
}

#[tokio::test]
async fn a_read_that_fails_is_never_nothing_there() {
    for fault in [
        Fault::Html(502),
        Fault::Drop,
        Fault::CutBody(20),
        Fault::EmptyBody200,
        Fault::ForeignJson200,
        Fault::Status(
            200,
            r#"{"ok":true,"messages":[],"has_more":true}"#.to_owned(),
        ),
        Fault::Status(200, "[]".to_owned()),
    ] {
        let sim = workspace().await;
        let slack = client(&sim);
        sim.fault(Match::path("conversations.history"), fault.clone(), 1);
        assert_eq!(
            classed(slack.find("m", ever()).await),
            "transient",
            "{fault:?}"
        );
        assert_eq!(slack.find("m", ever()).await, Ok(None));
    }
}

#[tokio::test]
async fn a_token_a_right_or_a_channel_that_is_missing_needs_an_operator() {
    let hint = async |slack: &Slack| match slack.post(&question("Ada", "m")).await {
        Err(Failure::NeedsOperator { what, hint }) => format!("{what}; {hint}"),
        other => panic!("an operator is needed: {other:?}"),
    };
    for word in [
        "invalid_auth",
        "token_revoked",
        "account_inactive",
        "not_authed",
    ] {
        let sim = workspace().await;
        sim.set_token_error(Some(word));
        let slack = client(&sim);
        assert!(hint(&slack).await.contains("SLACK_BOT_TOKEN"));
        assert_eq!(classed(slack.check().await), "operator");
        sim.set_token_error(None);
        assert!(slack.check().await.is_ok());
    }
    let sim = workspace().await;
    let slack = client(&sim);
    sim.set_member(SALES, false);
    assert!(hint(&slack).await.contains("/invite"));
    assert_eq!(classed(slack.check().await), "operator");
    sim.set_member(SALES, true);
    sim.set_archived(SALES, true);
    let slack = client(&sim);
    assert!(hint(&slack).await.contains("SLACK_CHANNEL"));
    sim.set_archived(SALES, false);
    sim.set_scopes(&["channels:history"]);
    let slack = client(&sim);
    assert!(hint(&slack).await.contains("chat:write"));
    sim.set_scopes(&["chat:write"]);
    let slack = client(&sim);
    match slack.check().await {
        Err(Failure::NeedsOperator { what, .. }) => assert!(what.contains("channels:history")),
        other => panic!("an operator is needed: {other:?}"),
    }
    let mut wrong = config(&sim);
    wrong.api_url = "slack.com".to_owned();
    let made = Slack::new(wrong);
    assert!(matches!(made, Err(Failure::NeedsOperator { .. })));
}

#[tokio::test]
async fn after_a_429_nothing_is_sent_until_its_time() {
    let sim = workspace().await;
    let slack = client(&sim);
    sim.fault(Match::any(), Fault::RateLimited(2), 1);
    let Err(Failure::Limited { until, .. }) = slack.post(&question("Ada", "m")).await else {
        panic!("it is refused");
    };
    let wait = until.duration_since(jiff::Timestamp::now()).as_millis();
    assert!((1_500..=2_500).contains(&wait), "{wait}");
    let calls = sim.calls().len();
    tokio::time::sleep(Duration::from_millis(100)).await;
    slack.ready().await.expect("it waits for the time");
    assert_eq!(sim.calls().len(), calls);
    assert!(jiff::Timestamp::now() >= until);
    slack
        .post(&question("Ada", "m"))
        .await
        .expect("it is posted");
}
