//! The index of leads, searched by the tokens of their names. Who changes it locks the profile's row of `indexing`, and
//! keeps nobody who works for the profile.

use std::collections::HashMap;

use jiff::Timestamp;
use tokio_postgres::Row;

use super::cells::cell;
use super::connection::Db;
use crate::Result;
use crate::index::{self, AT_ONCE, BEARERS_MAX, Due, Known, Sealed};
use crate::names::{micros, time};
use crate::rows::{Indexed, Indexing};
use crate::statements::statements;
use crate::vault::Vault;

/// The rows by which the leads `$2` stand in `lead_token`.
macro_rules! tokens_of_leads {
    () => {
        "SELECT t.token, l.updated_at, l.lead FROM indexed_lead l
           CROSS JOIN LATERAL unnest(string_to_array(l.tokens, ' ')) AS t (token)
         WHERE l.profile = $1 AND l.lead = ANY($2)"
    };
}

statements! {
    START = "INSERT INTO indexing (profile, next_page) VALUES ($1, 0) ON CONFLICT DO NOTHING";
    LOCK = "SELECT next_page FROM indexing WHERE profile = $1 FOR UPDATE";
    KNOWN = "SELECT lead, updated_at, tokens FROM indexed_lead WHERE profile = $1 AND lead = ANY($2)";
    SEEN = "UPDATE indexed_lead SET seen_at = GREATEST(seen_at, $3) WHERE profile = $1 AND lead = ANY($2)";
    PUT = "INSERT INTO indexed_lead (profile, lead, updated_at, seen_at, tokens, body)
        SELECT $1, lead, updated_at, $3, tokens, body
        FROM unnest($2::text[], $4::bigint[], $5::text[], $6::bytea[]) AS came (lead, updated_at, tokens, body)
        ON CONFLICT (profile, lead) DO UPDATE SET updated_at = excluded.updated_at,
          seen_at = GREATEST(indexed_lead.seen_at, excluded.seen_at), tokens = excluded.tokens, body = excluded.body";
    ADD_TOKENS = concat!("INSERT INTO lead_token (token, updated_at, lead) ", tokens_of_leads!(), " ON CONFLICT DO NOTHING");
    REMOVE_TOKENS = concat!("DELETE FROM lead_token WHERE (token, updated_at, lead) IN (", tokens_of_leads!(), ")");
    REMOVE = "DELETE FROM indexed_lead WHERE profile = $1 AND lead = ANY($2)";
    UNSEEN = "SELECT lead FROM indexed_lead WHERE profile = $1 AND seen_at < $2 LIMIT $3";
    RESEMBLING = "WITH best AS (
          SELECT b.lead, count(DISTINCT sought.token) AS shared, max(b.updated_at) AS updated_at
          FROM unnest($2::text[]) AS sought (token) CROSS JOIN LATERAL (
            SELECT lead, updated_at FROM lead_token WHERE token = sought.token ORDER BY updated_at DESC LIMIT $3) AS b
          GROUP BY b.lead ORDER BY shared DESC, updated_at DESC, length(b.lead) DESC, b.lead DESC LIMIT $4)
        SELECT l.lead, l.body FROM best b JOIN indexed_lead l ON l.profile = $1 AND l.lead = b.lead
        ORDER BY b.shared DESC, b.updated_at DESC, length(b.lead) DESC, b.lead DESC";
    INDEXING = "SELECT began_at, next_page, filled_at, seen_until FROM indexing WHERE profile = $1";
    SET_INDEXING = "INSERT INTO indexing (profile, began_at, next_page, filled_at, seen_until) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (profile) DO UPDATE SET began_at = excluded.began_at, next_page = excluded.next_page,
          filled_at = excluded.filled_at, seen_until = excluded.seen_until";
}

async fn lock(db: &Db, profile: &str) -> Result<()> {
    db.execute(START, &[&profile]).await?;
    db.one(LOCK, &[&profile]).await?;
    Ok(())
}

