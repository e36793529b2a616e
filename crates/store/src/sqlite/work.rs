//! Working changes off: claimed, put back, ended; and who may do so.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::cells::{self, all, stored_where};
use super::lane;
use crate::crashes::{
    CRASHES_MAX, STOPPED_BY_WORK, rested_by, rests, unopened_change, works_again_at,
};
use crate::names::{micros, time};
use crate::rows::{Claim, Ended, Stored};
use crate::statements::statements;
use crate::vault::Vault;
use crate::{Error, Result};

statements! {
    RAISE = "UPDATE owner SET epoch = epoch + 1 RETURNING epoch";
    EPOCH = "SELECT epoch FROM owner";
    LEFT_RUNNING = "SELECT id, profile, person, delivery_id, crashes FROM change WHERE status = 'running'";
    AFTER_CRASH = "UPDATE change SET status = 'pending', crashes = crashes + 1, again = 0 WHERE id = ?1";
    REST = "UPDATE change SET status = 'waiting', crashes = crashes + 1, again = 0, retry_at = ?2, reason = ?3
        WHERE id = ?1";
    BURY = "UPDATE change SET status = 'dead', reason = ?2, again = 0 WHERE id = ?1";
    LEFT_ATTEMPTING = "UPDATE effect SET state = 'unknown' WHERE state = 'attempting'";
    SUSPECT_RUNS = "SELECT EXISTS (SELECT 1 FROM change WHERE status = 'running' AND profile = ?1 AND crashes > 0)";
    PENDING = "SELECT profile, person, since FROM lane
        WHERE profile = ?4 AND suspect = ?1 AND due_at = 0 ORDER BY since LIMIT ?2";
    DUE = "SELECT profile, person, since FROM lane
        WHERE profile = ?4 AND suspect = ?1 AND due_at > 0 AND due_at <= ?3 ORDER BY due_at, since LIMIT ?2";
    IS_DUE = "SELECT EXISTS (SELECT 1 FROM lane WHERE profile = ?2 AND suspect = 0 AND due_at <= ?1)
        OR EXISTS (SELECT 1 FROM lane WHERE profile = ?2 AND suspect = 1 AND due_at <= ?1)";
    FIRST = "SELECT id, delivery_id, key FROM change
        WHERE profile = ?1 AND person = ?2 AND status IN ('pending', 'waiting', 'running') AND yields = 0
        ORDER BY created_at, n LIMIT 1";
    FIRST_PARKED = "SELECT id, delivery_id, key FROM change
        WHERE profile = ?1 AND person = ?2 AND status IN ('pending', 'waiting', 'running') AND yields = 1
        ORDER BY retry_at, created_at, n LIMIT 1";
    CLAIM = "UPDATE change SET status = 'running', attempts = attempts + 1, epoch = ?2, again = 0,
            first_tried_at = COALESCE(first_tried_at, ?3), retry_at = NULL, yields = 0
        WHERE id = ?1";
    RUNNING = "SELECT key, id, person, delivery_id FROM change
        WHERE profile = ?1 AND status = 'running' AND epoch = ?2";
    UNCLAIM = "UPDATE change SET status = 'pending', attempts = max(0, attempts - 1), again = 0 WHERE id = ?1";
    STORED = stored_where!("id = ?1");
    NEXT_DUE = "SELECT min(due_at) FROM lane WHERE profile = ?2 AND suspect = ?1 AND due_at > 0";
    CLAIMED = "SELECT id, person, delivery_id FROM change
        WHERE profile = ?1 AND key = ?2 AND status = 'running' AND epoch = ?3
          AND (SELECT epoch FROM owner) = ?3";
    FINISH = "UPDATE change SET status = CASE again WHEN 1 THEN 'pending' ELSE ?2 END, reason = ?3, why = ?4,
            lead = ?5, crashes = 0, again = 0, retry_at = NULL
        WHERE id = ?1";
    RETRY = "UPDATE change SET status = 'waiting', retry_at = ?2, reason = ?3, again = 0,
            attempts = max(0, attempts - ?4), crashes = crashes * ?4
        WHERE id = ?1";
    PARK = "UPDATE change SET yields = 1, first_tried_at = NULL WHERE id = ?1";
    UNPARK = "UPDATE change SET retry_at = 1 WHERE profile = ?1 AND person = ?2 AND status = 'waiting' AND yields = 1";
    WAKE = "UPDATE change SET retry_at = ?2, first_tried_at = NULL
        WHERE profile = ?1 AND status = 'waiting' AND retry_at > ?2 AND (crashes = 0 OR retry_at > ?3)";
    WAKE_LANES = "UPDATE lane SET due_at = ?2
        WHERE profile = ?1 AND due_at > ?2 AND (suspect = 0 OR due_at > ?3)";
    BEAT = "UPDATE owner SET beat = beat + 1";
}

