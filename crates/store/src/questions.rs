//! How a question, its answer and an alias are kept and read back, whatever the database.

use domain::change::fold_email;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::names::{self, micros, time};
use crate::rows::{Alias, Answer, Answered, Given, Message, NewQuestion, Question, QuestionState};
use crate::vault::Vault;
use crate::{Error, Result};

/// Of one person.
pub const ASKED_MAX: usize = 50;
/// Whose deliveries a question tells.
pub const DELIVERIES_MAX: usize = 1_000;
pub const ALIASES_MAX: usize = 10_000;
/// What the message of a question shows while nobody knows whether there is one.
pub const POSTING: &str = "posting";

pub fn seal(vault: &Vault, id: &str, question: &NewQuestion) -> Vec<u8> {
    vault.seal_json("question", "body", id, question)
}

/// For people, at each change that a question holds.
pub fn held_by(question: &str) -> String {
    format!("a person is asked who this is (question {question})")
}

#[derive(Serialize, Deserialize)]
struct SealedAnswer {
    answer: Answer,
    by: String,
}

pub fn seal_answer(vault: &Vault, id: &str, answer: &Answer, by: &str) -> Vec<u8> {
    let sealed = SealedAnswer {
        answer: answer.clone(),
        by: by.to_owned(),
    };
    vault.seal_json("question", "given", id, &sealed)
}

/// A question as its row says, sealed.
pub struct Kept {
    pub id: String,
    pub profile: String,
    pub person: String,
    pub state: String,
    pub closes_at: i64,
    pub body: Vec<u8>,
    pub given: Option<Vec<u8>>,
    pub answered_at: Option<i64>,
    pub closed: Option<String>,
    pub closed_at: Option<i64>,
    pub channel: Option<String>,
    pub message_ts: Option<String>,
    pub shown_state: Option<String>,
}

impl Kept {
    pub fn state(&self) -> Result<QuestionState> {
        names::question_state(&self.state)
    }

    pub fn asked(&self, vault: &Vault) -> Result<NewQuestion> {
        vault.open_json("question", "body", &self.id, &self.body)
    }

    pub fn given(&self, vault: &Vault) -> Result<Option<Given>> {
        let (Some(sealed), Some(at)) = (&self.given, self.answered_at) else {
            return Ok(None);
        };
        let SealedAnswer { answer, by } = vault.open_json("question", "given", &self.id, sealed)?;
        let at = time(at)?;
        Ok(Some(Given { answer, by, at }))
    }

    /// What becomes of an answer to it as it is now.
    pub fn takes(&self, vault: &Vault) -> Result<Answered> {
        Ok(match self.state()? {
            QuestionState::Open => Answered::First,
            QuestionState::Closed => Answered::Late,
            QuestionState::Answered => {
                let lost = || Error::Other(format!("the answer to question {} is lost", self.id));
                Answered::Before(self.given(vault)?.ok_or_else(lost)?)
            }
        })
    }

    /// `deliveries`: whether each is still held.
    pub fn opened(self, vault: &Vault, deliveries: Vec<(String, bool)>) -> Result<Question> {
        let state = self.state()?;
        let asked = NewQuestion {
            closes_at: time(self.closes_at)?,
            ..self.asked(vault)?
        };
        let given = self.given(vault)?;
        let closed = match (&self.closed, self.closed_at) {
            (Some(why), Some(at)) => Some((names::closed(why)?, time(at)?)),
            _ => None,
        };
        let may_be_posted = self.channel.is_none() && self.shown_state.as_deref() == Some(POSTING);
        let message = match (self.channel, self.message_ts, self.shown_state) {
            (Some(channel), Some(ts), Some(shows)) => Some(Message {
                channel,
                ts,
                shows: names::question_state(&shows)?,
            }),
            _ => None,
        };
        let is_held = |(id, is_held): &(String, bool)| is_held.then(|| id.clone());
        Ok(Question {
            id: self.id,
            profile: self.profile,
            person: self.person,
            state,
            asked,
            given,
            closed,
            held: deliveries.iter().filter_map(is_held).collect(),
            deliveries: deliveries.into_iter().map(|(id, _)| id).collect(),
            may_be_posted,
            message,
        })
    }

    /// The alias that an answer teaches. A question that cannot be opened teaches none, and is answered all the same.
    pub fn teaches(
        &self,
        vault: &Vault,
        answer: &Answer,
        by: &str,
        now: Timestamp,
    ) -> Result<Option<Alias>> {
        let Answer::Person(lead) = answer else {
            return Ok(None);
        };
        let asked = unless_damaged(&self.id, self.asked(vault))?;
        Ok(asked.and_then(|asked| asked.email).map(|email| Alias {
            email,
            lead: lead.clone(),
            by: by.to_owned(),
            at: now,
        }))
    }
}

/// One that cannot be opened is told, and in nobody's way.
pub fn unless_damaged<T>(id: &str, opened: Result<T>) -> Result<Option<T>> {
    match opened {
        Ok(opened) => Ok(Some(opened)),
        Err(Error::Other(why)) => {
            tracing::warn!(question.id = id, %why, "a question is left out: it cannot be opened");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// An alias as its row will be.
pub struct KeptAlias {
    pub email: String,
    pub lead: String,
    pub at: i64,
    pub body: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct SealedAlias {
    email: String,
    by: String,
}

pub fn blind_email(vault: &Vault, profile: &str, email: &str) -> String {
    vault.blind(profile, &format!("alias:{}", fold_email(email)))
}

impl KeptAlias {
    pub fn of(vault: &Vault, profile: &str, alias: &Alias) -> Self {
        let email = blind_email(vault, profile, &alias.email);
        let sealed = SealedAlias {
            email: alias.email.clone(),
            by: alias.by.clone(),
        };
        Self {
            body: vault.seal_json("alias", "body", &format!("{profile}/{email}"), &sealed),
            email,
            lead: alias.lead.clone(),
            at: micros(alias.at),
        }
    }

    pub fn opened(self, vault: &Vault, profile: &str) -> Result<Option<Alias>> {
        let place = format!("{profile}/{}", self.email);
        let opened = vault.open_json("alias", "body", &place, &self.body);
        if let Err(why) = &opened {
            tracing::warn!(%why, "an alias is left out: it cannot be opened");
        }
        let Ok(SealedAlias { email, by }) = opened else {
            return Ok(None);
        };
        let at = time(self.at)?;
        Ok(Some(Alias {
            email,
            lead: self.lead,
            by,
            at,
        }))
    }
}
