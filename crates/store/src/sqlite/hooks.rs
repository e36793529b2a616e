//! The CRM's webhooks.

use rusqlite::{Connection, params};

use super::cells::all;
use crate::Result;
use crate::hooks;
use crate::rows::Hook;
use crate::statements::statements;
use crate::vault::Vault;

statements! {
    KEEP = "INSERT INTO hook (profile, id, body) VALUES (?1, ?2, ?3)
        ON CONFLICT (profile, id) DO UPDATE SET body = excluded.body";
    HOOKS = "SELECT id, body FROM hook WHERE profile = ?1 ORDER BY id";
    FORGET = "DELETE FROM hook WHERE profile = ?1 AND id = ?2";
}

pub fn keep(db: &Connection, vault: &Vault, profile: &str, hook: &Hook) -> Result<()> {
    let body = hooks::seal(vault, profile, hook);
    db.prepare_cached(KEEP)?
        .execute(params![profile, hook.id, body])?;
    Ok(())
}

pub fn hooks(db: &Connection, vault: &Vault, profile: &str) -> Result<Vec<Hook>> {
    let kept: Vec<(String, Vec<u8>)> = all(&mut db.prepare_cached(HOOKS)?, [profile], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    let opened = kept
        .iter()
        .filter_map(|(id, body)| hooks::opened(vault, profile, id, body));
    Ok(opened.collect())
}

pub fn forget(db: &Connection, profile: &str, id: &str) -> Result<()> {
    db.prepare_cached(FORGET)?.execute([profile, id])?;
    Ok(())
}
