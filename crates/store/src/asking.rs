//! What it takes to ask people who somebody is: the leads whose names may be meant. Whoever has a `Store` has these
//! verbs too.

use jiff::Timestamp;

use crate::Result;
use crate::rows::{Indexed, Indexing};

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
    /// Those that share a token: most tokens first, then the most recently updated, a hundred at most. The first six
    /// tokens count; of the leads that bear the same one, or the same two, the thousand updated last are looked at.
    async fn resembling(
        &self,
        profile: &str,
        tokens: &[String],
        limit: usize,
    ) -> Result<Vec<Indexed>>;
    async fn indexing(&self, profile: &str) -> Result<Indexing>;
    async fn set_indexing(&self, profile: &str, indexing: &Indexing) -> Result<()>;
}
