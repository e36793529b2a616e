//! What was asked of the pretended ClickUp: a bounded record of requests, and counters
//! that never forget.

use std::collections::{HashMap, VecDeque};

use serde_json::Value;

const BODY_BYTES_KEPT: usize = 16 * 1024;

/// One request. Bodies of more than 16 KiB are kept as a cut string.
#[derive(Clone, Debug, PartialEq)]
pub struct LoggedRequest {
    pub seq: u64,
    pub method: String,
    /// The whole path, `/api/v2` included.
    pub path: String,
    /// As sent, percent-encoded.
    pub query: String,
    pub body: Value,
    /// The `Authorization` header as sent.
    pub authorization: String,
    /// 0 while unanswered, and for good when the connection was closed instead.
    pub status: u16,
    /// Whether the workspace saw it: false for 429 and for faults before execution.
    pub executed: bool,
    /// Arrival and answer, milliseconds of the real clock (no skew).
    pub at_ms: i64,
    pub answered_at_ms: Option<i64>,
}

impl LoggedRequest {
    pub fn is_mutation(&self) -> bool {
        self.method != "GET"
    }

    /// The task a mutating request is about.
    fn task(&self) -> Option<&str> {
        let rest = self.path.split_once("/task/")?.1;
        Some(rest.split('/').next().unwrap_or(rest))
    }
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub calls: u64,
    pub mutations: u64,
    pub faulted: u64,
    pub refused_429: u64,
    pub overlaps: u64,
}

#[derive(Debug)]
pub(super) struct Log {
    entries: VecDeque<LoggedRequest>,
    entries_max: usize,
    next_seq: u64,
    in_flight: HashMap<String, u32>,
    pub counts: Counts,
}

impl Log {
    pub fn new(entries_max: usize) -> Self {
        Self {
            entries: VecDeque::new(),
            entries_max: entries_max.max(1),
            next_seq: 0,
            in_flight: HashMap::new(),
            counts: Counts::default(),
        }
    }

    pub fn arrive(&mut self, mut entry: LoggedRequest) -> u64 {
        self.next_seq += 1;
        entry.seq = self.next_seq;
        self.counts.calls += 1;
        if entry.is_mutation() {
            self.counts.mutations += 1;
            if let Some(task) = entry.task() {
                let others = self.in_flight.entry(task.to_owned()).or_default();
                self.counts.overlaps += u64::from(*others > 0);
                *others += 1;
            }
        }
        if self.entries.len() >= self.entries_max {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
        self.next_seq
    }

    pub fn executed(&mut self, seq: u64) {
        if let Some(entry) = self.entry(seq) {
            entry.executed = true;
        }
    }

    pub fn answered(&mut self, seq: u64, method: &str, path: &str, status: u16, at: i64) {
        self.counts.refused_429 += u64::from(status == 429);
        if method != "GET"
            && let Some(task) = path.split_once("/task/").map(|(_, rest)| rest)
        {
            let task = task.split('/').next().unwrap_or(task);
            if let Some(others) = self.in_flight.get_mut(task) {
                *others -= 1;
                if *others == 0 {
                    self.in_flight.remove(task);
                }
            }
        }
        if let Some(entry) = self.entry(seq) {
            entry.status = status;
            entry.answered_at_ms = Some(at);
        }
    }

    pub fn entries(&self) -> Vec<LoggedRequest> {
        self.entries.iter().cloned().collect()
    }

    pub fn clear(&mut self) {
        self.entries.clear();
        self.counts = Counts::default();
    }

    fn entry(&mut self, seq: u64) -> Option<&mut LoggedRequest> {
        let first = self.entries.front()?.seq;
        self.entries
            .get_mut(usize::try_from(seq.checked_sub(first)?).ok()?)
    }
}

pub(super) fn body_kept(body: &[u8]) -> Value {
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
