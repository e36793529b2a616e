//! One remote change with a deterministic key and a journalled state (docs/effects, protocol P6).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A new lead: made at most once.
    Create,
    /// Status and description of a lead: a register, compared with what is there.
    Write,
    /// A comment: said at most once.
    Comment,
    /// The comment that holds the block while the description cannot: made once, then edited.
    BlockComment,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Write => "write",
            Self::Comment => "comment",
            Self::BlockComment => "block_comment",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Committed before the first byte was sent.
    Attempting,
    Applied,
    /// Sent, answer lost: looked up before it is sent again.
    Unknown,
    /// Certainly not applied: may be sent again.
    Absent,
    Dead,
    /// Still unknown after 24 h of an answering CRM: a person must look.
    Operator,
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            Self::Attempting => "attempting",
            Self::Applied => "applied",
            Self::Unknown => "unknown",
            Self::Absent => "absent",
            Self::Dead => "dead",
            Self::Operator => "operator",
        }
    }
}

/// A journal row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// Hex; depends on profile, change, target and kind only.
    pub key: String,
    pub profile: String,
    /// The change's key.
    pub change: String,
    /// The lead's id, or (for a create) the person.
    pub target: String,
    pub kind: Kind,
    pub state: State,
    /// What was sent, as JSON of the kind's own type.
    pub desired: String,
    /// The description as read before it was replaced; of a create, the one that another attempt sent.
    pub pre_image: Option<String>,
    /// The status as read before it was moved; of a create likewise.
    pub status_before: Option<String>,
    pub epoch: i64,
    pub attempt: u32,
    pub marker: String,
    pub remote_id: Option<String>,
    pub reason: Option<String>,
    pub first_sent_at: Timestamp,
    pub last_sent_at: Timestamp,
    /// Look-ups since the last send that found nothing.
    pub negatives: u32,
    pub last_probe_at: Option<Timestamp>,
    /// Causes that it was amended for.
    pub amended: Vec<crate::outcome::Cause>,
}
