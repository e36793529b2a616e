//! The store on Postgres, and what is claimed of servers and replicas alone.

use std::io::Write;
use std::sync::Once;
use std::time::{Duration, Instant};

use domain::effect::{Effect, Kind, State};
use store::Error;
use store::rows::{Lease, Record, Status};
use tokio_postgres::{Client, NoTls};

use crate::journal::effect;
use crate::world::*;

pub const KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// A database that is dropped after the test.
pub struct Database {
    server: String,
    name: String,
}

/// Where databases may be made, if that was told.
fn server() -> Option<String> {
    static TOLD: Once = Once::new();
    let server = std::env::var("CALUP_TEST_POSTGRES").ok();
    if server.is_none() {
        // Not by `eprintln!`, which a test that passes keeps to itself.
        TOLD.call_once(|| {
            let said = b"\n*** SKIPPED: the store on Postgres; set CALUP_TEST_POSTGRES=postgres://... to a server\n\n";
            let _ = std::io::stderr().write_all(said);
        });
    }
    server
}

async fn connect(address: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(address, NoTls)
        .await
        .expect("the server in CALUP_TEST_POSTGRES answers");
    tokio::spawn(connection);
    client
}

/// The same server, another database.
fn within(server: &str, name: &str) -> String {
    let (base, query) = server.split_once('?').unwrap_or((server, ""));
    let (scheme, rest) = base.split_once("://").expect("an address");
    let host = rest.split('/').next().unwrap_or_default();
    format!("{scheme}://{host}/{name}?{query}")
}

impl Database {
    pub async fn made() -> Option<Self> {
        let server = server()?;
        let name = format!("calup_test_{}", uuid::Uuid::now_v7().simple());
        let sql = format!("CREATE DATABASE {name}");
        connect(&server)
            .await
            .batch_execute(&sql)
            .await
            .expect("a database for the test");
        Some(Self { server, name })
    }

    pub fn url(&self) -> String {
        within(&self.server, &self.name)
    }

    async fn store(&self) -> Any {
        store::open(&self.url(), Some(KEY)).await.expect("opened")
    }

    async fn refused(&self, keys: Option<&str>) -> String {
        refused(&self.url(), keys).await
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let sql = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        let server = self.server.clone();
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async { connect(&server).await.batch_execute(&sql).await })
        });
        // A database left behind on a server for tests does no harm.
        let _ = dropping.join();
    }
}

pub async fn refused(url: &str, keys: Option<&str>) -> String {
    match store::open(url, keys).await {
        Err(Error::Unusable(said)) => said,
        Err(other) => panic!("refused, but with {other:?}"),
        Ok(_) => panic!("it was opened"),
    }
}

pub async fn fresh() -> Option<(Any, Database)> {
    let database = Database::made().await?;
    let store = database.store().await;
    take_over(&store).await;
    Some((store, database))
}

async fn lease(store: &Any, owner: &str, ttl: Duration) -> Lease {
    store
        .lease(PROFILE, owner, ttl, at("12:00"))
        .await
        .expect("answers")
}

#[tokio::test]
async fn a_lease_is_one_owner_s_until_it_ends_or_is_given_back() {
    let Some(database) = Database::made().await else {
        return;
    };
    let (one, two) = (database.store().await, database.store().await);
    let short = Duration::from_millis(400);
    assert_eq!(lease(&one, "one", short).await, Lease::Held { epoch: 1 });
    let Lease::Theirs { owner, left } = lease(&two, "two", short).await else {
        panic!("two owners at once")
    };
    assert_eq!(owner, "one");
    assert!(left > Duration::ZERO && left <= short, "{left:?}");
    tokio::time::sleep(Duration::from_millis(250)).await;
    assert_eq!(lease(&one, "one", short).await, Lease::Held { epoch: 1 });
    tokio::time::sleep(Duration::from_millis(250)).await;
    assert!(
        matches!(lease(&two, "two", short).await, Lease::Theirs { .. }),
        "it was made to last"
    );

    tokio::time::sleep(short).await;
    assert_eq!(lease(&two, "two", TTL).await, Lease::Held { epoch: 2 });
    assert!(matches!(
        lease(&one, "one", TTL).await,
        Lease::Theirs { .. }
    ));

    one.release(PROFILE, "one").await.expect("answers");
    assert!(
        matches!(lease(&one, "one", TTL).await, Lease::Theirs { .. }),
        "nobody gives back what is another's"
    );
    two.release(PROFILE, "two").await.expect("answers");
    assert_eq!(lease(&one, "one", TTL).await, Lease::Held { epoch: 3 });
    assert_eq!(
        two.lease("other", "two", TTL, at("12:00"))
            .await
            .expect("answers"),
        Lease::Held { epoch: 1 },
        "each profile has its own"
    );
}

