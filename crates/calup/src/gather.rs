//! Gathering the facts that a decision needs: reads only, from the store and the CRM.

mod find;
mod shown;

use std::collections::BTreeSet;

use domain::chain::{self, Shown};
use domain::change::{Change, Kind, Person};
use domain::effect::{self, Effect, State};
use domain::facts::{Facts, Found, Known, Memory};
use domain::lead::Write;
use domain::note::Note;
use domain::outcome::{Cause, Failure};
use domain::plan::Action;
use domain::question::Asking;
use store::rows::{Status, Stored};
use vendors::Crm;

use crate::app::App;
use crate::journal::Journal;
use crate::{clock, keys};

pub use find::{Search, find};
pub use shown::is_strange;

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
    /// Likewise, and the words: also of those that have ended, where it matters.
    said: Vec<(usize, Option<String>, String)>,
    /// The leads that these were told to.
    told_to: BTreeSet<String>,
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
    /// The same, as `Change::identity` names them.
    identity: String,
    /// What the links carried through which this chain's bookings came, the newest first. Anybody may have written it.
    pub pointers: Vec<String>,
    /// Another change may have made the person's lead: its answer was lost, and is looked up with that change.
    pub lead_in_doubt: bool,
    /// The same of changes that were given up: nobody looks it up with them.
    pub given_up: Vec<Stored>,
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
    let of_chain = with_untold(&background.known, stored);
    for (n, other) in related.iter().enumerate() {
        let is_open = matches!(
            other.status,
            Status::Pending | Status::Running | Status::Waiting
        );
        let is_dead = other.status == Status::Dead;
        let may_tell = of_chain.contains(&n);
        let has_told = may_tell && other.status == Status::Done;
        if !(is_open || is_dead || has_told) || other.key == stored.key {
            continue;
        }
        let effects = app.store.effects(&other.profile, &other.key).await?;
        let in_doubt = effects.iter().any(is_lead_in_doubt);
        if is_dead && in_doubt {
            background.given_up.push(other.clone());
        }
        for speech in effects.iter().filter(|e| is_speech(e) && may_be_there(e)) {
            let lead = heard_by(app, speech).await?;
            if may_tell && let Some(words) = words(speech) {
                background.said.push((n, lead.clone(), words));
            }
            // Its work was cut short, or is done again: it may have been told before, and what is told now comes after it.
            if !has_told {
                background.heard.push((n, lead));
            }
        }
        background.lead_in_doubt |= is_open && in_doubt;
    }
    Ok(background)
}

/// The changes of this one's meeting, by number, where something of it found nobody to tell: who has told it since is to
/// be known.
fn with_untold(known: &[Known], stored: &Stored) -> Vec<usize> {
    if !known.iter().any(|k| k.untold) {
        return Vec::new();
    }
    let fold = chain::fold(known.iter().map(|k| &k.change));
    let chain = fold.tokens(&stored.change);
    let is_of_it = |k: &Known| fold.tokens(&k.change) == chain;
    if !known.iter().any(|k| k.untold && is_of_it(k)) {
        return Vec::new();
    }
    (0..known.len()).filter(|n| is_of_it(&known[*n])).collect()
}

fn is_speech(effect: &Effect) -> bool {
    matches!(effect.kind, effect::Kind::Create | effect::Kind::Comment)
}

/// `None` where what was sent is not known (any more).
fn words(effect: &Effect) -> Option<String> {
    match serde_json::from_str(&effect.desired).ok()? {
        Action::Comment(text) => Some(text.iter().map(|run| run.text.as_str()).collect()),
        Action::Create(new) => Some(new.description),
        Action::Write(_) | Action::BlockComment(_) => None,
    }
}

