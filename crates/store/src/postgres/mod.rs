//! The store on Postgres, which replicas may share. Each verb is a function of a connection in a file named by its noun,
//! and runs in a transaction of its own; here they are only lent a connection.

mod address;
mod aliases;
mod asking;
mod cells;
mod connection;
mod damage;
mod doubts;
mod hooks;
mod inbox;
mod index;
mod indexes;
mod intake;
mod journal;
mod lane;
mod lease;
mod look;
mod notes;
mod open;
mod papers;
mod pool;
mod profiles;
mod promotion;
mod questions;
mod related;
mod replay;
mod reseal;
mod schema;
mod secrets;
mod tls;
mod work;

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::effect::{Effect, Kind};
use jiff::Timestamp;

use self::connection::Db;
use self::intake::{Intake, Tally};
use self::pool::{Loan, Pool};
use crate::names::micros;
use crate::rows::{
    Claim, Counts, Delivery, DeliveryFilter, Doubt, Ended, Lease, Link, NewDelivery, Notice, Pause,
    Proof, Reading, Record, Register, Stored, Token,
};
use crate::vault::Vault;
use crate::{Error, Result, Store, new_id};

pub use self::address::is_ours;

pub async fn open(url: &str, master_keys: Option<&str>) -> Result<Arc<dyn Store>> {
    let opened = open::open(url, master_keys).await?;
    let tally = Arc::new(Tally::default());
    Ok(Arc::new(Postgres {
        intake: Intake::start(opened.intake, tally.clone()),
        pool: opened.pool,
        leases: opened.leases,
        vault: opened.vault,
        tally,
        epochs: Mutex::default(),
    }))
}

struct Postgres {
    pool: Arc<Pool>,
    leases: Arc<Pool>,
    intake: Intake,
    vault: Arc<Vault>,
    tally: Arc<Tally>,
    /// Of the leases that this process was granted, by profile.
    epochs: Mutex<BTreeMap<String, i64>>,
}

