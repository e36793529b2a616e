//! From SQLite's columns to rows.

use rusqlite::Row;

use crate::Result;
use crate::names::{status, time};
use crate::rows::{Delivery, Stored};
use crate::vault::Vault;

/// A row of the view `stored`.
pub fn stored(row: &Row, vault: &Vault) -> Result<Stored> {
    let id: String = row.get("id")?;
    let body: Vec<u8> = row.get("body")?;
    let why: Option<Vec<u8>> = row.get("why")?;
    let first_tried_at: Option<i64> = row.get("first_tried_at")?;
    Ok(Stored {
        profile: row.get("profile")?,
        key: row.get("key")?,
        delivery_id: row.get("delivery_id")?,
        person: row.get("person")?,
        change: vault.open_json("change_body", "body", &id, &body)?,
        status: status(&row.get::<_, String>("status")?)?,
        reason: row.get("reason")?,
        attempts: row.get("attempts")?,
        first_tried_at: first_tried_at.map(time).transpose()?,
        why: why
            .map(|why| vault.open_json("change", "why", &id, &why))
            .transpose()?
            .unwrap_or_default(),
        lead: row.get("lead")?,
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
