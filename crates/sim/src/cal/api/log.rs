//! What was asked of the pretended Cal.com: a bounded record of requests.

use std::collections::VecDeque;

use serde_json::Value;

use crate::http::Call;

const BODY_BYTES_KEPT: usize = 16 * 1024;

/// One request. Forms, and bodies of more than 16 KiB, are kept as a text.
#[derive(Clone, Debug, PartialEq)]
pub struct LoggedRequest {
    pub seq: u64,
    pub method: String,
    /// The whole path, `/v2` included.
    pub path: String,
    /// As sent, percent-encoded.
    pub query: String,
    pub body: Value,
    pub content_type: String,
    /// The `cal-api-version` header, blank where there is none.
    pub version: String,
    /// The `Authorization` header as sent.
    pub authorization: String,
    /// 0 while unanswered, and for good when the connection was closed instead.
    pub status: u16,
    /// Whether the account saw it: false for 401, 429 and for faults before execution.
    pub executed: bool,
    /// Arrival, milliseconds of the real clock (no skew).
    pub at_ms: i64,
}

#[derive(Debug)]
pub(super) struct Log {
    entries: VecDeque<LoggedRequest>,
    entries_max: usize,
    next_seq: u64,
}

impl Log {
    pub fn new(entries_max: usize) -> Self {
        Self {
            entries: VecDeque::new(),
            entries_max: entries_max.max(1),
            next_seq: 0,
        }
    }

    pub fn arrive(&mut self, call: &Call, at_ms: i64) -> u64 {
        self.next_seq += 1;
        if self.entries.len() >= self.entries_max {
            self.entries.pop_front();
        }
        self.entries.push_back(LoggedRequest {
            seq: self.next_seq,
            method: call.method.clone(),
            path: call.path.clone(),
            query: call.query.clone(),
            body: body_kept(&call.body),
            content_type: header(call, "content-type"),
            version: header(call, "cal-api-version"),
            authorization: header(call, "authorization"),
            status: 0,
            executed: false,
            at_ms,
        });
        self.next_seq
    }

    pub fn executed(&mut self, seq: u64) {
        if let Some(entry) = self.entry(seq) {
            entry.executed = true;
        }
    }

    pub fn answered(&mut self, seq: u64, status: u16) {
        if let Some(entry) = self.entry(seq) {
            entry.status = status;
        }
    }

    pub fn entries(&self) -> Vec<LoggedRequest> {
        self.entries.iter().cloned().collect()
    }

    pub fn clear(&mut self) {
        self.entries.clear();
    }

    fn entry(&mut self, seq: u64) -> Option<&mut LoggedRequest> {
        let first = self.entries.front()?.seq;
        self.entries
            .get_mut(usize::try_from(seq.checked_sub(first)?).ok()?)
    }
}

pub(super) fn header(call: &Call, name: &str) -> String {
    let value = call.headers.get(name).and_then(|it| it.to_str().ok());
    value.unwrap_or_default().to_owned()
}

fn body_kept(body: &[u8]) -> Value {
    if body.is_empty() {
        return Value::Null;
    }
    if body.len() <= BODY_BYTES_KEPT
        && let Ok(value) = serde_json::from_slice(body)
    {
        return value;
    }
    let kept = &body[..body.len().min(BODY_BYTES_KEPT)];
    Value::String(String::from_utf8_lossy(kept).into_owned())
}
