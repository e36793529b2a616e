//! Who works for a profile, by the database's clock. The row is also the lock behind which everything that is known or
//! done for the profile changes: whoever takes over waits for what its predecessor was committing, and what the
//! predecessor commits later finds another epoch.

use std::time::Duration;

use jiff::Timestamp;

use super::cells::cell;
use super::connection::Db;
use super::{doubts, lane, schema, work};
use crate::crashes::{CRASHES_MAX, STOPPED_BY_WORK, rests, works_again_at};
use crate::names::micros;
use crate::rows::Lease;
use crate::statements::statements;
use crate::{Error, Result};

statements! {
    // clock_timestamp(), not now(): the lock may have been waited for.
    RENEW = "UPDATE lease SET expires_at = clock_timestamp() + $3::float8 * interval '1 second'
        WHERE profile = $1 AND owner = $2 RETURNING epoch";
    KNOW = "INSERT INTO lease (profile, owner, epoch, expires_at) VALUES ($1, '', 0, '-infinity')
        ON CONFLICT DO NOTHING";
    LOCK = "SELECT owner, epoch FROM lease WHERE profile = $1 FOR UPDATE";
    LEFT = "SELECT CASE WHEN owner = '' OR expires_at <= clock_timestamp() THEN 0
          ELSE EXTRACT(EPOCH FROM expires_at - clock_timestamp())::float8 END
        FROM lease WHERE profile = $1";
    HOLDER = "SELECT owner, CASE WHEN owner = '' OR expires_at <= clock_timestamp() THEN 0
          ELSE EXTRACT(EPOCH FROM expires_at - clock_timestamp()) END::float8 AS left
        FROM lease WHERE profile = $1";
    GRANT = "UPDATE lease
        SET owner = $2, epoch = epoch + 1, expires_at = clock_timestamp() + $3::float8 * interval '1 second'
        WHERE profile = $1 RETURNING epoch";
    RELEASE = "UPDATE lease SET owner = '', expires_at = '-infinity' WHERE profile = $1 AND owner = $2";
    LEFT_RUNNING = "SELECT id, person, delivery_id, crashes FROM change WHERE profile = $1 AND status = 'running'";
    AFTER_CRASH = "UPDATE change SET status = 'pending', crashes = crashes + 1, again = false WHERE id = $1";
    REST = "UPDATE change SET status = 'waiting', crashes = crashes + 1, again = false, retry_at = $2, reason = $3
        WHERE id = $1";
    BURY = "UPDATE change SET status = 'dead', reason = $2, again = false WHERE id = $1";
    LEFT_ATTEMPTING = "UPDATE effect SET state = 'unknown' WHERE profile = $1 AND state = 'attempting'";
}

pub async fn lease(
    db: &Db,
    profile: &str,
    owner: &str,
    ttl: Duration,
    now: Timestamp,
) -> Result<Lease> {
    let seconds = ttl.as_secs_f64();
    if let Some(row) = db.one(RENEW, &[&profile, &owner, &seconds]).await? {
        return Ok(Lease::Held {
            epoch: cell(&row, "epoch")?,
        });
    }
    let theirs = lock(db, profile).await?;
    let left: f64 = db.value(LEFT, &[&profile]).await?;
    if theirs.owner != owner && left > 0.0 {
        return Ok(Lease::Theirs {
            owner: theirs.owner,
            left: Duration::try_from_secs_f64(left).unwrap_or_default(),
        });
    }
    schema::refuse_work_on_newer(db).await?;
    // Not given back, it ran out; its owner may have been stopped in the middle of a call, and go on.
    if !theirs.owner.is_empty() && theirs.owner != owner {
        doubts::doubt_lately(db, profile, ttl, now).await?;
    }
    let epoch: i64 = db.value(GRANT, &[&profile, &owner, &seconds]).await?;
    settle_what_was_left(db, profile, now).await?;
    Ok(Lease::Held { epoch })
}

async fn settle_what_was_left(db: &Db, profile: &str, now: Timestamp) -> Result<()> {
    for row in db.all(LEFT_RUNNING, &[&profile]).await? {
        let (id, crashes): (&str, i64) = (cell(&row, "id")?, cell(&row, "crashes")?);
        let crashes = u32::try_from(crashes).unwrap_or(CRASHES_MAX) + 1;
        if crashes >= CRASHES_MAX {
            db.execute(BURY, &[&id, &STOPPED_BY_WORK]).await?;
        } else if let Some(at) = works_again_at(crashes, now) {
            db.execute(REST, &[&id, &micros(at), &rests(crashes)])
                .await?;
        } else {
            db.execute(AFTER_CRASH, &[&id]).await?;
        }
        lane::refresh(db, profile, cell(&row, "person")?).await?;
        lane::follow(db, cell(&row, "delivery_id")?).await?;
    }
    db.execute(LEFT_ATTEMPTING, &[&profile]).await?;
    Ok(())
}

pub async fn release(db: &Db, profile: &str, owner: &str) -> Result<()> {
    db.execute(RELEASE, &[&profile, &owner]).await?;
    Ok(())
}

pub struct Locked {
    owner: String,
    epoch: i64,
}

/// Until the transaction ends, nobody else changes what is known or done for the profile.
pub async fn lock(db: &Db, profile: &str) -> Result<Locked> {
    let mut row = db.one(LOCK, &[&profile]).await?;
    if row.is_none() {
        db.execute(KNOW, &[&profile]).await?;
        row = db.one(LOCK, &[&profile]).await?;
    }
    let row = row.ok_or_else(|| Error::Other("the lease of a profile vanished".into()))?;
    Ok(Locked {
        owner: cell(&row, "owner")?,
        epoch: cell(&row, "epoch")?,
    })
}

/// The same, for whoever holds the lease with this epoch.
pub async fn lock_as(db: &Db, profile: &str, epoch: i64) -> Result<()> {
    let locked = lock(db, profile).await?;
    if locked.epoch == epoch {
        Ok(())
    } else {
        Err(Error::Superseded)
    }
}

/// Whose it is, as far as a look without a lock tells: those that stand by ask each second.
pub async fn is_theirs(db: &Db, profile: &str, owner: &str) -> Result<Option<Lease>> {
    let Some(row) = db.one(HOLDER, &[&profile]).await? else {
        return Ok(None);
    };
    let (holder, left): (String, f64) = (cell(&row, "owner")?, cell(&row, "left")?);
    let theirs = holder != owner && left > 0.0;
    Ok(theirs.then(|| Lease::Theirs {
        owner: holder,
        left: Duration::try_from_secs_f64(left).unwrap_or_default(),
    }))
}

/// Whether there is anything to claim; fails when somebody else works for the profile by now.
pub async fn is_anything_due(db: &Db, profile: &str, epoch: i64, now: i64) -> Result<bool> {
    let row = db.one(work::IS_DUE, &[&profile, &now]).await?;
    let Some(row) = row else {
        return Err(Error::Superseded);
    };
    if cell::<i64>(&row, "epoch")? == epoch {
        cell(&row, "is_due")
    } else {
        Err(Error::Superseded)
    }
}
