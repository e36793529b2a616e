//! Whether the server is still the one that calup worked with last. After a fail-over, or once a backup was put back, it
//! may lack what was committed: then all leases end, with epochs beyond any that it could have lost, and for each
//! booking the CRM is asked first whether it was done already.

use std::sync::{Mutex, PoisonError};

use super::connection::Db;
use crate::statements::statements;
use crate::{Error, RESTORED, Result};

/// In `meta`.
const SERVER: &str = "server";

statements! {
    IS_STANDBY = "SELECT pg_is_in_recovery()";
    KNOW = "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    KNOWN = "SELECT value FROM meta WHERE key = $1 FOR UPDATE";
    SET = "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    END_LEASES = "UPDATE lease SET epoch = epoch + 1000000, expires_at = LEAST(expires_at, clock_timestamp())";
}

/// Each promotion begins a timeline. Prepared only where the server tells it.
const IDENTITY: &str =
    "SELECT system_identifier::text || ' ' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)
    FROM pg_control_system()";

#[derive(Default)]
pub struct Server(Mutex<Option<String>>);

impl Server {
    /// For each new connection, before anything is done over it.
    pub async fn look(&self, db: &Db) -> Result<()> {
        let identity: String = match db.value(IDENTITY, &[]).await {
            Ok(identity) => identity,
            Err(Error::Other(why)) => {
                if db.value::<bool>(IS_STANDBY, &[]).await? {
                    // Kept until its promotion, it would never be looked at.
                    let why = "the server is a standby, which takes no writes";
                    return Err(Error::Unwritable(why.into()));
                }
                tracing::debug!("the server does not tell who it is: {why}");
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        if self.last().as_ref() == Some(&identity) {
            return Ok(());
        }
        db.batch("BEGIN").await?;
        db.execute(KNOW, &[&SERVER, &identity]).await?;
        let known: String = db.value(KNOWN, &[&SERVER]).await?;
        if known != identity {
            db.execute(END_LEASES, &[]).await?;
            db.execute(SET, &[&RESTORED, &""]).await?;
            db.execute(SET, &[&SERVER, &identity]).await?;
        }
        db.batch("COMMIT").await?;
        if known != identity {
            tracing::warn!(
                "another server answers for the database, or it was put back: all work begins anew, and ClickUp is asked first"
            );
        }
        *self.last() = Some(identity);
        Ok(())
    }

    fn last(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
