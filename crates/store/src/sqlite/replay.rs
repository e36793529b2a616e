//! Having a delivery worked off anew. What was applied is told by the journal and is not applied twice.

use rusqlite::{Connection, OptionalExtension};

use super::cells::all;
use super::lane;
use crate::Result;
use crate::names;
use crate::statements::statements;

statements! {
    STATUS = "SELECT status FROM delivery WHERE id = ?1";
    CHANGES = "SELECT id, profile, key FROM change WHERE delivery_id = ?1 ORDER BY n";
    UNREAD_AGAIN = "UPDATE delivery SET is_read = 0, attempts = 0, status = 'pending', reason = NULL WHERE id = ?1";
    // Read again is not begun in vain.
    NOT_HANDED_OUT = "UPDATE reading SET ids = (SELECT json_group_array(value) FROM json_each(ids) WHERE value <> ?1)";
    DEAD_EFFECTS = "UPDATE effect SET state = 'absent', amended = '[]' WHERE profile = ?1 AND change_key = ?2 AND state = 'dead'";
    AMENDMENTS = "UPDATE effect SET amended = '[]' WHERE profile = ?1 AND change_key = ?2";
    OPERATOR_EFFECTS = "UPDATE effect SET state = 'unknown', negatives = 0 WHERE profile = ?1 AND change_key = ?2 AND state = 'operator'";
}

/// What was not read, or was read as nothing, is read again; what has changes has them planned again.
pub fn replay(db: &Connection, id: &str) -> Result<bool> {
    let status: Option<String> = db
        .prepare_cached(STATUS)?
        .query_row([id], |row| row.get(0))
        .optional()?;
    let Some(status) = status else {
        return Ok(false);
    };
    let changes: Vec<(String, String, String)> =
        all(&mut db.prepare_cached(CHANGES)?, [id], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
    for (_, profile, key) in &changes {
        db.prepare_cached(DEAD_EFFECTS)?.execute([profile, key])?;
        db.prepare_cached(AMENDMENTS)?.execute([profile, key])?;
        db.prepare_cached(OPERATOR_EFFECTS)?
            .execute([profile, key])?;
    }
    if changes.is_empty() || names::status(&status)?.is_misread() {
        db.prepare_cached(UNREAD_AGAIN)?.execute([id])?;
        db.prepare_cached(NOT_HANDED_OUT)?.execute([id])?;
        return Ok(true);
    }
    for (change_id, _, _) in &changes {
        lane::plan_again(db, change_id)?;
    }
    Ok(true)
}
