//! What waits to be written, and which of it shares a commit. Deliveries go first: a sender waits for each. While
//! senders are about, the rest goes along with them, within a small share of the time; when nobody is, it has all of it,
//! and what the lanes write needs no thread to be woken: whichever of them comes last commits for all.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::writer::Job;

/// A lane's verb waits so long for those of the other lanes at work to share a commit with: the vendor's answer that
/// the lane waited for took far longer.
pub const COMPANY_WAIT: Duration = Duration::from_millis(4);
/// Verbs of one commit.
const BATCH_MAX: usize = 256;
/// So long a commit without deliveries in it goes on taking work.
const WORK_MAX: Duration = Duration::from_millis(10);
/// Senders are taken to be about for so long after the last delivery.
const ABOUT: Duration = Duration::from_millis(30);
/// The share of the time that is work's while senders are about, and how much of it can be saved up or owed.
const WORK_SHARE: f64 = 0.03;
const CREDIT_SECONDS_MAX: f64 = 0.003;
/// A commit waits for senders who are likely to come, so long at most, and no longer than this after the last one.
const CROWD_WAIT_MAX: Duration = Duration::from_millis(3);
const CROWD_PAUSE: Duration = Duration::from_micros(200);
/// No more of them are waited for: while a commit is made, the others come.
const CROWD_MAX: usize = 32;
/// As long as there are fewer than so many, the machine may just be busy with those who come.
const FEW: usize = 8;
const FEW_PAUSE: Duration = Duration::from_millis(2);
const FOR_EVER: Duration = Duration::from_secs(3_600);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rank {
    /// A sender waits for it.
    Intake,
    /// In the order in which it came, with `Lane`.
    Work,
    /// One of several lanes goes on after it.
    Lane,
}

#[derive(Default)]
pub struct Queue {
    state: Mutex<State>,
    come: Condvar,
}

#[derive(Default)]
struct State {
    intake: VecDeque<Box<dyn Job>>,
    work: VecDeque<Box<dyn Job>>,
    /// When the first of `work` has waited long enough for company.
    work_due: Option<Instant>,
    last_intake: Option<Instant>,
    /// How many lanes may have something to write.
    lanes: usize,
    /// The writing thread waits, and can be woken.
    is_waited_for: bool,
    /// It is to look again what it waits for.
    is_called: bool,
    /// It waits for so many deliveries; it is not woken for fewer.
    wanted: usize,
    is_closed: bool,
}

pub enum Waited {
    Come,
    Idle,
    Closed,
}

impl Queue {
    /// `false` when nobody works here any more.
    pub fn add(&self, rank: Rank, job: Box<dyn Job>) -> bool {
        let mut state = self.state();
        if state.is_closed {
            return false;
        }
        let is_awaited = match rank {
            Rank::Intake => {
                state.intake.push_back(job);
                state.last_intake = Some(Instant::now());
                state.intake.len() >= state.wanted
            }
            Rank::Work | Rank::Lane => {
                let patience = if rank == Rank::Lane {
                    COMPANY_WAIT
                } else {
                    Duration::ZERO
                };
                let due = Instant::now() + patience;
                let is_earlier = state.work_due.is_none_or(|known| due < known);
                if is_earlier {
                    state.work_due = Some(due);
                }
                state.work.push_back(job);
                let is_next = is_earlier || state.work.len() >= state.lanes;
                // A lane sees to it itself, unless it has to go along with deliveries.
                state.wanted == 0 && (rank == Rank::Work || is_next && state.are_senders_about())
            }
        };
        self.wake_if(is_awaited, state);
        true
    }

    /// The writing thread looks again what there is to do.
    pub fn call(&self) {
        let mut state = self.state();
        state.is_called = true;
        self.wake_if(true, state);
    }

    /// Waking it costs a call of the system, whether it sleeps or not.
    fn wake_if(&self, is_awaited: bool, mut state: MutexGuard<'_, State>) {
        let is_woken = is_awaited && std::mem::take(&mut state.is_waited_for);
        drop(state);
        if is_woken {
            self.come.notify_one();
        }
    }

