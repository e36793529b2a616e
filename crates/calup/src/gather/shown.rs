//! What else is shown on a lead: the meetings of others that have come to it, under other addresses; and which of the
//! person's own are another lead's.

use std::collections::{BTreeSet, HashMap};

use domain::chain::{self, Shown};
use domain::change::{Change, Kind};
use domain::facts::Known;
use store::rows::Link;

use super::{Background, as_known};
use crate::app::App;
use crate::journal::Journal;

/// Where the change at hand is told.
#[derive(Clone, Copy)]
pub struct At<'a> {
    pub lead: Option<&'a str>,
    /// It was found as its meeting's, whoever's else it is.
    pub by_chain: bool,
    /// Whose meetings have been shown on it.
    pub people: &'a [String],
}

/// Marks what is known, and adds what others have there.
pub async fn place(
    app: &App,
    background: &Background,
    at: At<'_>,
    journal: &mut Journal<'_>,
    known: &mut Vec<Known>,
) -> Result<(), store::Error> {
    own(background, at, journal, known).await?;
    let Some(lead) = at.lead else {
        return Ok(());
    };
    for person in at.people.iter().filter(|p| !is(p, &background.person)) {
        others(app, person, lead, journal, known).await?;
    }
    Ok(())
}

fn is(person: &str, token: &str) -> bool {
    token.strip_prefix("person:") == Some(person)
}

/// Of the person's own meetings those count elsewhere that a person has given to another lead by themselves. Where only
/// the meeting at hand is this lead's, those that have none yet are not shown on it either.
async fn own(
    background: &Background,
    at: At<'_>,
    journal: &mut Journal<'_>,
    known: &mut [Known],
) -> Result<(), store::Error> {
    let is_only_this = match at {
        At {
            lead: Some(lead),
            by_chain: true,
            ..
        } => is_strange(background, lead, journal).await?,
        _ => false,
    };
    let lead = at.lead;
    let is_any_elsewhere = background.told_to.iter().any(|to| lead != Some(to));
    if !is_any_elsewhere && !is_only_this {
        return Ok(());
    }
    let changes: Vec<Change> = known.iter().map(|k| k.change.clone()).collect();
    let links = Links::of(&changes, journal).await?;
    for (known, change) in known.iter_mut().zip(&changes) {
        let is_elsewhere = match links.lead(change) {
            Some((its, _)) if lead == Some(its) => false,
            Some((_, is_only)) => is_only || is_only_this,
            None => is_only_this,
        };
        if is_elsewhere && change.kind != Kind::Note {
            known.shown = Shown::Elsewhere;
        }
    }
    Ok(())
}

/// Whether the lead is not its person's, though a meeting of theirs is on it: no link of theirs says so, and none of their
/// bookings has come to it as theirs.
pub async fn is_strange(
    background: &Background,
    lead: &str,
    journal: &mut Journal<'_>,
) -> Result<bool, store::Error> {
    let person = [background.person.clone()];
    let links = journal.links(&person).await?;
    if links.iter().any(|link| link.lead == lead && !link.gone) {
        return Ok(false);
    }
    let changes: Vec<Change> = background.known.iter().map(|k| k.change.clone()).collect();
    let links = Links::of(&changes, journal).await?;
    let theirs = changes
        .iter()
        .filter(|c| c.identity() == background.identity);
    let mut on = theirs.filter_map(|change| links.lead(change));
    Ok(!on.any(|(its, is_only)| its == lead && !is_only))
}

async fn others(
    app: &App,
    person: &str,
    lead: &str,
    journal: &mut Journal<'_>,
    known: &mut Vec<Known>,
) -> Result<(), store::Error> {
    let theirs = app.store.of_person(app.profile(), person).await?;
    let changes: Vec<Change> = theirs.iter().map(|s| s.change.clone()).collect();
    let links = Links::of(&changes, journal).await?;
    let token = [format!("person:{person}")];
    let their_lead = journal.links(&token).await?.into_iter().next();
    let their_lead = their_lead.filter(|link| !link.gone).map(|link| link.lead);
    for one in &theirs {
        let on = links.lead(&one.change).map(|(its, _)| its);
        let is_theirs = one.person == person && one.change.kind != Kind::Note;
        let is_here = is_theirs && on.or(their_lead.as_deref()) == Some(lead);
        let at = known.iter().position(|k| k.change == one.change);
        let at = at.unwrap_or_else(|| {
            known.push(as_known(one));
            known.len() - 1
        });
        if is_here {
            known[at].shown = Shown::Here;
        }
    }
    Ok(())
}

/// What the chains of some changes are tied to.
struct Links {
    /// By token; of leads that are there.
    links: HashMap<String, Link>,
    /// By the change's base key; that of its own booking comes first.
    tokens: HashMap<String, Vec<String>>,
}

impl Links {
    async fn of(changes: &[Change], journal: &mut Journal<'_>) -> Result<Self, store::Error> {
        let fold = chain::fold(changes);
        let mut of_change: HashMap<String, Vec<String>> = HashMap::new();
        let mut all = BTreeSet::new();
        for change in changes.iter().filter(|c| c.kind != Kind::Note) {
            let own = fold.slot_of(change).map(|slot| slot.id.clone());
            let tokens = own.into_iter().chain(fold.tokens(change));
            let tokens: Vec<String> = tokens.map(|t| format!("chain:{t}")).collect();
            all.extend(tokens.iter().cloned());
            of_change.insert(change.base_key(), tokens);
        }
        let all: Vec<String> = all.into_iter().collect();
        let links = journal.links(&all).await?;
        let tied = links.into_iter().filter(|link| !link.gone);
        Ok(Self {
            links: tied.map(|link| (link.token.clone(), link)).collect(),
            tokens: of_change,
        })
    }

    /// With whether it is the lead's alone.
    fn lead(&self, change: &Change) -> Option<(&str, bool)> {
        let tokens = self.tokens.get(&change.base_key())?;
        let link = tokens.iter().find_map(|token| self.links.get(token))?;
        Some((&link.lead, link.only))
    }
}
