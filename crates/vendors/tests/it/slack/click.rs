//! What a click says, and what is no click.

use serde_json::{Value, json};
use vendors::slack::Click;

use super::fixture;

fn form(payload: &str) -> Vec<u8> {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("payload", payload).finish().into_bytes()
}

fn recorded() -> (Value, Click) {
    let recorded = fixture("interaction.block_actions.button.json");
    let click = Click {
        action_id: "match_pick_0".to_owned(),
        value: r#"{"v":1,"b":"bk_7Qd3","t":"86b7aaaa9"}"#.to_owned(),
        user_id: "U0000ROBIN".to_owned(),
        user_name: "robin".to_owned(),
        channel: Some("C0000SALES".to_owned()),
        ts: Some("1795388500.000200".to_owned()),
        response_url: Some(
            "https://hooks.slack.com/actions/T0000ACME/1111111111111/randomvalue000000000000"
                .to_owned(),
        ),
    };
    (recorded, click)
}

#[test]
fn recorded_clicks_are_understood_both_ways() {
    let (recorded, click) = recorded();
    let body = recorded["http"]["raw_body"].as_str().expect("a body");
    assert_eq!(Click::from_form(body.as_bytes()), Some(click.clone()));
    let envelope = fixture("socket-mode.interactive-envelope.json");
    assert_eq!(
        Click::from_json(&envelope["frames_in"][1]["payload"]),
        Some(click)
    );
}

#[test]
fn what_is_not_said_is_looked_for_where_else_it_stands() {
    let (recorded, click) = recorded();
    let mut less = recorded["payload"].clone();
    let map = less.as_object_mut().expect("an object");
    map.remove("container");
    map.remove("response_url");
    less["user"] = json!({"id": "U0000ROBIN"});
    let expected = Click {
        user_name: "U0000ROBIN".to_owned(),
        response_url: None,
        ..click
    };
    assert_eq!(Click::from_json(&less), Some(expected));
    less["user"]["username"] = json!("ro\u{202e}b <!here>\nin");
    let named = Click::from_json(&less).expect("a click");
    assert_eq!(named.user_name, "rob <!here> in");
}

#[test]
fn a_click_counts_without_a_word_about_its_message() {
    let (recorded, click) = recorded();
    let mut less = recorded["payload"].clone();
    let map = less.as_object_mut().expect("an object");
    for name in ["container", "channel", "message", "team", "trigger_id"] {
        map.remove(name);
    }
    less["actions"][0]["type"].take();
    let expected = Click {
        channel: None,
        ts: None,
        ..click.clone()
    };
    assert_eq!(Click::from_json(&less), Some(expected.clone()));
    let mut odd = recorded["payload"].clone();
    odd["container"] = json!({"message_ts": "../x", "channel_id": "C1|<!here>"});
    assert_eq!(Click::from_json(&odd), Some(expected));
}

#[test]
fn half_a_character_in_a_name_costs_that_character() {
    let (recorded, _) = recorded();
    let text = recorded["payload"].to_string();
    let text = text.replace(r#""name":"robin""#, r#""name":"rob \ud83d""#);
    let click = Click::from_form(&form(&text)).expect("a click");
    assert_eq!(click.user_name, "rob \u{fffd}");
}

#[test]
fn what_is_no_click_is_none() {
    let (recorded, _) = recorded();
    let payload = &recorded["payload"];
    let with = |change: fn(&mut Value)| {
        let mut other = payload.clone();
        change(&mut other);
        other.to_string()
    };
    for text in [
        String::new(),
        "{".to_owned(),
        "null".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        "[".repeat(100_000),
        with(|it| it["type"] = json!("view_submission")),
        with(|it| it["actions"] = json!([])),
        with(|it| it["actions"] = json!({})),
        with(|it| it["actions"][0]["type"] = json!("overflow")),
        with(|it| it["actions"] = json!([it["actions"][0], it["actions"][0]])),
        with(|it| it["actions"][0]["action_id"] = json!(7)),
        with(|it| it["actions"][0]["value"] = json!("x".repeat(10_000))),
        with(|it| it["user"] = json!(null)),
        with(|it| it["user"]["id"] = json!("U1|<!here>")),
    ] {
        assert_eq!(
            Click::from_form(&form(&text)),
            None,
            "{}",
            &text[..text.len().min(80)]
        );
    }
    let whole = form(&payload.to_string());
    let twice = [whole.as_slice(), b"&", &whole].concat();
    for body in [
        &b""[..],
        b"payload",
        b"%ff=%fe&payload=%ff",
        b"ssl_check=1",
        &twice,
    ] {
        assert_eq!(Click::from_form(body), None);
    }
    for end in 0..whole.len() {
        assert_eq!(Click::from_form(&whole[..end]), None);
    }
}
