//! Papers, and the verbs handed to the right connection.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::Sqlite;
use super::cells::all;
use crate::names::{micros, time};
use crate::papers::{SWEPT_AT_ONCE, name, open, seal};
use crate::rows::{Paper, PaperKind};
use crate::statements::statements;
use crate::vault::Vault;
use crate::{Papers, Result};

statements! {
    PAPER = "SELECT id, version, body, until FROM paper
        WHERE profile = ?1 AND kind = ?2 AND id = ?3 AND (until IS NULL OR until > ?4)";
    PAPERS = "SELECT id, version, body, until FROM paper
        WHERE profile = ?1 AND kind = ?2 AND (until IS NULL OR until > ?3) ORDER BY id DESC LIMIT ?4";
    WRITE = "INSERT INTO paper (profile, kind, id, version, body, until) VALUES (?1, ?2, ?3, ?4 + 1, ?5, ?6)
        ON CONFLICT (profile, kind, id) DO UPDATE
        SET version = paper.version + 1, body = excluded.body, until = excluded.until
        WHERE CASE WHEN paper.until <= ?7 THEN 0 ELSE paper.version END = ?4
        RETURNING version";
    IS_THERE = "SELECT EXISTS (SELECT 1 FROM paper
        WHERE profile = ?1 AND kind = ?2 AND id = ?3 AND (until IS NULL OR until > ?4))";
    REMOVE = "DELETE FROM paper WHERE profile = ?1 AND kind = ?2 AND id = ?3 AND version = ?4";
    SWEEP = "DELETE FROM paper WHERE rowid IN (SELECT rowid FROM paper WHERE until <= ?1 LIMIT ?2)";
}

struct Kept {
    id: String,
    version: i64,
    body: Vec<u8>,
    until: Option<i64>,
}

fn kept(row: &Row) -> Result<Kept> {
    Ok(Kept {
        id: row.get("id")?,
        version: row.get("version")?,
        body: row.get("body")?,
        until: row.get("until")?,
    })
}

fn opened(vault: &Vault, profile: &str, kind: PaperKind, kept: Kept) -> Result<Paper> {
    Ok(Paper {
        body: open(vault, profile, kind, &kept.id, &kept.body)?,
        version: kept.version,
        until: kept.until.map(time).transpose()?,
        id: kept.id,
    })
}

fn write(
    db: &Connection,
    vault: &Vault,
    profile: &str,
    kind: PaperKind,
    paper: &Paper,
    now: Timestamp,
) -> Result<Option<i64>> {
    let now = micros(now);
    db.prepare_cached(SWEEP)?
        .execute(params![now, SWEPT_AT_ONCE])?;
    let kind_name = name(kind);
    // A version to be written over must be there.
    if paper.version > 0 {
        let is_there: bool = db
            .prepare_cached(IS_THERE)?
            .query_row(params![profile, kind_name, paper.id, now], |row| row.get(0))?;
        if !is_there {
            return Ok(None);
        }
    }
    let body = seal(vault, profile, kind, paper);
    let until = paper.until.map(micros);
    let values = params![
        profile,
        kind_name,
        paper.id,
        paper.version,
        body,
        until,
        now
    ];
    let version = db
        .prepare_cached(WRITE)?
        .query_row(values, |row| row.get(0))
        .optional()?;
    Ok(version)
}

#[async_trait::async_trait]
impl Papers for Sqlite {
    async fn paper(
        &self,
        profile: &str,
        kind: PaperKind,
        id: &str,
        now: Timestamp,
    ) -> Result<Option<Paper>> {
        let (profile, id) = (profile.to_owned(), id.to_owned());
        self.look(move |db, vault| {
            let values = params![profile, name(kind), id, micros(now)];
            let found = all(&mut db.prepare_cached(PAPER)?, values, kept)?;
            let mut found = found.into_iter();
            let found = found.next();
            found
                .map(|kept| opened(vault, &profile, kind, kept))
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
        self.look(move |db, vault| {
            let values = params![profile, name(kind), micros(now), limit as i64];
            let found = all(&mut db.prepare_cached(PAPERS)?, values, kept)?;
            let found = found.into_iter();
            found
                .map(|kept| opened(vault, &profile, kind, kept))
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
        self.write(move |db, vault| write(db, vault, &profile, kind, &paper, now))
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
        self.write(move |db, _| {
            let values = params![profile, name(kind), id, version];
            Ok(db.prepare_cached(REMOVE)?.execute(values)? > 0)
        })
        .await
    }
}