#[tokio::test]
async fn who_lost_the_lease_can_write_nothing_of_it_and_who_has_it_goes_on() {
    let Some(database) = Database::made().await else {
        return;
    };
    let (old, new) = (database.store().await, database.store().await);
    lease(&old, "old", Duration::from_millis(200)).await;
    let id = comes(&old, vec![booked("bk_1", "ada@example.com", "10:00")]).await;
    let claim_of_old = claim(&old, "12:00").await;
    let mut left = effect("e_1", &claim_of_old.stored.key, 1);
    record_effect(&old, &left).await.expect("saved");
    tokio::time::sleep(Duration::from_millis(250)).await;

    assert_eq!(lease(&new, "new", TTL).await, Lease::Held { epoch: 2 });

    let journal = new.effects(PROFILE, &left.change).await.expect("answers");
    assert_eq!((journal[0].state, journal[0].epoch), (State::Unknown, 1));
    left.state = State::Applied;
    let saved = record_effect(&old, &left).await;
    let finished = old
        .finish(&claim_of_old, ended(Status::Done), Record::default())
        .await;
    let claimed = old.claim(PROFILE, at("12:00"), 1, &[]).await;
    new.receive(raw("unread")).await.expect("received");
    let unread = old.unread(PROFILE, 10).await;
    let back = old.retry_at(&claim_of_old, at("12:00"), "no", true).await;
    let merged = old.merge(PROFILE, "lead_2", "lead_1").await;
    for refused in [
        saved,
        finished,
        back,
        merged,
        claimed.map(|_| ()),
        unread.map(|_| ()),
    ] {
        assert!(matches!(refused, Err(Error::Superseded)), "{refused:?}");
    }
    let journal = new.effects(PROFILE, &left.change).await.expect("answers");
    assert_eq!(journal[0].state, State::Unknown);
    assert_eq!(status(&new, &id).await, Status::Pending);
    let claim_of_new = claim(&new, "12:00").await;
    assert_eq!((claim_of_new.epoch, claim_of_new.stored.attempts), (2, 2));
    finish(&new, &claim_of_new, Status::Done).await;
    assert_eq!(status(&old, &id).await, Status::Done, "anybody may look");
}

/// What was in doubt when another one took over: "one" made and said something just now, and something long ago.
async fn doubted_after(ended: impl AsyncFn(&Any)) -> Option<Vec<String>> {
    let database = Database::made().await?;
    let (one, two) = (database.store().await, database.store().await);
    let short = Duration::from_millis(300);
    assert_eq!(lease(&one, "one", short).await, Lease::Held { epoch: 1 });
    let now = jiff::Timestamp::now();
    let sent = |key: &str, kind, ago: i64| Effect {
        kind,
        state: State::Applied,
        last_sent_at: now - jiff::SignedDuration::from_mins(ago),
        ..effect(key, "c_1", 1)
    };
    let absent = Effect {
        state: State::Absent,
        ..sent("e_4", Kind::Comment, 0)
    };
    for effect in [
        sent("e_1", Kind::Create, 1),
        sent("e_2", Kind::BlockComment, 0),
        sent("e_3", Kind::Write, 0),
        absent,
        sent("e_5", Kind::Comment, 30),
    ] {
        record_effect(&one, &effect).await.expect("saved");
    }
    ended(&one).await;
    assert_eq!(lease(&two, "two", TTL).await, Lease::Held { epoch: 2 });
    let soon = now + jiff::SignedDuration::from_secs(60);
    let due = two.doubts(PROFILE, soon, 10).await.expect("answers");
    let day = jiff::SignedDuration::from_hours(24);
    assert!(
        due.iter().all(|d| d.until.duration_since(d.due) == day),
        "{due:?}"
    );
    let mut keys: Vec<String> = due.into_iter().map(|d| d.effect).collect();
    keys.sort();
    Some(keys)
}

