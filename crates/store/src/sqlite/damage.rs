//! Whether the file is whole.

use rusqlite::Connection;

use super::cells::all;
use crate::Result;
use crate::statements::statements;

const WHOLE: &str = "ok";

statements! {
    QUICK_CHECK = "PRAGMA quick_check(5)";
}

pub fn damage(db: &Connection) -> Result<Vec<String>> {
    let mut said: Vec<String> = all(&mut db.prepare_cached(QUICK_CHECK)?, [], |row| {
        Ok(row.get(0)?)
    })?;
    said.retain(|line| line != WHOLE);
    Ok(said)
}
