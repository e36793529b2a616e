//! Working changes off: claimed, put back, ended. Each verb begins by locking its profile as the holder of its lease.

use jiff::Timestamp;

use super::cells::{self, cell, select_stored, text};
use super::connection::Db;
use super::{journal, lane, lease};
use crate::crashes::{rested_by, unopened_change};
use crate::names::{micros, time};
use crate::rows::{Claim, Ended, Record, Stored};
use crate::statements::statements;
use crate::vault::Vault;
use crate::{Error, Result};

statements! {
    SUSPECT_RUNS = "SELECT EXISTS (SELECT 1 FROM change WHERE profile = $1 AND status = 'running' AND crashes > 0)";
    PENDING = "SELECT person, since FROM lane WHERE profile = $1 AND suspect = $2 AND due_at = 0
        ORDER BY since LIMIT $3 FOR UPDATE SKIP LOCKED";
    DUE = "SELECT person, since FROM lane WHERE profile = $1 AND suspect = $2 AND due_at > 0 AND due_at <= $4
        ORDER BY due_at, since LIMIT $3 FOR UPDATE SKIP LOCKED";
    CLAIM = "UPDATE change SET status = 'running', attempts = attempts + 1, epoch = $3, again = false,
            first_tried_at = COALESCE(first_tried_at, $4), retry_at = NULL, yields = false
        WHERE id = COALESCE(
          (SELECT id FROM change
            WHERE profile = $1 AND person = $2 AND status IN ('pending', 'waiting', 'running') AND NOT yields
            ORDER BY created_at, id LIMIT 1),
          (SELECT id FROM change
            WHERE profile = $1 AND person = $2 AND status IN ('pending', 'waiting', 'running') AND yields
            ORDER BY retry_at, created_at, id LIMIT 1)) AND key <> ALL($5)
        RETURNING id, delivery_id";
    RUNNING = "SELECT id, person, delivery_id FROM change
        WHERE profile = $1 AND status = 'running' AND epoch = $2 AND key <> ALL($3)";
    UNCLAIM = "UPDATE change SET status = 'pending', attempts = GREATEST(0, attempts - 1), again = false
        WHERE id = $1";
    BURY = "UPDATE change SET status = 'dead', reason = $2, again = false WHERE id = $1";
    STORED = select_stored!("WHERE c.id = $1");
    NEXT_DUE = "SELECT LEAST(
          (SELECT min(due_at) FROM lane WHERE profile = $1 AND suspect AND due_at > 0),
          (SELECT min(due_at) FROM lane WHERE profile = $1 AND NOT suspect AND due_at > 0))";
    CLAIMED = "SELECT id, person, delivery_id FROM change
        WHERE profile = $1 AND key = $2 AND status = 'running' AND epoch = $3";
    FINISH = "UPDATE change SET status = CASE WHEN again THEN 'pending' ELSE $2 END, reason = $3, why = $4,
            lead = $5, crashes = 0, again = false, retry_at = NULL
        WHERE id = $1";
    RETRY = "UPDATE change SET status = 'waiting', retry_at = $2, reason = $3, again = false,
            attempts = GREATEST(0, attempts - $4), crashes = crashes * $4
        WHERE id = $1";
    PARK = "UPDATE change SET yields = true, first_tried_at = NULL WHERE id = $1";
    UNPARK = "UPDATE change SET retry_at = 1 WHERE profile = $1 AND person = $2 AND status = 'waiting' AND yields";
    WAKE = "UPDATE change SET retry_at = $2, first_tried_at = NULL
        WHERE profile = $1 AND status = 'waiting' AND retry_at > $2 AND (crashes = 0 OR retry_at > $3)";
    WAKE_LANES = "UPDATE lane SET due_at = $2
        WHERE profile = $1 AND due_at > $2 AND (NOT suspect OR due_at > $3)";
}

pub const IS_DUE: &str = "SELECT epoch,
      EXISTS (SELECT 1 FROM lane WHERE profile = $1 AND suspect AND due_at = 0)
      OR EXISTS (SELECT 1 FROM lane WHERE profile = $1 AND NOT suspect AND due_at = 0)
      OR EXISTS (SELECT 1 FROM lane WHERE profile = $1 AND suspect AND due_at > 0 AND due_at <= $2)
      OR EXISTS (SELECT 1 FROM lane WHERE profile = $1 AND NOT suspect AND due_at > 0 AND due_at <= $2) AS is_due
    FROM lease WHERE profile = $1";

/// What the program stopped at before is worked on one at a time, so that the one at fault is found and
/// those that merely ran beside it are not counted with it.
pub async fn claim(
    db: &Db,
    vault: &Vault,
    profile: &str,
    epoch: i64,
    now: Timestamp,
    limit: usize,
    at_work: &[String],
) -> Result<Vec<Claim>> {
    lease::lock_as(db, profile, epoch).await?;
    let mut lanes = Vec::new();
    if !db.value::<bool>(SUSPECT_RUNS, &[&profile]).await? {
        lanes.extend(due_lanes(db, profile, true, now, 1).await?);
    }
    lanes.extend(due_lanes(db, profile, false, now, limit).await?);
    lanes.truncate(limit);
    let mut claims = Vec::new();
    for (person, _) in lanes {
        let (lane, time) = ((profile, person.as_str()), (epoch, now));
        claims.extend(claim_first(db, vault, lane, time, at_work).await?);
    }
    Ok(claims)
}

