//! One webhook request as it goes over the wire, and its signature.

use hmac::{Hmac, Mac as _};
use jiff::{Timestamp, ToSpan as _};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

const SIGNATURE: &str = "X-Cal-Signature-256";

/// Headers and the raw body. Sending it twice sends the same bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    secret: String,
}

/// Lowercase hex HMAC-SHA256 of the raw bytes.
pub fn sign(secret: &str, body: &[u8]) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length of key is fine");
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

impl Delivery {
    pub(super) fn signed(
        secret: &str,
        body: Vec<u8>,
        content_type: &str,
        version: Option<&str>,
    ) -> Self {
        let mut headers = vec![
            ("Content-Type".to_owned(), content_type.to_owned()),
            (SIGNATURE.to_owned(), sign(secret, &body)),
        ];
        if let Some(version) = version {
            headers.push(("X-Cal-Webhook-Version".to_owned(), version.to_owned()));
        }
        for (name, value) in [
            ("accept", "*/*"),
            ("accept-language", "*"),
            ("sec-fetch-mode", "cors"),
            ("user-agent", "node"),
            ("accept-encoding", "gzip, deflate"),
        ] {
            headers.push((name.to_owned(), value.to_owned()));
        }
        Self {
            headers,
            body,
            secret: secret.to_owned(),
        }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub fn signature(&self) -> Option<&str> {
        self.header(SIGNATURE)
    }

    /// The body as JSON; `Null` when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub fn payload(&self) -> Value {
        self.json().get("payload").cloned().unwrap_or_default()
    }

    /// The body's `triggerEvent`; templates and broken ones have none.
    pub fn trigger(&self) -> Option<String> {
        let body = self.json();
        body["triggerEvent"].as_str().map(str::to_owned)
    }

    /// Lowercase hex of the raw body.
    pub fn sha256(&self) -> String {
        hex::encode(Sha256::digest(&self.body))
    }

    /// What a second subscription sends: the same change, a little later, other bytes.
    #[must_use]
    pub fn restamped(&self) -> Self {
        let stamp = self
            .json()
            .get("createdAt")
            .and_then(Value::as_str)
            .map(super::instant);
        let later = stamp.unwrap_or_else(Timestamp::now) + 137.milliseconds();
        self.stamped_at(later)
    }

    /// The same with this `createdAt`, signed again.
    #[must_use]
    pub fn stamped(&self, created_at: &str) -> Self {
        self.stamped_at(super::instant(created_at))
    }

    fn stamped_at(&self, created_at: Timestamp) -> Self {
        self.edited(|body| body["createdAt"] = Value::String(super::millis(created_at)))
    }

    /// The same with a changed JSON body, signed again.
    #[must_use]
    pub fn edited(&self, edit: impl FnOnce(&mut Value)) -> Self {
        let mut body = self.json();
        edit(&mut body);
        self.with_body(body.to_string().into_bytes())
    }

    /// The same headers around another body, signed again.
    #[must_use]
    pub fn with_body(&self, body: Vec<u8>) -> Self {
        let signature = sign(&self.secret, &body);
        Self {
            body,
            ..self.clone()
        }
        .with_signature(&signature)
    }

    /// Signed with another secret, as another subscription on the same URL would.
    #[must_use]
    pub fn signed_with(&self, secret: &str) -> Self {
        let signature = sign(secret, &self.body);
        Self {
            secret: secret.to_owned(),
            ..self.clone()
        }
        .with_signature(&signature)
    }

    /// Any text in place of the signature.
    #[must_use]
    pub fn with_signature(&self, signature: &str) -> Self {
        self.unsigned().with_header(SIGNATURE, signature)
    }

    #[must_use]
    pub fn unsigned(&self) -> Self {
        self.without_header(SIGNATURE)
    }

    /// Adds a header, also a second of the same name.
    #[must_use]
    pub fn with_header(&self, name: &str, value: &str) -> Self {
        let mut with = self.clone();
        with.headers.push((name.to_owned(), value.to_owned()));
        with
    }

    #[must_use]
    pub fn without_header(&self, name: &str) -> Self {
        let mut without = self.clone();
        without
            .headers
            .retain(|(key, _)| !key.eq_ignore_ascii_case(name));
        without
    }
}
