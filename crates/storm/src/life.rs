//! One life of the process: everything that it does passes [`Life::step`], where it may die. A dead process does
//! nothing any more: whoever asks on its behalf waits for ever. One that is stopped (SIGSTOP, a machine that is moved)
//! does nothing until it goes on, and then does not know that time has passed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

use crate::dice;
use crate::time;
use crate::world::World;

/// Steps where dying is worst weigh so much more.
const BAD: f64 = 8.0;

pub struct Life {
    pub number: u32,
    pub world: Arc<World>,
    is_dead: AtomicBool,
    is_stopped: AtomicBool,
    /// It died, or goes on. Whoever waited first wakes first, which a watched value does not promise.
    turned: Notify,
    is_superseded: AtomicBool,
}

impl Life {
    pub fn new(number: u32, world: Arc<World>) -> Arc<Self> {
        Arc::new(Self {
            number,
            world,
            is_dead: AtomicBool::new(false),
            is_stopped: AtomicBool::new(false),
            turned: Notify::new(),
            is_superseded: AtomicBool::new(false),
        })
    }

    pub fn is_dead(&self) -> bool {
        self.is_dead.load(Ordering::Relaxed)
    }

    /// The power goes, the kernel kills it: between one step and the next.
    pub fn end(&self, at: &str) {
        if !self.is_dead.swap(true, Ordering::Relaxed) {
            self.world
                .tell(format_args!("life {} ends at {at}", self.number));
            self.turned.notify_waiters();
            self.world.news.notify_one();
        }
    }

    pub async fn died(&self) {
        self.until(|| self.is_dead()).await;
    }

    async fn until(&self, is_so: impl Fn() -> bool) {
        loop {
            let turned = self.turned.notified();
            if is_so() {
                return;
            }
            turned.await;
        }
    }

    pub fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::Relaxed)
    }

    pub fn go_on(&self) {
        self.world
            .tell(format_args!("life {} goes on", self.number));
        self.is_stopped.store(false, Ordering::Relaxed);
        self.turned.notify_waiters();
    }

    /// Another one works on its database from here on.
    pub fn supersede(&self) {
        self.is_superseded.store(true, Ordering::Relaxed);
    }

    pub fn is_superseded(&self) -> bool {
        self.is_superseded.load(Ordering::Relaxed)
    }

    pub async fn step(&self, at: &str) {
        self.step_weighing(at, 1.0).await;
        self.live().await;
    }

    /// Where dying is worst.
    pub async fn bad_step(&self, at: &str) {
        self.step_weighing(at, BAD).await;
        self.live().await;
    }

    /// Between the last look whether it may write and the write: `true` when it was stopped right there.
    pub async fn at_the_wire(&self, at: &str) -> bool {
        self.step_weighing(at, BAD).await;
        if self.is_stopped() {
            return true;
        }
        self.live().await;
        false
    }

    async fn step_weighing(&self, at: &str, weight: f64) {
        self.live().await;
        let (crash, stop, pause) = {
            let mut weather = self.world.weather();
            let crash = weather.crashes_left > 0 && dice::chance(weather.crash * weight);
            weather.crashes_left -= u32::from(crash);
            let stop = weather.stops_left > 0 && dice::chance(weather.stop * weight);
            weather.stops_left -= u32::from(stop);
            (crash, stop, dice::chance(weather.pause))
        };
        self.world.counts().steps += 1;
        if crash {
            self.world.fault("crash");
            self.end(at);
        } else if stop {
            self.world.fault("process stopped");
            self.world
                .tell(format_args!("life {} is stopped at {at}", self.number));
            self.world.seen().stopped.insert(self.number);
            self.is_stopped.store(true, Ordering::Relaxed);
            self.world.news.notify_one();
        } else if pause {
            if dice::chance(0.3) {
                time::sleep_ms(dice::between(1, 30)).await;
            } else {
                tokio::task::yield_now().await;
            }
        }
    }

    /// Not while it is stopped, and never when it is dead.
    pub async fn live(&self) {
        self.until(|| !self.is_stopped()).await;
        if self.is_dead() {
            std::future::pending::<()>().await;
        }
    }
}
