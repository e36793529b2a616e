//! The store as a program with a mistake would use it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use domain::change::Kind;
use domain::effect::{Effect, State};
use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;
use store::rows::{
    Alias, Answer, Answered, Claim, Closed, Counts, Delivery, DeliveryFilter, Doubt, Ended, Hook,
    Indexed, Indexing, Lease, Link, NewDelivery, NewQuestion, Notice, Paper, PaperKind, Pause,
    Place, ProfileRow, Proof, Question, QuestionFilter, QuestionState, Reading, Record, Register,
    Resealed, Status, Stored, Token,
};
use store::{Asking, Papers, Profiles, Result, Store};

use super::Bug;
use crate::world::World;
use crate::{set, time};

pub struct LyingStore {
    truth: Arc<dyn Store>,
    world: Arc<World>,
    /// For what no verb does.
    aside: Mutex<Connection>,
    taken: AtomicI64,
    epoch: AtomicI64,
    file: PathBuf,
}

impl LyingStore {
    pub fn about(truth: Arc<dyn Store>, world: Arc<World>, file: &Path) -> Self {
        let aside = Connection::open(file).expect("the database opens");
        Self {
            truth,
            world,
            aside: Mutex::new(aside),
            taken: AtomicI64::new(0),
            epoch: AtomicI64::new(0),
            file: file.to_owned(),
        }
    }

    fn has(&self, bug: Bug) -> bool {
        self.world.has(bug)
    }

    fn run(&self, sql: &str) {
        let aside = self.aside.lock().unwrap_or_else(PoisonError::into_inner);
        aside.execute_batch(sql).expect("the schema is known");
    }

    fn is_so(&self, sql: &str, now: Timestamp) -> bool {
        let aside = self.aside.lock().unwrap_or_else(PoisonError::into_inner);
        let so = aside.query_row(sql, [now.as_microsecond()], |row| row.get(0));
        so.expect("the schema is known")
    }

    /// What stands beside the database is made to say what the database says.
    fn take_for_the_last(&self) {
        let aside = self.aside.lock().unwrap_or_else(PoisonError::into_inner);
        let sql = "SELECT value FROM meta WHERE key = 'generation'";
        let own = aside.query_row(sql, [], |row| row.get::<_, String>(0));
        if let Ok(own) = own {
            std::fs::write(set::beside(&self.file, ".generation"), own).expect("a small file");
        }
    }

    /// Nobody else is there.
    fn insist(&self) {
        if self.has(Bug::EpochIgnored) {
            let epoch = self.epoch.load(Ordering::Relaxed);
            self.run(&format!(
                "UPDATE owner SET epoch = {epoch}; UPDATE effect SET epoch = min(epoch, {epoch})"
            ));
        }
    }

    /// Makes two deliveries of one change differ, and nothing that people read; or says something else altogether.
    fn misread(&self, reading: Reading) -> Reading {
        let Reading::Changes {
            trigger,
            uid,
            mut changes,
        } = reading
        else {
            return reading;
        };
        for change in &mut changes {
            if self.has(Bug::RequestIsBooking) && change.kind == Kind::Requested {
                change.kind = Kind::Booked;
            }
            if self.has(Bug::MovesUnjoined) && change.kind == Kind::Requested {
                change.booking.ical_uid = None;
                change.booking.reschedule_uid = None;
            }
            let by_ms = if self.has(Bug::CreatedAtInKey) {
                change.created_at.as_millisecond() % 59_000
            } else if self.has(Bug::DuplicatesTaken) {
                self.taken.fetch_add(1, Ordering::Relaxed) + 1
            } else {
                0
            };
            change.booking.start += SignedDuration::from_millis(by_ms);
        }
        Reading::Changes {
            trigger,
            uid,
            changes,
        }
    }

