//! Two replicas that share a database of their own, and the questions that their stories ask.

use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use sim::cal::Person;

use crate::crashes::Load;
use crate::postgres::{Database, KEY};
use crate::world::{Calup, INBOUND, Setup, World};

const START: &str = "2090-05-04T10:00:00Z";
/// A call may take a third of it.
pub const LEASE: Duration = Duration::from_secs(4);

/// A pair is asked through one of the two. Its parts stand in the order in which they have to end.
pub struct Pair {
    world: World,
    pub other: Calup,
    pub database: Database,
}

impl Deref for Pair {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

impl DerefMut for Pair {
    fn deref_mut(&mut self) -> &mut World {
        &mut self.world
    }
}

impl Pair {
    /// `None` where there is no Postgres.
    pub async fn start() -> Option<Self> {
        Self::with(Vec::new()).await
    }

    pub async fn with(env: Vec<(&'static str, String)>) -> Option<Self> {
        let database = Database::made().await?;
        let world = alone_on(&database, env, None).await;
        let mut pair = Self::joined(world, database);
        pair.look_through_the_holder().await;
        Some(pair)
    }

    /// Starts a second one beside the one that is there; each keeps its address.
    pub fn joined(mut world: World, database: Database) -> Self {
        world.calup.keep_address();
        let mut other = world.calup.replica();
        other.set("CALUP_LISTEN", "127.0.0.1:0");
        other.start();
        other.keep_address();
        Self {
            world,
            other,
            database,
        }
    }

    /// From now on the other one is asked.
    pub fn swap(&mut self) {
        std::mem::swap(&mut self.world.calup, &mut self.other);
    }

    /// Somebody keeps booking at each of the two.
    pub fn load(&mut self) -> Load {
        let one = self.cal();
        self.swap();
        let two = self.cal();
        self.swap();
        Load::of([one, two])
    }

    /// From now on the one that works is asked.
    pub async fn look_through_the_holder(&mut self) {
        let holder = holder(&self.database).await;
        if self.world.calup.pid() != holder {
            self.swap();
        }
        assert_eq!(self.world.calup.pid(), holder, "one of the two works");
    }
}

/// One replica; another build than the one under test, if one is named.
pub async fn alone_on(
    database: &Database,
    more: Vec<(&'static str, String)>,
    program: Option<PathBuf>,
) -> World {
    let mut env = vec![
        ("DATABASE_URL", database.url()),
        ("CALUP_MASTER_KEY", KEY.to_owned()),
        ("CALUP_LEASE_SECONDS", LEASE.as_secs().to_string()),
    ];
    env.extend(more);
    World::with(Setup {
        env,
        program,
        ..Setup::default()
    })
    .await
}

/// The process that works.
pub async fn holder(database: &Database) -> u32 {
    within(Duration::from_secs(30), "somebody works", async || {
        database.holder().await.map(|(pid, _)| pid)
    })
    .await
}

/// After how long another one than `from` works.
pub async fn is_taken_over(database: &Database, from: u32, limit: Duration) -> Duration {
    let began = Instant::now();
    within(limit, "another one works", async || {
        let (pid, _) = database.holder().await?;
        (pid != from).then_some(())
    })
    .await;
    began.elapsed()
}

pub async fn within<T>(limit: Duration, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(began.elapsed() < limit, "never so: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A booking by somebody whom nobody knows; gives the answer to its delivery.
pub async fn book(world: &World, name: &str) -> u16 {
    let cal = world.cal();
    let person = Person::new(name, &format!("{name}@byrd.example"));
    let created = cal.book(&person, START, 30).created();
    cal.send(&created).await.0
}

/// Each has one lead and was told once.
pub fn one_lead_each(world: &World, names: &[String]) {
    for name in names {
        let leads = world
            .clickup
            .tasks_by_email(&format!("{name}@byrd.example"));
        assert_eq!(leads.len(), 1, "{name}");
        assert_eq!(
            (leads[0].status.as_str(), leads[0].comments.len()),
            ("meeting booked", 0),
            "{name}: {leads:#?}"
        );
    }
    assert_eq!(world.clickup.tasks_in(INBOUND).len(), names.len());
}
