//! The real binary ends at every named point between a booking and the answer to its question: people are asked once, and
//! what they say is done once.

use std::sync::Arc;

use sim::cal::Person;
use sim::{Fault, Match};
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, LocalSet};

use crate::asked::*;
use crate::postgres::{Database, KEY};
use crate::world::{BROKERS, EMAIL_FIELD};

/// Each is two processes and two stand-ins.
const AT_ONCE: usize = 4;

#[derive(Debug, Clone, Copy)]
enum While {
    Asking,
    Answering,
}

/// Where it ends, and what becomes of the call that is under way.
const POINTS: [(While, &str, Option<Fault>); 15] = [
    (While::Asking, "read", None),
    (While::Asking, "claimed", None),
    (While::Asking, "held", None),
    (While::Asking, "posting", None),
    (While::Asking, "posted", None),
    (While::Answering, "claimed", None),
    (While::Answering, "intent/write", None),
    (While::Answering, "sent/write", Some(Fault::ApplyThenHang)),
    (While::Answering, "sent/write", Some(Fault::Hang)),
    (While::Answering, "answered/write", None),
    (While::Answering, "intent/comment", None),
    (While::Answering, "sent/comment", Some(Fault::ApplyThenHang)),
    (While::Answering, "sent/comment", Some(Fault::Hang)),
    (While::Answering, "answered/comment", None),
    (While::Answering, "finished", None),
];

async fn through(on_postgres: bool, phase: While, point: &str, fault: Option<Fault>) {
    let shown = format!("{phase:?}, {point}, {fault:?}, Postgres: {on_postgres}");
    let mut env = Vec::new();
    if matches!(phase, While::Asking) {
        env.push(("CALUP_CRASH_AT", point.to_owned()));
    }
    let database = match Database::made().await.filter(|_| on_postgres) {
        None if on_postgres => return,
        database => database,
    };
    if let Some(database) = &database {
        env.push(("DATABASE_URL", database.direct_url()));
        env.push(("CALUP_MASTER_KEY", KEY.to_owned()));
        // Who was killed holds its lease to the end.
        env.push(("CALUP_LEASE_SECONDS", "3".to_owned()));
    }
    let mut asked = Asked::with(env).await;
    asked.world.calup.keep_address();
    let task = asked.world.clickup.add_task(BROKERS, "Mike Ross", None);
    if let Some(fault) = fault {
        let call = match point {
            "sent/write" => Match::put("/task/"),
            _ => Match::post("/comment"),
        };
        asked.world.clickup.fault(call, fault, 1);
    }
    let created = asked.world.cal().book(&mike(), START, 30).created();
    assert_eq!(
        asked.world.deliver(created.body.clone()).await,
        200,
        "{shown}"
    );
    if matches!(phase, While::Asking) {
        goes_on(&mut asked).await;
    }
    let ts = asked.message().await.ts;
    if matches!(phase, While::Answering) {
        let calup = &mut asked.world.calup;
        calup.stop();
        calup.set("CALUP_CRASH_AT", point);
        calup.start();
    }
    assert!(
        asked.click(&ts, "calup_person_0").await.is_answered,
        "{shown}"
    );
    if matches!(phase, While::Answering) {
        goes_on(&mut asked).await;
    }
    assert_eq!(asked.ended(&created).await.0, "done", "{shown}");
    let world = &asked.world;
    world
        .until("the message says who decided", async || {
            let message = asked.slack.messages(CHANNEL).remove(0);
            message.buttons.is_empty() && message.seen.text.contains("robin decided")
        })
        .await;
    assert_eq!(asked.slack.messages(CHANNEL).len(), 1, "{shown}");
    let now = world.clickup.task(&task).expect("the task");
    assert_eq!(now.status, "meeting booked", "{shown}");
    assert_eq!(now.email.as_deref(), Some("mike@ross.example"), "{shown}");
    assert_eq!(now.comments.len(), 1, "{shown}: {:#?}", now.comments);
    assert_eq!(world.clickup.task_count(), 1, "{shown}");

    // The address is known from now on, by the field and by what was learnt.
    world.clickup.human_set_field(&task, EMAIL_FIELD, None);
    let again = Person::new("M. R.", "mike@ross.example");
    let second = world.cal().book(&again, LATER, 30).created();
    assert_eq!(asked.ends(&second).await.0, "done", "{shown}");
    assert_eq!(world.clickup.task_count(), 1, "{shown}");
}

async fn goes_on(asked: &mut Asked) {
    asked.world.calup.ended().await;
    asked.world.calup.set("CALUP_CRASH_AT", "");
    asked.world.calup.start();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_ends_anywhere_asks_once_and_does_once_what_is_said() {
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let mut all = JoinSet::new();
    let here = LocalSet::new();
    for on_postgres in [false, true] {
        for (phase, point, fault) in POINTS {
            let room = room.clone();
            let story = async move {
                let _room = room.acquire_owned().await.expect("never closed");
                through(on_postgres, phase, point, fault).await;
            };
            all.spawn_local_on(story, &here);
        }
    }
    here.run_until(async {
        while let Some(ended) = all.join_next().await {
            if let Err(failed) = ended {
                std::panic::resume_unwind(failed.into_panic());
            }
        }
    })
    .await;
}
