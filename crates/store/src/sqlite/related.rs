//! Which changes a decision depends on: what `crate::related` asks for is looked up here, one question after another.

use rusqlite::{Connection, Row, params};

use super::cells::all;
use super::work;
use crate::Result;
use crate::related::{By, Found, Node};
use crate::rows::Stored;
use crate::statements::statements;
use crate::vault::Vault;

/// In this order [`node`] reads.
macro_rules! node_where {
    ($rest:literal) => {
        concat!(
            "SELECT id, person, uid, ref, seat, seated, first_uid, created_at FROM change WHERE profile = ?1 AND ",
            $rest
        )
    };
}

statements! {
    THIS = node_where!("key = ?2");
    OF_PERSON = node_where!("person = ?2 ORDER BY created_at DESC, n DESC LIMIT 1000");
    BY_UID = node_where!("uid = ?2");
    BY_REF = node_where!("ref = ?2");
    BY_SEAT = node_where!("seat = ?2");
    BY_FIRST_UID = node_where!("first_uid = ?2");
}

pub fn related(
    db: &Connection,
    vault: &Vault,
    profile: &str,
    change: &Stored,
) -> Result<Vec<Stored>> {
    let this = nodes(db, THIS, profile, &change.key)?;
    let person = nodes(db, OF_PERSON, profile, &change.person)?;
    followed(db, vault, profile, Found::from(change, this, person))
}

pub fn of_person(
    db: &Connection,
    vault: &Vault,
    profile: &str,
    person: &str,
) -> Result<Vec<Stored>> {
    let person = nodes(db, OF_PERSON, profile, person)?;
    followed(db, vault, profile, Found::of_person(person))
}

/// To the ends of all chains.
fn followed(
    db: &Connection,
    vault: &Vault,
    profile: &str,
    mut found: Found,
) -> Result<Vec<Stored>> {
    while let Some(of) = found.next() {
        for question in of.questions() {
            let sql = match question.by {
                By::Uid => BY_UID,
                By::Reference => BY_REF,
                By::Seat => BY_SEAT,
                By::FirstUid => BY_FIRST_UID,
            };
            let mut near = nodes(db, sql, profile, &question.value)?;
            near.retain(|node| question.is_answered_by(&of, node));
            found.extend(near);
        }
    }
    found.ids().map(|id| work::stored(db, vault, id)).collect()
}

fn nodes(db: &Connection, sql: &'static str, profile: &str, value: &str) -> Result<Vec<Node>> {
    all(&mut db.prepare_cached(sql)?, params![profile, value], node)
}

fn node(row: &Row) -> Result<Node> {
    Ok(Node {
        id: row.get(0)?,
        person: row.get(1)?,
        uid: row.get(2)?,
        reference: row.get(3)?,
        seat: row.get(4)?,
        seated: row.get(5)?,
        first_uid: row.get(6)?,
        created_at: row.get(7)?,
    })
}
