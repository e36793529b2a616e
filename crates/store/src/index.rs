//! How a lead is kept in the index, and how much work a search may be, whatever the database.

use std::collections::{BTreeMap, BTreeSet};

use crate::names::micros;
use crate::rows::Indexed;
use crate::vault::Vault;

/// Of a lead's name; of so many of them it is found by each pair too, which is rare where each alone is common.
const TOKENS_KEPT_MAX: usize = 16;
const PAIRED_MAX: usize = 8;
/// Of a name that is looked for.
const TOKENS_SOUGHT_MAX: usize = 6;
/// Leads that are looked at for one token, or pair: a name that half the world bears costs no more.
pub const BEARERS_MAX: usize = 1_000;
pub const RESEMBLING_MAX: usize = 100;
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
    let distinct = distinct(tokens, TOKENS_KEPT_MAX);
    let blind = blind(vault, profile, &distinct, PAIRED_MAX);
    let tokens: Vec<String> = blind.into_iter().map(|of| of.token).collect();
    tokens.join(" ")
}

/// In which row.
pub fn place(profile: &str, lead: &str) -> String {
    format!("{profile}/{lead}")
}

/// A token, or a pair of them, blinded; and a bit for each of them.
pub struct Sought {
    pub token: String,
    pub bits: i32,
}

pub fn sought(vault: &Vault, profile: &str, tokens: &[String]) -> Vec<Sought> {
    let distinct = distinct(tokens, TOKENS_SOUGHT_MAX);
    blind(vault, profile, &distinct, TOKENS_SOUGHT_MAX)
}

fn distinct(tokens: &[String], max: usize) -> Vec<&String> {
    let mut seen = BTreeSet::new();
    let distinct = tokens.iter().filter(|token| seen.insert(*token));
    distinct.take(max).collect()
}

/// Each, and each pair of the first ones in either order.
fn blind(vault: &Vault, profile: &str, tokens: &[&String], paired: usize) -> Vec<Sought> {
    let mut all = Vec::new();
    let mut add = |text: String, bits| {
        let token = vault.blind(profile, &text);
        all.push(Sought { token, bits });
    };
    for (n, one) in tokens.iter().enumerate() {
        add(format!("name:{one}"), 1 << n);
        let partners = if n < paired { &tokens[..n] } else { &[] };
        for (m, other) in partners.iter().enumerate() {
            let (first, second) = (one.min(other), one.max(other));
            add(format!("names:{first}\n{second}"), 1 << n | 1 << m);
        }
    }
    all
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
