//! Connections that are lent, one borrower at a time. Every loan runs in a task that no caller can cancel, has an end,
//! and gives back only a connection whose last transaction is known to be over; any other is closed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use super::address::Address;
use super::connection::Db;
use super::promotion::Server;
use super::tls::Tls;
use crate::{Error, Result};

/// Whoever only looks is told sooner.
const LOOK: Duration = Duration::from_secs(5);

pub struct Pool {
    address: Arc<Address>,
    tls: Tls,
    idle: Mutex<Vec<Arc<Db>>>,
    room: Semaphore,
    /// A loan to write may take so long as a whole.
    limit: Duration,
    /// Where the connections live: not in the worker's own runtime, which ends before.
    runtime: Handle,
    /// Looked at over each new connection.
    server: Option<Arc<Server>>,
}

#[derive(Clone, Copy)]
pub enum Loan {
    /// Each statement by itself.
    Single,
    /// The same, for as long as a write may take.
    Long,
    Write,
    /// All statements see the same state.
    Look,
}

impl Pool {
    pub fn of(
        address: Arc<Address>,
        tls: Tls,
        (connections, limit): (usize, Duration),
        server: Option<Arc<Server>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            address,
            tls,
            idle: Mutex::default(),
            room: Semaphore::new(connections),
            limit,
            runtime: Handle::current(),
            server,
        })
    }

    pub async fn lend<T, F, D>(self: &Arc<Self>, loan: Loan, verb: D) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send,
        D: FnOnce(Arc<Db>) -> F + Send + 'static,
    {
        let pool = self.clone();
        let task = self.runtime.spawn(async move {
            let limit = match loan {
                Loan::Write | Loan::Long => pool.limit,
                Loan::Single | Loan::Look => pool.limit.min(LOOK),
            };
            let done = tokio::time::timeout(limit, pool.run(loan, verb)).await;
            done.unwrap_or_else(|_| {
                Err(Error::Unwritable(format!(
                    "{} did not answer within {} s",
                    pool.address.shown,
                    limit.as_secs_f32()
                )))
            })
        });
        task.await.unwrap_or_else(|_| {
            Err(Error::Other(
                "a verb was given up because of a mistake in calup".into(),
            ))
        })
    }

    async fn run<T, F, D>(&self, loan: Loan, verb: D) -> Result<T>
    where
        F: Future<Output = Result<T>> + Send,
        D: FnOnce(Arc<Db>) -> F + Send,
    {
        let _room = self
            .room
            .acquire()
            .await
            .map_err(|_| Error::Other("the store is closed".into()))?;
        let db = match self.idle_one() {
            Some(db) => db,
            None => self.connect().await?,
        };
        let result = match loan {
            Loan::Single | Loan::Long => verb(db.clone()).await,
            Loan::Write => Self::within("BEGIN", &db, verb).await,
            Loan::Look => {
                Self::within("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", &db, verb).await
            }
        };
        // A verb's own refusal was rolled back; after any other error nobody knows how the connection stands.
        let is_known = matches!(&result, Ok(_) | Err(Error::Superseded | Error::Unusable(_)));
        if is_known && db.is_open() {
            self.all_idle().push(db);
        }
        result
    }

    async fn within<T, F, D>(begin: &'static str, db: &Arc<Db>, verb: D) -> Result<T>
    where
        F: Future<Output = Result<T>> + Send,
        D: FnOnce(Arc<Db>) -> F + Send,
    {
        db.batch(begin).await?;
        match verb(db.clone()).await {
            Ok(done) => {
                db.batch("COMMIT").await?;
                Ok(done)
            }
            Err(error) => {
                db.batch("ROLLBACK").await?;
                Err(error)
            }
        }
    }

    async fn connect(&self) -> Result<Arc<Db>> {
        let db = Db::connect(&self.address, &self.tls).await?;
        if let Some(server) = &self.server {
            server.look(&db).await?;
        }
        Ok(Arc::new(db))
    }

    fn idle_one(&self) -> Option<Arc<Db>> {
        let mut idle = self.all_idle();
        idle.retain(|db| db.is_open());
        idle.pop()
    }

    fn all_idle(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Db>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
