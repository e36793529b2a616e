//! Deliveries: stored, handed out to be read, and what they were read as.

use domain::change::{Change, Kind, for_seats, is_known};
use rusqlite::{Connection, OptionalExtension, params};

use super::cells::{self, all, micros, statements};
use super::lane;
use super::vault::Vault;
use crate::rows::{Delivery, NewDelivery, Reading, Status};
use crate::{Error, Result};

/// How often a delivery is handed out before it is held to be what stops the program.
const READS_MAX: u32 = super::work::CRASHES_MAX;
/// Bodies of one batch.
const BATCH_BYTES_MAX: usize = 8 * 1_048_576;

statements! {
    ADD = "INSERT INTO delivery (id, profile, received_at, status, sha256, secret_index)
        VALUES (?1, ?2, ?3, 'pending', ?4, ?5)";
    ADD_BODY = "INSERT INTO delivery_body (id, headers, body) VALUES (?1, ?2, ?3)";
    SUSPECT = "SELECT id, attempts FROM delivery WHERE is_read = 0 AND attempts > 0 ORDER BY id LIMIT 1";
    FRESH = "SELECT id FROM delivery WHERE is_read = 0 AND attempts = 0 ORDER BY id LIMIT ?1";
    REMOVE = "DELETE FROM delivery WHERE id = ?1";
    IS_UNREAD = "SELECT EXISTS (SELECT 1 FROM delivery WHERE is_read = 0)";
    BEGIN_READING = "UPDATE delivery SET attempts = attempts + 1 WHERE id = ?1";
    WITH_BODY = "SELECT d.*, b.headers, b.body FROM delivery d JOIN delivery_body b ON b.id = d.id WHERE d.id = ?1";
    STATE = "SELECT profile, is_read FROM delivery WHERE id = ?1";
    END = "UPDATE delivery SET is_read = 1, trigger_name = COALESCE(?2, trigger_name), uid = COALESCE(?3, uid),
        status = ?4, reason = ?5 WHERE id = ?1";
    KNOWN = "SELECT c.id, c.delivery_id, b.body FROM change c JOIN change_body b ON b.id = c.id
        WHERE c.uid = ?2 AND c.profile = ?1 ORDER BY c.id";
    ADD_CHANGE = "INSERT INTO change
        (id, profile, key, delivery_id, person, uid, ref, seat, seated, first_uid, created_at, status)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 'pending')";
    ADD_CHANGE_BODY = "INSERT INTO change_body (id, body) VALUES (?1, ?2)";
    SET_REF = "UPDATE change SET ref = ?2 WHERE id = ?1";
    SET_CHANGE_BODY = "UPDATE change_body SET body = ?2 WHERE id = ?1";
}

/// A delivery as its rows will be; sealed by the caller's thread, not by the one that writes.
pub struct Sealed {
    id: String,
    of: NewDelivery,
    headers: Vec<u8>,
    body: Vec<u8>,
}

pub fn seal(vault: &Vault, id: String, mut of: NewDelivery) -> Sealed {
    let headers = vault.seal_json("delivery_body", "headers", &id, &of.headers);
    let body = vault.seal("delivery_body", "body", &id, &std::mem::take(&mut of.body));
    Sealed {
        id,
        of,
        headers,
        body,
    }
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
    let received_at = micros(of.received_at);
    db.prepare_cached(ADD)?.execute(params![
        id,
        of.profile,
        received_at,
        of.sha256,
        of.secret_index as i64
    ])?;
    let added = db
        .prepare_cached(ADD_BODY)
        .and_then(|mut add| add.execute(params![id, headers, body]));
    if let Err(error) = added {
        // Else the whole transaction was given up already.
        if !db.is_autocommit() {
            db.prepare_cached(REMOVE)?.execute([&id])?;
        }
        return Err(error.into());
    }
    Ok(id)
}

pub fn is_anything_unread(db: &Connection) -> Result<bool> {
    Ok(db
        .prepare_cached(IS_UNREAD)?
        .query_row([], |row| row.get(0))?)
}

/// One that was handed out before and never read may be what stopped the program: it is handed out alone,
/// so that nobody else is counted with it.
pub fn unread(db: &Connection, vault: &Vault, limit: usize) -> Result<Vec<Delivery>> {
    while let Some((id, attempts)) = suspect(db)? {
        let handed_out = if attempts < READS_MAX {
            hand_out(db, vault, &id)?
        } else {
            let reason =
                "reading it stopped the program a hundred times; replay it after an upgrade";
            end(db, &id, None, None, Status::Quarantined, reason)?;
            None
        };
        if let Some(delivery) = handed_out {
            return Ok(vec![delivery]);
        }
    }
    let fresh: Vec<String> = all(&mut db.prepare_cached(FRESH)?, [limit as i64], |row| {
        Ok(row.get(0)?)
    })?;
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
    Ok(deliveries)
}

fn suspect(db: &Connection) -> Result<Option<(String, u32)>> {
    let mut statement = db.prepare_cached(SUSPECT)?;
    Ok(statement
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?)
}

/// `None` when it cannot be opened; then it is quarantined, and in nobody's way.
fn hand_out(db: &Connection, vault: &Vault, id: &str) -> Result<Option<Delivery>> {
    db.prepare_cached(BEGIN_READING)?.execute([id])?;
    let opened = db
        .prepare_cached(WITH_BODY)?
        .query_and_then([id], |row| cells::delivery(row, Some(vault)))?
        .next();
    match opened.transpose() {
        Ok(delivery) => Ok(delivery),
        Err(Error::Other(why)) => {
            let reason =
                format!("its body cannot be opened ({why}); restore a backup, then replay it");
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
                return end(
                    db,
                    id,
                    trigger,
                    uid,
                    Status::Ignored,
                    "nothing in it is acted on",
                );
            }
            match inbox.take(changes)? {
                Taken::Own => {
                    end(db, id, trigger, uid, Status::Pending, "")?;
                    lane::follow(db, id)
                }
                Taken::KnownFrom(first) => {
                    let reason = format!("the same change came with delivery {first}");
                    end(db, id, trigger, uid, Status::Duplicate, &reason)
                }
            }
        }
    }
}

