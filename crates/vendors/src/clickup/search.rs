//! Lists of leads: by e-mail, and the latest. Whole lists only: a page that is missing, or is no page, fails the call,
//! because "nobody" leads to a new lead.

use std::collections::HashSet;

use domain::lead::Lead;
use domain::outcome::{Cause, Failure};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::errors::{About, Purpose};
use super::{ClickUp, wire};
use crate::Page;

/// By creation, so that a lead that is changed meanwhile does not slip from one page to another.
const WHOLE: [(&str, &str); 3] = [
    ("include_closed", "true"),
    ("subtasks", "true"),
    ("order_by", "created"),
];
const PAGES_MAX: usize = 50;
const A_DAY: SignedDuration = SignedDuration::from_hours(24);

impl ClickUp {
    pub(super) async fn leads_by_email(&self, email: &str) -> Result<Vec<Lead>, Failure> {
        let wanted = folded(email);
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let mut found = self.leads_with(email.trim(), &wanted).await;
        // Whether ClickUp's filter minds the case is not established: what was typed in capitals is asked for in
        // both ways, because the better match may stand in either.
        if wanted != email.trim()
            && let Ok(typed) = &mut found
        {
            match self.leads_with(&wanted, &wanted).await {
                Ok(lower) => {
                    let new = |l: &Lead| !typed.iter().any(|t| t.id == l.id);
                    let more: Vec<Lead> = lower.into_iter().filter(new).collect();
                    typed.extend(more);
                }
                Err(failure) => found = Err(failure),
            }
        }
        if let Err(Failure::Refused {
            what,
            cause: Cause::Field | Cause::Other,
        }) = found
        {
            // A field or a list that we knew may be gone: look again before anything is concluded.
            self.places.expire_lists();
            return Err(Failure::Transient { what });
        }
        found
    }

    pub(super) async fn leads_made_since(&self, since: Timestamp) -> Result<Vec<Lead>, Failure> {
        let list = self.inbound().await?;
        let me = self.me().await?;
        let about = self.places.about(&list.info.id);
        let purpose = Purpose::read(about, "list the latest leads");
        let path = format!("/list/{}/task", list.info.id);
        let since_ms = self.by_its_clock(since).as_millisecond().to_string();
        let tasks = self
            .all_pages(&purpose, &path, &[("date_created_gt", &since_ms)])
            .await?;
        Ok(tasks
            .into_iter()
            .map(|task| task.into_lead(&me, &self.email_field))
            .collect())
    }

    pub(super) async fn leads_moved_on(&self, since: Timestamp) -> Result<Vec<Lead>, Failure> {
        let inbound = self.inbound().await?;
        let lists = self.places.list_ids().iter();
        let lists: Vec<&String> = lists.filter(|id| **id != inbound.info.id).collect();
        if lists.is_empty() {
            // A query that names no list returns everything.
            return Ok(Vec::new());
        }
        let team = self.team().await?;
        let me = self.me().await?;
        let purpose = Purpose::read(About::Workspace, "list the latest leads in the match lists");
        let since_ms = self.by_its_clock(since).as_millisecond().to_string();
        let mut query = vec![("date_created_gt", since_ms.as_str())];
        query.extend(lists.iter().map(|list| ("list_ids[]", list.as_str())));
        let path = format!("/team/{team}/task");
        let tasks = self.all_pages(&purpose, &path, &query).await?;
        // A query parameter that ClickUp does not know returns everything.
        let tasks = tasks
            .into_iter()
            .filter(|task| lists.iter().any(|list| *list == task.list_id()));
        Ok(tasks
            .map(|task| task.into_lead(&me, &self.email_field))
            .collect())
    }

    pub(super) async fn leads_on(
        &self,
        since: Option<Timestamp>,
        page: u32,
    ) -> Result<Page, Failure> {
        let team = self.team().await?;
        let me = self.me().await?;
        let purpose = Purpose::read(About::Workspace, "list the leads");
        let (page, lists) = (page.to_string(), self.places.list_ids());
        let since_ms = since.map(|at| self.by_its_clock(at).as_millisecond().to_string());
        let mut query: Vec<(&str, &str)> = WHOLE.to_vec();
        // The oldest first: what is made meanwhile comes last.
        query.extend([("reverse", "true"), ("page", page.as_str())]);
        query.extend(lists.iter().map(|list| ("list_ids[]", list.as_str())));
        query.extend(since_ms.iter().map(|ms| ("date_updated_gt", ms.as_str())));
        let path = format!("/team/{team}/task");
        let page: wire::Page = self.get(&purpose, &path, &query).await?;
        let is_last = page.is_last();
        // A query parameter that ClickUp does not know returns everything.
        let tasks = page.tasks.into_iter();
        let ours = tasks.filter(|task| self.places.has(task.list_id()));
        Ok(Page {
            leads: ours
                .map(|task| task.into_lead(&me, &self.email_field))
                .collect(),
            is_last,
        })
    }

    /// Never later than it was meant: a list that begins too late looks as if there were nothing. What lies ahead of
    /// the vendor's clock was noted by one of ours that has been set right since.
    fn by_its_clock(&self, since: Timestamp) -> Timestamp {
        let theirs = self.out.vendor_now();
        let ahead = crate::http::now().duration_since(theirs);
        let since = since - ahead.max(SignedDuration::ZERO);
        if since > theirs {
            theirs - A_DAY
        } else {
            since
        }
    }

    /// One query per e-mail field: conditions in one query would all have to hold.
    async fn leads_with(&self, asked: &str, wanted: &str) -> Result<Vec<Lead>, Failure> {
        let fields = self.email_fields().await?;
        let team = self.team().await?;
        let me = self.me().await?;
        let path = format!("/team/{team}/task");
        let purpose = Purpose::read(About::Workspace, "find leads by e-mail");
        let mut seen = HashSet::new();
        let mut leads = Vec::new();
        for (field, lists) in &fields {
            // `=` is "contains"; `==` is documented for text fields only. So the comparing is ours.
            // See https://developer.clickup.com/docs/taskfilters
            let filter = json!([{"field_id": field, "operator": "=", "value": asked}]).to_string();
            let mut query = vec![("custom_fields", filter.as_str())];
            query.extend(lists.iter().map(|list| ("list_ids[]", list.as_str())));
            for task in self.all_pages(&purpose, &path, &query).await? {
                // A query parameter that ClickUp does not know returns everything.
                if !self.places.has(task.list_id()) || !seen.insert(task.id.clone()) {
                    continue;
                }
                let lead = task.into_lead(&me, &self.email_field);
                if lead.emails.iter().any(|email| folded(email) == wanted) {
                    leads.push(lead);
                }
            }
        }
        Ok(leads)
    }

    async fn all_pages(
        &self,
        purpose: &Purpose,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Vec<wire::Task>, Failure> {
        let mut tasks = Vec::new();
        for page in 0..PAGES_MAX {
            let page = page.to_string();
            let mut query = query.to_vec();
            query.extend(WHOLE);
            query.extend([
                ("include_markdown_description", "true"),
                ("page", page.as_str()),
            ]);
            let page: wire::Page = self.get(purpose, path, &query).await?;
            let is_last = page.is_last();
            tasks.extend(page.tasks);
            if is_last {
                return Ok(tasks);
            }
        }
        Err(Failure::Transient {
            what: format!("{}: more than {PAGES_MAX} pages", purpose.what),
        })
    }
}

/// Nothing cleverer: dots and plus signs mean something to some mail servers.
fn folded(email: &str) -> String {
    email.trim().to_lowercase()
}
