//! `calup mcp`: the assistant's tools for an MCP client that starts this process and talks to it over standard input and
//! output. Whatever else is said goes to standard error.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Args;
use rmcp::ServiceExt;
use rmcp::service::ServerInitializeError;

use super::open;
use crate::app::App;
use crate::config::Config;
use crate::mcp::Server;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Where calup.toml and the database are; clients start programs in a folder of their own choosing.
    #[arg(long)]
    folder: Option<PathBuf>,
}

impl Arguments {
    /// Before the settings are read.
    pub fn enter(&self) -> Result<(), String> {
        let Some(folder) = &self.folder else {
            return Ok(());
        };
        std::env::set_current_dir(folder)
            .map_err(|e| format!("could not enter {}: {e}", folder.display()))
    }
}

pub async fn run(config: Config) -> Result<(), String> {
    if std::io::stdin().is_terminal() {
        eprintln!(
            "Waiting for an MCP client on standard input; docs/mcp.md says how one is set up."
        );
    }
    let store = open(&config).await?;
    let app = App::new(config, store).map_err(|failure| failure.to_string())?;
    let (input, output) = rmcp::transport::stdio();
    let served = match (Server { app }).serve((input, output)).await {
        Ok(served) => served,
        Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(error) => {
            return Err(format!(
                "the MCP client did not begin as it should: {error}"
            ));
        }
    };
    let ended = served.waiting().await;
    ended.map(|_| ()).map_err(|e| e.to_string())
}
