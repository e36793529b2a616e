//! A profile beside the environment's own.

use std::collections::BTreeMap;
use std::fmt;

/// The environment's values make it; it has no row.
pub const DEFAULT_PROFILE: &str = "default";

/// Settings that are sealed, each in a column of its own.
pub const SECRETS: [&str; 8] = [
    "anthropic_api_key",
    "calcom_api_key",
    "calcom_client_secret",
    "calcom_webhook_secret",
    "clickup_api_token",
    "slack_app_token",
    "slack_bot_token",
    "slack_signing_secret",
];

#[derive(Clone, Default, PartialEq, Eq)]
pub struct ProfileRow {
    pub name: String,
    /// Counted from 1; each writing adds one.
    pub version: i64,
    /// Whose account at Cal.com it is.
    pub calcom_username: Option<String>,
    /// Those that are set and no secrets, by their names in `calup.toml`.
    pub settings: BTreeMap<String, String>,
    /// Those of [`SECRETS`] that are set.
    pub secrets: BTreeMap<String, String>,
}

impl fmt::Debug for ProfileRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProfileRow")
            .field("name", &self.name)
            .field("version", &self.version)
            .field("calcom_username", &self.calcom_username)
            .field("settings", &self.settings)
            .field("secrets", &self.secrets.keys())
            .finish()
    }
}

/// How far everything that is sealed has been gone through, in the order of its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Which of the sealed columns.
    pub column: usize,
    /// The last row that was looked at; empty before the first.
    pub row: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resealed {
    /// Values that an older master key had sealed.
    pub count: u64,
    /// Those that cannot be opened; they stay as they are.
    pub unopened: u64,
    /// `None` after the last one.
    pub next: Option<Place>,
}
