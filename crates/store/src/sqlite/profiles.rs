//! Profiles beside the environment's own, and the verbs handed to the right connection.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::cells::all;
use super::{Sqlite, reseal};
use crate::profiles::{Kept, open, seal, settings};
use crate::rows::{Place, ProfileRow, Resealed, SECRETS};
use crate::statements::statements;
use crate::vault::Vault;
use crate::{Profiles, Result};

statements! {
    ALL_OF_THEM = "SELECT * FROM profiles ORDER BY name";
    ONE = "SELECT * FROM profiles WHERE name = ?1";
    ADD = "INSERT INTO profiles (name, version, calcom_username, settings, anthropic_api_key, calcom_api_key,
          calcom_client_secret, calcom_webhook_secret, clickup_api_token, slack_app_token, slack_bot_token,
          slack_signing_secret)
        VALUES (?1, ?2 + 1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
        ON CONFLICT DO NOTHING RETURNING version";
    REPLACE = "UPDATE profiles SET version = version + 1, calcom_username = ?3, settings = ?4, anthropic_api_key = ?5,
          calcom_api_key = ?6, calcom_client_secret = ?7, calcom_webhook_secret = ?8, clickup_api_token = ?9,
          slack_app_token = ?10, slack_bot_token = ?11, slack_signing_secret = ?12
        WHERE name = ?1 AND version = ?2 RETURNING version";
    REMOVE = "DELETE FROM profiles WHERE name = ?1";
    REMOVE_TOKENS = "DELETE FROM token WHERE profile = ?1";
    REMOVE_PAPERS = "DELETE FROM paper WHERE profile = ?1";
}

/// One that somebody wrote by hand must not be in the way of the others: what is no sealed secret is opened in vain.
fn kept(row: &Row) -> Result<Kept> {
    let secrets = SECRETS.into_iter().map(|name| sealed(row, name));
    Ok(Kept {
        name: row.get("name")?,
        version: row.get("version").unwrap_or_default(),
        calcom_username: row.get("calcom_username").unwrap_or_default(),
        settings: row.get("settings").unwrap_or_default(),
        secrets: secrets.collect::<rusqlite::Result<_>>()?,
    })
}

/// Whatever stands there, as bytes.
pub fn sealed(row: &Row, at: impl rusqlite::RowIndex) -> rusqlite::Result<Option<Vec<u8>>> {
    let stands = row.get_ref(at)?;
    let bytes = stands.as_bytes_or_null().unwrap_or(Some(b""));
    Ok(bytes.map(<[u8]>::to_vec))
}

fn write(db: &Connection, vault: &Vault, row: &ProfileRow) -> Result<Option<i64>> {
    let secrets = seal(vault, row);
    let sql = if row.version == 0 { ADD } else { REPLACE };
    let values = params![
        row.name,
        row.version,
        row.calcom_username,
        settings(row),
        secrets[0],
        secrets[1],
        secrets[2],
        secrets[3],
        secrets[4],
        secrets[5],
        secrets[6],
        secrets[7],
    ];
    let version = db
        .prepare_cached(sql)?
        .query_row(values, |row| row.get(0))
        .optional()?;
    Ok(version)
}

fn remove(db: &Connection, name: &str) -> Result<bool> {
    let removed = db.prepare_cached(REMOVE)?.execute([name])?;
    if removed == 0 {
        return Ok(false);
    }
    db.prepare_cached(REMOVE_TOKENS)?.execute([name])?;
    db.prepare_cached(REMOVE_PAPERS)?.execute([name])?;
    Ok(true)
}

#[async_trait::async_trait]
impl Profiles for Sqlite {
    async fn profiles(&self) -> Result<Vec<(String, Result<ProfileRow>)>> {
        self.look(|db, vault| {
            let found = all(&mut db.prepare_cached(ALL_OF_THEM)?, [], kept)?;
            let found = found.into_iter();
            Ok(found
                .map(|kept| (kept.name.clone(), open(vault, kept)))
                .collect())
        })
        .await
    }

    async fn profile(&self, name: &str) -> Result<Option<ProfileRow>> {
        let name = name.to_owned();
        self.look(move |db, vault| {
            let found = all(&mut db.prepare_cached(ONE)?, [name], kept)?;
            let found = found.into_iter().next();
            found.map(|kept| open(vault, kept)).transpose()
        })
        .await
    }

    async fn write_profile(&self, row: &ProfileRow) -> Result<Option<i64>> {
        let row = row.clone();
        self.write(move |db, vault| write(db, vault, &row)).await
    }

    async fn remove_profile(&self, name: &str) -> Result<bool> {
        let name = name.to_owned();
        self.write(move |db, _| remove(db, &name)).await
    }

    async fn reseal(&self, from: Option<Place>, limit: usize) -> Result<Resealed> {
        self.write(move |db, vault| reseal::some(db, vault, from, limit))
            .await
    }

    async fn forget_older_keys(&self) -> Result<()> {
        self.write(reseal::forget_older_keys).await
    }
}