    pub fn are_senders_about(&self) -> bool {
        self.state().are_senders_about()
    }

    pub fn is_any_work(&self) -> bool {
        !self.state().work.is_empty()
    }

    /// Whether all lanes at work have handed something over.
    pub fn is_company_complete(&self) -> bool {
        let state = self.state();
        state.work.len() >= state.lanes
    }

    /// So many lanes are at work; what one of them hands over waits a little for the others'.
    pub fn expect(&self, lanes: usize) {
        self.state().lanes = lanes;
    }

    /// What was handed over before is still written.
    pub fn close(&self) {
        self.state().is_closed = true;
        self.come.notify_one();
    }

    /// Until there is something to commit, or nothing came for as long as `patience`, or it is called.
    pub fn wait(&self, pace: &mut Pace, patience: Option<Duration>) -> Waited {
        let idle_at = patience.map(|patience| Instant::now() + patience);
        let mut state = self.state();
        loop {
            let now = Instant::now();
            let work_at = pace.work_at(now).max(state.in_company_by(now));
            let is_works_turn = work_at <= now || state.is_closed;
            if !state.intake.is_empty() || !state.work.is_empty() && is_works_turn {
                return Waited::Come;
            }
            if state.is_closed {
                return Waited::Closed;
            }
            if std::mem::take(&mut state.is_called) {
                return Waited::Idle;
            }
            let until = if state.work.is_empty() {
                idle_at
            } else {
                Some(work_at)
            };
            state = match until {
                Some(until) if until <= now => return Waited::Idle,
                Some(until) => self.sleep(state, until - now),
                None => self.sleep(state, FOR_EVER),
            };
        }
    }

    /// Until it is woken, at most for so long.
    fn sleep<'a>(&self, mut state: MutexGuard<'a, State>, most: Duration) -> MutexGuard<'a, State> {
        state.is_waited_for = true;
        let woken = self.come.wait_timeout(state, most);
        let mut state = woken.unwrap_or_else(PoisonError::into_inner).0;
        state.is_waited_for = false;
        state
    }

    pub fn deliveries(&self) -> usize {
        self.state().intake.len()
    }

    pub fn take_all(&self) -> Vec<Box<dyn Job>> {
        let mut guard = self.state();
        let state = &mut *guard;
        state.work_due = None;
        state.intake.drain(..).chain(state.work.drain(..)).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn are_senders_about(&self) -> bool {
        self.last_intake.is_some_and(|at| at.elapsed() < ABOUT)
    }

    fn in_company_by(&self, now: Instant) -> Instant {
        let due = self.work_due.filter(|_| self.work.len() < self.lanes);
        due.unwrap_or(now)
    }

    fn next_work(&mut self) -> Option<Box<dyn Job>> {
        let job = self.work.pop_front()?;
        if self.work.is_empty() {
            self.work_due = None;
        }
        Some(job)
    }
}

/// However the writing thread ends, nobody is left waiting for it.
pub struct CloseAtEnd<'a>(pub &'a Queue);

impl Drop for CloseAtEnd<'_> {
    fn drop(&mut self) {
        self.0.close();
        drop(self.0.take_all());
    }
}

/// What the writing thread knows of its own last commits.
#[derive(Default)]
pub struct Pace {
    /// How many seem to be about: the senders of the last commit, who come back now that they were answered, and
    /// those who came while it was made. A lone one is never waited for.
    senders: usize,
    last_delivery: Option<Instant>,
    commit_took: Duration,
    /// Seconds that work may take; negative when it has taken too much.
    work_credit: f64,
    counted_at: Option<Instant>,
}

impl Pace {
    fn are_senders_about(&self, now: Instant) -> bool {
        self.last_delivery
            .is_some_and(|at| now.duration_since(at) < ABOUT)
    }

