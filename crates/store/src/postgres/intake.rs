//! Deliveries on their way in: what waits goes into one statement, which is one commit. While it is being committed the
//! next ones gather.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::cells::indexed;
use super::connection::Db;
use super::pool::{Loan, Pool};
use crate::inbox::Sealed;
use crate::names::micros;
use crate::statements::statements;
use crate::{Error, Result};

/// Of one statement.
const DELIVERIES_MAX: usize = 256;
const BYTES_MAX: usize = 8 * 1_048_576;
/// Handed over and not yet answered; more wait for room.
const WAITING_MAX: usize = 1_024;
/// A sender waits so long at most; what it sent may still be stored afterwards.
const PATIENCE: Duration = Duration::from_millis(1_800);

statements! {
    ADD = "WITH bodies AS (
          INSERT INTO delivery_body (id, headers, body) SELECT * FROM unnest($1::text[], $6::bytea[], $7::bytea[])
        )
        INSERT INTO delivery (id, profile, received_at, status, sha256, secret_index)
        SELECT id, profile, received_at, 'pending', sha256, secret_index
        FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::bigint[])
          AS came (id, profile, received_at, sha256, secret_index)";
}

/// How commits went, of those that wrote something.
#[derive(Default)]
pub struct Tally {
    pub commits: AtomicU64,
    pub is_failing: AtomicBool,
}

impl Tally {
    pub fn count<T>(&self, written: &Result<T>) {
        match written {
            Ok(_) => {
                self.commits.fetch_add(1, Ordering::Relaxed);
                self.is_failing.store(false, Ordering::Relaxed);
            }
            Err(Error::Unwritable(_)) => self.is_failing.store(true, Ordering::Relaxed),
            Err(Error::Superseded | Error::Unusable(_) | Error::Other(_)) => {}
        }
    }
}

struct Job {
    sealed: Sealed,
    answer: oneshot::Sender<Result<()>>,
}

pub struct Intake(mpsc::Sender<Job>);

impl Intake {
    pub fn start(pool: Arc<Pool>, tally: Arc<Tally>) -> Self {
        let (hand_over, come) = mpsc::channel(WAITING_MAX);
        tokio::spawn(work(pool, tally, come));
        Self(hand_over)
    }

    /// Durable on return.
    pub async fn store(&self, sealed: Sealed) -> Result<String> {
        let id = sealed.id.clone();
        let stored = async {
            let (answer, answered) = oneshot::channel();
            self.0
                .send(Job { sealed, answer })
                .await
                .map_err(|_| stopped())?;
            answered.await.map_err(|_| stopped())?
        };
        match tokio::time::timeout(PATIENCE, stored).await {
            Ok(stored) => stored.map(|()| id),
            Err(_) => Err(Error::Unwritable("Postgres does not answer".into())),
        }
    }
}

fn stopped() -> Error {
    Error::Other("the intake has stopped; restart calup".into())
}

async fn work(pool: Arc<Pool>, tally: Arc<Tally>, mut come: mpsc::Receiver<Job>) {
    while let Some(first) = come.recv().await {
        let mut bytes = first.sealed.body.len();
        let mut batch = vec![first];
        while batch.len() < DELIVERIES_MAX
            && bytes < BYTES_MAX
            && let Ok(next) = come.try_recv()
        {
            bytes += next.sealed.body.len();
            batch.push(next);
        }
        let (sealed, answers): (Vec<Sealed>, Vec<_>) = batch
            .into_iter()
            .map(|job| (job.sealed, job.answer))
            .unzip();
        let written = pool
            .lend(Loan::Single, |db| async move { add(&db, &sealed).await })
            .await;
        tally.count(&written);
        for answer in answers {
            // Nobody waits when the sender has gone; it is stored all the same.
            let _ = answer.send(written.clone());
        }
    }
}

async fn add(db: &Db, all: &[Sealed]) -> Result<()> {
    let ids: Vec<&str> = all.iter().map(|s| s.id.as_str()).collect();
    let profiles: Vec<_> = all.iter().map(|s| indexed(&s.of.profile)).collect();
    let received: Vec<i64> = all.iter().map(|s| micros(s.of.received_at)).collect();
    let hashes: Vec<_> = all.iter().map(|s| indexed(&s.of.sha256)).collect();
    let secrets: Vec<i64> = all.iter().map(|s| s.of.secret_index as i64).collect();
    let headers: Vec<&[u8]> = all.iter().map(|s| s.headers.as_slice()).collect();
    let bodies: Vec<&[u8]> = all.iter().map(|s| s.body.as_slice()).collect();
    db.execute(
        ADD,
        &[
            &ids, &profiles, &received, &hashes, &secrets, &headers, &bodies,
        ],
    )
    .await?;
    Ok(())
}
