//! The index of leads, searched by the tokens of their names.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::cells::all;
use crate::Result;
use crate::index::{self, AT_ONCE, BEARERS_MAX, Due, Known, Sealed};
use crate::names::{micros, time};
use crate::rows::{Indexed, Indexing};
use crate::statements::statements;
use crate::vault::Vault;

statements! {
    KNOWN = "SELECT updated_at, tokens FROM indexed_lead WHERE profile = ?1 AND lead = ?2";
    SEEN = "UPDATE indexed_lead SET seen_at = max(seen_at, ?3) WHERE profile = ?1 AND lead = ?2";
    PUT = "INSERT INTO indexed_lead (profile, lead, updated_at, seen_at, tokens, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (profile, lead) DO UPDATE SET updated_at = excluded.updated_at,
          seen_at = max(seen_at, excluded.seen_at), tokens = excluded.tokens, body = excluded.body";
    ADD_TOKEN = "INSERT INTO lead_token (token, updated_at, lead) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
    REMOVE_TOKEN = "DELETE FROM lead_token WHERE token = ?1 AND updated_at = ?2 AND lead = ?3";
    REMOVE = "DELETE FROM indexed_lead WHERE profile = ?1 AND lead = ?2";
    UNSEEN = "SELECT lead FROM indexed_lead WHERE profile = ?1 AND seen_at < ?2 LIMIT ?3";
    BEARERS = "SELECT lead, updated_at FROM lead_token WHERE token = ?1 ORDER BY updated_at DESC LIMIT ?2";
    BODY = "SELECT body FROM indexed_lead WHERE profile = ?1 AND lead = ?2";
    INDEXING = "SELECT began_at, next_page, filled_at, seen_until FROM indexing WHERE profile = ?1";
    SET_INDEXING = "INSERT INTO indexing (profile, began_at, next_page, filled_at, seen_until) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (profile) DO UPDATE SET began_at = excluded.began_at, next_page = excluded.next_page,
          filled_at = excluded.filled_at, seen_until = excluded.seen_until";
}

pub fn index(db: &Connection, profile: &str, leads: &[Sealed], seen_at: Timestamp) -> Result<()> {
    let seen_at = micros(seen_at);
    for new in leads {
        let known = known(db, profile, &new.lead)?;
        let due = index::due(known.as_ref(), new);
        if due == Due::Seen {
            db.prepare_cached(SEEN)?
                .execute(params![profile, new.lead, seen_at])?;
            continue;
        }
        db.prepare_cached(PUT)?.execute(params![
            profile,
            new.lead,
            new.updated_at,
            seen_at,
            new.tokens,
            new.body
        ])?;
        if due == Due::Everything {
            known.map_or(Ok(()), |before| remove_tokens(db, &new.lead, &before))?;
            for token in new.tokens.split_whitespace() {
                db.prepare_cached(ADD_TOKEN)?
                    .execute(params![token, new.updated_at, new.lead])?;
            }
        }
    }
    Ok(())
}

fn known(db: &Connection, profile: &str, lead: &str) -> Result<Option<Known>> {
    let mut statement = db.prepare_cached(KNOWN)?;
    let known = statement.query_row([profile, lead], |row| {
        Ok(Known {
            updated_at: row.get(0)?,
            tokens: row.get(1)?,
        })
    });
    Ok(known.optional()?)
}

fn remove_tokens(db: &Connection, lead: &str, known: &Known) -> Result<()> {
    for token in known.tokens.split_whitespace() {
        db.prepare_cached(REMOVE_TOKEN)?
            .execute(params![token, known.updated_at, lead])?;
    }
    Ok(())
}

pub fn unindex(db: &Connection, profile: &str, leads: &[String]) -> Result<()> {
    for lead in leads {
        if let Some(known) = known(db, profile, lead)? {
            remove_tokens(db, lead, &known)?;
            db.prepare_cached(REMOVE)?.execute([profile, lead])?;
        }
    }
    Ok(())
}

/// As many as go in one commit; says how many those were.
pub fn sweep(db: &Connection, profile: &str, seen_before: Timestamp) -> Result<usize> {
    let unseen = params![profile, micros(seen_before), AT_ONCE as i64];
    let leads: Vec<String> = all(&mut db.prepare_cached(UNSEEN)?, unseen, |row| {
        Ok(row.get(0)?)
    })?;
    unindex(db, profile, &leads)?;
    Ok(leads.len())
}

pub fn resembling(
    db: &Connection,
    vault: &Vault,
    profile: &str,
    tokens: &[String],
    limit: usize,
) -> Result<Vec<Indexed>> {
    let mut found: HashMap<String, Likeness> = HashMap::new();
    for token in index::sought(vault, profile, tokens) {
        let newest = params![token, BEARERS_MAX as i64];
        let bearers = all(&mut db.prepare_cached(BEARERS)?, newest, |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        for (lead, updated_at) in bearers {
            let likeness = Likeness {
                shared: 0,
                updated_at,
            };
            found.entry(lead).or_insert(likeness).shared += 1;
        }
    }
    let mut found: Vec<(String, Likeness)> = found.into_iter().collect();
    found.sort_unstable_by(|(a, of_a), (b, of_b)| {
        let of_a = (of_a.shared, of_a.updated_at, a.len(), a);
        (of_b.shared, of_b.updated_at, b.len(), b).cmp(&of_a)
    });
    let mut leads = Vec::new();
    for (lead, _) in found.into_iter().take(index::limit(limit)) {
        let mut statement = db.prepare_cached(BODY)?;
        let body: Option<Vec<u8>> = statement
            .query_row([profile, &lead], |row| row.get(0))
            .optional()?;
        leads.extend(body.and_then(|body| index::opened(vault, profile, &lead, &body)));
    }
    Ok(leads)
}

/// What decides the order of those found: how many of the tokens a lead bears, and when it was updated.
struct Likeness {
    shared: u32,
    updated_at: i64,
}

pub fn indexing(db: &Connection, profile: &str) -> Result<Indexing> {
    let at = |row: &Row, column: usize| -> Result<Option<Timestamp>> {
        let micros: Option<i64> = row.get(column)?;
        micros.map(time).transpose()
    };
    let stored = all(&mut db.prepare_cached(INDEXING)?, [profile], |row| {
        Ok(Indexing {
            began_at: at(row, 0)?,
            next_page: row.get(1)?,
            filled_at: at(row, 2)?,
            seen_until: at(row, 3)?,
        })
    })?;
    Ok(stored.into_iter().next().unwrap_or_default())
}

pub fn set_indexing(db: &Connection, profile: &str, indexing: &Indexing) -> Result<()> {
    db.prepare_cached(SET_INDEXING)?.execute(params![
        profile,
        indexing.began_at.map(micros),
        indexing.next_page,
        indexing.filled_at.map(micros),
        indexing.seen_until.map(micros)
    ])?;
    Ok(())
}
