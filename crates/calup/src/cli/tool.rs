//! `calup tool`: the assistant's tools from the command line, on the server's database. What a tool proposes is carried out
//! when whoever sits here says so.

use std::io::IsTerminal;

use clap::Args;
use serde_json::{Value, json};

use super::{confirm, open, print};
use crate::app::App;
use crate::config::Config;
use crate::tools::{self, By, TOOLS};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Without it, the tools are listed.
    name: Option<String>,
    /// The tool's input as a JSON object.
    input: Option<String>,
    #[arg(long)]
    json: bool,
}

pub async fn run(arguments: Arguments, config: Config) -> Result<(), String> {
    let Some(name) = arguments.name else {
        list(arguments.json);
        return Ok(());
    };
    let input: Value = match arguments.input.as_deref() {
        None => json!({}),
        Some(text) => serde_json::from_str(text).unwrap_or_else(|_| {
            super::wrong_usage(&format!(
                "the input is no JSON; for example: calup tool {name} '{{\"event_type_slug\": \"30min\"}}'"
            ))
        }),
    };
    let store = open(&config).await?;
    let app = App::new(config, store).map_err(|failure| failure.to_string())?;
    let by = By {
        name: "terminal".to_owned(),
    };
    match tools::call(&app, &by, &name, &input).await {
        Ok(answer) => {
            show(&answer, arguments.json);
            let id = answer["proposal"]["id"].as_str();
            match id.filter(|_| std::io::stdin().is_terminal() && !arguments.json) {
                Some(id) => confirm::ask(&app, &by, id).await,
                None => Ok(()),
            }
        }
        Err(trouble) if arguments.json => {
            print(&trouble.json().to_string());
            Err(trouble.error)
        }
        Err(trouble) => {
            if let Some(more) = &trouble.more {
                show(more, false);
            }
            Err(trouble.to_string())
        }
    }
}

fn list(as_json: bool) {
    if as_json {
        print(&json!({ "tools": tools::schemas() }).to_string());
        return;
    }
    for tool in TOOLS {
        let mark = if tool.proposes() { " (proposes)" } else { "" };
        print(&format!("{}{mark}\n  {}", tool.name(), tool.description()));
    }
}

fn show(answer: &Value, as_json: bool) {
    let text = if as_json {
        answer.to_string()
    } else {
        serde_json::to_string_pretty(answer).unwrap_or_default()
    };
    print(&text);
}
