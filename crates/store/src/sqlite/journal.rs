//! The journal of effects, the links, and the registers: what was done, and to whom.

use domain::effect::Effect;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::cells::all;
use super::{doubts, work};
use crate::names::{self, micros, time};
use crate::rows::{Link, Record, Register};
use crate::statements::statements;
use crate::vault::Vault;
use crate::{Error, Result};

statements! {
    // In this order `effect` reads.
    OF_CHANGE = "SELECT profile, key, change_key, target, kind, state, desired, pre_image, status_before, epoch, attempt,
          marker, remote_id, reason, first_sent_at, last_sent_at, negatives, last_probe_at, amended
        FROM effect WHERE profile = ?1 AND change_key = ?2 ORDER BY first_sent_at, key";
    EFFECT_EPOCH = "SELECT epoch FROM effect WHERE profile = ?1 AND change_key = ?2 AND key = ?3";
    SAVE_EFFECT = "INSERT INTO effect
        (profile, key, change_key, target, kind, state, desired, pre_image, epoch, attempt, marker, remote_id, reason,
         first_sent_at, last_sent_at, negatives, last_probe_at, amended, status_before)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)
        ON CONFLICT (profile, change_key, key) DO UPDATE SET
          target = excluded.target, kind = excluded.kind, state = excluded.state, desired = excluded.desired,
          pre_image = excluded.pre_image, epoch = excluded.epoch, attempt = excluded.attempt, marker = excluded.marker,
          remote_id = excluded.remote_id, reason = excluded.reason, first_sent_at = excluded.first_sent_at,
          last_sent_at = excluded.last_sent_at, negatives = excluded.negatives, last_probe_at = excluded.last_probe_at, amended = excluded.amended,
          status_before = excluded.status_before";
    LINK = "SELECT body FROM link WHERE profile = ?1 AND token = ?2";
    SAVE_LINK = "INSERT INTO link (profile, token, body) VALUES (?1, ?2, ?3)
        ON CONFLICT (profile, token) DO UPDATE SET body = excluded.body";
    REGISTER = "SELECT * FROM register WHERE profile = ?1 AND lead = ?2";
    SAVE_REGISTER = "INSERT INTO register
        (profile, lead, status_set, block_written, block_removed, block_comment, block_comment_text, worked_on, people)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
        ON CONFLICT (profile, lead) DO UPDATE SET
          status_set = excluded.status_set, block_written = excluded.block_written,
          block_removed = excluded.block_removed, block_comment = excluded.block_comment,
          block_comment_text = excluded.block_comment_text, worked_on = excluded.worked_on,
          people = excluded.people";
}

pub fn effects(
    db: &Connection,
    vault: &Vault,
    profile: &str,
    change_key: &str,
) -> Result<Vec<Effect>> {
    all(
        &mut db.prepare_cached(OF_CHANGE)?,
        [profile, change_key],
        |row| effect(row, vault),
    )
}

fn row_of(profile: &str, name: &str) -> String {
    format!("{profile}/{name}")
}

fn effect(row: &Row, vault: &Vault) -> Result<Effect> {
    let (profile, key): (String, String) = (row.get(0)?, row.get(1)?);
    let place = row_of(&profile, &key);
    let pre_image = row.get_ref(7)?.as_blob_or_null()?;
    let last_probe_at: Option<i64> = row.get(17)?;
    Ok(Effect {
        change: row.get(2)?,
        target: row.get(3)?,
        kind: names::effect_kind(row.get_ref(4)?.as_str()?)?,
        state: names::effect_state(row.get_ref(5)?.as_str()?)?,
        desired: vault.open_text("effect", "desired", &place, row.get_ref(6)?.as_blob()?)?,
        pre_image: pre_image
            .map(|text| vault.open_text("effect", "pre_image", &place, text))
            .transpose()?,
        status_before: row.get(8)?,
        epoch: row.get(9)?,
        attempt: row.get(10)?,
        marker: row.get(11)?,
        remote_id: row.get(12)?,
        reason: row.get(13)?,
        first_sent_at: time(row.get(14)?)?,
        last_sent_at: time(row.get(15)?)?,
        negatives: row.get(16)?,
        last_probe_at: last_probe_at.map(time).transpose()?,
        amended: serde_json::from_str(row.get_ref(18)?.as_str()?)
            .map_err(|e| Error::Other(format!("the causes of effect {key} cannot be read: {e}")))?,
        profile,
        key,
    })
}

