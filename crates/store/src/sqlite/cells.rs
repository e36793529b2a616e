//! From columns to rows and back: times, names of states, and what is sealed.

use domain::effect::{Kind, State};
use jiff::Timestamp;
use rusqlite::Row;

use super::vault::Vault;
use crate::rows::{Delivery, Status, Stored};
use crate::{Error, Result};

/// SQL as constants, together in `ALL`, so that a test can prepare each.
macro_rules! statements {
    ($($name:ident = $sql:expr;)*) => {
        $(const $name: &str = $sql;)*
        #[cfg(test)]
        pub const ALL: &[&str] = &[$($name),*];
    };
}
pub(super) use statements;

/// Microseconds: what is finer is cut off.
pub fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

pub fn time(micros: i64) -> Result<Timestamp> {
    Timestamp::from_microsecond(micros)
        .map_err(|e| Error::Other(format!("a stored time is out of range: {e}")))
}

pub fn status(name: &str) -> Result<Status> {
    Status::parse(name).ok_or_else(|| unknown("status", name))
}

pub fn effect_kind(name: &str) -> Result<Kind> {
    [Kind::Create, Kind::Write, Kind::Comment, Kind::BlockComment]
        .into_iter()
        .find(|k| k.name() == name)
        .ok_or_else(|| unknown("kind of effect", name))
}

pub fn effect_state(name: &str) -> Result<State> {
    use State::{Absent, Applied, Attempting, Dead, Operator, Unknown};
    [Attempting, Applied, Unknown, Absent, Dead, Operator]
        .into_iter()
        .find(|s| s.name() == name)
        .ok_or_else(|| unknown("state of an effect", name))
}

fn unknown(what: &str, name: &str) -> Error {
    Error::Other(format!(
        "the {what} `{name}` is not one that this version knows"
    ))
}

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
