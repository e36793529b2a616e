//! What must survive a crash. Methods are domain verbs, because atomicity lives in the verb: each returns
//! after its transaction is durable, and many waiting verbs share one commit.

mod asking;
mod crashes;
mod hooks;
mod inbox;
mod index;
mod known;
mod names;
mod papers;
mod postgres;
mod profiles;
mod questions;
mod related;
mod reseal;
pub mod rows;
pub mod sealed;
mod sqlite;
mod statements;
mod vault;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use domain::effect::{Effect, Kind};
use jiff::Timestamp;

use crate::rows::{
    Claim, Counts, Delivery, DeliveryFilter, Doubt, Ended, Lease, Link, NewDelivery, Notice, Pause,
    Proof, Reading, Record, Register, Stored, Token,
};

pub use self::asking::Asking;
pub use self::crashes::{STOPPED_BY_READING, STOPPED_BY_WORK};
pub use self::papers::Papers;
pub use self::profiles::Profiles;

/// The fact (`Store::meta`) that the database was found to be an older copy, and when (RFC 3339).
pub const RESTORED: &str = "restored_at";

pub type Result<T> = std::result::Result<T, Error>;

#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Nothing was stored; the sender should hear 503.
    #[error("the database is full or cannot be written: {0}")]
    Unwritable(String),
    /// A compare-and-set found another epoch or state: drop the result and stop.
    #[error("another process has taken over this database")]
    Superseded,
    /// A sentence that says what to do.
    #[error("{0}")]
    Unusable(String),
    #[error("database: {0}")]
    Other(String),
}

/// Sorts by arrival.
fn new_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// Opens `sqlite://path` or `postgres://…`, makes or migrates the schema, and reads the master key (from `master_keys`;
/// without it, SQLite's is in the file `<path>.key`, made beside the database with mode 0600). Works beside a running
/// server.
pub async fn open(url: &str, master_keys: Option<&str>) -> Result<Arc<dyn Store>> {
    if postgres::is_ours(url) {
        postgres::open(url, master_keys).await
    } else {
        sqlite::open(url, master_keys).await
    }
}

/// The same file without a writing thread: each verb runs and commits on its caller's thread, so that a simulation is
/// the same each time. Not for the program: it does not wait for the disk.
pub fn open_inline(url: &str, master_keys: Option<&str>) -> Result<Arc<dyn Store>> {
    sqlite::open_inline(url, master_keys)
}

/// The file of an address, whether it is there or not; `None` when a server keeps it.
pub fn file_of(url: &str) -> Result<Option<PathBuf>> {
    if postgres::is_ours(url) {
        Ok(None)
    } else {
        sqlite::file_of(url).map(Some)
    }
}

#[async_trait::async_trait]
pub trait Store: Asking + Papers + Profiles + Send + Sync {
    // --- who works here ---

    /// Whether several processes may take turns: then a lease ends after its time, by the database's clock. Else it is
    /// an operating-system lock, which lasts as long as the process.
    fn is_shared(&self) -> bool;
    /// Grants `owner` the lease of a profile, makes it last `ttl` from now on, or tells who has it. A grant to somebody
    /// else than before raises the epoch, and turns what the earlier holder left: running changes → pending (from the
    /// third stop in a row on they wait, counted from `now`), attempting effects → unknown. Where processes do not
    /// share, another one's lock is a sentence; where they do, a schema that is newer than this build is one
    /// ([`Error::Unusable`]).
    async fn lease(
        &self,
        profile: &str,
        owner: &str,
        ttl: Duration,
        now: Timestamp,
    ) -> Result<Lease>;
    /// Ends the lease, if it is `owner`'s: the next one to ask has it at once.
    async fn release(&self, profile: &str, owner: &str) -> Result<()>;

    /// Gives the database a new generation id, and with it what stands beside it (a file, where the database is
    /// one): an older copy that is put back is noticed at the next take-over, which then sets the fact
    /// [`RESTORED`] (empty, for the caller to date). To be called now and then while something is written, and
    /// before a clean stop. Where nothing can stand beside the database it does nothing.
    async fn renew(&self) -> Result<()>;

