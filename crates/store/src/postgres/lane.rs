//! What follows when a change moves: when its person's lane is next due, and how its delivery stands.

use super::cells::cell;
use super::connection::Db;
use crate::rows::{Status, standing};
use crate::statements::statements;
use crate::{Error, Result, names};

statements! {
    // The first open change decides, one that waits for others only when there is no other; one that runs keeps the lane.
    REFRESH = "
        WITH head AS (
          (SELECT 0 AS turn, status, retry_at, created_at, crashes FROM change
            WHERE profile = $1 AND person = $2 AND status IN ('pending', 'waiting', 'running') AND NOT yields
            ORDER BY created_at, id LIMIT 1)
          UNION ALL
          (SELECT 1, status, retry_at, created_at, crashes FROM change
            WHERE profile = $1 AND person = $2 AND status IN ('pending', 'waiting', 'running') AND yields
            ORDER BY retry_at, created_at, id LIMIT 1)
          ORDER BY turn LIMIT 1
        )
        INSERT INTO lane (profile, person, due_at, since, suspect)
        SELECT $1, $2,
          CASE WHEN EXISTS (SELECT 1 FROM change WHERE profile = $1 AND person = $2 AND status = 'running') THEN NULL
            WHEN status = 'waiting' THEN GREATEST(COALESCE(retry_at, 1), 1) ELSE 0 END,
          created_at, crashes > 0
        FROM head
        ON CONFLICT (profile, person) DO UPDATE
        SET due_at = excluded.due_at, since = excluded.since, suspect = excluded.suspect";
    EMPTY = "DELETE FROM lane WHERE profile = $1 AND person = $2";
    STATES = "SELECT status, reason FROM change WHERE delivery_id = $1 ORDER BY id";
    FOLLOW = "UPDATE delivery SET status = $2, reason = $3 WHERE id = $1";
    AGAIN = "UPDATE change
        SET status = CASE status WHEN 'running' THEN 'running' ELSE 'pending' END, again = (status = 'running'),
            attempts = 0, crashes = 0, yields = false, first_tried_at = NULL, retry_at = NULL, reason = NULL
        WHERE id = $1 RETURNING profile, person, delivery_id";
}

pub async fn refresh(db: &Db, profile: &str, person: &str) -> Result<()> {
    if db.execute(REFRESH, &[&profile, &person]).await? == 0 {
        db.execute(EMPTY, &[&profile, &person]).await?;
    }
    Ok(())
}

/// Derives a delivery's status and reason from its changes.
pub async fn follow(db: &Db, delivery_id: &str) -> Result<()> {
    let (status, reason) = standing_of(db, delivery_id).await?;
    db.execute(FOLLOW, &[&delivery_id, &status.name(), &reason])
        .await?;
    Ok(())
}

pub async fn standing_of(db: &Db, delivery_id: &str) -> Result<(Status, Option<String>)> {
    let rows = db.all(STATES, &[&delivery_id]).await?;
    let states = rows
        .iter()
        .map(|row| Ok((names::status(cell(row, "status")?)?, cell(row, "reason")?)))
        .collect::<Result<_>>()?;
    Ok(standing(states))
}

/// Has a change planned anew, as if for the first time. One that is running is, once it has ended.
pub async fn plan_again(db: &Db, change_id: &str) -> Result<()> {
    let row = db
        .one(AGAIN, &[&change_id])
        .await?
        .ok_or_else(|| Error::Other(format!("there is no change {change_id}")))?;
    refresh(db, cell(&row, "profile")?, cell(&row, "person")?).await?;
    follow(db, cell(&row, "delivery_id")?).await
}
