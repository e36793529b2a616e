//! Deliveries: handed out to be read, and what they were read as. Storing them is intake.rs.

use std::collections::HashMap;

use domain::change::Change;

use super::cells::{self, cell, indexed, select_delivery, text};
use super::connection::Db;
use super::{journal, lane, lease};
use crate::crashes::{READINGS_MAX, STOPPED_BY_READING};
use crate::inbox::{BATCH_BYTES_MAX, NOTHING_ACTED_ON, same_change, unopened_body};
use crate::known::{self, Came, Deed, Known, Renamed};
use crate::names::micros;
use crate::related;
use crate::rows::{Delivery, Reading, Record, Status};
use crate::statements::statements;
use crate::vault::Vault;
use crate::{Error, Result};

statements! {
    IS_UNREAD = "SELECT EXISTS (SELECT 1 FROM delivery WHERE profile = $1 AND NOT is_read AND attempts = 0)
        OR EXISTS (SELECT 1 FROM delivery WHERE profile = $1 AND NOT is_read AND attempts > 0)";
    SUSPECT = "SELECT id, attempts FROM delivery WHERE profile = $1 AND NOT is_read AND attempts > 0
        ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED";
    FRESH = "SELECT d.id, octet_length(b.body) AS bytes FROM delivery d JOIN delivery_body b ON b.id = d.id
        WHERE d.profile = $1 AND NOT d.is_read AND d.attempts = 0
        ORDER BY d.id LIMIT $2 FOR UPDATE OF d SKIP LOCKED";
    BEGIN_READING = "UPDATE delivery SET attempts = attempts + 1 WHERE id = ANY($1)";
    WITH_BODIES = select_delivery!(
        ", b.headers, b.body FROM delivery d JOIN delivery_body b ON b.id = d.id WHERE d.id = ANY($1) ORDER BY d.id"
    );
    PROFILES = "SELECT id, profile FROM delivery WHERE id = ANY($1)";
    IS_READ = "SELECT is_read FROM delivery WHERE id = $1 FOR UPDATE";
    END = "UPDATE delivery SET is_read = true, trigger_name = COALESCE($2, trigger_name), uid = COALESCE($3, uid),
        status = $4, reason = $5 WHERE id = $1";
    KNOWN = "SELECT c.id, c.delivery_id, b.body FROM change c JOIN change_body b ON b.id = c.id
        WHERE c.uid = $2 AND c.profile = $1 ORDER BY c.id";
    ADD_CHANGES = "WITH bodies AS (
          INSERT INTO change_body (id, body) SELECT * FROM unnest($1::text[], $12::bytea[])
        )
        INSERT INTO change
          (id, profile, key, delivery_id, person, uid, ref, seat, seated, first_uid, created_at, status)
        SELECT id, $2, key, $3, person, uid, ref, seat, seated, first_uid, created_at, 'pending'
        FROM unnest($1::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::boolean[], $10::text[],
            $11::bigint[])
          AS came (id, key, person, uid, ref, seat, seated, first_uid, created_at)";
    ENRICH = "WITH body AS (UPDATE change_body SET body = $2 WHERE id = $1)
        UPDATE change SET ref = $3, seat = $4 WHERE id = $1";
}

pub async fn is_anything_unread(db: &Db, profile: &str) -> Result<bool> {
    db.value(IS_UNREAD, &[&profile]).await
}

/// One that was handed out before and never read may be what stopped the program: it is handed out alone,
/// so that nobody else is counted with it.
pub async fn unread(
    db: &Db,
    vault: &Vault,
    profile: &str,
    epoch: i64,
    limit: usize,
) -> Result<Vec<Delivery>> {
    lease::lock_as(db, profile, epoch).await?;
    while let Some(row) = db.one(SUSPECT, &[&profile]).await? {
        let id: String = cell(&row, "id")?;
        if cell::<i64>(&row, "attempts")? < i64::from(READINGS_MAX) {
            let handed_out = hand_out(db, vault, vec![id]).await?;
            if !handed_out.is_empty() {
                return Ok(handed_out);
            }
        } else {
            end(db, &id, None, None, Status::Quarantined, STOPPED_BY_READING).await?;
        }
    }
    let mut ids = Vec::new();
    let mut bytes = 0;
    for row in db.all(FRESH, &[&profile, &(limit as i64)]).await? {
        ids.push(cell(&row, "id")?);
        bytes += cell::<i32>(&row, "bytes")? as usize;
        if bytes >= BATCH_BYTES_MAX {
            break;
        }
    }
    hand_out(db, vault, ids).await
}

