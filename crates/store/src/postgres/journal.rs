//! The journal of effects, the links, and the registers: what was done, and to whom.

use domain::effect::Effect;
use tokio_postgres::Row;

use super::cells::{cell, indexed, text};
use super::connection::Db;
use super::doubts;
use crate::names::{self, micros, time};
use crate::rows::{Link, Record, Register};
use crate::statements::statements;
use crate::vault::Vault;
use crate::{Error, Result};

statements! {
    OF_CHANGES = "SELECT profile, key, change_key, target, kind, state, desired, pre_image, status_before, epoch, attempt,
          marker, remote_id, reason, first_sent_at, last_sent_at, negatives, last_probe_at, amended
        FROM effect WHERE profile = $1 AND change_key = ANY($2)
        ORDER BY array_position($2, change_key), first_sent_at, key";
    SAVE_EFFECT = "INSERT INTO effect
        (profile, key, change_key, target, kind, state, desired, pre_image, epoch, attempt, marker, remote_id, reason,
         first_sent_at, last_sent_at, negatives, last_probe_at, amended, status_before)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
        ON CONFLICT (profile, key) DO UPDATE SET
          change_key = excluded.change_key, target = excluded.target, kind = excluded.kind, state = excluded.state,
          desired = excluded.desired, pre_image = excluded.pre_image, epoch = excluded.epoch,
          attempt = excluded.attempt, marker = excluded.marker, remote_id = excluded.remote_id,
          reason = excluded.reason, first_sent_at = excluded.first_sent_at, last_sent_at = excluded.last_sent_at,
          negatives = excluded.negatives, last_probe_at = excluded.last_probe_at, amended = excluded.amended,
          status_before = excluded.status_before
        WHERE effect.epoch <= excluded.epoch";
    LINKS = "SELECT token, body FROM link WHERE profile = $1 AND token = ANY($2) ORDER BY array_position($2, token)";
    SAVE_LINK = "INSERT INTO link (profile, token, body) VALUES ($1, $2, $3)
        ON CONFLICT (profile, token) DO UPDATE SET body = excluded.body";
    REGISTER = "SELECT status_set, block_written, block_removed, block_comment, block_comment_text, worked_on, people
        FROM register WHERE profile = $1 AND lead = $2";
    SAVE_REGISTER = "INSERT INTO register
        (profile, lead, status_set, block_written, block_removed, block_comment, block_comment_text, worked_on, people)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (profile, lead) DO UPDATE SET
          status_set = excluded.status_set, block_written = excluded.block_written,
          block_removed = excluded.block_removed, block_comment = excluded.block_comment,
          block_comment_text = excluded.block_comment_text, worked_on = excluded.worked_on,
          people = excluded.people";
}

/// Of several changes, in their order.
pub async fn effects(
    db: &Db,
    vault: &Vault,
    profile: &str,
    change_keys: &[&str],
) -> Result<Vec<Effect>> {
    let rows = db.all(OF_CHANGES, &[&profile, &change_keys]).await?;
    rows.iter().map(|row| effect(row, vault)).collect()
}

fn row_of(profile: &str, name: &str) -> String {
    format!("{profile}/{name}")
}

fn effect(row: &Row, vault: &Vault) -> Result<Effect> {
    let (profile, key): (String, String) = (cell(row, "profile")?, cell(row, "key")?);
    let place = row_of(&profile, &key);
    let pre_image: Option<&[u8]> = cell(row, "pre_image")?;
    let last_probe_at: Option<i64> = cell(row, "last_probe_at")?;
    Ok(Effect {
        change: cell(row, "change_key")?,
        target: cell(row, "target")?,
        kind: names::effect_kind(cell(row, "kind")?)?,
        state: names::effect_state(cell(row, "state")?)?,
        desired: vault.open_text("effect", "desired", &place, cell(row, "desired")?)?,
        pre_image: pre_image
            .map(|text| vault.open_text("effect", "pre_image", &place, text))
            .transpose()?,
        status_before: cell(row, "status_before")?,
        epoch: cell(row, "epoch")?,
        attempt: cell::<i64>(row, "attempt")? as u32,
        marker: cell(row, "marker")?,
        remote_id: cell(row, "remote_id")?,
        reason: cell(row, "reason")?,
        first_sent_at: time(cell(row, "first_sent_at")?)?,
        last_sent_at: time(cell(row, "last_sent_at")?)?,
        negatives: cell::<i64>(row, "negatives")? as u32,
        last_probe_at: last_probe_at.map(time).transpose()?,
        amended: serde_json::from_str(cell(row, "amended")?)
            .map_err(|e| Error::Other(format!("the causes of effect {key} cannot be read: {e}")))?,
        profile,
        key,
    })
}

