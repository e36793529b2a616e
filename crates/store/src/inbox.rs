//! How a delivery is kept and handed out, whatever the database.

use crate::rows::NewDelivery;
use crate::vault::Vault;

/// Bodies of one batch.
pub const BATCH_BYTES_MAX: usize = 8 * 1_048_576;
pub const NOTHING_ACTED_ON: &str = "nothing in it is acted on";

/// A delivery as its rows will be; sealed by the caller, not by the one that writes.
pub struct Sealed {
    pub id: String,
    /// Without its body.
    pub of: NewDelivery,
    pub headers: Vec<u8>,
    pub body: Vec<u8>,
}

pub fn seal(vault: &Vault, id: String, mut of: NewDelivery) -> Sealed {
    let headers = vault.seal_json("delivery_body", "headers", &id, &of.headers);
    let body = vault.seal("delivery_body", "body", &id, &std::mem::take(&mut of.body));
    Sealed {
        id,
        of,
        headers,
        body,
    }
}

pub fn same_change(first_delivery: &str) -> String {
    format!("the same change came with delivery {first_delivery}")
}

pub fn unopened_body(why: &str) -> String {
    format!("its body cannot be opened ({why}); restore a backup, then replay it")
}
