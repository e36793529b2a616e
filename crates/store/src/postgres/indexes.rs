//! Indexes that are added to tables which may be large already: built beside everything that is read and written, outside
//! any transaction, by one replica at a time.

use super::connection::Db;
use crate::Result;
use crate::statements::statements;

/// By name.
const WANTED: [(&str, &str, &str); 2] = [
    (
        "delivery_status",
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS delivery_status ON delivery (profile, status, id)",
        "DROP INDEX CONCURRENTLY IF EXISTS delivery_status",
    ),
    (
        "effect_target",
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS effect_target ON effect (profile, target, last_sent_at)",
        "DROP INDEX CONCURRENTLY IF EXISTS effect_target",
    ),
];
/// However long it takes, and whoever has to end first.
const PATIENT: &str = "SET statement_timeout = 0; SET lock_timeout = 0";

statements! {
    IS_USABLE = "SELECT COALESCE((SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)), false)";
    // "calq". Not waited for: who waits holds up the one that builds.
    TRY = "SELECT pg_try_advisory_lock(1667329137)";
    GIVE_BACK = "SELECT pg_advisory_unlock(1667329137)";
}

/// A connection on which this fails is given up, and the lock with it.
pub async fn build(db: &Db) -> Result<()> {
    let mut missing = Vec::new();
    for wanted in WANTED {
        if !db.value::<bool>(IS_USABLE, &[&wanted.0]).await? {
            missing.push(wanted);
        }
    }
    if missing.is_empty() || !db.value::<bool>(TRY, &[]).await? {
        return Ok(());
    }
    db.batch(PATIENT).await?;
    for (name, create, drop) in missing {
        // Another one may have built it meanwhile; a build that was cut short left one that nothing uses.
        if !db.value::<bool>(IS_USABLE, &[&name]).await? {
            db.batch(drop).await?;
            db.batch(create).await?;
        }
    }
    db.value::<bool>(GIVE_BACK, &[]).await?;
    Ok(())
}
