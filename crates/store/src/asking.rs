//! What it takes to ask people who somebody is: the leads whose names may be meant, the questions, and the addresses
//! that were learnt from answers. Whoever has a `Store` has these verbs too.

use jiff::Timestamp;

use crate::Result;
use crate::rows::{
    Alias, Answer, Answered, Claim, Closed, Hook, Indexed, Indexing, NewQuestion, Question,
    QuestionFilter, QuestionState,
};

#[async_trait::async_trait]
pub trait Asking: Send + Sync {
    // --- the index of leads ---

    /// Leads as they were seen at `seen_at`. What was updated later than this says stays as it is, and counts as seen.
    /// Many may go in several commits.
    async fn index(&self, profile: &str, leads: Vec<Indexed>, seen_at: Timestamp) -> Result<()>;
    /// They are not there any more.
    async fn unindex(&self, profile: &str, leads: &[String]) -> Result<()>;
    /// Removes what was last seen before then (a complete fill began), and says how many.
    async fn sweep_index(&self, profile: &str, seen_before: Timestamp) -> Result<u64>;
    /// Those that share a token: most tokens first, then the most recently updated. Of leads that bear the same one, the
    /// thousand most recently updated count.
    async fn resembling(
        &self,
        profile: &str,
        tokens: &[String],
        limit: usize,
    ) -> Result<Vec<Indexed>>;
    async fn indexing(&self, profile: &str) -> Result<Indexing>;
    async fn set_indexing(&self, profile: &str, indexing: &Indexing) -> Result<()>;

    // --- the webhooks that keep it fresh ---

    async fn hooks(&self, profile: &str) -> Result<Vec<Hook>>;
    /// Replaces what is known of it.
    async fn keep_hook(&self, profile: &str, hook: &Hook) -> Result<()>;
    async fn forget_hook(&self, profile: &str, id: &str) -> Result<()>;

    // --- questions ---

    /// Holds a change for the open question about its person, which is opened when there is none, and closes no later
    /// than this one would. Gives its id. Its lane goes on. `None`: the change is pending again instead, because it
    /// learnt something while it ran, or its person's question was settled. Compare-and-set, as `Store::finish`.
    async fn hold(&self, claim: &Claim, question: NewQuestion) -> Result<Option<String>>;
    /// Newest first.
    async fn questions(&self, filter: &QuestionFilter) -> Result<Vec<Question>>;
    async fn question(&self, id: &str) -> Result<Option<Question>>;
    /// All about a person, newest first: what was answered decides later plans.
    async fn asked(&self, profile: &str, person: &str) -> Result<Vec<Question>>;
    /// Of any number of answers, from any replica, one is `First`; what the question held is pending then, and for
    /// `Answer::Person` the address is learnt. `Late`: everything that the question ever held is planned again, with
    /// what came of the person to the same lead; and what is said of the person answers also the question that is open
    /// about them by now.
    async fn answer(&self, id: &str, answer: Answer, by: &str, now: Timestamp) -> Result<Answered>;
    /// Closes it unanswered, and what it held is pending. `false` when it is not open.
    async fn close(&self, id: &str, why: Closed, now: Timestamp) -> Result<bool>;
    /// Open ones (their ids) whose time has come, the longest due first.
    async fn questions_due(
        &self,
        profile: &str,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<String>>;
    async fn next_question_due(&self, profile: &str) -> Result<Option<Timestamp>>;

    // --- where they stand in Slack ---

    /// From now on its message may stand there. `false` when somebody has begun already, or it is not open any more.
    async fn begin_posting(&self, id: &str) -> Result<bool>;
    /// It surely does not: what was begun came to nothing.
    async fn not_posted(&self, id: &str) -> Result<()>;
    /// Its message, which shows it open. `false` when it has another one already, which stays.
    async fn posted(&self, id: &str, channel: &str, ts: &str) -> Result<bool>;
    /// What its message shows now.
    async fn shown(&self, id: &str, state: QuestionState) -> Result<()>;
    /// Those to be posted (open, without a message), looked for (posting was begun) or shown (their message shows another
    /// state), oldest first.
    async fn unposted(&self, profile: &str, limit: usize) -> Result<Vec<Question>>;

    // --- what was learnt ---

    /// Whose address it is, although the lead does not bear it.
    async fn alias(&self, profile: &str, email: &str) -> Result<Option<Alias>>;
    /// The ten thousand newest, newest first.
    async fn aliases(&self, profile: &str) -> Result<Vec<Alias>>;
    /// Replaces what is known of the address.
    async fn learn_alias(&self, profile: &str, alias: &Alias) -> Result<()>;
    /// `false` when there is none.
    async fn forget_alias(&self, profile: &str, email: &str) -> Result<bool>;
}
