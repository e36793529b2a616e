//! What a tool would change, written down with its exact arguments, until a person confirms or declines it: once, and soon.
//! A model that has been talked into something can propose, and nothing more.

use domain::text;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::rows::{Paper, PaperKind};

use crate::app::App;
use crate::tools::{self, Answer, By, Desk, Trouble};
use crate::{clock, crash};

/// To be confirmed within this.
const OPEN_FOR: SignedDuration = SignedDuration::from_mins(15);
/// What became of it can be asked for this long.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(24);
const SUMMARY_CHARS_MAX: usize = 1_500;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Proposal {
    pub id: String,
    pub tool: String,
    arguments: Value,
    pub summary: String,
    proposed_by: String,
    pub expires_at: Timestamp,
    state: State,
    /// What came of it.
    result: Option<Value>,
    decided_by: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Open,
    Declined,
    /// Begun: what came of it is not known unless it says `Done` or `Failed`.
    Confirmed,
    Done,
    Failed,
}

impl State {
    fn told(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Declined => "declined",
            Self::Confirmed => "confirmed",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

impl Proposal {
    pub fn new(tool: &str, arguments: Value, summary: String, by: &str, now: Timestamp) -> Self {
        Self {
            // Nobody can guess it.
            id: format!("p_{}", hex::encode(&clock::secret()[..16])),
            tool: tool.to_owned(),
            arguments,
            summary: text::one_line(&summary, SUMMARY_CHARS_MAX),
            proposed_by: by.to_owned(),
            expires_at: now + OPEN_FOR,
            state: State::Open,
            result: None,
            decided_by: None,
        }
    }

    /// For the model: names and titles in the summary are others' words.
    pub fn shown(&self) -> Value {
        let summary = json!({ "written_by_others": self.summary });
        json!({
            "proposal": { "id": self.id, "tool": self.tool, "summary": summary, "expires_at": self.expires_at },
            "next": "nothing is done yet: the user has to confirm this proposal themselves",
        })
    }

    /// For people.
    pub fn told(&self) -> Value {
        json!({
            "id": self.id, "tool": self.tool, "summary": self.summary, "state": self.state.told(),
            "expires_at": self.expires_at, "proposed_by": self.proposed_by, "decided_by": self.decided_by,
            "result": self.result,
        })
    }
}

/// What a tool's result proposes, as people are asked.
pub fn for_people(result: &Value) -> Option<Value> {
    let mut proposal = result.get("proposal")?.clone();
    let summary = proposal["summary"]["written_by_others"].take();
    proposal["summary"] = summary;
    Some(proposal)
}

pub async fn keep(app: &App, proposal: &Proposal) -> Result<(), Trouble> {
    let kept = write(app, proposal, 0).await?;
    kept.map(|_| ())
        .ok_or_else(|| Trouble::ours("the proposal was made already"))
}

/// `None` where there is none.
pub async fn told(app: &App, id: &str) -> Result<Option<Value>, store::Error> {
    let (profile, now) = (&app.config.profile.name, clock::now());
    let paper = app
        .store
        .paper(profile, PaperKind::Proposal, id, now)
        .await?;
    let proposal = paper.and_then(|paper| serde_json::from_slice::<Proposal>(&paper.body).ok());
    Ok(proposal.map(|proposal| proposal.told()))
}

/// How a decision ended.
pub enum Decided {
    /// Carried out, or declined: what became of it.
    Now(Value),
    NoSuch,
    /// Somebody was first, or it is too late.
    Before(Value),
    Failed(Trouble),
}

/// Of any number of decisions, on any replica, one counts.
pub async fn decide(app: &App, id: &str, confirm: bool, by: &By) -> Result<Decided, store::Error> {
    let now = clock::now();
    let profile = &app.config.profile.name;
    let Some(paper) = app
        .store
        .paper(profile, PaperKind::Proposal, id, now)
        .await?
    else {
        return Ok(Decided::NoSuch);
    };
    let Ok(mut proposal) = serde_json::from_slice::<Proposal>(&paper.body) else {
        return Ok(Decided::NoSuch);
    };
    if proposal.state != State::Open {
        return Ok(Decided::Before(proposal.told()));
    }
    if now >= proposal.expires_at {
        let mut told = proposal.told();
        told["state"] = "expired".into();
        return Ok(Decided::Before(told));
    }
    proposal.decided_by = Some(by.name.clone());
    proposal.state = if confirm {
        State::Confirmed
    } else {
        State::Declined
    };
    // Begun at most once, whatever happens from here on.
    let Some(version) = write(app, &proposal, paper.version).await? else {
        let first = told(app, id).await?;
        return Ok(first.map_or(Decided::NoSuch, Decided::Before));
    };
    if !confirm {
        return Ok(Decided::Now(proposal.told()));
    }
    crash::at("confirmed");
    let answer = carry_out(app, by, &proposal).await;
    proposal.state = if answer.is_ok() {
        State::Done
    } else {
        State::Failed
    };
    proposal.result = Some(match &answer {
        Ok(result) => result.clone(),
        Err(trouble) => trouble.json(),
    });
    write(app, &proposal, version).await?;
    tracing::info!(
        tool = proposal.tool,
        done = answer.is_ok(),
        "a proposal was confirmed"
    );
    Ok(match answer {
        Ok(_) => Decided::Now(proposal.told()),
        Err(trouble) => Decided::Failed(trouble),
    })
}

async fn carry_out(app: &App, by: &By, proposal: &Proposal) -> Answer {
    let tool = tools::tool(&proposal.tool)?;
    let desk = Desk {
        app,
        by,
        now: clock::now(),
    };
    tool.carry_out(&desk, &proposal.arguments).await
}

async fn write(app: &App, proposal: &Proposal, version: i64) -> Result<Option<i64>, store::Error> {
    let paper = Paper {
        id: proposal.id.clone(),
        version,
        body: serde_json::to_vec(proposal).unwrap_or_default(),
        until: Some(proposal.expires_at + KEPT_FOR),
    };
    let profile = &app.config.profile.name;
    app.store
        .write_paper(profile, PaperKind::Proposal, &paper, clock::now())
        .await
}
