//! Profiles beside the environment's own, and the verbs lent a connection.

use tokio_postgres::Row;

use super::cells::{cell, indexed, text};
use super::pool::Loan;
use super::{Postgres, reseal};
use crate::profiles::{Kept, open, seal, settings};
use crate::rows::{Place, ProfileRow, Resealed, SECRETS};
use crate::statements::statements;
use crate::{Profiles, Result};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT name, version, calcom_username, settings, anthropic_api_key, calcom_api_key, calcom_client_secret,
              calcom_webhook_secret, clickup_api_token, slack_app_token, slack_bot_token, slack_signing_secret
            FROM profiles ",
            $rest
        )
    };
}

statements! {
    ALL_OF_THEM = select!("ORDER BY name");
    ONE = select!("WHERE name = $1");
    ADD = "INSERT INTO profiles (name, version, calcom_username, settings, anthropic_api_key, calcom_api_key,
          calcom_client_secret, calcom_webhook_secret, clickup_api_token, slack_app_token, slack_bot_token,
          slack_signing_secret)
        VALUES ($1, $2::bigint + 1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        ON CONFLICT DO NOTHING RETURNING version";
    REPLACE = "UPDATE profiles SET version = version + 1, calcom_username = $3, settings = $4, anthropic_api_key = $5,
          calcom_api_key = $6, calcom_client_secret = $7, calcom_webhook_secret = $8, clickup_api_token = $9,
          slack_app_token = $10, slack_bot_token = $11, slack_signing_secret = $12
        WHERE name = $1 AND version = $2 RETURNING version";
    REMOVE = "DELETE FROM profiles WHERE name = $1";
    REMOVE_TOKENS = "DELETE FROM token WHERE profile = $1";
    REMOVE_PAPERS = "DELETE FROM paper WHERE profile = $1";
}

fn kept(row: &Row) -> Result<Kept> {
    let secrets = SECRETS.into_iter().map(|name| cell(row, name));
    Ok(Kept {
        name: cell(row, "name")?,
        version: cell(row, "version")?,
        calcom_username: cell(row, "calcom_username")?,
        settings: cell(row, "settings")?,
        secrets: secrets.collect::<Result<_>>()?,
    })
}

#[async_trait::async_trait]
impl Profiles for Postgres {
    async fn profiles(&self) -> Result<Vec<(String, Result<ProfileRow>)>> {
        self.look(Loan::Single, |db, vault| async move {
            let mut all = Vec::new();
            for row in db.all(ALL_OF_THEM, &[]).await? {
                let kept = kept(&row)?;
                all.push((kept.name.clone(), open(&vault, kept)));
            }
            Ok(all)
        })
        .await
    }

    async fn profile(&self, name: &str) -> Result<Option<ProfileRow>> {
        let name = name.to_owned();
        self.look(Loan::Single, move |db, vault| async move {
            let row = db.one(ONE, &[&indexed(&name)]).await?;
            row.map(|row| open(&vault, kept(&row)?)).transpose()
        })
        .await
    }

    async fn write_profile(&self, row: &ProfileRow) -> Result<Option<i64>> {
        let row = row.clone();
        self.write(move |db, vault| async move {
            let secrets = seal(&vault, &row);
            let sql = if row.version == 0 { ADD } else { REPLACE };
            let (name, username) = (indexed(&row.name), row.calcom_username.as_deref().map(text));
            let settings = settings(&row);
            let written = db
                .one(
                    sql,
                    &[
                        &name,
                        &row.version,
                        &username,
                        &settings,
                        &secrets[0],
                        &secrets[1],
                        &secrets[2],
                        &secrets[3],
                        &secrets[4],
                        &secrets[5],
                        &secrets[6],
                        &secrets[7],
                    ],
                )
                .await?;
            written.map(|row| cell(&row, "version")).transpose()
        })
        .await
    }

    async fn remove_profile(&self, name: &str) -> Result<bool> {
        let name = name.to_owned();
        self.write(move |db, _| async move {
            let name = indexed(&name);
            if db.execute(REMOVE, &[&name]).await? == 0 {
                return Ok(false);
            }
            db.execute(REMOVE_TOKENS, &[&name]).await?;
            db.execute(REMOVE_PAPERS, &[&name]).await?;
            Ok(true)
        })
        .await
    }

    async fn reseal(&self, from: Option<Place>, limit: usize) -> Result<Resealed> {
        self.write(move |db, vault| async move { reseal::some(&db, &vault, from, limit).await })
            .await
    }

    async fn forget_older_keys(&self) -> Result<()> {
        self.write(|db, vault| async move { reseal::forget_older_keys(&db, &vault).await })
            .await
    }
}
