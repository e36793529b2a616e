//! The calendars that Cal.com asks before it calls a time free. One that cannot be asked takes all times away, without a
//! word in the answer about slots.

use domain::outcome::Failure;

use super::errors::{About, Purpose};
use super::{Asked, Cal};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    /// "Google Calendar".
    pub name: String,
    /// Whether Cal.com can read it.
    pub works: bool,
}

impl Cal {
    pub async fn calendars(&self) -> Result<Vec<Calendar>, Failure> {
        let purpose = Purpose::read(About::Account, "look at the calendars that Cal.com asks");
        let read = self.get(&purpose, Asked::get("/calendars", None)).await?;
        let connected = read.at("data").at("connectedCalendars").items();
        let calendars = connected.iter().map(|it| {
            let integration = it.at("integration");
            let name = ["title", "name", "slug", "type"]
                .iter()
                .find_map(|key| integration.at(key).text());
            Calendar {
                name: name.unwrap_or_else(|| "a calendar".to_owned()),
                works: it.at("error").is_null(),
            }
        });
        Ok(calendars.collect())
    }
}
