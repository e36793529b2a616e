//! Whose account it is.

use domain::outcome::Failure;

use super::errors::{About, Purpose};
use super::{Asked, Cal};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Me {
    pub id: i64,
    pub name: String,
    pub email: String,
    /// Whole organisations have none.
    pub username: Option<String>,
    /// An IANA name as sent; may be unknown to the time library.
    pub time_zone: String,
}

impl Cal {
    /// Also the cheapest proof that Cal.com answers and takes the key.
    pub async fn me(&self) -> Result<Me, Failure> {
        let purpose = Purpose::read(About::Account, "reach Cal.com");
        let read = self.get(&purpose, Asked::get("/me", None)).await?;
        let me = read.at("data");
        let text = |key: &str| me.at(key).text();
        let id = me.at("id").integer();
        Ok(Me {
            id: id.ok_or_else(|| purpose.older_shape())?,
            name: text("name").unwrap_or_default(),
            email: text("email").unwrap_or_default(),
            username: text("username"),
            time_zone: text("timeZone").unwrap_or_default(),
        })
    }
}
