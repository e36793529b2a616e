//! Socket Mode, with a plain WebSocket client.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use sim::http::send;
use sim::slack::{Click, Config, Slack, Way};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::{ROBIN, actions, button, fixture, post, workspace_of};

async fn address(sim: &Slack, token: &str) -> Value {
    let headers = [("Authorization".to_owned(), format!("Bearer {token}"))];
    let url = format!("{}/apps.connections.open", sim.api_url());
    let answer = send("POST", &url, &headers, b"").await;
    answer.expect("an answer").json()
}

async fn dial(url: &str) -> Option<WebSocketStream<TcpStream>> {
    let host = url.strip_prefix("ws://")?.split('/').next()?;
    let stream = TcpStream::connect(host).await.ok()?;
    client_async(url, stream).await.ok().map(|(it, _)| it)
}

async fn hear(socket: &mut WebSocketStream<TcpStream>) -> Option<Value> {
    match socket.next().await {
        Some(Ok(Message::Text(text))) => serde_json::from_str(&text).ok(),
        _ => None,
    }
}

#[tokio::test]
async fn a_click_goes_over_the_socket_and_is_fine_once_acknowledged() {
    let sim = workspace_of(Config {
        answer_max: Duration::from_millis(300),
        ..Config::default()
    })
    .await;
    let ts = post(&sim, actions(&[button("calup_new", "New lead")])).await;
    assert_eq!(
        address(&sim, &sim.bot_token()).await["error"],
        "not_allowed_token_type"
    );
    let url = address(&sim, &sim.app_token()).await["url"].clone();
    let url = url.as_str().expect("an address");
    let mut socket = dial(url).await.expect("a socket");
    assert!(dial(url).await.is_none(), "a ticket is good for one");
    let recorded = fixture("socket-mode.interactive-envelope.json");
    let hello = hear(&mut socket).await.expect("a frame");
    assert_eq!(hello["type"], recorded["frames_in"][0]["type"]);
    assert_eq!(
        hello["connection_info"],
        recorded["frames_in"][0]["connection_info"]
    );

    for acks in [true, false] {
        let pressed = Click::new(ROBIN, &ts, "calup_new");
        let click = sim.click(&pressed);
        let app = async {
            let envelope = hear(&mut socket).await.expect("a frame");
            let wanted = recorded["frames_in"][1].as_object().expect("an envelope");
            assert!(wanted.keys().all(|key| envelope.get(key).is_some()));
            if acks {
                let ack = json!({"envelope_id": envelope["envelope_id"]}).to_string();
                socket.send(Message::text(ack)).await.expect("it is sent");
            }
        };
        let (clicked, ()) = tokio::join!(click, app);
        assert_eq!((clicked.way, clicked.is_answered), (Way::Socket, acks));
    }

    sim.disconnect_sockets("refresh_requested");
    let goodbye = hear(&mut socket).await.expect("a frame");
    assert_eq!(goodbye["reason"], "refresh_requested");
    assert_eq!(hear(&mut socket).await, None);
}

#[tokio::test]
async fn a_cut_socket_is_gone() {
    let sim = workspace_of(Config::default()).await;
    let url = address(&sim, &sim.app_token()).await["url"].clone();
    let mut socket = dial(url.as_str().expect("one")).await.expect("a socket");
    hear(&mut socket).await.expect("hello");
    assert_eq!(sim.sockets(), 1);
    sim.cut_sockets();
    assert_eq!(hear(&mut socket).await, None);
    assert_eq!(sim.sockets(), 0);
}
