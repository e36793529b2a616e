//! Small things that are written down: pauses, facts with an end, notices, tokens, meta.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::cells::all;
use crate::Result;
use crate::names::{micros, time};
use crate::rows::{NOTICES_MAX, Notice, Pause, Token, is_just_told};
use crate::statements::statements;

statements! {
    PAUSE = "INSERT INTO pause (profile, reason, since) VALUES (?1, ?2, ?3)
        ON CONFLICT (profile) DO UPDATE SET reason = excluded.reason, since = excluded.since";
    RESUME = "DELETE FROM pause WHERE profile = ?1";
    PAUSED = "SELECT reason, since FROM pause WHERE profile = ?1";
    REMEMBER = "INSERT INTO remembered (profile, key, until_at) VALUES (?1, ?2, ?3)
        ON CONFLICT (profile, key) DO UPDATE SET until_at = excluded.until_at";
    REMEMBERED = "SELECT EXISTS (SELECT 1 FROM remembered WHERE profile = ?1 AND key = ?2 AND until_at > ?3)";
    TOLD_AT = "SELECT told_at FROM notice WHERE profile = ?1 AND cause = ?2";
    ADD_NOTICE = "INSERT INTO notice (profile, cause, text, hint, first_at, last_at, told_at, count)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1)
        ON CONFLICT (profile, cause) DO UPDATE SET text = excluded.text, hint = excluded.hint,
          last_at = excluded.last_at, told_at = excluded.told_at, count = count + 1";
    COUNT_NOTICE = "UPDATE notice SET count = count + 1, last_at = ?3 WHERE profile = ?1 AND cause = ?2";
    NOTICES = "SELECT * FROM notice WHERE profile = ?1 ORDER BY last_at DESC LIMIT ?2";
    SET_META = "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    META = "SELECT value FROM meta WHERE key = ?1";
    ADD_TOKEN = "INSERT INTO token (id, name, scope, hash, created_at, profile) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    TOKEN = "SELECT * FROM token WHERE hash = ?1";
    TOKENS = "SELECT * FROM token WHERE profile = ?1 ORDER BY created_at, id";
    REVOKE = "DELETE FROM token WHERE profile = ?1 AND id = ?2";
}

pub fn pause(db: &Connection, profile: &str, pause: Option<&Pause>) -> Result<()> {
    match pause {
        Some(pause) => db.prepare_cached(PAUSE)?.execute(params![
            profile,
            pause.reason,
            micros(pause.since)
        ])?,
        None => db.prepare_cached(RESUME)?.execute([profile])?,
    };
    Ok(())
}

pub fn paused(db: &Connection, profile: &str) -> Result<Option<Pause>> {
    let found: Option<(String, i64)> = db
        .prepare_cached(PAUSED)?
        .query_row([profile], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    found
        .map(|(reason, since)| {
            Ok(Pause {
                reason,
                since: time(since)?,
            })
        })
        .transpose()
}

pub fn remember(db: &Connection, profile: &str, key: &str, until: Timestamp) -> Result<()> {
    db.prepare_cached(REMEMBER)?
        .execute(params![profile, key, micros(until)])?;
    Ok(())
}

pub fn remembered(db: &Connection, profile: &str, key: &str, now: Timestamp) -> Result<bool> {
    Ok(db
        .prepare_cached(REMEMBERED)?
        .query_row(params![profile, key, micros(now)], |row| row.get(0))?)
}

pub fn notify(db: &Connection, notice: &Notice, now: Timestamp) -> Result<bool> {
    let Notice {
        profile,
        cause,
        text,
        hint,
        ..
    } = notice;
    let last_at = micros(notice.last_at);
    let told_at: Option<i64> = db
        .prepare_cached(TOLD_AT)?
        .query_row([profile, cause], |row| row.get(0))
        .optional()?;
    let just_told = is_just_told(told_at.map(time).transpose()?, now);
    if just_told {
        db.prepare_cached(COUNT_NOTICE)?
            .execute(params![profile, cause, last_at])?;
    } else {
        let first_at = micros(notice.first_at);
        db.prepare_cached(ADD_NOTICE)?.execute(params![
            profile,
            cause,
            text,
            hint,
            first_at,
            last_at,
            micros(now)
        ])?;
    }
    Ok(!just_told)
}

pub fn notices(db: &Connection, profile: &str, limit: usize) -> Result<Vec<Notice>> {
    let limit = limit.min(NOTICES_MAX) as i64;
    let asked = params![profile, limit];
    all(&mut db.prepare_cached(NOTICES)?, asked, |row: &Row| {
        Ok(Notice {
            profile: row.get("profile")?,
            cause: row.get("cause")?,
            text: row.get("text")?,
            hint: row.get("hint")?,
            first_at: time(row.get("first_at")?)?,
            last_at: time(row.get("last_at")?)?,
            count: row.get::<_, i64>("count")? as u64,
        })
    })
}

pub fn set_meta(db: &Connection, key: &str, value: &str) -> Result<()> {
    db.prepare_cached(SET_META)?.execute([key, value])?;
    Ok(())
}

pub fn meta(db: &Connection, key: &str) -> Result<Option<String>> {
    Ok(db
        .prepare_cached(META)?
        .query_row([key], |row| row.get(0))
        .optional()?)
}

pub fn add_token(db: &Connection, token: &Token) -> Result<()> {
    db.prepare_cached(ADD_TOKEN)?.execute(params![
        token.id,
        token.name,
        token.scope,
        token.hash,
        micros(token.created_at),
        token.profile
    ])?;
    Ok(())
}

pub fn token(db: &Connection, hash: &str) -> Result<Option<Token>> {
    let mut statement = db.prepare_cached(TOKEN)?;
    let mut rows = statement.query([hash])?;
    rows.next()?.map(read_token).transpose()
}

pub fn tokens(db: &Connection, profile: &str) -> Result<Vec<Token>> {
    let mut statement = db.prepare_cached(TOKENS)?;
    let mut rows = statement.query([profile])?;
    let mut tokens = Vec::new();
    while let Some(row) = rows.next()? {
        tokens.push(read_token(row)?);
    }
    Ok(tokens)
}

fn read_token(row: &Row) -> Result<Token> {
    Ok(Token {
        id: row.get("id")?,
        name: row.get("name")?,
        profile: row.get("profile")?,
        scope: row.get("scope")?,
        hash: row.get("hash")?,
        created_at: time(row.get("created_at")?)?,
    })
}

pub fn revoke_token(db: &Connection, profile: &str, id: &str) -> Result<bool> {
    Ok(db.prepare_cached(REVOKE)?.execute([profile, id])? > 0)
}
