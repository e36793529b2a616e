//! Sealing what is kept: XChaCha20-Poly1305 under the newest of the master keys, written as
//! `key id ‖ nonce ‖ ciphertext`. The place (table, column, row) is authenticated with it, so that a sealed
//! value cannot be moved elsewhere. Where keys are kept beside a database is the backend's concern.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, OsRng, Payload};
use chacha20poly1305::{AeadCore, AeadInPlace, XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};

use crate::{Error, Result};

const KEY_ID_BYTES: usize = 8;
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;

type KeyId = [u8; KEY_ID_BYTES];

/// The master keys, newest first: the first one seals, any of them opens.
pub struct Keys(Vec<(KeyId, XChaCha20Poly1305)>);

/// A new master key, as it is written in the setting or the key file.
pub fn generate() -> String {
    STANDARD.encode(XChaCha20Poly1305::generate_key(OsRng))
}

/// 32 random bytes.
pub fn random() -> [u8; 32] {
    XChaCha20Poly1305::generate_key(OsRng).into()
}

impl Keys {
    /// Base64 of 32 bytes each, newest first, with commas between. `origin` names where they came from.
    pub fn parse(text: &str, origin: &str) -> Result<Self> {
        let keys = text
            .split([',', '\n'])
            .map(str::trim)
            .filter(|key| !key.is_empty())
            .enumerate()
            .map(|(at, key)| {
                let bytes = STANDARD.decode(key).unwrap_or_default();
                let cipher = XChaCha20Poly1305::new_from_slice(&bytes).map_err(|_| {
                    Error::Unusable(format!(
                        "key {} in {origin} is not the base64 of 32 bytes; make one with `openssl rand -base64 32`",
                        at + 1
                    ))
                })?;
                Ok((key_id(&bytes), cipher))
            })
            .collect::<Result<Vec<_>>>()?;
        if keys.is_empty() {
            return Err(Error::Unusable(format!(
                "{origin} holds no key; make one with `openssl rand -base64 32`"
            )));
        }
        Ok(Self(keys))
    }

    /// Hex of the key that seals.
    pub fn newest(&self) -> String {
        hex::encode(self.0[0].0)
    }

    pub fn has(&self, id: &str) -> bool {
        self.0.iter().any(|(own, _)| hex::encode(own) == id)
    }

    /// Whether the key that seals has sealed it.
    pub fn is_newest(&self, sealed: &[u8]) -> bool {
        sealed.starts_with(&self.0[0].0)
    }

    pub fn seal(&self, place: &str, plain: &[u8]) -> Vec<u8> {
        let (id, cipher) = &self.0[0];
        let nonce = XChaCha20Poly1305::generate_nonce(OsRng);
        let mut sealed = Vec::with_capacity(KEY_ID_BYTES + NONCE_BYTES + plain.len() + TAG_BYTES);
        sealed.extend_from_slice(id);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let tag = cipher
            .encrypt_in_place_detached(
                &nonce,
                place.as_bytes(),
                &mut sealed[KEY_ID_BYTES + NONCE_BYTES..],
            )
            .expect("sealing fails only beyond 256 GiB");
        sealed.extend_from_slice(&tag);
        sealed
    }

    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        let parts = sealed
            .split_at_checked(KEY_ID_BYTES)
            .and_then(|(id, rest)| {
                let (nonce, sealed) = rest.split_at_checked(NONCE_BYTES)?;
                Some((id, nonce, sealed))
            });
        let Some((id, nonce, sealed)) = parts else {
            return Err(Error::Other(format!(
                "what is sealed at {place} is damaged: it is too short"
            )));
        };
        let Some((_, cipher)) = self.0.iter().find(|(own, _)| own == id) else {
            return Err(Error::Other(format!(
                "what is sealed at {place} needs master key {}, which was not given",
                hex::encode(id)
            )));
        };
        let payload = Payload {
            msg: sealed,
            aad: place.as_bytes(),
        };
        cipher
            .decrypt(XNonce::from_slice(nonce), payload)
            .map_err(|_| Error::Other(format!("what is sealed at {place} is damaged or was moved")))
    }
}

fn key_id(key: &[u8]) -> KeyId {
    let digest = Sha256::new()
        .chain_update(b"calup key id")
        .chain_update(key)
        .finalize();
    digest[..KEY_ID_BYTES]
        .try_into()
        .expect("a digest is longer")
}

/// `table/column/row`.
pub fn place(table: &str, column: &str, row: &str) -> String {
    format!("{table}/{column}/{row}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Keys {
        Keys::parse(text, "the test").expect("good keys")
    }

    #[test]
    fn what_was_sealed_opens_in_its_place_only() {
        let keys = keys(&generate());
        let sealed = keys.seal("delivery/body/1", b"hello");
        assert_eq!(
            keys.open("delivery/body/1", &sealed).expect("opens"),
            b"hello"
        );
        assert!(keys.open("delivery/body/2", &sealed).is_err());
        assert!(keys.open("delivery/headers/1", &sealed).is_err());
    }

    #[test]
    fn a_value_that_was_tampered_with_or_cut_does_not_open() {
        let keys = keys(&generate());
        let sealed = keys.seal("a/b/c", b"hello");
        for at in 0..sealed.len() {
            let mut bent = sealed.clone();
            bent[at] ^= 1;
            assert!(keys.open("a/b/c", &bent).is_err(), "byte {at}");
            assert!(keys.open("a/b/c", &sealed[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn older_keys_open_and_the_newest_seals() {
        let (old, new) = (generate(), generate());
        let sealed = keys(&old).seal("a/b/c", b"hello");
        let both = keys(&format!("{new}, {old}"));
        assert_eq!(both.open("a/b/c", &sealed).expect("opens"), b"hello");
        let resealed = both.seal("a/b/c", b"hello");
        assert!(keys(&old).open("a/b/c", &resealed).is_err());
        assert!(keys(&new).open("a/b/c", &resealed).is_ok());
    }

    #[test]
    fn a_bad_key_is_named_by_its_place_and_never_shown() {
        for bad in ["", " , ", "c2hvcnQ=", "not base64 at all"] {
            let Err(Error::Unusable(said)) = Keys::parse(bad, "CALUP_MASTER_KEY") else {
                panic!("{bad:?} was taken for a key");
            };
            assert!(
                said.contains("CALUP_MASTER_KEY") && said.contains("openssl"),
                "{said}"
            );
            assert!(
                !said.contains("c2hvcnQ") && !said.contains("not base64 at all"),
                "{said}"
            );
        }
    }
}
