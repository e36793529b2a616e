//! Whose lead it is: the chain's, else the one that a link was made for, else the exact e-mail's, else what people said, else
//! the person's own record, else nobody's. Who resembles by name only is found by asking.

use domain::change::fold_email;
use domain::facts::Found;
use domain::fence::{self, Fenced};
use domain::lead::Lead;
use domain::matching;
use domain::outcome::Failure;
use domain::question::Candidate;
use store::rows::{Link, Question};
use vendors::Crm;

use super::{Background, Stop};
use crate::app::App;
use crate::execute::MADE;
use crate::journal::Journal;
use crate::pointer::{self, Pointed};
use crate::{asking, clock};

/// Who was found, and the links that turned out to lead nowhere.
pub struct Search {
    pub found: Found,
    pub gone: Vec<Link>,
    /// Through the meeting, not the person.
    pub by_chain: bool,
    /// A person said that this lead is the booker's.
    pub is_said: bool,
    /// The one that calup had made, before a person answered late.
    pub replaced: Option<String>,
    /// The lead that was found is calup's own, and a person has said since that it is none.
    pub is_no_lead: bool,
    /// What was asked about the person, newest first.
    pub asked: Vec<Question>,
    /// Whose link somebody else used.
    pub forwarded: Option<Candidate>,
    /// What was found out and did not count, for people.
    pub notes: Vec<String>,
}

pub async fn find(
    app: &App,
    crm: &dyn Crm,
    known: &Background,
    journal: &mut Journal<'_>,
) -> Result<Search, Stop> {
    let mut search = Search {
        found: Found::Nobody,
        gone: Vec::new(),
        by_chain: false,
        is_said: false,
        replaced: None,
        is_no_lead: false,
        asked: Vec::new(),
        forwarded: None,
        notes: Vec::new(),
    };
    search.found = self::search(app, crm, known, journal, &mut search).await?;
    Ok(search)
}

async fn search(
    app: &App,
    crm: &dyn Crm,
    known: &Background,
    journal: &mut Journal<'_>,
    so_far: &mut Search,
) -> Result<Found, Stop> {
    let profile = &app.config.profile;
    let mut wanted = known.tokens.clone();
    wanted.push(known.person.clone());
    let links = journal.links(&wanted).await?;
    let (person, chain): (Vec<&Link>, Vec<&Link>) =
        links.iter().partition(|l| l.token == known.person);
    let mut deleted = chain.iter().any(|l| l.gone);
    if let Some(link) = chain.iter().find(|l| !l.gone) {
        if link.how.contains(MADE)
            && let Some(found) = said_since(app, crm, known, &link.lead, so_far).await?
        {
            return Ok(found);
        }
        match crm.lead(&link.lead).await {
            Ok(lead) => {
                so_far.by_chain = true;
                so_far.is_no_lead = asking::is_no_lead(&so_far.asked);
                return Ok(found(
                    lead,
                    format!(
                        "this meeting belongs to lead {} already ({})",
                        link.lead, link.how
                    ),
                ));
            }
            Err(Failure::Gone { .. }) => {
                so_far
                    .gone
                    .extend(links.iter().filter(|l| l.lead == link.lead).cloned());
                deleted = true;
            }
            Err(failure) => return Err(failure.into()),
        }
    }
    so_far.asked = asked(app, known).await?;
    let said = asking::said(&so_far.asked, &known.tokens);
    if let Some((lead, given, false)) = &said
        && let Some(lead) = unless_gone(crm, lead).await?
    {
        so_far.by_chain = true;
        let how = format!("{} said that this meeting is lead {}'s", given.by, lead.id);
        return Ok(found(lead, how));
    }
    let pointed = pointed_at(app, crm, known, so_far).await?;
    if let Some(lead) = &pointed {
        let bears = |email: &String| {
            lead.emails
                .iter()
                .any(|e| fold_email(e) == fold_email(email))
        };
        if known.email.as_ref().is_none_or(bears) {
            let how = format!(
                "the booking came through a link that was made for lead {}",
                lead.id
            );
            return Ok(found(lead.clone(), how));
        }
    }
    let record = person
        .iter()
        .find(|l| !l.gone && !so_far.gone.iter().any(|g| g.lead == l.lead));
    if let Some(email) = &known.email {
        let mut leads = crm.find_by_email(email).await?;
        while let Some(lead) = matching::choose(&leads, email, profile) {
            let own = record.filter(|r| r.lead == lead.id);
            let is_own = own.is_some();
            let mut how = format!(
                "the e-mail equals that of lead {} in list `{}`",
                lead.id, lead.list_name
            );
            // A late answer about the person is about this meeting too.
            if own.is_some_and(|r| r.how.contains(MADE)) {
                how = format!("{how}, {MADE}");
            }
            if is_own && !lacks_our_block(journal, lead).await? {
                return Ok(found(lead.clone(), how));
            }
            // A first match is read again before anything is written: a listing may lag behind. One that was made twice may
            // be on its way out.
            let stands = app.store.standing_for(&profile.name, &lead.id).await?;
            match crm.lead(&stands).await {
                Ok(lead) => return Ok(found(lead, how)),
                Err(Failure::Gone { .. }) => {
                    let gone = lead.id.clone();
                    leads.retain(|l| l.id != gone);
                }
                Err(failure) => return Err(failure.into()),
            }
        }
    }
    let learned = match &known.email {
        Some(email) => app.store.alias(&profile.name, email).await?,
        None => None,
    };
    let told = learned.map(|alias| (alias.lead, alias.by));
    let told = told.or_else(|| {
        let (lead, given, is_person) = said?;
        is_person.then_some((lead, given.by))
    });
    if let Some((lead, by)) = told
        && let Some(lead) = unless_gone(crm, &lead).await?
    {
        so_far.is_said = true;
        let how = format!("{by} said that this person is lead {}", lead.id);
        return Ok(found(lead, how));
    }
    if deleted && !asking::is_no_lead(&so_far.asked) {
        return Ok(Found::Deleted);
    }
    if let Some(lead) = pointed {
        let (resembles, candidate) = asking::pointed_at(&known.whose, &lead);
        if resembles {
            let how = format!(
                "the booking came through a link that was made for lead {}, and the names resemble",
                lead.id
            );
            return Ok(found(lead, how));
        }
        so_far.notes.push(format!(
            "the booking came through a link that was made for lead {}, and the booker is somebody else",
            lead.id
        ));
        so_far.forwarded = Some(candidate);
    }
    if let Some(link) = record {
        match crm.lead(&link.lead).await {
            Ok(lead) => {
                return Ok(found(
                    lead,
                    format!(
                        "lead {} is this person's on calup's own record ({})",
                        link.lead, link.how
                    ),
                ));
            }
            Err(Failure::Gone { .. }) => so_far
                .gone
                .extend(links.iter().filter(|l| l.lead == link.lead).cloned()),
            Err(failure) => return Err(failure.into()),
        }
    }
    Ok(Found::Nobody)
}

