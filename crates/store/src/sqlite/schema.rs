//! The tables, as a list of steps. A step that was released is never edited: a change is a new step.

use rusqlite::Connection;

use crate::{Error, Result};

/// In the file's header, so that another program's database is not mistaken for ours ("calp").
pub const APPLICATION_ID: i64 = 0x6361_6c70;

const STEPS: &[&str] = &[
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
    include_str!("schema/5.sql"),
    include_str!("schema/6.sql"),
    include_str!("schema/7.sql"),
    include_str!("schema/8.sql"),
    include_str!("schema/9.sql"),
    include_str!("schema/10.sql"),
];

pub const VERSION: i64 = STEPS.len() as i64;

/// Brings the database to this program's version, one step per transaction.
pub fn migrate(db: &Connection, file: &str) -> Result<()> {
    let (version, is_foreign) = looked_at(db)?;
    if version > VERSION {
        return Err(Error::Unusable(format!(
            "{file} was written by a newer calup (schema {version}, this one knows {VERSION}); \
             start that version, or restore a backup made before the upgrade"
        )));
    }
    if is_foreign {
        return Err(Error::Unusable(format!(
            "{file} is not a calup database but another program's; name another file, calup makes it"
        )));
    }
    if version == VERSION {
        return Ok(());
    }
    // A table that others refer to can only be replaced without them looking; they are looked over afterwards.
    db.pragma_update(None, "foreign_keys", false)?;
    let mut taken = Ok(());
    for (before, step) in STEPS.iter().enumerate().skip(version as usize) {
        db.execute_batch("BEGIN IMMEDIATE")?;
        // Two processes may start on a new file at once: the second finds the step done.
        taken = take_step(db, before as i64, step);
        db.execute_batch(if taken.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
        if taken.is_err() {
            break;
        }
    }
    db.pragma_update(None, "foreign_keys", true)?;
    taken
}

/// The version, and whether another program made it: as of one moment, since another process may be making the tables.
fn looked_at(db: &Connection) -> Result<(i64, bool)> {
    let moment = db.unchecked_transaction()?;
    let version = version(&moment)?;
    let is_ours = pragma(&moment, "application_id")? == APPLICATION_ID;
    Ok((version, !is_ours && (version > 0 || has_tables(&moment)?)))
}

fn take_step(db: &Connection, before: i64, step: &str) -> Result<()> {
    if version(db)? != before {
        return Ok(());
    }
    db.execute_batch(step)?;
    if db.prepare("PRAGMA foreign_key_check")?.exists([])? {
        let why = "rows of it refer to others that are missing";
        return Err(Error::Other(why.into()));
    }
    db.pragma_update(None, "application_id", APPLICATION_ID)?;
    db.pragma_update(None, "user_version", before + 1)?;
    Ok(())
}

fn version(db: &Connection) -> Result<i64> {
    pragma(db, "user_version")
}

fn pragma(db: &Connection, name: &str) -> Result<i64> {
    Ok(db.pragma_query_value(None, name, |row| row.get(0))?)
}

fn has_tables(db: &Connection) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%')";
    Ok(db.query_row(sql, [], |row| row.get(0))?)
}
