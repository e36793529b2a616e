//! ClickUp (API v2) as a CRM: a lead is a *task* there. What its JSON looks like is known in [`wire`], what its
//! errors mean in [`errors`]. When a call is made, and what follows from it, is decided elsewhere.

mod comment;
mod errors;
mod fields;
mod hourly;
mod lists;
mod search;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use domain::lead::{Lead, ListInfo, NewLead, Posted, RichText, Write};
use domain::outcome::Failure;
use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::Url;

use crate::http::{Call, Gate, Method, Outbound};
use errors::{About, Purpose};
use lists::Lists;

/// A page of a hundred leads was measured at 1.1 MB, and a description may have 256 KB.
const PAGE_BYTES_MAX: usize = 32 * 1024 * 1024;
const ANSWER_BYTES_MAX: usize = 1024 * 1024;
const ID_BYTES_MAX: usize = 64;

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
    /// For one call, waiting for the limit included.
    pub timeout: Duration,
}

pub struct ClickUp {
    out: Outbound,
    base: Url,
    authorization: HeaderValue,
    email_field: String,
    lists: Lists,
}

impl ClickUp {
    /// With a limit of its own. Calls nobody yet.
    pub fn new(config: Config) -> Result<Self, Failure> {
        Self::with_gate(config, Arc::default())
    }

    /// For several clients of one token: they share the token's limit.
    pub fn with_gate(config: Config, gate: Arc<Gate>) -> Result<Self, Failure> {
        let base = base(&config.api_url).ok_or_else(|| Failure::NeedsOperator {
            what: "use ClickUp: CLICKUP_API_URL is not an http address".to_owned(),
            hint: "set it to the API's address without /v2, usually https://api.clickup.com/api".to_owned(),
        })?;
        let out = Outbound::new(&base, config.timeout, gate).map_err(|why| Failure::NeedsOperator {
            what: format!("use ClickUp: no HTTPS client ({why})"),
            hint: "check that this system has root certificates".to_owned(),
        })?;
        Ok(Self {
            out,
            base,
            authorization: authorization(&config.token)?,
            email_field: config.email_field.trim().to_owned(),
            lists: Lists::new(config.team_id, &config.match_list_ids, &config.inbound_list_id),
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
        self.send(purpose, Method::GET, url, None).await
    }

    async fn change<T: DeserializeOwned>(
        &self,
        purpose: &Purpose,
        method: Method,
        path: &str,
        body: Value,
    ) -> Result<T, Failure> {
        self.send(purpose, method, self.url(path), Some(body)).await
    }

    async fn send<T: DeserializeOwned>(
        &self,
        purpose: &Purpose,
        method: Method,
        url: Url,
        json: Option<Value>,
    ) -> Result<T, Failure> {
        let call = Call {
            method,
            answer_bytes_max: if purpose.lists_leads() { PAGE_BYTES_MAX } else { ANSWER_BYTES_MAX },
            url,
            headers: HeaderMap::from_iter([(AUTHORIZATION, self.authorization.clone())]),
            json,
        };
        let answer = self.out.send(call).await.map_err(|lost| purpose.lost(lost))?;
        purpose.understand(&answer)
    }

    // Paths are made of our own words and of ids that were checked.
    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}/v2{path}", self.base.path().trim_end_matches('/')));
        url
    }
}

#[async_trait::async_trait]
impl crate::Crm for ClickUp {
    async fn find_by_email(&self, email: &str) -> Result<Vec<Lead>, Failure> {
        self.leads_by_email(email).await
    }

    async fn lead(&self, id: &str) -> Result<Lead, Failure> {
        let purpose = Purpose::read(About::Lead, format!("read lead {}", shown(id)));
        let path = format!("/task/{}", known_form(id, &purpose)?);
        let query = [("include_markdown_description", "true")];
        let task: wire::Task = self.get(&purpose, &path, &query).await?;
        let me = self.me().await?;
        Ok(task.into_lead(&me, &self.email_field))
    }

