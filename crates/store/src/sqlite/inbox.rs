//! Deliveries: stored, handed out to be read, and what they were read as.

use domain::change::Change;
use rusqlite::{Connection, OptionalExtension, params};

use super::cells::{self, all};
use super::{journal, lane, work};
use crate::crashes::{READINGS_MAX, STOPPED_BY_READING};
use crate::inbox::{BATCH_BYTES_MAX, NOTHING_ACTED_ON, Sealed, same_change, unopened_body};
use crate::known::{self, Came, Deed, Known, Renamed};
use crate::names::micros;
use crate::related;
use crate::rows::{Delivery, Reading, Record, Status};
use crate::statements::statements;
use crate::vault::Vault;
use crate::{Error, Result};

statements! {
    ADD_BODY = "INSERT INTO delivery_body (headers, body) VALUES (?1, ?2)";
    ADD = "INSERT INTO delivery (id, profile, received_at, status, sha256, secret_index, body_row)
        VALUES (?1, ?2, ?3, 'pending', ?4, ?5, ?6)";
    REMOVE_BODY = "DELETE FROM delivery_body WHERE n = ?1";
    SUSPECT = "SELECT id, attempts FROM delivery WHERE is_read = 0 AND attempts > 0 AND profile = ?1
        ORDER BY id LIMIT 1";
    FRESH = "SELECT id FROM delivery WHERE is_read = 0 AND attempts = 0 AND profile = ?1 ORDER BY id LIMIT ?2";
    IS_UNREAD = "SELECT EXISTS (SELECT 1 FROM delivery WHERE is_read = 0 AND profile = ?1)";
    HANDED_OUT = "SELECT ids FROM reading WHERE profile = ?1";
    HAND_OUT = "INSERT INTO reading (profile, ids) VALUES (?1, ?2)
        ON CONFLICT (profile) DO UPDATE SET ids = excluded.ids";
    COUNT_ATTEMPT = "UPDATE delivery SET attempts = attempts + 1 WHERE is_read = 0 AND id = ?1";
    WITH_BODY = "SELECT d.*, b.headers, b.body FROM delivery d JOIN delivery_body b ON b.n = d.body_row WHERE d.id = ?1";
    STATE = "SELECT profile, is_read FROM delivery WHERE id = ?1";
    END = "UPDATE delivery SET is_read = 1, trigger_name = COALESCE(?2, trigger_name), uid = COALESCE(?3, uid),
        status = ?4, reason = ?5 WHERE id = ?1";
    KNOWN = "SELECT c.id, c.delivery_id, b.body FROM change c JOIN change_body b ON b.n = c.n
        WHERE c.uid = ?2 AND c.profile = ?1 ORDER BY c.n";
    ADD_CHANGE = "INSERT INTO change
        (id, profile, key, delivery_id, person, uid, ref, seat, seated, first_uid, created_at, status)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 'pending')";
    ADD_CHANGE_BODY = "INSERT INTO change_body (n, body) VALUES (?1, ?2)";
    SET_LEARNT = "UPDATE change SET ref = ?2, seat = ?3 WHERE id = ?1";
    SET_CHANGE_BODY = "UPDATE change_body SET body = ?2 WHERE n = (SELECT n FROM change WHERE id = ?1)";
}

/// Whole or not at all, without a savepoint: a copy of every page that it touches would cost more than it does.
pub fn receive(
    db: &Connection,
    Sealed {
        id,
        of,
        headers,
        body,
    }: Sealed,
) -> Result<String> {
    db.prepare_cached(ADD_BODY)?
        .execute(params![headers, body])?;
    let body_row = db.last_insert_rowid();
    let added = db.prepare_cached(ADD).and_then(|mut add| {
        add.execute(params![
            id,
            of.profile,
            micros(of.received_at),
            of.sha256,
            of.secret_index as i64,
            body_row
        ])
    });
    if let Err(error) = added {
        // Else the whole transaction was given up already.
        if !db.is_autocommit() {
            db.prepare_cached(REMOVE_BODY)?.execute([body_row])?;
        }
        return Err(error.into());
    }
    Ok(id)
}

