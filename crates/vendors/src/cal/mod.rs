//! Cal.com. What it sends is verified in [`signature`] and understood in [`webhook`]; what it is asked and told goes through
//! [`api`], and who may through [`oauth`]. Storing, ordering and retrying deliveries happens elsewhere, and so does keeping
//! tokens. The shapes of its JSON are known here and nowhere else.

mod answers;
pub mod api;
mod booking;
mod form;
mod json;
mod note;
pub mod oauth;
mod place;
mod secrets;
pub mod signature;
pub mod webhook;

use url::Url;

/// A base without a version, a query or a fragment.
fn address(text: &str) -> Option<Url> {
    let text = text.trim().trim_end_matches('/');
    let mut url = Url::parse(text.strip_suffix("/v2").unwrap_or(text)).ok()?;
    url.set_query(None);
    url.set_fragment(None);
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}
