//! The index of leads: what is known of those on the match lists without asking the CRM.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A lead, as far as people are asked about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Indexed {
    pub lead: String,
    pub list_id: String,
    pub list_name: String,
    pub name: String,
    pub emails: Vec<String>,
    pub company: Option<String>,
    pub status: String,
    pub url: Option<String>,
    pub updated_at: Timestamp,
    /// What it is found by, in the clear: the database gets HMACs of it only. The first 48 count.
    pub tokens: Vec<String>,
}

/// How far the index is: what a first fill resumes from, and what is polled from then on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Indexing {
    /// When the fill under way, or the last one, began.
    pub began_at: Option<Timestamp>,
    pub next_page: u32,
    /// When a fill was last complete; until then an unmatched person waits.
    pub filled_at: Option<Timestamp>,
    /// What was updated until then has been seen.
    pub seen_until: Option<Timestamp>,
}
