//! What the assistant writes down.

use store::rows::{Paper, PaperKind};

use crate::world::*;

const KIND: PaperKind = PaperKind::Proposal;

fn paper(id: &str, version: i64, body: &str) -> Paper {
    Paper {
        id: id.into(),
        version,
        body: body.into(),
        until: Some(at("13:00")),
    }
}

async fn write(store: &Any, paper: &Paper, now: &str) -> Option<i64> {
    let written = store.write_paper(PROFILE, KIND, paper, at(now)).await;
    written.expect("answers")
}

async fn read(store: &Any, id: &str, now: &str) -> Option<(i64, String)> {
    let found = store.paper(PROFILE, KIND, id, at(now)).await;
    let found = found.expect("answers")?;
    Some((found.version, String::from_utf8(found.body).expect("text")))
}

pub async fn a_paper_is_written_over_by_whoever_read_it_last(store: Any) {
    assert_eq!(write(&store, &paper("p", 0, "one"), "12:00").await, Some(1));
    assert_eq!(write(&store, &paper("p", 0, "x"), "12:00").await, None);
    assert_eq!(write(&store, &paper("p", 1, "two"), "12:00").await, Some(2));
    assert_eq!(write(&store, &paper("p", 1, "x"), "12:00").await, None);
    assert_eq!(write(&store, &paper("q", 1, "x"), "12:00").await, None);
    assert_eq!(read(&store, "p", "12:00").await, Some((2, "two".into())));
    let elsewhere = store.paper("other", KIND, "p", at("12:00")).await;
    assert_eq!(elsewhere.expect("answers"), None);
    let other = store
        .paper(PROFILE, PaperKind::Grant, "p", at("12:00"))
        .await;
    assert_eq!(other.expect("answers"), None);
}

pub async fn of_many_who_write_at_once_one_does(store: Any) {
    write(&store, &paper("p", 0, "one"), "12:00").await;
    let mut racing = Vec::new();
    for n in 0..20 {
        let store = store.clone();
        racing.push(tokio::spawn(async move {
            write(&store, &paper("p", 1, &format!("{n}")), "12:00").await
        }));
    }
    let mut won = 0;
    for one in racing {
        won += usize::from(one.await.expect("ran").is_some());
    }
    assert_eq!(won, 1);
}

pub async fn what_has_ended_is_not_there(store: Any) {
    write(&store, &paper("p", 0, "one"), "12:00").await;
    assert_eq!(read(&store, "p", "13:00").await, None);
    assert_eq!(write(&store, &paper("p", 1, "x"), "13:00").await, None);
    let again = Paper {
        until: None,
        ..paper("p", 0, "two")
    };
    assert!(write(&store, &again, "13:00").await.is_some());
    assert!(read(&store, "p", "23:00").await.is_some());
}

pub async fn papers_are_listed_newest_first_and_removed_by_version(store: Any) {
    for id in ["a", "b", "c"] {
        write(&store, &paper(id, 0, id), "12:00").await;
    }
    let ids = async |now: &str| -> Vec<String> {
        let found = store.papers(PROFILE, KIND, at(now), 2).await;
        found.expect("answers").into_iter().map(|p| p.id).collect()
    };
    assert_eq!(ids("12:00").await, ["c", "b"]);
    assert_eq!(ids("13:00").await, Vec::<String>::new());
    let remove = async |version| {
        let removed = store.remove_paper(PROFILE, KIND, "c", version).await;
        removed.expect("answers")
    };
    assert!(!remove(2).await);
    assert!(remove(1).await);
    assert!(!remove(1).await);
    assert_eq!(ids("12:00").await, ["b", "a"]);
}
