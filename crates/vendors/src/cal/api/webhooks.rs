//! The account's webhooks: where Cal.com sends deliveries. Cal.com gives their secrets back in the clear.

use domain::outcome::Failure;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

use super::errors::{About, Purpose};
use super::{Asked, Cal, id_or_gone};
use crate::cal::json::Json;
use crate::http::Method;

const PAGE: usize = 250;
const PAGES_MAX: usize = 4;

#[derive(Debug, Clone)]
pub struct Webhook {
    pub id: String,
    pub url: String,
    pub triggers: Vec<String>,
    pub active: bool,
    pub secret: Option<SecretString>,
    /// Whether it sends a body of somebody's own making, which cannot be relied on.
    pub has_template: bool,
    /// Not told by every server.
    pub version: Option<String>,
}

#[derive(Debug, Clone)]
pub struct NewWebhook {
    pub url: String,
    pub triggers: Vec<String>,
    pub secret: SecretString,
}

/// Only what is given changes.
#[derive(Debug, Clone, Default)]
pub struct WebhookChange {
    pub url: Option<String>,
    pub triggers: Option<Vec<String>>,
    pub secret: Option<SecretString>,
    pub active: Option<bool>,
}

impl Cal {
    pub async fn webhooks(&self) -> Result<Vec<Webhook>, Failure> {
        let purpose = Purpose::read(About::Account, "list the webhooks at Cal.com");
        let mut webhooks: Vec<Webhook> = Vec::new();
        for page in 0..PAGES_MAX {
            let mut asked = Asked::get("/webhooks", None);
            asked.query = vec![
                ("take", PAGE.to_string()),
                ("skip", (page * PAGE).to_string()),
            ];
            let read = self.get(&purpose, asked).await?;
            let Json::List(listed) = read.at("data") else {
                return Err(purpose.older_shape());
            };
            let known = webhooks.len();
            for it in listed {
                let it = webhook(it).ok_or_else(|| purpose.older_shape())?;
                if !webhooks.iter().any(|known| known.id == it.id) {
                    webhooks.push(it);
                }
            }
            if listed.len() < PAGE || webhooks.len() == known {
                break;
            }
        }
        Ok(webhooks)
    }

    /// A self-hosted server refuses a second one with the same address; the hosted one makes it, and sends twice.
    pub async fn create_webhook(&self, new: &NewWebhook) -> Result<Webhook, Failure> {
        let purpose = Purpose::write(About::Account, "make a webhook at Cal.com");
        let body = json!({
            "active": true,
            "subscriberUrl": new.url,
            "triggers": new.triggers,
            "secret": new.secret.expose_secret(),
        });
        let asked = Asked::post("/webhooks", None, Some(body));
        let read = self.change(&purpose, asked).await?;
        webhook(read.at("data")).ok_or_else(|| purpose.older_shape())
    }

    pub async fn update_webhook(
        &self,
        id: &str,
        change: &WebhookChange,
    ) -> Result<Webhook, Failure> {
        let purpose = Purpose::write(About::Thing, "change a webhook at Cal.com");
        let mut body = Map::new();
        let mut put = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                body.insert(key.to_owned(), value);
            }
        };
        put("subscriberUrl", change.url.as_ref().map(|it| json!(it)));
        put("triggers", change.triggers.as_ref().map(|it| json!(it)));
        let secret = change.secret.as_ref();
        put("secret", secret.map(|it| json!(it.expose_secret())));
        put("active", change.active.map(Value::Bool));
        let path = format!("/webhooks/{}", id_or_gone(id, &purpose)?);
        let asked = Asked {
            method: Method::PATCH,
            ..Asked::post(path, None, Some(Value::Object(body)))
        };
        let read = self.change(&purpose, asked).await?;
        webhook(read.at("data")).ok_or_else(|| purpose.older_shape())
    }

    /// Done as well when it was gone before.
    pub async fn delete_webhook(&self, id: &str) -> Result<(), Failure> {
        let purpose = Purpose::write(About::Thing, "delete a webhook at Cal.com");
        let Ok(id) = id_or_gone(id, &purpose) else {
            return Ok(());
        };
        let asked = Asked {
            method: Method::DELETE,
            ..Asked::get(format!("/webhooks/{id}"), None)
        };
        match self.change(&purpose, asked).await {
            Ok(_) | Err(Failure::Gone { .. }) => Ok(()),
            Err(failure) => Err(failure),
        }
    }
}

fn webhook(json: &Json) -> Option<Webhook> {
    let text = |key: &str| json.at(key).text();
    Some(Webhook {
        // A number in the specification, a UUID on every server that was seen.
        id: text("id")?,
        url: text("subscriberUrl")?,
        triggers: json
            .at("triggers")
            .items()
            .iter()
            .filter_map(Json::text)
            .collect(),
        active: json.at("active").is_true(),
        secret: text("secret").map(SecretString::from),
        has_template: text("payloadTemplate").is_some(),
        version: text("version"),
    })
}
