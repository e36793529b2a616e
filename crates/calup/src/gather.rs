//! Gathering the facts that a decision needs: reads only, from the store and the CRM.

use domain::change::{Change, Kind, Person, fold_email};
use domain::effect::{self, Effect, State};
use domain::facts::{Facts, Found, Known, Memory};
use domain::fence::{self, Fenced};
use domain::lead::{Lead, Write};
use domain::note::Note;
use domain::outcome::{Cause, Failure};
use domain::plan::Action;
use domain::question::{Asking, Candidate};
use domain::{chain, matching};
use store::rows::{Link, Question, Status, Stored};
use vendors::Crm;

use crate::app::App;
use crate::execute::MADE;
use crate::journal::Journal;
use crate::pointer::{self, Pointed};
use crate::{asking, clock, keys};

/// What stops gathering: the CRM, or our own database.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    #[error(transparent)]
    Crm(#[from] Failure),
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// What is known before the CRM is asked.
pub struct Background {
    pub known: Vec<Known>,
    /// Of these, by number: to which lead one may have been told that has not ended; `None` is any.
    heard: Vec<(usize, Option<String>)>,
    /// `chain:<token>` of every booking of this chain.
    pub tokens: Vec<String>,
    /// `person:<key>`.
    pub person: String,
    /// By which the person's lead is looked for. A note is about the person whose meeting it is, whoever it names.
    pub email: Option<String>,
    pub booking: Booking,
    /// Of a guest: the `chain:<token>`s of the meeting, whose lead is somebody else's.
    pub meeting: Vec<String>,
    /// Who is looked for.
    pub whose: Person,
    /// What the links carried through which this chain's bookings came, the newest first. Anybody may have written it.
    pub pointers: Vec<String>,
    /// Another change may have made the person's lead: its answer was lost, and is looked up with that change.
    pub lead_in_doubt: bool,
}

/// A chain has a few at most, unless somebody makes them up.
const POINTERS_MAX: usize = 8;

/// How the booking that a note is about stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Booking {
    /// Nothing of it has come.
    Unknown,
    /// Something of it is being worked off.
    AtWork,
    Known,
}

pub const FIELD_QUOTA: &str = "field-quota";

pub async fn known(app: &App, stored: &Stored) -> Result<Background, store::Error> {
    let related = related(app, stored).await?;
    let mut background = known_from(app, &related, stored);
    for (n, other) in related.iter().enumerate() {
        let is_open = matches!(
            other.status,
            Status::Pending | Status::Running | Status::Waiting
        );
        if !is_open || other.key == stored.key {
            continue;
        }
        // Its work was cut short, or is done again: it may have been told before, and what is told now comes after it.
        let effects = app.store.effects(&other.profile, &other.key).await?;
        let told = effects.iter().filter(|e| is_speech(e) && may_be_there(e));
        background.heard.extend(told.map(|e| (n, heard_by(e))));
        background.lead_in_doubt |= effects.iter().any(is_lead_in_doubt);
    }
    Ok(background)
}

fn is_speech(effect: &Effect) -> bool {
    matches!(effect.kind, effect::Kind::Create | effect::Kind::Comment)
}

fn heard_by(effect: &Effect) -> Option<String> {
    match effect.kind {
        effect::Kind::Create => effect.remote_id.clone(),
        effect::Kind::Comment | effect::Kind::Write | effect::Kind::BlockComment => {
            Some(effect.target.clone())
        }
    }
}

fn may_be_there(effect: &Effect) -> bool {
    effect.state == State::Applied || is_in_doubt(effect)
}

fn is_in_doubt(effect: &Effect) -> bool {
    matches!(effect.state, State::Attempting | State::Unknown)
}

/// Whether a lead was made is not known yet.
pub fn is_lead_in_doubt(effect: &Effect) -> bool {
    effect.kind == effect::Kind::Create && is_in_doubt(effect)
}

/// All changes that bear on the decision.
pub async fn related(app: &App, stored: &Stored) -> Result<Vec<Stored>, store::Error> {
    let mut related = app.store.related(&stored.profile, stored).await?;
    // A note may come from somebody else than the person whose meeting it is about.
    let of = |r: &&Stored| {
        stored.change.kind == Kind::Note
            && r.change.kind == Kind::Booked
            && r.person != stored.person
            && r.change.booking.uid == stored.change.booking.uid
    };
    if let Some(booker) = related.iter().find(of).cloned() {
        let theirs = app.store.related(&stored.profile, &booker).await?;
        for one in theirs {
            if !related.iter().any(|r| r.key == one.key) {
                related.push(one);
            }
        }
    }
    Ok(related)
}

pub fn known_from(app: &App, related: &[Stored], stored: &Stored) -> Background {
    let mut known: Vec<Known> = related.iter().map(as_known).collect();
    if !related.iter().any(|r| r.key == stored.key) {
        known.push(as_known(stored));
    }
    let fold = chain::fold(known.iter().map(|k| &k.change));
    let tokens: Vec<String> = fold
        .tokens(&stored.change)
        .into_iter()
        .map(|t| format!("chain:{t}"))
        .collect();
    // A guest is a person of their own: the meeting's lead is not theirs.
    let is_guest = matches!(stored.change.note, Some(Note::Guest { .. }));
    let whose = fold
        .slot_of(&stored.change)
        .filter(|_| stored.change.kind == Kind::Note && !is_guest)
        .map_or(&stored.change, |slot| slot.set_by);
    let mut pointed: Vec<_> = known
        .iter()
        .map(|k| &k.change)
        .filter(|c| !is_guest && fold.tokens(c) == fold.tokens(&stored.change))
        .filter_map(|c| Some((c.created_at, c.booking.pointer.clone()?)))
        .collect();
    pointed.sort_by(|a, b| b.cmp(a));
    pointed.dedup_by(|a, b| a.1 == b.1);
    let pointers = pointed
        .into_iter()
        .map(|(_, p)| p)
        .take(POINTERS_MAX)
        .collect();
    let person = app.store.person_key(&stored.profile, &whose.identity());
    let email = whose.person.email.clone();
    let (tokens, meeting) = if is_guest {
        (Vec::new(), tokens)
    } else {
        (tokens, Vec::new())
    };
    Background {
        tokens,
        meeting,
        lead_in_doubt: false,
        pointers,
        whose: whose.person.clone(),
        heard: Vec::new(),
        person: format!("person:{person}"),
        email,
        booking: booking(related, &stored.change),
        known,
    }
}

