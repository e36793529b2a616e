//! From SQLite's columns to rows.

use rusqlite::Row;

use crate::Result;
use crate::names::{status, time};
use crate::rows::{Delivery, Stored};
use crate::vault::Vault;

/// In this order [`stored`] reads. By their names they would be looked for anew in each row.
macro_rules! stored_where {
    ($rest:expr) => {
        concat!(
            "SELECT id, profile, key, delivery_id, person, body, status, reason, attempts, first_tried_at, why, lead
             FROM stored WHERE ",
            $rest
        )
    };
}
pub(super) use stored_where;

pub fn stored(row: &Row, vault: &Vault) -> Result<Stored> {
    let id: String = row.get(0)?;
    let first_tried_at: Option<i64> = row.get(9)?;
    let why = match row.get_ref(10)?.as_blob_or_null()? {
        Some(why) => vault.open_json("change", "why", &id, why)?,
        None => Vec::new(),
    };
    Ok(Stored {
        profile: row.get(1)?,
        key: row.get(2)?,
        delivery_id: row.get(3)?,
        person: row.get(4)?,
        change: vault.open_json("change_body", "body", &id, row.get_ref(5)?.as_blob()?)?,
        status: status(row.get_ref(6)?.as_str()?)?,
        reason: row.get(7)?,
        attempts: row.get(8)?,
        first_tried_at: first_tried_at.map(time).transpose()?,
        why,
        lead: row.get(11)?,
    })
}

/// A row of `delivery`, or of it and `delivery_body`, where `body` and `headers` are opened too.
pub fn delivery(row: &Row, vault: Option<&Vault>) -> Result<Delivery> {
    let id: String = row.get("id")?;
    let (headers, body) = match vault {
        Some(vault) => {
            let (headers, body): (Vec<u8>, Vec<u8>) = (row.get("headers")?, row.get("body")?);
            (
                vault.open_json("delivery_body", "headers", &id, &headers)?,
                vault.open("delivery_body", "body", &id, &body)?,
            )
        }
        None => (Vec::new(), Vec::new()),
    };
    Ok(Delivery {
        profile: row.get("profile")?,
        received_at: time(row.get("received_at")?)?,
        trigger: row.get("trigger_name")?,
        uid: row.get("uid")?,
        status: status(&row.get::<_, String>("status")?)?,
        reason: row.get("reason")?,
        sha256: row.get("sha256")?,
        attempts: row.get("attempts")?,
        headers,
        body,
        id,
    })
}

/// Opens nothing but SQLite's errors on the way: `query_and_then` for our own rows.
pub fn all<T>(
    statement: &mut rusqlite::CachedStatement,
    params: impl rusqlite::Params,
    row: impl FnMut(&Row) -> Result<T>,
) -> Result<Vec<T>> {
    statement.query_and_then(params, row)?.collect()
}
