//! From values to columns that Postgres takes, and from its columns to rows.

use std::borrow::Cow;

use sha2::{Digest, Sha256};
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use crate::Result;
use crate::names::{status, time};
use crate::rows::{Delivery, Stored};
use crate::vault::Vault;

/// An index takes no more than some 2,700 bytes of a value.
const INDEXED_BYTES_MAX: usize = 512;
const HEAD_CHARS: usize = 100;

pub fn cell<'a, T: FromSql<'a>>(row: &'a Row, name: &str) -> Result<T> {
    Ok(row.try_get(name)?)
}

/// Postgres' texts hold no NUL.
pub fn text(value: &str) -> Cow<'_, str> {
    if value.contains('\0') {
        Cow::Owned(value.replace('\0', "\u{fffd}"))
    } else {
        Cow::Borrowed(value)
    }
}

/// What stands in an index and comes from outside: a long value is told apart by its digest.
pub fn indexed(value: &str) -> Cow<'_, str> {
    if value.len() <= INDEXED_BYTES_MAX {
        return text(value);
    }
    let head: String = value.chars().take(HEAD_CHARS).collect();
    let digest = hex::encode(Sha256::digest(value));
    Cow::Owned(format!("{}…{digest}", text(&head)))
}

/// A row of the columns of `select_stored!`.
pub fn stored(row: &Row, vault: &Vault) -> Result<Stored> {
    let id: String = cell(row, "id")?;
    let body: &[u8] = cell(row, "body")?;
    let why: Option<&[u8]> = cell(row, "why")?;
    let first_tried_at: Option<i64> = cell(row, "first_tried_at")?;
    Ok(Stored {
        profile: cell(row, "profile")?,
        key: cell(row, "key")?,
        delivery_id: cell(row, "delivery_id")?,
        person: cell(row, "person")?,
        change: vault.open_json("change_body", "body", &id, body)?,
        status: status(cell(row, "status")?)?,
        reason: cell(row, "reason")?,
        attempts: cell::<i64>(row, "attempts")? as u32,
        first_tried_at: first_tried_at.map(time).transpose()?,
        why: why
            .map(|why| vault.open_json("change", "why", &id, why))
            .transpose()?
            .unwrap_or_default(),
        lead: cell(row, "lead")?,
    })
}

/// A row of the columns of `select_delivery!`, and of `headers` and `body` where those are to be opened.
pub fn delivery(row: &Row, vault: Option<&Vault>) -> Result<Delivery> {
    let id: String = cell(row, "id")?;
    let (headers, body) = match vault {
        Some(vault) => (
            vault.open_json("delivery_body", "headers", &id, cell(row, "headers")?)?,
            vault.open("delivery_body", "body", &id, cell(row, "body")?)?,
        ),
        None => (Vec::new(), Vec::new()),
    };
    Ok(Delivery {
        profile: cell(row, "profile")?,
        received_at: time(cell(row, "received_at")?)?,
        trigger: cell(row, "trigger_name")?,
        uid: cell(row, "uid")?,
        status: status(cell(row, "status")?)?,
        reason: cell(row, "reason")?,
        sha256: cell(row, "sha256")?,
        attempts: cell::<i64>(row, "attempts")? as u32,
        headers,
        body,
        id,
    })
}

/// Columns are named one by one: a statement that was prepared before a newer build added one stays good.
macro_rules! select_delivery {
    ($($rest:expr),*) => {
        concat!(
            "SELECT d.id, d.profile, d.received_at, d.trigger_name, d.uid, d.status, d.reason, d.sha256, d.attempts",
            $($rest),*
        )
    };
}
pub(super) use select_delivery;

macro_rules! select_stored {
    ($($rest:expr),*) => {
        concat!(
            "SELECT c.id, c.profile, c.key, c.delivery_id, c.person, c.status, c.reason, c.why, c.lead, c.attempts,
               c.first_tried_at, b.body
             FROM change c JOIN change_body b ON b.id = c.id ",
            $($rest),*
        )
    };
}
pub(super) use select_stored;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_column_takes_is_replaced_and_stays_distinct() {
        assert_eq!(text("plain"), "plain");
        assert_eq!(text("a\0b"), "a\u{fffd}b");
        let (one, other) = ("ä".repeat(2_000), "ä".repeat(2_001));
        assert!(indexed(&one).len() <= INDEXED_BYTES_MAX);
        assert_ne!(indexed(&one), indexed(&other));
        assert_eq!(indexed(&one), indexed(&one.clone()));
        assert_eq!(indexed("bk_1"), "bk_1");
    }
}
