//! One storm, from its seed to its end: lives of the process one after another while deliveries come, people work in
//! ClickUp and things go wrong; then calm, until nothing is left to do; then the final look.

use std::path::Path;
use std::sync::Arc;

use calup::app::App;
use calup::{standby, sweep, web};
use secrecy::SecretString;
use store::Store;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use vendors::Crm;
use vendors::clickup::{self, ClickUp};

use crate::life::Life;
use crate::mortal::Mortal;
use crate::planted::{Bug, LyingCrm, LyingStore};
use crate::restore::Restore;
use crate::seen::Seen;
use crate::sender::{self, Address};
use crate::stopped::Zombie;
use crate::story::Story;
use crate::trace::Trace;
use crate::weather::Weather;
use crate::world::{Counts, Violation, World};
use crate::{dice, ending, fatal, network, people, poison, repair, secrets, set, stopped, time};

/// Nothing goes wrong any more after this.
const CALM_AT_MS: u64 = 130_000;
/// From calm on, everything must be done within this: five minutes, and what a retry may have been put off by.
const DONE_WITHIN_MS: u64 = 15 * 60_000;
const LOOK_EVERY_MS: u64 = 500;
/// Restarts of an idle process, and how long each is watched.
const IDLE_RESTARTS: u32 = 2;
const IDLE_MS: u64 = 20_000;
/// In this the sweeper has looked twice.
const SWEPT_MS: u64 = 130_000;

#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    pub bug: Option<Bug>,
    pub keep_trace: bool,
    /// Requests may be carried out later than calup is told of.
    pub beyond: bool,
}

pub struct Ended {
    pub hash: String,
    pub violation: Option<Violation>,
    pub counts: Counts,
    pub trace: Vec<String>,
    pub lasted_ms: u64,
}

pub fn run(seed: u64, options: Options) -> Ended {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let database = set::database();
    let ended = runtime.block_on(storm(seed, options, &database));
    drop(runtime);
    set::remove(&database);
    ended
}

async fn storm(seed: u64, options: Options, database: &Path) -> Ended {
    dice::seed(seed);
    time::begin();
    let mut story = Story::drawn(seed, options.beyond);
    let mut seen = Seen::default();
    let clickup = set::clickup(&story, &mut seen);
    seen.people = std::mem::take(&mut story.people);
    seen.events = std::mem::take(&mut story.events);
    let tells = story
        .sendings
        .iter()
        .map(|s| (s.delivery.sha256(), s.event));
    seen.tells = tells.collect();
    let trace = Trace::keeping(options.keep_trace);
    let world = World::new(
        clickup,
        Weather::drawn(options.beyond, seen.people.len()),
        seen,
        trace,
        options.bug,
    );
    let world = Arc::new(world);
    poison::draw(&world);
    fatal::draw(&world, &story.sendings);
    world.tell(format_args!("{:?}", *world.weather()));
    for (number, event) in world.seen().events.iter().enumerate() {
        world.tell(format_args!("event {number}: {event:?}"));
    }
    let address = Arc::new(Address::default());
    let restore = Restore::drawn(CALM_AT_MS - 5_000, &story.sendings);
    let mut outside: Vec<JoinHandle<()>> = story
        .sendings
        .drain(..)
        .map(|s| {
            let (world, address) = (world.clone(), address.clone());
            tokio::spawn(sender::deliver(
                world, address, s.event, s.at_ms, s.delivery,
            ))
        })
        .collect();
    let acts = story.acts.drain(..);
    outside.extend(acts.map(|act| tokio::spawn(people::act(world.clone(), act))));
    let mut stage = Stage {
        world: world.clone(),
        address,
        database,
        lives: 0,
        outside,
        restore,
        zombies: Vec::new(),
    };
    stage.through().await;
    let trace = {
        let mut trace = world.trace();
        (trace.hash(), trace.lines.take().unwrap_or_default())
    };
    let counts = world.counts().clone();
    Ended {
        hash: trace.0,
        violation: world.violation(),
        counts,
        trace: trace.1,
        lasted_ms: time::elapsed_ms(),
    }
}

