//! The webhooks by which ClickUp tells of changes: one per list, because a webhook takes one place of each kind only. When
//! one is made or mended is decided elsewhere. <https://developer.clickup.com/docs/webhooks>

use domain::outcome::Failure;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::errors::{About, Purpose};
use super::{ClickUp, id_or_gone, shown, wire};
use crate::http::Method;

/// A change of a status, a field or a name is a `taskUpdated`, too.
const EVENTS: [&str; 4] = ["taskCreated", "taskUpdated", "taskDeleted", "taskMoved"];

#[derive(Debug, Clone)]
pub struct Hook {
    pub id: String,
    pub endpoint: String,
    /// `None`: it is about more than a list.
    pub list_id: Option<String>,
    pub health: Health,
    /// Events in a row that were not taken.
    pub failures: u64,
    /// Whose it is: its maker, and the author of what calup writes.
    pub user: Option<String>,
    /// Only as it is made.
    pub secret: Option<SecretString>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    Active,
    Failing,
    /// ClickUp has given it up, and sends nothing.
    Suspended,
}

impl ClickUp {
    /// The lists that are looked through.
    pub fn list_ids(&self) -> &[String] {
        self.places.list_ids()
    }

    /// Those of the token's user.
    pub async fn hooks(&self) -> Result<Vec<Hook>, Failure> {
        let team = self.team().await?;
        let purpose = Purpose::read(About::Account, "list the webhooks");
        let path = format!("/team/{team}/webhook");
        let all: wire::Webhooks = self.get(&purpose, &path, &[]).await?;
        Ok(all.webhooks.into_iter().map(Hook::from).collect())
    }

    /// Sent at most once. One that is there already is refused.
    pub async fn make_hook(&self, endpoint: &str, list: &str) -> Result<Hook, Failure> {
        let team = self.team().await?;
        let what = format!("make a webhook for list {}", shown(list));
        let purpose = Purpose::write(self.places.about(list), what);
        // The specification wants a number.
        let id = list
            .parse()
            .map_or_else(|_| json!(list), |id: u64| json!(id));
        let body = json!({"endpoint": endpoint, "events": EVENTS, "list_id": id});
        let path = format!("/team/{team}/webhook");
        let made: wire::MadeWebhook = self.change(&purpose, Method::POST, &path, body).await?;
        let secret = made.webhook.secret.clone();
        let secret = secret.filter(|secret| !secret.is_empty());
        if secret.is_none() {
            let what = format!("{}: the answer has no secret", purpose.what);
            return Err(Failure::Unknown { what });
        }
        Ok(Hook {
            secret: secret.map(Into::into),
            ..Hook::from(made.webhook)
        })
    }

    /// It sends again, and what it should.
    pub async fn revive_hook(&self, id: &str, endpoint: &str) -> Result<(), Failure> {
        let purpose = Purpose::write(About::Hook, format!("revive webhook {}", shown(id)));
        let path = format!("/webhook/{}", id_or_gone(id, &purpose)?);
        let body = json!({"endpoint": endpoint, "events": EVENTS, "status": "active"});
        let _revived: Value = self.change(&purpose, Method::PUT, &path, body).await?;
        Ok(())
    }

    /// Done as well when it was gone before.
    pub async fn delete_hook(&self, id: &str) -> Result<(), Failure> {
        let purpose = Purpose::write(About::Hook, format!("delete webhook {}", shown(id)));
        self.remove(&purpose, "webhook", id).await
    }
}

impl From<wire::Webhook> for Hook {
    fn from(seen: wire::Webhook) -> Self {
        Self {
            id: seen.id,
            endpoint: seen.endpoint,
            list_id: seen.list_id,
            health: match seen.health.status.as_str() {
                "suspended" => Health::Suspended,
                "failing" => Health::Failing,
                _ => Health::Active,
            },
            failures: seen.health.fail_count,
            user: seen.userid,
            secret: None,
        }
    }
}
