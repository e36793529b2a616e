//! `calup profile`: who is served beside the environment's own profile. Secrets come from standard input or the
//! environment, because what stands in a command line is seen by everybody, and they are never shown.

use std::io::{BufRead, IsTerminal};

use clap::{Args, Subcommand};
use domain::outcome::Failure;
use serde_json::{Value, json};
use store::Store;
use store::rows::{DEFAULT_PROFILE, ProfileRow, SECRETS};

use super::{open, print, reseal};
use crate::config::{self, Config};
use crate::{calcom, inbox};

const NAME_CHARS_MAX: usize = 40;
const USERNAME: &str = "calcom_username";
const SERVED: &str =
    "a running `calup serve` takes new secrets within seconds, and anything else at its next start";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Lists them.
    List {
        #[arg(long)]
        json: bool,
    },
    /// Shows what is set; of secrets, only whether they are.
    Show {
        name: String,
        #[arg(long)]
        json: bool,
    },
    /// Adds one.
    Add(Change),
    /// Changes what is set.
    Set(Change),
    /// Removes one, with its secrets and tokens; what came in for it stays.
    Remove {
        name: String,
        /// Does not ask.
        #[arg(long)]
        yes: bool,
        #[arg(long)]
        json: bool,
    },
    /// Seals everything anew with the newest master key, so that older ones can be put away.
    Reseal {
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub struct Change {
    name: String,
    /// `setting=value`, named as in calup.toml; an empty value restores the default.
    #[arg(value_name = "SETTING=VALUE")]
    settings: Vec<String>,
    /// A secret, read from standard input: one line for each, in this order. An empty line takes it away.
    #[arg(long, value_name = "SETTING")]
    secret: Vec<String>,
    /// A secret, taken from the environment's variable of that name in upper case.
    #[arg(long, value_name = "SETTING")]
    secret_from_env: Vec<String>,
    #[arg(long)]
    json: bool,
}

pub async fn run(command: Command, config: Config) -> Result<(), String> {
    if let Command::Reseal { json } = command {
        return reseal::run(&config, json).await;
    }
    let store = open(&config).await?;
    let store = store.as_ref();
    match command {
        Command::List { json } => list(store, &config, json).await,
        Command::Show { name, json } => {
            let row = row(store, &name).await?;
            show(&row, &config, json);
            Ok(())
        }
        Command::Add(change) => {
            check_name(&change.name)?;
            let found = store.profile(&change.name).await;
            if found.map_err(|e| e.to_string())?.is_some() {
                return Err(format!(
                    "there is a profile `{0}` already; `calup profile set {0}` changes it",
                    change.name
                ));
            }
            let row = ProfileRow {
                name: change.name.clone(),
                ..ProfileRow::default()
            };
            write(store, &config, row, &change).await
        }
        Command::Set(change) => {
            let row = row(store, &change.name).await?;
            write(store, &config, row, &change).await
        }
        Command::Remove { name, yes, json } => remove(store, &name, yes, json).await,
        Command::Reseal { .. } => unreachable!("it was run above"),
    }
}

pub async fn row(store: &dyn Store, name: &str) -> Result<ProfileRow, String> {
    if name == DEFAULT_PROFILE {
        return Err(format!(
            "profile `{name}` is what the environment and {} say; it is changed there",
            config::FILE
        ));
    }
    let found = store.profile(name).await.map_err(|e| e.to_string())?;
    found.ok_or_else(|| {
        "there is no profile of that name; `calup profile list` lists them".to_owned()
    })
}

/// It stands in web addresses.
fn check_name(name: &str) -> Result<(), String> {
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let is_good = name.len() <= NAME_CHARS_MAX
        && name.bytes().all(is_plain)
        && name.starts_with(|first: char| first.is_ascii_lowercase());
    if !is_good {
        super::wrong_usage(&format!(
            "a profile's name begins with a letter and has small letters, digits and `-`, {NAME_CHARS_MAX} at most"
        ));
    }
    if name == DEFAULT_PROFILE {
        return Err(format!("`{name}` is the environment's own profile"));
    }
    Ok(())
}

async fn list(store: &dyn Store, config: &Config, as_json: bool) -> Result<(), String> {
    let all = store.profiles().await.map_err(|e| e.to_string())?;
    if as_json {
        let one = |(name, row): (String, store::Result<ProfileRow>)| match row {
            Ok(row) => shown(&row, config),
            Err(error) => json!({ "name": name, "error": error.to_string() }),
        };
        let all: Vec<Value> = all.into_iter().map(one).collect();
        print(&json!({ "profiles": all }).to_string());
        return Ok(());
    }
    if all.is_empty() {
        print("no profiles beside the environment's own");
        return Ok(());
    }
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::NOTHING);
    table.set_header(["profile", "Cal.com", "webhook"]);
    for (name, row) in all {
        let (account, webhook) = match row {
            Ok(row) => {
                let webhook = shown(&row, config)["webhook"].as_str().map(str::to_owned);
                let webhook =
                    webhook.unwrap_or_else(|| "not served: `calup profile show` says why".into());
                (row.calcom_username.unwrap_or_else(|| "–".into()), webhook)
            }
            Err(error) => ("–".to_owned(), error.to_string()),
        };
        table.add_row([name, account, webhook]);
    }
    print(&table.to_string());
    Ok(())
}

