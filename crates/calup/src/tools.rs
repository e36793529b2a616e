//! What the assistant can do: one list, from which chat, MCP, HTTP and command line derive. A tool reads, or it proposes:
//! none carries out a change by itself.

mod answers;
mod availability;
mod book;
mod booking_link;
mod brief;
mod cancel;
mod event_types;
mod find_person;
mod free_times;
mod input;
mod link_for_person;
mod one_off_link;
mod people;
mod place;
mod reschedule;
mod said;
mod seats;
mod shown;
mod upcoming;

use std::fmt;
use std::sync::Arc;

use domain::outcome::Failure;
use domain::text::one_line;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::app::App;
use crate::calcom::Account;
use crate::proposals::{self, Proposal};
use crate::{clock, hosts};

pub use input::Input;

/// A tool of the assistant's.
#[async_trait::async_trait]
pub trait Tool: Send + Sync {
    fn name(&self) -> &'static str;
    /// For people.
    fn title(&self) -> &'static str;
    /// For the model: what it is for, and what to do with the result.
    fn description(&self) -> &'static str;
    /// JSON Schema of an object.
    fn input_schema(&self) -> Value;
    /// What it would change outside; it only proposes to.
    fn proposes(&self) -> bool {
        false
    }
    async fn call(&self, desk: &Desk<'_>, input: &Input) -> Answer;
    /// Carries out what was proposed and confirmed; given the arguments as they were proposed.
    async fn carry_out(&self, _desk: &Desk<'_>, _arguments: &Value) -> Answer {
        Err(Trouble::ours("this tool proposes nothing"))
    }
}

/// Of a result: a model reads all of it.
const RESULT_CHARS_MAX: usize = 40_000;
/// A person reads all of what is proposed.
const SUMMARY_CHARS_MAX: usize = 4_000;

pub const TOOLS: [&dyn Tool; 12] = [
    &event_types::EventTypes,
    &availability::Availability,
    &booking_link::BookingLink,
    &find_person::FindPerson,
    &link_for_person::LinkForPerson,
    &free_times::FreeTimes,
    &upcoming::Upcoming,
    &brief::Brief,
    &book::Book,
    &reschedule::Reschedule,
    &cancel::Cancel,
    &one_off_link::OneOff,
];

pub type Answer = Result<Value, Trouble>;

/// Where a tool works: for whom, when, and with what.
pub struct Desk<'a> {
    pub app: &'a App,
    pub by: &'a By,
    pub now: Timestamp,
}

/// Who uses a tool.
#[derive(Debug, Clone)]
pub struct By {
    /// A token's name, `mcp`, `terminal`.
    pub name: String,
}

/// Why a tool gives no result: for the model, and for people.
#[derive(Debug, Clone, PartialEq)]
pub struct Trouble {
    pub blame: Blame,
    pub error: String,
    pub hint: Option<String>,
    /// What helps to go on, such as the names nearest to one that there is not.
    pub more: Option<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// What was asked for cannot be.
    Input,
    /// What was asked about is not there.
    NotThere,
    /// A setting is missing.
    Setup,
    /// Cal.com or ClickUp does not do it: a time that is gone, an answer that is missing.
    Refused,
    /// Cal.com or ClickUp.
    Vendor,
    /// It was sent, and the answer was lost: it may be done.
    Unknown,
    Ours,
}

impl Trouble {
    pub fn input(error: impl Into<String>, hint: &str) -> Self {
        Self::of(Blame::Input, error, hint)
    }

    pub fn not_there(error: impl Into<String>, hint: &str) -> Self {
        Self::of(Blame::NotThere, error, hint)
    }

    pub fn setup(error: impl Into<String>, hint: &str) -> Self {
        Self::of(Blame::Setup, error, hint)
    }

    pub fn ours(error: impl Into<String>) -> Self {
        Self::of(Blame::Ours, error, "the server's log says why")
    }

    fn of(blame: Blame, error: impl Into<String>, hint: &str) -> Self {
        Self {
            blame,
            error: error.into(),
            hint: Some(hint.to_owned()),
            more: None,
        }
    }

    /// Whether it is certain that nothing was changed, and the same may go well later.
    pub fn is_undone(&self) -> bool {
        match self.blame {
            Blame::Setup | Blame::Vendor => true,
            Blame::Input | Blame::NotThere | Blame::Refused | Blame::Unknown | Blame::Ours => false,
        }
    }

    #[must_use]
    pub fn with(mut self, more: Value) -> Self {
        self.more = Some(more);
        self
    }