/// Those that cannot be opened are quarantined, and in nobody's way.
async fn hand_out(db: &Db, vault: &Vault, ids: Vec<String>) -> Result<Vec<Delivery>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    db.execute(BEGIN_READING, &[&ids]).await?;
    let mut deliveries = Vec::with_capacity(ids.len());
    for row in db.all(WITH_BODIES, &[&ids]).await? {
        match cells::delivery(&row, Some(vault)) {
            Ok(delivery) => deliveries.push(delivery),
            Err(Error::Other(why)) => {
                let (id, reason): (&str, _) = (cell(&row, "id")?, unopened_body(&why));
                end(db, id, None, None, Status::Quarantined, &reason).await?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(deliveries)
}

async fn end(
    db: &Db,
    id: &str,
    trigger: Option<&str>,
    uid: Option<&str>,
    status: Status,
    reason: &str,
) -> Result<()> {
    let (trigger, uid) = (trigger.map(text), uid.map(indexed));
    db.execute(END, &[&id, &trigger, &uid, &status.name(), &text(reason)])
        .await?;
    Ok(())
}

/// By delivery.
pub async fn profiles_of(db: &Db, deliveries: &[String]) -> Result<HashMap<String, String>> {
    let rows = db.all(PROFILES, &[&deliveries]).await?;
    rows.iter()
        .map(|row| Ok((cell(row, "id")?, cell(row, "profile")?)))
        .collect()
}

/// Deliveries of one profile, all or none.
pub async fn read_together(
    db: &Db,
    vault: &Vault,
    profile: &str,
    epoch: i64,
    readings: Vec<(String, Reading)>,
) -> Result<()> {
    lease::lock_as(db, profile, epoch).await?;
    for (id, reading) in readings {
        read(db, vault, profile, &id, reading).await?;
    }
    Ok(())
}

async fn read(db: &Db, vault: &Vault, profile: &str, id: &str, reading: Reading) -> Result<()> {
    let state = db.one(IS_READ, &[&id]).await?;
    let row = state.ok_or_else(|| Error::Other(format!("there is no delivery {id}")))?;
    if cell(&row, "is_read")? {
        return Ok(());
    }
    let (trigger, uid, changes) = match reading {
        Reading::Ended {
            trigger,
            uid,
            status,
            reason,
        } => {
            let (trigger, uid) = (trigger.as_deref(), uid.as_deref());
            return end(db, id, trigger, uid, status, &reason).await;
        }
        Reading::Changes {
            trigger,
            uid,
            changes,
        } => (trigger, uid, changes),
    };
    let (trigger, uid) = (Some(trigger.as_str()), Some(uid.as_str()));
    if changes.is_empty() {
        return end(db, id, trigger, uid, Status::Ignored, NOTHING_ACTED_ON).await;
    }
    let inbox = Inbox {
        db,
        vault,
        profile,
        delivery_id: id,
    };
    match inbox.take(changes).await? {
        Came::New => {
            let (status, reason) = lane::standing_of(db, id).await?;
            let reason = reason.unwrap_or_default();
            end(db, id, trigger, uid, status, &reason).await
        }
        Came::With(first) => {
            let reason = same_change(&first);
            end(db, id, trigger, uid, Status::Duplicate, &reason).await
        }
    }
}

struct Inbox<'a> {
    db: &'a Db,
    vault: &'a Vault,
    profile: &'a str,
    delivery_id: &'a str,
}

struct New {
    id: String,
    key: String,
    change: Change,
}

impl Inbox<'_> {
    async fn take(&self, changes: Vec<Change>) -> Result<Came> {
        let known = match changes.first() {
            Some(first) => self.known(&first.booking.uid).await?,
            None => Vec::new(),
        };
        let taken = known::take(self.delivery_id, changes, known);
        let mut new = Vec::new();
        for deed in taken.deeds {
            match deed {
                Deed::Add { id, key, change } => new.push(New {
                    id,
                    key: self.vault.blind(self.profile, &key),
                    change: *change,
                }),
                Deed::PlanAgain { id } => lane::plan_again(self.db, &id).await?,
                Deed::Enrich {
                    id,
                    better,
                    renamed,
                } => {
                    self.enrich(&id, &better, &mut new).await?;
                    if let Some(renamed) = renamed {
                        self.keep_link(&renamed).await?;
                    }
                }
            }
        }
        self.add(&new).await?;
        Ok(taken.came)
    }

    async fn known(&self, uid: &str) -> Result<Vec<Known>> {
        let rows = self.db.all(KNOWN, &[&self.profile, &indexed(uid)]).await?;
        rows.iter()
            .map(|row| {
                let id: String = cell(row, "id")?;
                let change =
                    self.vault
                        .open_json("change_body", "body", &id, cell(row, "body")?)?;
                Ok(Known {
                    id,
                    delivery_id: cell(row, "delivery_id")?,
                    change,
                })
            })
            .collect()
    }

    async fn add(&self, new: &[New]) -> Result<()> {
        if new.is_empty() {
            return Ok(());
        }
        let ids: Vec<&str> = new.iter().map(|n| n.id.as_str()).collect();
        let keys: Vec<&str> = new.iter().map(|n| n.key.as_str()).collect();
        let changes = || new.iter().map(|n| &n.change);
        let mut people: Vec<String> = changes()
            .map(|c| self.vault.blind(self.profile, &c.identity()))
            .collect();
        let uids: Vec<_> = changes().map(|c| indexed(&c.booking.uid)).collect();
        let references: Vec<_> = changes()
            .map(|c| related::reference(c).map(indexed))
            .collect();
        let seats: Vec<_> = changes().map(|c| c.seat.as_deref().map(indexed)).collect();
        let seated: Vec<bool> = changes().map(|c| c.seated).collect();
        let first_uids: Vec<_> = changes()
            .map(|c| related::first_uid(c).map(indexed))
            .collect();
        let stamps: Vec<i64> = changes().map(|c| micros(c.stamped())).collect();
        let bodies: Vec<Vec<u8>> = new
            .iter()
            .map(|n| {
                self.vault
                    .seal_json("change_body", "body", &n.id, &n.change)
            })
            .collect();
        self.db
            .execute(
                ADD_CHANGES,
                &[
                    &ids,
                    &self.profile,
                    &self.delivery_id,
                    &keys,
                    &people,
                    &uids,
                    &references,
                    &seats,
                    &seated,
                    &first_uids,
                    &stamps,
                    &bodies,
                ],
            )
            .await?;
        people.sort_unstable();
        people.dedup();
        for person in people {
            lane::refresh(self.db, self.profile, &person).await?;
        }
        Ok(())
    }

    async fn enrich(&self, id: &str, better: &Change, new: &mut [New]) -> Result<()> {
        // It may have come with this very delivery.
        if let Some(new) = new.iter_mut().find(|n| n.id == id) {
            new.change = better.clone();
            return Ok(());
        }
        let body = self.vault.seal_json("change_body", "body", id, better);
        let reference = related::reference(better).map(indexed);
        let seat = better.seat.as_deref().map(indexed);
        self.db
            .execute(ENRICH, &[&id, &body, &reference, &seat])
            .await?;
        lane::plan_again(self.db, id).await
    }

    async fn keep_link(&self, renamed: &Renamed) -> Result<()> {
        let tokens = [&renamed.before, &renamed.now];
        let links = journal::links(self.db, self.vault, self.profile, tokens).await?;
        let record = Record {
            links: renamed.links(links),
            ..Record::default()
        };
        journal::record(self.db, self.vault, self.profile, &record).await
    }
}
