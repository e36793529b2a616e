//! What a tool would change, written down with its exact arguments, until a person confirms or declines it: once, and soon.
//! A model that has been talked into something can propose, and nothing more.

use jiff::{SignedDuration, Timestamp, Unit};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::rows::{Paper, PaperKind};

use crate::app::App;
use crate::tools::{self, Answer, Blame, By, Desk, Trouble};
use crate::{clock, crash};

/// To be confirmed within this.
const OPEN_FOR: SignedDuration = SignedDuration::from_mins(15);
/// What became of it can be asked for this long.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(24);
/// Nobody is sent back to what ends sooner.
const OPEN_AGAIN_FOR: SignedDuration = SignedDuration::from_mins(1);
/// Carrying it out takes no longer, unless the program ended meanwhile.
const CARRIED_OUT_WITHIN: SignedDuration = SignedDuration::from_mins(1);

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
    #[serde(default)]
    decided_at: Option<Timestamp>,
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
            summary,
            proposed_by: by.to_owned(),
            expires_at: (now + OPEN_FOR).round(Unit::Second).unwrap_or(now),
            state: State::Open,
            result: None,
            decided_by: None,
            decided_at: None,
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
    pub fn told(&self, now: Timestamp) -> Value {
        let state = match self.state {
            State::Open if now >= self.expires_at => "expired",
            state => state.told(),
        };
        json!({
            "id": self.id, "tool": self.tool, "summary": self.summary, "state": state,
            "expires_at": self.expires_at, "proposed_by": self.proposed_by, "decided_by": self.decided_by,
            "result": self.result,
        })
    }

    /// Why it cannot be decided now.
    fn too_late(&self, now: Timestamp) -> Option<String> {
        let is_new = |at: Timestamp| now < at + CARRIED_OUT_WITHIN;
        Some(match self.state {
            State::Open if now < self.expires_at => return None,
            State::Open => "the proposal has expired; ask for it anew".to_owned(),
            State::Confirmed if self.result.is_none() && self.decided_at.is_some_and(is_new) => {
                "it was confirmed a moment ago, and what came of it is not known yet: look again in a minute"
                    .to_owned()
            }
            State::Confirmed => {
                "it was begun already, and what came of it is not known: look at Cal.com".to_owned()
            }
            State::Declined | State::Done | State::Failed => {
                format!("the proposal was decided already: {}", self.state.told())
            }
        })
    }

    /// What kept it from being begun may pass within its time.
    fn reopen(&mut self, mut trouble: Trouble, now: Timestamp) -> Trouble {
        let left = self.expires_at.duration_since(now);
        let hint = trouble.hint.take().unwrap_or_default();
        let then = if left < OPEN_AGAIN_FOR {
            "it has expired by then: ask for it anew".to_owned()
        } else {
            format!("it can be confirmed for another {} min", left.as_mins())
        };
        trouble.hint = Some(format!("{hint}; nothing was done, and {then}"));
        (self.state, self.decided_by, self.decided_at) = (State::Open, None, None);
        trouble
    }

    fn before(&self, now: Timestamp) -> Option<Decided> {
        let mut told = self.told(now);
        told["error"] = self.too_late(now)?.into();
        Some(Decided::Before(told))
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

/// What it would do, and why it cannot be decided any more; `None` where there is none.
pub async fn told(app: &App, id: &str) -> Result<Option<(String, Option<String>)>, store::Error> {
    let read = read(app, id).await?;
    Ok(read.map(|(proposal, _)| {
        let too_late = proposal.too_late(clock::now());
        (proposal.summary, too_late)
    }))
}

/// With its version.
async fn read(app: &App, id: &str) -> Result<Option<(Proposal, i64)>, store::Error> {
    let profile = &app.config.profile.name;
    let kind = PaperKind::Proposal;
    let paper = app.store.paper(profile, kind, id, clock::now()).await?;
    Ok(paper.and_then(|paper| {
        let proposal = serde_json::from_slice(&paper.body).ok()?;
        Some((proposal, paper.version))
    }))
}

/// How a decision ended.
pub enum Decided {
    /// Carried out, or declined: what became of it.
    Now(Value),
    NoSuch,
    /// Somebody was first, or it is too late: as it stands, with an `error`.
    Before(Value),
    Failed(Trouble),
}

/// Of any number of decisions, on any replica, one counts.
pub async fn decide(app: &App, id: &str, confirm: bool, by: &By) -> Result<Decided, store::Error> {
    let Some((mut proposal, version)) = read(app, id).await? else {
        return Ok(Decided::NoSuch);
    };
    let now = clock::now();
    if let Some(before) = proposal.before(now) {
        return Ok(before);
    }
    proposal.decided_by = Some(by.name.clone());
    proposal.decided_at = Some(now);
    proposal.state = if confirm {
        State::Confirmed
    } else {
        State::Declined
    };
    // Begun at most once, whatever happens from here on.
    let Some(version) = write(app, &proposal, version).await? else {
        let first = read(app, id).await?;
        let before = first.and_then(|(first, _)| first.before(now));
        return Ok(before.unwrap_or(Decided::NoSuch));
    };
    if !confirm {
        return Ok(Decided::Now(proposal.told(now)));
    }
    crash::at("confirmed");
    let answer = match carry_out(app, by, &proposal).await {
        Err(trouble) if trouble.is_undone() => {
            let told = proposal.reopen(trouble, clock::now());
            write(app, &proposal, version).await?;
            return Ok(Decided::Failed(told));
        }
        answer => answer,
    };
    proposal.state = match &answer {
        Ok(_) => State::Done,
        // Whoever asks again hears that it may be done.
        Err(trouble) if trouble.blame == Blame::Unknown => State::Confirmed,
        Err(_) => State::Failed,
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
        Ok(_) => Decided::Now(proposal.told(now)),
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
