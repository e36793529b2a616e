//! Sealed papers with a version: what the assistant proposes, what was said to it, and what it was granted. Whoever
//! writes over one says which version they have read, so that of several only one does. Whoever has a `Store` has these
//! verbs too.

use jiff::Timestamp;

use crate::Result;
use crate::rows::{Paper, PaperKind};
use crate::vault::Vault;

/// What has ended goes with the next writing, so many at a time.
pub const SWEPT_AT_ONCE: i64 = 100;

#[async_trait::async_trait]
pub trait Papers: Send + Sync {
    /// `None` when there is none, or it has ended.
    async fn paper(
        &self,
        profile: &str,
        kind: PaperKind,
        id: &str,
        now: Timestamp,
    ) -> Result<Option<Paper>>;
    /// Newest first by their ids.
    async fn papers(
        &self,
        profile: &str,
        kind: PaperKind,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Paper>>;
    /// Compare-and-set: writes `paper.body` over the version that it names (0: there is none, or it has ended), and
    /// gives the new version; `None` when somebody was first. Durable on return.
    async fn write_paper(
        &self,
        profile: &str,
        kind: PaperKind,
        paper: &Paper,
        now: Timestamp,
    ) -> Result<Option<i64>>;
    /// `false` when it has another version, or none.
    async fn remove_paper(
        &self,
        profile: &str,
        kind: PaperKind,
        id: &str,
        version: i64,
    ) -> Result<bool>;
}

pub fn name(kind: PaperKind) -> &'static str {
    match kind {
        PaperKind::Proposal => "proposal",
        PaperKind::Conversation => "conversation",
        PaperKind::Grant => "grant",
        PaperKind::Consent => "consent",
    }
}

pub fn seal(vault: &Vault, profile: &str, kind: PaperKind, paper: &Paper) -> Vec<u8> {
    let place = place(profile, kind, &paper.id);
    vault.seal("paper", "body", &place, &paper.body)
}

pub fn open(
    vault: &Vault,
    profile: &str,
    kind: PaperKind,
    id: &str,
    sealed: &[u8],
) -> Result<Vec<u8>> {
    vault.open("paper", "body", &place(profile, kind, id), sealed)
}

fn place(profile: &str, kind: PaperKind, id: &str) -> String {
    format!("{profile}/{}/{id}", name(kind))
}