    fn believed(&self, mut record: Record) -> Record {
        record.effects = record
            .effects
            .into_iter()
            .filter(|effect| !(self.has(Bug::NoIntent) && effect.state == State::Attempting))
            .map(|effect| self.believed_effect(effect))
            .collect();
        if self.has(Bug::ForgetsLinks) {
            record.links.retain(|link| link.how != "made by calup");
        }
        if self.has(Bug::ForgetsDeletion) && record.links.iter().any(|link| link.gone) {
            record.links.retain(|link| !link.gone);
            self.run("DELETE FROM link");
        }
        if self.has(Bug::ForgetsRegister) {
            record.registers.clear();
        }
        if self.has(Bug::TouchIgnored) {
            for (_, register) in &mut record.registers {
                register.worked_on = false;
            }
        }
        record
    }

    fn believed_effect(&self, mut effect: Effect) -> Effect {
        if self.has(Bug::NoStatusBefore) {
            effect.status_before = None;
        }
        if self.has(Bug::NoPreImage) {
            effect.pre_image = None;
        }
        if effect.state == State::Unknown {
            let is_absent = self.has(Bug::UnknownIsAbsent)
                || self.has(Bug::ProbeOnce) && effect.negatives >= 1
                || self.has(Bug::ProbeTwice) && effect.negatives >= 2;
            if is_absent {
                effect.state = State::Absent;
            } else if self.has(Bug::UnknownIsApplied) {
                effect.state = State::Applied;
            }
        }
        effect
    }
}

/// A lane that ignores what runs in it.
const NEXT_OF_LANE: &str = "
    UPDATE change SET yields = 1 WHERE status = 'running';
    UPDATE lane SET due_at = 0 WHERE due_at IS NULL AND EXISTS
      (SELECT 1 FROM change c WHERE c.profile = lane.profile AND c.person = lane.person AND c.status = 'pending')";

const AT_ONCE: &str = "
    UPDATE change SET status = 'pending', retry_at = NULL WHERE status = 'waiting' AND crashes > 2;
    UPDATE lane SET due_at = 0 WHERE suspect = 1";

/// What stopped the program waits.
const ONE_RESTS: &str = "
    SELECT EXISTS (SELECT 1 FROM change WHERE status = 'waiting' AND crashes > 2 AND retry_at > ?1)";

fn done() -> Ended {
    Ended {
        status: Status::Done,
        reason: None,
        why: Vec::new(),
        lead: None,
    }
}

