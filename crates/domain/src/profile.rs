//! One connected user's settings, as far as decisions depend on them.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    pub name: String,
    pub match_list_ids: Vec<String>,
    pub inbound_list_id: String,
    pub status_booked: Option<String>,
    pub status_cancelled: Option<String>,
    pub status_requested: Option<String>,
    pub status_keep: Vec<String>,
    pub status_reopen: Vec<String>,
    /// Lower-case domains whose people are ours; a leading `@` or `.` is dropped.
    pub internal_domains: Vec<String>,
    pub guests: Guests,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Guests {
    Ignore,
    Match,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            name: "default".into(),
            match_list_ids: Vec::new(),
            inbound_list_id: String::new(),
            status_booked: Some("Meeting Booked".into()),
            status_cancelled: Some("Meeting Cancelled".into()),
            status_requested: None,
            status_keep: Vec::new(),
            status_reopen: Vec::new(),
            internal_domains: Vec::new(),
            guests: Guests::Ignore,
        }
    }
}
