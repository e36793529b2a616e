//! What SQLite's errors mean to whoever asked: the disk or another process is in the way, or it is none of these.

use rusqlite::ErrorCode;
use rusqlite::types::FromSqlError;

use crate::Error;

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(
                ErrorCode::DiskFull
                | ErrorCode::ReadOnly
                | ErrorCode::CannotOpen
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::SystemIoFailure,
            ) => Self::Unwritable(error.to_string()),
            Some(ErrorCode::DatabaseCorrupt) => Self::Other(format!(
                "{error}: the file is damaged, stop calup, keep a copy of it and restore a backup"
            )),
            _ => Self::Other(error.to_string()),
        }
    }
}

impl From<FromSqlError> for Error {
    fn from(error: FromSqlError) -> Self {
        Self::Other(format!("a row is not as calup writes it: {error}"))
    }
}
