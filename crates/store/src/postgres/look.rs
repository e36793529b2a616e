//! What people look at: deliveries, the proof of one booking, the counts.

use super::cells::{self, cell, indexed, select_delivery, select_stored};
use super::connection::Db;
use super::{journal, questions};
use crate::Result;
use crate::related::tokens;
use crate::rows::{Counts, Delivery, DeliveryFilter, Proof, Status};
use crate::statements::statements;
use crate::vault::Vault;

/// One statement per index; what is not asked for is NULL. No id sorts after `~`.
macro_rules! deliveries {
    ($by:literal) => {
        select_delivery!(
            " FROM delivery d WHERE ",
            $by,
            " AND ($1::text IS NULL OR d.status = $1) AND ($2::text IS NULL OR d.uid = $2)
              AND ($3::text IS NULL OR d.sha256 = $3) AND ($6::text IS NULL OR d.profile = $6)
              AND d.id < COALESCE($4, '~') ORDER BY d.id DESC LIMIT $5"
        )
    };
}

macro_rules! mentioning {
    ($column:literal) => {
        concat!(
            "SELECT ",
            $column,
            " FROM change WHERE uid = $1 AND profile = $2 UNION SELECT ",
            $column,
            " FROM change WHERE ref = $1 AND profile = $2 UNION SELECT ",
            $column,
            " FROM change WHERE seat = $1 AND profile = $2"
        )
    };
}

statements! {
    BY_UID = deliveries!("d.uid = $2");
    BY_SHA256 = deliveries!("d.sha256 = $3");
    BY_STATUS = deliveries!("d.profile = $6 AND d.status = $1");
    BY_ID = deliveries!("true");
    ONE = select_delivery!(", b.headers, b.body FROM delivery d JOIN delivery_body b ON b.id = d.id WHERE d.id = $1");
    MENTIONING_CHANGES = select_stored!(
        "WHERE c.id IN (", mentioning!("id"), ") ORDER BY c.created_at, c.id LIMIT 1000"
    );
    MENTIONING_DELIVERIES = select_delivery!(
        " FROM delivery d WHERE d.id IN (SELECT id FROM delivery WHERE uid = $1 AND profile = $2 UNION ",
        mentioning!("delivery_id"), ") ORDER BY d.id LIMIT 1000"
    );
    COUNTS = "SELECT status, count(*) AS count FROM delivery GROUP BY status";
    COUNTS_OF = "SELECT status, count(*) AS count FROM delivery WHERE profile = $1 GROUP BY status";
}

pub async fn deliveries(db: &Db, filter: &DeliveryFilter) -> Result<Vec<Delivery>> {
    let sql = match filter {
        DeliveryFilter { uid: Some(_), .. } => BY_UID,
        DeliveryFilter {
            sha256: Some(_), ..
        } => BY_SHA256,
        DeliveryFilter {
            status: Some(_),
            profile: Some(_),
            ..
        } => BY_STATUS,
        DeliveryFilter { .. } => BY_ID,
    };
    let status = filter.status.map(Status::name);
    let [uid, sha256, after] =
        [&filter.uid, &filter.sha256, &filter.after].map(|of| of.as_deref().map(indexed));
    let rows = filter.rows() as i64;
    let found = db
        .all(
            sql,
            &[&status, &uid, &sha256, &after, &rows, &filter.profile],
        )
        .await?;
    found.iter().map(|row| cells::delivery(row, None)).collect()
}

pub async fn delivery(db: &Db, vault: &Vault, id: &str) -> Result<Option<Delivery>> {
    let row = db.one(ONE, &[&indexed(id)]).await?;
    row.map(|row| cells::delivery(&row, Some(vault)))
        .transpose()
}

pub async fn proof(db: &Db, vault: &Vault, profile: &str, uid: &str) -> Result<Proof> {
    let kept = indexed(uid);
    let changes = db.all(MENTIONING_CHANGES, &[&kept, &profile]).await?;
    let changes = changes
        .iter()
        .map(|row| cells::stored(row, vault))
        .collect::<Result<Vec<_>>>()?;
    let deliveries = db.all(MENTIONING_DELIVERIES, &[&kept, &profile]).await?;
    let deliveries = deliveries
        .iter()
        .map(|row| cells::delivery(row, None))
        .collect::<Result<Vec<_>>>()?;
    let links = journal::links(db, vault, profile, &tokens(uid, changes.iter())).await?;
    let keys: Vec<&str> = changes.iter().map(|c| c.key.as_str()).collect();
    let effects = journal::effects(db, vault, profile, &keys).await?;
    let questions = questions::that_held(db, vault, profile, &keys).await?;
    Ok(Proof {
        deliveries,
        changes,
        links,
        effects,
        questions,
    })
}

pub async fn counts(db: &Db, profile: Option<&str>) -> Result<Counts> {
    let rows = match profile {
        Some(profile) => db.all(COUNTS_OF, &[&profile]).await?,
        None => db.all(COUNTS, &[]).await?,
    };
    let counted = rows
        .iter()
        .map(|row| Ok((cell(row, "status")?, cell(row, "count")?)))
        .collect::<Result<Vec<_>>>()?;
    Ok(Counts::of(&counted))
}
