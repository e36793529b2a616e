//! The store on SQLite: one file, one thread that writes, three connections that read, and the writing one between its
//! commits. Each verb is a function of a connection in a file named by its noun; here they are only handed to the right one.

mod aliases;
mod asking;
mod cells;
mod checkpoint;
mod damage;
mod doubts;
mod errors;
mod generation;
mod hooks;
mod inbox;
mod index;
mod inline;
mod journal;
mod lane;
mod lanes;
mod look;
mod notes;
mod open;
mod papers;
mod profiles;
mod questions;
mod queue;
mod readers;
mod related;
mod replay;
mod reseal;
mod schema;
mod secrets;
mod work;
mod writer;

use std::fs::{File, TryLockError};
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::effect::{Effect, Kind};
use jiff::Timestamp;
use rusqlite::Connection;

use self::inline::Hand;
use self::lanes::Lanes;
use self::queue::Rank;
use self::readers::{Readers, snapshot};
use crate::rows::{
    Claim, Counts, Delivery, DeliveryFilter, Doubt, Ended, Lease, Link, NewDelivery, Notice, Pause,
    Proof, Reading, Record, Register, Stored, Token,
};
use crate::vault::Vault;
use crate::{Error, RESTORED, Result, Store, new_id};

pub async fn open(url: &str, master_keys: Option<&str>) -> Result<Arc<dyn Store>> {
    let path = open::path_of(url)?;
    let keys = master_keys.map(str::to_owned);
    let store = blocking(move || {
        let opened = open::open(&path, keys.as_deref())?;
        Ok(Sqlite::of(opened, path))
    })
    .await?;
    Ok(Arc::new(store))
}

pub fn open_inline(url: &str, master_keys: Option<&str>) -> Result<Arc<dyn Store>> {
    let path = open::path_of(url)?;
    let opened = open::inline(&path, master_keys)?;
    Ok(Arc::new(Sqlite::of(opened, path)))
}

pub fn file_of(url: &str) -> Result<PathBuf> {
    open::path_of(url)
}

fn new_generation() -> String {
    hex::encode(&crate::sealed::random()[..16])
}

/// Dropped in this order: the lock is held until the last write is done.
struct Sqlite {
    readers: Arc<Readers>,
    glances: Readers,
    writer: Hand,
    lanes: Lanes,
    vault: Arc<Vault>,
    /// Given to this process when it took over; 0 before.
    epoch: AtomicI64,
    path: PathBuf,
    lock: Mutex<Option<File>>,
    /// Who was granted the lease in this process; empty when nobody was.
    owner: tokio::sync::Mutex<String>,
    /// Held while database and file get their next generation: each must be the other's.
    renewing: tokio::sync::Mutex<()>,
}

impl Sqlite {
    fn of(opened: open::Opened, path: PathBuf) -> Self {
        Self {
            readers: Arc::new(opened.readers),
            glances: opened.glances,
            writer: opened.writer,
            lanes: Lanes::default(),
            vault: Arc::new(opened.vault),
            epoch: AtomicI64::new(0),
            path,
            lock: Mutex::new(None),
            owner: tokio::sync::Mutex::default(),
            renewing: tokio::sync::Mutex::default(),
        }
    }

    async fn write<T: Send + 'static>(
        &self,
        verb: impl FnOnce(&Connection, &Vault) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.write_as(Rank::Work, verb).await
    }

    /// The last that a lane of the worker does for a change.
    async fn settle<T: Send + 'static>(
        &self,
        claim: &Claim,
        verb: impl FnOnce(&Connection, &Vault, &Claim) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let of = claim.clone();
        let done = self
            .write_for_lane(move |db, vault| verb(db, vault, &of))
            .await?;
        self.lanes.end(claim, &self.writer);
        Ok(done)
    }

    /// What a lane of the worker does between its calls.
    async fn write_for_lane<T: Send + 'static>(
        &self,
        verb: impl FnOnce(&Connection, &Vault) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.write_as(Rank::Lane, verb).await
    }

    async fn write_as<T: Send + 'static>(
        &self,
        rank: Rank,
        verb: impl FnOnce(&Connection, &Vault) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let vault = self.vault.clone();
        let verb = move |db: &Connection| verb(db, &vault);
        self.writer.write(rank, verb).await
    }

    /// A few rows by their keys: found sooner than handed to another thread. Between two commits the writing connection
    /// is asked, whose pages are still in memory: each commit makes every other connection read them anew.
    fn glance<T>(&self, look: impl FnOnce(&Connection, &Vault) -> Result<T>) -> Result<T> {
        let look = |db: &Connection| look(db, &self.vault);
        match self.writer.at_rest() {
            Some(desk) => snapshot(&desk.db, look),
            None => self.glances.look(look),
        }
    }

    async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Connection, &Vault) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        if self.writer.is_inline() {
            return self.readers.look(|db| look(db, &self.vault));
        }
        let (readers, vault) = (self.readers.clone(), self.vault.clone());
        blocking(move || readers.look(|db| look(db, &vault))).await
    }

    fn own_epoch(&self) -> i64 {
        self.epoch.load(Ordering::Relaxed)
    }

    /// Held for as long as this store lives; the system frees it when the process dies.
    fn lock(&self) -> Result<()> {
        let mut held = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if held.is_some() {
            return Ok(());
        }
        let path = open::beside(&self.path, ".lock");
        let name = path.display();
        let file = open::private()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|e| {
                Error::Unusable(format!(
                    "{name} cannot be made ({e}); let this user write there"
                ))
            })?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => Error::Unusable(format!(
                "another calup already works on {}; stop it first, or give this one a database of its own",
                self.path.display()
            )),
            TryLockError::Error(e) => Error::Unusable(format!(
                "{name} cannot be locked ({e}); keep the database on a local disk"
            )),
        })?;
        *held = Some(file);
        Ok(())
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| {
        Err(Error::Other(
            "reading was given up because of a mistake in calup".into(),
        ))
    })
}

