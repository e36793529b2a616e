//! The database: there, ours, whole, writable. One that does not exist yet is said to be so, and not made.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use rustix::fs::Access;
use secrecy::ExposeSecret;
use store::Store;

use super::{Finding, disk, fail, ok, queue, warn};
use crate::config::Config;

const CHECK: &str = "database";

/// And the database itself, if it can be used.
pub async fn examine(config: &Config, now: Timestamp) -> (Vec<Finding>, Option<Arc<dyn Store>>) {
    let file = match store::file_of(&config.database_url) {
        Ok(Some(file)) => file,
        Ok(None) => return opened(config, "the database", now).await,
        Err(error) => return (vec![unusable(&error)], None),
    };
    let folder = folder(&file);
    let mut findings = Vec::new();
    if folder.is_dir() {
        findings.push(disk::examine(&folder));
    }
    if !file.exists() {
        findings.push(missing(&file, &folder));
        return (findings, None);
    }
    let (seen, store) = opened(config, &file.display().to_string(), now).await;
    findings.extend(seen);
    (findings, store)
}

fn missing(file: &Path, folder: &Path) -> Finding {
    let shown = folder.display();
    if !folder.is_dir() {
        return fail(
            CHECK,
            format!("there is no folder {shown} for the database"),
            "make it and let this user write there, or name another file in DATABASE_URL",
        );
    }
    if let Err(error) = rustix::fs::access(folder, Access::WRITE_OK | Access::EXEC_OK) {
        return fail(
            CHECK,
            format!("no database can be made in {shown} ({error})"),
            "let this user write there, or name another file in DATABASE_URL",
        );
    }
    warn(
        CHECK,
        format!("there is no database at {} yet", file.display()),
        "start `calup serve`, which makes it; if there should be one, check DATABASE_URL and the working directory",
    )
}

/// A file that is there, or what a server keeps.
async fn opened(
    config: &Config,
    shown: &str,
    now: Timestamp,
) -> (Vec<Finding>, Option<Arc<dyn Store>>) {
    let keys = config
        .master_key
        .as_ref()
        .map(|k| k.expose_secret().to_owned());
    match store::open(&config.database_url, keys.as_deref()).await {
        Ok(store) => {
            let mut findings = vec![usable(&store, shown).await];
            findings.extend(queue::examine(&*store, config, now).await);
            (findings, Some(store))
        }
        Err(error) => (vec![unusable(&error)], None),
    }
}

async fn usable(store: &Arc<dyn Store>, file: &str) -> Finding {
    match store.damage().await {
        Ok(damage) if damage.is_empty() => {}
        Ok(damage) => {
            return fail(
                CHECK,
                format!("{file} is damaged: {}", damage.join("; ")),
                "stop calup, keep a copy of the file, and restore a backup",
            );
        }
        Err(error) => {
            return fail(
                CHECK,
                format!("{file} could not be looked through: {error}"),
                "check its disk; restore a backup if this stays",
            );
        }
    }
    match store.healthy().await {
        Ok(()) => ok(CHECK, format!("{file} is whole and can be written")),
        Err(error) => fail(
            CHECK,
            format!("nothing can be written to {file}: {error}"),
            "check that its disk is neither full nor read-only, and that this user may write there",
        ),
    }
}

fn unusable(error: &store::Error) -> Finding {
    let text = error.to_string();
    let (says, fix) = text
        .split_once("; ")
        .unwrap_or((&text, "mend that, or name another file in DATABASE_URL"));
    fail(CHECK, says, fix)
}

fn folder(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}