impl Postgres {
    async fn write<T, F>(
        &self,
        verb: impl FnOnce(Arc<Db>, Arc<Vault>) -> F + Send + 'static,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send,
    {
        let (vault, tally) = (self.vault.clone(), self.tally.clone());
        let written = self.pool.lend(Loan::Write, move |db| verb(db, vault)).await;
        tally.count(&written);
        written
    }

    async fn look<T, F>(
        &self,
        loan: Loan,
        look: impl FnOnce(Arc<Db>, Arc<Vault>) -> F + Send + 'static,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send,
    {
        let vault = self.vault.clone();
        self.pool.lend(loan, move |db| look(db, vault)).await
    }

    async fn read_together(&self, profile: &str, readings: Vec<(String, Reading)>) -> Result<()> {
        let (profile, epoch) = (profile.to_owned(), self.epoch_of(profile)?);
        self.write(move |db, vault| async move {
            inbox::read_together(&db, &vault, &profile, epoch, readings).await
        })
        .await
    }

    fn epochs(&self) -> MutexGuard<'_, BTreeMap<String, i64>> {
        self.epochs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fails when this process holds no lease on the profile.
    fn epoch_of(&self, profile: &str) -> Result<i64> {
        let epoch = self.epochs().get(profile).copied();
        epoch.ok_or(Error::Superseded)
    }
}

#[async_trait::async_trait]
impl Store for Postgres {
    fn is_shared(&self) -> bool {
        true
    }

    async fn lease(
        &self,
        profile: &str,
        owner: &str,
        ttl: Duration,
        now: Timestamp,
    ) -> Result<Lease> {
        let theirs = {
            let (of, owner) = (profile.to_owned(), owner.to_owned());
            self.leases
                .lend(Loan::Single, move |db| async move {
                    lease::is_theirs(&db, &of, &owner).await
                })
                .await?
        };
        let lease = if let Some(theirs) = theirs {
            theirs
        } else {
            let (of, owner) = (profile.to_owned(), owner.to_owned());
            self.leases
                .lend(Loan::Write, move |db| async move {
                    lease::lease(&db, &of, &owner, ttl, now).await
                })
                .await?
        };
        match &lease {
            Lease::Held { epoch } => self.epochs().insert(profile.to_owned(), *epoch),
            Lease::Theirs { .. } => self.epochs().remove(profile),
        };
        Ok(lease)
    }

    async fn release(&self, profile: &str, owner: &str) -> Result<()> {
        self.epochs().remove(profile);
        let (profile, owner) = (profile.to_owned(), owner.to_owned());
        self.leases
            .lend(Loan::Single, move |db| async move {
                lease::release(&db, &profile, &owner).await
            })
            .await
    }

    /// Nothing stands beside a database that a server keeps: `calup guard on` says that an older copy was put back.
    async fn renew(&self) -> Result<()> {
        Ok(())
    }

    async fn doubt(&self, doubt: &Doubt) -> Result<()> {
        let doubt = doubt.clone();
        self.write(move |db, _| async move { doubts::doubt(&db, &doubt).await })
            .await
    }

    async fn doubts(&self, profile: &str, now: Timestamp, limit: usize) -> Result<Vec<Doubt>> {
        let profile = profile.to_owned();
        self.look(Loan::Single, move |db, _| async move {
            doubts::doubts(&db, &profile, now, limit).await
        })
        .await
    }

    async fn look_again(&self, doubt: &Doubt, at: Option<Timestamp>) -> Result<()> {
        let doubt = doubt.clone();
        self.write(move |db, _| async move { doubts::look_again(&db, &doubt, at).await })
            .await
    }

    async fn merge(&self, profile: &str, lead: &str, into: &str) -> Result<()> {
        let (profile, epoch) = (profile.to_owned(), self.epoch_of(profile)?);
        let (lead, into) = (lead.to_owned(), into.to_owned());
        self.write(
            move |db, _| async move { doubts::merge(&db, &profile, epoch, &lead, &into).await },
        )
        .await
    }

    async fn standing_for(&self, profile: &str, lead: &str) -> Result<String> {
        let (profile, lead) = (profile.to_owned(), lead.to_owned());
        self.look(Loan::Single, move |db, _| async move {
            doubts::standing_for(&db, &profile, lead).await
        })
        .await
    }

    async fn last_sent(
        &self,
        profile: &str,
        lead: &str,
        kind: Option<Kind>,
    ) -> Result<Option<Timestamp>> {
        let (profile, lead) = (profile.to_owned(), lead.to_owned());
        self.look(Loan::Single, move |db, _| async move {
            doubts::last_sent(&db, &profile, &lead, kind).await
        })
        .await
    }

    async fn receive(&self, delivery: NewDelivery) -> Result<String> {
        let sealed = crate::inbox::seal(&self.vault, new_id(), delivery);
        self.intake.store(sealed).await
    }

    async fn unread(&self, profile: &str, limit: usize) -> Result<Vec<Delivery>> {
        let (profile, epoch) = (profile.to_owned(), self.epoch_of(profile)?);
        let is_anything_unread = {
            let profile = profile.clone();
            self.look(Loan::Single, move |db, _| async move {
                inbox::is_anything_unread(&db, &profile).await
            })
            .await?
        };
        if !is_anything_unread {
            return Ok(Vec::new());
        }
        self.write(move |db, vault| async move {
            inbox::unread(&db, &vault, &profile, epoch, limit).await
        })
        .await
    }

    async fn read(&self, delivery_id: &str, reading: Reading) -> Result<()> {
        self.read_many(vec![(delivery_id.to_owned(), reading)])
            .await
    }

    async fn read_many(&self, readings: Vec<(String, Reading)>) -> Result<()> {
        let ids: Vec<String> = readings.iter().map(|(id, _)| id.clone()).collect();
        let profiles = self
            .look(Loan::Single, move |db, _| async move {
                inbox::profiles_of(&db, &ids).await
            })
            .await?;
        let mut by_profile: BTreeMap<&String, Vec<(String, Reading)>> = BTreeMap::new();
        for (id, reading) in readings {
            let profile = profiles
                .get(&id)
                .ok_or_else(|| Error::Other(format!("there is no delivery {id}")))?;
            by_profile.entry(profile).or_default().push((id, reading));
        }
        for (profile, readings) in by_profile {
            match self.read_together(profile, readings.clone()).await {
                // One of them is at fault, and spoils no other.
                Err(Error::Other(_)) if readings.len() > 1 => {
                    for one in readings {
                        self.read_together(profile, vec![one]).await?;
                    }
                }
                read => read?,
            }
        }
        Ok(())
    }

    async fn claim(
        &self,
        profile: &str,
        now: Timestamp,
        limit: usize,
        at_work: &[String],
    ) -> Result<Vec<Claim>> {
        let at_work = at_work.to_vec();
        let (profile, epoch) = (profile.to_owned(), self.epoch_of(profile)?);
        let is_due = {
            let profile = profile.clone();
            self.look(Loan::Single, move |db, _| async move {
                lease::is_anything_due(&db, &profile, epoch, micros(now)).await
            })
            .await?
        };
        if limit == 0 || !is_due {
            return Ok(Vec::new());
        }
        self.write(move |db, vault| async move {
            work::claim(&db, &vault, &profile, epoch, now, limit, &at_work).await
        })
        .await
    }

    async fn unclaim(&self, profile: &str, at_work: &[String]) -> Result<()> {
        let (profile, epoch) = (profile.to_owned(), self.epoch_of(profile)?);
        let at_work = at_work.to_vec();
        let is_any = {
            let (profile, at_work) = (profile.clone(), at_work.clone());
            self.look(Loan::Single, move |db, _| async move {
                work::is_any_forgotten(&db, &profile, epoch, &at_work).await
            })
            .await?
        };
        if !is_any {
            return Ok(());
        }
        self.write(move |db, _| async move { work::unclaim(&db, &profile, epoch, &at_work).await })
            .await
    }

    async fn next_due(&self, profile: &str) -> Result<Option<Timestamp>> {
        let profile = profile.to_owned();
        self.look(Loan::Single, move |db, _| async move {
            work::next_due(&db, &profile).await
        })
        .await
    }

    async fn related(&self, profile: &str, change: &Stored) -> Result<Vec<Stored>> {
        let (profile, change) = (profile.to_owned(), change.clone());
        self.look(Loan::Single, move |db, vault| async move {
            related::related(&db, &vault, &profile, &change).await
        })
        .await
    }

    async fn of_person(&self, profile: &str, person: &str) -> Result<Vec<Stored>> {
        let (profile, person) = (profile.to_owned(), person.to_owned());
        self.look(Loan::Single, move |db, vault| async move {
            related::of_person(&db, &vault, &profile, &person).await
        })
        .await
    }

    async fn finish(&self, claim: &Claim, ended: Ended, record: Record) -> Result<()> {
        let claim = claim.clone();
        self.write(move |db, vault| async move {
            work::finish(&db, &vault, &claim, &ended, &record).await
        })
        .await
    }

    async fn retry_at(
        &self,
        claim: &Claim,
        at: Timestamp,
        reason: &str,
        counted: bool,
    ) -> Result<()> {
        let (claim, reason) = (claim.clone(), reason.to_owned());
        self.write(
            move |db, _| async move { work::retry_at(&db, &claim, at, &reason, counted).await },
        )
        .await
    }

    async fn park(&self, claim: &Claim, at: Timestamp, reason: &str) -> Result<()> {
        let (claim, reason) = (claim.clone(), reason.to_owned());
        self.write(move |db, _| async move { work::park(&db, &claim, at, &reason).await })
            .await
    }

    async fn wake(&self, profile: &str, now: Timestamp) -> Result<()> {
        let profile = profile.to_owned();
        self.write(move |db, _| async move { work::wake(&db, &profile, now).await })
            .await
    }

    async fn links(&self, profile: &str, tokens: &[String]) -> Result<Vec<Link>> {
        let (profile, tokens) = (profile.to_owned(), tokens.to_vec());
        self.look(Loan::Single, move |db, vault| async move {
            journal::links(&db, &vault, &profile, &tokens).await
        })
        .await
    }

    async fn register(&self, profile: &str, lead: &str) -> Result<Register> {
        let (profile, lead) = (profile.to_owned(), lead.to_owned());
        self.look(Loan::Single, move |db, vault| async move {
            journal::register(&db, &vault, &profile, &lead).await
        })
        .await
    }

    async fn effects(&self, profile: &str, change_key: &str) -> Result<Vec<Effect>> {
        let (profile, change_key) = (profile.to_owned(), change_key.to_owned());
        self.look(Loan::Single, move |db, vault| async move {
            journal::effects(&db, &vault, &profile, &[&change_key]).await
        })
        .await
    }

    async fn record(&self, profile: &str, record: Record) -> Result<()> {
        let (profile, epoch) = (profile.to_owned(), self.epoch_of(profile)?);
        self.write(move |db, vault| async move {
            lease::lock_as(&db, &profile, epoch).await?;
            journal::record(&db, &vault, &profile, &record).await
        })
        .await
    }

    async fn pause(&self, profile: &str, pause: Option<Pause>) -> Result<()> {
        let profile = profile.to_owned();
        self.write(move |db, _| async move { notes::pause(&db, &profile, pause.as_ref()).await })
            .await
    }

    async fn paused(&self, profile: &str) -> Result<Option<Pause>> {
        let profile = profile.to_owned();
        self.look(Loan::Single, move |db, _| async move {
            notes::paused(&db, &profile).await
        })
        .await
    }

    async fn remember(&self, profile: &str, key: &str, until: Timestamp) -> Result<()> {
        let (profile, key) = (profile.to_owned(), key.to_owned());
        self.write(move |db, _| async move { notes::remember(&db, &profile, &key, until).await })
            .await
    }

    async fn remembered(&self, profile: &str, key: &str, now: Timestamp) -> Result<bool> {
        let (profile, key) = (profile.to_owned(), key.to_owned());
        self.look(Loan::Single, move |db, _| async move {
            notes::remembered(&db, &profile, &key, now).await
        })
        .await
    }

    async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Vec<Delivery>> {
        let filter = filter.clone();
        self.look(Loan::Single, move |db, _| async move {
            look::deliveries(&db, &filter).await
        })
        .await
    }

    async fn delivery(&self, id: &str) -> Result<Option<Delivery>> {
        let id = id.to_owned();
        self.look(Loan::Single, move |db, vault| async move {
            look::delivery(&db, &vault, &id).await
        })
        .await
    }

    async fn proof(&self, profile: &str, uid: &str) -> Result<Proof> {
        let (profile, uid) = (profile.to_owned(), uid.to_owned());
        self.look(Loan::Look, move |db, vault| async move {
            look::proof(&db, &vault, &profile, &uid).await
        })
        .await
    }

    async fn counts(&self, profile: Option<&str>) -> Result<Counts> {
        let profile = profile.map(str::to_owned);
        self.look(Loan::Single, move |db, _| async move {
            look::counts(&db, profile.as_deref()).await
        })
        .await
    }

    async fn notify(&self, notice: &Notice, now: Timestamp) -> Result<bool> {
        let notice = notice.clone();
        self.write(move |db, _| async move { notes::notify(&db, &notice, now).await })
            .await
    }

    async fn notices(&self, profile: &str, limit: usize) -> Result<Vec<Notice>> {
        let profile = profile.to_owned();
        self.look(Loan::Single, move |db, _| async move {
            notes::notices(&db, &profile, limit).await
        })
        .await
    }

    async fn replay(&self, id: &str) -> Result<bool> {
        let id = id.to_owned();
        self.write(move |db, _| async move { replay::replay(&db, &id).await })
            .await
    }

    async fn set_meta(&self, key: &str, value: &str) -> Result<()> {
        let (key, value) = (key.to_owned(), value.to_owned());
        self.write(move |db, _| async move { notes::set_meta(&db, &key, &value).await })
            .await
    }

    async fn meta(&self, key: &str) -> Result<Option<String>> {
        let key = key.to_owned();
        self.look(Loan::Single, move |db, _| async move {
            notes::meta(&db, &key).await
        })
        .await
    }

    async fn add_token(&self, token: &Token) -> Result<()> {
        let token = token.clone();
        self.write(move |db, _| async move { notes::add_token(&db, &token).await })
            .await
    }

    async fn token(&self, hash: &str) -> Result<Option<Token>> {
        let hash = hash.to_owned();
        self.look(Loan::Single, move |db, _| async move {
            notes::token(&db, &hash).await
        })
        .await
    }

    async fn tokens(&self, profile: &str) -> Result<Vec<Token>> {
        let profile = profile.to_owned();
        self.look(Loan::Single, move |db, _| async move {
            notes::tokens(&db, &profile).await
        })
        .await
    }

    async fn revoke_token(&self, profile: &str, id: &str) -> Result<bool> {
        let (profile, id) = (profile.to_owned(), id.to_owned());
        self.write(move |db, _| async move { notes::revoke_token(&db, &profile, &id).await })
            .await
    }

    fn marker_key(&self) -> [u8; 32] {
        self.vault.marker_key
    }

    fn person_key(&self, profile: &str, identity: &str) -> String {
        self.vault.blind(profile, identity)
    }

    async fn healthy(&self) -> Result<()> {
        self.write(|db, _| async move { notes::beat(&db).await })
            .await
    }

    async fn damage(&self) -> Result<Vec<String>> {
        self.look(
            Loan::Single,
            |db, _| async move { damage::damage(&db).await },
        )
        .await
    }

    fn is_failing(&self) -> bool {
        self.tally.is_failing.load(Ordering::Relaxed)
    }

    fn commits(&self) -> u64 {
        self.tally.commits.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_statement_fits_the_schema() {
        let Ok(server) = std::env::var("CALUP_TEST_POSTGRES") else {
            eprintln!("*** SKIPPED: statements on Postgres; set CALUP_TEST_POSTGRES to a server");
            return;
        };
        let address = Arc::new(address::parse(&server).expect("an address"));
        let tls = tls::Tls::trusting(None).expect("TLS");
        let pool = Pool::of(address, tls, (1, Duration::from_secs(20)), None);
        let made = pool.lend(Loan::Write, |db| async move {
            // Seen by nobody else, and given up at the end.
            db.batch("CREATE SCHEMA statements; SET LOCAL search_path = statements")
                .await?;
            schema::migrate(&db, "the test's database").await?;
            for sql in [
                aliases::ALL,
                damage::ALL,
                doubts::ALL,
                hooks::ALL,
                inbox::ALL,
                index::ALL,
                indexes::ALL,
                intake::ALL,
                journal::ALL,
                lane::ALL,
                lease::ALL,
                look::ALL,
                notes::ALL,
                papers::ALL,
                profiles::ALL,
                promotion::ALL,
                questions::ALL,
                related::ALL,
                replay::ALL,
                reseal::ALL,
                schema::ALL,
                secrets::ALL,
                work::ALL,
                &[work::IS_DUE],
            ]
            .concat()
            {
                if let Err(error) = db.prepared(sql).await {
                    panic!("{error} in: {sql}");
                }
            }
            Err::<(), _>(Error::Superseded)
        });
        assert!(matches!(made.await, Err(Error::Superseded)));
    }
}
