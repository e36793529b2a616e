//! Whether two names may be one person's, and why a person should think so. A name alone never decides: what
//! resembles is asked. Exact addresses are `matching`'s; where names are kept and searched is the store's.

mod align;
mod around;
mod company;
mod evidence;
mod fold;
mod given;
mod han;
mod reading;
mod search;
mod segments;

pub use evidence::{Evidence, How, Resemblance};

use reading::Name;

/// Who booked, as far as names go.
#[derive(Debug, Clone, Copy, Default)]
pub struct Booker<'a> {
    pub name: &'a str,
    pub email: Option<&'a str>,
    /// What was answered when a company was asked for.
    pub company: Option<&'a str>,
}

/// A record that might be the booker's.
#[derive(Debug, Clone, Copy, Default)]
pub struct Candidate<'a> {
    /// As people write it: "Ross, Mike", "Acme GmbH / Mike Ross (hot)", an address.
    pub name: &'a str,
    pub emails: &'a [String],
    pub company: Option<&'a str>,
}

/// A booker or a candidate as read, once, to be compared with many.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    names: Vec<Name>,
    /// Companies that are said to be theirs.
    companies: Vec<String>,
    /// What stands beside a name and may be a company: it speaks for, never against.
    beside: Vec<String>,
    /// Addresses' words that may be a name run together: "mross".
    glued: Vec<String>,
}

impl Reading {
    /// Tokens under which the name is to be kept and looked up: two that are worth asking about share at least one
    /// of them, and few others do. They are for comparing only, and may be hashed.
    pub fn search_tokens(&self) -> std::collections::BTreeSet<String> {
        search::tokens(self)
    }

    /// The same for whoever is looked for by a part of the name: many share one of them.
    pub fn part_tokens(&self) -> std::collections::BTreeSet<String> {
        search::parts(self)
    }

    pub fn resemblance(&self, other: &Reading) -> Resemblance {
        align::compare(self, other)
    }
}

impl Booker<'_> {
    pub fn read(&self) -> Reading {
        segments::read(self.name, self.email.as_slice(), self.company)
    }
}

impl Candidate<'_> {
    pub fn read(&self) -> Reading {
        let emails: Vec<&str> = self.emails.iter().map(String::as_str).collect();
        segments::read(self.name, &emails, self.company)
    }
}

/// How much, and in what, the two resemble.
pub fn resemblance(booker: &Booker, candidate: &Candidate) -> Resemblance {
    booker.read().resemblance(&candidate.read())
}

/// Those worth asking about, the likeliest first, at most `max`; among equals the order they came in.
pub fn likeliest<'a, T>(
    booker: &Booker,
    candidates: impl IntoIterator<Item = (T, Candidate<'a>)>,
    max: usize,
) -> Vec<(T, Resemblance)> {
    let booker = booker.read();
    let mut best: Vec<(T, Resemblance)> = Vec::new();
    for (what, candidate) in candidates {
        let found = booker.resemblance(&candidate.read());
        let at = best.partition_point(|(_, other)| other.score() >= found.score());
        if found.is_worth_asking() && at < max {
            best.insert(at, (what, found));
            best.truncate(max);
        }
    }
    best
}

#[cfg(test)]
mod tests;
