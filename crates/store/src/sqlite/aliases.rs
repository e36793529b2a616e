//! Addresses that were learnt from answers, found by their HMAC.

use rusqlite::{Connection, Row, params};

use super::cells::all;
use super::doubts;
use crate::Result;
use crate::questions::{ALIASES_MAX, KeptAlias, blind_email};
use crate::rows::Alias;
use crate::statements::statements;
use crate::vault::Vault;

statements! {
    LEARN = "INSERT INTO alias (profile, email, lead, at, body) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (profile, email) DO UPDATE SET lead = excluded.lead, at = excluded.at, body = excluded.body";
    ALIAS = "SELECT email, lead, at, body FROM alias WHERE profile = ?1 AND email = ?2";
    ALL_ALIASES = "SELECT email, lead, at, body FROM alias WHERE profile = ?1 ORDER BY at DESC, email LIMIT ?2";
    FORGET = "DELETE FROM alias WHERE profile = ?1 AND email = ?2";
}

pub fn learn(db: &Connection, vault: &Vault, profile: &str, alias: &Alias) -> Result<()> {
    let kept = KeptAlias::of(vault, profile, alias);
    db.prepare_cached(LEARN)?
        .execute(params![profile, kept.email, kept.lead, kept.at, kept.body])?;
    Ok(())
}

pub fn alias(db: &Connection, vault: &Vault, profile: &str, email: &str) -> Result<Option<Alias>> {
    let email = blind_email(vault, profile, email);
    let found = all(&mut db.prepare_cached(ALIAS)?, [profile, &email], kept)?;
    let found = opened(db, vault, profile, found)?;
    Ok(found.into_iter().next())
}

pub fn aliases(db: &Connection, vault: &Vault, profile: &str) -> Result<Vec<Alias>> {
    let found = all(
        &mut db.prepare_cached(ALL_ALIASES)?,
        params![profile, ALIASES_MAX as i64],
        kept,
    )?;
    opened(db, vault, profile, found)
}

pub fn forget(db: &Connection, vault: &Vault, profile: &str, email: &str) -> Result<bool> {
    let email = blind_email(vault, profile, email);
    Ok(db.prepare_cached(FORGET)?.execute([profile, &email])? > 0)
}

fn kept(row: &Row) -> Result<KeptAlias> {
    Ok(KeptAlias {
        email: row.get("email")?,
        lead: row.get("lead")?,
        at: row.get("at")?,
        body: row.get("body")?,
    })
}

/// Each means the lead that stands for its own by now.
fn opened(
    db: &Connection,
    vault: &Vault,
    profile: &str,
    found: Vec<KeptAlias>,
) -> Result<Vec<Alias>> {
    let mut aliases = Vec::with_capacity(found.len());
    for kept in found {
        if let Some(alias) = kept.opened(vault, profile)? {
            let lead = doubts::standing_for(db, profile, alias.lead)?;
            aliases.push(Alias { lead, ..alias });
        }
    }
    Ok(aliases)
}
