//! The store on SQLite, and what is claimed of its files alone.

use std::fs;
use std::path::{Path, PathBuf};

use store::Error;
use store::rows::{Counts, Record, Register, Status};

use crate::journal::effect;
use crate::world::*;

/// A folder that is gone after the test.
pub struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("calup-store-{}", uuid::Uuid::now_v7()));
        fs::create_dir(&path).expect("a folder for the test");
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder left behind in the temporary one does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Always to be had; other databases may not be.
pub async fn fresh() -> Option<(Any, Folder)> {
    Some(made().await)
}

async fn made() -> (Any, Folder) {
    let folder = Folder::new();
    let store = open(&folder.file("calup.db"), None).await.expect("opened");
    take_over(&store).await;
    (store, folder)
}

async fn open(path: &Path, keys: Option<&str>) -> store::Result<Any> {
    store::open(&format!("sqlite://{}", path.display()), keys).await
}

/// The sentence with which opening is refused.
async fn refused(path: &Path, keys: Option<&str>) -> String {
    match open(path, keys).await {
        Err(Error::Unusable(said)) => said,
        Err(other) => panic!("refused, but with {other:?}"),
        Ok(_) => panic!("{} was opened", path.display()),
    }
}

#[tokio::test]
async fn what_was_answered_survives_a_copy_taken_at_that_moment() {
    let (store, folder) = made().await;
    let id = store.receive(raw("kept")).await.expect("received");
    let other = Folder::new();
    // As after a power cut: the files as they are, with the writer still at work.
    for suffix in ["", "-wal", ".key"] {
        let name = format!("calup.db{suffix}");
        fs::copy(folder.file(&name), other.file(&name)).expect("copied");
    }
    let revived = open(&other.file("calup.db"), None).await.expect("opened");
    assert_eq!(delivery(&revived, &id).await.body, b"kept");
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let (store, folder) = made().await;
    let read = comes(&store, vec![booked("bk_1", "ada@example.com", "10:00")]).await;
    let unread = store.receive(raw("unread")).await.expect("received");
    let (marker, person) = (
        store.marker_key(),
        store.person_key(PROFILE, "email:ada@example.com"),
    );
    drop(store);

    let store = open(&folder.file("calup.db"), None).await.expect("opened");
    assert_eq!(take_over(&store).await, 2);
    assert_eq!(status(&store, &read).await, Status::Pending);
    assert_eq!(
        store.unread(PROFILE, 10).await.expect("handed out")[0].id,
        unread
    );
    assert_eq!(store.marker_key(), marker);
    assert_eq!(store.person_key(PROFILE, "email:ada@example.com"), person);
    assert_eq!(work_off(&store, "12:00").await, ["bk_1"]);
}

#[tokio::test]
async fn a_second_server_is_refused_and_a_second_reader_is_not() {
    let (store, folder) = made().await;
    let second = open(&folder.file("calup.db"), None)
        .await
        .expect("looking is allowed");
    let Err(Error::Unusable(said)) = second.lease(PROFILE, "second", TTL, at("12:00")).await else {
        panic!("two servers on one file")
    };
    assert!(
        said.contains("another calup already works on") && said.contains("stop it first"),
        "{said}"
    );

    let id = store.receive(raw("seen")).await.expect("received");
    assert_eq!(delivery(&second, &id).await.body, b"seen");
    assert!(second.replay(&id).await.expect("the command line may"));
    let claim = second.claim(PROFILE, at("12:00"), 1, &[]).await;
    assert!(
        matches!(claim, Err(Error::Superseded)),
        "but it may not work"
    );
    let unclaimed = second.unclaim(PROFILE, &[]).await;
    assert!(matches!(unclaimed, Err(Error::Superseded)), "{unclaimed:?}");

    drop(store);
    assert_eq!(take_over(&second).await, 2);
}

