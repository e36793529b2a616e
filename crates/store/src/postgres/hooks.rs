//! The CRM's webhooks.

use super::cells::{cell, indexed};
use super::connection::Db;
use crate::Result;
use crate::hooks;
use crate::rows::Hook;
use crate::statements::statements;
use crate::vault::Vault;

statements! {
    KEEP = "INSERT INTO hook (profile, id, body) VALUES ($1, $2, $3)
        ON CONFLICT (profile, id) DO UPDATE SET body = excluded.body";
    HOOKS = "SELECT id, body FROM hook WHERE profile = $1 ORDER BY id";
    FORGET = "DELETE FROM hook WHERE profile = $1 AND id = $2";
}

pub async fn keep(db: &Db, vault: &Vault, profile: &str, hook: &Hook) -> Result<()> {
    let body = hooks::seal(vault, profile, hook);
    db.execute(KEEP, &[&profile, &indexed(&hook.id), &body])
        .await?;
    Ok(())
}

pub async fn hooks(db: &Db, vault: &Vault, profile: &str) -> Result<Vec<Hook>> {
    let mut opened = Vec::new();
    for row in db.all(HOOKS, &[&profile]).await? {
        let (id, body): (&str, &[u8]) = (cell(&row, "id")?, cell(&row, "body")?);
        opened.extend(hooks::opened(vault, profile, id, body));
    }
    Ok(opened)
}

pub async fn forget(db: &Db, profile: &str, id: &str) -> Result<()> {
    db.execute(FORGET, &[&profile, &indexed(id)]).await?;
    Ok(())
}
