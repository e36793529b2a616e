//! Shapes and signatures as in the fixtures.

use serde_json::{Value, json};
use sim::slack::{Click, sign};

use super::{ROBIN, fixture, ok, try_call, workspace};

/// The keys of every object in it, by place.
fn keys(value: &Value, at: &str, out: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let at = format!("{at}/{key}");
                out.push(at.clone());
                keys(value, &at, out);
            }
        }
        Value::Array(list) => {
            for value in list {
                keys(value, &format!("{at}/*"), out);
            }
        }
        _ => {}
    }
    out.sort();
    out.dedup();
}

fn missing(fixture: &Value, ours: &Value) -> Vec<String> {
    let (mut wanted, mut has) = (Vec::new(), Vec::new());
    keys(fixture, "", &mut wanted);
    keys(ours, "", &mut has);
    wanted.retain(|key| !has.contains(key));
    wanted
}

#[tokio::test]
async fn the_recorded_post_is_taken_and_answered_alike() {
    let recorded = fixture("chat.postMessage.json");
    let sim = workspace().await;
    let answer = ok(
        &sim,
        "chat.postMessage",
        recorded["request"]["body"].clone(),
    )
    .await;
    let mut wanted = recorded["response"]["body"].clone();
    // A bot's messages have had no subtype for years.
    wanted["message"]
        .as_object_mut()
        .expect("one")
        .remove("subtype");
    assert_eq!(missing(&wanted, &answer), Vec::<String>::new());
    for error in recorded["errors"].as_array().expect("errors") {
        let word = error["body"]["error"].as_str().expect("a word");
        if error["status"] == 429 {
            sim.fault(sim::Match::any(), sim::Fault::RateLimited(1), 1);
            let answer = try_call(&sim, "auth.test", json!({})).await.expect("one");
            assert_eq!(answer.json(), error["body"]);
            assert_eq!(answer.header("retry-after"), Some("1"));
        } else {
            sim.set_token_error(Some(word));
            let answer = super::call(&sim, "auth.test", json!({})).await;
            assert_eq!(answer, error["body"]);
            sim.set_token_error(None);
        }
    }
}

#[tokio::test]
async fn a_click_is_told_in_the_recorded_shape() {
    let recorded = fixture("interaction.block_actions.button.json");
    let sim = workspace().await;
    let posted = fixture("chat.postMessage.json");
    let posted = ok(&sim, "chat.postMessage", posted["request"]["body"].clone()).await;
    let ts = posted["ts"].as_str().expect("a time stamp");
    let signed = sim.signed(&Click::new(ROBIN, ts, "match_pick_0"));
    let mut form = url::form_urlencoded::parse(&signed.body);
    let (key, payload) = form.next().expect("a field");
    assert_eq!(key, "payload");
    let payload: Value = serde_json::from_str(&payload).expect("JSON");
    let mut wanted = recorded["payload"].clone();
    wanted["message"]
        .as_object_mut()
        .expect("one")
        .remove("subtype");
    assert_eq!(missing(&wanted, &payload), Vec::<String>::new());
    assert_eq!(payload["user"], recorded["payload"]["user"]);
    let names = |of: &[(String, String)]| {
        let mut names: Vec<String> = of.iter().map(|(name, _)| name.clone()).collect();
        names.sort();
        names
    };
    let headers = recorded["http"]["headers"].as_object().expect("headers");
    let wanted: Vec<_> = headers
        .keys()
        .map(|key| (key.clone(), String::new()))
        .collect();
    assert_eq!(names(&signed.headers), names(&wanted));
}

#[test]
fn the_recorded_signature_is_ours() {
    let recorded = fixture("interaction.block_actions.button.json");
    let headers = &recorded["http"]["headers"];
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let at = text(&headers["X-Slack-Request-Timestamp"])
        .parse()
        .expect("seconds");
    let body = text(&recorded["http"]["raw_body"]);
    let secret = text(&recorded["signing_secret"]);
    assert_eq!(
        sign(&secret, at, body.as_bytes()),
        headers["X-Slack-Signature"]
    );
}
