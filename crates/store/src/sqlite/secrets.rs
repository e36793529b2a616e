//! The table `secret`: read, and completed in a new database or under a new master key.

use rusqlite::{Connection, OptionalExtension, params};

use crate::Result;
use crate::sealed::Keys;
use crate::statements::statements;
use crate::vault::{self, INDEX_KEY, MARKER_KEY, Vault};

statements! {
    NAMES = "SELECT name FROM secret";
    GET = "SELECT sealed FROM secret WHERE name = ?1";
    PUT = "INSERT INTO secret (name, sealed) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
}

/// Whether anything was ever sealed here.
pub fn is_sealed(db: &Connection) -> Result<bool> {
    Ok(db
        .query_row(GET, [INDEX_KEY], |_| Ok(()))
        .optional()?
        .is_some())
}

/// In a transaction of its own.
pub fn unlock(db: &Connection, keys: Keys, file: &str, origin: &str) -> Result<Vault> {
    let names: Vec<String> = db
        .prepare(NAMES)?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    if !vault::is_complete(&names, &keys, file, origin)? {
        db.execute_batch("BEGIN IMMEDIATE")?;
        let done = vault::fresh_secrets(&keys)
            .into_iter()
            .try_for_each(|(name, sealed)| db.execute(PUT, params![name, sealed]).map(|_| ()));
        db.execute_batch(if done.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
        done?;
    }
    let get = |name: &str| -> Result<Vec<u8>> { Ok(db.query_row(GET, [name], |row| row.get(0))?) };
    Vault::unlock(keys, file, &get(INDEX_KEY)?, &get(MARKER_KEY)?)
}