#[tokio::test]
async fn no_file_holds_an_address_a_name_or_a_secret() {
    let (store, folder) = made().await;
    let epoch = take_over(&store).await;
    let mut change = booked("bk_1", "canary@example.com", "10:00");
    change.person.name = "Canary Bird".into();
    change.booking.notes = Some("canary notes".into());
    change.guests = vec!["canary-guest@example.com".into()];
    let seatless = store::rows::Link {
        token: "chain:bk_1/email:canary@example.com".into(),
        lead: "lead_1".into(),
        how: "e-mail".into(),
        gone: false,
        only: false,
    };
    let id = store
        .receive(raw("{\"email\":\"canary@example.com\"}"))
        .await
        .expect("received");
    store.read(&id, reading(vec![change])).await.expect("read");
    record_links(&store, &[seatless]).await;
    let mut told = effect("e_1", "c_1", epoch);
    told.desired = "Canary Bird".into();
    told.pre_image = Some("canary@example.com".into());
    record_effect(&store, &told).await.expect("recorded");
    let register = Register {
        block_comment_text: Some("canary".into()),
        ..Register::default()
    };
    record_register(&store, "lead_1", &register).await;
    let mut end = ended(Status::Done);
    end.why = vec!["canary@example.com equals".into()];
    store
        .finish(&claim(&store, "12:00").await, end, Record::default())
        .await
        .expect("finished");
    crate::index::index_a_canary(&store).await;
    crate::questions::ask_about_a_canary(&store).await;
    crate::profiles::keep_a_canary(&store).await;
    let marker_key = store.marker_key();

    let search = || {
        for entry in fs::read_dir(&folder.0).expect("a folder") {
            let path = entry.expect("an entry").path();
            let bytes = fs::read(&path).expect("a file");
            let lower = bytes.to_ascii_lowercase();
            assert!(
                !lower.windows(6).any(|w| w == b"canary"),
                "in {}",
                path.display()
            );
            assert!(
                !bytes.windows(32).any(|w| w == marker_key),
                "in {}",
                path.display()
            );
        }
    };
    search();
    drop(store);
    search();
}

#[tokio::test]
async fn the_key_file_is_for_its_owner_only_and_needed() {
    let (store, folder) = made().await;
    drop(store);
    let (file, key) = (folder.file("calup.db"), folder.file("calup.db.key"));
    #[cfg(unix)]
    for path in [&file, &key] {
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &fs::metadata(path).expect("it is there").permissions(),
        );
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
    }
    let text = fs::read_to_string(&key).expect("readable");
    fs::remove_file(&key).expect("removed");
    let said = refused(&file, None).await;
    assert!(
        said.contains("calup.db.key back") && said.contains("CALUP_MASTER_KEY"),
        "{said}"
    );
    assert!(!key.exists(), "no new key for what an old one sealed");
    open(&file, Some(&text))
        .await
        .expect("the same key by setting");
}

#[tokio::test]
async fn a_key_that_does_not_fit_is_refused_and_an_older_one_may_follow_a_new() {
    let folder = Folder::new();
    let file = folder.file("calup.db");
    let (old, new) = (store::sealed::generate(), store::sealed::generate());
    let store = open(&file, Some(&old)).await.expect("opened");
    let id = store.receive(raw("old")).await.expect("received");
    let person = store.person_key(PROFILE, "email:ada@example.com");
    drop(store);

    let said = refused(&file, Some(&new)).await;
    assert!(
        said.contains("another key") && said.contains("put that key back"),
        "{said}"
    );
    assert!(!said.contains(&new), "{said}");

    let store = open(&file, Some(&format!("{new},{old}")))
        .await
        .expect("opened");
    assert_eq!(delivery(&store, &id).await.body, b"old");
    assert_eq!(store.person_key(PROFILE, "email:ada@example.com"), person);
    store.receive(raw("new")).await.expect("received");
    drop(store);
    refused(&file, Some(&old)).await;
    refused(&file, Some(&new)).await;
}

