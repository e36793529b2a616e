//! Clicks over Socket Mode.

use std::time::Duration;

use sim::slack::{Click, Config as SimConfig, Slack as Sim, Way};
use sim::{Fault, Match};
use tokio::time::timeout;
use vendors::slack::{Slack, Socket};

use super::{ROBIN, classed, client_of, config, question, workspace, workspace_of};

fn client(sim: &Sim) -> Slack {
    let mut with_socket = config(sim);
    with_socket.app_token = Some(sim.app_token().into());
    client_of(with_socket)
}

/// A question, and a socket that is open for its answer.
async fn asked() -> (Sim, Slack, Socket, Click) {
    let sim = workspace_of(SimConfig {
        answer_max: Duration::from_secs(1),
        ..SimConfig::default()
    })
    .await;
    let slack = client(&sim);
    let ts = slack
        .post(&question("Ada", "m"))
        .await
        .expect("it is posted");
    let socket = slack.connect().await.expect("a socket");
    opened(&sim, 1).await;
    (sim, slack, socket, Click::new(ROBIN, &ts, "calup_new"))
}

async fn opened(sim: &Sim, n: usize) {
    for _ in 0..200 {
        if sim.sockets() == n {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{} sockets are open", sim.sockets());
}

/// The click arrives and is acknowledged.
async fn arrives(sim: &Sim, socket: &mut Socket, pressed: &Click) {
    let (clicked, heard) = tokio::join!(sim.click(pressed), socket.next());
    assert_eq!((clicked.way, clicked.is_answered), (Way::Socket, true));
    let heard = heard.expect("a click");
    assert_eq!(heard.action_id, pressed.action_id);
    assert_eq!(
        (heard.user_id, heard.ts),
        (pressed.user.clone(), Some(pressed.ts.clone()))
    );
    assert_eq!(heard.response_url, Some(clicked.response_url));
}

#[tokio::test]
async fn clicks_are_acknowledged_and_handed_on() {
    let (sim, _slack, mut socket, click) = asked().await;
    for _ in 0..3 {
        arrives(&sim, &mut socket, &click).await;
    }
}

#[tokio::test]
async fn junk_and_pings_disturb_nothing() {
    let (sim, _slack, mut socket, click) = asked().await;
    for junk in [
        "",
        "x",
        "[]",
        "{}",
        r#"{"type":7}"#,
        r#"{"type":"interactive","envelope_id":"e"}"#,
    ] {
        sim.send_frame(junk);
    }
    sim.send_frame(r#"{"type":"events_api","envelope_id":"e2","payload":{"type":"x"}}"#);
    sim.ping_sockets();
    arrives(&sim, &mut socket, &click).await;
}

#[tokio::test]
async fn a_connection_that_is_to_be_refreshed_is_replaced_at_once() {
    let (sim, _slack, mut socket, click) = asked().await;
    sim.disconnect_sockets("refresh_requested");
    let replaced = async {
        // The old one is told to go, and the new one is there.
        for _ in 0..200 {
            if sim.calls_of("/link/") == 2 && sim.sockets() == 1 {
                return sim.click(&click).await;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("nobody came back");
    };
    let (clicked, heard) = tokio::join!(replaced, socket.next());
    assert!(
        clicked.is_answered && heard.is_ok(),
        "{clicked:?} {heard:?}"
    );
    // A second time so soon is a failure, after which it connects anew.
    sim.disconnect_sockets("warning");
    assert_eq!(classed(socket.next().await), "transient");
    let heard = timeout(Duration::from_millis(200), socket.next()).await;
    assert!(heard.is_err());
    opened(&sim, 1).await;
    arrives(&sim, &mut socket, &click).await;
}

#[tokio::test]
async fn a_click_that_was_on_its_way_when_the_connection_was_replaced_counts() {
    let (sim, _slack, mut socket, click) = asked().await;
    sim.send_frame(r#"{"type":"disconnect","reason":"warning","debug_info":{}}"#);
    arrives(&sim, &mut socket, &click).await;
    opened(&sim, 2).await;
    arrives(&sim, &mut socket, &click).await;
}

#[tokio::test]
async fn a_connection_that_breaks_is_a_failure_and_then_a_new_connection() {
    let (sim, _slack, mut socket, click) = asked().await;
    sim.cut_sockets();
    assert_eq!(classed(socket.next().await), "transient");
    sim.stop().await;
    assert_eq!(classed(socket.next().await), "transient");
    sim.restart().await;
    let heard = timeout(Duration::from_millis(300), socket.next()).await;
    assert!(heard.is_err());
    opened(&sim, 1).await;
    arrives(&sim, &mut socket, &click).await;
}

#[tokio::test]
async fn a_socket_that_may_not_be_opened_needs_an_operator() {
    let sim = workspace().await;
    assert_eq!(classed(client_of(config(&sim)).connect().await), "operator");
    let mut wrong = config(&sim);
    wrong.app_token = Some(sim.bot_token().into());
    let failed = client_of(wrong).connect().await.err();
    let failed = failed.expect("a refusal").to_string();
    assert!(failed.contains("SLACK_APP_TOKEN"), "{failed}");
    let slack = client(&sim);
    let mut socket = slack.connect().await.expect("a socket");
    opened(&sim, 1).await;
    sim.disconnect_sockets("link_disabled");
    assert_eq!(classed(socket.next().await), "operator");
}

#[tokio::test]
async fn an_address_elsewhere_or_no_socket_there_is_a_failure() {
    for answer in [
        r#"{"ok":true,"url":"http://127.0.0.1:1/"}"#,
        r#"{"ok":true,"url":"ws://evil.example/"}"#,
        r#"{"ok":true,"url":"wss://"}"#,
        r#"{"ok":true,"url":7}"#,
        r#"{"ok":true}"#,
        "<html>",
    ] {
        let sim = workspace().await;
        let slack = client(&sim);
        let fault = Fault::Status(200, answer.to_owned());
        sim.fault(Match::post("apps.connections.open"), fault, 1);
        assert_eq!(classed(slack.connect().await), "transient", "{answer}");
    }
    for fault in [
        Fault::Html(502),
        Fault::Drop,
        Fault::Status(200, "{}".to_owned()),
    ] {
        let sim = workspace().await;
        let slack = client(&sim);
        sim.fault(Match::path("/link/"), fault.clone(), 1);
        assert_eq!(classed(slack.connect().await), "transient", "{fault:?}");
        assert!(slack.connect().await.is_ok());
    }
}
