//! A CRM that is written to only within the lease: a write that the lease does not outlive is not begun, and one that is
//! not over in time is cut. Reads go through at any time.

use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use domain::lead::{Lead, ListInfo, NewLead, Posted, RichText, Write};
use domain::outcome::Failure;
use jiff::Timestamp;
use vendors::{Crm, Page, http};

use crate::lease::{Deadline, Lease};

pub struct Leased {
    pub crm: Arc<dyn Crm>,
    pub lease: Arc<Lease>,
}

impl Leased {
    async fn within<T>(
        &self,
        what: &str,
        call: impl Future<Output = Result<T, Failure>> + Send,
    ) -> Result<T, Failure> {
        within(&self.lease, what, call).await
    }
}

/// A writing call. What cannot be over in time is not begun.
pub async fn within<T>(
    lease: &Lease,
    what: &str,
    call: impl Future<Output = Result<T, Failure>> + Send,
) -> Result<T, Failure> {
    let end = match lease.call() {
        Some(Deadline::None) => return call.await,
        Some(Deadline::At(end)) => end,
        None => {
            let what = format!("{what}: this replica's lease ends too soon");
            return Err(Failure::Transient { what });
        }
    };
    let mut call = std::pin::pin!(http::until(end, call));
    let mut ended = std::pin::pin!(tokio::time::sleep_until(end.into()));
    std::future::poll_fn(|cx| {
        // Looked at first: a process that was stopped goes on here, perhaps long after.
        if Instant::now() >= end || ended.as_mut().poll(cx).is_ready() {
            let what = format!("{what}: cut, because this replica's lease ended");
            return Poll::Ready(Err(Failure::Unknown { what }));
        }
        call.as_mut().poll(cx)
    })
    .await
}

#[async_trait::async_trait]
impl Crm for Leased {
    async fn find_by_email(&self, email: &str) -> Result<Vec<Lead>, Failure> {
        self.crm.find_by_email(email).await
    }

    async fn lead(&self, id: &str) -> Result<Lead, Failure> {
        self.crm.lead(id).await
    }

    async fn create(&self, lead: &NewLead) -> Result<Lead, Failure> {
        self.within("make a lead", self.crm.create(lead)).await
    }

    async fn write(&self, id: &str, write: &Write) -> Result<(), Failure> {
        self.within("update a lead", self.crm.write(id, write))
            .await
    }

    async fn comment(&self, id: &str, text: &RichText) -> Result<String, Failure> {
        self.within("comment", self.crm.comment(id, text)).await
    }

    async fn edit_comment(&self, comment_id: &str, text: &RichText) -> Result<(), Failure> {
        self.within("edit a comment", self.crm.edit_comment(comment_id, text))
            .await
    }

    async fn delete(&self, id: &str) -> Result<(), Failure> {
        self.within("delete a lead", self.crm.delete(id)).await
    }

    async fn delete_comment(&self, comment_id: &str) -> Result<(), Failure> {
        self.within("delete a comment", self.crm.delete_comment(comment_id))
            .await
    }

    async fn comments(&self, id: &str, since: Timestamp) -> Result<Vec<Posted>, Failure> {
        self.crm.comments(id, since).await
    }

    async fn created_since(&self, since: Timestamp) -> Result<Vec<Lead>, Failure> {
        self.crm.created_since(since).await
    }

    async fn moved_on(&self, since: Timestamp) -> Result<Vec<Lead>, Failure> {
        self.crm.moved_on(since).await
    }

    async fn page(&self, since: Option<Timestamp>, page: u32) -> Result<Page, Failure> {
        self.crm.page(since, page).await
    }

    async fn list(&self, id: &str, fresh: bool) -> Result<ListInfo, Failure> {
        self.crm.list(id, fresh).await
    }

    async fn probe(&self) -> Result<(), Failure> {
        self.crm.probe().await
    }

    async fn ready(&self, calls: u32) -> Result<(), Failure> {
        self.crm.ready(calls).await
    }

    async fn spare(&self, calls: u32) -> Result<(), Failure> {
        self.crm.spare(calls).await
    }
}