#[tokio::test]
async fn a_wrong_file_is_refused_with_what_to_do() {
    let folder = Folder::new();
    let text = folder.file("notes.txt");
    fs::write(&text, "these are my notes, not a database").expect("written");
    let said = refused(&text, None).await;
    assert!(
        said.contains("is not a calup database") && said.contains("name another"),
        "{said}"
    );
    assert_eq!(
        fs::read_to_string(&text).expect("still there"),
        "these are my notes, not a database"
    );

    let said = refused(&folder.file("none/calup.db"), None).await;
    assert!(
        said.contains("there is no folder") && said.contains("make it"),
        "{said}"
    );

    let said = refused(&folder.0, None).await;
    assert!(said.contains("is a folder"), "{said}");

    let foreign = folder.file("foreign.db");
    let db = rusqlite::Connection::open(&foreign).expect("made");
    db.execute_batch("CREATE TABLE songs (name TEXT)")
        .expect("made");
    drop(db);
    let said = refused(&foreign, None).await;
    assert!(said.contains("another program's"), "{said}");

    let damaged = folder.file("damaged.db");
    fs::write(
        &damaged,
        [b"SQLite format 3\0".as_slice(), &[7; 4_096]].concat(),
    )
    .expect("written");
    let said = refused(&damaged, None).await;
    assert!(said.contains("restore a backup"), "{said}");

    for url in [
        "postgres://me:secret@host:port/db",
        "mysql://me:secret@host/db",
        "sqlite::memory:",
        "",
    ] {
        let Err(Error::Unusable(said)) = store::open(url, None).await else {
            panic!("{url} was opened")
        };
        assert!(!said.contains("secret"), "{said}");
    }
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let (store, folder) = made().await;
    drop(store);
    let file = folder.file("calup.db");
    let db = rusqlite::Connection::open(&file).expect("opened");
    db.pragma_update(None, "user_version", 999).expect("set");
    drop(db);
    let said = refused(&file, None).await;
    assert!(
        said.contains("written by a newer calup") && said.contains("999"),
        "{said}"
    );
}

#[tokio::test]
async fn what_is_damaged_is_found() {
    let (store, folder) = made().await;
    let db = rusqlite::Connection::open(folder.file("calup.db")).expect("opened");
    db.execute_batch("PRAGMA ignore_check_constraints = ON; UPDATE owner SET id = 2")
        .expect("damaged");
    let damage = store.damage().await.expect("looked through");
    assert_eq!(damage, ["CHECK constraint failed in owner"]);
}

