//! The real store, as a process that may die holds it: each verb is a step before and after its commit, and any of
//! them may find the disk full.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use store::rows::{
    Alias, Answer, Answered, Claim, Closed, Counts, Delivery, DeliveryFilter, Doubt, Ended, Hook,
    Indexed, Indexing, Lease, Link, NewDelivery, NewQuestion, Notice, Paper, PaperKind, Pause,
    Place, ProfileRow, Proof, Question, QuestionFilter, QuestionState, Reading, Record, Register,
    Resealed, Stored, Token,
};
use store::{Asking, Error, Papers, Profiles, Result, Store};

use crate::life::Life;
use crate::{dice, fatal, time};

pub const MASTER_KEY: &str = "c3Rvcm0tbWFzdGVyLWtleS0zMi1ieXRlcy1sb25nISE=";

pub struct Mortal {
    life: Arc<Life>,
    file: Mutex<Option<Arc<dyn Store>>>,
    marker_key: [u8; 32],
}

impl Mortal {
    pub fn open(life: Arc<Life>, path: &Path) -> Result<Arc<Self>> {
        let file = store::open_inline(&path.display().to_string(), Some(MASTER_KEY))?;
        Ok(Arc::new(Self {
            life,
            marker_key: file.marker_key(),
            file: Mutex::new(Some(file)),
        }))
    }

