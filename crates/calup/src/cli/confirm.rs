//! `calup confirm`: what a tool proposed is carried out when whoever sits here says so.

use std::io::IsTerminal;

use clap::Args;
use serde_json::Value;

use super::{open, print, terminal};
use crate::app::App;
use crate::config::Config;
use crate::proposals::{self, Decided};
use crate::tools::By;

pub const QUESTION: &str = "Carry it out?";
pub const UNDECIDED: &str = "nothing was decided; `calup confirm` asks again";

#[derive(Debug, Args)]
pub struct Arguments {
    /// As the assistant told it: `p_…`.
    id: String,
}

pub async fn run(arguments: Arguments, config: Config) -> Result<(), String> {
    // Whoever only runs commands, such as a model, is not asked.
    if !std::io::stdin().is_terminal() {
        return Err(
            "a proposal is confirmed by a person: run this in a terminal, or POST /api/proposals/{id}"
                .to_owned(),
        );
    }
    let store = open(&config).await?;
    let app = App::new(config, store).map_err(|failure| failure.to_string())?;
    let told = proposals::told(&app, &arguments.id).await;
    let told = told.map_err(|e| e.to_string())?;
    let (summary, too_late) = told.ok_or("there is no proposal with that id; ask for it anew")?;
    print(&summary);
    if let Some(why) = too_late {
        return Err(why);
    }
    let by = By {
        name: "terminal".to_owned(),
    };
    ask(&app, &by, &arguments.id).await
}

pub async fn ask(app: &App, by: &By, id: &str) -> Result<(), String> {
    let is_yes = terminal::yes(QUESTION).await.ok_or(UNDECIDED)?;
    let told = settle(app, by, id, is_yes).await?;
    print(&serde_json::to_string_pretty(&told).unwrap_or_default());
    Ok(())
}

/// What became of it.
pub async fn settle(app: &App, by: &By, id: &str, is_yes: bool) -> Result<Value, String> {
    match proposals::decide(app, id, is_yes, by).await {
        Ok(Decided::Now(told)) => Ok(told),
        Ok(Decided::Before(told)) => Err(told["error"].as_str().unwrap_or_default().to_owned()),
        Ok(Decided::NoSuch) => Err("the proposal is gone; ask for it anew".to_owned()),
        Ok(Decided::Failed(trouble)) => Err(trouble.to_string()),
        Err(error) => Err(error.to_string()),
    }
}
