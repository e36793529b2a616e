//! Keeps the write-ahead log short. SQLite would do it by itself, but in the middle of a commit, and it would keep an
//! fsync that failed to itself. Most of a long log is copied by a thread of its own while deliveries go on being
//! committed; the writing connection copies what came meanwhile, and the log begins anew.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ffi};

/// So many commits, or rows written, make a log long.
const COMMITS_MAX: u32 = 512;
const ROWS_MAX: u64 = 16_000;
/// Nothing to do for so long: the log is copied too. One that a crowd of senders has made longer is copied at their first
/// pause, so that the next crowd finds it short.
const IDLE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(100);
const ROWS_OF_A_CROWD: u64 = 1_000;

pub struct Log {
    commits: u32,
    grown_at: Instant,
    rows: u64,
    rows_before: u64,
    /// To the thread that copies, and from it when it has.
    copy: Option<Sender<()>>,
    copied: Receiver<()>,
    thread: Option<JoinHandle<()>>,
    is_being_copied: bool,
}

impl Log {
    /// Without a thread (it could not be started) whoever has committed copies alone.
    pub fn kept_by(aside: Connection) -> Self {
        let (copy, asked) = channel();
        let (tell, copied) = channel();
        let started = std::thread::Builder::new()
            .name("store-log".into())
            .spawn(move || {
                for () in asked {
                    checkpoint(&aside);
                    if tell.send(()).is_err() {
                        return;
                    }
                }
            });
        Self {
            commits: 0,
            grown_at: Instant::now(),
            rows: 0,
            rows_before: 0,
            copy: started.is_ok().then_some(copy),
            copied,
            thread: started.ok(),
            is_being_copied: false,
        }
    }

    /// How long to wait for more to write before the log is copied.
    pub fn patience(&self) -> Option<Duration> {
        let most = if self.rows < ROWS_OF_A_CROWD {
            IDLE
        } else {
            PAUSE
        };
        let left = most.saturating_sub(self.grown_at.elapsed());
        (self.commits > 0).then_some(left)
    }

    pub fn is_at_rest(&self) -> bool {
        self.patience().is_some_and(|left| left.is_zero())
    }

    /// Before that, nobody waited for it to come to rest.
    pub fn is_begun(&self) -> bool {
        self.commits == 1
    }

    pub fn has_grown(&mut self, db: &Connection) {
        self.commits += 1;
        self.rows = db.total_changes() - self.rows_before;
        self.grown_at = Instant::now();
    }

    pub fn keep_short(&mut self, db: &Connection) {
        if self.is_being_copied {
            if self.copied.try_recv().is_ok() {
                self.is_being_copied = false;
                self.copy(db);
            }
            return;
        }
        if self.commits < COMMITS_MAX && self.rows < ROWS_MAX {
            return;
        }
        match &self.copy {
            Some(copy) => self.is_being_copied = copy.send(()).is_ok(),
            None => self.copy(db),
        }
    }

    pub fn copy(&mut self, db: &Connection) {
        checkpoint(db);
        self.commits = 0;
        self.rows = 0;
        self.rows_before = db.total_changes();
    }
}

impl Drop for Log {
    /// Its connection is closed before the writing one: the last to close tidies up.
    fn drop(&mut self) {
        self.copy = None;
        if let Some(thread) = self.thread.take() {
            // It has logged its own panic; there is nobody left to tell.
            let _ = thread.join();
        }
    }
}

fn checkpoint(db: &Connection) {
    match db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
        Err(error) if is_sync_failure(&error) => stop(),
        // Somebody reads an older state, or copies just now: the next time will do.
        Err(_) | Ok(()) => {}
    }
}

pub fn is_sync_failure(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|e| {
        [ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_IOERR_DIR_FSYNC].contains(&e.extended_code)
    })
}

/// After an fsync that failed nobody knows what the disk holds, and the next one may claim success:
/// only a new process, which reads the file anew, can go on.
pub fn stop() -> ! {
    tracing::error!(
        "the disk did not take a write (fsync failed); stopping, check the disk and restart"
    );
    std::process::exit(1)
}
