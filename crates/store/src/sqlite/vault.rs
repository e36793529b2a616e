//! What the verbs need beside the database: sealing, and the keys behind the HMACs. Both come from the
//! table `secret`; the HMAC keys never depend on the master key, so that a new one changes nothing else.

use hmac::{Hmac, Mac};
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::Sha256;

use super::cells::statements;
use crate::sealed::{Keys, place, random};
use crate::{Error, Result};

const HMAC_CHARS: usize = 32;
const CHECK: &str = "check ";

statements! {
    NAMES = "SELECT name FROM secret WHERE name LIKE 'check %'";
    GET = "SELECT sealed FROM secret WHERE name = ?1";
    PUT = "INSERT INTO secret (name, sealed) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
}

pub struct Vault {
    keys: Keys,
    index_key: [u8; 32],
    pub marker_key: [u8; 32],
}

/// Whether anything was ever sealed here.
pub fn is_sealed(db: &Connection) -> Result<bool> {
    Ok(db
        .query_row(GET, ["index key"], |_| Ok(()))
        .optional()?
        .is_some())
}

impl Vault {
    /// Makes the keys in a new database, else opens them. In a transaction of its own.
    pub fn unlock(db: &Connection, keys: Keys, file: &str, origin: &str) -> Result<Self> {
        let sealers: Vec<String> = db
            .prepare(NAMES)?
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let missing = sealers
            .iter()
            .filter_map(|name| name.strip_prefix(CHECK))
            .find(|id| !keys.has(id));
        if let Some(id) = missing {
            return Err(Error::Unusable(format!(
                "{file} was sealed with another key ({id}) than {origin} gives; put that key back. To change \
                 keys, set CALUP_MASTER_KEY to the new key, a comma, and the old one"
            )));
        }
        let check = format!("{CHECK}{}", keys.newest());
        if !sealers.contains(&check) {
            db.execute_batch("BEGIN IMMEDIATE")?;
            let put = |name: &str, value: &[u8]| {
                db.execute(
                    PUT,
                    params![name, keys.seal(&place("secret", "sealed", name), value)],
                )
            };
            let done = put(&check, b"")
                .and_then(|_| put("index key", &random()))
                .and_then(|_| put("marker key", &random()));
            db.execute_batch(if done.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
            done?;
        }
        let get = |name: &str| -> Result<[u8; 32]> {
            let sealed: Vec<u8> = db.query_row(GET, [name], |row| row.get(0))?;
            let damaged =
                || Error::Unusable(format!("the {name} in {file} is damaged; restore a backup"));
            let opened = keys
                .open(&place("secret", "sealed", name), &sealed)
                .map_err(|_| damaged())?;
            opened.try_into().map_err(|_| damaged())
        };
        Ok(Self {
            index_key: get("index key")?,
            marker_key: get("marker key")?,
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
