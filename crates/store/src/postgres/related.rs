//! Which changes a decision depends on: what `crate::related` asks for is looked up here, all questions of a round at
//! once.

use std::collections::HashMap;

use tokio_postgres::Row;

use super::cells::{self, cell, indexed, select_stored};
use super::connection::Db;
use crate::Result;
use crate::related::{By, Found, Node, Question};
use crate::rows::Stored;
use crate::statements::statements;
use crate::vault::Vault;

macro_rules! node {
    ($($rest:expr),*) => {
        concat!("SELECT id, person, uid, ref, seat, seated, first_uid, created_at FROM change WHERE profile = $1 ", $($rest),*)
    };
}

statements! {
    THIS = node!("AND key = $2");
    OF_PERSON = node!("AND person = $2 ORDER BY created_at DESC, id DESC LIMIT 1000");
    NEAR = node!(
        "AND id IN (
           SELECT id FROM change WHERE uid = ANY($2)
           UNION ALL SELECT id FROM change WHERE ref = ANY($3)
           UNION ALL SELECT id FROM change WHERE seat = ANY($4)
           UNION ALL SELECT id FROM change WHERE first_uid = ANY($5))"
    );
    STORED = select_stored!("WHERE c.id = ANY($1)");
}

pub async fn related(
    db: &Db,
    vault: &Vault,
    profile: &str,
    change: &Stored,
) -> Result<Vec<Stored>> {
    let this = nodes(&db.all(THIS, &[&profile, &change.key]).await?)?;
    let person = nodes(&db.all(OF_PERSON, &[&profile, &change.person]).await?)?;
    followed(db, vault, profile, Found::from(change, this, person)).await
}

pub async fn of_person(db: &Db, vault: &Vault, profile: &str, person: &str) -> Result<Vec<Stored>> {
    let person = nodes(&db.all(OF_PERSON, &[&profile, &person]).await?)?;
    followed(db, vault, profile, Found::of_person(person)).await
}

/// To the ends of all chains.
async fn followed(db: &Db, vault: &Vault, profile: &str, mut found: Found) -> Result<Vec<Stored>> {
    loop {
        let round: Vec<(Node, Vec<Question>)> = std::iter::from_fn(|| found.next())
            .map(|of| {
                let of = as_kept(of);
                let questions = of.questions();
                (of, questions)
            })
            .collect();
        if round.is_empty() {
            break;
        }
        let values = |by: By| -> Vec<&str> {
            let all = round.iter().flat_map(|(_, questions)| questions);
            all.filter(|q| q.by == by)
                .map(|q| q.value.as_str())
                .collect()
        };
        let (uids, references) = (values(By::Uid), values(By::Reference));
        let (seats, first_uids) = (values(By::Seat), values(By::FirstUid));
        let near = db
            .all(NEAR, &[&profile, &uids, &references, &seats, &first_uids])
            .await?;
        for node in nodes(&near)? {
            let is_near = round
                .iter()
                .any(|(of, questions)| questions.iter().any(|q| q.is_answered_by(of, &node)));
            if is_near {
                found.extend([node]);
            }
        }
    }
    let ids: Vec<&str> = found.ids().collect();
    let rows = db.all(STORED, &[&ids]).await?;
    let mut by_id: HashMap<&str, &Row> = HashMap::new();
    for row in &rows {
        by_id.insert(cell(row, "id")?, row);
    }
    ids.iter()
        .filter_map(|id| by_id.get(id))
        .map(|row| cells::stored(row, vault))
        .collect()
}

/// One that is not stored bears its values as they came.
fn as_kept(of: Node) -> Node {
    let kept = |value: String| indexed(&value).into_owned();
    Node {
        uid: kept(of.uid),
        reference: of.reference.map(kept),
        seat: of.seat.map(kept),
        first_uid: of.first_uid.map(kept),
        ..of
    }
}

fn nodes(rows: &[Row]) -> Result<Vec<Node>> {
    rows.iter()
        .map(|row| {
            Ok(Node {
                id: cell(row, "id")?,
                person: cell(row, "person")?,
                uid: cell(row, "uid")?,
                reference: cell(row, "ref")?,
                seat: cell(row, "seat")?,
                seated: cell(row, "seated")?,
                first_uid: cell(row, "first_uid")?,
                created_at: cell(row, "created_at")?,
            })
        })
        .collect()
}