pub fn record(
    db: &Connection,
    vault: &Vault,
    own_epoch: i64,
    profile: &str,
    record: &Record,
) -> Result<()> {
    if record.is_empty() {
        return Ok(());
    }
    if work::epoch(db)? != own_epoch {
        return Err(Error::Superseded);
    }
    for effect in &record.effects {
        save_effect(db, vault, effect)?;
    }
    save_links(db, vault, profile, &record.links)?;
    for (lead, register) in &record.registers {
        save_register(db, vault, profile, lead, register)?;
    }
    Ok(())
}

fn save_effect(db: &Connection, vault: &Vault, effect: &Effect) -> Result<()> {
    let stored: Option<i64> = db
        .prepare_cached(EFFECT_EPOCH)?
        .query_row([&effect.profile, &effect.change, &effect.key], |row| {
            row.get(0)
        })
        .optional()?;
    if stored.is_some_and(|epoch| epoch > effect.epoch) {
        return Err(Error::Superseded);
    }
    let place = row_of(&effect.profile, &effect.key);
    let desired = vault.seal("effect", "desired", &place, effect.desired.as_bytes());
    let pre_image = effect
        .pre_image
        .as_ref()
        .map(|text| vault.seal("effect", "pre_image", &place, text.as_bytes()));
    let amended = serde_json::to_string(&effect.amended).expect("causes are plain names");
    db.prepare_cached(SAVE_EFFECT)?.execute(params![
        effect.profile,
        effect.key,
        effect.change,
        effect.target,
        effect.kind.name(),
        effect.state.name(),
        desired,
        pre_image,
        effect.epoch,
        effect.attempt,
        effect.marker,
        effect.remote_id,
        effect.reason,
        micros(effect.first_sent_at),
        micros(effect.last_sent_at),
        effect.negatives,
        effect.last_probe_at.map(micros),
        amended,
        effect.status_before,
    ])?;
    Ok(())
}

/// In the order of `tokens`. A token may hold an address (the seat of somebody without a reference), so it
/// is looked up by its HMAC.
pub fn links<'a>(
    db: &Connection,
    vault: &Vault,
    profile: &str,
    tokens: impl IntoIterator<Item = &'a String>,
) -> Result<Vec<Link>> {
    let mut statement = db.prepare_cached(LINK)?;
    let mut links = Vec::new();
    for token in tokens {
        let blind = vault.blind(profile, token);
        let sealed: Option<Vec<u8>> = statement
            .query_row([profile, &blind], |row| row.get(0))
            .optional()?;
        if let Some(sealed) = sealed {
            let link: Link = vault.open_json("link", "body", &row_of(profile, &blind), &sealed)?;
            let lead = doubts::standing_for(db, profile, link.lead)?;
            links.push(Link { lead, ..link });
        }
    }
    Ok(links)
}

fn save_links(db: &Connection, vault: &Vault, profile: &str, links: &[Link]) -> Result<()> {
    for link in links {
        let blind = vault.blind(profile, &link.token);
        let body = vault.seal_json("link", "body", &row_of(profile, &blind), link);
        db.prepare_cached(SAVE_LINK)?
            .execute(params![profile, blind, body])?;
    }
    Ok(())
}

pub fn register(db: &Connection, vault: &Vault, profile: &str, lead: &str) -> Result<Register> {
    let mut statement = db.prepare_cached(REGISTER)?;
    let mut rows = statement.query([profile, lead])?;
    let Some(row) = rows.next()? else {
        return Ok(Register::default());
    };
    let text: Option<Vec<u8>> = row.get("block_comment_text")?;
    let place = row_of(profile, lead);
    Ok(Register {
        status_set: row.get("status_set")?,
        block_written: row.get("block_written")?,
        block_removed: row.get("block_removed")?,
        block_comment: row.get("block_comment")?,
        block_comment_text: text
            .map(|text| vault.open_text("register", "block_comment_text", &place, &text))
            .transpose()?,
        worked_on: row.get("worked_on")?,
        people: names::words(&row.get::<_, String>("people")?),
    })
}

fn save_register(
    db: &Connection,
    vault: &Vault,
    profile: &str,
    lead: &str,
    register: &Register,
) -> Result<()> {
    let place = row_of(profile, lead);
    let text = register
        .block_comment_text
        .as_ref()
        .map(|text| vault.seal("register", "block_comment_text", &place, text.as_bytes()));
    db.prepare_cached(SAVE_REGISTER)?.execute(params![
        profile,
        lead,
        register.status_set,
        register.block_written,
        register.block_removed,
        register.block_comment,
        text,
        register.worked_on,
        register.people.join(" "),
    ])?;
    Ok(())
}
