//! `calup guard`: whether ClickUp is asked before anything is done, because the database is an older copy.

use clap::ValueEnum;
use serde_json::json;

use crate::config::Config;
use crate::guard;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Turn {
    On,
    Off,
}

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Turns it on (an older copy of the database was put back) or off; a running server follows within a minute.
    #[arg(value_enum)]
    turn: Option<Turn>,
    #[arg(long)]
    json: bool,
}

pub async fn run(arguments: Arguments, config: &Config) -> Result<(), String> {
    let store = super::open(config).await?;
    let done = match arguments.turn {
        Some(Turn::On) => guard::turn_on(store.as_ref()).await,
        Some(Turn::Off) => guard::turn_off(store.as_ref()).await,
        None => Ok(()),
    };
    done.map_err(|e| e.to_string())?;
    let since = guard::since(store.as_ref())
        .await
        .map_err(|e| e.to_string())?;
    let text = match since {
        _ if arguments.json => json!({"on": since.is_some(), "since": since}).to_string(),
        Some(since) => format!("on since {since}: ClickUp is asked before anything is done"),
        None => "off".to_owned(),
    };
    super::print(&text);
    Ok(())
}
