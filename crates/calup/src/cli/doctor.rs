//! `calup doctor`: findings as a table, each with what to do; with `--probe`, experiments in the workspace as well.

use std::io::{BufRead, IsTerminal};

use clap::{Args, CommandFactory, error::ErrorKind};
use serde_json::{Value, json};
use vendors::clickup::probe::{Belief, TASK_NAME};

use super::print;
use crate::clock;
use crate::config::{Config, Wrong};
use crate::doctor::{self, Finding, Ground, State, trial};

#[derive(Debug, Args)]
pub struct Arguments {
    #[arg(long)]
    json: bool,
    /// Also finds out how ClickUp behaves: makes one task in the inbound list, works on it, and deletes it.
    #[arg(long)]
    probe: bool,
    /// Does not ask before the probe writes into the workspace.
    #[arg(long, requires = "probe")]
    yes: bool,
}

pub async fn run(arguments: Arguments, config: Result<Config, Wrong>) -> Result<(), String> {
    let Arguments { json, probe, yes } = arguments;
    if probe && !yes && !std::io::stdin().is_terminal() {
        let why = "`--probe` writes into the workspace: add `--yes`, or run it on a terminal, where it asks";
        super::Arguments::command()
            .error(ErrorKind::MissingRequiredArgument, why)
            .exit();
    }
    let (findings, ground) = doctor::examine(config, clock::now()).await;
    if !json {
        print(&table(&findings));
    }
    let (beliefs, probed) = if probe {
        experiments(ground.as_ref(), yes).await
    } else {
        (Vec::new(), Ok(()))
    };
    let failed = findings.iter().filter(|it| it.state == State::Fail).count();
    if json {
        let mut out = json!({"ok": failed == 0, "findings": findings});
        if probe {
            out["beliefs"] = beliefs.iter().map(belief).collect();
            out["probe_error"] = probed.as_ref().err().map_or(Value::Null, |why| json!(why));
        }
        print(&out.to_string());
    } else if probe {
        print(&believed(&beliefs));
    }
    probed?;
    match failed {
        0 => Ok(()),
        1 => Err("1 check failed; it says what to do".to_owned()),
        _ => Err(format!("{failed} checks failed; each says what to do")),
    }
}

async fn experiments(ground: Option<&Ground>, yes: bool) -> (Vec<Belief>, Result<(), String>) {
    let Some(ground) = ground else {
        let why = "the probe was not begun: it needs a token that works, a workspace and an inbound list; see the checks above";
        return (Vec::new(), Err(why.to_owned()));
    };
    if !yes && !agrees(ground) {
        return (
            Vec::new(),
            Err("the probe was not begun: nothing was written".to_owned()),
        );
    }
    trial::run(ground).await
}

fn agrees(ground: &Ground) -> bool {
    eprint!(
        "The probe makes a task `{TASK_NAME}` in list {} ({}) of workspace {} ({}), changes it, comments on it, \
         shows it in a second list for a moment, and deletes it; what you automated for that list runs for it too. \
         It takes some minutes at most. Go on? [y/N] ",
        ground.inbound.name, ground.inbound.id, ground.workspace.name, ground.workspace.id
    );
    let mut answer = String::new();
    // No answer is a no.
    let _ = std::io::stdin().lock().read_line(&mut answer);
    matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}

fn belief(belief: &Belief) -> Value {
    json!({
        "about": belief.about,
        "settled": belief.is_settled,
        "found": belief.found,
        "says": belief.says,
    })
}

fn table(findings: &[Finding]) -> String {
    let width = findings
        .iter()
        .map(|it| it.check.len())
        .max()
        .unwrap_or_default();
    let mut out = String::new();
    for Finding {
        check,
        state,
        says,
        fix,
    } in findings
    {
        out.push_str(&format!("{:<4}  {check:<width$}  {says}\n", state.name()));
        if let Some(fix) = fix {
            out.push_str(&format!("{:<4}  {:<width$}  → {fix}\n", "", ""));
        }
    }
    let of = |state: State| findings.iter().filter(|it| it.state == state).count();
    out.push_str(&format!(
        "\n{} checks: {} ok, {} to look at, {} failed\n",
        findings.len(),
        of(State::Ok),
        of(State::Warn),
        of(State::Fail)
    ));
    out
}

fn believed(beliefs: &[Belief]) -> String {
    let width = beliefs
        .iter()
        .map(|it| it.about.len())
        .max()
        .unwrap_or_default();
    let mut out = String::from("\nHow this ClickUp behaves:\n\n");
    for Belief {
        about,
        is_settled,
        found,
        says,
    } in beliefs
    {
        let state = if *is_settled { "found" } else { "open" };
        out.push_str(&format!("{state:<5}  {about:<width$}  {found}\n"));
        out.push_str(&format!("{:<5}  {:<width$}  {says}\n", "", ""));
    }
    out
}
