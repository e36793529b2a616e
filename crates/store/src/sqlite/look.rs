//! What people look at: deliveries, the proof of one booking, the counts.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use super::cells::{self, all, stored_where};
use super::{journal, questions};
use crate::Result;
use crate::related::tokens;
use crate::rows::{Counts, Delivery, DeliveryFilter, Proof, Status, Stored};
use crate::statements::statements;
use crate::vault::Vault;

/// One statement per index; what is not asked for is NULL. No id sorts after `~`.
macro_rules! deliveries {
    ($by:literal) => {
        concat!(
            "SELECT * FROM delivery WHERE ",
            $by,
            " AND (?1 IS NULL OR status = ?1) AND (?2 IS NULL OR uid = ?2) AND (?3 IS NULL OR sha256 = ?3)
              AND (?6 IS NULL OR profile = ?6) AND id < COALESCE(?4, '~') ORDER BY id DESC LIMIT ?5"
        )
    };
}

/// The plus keeps SQLite from going through all of the profile's.
macro_rules! mentioning {
    ($column:literal) => {
        concat!(
            "SELECT ",
            $column,
            " FROM change WHERE uid = ?1 AND +profile = ?2 UNION SELECT ",
            $column,
            " FROM change WHERE ref = ?1 AND +profile = ?2 UNION SELECT ",
            $column,
            " FROM change WHERE seat = ?1 AND +profile = ?2"
        )
    };
}

macro_rules! counts {
    ($and:literal) => {
        concat!(
            "SELECT status, sum(of) FROM (
              SELECT status, count(*) AS of FROM delivery WHERE is_read = 1",
            $and,
            " GROUP BY status UNION ALL SELECT 'pending', count(*) FROM delivery WHERE is_read = 0",
            $and,
            ") GROUP BY status"
        )
    };
}

statements! {
    BY_UID = deliveries!("uid = ?2");
    BY_SHA256 = deliveries!(
        "id IN (SELECT id FROM delivery WHERE is_read = 1 AND sha256 = ?3 UNION ALL
          SELECT id FROM delivery INDEXED BY delivery_unread WHERE is_read = 0 AND sha256 = ?3)"
    );
    BY_STATUS = deliveries!("profile = ?6 AND is_read = 1 AND status = ?1");
    // What was not read is pending, and so may be what was.
    PENDING = concat!(
        "SELECT * FROM (SELECT * FROM (", deliveries!("profile = ?6 AND is_read = 1 AND status = ?1"), ") UNION ALL
          SELECT * FROM (", deliveries!("is_read = 0"), ")) ORDER BY id DESC LIMIT ?5"
    );
    BY_ID = deliveries!("1");
    ONE = "SELECT d.*, b.headers, b.body FROM delivery d JOIN delivery_body b ON b.n = d.body_row WHERE d.id = ?1";
    MENTIONING_CHANGES = stored_where!(concat!("id IN (", mentioning!("id"), ") ORDER BY created_at, n LIMIT 1000"));
    MENTIONING_DELIVERIES = concat!(
        "SELECT * FROM delivery WHERE id IN (SELECT id FROM delivery WHERE uid = ?1 AND profile = ?2 UNION ",
        mentioning!("delivery_id"), ") ORDER BY id LIMIT 1000"
    );
    COUNTS = counts!("");
    COUNTS_OF = counts!(" AND profile = ?1");
}

pub fn deliveries(db: &Connection, filter: &DeliveryFilter) -> Result<Vec<Delivery>> {
    let sql = match filter {
        DeliveryFilter { uid: Some(_), .. } => BY_UID,
        DeliveryFilter {
            sha256: Some(_), ..
        } => BY_SHA256,
        DeliveryFilter {
            status: Some(Status::Pending),
            profile: Some(_),
            ..
        } => PENDING,
        DeliveryFilter {
            status: Some(_),
            profile: Some(_),
            ..
        } => BY_STATUS,
        DeliveryFilter { .. } => BY_ID,
    };
    let status = filter.status.map(Status::name);
    let params = params![
        status,
        filter.uid,
        filter.sha256,
        filter.after,
        filter.rows() as i64,
        filter.profile
    ];
    all(&mut db.prepare_cached(sql)?, params, |row| {
        cells::delivery(row, None)
    })
}

pub fn delivery(db: &Connection, vault: &Vault, id: &str) -> Result<Option<Delivery>> {
    let mut statement = db.prepare_cached(ONE)?;
    let mut rows = statement.query([id])?;
    rows.next()?
        .map(|row| cells::delivery(row, Some(vault)))
        .transpose()
}

pub fn proof(db: &Connection, vault: &Vault, profile: &str, uid: &str) -> Result<Proof> {
    let mentioning = [uid, profile];
    let changes = all(
        &mut db.prepare_cached(MENTIONING_CHANGES)?,
        mentioning,
        |row| cells::stored(row, vault),
    )?;
    let deliveries = all(
        &mut db.prepare_cached(MENTIONING_DELIVERIES)?,
        mentioning,
        |row| cells::delivery(row, None),
    )?;
    let links = journal::links(db, vault, profile, &tokens(uid, changes.iter()))?;
    let mut effects = Vec::new();
    let mut asked = BTreeMap::new();
    for Stored { key, .. } in &changes {
        effects.extend(journal::effects(db, vault, profile, key)?);
        let questions = questions::that_held(db, vault, profile, key)?;
        asked.extend(questions.into_iter().map(|q| (q.id.clone(), q)));
    }
    Ok(Proof {
        deliveries,
        changes,
        links,
        effects,
        questions: asked.into_values().collect(),
    })
}

pub fn counts(db: &Connection, profile: Option<&str>) -> Result<Counts> {
    let sql = if profile.is_some() { COUNTS_OF } else { COUNTS };
    let of = rusqlite::params_from_iter(profile);
    let counted: Vec<(String, i64)> = all(&mut db.prepare_cached(sql)?, of, |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    Ok(Counts::of(&counted))
}
