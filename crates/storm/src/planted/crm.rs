//! ClickUp as a program with a mistake would see it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::fence::{self, Fenced};
use domain::lead::{Lead, ListInfo, NewLead, Posted, RichText, StatusKind, Write};
use domain::outcome::{Cause, Failure};
use jiff::Timestamp;
use vendors::{Crm, Page};

use super::Bug;
use crate::world::World;

pub struct LyingCrm {
    truth: Arc<dyn Crm>,
    world: Arc<World>,
    /// Leads as first read.
    read: Mutex<BTreeMap<String, Lead>>,
}

impl LyingCrm {
    pub fn about(truth: Arc<dyn Crm>, world: Arc<World>) -> Self {
        Self {
            truth,
            world,
            read: Mutex::default(),
        }
    }

    fn has(&self, bug: Bug) -> bool {
        self.world.has(bug)
    }

    fn failure(&self, failure: Failure) -> Failure {
        match failure {
            Failure::Limited { what, .. } if self.has(Bug::LimitIsRefusal) => Failure::Refused {
                what,
                cause: Cause::Other,
            },
            Failure::Refused { what, .. } if self.has(Bug::RefusalIsTransient) => {
                Failure::Transient { what }
            }
            Failure::NeedsOperator { what, .. } if self.has(Bug::TokenIsRefusal) => {
                Failure::Refused {
                    what,
                    cause: Cause::Other,
                }
            }
            other => self.unreachable(other),
        }
    }

    fn unreachable(&self, failure: Failure) -> Failure {
        match failure {
            Failure::NeedsOperator { what, .. }
                if self.has(Bug::ForbiddenIsGone) && what.contains("lacks the right") =>
            {
                Failure::Gone { what }
            }
            other => other,
        }
    }

    fn seen(&self, mut lead: Lead) -> Lead {
        if self.has(Bug::CopiesAreOurs) {
            lead.ours = true;
            lead.name = lead.name.replace(" (copy)", "");
        }
        if self.has(Bug::TouchIgnored) {
            lead.updated_at = lead.created_at;
        }
        if self.has(Bug::StaleReads) {
            let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
            return read.entry(lead.id.clone()).or_insert(lead).clone();
        }
        if self.has(Bug::GuardOff)
            && matches!(lead.status_kind, StatusKind::Done | StatusKind::Closed)
        {
            lead.status_kind = StatusKind::Open;
        }
        lead
    }

    fn listed(&self, lead: Lead) -> Lead {
        let mut lead = self.seen(lead);
        if self.has(Bug::KeepsYounger) {
            // The younger, the older.
            let since = lead.created_at.duration_since(Timestamp::UNIX_EPOCH);
            let day = since.as_millis() / DAY_MS;
            let of_day = since.as_millis() % DAY_MS;
            let mirrored = day * DAY_MS - of_day;
            lead.created_at = Timestamp::from_millisecond(mirrored as i64).expect("a near date");
        }
        lead
    }
}

const DAY_MS: i128 = 86_400_000;

#[async_trait::async_trait]
impl Crm for LyingCrm {
    async fn find_by_email(&self, email: &str) -> Result<Vec<Lead>, Failure> {
        let leads = self.truth.find_by_email(email).await?;
        let wanted = |lead: &Lead| {
            !self.has(Bug::CaseMatters) || lead.emails.iter().any(|known| known == email)
        };
        Ok(leads
            .into_iter()
            .filter(wanted)
            .map(|lead| self.listed(lead))
            .collect())
    }

    async fn lead(&self, id: &str) -> Result<Lead, Failure> {
        let lead = self.truth.lead(id).await.map(|lead| self.seen(lead));
        lead.map_err(|failure| self.unreachable(failure))
    }

    async fn create(&self, lead: &NewLead) -> Result<Lead, Failure> {
        let mut lead = lead.clone();
        if self.has(Bug::NoMarkers) {
            lead.description = unmarked(&lead.description);
        }
        let made = self.truth.create(&lead).await;
        made.map_err(|failure| self.failure(failure))
    }

    async fn write(&self, id: &str, write: &Write) -> Result<(), Failure> {
        let mut write = write.clone();
        if let Some(description) = &mut write.description
            && let Fenced::Present { block, .. } = fence::find(&description.clone())
        {
            if self.has(Bug::Overwrites) {
                *description = fence::enclose(block);
            } else if self.has(Bug::BlockAppended) {
                *description = format!("{description}\n\n{}", fence::enclose(block));
            }
        }
        let written = self.truth.write(id, &write).await;
        written.map_err(|failure| self.failure(failure))
    }

    async fn comment(&self, id: &str, text: &RichText) -> Result<String, Failure> {
        let mut text = text.clone();
        if self.has(Bug::LateNotSaid) {
            for run in &mut text {
                run.text = run.text.replacen("Late: meeting", "Meeting", 1).replacen(
                    "Late: new",
                    "New",
                    1,
                );
            }
        }
        if self.has(Bug::NoMarkers) {
            text.pop();
        }
        let posted = self.truth.comment(id, &text).await;
        posted.map_err(|failure| self.failure(failure))
    }

    async fn edit_comment(&self, comment_id: &str, text: &RichText) -> Result<(), Failure> {
        self.truth.edit_comment(comment_id, text).await
    }

    async fn delete(&self, id: &str) -> Result<(), Failure> {
        self.truth.delete(id).await
    }

    async fn delete_comment(&self, comment_id: &str) -> Result<(), Failure> {
        self.truth.delete_comment(comment_id).await
    }

    async fn spare(&self, calls: u32) -> Result<(), Failure> {
        self.truth.spare(calls).await
    }

    async fn comments(&self, id: &str, since: Timestamp) -> Result<Vec<Posted>, Failure> {
        let mut comments = self.truth.comments(id, since).await?;
        if self.has(Bug::TouchIgnored) {
            comments.retain(|comment| comment.ours);
            for comment in &mut comments {
                comment.taken_up = false;
            }
        }
        Ok(comments)
    }

    async fn created_since(&self, since: Timestamp) -> Result<Vec<Lead>, Failure> {
        if self.has(Bug::OneRoute) {
            return Ok(Vec::new());
        }
        let made = self.truth.created_since(since).await?;
        Ok(made.into_iter().map(|lead| self.listed(lead)).collect())
    }

    async fn moved_on(&self, since: Timestamp) -> Result<Vec<Lead>, Failure> {
        if self.has(Bug::OneRoute) {
            return Ok(Vec::new());
        }
        let made = self.truth.moved_on(since).await?;
        Ok(made.into_iter().map(|lead| self.listed(lead)).collect())
    }

    async fn page(&self, since: Option<Timestamp>, page: u32) -> Result<Page, Failure> {
        self.truth.page(since, page).await
    }

    async fn list(&self, id: &str, fresh: bool) -> Result<ListInfo, Failure> {
        self.truth.list(id, fresh).await
    }

    async fn probe(&self) -> Result<(), Failure> {
        self.truth.probe().await
    }

    async fn ready(&self, calls: u32) -> Result<(), Failure> {
        self.truth.ready(calls).await
    }
}

fn unmarked(text: &str) -> String {
    let lines = text
        .lines()
        .filter(|line| !line.starts_with("Cal.com booking "));
    lines.collect::<Vec<_>>().join("\n")
}
