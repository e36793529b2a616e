//! Messages: who may post, change and list them, and what goes wrong.

use std::time::Duration;

use serde_json::{Value, json};
use sim::slack::Config;
use sim::{Fault, Match};

use super::{ROBIN, SALES, ok, refusal, try_call, workspace, workspace_of};

fn marked(marker: &str) -> Value {
    let metadata = json!({"event_type": "e", "event_payload": {"marker": marker}});
    json!({"channel": SALES, "text": marker, "metadata": metadata})
}

fn texts(history: &Value) -> Vec<&str> {
    let messages = history["messages"].as_array().expect("messages");
    messages
        .iter()
        .filter_map(|it| it["text"].as_str())
        .collect()
}

#[tokio::test]
async fn a_channel_takes_messages_only_from_those_who_are_in_it() {
    let sim = workspace().await;
    let post = json!({"channel": SALES, "text": "x"});
    let other = json!({"channel": "C0000OTHER", "text": "x"});
    assert_eq!(
        refusal(&sim, "chat.postMessage", other).await,
        "channel_not_found"
    );
    sim.set_member(SALES, false);
    assert_eq!(
        refusal(&sim, "chat.postMessage", post.clone()).await,
        "not_in_channel"
    );
    let read = json!({"channel": SALES});
    assert_eq!(
        refusal(&sim, "conversations.history", read).await,
        "not_in_channel"
    );
    sim.set_private(SALES, true);
    assert_eq!(
        refusal(&sim, "chat.postMessage", post.clone()).await,
        "channel_not_found"
    );
    sim.set_member(SALES, true);
    sim.set_archived(SALES, true);
    assert_eq!(
        refusal(&sim, "chat.postMessage", post.clone()).await,
        "is_archived"
    );
    sim.set_archived(SALES, false);
    let by_name = json!({"channel": "#sales-bookings", "text": "x"});
    assert_eq!(
        ok(&sim, "chat.postMessage", by_name).await["channel"],
        SALES
    );
    sim.set_scopes(&["channels:read"]);
    assert_eq!(
        refusal(&sim, "chat.postMessage", post).await,
        "missing_scope"
    );
}

#[tokio::test]
async fn a_history_is_read_newest_first_page_by_page_with_metadata_on_demand() {
    let sim = workspace_of(Config {
        pace: Duration::ZERO,
        ..Config::default()
    })
    .await;
    for n in 0..5 {
        ok(&sim, "chat.postMessage", marked(&format!("m{n}"))).await;
    }
    sim.human_say(SALES, ROBIN, "hello");
    let ask = |extra: Value| {
        let mut body = json!({"channel": SALES, "limit": 2});
        body.as_object_mut()
            .expect("an object")
            .extend(extra.as_object().expect("one").clone());
        body
    };
    let first = ok(&sim, "conversations.history", ask(json!({}))).await;
    assert_eq!(texts(&first), ["hello", "m4"]);
    assert!(first["messages"][1].get("metadata").is_none());
    let cursor = &first["response_metadata"]["next_cursor"];
    let next = ask(json!({"cursor": cursor, "include_all_metadata": true}));
    let second = ok(&sim, "conversations.history", next).await;
    assert_eq!(texts(&second), ["m3", "m2"]);
    let metadata = &second["messages"][0]["metadata"];
    assert_eq!(metadata["event_payload"]["marker"], "m3");
    let since = ask(json!({"oldest": second["messages"][0]["ts"], "limit": 10}));
    let since = ok(&sim, "conversations.history", since).await;
    assert_eq!(
        (texts(&since), &since["has_more"]),
        (vec!["hello", "m4"], &json!(false))
    );
    sim.fault(Match::path("history"), Fault::IndexLag(60_000), 1);
    let lagging = ok(&sim, "conversations.history", ask(json!({}))).await;
    assert_eq!(texts(&lagging), Vec::<&str>::new());
}

#[tokio::test]
async fn a_message_is_changed_by_its_owner_only_and_keeps_what_was_not_sent() {
    let sim = workspace().await;
    let mut body = marked("m");
    body["blocks"] = json!([{"type": "divider"}]);
    let ts = ok(&sim, "chat.postMessage", body).await["ts"].clone();
    let ts = ts.as_str().expect("a time stamp");
    let update = |text: &str| json!({"channel": SALES, "ts": ts, "text": text});
    ok(&sim, "chat.update", update("changed")).await;
    let seen = sim.message(SALES, ts).expect("a message");
    assert_eq!((seen.seen.text.as_str(), seen.edited), ("changed", true));
    assert!(seen.blocks.is_empty() && seen.metadata.is_some());
    let theirs = sim.human_say(SALES, ROBIN, "hello");
    let body = json!({"channel": SALES, "ts": theirs, "text": "x"});
    assert_eq!(
        refusal(&sim, "chat.update", body).await,
        "cant_update_message"
    );
    let named = json!({"channel": "sales-bookings", "ts": ts, "text": "x"});
    assert_eq!(
        refusal(&sim, "chat.update", named).await,
        "channel_not_found"
    );
    sim.human_delete(SALES, ts);
    assert_eq!(
        refusal(&sim, "chat.update", update("x")).await,
        "message_not_found"
    );
}

#[tokio::test]
async fn more_than_a_message_a_second_is_refused_with_a_time() {
    let sim = workspace_of(Config {
        burst: 2,
        ..Config::default()
    })
    .await;
    let post = || {
        try_call(
            &sim,
            "chat.postMessage",
            json!({"channel": SALES, "text": "x"}),
        )
    };
    for _ in 0..2 {
        assert_eq!(post().await.expect("an answer").status, 200);
    }
    let refused = post().await.expect("an answer");
    assert_eq!(
        (refused.status, refused.header("retry-after")),
        (429, Some("1"))
    );
    assert_eq!((sim.messages(SALES).len(), sim.refused_429()), (2, 1));
}

#[tokio::test]
async fn each_fault_is_carried_out_or_not_as_announced() {
    for (fault, answered, made) in [
        (Fault::Html(502), Some(502), 0),
        (Fault::Drop, None, 0),
        (Fault::ApplyThenDrop, None, 1),
        (Fault::ApplyThenStatus(504), Some(504), 1),
        (Fault::CutBody(10), None, 1),
        (Fault::EmptyBody200, Some(200), 1),
        (Fault::ForeignJson200, Some(200), 1),
        (Fault::Delay(20), Some(200), 1),
        (Fault::RateLimited(7), Some(429), 0),
        (Fault::Status(500, "{}".to_owned()), Some(500), 0),
    ] {
        let sim = workspace().await;
        sim.fault(Match::post("chat.postMessage"), fault.clone(), 1);
        let answer = try_call(&sim, "chat.postMessage", marked("m")).await;
        assert_eq!(answer.ok().map(|it| it.status), answered, "{fault:?}");
        assert_eq!(sim.messages(SALES).len(), made, "{fault:?}");
    }
    let sim = workspace().await;
    sim.fault(
        Match::post("chat.postMessage"),
        Fault::DropThenApplyLate(100),
        1,
    );
    let lost = try_call(&sim, "chat.postMessage", marked("m")).await;
    assert!(lost.is_err() && sim.messages(SALES).is_empty());
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(sim.messages(SALES).len(), 1);
}
