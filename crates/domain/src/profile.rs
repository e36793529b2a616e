//! One connected user's settings, as far as decisions depend on them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::event::Trigger;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    pub name: String,
    pub match_list_ids: Vec<String>,
    pub inbound_list_id: String,
    pub status_booked: Option<String>,
    pub status_cancelled: Option<String>,
    pub status_requested: Option<String>,
    pub status_no_show: Option<String>,
    pub status_keep: Vec<String>,
    pub status_reopen: Vec<String>,
    /// Lower-case domains whose people are ours; a leading `@` or `.` is dropped.
    pub internal_domains: Vec<String>,
    pub guests: Guests,
    /// By a trigger's vendor name, where it is not [`Parts::usual`].
    pub on: BTreeMap<String, Parts>,
    /// Templates for the wording of comments, by a trigger's vendor name.
    pub texts: BTreeMap<String, String>,
}

/// What is written for a trigger.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parts {
    pub status: bool,
    pub block: bool,
    pub comment: bool,
}

impl Parts {
    pub const OFF: Self = Self {
        status: false,
        block: false,
        comment: false,
    };

    /// The table of what is written, as long as nobody changed it. A status without a name moves nothing.
    pub fn usual(trigger: &Trigger) -> Self {
        match trigger {
            Trigger::Created
            | Trigger::Rescheduled
            | Trigger::Cancelled
            | Trigger::Requested
            | Trigger::Rejected => Self {
                status: true,
                block: true,
                comment: true,
            },
            Trigger::NoShowUpdated | Trigger::HostsNoShow | Trigger::GuestsNoShow => Self {
                status: true,
                block: false,
                comment: true,
            },
            Trigger::PaymentInitiated | Trigger::Paid => Self {
                status: false,
                block: false,
                comment: true,
            },
            Trigger::LocationUpdated
            | Trigger::RecordingReady
            | Trigger::TranscriptReady
            | Trigger::Reassigned => Self {
                status: false,
                block: true,
                comment: true,
            },
            Trigger::MeetingStarted
            | Trigger::MeetingEnded
            | Trigger::FormSubmitted
            | Trigger::FormSubmittedNoEvent
            | Trigger::FormFallback
            | Trigger::Ping
            | Trigger::Other(_) => Self::OFF,
        }
    }

    pub fn is_off(self) -> bool {
        self == Self::OFF
    }
}

impl Profile {
    pub fn parts(&self, trigger: &Trigger) -> Parts {
        let set = self.on.get(trigger.name()).copied();
        set.unwrap_or_else(|| Parts::usual(trigger))
    }

    /// Whether calup ever gives a lead this status.
    pub fn sets(&self, status: &str) -> bool {
        let own = [
            &self.status_booked,
            &self.status_cancelled,
            &self.status_requested,
            &self.status_no_show,
        ];
        let folded = status.trim().to_lowercase();
        let mut own = own.into_iter().flatten();
        own.any(|own| own.trim().to_lowercase() == folded)
    }
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
            status_no_show: None,
            status_keep: Vec::new(),
            status_reopen: Vec::new(),
            internal_domains: Vec::new(),
            guests: Guests::Ignore,
            on: BTreeMap::new(),
            texts: BTreeMap::new(),
        }
    }
}
