//! Papers, and the verbs lent a connection.

use jiff::Timestamp;
use tokio_postgres::Row;

use super::Postgres;
use super::cells::{cell, indexed};
use super::pool::Loan;
use crate::names::{micros, time};
use crate::papers::{SWEPT_AT_ONCE, name, open, seal};
use crate::rows::{Paper, PaperKind};
use crate::statements::statements;
use crate::vault::Vault;
use crate::{Papers, Result};

statements! {
    PAPER = "SELECT id, version, body, until FROM paper
        WHERE profile = $1 AND kind = $2 AND id = $3 AND (until IS NULL OR until > $4)";
    PAPERS = "SELECT id, version, body, until FROM paper
        WHERE profile = $1 AND kind = $2 AND (until IS NULL OR until > $3) ORDER BY id DESC LIMIT $4";
    ADD = "INSERT INTO paper (profile, kind, id, version, body, until) VALUES ($1, $2, $3, 1, $4, $5)
        ON CONFLICT (profile, kind, id) DO UPDATE
        SET version = paper.version + 1, body = excluded.body, until = excluded.until
        WHERE paper.until <= $6
        RETURNING version";
    REPLACE = "UPDATE paper SET version = version + 1, body = $5, until = $6
        WHERE profile = $1 AND kind = $2 AND id = $3 AND version = $4 AND (until IS NULL OR until > $7)
        RETURNING version";
    REMOVE = "DELETE FROM paper WHERE profile = $1 AND kind = $2 AND id = $3 AND version = $4";
    SWEEP = "DELETE FROM paper WHERE ctid IN
        (SELECT ctid FROM paper WHERE until <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED)";
}

fn opened(vault: &Vault, profile: &str, kind: PaperKind, row: &Row) -> Result<Paper> {
    let id: String = cell(row, "id")?;
    let until: Option<i64> = cell(row, "until")?;
    Ok(Paper {
        body: open(vault, profile, kind, &id, cell(row, "body")?)?,
        version: cell(row, "version")?,
        until: until.map(time).transpose()?,
        id,
    })
}

#[async_trait::async_trait]
impl Papers for Postgres {
    async fn paper(
        &self,
        profile: &str,
        kind: PaperKind,
        id: &str,
        now: Timestamp,
    ) -> Result<Option<Paper>> {
        let (profile, id) = (profile.to_owned(), id.to_owned());
        self.look(Loan::Single, move |db, vault| async move {
            let (kind_name, id) = (name(kind), indexed(&id));
            let rows = db
                .all(PAPER, &[&profile, &kind_name, &id, &micros(now)])
                .await?;
            rows.first()
                .map(|row| opened(&vault, &profile, kind, row))
                .transpose()
        })
        .await
    }

    async fn papers(
        &self,
        profile: &str,
        kind: PaperKind,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Paper>> {
        let profile = profile.to_owned();
        self.look(Loan::Single, move |db, vault| async move {
            let values = (name(kind), micros(now), limit as i64);
            let rows = db
                .all(PAPERS, &[&profile, &values.0, &values.1, &values.2])
                .await?;
            rows.iter()
                .map(|row| opened(&vault, &profile, kind, row))
                .collect()
        })
        .await
    }

    async fn write_paper(
        &self,
        profile: &str,
        kind: PaperKind,
        paper: &Paper,
        now: Timestamp,
    ) -> Result<Option<i64>> {
        let (profile, paper) = (profile.to_owned(), paper.clone());
        self.write(move |db, vault| async move {
            let now = micros(now);
            db.execute(SWEEP, &[&now, &SWEPT_AT_ONCE]).await?;
            let body = seal(&vault, &profile, kind, &paper);
            let (kind, id, until) = (name(kind), indexed(&paper.id), paper.until.map(micros));
            let rows = if paper.version == 0 {
                db.all(ADD, &[&profile, &kind, &id, &body, &until, &now])
                    .await?
            } else {
                let version = paper.version;
                db.all(
                    REPLACE,
                    &[&profile, &kind, &id, &version, &body, &until, &now],
                )
                .await?
            };
            rows.first().map(|row| cell(row, "version")).transpose()
        })
        .await
    }

    async fn remove_paper(
        &self,
        profile: &str,
        kind: PaperKind,
        id: &str,
        version: i64,
    ) -> Result<bool> {
        let (profile, id) = (profile.to_owned(), id.to_owned());
        self.write(move |db, _| async move {
            let (kind, id) = (name(kind), indexed(&id));
            let removed = db
                .execute(REMOVE, &[&profile, &kind, &id, &version])
                .await?;
            Ok(removed > 0)
        })
        .await
    }
}