fn show(row: &ProfileRow, config: &Config, as_json: bool) {
    let shown = shown(row, config);
    if as_json {
        print(&shown.to_string());
    } else {
        print(&serde_json::to_string_pretty(&shown).unwrap_or_default());
    }
}

fn shown(row: &ProfileRow, config: &Config) -> Value {
    let secrets = SECRETS.map(|name| (name.to_owned(), row.secrets.contains_key(name).into()));
    let mut shown = json!({
        "name": row.name,
        USERNAME: row.calcom_username,
        "settings": row.settings,
        "secrets": Value::Object(secrets.into_iter().collect()),
    });
    match config.of_profile(row) {
        Ok(config) => shown["webhook"] = inbox::address(&config).into(),
        Err(wrong) => shown["error"] = wrong.to_string().into(),
    }
    shown
}

async fn write(
    store: &dyn Store,
    config: &Config,
    mut row: ProfileRow,
    change: &Change,
) -> Result<(), String> {
    let key_before = row.secrets.get("calcom_api_key").cloned();
    for setting in &change.settings {
        let (name, value) = setting
            .split_once('=')
            .unwrap_or_else(|| super::wrong_usage("a setting is given as `setting=value`"));
        set(&mut row, config, &name.trim().to_lowercase(), value.trim())?;
    }
    for (name, value) in secrets(change)? {
        if value.is_empty() {
            row.secrets.remove(&name);
        } else {
            row.secrets.insert(name, value);
        }
    }
    let theirs = config.of_profile(&row).map_err(|e| e.to_string())?;
    let is_new_key = row.secrets.get("calcom_api_key") != key_before.as_ref();
    let names_account = |setting: &String| {
        let name = setting.split('=').next().unwrap_or_default();
        name.trim().eq_ignore_ascii_case(USERNAME)
    };
    let is_asked = is_new_key || change.settings.iter().any(names_account);
    if let Some(key) = theirs.calcom.api_key.clone().filter(|_| is_asked) {
        name_account(
            &mut row,
            calcom::whose_key(key, &theirs.calcom.api_url).await,
        )?;
    }
    match store.write_profile(&row).await {
        Ok(Some(_)) if change.json => print(&shown(&row, config).to_string()),
        Ok(Some(_)) => print(&format!(
            "profile `{}`: its deliveries come in at {}; {SERVED}",
            row.name,
            inbox::address(&theirs)
        )),
        Ok(None) => {
            return Err(
                "somebody else has changed this profile just now; look at it and try again".into(),
            );
        }
        Err(error) => return Err(error.to_string()),
    }
    Ok(())
}