#[tokio::test]
async fn what_was_sent_lately_is_in_doubt_when_its_senders_lease_ran_out() {
    let ran_out = doubted_after(async |_| tokio::time::sleep(Duration::from_millis(350)).await);
    if let Some(doubted) = ran_out.await {
        assert_eq!(doubted, ["e_1", "e_2", "e_4"]);
    }
}

#[tokio::test]
async fn what_was_sent_is_in_no_doubt_when_its_sender_gave_the_lease_back() {
    let given = doubted_after(async |one| one.release(PROFILE, "one").await.expect("given back"));
    if let Some(doubted) = given.await {
        assert_eq!(doubted, Vec::<String>::new());
    }
}

#[tokio::test]
async fn who_is_older_than_the_schema_keeps_a_lease_but_is_granted_none() {
    let Some(database) = Database::made().await else {
        return;
    };
    let (works, stands_by) = (database.store().await, database.store().await);
    lease(&works, "works", TTL).await;
    connect(&database.url())
        .await
        .batch_execute("INSERT INTO calup_schema (version) VALUES (999)")
        .await
        .expect("as a newer one left it");
    assert_eq!(lease(&works, "works", TTL).await, Lease::Held { epoch: 1 });
    let asked = || stands_by.lease(PROFILE, "stands by", TTL, at("12:00"));
    assert!(matches!(asked().await, Ok(Lease::Theirs { .. })));
    works.release(PROFILE, "works").await.expect("given back");
    let Err(Error::Unusable(said)) = asked().await else {
        panic!("it was granted")
    };
    assert!(said.contains("schema 999"), "{said}");
    let taken = stands_by.receive(raw("taken all the same")).await;
    taken.expect("received");
}

#[tokio::test]
async fn any_replica_takes_deliveries_and_one_works_them_off() {
    let Some(database) = Database::made().await else {
        return;
    };
    let (works, stands_by) = (database.store().await, database.store().await);
    take_over(&works).await;
    let here = works.receive(raw("here")).await.expect("received");
    let there = stands_by.receive(raw("there")).await.expect("received");
    assert!(matches!(
        stands_by.unread(PROFILE, 10).await,
        Err(Error::Superseded)
    ));
    let unread = works.unread(PROFILE, 10).await.expect("handed out");
    assert_eq!(
        unread.iter().map(|d| &d.id).collect::<Vec<_>>(),
        [&here, &there]
    );
    assert!(stands_by.replay(&here).await.expect("answers"));
    assert_eq!(stands_by.marker_key(), works.marker_key());
}

#[tokio::test]
async fn a_transaction_that_is_never_ended_does_not_keep_the_lease_from_others() {
    let Some((store, database)) = fresh().await else {
        return;
    };
    comes(&store, vec![booked("bk_1", "ada@example.com", "10:00")]).await;
    // As a process that is stopped in the middle: it has the lock, and says nothing more.
    let stopped = connect(&database.url()).await;
    stopped
        .batch_execute(
            "SET idle_in_transaction_session_timeout = '8s'; BEGIN; SELECT 1 FROM lease FOR UPDATE",
        )
        .await
        .expect("locked");
    let began = Instant::now();
    let second = database.store().await;
    let limit = Duration::from_secs(15);
    while second.wake(PROFILE, at("12:00")).await.is_err() {
        assert!(began.elapsed() < limit, "still locked");
    }
}

