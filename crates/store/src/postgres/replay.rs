//! Having a delivery worked off anew. What was applied is told by the journal and is not applied twice.

use super::cells::cell;
use super::connection::Db;
use super::{lane, lease};
use crate::statements::statements;
use crate::{Result, names};

statements! {
    DELIVERY = "SELECT profile FROM delivery WHERE id = $1";
    STATUS = "SELECT status FROM delivery WHERE id = $1 FOR UPDATE";
    CHANGES = "SELECT id, key FROM change WHERE delivery_id = $1 ORDER BY id";
    UNREAD_AGAIN = "UPDATE delivery SET is_read = false, attempts = 0, status = 'pending', reason = NULL WHERE id = $1";
    EFFECTS = "UPDATE effect SET amended = '[]',
          state = CASE state WHEN 'dead' THEN 'absent' WHEN 'operator' THEN 'unknown' ELSE state END,
          negatives = CASE state WHEN 'operator' THEN 0 ELSE negatives END
        WHERE profile = $1 AND change_key = ANY($2)";
}

/// What was not read, or was read as nothing, is read again; what has changes has them planned again.
pub async fn replay(db: &Db, id: &str) -> Result<bool> {
    let Some(row) = db.one(DELIVERY, &[&id]).await? else {
        return Ok(false);
    };
    let profile: &str = cell(&row, "profile")?;
    lease::lock(db, profile).await?;
    let status: String = db.value(STATUS, &[&id]).await?;
    let changes = db.all(CHANGES, &[&id]).await?;
    let keys = changes
        .iter()
        .map(|row| cell::<&str>(row, "key"))
        .collect::<Result<Vec<_>>>()?;
    db.execute(EFFECTS, &[&profile, &keys]).await?;
    if changes.is_empty() || names::status(&status)?.is_misread() {
        db.execute(UNREAD_AGAIN, &[&id]).await?;
        return Ok(true);
    }
    for row in &changes {
        lane::plan_again(db, cell(row, "id")?).await?;
    }
    Ok(true)
}