/// The lead for which a link was made that this chain's bookings came through.
async fn pointed_at(
    app: &App,
    crm: &dyn Crm,
    known: &Background,
    so_far: &mut Search,
) -> Result<Option<Lead>, Stop> {
    let key = app.store.marker_key();
    let profile = &app.config.profile.name;
    for pointer in &known.pointers {
        let note = match pointer::read(&key, profile, pointer, clock::now()) {
            Pointed::Lead(id) => {
                let id = app.store.standing_for(profile, &id).await?;
                match unless_gone(crm, &id).await {
                    Ok(Some(lead)) => return Ok(Some(lead)),
                    Ok(None) => format!("the booking's link was made for lead {id}, which is gone"),
                    // Where it is the token, the next call says so.
                    Err(Failure::NeedsOperator { .. }) => {
                        format!("the booking's link was made for lead {id}, which cannot be read")
                    }
                    Err(failure) => return Err(failure.into()),
                }
            }
            Pointed::Expired => "the booking's link was made more than 90 days ago".to_owned(),
            Pointed::Foreign => {
                "the booking's pointer was not signed here, and counts for nothing".to_owned()
            }
        };
        so_far.notes.push(note);
    }
    Ok(None)
}

/// The lead was made because nobody had answered: whether somebody has since, and named another.
async fn said_since(
    app: &App,
    crm: &dyn Crm,
    known: &Background,
    made: &str,
    so_far: &mut Search,
) -> Result<Option<Found>, Stop> {
    so_far.asked = asked(app, known).await?;
    let said = asking::said(&so_far.asked, &known.tokens);
    let Some((lead, given, is_person)) = said.filter(|(lead, ..)| lead != made) else {
        return Ok(None);
    };
    let Some(lead) = unless_gone(crm, &lead).await? else {
        return Ok(None);
    };
    so_far.replaced = Some(made.to_owned());
    so_far.by_chain = !is_person;
    so_far.is_said = is_person;
    let how = format!(
        "{} said, after lead {made} had been made, that it is lead {}",
        given.by, lead.id
    );
    Ok(Some(found(lead, how)))
}

async fn asked(app: &App, known: &Background) -> Result<Vec<Question>, store::Error> {
    match known.person.strip_prefix("person:") {
        Some(key) => app.store.asked(&app.config.profile.name, key).await,
        None => Ok(Vec::new()),
    }
}

async fn unless_gone(crm: &dyn Crm, lead: &str) -> Result<Option<Lead>, Failure> {
    match crm.lead(lead).await {
        Ok(lead) => Ok(Some(lead)),
        Err(Failure::Gone { .. }) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// A listing that lags may show a description from before we wrote our block: no reason to think that a person took
/// it out.
async fn lacks_our_block(journal: &mut Journal<'_>, lead: &Lead) -> Result<bool, store::Error> {
    let register = journal.register(&lead.id).await?;
    let shown = fence::find(&lead.description) != Fenced::Absent;
    Ok(register.block_written && !register.block_removed && !shown)
}

fn found(lead: Lead, how: String) -> Found {
    Found::Lead(Box::new(lead), how)
}