#[tokio::test]
async fn an_older_database_is_brought_along_with_what_it_holds() {
    let folder = Folder::new();
    let file = folder.file("calup.db");
    let db = rusqlite::Connection::open(&file).expect("opened");
    db.execute_batch(include_str!("../../src/sqlite/schema/1.sql"))
        .expect("as the first version made it");
    db.execute_batch(
        "PRAGMA application_id = 0x63616c70; PRAGMA user_version = 1;
         INSERT INTO delivery (id, profile, received_at, uid, status, sha256, secret_index, is_read) VALUES
           ('d_1', 'default', 1, 'bk_1', 'done', 'aa', 0, 1), ('d_2', 'default', 2, NULL, 'pending', 'bb', 0, 0);
         INSERT INTO delivery_body VALUES ('d_2', x'02', x'02'), ('d_1', x'01', x'01');
         INSERT INTO change (id, profile, key, delivery_id, person, uid, seated, created_at, status, lead) VALUES
           ('c_1', 'default', 'k', 'd_1', 'p', 'bk_1', 0, 1, 'done', 'lead_1');
         INSERT INTO change_body VALUES ('c_1', x'03');
         INSERT INTO link VALUES ('default', 't', x'04');",
    )
    .expect("filled");
    drop(db);

    let store = open(&file, None).await.expect("opened");

    let counts = store.counts(None).await.expect("counted");
    assert_eq!(count(&counts, Status::Done), 1);
    assert_eq!(count(&counts, Status::Pending), 1);
    drop(store);
    let db = rusqlite::Connection::open(&file).expect("opened");
    let bodies: Vec<(String, Vec<u8>)> = db
        .prepare("SELECT d.id, b.body FROM delivery d JOIN delivery_body b ON b.n = d.body_row ORDER BY d.id")
        .expect("prepared")
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .expect("queried")
        .collect::<Result<_, _>>()
        .expect("read");
    assert_eq!(bodies, [("d_1".into(), vec![1]), ("d_2".into(), vec![2])]);
    let change: (String, Vec<u8>) = db
        .query_row(
            "SELECT lead, body FROM stored WHERE id = 'c_1'",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .expect("the change and its body");
    assert_eq!(change, ("lead_1".into(), vec![3]));
}

#[tokio::test]
async fn the_schema_before_this_one_is_brought_along() {
    let folder = Folder::new();
    let file = folder.file("calup.db");
    let db = rusqlite::Connection::open(&file).expect("opened");
    for step in [
        include_str!("../../src/sqlite/schema/1.sql"),
        include_str!("../../src/sqlite/schema/2.sql"),
        include_str!("../../src/sqlite/schema/3.sql"),
        include_str!("../../src/sqlite/schema/4.sql"),
        include_str!("../../src/sqlite/schema/5.sql"),
        include_str!("../../src/sqlite/schema/6.sql"),
        include_str!("../../src/sqlite/schema/7.sql"),
    ] {
        db.execute_batch(step)
            .expect("as the version before made it");
    }
    db.execute_batch(
        "PRAGMA application_id = 0x63616c70; PRAGMA user_version = 7;
         INSERT INTO delivery (id, profile, received_at, status, sha256, secret_index, is_read, body_row) VALUES
           ('d_1', 'default', 1, 'done', 'aa', 0, 1, 1);
         UPDATE reading SET ids = '[\"d_1\"]';
         INSERT INTO change (n, id, profile, key, delivery_id, person, uid, seated, first_uid, created_at, status) VALUES
           (1, 'c_1', 'default', 'k_1', 'd_1', 'p_1', 'uid_1', 0, 'uid_1', 1, 'done'),
           (2, 'c_2', 'default', 'k_2', 'd_1', 'p_1', 'uid_2', 0, 'uid_1', 2, 'done');
         INSERT INTO change_body (n, body) VALUES (1, x'01'), (2, x'02');
         INSERT INTO effect (profile, key, change_key, target, kind, state, desired, pre_image, epoch, attempt, marker,
             remote_id, reason, first_sent_at, last_sent_at, negatives, last_probe_at, amended, status_before) VALUES
           ('default', 'e_1', 'k_1', 'lead_1', 'comment', 'applied', x'03', x'04', 5, 6, 'marker',
             'comment_1', 'found', 7, 8, 9, 10, '[]', 'to do');
         INSERT INTO link VALUES ('default', 'chain:uid_1', x'0b');
         INSERT INTO token VALUES ('t_1', 'laptop', 'all', 'hash', 1);",
    )
    .expect("filled");
    drop(db);

    let store = open(&file, None).await.expect("opened");

    let counts = store.counts(Some(PROFILE)).await.expect("counted");
    assert_eq!(count(&counts, Status::Done), 1);
    crate::index::is_of_use(&store).await;
    crate::profiles::is_of_use(&store).await;
    drop(store);
    let db = rusqlite::Connection::open(&file).expect("opened");
    let handed_out: (String, String) = db
        .query_row("SELECT * FROM reading", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .expect("one row");
    assert_eq!(handed_out, (PROFILE.into(), "[\"d_1\"]".into()));
    let line = |sql: &str| -> String { db.query_row(sql, [], |row| row.get(0)).expect("one row") };
    let effect = "SELECT concat_ws(' ', profile, key, change_key, target, kind, state, hex(desired), hex(pre_image), epoch,
        attempt, marker, remote_id, reason, first_sent_at, last_sent_at, negatives, last_probe_at, amended, status_before)
        FROM effect";
    assert_eq!(
        line(effect),
        "default e_1 k_1 lead_1 comment applied 03 04 5 6 marker comment_1 found 7 8 9 10 [] to do"
    );
    let link = "SELECT concat_ws(' ', profile, token, hex(body)) FROM link";
    assert_eq!(line(link), "default chain:uid_1 0B");
    let firsts = "SELECT group_concat(concat(uid, ':', first_uid), ' ') FROM (SELECT * FROM change ORDER BY n)";
    assert_eq!(line(firsts), "uid_1: uid_2:uid_1");
}

#[tokio::test]
async fn a_question_that_cannot_be_opened_is_in_nobodys_way() {
    let (store, folder) = made().await;
    let spoil = async || {
        let db = rusqlite::Connection::open(folder.file("calup.db")).expect("opened");
        db.execute_batch("UPDATE question SET body = x'00'")
            .expect("spoilt");
    };
    crate::questions::what_cannot_be_opened_is_in_nobodys_way(store, spoil).await;
}

fn count(counts: &Counts, of: Status) -> u64 {
    let found = counts.by_status.iter().find(|(status, _)| *status == of);
    found.expect("every status is counted").1
}

#[tokio::test]
async fn a_profile_that_cannot_be_opened_says_why_and_is_in_nobodys_way() {
    let (store, folder) = made().await;
    let swap = async || {
        let db = rusqlite::Connection::open(folder.file("calup.db")).expect("opened");
        db.execute_batch(crate::profiles::SWAP).expect("moved");
    };
    crate::profiles::what_was_moved_does_not_open(store, swap).await;
}

#[tokio::test]
async fn everything_comes_under_a_new_master_key_however_often_that_is_interrupted() {
    let folder = Folder::new();
    let file = folder.file("calup.db");
    let open = async |keys: &str| open(&file, Some(keys)).await.expect("opened");
    crate::profiles::everything_is_sealed_anew(open).await;
}

#[tokio::test]
async fn processes_may_make_a_database_at_once() {
    for _ in 0..10 {
        let folder = Folder::new();
        let file = folder.file("calup.db");
        let mut opening = tokio::task::JoinSet::new();
        for _ in 0..6 {
            let file = file.clone();
            opening.spawn(async move { open(&file, None).await.expect("opened").marker_key() });
        }
        let keys = opening.join_all().await;
        assert!(keys.iter().all(|key| *key == keys[0]));
    }
}

#[tokio::test]
async fn a_file_held_by_another_program_is_told_and_heals() {
    let (store, folder) = made().await;
    let other = rusqlite::Connection::open(folder.file("calup.db")).expect("opened");
    other.execute_batch("BEGIN IMMEDIATE").expect("locked");
    assert!(matches!(
        store.receive(raw("lost")).await,
        Err(Error::Unwritable(_))
    ));
    assert!(matches!(store.healthy().await, Err(Error::Unwritable(_))));
    other.execute_batch("ROLLBACK").expect("released");
    store.healthy().await.expect("healed");
    let id = store.receive(raw("kept")).await.expect("received");
    assert_eq!(
        store
            .unread(PROFILE, 10)
            .await
            .expect("handed out")
            .iter()
            .map(|d| &d.id)
            .collect::<Vec<_>>(),
        [&id]
    );
}

/// The files of a database as they are, with the writer still at work.
fn copy(from: &Folder, to: &Folder) {
    for suffix in ["", "-wal", ".key"] {
        let name = format!("calup.db{suffix}");
        let _ = fs::remove_file(to.file(&name));
        if from.file(&name).exists() {
            fs::copy(from.file(&name), to.file(&name)).expect("copied");
        }
    }
}

async fn is_found_restored(store: &Any) -> bool {
    let fact = store.meta(store::RESTORED).await.expect("answers");
    fact.is_some()
}

#[tokio::test]
async fn an_older_copy_that_is_put_back_is_noticed_and_a_restart_is_not() {
    let (store, folder) = made().await;
    let backup = Folder::new();
    copy(&folder, &backup);
    store.renew().await.expect("renewed");
    drop(store);
    let file = folder.file("calup.db");
    let store = open(&file, None).await.expect("opened");
    take_over(&store).await;
    assert!(!is_found_restored(&store).await, "only started again");
    drop(store);

    copy(&backup, &folder);
    let store = open(&file, None).await.expect("opened");
    assert!(!is_found_restored(&store).await, "nobody works on it yet");
    take_over(&store).await;
    assert!(is_found_restored(&store).await);
    drop(store);

    let moved = Folder::new();
    copy(&folder, &moved);
    let store = open(&moved.file("calup.db"), None).await.expect("opened");
    store.set_meta(store::RESTORED, "known").await.expect("set");
    take_over(&store).await;
    let fact = store.meta(store::RESTORED).await.expect("answers");
    assert_eq!(
        fact.as_deref(),
        Some(""),
        "it came without what stood beside it"
    );
}

#[tokio::test]
async fn a_crash_while_the_generation_is_renewed_is_no_restore() {
    let (store, folder) = made().await;
    drop(store);
    let beside = folder.file("calup.db.generation");
    let own = fs::read_to_string(&beside).expect("it stands there");
    fs::write(&beside, format!("{own}announced\n")).expect("as after a crash");
    let store = open(&folder.file("calup.db"), None).await.expect("opened");
    take_over(&store).await;
    assert!(!is_found_restored(&store).await);
}

#[tokio::test]
async fn a_database_from_before_there_were_generations_is_not_taken_for_a_copy() {
    let (store, folder) = made().await;
    drop(store);
    fs::remove_file(folder.file("calup.db.generation")).expect("removed");
    let db = rusqlite::Connection::open(folder.file("calup.db")).expect("opened");
    db.execute_batch("DELETE FROM meta WHERE key = 'generation'")
        .expect("as an older version left it");
    drop(db);
    let store = open(&folder.file("calup.db"), None).await.expect("opened");
    take_over(&store).await;
    assert!(!is_found_restored(&store).await);
}
