//! What else is shown on a lead: the meetings of others that have come to it, under other addresses; and which of the
//! person's own are another lead's.

use std::collections::{BTreeSet, HashMap};

use domain::chain::{self, Shown};
use domain::change::{Change, Kind};
use domain::facts::Known;
use store::rows::Stored;

use super::{Background, as_known};
use crate::app::App;
use crate::journal::Journal;

/// Marks what is known, and adds what others have there. `people`: whose meetings have been shown on the lead.
pub async fn place(
    app: &App,
    stored: &Stored,
    background: &Background,
    (lead, people): (Option<&str>, &[String]),
    journal: &mut Journal<'_>,
    known: &mut Vec<Known>,
) -> Result<(), store::Error> {
    own(app, stored, background, lead, journal, known).await?;
    let Some(lead) = lead else {
        return Ok(());
    };
    for person in people.iter().filter(|p| !is(p, &background.person)) {
        others(app, stored, person, lead, journal, known).await?;
    }
    Ok(())
}

fn is(person: &str, token: &str) -> bool {
    token.strip_prefix("person:") == Some(person)
}

/// Of the person's own meetings those count elsewhere whose lead is another one, and is still there.
async fn own(
    app: &App,
    stored: &Stored,
    background: &Background,
    lead: Option<&str>,
    journal: &mut Journal<'_>,
    known: &mut [Known],
) -> Result<(), store::Error> {
    let leads: BTreeSet<&str> = background
        .told_to
        .iter()
        .map(|(_, lead)| lead.as_str())
        .collect();
    let mut is_any_elsewhere = false;
    for told_to in leads.into_iter().filter(|told_to| lead != Some(told_to)) {
        let stands = app.store.standing_for(&stored.profile, told_to).await?;
        is_any_elsewhere |= lead != Some(&stands);
    }
    if !is_any_elsewhere {
        return Ok(());
    }
    let changes: Vec<Change> = known.iter().map(|k| k.change.clone()).collect();
    let links = Links::of(&changes, journal).await?;
    for (known, change) in known.iter_mut().zip(&changes) {
        if change.kind != Kind::Note && links.lead(change).is_some_and(|it| Some(it) != lead) {
            known.shown = Shown::Elsewhere;
        }
    }
    Ok(())
}

async fn others(
    app: &App,
    stored: &Stored,
    person: &str,
    lead: &str,
    journal: &mut Journal<'_>,
    known: &mut Vec<Known>,
) -> Result<(), store::Error> {
    let theirs = app.store.of_person(&stored.profile, person).await?;
    let changes: Vec<Change> = theirs.iter().map(|s| s.change.clone()).collect();
    let links = Links::of(&changes, journal).await?;
    let token = [format!("person:{person}")];
    let their_lead = journal.links(&token).await?.into_iter().next();
    let their_lead = their_lead.filter(|link| !link.gone).map(|link| link.lead);
    for one in &theirs {
        let mut is_known = known.iter().map(|k| &k.change);
        if is_known.any(|change| *change == one.change) {
            continue;
        }
        let on = links.lead(&one.change).or(their_lead.as_deref());
        let is_theirs = one.person == person && one.change.kind != Kind::Note;
        let mut one = as_known(one);
        if is_theirs && on == Some(lead) {
            one.shown = Shown::Here;
        }
        known.push(one);
    }
    Ok(())
}

/// The leads to which the chains of some changes are tied.
struct Links {
    /// By token.
    leads: HashMap<String, String>,
    /// By the change's base key.
    tokens: HashMap<String, Vec<String>>,
}

impl Links {
    async fn of(changes: &[Change], journal: &mut Journal<'_>) -> Result<Self, store::Error> {
        let fold = chain::fold(changes);
        let mut of_change: HashMap<String, Vec<String>> = HashMap::new();
        let mut all = BTreeSet::new();
        for change in changes.iter().filter(|c| c.kind != Kind::Note) {
            let tokens = fold.tokens(change);
            let tokens: Vec<String> = tokens.into_iter().map(|t| format!("chain:{t}")).collect();
            all.extend(tokens.iter().cloned());
            of_change.insert(change.base_key(), tokens);
        }
        let all: Vec<String> = all.into_iter().collect();
        let links = journal.links(&all).await?;
        let tied = links.into_iter().filter(|link| !link.gone);
        Ok(Self {
            leads: tied.map(|link| (link.token, link.lead)).collect(),
            tokens: of_change,
        })
    }

    fn lead(&self, change: &Change) -> Option<&str> {
        let tokens = self.tokens.get(&change.base_key())?;
        let lead = tokens.iter().find_map(|token| self.leads.get(token));
        lead.map(String::as_str)
    }
}
