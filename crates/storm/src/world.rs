//! What everything in one storm shares: the pretended ClickUp, the weather, the trace, what was seen, and the first
//! thing that should not have happened.

use std::collections::BTreeMap;
use std::fmt::Arguments;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sim::clickup::ClickUp;
use tokio::sync::Notify;

use crate::planted::Bug;
use crate::seen::Seen;
use crate::time;
use crate::trace::Trace;
use crate::weather::Weather;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// As protocol.md names it.
    pub invariant: &'static str,
    pub what: String,
}

pub struct World {
    pub clickup: ClickUp,
    pub bug: Option<Bug>,
    /// The process died, or something should not have happened.
    pub news: Notify,
    weather: Mutex<Weather>,
    trace: Mutex<Trace>,
    seen: Mutex<Seen>,
    counts: Mutex<Counts>,
    violation: Mutex<Option<Violation>>,
}

#[derive(Debug, Clone, Default)]
pub struct Counts {
    pub steps: u64,
    pub calls: u64,
    pub faults: BTreeMap<&'static str, u64>,
}

impl Counts {
    pub fn add(&mut self, other: &Self) {
        self.steps += other.steps;
        self.calls += other.calls;
        for (name, times) in &other.faults {
            *self.faults.entry(name).or_default() += times;
        }
    }
}

impl World {
    pub fn new(
        clickup: ClickUp,
        weather: Weather,
        seen: Seen,
        trace: Trace,
        bug: Option<Bug>,
    ) -> Self {
        Self {
            clickup,
            bug,
            news: Notify::new(),
            weather: Mutex::new(weather),
            trace: Mutex::new(trace),
            seen: Mutex::new(seen),
            counts: Mutex::default(),
            violation: Mutex::default(),
        }
    }

    pub fn has(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    pub fn weather(&self) -> MutexGuard<'_, Weather> {
        lock(&self.weather)
    }

    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        lock(&self.seen)
    }

    pub fn counts(&self) -> MutexGuard<'_, Counts> {
        lock(&self.counts)
    }

    pub fn trace(&self) -> MutexGuard<'_, Trace> {
        lock(&self.trace)
    }

    pub fn tell(&self, what: Arguments) {
        self.trace().tell(time::elapsed_ms(), what);
    }

    pub fn fault(&self, name: &'static str) {
        *self.counts().faults.entry(name).or_default() += 1;
    }

    /// Nothing goes wrong but what is left by whoever asks for it: only then can it be told who waits for what.
    pub fn clear_weather(&self) {
        self.weather().clear();
        let minute = std::time::Duration::from_secs(60);
        self.clickup.set_limit(1_000, minute);
    }

    /// Only the first counts: what follows may follow from it.
    pub fn violated(&self, invariant: &'static str, what: String) {
        let mut violation = lock(&self.violation);
        if violation.is_none() {
            self.tell(format_args!("VIOLATION {invariant}: {what}"));
            *violation = Some(Violation { invariant, what });
            self.news.notify_one();
        }
    }

    pub fn violation(&self) -> Option<Violation> {
        lock(&self.violation).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
