//! A process that is stopped for a while: it goes on as if nothing had been, or finds that another one has taken over its
//! database meanwhile (which takes a lock that somebody removed, and is what a lease that ran out comes to).

use std::path::Path;

use crate::storm::Running;
use crate::world::World;
use crate::{dice, set, time};

/// After going on it must have noticed within this that it is not its turn any more, once nothing else is wrong.
const NOTICED_WITHIN_MS: u64 = 120_000;

/// One that was stopped while another took over.
pub struct Zombie {
    running: Running,
    goes_on_ms: u64,
    went_on_ms: Option<u64>,
}

/// Longer than a call's patience, shorter, and much longer.
pub fn for_ms() -> u64 {
    dice::one(&[1_000, 6_000, 15_000, 40_000])
}

pub fn is_taken_over() -> bool {
    dice::chance(0.5)
}

impl Zombie {
    pub fn of(running: Running, world: &World, database: &Path) -> Self {
        world.fault("two at once");
        running.life.supersede();
        world.seen().superseded.insert(running.life.number, 0);
        // Else the next one would be kept out.
        let _ = std::fs::remove_file(set::beside(database, ".lock"));
        Self {
            running,
            goes_on_ms: time::elapsed_ms() + for_ms(),
            went_on_ms: None,
        }
    }

    /// `false` once it has ended.
    pub fn stands(&mut self, world: &World, is_calm: bool) -> bool {
        let life = &self.running.life;
        let now = time::elapsed_ms();
        // Until another one was granted the lease, it is still its turn.
        let is_over = world.seen().leased_by > life.number;
        if life.is_stopped() && is_over && now >= self.goes_on_ms {
            life.go_on();
            self.went_on_ms = Some(now);
        }
        if life.is_dead() {
            self.bury();
            return false;
        }
        // Nobody looks while the ones after it die one after the other.
        let is_noticed = |at: u64| now > at + NOTICED_WITHIN_MS;
        if is_calm && !life.is_stopped() && self.went_on_ms.is_some_and(is_noticed) {
            let what = format!("life {} works on beside another one", life.number);
            world.violated("I9", what);
        }
        true
    }

    pub fn bury(&self) {
        self.running.life.end("its burial");
        self.running.worker.abort();
        self.running.store.close();
    }
}
