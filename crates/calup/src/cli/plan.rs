//! `calup plan FILE`: what a delivery would do, and why.

use std::path::{Path, PathBuf};

use clap::Args;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::print;
use crate::app::App;
use crate::config::Config;
use crate::{clock, explain};

#[derive(Debug, Args)]
pub struct Arguments {
    /// A raw webhook body, or a recording with `headers` and `body`; `-` reads standard input.
    file: PathBuf,
    #[arg(long)]
    json: bool,
}

pub async fn run(arguments: Arguments, config: Config) -> Result<(), String> {
    let body = super::send::body_of(&read(&arguments.file)?);
    let keys = config
        .master_key
        .as_ref()
        .map(|k| k.expose_secret().to_owned());
    // Without a database there is no history to look at, and none is made for a look.
    let scratch = (!exists(&config.database_url))
        .then(Scratch::new)
        .transpose()?;
    let url = scratch
        .as_ref()
        .map_or(config.database_url.clone(), Scratch::url);
    let keys = if scratch.is_some() { None } else { keys };
    let store = store::open(&url, keys.as_deref())
        .await
        .map_err(|e| e.to_string())?;
    let app = App::new(config, store).map_err(|f| f.to_string())?;
    let plans = explain::body(&app, &body, clock::now()).await;
    show(&plans, arguments.json)
}

pub fn read(file: &Path) -> Result<Vec<u8>, String> {
    let result = if file == Path::new("-") {
        let mut all = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut all).map(|_| all)
    } else {
        std::fs::read(file)
    };
    result.map_err(|e| format!("could not read {}: {e}", file.display()))
}

/// A server is taken to be there: if it is not, that is told.
fn exists(url: &str) -> bool {
    store::file_of(url).is_ok_and(|file| file.is_none_or(|file| file.exists()))
}

struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, String> {
        let path = std::env::temp_dir().join(format!("calup-plan-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir(&path)
            .map_err(|e| format!("could not make {}: {e}", path.display()))?;
        Ok(Self(path))
    }

    fn url(&self) -> String {
        format!("sqlite://{}", self.0.join("plan.db").display())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// With an error where what would be done could not be found out.
pub fn show(plans: &[Value], as_json: bool) -> Result<(), String> {
    if as_json {
        print(&json!({ "plans": plans }).to_string());
    } else {
        tell(plans);
    }
    let unknown = plans.iter().find(|plan| plan["status"] == "unknown");
    match unknown {
        None => Ok(()),
        Some(plan) => Err(format!(
            "what would be done is not known: {}",
            plan["reason"].as_str().unwrap_or_default()
        )),
    }
}

fn tell(plans: &[Value]) {
    for plan in plans {
        let text = |name: &str| {
            plan.get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let mut out = format!("{} {} → {}", text("trigger"), text("uid"), text("status"));
        if !text("reason").is_empty() {
            out.push_str(&format!(": {}", text("reason")));
        }
        for reason in plan
            .get("reasons")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            out.push_str(&format!(
                "\n  because {}",
                reason.as_str().unwrap_or_default()
            ));
        }
        for action in plan
            .get("actions")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            out.push_str(&format!(
                "\n\n  {}",
                action["do"].as_str().unwrap_or_default()
            ));
            for part in ["name", "status", "description", "text"] {
                if let Some(value) = action.get(part).and_then(Value::as_str) {
                    let indented = value.replace('\n', "\n      ");
                    out.push_str(&format!("\n    {part}: {indented}"));
                }
            }
        }
        print(&out);
    }
}
