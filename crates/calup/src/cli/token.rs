//! `calup token`: made, listed and revoked; works beside a running server.

use clap::{Subcommand, ValueEnum};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use store::Store;
use store::rows::Token;

use super::{open, print};
use crate::config::Config;
use crate::{clock, web};

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
    /// Lists those that open something; the tokens themselves are shown once only, when they are made.
    List {
        #[arg(long)]
        json: bool,
    },
    /// From now on it opens nothing.
    Revoke {
        /// As `calup token list` shows it.
        id: String,
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
    let store = open(config).await?;
    let store = store.as_ref();
    let profile = &config.profile.name;
    match command {
        Command::New { name, scope, json } => make(store, profile, name, scope, json).await,
        Command::List { json } => list(store, profile, json).await,
        Command::Revoke { id, json } => revoke(store, profile, &id, json).await,
    }
}

async fn make(
    store: &dyn Store,
    profile: &str,
    name: String,
    scope: Scope,
    as_json: bool,
) -> Result<(), String> {
    let token = format!("calup_{}", BASE64URL_NOPAD.encode(&clock::secret()));
    let scope = match scope {
        Scope::All => web::ALL,
        Scope::Tools => web::TOOLS,
    };
    let row = Token {
        id: uuid::Uuid::now_v7().to_string(),
        name,
        profile: profile.to_owned(),
        scope: scope.to_owned(),
        hash: web::hashed(&token),
        created_at: clock::now(),
    };
    store.add_token(&row).await.map_err(|e| e.to_string())?;
    if as_json {
        print(&json!({ "token": token }).to_string());
    } else {
        print(&format!(
            "{token}\n\nKeep it now: it is not shown again.\nUse it as `Authorization: Bearer <token>`.\n`calup token revoke {}` ends it.",
            row.id
        ));
    }
    Ok(())
}

async fn list(store: &dyn Store, profile: &str, as_json: bool) -> Result<(), String> {
    let all = store.tokens(profile).await.map_err(|e| e.to_string())?;
    if as_json {
        let all: Vec<Value> = all
            .iter()
            .map(|t| json!({ "id": t.id, "name": t.name, "scope": t.scope, "created_at": t.created_at }))
            .collect();
        print(&json!({ "tokens": all }).to_string());
        return Ok(());
    }
    if all.is_empty() {
        print("no tokens");
        return Ok(());
    }
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::NOTHING);
    table.set_header(["id", "name", "scope", "made"]);
    for token in &all {
        let made = token.created_at.strftime("%F").to_string();
        table.add_row([&token.id, &token.name, &token.scope, &made]);
    }
    print(&table.to_string());
    Ok(())
}

async fn revoke(store: &dyn Store, profile: &str, id: &str, as_json: bool) -> Result<(), String> {
    let was_there = store.revoke_token(profile, id).await;
    if !was_there.map_err(|e| e.to_string())? {
        return Err(format!(
            "there is no token with the id {id}; `calup token list` shows those that there are"
        ));
    }
    if as_json {
        print(&json!({ "revoked": id }).to_string());
    } else {
        print("revoked: it opens nothing from now on");
    }
    Ok(())
}
