//! The chat and MCP of several profiles: each talks with its own key, over its own accounts, and keeps its own conversations.

use serde_json::{Value, json};
use sim::claude::{Claude, Config, Say};

use crate::profiles::{Two, done, told};

/// Asks for the event types, and tells what came.
fn looks(request: &Value) -> Say {
    let messages = request["messages"].as_array().expect("messages");
    let last = messages.last().expect("one")["content"].as_array();
    let mut results = last.into_iter().flatten();
    match results.find(|block| block["type"] == "tool_result") {
        None => Say::tool("cal_get_event_types", json!({})),
        Some(result) => {
            let text = result["content"].as_str().unwrap_or_default();
            Say::text(&text.replace("https://", "at "))
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_profile_s_chat_has_its_own_key_accounts_and_conversations() {
    let claude = Claude::start(Config::default(), looks).await;
    let two = Two::with(vec![
        ("ANTHROPIC_BASE_URL", claude.base_url()),
        ("ANTHROPIC_API_KEY", claude.api_key()),
    ])
    .await;
    let asked = |conversation: Option<&Value>| {
        let mut asked = json!({"messages": [{"role": "user", "content": "What can be booked?"}]});
        if let Some(id) = conversation {
            asked["conversation"] = id.clone();
        }
        asked
    };
    let chat = async |token: &str, body: Value| {
        let url = format!("http://{}/api/chat", two.world.calup.address);
        let request = two.world.http.post(url).bearer_auth(token).json(&body);
        let answer = request.header("accept", "application/json").send().await;
        let answer = answer.expect("an answer");
        let status = answer.status().as_u16();
        (status, answer.json::<Value>().await.expect("JSON"))
    };
    let [ours, theirs] = [&two.world.token, &two.token];
    let (status, none) = chat(theirs, asked(None)).await;
    assert_eq!(status, 409, "the key of the process is not theirs: {none}");

    let set = ["profile", "set", "sales", "--secret", "anthropic_api_key"];
    done(told(
        &two.world.calup,
        &set,
        &format!("{}\n", claude.api_key()),
    ));
    two.world
        .until("their key counts", async || {
            chat(theirs, asked(None)).await.0 == 200
        })
        .await;
    let mut conversations = Vec::new();
    for (token, own, foreign) in [
        (ours, "intro-call", "sales-call"),
        (theirs, "sales-call", "intro-call"),
    ] {
        let (status, answer) = chat(token, asked(None)).await;
        assert_eq!(status, 200, "{answer}");
        let reply = answer["reply"].as_str().expect("a reply");
        assert!(reply.contains(own) && !reply.contains(foreign), "{reply}");
        conversations.push(answer["conversation"].clone());
    }
    assert_eq!(chat(ours, asked(Some(&conversations[0]))).await.0, 200);
    assert_eq!(chat(ours, asked(Some(&conversations[1]))).await.0, 404);
    assert_eq!(chat(theirs, asked(Some(&conversations[0]))).await.0, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_profile_s_mcp_has_its_own_accounts() {
    let two = Two::start().await;
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "cal_get_event_types", "arguments": {}}});
    for (token, own, foreign) in [
        (&two.world.token, "intro-call", "sales-call"),
        (&two.token, "sales-call", "intro-call"),
    ] {
        let url = format!("http://{}/mcp", two.world.calup.address);
        let request = two.world.http.post(url).bearer_auth(token).json(&call);
        let request = request.header("accept", "application/json, text/event-stream");
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        let answer = answer.text().await.expect("text");
        assert!(
            answer.contains(own) && !answer.contains(foreign),
            "{answer}"
        );
    }
    let lines = [
        json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
            "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}}),
        json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
        call,
    ];
    let said = lines.map(|line| line.to_string() + "\n").concat();
    let (out, error, _) = told(&two.world.calup, &["--profile", "sales", "mcp"], &said);
    assert!(
        out.contains("sales-call") && !out.contains("intro-call"),
        "{out} {error}"
    );
}
