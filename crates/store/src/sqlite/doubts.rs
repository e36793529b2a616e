//! What may stand twice in the CRM, when to look for it again, and which lead was merged into which.

use domain::effect::Kind;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::cells::all;
use crate::Result;
use crate::names::{micros, time};
use crate::rows::Doubt;
use crate::statements::statements;

/// Merged again and again, a lead would be looked for without end.
const MERGES_MAX: usize = 8;

statements! {
    DOUBT = "INSERT INTO doubt (profile, effect_key, change_key, until_at, due_at) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (profile, effect_key) DO UPDATE SET until_at = max(until_at, excluded.until_at)";
    DUE = "SELECT * FROM doubt WHERE profile = ?1 AND due_at <= ?2 ORDER BY due_at, effect_key LIMIT ?3";
    AGAIN = "UPDATE doubt SET due_at = ?3 WHERE profile = ?1 AND effect_key = ?2";
    OVER = "DELETE FROM doubt WHERE profile = ?1 AND effect_key = ?2";
    MERGE = "INSERT INTO merged (profile, lead, into_lead) VALUES (?1, ?2, ?3)
        ON CONFLICT (profile, lead) DO UPDATE SET into_lead = excluded.into_lead";
    INTO = "SELECT into_lead FROM merged WHERE profile = ?1 AND lead = ?2";
    LAST_SENT = "SELECT max(last_sent_at) FROM effect
        WHERE profile = ?1 AND target = ?2 AND (?3 IS NULL OR kind = ?3)";
}

pub fn doubt(db: &Connection, doubt: &Doubt) -> Result<()> {
    db.prepare_cached(DOUBT)?.execute(params![
        doubt.profile,
        doubt.effect,
        doubt.change,
        micros(doubt.until),
        micros(doubt.due)
    ])?;
    Ok(())
}

pub fn doubts(db: &Connection, profile: &str, now: Timestamp, limit: usize) -> Result<Vec<Doubt>> {
    let row = |row: &Row| {
        Ok(Doubt {
            profile: row.get("profile")?,
            effect: row.get("effect_key")?,
            change: row.get("change_key")?,
            until: time(row.get("until_at")?)?,
            due: time(row.get("due_at")?)?,
        })
    };
    let due = params![profile, micros(now), limit as i64];
    all(&mut db.prepare_cached(DUE)?, due, row)
}

pub fn look_again(db: &Connection, doubt: &Doubt, at: Option<Timestamp>) -> Result<()> {
    match at {
        Some(at) => {
            db.prepare_cached(AGAIN)?
                .execute(params![doubt.profile, doubt.effect, micros(at)])?
        }
        None => db
            .prepare_cached(OVER)?
            .execute([&doubt.profile, &doubt.effect])?,
    };
    Ok(())
}

pub fn merge(db: &Connection, profile: &str, lead: &str, into: &str) -> Result<()> {
    db.prepare_cached(MERGE)?.execute([profile, lead, into])?;
    Ok(())
}

/// The lead that this one stands for by now: usually itself.
pub fn standing_for(db: &Connection, profile: &str, lead: String) -> Result<String> {
    let mut lead = lead;
    for _ in 0..MERGES_MAX {
        let into: Option<String> = db
            .prepare_cached(INTO)?
            .query_row([profile, &lead], |row| row.get(0))
            .optional()?;
        match into {
            Some(into) => lead = into,
            None => break,
        }
    }
    Ok(lead)
}

pub fn last_sent(
    db: &Connection,
    profile: &str,
    lead: &str,
    kind: Option<Kind>,
) -> Result<Option<Timestamp>> {
    let at: Option<i64> = db
        .prepare_cached(LAST_SENT)?
        .query_row(params![profile, lead, kind.map(Kind::name)], |row| {
            row.get(0)
        })?;
    at.map(time).transpose()
}
