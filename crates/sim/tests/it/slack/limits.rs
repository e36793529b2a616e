//! Block Kit's limits: the last that is taken, and the first that is not.

use serde_json::{Value, json};

use super::{SALES, call, workspace_of};

fn text(kind: &str, chars: usize) -> Value {
    json!({"type": kind, "text": "x".repeat(chars)})
}

fn section(chars: usize) -> Value {
    json!({"type": "section", "text": text("mrkdwn", chars)})
}

fn fields(n: usize) -> Value {
    json!({"type": "section", "fields": vec![text("plain_text", 1); n]})
}

fn header(chars: usize) -> Value {
    json!({"type": "header", "text": text("plain_text", chars)})
}

fn context(n: usize) -> Value {
    json!({"type": "context", "elements": vec![text("mrkdwn", 1); n]})
}

fn buttons(n: usize) -> Value {
    let one = |n: usize| button("text", n.to_string());
    json!({"type": "actions", "elements": (0..n).map(one).collect::<Vec<_>>()})
}

/// One button whose action id, label or value is this.
fn button(which: &str, words: String) -> Value {
    let mut it =
        json!({"type": "button", "action_id": "a", "text": text("plain_text", 1), "value": "v"});
    match which {
        "text" => it["action_id"] = json!(words),
        "label" => it["text"]["text"] = json!(words),
        which => it[which] = json!(words),
    }
    it
}

fn one(which: &str, chars: usize) -> Value {
    json!({"type": "actions", "elements": [button(which, "x".repeat(chars))]})
}

fn id(chars: usize) -> Value {
    json!({"type": "divider", "block_id": "x".repeat(chars)})
}

#[tokio::test]
async fn each_limit_is_where_slack_has_it() {
    let sim = workspace_of(sim::slack::Config {
        pace: std::time::Duration::ZERO,
        ..sim::slack::Config::default()
    })
    .await;
    for (name, fits, does_not) in [
        ("section", section(3000), section(3001)),
        ("empty section", section(1), section(0)),
        ("fields", fields(10), fields(11)),
        ("header", header(150), header(151)),
        ("context", context(10), context(11)),
        ("elements", buttons(25), buttons(26)),
        ("no elements", buttons(1), buttons(0)),
        ("action id", one("action_id", 255), one("action_id", 256)),
        ("label", one("label", 75), one("label", 76)),
        ("value", one("value", 2000), one("value", 2001)),
        ("url", one("url", 3000), one("url", 3001)),
        ("block id", id(255), id(256)),
        (
            "style",
            json!({"type": "divider"}),
            json!({"type": "dividers"}),
        ),
        (
            "a key",
            section(1),
            json!({"type": "section", "txt": text("mrkdwn", 1)}),
        ),
        (
            "mrkdwn header",
            header(1),
            json!({"type": "header", "text": text("mrkdwn", 1)}),
        ),
    ] {
        for (block, is_taken) in [(fits, true), (does_not, false)] {
            let body = json!({"channel": SALES, "text": "x", "blocks": [block]});
            let answer = call(&sim, "chat.postMessage", body).await;
            assert_eq!(answer["ok"], is_taken, "{name}: {answer}");
            if !is_taken {
                assert_eq!(answer["error"], "invalid_blocks");
            }
        }
    }
    let twice = json!([{"type": "divider", "block_id": "x"}, {"type": "divider", "block_id": "x"}]);
    for (blocks, word) in [
        (json!(vec![json!({"type": "divider"}); 50]), None),
        (
            json!(vec![json!({"type": "divider"}); 51]),
            Some("invalid_blocks"),
        ),
        (twice, Some("invalid_blocks")),
        (json!({"type": "divider"}), Some("invalid_blocks_format")),
        (json!(vec![section(3000); 5]), Some("msg_blocks_too_long")),
    ] {
        let body = json!({"channel": SALES, "text": "x", "blocks": blocks});
        let answer = call(&sim, "chat.postMessage", body).await;
        assert_eq!(answer["error"].as_str(), word, "{answer}");
    }
    for (body, word) in [
        (
            json!({"channel": SALES, "text": "x".repeat(40_001)}),
            "msg_too_long",
        ),
        (json!({"channel": SALES}), "no_text"),
        (
            json!({"channel": SALES, "text": "x", "metadata": {"event_type": ""}}),
            "invalid_metadata_format",
        ),
        (
            json!({"channel": SALES, "text": "x", "metadata": {"event_type": "e", "event_payload": 1}}),
            "invalid_metadata_schema",
        ),
    ] {
        let answer = call(&sim, "chat.postMessage", body).await;
        assert_eq!(answer["error"], word);
    }
}
