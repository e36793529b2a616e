//! HMAC-SHA256 over raw bytes, in lowercase hex, as the vendors' webhooks carry it.

use hmac::{Hmac, Mac};
use reqwest::header::HeaderMap;
use sha2::Sha256;

pub const BYTES: usize = 32;

pub fn of(secret: &[u8], body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(body);
    mac
}

/// Exactly as vendors write it.
pub fn read(value: &[u8]) -> Option<[u8; BYTES]> {
    let is_lower_hex = value.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let mut bytes = [0; BYTES];
    (is_lower_hex && hex::decode_to_slice(value, &mut bytes).is_ok()).then_some(bytes)
}

/// Which of the secrets signed the body. Every secret is tried in constant time, so neither the position nor the
/// number of matching bytes shows in how long it takes. Empty secrets never match.
pub fn signer(secrets: &[impl AsRef<[u8]>], claimed: &[u8; BYTES], body: &[u8]) -> Option<usize> {
    let mut signer = None;
    for (index, secret) in secrets.iter().map(AsRef::as_ref).enumerate() {
        let is_signer = of(secret, body).verify_slice(claimed).is_ok();
        if is_signer && !secret.is_empty() && signer.is_none() {
            signer = Some(index);
        }
    }
    signer
}

/// The one value of a header. Two of a kind are none: it must not matter which one somebody reads.
pub fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a [u8]> {
    let mut values = headers.get_all(name).iter();
    let only = values.next()?;
    values.next().is_none().then(|| only.as_bytes())
}
