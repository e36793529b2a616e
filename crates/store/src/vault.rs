//! What the verbs need beside the database: sealing, and the keys behind the HMACs. Both come from the
//! table `secret`; the HMAC keys never depend on the master key, so that a new one changes nothing else.
//! How that table is read and written is the backend's concern.

use hmac::{Hmac, Mac};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::Sha256;

use crate::sealed::{Keys, place, random};
use crate::{Error, Result};

const HMAC_CHARS: usize = 32;
/// One row with this prefix for every master key that seals something.
pub const CHECK: &str = "check ";
pub const INDEX_KEY: &str = "index key";
pub const MARKER_KEY: &str = "marker key";

pub struct Vault {
    keys: Keys,
    index_key: [u8; 32],
    pub marker_key: [u8; 32],
}

/// Whether the secrets are complete as they are. Fails when one of them was sealed with a key that is not here.
/// `database` and `origin` name where the secrets and the keys came from.
pub fn is_complete(names: &[String], keys: &Keys, database: &str, origin: &str) -> Result<bool> {
    let missing = names
        .iter()
        .filter_map(|name| name.strip_prefix(CHECK))
        .find(|id| !keys.has(id));
    if let Some(id) = missing {
        return Err(Error::Unusable(format!(
            "{database} was sealed with another key ({id}) than {origin} gives; put that key back. To change \
             keys, set CALUP_MASTER_KEY to the new key, a comma, and the old one"
        )));
    }
    Ok(names.contains(&check(keys)))
}

/// Names and sealed values for what is not complete; what is there already is to be left as it is.
pub fn fresh_secrets(keys: &Keys) -> [(String, Vec<u8>); 3] {
    let seal = |name: &str, value: &[u8]| {
        let sealed = keys.seal(&place("secret", "sealed", name), value);
        (name.to_owned(), sealed)
    };
    [
        seal(&check(keys), b""),
        seal(INDEX_KEY, &random()),
        seal(MARKER_KEY, &random()),
    ]
}

fn check(keys: &Keys) -> String {
    format!("{CHECK}{}", keys.newest())
}

impl Vault {
    /// With the two keys as the table holds them.
    pub fn unlock(keys: Keys, database: &str, index_key: &[u8], marker_key: &[u8]) -> Result<Self> {
        let open = |name: &str, sealed: &[u8]| -> Result<[u8; 32]> {
            let damaged = || {
                Error::Unusable(format!(
                    "the {name} in {database} is damaged; restore a backup"
                ))
            };
            let opened = keys
                .open(&place("secret", "sealed", name), sealed)
                .map_err(|_| damaged())?;
            opened.try_into().map_err(|_| damaged())
        };
        Ok(Self {
            index_key: open(INDEX_KEY, index_key)?,
            marker_key: open(MARKER_KEY, marker_key)?,
            keys,
        })
    }

    /// Hex, so that what would name a person can be looked up without standing in the clear.
    pub fn blind(&self, profile: &str, what: &str) -> String {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.index_key).expect("any key length will do");
        mac.update(profile.as_bytes());
        mac.update(&[0]);
        mac.update(what.as_bytes());
        let mut hex = hex::encode(mac.finalize().into_bytes());
        hex.truncate(HMAC_CHARS);
        hex
    }

    pub fn seal(&self, table: &str, column: &str, row: &str, plain: &[u8]) -> Vec<u8> {
        self.keys.seal(&place(table, column, row), plain)
    }

    pub fn is_newest(&self, sealed: &[u8]) -> bool {
        self.keys.is_newest(sealed)
    }

    /// The name of the row that stands for the key that seals.
    pub fn check(&self) -> String {
        check(&self.keys)
    }

    pub fn open(&self, table: &str, column: &str, row: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        self.keys.open(&place(table, column, row), sealed)
    }

    pub fn open_text(&self, table: &str, column: &str, row: &str, sealed: &[u8]) -> Result<String> {
        let bytes = self.open(table, column, row, sealed)?;
        String::from_utf8(bytes).map_err(|_| unreadable(table, column, row))
    }

    pub fn seal_json(
        &self,
        table: &str,
        column: &str,
        row: &str,
        value: &impl Serialize,
    ) -> Vec<u8> {
        let json = serde_json::to_vec(value).expect("our rows have text keys only");
        self.seal(table, column, row, &json)
    }

    pub fn open_json<T: DeserializeOwned>(
        &self,
        table: &str,
        column: &str,
        row: &str,
        sealed: &[u8],
    ) -> Result<T> {
        let json = self.open(table, column, row, sealed)?;
        serde_json::from_slice(&json).map_err(|_| unreadable(table, column, row))
    }
}

fn unreadable(table: &str, column: &str, row: &str) -> Error {
    Error::Other(format!(
        "{} is not what this version writes",
        place(table, column, row)
    ))
}