    // --- intake ---

    /// Stores a raw delivery, sealed. Durable on return.
    async fn receive(&self, delivery: NewDelivery) -> Result<String>;
    /// Deliveries not yet read, oldest first, bodies opened.
    async fn unread(&self, profile: &str, limit: usize) -> Result<Vec<Delivery>>;
    /// Writes what a delivery means. Its changes are compared with those known (`domain::change::is_known`,
    /// in the same transaction); a delivery all of whose changes are known ends `duplicate`.
    async fn read(&self, delivery_id: &str, reading: Reading) -> Result<()>;

    /// The same for several, which may share a commit.
    async fn read_many(&self, readings: Vec<(String, Reading)>) -> Result<()>;

    // --- working off ---

    /// Up to `limit` changes whose time has come (`pending`, or `waiting` with `retry_at <= now`), at most one
    /// per lane, none in a lane that has a running one, and within a lane never overtaking: the first by
    /// (booking depth is not known here) `created_at`, then arrival. A waiting change blocks its lane.
    /// Marks them running, counts the attempt. Those whose keys are `at_work` are left alone, whatever is stored: somebody
    /// who could not hear whether they were put back is still at them.
    async fn claim(
        &self,
        profile: &str,
        now: Timestamp,
        limit: usize,
        at_work: &[String],
    ) -> Result<Vec<Claim>>;
    /// Puts back what runs under this process's epoch and is not among the keys `at_work`; the attempt does not count.
    /// For after a `claim` that failed: it may have been committed all the same, and only its answer was lost.
    async fn unclaim(&self, profile: &str, at_work: &[String]) -> Result<()>;
    /// When the next waiting change is due; `None` when nothing waits.
    async fn next_due(&self, profile: &str) -> Result<Option<Timestamp>>;
    /// All changes that a decision about `change` depends on: those of its person, and those that share a
    /// chain with any of its bookings (by uid, predecessor, iCalUID), transitively through chains only.
    async fn related(&self, profile: &str, change: &Stored) -> Result<Vec<Stored>>;
    /// All changes of a person by key, and those that share a chain with any of their bookings.
    async fn of_person(&self, profile: &str, person: &str) -> Result<Vec<Stored>>;
    /// Ends a change, and writes what is still to be recorded of it; its delivery ends with it when it was the last
    /// one.
    async fn finish(&self, claim: &Claim, ended: Ended, record: Record) -> Result<()>;
    /// Puts a change back: it is tried again at `at`. `counted` is false when the attempt should not count.
    async fn retry_at(
        &self,
        claim: &Claim,
        at: Timestamp,
        reason: &str,
        counted: bool,
    ) -> Result<()>;
    /// Puts a change back that waits for another one; the attempt does not count. Unlike any other that waits it
    /// does not block its lane, and it is due as soon as another change of its lane has ended, `at` the latest.
    async fn park(&self, claim: &Claim, at: Timestamp, reason: &str) -> Result<()>;
    /// Makes everything that waits due now (a vendor came back).
    async fn wake(&self, profile: &str, now: Timestamp) -> Result<()>;

    // --- what was done ---

    /// The journal of one change.
    async fn effects(&self, profile: &str, change_key: &str) -> Result<Vec<Effect>>;
    async fn links(&self, profile: &str, tokens: &[String]) -> Result<Vec<Link>>;
    async fn register(&self, profile: &str, lead: &str) -> Result<Register>;
    /// Writes the rows as given, durable on return. Compare-and-set: fails with `Superseded`, and writes nothing, when
    /// a stored effect has a higher epoch, or when this process's epoch is not the newest.
    async fn record(&self, profile: &str, record: Record) -> Result<()>;

    // --- what may stand twice in the CRM ---

