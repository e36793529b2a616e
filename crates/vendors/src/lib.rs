//! One folder per outside service. Wire types stay inside; `domain` words come out.

pub mod cal;
pub mod claude;
pub mod clickup;
pub mod http;
mod mac;
pub mod slack;
mod surrogates;

use domain::lead::{Lead, ListInfo, NewLead, Posted, RichText, Write};
use domain::outcome::Failure;
use jiff::Timestamp;

/// A part of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub leads: Vec<Lead>,
    pub is_last: bool,
}

/// A CRM: the promised extension point. Reads may be repeated at will. A writing call is sent at most once
/// per invocation; when its fate is not known it fails with [`Failure::Unknown`] and the caller looks it up.
#[async_trait::async_trait]
pub trait Crm: Send + Sync {
    /// All records of the profile's lists whose e-mail equals `email` exactly (trimmed, case-folded),
    /// closed ones and subtasks included, all pages, in no particular order.
    async fn find_by_email(&self, email: &str) -> Result<Vec<Lead>, Failure>;
    async fn lead(&self, id: &str) -> Result<Lead, Failure>;
    /// Makes a lead in the inbound list.
    async fn create(&self, lead: &NewLead) -> Result<Lead, Failure>;
    async fn write(&self, id: &str, write: &Write) -> Result<(), Failure>;
    /// Gives the comment's id.
    async fn comment(&self, id: &str, text: &RichText) -> Result<String, Failure>;
    async fn edit_comment(&self, comment_id: &str, text: &RichText) -> Result<(), Failure>;
    /// Done as well when it was gone before.
    async fn delete(&self, id: &str) -> Result<(), Failure>;
    /// Done as well when it was gone before.
    async fn delete_comment(&self, comment_id: &str) -> Result<(), Failure>;
    /// Those posted after `since` (and perhaps some before), newest first.
    async fn comments(&self, id: &str, since: Timestamp) -> Result<Vec<Posted>, Failure>;
    /// Records of the inbound list that were made after `since`, all pages.
    async fn created_since(&self, since: Timestamp) -> Result<Vec<Lead>, Failure>;
    /// Records of the match lists that were made after `since`, all pages: also those that people moved there from the
    /// inbound list.
    async fn moved_on(&self, since: Timestamp) -> Result<Vec<Lead>, Failure>;
    /// One page, counted from 0, of everything in the profile's lists, closed records and subtasks included, in the order
    /// in which they were made; with `since`, only what was changed after it. Descriptions are left out.
    async fn page(&self, since: Option<Timestamp>, page: u32) -> Result<Page, Failure>;
    /// What is known of one list; cached for an hour, `fresh` reads it again.
    async fn list(&self, id: &str, fresh: bool) -> Result<ListInfo, Failure>;
    /// The cheapest call that proves that the CRM answers and takes our token.
    async fn probe(&self) -> Result<(), Failure>;
    /// Waits, within limits, until the vendor's limit leaves room for so many calls. To be asked before a write is
    /// announced: an announced write goes at once or fails with [`Failure::Limited`].
    async fn ready(&self, calls: u32) -> Result<(), Failure>;
    /// The same for what can wait: only while enough of the limit is left for those who ask [`Crm::ready`].
    async fn spare(&self, calls: u32) -> Result<(), Failure>;
}