/// For whoever has locked the profile.
pub async fn record(db: &Db, vault: &Vault, profile: &str, record: &Record) -> Result<()> {
    for effect in &record.effects {
        save_effect(db, vault, effect).await?;
    }
    for link in &record.links {
        save_link(db, vault, profile, link).await?;
    }
    for (lead, register) in &record.registers {
        save_register(db, vault, profile, lead, register).await?;
    }
    Ok(())
}

/// Compare-and-set: a row of a higher epoch stays as it is.
async fn save_effect(db: &Db, vault: &Vault, effect: &Effect) -> Result<()> {
    let place = row_of(&effect.profile, &effect.key);
    let desired = vault.seal("effect", "desired", &place, effect.desired.as_bytes());
    let pre_image = effect
        .pre_image
        .as_ref()
        .map(|text| vault.seal("effect", "pre_image", &place, text.as_bytes()));
    let amended = serde_json::to_string(&effect.amended).expect("causes are plain names");
    let saved = db
        .execute(
            SAVE_EFFECT,
            &[
                &effect.profile,
                &effect.key,
                &effect.change,
                &effect.target,
                &effect.kind.name(),
                &effect.state.name(),
                &desired,
                &pre_image,
                &effect.epoch,
                &i64::from(effect.attempt),
                &effect.marker,
                &effect.remote_id,
                &effect.reason.as_deref().map(text),
                &micros(effect.first_sent_at),
                &micros(effect.last_sent_at),
                &i64::from(effect.negatives),
                &effect.last_probe_at.map(micros),
                &amended,
                &effect.status_before.as_deref().map(text),
            ],
        )
        .await?;
    if saved == 0 {
        return Err(Error::Superseded);
    }
    Ok(())
}

/// In the order of `tokens`. A token may hold an address (the seat of somebody without a reference), so it
/// is looked up by its HMAC.
pub async fn links<'a>(
    db: &Db,
    vault: &Vault,
    profile: &str,
    tokens: impl IntoIterator<Item = &'a String>,
) -> Result<Vec<Link>> {
    let blinds: Vec<String> = tokens
        .into_iter()
        .map(|token| vault.blind(profile, token))
        .collect();
    let rows = db.all(LINKS, &[&profile, &blinds]).await?;
    let mut links = Vec::with_capacity(rows.len());
    for row in &rows {
        let place = row_of(profile, cell(row, "token")?);
        let link: Link = vault.open_json("link", "body", &place, cell(row, "body")?)?;
        let lead = doubts::standing_for(db, profile, link.lead).await?;
        links.push(Link { lead, ..link });
    }
    Ok(links)
}

async fn save_link(db: &Db, vault: &Vault, profile: &str, link: &Link) -> Result<()> {
    let blind = vault.blind(profile, &link.token);
    let body = vault.seal_json("link", "body", &row_of(profile, &blind), link);
    db.execute(SAVE_LINK, &[&profile, &blind, &body]).await?;
    Ok(())
}

pub async fn register(db: &Db, vault: &Vault, profile: &str, lead: &str) -> Result<Register> {
    let lead = indexed(lead);
    let Some(row) = db.one(REGISTER, &[&profile, &lead]).await? else {
        return Ok(Register::default());
    };
    let text: Option<&[u8]> = cell(&row, "block_comment_text")?;
    let place = row_of(profile, &lead);
    Ok(Register {
        status_set: cell(&row, "status_set")?,
        block_written: cell(&row, "block_written")?,
        block_removed: cell(&row, "block_removed")?,
        block_comment: cell(&row, "block_comment")?,
        block_comment_text: text
            .map(|text| vault.open_text("register", "block_comment_text", &place, text))
            .transpose()?,
        worked_on: cell(&row, "worked_on")?,
        people: names::words(cell(&row, "people")?),
    })
}

async fn save_register(
    db: &Db,
    vault: &Vault,
    profile: &str,
    lead: &str,
    register: &Register,
) -> Result<()> {
    let lead = indexed(lead);
    let place = row_of(profile, &lead);
    let sealed = register
        .block_comment_text
        .as_ref()
        .map(|text| vault.seal("register", "block_comment_text", &place, text.as_bytes()));
    db.execute(
        SAVE_REGISTER,
        &[
            &profile,
            &lead,
            &register.status_set.as_deref().map(text),
            &register.block_written,
            &register.block_removed,
            &register.block_comment,
            &sealed,
            &register.worked_on,
            &register.people.join(" "),
        ],
    )
    .await?;
    Ok(())
}
