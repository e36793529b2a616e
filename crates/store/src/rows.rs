//! The rows that people and the program look at. Plain data.

mod asked;
mod hook;
mod indexed;
mod paper;
mod profile;

use std::time::Duration;

use domain::change::Change;
use domain::effect::Effect;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use self::asked::{
    Alias, Answer, Answered, Candidate, Closed, Given, Message, NewQuestion, Question,
    QuestionFilter, QuestionState,
};
pub use self::hook::Hook;
pub use self::indexed::{Indexed, Indexing};
pub use self::paper::{Paper, PaperKind};
pub use self::profile::{DEFAULT_PROFILE, Place, ProfileRow, Resealed, SECRETS};

#[derive(Debug, Clone)]
pub struct NewDelivery {
    pub profile: String,
    pub received_at: Timestamp,
    pub body: Vec<u8>,
    /// Hex SHA-256 of the body.
    pub sha256: String,
    /// Content-Type and webhook version, as sent.
    pub headers: Vec<(String, String)>,
    /// Which of the secrets verified it, counted from 0.
    pub secret_index: usize,
}

/// How far a delivery or a change is (behaviour §7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Pending,
    Running,
    Waiting,
    Held,
    Done,
    Skipped,
    Ignored,
    Duplicate,
    Quarantined,
    Dead,
}

impl Status {
    pub const ALL: [Self; 10] = [
        Self::Pending,
        Self::Running,
        Self::Waiting,
        Self::Held,
        Self::Done,
        Self::Skipped,
        Self::Ignored,
        Self::Duplicate,
        Self::Quarantined,
        Self::Dead,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Held => "held",
            Self::Done => "done",
            Self::Skipped => "skipped",
            Self::Ignored => "ignored",
            Self::Duplicate => "duplicate",
            Self::Quarantined => "quarantined",
            Self::Dead => "dead",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name() == name)
    }

    /// It was read as nothing, or not at all: replayed, it is read again.
    pub fn is_misread(self) -> bool {
        [Self::Quarantined, Self::Ignored, Self::Duplicate].contains(&self)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub id: String,
    pub profile: String,
    pub received_at: Timestamp,
    pub trigger: Option<String>,
    pub uid: Option<String>,
    pub status: Status,
    pub reason: Option<String>,
    pub sha256: String,
    pub headers: Vec<(String, String)>,
    /// How often reading it was begun.
    pub attempts: u32,
    /// Empty in listings, as the headers are.
    pub body: Vec<u8>,
}

/// What a delivery was read as.
#[derive(Debug, Clone)]
pub enum Reading {
    Changes {
        trigger: String,
        uid: String,
        changes: Vec<Change>,
    },
    Ended {
        trigger: Option<String>,
        uid: Option<String>,
        status: Status,
        reason: String,
    },
}

/// A change with its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub profile: String,
    /// Unique for the profile: `Store::person_key` of `Change::base_key()` (with `#n` when a value came
    /// back), because a base key may hold an address.
    pub key: String,
    pub delivery_id: String,
    /// `Store::person_key` of the change's identity.
    pub person: String,
    pub change: Change,
    pub status: Status,
    pub reason: Option<String>,
    pub attempts: u32,
    /// When first tried; the 24 h of trying count from here.
    pub first_tried_at: Option<Timestamp>,
    /// How the lead was found, and why, for people.
    pub why: Vec<String>,
    pub lead: Option<String>,
}

/// What became of asking for the lease of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lease {
    /// Granted, or made to last again. The epoch is one more at each grant to somebody else.
    Held { epoch: i64 },
    Theirs {
        owner: String,
        /// It ends then, unless its holder makes it last again.
        left: Duration,
    },
}

/// A change that this process works on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub stored: Stored,
    pub epoch: i64,
}

#[derive(Debug, Clone)]
pub struct Ended {
    pub status: Status,
    pub reason: Option<String>,
    pub why: Vec<String>,
    pub lead: Option<String>,
}

/// What was done, and to whom: written whole or not at all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Record {
    pub effects: Vec<Effect>,
    pub links: Vec<Link>,
    /// By lead.
    pub registers: Vec<(String, Register)>,
}

impl Record {
    pub fn is_empty(&self) -> bool {
        self.effects.is_empty() && self.links.is_empty() && self.registers.is_empty()
    }
}

/// Ties a chain token (a booking's uid, or a seat) or a person to a lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// `chain:<token>` or `person:<key>`.
    pub token: String,
    pub lead: String,
    /// "made by calup", "e-mail", …
    pub how: String,
    /// The lead was found deleted.
    pub gone: bool,
    /// Of a chain: this meeting is the lead's, and its person need not be.
    #[serde(default)]
    pub only: bool,
}

