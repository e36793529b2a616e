//! How a lead is kept in the index, and how much work a search may be, whatever the database.

use std::collections::{BTreeMap, BTreeSet};

use crate::names::micros;
use crate::rows::Indexed;
use crate::vault::Vault;

/// Of a lead's name, and of one that is looked for. A token tells two words of a name at once (`domain::name`), so each
/// is rare, and two names that are worth asking about may share only one: none of the usual few dozen is to be left out.
const TOKENS_MAX: usize = 96;
/// Leads that are looked at for one token: a name that half the world bears costs no more.
pub const BEARERS_MAX: usize = 1_000;
pub const RESEMBLING_MAX: usize = 2_000;
/// Leads written, or removed, in one commit: others have their turn in between.
pub const AT_ONCE: usize = 50;

/// A lead as its rows will be; sealed by the caller, not by the one that writes.
pub struct Sealed {
    pub lead: String,
    pub updated_at: i64,
    /// Blinded, with blanks between.
    pub tokens: String,
    pub body: Vec<u8>,
}

/// By lead, each once: the later update counts.
pub fn seal(vault: &Vault, profile: &str, leads: Vec<Indexed>) -> Vec<Sealed> {
    let mut newest: BTreeMap<String, Indexed> = BTreeMap::new();
    for lead in leads {
        let is_older = newest
            .get(&lead.lead)
            .is_some_and(|known| known.updated_at > lead.updated_at);
        if !is_older {
            newest.insert(lead.lead.clone(), lead);
        }
    }
    newest
        .into_iter()
        .map(|(lead, of)| Sealed {
            updated_at: micros(of.updated_at),
            tokens: kept(vault, profile, &of.tokens),
            body: vault.seal_json("indexed_lead", "body", &place(profile, &lead), &of),
            lead,
        })
        .collect()
}

fn kept(vault: &Vault, profile: &str, tokens: &[String]) -> String {
    let blind = sought(vault, profile, tokens);
    blind.join(" ")
}

/// In which row.
pub fn place(profile: &str, lead: &str) -> String {
    format!("{profile}/{lead}")
}

/// Distinct, and blinded.
pub fn sought(vault: &Vault, profile: &str, tokens: &[String]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let distinct = tokens.iter().filter(|token| seen.insert(*token));
    distinct
        .take(TOKENS_MAX)
        .map(|token| vault.blind(profile, &format!("name:{token}")))
        .collect()
}

/// What stands in the index for a lead.
pub struct Known {
    pub updated_at: i64,
    pub tokens: String,
}

/// What is to be done about one that was seen.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// The index knows of a later update: it was seen, no more.
    Seen,
    /// It is found by the same as before.
    Body,
    Everything,
}

pub fn due(known: Option<&Known>, new: &Sealed) -> Due {
    match known {
        Some(known) if known.updated_at > new.updated_at => Due::Seen,
        Some(known) if known.updated_at == new.updated_at && known.tokens == new.tokens => {
            Due::Body
        }
        Some(_) | None => Due::Everything,
    }
}

pub fn limit(asked: usize) -> usize {
    asked.min(RESEMBLING_MAX)
}

/// `None`, and told, for a lead that cannot be opened: it is not found until it is indexed anew.
pub fn opened(vault: &Vault, profile: &str, lead: &str, body: &[u8]) -> Option<Indexed> {
    let opened = vault.open_json("indexed_lead", "body", &place(profile, lead), body);
    if let Err(why) = &opened {
        tracing::warn!(%why, "a lead in the index is left out: it cannot be opened");
    }
    opened.ok()
}