    fn earn(&mut self, now: Instant) {
        let since = self.counted_at.replace(now).unwrap_or(now);
        let earned = now.duration_since(since).as_secs_f64() * WORK_SHARE;
        self.work_credit = (self.work_credit + earned).min(CREDIT_SECONDS_MAX);
    }

    fn spend(&mut self, spent: Duration) {
        self.work_credit = (self.work_credit - spent.as_secs_f64()).max(-CREDIT_SECONDS_MAX);
    }

    /// When work may be committed without a delivery that it could go with.
    fn work_at(&mut self, now: Instant) -> Instant {
        self.earn(now);
        let last_delivery = self.last_delivery.filter(|_| self.are_senders_about(now));
        last_delivery.map_or(now, |at| at + ABOUT)
    }
}

/// Who makes a commit.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum By {
    Thread,
    /// It takes no deliveries: it may be kept waiting for the processor, which senders must not be.
    Lane,
}

/// What one commit takes.
pub struct Batch<'a> {
    by: By,
    pace: &'a mut Pace,
    began: Instant,
    /// The last time that deliveries came while others waited for them.
    last_came: Instant,
    work_began: Option<Instant>,
    jobs: usize,
    deliveries: usize,
}

impl<'a> Batch<'a> {
    pub fn begin(by: By, pace: &'a mut Pace) -> Self {
        let now = Instant::now();
        Self {
            by,
            pace,
            began: now,
            last_came: now,
            work_began: None,
            jobs: 0,
            deliveries: 0,
        }
    }

    pub fn next(&mut self, queue: &Queue) -> Option<Box<dyn Job>> {
        if let Some(began) = self.work_began.take()
            && self.deliveries > 0
        {
            // Once more for what it makes the commit write.
            self.pace.spend(2 * began.elapsed());
        }
        if self.jobs >= BATCH_MAX {
            return None;
        }
        let mut state = queue.state();
        loop {
            let now = Instant::now();
            if self.by == By::Lane && !state.intake.is_empty() {
                return None;
            }
            if let Some(job) = state.intake.pop_front() {
                self.deliveries += 1;
                self.jobs += 1;
                return Some(job);
            }
            if self.may_work(now)
                && let Some(job) = state.next_work()
            {
                self.work_began = Some(now);
                self.jobs += 1;
                return Some(job);
            }
            let wanted = self.still_wanted();
            let pause_ends = self.last_came + self.patience();
            let wait_until = pause_ends.min(self.began + CROWD_WAIT_MAX);
            if wanted == 0 || now >= wait_until || state.is_closed {
                return None;
            }
            state.wanted = wanted;
            state = queue.sleep(state, wait_until - now);
            state.wanted = 0;
            if !state.intake.is_empty() {
                self.last_came = Instant::now();
            }
        }
    }

    fn may_work(&self, now: Instant) -> bool {
        let took = now.duration_since(self.began);
        self.jobs == 0
            || took < WORK_MAX && !self.pace.are_senders_about(now) && self.deliveries == 0
            || took < WORK_MAX && self.pace.work_credit > 0.0
    }

    /// Waiting costs less than a second commit would; not all of the crowd, so that some come while it is made.
    fn still_wanted(&self) -> usize {
        if self.deliveries == 0 {
            return 0;
        }
        let most = self.pace.senders - self.pace.senders / 8;
        most.min(CROWD_MAX).saturating_sub(self.deliveries)
    }

    fn patience(&self) -> Duration {
        if self.deliveries < FEW {
            return FEW_PAUSE;
        }
        CROWD_PAUSE.max(self.pace.commit_took / 2)
    }

    pub fn committed(self, came_meanwhile: usize, took: Duration) {
        let now = Instant::now();
        if self.deliveries == 0 {
            // Senders who came meanwhile had to wait for all of it.
            self.pace.spend(now.duration_since(self.began));
        } else {
            self.pace.last_delivery = Some(now);
        }
        self.pace.senders = self.deliveries + came_meanwhile;
        self.pace.commit_took = took;
    }
}
