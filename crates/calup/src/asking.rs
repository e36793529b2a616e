//! What is known, or to be asked, about a booker whom no address ties to a lead: the answers of people, then the index.

use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::booking::Booking;
use domain::chain::{self, Fold};
use domain::change::{Change, Kind, Person};
use domain::facts::Found;
use domain::lead::Lead;
use domain::name;
use domain::note::Note;
use domain::outcome::Failure;
use domain::question::{Asking, CANDIDATES_MAX, Candidate, IGNORED_FOR, closes_at};
use jiff::{SignedDuration, Timestamp};
use store::rows::{Answer, Closed, Given, NewQuestion, Question, QuestionState, Stored};
use vendors::Crm;

use crate::app::App;
use crate::clock;
use crate::gather::{Background, Stop};
use crate::index;

/// How long somebody waits for the index to be filled once.
const INDEX_PATIENCE: Duration = Duration::from_secs(30 * 60);
/// It is woken as soon as the index is there.
const INDEX_LOOK: Duration = Duration::from_secs(5 * 60);
/// Of those the index gives, so many are compared.
const SOUGHT_MAX: usize = 500;
/// Of those that resemble, so many are read: of some the index may not know yet that they are gone.
const READ_MAX: usize = 50;

pub const AWAITS_INDEX: &str =
    "nobody has the address; names are compared once the leads have been read";

pub enum Known {
    Asking(Asking),
    /// Until the index is there.
    Wait(Timestamp),
}

/// Which lead a person said that it is: of all the booker's meetings (`true`), or of this one.
pub fn said(asked: &[Question], tokens: &[String]) -> Option<(String, Given, bool)> {
    asked.iter().find_map(|question| {
        let given = question.given.clone()?;
        match &given.answer {
            Answer::Person(lead) => Some((lead.clone(), given.clone(), true)),
            Answer::Meeting(lead) => {
                let is_this = question.asked.tokens.iter().any(|t| tokens.contains(t));
                is_this.then(|| (lead.clone(), given.clone(), false))
            }
            Answer::New | Answer::Ignore => None,
        }
    })
}

/// Whether the answer that this change was held for says that its booker is the lead that was found. A try that linked the
/// two may have ended before the lead got the address.
pub async fn is_said_of(app: &App, stored: &Stored, found: &Found) -> Result<bool, store::Error> {
    let Found::Lead(lead, _) = found else {
        return Ok(false);
    };
    let lacks_address = lead.emails.iter().all(|email| email.trim().is_empty());
    if !lacks_address || stored.change.person.email.is_none() {
        return Ok(false);
    }
    let asked = app.store.asked(&stored.profile, &stored.person).await?;
    let says_so = |question: &Question| {
        let given = question.given.as_ref().map(|given| &given.answer);
        let held_this = question.deliveries.contains(&stored.delivery_id);
        held_this && given == Some(&Answer::Person(lead.id.clone()))
    };
    Ok(asked.iter().any(says_so))
}

/// Whether a person said, when a lead had been made, that the booker is none.
pub fn is_no_lead(asked: &[Question]) -> bool {
    let Some(newest) = asked.first() else {
        return false;
    };
    let is_late = newest.closed.is_some();
    let given = newest.given.as_ref().filter(|_| is_late);
    given.is_some_and(|given| {
        given.answer == Answer::Ignore && clock::now() < given.at + IGNORED_FOR
    })
}

pub async fn known(
    app: &App,
    crm: &dyn Crm,
    stored: &Stored,
    asked: &[Question],
    forwarded: Option<Candidate>,
) -> Result<Known, Stop> {
    let decided = decided(stored, asked);
    if let (None, Some(candidate)) = (&decided, forwarded) {
        return Ok(Known::Asking(Asking::Forwarded(Box::new(candidate))));
    }
    if app.config.question_patience.is_zero() {
        return Ok(Known::Asking(Asking::Settled));
    }
    if let Some(decided) = decided {
        return Ok(Known::Asking(decided));
    }
    if stored.change.kind != Kind::Booked {
        return Ok(Known::Asking(Asking::Settled));
    }
    let profile = &stored.profile;
    if !is_filled(app, profile).await? {
        let left = INDEX_PATIENCE.saturating_sub(app.waits.of(&stored.key));
        let is_hopeless = app.index_is_refused.load(Ordering::Relaxed);
        return Ok(if is_hopeless || left.is_zero() {
            Known::Asking(Asking::NotCompared)
        } else {
            let pause = SignedDuration::try_from(left.min(INDEX_LOOK)).unwrap_or_default();
            Known::Wait(clock::now() + pause)
        });
    }
    index::freshen(app, crm).await?;
    let candidates = candidates(app, crm, &stored.change).await?;
    Ok(Known::Asking(if candidates.is_empty() {
        Asking::Settled
    } else {
        Asking::Ask(candidates)
    }))
}

/// Once filled, it stays so.
pub async fn is_filled(app: &App, profile: &str) -> Result<bool, store::Error> {
    if app.index_is_filled.load(Ordering::Relaxed) {
        return Ok(true);
    }
    let filled = app.store.indexing(profile).await?.filled_at.is_some();
    app.index_is_filled.store(filled, Ordering::Relaxed);
    Ok(filled)
}

/// What the questions about this person leave open, or do not; the newest counts.
fn decided(stored: &Stored, asked: &[Question]) -> Option<Asking> {
    let newest = asked.first()?;
    let held_this = newest.deliveries.contains(&stored.delivery_id);
    if newest.state == QuestionState::Open {
        return Some(Asking::Open);
    }
    if let Some(given) = &newest.given {
        return match given.answer {
            Answer::New => Some(Asking::Settled),
            Answer::Ignore if clock::now() < given.at + IGNORED_FOR => Some(Asking::NotALead),
            Answer::Ignore | Answer::Person(_) | Answer::Meeting(_) => None,
        };
    }
    match newest.closed {
        Some((Closed::Expired, _)) if held_this => {
            Some(Asking::Unanswered(newest.asked.candidates.clone()))
        }
        Some((Closed::Cancelled, _)) if held_this => Some(Asking::CalledOff),
        Some(_) | None => None,
    }
}