pub fn is_anything_unread(db: &Connection, profile: &str) -> Result<bool> {
    Ok(db
        .prepare_cached(IS_UNREAD)?
        .query_row([profile], |row| row.get(0))?)
}

/// One that was handed out before and never read may be what stopped the program: it is handed out alone,
/// so that nobody else is counted with it.
pub fn unread(
    db: &Connection,
    vault: &Vault,
    profile: &str,
    limit: usize,
) -> Result<Vec<Delivery>> {
    count_attempts(db, profile)?;
    while let Some((id, attempts)) = suspect(db, profile)? {
        let handed_out = if attempts < READINGS_MAX {
            hand_out(db, vault, &id)?
        } else {
            let reason = STOPPED_BY_READING;
            end(db, &id, None, None, Status::Quarantined, reason)?;
            None
        };
        if let Some(delivery) = handed_out {
            remember_handed_out(db, profile, std::slice::from_ref(&delivery))?;
            return Ok(vec![delivery]);
        }
    }
    let asked = params![profile, limit as i64];
    let fresh: Vec<String> = all(&mut db.prepare_cached(FRESH)?, asked, |row| Ok(row.get(0)?))?;
    let mut deliveries = Vec::new();
    let mut bytes = 0;
    for id in fresh {
        let Some(delivery) = hand_out(db, vault, &id)? else {
            continue;
        };
        bytes += delivery.body.len();
        deliveries.push(delivery);
        if bytes >= BATCH_BYTES_MAX {
            break;
        }
    }
    remember_handed_out(db, profile, &deliveries)?;
    Ok(deliveries)
}

/// One row for all of them, before any is read: those among them that are found unread later were begun in vain.
fn remember_handed_out(db: &Connection, profile: &str, deliveries: &[Delivery]) -> Result<()> {
    let ids: Vec<&String> = deliveries.iter().map(|d| &d.id).collect();
    let ids = serde_json::to_string(&ids).expect("ids are text");
    db.prepare_cached(HAND_OUT)?
        .execute([profile, ids.as_str()])?;
    Ok(())
}

fn count_attempts(db: &Connection, profile: &str) -> Result<()> {
    let ids: Option<String> = db
        .prepare_cached(HANDED_OUT)?
        .query_row([profile], |row| row.get(0))
        .optional()?;
    let ids: Vec<String> = serde_json::from_str(&ids.unwrap_or_default()).unwrap_or_default();
    for id in ids {
        db.prepare_cached(COUNT_ATTEMPT)?.execute([id])?;
    }
    Ok(())
}

