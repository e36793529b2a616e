//! Opening a database: a server that is away, another program's database, a newer schema or a wrong key end in a
//! sentence that says what to do.

use std::sync::Arc;
use std::time::Duration;

use super::address::{self, Address};
use super::pool::{Loan, Pool};
use super::promotion::Server;
use super::tls::{self, Tls};
use super::{indexes, schema, secrets};
use crate::vault::Vault;
use crate::{Error, Result};

/// Of one replica: so many for verbs and looks, one for intake, one for leases.
const CONNECTIONS: usize = 6;
/// A sender hears 503 after this at the latest.
const INTAKE: Duration = Duration::from_millis(1_500);
const VERB: Duration = Duration::from_secs(10);
const LEASE: Duration = Duration::from_secs(2);
/// A step of the schema may build an index over all there is.
const OPENING: Duration = Duration::from_secs(600);

const IS_SAFE: &str = "SHOW fsync";

pub struct Opened {
    pub pool: Arc<Pool>,
    pub intake: Arc<Pool>,
    pub leases: Arc<Pool>,
    pub vault: Arc<Vault>,
}

pub async fn open(url: &str, master_keys: Option<&str>) -> Result<Opened> {
    let address = address::parse(url)?;
    let keys = secrets::keys(master_keys)?;
    let tls = Tls::trusting(address.authority.as_deref())?;
    let address = Arc::new(address);
    let shown = address.shown.clone();
    let pool = |connections, limit, server| {
        Pool::of(address.clone(), tls.clone(), (connections, limit), server)
    };
    let opening = pool(1, OPENING, None);
    let answers = opening.lend(Loan::Single, |_| async { Ok(()) }).await;
    answers.map_err(|error| told(error, &address))?;
    let unlocked = opening
        .lend(Loan::Write, move |db| async move {
            schema::migrate(&db, &shown).await?;
            let fsync: String = db.value(IS_SAFE, &[]).await?;
            if fsync == "off" {
                tracing::warn!(
                    "{shown} runs with fsync off: a power cut can lose deliveries that were answered"
                );
            }
            secrets::unlock(&db, keys, &shown).await
        })
        .await;
    let vault = unlocked.map_err(|error| told(error, &address))?;
    let built = opening.lend(Loan::Long, |db| async move { indexes::build(&db).await });
    if let Err(error) = built.await {
        tracing::warn!(%error, "an index could not be built; it is tried again at the next start");
    }
    let server = Arc::new(Server::default());
    Ok(Opened {
        pool: pool(CONNECTIONS, VERB, Some(server.clone())),
        // What comes in is kept wherever writes are taken.
        intake: pool(1, INTAKE, None),
        leases: pool(1, LEASE, Some(server)),
        vault: Arc::new(vault),
    })
}

fn told(error: Error, address: &Address) -> Error {
    let shown = &address.shown;
    match error {
        Error::Unwritable(why) => {
            let why = why.strip_prefix(&format!("{shown}: ")).unwrap_or(&why);
            let advice = tls::advice(why).unwrap_or(
                "check that the server runs, can be reached from here and takes writes, and that user, password and \
                 database in DATABASE_URL are right",
            );
            Error::Unusable(format!("{shown} cannot be used ({why}); {advice}"))
        }
        Error::Other(why) => Error::Unusable(format!(
            "{shown} cannot be used ({why}); check that user, password and database in DATABASE_URL are right and \
             that the user may make tables there, or restore a backup"
        )),
        error @ (Error::Unusable(_) | Error::Superseded) => error,
    }
}
