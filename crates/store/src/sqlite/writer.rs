//! The one connection that writes. Whoever has it takes a waiting verb, then whatever else waits, runs all of them in one
//! transaction (each such that one that fails spoils no other), commits once, and only then
//! answers. What the verbs do is not known here; who goes first, and how many share a commit, is up to queue.rs.
//!
//! A thread has it where senders wait; the worker's lanes commit by themselves, the last one for all.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::JoinHandle;
use std::time::Instant;

use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::checkpoint::{Log, is_sync_failure, stop};
use super::queue::{Batch, By, COMPANY_WAIT, CloseAtEnd, Pace, Queue, Rank, Waited};
use crate::{Error, Result};

/// Verbs handed over and not yet answered; more wait for room.
const WAITING_MAX: usize = 1024;

pub struct Writer {
    desk: Arc<Mutex<Desk>>,
    queue: Arc<Queue>,
    room: Arc<Semaphore>,
    tally: Arc<Tally>,
    thread: Option<JoinHandle<()>>,
}

/// Dropped in this order: the last connection to be closed tidies up.
pub struct Desk {
    log: Log,
    pub db: Connection,
}

/// How the commits went, of those that wrote something.
#[derive(Default)]
struct Tally {
    commits: AtomicU64,
    is_failing: AtomicBool,
}

impl Writer {
    /// `aside` is a second connection to the same database.
    pub fn start(db: Connection, aside: Connection) -> Result<Self> {
        let (queue, tally) = (Arc::new(Queue::default()), Arc::new(Tally::default()));
        let log = Log::kept_by(aside);
        let desk = Arc::new(Mutex::new(Desk { log, db }));
        let (jobs, counted, writing) = (queue.clone(), tally.clone(), desk.clone());
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || {
                let _closed = CloseAtEnd(&jobs);
                work(&writing, &jobs, &counted);
            })
            .map_err(|e| Error::Other(format!("could not start the writing thread: {e}")))?;
        let room = Arc::new(Semaphore::new(WAITING_MAX));
        Ok(Self {
            desk,
            queue,
            room,
            tally,
            thread: Some(thread),
        })
    }

    /// When nothing is written just now and no sender is likely to wait for whoever holds it.
    pub fn at_rest(&self) -> Option<MutexGuard<'_, Desk>> {
        if self.queue.are_senders_about() {
            return None;
        }
        match self.desk.try_lock() {
            Ok(desk) => Some(desk),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    pub fn commits(&self) -> u64 {
        self.tally.commits.load(Ordering::Relaxed)
    }

    pub fn expect(&self, lanes: usize) {
        self.queue.expect(lanes);
    }

    pub fn is_failing(&self) -> bool {
        self.tally.is_failing.load(Ordering::Relaxed)
    }

    /// Runs `verb` and returns once it is durable. Once there was room for it, it runs to its end even
    /// if nobody waits for the answer any more.
    pub async fn write<T: Send + 'static>(
        &self,
        rank: Rank,
        verb: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let handed_over = self.hand_over(rank, verb).await?;
        if rank == Rank::Lane {
            return self.in_company(handed_over).await;
        }
        handed_over.durable().await
    }

    /// Whoever completes the company, or has waited for it for long enough, commits for all of it.
    async fn in_company<T>(&self, handed_over: HandedOver<T>) -> Result<T> {
        let left = LeftToTheThread(&self.queue);
        // Those who are ready to write come along.
        tokio::task::yield_now().await;
        if self.queue.is_company_complete() {
            self.commit_here();
        }
        let mut answered = handed_over.0;
        let in_time = tokio::time::timeout(COMPANY_WAIT, &mut answered).await;
        if in_time.is_err() {
            self.commit_here();
        }
        let answer = match in_time {
            Ok(answer) => answer,
            Err(_) => answered.await,
        };
        std::mem::forget(left);
        answer.map_err(|_| stopped())?
    }

    /// On this thread, if nobody else is at it and no sender waits.
    fn commit_here(&self) {
        if !self.queue.is_any_work() {
            return;
        }
        let Some(mut desk) = self.at_rest() else {
            return self.queue.call();
        };
        desk.commit_together(By::Lane, &self.queue, &self.tally, &mut Pace::default());
        // The thread copies the log once nothing is written any more, and sees to what is left.
        if desk.log.is_begun() || self.queue.is_any_work() {
            self.queue.call();
        }
    }

    /// Waits for room only.
    pub async fn hand_over<T: Send + 'static>(
        &self,
        rank: Rank,
        verb: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<HandedOver<T>> {
        let room = self
            .room
            .clone()
            .acquire_owned()
            .await
            .map_err(|_| stopped())?;
        let (answer, answered) = oneshot::channel();
        let task = Task {
            verb: Some(verb),
            result: None,
            answer,
            is_whole: rank == Rank::Intake,
            _room: room,
        };
        if !self.queue.add(rank, Box::new(task)) {
            return Err(stopped());
        }
        Ok(HandedOver(answered))
    }
}

