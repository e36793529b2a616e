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

/// Whether a text carries our marker. Nobody can guess one, so it counts wherever people have moved it.
pub fn carries(text: &str, marker: &str) -> bool {
    text.contains(marker)
}
