//! One life of the process: everything that it does passes [`Life::step`], where it may die. A dead process does
//! nothing any more: whoever asks on its behalf waits for ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

use crate::dice;
use crate::time;
use crate::world::World;

pub struct Life {
    pub number: u32,
    pub world: Arc<World>,
    is_dead: AtomicBool,
    death: watch::Sender<bool>,
}

impl Life {
    pub fn new(number: u32, world: Arc<World>) -> Arc<Self> {
        Arc::new(Self {
            number,
            world,
            is_dead: AtomicBool::new(false),
            death: watch::Sender::new(false),
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
            self.death.send_replace(true);
            self.world.news.notify_one();
        }
    }

    pub async fn died(&self) {
        let mut death = self.death.subscribe();
        // The sender lives as long as this.
        let _ = death.wait_for(|is_dead| *is_dead).await;
    }

    pub async fn step(&self, at: &str) {
        self.step_weighing(at, 1.0).await;
    }

    /// Where dying is worst.
    pub async fn bad_step(&self, at: &str) {
        self.step_weighing(at, 8.0).await;
    }

    async fn step_weighing(&self, at: &str, weight: f64) {
        self.live().await;
        let (crash, pause) = {
            let mut weather = self.world.weather();
            let crash = weather.crashes_left > 0 && dice::chance(weather.crash * weight);
            weather.crashes_left -= u32::from(crash);
            (crash, dice::chance(weather.pause))
        };
        self.world.counts().steps += 1;
        if crash {
            self.world.fault("crash");
            self.end(at);
        } else if pause {
            if dice::chance(0.3) {
                time::sleep_ms(dice::between(1, 30)).await;
            } else {
                tokio::task::yield_now().await;
            }
        }
        self.live().await;
    }

    async fn live(&self) {
        if self.is_dead() {
            std::future::pending::<()>().await;
        }
    }
}
