//! Mistakes made on purpose: what the storm must catch. Each is a lie told between the program and its store, or
//! between the program and ClickUp; the program itself knows nothing of them.

mod crm;
mod store;

pub use crm::LyingCrm;
pub use store::LyingStore;

macro_rules! bugs {
    ($($bug:ident $name:literal $what:literal)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Bug {
            $($bug),*
        }

        impl Bug {
            pub const ALL: &[Bug] = &[$(Bug::$bug),*];

            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$bug => $name),*
                }
            }

            pub fn what(self) -> &'static str {
                match self {
                    $(Self::$bug => $what),*
                }
            }
        }
    };
}

bugs! {
    AckBeforeCommit "ack-before-commit" "a delivery is answered 200 before it is stored"
    AcksUnstored "acks-unstored" "a delivery that could not be stored is answered 200"
    NoIntent "no-intent" "nothing is committed before a request is sent"
    DropsAttempts "drops-attempts" "what was attempted when the process died is forgotten at the next start"
    ProbeOnce "probe-once" "one look that finds nothing proves that nothing was done"
    ProbeTwice "probe-twice" "two looks that find nothing prove it, however soon"
    UnknownIsAbsent "unknown-is-absent" "a lost answer is taken for a request that was not carried out"
    UnknownIsApplied "unknown-is-applied" "a lost answer is taken for a request that was carried out"
    ClientSendsAgain "client-sends-again" "the HTTP client sends a write again after a 5xx or a lost answer"
    NoMarkers "no-markers" "comments and leads bear no marker"
    OneRoute "one-route" "a lead whose answer was lost is looked for by e-mail only"
    CreatedAtInKey "created-at-in-key" "the sender's stamp is part of what makes two deliveries the same change"
    DuplicatesTaken "duplicates-taken" "a delivery that came before is taken for a new one"
    LanePerChange "lane-per-change" "two changes of one person are worked on at once"
    HidesCancellations "hides-cancellations" "a decision does not see that a meeting was cancelled"
    LateNotSaid "late-not-said" "a comment that comes after a later one does not say so"
    FinishesFirst "finishes-first" "a change is finished before its effects are done"
    RetriesDropped "retries-dropped" "what failed is not tried again"
    LimitIsRefusal "limit-is-refusal" "a 429 is taken for a refusal"
    TokenIsRefusal "token-is-refusal" "a 401 is taken for a refusal"
    IgnoresReset "ignores-reset" "after a 429 the next request goes after a second"
    ForgetsLinks "forgets-links" "which lead was made for whom is not kept"
    ForgetsDeletion "forgets-deletion" "that a person deleted a lead is not kept"
    ForgetsRegister "forgets-register" "which status calup set itself is not kept"
    CaseMatters "case-matters" "addresses are compared with their case"
    GuardOff "guard-off" "a status that ends a deal is moved"
    StaleReads "stale-reads" "a lead is not read again before it is written"
    Overwrites "overwrites" "a description is replaced by the block"
    BlockAppended "block-appended" "a block is added below instead of replaced"
    NoPreImage "no-pre-image" "what a description held before is not kept"
    SweepsNothing "sweeps-nothing" "nothing is looked after once its answer was lost"
    KeepsYounger "keeps-younger" "of two leads that one create made the older is taken back"
    CopiesAreOurs "copies-are-ours" "a person's copy of a lead is taken for the second of two"
    TouchIgnored "touch-ignored" "that somebody has worked on the second is not seen"
    EpochIgnored "epoch-ignored" "whoever was superseded goes on working"
    RestoreUnnoticed "restore-unnoticed" "an older copy of the database is taken for the last"
    NoStatusBefore "no-status-before" "which status a lead had before a write is not kept"
    RefusalIsTransient "refusal-is-transient" "what ClickUp refuses for good is tried for ever"
    RequestIsBooking "request-is-booking" "who only asks for a meeting is taken to have booked it"
    HidesRejections "hides-rejections" "a decision does not see that a meeting was declined"
    MovesUnjoined "moves-unjoined" "a move that waits for the host is not known as one"
    StopsForgotten "stops-forgotten" "how often the program stopped over a booking is not kept"
    NoRest "no-rest" "what the program stopped at is worked on again at once, each time"
    WaitsForOne "waits-for-one" "everybody waits while what stopped the program does"
    BurialUntold "burial-untold" "that a booking was given up because it stops the program is told to nobody"
    TellsNobody "tells-nobody" "what an operator should hear is kept from everybody"
    ForbiddenIsGone "forbidden-is-gone" "a record out of reach is taken for a deleted one"
    PauseStays "pause-stays" "work that was paused is never taken up again"
    IgnoresRemaining "ignores-remaining" "how many requests a window still allows is not read"
    BodyInClear "body-in-clear" "a delivery's body is kept unsealed"
}
