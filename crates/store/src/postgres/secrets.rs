//! The table `secret`: read, and completed in a new database or under a new master key.

use super::connection::Db;
use crate::sealed::Keys;
use crate::statements::statements;
use crate::vault::{self, INDEX_KEY, MARKER_KEY, Vault};
use crate::{Error, Result};

const ORIGIN: &str = "CALUP_MASTER_KEY";

statements! {
    NAMES = "SELECT name FROM secret";
    GET = "SELECT sealed FROM secret WHERE name = $1";
    PUT = "INSERT INTO secret (name, sealed) VALUES ($1, $2) ON CONFLICT DO NOTHING";
}

pub fn keys(given: Option<&str>) -> Result<Keys> {
    let Some(given) = given.filter(|keys| !keys.trim().is_empty()) else {
        return Err(Error::Unusable(format!(
            "{ORIGIN} is not set, and Postgres needs it: every replica seals with the same key; make one with \
             `openssl rand -base64 32` and keep a copy apart from the database"
        )));
    };
    Keys::parse(given, ORIGIN)
}

/// In the caller's transaction, in which replicas that start at once wait for one another.
pub async fn unlock(db: &Db, keys: Keys, shown: &str) -> Result<Vault> {
    let names = db.all(NAMES, &[]).await?;
    let names: Vec<String> = names
        .iter()
        .map(|row| row.try_get(0))
        .collect::<std::result::Result<_, _>>()?;
    if !vault::is_complete(&names, &keys, shown, ORIGIN)? {
        for (name, sealed) in vault::fresh_secrets(&keys) {
            db.execute(PUT, &[&name, &sealed]).await?;
        }
    }
    let index: Vec<u8> = db.value(GET, &[&INDEX_KEY]).await?;
    let marker: Vec<u8> = db.value(GET, &[&MARKER_KEY]).await?;
    Vault::unlock(keys, shown, &index, &marker)
}