fn suspect(db: &Connection, profile: &str) -> Result<Option<(String, u32)>> {
    let mut statement = db.prepare_cached(SUSPECT)?;
    Ok(statement
        .query_row([profile], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?)
}

/// `None` when it cannot be opened; then it is quarantined, and in nobody's way.
fn hand_out(db: &Connection, vault: &Vault, id: &str) -> Result<Option<Delivery>> {
    let opened = db
        .prepare_cached(WITH_BODY)?
        .query_and_then([id], |row| cells::delivery(row, Some(vault)))?
        .next();
    match opened.transpose() {
        Ok(delivery) => Ok(delivery.map(|d| Delivery {
            attempts: d.attempts + 1,
            ..d
        })),
        Err(Error::Other(why)) => {
            let reason = unopened_body(&why);
            end(db, id, None, None, Status::Quarantined, &reason)?;
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn end(
    db: &Connection,
    id: &str,
    trigger: Option<&str>,
    uid: Option<&str>,
    status: Status,
    reason: &str,
) -> Result<()> {
    db.prepare_cached(END)?
        .execute(params![id, trigger, uid, status.name(), reason])?;
    Ok(())
}

pub fn read(db: &Connection, vault: &Vault, id: &str, reading: Reading) -> Result<()> {
    let state = db
        .prepare_cached(STATE)?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((profile, is_read)): Option<(String, bool)> = state else {
        return Err(Error::Other(format!("there is no delivery {id}")));
    };
    if is_read {
        return Ok(());
    }
    match reading {
        Reading::Ended {
            trigger,
            uid,
            status,
            reason,
        } => end(db, id, trigger.as_deref(), uid.as_deref(), status, &reason),
        Reading::Changes {
            trigger,
            uid,
            changes,
        } => {
            let inbox = Inbox {
                db,
                vault,
                profile,
                delivery_id: id,
            };
            let (trigger, uid) = (Some(trigger.as_str()), Some(uid.as_str()));
            if changes.is_empty() {
                return end(db, id, trigger, uid, Status::Ignored, NOTHING_ACTED_ON);
            }
            match inbox.take(changes)? {
                Came::New => {
                    let (status, reason) = lane::standing_of(db, id)?;
                    let reason = reason.unwrap_or_default();
                    end(db, id, trigger, uid, status, &reason)
                }
                Came::With(first) => {
                    let reason = same_change(&first);
                    end(db, id, trigger, uid, Status::Duplicate, &reason)
                }
            }
        }
    }
}

struct Inbox<'a> {
    db: &'a Connection,
    vault: &'a Vault,
    profile: String,
    delivery_id: &'a str,
}

impl Inbox<'_> {
    fn take(&self, changes: Vec<Change>) -> Result<Came> {
        let known = match changes.first() {
            Some(first) => self.known(&first.booking.uid)?,
            None => Vec::new(),
        };
        let taken = known::take(self.delivery_id, changes, known);
        for deed in taken.deeds {
            match deed {
                Deed::Add { id, key, change } => self.add(&id, &key, &change)?,
                Deed::PlanAgain { id } => lane::plan_again(self.db, &id)?,
                Deed::Enrich {
                    id,
                    better,
                    renamed,
                } => {
                    self.enrich(&id, &better)?;
                    renamed.map_or(Ok(()), |renamed| self.keep_link(&renamed))?;
                }
            }
        }
        Ok(taken.came)
    }

    fn known(&self, uid: &str) -> Result<Vec<Known>> {
        all(
            &mut self.db.prepare_cached(KNOWN)?,
            params![self.profile, uid],
            |row| {
                let id: String = row.get(0)?;
                let body: Vec<u8> = row.get(2)?;
                let change = self.vault.open_json("change_body", "body", &id, &body)?;
                Ok(Known {
                    id,
                    delivery_id: row.get(1)?,
                    change,
                })
            },
        )
    }

    fn add(&self, id: &str, key: &str, change: &Change) -> Result<()> {
        let person = self.vault.blind(&self.profile, &change.identity());
        self.db.prepare_cached(ADD_CHANGE)?.execute(params![
            id,
            self.profile,
            self.vault.blind(&self.profile, key),
            self.delivery_id,
            person,
            change.booking.uid,
            related::reference(change),
            change.seat,
            change.seated,
            related::first_uid(change),
            micros(change.stamped()),
        ])?;
        let n = self.db.last_insert_rowid();
        let body = self.vault.seal_json("change_body", "body", id, change);
        self.db
            .prepare_cached(ADD_CHANGE_BODY)?
            .execute(params![n, body])?;
        lane::refresh(self.db, &self.profile, &person)
    }

    fn enrich(&self, id: &str, better: &Change) -> Result<()> {
        let body = self.vault.seal_json("change_body", "body", id, better);
        self.db
            .prepare_cached(SET_CHANGE_BODY)?
            .execute(params![id, body])?;
        self.db.prepare_cached(SET_LEARNT)?.execute(params![
            id,
            related::reference(better),
            better.seat
        ])?;
        lane::plan_again(self.db, id)
    }

    fn keep_link(&self, renamed: &Renamed) -> Result<()> {
        let tokens = [&renamed.before, &renamed.now];
        let links = journal::links(self.db, self.vault, &self.profile, tokens)?;
        let record = Record {
            links: renamed.links(links),
            ..Record::default()
        };
        let epoch = work::epoch(self.db)?;
        journal::record(self.db, self.vault, epoch, &self.profile, &record)
    }
}