pub async fn index(db: &Db, profile: &str, leads: &[Sealed], seen_at: Timestamp) -> Result<()> {
    lock(db, profile).await?;
    let seen_at = micros(seen_at);
    let known = known(db, profile, leads).await?;
    let due_of = |new: &Sealed| index::due(known.get(&new.lead), new);
    let (seen, news): (Vec<&Sealed>, Vec<&Sealed>) =
        leads.iter().partition(|new| due_of(new) == Due::Seen);
    let elsewhere: Vec<&str> = news
        .iter()
        .filter(|new| due_of(new) == Due::Everything)
        .map(|new| new.lead.as_str())
        .collect();
    db.execute(REMOVE_TOKENS, &[&profile, &elsewhere]).await?;
    let of = |all: &[&Sealed]| -> Vec<String> { all.iter().map(|new| new.lead.clone()).collect() };
    let updates: Vec<i64> = news.iter().map(|new| new.updated_at).collect();
    let tokens: Vec<&str> = news.iter().map(|new| new.tokens.as_str()).collect();
    let bodies: Vec<&[u8]> = news.iter().map(|new| new.body.as_slice()).collect();
    db.execute(
        PUT,
        &[&profile, &of(&news), &seen_at, &updates, &tokens, &bodies],
    )
    .await?;
    db.execute(ADD_TOKENS, &[&profile, &elsewhere]).await?;
    db.execute(SEEN, &[&profile, &of(&seen), &seen_at]).await?;
    Ok(())
}

async fn known(db: &Db, profile: &str, leads: &[Sealed]) -> Result<HashMap<String, Known>> {
    let leads: Vec<&str> = leads.iter().map(|new| new.lead.as_str()).collect();
    let rows = db.all(KNOWN, &[&profile, &leads]).await?;
    rows.iter()
        .map(|row| {
            let known = Known {
                updated_at: cell(row, "updated_at")?,
                tokens: cell(row, "tokens")?,
            };
            Ok((cell(row, "lead")?, known))
        })
        .collect()
}

pub async fn unindex(db: &Db, profile: &str, leads: &[String]) -> Result<()> {
    lock(db, profile).await?;
    remove(db, profile, leads).await
}

async fn remove(db: &Db, profile: &str, leads: &[String]) -> Result<()> {
    db.execute(REMOVE_TOKENS, &[&profile, &leads]).await?;
    db.execute(REMOVE, &[&profile, &leads]).await?;
    Ok(())
}

/// As many as go in one commit; says how many those were.
pub async fn sweep(db: &Db, profile: &str, seen_before: Timestamp) -> Result<usize> {
    lock(db, profile).await?;
    let (before, limit) = (micros(seen_before), AT_ONCE as i64);
    let rows = db.all(UNSEEN, &[&profile, &before, &limit]).await?;
    let leads = rows
        .iter()
        .map(|row| cell(row, "lead"))
        .collect::<Result<Vec<String>>>()?;
    remove(db, profile, &leads).await?;
    Ok(leads.len())
}

pub async fn resembling(
    db: &Db,
    vault: &Vault,
    profile: &str,
    tokens: &[String],
    limit: usize,
) -> Result<Vec<Indexed>> {
    let tokens = index::sought(vault, profile, tokens);
    let (bearers, limit) = (BEARERS_MAX as i64, index::limit(limit) as i64);
    let rows = db
        .all(RESEMBLING, &[&profile, &tokens, &bearers, &limit])
        .await?;
    let mut leads = Vec::with_capacity(rows.len());
    for row in &rows {
        let (lead, body) = (cell(row, "lead")?, cell(row, "body")?);
        leads.extend(index::opened(vault, profile, lead, body));
    }
    Ok(leads)
}

pub async fn indexing(db: &Db, profile: &str) -> Result<Indexing> {
    let at = |row: &Row, name: &str| -> Result<Option<Timestamp>> {
        cell::<Option<i64>>(row, name)?.map(time).transpose()
    };
    match db.one(INDEXING, &[&profile]).await? {
        Some(row) => Ok(Indexing {
            began_at: at(&row, "began_at")?,
            next_page: cell::<i64>(&row, "next_page")? as u32,
            filled_at: at(&row, "filled_at")?,
            seen_until: at(&row, "seen_until")?,
        }),
        None => Ok(Indexing::default()),
    }
}

pub async fn set_indexing(db: &Db, profile: &str, indexing: &Indexing) -> Result<()> {
    let at = |of: Option<Timestamp>| of.map(micros);
    let Indexing {
        began_at,
        next_page,
        filled_at,
        seen_until,
    } = indexing;
    db.execute(
        SET_INDEXING,
        &[
            &profile,
            &at(*began_at),
            &i64::from(*next_page),
            &at(*filled_at),
            &at(*seen_until),
        ],
    )
    .await?;
    Ok(())
}
