//! What is seen of a message, and what in it acts.

use serde_json::json;
use sim::slack::Seen;

use super::{SALES, actions, button, ok, post, workspace};

async fn seen(kind: &str, text: &str) -> Seen {
    let sim = workspace().await;
    let mut words = json!({"type": kind, "text": text});
    if kind == "mrkdwn" {
        words["verbatim"] = json!(true);
    } else {
        words["emoji"] = json!(false);
    }
    let ts = post(&sim, json!([{"type": "section", "text": words}])).await;
    sim.message(SALES, &ts).expect("a message").seen
}

fn plain(text: &str) -> Seen {
    Seen {
        text: text.to_owned(),
        ..Seen::default()
    }
}

#[tokio::test]
async fn escaped_text_shows_as_typed_and_does_nothing() {
    let escaped = "&lt;!channel&gt; &amp; &lt;@U1&gt;";
    for kind in ["mrkdwn", "plain_text"] {
        assert_eq!(seen(kind, escaped).await, plain("<!channel> & <@U1>"));
        assert_eq!(seen(kind, "&amp;lt;").await, plain("&lt;"));
    }
    assert_eq!(
        seen("plain_text", "<!channel> *a*").await,
        plain("<!channel> *a*")
    );
    assert_eq!(
        seen("mrkdwn", "a_b_c 2*3*4 a < b").await,
        plain("a_b_c 2*3*4 a < b")
    );
}

#[tokio::test]
async fn unescaped_text_acts_and_is_seen_to() {
    let acts = seen(
        "mrkdwn",
        "<!channel> <!here> <@U1|ada> <https://evil.example|Ada> *b* _i_ `c` :tada:\n&gt; q",
    )
    .await;
    assert_eq!(acts.text, "@channel @here @U1 Ada b i c :tada:\n q");
    assert_eq!(acts.pings, ["!channel", "!here", "@U1"]);
    let link = ("https://evil.example".to_owned(), "Ada".to_owned());
    assert_eq!(acts.links, [link]);
    assert_eq!(acts.formatted, ["b", "i", "c", ":tada:", "q"]);
}

#[tokio::test]
async fn buttons_are_seen_with_their_labels_and_a_notification_pings_too() {
    let sim = workspace().await;
    let blocks = actions(&[button("a", "Ada &amp; co"), button("b", "New")]);
    let body = json!({"channel": SALES, "text": "<!here> *now*", "blocks": blocks});
    ok(&sim, "chat.postMessage", body).await;
    let message = sim.messages(SALES).remove(0);
    assert_eq!(message.seen.text, "[Ada & co]\n[New]");
    assert_eq!(message.notified.text, "@here now");
    assert_eq!(message.pings(), ["!here"]);
    assert_eq!(message.button("a").expect("one").label, "Ada & co");
}
