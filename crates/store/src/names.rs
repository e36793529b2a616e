//! How times and states are written in a column, and read back.

use domain::effect::{Kind, State};
use jiff::Timestamp;

use crate::rows::{Closed, QuestionState, Status};
use crate::{Error, Result};

/// Microseconds: what is finer is cut off.
pub fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

pub fn time(micros: i64) -> Result<Timestamp> {
    Timestamp::from_microsecond(micros)
        .map_err(|e| Error::Other(format!("a stored time is out of range: {e}")))
}

pub fn status(name: &str) -> Result<Status> {
    Status::parse(name).ok_or_else(|| unknown("status", name))
}

pub fn effect_kind(name: &str) -> Result<Kind> {
    [Kind::Create, Kind::Write, Kind::Comment, Kind::BlockComment]
        .into_iter()
        .find(|k| k.name() == name)
        .ok_or_else(|| unknown("kind of effect", name))
}

pub fn effect_state(name: &str) -> Result<State> {
    use State::{Absent, Applied, Attempting, Dead, Operator, Unknown};
    [Attempting, Applied, Unknown, Absent, Dead, Operator]
        .into_iter()
        .find(|s| s.name() == name)
        .ok_or_else(|| unknown("state of an effect", name))
}

pub fn question_state(name: &str) -> Result<QuestionState> {
    QuestionState::parse(name).ok_or_else(|| unknown("state of a question", name))
}

pub fn closed(name: &str) -> Result<Closed> {
    Closed::ALL
        .into_iter()
        .find(|c| c.name() == name)
        .ok_or_else(|| unknown("end of a question", name))
}

fn unknown(what: &str, name: &str) -> Error {
    Error::Other(format!(
        "the {what} `{name}` is not one that this version knows"
    ))
}

/// A column of several words, separated by blanks.
pub fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}
