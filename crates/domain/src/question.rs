//! Asking a person whose record a booker's is, when only names resemble: who is to be asked about, how long, and what an
//! answer means for what is planned. Whether names resemble is not decided here.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub const CANDIDATES_MAX: usize = 5;
/// Who is no lead is skipped for so long.
pub const IGNORED_FOR: SignedDuration = SignedDuration::from_hours(90 * 24);
/// The lead must be there before the meeting …
const BEFORE_MEETING: SignedDuration = SignedDuration::from_mins(60);
/// … but a person has at least so long to answer.
const PATIENCE_MIN: SignedDuration = SignedDuration::from_mins(10);

/// A record that might be the booker's, as it was when it was asked about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    pub lead: String,
    pub name: String,
    pub list: String,
    pub status: String,
    pub email: Option<String>,
    pub url: Option<String>,
    pub updated_at: Timestamp,
    /// What speaks for it, for people.
    pub why: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// All meetings of this booker are this lead's.
    Person(String),
    /// Only the meeting that was asked about.
    Meeting(String),
    New,
    /// Not a lead, for [`IGNORED_FOR`].
    Ignore,
}

impl Answer {
    /// Whether it says who the person is, not only whose one meeting it is.
    pub fn is_of_person(&self) -> bool {
        match self {
            Self::Person(_) | Self::New | Self::Ignore => true,
            Self::Meeting(_) => false,
        }
    }
}

/// For somebody whom nothing but a name ties to a record: what is to be asked, or what came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Asking {
    /// Nobody resembles, or a person said that it is somebody new.
    #[default]
    Settled,
    Ask(Vec<Candidate>),
    /// A question about this person is open.
    Open,
    /// Nobody answered in time.
    Unanswered(Vec<Candidate>),
    /// The meeting was cancelled before anybody answered.
    CalledOff,
    /// A person said so lately.
    NotALead,
    /// Names could not be compared: the index was not there in time.
    NotCompared,
    /// The booking came through a link that was made for this lead, and the booker is somebody else.
    Forwarded(Box<Candidate>),
}

/// When a question closes unanswered.
pub fn closes_at(
    asked_at: Timestamp,
    patience: SignedDuration,
    meeting_at: Timestamp,
) -> Timestamp {
    let after = |span: SignedDuration| asked_at.checked_add(span).unwrap_or(Timestamp::MAX);
    let in_time = meeting_at
        .checked_sub(BEFORE_MEETING)
        .unwrap_or(Timestamp::MIN)
        .max(after(PATIENCE_MIN));
    after(patience).min(in_time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_closes_after_its_hours_or_an_hour_before_the_meeting_and_never_within_ten_minutes()
     {
        let asked = Timestamp::from_second(1_000_000_000).expect("a time");
        let minutes = |n: i64| asked + SignedDuration::from_mins(n);
        let day = SignedDuration::from_hours(24);
        let closes = |hours: SignedDuration, meeting: i64| {
            closes_at(asked, hours, minutes(meeting))
                .duration_since(asked)
                .as_mins()
        };
        assert_eq!(closes(day, 3 * 24 * 60), 24 * 60);
        assert_eq!(closes(day, 5 * 60), 4 * 60);
        assert_eq!(closes(day, 65), 10);
        assert_eq!(closes(day, 30), 10);
        assert_eq!(closes(day, -30), 10);
        assert_eq!(closes(SignedDuration::from_mins(3), 5 * 60), 3);
    }
}