#[tokio::test]
async fn what_no_text_column_takes_neither_fails_nor_confuses() {
    let Some((store, _kept)) = fresh().await else {
        return;
    };
    let (long, longer) = ("x".repeat(5_000), "x".repeat(5_001));
    for uid in ["nul\0here", &long, &longer] {
        let id = comes(&store, vec![booked(uid, "ada@example.com", "10:00")]).await;
        assert_eq!(status(&store, &id).await, Status::Pending);
        let twice = comes(&store, vec![booked(uid, "ada@example.com", "10:00")]).await;
        assert_eq!(status(&store, &twice).await, Status::Duplicate);
        let changes = store.proof(PROFILE, uid).await.expect("answers").changes;
        let uids: Vec<_> = changes.iter().map(|c| &c.change.booking.uid).collect();
        assert_eq!(uids, [uid]);
    }
    let bob = moved(&long, "bk_2", "bob@example.com", "10:01");
    comes(&store, vec![bob]).await;
    let of_bob = store.proof(PROFILE, "bk_2").await.expect("answers").changes;
    let related = store.related(PROFILE, &of_bob[0]).await.expect("answers");
    assert!(related.iter().any(|c| c.change.booking.uid == long));
    let claims = claims(&store, "12:00").await;
    store
        .retry_at(&claims[0], at("12:01"), "clickup said \0", true)
        .await
        .expect("put back");
}

#[tokio::test]
async fn everything_is_there_for_whoever_opens_it_next() {
    let Some((store, database)) = fresh().await else {
        return;
    };
    let read = comes(&store, vec![booked("bk_1", "ada@example.com", "10:00")]).await;
    let unread = store.receive(raw("unread")).await.expect("received");
    let person = store.person_key(PROFILE, "email:ada@example.com");
    drop(store);
    let store = database.store().await;
    assert_eq!(take_over(&store).await, 2);
    assert_eq!(status(&store, &read).await, Status::Pending);
    assert_eq!(
        store.unread(PROFILE, 10).await.expect("handed out")[0].id,
        unread
    );
    assert_eq!(store.person_key(PROFILE, "email:ada@example.com"), person);
    assert_eq!(work_off(&store, "12:00").await, ["bk_1"]);
}

#[tokio::test]
async fn replicas_may_make_a_database_at_once() {
    let Some(database) = Database::made().await else {
        return;
    };
    let (one, two, three) = tokio::join!(database.store(), database.store(), database.store());
    let keys = [one, two, three].map(|store| store.marker_key());
    assert!(keys.iter().all(|key| *key == keys[0]));
}

#[tokio::test]
async fn a_key_is_needed_and_has_to_fit() {
    let Some(database) = Database::made().await else {
        return;
    };
    for none in [None, Some(" ")] {
        let said = database.refused(none).await;
        assert!(
            said.contains("CALUP_MASTER_KEY is not set") && said.contains("openssl"),
            "{said}"
        );
    }
    drop(database.store().await);
    let other = store::sealed::generate();
    let said = database.refused(Some(&other)).await;
    assert!(
        said.contains("another key") && said.contains("put that key back"),
        "{said}"
    );
    let both = format!("{other},{KEY}");
    let renewed = store::open(&database.url(), Some(&both)).await;
    renewed.expect("a new key before the old one");
}

