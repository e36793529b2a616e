//! Which changes a decision depends on. Chains are followed seat by seat: under one uid the seats of others
//! are other meetings.

use std::collections::{HashSet, VecDeque};

use rusqlite::{Connection, Row, params};

use super::cells::{all, statements};
use super::vault::Vault;
use super::{inbox, work};
use crate::Result;
use crate::rows::Stored;

const ROWS_MAX: usize = 1_000;

statements! {
    THIS = "SELECT * FROM change WHERE profile = ?1 AND key = ?2";
    OF_PERSON = "SELECT * FROM change WHERE profile = ?1 AND person = ?2 ORDER BY created_at DESC, id DESC LIMIT 1000";
    BY_UID = "SELECT * FROM change WHERE uid = ?2 AND profile = ?1";
    BY_REF = "SELECT * FROM change WHERE ref = ?2 AND profile = ?1";
    BY_SEAT = "SELECT * FROM change WHERE seat = ?2 AND profile = ?1";
    BY_FIRST_UID = "SELECT * FROM change WHERE first_uid = ?2 AND profile = ?1";
}

#[derive(Clone)]
struct Node {
    id: String,
    person: String,
    uid: String,
    reference: Option<String>,
    seat: Option<String>,
    seated: bool,
    first_uid: Option<String>,
    created_at: i64,
}

impl Node {
    fn of(stored: &Stored) -> Self {
        let change = &stored.change;
        Self {
            id: String::new(),
            person: stored.person.clone(),
            uid: change.booking.uid.clone(),
            reference: inbox::reference(change).map(str::to_owned),
            seat: change.seat.clone(),
            seated: change.seated,
            first_uid: inbox::first_uid(change).map(str::to_owned),
            created_at: 0,
        }
    }
}

pub fn related(
    db: &Connection,
    vault: &Vault,
    profile: &str,
    change: &Stored,
) -> Result<Vec<Stored>> {
    let person = nodes(db, OF_PERSON, profile, &change.person)?;
    let mut found = Found::default();
    let this = nodes(db, THIS, profile, &change.key)?;
    if this.is_empty() {
        // Not stored (a preview): what it would be related to.
        found.extend_from(db, profile, &Node::of(change))?;
    }
    found.extend(this);
    found.extend(person);
    while let Some(at) = found.queue.pop_front() {
        found.extend_from_neighbours(db, profile, at)?;
    }
    found
        .nodes
        .sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
    found
        .nodes
        .iter()
        .map(|node| work::stored(db, vault, &node.id))
        .collect()
}

#[derive(Default)]
struct Found {
    nodes: Vec<Node>,
    ids: HashSet<String>,
    /// Indices of nodes whose neighbours were not looked for yet.
    queue: VecDeque<usize>,
}

impl Found {
    fn extend(&mut self, nodes: impl IntoIterator<Item = Node>) {
        for node in nodes {
            if self.nodes.len() < ROWS_MAX && self.ids.insert(node.id.clone()) {
                self.queue.push_back(self.nodes.len());
                self.nodes.push(node);
            }
        }
    }

    fn extend_from_neighbours(&mut self, db: &Connection, profile: &str, at: usize) -> Result<()> {
        let of = self.nodes[at].clone();
        self.extend_from(db, profile, &of)
    }

    fn extend_from(&mut self, db: &Connection, profile: &str, of: &Node) -> Result<()> {
        let look = |sql: &'static str, value: &str| nodes(db, sql, profile, value);
        let same_person = |b: &Node| b.person == of.person;
        let mut near = look(BY_UID, &of.uid)?;
        near.retain(|b| {
            (!of.seated && !b.seated) || same_person(b) || (of.seat.is_some() && of.seat == b.seat)
        });
        // A uid that has seats means, as a predecessor, the follower's own seat.
        near.extend(
            look(BY_REF, &of.uid)?
                .into_iter()
                .filter(|b| !of.seated || same_person(b)),
        );
        if let Some(before) = &of.reference {
            near.extend(
                look(BY_UID, before)?
                    .into_iter()
                    .filter(|b| !b.seated || same_person(b)),
            );
            near.extend(look(BY_SEAT, before)?);
            let beside = look(BY_REF, before)?;
            near.extend(
                beside
                    .into_iter()
                    .filter(|b| (!of.seated && !b.seated) || same_person(b)),
            );
        }
        if let Some(seat) = &of.seat {
            near.extend(look(BY_SEAT, seat)?);
            near.extend(look(BY_REF, seat)?);
        }
        if !of.seated {
            // Rows with a first uid are never of a seat.
            near.extend(look(BY_FIRST_UID, &of.uid)?);
            if let Some(first) = &of.first_uid {
                near.extend(look(BY_UID, first)?.into_iter().filter(|b| !b.seated));
                near.extend(look(BY_FIRST_UID, first)?);
            }
        }
        self.extend(near);
        Ok(())
    }
}

fn nodes(db: &Connection, sql: &'static str, profile: &str, value: &str) -> Result<Vec<Node>> {
    all(&mut db.prepare_cached(sql)?, params![profile, value], node)
}

fn node(row: &Row) -> Result<Node> {
    Ok(Node {
        id: row.get("id")?,
        person: row.get("person")?,
        uid: row.get("uid")?,
        reference: row.get("ref")?,
        seat: row.get("seat")?,
        seated: row.get("seated")?,
        first_uid: row.get("first_uid")?,
        created_at: row.get("created_at")?,
    })
}