    async fn create(&self, lead: &NewLead) -> Result<Lead, Failure> {
        let list = self.inbound().await?;
        let me = self.me().await?;
        let purpose = Purpose::write(self.lists.about(&list.info.id), "create a lead");
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
        let made = self.change::<wire::Task>(&purpose, Method::POST, &path, body).await;
        if let Err(Failure::Refused { .. }) = &made {
            // What we knew of its fields or statuses may be old.
            self.lists.forget(&list.info.id);
        }
        Ok(made?.into_lead(&me, &self.email_field))
    }

    async fn write(&self, id: &str, write: &Write) -> Result<(), Failure> {
        let purpose = Purpose::write(About::Lead, format!("update lead {}", shown(id)));
        let path = format!("/task/{}", known_form(id, &purpose)?);
        let mut body = serde_json::Map::new();
        if let Some(status) = &write.status {
            body.insert("status".to_owned(), json!(status));
        }
        if let Some(description) = &write.description {
            // An empty string would change nothing.
            let text = if description.is_empty() { " " } else { description };
            body.insert("markdown_content".to_owned(), json!(text));
        }
        if body.is_empty() {
            return Ok(());
        }
        let _now: wire::Identified = self.change(&purpose, Method::PUT, &path, Value::Object(body)).await?;
        Ok(())
    }

    async fn comment(&self, id: &str, text: &RichText) -> Result<String, Failure> {
        self.post_comment(id, text).await
    }

    async fn edit_comment(&self, comment_id: &str, text: &RichText) -> Result<(), Failure> {
        self.put_comment(comment_id, text).await
    }

    async fn comments(&self, id: &str) -> Result<Vec<Posted>, Failure> {
        self.newest_comments(id).await
    }

    async fn created_since(&self, since: Timestamp) -> Result<Vec<Lead>, Failure> {
        self.inbound_leads_since(since).await
    }

    async fn list(&self, id: &str, fresh: bool) -> Result<ListInfo, Failure> {
        Ok(self.known_list(id, fresh).await?.info.clone())
    }

    async fn probe(&self) -> Result<(), Failure> {
        let purpose = Purpose::read(About::Account, "reach ClickUp");
        let _me: wire::Account = self.get(&purpose, "/user", &[]).await?;
        Ok(())
    }
}

fn base(api_url: &str) -> Option<Url> {
    let text = api_url.trim().trim_end_matches('/');
    let text = text.strip_suffix("/v2").unwrap_or(text);
    let mut url = Url::parse(text).ok()?;
    url.set_query(None);
    url.set_fragment(None);
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

// A personal token (`pk_…`) stands alone: behind "Bearer" it fails like a bad one. An OAuth token has no form of its
// own, so only what says so itself is sent as one. See <https://developer.clickup.com/docs/authentication>.
fn authorization(token: &SecretString) -> Result<HeaderValue, Failure> {
    let mut value =
        HeaderValue::from_str(token.expose_secret().trim()).map_err(|_| Failure::NeedsOperator {
            what: "use ClickUp: CLICKUP_API_TOKEN holds characters that no token has".to_owned(),
            hint: "copy the token again from ClickUp (Settings → Apps)".to_owned(),
        })?;
    value.set_sensitive(true);
    Ok(value)
}

/// The id, if it can be one: it becomes part of an address, and may come from anybody.
fn known_form<'a>(id: &'a str, purpose: &Purpose) -> Result<&'a str, Failure> {
    if shown(id) == id {
        Ok(id)
    } else {
        Err(Failure::Gone {
            what: purpose.what.clone(),
        })
    }
}

/// The id as it may stand in a message.
fn shown(id: &str) -> &str {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !id.is_empty() && id.len() <= ID_BYTES_MAX && id.chars().all(plain) {
        id
    } else {
        "(not an id)"
    }
}
