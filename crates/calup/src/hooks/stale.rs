//! Which leads are to be read anew, in memory only: what is lost with the process, or was too much, the next look at the
//! lists finds.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use vendors::clickup::event::What;

/// One change is told by several events.
const SETTLES_IN: Duration = Duration::from_millis(200);
/// Who types a description changes it every few seconds.
const AGAIN_AFTER: Duration = Duration::from_secs(5);
const WAITING_MAX: usize = 1_000;
/// From here on a listing costs less.
const MANY: usize = 25;

#[derive(Default)]
pub struct Stale {
    state: Mutex<State>,
    come: Notify,
}

#[derive(Default)]
struct State {
    waiting: HashMap<String, Waiting>,
    /// Lately.
    read_at: HashMap<String, Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    due: Instant,
    what: What,
    pub tries: u32,
}

impl Stale {
    pub fn add(&self, lead: String, what: What, now: Instant) {
        let mut state = self.state();
        if let Some(waiting) = state.waiting.get_mut(&lead) {
            if what == What::Left {
                waiting.what = what;
            }
            return;
        }
        if state.waiting.len() >= WAITING_MAX {
            return;
        }
        let soonest = now + SETTLES_IN;
        let read_at = state.read_at.get(&lead);
        let due = read_at.map_or(soonest, |at| soonest.max(*at + AGAIN_AFTER));
        let waiting = Waiting {
            due,
            what,
            tries: 0,
        };
        state.waiting.insert(lead, waiting);
        self.come.notify_one();
    }

    /// When the next is due.
    pub fn due(&self) -> Option<Instant> {
        self.state().waiting.values().map(|it| it.due).min()
    }

    /// Something was added.
    pub async fn come(&self) {
        self.come.notified().await;
    }

    /// The longest due, once it is.
    pub fn take(&self, now: Instant) -> Option<(String, Waiting)> {
        let mut state = self.state();
        let due = state.waiting.iter().filter(|(_, it)| it.due <= now);
        let (lead, waiting) = due
            .min_by_key(|(_, it)| it.due)
            .map(|(lead, it)| (lead.clone(), *it))?;
        state.waiting.remove(&lead);
        state
            .read_at
            .retain(|_, at| now.duration_since(*at) < AGAIN_AFTER);
        state.read_at.insert(lead.clone(), now);
        Some((lead, waiting))
    }

    /// It could not be read. What has come about it meanwhile is the same.
    pub fn put_back(&self, lead: String, mut waiting: Waiting, due: Instant) {
        waiting.due = due;
        waiting.tries += 1;
        let mut state = self.state();
        if state
            .waiting
            .get(&lead)
            .is_some_and(|it| it.what == What::Left)
        {
            waiting.what = What::Left;
        }
        state.waiting.insert(lead, waiting);
    }

    /// Whether there were too many to read one by one: those that a listing shows are let go.
    pub fn shed(&self) -> bool {
        let mut state = self.state();
        let changed = state.waiting.values();
        if changed.filter(|it| it.what == What::Changed).count() <= MANY {
            return false;
        }
        state.waiting.retain(|_, it| it.what == What::Left);
        true
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder panics")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(stale: &Stale, now: Instant) -> Option<String> {
        stale.take(now).map(|(lead, _)| lead)
    }

    #[test]
    fn a_burst_about_a_lead_is_one_reading_and_the_next_waits() {
        let (stale, begun) = (Stale::default(), Instant::now());
        for _ in 0..3 {
            stale.add("a".into(), What::Changed, begun);
        }
        assert_eq!(taken(&stale, begun), None);
        let later = begun + SETTLES_IN;
        assert_eq!(taken(&stale, later), Some("a".into()));
        assert_eq!(taken(&stale, later), None);
        stale.add("a".into(), What::Changed, later);
        stale.add("b".into(), What::Changed, later);
        assert_eq!(stale.due(), Some(later + SETTLES_IN));
        assert_eq!(taken(&stale, later + SETTLES_IN), Some("b".into()));
        assert_eq!(stale.due(), Some(later + AGAIN_AFTER));
    }

    #[test]
    fn a_flood_is_bounded_and_what_a_listing_shows_is_let_go() {
        let (stale, now) = (Stale::default(), Instant::now());
        for n in 0..2 * WAITING_MAX {
            let what = if n < 3 { What::Left } else { What::Changed };
            stale.add(n.to_string(), what, now);
        }
        assert_eq!(stale.state().waiting.len(), WAITING_MAX);
        assert!(stale.shed());
        assert_eq!(stale.state().waiting.len(), 3);
        assert!(!stale.shed());
    }

    #[test]
    fn what_is_put_back_is_due_again_and_counts_its_tries() {
        let (stale, now) = (Stale::default(), Instant::now());
        stale.add("a".into(), What::Changed, now);
        let (lead, waiting) = stale.take(now + SETTLES_IN).expect("due");
        stale.put_back(lead, waiting, now + AGAIN_AFTER);
        let (_, again) = stale.take(now + AGAIN_AFTER).expect("due");
        assert_eq!(again.tries, 1);
    }
}