fn booking(related: &[Stored], change: &Change) -> Booking {
    let told = related
        .iter()
        .filter(|r| r.change.kind != Kind::Note && r.change.booking.uid == change.booking.uid);
    let open = |s: Status| matches!(s, Status::Pending | Status::Running | Status::Waiting);
    told.fold(Booking::Unknown, |so_far, r| match so_far {
        _ if open(r.status) => Booking::AtWork,
        Booking::Unknown => Booking::Known,
        Booking::AtWork | Booking::Known => so_far,
    })
}

fn as_known(stored: &Stored) -> Known {
    let untold = stored.status == Status::Skipped
        && stored
            .reason
            .as_deref()
            .is_some_and(|r| r == "unknown booking" || r == "not confirmed");
    Known {
        change: stored.change.clone(),
        done: stored.status == Status::Done,
        untold,
    }
}

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

/// Finds the lead: the chain's, else the exact e-mail's, else the person's own record, else nobody.
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
        let leads = crm.find_by_email(email).await?;
        if let Some(lead) = matching::choose(&leads, email, profile) {
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
            // A first match is read again before anything is written: a listing may lag behind.
            match crm.lead(&lead.id).await {
                Ok(lead) => return Ok(found(lead, how)),
                Err(Failure::Gone { .. }) => {}
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
                if let Some(lead) = unless_gone(crm, &id).await? {
                    return Ok(Some(lead));
                }
                format!("the booking's link was made for lead {id}, which is gone")
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

/// Everything a plan may look at, for a lead that was found (or nobody).
pub async fn facts(
    app: &App,
    crm: &dyn Crm,
    stored: &Stored,
    known: &Background,
    found: Found,
    asking: Asking,
    journal: &mut Journal<'_>,
) -> Result<Facts, Stop> {
    let profile = &app.config.profile;
    let (list_id, lead_id) = match &found {
        Found::Lead(lead, _) => (lead.list_id.clone(), Some(lead.id.clone())),
        Found::Nobody | Found::Deleted => (profile.inbound_list_id.clone(), None),
    };
    let list = if matches!(found, Found::Deleted) {
        None
    } else {
        Some(crm.list(&list_id, false).await?)
    };
    let register = match &lead_id {
        Some(id) => journal.register(id).await?,
        None => store::rows::Register::default(),
    };
    let effects = journal.effects();
    let of = |kind: effect::Kind| effects.iter().filter(move |e| e.kind == kind);
    let told = lead_id.as_ref().is_some_and(|id| {
        of(effect::Kind::Comment).any(|e| e.state == State::Applied && e.target == *id)
            || of(effect::Kind::Create)
                .any(|e| e.state == State::Applied && e.remote_id.as_ref() == Some(id))
    });
    let moved_status = told
        || lead_id.as_ref().is_some_and(|id| {
            of(effect::Kind::Write).any(|e| {
                let moved = serde_json::from_str(&e.desired).is_ok_and(|a| {
                    matches!(
                        a,
                        Action::Write(Write {
                            status: Some(_),
                            ..
                        })
                    )
                });
                e.state == State::Applied && e.target == *id && moved
            })
        });
    let amended = |cause: Cause| effects.iter().any(|e| e.amended.contains(&cause));
    let dead = effects
        .iter()
        .filter(|e| matches!(e.state, State::Dead | State::Operator))
        .filter(|e| {
            e.kind == effect::Kind::Create || lead_id.as_ref().is_none_or(|id| *id == e.target)
        })
        .map(|e| e.kind)
        .collect();
    let target = lead_id.clone().unwrap_or_default();
    // Only a new lead's fields count.
    let quota = lead_id.is_none()
        && app
            .store
            .remembered(&profile.name, FIELD_QUOTA, clock::now())
            .await?;
    let mut all = known.known.clone();
    for (n, heard) in &known.heard {
        all[*n].done |= heard.is_none() || lead_id.is_none() || *heard == lead_id;
    }
    Ok(Facts {
        known: all,
        found,
        is_said: false,
        asking,
        memory: Memory {
            status_set: register.status_set,
            block_written: register.block_written,
            block_removed: register.block_removed,
            block_comment: register.block_comment.is_some(),
            block_comment_text: register.block_comment_text,
        },
        statuses: list
            .as_ref()
            .map(|l| l.statuses.clone())
            .unwrap_or_default(),
        list_name: list.map(|l| l.name).unwrap_or_default(),
        told,
        moved_status,
        dead,
        comment_marker: keys::marker(app, &stored.key, &target, effect::Kind::Comment),
        create_marker: keys::marker(app, &stored.key, &stored.person, effect::Kind::Create),
        no_fields: quota || amended(Cause::Quota) || amended(Cause::Field),
        no_status: amended(Cause::Status),
        plain_type: amended(Cause::Type),
    })
}
