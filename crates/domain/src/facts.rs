//! All that a plan may look at. Plain data, so any decision can be replayed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::chain::Shown;
use crate::change::Change;
use crate::effect::Kind;
use crate::lead::{Lead, StatusKind};
use crate::question::Asking;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Everything known that bears on the decision, the change at hand among it.
    pub known: Vec<Known>,
    pub found: Found,
    /// A person said that the lead is the booker's: it may lack the address.
    pub is_said: bool,
    /// Where nobody was found.
    pub asking: Asking,
    pub memory: Memory,
    /// Of the lead's list, or of the inbound list for somebody new: names in the list's spelling.
    pub statuses: Vec<(String, StatusKind)>,
    pub list_name: String,
    /// The change was told already: its comment stands, or its lead was made.
    pub told: bool,
    /// The change moved this lead's status already: planned again, it is not the first to do so any more.
    pub moved_status: bool,
    /// Effects of this change that are dead: planned around.
    pub dead: Vec<Kind>,
    pub comment_marker: String,
    pub create_marker: String,
    /// No field can be set for now (the plan's quota).
    pub no_fields: bool,
    /// Refused before with this status.
    pub no_status: bool,
    /// The inbound list's own type was refused.
    pub plain_type: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    pub change: Change,
    pub shown: Shown,
    /// Finished, and acted on.
    pub done: bool,
    /// It was given up, whatever it had done by then.
    pub given_up: bool,
    /// Finished without a lead to tell it to.
    pub untold: bool,
    /// When work on it began.
    pub tried_at: Option<Timestamp>,
    /// All that it said, or may have said, as it was last sent; `None` where that is not known, or does not matter.
    pub said: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// With how, for people.
    Lead(Box<Lead>, String),
    Nobody,
    /// A person deleted the lead of this chain, and nobody else has the e-mail.
    Deleted,
}

/// What calup last did to the lead.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    pub status_set: Option<String>,
    pub block_written: bool,
    pub block_removed: bool,
    pub block_comment: bool,
    pub block_comment_text: Option<String>,
}
