//! Effect keys and markers: they depend on no time, attempt, replica or version of the code.

use domain::effect::Kind;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use crate::app::App;

/// The key of one effect: profile, change, lead (or person) and kind.
pub fn effect(profile: &str, change: &str, target: &str, kind: Kind) -> String {
    let mut hash = Sha256::new();
    for part in [profile, change, target, kind.name()] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hex::encode(&hash.finalize()[..16])
}

/// What marks our object in the CRM: sixteen characters that nobody can make without the database's key.
pub fn marker(app: &App, change: &str, target: &str, kind: Kind) -> String {
    let key = effect(&app.config.profile.name, change, target, kind);
    let mut mac =
        Hmac::<Sha256>::new_from_slice(&app.store.marker_key()).expect("any key length will do");
    mac.update(key.as_bytes());
    let tag = mac.finalize().into_bytes();
    data_encoding::BASE32_NOPAD.encode(&tag)[..16].to_lowercase()
}

/// What marks the comment that holds a lead's block, whichever change wrote it last.
pub fn block_comment(app: &App, lead: &str) -> String {
    marker(app, "", lead, Kind::BlockComment)
}

/// What marks the message in which a question is asked.
pub fn question(app: &App, id: &str) -> String {
    marker(app, "question", id, Kind::Comment)
}

/// Whether a text carries our marker, wherever people have moved its line. Nobody can guess one; and who has read one
/// and types it into a booking does not get it behind the dot (`domain::text`).
pub fn carries(text: &str, marker: &str) -> bool {
    text.lines().any(|line| {
        let behind = line.split_once('·').map(|(_, behind)| behind);
        behind.is_some_and(|behind| behind.contains(marker))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_counts_on_its_own_line_and_not_where_somebody_typed_it() {
        let marker = "abcdefghijklmnop";
        for text in [
            format!("Meeting booked\nCal.com booking bk_1 · {marker}"),
            format!("Mine.\n[Cal.com](http://Cal.com) booking bk\\_1 · {marker}\n"),
            format!("Next meeting\nCal.com booking bk_1 · qrstuvwxyz234567 {marker}"),
        ] {
            assert!(carries(&text, marker), "{text}");
        }
        let typed = domain::text::one_line(&format!("x · {marker}"), 120);
        for text in [format!("Notes: {marker}"), format!("Notes: {typed}")] {
            assert!(!carries(&text, marker), "{text}");
        }
    }
}
