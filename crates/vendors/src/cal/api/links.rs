//! Links to hand out: one that is used up by one booking, and one that knows who will follow it.

use domain::outcome::Failure;
use serde_json::json;
use url::Url;

use super::errors::{About, Purpose};
use super::{Asked, Cal};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneOffLink {
    pub id: String,
    pub url: String,
}

/// What the form is filled in with. All of it can be changed by whoever follows the link.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prefill {
    pub name: Option<String>,
    pub email: Option<String>,
    /// Comes back in the deliveries as `metadata`.
    pub metadata: Vec<(String, String)>,
}

impl Cal {
    /// Used up by one booking. Only self-hosted servers insist on a number of uses, and all take one.
    pub async fn one_off_link(
        &self,
        event_type_id: i64,
        slug: &str,
    ) -> Result<OneOffLink, Failure> {
        let id = event_type_id;
        let purpose = Purpose::write(
            About::Thing,
            format!("make a one-off link for event type {id}"),
        );
        let path = format!("/event-types/{id}/private-links");
        let asked = Asked::post(path, None, Some(json!({"maxUsageCount": 1})));
        let read = self.change(&purpose, asked).await?;
        let link = read.at("data");
        let found = (link.at("linkId").text(), link.at("bookingUrl").text());
        let (Some(id), Some(url)) = found else {
            return Err(purpose.older_shape());
        };
        Ok(OneOffLink {
            url: with_slug(&url, &id, slug),
            id,
        })
    }
}

/// Self-hosted servers give `/d/{id}`, but the page is at `/d/{id}/{slug}`.
fn with_slug(url: &str, id: &str, slug: &str) -> String {
    let url = url.trim_end_matches('/');
    if url.ends_with(&format!("/d/{id}")) {
        format!("{url}/{slug}")
    } else {
        url.to_owned()
    }
}

/// The booking page with its form filled in. `None` when it is no web address.
/// <https://cal.com/help/bookings/prefill-fields>
pub fn prefilled(booking_url: &str, fill: &Prefill) -> Option<String> {
    let mut url = Url::parse(booking_url).ok()?;
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    let mut query: Vec<(String, String)> = Vec::new();
    for (key, value) in [("name", &fill.name), ("email", &fill.email)] {
        if let Some(value) = value {
            query.push((key.to_owned(), value.clone()));
        }
    }
    for (key, value) in &fill.metadata {
        query.push((format!("metadata[{key}]"), value.clone()));
    }
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    Some(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_filled_in_whatever_the_names_hold() {
        let fill = Prefill {
            name: Some("Zoë O'Brien & Söhne".to_owned()),
            email: Some("zoe+cal@x.example".to_owned()),
            metadata: vec![("calup".to_owned(), "a.b=c".to_owned())],
        };
        assert_eq!(
            prefilled("https://cal.com/nora/intro?month=2026-12", &fill).as_deref(),
            Some(
                "https://cal.com/nora/intro?month=2026-12&name=Zo%C3%AB+O%27Brien+%26+S%C3%B6hne\
                 &email=zoe%2Bcal%40x.example&metadata%5Bcalup%5D=a.b%3Dc"
            )
        );
        let plain = prefilled("https://cal.com/nora/intro", &Prefill::default());
        assert_eq!(plain.as_deref(), Some("https://cal.com/nora/intro"));
        assert_eq!(prefilled("javascript:alert(1)", &fill), None);
    }

    #[test]
    fn a_one_off_link_leads_to_a_page() {
        for (url, whole) in [
            (
                "https://cal.example.com/d/h1",
                "https://cal.example.com/d/h1/intro",
            ),
            ("https://cal.com/d/h1/intro", "https://cal.com/d/h1/intro"),
        ] {
            assert_eq!(with_slug(url, "h1", "intro"), whole);
        }
    }
}
