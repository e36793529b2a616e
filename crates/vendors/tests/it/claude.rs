//! Claude's client against a pretended Anthropic.

use std::time::{Duration, Instant};

use domain::outcome::Failure;
use serde_json::{Value, json};
use sim::claude::{Claude as Sim, Config as SimConfig, Say};
use sim::{Fault, Match};
use vendors::claude::{Ask, Claude, Config, Reply};

fn client(sim: &Sim) -> Claude {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Claude::new(Config {
        base_url: sim.base_url(),
        api_key: sim.api_key().into(),
        model: "claude-sim".into(),
    })
    .expect("a client")
}

async fn asked(claude: &Claude, messages: &[Value]) -> (Result<Reply, Failure>, Vec<String>) {
    let tools = [json!({"name": "look", "description": "", "input_schema": {"type": "object"}})];
    let ask = Ask {
        system: "Be brief.",
        tools: &tools,
        messages,
        tokens_max: 1_000,
        may_use_tools: true,
    };
    let mut said = Vec::new();
    let reply = claude
        .reply(ask, &mut |text| said.push(text.to_owned()))
        .await;
    (reply, said)
}

fn hello() -> Vec<Value> {
    vec![json!({"role": "user", "content": "Hello"})]
}

#[tokio::test]
async fn a_conversation_goes_through_a_tool_and_back() {
    let sim = Sim::start(SimConfig::default(), |request| {
        match request["messages"].as_array().map(Vec::len) {
            Some(1) => Say::default()
                .and_thinking("I had better look")
                .and_text("One moment, please.")
                .and_tool("look", json!({"at": "a thing with a long name"}))
                .and_tool("look", json!({})),
            _ => Say::text("There it is."),
        }
    })
    .await;
    let claude = client(&sim);
    let mut messages = hello();
    let (reply, said) = asked(&claude, &messages).await;
    let reply = reply.expect("a reply");
    assert!(said.len() > 1, "it comes in pieces: {said:?}");
    assert_eq!(said.concat(), "One moment, please.");
    assert_eq!(reply.stop_reason, "tool_use");
    assert_eq!(
        reply.tool_uses[0].input,
        Some(json!({"at": "a thing with a long name"}))
    );
    assert_eq!(reply.tool_uses[1].input, Some(json!({})));

    messages.push(json!({"role": "assistant", "content": reply.content}));
    let results: Vec<Value> = reply
        .tool_uses
        .iter()
        .map(|used| json!({"type": "tool_result", "tool_use_id": used.id, "content": "seen"}))
        .collect();
    messages.push(json!({"role": "user", "content": results}));
    let (reply, _) = asked(&claude, &messages).await;
    assert_eq!(reply.expect("a reply").text, "There it is.");
}

#[tokio::test]
async fn what_is_asked_again_is_marked_for_the_cache() {
    let sim = Sim::start(SimConfig::default(), |_| Say::text("Hi.")).await;
    let (reply, _) = asked(&client(&sim), &hello()).await;
    reply.expect("a reply");
    let body = &sim.requests()[0].body;
    let mark = json!({"type": "ephemeral"});
    assert_eq!(body["system"][0]["cache_control"], mark);
    assert_eq!(body["messages"][0]["content"][0]["cache_control"], mark);
}

#[tokio::test]
async fn text_is_passed_on_as_it_arrives() {
    let pause = Duration::from_millis(150);
    let config = SimConfig {
        pause,
        ..SimConfig::default()
    };
    let sim = Sim::start(config, |_| Say::text("One piece, and another one.")).await;
    let claude = client(&sim);
    let mut first = None;
    let ask = Ask {
        system: "x",
        tools: &[],
        messages: &hello(),
        tokens_max: 10,
        may_use_tools: true,
    };
    let reply = claude
        .reply(ask, &mut |_| {
            first.get_or_insert_with(Instant::now);
        })
        .await;
    reply.expect("a reply");
    let sent = sim.requests()[0].sent.lock().expect("a list").clone();
    // After the beginnings of message and block, and a ping.
    let late = first.expect("some text").duration_since(sent[3]);
    assert!(late < pause, "{late:?} late");
}

#[tokio::test]
async fn each_trouble_is_told_for_what_it_is() {
    let sim = Sim::start(SimConfig::default(), |_| Say::text("Hi.")).await;
    let claude = client(&sim);
    let overloaded =
        r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    for (fault, told) in [
        (Fault::Status(529, overloaded.into()), "overloaded"),
        (Fault::Html(502), "502"),
        (Fault::Drop, "broke"),
    ] {
        sim.fault(Match::any(), fault.clone(), 1);
        let (reply, _) = asked(&claude, &hello()).await;
        match reply {
            Err(Failure::Transient { what }) => assert!(what.contains(told), "{fault:?}: {what}"),
            other => panic!("{fault:?}: {other:?}"),
        }
    }
    sim.fault(Match::any(), Fault::RateLimited(1), 1);
    let (reply, _) = asked(&claude, &hello()).await;
    assert!(matches!(reply, Err(Failure::Limited { .. })), "{reply:?}");
    let (reply, _) = asked(&claude, &hello()).await;
    assert_eq!(reply.expect("waited for").text, "Hi.");
}

#[tokio::test]
async fn a_stream_that_fails_in_the_middle_is_no_reply() {
    let sim = Sim::start(SimConfig::default(), |_| Say::default()).await;
    let claude = client(&sim);
    let long = Say::text("This will never be heard to its very end.");
    for say in [
        long.clone().then_error(4, "overloaded_error"),
        long.clone().then_cut(4),
        long.clone().then_cut(0),
    ] {
        let says = say.clone();
        sim.follow(move |_| says.clone());
        let (reply, said) = asked(&claude, &hello()).await;
        assert!(
            matches!(reply, Err(Failure::Transient { .. })),
            "{say:?}: {reply:?}"
        );
        assert!(said.len() <= 1, "{said:?}");
    }
}

#[tokio::test]
async fn a_wrong_key_or_model_is_the_operator_s() {
    let config = SimConfig {
        models: vec!["claude-other".into()],
        ..SimConfig::default()
    };
    let sim = Sim::start(config, |_| Say::text("Hi.")).await;
    let (reply, _) = asked(&client(&sim), &hello()).await;
    match reply {
        Err(Failure::NeedsOperator { hint, .. }) => assert!(hint.contains("CALUP_MODEL")),
        other => panic!("{other:?}"),
    }
    let claude = Claude::new(Config {
        base_url: format!("{}/v1/", sim.base_url()),
        api_key: "wrong".to_owned().into(),
        model: "claude-other".into(),
    });
    let (reply, _) = asked(&claude.expect("a client"), &hello()).await;
    match reply {
        Err(Failure::NeedsOperator { hint, .. }) => assert!(hint.contains("ANTHROPIC_API_KEY")),
        other => panic!("{other:?}"),
    }
}
