//! A few connections that read, each in a snapshot of its own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use rusqlite::Connection;

use crate::Result;

pub struct Readers {
    all: Vec<Mutex<Connection>>,
    turn: AtomicUsize,
}

impl Readers {
    pub fn new(connections: Vec<Connection>) -> Self {
        Self {
            all: connections.into_iter().map(Mutex::new).collect(),
            turn: AtomicUsize::new(0),
        }
    }

    /// Blocks.
    pub fn look<T>(&self, look: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        snapshot(&self.free(), look)
    }

    fn free(&self) -> MutexGuard<'_, Connection> {
        let idle = self.all.iter().find_map(|db| match db.try_lock() {
            Ok(db) => Some(db),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        });
        idle.unwrap_or_else(|| {
            let turn = self.turn.fetch_add(1, Ordering::Relaxed) % self.all.len();
            self.all[turn]
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        })
    }
}

/// All statements of `look` see the same state.
pub fn snapshot<T>(db: &Connection, look: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
    if !db.is_autocommit() {
        // The last one to look panicked.
        db.execute_batch("ROLLBACK")?;
    }
    db.prepare_cached("BEGIN")?.execute([])?;
    let found = look(db);
    db.prepare_cached("COMMIT")?.execute([])?;
    found
}
