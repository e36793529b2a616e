//! What is right and wrong with an installation, as a list of findings. It works beside a running server and without
//! one, and with any part missing. Each file below looks at one part of the world and judges it; judging is pure.
//! Printing is the command line's business.

mod calcom;
mod database;
mod disk;
mod hooks;
mod lists;
mod outside;
mod queue;
mod settings;
mod slack;
pub mod trial;
mod workspace;

use domain::outcome::Failure;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::config::{Config, Wrong};
pub use workspace::Ground;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub check: &'static str,
    pub state: State,
    /// A sentence without a full stop.
    pub says: String,
    /// What to do, where there is something.
    pub fix: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Ok,
    Warn,
    Fail,
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// All findings, and what a probe would stand on, if ClickUp is in order that far.
pub async fn examine(
    config: Result<Config, Wrong>,
    now: Timestamp,
) -> (Vec<Finding>, Option<Ground>) {
    let config = match config {
        Ok(config) => config,
        Err(wrong) => {
            let fix = "correct it; `calup config` prints every setting with its default";
            return (vec![fail("settings", wrong.to_string(), fix)], None);
        }
    };
    let mut findings = settings::judge(&config);
    findings.extend(outside::examine(&config).await);
    let (seen, store) = database::examine(&config, now).await;
    findings.extend(seen);
    findings.push(calcom::examine(&config, store.as_ref()).await);
    findings.extend(slack::examine(&config).await);
    let (seen, ground) = workspace::examine(&config).await;
    findings.extend(seen);
    // Whose token it is, and whether it is taken, has been told.
    if ground.is_some() {
        findings.extend(hooks::examine(&config, store.as_deref(), now).await);
    }
    for finding in &mut findings {
        let fix = finding.fix.as_deref();
        finding.fix = fix.map(|fix| config.hint(fix).into_owned());
    }
    (findings, ground)
}

fn ok(check: &'static str, says: impl Into<String>) -> Finding {
    Finding {
        check,
        state: State::Ok,
        says: says.into(),
        fix: None,
    }
}

fn warn(check: &'static str, says: impl Into<String>, fix: impl Into<String>) -> Finding {
    Finding {
        check,
        state: State::Warn,
        says: says.into(),
        fix: Some(fix.into()),
    }
}

fn fail(check: &'static str, says: impl Into<String>, fix: impl Into<String>) -> Finding {
    Finding {
        state: State::Fail,
        ..warn(check, says, fix)
    }
}

/// What to check when a vendor does not answer, or refuses.
struct Fixes {
    silent: &'static str,
    refused: &'static str,
}

const CLICKUP: Fixes = Fixes {
    silent: "check the network, a proxy and CLICKUP_API_URL; deliveries are kept meanwhile and go on by themselves",
    refused: "check the ids in CLICKUP_MATCH_LIST_IDS and CLICKUP_INBOUND_LIST_ID",
};

fn of_failure(check: &'static str, failure: &Failure, fixes: &Fixes) -> Finding {
    match failure {
        Failure::NeedsOperator { what, hint } => fail(check, format!("could not {what}"), hint),
        Failure::Limited { .. } => warn(
            check,
            failure.to_string(),
            "others are using up the token's limit; wait a minute and run this again",
        ),
        Failure::Transient { .. } | Failure::Unknown { .. } => {
            fail(check, failure.to_string(), fixes.silent)
        }
        Failure::Refused { .. } | Failure::Gone { .. } => {
            fail(check, failure.to_string(), fixes.refused)
        }
    }
}

/// "3 min ago", with the time itself.
fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(at).max(SignedDuration::ZERO).as_secs();
    let ago = match seconds {
        0..=59 => format!("{seconds} s"),
        60..=3_599 => format!("{} min", seconds / 60),
        3_600..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    };
    format!("{ago} ago ({})", at.strftime("%F %T UTC"))
}

fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
