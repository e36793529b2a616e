//! ClickUp (API v2) as a CRM: its lists are where leads are, a task is a lead, its Email custom field is how one is found.
//! Facts about it are from developer.clickup.com/docs and observation; where they matter they stand beside the code.

mod errors;
mod fields;
mod places;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use domain::change::fold_email;
use domain::lead::{Lead, ListInfo, NewLead, Posted, RichText, Write};
use domain::outcome::Failure;
use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::Url;

use crate::Crm;
use crate::http::{Answer, Call, Gate, Lost, Outbound};
use places::Places;

/// Pages of 100; more is no answer to a question about one person.
const PAGES_MAX: u32 = 50;
const ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Reads, and writes that are not yet announced, wait this long for the limit.
const PATIENCE: Duration = Duration::from_secs(75);
/// A write was announced: it goes now or not at all.
const NO_PATIENCE: Duration = Duration::from_millis(500);

#[derive(Debug, Clone)]
pub struct Config {
    /// Without `/v2`.
    pub api_url: String,
    pub token: SecretString,
    pub team_id: Option<String>,
    pub match_list_ids: Vec<String>,
    pub inbound_list_id: String,
    /// Name or id.
    pub email_field: String,
    /// For one call, connection and answer together.
    pub timeout: Duration,
}

pub struct ClickUp {
    config: Config,
    base: Url,
    outbound: Outbound,
    authorization: HeaderValue,
    places: Places,
}

impl ClickUp {
    pub fn new(config: Config) -> Result<Self, Failure> {
        let wrong = |what: String, hint: &str| Failure::NeedsOperator {
            what,
            hint: hint.to_owned(),
        };
        let base =
            Url::parse(&format!("{}/v2/", config.api_url.trim_end_matches('/'))).map_err(|_| {
                wrong(
                    "use CLICKUP_API_URL: it is no address".into(),
                    "set it to https://api.clickup.com/api",
                )
            })?;
        let token = config.token.expose_secret().trim();
        // Personal tokens go bare, OAuth's with their scheme (developer.clickup.com/docs/authentication).
        let is_bare = token.starts_with("pk_")
            || token.to_ascii_lowercase().starts_with("bearer ")
            || token.len() < 64;
        let authorization = if is_bare {
            token.to_owned()
        } else {
            format!("Bearer {token}")
        };
        let outbound =
            Outbound::new(&base, config.timeout, Arc::new(Gate::default())).map_err(|e| {
                wrong(
                    format!("make an HTTP client: {e}"),
                    "check the system's CA certificates",
                )
            })?;
        let mut authorization = HeaderValue::from_str(&authorization).map_err(|_| {
            wrong(
                "use CLICKUP_API_TOKEN: it holds characters that no token has".into(),
                "copy it anew",
            )
        })?;
        authorization.set_sensitive(true);
        Ok(Self {
            config,
            base,
            outbound,
            authorization,
            places: Places::default(),
        })
    }

    async fn call(
        &self,
        method: Method,
        url: Url,
        json: Option<Value>,
        patience: Duration,
    ) -> Result<Answer, Lost> {
        let headers = HeaderMap::from_iter([(AUTHORIZATION, self.authorization.clone())]);
        let answer = self
            .outbound
            .send(
                Call {
                    method,
                    url,
                    headers,
                    json,
                    answer_bytes_max: ANSWER_BYTES_MAX,
                },
                patience,
            )
            .await?;
        match answer.limited_until {
            Some(until) => Err(Lost::Held(until)),
            None => Ok(answer),
        }
    }