enum Taken {
    /// At least one change is this delivery's.
    Own,
    /// All came with others; the first of those.
    KnownFrom(String),
}

struct Inbox<'a> {
    db: &'a Connection,
    vault: &'a Vault,
    profile: String,
    delivery_id: &'a str,
}

struct Known {
    id: String,
    delivery_id: String,
    change: Change,
}

impl Inbox<'_> {
    fn take(&self, changes: Vec<Change>) -> Result<Taken> {
        let mut made: Vec<String> = Vec::new();
        let mut has_own = false;
        let mut known_from = None;
        let mut known = match changes.first() {
            Some(first) => self.known(&first.booking.uid)?,
            None => Vec::new(),
        };
        let known_changes: Vec<Change> = known.iter().map(|k| k.change.clone()).collect();
        let changes = changes
            .into_iter()
            .flat_map(|c| for_seats(c, &known_changes));
        for change in changes {
            let key = change.base_key();
            // Read again after a replay: what it brought then is still its own.
            let own = known
                .iter()
                .find(|k| k.delivery_id == self.delivery_id && k.change.base_key() == key);
            if let Some(own) = own {
                has_own = true;
                if !made.contains(&own.id) {
                    lane::plan_again(self.db, &own.id)?;
                }
            } else if let Some(first) = same(&change, &known) {
                has_own |= first.delivery_id == self.delivery_id;
                known_from.get_or_insert_with(|| first.delivery_id.clone());
                self.enrich(first, &change)?;
            } else {
                let count = known.iter().filter(|k| k.change.base_key() == key).count();
                let id = self.add(&change, count)?;
                made.push(id.clone());
                known.push(Known {
                    id,
                    delivery_id: self.delivery_id.to_owned(),
                    change,
                });
                has_own = true;
            }
        }
        let known_from = known_from.unwrap_or_default();
        Ok(if has_own {
            Taken::Own
        } else {
            Taken::KnownFrom(known_from)
        })
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

    /// `before` counts those of the same key: a value that came back.
    fn add(&self, change: &Change, before: usize) -> Result<String> {
        let id = super::new_id();
        let base_key = change.base_key();
        let key = if before == 0 {
            base_key
        } else {
            format!("{base_key}#{}", before + 1)
        };
        let person = self.vault.blind(&self.profile, &change.identity());
        self.db.prepare_cached(ADD_CHANGE)?.execute(params![
            id,
            self.profile,
            self.vault.blind(&self.profile, &key),
            self.delivery_id,
            person,
            change.booking.uid,
            reference(change),
            change.seat,
            change.seated,
            first_uid(change),
            micros(change.stamped()),
        ])?;
        let body = self.vault.seal_json("change_body", "body", &id, change);
        self.db
            .prepare_cached(ADD_CHANGE_BODY)?
            .execute(params![id, body])?;
        lane::refresh(self.db, &self.profile, &person)?;
        Ok(id)
    }

    /// A booking known without what it replaced (from a listing, or as CREATED) learns it, and is planned anew.
    fn enrich(&self, known: &Known, change: &Change) -> Result<()> {
        let from = &change.booking;
        if known.change.kind != Kind::Booked
            || known.change.booking.reschedule_uid.is_some()
            || from.reschedule_uid.is_none()
        {
            return Ok(());
        }
        let mut better = known.change.clone();
        let to = &mut better.booking;
        to.reschedule_uid.clone_from(&from.reschedule_uid);
        to.reschedule_start = from.reschedule_start.or(to.reschedule_start);
        to.reschedule_end = from.reschedule_end.or(to.reschedule_end);
        to.rescheduled_by = from.rescheduled_by.clone().or(to.rescheduled_by.take());
        to.reschedule_reason = from
            .reschedule_reason
            .clone()
            .or(to.reschedule_reason.take());
        let body = self
            .vault
            .seal_json("change_body", "body", &known.id, &better);
        self.db
            .prepare_cached(SET_CHANGE_BODY)?
            .execute(params![known.id, body])?;
        self.db
            .prepare_cached(SET_REF)?
            .execute(params![known.id, reference(&better)])?;
        lane::plan_again(self.db, &known.id)
    }
}

/// The known change that `change` says again.
fn same<'a>(change: &Change, known: &'a [Known]) -> Option<&'a Known> {
    let changes: Vec<Change> = known.iter().map(|k| k.change.clone()).collect();
    if !is_known(change, &changes) {
        return None;
    }
    let alike = |k: &&Known| is_known(change, std::slice::from_ref(&k.change));
    let near = |k: &&Known| k.change.created_at.duration_since(change.created_at).abs();
    known
        .iter()
        .filter(alike)
        .min_by_key(near)
        .or(known.first())
}

/// A cancellation's reference says nothing of what its booking replaced.
pub fn reference(change: &Change) -> Option<&str> {
    change
        .booking
        .reschedule_uid
        .as_deref()
        .filter(|_| change.kind != Kind::Cancelled)
}

pub fn first_uid(change: &Change) -> Option<&str> {
    let ical = change
        .booking
        .ical_uid
        .as_deref()
        .filter(|_| !change.seated)?;
    ical.split_once('@').map(|(uid, _)| uid)
}
