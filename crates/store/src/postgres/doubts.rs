//! What may stand twice in the CRM, when to look for it again, and which lead was merged into which.

use std::time::Duration;

use domain::effect::Kind;
use jiff::Timestamp;

use super::cells::{cell, indexed};
use super::connection::Db;
use super::lease;
use crate::Result;
use crate::names::{micros, time};
use crate::rows::{DOUBTED_FOR, Doubt};
use crate::statements::statements;

/// Merged again and again, a lead would be looked for without end.
const MERGES_MAX: usize = 8;

statements! {
    DOUBT = "INSERT INTO doubt (profile, effect_key, change_key, until_at, due_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (profile, effect_key) DO UPDATE SET until_at = GREATEST(doubt.until_at, excluded.until_at)";
    // Counted from the end of a lease that ran out: whatever was sent in its last two terms, and two minutes for clocks
    // that differ.
    DOUBT_LATELY = "INSERT INTO doubt (profile, effect_key, change_key, until_at, due_at)
        SELECT e.profile, e.key, e.change_key, $3::bigint + $4::bigint, $3::bigint FROM lease l JOIN effect e ON e.profile = l.profile
        WHERE l.profile = $1 AND e.kind IN ('create', 'comment', 'block_comment')
          AND e.last_sent_at >= ((EXTRACT(EPOCH FROM l.expires_at)::float8 - 2 * $2::float8 - 120) * 1000000)::bigint
        ON CONFLICT (profile, effect_key) DO UPDATE SET
          until_at = GREATEST(doubt.until_at, excluded.until_at), due_at = LEAST(doubt.due_at, excluded.due_at)";
    DUE = "SELECT profile, effect_key, change_key, until_at, due_at FROM doubt
        WHERE profile = $1 AND due_at <= $2 ORDER BY due_at, effect_key LIMIT $3";
    AGAIN = "UPDATE doubt SET due_at = $3 WHERE profile = $1 AND effect_key = $2";
    OVER = "DELETE FROM doubt WHERE profile = $1 AND effect_key = $2";
    MERGE = "INSERT INTO merged (profile, lead, into_lead) VALUES ($1, $2, $3)
        ON CONFLICT (profile, lead) DO UPDATE SET into_lead = excluded.into_lead";
    INTO = "SELECT into_lead FROM merged WHERE profile = $1 AND lead = $2";
    LAST_SENT = "SELECT max(last_sent_at) AS at FROM effect
        WHERE profile = $1 AND target = $2 AND ($3::text IS NULL OR kind = $3)";
}

pub async fn doubt(db: &Db, doubt: &Doubt) -> Result<()> {
    let (until, due) = (micros(doubt.until), micros(doubt.due));
    let Doubt {
        profile,
        effect,
        change,
        ..
    } = doubt;
    db.execute(DOUBT, &[profile, effect, change, &until, &due])
        .await?;
    Ok(())
}

/// Before the lease of somebody who may still be alive is granted to another: what that one made or said in its last
/// time may arrive once more, whatever it has recorded of it.
pub async fn doubt_lately(db: &Db, profile: &str, lasted: Duration, now: Timestamp) -> Result<()> {
    let (lasted, day) = (lasted.as_secs_f64(), DOUBTED_FOR.as_micros() as i64);
    db.execute(DOUBT_LATELY, &[&profile, &lasted, &micros(now), &day])
        .await?;
    Ok(())
}

pub async fn doubts(db: &Db, profile: &str, now: Timestamp, limit: usize) -> Result<Vec<Doubt>> {
    let rows = db
        .all(DUE, &[&profile, &micros(now), &(limit as i64)])
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Doubt {
                profile: cell(row, "profile")?,
                effect: cell(row, "effect_key")?,
                change: cell(row, "change_key")?,
                until: time(cell(row, "until_at")?)?,
                due: time(cell(row, "due_at")?)?,
            })
        })
        .collect()
}

pub async fn look_again(db: &Db, doubt: &Doubt, at: Option<Timestamp>) -> Result<()> {
    let (profile, effect) = (&doubt.profile, &doubt.effect);
    match at {
        Some(at) => db.execute(AGAIN, &[profile, effect, &micros(at)]).await?,
        None => db.execute(OVER, &[profile, effect]).await?,
    };
    Ok(())
}

pub async fn merge(db: &Db, profile: &str, epoch: i64, lead: &str, into: &str) -> Result<()> {
    lease::lock_as(db, profile, epoch).await?;
    db.execute(MERGE, &[&profile, &indexed(lead), &into])
        .await?;
    Ok(())
}

/// The lead that this one stands for by now: usually itself.
pub async fn standing_for(db: &Db, profile: &str, lead: String) -> Result<String> {
    let mut lead = lead;
    for _ in 0..MERGES_MAX {
        match db.one(INTO, &[&profile, &indexed(&lead)]).await? {
            Some(row) => lead = cell(&row, "into_lead")?,
            None => break,
        }
    }
    Ok(lead)
}

pub async fn last_sent(
    db: &Db,
    profile: &str,
    lead: &str,
    kind: Option<Kind>,
) -> Result<Option<Timestamp>> {
    let at: Option<i64> = match db
        .one(LAST_SENT, &[&profile, &lead, &kind.map(Kind::name)])
        .await?
    {
        Some(row) => cell(&row, "at")?,
        None => None,
    };
    at.map(time).transpose()
}
