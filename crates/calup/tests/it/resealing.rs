//! A new master key: everything comes under it, whenever that is interrupted, and the old one can be put away.

use serde_json::Value;
use sim::cal::Person;

use crate::postgres::{Database, KEY};
use crate::world::{Setup, World};

const START: &str = "2090-05-04T10:00:00Z";
const NEW: &str = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=";

async fn a_new_master_key_replaces_the_old_one(mut env: Vec<(&'static str, String)>, shared: bool) {
    env.push(("CALUP_MASTER_KEY", KEY.to_owned()));
    let mut world = World::with(Setup {
        env,
        ..Setup::default()
    })
    .await;
    let cal = world.cal();
    let mut sent = Vec::new();
    for n in 0..40 {
        let person = Person::new("Ada Byrd", &format!("ada{n}@byrd.example"));
        sent.push(cal.book(&person, START, 30).created());
        assert_eq!(cal.send(&sent[n]).await.0, 200);
    }
    world.settle().await;
    let added = world
        .calup
        .run(&["profile", "add", "sales", "calup_guests=match"]);
    assert_eq!(added.2, 0, "{}", added.1);

    let both = format!("{NEW},{KEY}");
    world.calup.set("CALUP_MASTER_KEY", &both);
    if shared {
        // Each replica knows both keys by now.
        world.calup.restart();
    } else {
        let refused = world.calup.run(&["profile", "reseal"]);
        assert!(refused.1.contains("stop it first"), "{}", refused.1);
        world.calup.kill();
    }
    let mut interruptions = 0;
    let resealed: Value = loop {
        let nth = format!("resealed:{}", 1 + interruptions * 3);
        world.calup.set("CALUP_CRASH_AT", &nth);
        let (out, error, code) = world.calup.run(&["profile", "reseal", "--json"]);
        if code == 0 {
            break serde_json::from_str(&out).expect("JSON");
        }
        assert_eq!(code, -1, "it ended as by a power cut: {error}");
        interruptions += 1;
    };
    assert!(interruptions > 3, "{interruptions}");
    assert_eq!(resealed["unopened"], 0);

    world.calup.kill();
    world.calup.set("CALUP_CRASH_AT", "");
    world.calup.set("CALUP_MASTER_KEY", NEW);
    world.calup.start();
    for delivery in &sent {
        assert_eq!(world.ending(&delivery.body).await.0, "done");
        let again = delivery.restamped();
        world.cal();
        assert_eq!(world.deliver(again.body).await, 200);
    }
    let counts = world.settle().await;
    assert_eq!(counts["duplicate"], 40, "each is known still: {counts}");
    assert_eq!(world.clickup.live_tasks().len(), 40);
    let all = world.get("/api/deliveries?limit=500").await;
    for delivery in all["deliveries"].as_array().expect("a list") {
        let id = delivery["id"].as_str().expect("an id");
        let one = world.get(&format!("/api/deliveries/{id}")).await;
        assert!(!one["body"].is_null(), "it opens: {one}");
    }
    let shown = world.calup.run(&["profile", "show", "sales", "--json"]);
    assert_eq!(shown.2, 0, "{}", shown.1);

    world.calup.kill();
    world.calup.set("CALUP_MASTER_KEY", KEY);
    let (_, error, code) = world.calup.run(&["deliveries"]);
    assert!(code == 1 && error.contains("put that key back"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_master_key_replaces_the_old_one_however_often_that_is_killed() {
    a_new_master_key_replaces_the_old_one(Vec::new(), false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_master_key_replaces_the_old_one_on_postgres_beside_a_server() {
    let Some(database) = Database::made().await else {
        return;
    };
    let env = vec![("DATABASE_URL", database.url())];
    a_new_master_key_replaces_the_old_one(env, true).await;
}
