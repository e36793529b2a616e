//! Whether Cal.com sent these bytes. The signature is the lowercase hex HMAC-SHA256 of the raw body, without
//! prefix, time stamp or delivery id, so replays are not seen here.
//! <https://cal.com/docs/core-features/webhooks>

use hmac::Mac;
use reqwest::header::HeaderMap;

use crate::mac;

pub const HEADER: &str = "x-cal-signature-256";
/// The name in older descriptions; it counts only where the real one is absent.
pub const OLDER_HEADER: &str = "x-cal-signature";

/// Which of the secrets signed the body. Empty secrets never match.
pub fn verify(secrets: &[impl AsRef<[u8]>], headers: &HeaderMap, body: &[u8]) -> Option<usize> {
    let claimed = mac::read(header(headers)?)?;
    mac::signer(secrets, &claimed, body)
}

/// What Cal.com would put into [`HEADER`].
pub fn sign(secret: &[u8], body: &[u8]) -> String {
    hex::encode(mac::of(secret, body).finalize().into_bytes())
}

/// The one signature of a request. Two of a kind are none: it must not matter which one somebody reads.
pub fn header(headers: &HeaderMap) -> Option<&[u8]> {
    let name = [HEADER, OLDER_HEADER]
        .into_iter()
        .find(|name| headers.contains_key(*name))?;
    mac::only(headers, name)
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

/// Whether it looks like Cal.com's, whatever secret made it. Without a secret it sends the words `no-secret-provided`
/// instead.
pub fn is_well_formed(headers: &HeaderMap) -> bool {
    header(headers).and_then(mac::read).is_some()
}