macro_rules! lies {
    ($($verb:ident($($a:ident: $at:ty),*) -> $o:ty;)*) => {
        #[async_trait::async_trait]
        impl Store for LyingStore {
            $(async fn $verb(&self, $($a: $at),*) -> Result<$o> {
                self.truth.$verb($($a),*).await
            })*

            async fn receive(&self, delivery: NewDelivery) -> Result<String> {
                if self.has(Bug::AcksUnstored) {
                    return self.truth.receive(delivery).await.or(Ok(String::new()));
                }
                if self.has(Bug::BodyInClear) {
                    let body = String::from_utf8_lossy(&delivery.body).into_owned();
                    self.truth.set_meta("last_body", &body).await?;
                }
                if !self.has(Bug::AckBeforeCommit) {
                    return self.truth.receive(delivery).await;
                }
                let truth = self.truth.clone();
                tokio::spawn(async move {
                    time::sleep_ms(50).await;
                    truth.receive(delivery).await
                });
                Ok(String::new())
            }

            async fn record(&self, profile: &str, record: Record) -> Result<()> {
                self.insist();
                let record = self.believed(record);
                if record.is_empty() {
                    return Ok(());
                }
                self.truth.record(profile, record).await
            }

            async fn lease(&self, profile: &str, owner: &str, ttl: std::time::Duration, now: Timestamp) -> Result<Lease> {
                if self.has(Bug::DropsAttempts) {
                    self.run("DELETE FROM effect WHERE state = 'attempting'");
                }
                if self.has(Bug::RestoreUnnoticed) {
                    self.take_for_the_last();
                }
                if self.has(Bug::StopsForgotten) {
                    self.run("UPDATE change SET crashes = 0");
                }
                let lease = self.truth.lease(profile, owner, ttl, now).await?;
                if self.has(Bug::NoRest) {
                    self.run(AT_ONCE);
                }
                if let Lease::Held { epoch } = lease {
                    self.epoch.store(epoch, Ordering::Relaxed);
                }
                Ok(lease)
            }

            async fn read_many(&self, readings: Vec<(String, Reading)>) -> Result<()> {
                let told = |(id, reading)| (id, self.misread(reading));
                self.truth.read_many(readings.into_iter().map(told).collect()).await
            }

            async fn claim(&self, profile: &str, now: Timestamp, limit: usize, at_work: &[String]) -> Result<Vec<Claim>> {
                self.insist();
                if self.has(Bug::LanePerChange) {
                    self.run(NEXT_OF_LANE);
                }
                if self.has(Bug::WaitsForOne) && self.is_so(ONE_RESTS, now) {
                    return Ok(Vec::new());
                }
                let claims = self.truth.claim(profile, now, limit, at_work).await?;
                if self.has(Bug::FinishesFirst) {
                    for claim in &claims {
                        self.truth.finish(claim, done(), Record::default()).await?;
                    }
                }
                Ok(claims)
            }

            async fn finish(&self, claim: &Claim, ended: Ended, record: Record) -> Result<()> {
                let record = self.believed(record);
                if self.has(Bug::FinishesFirst) {
                    return self.truth.record(&claim.stored.profile, record).await;
                }
                self.truth.finish(claim, ended, record).await
            }

            async fn retry_at(&self, claim: &Claim, at: Timestamp, reason: &str, counted: bool) -> Result<()> {
                if self.has(Bug::FinishesFirst) {
                    return Ok(());
                }
                if self.has(Bug::RetriesDropped) && counted {
                    return self.truth.finish(claim, done(), Record::default()).await;
                }
                self.truth.retry_at(claim, at, reason, counted).await
            }

            async fn related(&self, profile: &str, change: &Stored) -> Result<Vec<Stored>> {
                let mut related = self.truth.related(profile, change).await?;
                if self.has(Bug::HidesCancellations) {
                    related.retain(|r| r.change.kind != Kind::Cancelled || r.key == change.key);
                }
                if self.has(Bug::HidesRejections) {
                    related.retain(|r| r.change.kind != Kind::Rejected || r.key == change.key);
                }
                Ok(related)
            }

            async fn pause(&self, profile: &str, pause: Option<Pause>) -> Result<()> {
                if self.has(Bug::PauseStays) && pause.is_none() {
                    return Ok(());
                }
                self.truth.pause(profile, pause).await
            }

            async fn notify(&self, notice: &Notice, now: Timestamp) -> Result<bool> {
                let is_burial = notice.text.contains("stopped the program");
                if self.has(Bug::TellsNobody) || self.has(Bug::BurialUntold) && is_burial {
                    return Ok(false);
                }
                self.truth.notify(notice, now).await
            }

            async fn doubts(&self, profile: &str, now: Timestamp, limit: usize) -> Result<Vec<Doubt>> {
                if self.has(Bug::SweepsNothing) {
                    return Ok(Vec::new());
                }
                self.truth.doubts(profile, now, limit).await
            }

            fn marker_key(&self) -> [u8; 32] {
                self.truth.marker_key()
            }

            fn person_key(&self, profile: &str, identity: &str) -> String {
                self.truth.person_key(profile, identity)
            }

            fn is_shared(&self) -> bool {
                self.truth.is_shared()
            }

            fn is_failing(&self) -> bool {
                self.truth.is_failing()
            }

            fn commits(&self) -> u64 {
                self.truth.commits()
            }
        }
    };
}