pub fn epoch(db: &Connection) -> Result<i64> {
    Ok(db.prepare_cached(EPOCH)?.query_row([], |row| row.get(0))?)
}

/// Whoever holds the lock knows that the earlier owner is dead.
pub fn take_over(db: &Connection, now: Timestamp) -> Result<i64> {
    let epoch = db.prepare_cached(RAISE)?.query_row([], |row| row.get(0))?;
    let left: Vec<(String, String, String, String, u32)> =
        all(&mut db.prepare_cached(LEFT_RUNNING)?, [], |row| {
            Ok((
                row.get(0)?,
                row.get(1)?,
                row.get(2)?,
                row.get(3)?,
                row.get(4)?,
            ))
        })?;
    for (id, profile, person, delivery_id, crashes) in left {
        let crashes = crashes + 1;
        if crashes >= CRASHES_MAX {
            db.prepare_cached(BURY)?
                .execute([id.as_str(), STOPPED_BY_WORK])?;
        } else if let Some(at) = works_again_at(crashes, now) {
            db.prepare_cached(REST)?
                .execute(params![id, micros(at), rests(crashes)])?;
        } else {
            db.prepare_cached(AFTER_CRASH)?.execute([&id])?;
        }
        lane::refresh(db, &profile, &person)?;
        lane::follow(db, &delivery_id)?;
    }
    db.prepare_cached(LEFT_ATTEMPTING)?.execute([])?;
    Ok(epoch)
}

pub fn is_anything_due(
    db: &Connection,
    profile: &str,
    own_epoch: i64,
    now: Timestamp,
) -> Result<bool> {
    if epoch(db)? != own_epoch {
        return Err(Error::Superseded);
    }
    Ok(db
        .prepare_cached(IS_DUE)?
        .query_row(params![micros(now), profile], |row| row.get(0))?)
}

/// What the program stopped at before is worked on one at a time, so that the one at fault is found and
/// those that merely ran beside it are not counted with it.
pub fn claim(
    db: &Connection,
    vault: &Vault,
    profile: &str,
    own_epoch: i64,
    now: Timestamp,
    limit: usize,
    at_work: &[String],
) -> Result<Vec<Claim>> {
    if epoch(db)? != own_epoch {
        return Err(Error::Superseded);
    }
    let mut lanes = Vec::new();
    let suspect_runs: bool = db
        .prepare_cached(SUSPECT_RUNS)?
        .query_row([profile], |row| row.get(0))?;
    if !suspect_runs {
        lanes.extend(due_lanes(db, profile, true, now, 1)?);
    }
    lanes.extend(due_lanes(db, profile, false, now, limit)?);
    lanes.truncate(limit);
    let mut claims = Vec::new();
    for lane in lanes {
        claims.extend(claim_first(db, vault, &lane, (own_epoch, now), at_work)?);
    }
    Ok(claims)
}

struct Lane {
    profile: String,
    person: String,
    since: i64,
}

/// Oldest first, whether it is pending or has waited.
fn due_lanes(
    db: &Connection,
    profile: &str,
    suspect: bool,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Lane>> {
    let lane = |row: &rusqlite::Row| {
        Ok(Lane {
            profile: row.get(0)?,
            person: row.get(1)?,
            since: row.get(2)?,
        })
    };
    let (limit_i64, now) = (limit as i64, micros(now));
    let mut lanes = Vec::new();
    for sql in [PENDING, DUE] {
        let asked = params![suspect, limit_i64, now, profile];
        lanes.extend(all(&mut db.prepare_cached(sql)?, asked, lane)?);
    }
    lanes.sort_by_key(|lane| lane.since);
    lanes.truncate(limit);
    Ok(lanes)
}

fn claim_first(
    db: &Connection,
    vault: &Vault,
    lane: &Lane,
    (epoch, now): (i64, Timestamp),
    at_work: &[String],
) -> Result<Option<Claim>> {
    let first = |sql: &'static str| {
        let mut statement = db.prepare_cached(sql)?;
        statement
            .query_row([&lane.profile, &lane.person], |row| {
                Ok([row.get(0)?, row.get(1)?, row.get(2)?])
            })
            .optional()
    };
    let found = match first(FIRST)? {
        None => first(FIRST_PARKED)?,
        found => found,
    };
    let found = found.filter(|[_, _, key]: &[String; 3]| !at_work.contains(key));
    let Some([id, delivery_id, _]) = found else {
        return Ok(None);
    };
    db.prepare_cached(CLAIM)?
        .execute(params![id, epoch, micros(now)])?;
    let claim = match stored(db, vault, &id) {
        Ok(stored) => Some(Claim { stored, epoch }),
        Err(Error::Other(why)) => {
            db.prepare_cached(BURY)?
                .execute([&id, &unopened_change(&why)])?;
            None
        }
        Err(error) => return Err(error),
    };
    lane::refresh(db, &lane.profile, &lane.person)?;
    lane::follow(db, &delivery_id)?;
    Ok(claim)
}

