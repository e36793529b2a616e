//! Who writes: a thread and the lanes, or (for a simulation that must be the same each time) whoever calls.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use super::queue::Rank;
use super::writer::{Desk, HandedOver, Writer};
use crate::Result;

pub enum Hand {
    Thread(Writer),
    Inline(Inline),
}

/// Each verb is a transaction of its own, on the caller's thread. Power cuts are not survived.
pub struct Inline {
    db: Mutex<Connection>,
    commits: AtomicU64,
    is_failing: AtomicBool,
}

impl Inline {
    pub fn on(db: Connection) -> Result<Self> {
        db.execute_batch("PRAGMA synchronous = OFF")?;
        Ok(Self {
            db: Mutex::new(db),
            commits: AtomicU64::new(0),
            is_failing: AtomicBool::new(false),
        })
    }

    fn run<T>(&self, verb: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let db = self.db.lock().unwrap_or_else(PoisonError::into_inner);
        let done = transaction(&db, verb);
        self.is_failing.store(done.is_err(), Ordering::Relaxed);
        self.commits.fetch_add(1, Ordering::Relaxed);
        done
    }
}

fn transaction<T>(db: &Connection, verb: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
    db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let done = verb(db);
    let end = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
    db.prepare_cached(end)?.execute([])?;
    done
}

impl Hand {
    pub async fn write<T: Send + 'static>(
        &self,
        rank: Rank,
        verb: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        match self {
            Self::Thread(writer) => writer.write(rank, verb).await,
            Self::Inline(inline) => inline.run(verb),
        }
    }

    pub async fn hand_over<T: Send + 'static>(
        &self,
        rank: Rank,
        verb: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<HandedOver<T>> {
        match self {
            Self::Thread(writer) => writer.hand_over(rank, verb).await,
            Self::Inline(inline) => Ok(HandedOver::answered(inline.run(verb))),
        }
    }

    pub fn is_inline(&self) -> bool {
        matches!(self, Self::Inline(_))
    }

    /// The writing connection, when it can be looked into.
    pub fn at_rest(&self) -> Option<MutexGuard<'_, Desk>> {
        match self {
            Self::Thread(writer) => writer.at_rest(),
            Self::Inline(_) => None,
        }
    }

    /// So many lanes are at work.
    pub fn expect(&self, lanes: usize) {
        if let Self::Thread(writer) = self {
            writer.expect(lanes);
        }
    }

    pub fn commits(&self) -> u64 {
        match self {
            Self::Thread(writer) => writer.commits(),
            Self::Inline(inline) => inline.commits.load(Ordering::Relaxed),
        }
    }

    pub fn is_failing(&self) -> bool {
        match self {
            Self::Thread(writer) => writer.is_failing(),
            Self::Inline(inline) => inline.is_failing.load(Ordering::Relaxed),
        }
    }
}