    fn url(&self, segments: &[&str], query: &[(&str, String)]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// A read: repeated at will, so whatever is no proper answer is merely tried again.
    async fn get<T: DeserializeOwned>(
        &self,
        what: &str,
        segments: &[&str],
        query: &[(&str, String)],
    ) -> Result<T, Failure> {
        let url = self.url(segments, query);
        let answer = self
            .call(Method::GET, url, None, PATIENCE)
            .await
            .map_err(|lost| failure(lost, what, true))?;
        if !is_success(&answer) {
            return Err(errors::failure(what, answer.status, &answer.body, true));
        }
        serde_json::from_slice(&answer.body).map_err(|_| Failure::Transient {
            what: format!("{what}: clickup answered 200 with something else"),
        })
    }

    /// A write: sent once; an answer that is none leaves its fate unknown.
    async fn send(
        &self,
        what: &str,
        method: Method,
        segments: &[&str],
        body: &Value,
    ) -> Result<Value, Failure> {
        let url = self.url(segments, &[]);
        let answer = self
            .call(method, url, Some(body.clone()), NO_PATIENCE)
            .await
            .map_err(|lost| failure(lost, what, false))?;
        if !is_success(&answer) {
            return Err(errors::failure(what, answer.status, &answer.body, false));
        }
        serde_json::from_slice(&answer.body).map_err(|_| Failure::Unknown {
            what: format!("{what}: clickup answered 200 with something else"),
        })
    }

    fn lists(&self) -> Vec<&str> {
        let all = self
            .config
            .match_list_ids
            .iter()
            .chain([&self.config.inbound_list_id]);
        let mut out: Vec<&str> = Vec::new();
        for id in all.map(String::as_str).filter(|id| !id.is_empty()) {
            if !out.contains(&id) {
                out.push(id);
            }
        }
        out
    }

    /// One filtered query over `lists`, all pages; exact hits only.
    async fn search(
        &self,
        field: &str,
        lists: &[String],
        typed: &str,
    ) -> Result<Vec<Lead>, Failure> {
        let what = "find a lead by e-mail";
        let team = self.team().await?;
        // `=` means "contains" on text-like fields (docs/taskfilters), and `==` is not documented for e-mail ones.
        let filter = json!([{ "field_id": field, "operator": "=", "value": typed }]).to_string();
        let mut found = Vec::new();
        for page in 0..PAGES_MAX {
            let mut query = vec![
                ("page", page.to_string()),
                ("include_closed", "true".to_owned()),
                ("subtasks", "true".to_owned()),
                ("include_markdown_description", "true".to_owned()),
                ("order_by", "updated".to_owned()),
                ("custom_fields", filter.clone()),
            ];
            query.extend(lists.iter().map(|id| ("list_ids[]", id.clone())));
            let tasks: wire::Tasks = self.get(what, &["team", &team, "task"], &query).await?;
            let is_last = tasks.is_last();
            found.extend(tasks.tasks);
            if is_last {
                return self.exact(found, typed).await;
            }
        }
        Err(Failure::Transient {
            what: format!("{what}: the listing has more than {PAGES_MAX} pages"),
        })
    }

    async fn exact(&self, tasks: Vec<wire::Task>, typed: &str) -> Result<Vec<Lead>, Failure> {
        let wanted = fold_email(typed);
        let mut out: Vec<Lead> = Vec::new();
        for task in tasks {
            let lead = self.lead_of(task).await?;
            let is_hit = lead.emails.iter().any(|e| fold_email(e) == wanted)
                && self.lists().contains(&lead.list_id.as_str());
            if is_hit && !out.iter().any(|l| l.id == lead.id) {
                out.push(lead);
            }
        }
        Ok(out)
    }

    async fn lead_of(&self, task: wire::Task) -> Result<Lead, Failure> {
        let fields = self.email_field_ids().await?;
        Ok(task.lead(&fields, self.places.user_id()))
    }
}

fn is_success(answer: &Answer) -> bool {
    (200..300).contains(&answer.status)
}

/// A call without an answer, as a failure of one that may be repeated at will, or must not be.
fn failure(lost: Lost, what: &str, repeatable: bool) -> Failure {
    match lost {
        Lost::Held(until) => Failure::Limited {
            what: what.to_owned(),
            until,
        },
        Lost::Unanswered(why) if !repeatable => Failure::Unknown {
            what: format!("{what}: {why}"),
        },
        Lost::Unsent(why) | Lost::Unanswered(why) => Failure::Transient {
            what: format!("{what}: {why}"),
        },
    }
}

#[async_trait::async_trait]
impl Crm for ClickUp {
    async fn find_by_email(&self, email: &str) -> Result<Vec<Lead>, Failure> {
        let email = email.trim();
        let mut out: Vec<Lead> = Vec::new();
        for (field, lists) in self.email_fields().await? {
            let mut hits = self.search(&field, &lists, email).await?;
            let lower = email.to_lowercase();
            // Whether the filter minds case is not established: both spellings are asked for.
            if hits.is_empty() && lower != email {
                hits = self.search(&field, &lists, &lower).await?;
            }
            for lead in hits {
                if !out.iter().any(|l| l.id == lead.id) {
                    out.push(lead);
                }
            }
        }
        Ok(out)
    }

    async fn lead(&self, id: &str) -> Result<Lead, Failure> {
        let what = format!("read lead {id}");
        let query = [("include_markdown_description", "true".to_owned())];
        let task: wire::Task = self.get(&what, &["task", id], &query).await?;
        self.lead_of(task).await
    }

