//! `calup token new`.

use clap::{Subcommand, ValueEnum};
use data_encoding::BASE64URL_NOPAD;
use serde_json::json;
use sha2::{Digest, Sha256};
use store::rows::Token;

use super::{open, print};
use crate::clock;
use crate::config::Config;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Makes a token and shows it, once.
    New {
        /// What it is for, to tell it from others.
        #[arg(long, default_value = "api")]
        name: String,
        /// `tools` reaches the assistant's tools only and can confirm nothing: the one to give a model.
        #[arg(long, value_enum, default_value_t = Scope::All)]
        scope: Scope,
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scope {
    All,
    Tools,
}

pub async fn run(command: Command, config: &Config) -> Result<(), String> {
    let Command::New { name, scope, json } = command;
    let store = open(config).await?;
    let token = format!("calup_{}", BASE64URL_NOPAD.encode(&clock::secret()));
    let row = Token {
        id: uuid::Uuid::now_v7().to_string(),
        name,
        profile: config.profile.name.clone(),
        scope: match scope {
            Scope::All => "all".into(),
            Scope::Tools => "tools".into(),
        },
        hash: hex::encode(Sha256::digest(token.as_bytes())),
        created_at: clock::now(),
    };
    store.add_token(&row).await.map_err(|e| e.to_string())?;
    if json {
        print(&json!({ "token": token }).to_string());
    } else {
        print(&format!(
            "{token}\n\nKeep it now: it is not shown again.\nUse it as `Authorization: Bearer <token>`."
        ));
    }
    Ok(())
}
