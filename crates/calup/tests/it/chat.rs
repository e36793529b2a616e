//! The chat: Claude uses the tools, and what it says comes through, whole or as it is said.

use serde_json::{Value, json};
use sim::claude::{Claude, Say};
use sim::{Fault, Match};

use crate::assistant::desk_with;
use crate::world::BROKERS;

/// Drafts a follow-up to Mike, as a model would.
fn drafts(request: &Value) -> Say {
    let messages = request["messages"].as_array().expect("messages");
    let last = messages.last().expect("one");
    let results = last["content"].as_array().into_iter().flatten();
    let results: Vec<Value> = results
        .filter(|block| block["type"] == "tool_result")
        .filter_map(|block| serde_json::from_str(block["content"].as_str()?).ok())
        .collect();
    if results.is_empty() {
        return Say::text("Let me look. ")
            .and_tool("crm_find_person", json!({"query": "Mike"}))
            .and_tool("cal_get_event_types", json!({}));
    }
    if let Some(link) = results
        .iter()
        .find_map(|result| result["booking_url"].as_str())
    {
        return Say::text(&format!(
            "Hi Mike, book here: {link} (not https://evil.example/?d=secret )"
        ));
    }
    let id = results
        .iter()
        .find_map(|result| result["people"][0]["task_id"].as_str());
    Say::tool(
        "cal_link_for_person",
        json!({"event_type_slug": "intro-call", "task_id": id}),
    )
}

#[tokio::test]
async fn a_follow_up_is_drafted_with_a_link_that_is_mike_s() {
    let claude = Claude::start(sim::claude::Config::default(), drafts).await;
    let desk = desk_with(vec![
        ("ANTHROPIC_BASE_URL", claude.base_url()),
        ("ANTHROPIC_API_KEY", claude.api_key()),
    ])
    .await;
    desk.world
        .clickup
        .add_task(BROKERS, "Mike Ross", Some("mike@ross.example"));
    desk.is_indexed("Mike", 1).await;
    let asked = json!({"messages": [{"role": "user", "content": "Draft a follow-up to Mike and include my 30-minute booking link."}]});
    assert_eq!(
        desk.post("/api/chat", &desk.model, asked.clone()).await.0,
        403,
        "a person's token is wanted"
    );

    let url = format!("http://{}/api/chat", desk.world.calup.address);
    let request = desk
        .world
        .http
        .post(&url)
        .bearer_auth(&desk.world.token)
        .json(&asked);
    let whole = request
        .header("accept", "application/json")
        .send()
        .await
        .expect("an answer");
    let whole: Value = whole.json().await.expect("JSON");
    let reply = whole["reply"].as_str().expect("a reply");
    assert!(reply.contains("metadata%5Bcalup%5D=v1."), "{whole}");
    assert!(
        !reply.contains("evil") && reply.contains("(link removed)"),
        "{reply}"
    );
    let tools: Vec<&str> = whole["tools"]
        .as_array()
        .expect("tools")
        .iter()
        .filter_map(|t| t["name"].as_str())
        .collect();
    assert_eq!(
        tools,
        [
            "crm_find_person",
            "cal_get_event_types",
            "cal_link_for_person"
        ]
    );

    let more = json!({"conversation": whole["conversation"], "messages": [{"role": "user", "content": "Once more, please."}]});
    let request = desk
        .world
        .http
        .post(&url)
        .bearer_auth(&desk.world.token)
        .json(&more);
    let streamed = request
        .send()
        .await
        .expect("an answer")
        .text()
        .await
        .expect("text");
    for event in ["event: text", "event: tool", "event: done"] {
        assert!(streamed.contains(event), "{streamed}");
    }
    let last = claude.requests().last().expect("asked").body.clone();
    let texts = last["messages"].to_string();
    assert!(
        texts.contains("Draft a follow-up") && texts.contains("Once more"),
        "what was said before is known"
    );
    assert!(
        !texts.contains(&desk.calcom.key()) && !last.to_string().contains("pk_sim"),
        "no secret reaches the model"
    );
}

#[tokio::test]
async fn an_overloaded_model_is_asked_again_and_one_that_breaks_off_is_told() {
    let claude = Claude::start(sim::claude::Config::default(), |_| Say::text("Here I am.")).await;
    let desk = desk_with(vec![
        ("ANTHROPIC_BASE_URL", claude.base_url()),
        ("ANTHROPIC_API_KEY", claude.api_key()),
    ])
    .await;
    let overloaded =
        r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    claude.fault(Match::any(), Fault::Status(529, overloaded.into()), 1);
    let ask = async || {
        let url = format!("http://{}/api/chat", desk.world.calup.address);
        let asked = json!({"messages": [{"role": "user", "content": "Hello?"}]});
        let request = desk
            .world
            .http
            .post(url)
            .bearer_auth(&desk.world.token)
            .json(&asked);
        request
            .send()
            .await
            .expect("an answer")
            .text()
            .await
            .expect("text")
    };
    let streamed = ask().await;
    assert!(
        streamed.contains("Here") && streamed.contains("event: done"),
        "{streamed}"
    );
    claude.follow(|_| {
        Say::text("This is said only in part, and then no more.").then_error(5, "overloaded_error")
    });
    let streamed = ask().await;
    assert!(
        streamed.contains("event: error") && streamed.contains("overloaded"),
        "{streamed}"
    );
    assert!(!streamed.contains("event: done"), "{streamed}");
}
