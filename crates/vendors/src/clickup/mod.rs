//! ClickUp (API v2) as a CRM: a lead is a *task* there. What its JSON looks like is known in `wire`, what its errors
//! mean in `errors`. When something is asked or written, and what follows from it, is decided elsewhere.

mod comment;
mod errors;
pub mod event;
mod fields;
pub mod hooks;
mod hourly;
mod places;
pub mod probe;
mod search;
pub mod survey;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use domain::lead::{Lead, ListInfo, NewLead, Posted, RichText, Write};
use domain::outcome::{Cause, Failure};
use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use url::Url;

use crate::Page;
use crate::http::{Call, Gate, Method, Outbound, Replay, StandIn};
use errors::{About, Purpose};
use places::Places;

/// A page of a hundred leads was measured at 1.1 MB; a description may have 256 KB, and comes in three renderings.
const READ_BYTES_MAX: usize = 32 * 1024 * 1024;
const WRITTEN_BYTES_MAX: usize = 4 * 1024 * 1024;
const ID_BYTES_MAX: usize = 64;

/// Waiting for the limit. A write was announced already: it goes at once, but for a round trip that finds out where
/// the limit stands.
const READ_PATIENCE: Duration = Duration::from_secs(5);
const WRITE_PATIENCE: Duration = Duration::from_millis(500);

pub struct Config {
    /// Without `/v2`.
    pub api_url: String,
    pub token: SecretString,
    /// Found from the token when it sees only one workspace.
    pub team_id: Option<String>,
    pub match_list_ids: Vec<String>,
    pub inbound_list_id: String,
    /// Name or id.
    pub email_field: String,
    /// For one call.
    pub timeout: Duration,
}

pub struct ClickUp {
    out: Outbound,
    base: Url,
    authorization: HeaderValue,
    email_field: String,
    places: Places,
}

impl ClickUp {
    /// Calls nobody yet.
    pub fn new(config: Config) -> Result<Self, Failure> {
        Self::with_gate(config, Arc::default())
    }

    /// For several clients with one token, which share its limit.
    pub fn with_gate(config: Config, gate: Arc<Gate>) -> Result<Self, Failure> {
        let base = web_address(&config)?;
        let out =
            Outbound::new(&base, config.timeout, gate).map_err(|why| Failure::NeedsOperator {
                what: format!("use ClickUp: there is no HTTPS client ({why})"),
                hint: "check that this system has root certificates".to_owned(),
            })?;
        Self::by(out, base, config)
    }

    /// Answered by a function instead of ClickUp. `CLICKUP_API_URL` decides the addresses all the same.
    pub fn replaying(config: Config, replay: Box<Replay>) -> Result<Self, Failure> {
        Self::by(Outbound::replaying(replay), web_address(&config)?, config)
    }

    /// The same, by somebody who takes time; a call is given up after `Config::timeout`.
    pub fn standing_in(config: Config, stand_in: Box<StandIn>) -> Result<Self, Failure> {
        let out = Outbound::standing_in(stand_in, config.timeout);
        Self::by(out, web_address(&config)?, config)
    }

    fn by(out: Outbound, base: Url, config: Config) -> Result<Self, Failure> {
        let inbound = &config.inbound_list_id;
        Ok(Self {
            out,
            base,
            authorization: authorization(&config.token)?,
            email_field: config.email_field.trim().to_owned(),
            places: Places::new(config.team_id, &config.match_list_ids, inbound),
        })
    }

    /// Requests made so far.
    pub fn calls(&self) -> u64 {
        self.out.calls()
    }