/// A verb that will be run.
pub struct HandedOver<T>(oneshot::Receiver<Result<T>>);

impl<T> HandedOver<T> {
    pub fn answered(result: Result<T>) -> Self {
        let (answer, answered) = oneshot::channel();
        // Its receiver is what is given back.
        let _ = answer.send(result);
        Self(answered)
    }

    pub async fn durable(self) -> Result<T> {
        self.0.await.map_err(|_| stopped())?
    }
}

/// Nobody waits any more who would have committed.
struct LeftToTheThread<'a>(&'a Queue);

impl Drop for LeftToTheThread<'_> {
    fn drop(&mut self) {
        self.0.call();
    }
}

fn stopped() -> Error {
    Error::Other("the writing thread has stopped; restart calup".into())
}

impl Drop for Writer {
    /// Waits for what was handed over: whoever opens the file next finds it written.
    fn drop(&mut self) {
        self.queue.close();
        if let Some(thread) = self.thread.take() {
            // It has logged its own panic; there is nobody left to tell.
            let _ = thread.join();
        }
    }
}

pub trait Job: Send {
    /// Leaves nothing behind when it fails.
    fn is_whole(&self) -> bool;
    /// Whether it went well.
    fn run(&mut self, db: &Connection) -> bool;
    /// `failed` is why the transaction did not last.
    fn answer(self: Box<Self>, failed: Option<&Error>);
}

struct Task<T, F> {
    verb: Option<F>,
    result: Option<Result<T>>,
    answer: oneshot::Sender<Result<T>>,
    is_whole: bool,
    _room: OwnedSemaphorePermit,
}

impl<T: Send, F: FnOnce(&Connection) -> Result<T> + Send> Job for Task<T, F> {
    fn is_whole(&self) -> bool {
        self.is_whole
    }

    fn run(&mut self, db: &Connection) -> bool {
        let verb = self.verb.take().expect("a job runs once");
        let result = verb(db);
        let went_well = result.is_ok();
        self.result = Some(result);
        went_well
    }

    fn answer(self: Box<Self>, failed: Option<&Error>) {
        let result = match (self.result, failed) {
            (Some(Err(own)), _) => Err(own),
            (_, Some(failed)) => Err(failed.clone()),
            (Some(Ok(value)), None) => Ok(value),
            (None, None) => Err(Error::Other(
                "writing was given up because of a mistake in calup".into(),
            )),
        };
        // Nobody waits when the caller's future was dropped; the write stands all the same.
        let _ = self.answer.send(result);
    }
}

fn work(desk: &Mutex<Desk>, queue: &Queue, tally: &Tally) {
    let desk = || desk.lock().unwrap_or_else(PoisonError::into_inner);
    let mut pace = Pace::default();
    loop {
        let patience = desk().log.patience();
        match queue.wait(&mut pace, patience) {
            Waited::Come => desk().commit_together(By::Thread, queue, tally, &mut pace),
            Waited::Idle => desk().copy_log(),
            Waited::Closed => break,
        }
    }
}

impl Desk {
    /// Runs what waits in one transaction, commits, and answers.
    fn commit_together(&mut self, by: By, queue: &Queue, tally: &Tally, pace: &mut Pace) {
        commit_together(&self.db, by, queue, tally, pace);
        self.log.has_grown(&self.db);
        self.log.keep_short(&self.db);
    }

    fn copy_log(&mut self) {
        if self.log.is_at_rest() {
            self.log.copy(&self.db);
        }
    }
}

