//! One connection: made with what we rely on, and how its errors are told.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Statement};

use super::address::Address;
use super::tls::Tls;
use crate::{Error, Result};

/// A server that does not get on with it must not hold us up, nor may we hold up others: a process that was stopped in
/// the middle of a transaction loses it, and with it the locks that whoever takes over waits for.
const SESSION: &str = "
    SET statement_timeout = '5s';
    SET lock_timeout = '3s';
    SET idle_in_transaction_session_timeout = '8s';
    SET client_min_messages = warning;
    SELECT set_config('synchronous_commit', 'on', false)
      WHERE current_setting('synchronous_commit') IN ('off', 'local', 'remote_write')";
const SYNC: &str = "SHOW synchronous_commit";

pub type Param<'a> = &'a (dyn ToSql + Sync);

pub struct Db {
    client: Client,
    /// Prepared, by their text.
    statements: Mutex<HashMap<&'static str, Statement>>,
}

impl Db {
    /// What drives the connection runs as long as this is held.
    pub async fn connect(address: &Address, tls: &Tls) -> Result<Self> {
        let (client, connection) = address
            .config
            .connect(tls.clone())
            .await
            .map_err(|e| unreachable(address, &e))?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to Postgres ended");
            }
        });
        client.batch_execute(SESSION).await?;
        let sync: String = client.query_one(SYNC, &[]).await?.try_get(0)?;
        if !["on", "remote_apply"].contains(&sync.as_str()) {
            return Err(Error::Unwritable(format!(
                "synchronous_commit stays {sync}, so a delivery could be lost after its answer"
            )));
        }
        Ok(Self {
            client,
            statements: Mutex::default(),
        })
    }

    pub fn is_open(&self) -> bool {
        !self.client.is_closed()
    }

    pub async fn batch(&self, sql: &'static str) -> Result<()> {
        Ok(self.client.batch_execute(sql).await?)
    }

    pub async fn all(&self, sql: &'static str, params: &[Param<'_>]) -> Result<Vec<Row>> {
        let statement = self.prepared(sql).await?;
        Ok(self.client.query(&statement, params).await?)
    }

    pub async fn one(&self, sql: &'static str, params: &[Param<'_>]) -> Result<Option<Row>> {
        Ok(self.all(sql, params).await?.into_iter().next())
    }

    /// Of a statement that always gives a row.
    pub async fn value<T: for<'a> tokio_postgres::types::FromSql<'a>>(
        &self,
        sql: &'static str,
        params: &[Param<'_>],
    ) -> Result<T> {
        let statement = self.prepared(sql).await?;
        let row = self.client.query_one(&statement, params).await?;
        Ok(row.try_get(0)?)
    }

    pub async fn execute(&self, sql: &'static str, params: &[Param<'_>]) -> Result<u64> {
        let statement = self.prepared(sql).await?;
        Ok(self.client.execute(&statement, params).await?)
    }

    pub async fn prepared(&self, sql: &'static str) -> Result<Statement> {
        if let Some(known) = self.statements().get(sql) {
            return Ok(known.clone());
        }
        let statement = self.client.prepare(sql).await?;
        self.statements().insert(sql, statement.clone());
        Ok(statement)
    }

    fn statements(&self) -> std::sync::MutexGuard<'_, HashMap<&'static str, Statement>> {
        self.statements
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn unreachable(address: &Address, error: &tokio_postgres::Error) -> Error {
    Error::Unwritable(format!("{}: {}", address.shown, why(error)))
}

/// Without details, which may hold values.
fn why(error: &tokio_postgres::Error) -> String {
    if let Some(db) = error.as_db_error() {
        return db.message().to_owned();
    }
    match std::error::Error::source(error) {
        Some(source) => format!("{error} ({source})"),
        None => error.to_string(),
    }
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        let said = why(&error);
        let Some(code) = error.code() else {
            // A value that does not fit its type is our own mistake; all else is the connection's end.
            let is_ours = said.contains("serializing") || said.contains("deserializing");
            return if is_ours {
                Self::Other(said)
            } else {
                Self::Unwritable(said)
            };
        };
        // Resources, an operator's intervention, the system, the connection; a lock that others hold; a standby.
        let is_away = ["53", "57", "58", "08"].contains(&&code.code()[..2])
            || *code == SqlState::LOCK_NOT_AVAILABLE
            || *code == SqlState::READ_ONLY_SQL_TRANSACTION
            || *code == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT;
        if is_away {
            Self::Unwritable(said)
        } else {
            Self::Other(said)
        }
    }
}