#[async_trait::async_trait]
impl Store for Sqlite {
    fn is_shared(&self) -> bool {
        false
    }

    /// One lock for all profiles: who works here works for each of them, and nobody else does.
    async fn lease(
        &self,
        _profile: &str,
        owner: &str,
        _ttl: Duration,
        now: Timestamp,
    ) -> Result<Lease> {
        self.lock()?;
        let mut held_by = self.owner.lock().await;
        if *held_by != owner {
            let file = generation::file_beside(&self.path);
            let epoch = self
                .write(move |db, _| {
                    if generation::is_another(db, &file)? {
                        notes::set_meta(db, RESTORED, "")?;
                    }
                    work::take_over(db, now)
                })
                .await?;
            self.epoch.store(epoch, Ordering::Relaxed);
            owner.clone_into(&mut held_by);
            self.renew().await?;
        }
        Ok(Lease::Held {
            epoch: self.own_epoch(),
        })
    }

    /// The lock is kept: what is still being written must not meet another process.
    async fn release(&self, _profile: &str, owner: &str) -> Result<()> {
        let mut held_by = self.owner.lock().await;
        if *held_by == owner {
            held_by.clear();
        }
        Ok(())
    }

    async fn renew(&self) -> Result<()> {
        let _renewing = self.renewing.lock().await;
        let next = new_generation();
        let file = generation::file_beside(&self.path);
        let (in_database, own_epoch) = (next.clone(), self.own_epoch());
        self.write(move |db, _| {
            if work::epoch(db)? != own_epoch {
                return Err(Error::Superseded);
            }
            generation::announce(db, &file, &in_database)?;
            generation::set(db, &in_database)
        })
        .await?;
        generation::forget_the_last(&generation::file_beside(&self.path), &next)
    }

    async fn receive(&self, delivery: NewDelivery) -> Result<String> {
        let sealed = crate::inbox::seal(&self.vault, new_id(), delivery);
        let verb = move |db: &Connection| inbox::receive(db, sealed);
        self.writer.write(Rank::Intake, verb).await
    }

    async fn unread(&self, profile: &str, limit: usize) -> Result<Vec<Delivery>> {
        if !self.glance(|db, _| inbox::is_anything_unread(db, profile))? {
            return Ok(Vec::new());
        }
        let profile = profile.to_owned();
        self.write(move |db, vault| inbox::unread(db, vault, &profile, limit))
            .await
    }

    async fn read(&self, delivery_id: &str, reading: Reading) -> Result<()> {
        let id = delivery_id.to_owned();
        self.write(move |db, vault| inbox::read(db, vault, &id, reading))
            .await
    }

