//! The real binary ends at every named point of its course, for every kind of effect: after the next start nothing is
//! lost and nothing doubled.

use std::sync::Arc;

use sim::cal::Person;
use sim::clickup::TaskView;
use sim::{Fault, Match};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::postgres::{Database, KEY};
use crate::world::{BROKERS, Setup, World};

const START: &str = "2090-05-04T10:00:00Z";
const EMAIL: &str = "ada@byrd.example";
/// Each is two processes and a stand-in.
const AT_ONCE: usize = 5;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Create,
    Write,
    Comment,
    BlockComment,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Create, Self::Write, Self::Comment, Self::BlockComment];

    fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Write => "write",
            Self::Comment => "comment",
            Self::BlockComment => "block_comment",
        }
    }

    fn request(self) -> Match {
        match self {
            Self::Create => Match::post("/list/").ending("/task"),
            Self::Write => Match::put("/task/"),
            Self::Comment | Self::BlockComment => Match::post("/comment"),
        }
    }
}

/// The databases that these stories are told on.
#[derive(Debug, Clone, Copy)]
enum Kept {
    Sqlite,
    /// Where a test server is named.
    Postgres,
}

/// One booking, during which the process ends at `point`.
async fn through(kept: Kept, point: String, kind: Kind, fault: Option<Fault>) {
    let shown = format!("{kept:?}, {point}, {kind:?}, {fault:?}");
    let mut env = vec![("CALUP_CRASH_AT", point)];
    let database = match kept {
        Kept::Sqlite => None,
        Kept::Postgres => match Database::made().await {
            Some(database) => Some(database),
            None => return,
        },
    };
    if let Some(database) = &database {
        env.push(("DATABASE_URL", database.direct_url()));
        env.push(("CALUP_MASTER_KEY", KEY.to_owned()));
        // Who was killed holds its lease to the end.
        env.push(("CALUP_LEASE_SECONDS", "3".to_owned()));
    }
    let mut world = World::with(Setup {
        env,
        ..Setup::default()
    })
    .await;
    world.calup.keep_address();
    if kind != Kind::Create {
        let lead = world.clickup.add_task(BROKERS, "Ada", Some(EMAIL));
        if kind == Kind::BlockComment {
            let mentions = "Ask @Robin first.";
            world.clickup.human_edit_description(&lead, mentions);
        }
    }
    if let Some(fault) = fault {
        world.clickup.fault(kind.request(), fault, 1);
    }
    let cal = world.cal();
    let delivery = cal
        .book(&Person::new("Ada Byrd", EMAIL), START, 30)
        .created();
    let sent = cal.try_send(&delivery).await;
    world.calup.ended().await;
    world.calup.set("CALUP_CRASH_AT", "");
    world.calup.start();
    if !matches!(sent, Ok((200, _))) {
        assert_eq!(world.deliver(delivery.body.clone()).await, 200, "{shown}");
    }
    let counts = world.settle().await;
    let all = world.get("/api/deliveries").await;
    assert_eq!(counts["done"], 1, "{shown}: {all}");
    assert_eq!(counts["dead"], 0, "{shown}: {all}");
    let leads = world.clickup.live_tasks();
    assert_eq!(leads.len(), 1, "{shown}: {leads:#?}");
    is_told_once(&leads[0], kind, &shown);
}

fn is_told_once(lead: &TaskView, kind: Kind, shown: &str) {
    assert_eq!(lead.status, "meeting booked", "{shown}");
    let texts: Vec<&str> = lead.comments.iter().map(|c| c.text.as_str()).collect();
    let blocks = texts.iter().filter(|t| t.starts_with("Next meeting"));
    let expected = match kind {
        Kind::Create => (0, 0),
        Kind::Write | Kind::Comment => (1, 0),
        Kind::BlockComment => (2, 1),
    };
    assert_eq!(
        (texts.len(), blocks.count()),
        expected,
        "{shown}: {texts:#?}"
    );
    let told = match kind {
        Kind::BlockComment => &texts.join("\n"),
        Kind::Create | Kind::Write | Kind::Comment => &lead.markdown,
    };
    assert!(
        told.contains("https://meet.example.com/nora"),
        "{shown}: {told}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_ends_anywhere_loses_nothing_and_doubles_nothing() {
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let mut all = JoinSet::new();
    for kept in [Kept::Sqlite, Kept::Postgres] {
        for kind in Kind::ALL {
            let of = |point: &str| format!("{point}/{}", kind.name());
            let mut points = vec![
                ("stored".to_owned(), None),
                ("read".to_owned(), None),
                ("claimed".to_owned(), None),
                (of("intent"), None),
                (of("sent"), Some(Fault::ApplyThenHang)),
                (of("sent"), Some(Fault::Hang)),
                (of("answered"), None),
                // What was done is recorded together with the next intent.
                ("recorded".to_owned(), None),
                ("finished".to_owned(), None),
            ];
            points.push(if kind == Kind::Create {
                // Whatever is found out about it afterwards.
                (of("sent"), Some(Fault::DropThenApplyLate(900)))
            } else {
                ("recorded:2".to_owned(), None)
            });
            for (point, fault) in points {
                let room = room.clone();
                all.spawn(async move {
                    let _room = room.acquire_owned().await.expect("never closed");
                    through(kept, point, kind, fault).await;
                });
            }
        }
    }
    while let Some(ended) = all.join_next().await {
        if let Err(failed) = ended {
            std::panic::resume_unwind(failed.into_panic());
        }
    }
}
