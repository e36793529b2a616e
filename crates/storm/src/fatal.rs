//! One booking that ends the process each time it is worked on (I22): everybody else's go on, and that one is given up and
//! told.

use domain::change::{Change, Kind as Means};
use domain::effect::{Effect, State};
use store::Store;
use store::rows::{Claim, DEFAULT_PROFILE, DeliveryFilter, Reading, Record, Status};

use crate::life::Life;
use crate::story::{Kind, Sending};
use crate::world::World;
use crate::{dice, time};

/// So often the process may end by it in a row before it is given up; the protocol asks for three (decisions.md says why
/// it is more).
const STOPS_MAX: u32 = 20;
const STOPS_BY_READING_MAX: u32 = 100;
/// A booking of somebody else waits for it no longer than this, though each may be cut short by it and looked up.
pub const OTHERS_WITHIN_MS: u64 = 120_000;
const NOTICES: usize = 1_000;

/// Where it ends the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Reading,
    Deciding,
    /// Its intent is committed, and nothing has been sent.
    Sending,
    /// Everything is done and told, and only that is not committed.
    Finishing,
}

#[derive(Debug, Clone)]
pub struct Fatal {
    event: usize,
    at: At,
    /// Of the one delivery that is read, and its id once that is known.
    sha256: String,
    delivery: Option<String>,
    /// Its change, once that is known.
    key: Option<String>,
    stops: u32,
    stopped_at_ms: u64,
    pub has_stopped: bool,
}

/// Draws which, if any.
pub fn draw(world: &World, sendings: &[Sending]) {
    if sendings.is_empty() || world.weather().refuses.is_some() || !dice::chance(0.03) {
        return;
    }
    let of = dice::one(sendings);
    let at = dice::one(&[
        At::Reading,
        At::Deciding,
        At::Deciding,
        At::Sending,
        At::Sending,
        At::Finishing,
    ]);
    let fatal = Fatal {
        event: of.event,
        at,
        sha256: of.delivery.sha256(),
        delivery: None,
        key: None,
        stops: 0,
        stopped_at_ms: 0,
        has_stopped: false,
    };
    if dice::chance(0.5) {
        world.clear_weather();
    }
    world.tell(format_args!("fatal: {fatal:?}"));
    world.seen().fatal = Some(fatal);
}

impl Fatal {
    /// Everybody waits while a body is read at each start, before anything else.
    pub fn keeps_others_waiting(&self) -> bool {
        self.at == At::Reading
    }

    fn stopped(&mut self, now_ms: u64) -> Option<Wrong> {
        let (before, rested_ms) = (self.stops, now_ms - self.stopped_at_ms);
        self.stops += 1;
        self.stopped_at_ms = now_ms;
        self.has_stopped = true;
        let (most, rest_ms) = match self.at {
            At::Reading => (STOPS_BY_READING_MAX, 0),
            At::Deciding | At::Sending | At::Finishing => (STOPS_MAX, rest_ms(before)),
        };
        if self.stops > most {
            return Some(Wrong::TooOften(self.stops));
        }
        let is_too_soon = rested_ms < rest_ms;
        is_too_soon.then_some(Wrong::TooSoon {
            stops: before,
            rested_ms,
        })
    }

    /// What is known of it went with the database.
    pub fn forget(&mut self) {
        self.delivery = None;
        self.stops = 0;
    }
}

/// Nobody has read that delivery, so nobody knows of the event by it.
pub fn is_unreadable(world: &World, sha256: &str) -> bool {
    let seen = world.seen();
    let fatal = seen.fatal.as_ref();
    fatal.is_some_and(|fatal| fatal.at == At::Reading && fatal.sha256 == sha256)
}

pub fn handed_out(world: &World, sha256: &str, id: &str) {
    if is_unreadable(world, sha256)
        && let Some(fatal) = &mut world.seen().fatal
    {
        // The same bytes may have come twice.
        if fatal.delivery.as_deref() != Some(id) {
            fatal.stops = 0;
        }
        fatal.delivery = Some(id.to_owned());
    }
}

pub fn claimed(world: &World, claims: &[Claim]) {
    for claim in claims {
        let of = &claim.stored;
        let key = is_about(world, &of.change).then(|| of.key.clone());
        if let Some(fatal) = world.seen().fatal.as_mut().filter(|_| key.is_some()) {
            fatal.key = key;
        }
    }
}

/// Whether a change is what the event means.
fn is_about(world: &World, change: &Change) -> bool {
    let seen = world.seen();
    let Some(fatal) = &seen.fatal else {
        return false;
    };
    let event = &seen.events[fatal.event];
    let means = match event.kind {
        Kind::Created | Kind::Moved | Kind::MoveConfirmed => Means::Booked,
        Kind::Cancelled | Kind::Asked => Means::Cancelled,
        Kind::Requested | Kind::MoveRequested => Means::Requested,
        Kind::Declined | Kind::MoveDeclined => Means::Rejected,
        Kind::NoShow => Means::Note,
    };
    change.kind == means
        && change.booking.uid == event.uid
        && change.person.name == seen.people[event.person].name
}

fn has_key(world: &World, at: At, key: &str) -> bool {
    let seen = world.seen();
    let fatal = seen.fatal.as_ref();
    fatal.is_some_and(|fatal| fatal.at == at && fatal.key.as_deref() == Some(key))
}