    async fn create(&self, new: &NewLead) -> Result<Lead, Failure> {
        let what = "make a lead";
        let list = self.inbound()?;
        let mut body =
            json!({ "name": new.name, "markdown_content": new.description, "notify_all": false });
        if let Some(status) = &new.status {
            body["status"] = status.clone().into();
        }
        if new.plain_type {
            body["custom_item_id"] = 0.into();
        }
        if new.with_fields {
            let values =
                fields::inline(new, &self.fields_of(&list).await?, &self.config.email_field);
            if !values.is_empty() {
                body["custom_fields"] = values.into();
            }
        }
        let made = self
            .send(what, Method::POST, &["list", &list, "task"], &body)
            .await?;
        let task: wire::Task = serde_json::from_value(made).map_err(|_| Failure::Unknown {
            what: format!("{what}: clickup answered 200 without a task"),
        })?;
        self.lead_of(task).await
    }

    async fn write(&self, id: &str, write: &Write) -> Result<(), Failure> {
        let what = format!("update lead {id}");
        let mut body = json!({});
        if let Some(status) = &write.status {
            body["status"] = status.clone().into();
        }
        if let Some(description) = &write.description {
            // An empty text changes nothing; a blank clears (docs/tasks).
            body["markdown_content"] = if description.is_empty() {
                " ".into()
            } else {
                description.clone().into()
            };
        }
        let answer = self.send(&what, Method::PUT, &["task", id], &body).await?;
        if answer.get("id").is_none() {
            return Err(Failure::Unknown {
                what: format!("{what}: clickup answered 200 without a task"),
            });
        }
        Ok(())
    }

    async fn comment(&self, id: &str, text: &RichText) -> Result<String, Failure> {
        let what = format!("comment on lead {id}");
        let body = json!({ "comment": wire::runs(text), "notify_all": false });
        let made = self
            .send(&what, Method::POST, &["task", id, "comment"], &body)
            .await?;
        wire::id_of(&made).ok_or_else(|| Failure::Unknown {
            what: format!("{what}: clickup answered 200 without an id"),
        })
    }

    async fn edit_comment(&self, comment_id: &str, text: &RichText) -> Result<(), Failure> {
        let what = format!("edit comment {comment_id}");
        let body = json!({ "comment": wire::runs(text) });
        let url = self.url(&["comment", comment_id], &[]);
        let answer = self
            .call(Method::PUT, url, Some(body), NO_PATIENCE)
            .await
            .map_err(|lost| failure(lost, &what, false))?;
        if is_success(&answer) {
            return Ok(());
        }
        Err(errors::failure(&what, answer.status, &answer.body, false))
    }

    async fn comments(&self, id: &str) -> Result<Vec<Posted>, Failure> {
        let what = format!("read the comments of lead {id}");
        let page: wire::Comments = self.get(&what, &["task", id, "comment"], &[]).await?;
        Ok(page
            .comments
            .into_iter()
            .filter_map(wire::Comment::posted)
            .collect())
    }

    async fn created_since(&self, since: Timestamp) -> Result<Vec<Lead>, Failure> {
        let what = "list new leads";
        let list = self.inbound()?;
        let mut out = Vec::new();
        for page in 0..PAGES_MAX {
            let query = [
                ("page", page.to_string()),
                ("date_created_gt", since.as_millisecond().to_string()),
                ("include_closed", "true".to_owned()),
                ("subtasks", "true".to_owned()),
                ("include_markdown_description", "true".to_owned()),
            ];
            let tasks: wire::Tasks = self.get(what, &["list", &list, "task"], &query).await?;
            let is_last = tasks.is_last();
            for task in tasks.tasks {
                out.push(self.lead_of(task).await?);
            }
            if is_last {
                return Ok(out);
            }
        }
        Err(Failure::Transient {
            what: format!("{what}: the listing has more than {PAGES_MAX} pages"),
        })
    }

    async fn list(&self, id: &str, fresh: bool) -> Result<ListInfo, Failure> {
        self.list_info(id, fresh).await
    }

    async fn probe(&self) -> Result<(), Failure> {
        let user: wire::User = self.get("ask ClickUp who we are", &["user"], &[]).await?;
        self.places.set_user_id(user.user.id);
        Ok(())
    }

    async fn ready(&self, calls: u32) -> Result<(), Failure> {
        self.outbound
            .ready(calls, PATIENCE)
            .await
            .map_err(|lost| failure(lost, "wait for ClickUp's limit", true))
    }
}