fn commit_together(db: &Connection, by: By, queue: &Queue, tally: &Tally, pace: &mut Pace) {
    let failed = |jobs, error: &Error| {
        tally.is_failing.store(true, Ordering::Relaxed);
        answer_all(jobs, Some(error));
    };
    if !db.is_autocommit() {
        // Whoever looked into it last panicked.
        let _ = db.execute_batch("ROLLBACK");
    }
    if let Err(error) = run(db, "BEGIN IMMEDIATE") {
        failed(queue.take_all(), &error.into());
        return;
    }
    let rows_before = db.total_changes();
    let mut batch = Batch::begin(by, pace);
    let mut done = Vec::new();
    while let Some(mut job) = batch.next(queue) {
        let kept = by_itself(db, job.as_mut(), done.is_empty());
        done.push(job);
        // SQLite gives a whole transaction up when the disk is full or fails.
        if db.is_autocommit() {
            let lost =
                Error::Unwritable("the disk is full or fails, the transaction was given up".into());
            return failed(done, &kept.err().map_or(lost, Error::from));
        }
        if let Err(error) = kept {
            let _ = db.execute_batch("ROLLBACK");
            return failed(done, &error.into());
        }
    }
    let has_written = db.total_changes() > rows_before;
    let committing = Instant::now();
    match run(db, "COMMIT") {
        Ok(()) => {
            batch.committed(queue.deliveries(), committing.elapsed());
            tally
                .commits
                .fetch_add(u64::from(has_written), Ordering::Relaxed);
            tally.is_failing.store(false, Ordering::Relaxed);
            answer_all(done, None);
        }
        Err(error) => {
            if !db.is_autocommit() {
                let _ = db.execute_batch("ROLLBACK");
            }
            let fatal = is_sync_failure(&error);
            failed(done, &error.into());
            if fatal {
                stop();
            }
        }
    }
}

fn run(db: &Connection, sql: &str) -> rusqlite::Result<()> {
    db.prepare_cached(sql)?.execute([]).map(|_| ())
}

/// Runs a verb such that it spoils nothing when it fails. The first one has nothing to spoil: a copy of every page that it
/// touches is saved.
fn by_itself(db: &Connection, job: &mut dyn Job, is_first: bool) -> rusqlite::Result<()> {
    let is_whole = job.is_whole();
    let mut go = || catch_unwind(AssertUnwindSafe(|| job.run(db))).unwrap_or(false);
    if is_whole {
        go();
        return Ok(());
    }
    if is_first {
        if !go() && !db.is_autocommit() {
            run(db, "ROLLBACK")?;
            run(db, "BEGIN IMMEDIATE")?;
        }
        return Ok(());
    }
    run(db, "SAVEPOINT verb")?;
    let went_well = go();
    if db.is_autocommit() {
        return Ok(());
    }
    if !went_well {
        run(db, "ROLLBACK TO verb")?;
    }
    run(db, "RELEASE verb")
}

fn answer_all(jobs: Vec<Box<dyn Job>>, failed: Option<&Error>) {
    for job in jobs {
        job.answer(failed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_verb_that_panics_is_answered_and_undone_and_the_next_one_works() {
        let db = Connection::open_in_memory().expect("a database in memory");
        db.execute_batch("CREATE TABLE t (n)").expect("a table");
        let aside = Connection::open_in_memory().expect("another");
        let writer = Writer::start(db, aside).expect("started");
        let add = |db: &Connection| Ok(db.execute("INSERT INTO t VALUES (1)", [])?);
        let bad = || {
            writer.write(Rank::Work, move |db| {
                add(db)?;
                panic!("a mistake of ours, on purpose")
            })
        };
        let good = || writer.write(Rank::Work, add);
        // They wait together: one that fails comes first, and one after another.
        let waiting = writer.desk.lock().expect("nobody has panicked with it");
        let (first, second, third, fourth) = (bad(), good(), bad(), good());
        let all = async { tokio::join!(first, second, third, fourth) };
        let handed_over = async { drop(waiting) };
        let ((first, second, third, fourth), ()): ((Result<()>, _, Result<()>, _), ()) =
            tokio::join!(biased; all, handed_over);
        assert!(matches!(first, Err(Error::Other(_))));
        assert!(matches!(third, Err(Error::Other(_))));
        assert_eq!(second.expect("written") + fourth.expect("written"), 2);
        let count = "SELECT count(*) FROM t";
        let rows: i64 = writer
            .write(Rank::Work, move |db| {
                Ok(db.query_row(count, [], |row| row.get(0))?)
            })
            .await
            .expect("counted");
        assert_eq!(rows, 2);
    }
}