    pub fn json(&self) -> Value {
        let mut body = json!({ "error": self.error });
        if let Some(hint) = &self.hint {
            body["hint"] = hint.as_str().into();
        }
        if let (Some(Value::Object(more)), Some(body)) = (self.more.clone(), body.as_object_mut()) {
            body.extend(more);
        }
        body
    }
}

/// In one sentence.
impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.error)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        let (blame, hint) = match &failure {
            Failure::NeedsOperator { hint, .. } => (Blame::Setup, Some(hint.clone())),
            Failure::Gone { .. } => (Blame::NotThere, None),
            Failure::Refused { .. } => (
                Blame::Refused,
                Some(
                    "it was not done: change what is asked for, or look again what is free"
                        .to_owned(),
                ),
            ),
            Failure::Limited { until, .. } => {
                let left = until.duration_since(clock::now()).as_secs().max(1);
                let hint = format!("no more requests are allowed for now: try again in {left} s");
                (Blame::Vendor, Some(hint))
            }
            Failure::Transient { .. } => (Blame::Vendor, Some("try again in a moment".to_owned())),
            Failure::Unknown { .. } => (
                Blame::Unknown,
                Some("look there before doing it again".to_owned()),
            ),
        };
        let error = match &failure {
            Failure::NeedsOperator { what, .. } => format!("could not {what}"),
            other => other.to_string(),
        };
        Self {
            blame,
            error,
            hint,
            more: None,
        }
    }
}

impl From<store::Error> for Trouble {
    fn from(error: store::Error) -> Self {
        tracing::error!(%error, "a tool could not use the database");
        Self::ours("the database could not be used")
    }
}

impl Desk<'_> {
    pub fn account(&self) -> Result<Arc<Account>, Trouble> {
        self.app.calcom().ok_or_else(|| {
            Trouble::setup(
                "Cal.com is not connected",
                "set CALCOM_API_KEY to a key from Cal.com (Settings → Developer → API keys), or CALCOM_CLIENT_ID to connect by OAuth",
            )
        })
    }

    pub fn profile(&self) -> &str {
        &self.app.config.profile.name
    }

    /// What others are told, as it is shown to whoever confirms it: nothing else is sent.
    pub fn sayable(&self, words: &str) -> String {
        hosts::links(self.app).cleaned(words)
    }

    /// Nothing is changed until a person confirms it, and has seen all of it.
    pub async fn propose(&self, tool: &dyn Tool, arguments: Value, summary: String) -> Answer {
        let summary = one_line(&hosts::links(self.app).cleaned(&summary), usize::MAX);
        if summary.chars().count() > SUMMARY_CHARS_MAX {
            return Err(Trouble::input(
                "it is too long to be shown to whoever confirms it",
                "shorten the notes and answers",
            ));
        }
        let proposal = Proposal::new(tool.name(), arguments, summary, &self.by.name, self.now);
        proposals::keep(self.app, &proposal).await?;
        Ok(proposal.shown())
    }
}

pub fn tool(name: &str) -> Result<&'static dyn Tool, Trouble> {
    let found = TOOLS.into_iter().find(|tool| tool.name() == name);
    found.ok_or_else(|| {
        let names: Vec<&str> = TOOLS.iter().map(|tool| tool.name()).collect();
        let hint = format!("one of {}", names.join(", "));
        Trouble::not_there(format!("there is no tool `{name}`"), &hint)
    })
}

/// Whatever the arguments are, in bounded time.
pub async fn call(app: &App, by: &By, name: &str, arguments: &Value) -> Answer {
    let tool = tool(name)?;
    let input = Input::of(arguments, &tool.input_schema())?;
    let desk = Desk {
        app,
        by,
        now: clock::now(),
    };
    let patience = std::time::Duration::from_secs(60);
    let answered = tokio::time::timeout(patience, tool.call(&desk, &input)).await;
    let answer = answered.unwrap_or_else(|_| {
        Err(Trouble::of(
            Blame::Vendor,
            "it took longer than a minute",
            "try again with less: fewer days, or one event type",
        ))
    })?;
    said::within(answer, RESULT_CHARS_MAX).ok_or_else(|| {
        Trouble::input(
            "the result is too long",
            "ask for less: fewer days, or one person",
        )
    })
}

/// In the Messages API's shape.
pub fn schemas() -> Vec<Value> {
    let schema = |tool: &dyn Tool| {
        json!({
            "name": tool.name(), "description": tool.description(), "input_schema": tool.input_schema(),
        })
    };
    TOOLS.into_iter().map(schema).collect()
}