    /// For whoever looks from outside; `None` once the process is dead.
    pub fn file(&self) -> Option<Arc<dyn Store>> {
        self.file
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// What the kernel does to a dead process's files.
    pub fn close(&self) {
        *self.file.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    async fn reading(&self, _verb: &'static str) -> Result<Arc<dyn Store>> {
        self.life.live().await;
        self.opened()
    }

    async fn writing(&self, verb: &'static str) -> Result<Arc<dyn Store>> {
        self.life.step(verb).await;
        let world = &self.life.world;
        let error = world.weather().store_error;
        if dice::chance(error) {
            world.fault("database error");
            world.tell(format_args!("{verb}: disk full"));
            return Err(Error::Unwritable("the disk is full".into()));
        }
        self.opened()
    }

    fn opened(&self) -> Result<Arc<dyn Store>> {
        self.file()
            .ok_or_else(|| Error::Other("the process is dead".into()))
    }

    async fn written<T>(&self, verb: &'static str, done: &Result<T>) {
        if verb == "lease" && done.is_ok() {
            self.life.world.seen().leased_by = self.life.number;
        }
        // I9: what moves a change or an effect on is refused once another one has taken over.
        let moves_on = matches!(verb, "claim" | "record" | "finish" | "retry_at" | "park");
        if moves_on && done.is_ok() && self.life.is_superseded() {
            let what = format!(
                "{verb} by life {}, whose database another one works on",
                self.life.number
            );
            self.life.world.violated("I9", what);
        }
        let how = match done {
            Ok(_) => "committed",
            Err(Error::Superseded) => "superseded",
            // Whoever has the lock keeps it.
            Err(_) if self.life.is_superseded() => "refused",
            Err(error) => {
                self.life.world.violated("I4", format!("{verb}: {error}"));
                "failed"
            }
        };
        if !matches!(verb, "claim" | "unread") {
            self.life.world.tell(format_args!("{verb} {how}"));
        }
        self.life.step("after a commit").await;
    }

    fn saw(&self, record: &Record, done: &Result<()>) {
        if done.is_err() {
            return;
        }
        for effect in &record.effects {
            let (kind, state) = (effect.kind.name(), effect.state.name());
            let (key, negatives) = (&effect.key[..6], effect.negatives);
            self.life.world.tell(format_args!(
                "effect {kind} {key} {state} attempt {} negatives {negatives}",
                effect.attempt
            ));
            self.life.world.seen().effect(effect);
        }
    }
}

/// `rest`: those of which more is seen, or less.
macro_rules! verbs {
    (
        $of:ident
        reads { $($read:ident($($r:ident: $rt:ty),*) -> $ro:ty;)* }
        writes { $($write:ident($($w:ident: $wt:ty),*) -> $wo:ty;)* }
        rest { $($rest:tt)* }
    ) => {
        #[async_trait::async_trait]
        impl $of for Mortal {
            $(async fn $read(&self, $($r: $rt),*) -> Result<$ro> {
                self.reading(stringify!($read)).await?.$read($($r),*).await
            })*
            $(async fn $write(&self, $($w: $wt),*) -> Result<$wo> {
                let file = self.writing(stringify!($write)).await?;
                let done = file.$write($($w),*).await;
                drop(file);
                self.written(stringify!($write), &done).await;
                done
            })*
            $($rest)*
        }
    };
}

verbs! {
    Store
    reads {
        next_due(profile: &str) -> Option<Timestamp>;
        of_person(profile: &str, person: &str) -> Vec<Stored>;
        links(profile: &str, tokens: &[String]) -> Vec<Link>;
        register(profile: &str, lead: &str) -> Register;
        effects(profile: &str, change_key: &str) -> Vec<domain::effect::Effect>;
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
        standing_for(profile: &str, lead: &str) -> String;
        last_sent(profile: &str, lead: &str, kind: Option<domain::effect::Kind>) -> Option<Timestamp>;
        doubts(profile: &str, now: Timestamp, limit: usize) -> Vec<Doubt>;
    }
    writes {
        lease(profile: &str, owner: &str, ttl: std::time::Duration, now: Timestamp) -> Lease;
        release(profile: &str, owner: &str) -> ();
        read(delivery_id: &str, reading: Reading) -> ();
        unclaim(profile: &str, at_work: &[String]) -> ();
        park(claim: &Claim, at: Timestamp, reason: &str) -> ();
        wake(profile: &str, now: Timestamp) -> ();
        pause(profile: &str, pause: Option<Pause>) -> ();
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
    }
    rest {
        async fn related(&self, profile: &str, change: &Stored) -> Result<Vec<Stored>> {
            let file = self.reading("related").await?;
            let uid = &change.change.booking.uid;
            self.life.world.seen().decides(uid, time::elapsed_ms());
            fatal::decides(&self.life, &change.key).await;
            file.related(profile, change).await
        }

        async fn unread(&self, profile: &str, limit: usize) -> Result<Vec<Delivery>> {
            let file = self.writing("unread").await?;
            let done = file.unread(profile, limit).await;
            drop(file);
            for delivery in done.iter().flatten() {
                fatal::handed_out(&self.life.world, &delivery.sha256, &delivery.id);
            }
            self.written("unread", &done).await;
            done
        }

        async fn read_many(&self, readings: Vec<(String, Reading)>) -> Result<()> {
            fatal::reads(&self.life, &readings).await;
            let file = self.writing("read_many").await?;
            let done = file.read_many(readings).await;
            drop(file);
            self.written("read_many", &done).await;
            done
        }

        async fn claim(&self, profile: &str, now: Timestamp, limit: usize, at_work: &[String]) -> Result<Vec<Claim>> {
            let file = self.writing("claim").await?;
            let done = file.claim(profile, now, limit, at_work).await;
            drop(file);
            fatal::claimed(&self.life.world, done.as_deref().unwrap_or_default());
            self.written("claim", &done).await;
            done
        }

        async fn retry_at(&self, claim: &Claim, at: Timestamp, reason: &str, counted: bool) -> Result<()> {
            let file = self.writing("retry_at").await?;
            let done = file.retry_at(claim, at, reason, counted).await;
            drop(file);
            if counted && done.is_ok() {
                fatal::tried(&self.life.world, claim);
            }
            self.written("retry_at", &done).await;
            done
        }

        async fn receive(&self, delivery: NewDelivery) -> Result<String> {
            let file = self.writing("receive").await?;
            let sha256 = delivery.sha256.clone();
            let done = file.receive(delivery).await;
            drop(file);
            if done.is_ok() && !fatal::is_unreadable(&self.life.world, &sha256) {
                let mut seen = self.life.world.seen();
                if let Some(event) = seen.tells.get(&sha256).copied() {
                    seen.of_database.stored.entry(event).or_insert_with(time::elapsed_ms);
                }
            }
            self.written("receive", &done).await;
            done
        }

        async fn record(&self, profile: &str, record: Record) -> Result<()> {
            let file = self.writing("record").await?;
            let done = file.record(profile, record.clone()).await;
            drop(file);
            self.saw(&record, &done);
            fatal::records(&self.life, &record).await;
            self.written("record", &done).await;
            done
        }

        async fn finish(&self, claim: &Claim, ended: Ended, record: Record) -> Result<()> {
            fatal::finishes(&self.life, claim).await;
            let file = self.writing("finish").await?;
            let done = file.finish(claim, ended, record.clone()).await;
            drop(file);
            self.saw(&record, &done);
            self.written("finish", &done).await;
            done
        }

        async fn notify(&self, notice: &Notice, now: Timestamp) -> Result<bool> {
            let file = self.writing("notify").await?;
            let done = file.notify(notice, now).await;
            drop(file);
            // Of the others some name a delivery, whose id is another one each time.
            if notice.cause.starts_with("doubled:") {
                self.life.world.tell(format_args!("told: {}", notice.text));
            }
            self.written("notify", &done).await;
            done
        }

        fn marker_key(&self) -> [u8; 32] {
            self.marker_key
        }

        fn person_key(&self, profile: &str, identity: &str) -> String {
            self.file().map_or_else(String::new, |file| file.person_key(profile, identity))
        }

        fn is_shared(&self) -> bool {
            false
        }

        fn is_failing(&self) -> bool {
            false
        }

        fn commits(&self) -> u64 {
            self.file().map_or(0, |file| file.commits())
        }
    }
}

verbs! {
    Asking
    reads {
        resembling(profile: &str, tokens: &[String], limit: usize) -> Vec<Indexed>;
        indexing(profile: &str) -> Indexing;
        hooks(profile: &str) -> Vec<Hook>;
        questions(filter: &QuestionFilter) -> Vec<Question>;
        question(id: &str) -> Option<Question>;
        asked(profile: &str, person: &str) -> Vec<Question>;
        questions_due(profile: &str, now: Timestamp, limit: usize) -> Vec<String>;
        next_question_due(profile: &str) -> Option<Timestamp>;
        unposted(profile: &str, limit: usize) -> Vec<Question>;
        alias(profile: &str, email: &str) -> Option<Alias>;
        aliases(profile: &str) -> Vec<Alias>;
    }
    writes {
        index(profile: &str, leads: Vec<Indexed>, seen_at: Timestamp) -> ();
        unindex(profile: &str, leads: &[String]) -> ();
        sweep_index(profile: &str, seen_before: Timestamp) -> u64;
        set_indexing(profile: &str, indexing: &Indexing) -> ();
        keep_hook(profile: &str, hook: &Hook) -> ();
        forget_hook(profile: &str, id: &str) -> ();
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
    rest {}
}

verbs! {
    Papers
    reads {
        paper(profile: &str, kind: PaperKind, id: &str, now: Timestamp) -> Option<Paper>;
        papers(profile: &str, kind: PaperKind, now: Timestamp, limit: usize) -> Vec<Paper>;
    }
    writes {
        write_paper(profile: &str, kind: PaperKind, paper: &Paper, now: Timestamp) -> Option<i64>;
        remove_paper(profile: &str, kind: PaperKind, id: &str, version: i64) -> bool;
    }
    rest {}
}

verbs! {
    Profiles
    reads {
        profiles() -> Vec<(String, Result<ProfileRow>)>;
        profile(name: &str) -> Option<ProfileRow>;
    }
    writes {
        write_profile(row: &ProfileRow) -> Option<i64>;
        remove_profile(name: &str) -> bool;
        reseal(from: Option<Place>, limit: usize) -> Resealed;
        forget_older_keys() -> ();
    }
    rest {}
}