fn set(row: &mut ProfileRow, config: &Config, name: &str, value: &str) -> Result<(), String> {
    if SECRETS.contains(&name) {
        return Err(format!(
            "{name} is a secret and does not belong on a command line: give it with `--secret {name}` on standard input, \
             or with `--secret-from-env {name}`"
        ));
    }
    if name == USERNAME {
        row.calcom_username = Some(value.to_owned()).filter(|value| !value.is_empty());
        return Ok(());
    }
    if !config.settings.knows(name) || !config::is_of_profile(name) {
        let hint = config.settings.nearest(name);
        super::wrong_usage(&format!("`{name}` is no setting of a profile{hint}"));
    }
    if value.is_empty() {
        row.settings.remove(name);
    } else {
        row.settings.insert(name.to_owned(), value.to_owned());
    }
    Ok(())
}

/// By their names.
fn secrets(change: &Change) -> Result<Vec<(String, String)>, String> {
    let named = |name: &String| -> Result<String, String> {
        let name = name.trim().to_lowercase();
        if SECRETS.contains(&name.as_str()) {
            return Ok(name);
        }
        // It may be the secret itself.
        Err(format!(
            "a secret is one of {}; its value is never given here",
            SECRETS.join(", ")
        ))
    };
    let mut all = Vec::new();
    let mut lines = std::io::stdin().lock().lines();
    for name in &change.secret {
        let name = named(name)?;
        if std::io::stdin().is_terminal() {
            eprint!("{name}: ");
        }
        let line = lines.next().transpose().map_err(|e| e.to_string())?;
        let line = line.ok_or_else(|| format!("standard input ended before {name}"))?;
        all.push((name, line.trim().to_owned()));
    }
    for name in &change.secret_from_env {
        let name = named(name)?;
        let variable = name.to_uppercase();
        let value = std::env::var(&variable)
            .map_err(|_| format!("{variable} is not set in the environment"))?;
        all.push((name, value.trim().to_owned()));
    }
    Ok(all)
}

/// Whose account the key opens, as far as Cal.com says so now.
fn name_account(
    row: &mut ProfileRow,
    asked: Result<Option<String>, Failure>,
) -> Result<(), String> {
    match (asked, &row.calcom_username) {
        (Err(failure), _) => eprintln!("Cal.com did not say whose key it is: {failure}"),
        (Ok(Some(whose)), Some(meant)) if whose != *meant => {
            return Err(format!(
                "calcom_api_key opens the account of {whose}, not of {meant}; nothing was changed. To use \
                 {whose}'s account from now on, add `{USERNAME}={whose}`"
            ));
        }
        (Ok(None), _) | (Ok(Some(_)), Some(_)) => {}
        (Ok(whose), None) => row.calcom_username = whose,
    }
    Ok(())
}

async fn remove(store: &dyn Store, name: &str, yes: bool, as_json: bool) -> Result<(), String> {
    if !yes {
        if !std::io::stdin().is_terminal() {
            return Err("its secrets and tokens cannot be brought back: add `--yes`".to_owned());
        }
        eprint!("Remove profile `{name}` with its secrets and tokens? [y/N] ");
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line);
        read.map_err(|e| e.to_string())?;
        if !matches!(line.trim().to_lowercase().as_str(), "y" | "yes") {
            return Err("nothing was removed".to_owned());
        }
    }
    if store
        .remove_profile(name)
        .await
        .map_err(|e| e.to_string())?
    {
        if as_json {
            print(&json!({ "removed": name }).to_string());
            return Ok(());
        }
        print("removed; a running `calup serve` refuses its deliveries within seconds");
        return Ok(());
    }
    row(store, name).await.map(|_| ())
}
