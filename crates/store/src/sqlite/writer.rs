//! The one thread that writes. It takes a waiting verb, then whatever else waits, runs all of them in one
//! transaction (each in a savepoint, so that one that fails spoils no other), commits once, and only then
//! answers. What the verbs do is not known here.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, ffi};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::{Error, Result};

/// Verbs of one commit.
const BATCH_MAX: usize = 256;
/// Verbs handed over and not yet answered; more wait for room.
const WAITING_MAX: usize = 1024;
/// So many commits, or rows written, and the log is copied into the database file.
const CHECKPOINT_COMMITS: u32 = 64;
const CHECKPOINT_ROWS: u64 = 2_000;
/// Nothing to do for so long: the log is copied too.
const CHECKPOINT_IDLE: Duration = Duration::from_secs(1);

pub struct Writer {
    queue: Option<Sender<Box<dyn Job>>>,
    room: Arc<Semaphore>,
    commits: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub fn start(db: Connection) -> Result<Self> {
        let (queue, jobs) = channel();
        let commits = Arc::new(AtomicU64::new(0));
        let counted = commits.clone();
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || work(&db, &jobs, &counted))
            .map_err(|e| Error::Other(format!("could not start the writing thread: {e}")))?;
        let room = Arc::new(Semaphore::new(WAITING_MAX));
        Ok(Self {
            queue: Some(queue),
            room,
            commits,
            thread: Some(thread),
        })
    }

    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Runs `verb` and returns once it is durable. Once there was room for it, it runs to its end even
    /// if nobody waits for the answer any more.
    pub async fn write<T: Send + 'static>(
        &self,
        verb: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let stopped = || Error::Other("the writing thread has stopped; restart calup".into());
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
            _room: room,
        };
        let queue = self.queue.as_ref().ok_or_else(stopped)?;
        queue.send(Box::new(task)).map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }
}

impl Drop for Writer {
    /// Waits for what was handed over: whoever opens the file next finds it written.
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // It has logged its own panic; there is nobody left to tell.
            let _ = thread.join();
        }
    }
}

trait Job: Send {
    /// Whether it went well.
    fn run(&mut self, db: &Connection) -> bool;
    /// `failed` is why the transaction did not last.
    fn answer(self: Box<Self>, failed: Option<&Error>);
}

struct Task<T, F> {
    verb: Option<F>,
    result: Option<Result<T>>,
    answer: oneshot::Sender<Result<T>>,
    _room: OwnedSemaphorePermit,
}

impl<T: Send, F: FnOnce(&Connection) -> Result<T> + Send> Job for Task<T, F> {
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

fn work(db: &Connection, jobs: &Receiver<Box<dyn Job>>, commits: &AtomicU64) {
    let mut log = Log::default();
    loop {
        let next = if log.commits == 0 {
            jobs.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            jobs.recv_timeout(CHECKPOINT_IDLE)
        };
        match next {
            Ok(first) => {
                let mut batch = vec![first];
                batch.extend(jobs.try_iter().take(BATCH_MAX - 1));
                while !batch.is_empty() {
                    batch = commit_together(db, batch, commits);
                    log.commits += 1;
                }
                if log.is_long(db) {
                    log.checkpoint(db);
                }
            }
            Err(RecvTimeoutError::Timeout) => log.checkpoint(db),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
}

/// Runs and answers the jobs; gives back those that have to be run in another transaction.
fn commit_together(
    db: &Connection,
    jobs: Vec<Box<dyn Job>>,
    commits: &AtomicU64,
) -> Vec<Box<dyn Job>> {
    if let Err(error) = db.execute_batch("BEGIN IMMEDIATE") {
        answer_all(jobs, Some(&error.into()));
        return Vec::new();
    }
    let mut jobs = jobs.into_iter();
    let mut done = Vec::new();
    for mut job in jobs.by_ref() {
        let kept = in_savepoint(db, job.as_mut());
        done.push(job);
        // SQLite gives a whole transaction up when the disk is full or fails.
        if db.is_autocommit() {
            let lost =
                Error::Unwritable("the disk is full or fails, the transaction was given up".into());
            answer_all(done, Some(&kept.err().map_or(lost, Error::from)));
            return jobs.collect();
        }
        if let Err(error) = kept {
            let _ = db.execute_batch("ROLLBACK");
            answer_all(done, Some(&error.into()));
            return jobs.collect();
        }
    }
    match db.execute_batch("COMMIT") {
        Ok(()) => {
            commits.fetch_add(1, Ordering::Relaxed);
            answer_all(done, None);
        }
        Err(error) => {
            if !db.is_autocommit() {
                let _ = db.execute_batch("ROLLBACK");
            }
            let fatal = is_sync_failure(&error);
            answer_all(done, Some(&error.into()));
            if fatal {
                stop();
            }
        }
    }
    Vec::new()
}

fn in_savepoint(db: &Connection, job: &mut dyn Job) -> rusqlite::Result<()> {
    db.prepare_cached("SAVEPOINT verb")?.execute([])?;
    let went_well = catch_unwind(AssertUnwindSafe(|| job.run(db))).unwrap_or(false);
    if db.is_autocommit() {
        return Ok(());
    }
    if !went_well {
        db.prepare_cached("ROLLBACK TO verb")?.execute([])?;
    }
    db.prepare_cached("RELEASE verb")?.execute([])?;
    Ok(())
}

fn answer_all(jobs: Vec<Box<dyn Job>>, failed: Option<&Error>) {
    for job in jobs {
        job.answer(failed);
    }
}

/// What was written since the log was last copied into the file. SQLite would do it by itself, but would
/// keep an fsync that failed to itself.
#[derive(Default)]
struct Log {
    commits: u32,
    rows_before: u64,
}

impl Log {
    fn is_long(&self, db: &Connection) -> bool {
        self.commits >= CHECKPOINT_COMMITS
            || db.total_changes() - self.rows_before >= CHECKPOINT_ROWS
    }

    fn checkpoint(&mut self, db: &Connection) {
        match db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
            Err(error) if is_sync_failure(&error) => stop(),
            // Somebody reads an older state: the next time will do.
            Err(_) | Ok(()) => {}
        }
        self.commits = 0;
        self.rows_before = db.total_changes();
    }
}

fn is_sync_failure(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|e| {
        [ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_IOERR_DIR_FSYNC].contains(&e.extended_code)
    })
}

/// After an fsync that failed nobody knows what the disk holds, and the next one may claim success:
/// only a new process, which reads the file anew, can go on.
fn stop() -> ! {
    tracing::error!(
        "the disk did not take a write (fsync failed); stopping, check the disk and restart"
    );
    std::process::exit(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_verb_that_panics_is_answered_and_undone_and_the_next_one_works() {
        let db = Connection::open_in_memory().expect("a database in memory");
        db.execute_batch("CREATE TABLE t (n)").expect("a table");
        let writer = Writer::start(db).expect("started");
        let add = |db: &Connection| Ok(db.execute("INSERT INTO t VALUES (1)", [])?);
        let bad = writer.write(move |db| {
            add(db)?;
            panic!("a mistake of ours, on purpose")
        });
        let (bad, good): (Result<()>, _) = tokio::join!(bad, writer.write(add));
        assert!(matches!(bad, Err(Error::Other(_))));
        assert_eq!(good.expect("written"), 1);
        let count = "SELECT count(*) FROM t";
        let rows: i64 = writer
            .write(move |db| Ok(db.query_row(count, [], |row| row.get(0))?))
            .await
            .expect("counted");
        assert_eq!(rows, 1);
    }
}