    /// Has an effect looked after until `doubt.until`, from `doubt.due` on; known already, only its end moves on.
    /// A take-over from an owner that may still be alive (a lease that ran out) also doubts what that one sent
    /// lately; one that is proven dead left its doubts as `unknown` effects, whose look-up doubts them.
    async fn doubt(&self, doubt: &Doubt) -> Result<()>;
    /// Those due, the longest due first.
    async fn doubts(&self, profile: &str, now: Timestamp, limit: usize) -> Result<Vec<Doubt>>;
    /// Looked at, and nothing more to do before `at`; `None` ends it.
    async fn look_again(&self, doubt: &Doubt, at: Option<Timestamp>) -> Result<()>;
    /// `lead` is gone because it was `into` a second time: links that name it mean `into` from now on
    /// ([`Store::links`] says so).
    async fn merge(&self, profile: &str, lead: &str, into: &str) -> Result<()>;
    /// The lead that this one stands for since it was merged: usually itself.
    async fn standing_for(&self, profile: &str, lead: &str) -> Result<String>;
    /// When an effect (of this kind) was last sent to this lead. Rarely asked: it may look through the whole journal.
    async fn last_sent(
        &self,
        profile: &str,
        lead: &str,
        kind: Option<Kind>,
    ) -> Result<Option<Timestamp>>;

    // --- profiles ---

    async fn pause(&self, profile: &str, pause: Option<Pause>) -> Result<()>;
    async fn paused(&self, profile: &str) -> Result<Option<Pause>>;
    /// Small facts with an end (a field quota that is used up): key → until.
    async fn remember(&self, profile: &str, key: &str, until: Timestamp) -> Result<()>;
    async fn remembered(&self, profile: &str, key: &str, now: Timestamp) -> Result<bool>;

    // --- people looking ---

    async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Vec<Delivery>>;
    /// With the opened body.
    async fn delivery(&self, id: &str) -> Result<Option<Delivery>>;
    /// Every delivery, change, link and effect of the profile that mentions the uid.
    async fn proof(&self, profile: &str, uid: &str) -> Result<Proof>;
    /// Of all profiles where none is named.
    async fn counts(&self, profile: Option<&str>) -> Result<Counts>;
    /// Adds a notice, unless the same cause was told within the hour before `now` (then only counted).
    /// Gives whether it is to be told.
    async fn notify(&self, notice: &Notice, now: Timestamp) -> Result<bool>;
    async fn notices(&self, profile: &str, limit: usize) -> Result<Vec<Notice>>;
    /// Makes a delivery pending again: unread ones are read again, finished ones planned again, dead effects
    /// attempted again. What was applied is not applied twice. `false` when there is none.
    async fn replay(&self, id: &str) -> Result<bool>;
    /// Kept by the delivery counter of the last PING (RFC 3339) and alike.
    async fn set_meta(&self, key: &str, value: &str) -> Result<()>;
    async fn meta(&self, key: &str) -> Result<Option<String>>;

    // --- tokens ---

    async fn add_token(&self, token: &Token) -> Result<()>;
    /// By SHA-256 (hex) of the token.
    async fn token(&self, hash: &str) -> Result<Option<Token>>;
    /// Those of a profile, the oldest first.
    async fn tokens(&self, profile: &str) -> Result<Vec<Token>>;
    /// From now on it opens nothing. `false` when the profile has none of that id.
    async fn revoke_token(&self, profile: &str, id: &str) -> Result<bool>;

    // --- keys ---

    /// HMAC key for markers and effect keys of a profile; random, made once per database, kept sealed.
    fn marker_key(&self) -> [u8; 32];
    /// A person's key: HMAC of an identity, so that no address stands in the clear.
    fn person_key(&self, profile: &str, identity: &str) -> String;
    /// `Ok` when a write went through.
    async fn healthy(&self) -> Result<()>;
    /// Looks through the whole database for damage; gives what it found, five things at most.
    async fn damage(&self) -> Result<Vec<String>>;
    /// Whether the newest attempt to commit went wrong. Costs nothing.
    fn is_failing(&self) -> bool;
    /// Commits that wrote something, so far: many verbs share one.
    fn commits(&self) -> u64;
}
