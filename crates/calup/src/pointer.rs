//! The signed pointer that our booking links carry in `metadata[calup]`: whose lead a link was made for. It comes back
//! with the booking, and anybody may have written, kept or forwarded it.

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, Mac};
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;

/// Cal.com takes no longer value of metadata.
const CHARS_MAX: usize = 500;
const VERSION: &str = "v1";
pub const LASTS: SignedDuration = SignedDuration::from_hours(90 * 24);

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pointed {
    /// At this lead.
    Lead(String),
    /// Somebody wrote it, or it was made for another database or profile.
    Foreign,
    Expired,
}

/// `v1.<lead>.<the second in which it ends>.<signature>`.
pub fn to(key: &[u8; 32], profile: &str, lead: &str, now: Timestamp) -> String {
    let until = (now + LASTS).as_second();
    let said = format!("{VERSION}.{lead}.{until}");
    let signature = signature(key, profile, &said);
    format!("{said}.{signature}")
}

pub fn read(key: &[u8; 32], profile: &str, pointer: &str, now: Timestamp) -> Pointed {
    let Some((said, given)) = pointer.trim().rsplit_once('.') else {
        return Pointed::Foreign;
    };
    let parts: Vec<&str> = said.split('.').collect();
    let [VERSION, lead, until] = parts[..] else {
        return Pointed::Foreign;
    };
    let Ok(until) = until.parse::<i64>() else {
        return Pointed::Foreign;
    };
    if pointer.len() > CHARS_MAX || !is_signed(key, profile, said, given) {
        return Pointed::Foreign;
    }
    if now.as_second() >= until {
        return Pointed::Expired;
    }
    Pointed::Lead(lead.to_owned())
}

fn mac(key: &[u8; 32], profile: &str, said: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key length will do");
    // Nothing else is signed with these words before it.
    mac.update(b"calup pointer\0");
    mac.update(profile.as_bytes());
    mac.update(b"\0");
    mac.update(said.as_bytes());
    mac
}

fn signature(key: &[u8; 32], profile: &str, said: &str) -> String {
    let tag = mac(key, profile, said).finalize().into_bytes();
    BASE32_NOPAD.encode(&tag[..20]).to_lowercase()
}

fn is_signed(key: &[u8; 32], profile: &str, said: &str, given: &str) -> bool {
    let tag = BASE32_NOPAD.decode(given.to_uppercase().as_bytes());
    tag.is_ok_and(|tag| {
        tag.len() == 20 && mac(key, profile, said).verify_truncated_left(&tag).is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_leads_back_for_ninety_days_and_only_if_it_is_ours() {
        let now = Timestamp::from_second(1_700_000_000).expect("a time");
        let later = |days: i64| now + SignedDuration::from_hours(24 * days);
        let (key, other) = ([7; 32], [8; 32]);
        let made = to(&key, "default", "86a1", now);
        let lead = Pointed::Lead("86a1".into());
        assert_eq!(read(&key, "default", &made, later(89)), lead);
        assert_eq!(read(&key, "default", &format!(" {made}\n"), now), lead);
        assert_eq!(read(&key, "default", &made, later(90)), Pointed::Expired);
        assert_eq!(read(&other, "default", &made, now), Pointed::Foreign);
        assert_eq!(read(&key, "another", &made, now), Pointed::Foreign);
        for forged in [
            made.replace("86a1", "86a2"),
            made.replace("v1", "v2"),
            made[..made.len() - 1].to_owned(),
            made[..made.len() - 8].to_owned(),
            String::new(),
            "v1.86a1.9999999999.".to_owned(),
            "....".to_owned(),
        ] {
            assert_eq!(
                read(&key, "default", &forged, now),
                Pointed::Foreign,
                "{forged}"
            );
        }
    }
}
