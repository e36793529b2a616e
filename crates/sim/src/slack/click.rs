//! A person presses a button: what the app is told of it, signed or over a socket, and what the person then sees.
//! <https://docs.slack.dev/reference/interaction-payloads/block_actions-payload>

use std::time::{Duration, Instant};

use hmac::{Hmac, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::sync::oneshot;

use super::socket::Frame;
use super::state::State;
use super::{Slack, messages, view};
use crate::http;

/// Which button, by whom, and how the request for it is signed.
#[derive(Clone, Debug)]
pub struct Click {
    pub user: String,
    pub ts: String,
    pub action_id: String,
    /// The button is one that an earlier version of the message had.
    pub late: bool,
    pub signing: Signing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signing {
    Right,
    /// Properly signed, so many seconds ago (or, negative, ahead).
    Old(i64),
    /// By somebody without the secret.
    Forged,
    /// No signature and no time.
    Missing,
}

impl Click {
    pub fn new(user: &str, ts: &str, action_id: &str) -> Self {
        Self {
            user: user.to_owned(),
            ts: ts.to_owned(),
            action_id: action_id.to_owned(),
            late: false,
            signing: Signing::Right,
        }
    }

    #[must_use]
    pub fn late(mut self) -> Self {
        self.late = true;
        self
    }

    #[must_use]
    pub fn signing(mut self, signing: Signing) -> Self {
        self.signing = signing;
        self
    }
}

/// Which way the app heard of a click.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Http,
    Socket,
    /// No socket is open, and there is no address for interactions.
    None,
}

#[derive(Clone, Debug)]
pub struct Clicked {
    pub way: Way,
    /// `None`: no answer, or not over HTTP.
    pub status: Option<u16>,
    pub body: String,
    pub took: Duration,
    /// A 200 or an acknowledgement came within three seconds; if not, a warning sign is shown beside the button.
    pub is_answered: bool,
    /// The address that the app may answer at.
    pub response_url: String,
}

/// A request for a click as it would be sent over HTTP.
#[derive(Clone, Debug)]
pub struct Signed {
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub response_url: String,
}

impl Slack {
    /// Presses the button and waits for the app: over the newest socket if one is open, else at the address for
    /// interactions. Panics when there is no such button to press.
    pub async fn click(&self, click: &Click) -> Clicked {
        let (url, socket, limit) = {
            let state = self.state();
            let socket = state.sockets.last().map(|(_, sender)| sender.clone());
            let url = state.config.interactions_url.clone();
            (url, socket, state.config.answer_max)
        };
        if let Some(socket) = socket {
            let payload = payload(&mut self.state(), click);
            return self.over_socket(payload, &socket, limit).await;
        }
        let signed = self.signed(click);
        let began = Instant::now();
        let answer = match &url {
            Some(url) => {
                let sent = http::send("POST", url, &signed.headers, &signed.body);
                let sent = tokio::time::timeout(limit, sent).await;
                sent.ok().and_then(Result::ok)
            }
            None => None,
        };
        Clicked {
            way: url.map_or(Way::None, |_| Way::Http),
            status: answer.as_ref().map(|it| it.status),
            is_answered: answer.as_ref().is_some_and(|it| it.status == 200),
            body: answer.map(|it| it.text()).unwrap_or_default(),
            took: began.elapsed(),
            response_url: signed.response_url,
        }
    }

    /// The request for a click, for whoever wants to send it himself, twice, or to another address.
    pub fn signed(&self, click: &Click) -> Signed {
        let mut state = self.state();
        let payload = payload(&mut state, click);
        let response_url = payload["response_url"].as_str().unwrap_or_default();
        let response_url = response_url.to_owned();
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("payload", &payload.to_string())
            .finish();
        let age = match click.signing {
            Signing::Old(seconds) => seconds,
            _ => 0,
        };
        let secret = match click.signing {
            Signing::Forged => "somebody else's",
            _ => &state.config.signing_secret,
        };
        let at = state.now().div_euclid(1000) - age;
        let mut headers = vec![
            (
                "Content-Type".to_owned(),
                "application/x-www-form-urlencoded".to_owned(),
            ),
            (
                "User-Agent".to_owned(),
                "Slackbot 1.0 (+https://api.slack.com/robots)".to_owned(),
            ),
        ];
        if click.signing != Signing::Missing {
            let signature = sign(secret, at, form.as_bytes());
            headers.push(("X-Slack-Request-Timestamp".to_owned(), at.to_string()));
            headers.push(("X-Slack-Signature".to_owned(), signature));
        }
        Signed {
            headers,
            body: form.into_bytes(),
            response_url,
        }
    }

    async fn over_socket(
        &self,
        payload: Value,
        socket: &tokio::sync::mpsc::UnboundedSender<Frame>,
        limit: Duration,
    ) -> Clicked {
        let response_url = payload["response_url"].as_str().unwrap_or_default();
        let response_url = response_url.to_owned();
        let (done, acked) = oneshot::channel();
        let envelope = {
            let mut state = self.state();
            let id = state.token();
            state.unacked.insert(id.clone(), done);
            json!({
                "type": "interactive", "envelope_id": id,
                "accepts_response_payload": false, "payload": payload,
            })
        };
        let began = Instant::now();
        // A socket that is gone by now acknowledges nothing.
        let _gone = socket.send(Frame::Text(envelope.to_string()));
        let is_answered = tokio::time::timeout(limit, acked)
            .await
            .is_ok_and(|acked| acked.is_ok());
        Clicked {
            way: Way::Socket,
            status: None,
            body: String::new(),
            took: began.elapsed(),
            is_answered,
            response_url,
        }
    }
}

/// `v0=` and the hex HMAC-SHA256 of `v0:{time}:{body}`.
/// <https://docs.slack.dev/authentication/verifying-requests-from-slack>
pub fn sign(secret: &str, at: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key will do");
    mac.update(format!("v0:{at}:").as_bytes());
    mac.update(body);
    format!("v0={}", hex::encode(mac.finalize().into_bytes()))
}

fn payload(state: &mut State, click: &Click) -> Value {
    let found = state.channels.iter().find_map(|channel| {
        let message = channel.messages.iter().find(|it| it.ts == click.ts)?;
        Some((channel.id.clone(), channel.name.clone(), message.clone()))
    });
    let (channel, name, message) = found.expect("the message exists");
    let versions = if click.late {
        message
            .earlier
            .iter()
            .rev()
            .chain([&message.blocks])
            .collect()
    } else {
        assert!(!message.deleted, "the message was deleted");
        vec![&message.blocks]
    };
    let button = versions.into_iter().find_map(|blocks| {
        let buttons = view::buttons(blocks).into_iter();
        let mut buttons = buttons.filter(|it| it.action_id == click.action_id);
        let button = buttons.next()?;
        let elements = blocks
            .iter()
            .find(|it| it["block_id"] == json!(button.block_id))?;
        let all = elements["elements"].as_array().into_iter().flatten();
        let mut all = all.chain([&elements["accessory"]]);
        let element = all.find(|it| it["action_id"] == json!(click.action_id))?;
        Some((button.block_id, element.clone()))
    });
    let (block_id, mut action) =
        button.unwrap_or_else(|| panic!("there is no button {} to press", click.action_id));
    let now = state.now();
    action["block_id"] = json!(block_id);
    action["action_ts"] = json!(format!("{}.{:06}", now / 1000, now % 1000 * 1000));
    let port = state.config.port;
    let path = messages::response_path(state, &channel, &click.ts, &click.user);
    let user = state.user_name(&click.user);
    let team = &state.config.team_id;
    json!({
        "type": "block_actions",
        "user": {"id": click.user, "username": user, "name": user, "team_id": team},
        "api_app_id": state.config.app_id,
        "token": "verification_token_deprecated",
        "container": {
            "type": "message", "message_ts": click.ts, "channel_id": channel, "is_ephemeral": false,
        },
        "trigger_id": format!("{now}.4567890123456.78a90bc12d3e4f567a89b0c1d2e3f4a5"),
        "team": {"id": team, "domain": state.config.team_name.to_lowercase()},
        "enterprise": null,
        "is_enterprise_install": false,
        "channel": {"id": channel, "name": name},
        "message": messages::shown(state, &message, false),
        "state": {"values": {}},
        "response_url": format!("http://127.0.0.1:{port}{path}"),
        "actions": [action],
    })
}
