//! How a webhook of the CRM's is kept, whatever the database.

use crate::rows::Hook;
use crate::vault::Vault;

pub fn seal(vault: &Vault, profile: &str, hook: &Hook) -> Vec<u8> {
    vault.seal_json("hook", "body", &place(profile, &hook.id), hook)
}

/// `None`, and told, for one that cannot be opened: it counts as one that is not known.
pub fn opened(vault: &Vault, profile: &str, id: &str, body: &[u8]) -> Option<Hook> {
    let opened = vault.open_json("hook", "body", &place(profile, id), body);
    if let Err(why) = &opened {
        tracing::warn!(%why, "a webhook of the CRM's is left out: it cannot be opened");
    }
    opened.ok()
}

fn place(profile: &str, id: &str) -> String {
    format!("{profile}/{id}")
}