    async fn read_many(&self, readings: Vec<(String, Reading)>) -> Result<()> {
        // Each by itself, so that no sender has to wait for all of them.
        let mut waiting = Vec::with_capacity(readings.len());
        for (id, reading) in readings {
            let vault = self.vault.clone();
            let verb = move |db: &Connection| inbox::read(db, &vault, &id, reading);
            waiting.push(self.writer.hand_over(Rank::Work, verb).await?);
        }
        for written in waiting {
            written.durable().await?;
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
        let own_epoch = self.own_epoch();
        if !self.glance(|db, _| work::is_anything_due(db, profile, own_epoch, now))? {
            return Ok(Vec::new());
        }
        let (of, others) = (profile.to_owned(), at_work.to_vec());
        let claims = self
            .write_for_lane(move |db, vault| {
                work::claim(db, vault, &of, own_epoch, now, limit, &others)
            })
            .await?;
        self.lanes.begin(profile, at_work, &claims, &self.writer);
        Ok(claims)
    }

    async fn unclaim(&self, profile: &str, at_work: &[String]) -> Result<()> {
        let (profile, own_epoch) = (profile.to_owned(), self.own_epoch());
        let at_work = at_work.to_vec();
        self.write_for_lane(move |db, _| work::unclaim(db, &profile, own_epoch, &at_work))
            .await
    }

    async fn next_due(&self, profile: &str) -> Result<Option<Timestamp>> {
        self.glance(|db, _| work::next_due(db, profile))
    }

    async fn related(&self, profile: &str, change: &Stored) -> Result<Vec<Stored>> {
        self.glance(|db, vault| related::related(db, vault, profile, change))
    }

    async fn of_person(&self, profile: &str, person: &str) -> Result<Vec<Stored>> {
        self.glance(|db, vault| related::of_person(db, vault, profile, person))
    }

    async fn finish(&self, claim: &Claim, ended: Ended, record: Record) -> Result<()> {
        let own_epoch = self.own_epoch();
        self.settle(claim, move |db, vault, claim| {
            journal::record(db, vault, own_epoch, &claim.stored.profile, &record)?;
            work::finish(db, vault, claim, &ended)
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
        let reason = reason.to_owned();
        self.settle(claim, move |db, _, claim| {
            work::retry_at(db, claim, at, &reason, counted)
        })
        .await
    }

    async fn park(&self, claim: &Claim, at: Timestamp, reason: &str) -> Result<()> {
        let reason = reason.to_owned();
        self.settle(claim, move |db, _, claim| {
            work::park(db, claim, at, &reason)
        })
        .await
    }

    async fn wake(&self, profile: &str, now: Timestamp) -> Result<()> {
        let (own_epoch, profile) = (self.own_epoch(), profile.to_owned());
        self.write(move |db, _| {
            // After a pause its `now` is long past, and what rests looks as if a clock had been set back.
            if own_epoch > 0 && work::epoch(db)? != own_epoch {
                return Err(Error::Superseded);
            }
            work::wake(db, &profile, now)
        })
        .await
    }

    async fn links(&self, profile: &str, tokens: &[String]) -> Result<Vec<Link>> {
        self.glance(|db, vault| journal::links(db, vault, profile, tokens))
    }

    async fn register(&self, profile: &str, lead: &str) -> Result<Register> {
        self.glance(|db, vault| journal::register(db, vault, profile, lead))
    }

    async fn effects(&self, profile: &str, change_key: &str) -> Result<Vec<Effect>> {
        self.glance(|db, vault| journal::effects(db, vault, profile, change_key))
    }

    async fn record(&self, profile: &str, record: Record) -> Result<()> {
        let (own_epoch, profile) = (self.own_epoch(), profile.to_owned());
        self.write_for_lane(move |db, vault| {
            journal::record(db, vault, own_epoch, &profile, &record)
        })
        .await
    }

    async fn doubt(&self, doubt: &Doubt) -> Result<()> {
        let doubt = doubt.clone();
        self.write(move |db, _| doubts::doubt(db, &doubt)).await
    }

    async fn doubts(&self, profile: &str, now: Timestamp, limit: usize) -> Result<Vec<Doubt>> {
        self.glance(|db, _| doubts::doubts(db, profile, now, limit))
    }

    async fn look_again(&self, doubt: &Doubt, at: Option<Timestamp>) -> Result<()> {
        let doubt = doubt.clone();
        self.write(move |db, _| doubts::look_again(db, &doubt, at))
            .await
    }

    async fn merge(&self, profile: &str, lead: &str, into: &str) -> Result<()> {
        let (profile, lead, into) = (profile.to_owned(), lead.to_owned(), into.to_owned());
        self.write(move |db, _| doubts::merge(db, &profile, &lead, &into))
            .await
    }

    async fn standing_for(&self, profile: &str, lead: &str) -> Result<String> {
        self.glance(|db, _| doubts::standing_for(db, profile, lead.to_owned()))
    }

    async fn last_sent(
        &self,
        profile: &str,
        lead: &str,
        kind: Option<Kind>,
    ) -> Result<Option<Timestamp>> {
        let (profile, lead) = (profile.to_owned(), lead.to_owned());
        self.look(move |db, _| doubts::last_sent(db, &profile, &lead, kind))
            .await
    }

    async fn pause(&self, profile: &str, pause: Option<Pause>) -> Result<()> {
        let profile = profile.to_owned();
        self.write(move |db, _| notes::pause(db, &profile, pause.as_ref()))
            .await
    }

    async fn paused(&self, profile: &str) -> Result<Option<Pause>> {
        self.glance(|db, _| notes::paused(db, profile))
    }

    async fn remember(&self, profile: &str, key: &str, until: Timestamp) -> Result<()> {
        let (profile, key) = (profile.to_owned(), key.to_owned());
        self.write(move |db, _| notes::remember(db, &profile, &key, until))
            .await
    }

    async fn remembered(&self, profile: &str, key: &str, now: Timestamp) -> Result<bool> {
        self.glance(|db, _| notes::remembered(db, profile, key, now))
    }

    async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Vec<Delivery>> {
        let filter = filter.clone();
        self.look(move |db, _| look::deliveries(db, &filter)).await
    }

    async fn delivery(&self, id: &str) -> Result<Option<Delivery>> {
        let id = id.to_owned();
        self.look(move |db, vault| look::delivery(db, vault, &id))
            .await
    }

    async fn proof(&self, profile: &str, uid: &str) -> Result<Proof> {
        let (profile, uid) = (profile.to_owned(), uid.to_owned());
        self.look(move |db, vault| look::proof(db, vault, &profile, &uid))
            .await
    }

    async fn counts(&self, profile: Option<&str>) -> Result<Counts> {
        let profile = profile.map(str::to_owned);
        self.look(move |db, _| look::counts(db, profile.as_deref()))
            .await
    }

    async fn notify(&self, notice: &Notice, now: Timestamp) -> Result<bool> {
        let notice = notice.clone();
        self.write(move |db, _| notes::notify(db, &notice, now))
            .await
    }

    async fn notices(&self, profile: &str, limit: usize) -> Result<Vec<Notice>> {
        let profile = profile.to_owned();
        self.look(move |db, _| notes::notices(db, &profile, limit))
            .await
    }

    async fn replay(&self, id: &str) -> Result<bool> {
        let id = id.to_owned();
        self.write(move |db, _| replay::replay(db, &id)).await
    }

    async fn set_meta(&self, key: &str, value: &str) -> Result<()> {
        let (key, value) = (key.to_owned(), value.to_owned());
        self.write(move |db, _| notes::set_meta(db, &key, &value))
            .await
    }

    async fn meta(&self, key: &str) -> Result<Option<String>> {
        self.glance(|db, _| notes::meta(db, key))
    }

    async fn add_token(&self, token: &Token) -> Result<()> {
        let token = token.clone();
        self.write(move |db, _| notes::add_token(db, &token)).await
    }

    async fn token(&self, hash: &str) -> Result<Option<Token>> {
        self.glance(|db, _| notes::token(db, hash))
    }

    async fn tokens(&self, profile: &str) -> Result<Vec<Token>> {
        self.glance(|db, _| notes::tokens(db, profile))
    }

    async fn revoke_token(&self, profile: &str, id: &str) -> Result<bool> {
        let (profile, id) = (profile.to_owned(), id.to_owned());
        self.write(move |db, _| notes::revoke_token(db, &profile, &id))
            .await
    }

    fn marker_key(&self) -> [u8; 32] {
        self.vault.marker_key
    }

    fn person_key(&self, profile: &str, identity: &str) -> String {
        self.vault.blind(profile, identity)
    }

    async fn healthy(&self) -> Result<()> {
        self.write(|db, _| work::beat(db)).await
    }

    async fn damage(&self) -> Result<Vec<String>> {
        self.look(|db, _| damage::damage(db)).await
    }

    fn is_failing(&self) -> bool {
        self.writer.is_failing()
    }

    fn commits(&self) -> u64 {
        self.writer.commits()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_statement_fits_the_schema() {
        let db = Connection::open_in_memory().expect("a database in memory");
        schema::migrate(&db, "memory").expect("the schema is made");
        for sql in [
            aliases::ALL,
            damage::ALL,
            doubts::ALL,
            hooks::ALL,
            inbox::ALL,
            index::ALL,
            journal::ALL,
            lane::ALL,
            look::ALL,
            notes::ALL,
            papers::ALL,
            profiles::ALL,
            questions::ALL,
            related::ALL,
            replay::ALL,
            reseal::ALL,
            secrets::ALL,
            work::ALL,
        ]
        .concat()
        {
            if let Err(error) = db.prepare(sql) {
                panic!("{error} in: {sql}");
            }
        }
    }
}
