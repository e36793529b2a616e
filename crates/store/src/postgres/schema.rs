//! The tables, as a list of steps. A step that was released is never edited: a change is a new step, and it only adds,
//! so that a build which is still running goes on beside a newer one.

use super::connection::Db;
use crate::statements::statements;
use crate::{Error, Result};

const STEPS: &[&str] = &[
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
    include_str!("schema/5.sql"),
    include_str!("schema/6.sql"),
    include_str!("schema/7.sql"),
    include_str!("schema/8.sql"),
];

pub const VERSION: i64 = STEPS.len() as i64;

const OURS: &str = "CREATE TABLE IF NOT EXISTS calup_schema (version BIGINT NOT NULL)";

statements! {
    // "calp": replicas that start at once wait for one another, until the transaction is over.
    LOCK = "SELECT 1 FROM (SELECT pg_advisory_xact_lock(1667329136)) locked";
    IS_OURS = "SELECT to_regclass('calup_schema') IS NOT NULL";
    IS_TAKEN = "SELECT EXISTS (SELECT 1 FROM pg_class WHERE relkind IN ('r', 'v', 'p')
        AND relnamespace = current_schema()::regnamespace)";
    HAS_SCHEMA = "SELECT current_schema() IS NOT NULL";
}

// Prepared only once the table is there.
const AT: &str = "SELECT COALESCE(max(version), 0) FROM calup_schema";
const REACHED: &str = "INSERT INTO calup_schema (version) VALUES ($1)";

/// Fails when a newer build has changed the schema since this one opened it: what the newer one does and how it is written
/// down is not known here.
pub async fn refuse_work_on_newer(db: &Db) -> Result<()> {
    let version: i64 = db.value(AT, &[]).await?;
    if version > VERSION {
        return Err(Error::Unusable(format!(
            "a newer calup has brought the database to schema {version}, and this build knows {VERSION}: it takes \
             deliveries and leaves all work to newer ones; start a newer build in its place"
        )));
    }
    Ok(())
}

/// Brings the database to this program's version, in the caller's transaction.
pub async fn migrate(db: &Db, shown: &str) -> Result<()> {
    if !db.value::<bool>(HAS_SCHEMA, &[]).await? {
        return Err(Error::Unusable(format!(
            "{shown} has no schema that this user may use; grant it the schema `public`, or make one named as the user"
        )));
    }
    db.one(LOCK, &[]).await?;
    if !db.value::<bool>(IS_OURS, &[]).await? {
        if db.value::<bool>(IS_TAKEN, &[]).await? {
            return Err(Error::Unusable(format!(
                "{shown} is not calup's database but another program's; make a database of its own (createdb calup)"
            )));
        }
        db.batch(OURS).await?;
    }
    let version: i64 = db.value(AT, &[]).await?;
    if version > VERSION {
        return Err(Error::Unusable(format!(
            "{shown} was written by a newer calup (schema {version}, this one knows {VERSION}); \
             start that version, or restore a backup made before the upgrade"
        )));
    }
    for (before, step) in STEPS.iter().enumerate().skip(version as usize) {
        db.batch(step).await?;
        db.execute(REACHED, &[&(before as i64 + 1)]).await?;
    }
    Ok(())
}
