//! Replicas are replaced one after another: an older build and this one work side by side on one Postgres.
//! `CALUP_IT_OLD_BINARY` names the older one (`scripts/old-build` makes it); without, this build plays both.

use std::path::PathBuf;
use std::time::Duration;

use crate::crashes::{Load, each_was_done_once};
use crate::pair::{Pair, alone_on, book, is_taken_over, one_lead_each};
use crate::postgres::Database;

/// So long deliveries come in before, beside and after the older build.
const PHASE: Duration = Duration::from_millis(1_500);

fn old_build() -> Option<PathBuf> {
    std::env::var_os("CALUP_IT_OLD_BINARY").map(PathBuf::from)
}

async fn schema(database: &Database) -> i64 {
    let sql = "SELECT max(version) FROM calup_schema";
    let row = database.direct().await.query_one(sql, &[]).await;
    row.expect("a version").get(0)
}

/// As a build of that version, which has nothing to add.
async fn set_schema(database: &Database, version: i64) {
    let sql = format!(
        "DELETE FROM calup_schema WHERE version >= {version}; INSERT INTO calup_schema (version) VALUES ({version})"
    );
    let set = database.direct().await.batch_execute(&sql).await;
    set.expect("the schema is of that version");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_build_beside_this_one_loses_and_doubles_nothing() {
    let Some(database) = Database::made().await else {
        return;
    };
    let world = alone_on(&database, Vec::new(), old_build()).await;
    let before = schema(&database).await;
    let alone = Load::of([world.cal()]);
    tokio::time::sleep(PHASE).await;
    let mut pair = Pair::joined(world, database);
    let after = schema(&pair.database).await;
    let both = pair.load();
    tokio::time::sleep(PHASE).await;

    let old = pair.calup.pid();
    assert_eq!(
        pair.database.holder().await.map(|(pid, _)| pid),
        Some(old),
        "it works on beside a newer one"
    );
    assert_eq!(pair.calup.stop(), Some(0), "{}", pair.calup.log());
    let took = is_taken_over(&pair.database, old, Duration::from_secs(3)).await;

    tokio::time::sleep(PHASE).await;
    let mut all = alone.stopped().await;
    all.extend(both.stopped().await);
    if after > before {
        let (_, said, code) = pair.calup.run(&["serve"]);
        assert_eq!(code, 1, "{said}");
        assert!(said.contains("written by a newer calup"), "{said}");
    }
    pair.swap();
    pair.settle_within(Duration::from_secs(120)).await;
    each_was_done_once(&pair, &all).await;
    let taken: usize = all.iter().map(|s| s.taken.len()).sum();
    println!(
        "schema {before} → {after}: {taken} deliveries taken, none lost, nothing doubled; the old build's work was taken \
         over within {took:?} of its stop"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_build_older_than_the_schema_takes_deliveries_and_leaves_the_work_to_newer_ones() {
    let Some(mut pair) = Pair::start().await else {
        return;
    };
    let known = schema(&pair.database).await;
    set_schema(&pair.database, known + 1).await;
    assert_eq!(book(&pair, "ada").await, 200);
    let counts = pair.settle().await;
    assert_eq!(counts["done"], 1, "who works goes on: {counts}");

    assert_eq!(pair.calup.stop(), Some(0), "{}", pair.calup.log());
    pair.swap();
    assert_eq!(book(&pair, "ben").await, 200);
    pair.until("the operator is told", async || {
        let told = pair.get("/api/notices").await.to_string();
        told.contains("nobody works") && told.contains("start a newer build in its place")
    })
    .await;
    assert_eq!(pair.get("/api/counts").await["pending"], 1);
    let ready = pair.get("/readyz").await;
    assert_eq!(ready["status"], "ready", "{ready}");
    let (_, said, code) = pair.other.run(&["serve"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("written by a newer calup"), "{said}");

    // The newer build is there.
    set_schema(&pair.database, known).await;
    let counts = pair.settle().await;
    assert_eq!(counts["done"], 2, "{counts}");
    one_lead_each(&pair, &["ada".into(), "ben".into()]);
}