/// Those on the match lists who may be the booker, as they are in the CRM now.
async fn candidates(app: &App, crm: &dyn Crm, change: &Change) -> Result<Vec<Candidate>, Stop> {
    let profile = &app.config.profile;
    let company = company(change);
    let booker = name::Booker {
        name: &change.person.name,
        email: change.person.email.as_deref(),
        company: company.as_deref(),
    };
    let tokens: Vec<String> = booker.read().search_tokens().into_iter().collect();
    if tokens.is_empty() {
        return Ok(Vec::new());
    }
    let found = app
        .store
        .resembling(&profile.name, &tokens, SOUGHT_MAX)
        .await?;
    let on_match_lists = found
        .iter()
        .filter(|lead| profile.match_list_ids.contains(&lead.list_id));
    let named = on_match_lists.map(|lead| {
        let candidate = name::Candidate {
            name: &lead.name,
            emails: &lead.emails,
            company: lead.company.as_deref(),
        };
        (lead, candidate)
    });
    let likeliest = name::likeliest(&booker, named, READ_MAX);
    let mut candidates = Vec::new();
    for (known, _) in likeliest {
        if candidates.len() == CANDIDATES_MAX {
            break;
        }
        match crm.lead(&known.lead).await {
            Ok(lead) => {
                app.store
                    .index(
                        &profile.name,
                        vec![index::indexed(app, &lead)],
                        clock::now(),
                    )
                    .await?;
                if profile.match_list_ids.contains(&lead.list_id) {
                    candidates.extend(candidate(&booker, &lead));
                }
            }
            Err(Failure::Gone { .. }) => {
                app.store
                    .unindex(&profile.name, std::slice::from_ref(&known.lead))
                    .await?;
            }
            // One that was made private holds nobody up. Where it is the token, the next call says so.
            Err(Failure::NeedsOperator { .. }) => {}
            Err(failure) => return Err(failure.into()),
        }
    }
    Ok(candidates)
}

fn candidate(booker: &name::Booker, lead: &Lead) -> Option<Candidate> {
    let read = name::Candidate {
        name: &lead.name,
        emails: &lead.emails,
        company: None,
    };
    let resemblance = name::resemblance(booker, &read);
    resemblance.is_worth_asking().then(|| Candidate {
        lead: lead.id.clone(),
        name: lead.name.clone(),
        list: lead.list_name.clone(),
        status: lead.status.clone(),
        email: lead.emails.first().cloned(),
        url: lead.url.clone(),
        updated_at: lead.updated_at,
        why: resemblance.to_string(),
    })
}

/// The booker of a link that was made for this lead: whether they may be one person, and the lead as people are shown it.
pub fn pointed_at(person: &Person, lead: &Lead) -> (bool, Candidate) {
    let booker = name::Booker {
        name: &person.name,
        email: person.email.as_deref(),
        company: None,
    };
    let resembles = candidate(&booker, lead).is_some();
    let shown = Candidate {
        lead: lead.id.clone(),
        name: lead.name.clone(),
        list: lead.list_name.clone(),
        status: lead.status.clone(),
        email: lead.emails.first().cloned(),
        url: lead.url.clone(),
        updated_at: lead.updated_at,
        why: "the link was made for this lead".to_owned(),
    };
    (resembles, shown)
}

/// The answer to a question for the company, if there was one.
fn company(change: &Change) -> Option<String> {
    let asks = |text: &str| {
        let text = text.to_lowercase();
        [
            "company",
            "organisation",
            "organization",
            "firm",
            "firma",
            "employer",
        ]
        .iter()
        .any(|word| text.contains(word))
    };
    let answer = change
        .booking
        .answers
        .iter()
        .find(|a| asks(&a.slug) || asks(&a.label));
    answer
        .map(|a| a.value.trim().to_owned())
        .filter(|value| !value.is_empty())
}

pub fn question(
    app: &App,
    change: &Change,
    background: &Background,
    candidates: Vec<Candidate>,
) -> NewQuestion {
    let now = clock::now();
    let patience = SignedDuration::try_from(app.config.question_patience).unwrap_or_default();
    let fold = chain::fold_of(background.known.iter().map(|known| &known.change), change);
    let booking = meeting(change, &fold);
    // What a guest's note tells is somebody else's meeting: it hastens nothing.
    let meeting_at = match change.note {
        Some(Note::Guest { .. }) => Timestamp::MAX,
        _ => booking.start,
    };
    NewQuestion {
        person_name: change.person.name.clone(),
        email: change.person.email.clone(),
        phone: change.person.phone.clone(),
        company: company(change),
        title: booking.title.clone(),
        starts_at: booking.start,
        time_zone: booking.organizer.time_zone.clone(),
        tokens: background.tokens.clone(),
        candidates,
        asked_at: now,
        closes_at: closes_at(now, patience, meeting_at),
    }
}

/// The change's meeting as it stands by now; if it does not, the next of the person's that does.
fn meeting<'a>(change: &'a Change, fold: &Fold<'a>) -> &'a Booking {
    let mine = fold.slot_of(change).map(|slot| slot.chain);
    let standing = fold.standing();
    let of_this = standing.iter().find(|slot| Some(slot.chain) == mine);
    of_this
        .or(standing.first())
        .map_or(&change.booking, |slot| slot.booking)
}