lies! {
    next_due(profile: &str) -> Option<Timestamp>;
    of_person(profile: &str, person: &str) -> Vec<Stored>;
    links(profile: &str, tokens: &[String]) -> Vec<Link>;
    register(profile: &str, lead: &str) -> Register;
    effects(profile: &str, change_key: &str) -> Vec<Effect>;
    paused(profile: &str) -> Option<Pause>;
    remembered(profile: &str, key: &str, now: Timestamp) -> bool;
    deliveries(filter: &DeliveryFilter) -> Vec<Delivery>;
    delivery(id: &str) -> Option<Delivery>;
    proof(profile: &str, uid: &str) -> Proof;
    counts(profile: Option<&str>) -> Counts;
    notices(profile: &str, limit: usize) -> Vec<Notice>;
    meta(key: &str) -> Option<String>;
    token(hash: &str) -> Option<Token>;
    tokens(profile: &str) -> Vec<Token>;
    damage() -> Vec<String>;
    unread(profile: &str, limit: usize) -> Vec<Delivery>;
    read(delivery_id: &str, reading: Reading) -> ();
    unclaim(profile: &str, at_work: &[String]) -> ();
    park(claim: &Claim, at: Timestamp, reason: &str) -> ();
    wake(profile: &str, now: Timestamp) -> ();
    release(profile: &str, owner: &str) -> ();
    remember(profile: &str, key: &str, until: Timestamp) -> ();
    replay(id: &str) -> bool;
    set_meta(key: &str, value: &str) -> ();
    add_token(token: &Token) -> ();
    revoke_token(profile: &str, id: &str) -> bool;
    healthy() -> ();
    renew() -> ();
    doubt(doubt: &Doubt) -> ();
    look_again(doubt: &Doubt, at: Option<Timestamp>) -> ();
    merge(profile: &str, lead: &str, into: &str) -> ();
    standing_for(profile: &str, lead: &str) -> String;
    last_sent(profile: &str, lead: &str, kind: Option<domain::effect::Kind>) -> Option<Timestamp>;
}

macro_rules! truths {
    ($of:ident: $($verb:ident($($a:ident: $at:ty),*) -> $o:ty;)*) => {
        #[async_trait::async_trait]
        impl $of for LyingStore {
            $(async fn $verb(&self, $($a: $at),*) -> Result<$o> {
                self.truth.$verb($($a),*).await
            })*
        }
    };
}

truths! {
    Asking:
    hooks(profile: &str) -> Vec<Hook>;
    keep_hook(profile: &str, hook: &Hook) -> ();
    forget_hook(profile: &str, id: &str) -> ();
    resembling(profile: &str, tokens: &[String], limit: usize) -> Vec<Indexed>;
    indexing(profile: &str) -> Indexing;
    questions(filter: &QuestionFilter) -> Vec<Question>;
    question(id: &str) -> Option<Question>;
    asked(profile: &str, person: &str) -> Vec<Question>;
    questions_due(profile: &str, now: Timestamp, limit: usize) -> Vec<String>;
    next_question_due(profile: &str) -> Option<Timestamp>;
    unposted(profile: &str, limit: usize) -> Vec<Question>;
    alias(profile: &str, email: &str) -> Option<Alias>;
    aliases(profile: &str) -> Vec<Alias>;
    index(profile: &str, leads: Vec<Indexed>, seen_at: Timestamp) -> ();
    unindex(profile: &str, leads: &[String]) -> ();
    sweep_index(profile: &str, seen_before: Timestamp) -> u64;
    set_indexing(profile: &str, indexing: &Indexing) -> ();
    hold(claim: &Claim, question: NewQuestion) -> Option<String>;
    answer(id: &str, answer: Answer, by: &str, now: Timestamp) -> Answered;
    close(id: &str, why: Closed, now: Timestamp) -> bool;
    begin_posting(id: &str) -> bool;
    not_posted(id: &str) -> ();
    posted(id: &str, channel: &str, ts: &str) -> bool;
    shown(id: &str, state: QuestionState) -> ();
    learn_alias(profile: &str, alias: &Alias) -> ();
    forget_alias(profile: &str, email: &str) -> bool;
}

truths! {
    Papers:
    paper(profile: &str, kind: PaperKind, id: &str, now: Timestamp) -> Option<Paper>;
    papers(profile: &str, kind: PaperKind, now: Timestamp, limit: usize) -> Vec<Paper>;
    write_paper(profile: &str, kind: PaperKind, paper: &Paper, now: Timestamp) -> Option<i64>;
    remove_paper(profile: &str, kind: PaperKind, id: &str, version: i64) -> bool;
}

truths! {
    Profiles:
    profiles() -> Vec<(String, Result<ProfileRow>)>;
    profile(name: &str) -> Option<ProfileRow>;
    write_profile(row: &ProfileRow) -> Option<i64>;
    remove_profile(name: &str) -> bool;
    reseal(from: Option<Place>, limit: usize) -> Resealed;
    forget_older_keys() -> ();
}