    async fn get<T: DeserializeOwned>(
        &self,
        purpose: &Purpose,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, Failure> {
        let mut url = self.url(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let call = Call {
            method: Method::GET,
            url,
            headers: self.headers(),
            json: None,
            answer_bytes_max: READ_BYTES_MAX,
        };
        let answer = self.out.send(call, READ_PATIENCE).await;
        purpose.understand(&answer.map_err(|lost| purpose.lost(lost))?)
    }

    async fn change<T: DeserializeOwned>(
        &self,
        purpose: &Purpose,
        method: Method,
        path: &str,
        body: Value,
    ) -> Result<T, Failure> {
        let call = Call {
            method,
            url: self.url(path),
            headers: self.headers(),
            json: Some(body),
            answer_bytes_max: WRITTEN_BYTES_MAX,
        };
        let answer = self.out.send(call, WRITE_PATIENCE).await;
        purpose.understand(&answer.map_err(|lost| purpose.lost(lost))?)
    }

    // A deleted task is answered by 204 without a body, a deleted comment by `{}`.
    async fn remove(&self, purpose: &Purpose, noun: &str, id: &str) -> Result<(), Failure> {
        if !is_id(id) {
            return Ok(());
        }
        let call = Call {
            method: Method::DELETE,
            url: self.url(&format!("/{noun}/{id}")),
            headers: self.headers(),
            json: None,
            answer_bytes_max: WRITTEN_BYTES_MAX,
        };
        let answer = self.out.send(call, WRITE_PATIENCE).await;
        match purpose.done(&answer.map_err(|lost| purpose.lost(lost))?) {
            Err(Failure::Gone { .. }) => Ok(()),
            done => done,
        }
    }

    // Paths are made of our own words and of ids that were looked at.
    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!(
            "{}/v2{path}",
            self.base.path().trim_end_matches('/')
        ));
        url
    }

    fn headers(&self) -> HeaderMap {
        HeaderMap::from_iter([(AUTHORIZATION, self.authorization.clone())])
    }
}

#[async_trait::async_trait]
impl crate::Crm for ClickUp {
    async fn find_by_email(&self, email: &str) -> Result<Vec<Lead>, Failure> {
        self.leads_by_email(email).await
    }

    async fn lead(&self, id: &str) -> Result<Lead, Failure> {
        let purpose = Purpose::read(About::Lead, format!("read lead {}", shown(id)));
        let path = format!("/task/{}", id_or_gone(id, &purpose)?);
        let query = [("include_markdown_description", "true")];
        let task: wire::Task = self.get(&purpose, &path, &query).await?;
        let me = self.me().await?;
        Ok(task.into_lead(&me, &self.email_field))
    }

    async fn create(&self, lead: &NewLead) -> Result<Lead, Failure> {
        let list = self.inbound().await?;
        let me = self.me().await?;
        let purpose = Purpose::write(self.places.about(&list.info.id), "create a lead");
        let mut body = json!({
            "name": lead.name,
            "markdown_content": lead.description,
            "notify_all": false,
        });
        if let Some(status) = &lead.status {
            body["status"] = json!(status);
        }
        if lead.with_fields {
            let values = fields::values(lead, &list.fields, &self.email_field);
            if !values.is_empty() {
                body["custom_fields"] = Value::Array(values);
            }
        }
        if lead.plain_type {
            body["custom_item_id"] = json!(0);
        }
        let path = format!("/list/{}/task", list.info.id);
        let made: Result<wire::Task, Failure> =
            self.change(&purpose, Method::POST, &path, body).await;
        if let Err(Failure::Refused { .. }) = &made {
            // What was known of its fields and statuses may be old.
            self.places.expire_lists();
        }
        Ok(made?.into_lead(&me, &self.email_field))
    }

    async fn write(&self, id: &str, write: &Write) -> Result<(), Failure> {
        let purpose = Purpose::write(About::Lead, format!("update lead {}", shown(id)));
        let path = format!("/task/{}", id_or_gone(id, &purpose)?);
        let mut body = Map::new();
        if let Some(status) = &write.status {
            body.insert("status".to_owned(), json!(status));
        }
        if let Some(description) = &write.description {
            // A space clears it; an empty text would not.
            let text = if description.is_empty() {
                " "
            } else {
                description
            };
            body.insert("markdown_content".to_owned(), json!(text));
        }
        if !body.is_empty() {
            let written: Result<wire::Identified, Failure> = self
                .change(&purpose, Method::PUT, &path, Value::Object(body))
                .await;
            if let Err(Failure::Refused {
                cause: Cause::Status,
                ..
            }) = &written
            {
                self.places.expire_lists();
            }
            written?;
        }
        match &write.email {
            Some(fill) => self.fill_email(id, fill).await,
            None => Ok(()),
        }
    }

