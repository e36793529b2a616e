//! Whereto links may lead that a model writes: the user's booking pages, their CRM, Cal.com, and calup.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::links::Links;
use serde_json::Value;
use url::Url;

use crate::app::App;

/// A person waits.
const PATIENCE: Duration = Duration::from_secs(3);
const TEXT_CHARS_MAX: usize = 300;
const VALUES_MAX: usize = 50;

/// As far as it is known by now: booking pages are told by Cal.com.
pub fn links(app: &App) -> Links {
    let config = &app.config;
    let mut urls = vec![config.public_url.clone(), config.calcom.app_url.clone()];
    if let Some(account) = app.calcom() {
        urls.extend(account.links());
    }
    let mut hosts = BTreeSet::from(["cal.com".to_owned(), "app.clickup.com".to_owned()]);
    let urls = urls.iter().filter_map(|url| Url::parse(url).ok());
    hosts.extend(urls.filter_map(|url| {
        let port = url.port().map(|port| format!(":{port}"));
        Some(format!("{}{}", url.host_str()?, port.unwrap_or_default()))
    }));
    Links::to(hosts)
}

/// What was said before may hold links to booking pages that nobody has asked for since.
pub async fn learn(app: &App) {
    if let Some(account) = app.calcom().filter(|account| account.links().is_empty()) {
        // Without an answer their links are removed, and nothing worse.
        let _ = tokio::time::timeout(PATIENCE, account.event_types()).await;
    }
}

/// A tool's input as people are shown it: a model wrote that, too.
pub fn shown(links: &Links, value: &Value) -> Value {
    let mut left = VALUES_MAX;
    shown_within(links, value, &mut left)
}

pub fn text(links: &Links, text: &str) -> String {
    let short = domain::text::cut(text, TEXT_CHARS_MAX);
    links.clone().cleaned(&short)
}

fn shown_within(links: &Links, value: &Value, left: &mut usize) -> Value {
    *left = left.saturating_sub(1);
    if *left == 0 {
        return "…".into();
    }
    match value {
        Value::String(words) => text(links, words).into(),
        Value::Array(items) => {
            let items = items.iter().take(*left);
            items.map(|it| shown_within(links, it, left)).collect()
        }
        Value::Object(entries) => {
            let entries = entries.iter().take(*left);
            entries
                .map(|(key, it)| (text(links, key), shown_within(links, it, left)))
                .collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}
