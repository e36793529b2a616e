//! Clicks: what the app is sent, what the person sees, and the address for answers.

use std::time::Duration;

use serde_json::{Value, json};
use sim::http::send;
use sim::slack::{Click, Config, Signing, Slack, Way, sign};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::{ROBIN, SALES, actions, button, post, workspace, workspace_of};

/// An app that answers every request with this status, after a while; its address.
async fn app(status: u16, after: Duration) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut bytes = vec![0; 65_536];
                let _read = stream.read(&mut bytes).await;
                tokio::time::sleep(after).await;
                let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n");
                let _sent = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    format!("http://127.0.0.1:{port}/api/slack/interactions")
}

async fn asked(sim: &Slack) -> String {
    post(sim, actions(&[button("calup_new", "New lead")])).await
}

#[tokio::test]
async fn a_click_is_fine_only_when_a_200_comes_in_time() {
    for (status, after, fine) in [(200, 0, true), (401, 0, false), (200, 400, false)] {
        let sim = workspace_of(Config {
            answer_max: Duration::from_millis(200),
            ..Config::default()
        })
        .await;
        let ts = asked(&sim).await;
        let click = Click::new(ROBIN, &ts, "calup_new");
        assert_eq!(sim.click(&click).await.way, Way::None);
        sim.set_interactions_url(&app(status, Duration::from_millis(after)).await);
        let clicked = sim.click(&click).await;
        assert_eq!(
            (clicked.way, clicked.is_answered),
            (Way::Http, fine),
            "{status} {after}"
        );
    }
}

#[tokio::test]
async fn a_click_can_be_signed_rightly_long_ago_falsely_or_not_at_all() {
    let sim = workspace().await;
    let ts = asked(&sim).await;
    let now = jiff::Timestamp::now().as_second();
    for (signing, age, is_ours) in [
        (Signing::Right, Some(0), true),
        (Signing::Old(301), Some(301), true),
        (Signing::Forged, Some(0), false),
        (Signing::Missing, None, false),
    ] {
        let signed = sim.signed(&Click::new(ROBIN, &ts, "calup_new").signing(signing));
        let header = |name: &str| {
            let found = signed.headers.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value.clone())
        };
        let at = header("X-Slack-Request-Timestamp").map(|it| it.parse::<i64>().expect("seconds"));
        assert!(
            at.map(|at| now - at)
                .zip(age)
                .is_none_or(|(a, b)| (a - b).abs() <= 2)
        );
        assert_eq!(at.is_some(), age.is_some());
        let secret = sim.signing_secret();
        let ours = at.map(|at| sign(&secret, at, &signed.body));
        assert_eq!(
            ours.is_some() && ours == header("X-Slack-Signature"),
            is_ours
        );
    }
}

async fn respond(url: &str, body: Value) -> (u16, String) {
    let headers = [("Content-Type".to_owned(), "application/json".to_owned())];
    let answer = send("POST", url, &headers, body.to_string().as_bytes()).await;
    let answer = answer.expect("an answer");
    (answer.status, answer.text())
}

#[tokio::test]
async fn an_address_for_answers_is_good_for_five_within_half_an_hour() {
    let sim = workspace().await;
    let ts = asked(&sim).await;
    let click = Click::new(ROBIN, &ts, "calup_new");
    let url = sim.signed(&click).response_url;
    let replace = json!({"replace_original": true, "text": "decided"});
    assert_eq!(respond(&url, replace).await, (200, "ok".to_owned()));
    let seen = sim.message(SALES, &ts).expect("a message");
    assert_eq!(
        (seen.seen.text.as_str(), seen.buttons.len()),
        ("decided", 0)
    );
    for _ in 0..4 {
        let whisper = json!({"text": "already decided"});
        assert_eq!(respond(&url, whisper).await.0, 200);
    }
    assert_eq!(sim.whispers(SALES, ROBIN).len(), 4);
    assert_eq!(sim.messages(SALES).len(), 1);
    let (status, text) = respond(&url, json!({"text": "x"})).await;
    assert!(status == 404 && text.contains("used_url"), "{text}");

    // Who still had the old buttons before him.
    let late = sim.signed(&click.late()).response_url;
    sim.set_clock_skew_ms(31 * 60 * 1000);
    let (status, text) = respond(&late, json!({"text": "x"})).await;
    assert!(status == 404 && text.contains("expired_url"), "{text}");
}
