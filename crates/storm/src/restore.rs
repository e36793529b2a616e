//! The database is put back to an earlier copy of itself (P11, I20), without the file beside it; then whatever was
//! delivered since the copy is delivered again.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::effect::State;
use rusqlite::Connection;
use sim::clickup::TaskView;
use tokio::task::JoinHandle;

use crate::marks::marked;
use crate::sender::{self, Address};
use crate::story::{Kind, Sending};
use crate::world::World;
use crate::{dice, seen, set, time};

/// After it was put back, everything comes again within this.
const AGAIN_WITHIN_MS: u64 = 30_000;

/// When it is copied, and when put back.
pub struct Restore {
    copy_at_ms: u64,
    back_at_ms: u64,
    copy: Option<Copy>,
    /// Everything that Cal.com ever sends.
    sendings: Vec<Sending>,
}

struct Copy {
    file: PathBuf,
    /// What tells it from what came later.
    generation: String,
    at_ms: u64,
    seen: seen::OfDatabase,
}

impl Restore {
    pub fn drawn(before_ms: u64, sendings: &[Sending]) -> Option<Self> {
        if !dice::chance(0.15) {
            return None;
        }
        let back_at_ms = dice::between(20_000, before_ms);
        Some(Self {
            copy_at_ms: dice::between(100, back_at_ms),
            back_at_ms,
            copy: None,
            sendings: sendings.to_vec(),
        })
    }

    /// A backup of a running program's database: one moment of it.
    pub fn copy(&mut self, world: &World, database: &Path) {
        if self.copy.is_some() || time::elapsed_ms() < self.copy_at_ms {
            return;
        }
        let file = set::beside(database, ".copy");
        // Of an earlier storm.
        let _ = std::fs::remove_file(&file);
        let db = Connection::open(database).expect("the database opens");
        db.execute("VACUUM INTO ?1", [file.display().to_string()])
            .expect("a copy of the database");
        let seen = world.seen().of_database.clone();
        world.tell(format_args!("the database is copied"));
        let sql = "SELECT value FROM meta WHERE key = 'generation'";
        let generation = db.query_row(sql, [], |row| row.get(0));
        self.copy = Some(Copy {
            file,
            generation: generation.unwrap_or_default(),
            at_ms: time::elapsed_ms(),
            seen,
        });
    }

    /// Not before the generation was renewed, which takes a minute at most: a younger copy is taken for the last.
    pub fn is_due(&self, database: &Path) -> bool {
        let Some(copy) = &self.copy else {
            return false;
        };
        let beside = std::fs::read_to_string(set::beside(database, ".generation"));
        let is_told = beside.is_ok_and(|text| !text.lines().any(|l| l == copy.generation));
        is_told && time::elapsed_ms() >= self.back_at_ms
    }

    /// Of a dead process; gives what is delivered again.
    pub fn put_back(
        self,
        world: &Arc<World>,
        address: &Arc<Address>,
        database: &Path,
    ) -> Vec<JoinHandle<()>> {
        let Some(copy) = self.copy else {
            return Vec::new();
        };
        for suffix in ["-wal", "-shm"] {
            // It may not be there.
            let _ = std::fs::remove_file(set::beside(database, suffix));
        }
        std::fs::rename(&copy.file, database).expect("the copy is there");
        world.fault("database put back");
        world.tell(format_args!("the database is put back"));
        let mut copied = copy.seen;
        for effect in copied.effects.values_mut() {
            if effect.state == State::Attempting {
                effect.state = State::Unknown;
            }
        }
        let lost = {
            let mut seen = world.seen();
            let lost = std::mem::replace(&mut seen.of_database, copied);
            seen.restored_at_ms = Some(time::elapsed_ms());
            if let Some(fatal) = &mut seen.fatal {
                fatal.forget();
            }
            // What people deleted, and which meetings ended, it knows only as far as it is told again.
            seen.deleted.clear();
            // And it does not look for what was told before, to say that something else is late (I20 does not name I6).
            seen.told.clear();
            let known: Vec<_> = seen.of_database.stored.keys().copied().collect();
            let known = known.into_iter().map(|e| &seen.events[e]);
            let ended = known.filter(|e| e.kind == Kind::Cancelled);
            let ended: BTreeSet<_> = ended.map(|e| (e.person, e.uid.clone())).collect();
            seen.cancelled.retain(|it| ended.contains(it));
            lost
        };
        doubt_what_is_not_listed(world);
        forget_who_has_no_address(world, copy.at_ms);
        let kept = world.seen().of_database.acked.clone();
        self.sendings
            .into_iter()
            .filter(|s| {
                let sha256 = s.delivery.sha256();
                lost.acked.contains_key(&sha256) && !kept.contains_key(&sha256)
            })
            .map(|s| {
                let at_ms = time::elapsed_ms() + dice::between(0, AGAIN_WITHIN_MS);
                let (world, address) = (world.clone(), address.clone());
                tokio::spawn(sender::deliver(world, address, s.event, at_ms, s.delivery))
            })
            .collect()
    }
}

/// Without an e-mail, nothing but the lost link tells whose a lead is: another meeting of theirs makes another one.
fn forget_who_has_no_address(world: &World, copied_at_ms: u64) {
    let since = time::vendor_ms() - (time::elapsed_ms() - copied_at_ms) as i64;
    let lag_ms = world.weather().index_lag_ms as i64;
    let us = world.clickup.user_id();
    let tasks = world.clickup.live_tasks();
    let mut seen = world.seen();
    for task in tasks.iter().filter(|task| task.creator_id == us) {
        let is_unlisted = task.date_created >= time::vendor_ms() - lag_ms;
        if task.date_created >= since {
            seen.made_since_copy.insert(task.id.clone());
        }
        if task.email.is_none() && task.date_created >= since {
            seen.forgotten.insert(task.id.clone());
        }
        if let Some(person) = seen.owners.get(&task.id).copied()
            && (is_unlisted || task.email.is_none() && task.date_created >= since)
        {
            seen.removed.insert(person);
        }
    }
}

/// The same of a lead that was on its way then.
pub fn made_before(world: &World, lead: &TaskView, person: usize, left_at_ms: u64) {
    let mut seen = world.seen();
    if !seen.is_forgotten(left_at_ms) {
        return;
    }
    seen.removed.insert(person);
    seen.made_since_copy.insert(lead.id.clone());
    if lead.email.is_none() {
        seen.forgotten.insert(lead.id.clone());
    }
}

/// A lead that is not listed yet is not found by the guard's one look: it may be made again, and taken back.
fn doubt_what_is_not_listed(world: &World) {
    let lag_ms = world.weather().index_lag_ms;
    let since = time::vendor_ms() - lag_ms as i64;
    let us = world.clickup.user_id();
    let tasks = world.clickup.live_tasks();
    let young = tasks
        .iter()
        .filter(|task| task.creator_id == us && task.date_created >= since);
    let marks = young.flat_map(|task| marked(&task.markdown));
    let mut seen = world.seen();
    seen.came_too_late.extend(marks.map(|(_, mark)| mark));
    seen.too_late_ms = seen.too_late_ms.max(time::elapsed_ms() + lag_ms);
}
