//! Small things that are written down: pauses, facts with an end, notices, tokens, meta.

use jiff::Timestamp;
use tokio_postgres::Row;

use super::cells::{cell, indexed, text};
use super::connection::Db;
use crate::Result;
use crate::names::{micros, time};
use crate::rows::{NOTICES_MAX, Notice, Pause, Token, is_just_told};
use crate::statements::statements;

statements! {
    PAUSE = "INSERT INTO pause (profile, reason, since) VALUES ($1, $2, $3)
        ON CONFLICT (profile) DO UPDATE SET reason = excluded.reason, since = excluded.since";
    RESUME = "DELETE FROM pause WHERE profile = $1";
    PAUSED = "SELECT reason, since FROM pause WHERE profile = $1";
    REMEMBER = "INSERT INTO remembered (profile, key, until_at) VALUES ($1, $2, $3)
        ON CONFLICT (profile, key) DO UPDATE SET until_at = excluded.until_at";
    REMEMBERED = "SELECT EXISTS (SELECT 1 FROM remembered WHERE profile = $1 AND key = $2 AND until_at > $3)";
    TOLD_AT = "SELECT told_at FROM notice WHERE profile = $1 AND cause = $2 FOR UPDATE";
    ADD_NOTICE = "INSERT INTO notice (profile, cause, text, hint, first_at, last_at, told_at, count)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 1)
        ON CONFLICT (profile, cause) DO UPDATE SET text = excluded.text, hint = excluded.hint,
          last_at = excluded.last_at, told_at = excluded.told_at, count = notice.count + 1";
    COUNT_NOTICE = "UPDATE notice SET count = count + 1, last_at = $3 WHERE profile = $1 AND cause = $2";
    NOTICES = "SELECT profile, cause, text, hint, first_at, last_at, count FROM notice
        WHERE profile = $1 ORDER BY last_at DESC LIMIT $2";
    SET_META = "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    META = "SELECT value FROM meta WHERE key = $1";
    ADD_TOKEN = "INSERT INTO token (id, name, scope, hash, created_at, profile) VALUES ($1, $2, $3, $4, $5, $6)";
    TOKEN = "SELECT id, name, profile, scope, hash, created_at FROM token WHERE hash = $1";
    TOKENS = "SELECT id, name, profile, scope, hash, created_at FROM token WHERE profile = $1 ORDER BY created_at, id";
    REVOKE = "DELETE FROM token WHERE profile = $1 AND id = $2";
    BEAT = "UPDATE beat SET beat = beat + 1";
}

pub async fn pause(db: &Db, profile: &str, pause: Option<&Pause>) -> Result<()> {
    match pause {
        Some(pause) => {
            let (reason, since) = (text(&pause.reason), micros(pause.since));
            db.execute(PAUSE, &[&profile, &reason, &since]).await?
        }
        None => db.execute(RESUME, &[&profile]).await?,
    };
    Ok(())
}

pub async fn paused(db: &Db, profile: &str) -> Result<Option<Pause>> {
    let row = db.one(PAUSED, &[&profile]).await?;
    row.map(|row| {
        Ok(Pause {
            reason: cell(&row, "reason")?,
            since: time(cell(&row, "since")?)?,
        })
    })
    .transpose()
}

pub async fn remember(db: &Db, profile: &str, key: &str, until: Timestamp) -> Result<()> {
    db.execute(REMEMBER, &[&profile, &indexed(key), &micros(until)])
        .await?;
    Ok(())
}

pub async fn remembered(db: &Db, profile: &str, key: &str, now: Timestamp) -> Result<bool> {
    db.value(REMEMBERED, &[&profile, &indexed(key), &micros(now)])
        .await
}

pub async fn notify(db: &Db, notice: &Notice, now: Timestamp) -> Result<bool> {
    let (profile, cause) = (&notice.profile, indexed(&notice.cause));
    let last_at = micros(notice.last_at);
    let told_at: Option<i64> = match db.one(TOLD_AT, &[profile, &cause]).await? {
        Some(row) => Some(cell(&row, "told_at")?),
        None => None,
    };
    let just_told = is_just_told(told_at.map(time).transpose()?, now);
    if just_told {
        db.execute(COUNT_NOTICE, &[profile, &cause, &last_at])
            .await?;
    } else {
        let (says, hint) = (text(&notice.text), text(&notice.hint));
        let first_at = micros(notice.first_at);
        db.execute(
            ADD_NOTICE,
            &[
                profile,
                &cause,
                &says,
                &hint,
                &first_at,
                &last_at,
                &micros(now),
            ],
        )
        .await?;
    }
    Ok(!just_told)
}

pub async fn notices(db: &Db, profile: &str, limit: usize) -> Result<Vec<Notice>> {
    let limit = limit.min(NOTICES_MAX) as i64;
    let rows = db.all(NOTICES, &[&profile, &limit]).await?;
    rows.iter()
        .map(|row| {
            Ok(Notice {
                profile: cell(row, "profile")?,
                cause: cell(row, "cause")?,
                text: cell(row, "text")?,
                hint: cell(row, "hint")?,
                first_at: time(cell(row, "first_at")?)?,
                last_at: time(cell(row, "last_at")?)?,
                count: cell::<i64>(row, "count")? as u64,
            })
        })
        .collect()
}

pub async fn set_meta(db: &Db, key: &str, value: &str) -> Result<()> {
    db.execute(SET_META, &[&indexed(key), &text(value)]).await?;
    Ok(())
}

pub async fn meta(db: &Db, key: &str) -> Result<Option<String>> {
    let row = db.one(META, &[&indexed(key)]).await?;
    row.map(|row| cell(&row, "value")).transpose()
}

pub async fn add_token(db: &Db, token: &Token) -> Result<()> {
    let (name, created_at) = (text(&token.name), micros(token.created_at));
    db.execute(
        ADD_TOKEN,
        &[
            &token.id,
            &name,
            &token.scope,
            &token.hash,
            &created_at,
            &token.profile,
        ],
    )
    .await?;
    Ok(())
}

pub async fn token(db: &Db, hash: &str) -> Result<Option<Token>> {
    let row = db.one(TOKEN, &[&hash]).await?;
    row.as_ref().map(read_token).transpose()
}

pub async fn tokens(db: &Db, profile: &str) -> Result<Vec<Token>> {
    let rows = db.all(TOKENS, &[&profile]).await?;
    rows.iter().map(read_token).collect()
}

fn read_token(row: &Row) -> Result<Token> {
    Ok(Token {
        id: cell(row, "id")?,
        name: cell(row, "name")?,
        profile: cell(row, "profile")?,
        scope: cell(row, "scope")?,
        hash: cell(row, "hash")?,
        created_at: time(cell(row, "created_at")?)?,
    })
}

pub async fn revoke_token(db: &Db, profile: &str, id: &str) -> Result<bool> {
    Ok(db.execute(REVOKE, &[&profile, &text(id)]).await? > 0)
}

pub async fn beat(db: &Db) -> Result<()> {
    db.execute(BEAT, &[]).await?;
    Ok(())
}