pub async fn reads(life: &Life, readings: &[(String, Reading)]) {
    let fatal = life.world.seen().fatal.clone();
    let is_read = |(id, reading): &(String, Reading)| {
        let is_it = fatal
            .as_ref()
            .is_some_and(|f| f.delivery.as_ref() == Some(id));
        is_it && matches!(reading, Reading::Changes { .. })
    };
    if readings.iter().any(is_read) {
        stop(life, "reading a fatal delivery").await;
    }
}

pub async fn decides(life: &Life, key: &str) {
    if has_key(&life.world, At::Deciding, key) {
        stop(life, "deciding on a fatal booking").await;
    }
}

/// A record was committed.
pub async fn records(life: &Life, record: &Record) {
    let of = record.effects.iter();
    let mut begun = of.filter(|effect| effect.state == State::Attempting);
    if begun.any(|effect| has_key(&life.world, At::Sending, &effect.change)) {
        stop(life, "sending for a fatal booking").await;
    }
}

pub async fn finishes(life: &Life, claim: &Claim) {
    if has_key(&life.world, At::Finishing, &claim.stored.key) {
        stop(life, "finishing a fatal booking").await;
    }
}

/// It was worked on to an end that counts, and the process lives.
pub fn tried(world: &World, claim: &Claim) {
    if let Some(fatal) = &mut world.seen().fatal
        && fatal.key.as_ref() == Some(&claim.stored.key)
    {
        fatal.stops = 0;
    }
}

async fn stop(life: &Life, at: &str) {
    let world = &life.world;
    // Whoever was superseded ends all the same, and does not count.
    if life.is_superseded() {
        life.end(at);
        return life.live().await;
    }
    let wrong = {
        let mut seen = world.seen();
        let fatal = seen.fatal.as_mut().expect("there is one");
        fatal.stopped(time::elapsed_ms())
    };
    world.fault("ended by a booking");
    life.end(at);
    let was_set = world.counts().faults.contains_key("clock set");
    match wrong {
        Some(Wrong::TooOften(stops)) => {
            let what = format!("one booking has ended the process {stops} times in a row, {at}");
            world.violated("I22", what);
        }
        Some(Wrong::TooSoon { stops, rested_ms }) if !was_set => {
            let what =
                format!("a booking that had ended the process {stops} times rested {rested_ms} ms");
            world.violated("I22", what);
        }
        Some(Wrong::TooSoon { .. }) | None => {}
    }
    life.live().await;
}

enum Wrong {
    TooOften(u32),
    TooSoon { stops: u32, rested_ms: u64 },
}

/// After so many stops in a row, one that is worked on waits before it is worked on again.
fn rest_ms(stops: u32) -> u64 {
    match stops {
        0..=2 => 0,
        _ => (1_000 << (stops - 2).min(10)).min(30_000),
    }
}

/// Whose booking it is, once it has ended a process.
pub fn person(world: &World) -> Option<usize> {
    let seen = world.seen();
    let fatal = seen.fatal.as_ref().filter(|fatal| fatal.has_stopped)?;
    Some(seen.events[fatal.event].person)
}

/// Whether a delivery may have been given up for it.
pub fn is_told_by(world: &World, sha256: &str) -> bool {
    let seen = world.seen();
    let fatal = seen.fatal.as_ref().filter(|fatal| fatal.has_stopped);
    fatal.is_some_and(|fatal| seen.tells.get(sha256) == Some(&fatal.event))
}

/// Nobody looks for what it had begun when it was given up.
pub fn has_begun(world: &World, effect: &Effect) -> bool {
    let seen = world.seen();
    let fatal = seen.fatal.as_ref().filter(|fatal| fatal.has_stopped);
    fatal.is_some_and(|fatal| fatal.key.as_ref() == Some(&effect.change))
}

/// I22: it was given up, and somebody was told.
pub async fn is_given_up(world: &World, file: &dyn Store) {
    let fatal = world.seen().fatal.clone();
    let Some(fatal) = fatal.filter(|fatal| fatal.stops > 0) else {
        return;
    };
    // Whose lead somebody has deleted is sent nothing any more.
    let is_sent_nothing = person(world).is_some_and(|whose| world.seen().removed.contains(&whose));
    if fatal.at == At::Sending && is_sent_nothing {
        return;
    }
    let status = match fatal.at {
        At::Reading => Status::Quarantined,
        At::Deciding | At::Sending | At::Finishing => Status::Dead,
    };
    let filter = DeliveryFilter {
        status: Some(status),
        limit: 1_000,
        ..DeliveryFilter::default()
    };
    let ended = file.deliveries(&filter).await.unwrap_or_default();
    let Some(ended) = ended.iter().find(|of| is_told_by(world, &of.sha256)) else {
        let what = format!(
            "what ended the process {} times is not {}",
            fatal.stops,
            status.name()
        );
        return world.violated("I22", what);
    };
    if world.counts().faults.contains_key("database error") {
        return;
    }
    let cause = format!("{}:{}", status.name(), ended.id);
    let notices = file
        .notices(DEFAULT_PROFILE, NOTICES)
        .await
        .unwrap_or_default();
    if !notices.iter().any(|notice| notice.cause == cause) {
        let what = format!("nobody was told that delivery {} was given up", ended.id);
        world.violated("I22", what);
    }
}