struct Stage<'a> {
    world: Arc<World>,
    address: Arc<Address>,
    database: &'a Path,
    lives: u32,
    /// Cal.com's senders, and people in ClickUp.
    outside: Vec<JoinHandle<()>>,
    restore: Option<Restore>,
    zombies: Vec<Zombie>,
}

/// A process that runs.
pub struct Running {
    pub life: Arc<Life>,
    pub store: Arc<Mortal>,
    stop: watch::Sender<bool>,
    pub worker: JoinHandle<()>,
}

impl Stage<'_> {
    async fn through(&mut self) {
        let mut running = self.start().await;
        let mut is_calm = false;
        loop {
            tokio::select! {
                biased;
                () = self.world.news.notified() => {}
                () = time::sleep_ms(LOOK_EVERY_MS) => {}
            }
            if self.world.violation().is_some() {
                return;
            }
            if running.life.is_dead() {
                running = self.after_death(running).await;
                continue;
            }
            if running.life.is_stopped() {
                running = self.while_stopped(running).await;
                continue;
            }
            self.zombies
                .retain_mut(|zombie| zombie.stands(&self.world, is_calm));
            if let Some(restore) = self.restore.as_mut().filter(|_| !is_calm) {
                restore.copy(&self.world, self.database);
                if restore.is_due(self.database) {
                    running.life.end("a restore");
                    continue;
                }
            }
            if dice::chance(self.world.weather().clock_jump) {
                self.set_clock();
            }
            let now = time::elapsed_ms();
            if !is_calm && now >= CALM_AT_MS {
                is_calm = true;
                self.world.weather().calm();
                self.world.tell(format_args!("calm"));
            }
            if now >= CALM_AT_MS + self.done_within_ms() {
                self.world.violated(
                    "I4",
                    "something is still to be done long after the last fault".into(),
                );
            }
            let all_came = self.outside.iter().all(JoinHandle::is_finished);
            if is_calm && all_came && self.zombies.is_empty() && self.world.seen().late == 0 {
                let Some(file) = running.store.file() else {
                    continue;
                };
                if ending::is_quiescent(file.as_ref()).await {
                    let Some((invariant, what)) = repair::left(&self.world, file.as_ref()).await
                    else {
                        break;
                    };
                    if repair::is_overdue(&self.world, CALM_AT_MS) {
                        self.world.violated(invariant, what);
                    }
                }
            }
        }
        self.idle(running).await;
    }

    /// One that ends the process each time is looked up and waited for between.
    fn done_within_ms(&self) -> u64 {
        let is_fatal = fatal::person(&self.world).is_some();
        DONE_WITHIN_MS * if is_fatal { 3 } else { 1 }
    }

    /// Somebody, or a time server, sets the machine's clock.
    fn set_clock(&self) {
        let to_ms = dice::between(0, 120_000) as i64 - 60_000;
        time::set_skew(to_ms);
        self.world.fault("clock set");
        self.world
            .tell(format_args!("the clock is {to_ms} ms wrong"));
    }

    /// I19: whoever has nothing to do changes nothing, however often it starts. Then the final look.
    async fn idle(&mut self, mut running: Running) {
        self.world.tell(format_args!("idle"));
        // The sweeper may have to take away what nobody holds against it.
        let (taken, changed) = (self.taken_back(), self.world.seen().mutations);
        time::sleep_ms(SWEPT_MS).await;
        let before = if self.taken_back() == taken {
            changed
        } else {
            self.world.seen().mutations
        };
        for _ in 0..IDLE_RESTARTS {
            running = self.restart(running).await;
            time::sleep_ms(IDLE_MS).await;
        }
        let after = self.world.seen().mutations;
        if after != before {
            let what = format!(
                "{} requests changed something while nothing was to be done",
                after - before
            );
            self.world.violated("I19", what);
        }
        let file = running.store.file().expect("it lives");
        ending::check(&self.world, file.as_ref()).await;
        drop(file);
        secrets::check(&self.world, self.database);
        self.stop(running).await;
    }

    fn taken_back(&self) -> u64 {
        let counts = self.world.counts();
        let taken = ["second lead taken back", "second comment taken back"];
        taken.iter().filter_map(|f| counts.faults.get(*f)).sum()
    }

    async fn start(&mut self) -> Running {
        self.lives += 1;
        let world = &self.world;
        world.tell(format_args!("life {} begins", self.lives));
        let life = Life::new(self.lives, world.clone());
        let store = Mortal::open(life.clone(), self.database).expect("the database opens");
        if let Some(file) = store.file() {
            ending::acked_is_there(world, file.as_ref()).await;
        }
        let mut used: Arc<dyn Store> = store.clone();
        let mut crm: Arc<dyn Crm> = Arc::new(client(&life));
        if world.bug.is_some() {
            let world = world.clone();
            used = Arc::new(LyingStore::about(used, world.clone(), self.database));
            crm = Arc::new(LyingCrm::about(crm, world));
        }
        let app = App::with(set::config(self.database), used, Some(crm));
        let (stop, stopped) = watch::channel(false);
        let worker = tokio::spawn({
            let (app, life, address) = (app.clone(), life.clone(), self.address.clone());
            async move {
                if let Err(error) = standby::take_for_good(std::slice::from_ref(&app)).await {
                    // As `serve` does: it ends, and is started again.
                    life.world.tell(format_args!("could not start: {error}"));
                    return life.end("its start");
                }
                if !life.is_superseded() {
                    address.set(Some((life.clone(), web::router(app.clone()))));
                }
                let work = standby::run(app.clone(), stopped.clone());
                if sweep::beside(work, app, stopped).await.is_err() {
                    life.end("a database that others took over");
                }
            }
        });
        Running {
            life,
            store,
            stop,
            worker,
        }
    }

    async fn while_stopped(&mut self, stopped: Running) -> Running {
        if stopped::is_taken_over() {
            self.address.set(None);
            let zombie = Zombie::of(stopped, &self.world, self.database);
            self.zombies.push(zombie);
            return self.start().await;
        }
        time::sleep_ms(stopped::for_ms()).await;
        stopped.life.go_on();
        stopped
    }

    async fn after_death(&mut self, dead: Running) -> Running {
        self.address.set(None);
        dead.worker.abort();
        dead.store.close();
        drop(dead);
        if let Some(restore) = self
            .restore
            .take_if(|restore| restore.is_due(self.database))
        {
            for zombie in self.zombies.drain(..) {
                zombie.bury();
            }
            let again = restore.put_back(&self.world, &self.address, self.database);
            self.outside.extend(again);
        }
        let rests: &[u64] = if fatal::person(&self.world).is_some() {
            &[1, 100, 2_000]
        } else {
            &[1, 100, 2_000, 15_000]
        };
        time::sleep_ms(dice::one(rests)).await;
        self.start().await
    }

    async fn restart(&mut self, running: Running) -> Running {
        self.stop(running).await;
        self.start().await
    }

    async fn stop(&self, running: Running) {
        self.address.set(None);
        running.stop.send_replace(true);
        tokio::select! {
            biased;
            () = running.life.died() => {}
            _ = running.worker => {}
        }
        running.life.end("a clean stop");
        running.store.close();
    }
}

fn client(life: &Arc<Life>) -> ClickUp {
    let config = set::config(Path::new(""));
    let config = clickup::Config {
        api_url: config.clickup.api_url.clone(),
        token: SecretString::from(set::TOKEN),
        team_id: config.clickup.team_id.clone(),
        match_list_ids: config.profile.match_list_ids.clone(),
        inbound_list_id: config.profile.inbound_list_id.clone(),
        email_field: config.clickup.email_field.clone(),
        timeout: config.call_timeout(),
    };
    ClickUp::standing_in(config, network::line(life.clone())).expect("a sound configuration")
}
