//! Socket Mode: the app's WebSocket, what is sent over it, and what it acknowledges.
//! <https://docs.slack.dev/apis/events-api/using-socket-mode>

use futures_util::{SinkExt as _, StreamExt as _};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::Slack;
use crate::http::{Answer, Call, Reply};

/// What a socket is to send.
#[derive(Debug)]
pub(super) enum Frame {
    Text(String),
    Ping,
    /// Says goodbye.
    Close,
}

impl Slack {
    /// How many sockets are open.
    pub fn sockets(&self) -> usize {
        self.state().sockets.len()
    }

    /// Sends this text on every socket, whatever it is.
    pub fn send_frame(&self, text: &str) {
        self.to_sockets(|| Frame::Text(text.to_owned()));
    }

    /// Tells every socket to go, for this reason (`warning`, `refresh_requested`, `link_disabled`), and closes it.
    pub fn disconnect_sockets(&self, reason: &str) {
        let frame = json!({"type": "disconnect", "reason": reason, "debug_info": {}}).to_string();
        self.to_sockets(|| Frame::Text(frame.clone()));
        self.to_sockets(|| Frame::Close);
    }

    pub fn ping_sockets(&self) {
        self.to_sockets(|| Frame::Ping);
    }

    /// Cuts every socket without a word.
    pub fn cut_sockets(&self) {
        self.state().sockets.clear();
    }

    fn to_sockets(&self, frame: impl Fn() -> Frame) {
        for (_, socket) in &self.state().sockets {
            // One that is gone needs to hear nothing.
            let _gone = socket.send(frame());
        }
    }

    /// The handshake: a ticket is good for one connection.
    pub(super) fn link(&self, call: &Call) -> Reply {
        let header = |name: &str| call.headers.get(name)?.to_str().ok();
        let mut query = url::form_urlencoded::parse(call.query.as_bytes());
        let ticket = query.find(|(key, _)| key == "ticket");
        let ticket = ticket.map(|(_, value)| value.into_owned());
        let is_known = ticket.is_some_and(|it| self.state().tickets.remove(&it));
        let is_websocket = header("upgrade").is_some_and(|it| it.eq_ignore_ascii_case("websocket"));
        let key = header("sec-websocket-key").filter(|_| is_websocket && is_known);
        let Some(key) = key else {
            return Reply::Answer(Answer {
                status: if is_known { 400 } else { 403 },
                headers: Vec::new(),
                body: bytes::Bytes::new(),
            });
        };
        let switch = Answer {
            status: 101,
            headers: vec![
                ("Connection".to_owned(), "Upgrade".to_owned()),
                ("Upgrade".to_owned(), "websocket".to_owned()),
                (
                    "Sec-WebSocket-Accept".to_owned(),
                    derive_accept_key(key.as_bytes()),
                ),
            ],
            body: bytes::Bytes::new(),
        };
        let weak = self.weak();
        Reply::Upgrade(
            switch,
            Box::new(move |stream| {
                tokio::spawn(async move {
                    let socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
                    if let Some(slack) = weak.upgrade() {
                        let (id, frames) = Self { shared: slack }.opened();
                        attend(socket, frames, || {
                            weak.upgrade().map(|shared| Self { shared })
                        })
                        .await;
                        if let Some(slack) = weak.upgrade() {
                            let slack = Self { shared: slack };
                            slack.state().sockets.retain(|(known, _)| *known != id);
                        }
                    }
                });
            }),
        )
    }

    fn opened(&self) -> (u64, mpsc::UnboundedReceiver<Frame>) {
        let (sender, frames) = mpsc::unbounded_channel();
        let mut state = self.state();
        let id = state.next();
        let count = state.sockets.len() + 1;
        let hello = json!({
            "type": "hello", "num_connections": count,
            "connection_info": {"app_id": state.config.app_id},
            "debug_info": {"host": "applink-1", "approximate_connection_time": 18060},
        });
        sender
            .send(Frame::Text(hello.to_string()))
            .expect("the receiver is in our hands");
        state.sockets.push((id, sender));
        (id, frames)
    }

    fn acknowledged(&self, text: &str) {
        let Ok(frame) = serde_json::from_str::<Value>(text) else {
            return;
        };
        let id = frame["envelope_id"].as_str().unwrap_or_default();
        if let Some(done) = self.state().unacked.remove(id) {
            // Whoever clicked may have stopped waiting.
            let _late = done.send(());
        }
    }
}

async fn attend(
    mut socket: WebSocketStream<TokioIo<Upgraded>>,
    mut frames: mpsc::UnboundedReceiver<Frame>,
    slack: impl Fn() -> Option<Slack>,
) {
    loop {
        tokio::select! {
            frame = frames.recv() => {
                let sent = match frame {
                    None => return,
                    Some(Frame::Text(text)) => socket.send(Message::text(text)).await,
                    Some(Frame::Ping) => socket.send(Message::Ping(b"ping".as_slice().into())).await,
                    Some(Frame::Close) => socket.close(None).await,
                };
                if sent.is_err() {
                    return;
                }
            }
            heard = socket.next() => match heard {
                Some(Ok(Message::Text(text))) => {
                    if let Some(slack) = slack() {
                        slack.acknowledged(&text);
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            }
        }
    }
}