/// Oldest first, whether it is pending or has waited.
async fn due_lanes(
    db: &Db,
    profile: &str,
    suspect: bool,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<(String, i64)>> {
    let rows = limit as i64;
    let mut found = db.all(PENDING, &[&profile, &suspect, &rows]).await?;
    found.extend(
        db.all(DUE, &[&profile, &suspect, &rows, &micros(now)])
            .await?,
    );
    let mut lanes = found
        .iter()
        .map(|row| Ok((cell(row, "person")?, cell(row, "since")?)))
        .collect::<Result<Vec<(String, i64)>>>()?;
    lanes.sort_by_key(|(_, since)| *since);
    lanes.truncate(limit);
    Ok(lanes)
}

async fn claim_first(
    db: &Db,
    vault: &Vault,
    (profile, person): (&str, &str),
    (epoch, now): (i64, Timestamp),
    at_work: &[String],
) -> Result<Option<Claim>> {
    let claimed = db
        .one(CLAIM, &[&profile, &person, &epoch, &micros(now), &at_work])
        .await?;
    let Some(row) = claimed else {
        return Ok(None);
    };
    let (id, delivery_id): (&str, &str) = (cell(&row, "id")?, cell(&row, "delivery_id")?);
    let claim = match stored(db, vault, id).await {
        Ok(stored) => Some(Claim { stored, epoch }),
        Err(Error::Other(why)) => {
            let reason = unopened_change(&why);
            db.execute(BURY, &[&id, &text(&reason)]).await?;
            None
        }
        Err(error) => return Err(error),
    };
    lane::refresh(db, profile, person).await?;
    lane::follow(db, delivery_id).await?;
    Ok(claim)
}

pub async fn is_any_forgotten(
    db: &Db,
    profile: &str,
    epoch: i64,
    at_work: &[String],
) -> Result<bool> {
    let found = db.one(RUNNING, &[&profile, &epoch, &at_work]).await?;
    Ok(found.is_some())
}

pub async fn unclaim(db: &Db, profile: &str, epoch: i64, at_work: &[String]) -> Result<()> {
    lease::lock_as(db, profile, epoch).await?;
    for row in db.all(RUNNING, &[&profile, &epoch, &at_work]).await? {
        db.execute(UNCLAIM, &[&cell::<&str>(&row, "id")?]).await?;
        lane::refresh(db, profile, cell(&row, "person")?).await?;
        lane::follow(db, cell(&row, "delivery_id")?).await?;
    }
    Ok(())
}

pub async fn stored(db: &Db, vault: &Vault, id: &str) -> Result<Stored> {
    match db.one(STORED, &[&id]).await? {
        Some(row) => cells::stored(&row, vault),
        None => Err(Error::Other(format!("the body of change {id} is missing"))),
    }
}

pub async fn next_due(db: &Db, profile: &str) -> Result<Option<Timestamp>> {
    let due: Option<i64> = db.value(NEXT_DUE, &[&profile]).await?;
    due.map(time).transpose()
}

pub async fn finish(
    db: &Db,
    vault: &Vault,
    claim: &Claim,
    ended: &Ended,
    record: &Record,
) -> Result<()> {
    let settled = claimed(db, claim).await?;
    journal::record(db, vault, &claim.stored.profile, record).await?;
    let why = vault.seal_json("change", "why", &settled.id, &ended.why);
    let reason = ended.reason.as_deref().map(text);
    db.execute(
        FINISH,
        &[
            &settled.id,
            &ended.status.name(),
            &reason,
            &why,
            &ended.lead,
        ],
    )
    .await?;
    unpark(db, claim).await?;
    settled.follow(db, claim).await
}

/// What waits for another change of the person is due.
pub async fn unpark(db: &Db, claim: &Claim) -> Result<()> {
    db.execute(UNPARK, &[&claim.stored.profile, &claim.stored.person])
        .await?;
    Ok(())
}

pub async fn retry_at(
    db: &Db,
    claim: &Claim,
    at: Timestamp,
    reason: &str,
    counted: bool,
) -> Result<()> {
    let settled = claimed(db, claim).await?;
    let uncounted = i64::from(!counted);
    db.execute(
        RETRY,
        &[&settled.id, &micros(at), &text(reason), &uncounted],
    )
    .await?;
    settled.follow(db, claim).await
}

/// Put back to wait for another change: others of the person go before it, and when one of them has ended it is
/// due at once.
pub async fn park(db: &Db, claim: &Claim, at: Timestamp, reason: &str) -> Result<()> {
    let settled = claimed(db, claim).await?;
    db.execute(RETRY, &[&settled.id, &micros(at), &text(reason), &1_i64])
        .await?;
    db.execute(PARK, &[&settled.id]).await?;
    settled.follow(db, claim).await
}

pub struct Settled {
    pub id: String,
    person: String,
    delivery_id: String,
}

impl Settled {
    pub async fn follow(&self, db: &Db, claim: &Claim) -> Result<()> {
        lane::refresh(db, &claim.stored.profile, &self.person).await?;
        lane::follow(db, &self.delivery_id).await
    }
}

/// Only the claim's own holder may settle it, and only while nobody has taken over.
pub async fn claimed(db: &Db, claim: &Claim) -> Result<Settled> {
    let of = &claim.stored;
    lease::lock_as(db, &of.profile, claim.epoch).await?;
    let found = db
        .one(CLAIMED, &[&of.profile, &of.key, &claim.epoch])
        .await?;
    let row = found.ok_or(Error::Superseded)?;
    Ok(Settled {
        id: cell(&row, "id")?,
        person: cell(&row, "person")?,
        delivery_id: cell(&row, "delivery_id")?,
    })
}

pub async fn wake(db: &Db, profile: &str, now: Timestamp) -> Result<()> {
    lease::lock(db, profile).await?;
    let (at, rested) = (micros(now), micros(rested_by(now)));
    db.execute(WAKE, &[&profile, &at, &rested]).await?;
    db.execute(WAKE_LANES, &[&profile, &at, &rested]).await?;
    Ok(())
}
