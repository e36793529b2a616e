//! Questions to people about who somebody is, what was answered, and what was learnt from it.

pub use domain::question::{Answer, Candidate};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::listed;

/// What is asked. All of it is kept sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewQuestion {
    pub person_name: String,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub company: Option<String>,
    /// Of the meeting.
    pub title: String,
    pub starts_at: Timestamp,
    pub time_zone: String,
    /// Of the meeting's chain: whose other meetings *Only this meeting* leaves alone.
    pub tokens: Vec<String>,
    pub candidates: Vec<Candidate>,
    pub asked_at: Timestamp,
    pub closes_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuestionState {
    Open,
    Answered,
    Closed,
}

impl QuestionState {
    pub const ALL: [Self; 3] = [Self::Open, Self::Answered, Self::Closed];

    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Answered => "answered",
            Self::Closed => "closed",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name() == name)
    }
}

/// An answer, and whose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    pub answer: Answer,
    pub by: String,
    pub at: Timestamp,
}

/// Why a question was closed unanswered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closed {
    Expired,
    /// The meeting was.
    Cancelled,
}

impl Closed {
    pub const ALL: [Self; 2] = [Self::Expired, Self::Cancelled];

    pub fn name(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    pub id: String,
    pub profile: String,
    /// As `Stored::person`.
    pub person: String,
    pub state: QuestionState,
    /// With `closes_at` as it is by now.
    pub asked: NewQuestion,
    pub given: Option<Given>,
    /// Stays when an answer comes late.
    pub closed: Option<(Closed, Timestamp)>,
    /// The deliveries whose changes it holds or held, in the order in which they came.
    pub deliveries: Vec<String>,
    /// Those of them that it still holds.
    pub held: Vec<String>,
    /// Posting was begun, and nothing is known of what came of it.
    pub may_be_posted: bool,
    pub message: Option<Message>,
}

/// Where a question stands in Slack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub channel: String,
    pub ts: String,
    /// What it shows; another one than the question's own is to be shown.
    pub shows: QuestionState,
}

/// What became of an answer. Only one is ever the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    First,
    /// The question had closed unanswered: the answer counts from now on.
    Late,
    /// It does not count: this one came before.
    Before(Given),
    NoSuch,
}

#[derive(Debug, Clone, Default)]
pub struct QuestionFilter {
    pub profile: Option<String>,
    pub state: Option<QuestionState>,
    pub limit: usize,
    /// Only those older than this question's id.
    pub after: Option<String>,
}

impl QuestionFilter {
    pub fn rows(&self) -> usize {
        listed(self.limit)
    }
}

/// An address that belongs to a lead which does not bear it: a person said so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alias {
    /// As it was typed.
    pub email: String,
    pub lead: String,
    pub by: String,
    pub at: Timestamp,
}