pub fn unclaim(db: &Connection, profile: &str, own_epoch: i64, at_work: &[String]) -> Result<()> {
    if epoch(db)? != own_epoch {
        return Err(Error::Superseded);
    }
    let running: Vec<[String; 4]> = all(
        &mut db.prepare_cached(RUNNING)?,
        params![profile, own_epoch],
        |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]),
    )?;
    for [key, id, person, delivery_id] in running {
        if at_work.contains(&key) {
            continue;
        }
        db.prepare_cached(UNCLAIM)?.execute([&id])?;
        lane::refresh(db, profile, &person)?;
        lane::follow(db, &delivery_id)?;
    }
    Ok(())
}

pub fn stored(db: &Connection, vault: &Vault, id: &str) -> Result<Stored> {
    let mut statement = db.prepare_cached(STORED)?;
    let mut rows = statement.query([id])?;
    match rows.next()? {
        Some(row) => cells::stored(row, vault),
        None => Err(Error::Other(format!("the body of change {id} is missing"))),
    }
}

pub fn next_due(db: &Connection, profile: &str) -> Result<Option<Timestamp>> {
    let of = |suspect: bool| {
        db.prepare_cached(NEXT_DUE)?
            .query_row(params![suspect, profile], |row| {
                row.get::<_, Option<i64>>(0)
            })
    };
    of(false)?
        .into_iter()
        .chain(of(true)?)
        .min()
        .map(time)
        .transpose()
}

pub fn finish(db: &Connection, vault: &Vault, claim: &Claim, ended: &Ended) -> Result<()> {
    settle(db, claim, |id| {
        let why = vault.seal_json("change", "why", id, &ended.why);
        db.prepare_cached(FINISH)?.execute(params![
            id,
            ended.status.name(),
            ended.reason,
            why,
            ended.lead
        ])?;
        unpark(db, claim)
    })
}

/// What waits for another change of the person is due.
pub fn unpark(db: &Connection, claim: &Claim) -> Result<()> {
    db.prepare_cached(UNPARK)?
        .execute([&claim.stored.profile, &claim.stored.person])?;
    Ok(())
}

pub fn retry_at(
    db: &Connection,
    claim: &Claim,
    at: Timestamp,
    reason: &str,
    counted: bool,
) -> Result<()> {
    settle(db, claim, |id| {
        db.prepare_cached(RETRY)?
            .execute(params![id, micros(at), reason, i64::from(!counted)])?;
        Ok(())
    })
}

/// Put back to wait for another change: others of the person go before it, and when one of them has ended it is
/// due at once.
pub fn park(db: &Connection, claim: &Claim, at: Timestamp, reason: &str) -> Result<()> {
    settle(db, claim, |id| {
        db.prepare_cached(RETRY)?
            .execute(params![id, micros(at), reason, 1])?;
        db.prepare_cached(PARK)?.execute([id])?;
        Ok(())
    })
}

/// Only the claim's own holder may, and only while nobody has taken over.
pub fn settle(
    db: &Connection,
    claim: &Claim,
    write: impl FnOnce(&str) -> Result<()>,
) -> Result<()> {
    let of = &claim.stored;
    let claimed: Option<(String, String, String)> = db
        .prepare_cached(CLAIMED)?
        .query_row(params![of.profile, of.key, claim.epoch], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    let (id, person, delivery_id) = claimed.ok_or(Error::Superseded)?;
    write(&id)?;
    lane::refresh(db, &of.profile, &person)?;
    lane::follow(db, &delivery_id)
}

pub fn wake(db: &Connection, profile: &str, now: Timestamp) -> Result<()> {
    let (at, rested) = (micros(now), micros(rested_by(now)));
    db.prepare_cached(WAKE)?
        .execute(params![profile, at, rested])?;
    db.prepare_cached(WAKE_LANES)?
        .execute(params![profile, at, rested])?;
    Ok(())
}

pub fn beat(db: &Connection) -> Result<()> {
    db.prepare_cached(BEAT)?.execute([])?;
    Ok(())
}