#[tokio::test]
async fn a_wrong_database_is_refused_with_what_to_do() {
    let Some(database) = Database::made().await else {
        return;
    };
    let direct = connect(&database.url()).await;
    direct
        .batch_execute("CREATE TABLE songs (name TEXT)")
        .await
        .expect("made");
    let said = database.refused(Some(KEY)).await;
    assert!(said.contains("another program's"), "{said}");

    direct
        .batch_execute("DROP TABLE songs")
        .await
        .expect("dropped");
    drop(database.store().await);
    direct
        .batch_execute("INSERT INTO calup_schema (version) VALUES (999)")
        .await
        .expect("as a newer one left it");
    let said = database.refused(Some(KEY)).await;
    assert!(
        said.contains("written by a newer calup") && said.contains("999"),
        "{said}"
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_without_its_password() {
    for url in [
        "postgres://me:s3cret@127.0.0.1:1/calup",
        "postgres://me:s3cret@%2Fnowhere/calup",
    ] {
        let began = Instant::now();
        let said = refused(url, Some(KEY)).await;
        assert!(
            said.contains("Postgres at") && said.contains("check that the server runs"),
            "{said}"
        );
        assert!(!said.contains("s3cret"), "{said}");
        assert!(began.elapsed() < Duration::from_secs(5));
    }
}

#[tokio::test]
async fn the_schema_before_this_one_is_brought_along() {
    let Some(database) = Database::made().await else {
        return;
    };
    let direct = connect(&database.url()).await;
    for step in [
        include_str!("../../src/postgres/schema/1.sql"),
        include_str!("../../src/postgres/schema/2.sql"),
        include_str!("../../src/postgres/schema/3.sql"),
        include_str!("../../src/postgres/schema/4.sql"),
        include_str!("../../src/postgres/schema/5.sql"),
        include_str!("../../src/postgres/schema/6.sql"),
        "CREATE TABLE calup_schema (version BIGINT NOT NULL);
         INSERT INTO calup_schema (version) VALUES (1), (2), (3), (4), (5), (6);
         INSERT INTO delivery (id, profile, received_at, status, sha256, secret_index, is_read) VALUES
           ('d_1', 'default', 1, 'done', 'aa', 0, true);
         INSERT INTO token (id, name, scope, hash, created_at) VALUES ('t_1', 'laptop', 'all', 'hash', 1);",
    ] {
        let made = direct.batch_execute(step).await;
        made.expect("as the version before made it");
    }

    let store = database.store().await;

    let counts = store.counts(None).await.expect("counted").by_status;
    assert!(counts.contains(&(Status::Done, 1)), "{counts:?}");
    crate::index::is_of_use(&store).await;
    crate::profiles::is_of_use(&store).await;
}

#[tokio::test]
async fn of_many_answers_through_two_replicas_one_is_first() {
    let Some((works, database)) = fresh().await else {
        return;
    };
    let stands_by = database.store().await;
    crate::answers::race(&[works, stands_by]).await;
}

#[tokio::test]
async fn a_question_that_cannot_be_opened_is_in_nobodys_way() {
    let Some((store, database)) = fresh().await else {
        return;
    };
    let direct = connect(&database.url()).await;
    let spoil = async || {
        let spoilt = direct.batch_execute("UPDATE question SET body = '\\x00'");
        spoilt.await.expect("spoilt");
    };
    crate::questions::what_cannot_be_opened_is_in_nobodys_way(store, spoil).await;
}

#[tokio::test]
async fn nothing_stands_in_the_clear() {
    let Some((store, database)) = fresh().await else {
        return;
    };
    let mut change = booked("bk_1", "canary@example.com", "10:00");
    change.person.name = "Canary Bird".into();
    let id = store
        .receive(raw("{\"email\":\"canary@example.com\"}"))
        .await
        .expect("received");
    store.read(&id, reading(vec![change])).await.expect("read");
    let mut told = effect("e_1", "c_1", 1);
    told.desired = "Canary Bird".into();
    told.pre_image = Some("canary@example.com".into());
    record_effect(&store, &told).await.expect("saved");
    work_off(&store, "12:00").await;
    crate::index::index_a_canary(&store).await;
    crate::questions::ask_about_a_canary(&store).await;
    crate::profiles::keep_a_canary(&store).await;
    let direct = connect(&database.url()).await;
    let tables = direct
        .query(
            "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
            &[],
        )
        .await
        .expect("tables");
    assert!(tables.len() > 10);
    for table in &tables {
        let table: &str = table.get(0);
        let sql = format!("SELECT count(*) FROM {table} t WHERE t::text ILIKE '%canary%'");
        let hits: i64 = direct.query_one(&sql, &[]).await.expect("looked").get(0);
        // Sealed bytes are shown as hex, so the word itself is looked for as hex too.
        let hex = hex::encode("anary");
        let sql = format!("SELECT count(*) FROM {table} t WHERE t::text LIKE '%{hex}%'");
        let sealed: i64 = direct.query_one(&sql, &[]).await.expect("looked").get(0);
        assert_eq!((hits, sealed), (0, 0), "in {table}");
    }
}

#[tokio::test]
async fn a_profile_that_cannot_be_opened_says_why_and_is_in_nobodys_way() {
    let Some((store, database)) = fresh().await else {
        return;
    };
    let direct = connect(&database.url()).await;
    let swap = async || {
        let swapped = direct.batch_execute(crate::profiles::SWAP);
        swapped.await.expect("moved");
    };
    crate::profiles::what_was_moved_does_not_open(store, swap).await;
}

#[tokio::test]
async fn everything_comes_under_a_new_master_key_however_often_that_is_interrupted() {
    let Some(database) = Database::made().await else {
        return;
    };
    let open = async |keys: &str| {
        store::open(&database.url(), Some(keys))
            .await
            .expect("opened")
    };
    crate::profiles::everything_is_sealed_anew(open).await;
}

#[tokio::test]
async fn after_a_fail_over_all_leases_end_and_what_was_done_is_asked_for() {
    let Some(database) = Database::made().await else {
        return;
    };
    let store = database.store().await;
    assert_eq!(lease(&store, "one", TTL).await, Lease::Held { epoch: 1 });
    let id = comes(&store, vec![booked("bk_1", "ada@example.com", "10:00")]).await;
    let begun = claim(&store, "12:00").await;
    assert_eq!(store.meta(store::RESTORED).await.expect("answers"), None);

    let direct = connect(&database.url()).await;
    direct
        .batch_execute("UPDATE meta SET value = 'another 00000001' WHERE key = 'server'")
        .await
        .expect("as the server before left it");
    let other = database.store().await;
    other.healthy().await.expect("it is looked at whose it is");
    let finished = store
        .finish(&begun, ended(Status::Done), Record::default())
        .await;

    assert!(matches!(finished, Err(Error::Superseded)), "{finished:?}");
    let restored = store.meta(store::RESTORED).await.expect("answers");
    assert_eq!(restored.as_deref(), Some(""));
    let next = lease(&store, "two", TTL).await;
    let Lease::Held { epoch } = next else {
        panic!("{next:?}")
    };
    assert!(epoch > 1_000, "beyond what may have been lost: {epoch}");
    assert_eq!(status(&store, &id).await, Status::Pending);

    store.set_meta(store::RESTORED, "off").await.expect("kept");
    let later = database.store().await;
    assert_eq!(
        later.meta(store::RESTORED).await.expect("answers"),
        Some("off".into()),
        "once for each fail-over"
    );
    assert_eq!(lease(&later, "two", TTL).await, Lease::Held { epoch });
}

#[tokio::test]
async fn an_index_that_is_missing_or_was_cut_short_is_built_at_the_next_start() {
    let Some(database) = Database::made().await else {
        return;
    };
    drop(database.store().await);
    let direct = connect(&database.url()).await;
    direct
        .batch_execute(
            "DROP INDEX effect_target;
             UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'delivery_status'::regclass",
        )
        .await
        .expect("spoilt");

    let store = database.store().await;

    let usable = direct
        .query(
            "SELECT indexrelid::regclass::text AS name FROM pg_index
             WHERE indisvalid AND indexrelid::regclass::text IN ('delivery_status', 'effect_target') ORDER BY 1",
            &[],
        )
        .await
        .expect("answers");
    let names: Vec<&str> = usable.iter().map(|row| row.get(0)).collect();
    assert_eq!(names, ["delivery_status", "effect_target"]);
    store.healthy().await.expect("a write goes through");
}
