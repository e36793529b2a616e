//! What the assistant writes down.

use jiff::Timestamp;

/// What a paper is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PaperKind {
    /// What a tool would do once a person says so.
    Proposal,
    /// What was said in a chat.
    Conversation,
    /// A profile's tokens at Cal.com.
    Grant,
    /// Somebody is on the way to consent at Cal.com.
    Consent,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paper {
    pub id: String,
    /// Counted from 1; each writing adds one.
    pub version: i64,
    pub body: Vec<u8>,
    /// It is gone from then on.
    pub until: Option<Timestamp>,
}