    async fn comment(&self, id: &str, text: &RichText) -> Result<String, Failure> {
        self.post_comment(id, text).await
    }

    async fn edit_comment(&self, comment_id: &str, text: &RichText) -> Result<(), Failure> {
        self.put_comment(comment_id, text).await
    }

    async fn delete(&self, id: &str) -> Result<(), Failure> {
        let purpose = Purpose::write(About::Lead, format!("delete lead {}", shown(id)));
        self.remove(&purpose, "task", id).await
    }

    async fn delete_comment(&self, comment_id: &str) -> Result<(), Failure> {
        let what = format!("delete comment {}", shown(comment_id));
        let purpose = Purpose::write(About::Comment, what);
        self.remove(&purpose, "comment", comment_id).await
    }

    async fn comments(&self, id: &str, since: Timestamp) -> Result<Vec<Posted>, Failure> {
        self.comments_since(id, since).await
    }

    async fn created_since(&self, since: Timestamp) -> Result<Vec<Lead>, Failure> {
        self.leads_made_since(since).await
    }

    async fn moved_on(&self, since: Timestamp) -> Result<Vec<Lead>, Failure> {
        self.leads_moved_on(since).await
    }

    async fn page(&self, since: Option<Timestamp>, page: u32) -> Result<Page, Failure> {
        self.leads_on(since, page).await
    }

    async fn list(&self, id: &str, fresh: bool) -> Result<ListInfo, Failure> {
        let list = if id.is_empty() {
            self.inbound().await?
        } else {
            self.list_of(id, fresh).await?
        };
        Ok(list.info.clone())
    }

    async fn probe(&self) -> Result<(), Failure> {
        let purpose = Purpose::read(About::Account, "reach ClickUp");
        let _me: wire::Account = self.get(&purpose, "/user", &[]).await?;
        Ok(())
    }

    async fn ready(&self, calls: u32) -> Result<(), Failure> {
        let purpose = Purpose::read(About::Account, "begin to write to ClickUp");
        let room = self.out.ready(calls, READ_PATIENCE).await;
        room.map_err(|lost| purpose.lost(lost))
    }

    async fn spare(&self, calls: u32) -> Result<(), Failure> {
        let purpose = Purpose::read(About::Account, "look after leads at ClickUp");
        let room = self.out.spare(calls, READ_PATIENCE).await;
        room.map_err(|lost| purpose.lost(lost))
    }
}

fn web_address(config: &Config) -> Result<Url, Failure> {
    base(&config.api_url).ok_or_else(|| Failure::NeedsOperator {
        what: "use ClickUp: CLICKUP_API_URL is not a web address".to_owned(),
        hint: "set it to the address without /v2, usually https://api.clickup.com/api".to_owned(),
    })
}

fn base(api_url: &str) -> Option<Url> {
    let text = api_url.trim().trim_end_matches('/');
    let mut url = Url::parse(text.strip_suffix("/v2").unwrap_or(text)).ok()?;
    url.set_query(None);
    url.set_fragment(None);
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

// A personal token (`pk_…`) stands alone: behind "Bearer" it fails like a bad one. OAuth tokens have no form of their
// own, so only what says so itself is sent as one. See https://developer.clickup.com/docs/authentication
fn authorization(token: &SecretString) -> Result<HeaderValue, Failure> {
    let text = token.expose_secret().trim();
    let mut value = HeaderValue::from_str(text).map_err(|_| Failure::NeedsOperator {
        what: "use ClickUp: CLICKUP_API_TOKEN holds characters that no token has".to_owned(),
        hint: "copy the token from ClickUp (Settings → Apps) once more".to_owned(),
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Ids become part of addresses, and may come from anybody: what cannot be one names nothing.
fn is_id(id: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !id.is_empty() && id.len() <= ID_BYTES_MAX && id.chars().all(is_plain)
}

fn id_or_gone<'a>(id: &'a str, purpose: &Purpose) -> Result<&'a str, Failure> {
    if is_id(id) {
        return Ok(id);
    }
    Err(Failure::Gone {
        what: purpose.what.clone(),
    })
}

/// The id as it may stand in a message.
fn shown(id: &str) -> &str {
    if is_id(id) { id } else { "(not an id)" }
}
