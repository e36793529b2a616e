//! Addresses that were learnt from answers, found by their HMAC.

use tokio_postgres::Row;

use super::cells::{cell, text};
use super::connection::Db;
use super::doubts;
use crate::Result;
use crate::questions::{ALIASES_MAX, KeptAlias, blind_email};
use crate::rows::Alias;
use crate::statements::statements;
use crate::vault::Vault;

statements! {
    LEARN = "INSERT INTO alias (profile, email, lead, at, body) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (profile, email) DO UPDATE SET lead = excluded.lead, at = excluded.at, body = excluded.body";
    ALIAS = "SELECT email, lead, at, body FROM alias WHERE profile = $1 AND email = $2";
    ALL_ALIASES = "SELECT email, lead, at, body FROM alias WHERE profile = $1 ORDER BY at DESC, email LIMIT $2";
    FORGET = "DELETE FROM alias WHERE profile = $1 AND email = $2";
}

pub async fn learn(db: &Db, vault: &Vault, profile: &str, alias: &Alias) -> Result<()> {
    let kept = KeptAlias::of(vault, profile, alias);
    let lead = text(&kept.lead);
    db.execute(LEARN, &[&profile, &kept.email, &lead, &kept.at, &kept.body])
        .await?;
    Ok(())
}

pub async fn alias(db: &Db, vault: &Vault, profile: &str, email: &str) -> Result<Option<Alias>> {
    let email = blind_email(vault, profile, email);
    let rows = db.all(ALIAS, &[&profile, &email]).await?;
    let found = opened(db, vault, profile, &rows).await?;
    Ok(found.into_iter().next())
}

pub async fn aliases(db: &Db, vault: &Vault, profile: &str) -> Result<Vec<Alias>> {
    let rows = db
        .all(ALL_ALIASES, &[&profile, &(ALIASES_MAX as i64)])
        .await?;
    opened(db, vault, profile, &rows).await
}

pub async fn forget(db: &Db, vault: &Vault, profile: &str, email: &str) -> Result<bool> {
    let email = blind_email(vault, profile, email);
    Ok(db.execute(FORGET, &[&profile, &email]).await? > 0)
}

/// Each means the lead that stands for its own by now.
async fn opened(db: &Db, vault: &Vault, profile: &str, rows: &[Row]) -> Result<Vec<Alias>> {
    let mut aliases = Vec::with_capacity(rows.len());
    for row in rows {
        let kept = KeptAlias {
            email: cell(row, "email")?,
            lead: cell(row, "lead")?,
            at: cell(row, "at")?,
            body: cell(row, "body")?,
        };
        if let Some(alias) = kept.opened(vault, profile)? {
            let lead = doubts::standing_for(db, profile, alias.lead).await?;
            aliases.push(Alias { lead, ..alias });
        }
    }
    Ok(aliases)
}