/// What calup last did to a lead: the memory that the guards need.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Register {
    /// The status that we set last, as the list spells it.
    pub status_set: Option<String>,
    /// We have written our block into this lead's description.
    pub block_written: bool,
    /// A person took the block out: neither it nor a substitute comes back.
    pub block_removed: bool,
    /// The comment that holds the block while the description cannot.
    pub block_comment: Option<String>,
    /// What that comment last said.
    pub block_comment_text: Option<String>,
    /// A status that a person had set was there when we set ours: nothing else shows any more that they were here.
    pub worked_on: bool,
    /// Whose meetings calup has shown there (`Store::person_key`), [`PEOPLE_MAX`] at most: several addresses may be one
    /// lead's.
    pub people: Vec<String>,
}

pub const PEOPLE_MAX: usize = 16;

/// So long an effect in doubt is looked after.
pub const DOUBTED_FOR: Duration = Duration::from_secs(24 * 3_600);

/// An effect whose answer was lost once, or whose sender may still be alive: its object may turn up a second time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    pub profile: String,
    /// The effect's key.
    pub effect: String,
    /// The change's key.
    pub change: String,
    pub until: Timestamp,
    /// When it is looked at next.
    pub due: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    pub reason: String,
    pub since: Timestamp,
}

#[derive(Debug, Clone, Default)]
pub struct DeliveryFilter {
    /// Of all profiles where none is named.
    pub profile: Option<String>,
    pub status: Option<Status>,
    pub uid: Option<String>,
    pub sha256: Option<String>,
    pub limit: usize,
    /// Only those older than this delivery id.
    pub after: Option<String>,
}

const LISTED_DEFAULT: usize = 50;
/// One more than a page shows, so that it is known whether there is a next one.
const LISTED_MAX: usize = 501;

impl DeliveryFilter {
    pub fn rows(&self) -> usize {
        listed(self.limit)
    }
}

/// How many rows a page has; 0 is the default.
fn listed(limit: usize) -> usize {
    if limit == 0 {
        LISTED_DEFAULT
    } else {
        limit.min(LISTED_MAX)
    }
}

#[derive(Debug, Clone, Default)]
pub struct Proof {
    pub deliveries: Vec<Delivery>,
    pub changes: Vec<Stored>,
    pub links: Vec<Link>,
    pub effects: Vec<Effect>,
    /// Those that held one of the changes.
    pub questions: Vec<Question>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    pub by_status: Vec<(Status, u64)>,
}

impl Counts {
    /// From what the database counted; every status is told, also of none.
    pub fn of(counted: &[(String, i64)]) -> Self {
        let count = |status: Status| {
            counted
                .iter()
                .find(|(name, _)| name == status.name())
                .map_or(0, |(_, n)| *n as u64)
        };
        Self {
            by_status: Status::ALL
                .into_iter()
                .map(|status| (status, count(status)))
                .collect(),
        }
    }
}

/// The same cause is told once in this time.
const TOLD_EVERY: SignedDuration = SignedDuration::from_hours(1);
pub const NOTICES_MAX: usize = 500;

/// A time that is yet to come is from a clock that ran ahead.
pub fn is_just_told(told_at: Option<Timestamp>, now: Timestamp) -> bool {
    told_at.is_some_and(|told| told <= now && now.duration_since(told) < TOLD_EVERY)
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    pub profile: String,
    /// A stable name for the cause, such as `status-missing:<list>:<name>`.
    pub cause: String,
    pub text: String,
    pub hint: String,
    pub first_at: Timestamp,
    pub last_at: Timestamp,
    pub count: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub id: String,
    pub name: String,
    /// Whom it acts for.
    pub profile: String,
    pub scope: String,
    /// Hex SHA-256; the token itself is never stored.
    pub hash: String,
    pub created_at: Timestamp,
}

/// How a delivery stands, given its changes. On the way: whatever is furthest from done, and what a person has to
/// answer before what goes on by itself; ended: the weightiest end.
pub fn verdict(changes: &[Status]) -> Status {
    use Status::{
        Dead, Done, Duplicate, Held, Ignored, Pending, Quarantined, Running, Skipped, Waiting,
    };
    for status in [
        Running,
        Held,
        Waiting,
        Pending,
        Dead,
        Quarantined,
        Done,
        Skipped,
        Ignored,
    ] {
        if changes.contains(&status) {
            return status;
        }
    }
    Duplicate
}

/// How a delivery stands, and the reason that goes with it.
pub fn standing(changes: Vec<(Status, Option<String>)>) -> (Status, Option<String>) {
    let statuses: Vec<Status> = changes.iter().map(|(status, _)| *status).collect();
    let status = verdict(&statuses);
    let reason = changes
        .into_iter()
        .filter(|(of, _)| *of == status)
        .find_map(|(_, reason)| reason);
    (status, reason)
}
