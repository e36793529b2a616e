//! What the pretended Slack workspace holds: channels, messages, people, and the short-lived addresses and tickets
//! that it hands out. HTTP is not here.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::Config;
use super::socket::Frame;
use crate::faults::Faults;

/// Somebody in the workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub id: String,
    pub name: String,
}

#[derive(Clone, Debug)]
pub(super) struct Message {
    pub ts: String,
    /// A user's id; the bot's own among them.
    pub user: String,
    pub text: String,
    pub blocks: Vec<Value>,
    /// What the blocks were before each change, oldest first.
    pub earlier: Vec<Vec<Value>>,
    pub metadata: Option<Value>,
    pub edited: bool,
    pub deleted: bool,
    pub made_ms: i64,
}

#[derive(Clone, Debug)]
pub(super) struct Channel {
    pub id: String,
    pub name: String,
    pub is_private: bool,
    pub is_archived: bool,
    /// Whether the app's bot is in it.
    pub is_member: bool,
    /// Oldest first, deleted ones included.
    pub messages: Vec<Message>,
    /// Seen by one person only: who, and what.
    pub ephemerals: Vec<(String, Message)>,
}

#[derive(Debug)]
pub(super) struct ResponseUrl {
    pub channel: String,
    pub ts: String,
    pub user: String,
    pub uses: u32,
    pub made_ms: i64,
}

/// One call as it came in.
#[derive(Clone, Debug, PartialEq)]
pub struct LoggedCall {
    pub seq: u64,
    /// `chat.postMessage`, or the path of what is no method of the Web API.
    pub method: String,
    pub body: Value,
    pub authorization: String,
    /// 0 while unanswered, and for good when the connection was closed instead.
    pub status: u16,
    /// Whether the workspace saw it: false for 429 and for faults before execution.
    pub executed: bool,
    /// Milliseconds of the real clock.
    pub at_ms: i64,
}

#[derive(Debug)]
struct Bucket {
    tokens_ms: i64,
    at_ms: i64,
}

pub(super) struct State {
    pub config: Config,
    pub channels: Vec<Channel>,
    pub users: Vec<User>,
    /// What every token is answered, when it is not fine.
    pub token_error: Option<String>,
    pub faults: Faults,
    pub calls: VecDeque<LoggedCall>,
    pub refused_429: u64,
    pub response_urls: HashMap<String, ResponseUrl>,
    pub tickets: HashSet<String>,
    pub sockets: Vec<(u64, mpsc::UnboundedSender<Frame>)>,
    /// Envelopes that wait for their acknowledgement.
    pub unacked: HashMap<String, oneshot::Sender<()>>,
    buckets: HashMap<String, Bucket>,
    calls_seen: u64,
    last_ts_us: i64,
    made: u64,
}

impl State {
    pub fn new(config: Config) -> Self {
        let user = |id: &str, name: &str| User {
            id: id.to_owned(),
            name: name.to_owned(),
        };
        Self {
            channels: Vec::new(),
            users: vec![user(&config.bot_user, "calup"), user("U0000ROBIN", "robin")],
            token_error: None,
            faults: Faults::new(config.seed),
            calls: VecDeque::new(),
            refused_429: 0,
            response_urls: HashMap::new(),
            tickets: HashSet::new(),
            sockets: Vec::new(),
            unacked: HashMap::new(),
            buckets: HashMap::new(),
            calls_seen: 0,
            last_ts_us: 0,
            made: 0,
            config,
        }
    }

    /// Milliseconds by the vendor's clock.
    pub fn now(&self) -> i64 {
        (self.config.wall_ms)() + self.config.clock_skew_ms
    }

    /// A number that nobody had before.
    pub fn next(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    /// Something that cannot be guessed by chance.
    pub fn token(&mut self) -> String {
        let number = self.next();
        let seed = self.config.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        uuid::Uuid::from_u64_pair(seed ^ number, number).to_string()
    }

    pub fn log(&mut self, method: String, body: Value, authorization: String) -> u64 {
        self.calls_seen += 1;
        if self.calls.len() >= self.config.log_entries_max.max(1) {
            self.calls.pop_front();
        }
        self.calls.push_back(LoggedCall {
            seq: self.calls_seen,
            method,
            body,
            authorization,
            status: 0,
            executed: false,
            at_ms: (self.config.wall_ms)(),
        });
        self.calls_seen
    }

    pub fn logged(&mut self, seq: u64) -> Option<&mut LoggedCall> {
        self.calls.iter_mut().rev().find(|call| call.seq == seq)
    }

    pub fn channel(&self, id: &str) -> Option<usize> {
        self.channels.iter().position(|channel| channel.id == id)
    }

    /// By its name as well, with or without the sign.
    pub fn channel_or_name(&self, said: &str) -> Option<usize> {
        let name = said.strip_prefix('#').unwrap_or(said);
        self.channel(said).or_else(|| {
            self.channels
                .iter()
                .position(|channel| channel.name == name)
        })
    }

    /// A message that was not deleted: its channel and its place.
    pub fn message(&self, channel: &str, ts: &str) -> Option<(usize, usize)> {
        let at = self.channel(channel)?;
        let messages = &self.channels[at].messages;
        let place = messages.iter().position(|it| it.ts == ts && !it.deleted)?;
        Some((at, place))
    }

    pub fn user_name(&self, id: &str) -> String {
        let known = self.users.iter().find(|user| user.id == id);
        known.map_or_else(|| id.to_owned(), |user| user.name.clone())
    }

    pub fn blank_message(&mut self, user: &str, text: &str, blocks: Vec<Value>) -> Message {
        let made_ms = self.now();
        // No two messages share a time stamp: it is what they are known by.
        self.last_ts_us = (made_ms * 1000).max(self.last_ts_us + 100);
        let (seconds, micros) = (self.last_ts_us / 1_000_000, self.last_ts_us % 1_000_000);
        Message {
            ts: format!("{seconds}.{micros:06}"),
            user: user.to_owned(),
            text: text.to_owned(),
            blocks,
            earlier: Vec::new(),
            metadata: None,
            edited: false,
            deleted: false,
            made_ms,
        }
    }

    /// Takes one message from what the channel may have now; else how many seconds to wait.
    pub fn pace(&mut self, channel: &str) -> Result<(), i64> {
        let now = self.now();
        let each = i64::try_from(self.config.pace.as_millis()).unwrap_or(1000);
        if each == 0 {
            return Ok(());
        }
        let full = each * i64::from(self.config.burst.max(1));
        let bucket = self.buckets.entry(channel.to_owned()).or_insert(Bucket {
            tokens_ms: full,
            at_ms: now,
        });
        bucket.tokens_ms = full.min(bucket.tokens_ms + (now - bucket.at_ms).max(0));
        bucket.at_ms = now;
        if bucket.tokens_ms < each {
            return Err((each - bucket.tokens_ms + 999) / 1000);
        }
        bucket.tokens_ms -= each;
        Ok(())
    }
}

pub(super) fn wall_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