/// On which lead it stands by now; `None` is any.
async fn heard_by(app: &App, effect: &Effect) -> Result<Option<String>, store::Error> {
    let lead = match effect.kind {
        effect::Kind::Create => effect.remote_id.as_ref(),
        effect::Kind::Comment | effect::Kind::Write | effect::Kind::BlockComment => {
            Some(&effect.target)
        }
    };
    match lead {
        Some(lead) => Ok(Some(app.store.standing_for(&effect.profile, lead).await?)),
        None => Ok(None),
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
    let told_to = related.iter().filter_map(|r| r.lead.clone()).collect();
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
        identity: whose.identity(),
        heard: Vec::new(),
        said: Vec::new(),
        told_to,
        given_up: Vec::new(),
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
        shown: Shown::Nowhere,
        done: stored.status == Status::Done,
        given_up: stored.status == Status::Dead,
        untold,
        tried_at: stored.first_tried_at,
        said: None,
    }
}

fn moves_status(write: &Effect) -> bool {
    let moves = |action| {
        let Action::Write(Write { status, .. }) = action else {
            return false;
        };
        status.is_some()
    };
    serde_json::from_str(&write.desired).is_ok_and(moves)
}

/// Everything a plan may look at, for a lead that was found (or nobody), be it by its chain.
pub async fn facts(
    app: &App,
    crm: &dyn Crm,
    stored: &Stored,
    known: &Background,
    (found, by_chain): (Found, bool),
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
        match crm.list(&list_id, false).await {
            Ok(list) => Some(list),
            // A lead may be shared without its list: it gets everything but the status.
            Err(Failure::Gone { .. }) if lead_id.is_some() => None,
            Err(failure) => return Err(failure.into()),
        }
    };
    let named = match &found {
        Found::Lead(lead, _) => lead.list_name.clone(),
        Found::Nobody | Found::Deleted => String::new(),
    };
    let register = match &lead_id {
        Some(id) => journal.register(id).await?,
        None => store::rows::Register::default(),
    };
    let mut all = known.known.clone();
    let at = shown::At {
        lead: lead_id.as_deref(),
        by_chain,
        people: &register.people,
    };
    shown::place(app, known, at, journal, &mut all).await?;
    let effects = journal.effects();
    let of = |kind: effect::Kind| effects.iter().filter(move |e| e.kind == kind);
    let mut told_on = Vec::new();
    for told in of(effect::Kind::Comment).filter(|e| e.state == State::Applied) {
        told_on.push(match &lead_id {
            Some(id) if *id != told.target => {
                let lead = app.store.standing_for(&stored.profile, &told.target);
                lead.await?
            }
            Some(_) | None => told.target.clone(),
        });
    }
    let told = lead_id.as_ref().is_some_and(|id| {
        told_on.contains(id)
            || of(effect::Kind::Create)
                .any(|e| e.state == State::Applied && e.remote_id.as_ref() == Some(id))
    });
    let (mut has_moved, mut is_owed) = (false, false);
    if let Found::Lead(lead, _) = &found {
        let shown = lead.status.to_lowercase();
        for moving in of(effect::Kind::Write).filter(|e| moves_status(e)) {
            let standing = app.store.standing_for(&stored.profile, &moving.target);
            if moving.target == lead.id || standing.await? == lead.id {
                let before = moving.status_before.as_ref();
                has_moved |= moving.state == State::Applied;
                is_owed |= before.is_none_or(|before| before.to_lowercase() == shown);
            }
        }
    }
    // Where a write was refused for good and is done again, the status is owed, though the change was told: unless
    // somebody has moved the lead since.
    let moved_status = has_moved || told && !is_owed;
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
    let is_here =
        |heard: &Option<String>| heard.is_none() || lead_id.is_none() || *heard == lead_id;
    for (n, heard) in &known.heard {
        all[*n].done |= is_here(heard);
    }
    for (n, _, words) in known.said.iter().filter(|(_, heard, _)| is_here(heard)) {
        all[*n].said.get_or_insert_default().push_str(words);
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
        list_name: list.map_or(named, |l| l.name),
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
