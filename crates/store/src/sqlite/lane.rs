//! What follows when a change moves: when its person's lane is next due, and how its delivery stands.

use rusqlite::{Connection, OptionalExtension, params};

use super::cells::all;
use crate::Result;
use crate::names;
use crate::rows::{Status, standing};
use crate::statements::statements;

statements! {
    RUNNING = "SELECT EXISTS (SELECT 1 FROM change WHERE profile = ?1 AND person = ?2 AND status = 'running')";
    FIRST = "SELECT status, retry_at, created_at, crashes FROM change
        WHERE profile = ?1 AND person = ?2 AND status IN ('pending', 'waiting', 'running') AND yields = 0
        ORDER BY created_at, n LIMIT 1";
    FIRST_PARKED = "SELECT status, retry_at, created_at, crashes FROM change
        WHERE profile = ?1 AND person = ?2 AND status IN ('pending', 'waiting', 'running') AND yields = 1
        ORDER BY retry_at, created_at, n LIMIT 1";
    PUT = "INSERT INTO lane (profile, person, due_at, since, suspect) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (profile, person) DO UPDATE
        SET due_at = excluded.due_at, since = excluded.since, suspect = excluded.suspect";
    EMPTY = "DELETE FROM lane WHERE profile = ?1 AND person = ?2";
    STATES = "SELECT status, reason FROM change WHERE delivery_id = ?1 ORDER BY n";
    FOLLOW = "UPDATE delivery SET status = ?2, reason = ?3 WHERE id = ?1";
    AGAIN = "UPDATE change
        SET status = CASE status WHEN 'running' THEN 'running' ELSE 'pending' END, again = (status = 'running'),
            attempts = 0, crashes = 0, yields = 0, first_tried_at = NULL, retry_at = NULL, reason = NULL
        WHERE id = ?1 RETURNING profile, person, delivery_id";
}

/// The first open change decides; one that runs keeps the lane.
pub fn refresh(db: &Connection, profile: &str, person: &str) -> Result<()> {
    let head = match first(db, FIRST, profile, person)? {
        None => first(db, FIRST_PARKED, profile, person)?,
        head => head,
    };
    let Some((due_at, since, is_suspect)) = head else {
        db.prepare_cached(EMPTY)?
            .execute(params![profile, person])?;
        return Ok(());
    };
    let runs: bool = db
        .prepare_cached(RUNNING)?
        .query_row(params![profile, person], |row| row.get(0))?;
    let due_at = (!runs).then_some(due_at);
    db.prepare_cached(PUT)?
        .execute(params![profile, person, due_at, since, is_suspect])?;
    Ok(())
}

/// When it is due (0 is kept for what is pending), its stamp, and whether the program once stopped at it.
fn first(
    db: &Connection,
    sql: &'static str,
    profile: &str,
    person: &str,
) -> Result<Option<(i64, i64, bool)>> {
    let row = db
        .prepare_cached(sql)?
        .query_row(params![profile, person], |row| {
            let status: String = row.get(0)?;
            let retry_at: Option<i64> = row.get(1)?;
            let due_at = if status == "waiting" {
                retry_at.unwrap_or(1).max(1)
            } else {
                0
            };
            let (since, crashes): (i64, i64) = (row.get(2)?, row.get(3)?);
            Ok((due_at, since, crashes > 0))
        });
    Ok(row.optional()?)
}

/// Derives a delivery's status and reason from its changes.
pub fn follow(db: &Connection, delivery_id: &str) -> Result<()> {
    let (status, reason) = standing_of(db, delivery_id)?;
    db.prepare_cached(FOLLOW)?
        .execute(params![delivery_id, status.name(), reason])?;
    Ok(())
}

pub fn standing_of(db: &Connection, delivery_id: &str) -> Result<(Status, Option<String>)> {
    let states: Vec<(Status, Option<String>)> =
        all(&mut db.prepare_cached(STATES)?, [delivery_id], |row| {
            Ok((names::status(&row.get::<_, String>(0)?)?, row.get(1)?))
        })?;
    Ok(standing(states))
}

/// Has a change planned anew, as if for the first time. One that is running is, once it has ended.
pub fn plan_again(db: &Connection, change_id: &str) -> Result<()> {
    let (profile, person, delivery_id): (String, String, String) =
        db.prepare_cached(AGAIN)?.query_row([change_id], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
    refresh(db, &profile, &person)?;
    follow(db, &delivery_id)
}
