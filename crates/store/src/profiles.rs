//! Profiles beside the environment's own, their secrets sealed each in its place, and how everything that is sealed comes
//! under a new master key. Whoever has a `Store` has these verbs too.

use std::collections::BTreeMap;

use crate::rows::{Place, ProfileRow, Resealed, SECRETS};
use crate::vault::Vault;
use crate::{Error, Result};

#[async_trait::async_trait]
pub trait Profiles: Send + Sync {
    /// By name. One that cannot be opened says why, and is in nobody's way.
    async fn profiles(&self) -> Result<Vec<(String, Result<ProfileRow>)>>;
    async fn profile(&self, name: &str) -> Result<Option<ProfileRow>>;
    /// Compare-and-set: writes the row over the version that it names (0: there is none), and gives the new version;
    /// `None` when somebody was first. Durable on return.
    async fn write_profile(&self, row: &ProfileRow) -> Result<Option<i64>>;
    /// With its tokens, and with what the assistant wrote down for it. What came in for it stays. `false` when there is
    /// none.
    async fn remove_profile(&self, name: &str) -> Result<bool>;

    // --- a new master key ---

    /// Seals anew what older master keys sealed, some `limit` rows on from there, all or none of them. To be called until
    /// there is no next place; it may be begun again at any time.
    async fn reseal(&self, from: Option<Place>, limit: usize) -> Result<Resealed>;
    /// Nothing is sealed with any but the newest master key any more: the others may be put away.
    async fn forget_older_keys(&self) -> Result<()>;
}

/// A profile as its row says, sealed.
pub struct Kept {
    pub name: String,
    pub version: i64,
    pub calcom_username: Option<String>,
    /// JSON.
    pub settings: String,
    /// In the order of [`SECRETS`].
    pub secrets: Vec<Option<Vec<u8>>>,
}

pub fn settings(row: &ProfileRow) -> String {
    serde_json::to_string(&row.settings).expect("texts by their names")
}

/// In the order of [`SECRETS`].
pub fn seal(vault: &Vault, row: &ProfileRow) -> Vec<Option<Vec<u8>>> {
    let sealed = |name: &str| {
        let secret = row.secrets.get(name)?;
        Some(vault.seal("profiles", name, &row.name, secret.as_bytes()))
    };
    SECRETS.into_iter().map(sealed).collect()
}

pub fn open(vault: &Vault, kept: Kept) -> Result<ProfileRow> {
    let unusable = |why: String| {
        let name = &kept.name;
        Error::Unusable(format!(
            "profile `{name}` cannot be opened ({why}); put back the master key that sealed it, or `calup profile remove \
             {name}` and add it again"
        ))
    };
    let settings = serde_json::from_str(&kept.settings)
        .map_err(|_| unusable("its settings are damaged".to_owned()))?;
    let mut secrets = BTreeMap::new();
    for (name, sealed) in SECRETS.into_iter().zip(&kept.secrets) {
        if let Some(sealed) = sealed {
            let secret = vault.open_text("profiles", name, &kept.name, sealed);
            let secret = secret.map_err(|error| match error {
                Error::Other(why) => unusable(why),
                other => other,
            })?;
            secrets.insert(name.to_owned(), secret);
        }
    }
    Ok(ProfileRow {
        name: kept.name,
        version: kept.version,
        calcom_username: kept.calcom_username,
        settings,
        secrets,
    })
}
