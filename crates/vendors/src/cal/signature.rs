//! Whether Cal.com sent these bytes. The signature is the lowercase hex HMAC-SHA256 of the raw body, without
//! prefix, time stamp or delivery id, so replays are not seen here.
//! <https://cal.com/docs/core-features/webhooks>

use hmac::{Hmac, Mac};
use reqwest::header::HeaderMap;
use sha2::Sha256;

pub const HEADER: &str = "x-cal-signature-256";
/// The name in older descriptions; it counts only where the real one is absent.
pub const OLDER_HEADER: &str = "x-cal-signature";

const SIGNATURE_BYTES: usize = 32;

/// Which of the secrets signed the body. Every secret is tried in constant time, so neither the position nor the
/// number of matching bytes shows in how long it takes. Empty secrets never match.
pub fn verify(secrets: &[impl AsRef<[u8]>], headers: &HeaderMap, body: &[u8]) -> Option<usize> {
    let claimed = signature(header(headers)?)?;
    let mut signer = None;
    for (index, secret) in secrets.iter().map(AsRef::as_ref).enumerate() {
        let is_signer = mac(secret, body).verify_slice(&claimed).is_ok();
        if is_signer && !secret.is_empty() && signer.is_none() {
            signer = Some(index);
        }
    }
    signer
}

/// What Cal.com would put into [`HEADER`].
pub fn sign(secret: &[u8], body: &[u8]) -> String {
    hex::encode(mac(secret, body).finalize().into_bytes())
}

/// The one signature of a request. Two of a kind are none: it must not matter which one somebody reads.
pub fn header(headers: &HeaderMap) -> Option<&[u8]> {
    let name = [HEADER, OLDER_HEADER]
        .into_iter()
        .find(|name| headers.contains_key(*name))?;
    let mut values = headers.get_all(name).iter();
    let only = values.next()?;
    values.next().is_none().then(|| only.as_bytes())
}

/// Whether no signature came at all: Cal.com may send MEETING_STARTED and MEETING_ENDED so, and sends the words
/// `no-secret-provided` for a webhook without a secret.
/// <https://github.com/calcom/cal.com/issues/13985>
pub fn is_missing(headers: &HeaderMap) -> bool {
    let named = [HEADER, OLDER_HEADER]
        .into_iter()
        .find_map(|name| headers.get(name));
    named.is_none_or(|value| value.is_empty() || value.as_bytes() == b"no-secret-provided")
}

/// Whether it looks like Cal.com's, whatever secret made it.
pub fn is_well_formed(headers: &HeaderMap) -> bool {
    header(headers).and_then(signature).is_some()
}

/// Exactly as Cal.com writes it. Without a secret it sends the words `no-secret-provided` instead.
fn signature(value: &[u8]) -> Option<[u8; SIGNATURE_BYTES]> {
    let is_lower_hex = value.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let mut bytes = [0; SIGNATURE_BYTES];
    (is_lower_hex && hex::decode_to_slice(value, &mut bytes).is_ok()).then_some(bytes)
}

fn mac(secret: &[u8], body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(body);
    mac
}
