//! What a change should lead to. Pure: the same facts give the same plan, whenever and wherever it is made.

mod block;
mod status;

use std::cell::OnceCell;

use serde::{Deserialize, Serialize};

use crate::booking::Booking;
use crate::chain::{self, Fold};
use crate::change::{Change, Kind};
use crate::effect;
use crate::facts::{Facts, Found, Known, Memory};
use crate::fence;
use crate::lead::{Fill, Lead, NewLead, RichText, Write};
use crate::note::Note;
use crate::profile::{Parts, Profile};
use crate::question::{Asking, Candidate};
use crate::wording::{self, Telling, Text};
use block::{Block, block, changes_block};
use status::{guard, spelled, wanted_status};

/// One thing to do, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    Create(NewLead),
    Write(Write),
    Comment(RichText),
    /// The comment that holds the block, made or edited.
    BlockComment(RichText),
}

impl Action {
    pub fn kind(&self) -> effect::Kind {
        match self {
            Self::Create(_) => effect::Kind::Create,
            Self::Write(_) => effect::Kind::Write,
            Self::Comment(_) => effect::Kind::Comment,
            Self::BlockComment(_) => effect::Kind::BlockComment,
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    pub actions: Vec<Action>,
    /// Why, in sentences.
    pub reasons: Vec<String>,
    /// What the operator should hear: cause, text, hint.
    pub notices: Vec<(String, String, String)>,
    /// Set when the change ends without a lead.
    pub skip: Option<&'static str>,
    /// A person took the block out of this lead's description.
    pub block_removed: bool,
    /// The status as found counts from now on as set by calup (`Memory::status_set`): the first booking of a
    /// meeting would have set it, and had no need to.
    pub status_taken: Option<String>,
    /// Nothing is enabled for its trigger.
    pub ignored: bool,
    /// A person decides before anything is done.
    pub question: Option<Question>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Question {
    Ask(Vec<Candidate>),
    /// The open one about this person decides for this change too.
    Join,
    /// The open one has no more reason.
    CallOff,
}

impl Plan {
    fn skip(reason: &'static str, why: &str) -> Self {
        Self {
            skip: Some(reason),
            reasons: vec![why.into()],
            ..Self::default()
        }
    }
}

/// The plan for a trigger that nothing is enabled for; it needs no facts.
pub fn off(change: &Change, profile: &Profile) -> Option<Plan> {
    let name = change.trigger.name();
    profile.parts(&change.trigger).is_off().then(|| Plan {
        ignored: true,
        reasons: vec![format!(
            "CALUP_ON_{name} is off: it is remembered, and nothing is written"
        )],
        ..Plan::default()
    })
}

pub fn plan(change: &Change, facts: &Facts, profile: &Profile) -> Plan {
    if let Some(off) = off(change, profile) {
        return off;
    }
    let folds = Folds::of(change, facts, profile);
    match &facts.found {
        Found::Lead(lead, how) => for_lead(change, lead, how, facts, &folds, profile),
        Found::Deleted => Plan::skip(
            "deleted task",
            "a person deleted the lead of this meeting, and nobody else has the e-mail",
        ),
        Found::Nobody => asking(change, facts, &folds.here)
            .unwrap_or_else(|| for_nobody_known(change, facts, &folds, profile)),
    }
}

fn for_nobody_known(change: &Change, facts: &Facts, folds: &Folds, profile: &Profile) -> Plan {
    match change.kind {
        Kind::Booked if facts.dead.contains(&effect::Kind::Create) => Plan::default(),
        Kind::Booked => for_nobody(change, facts, folds, profile),
        Kind::Cancelled => Plan::skip(
            "unknown booking",
            "nobody in the CRM is known to be this person, and a cancellation makes no lead",
        ),
        Kind::Requested | Kind::Rejected => Plan::skip(
            "not confirmed",
            "nobody in the CRM is known to be this person, and an unconfirmed request makes no lead",
        ),
        Kind::Note => for_note_of_nobody(change, facts, folds, profile),
    }
}

/// What a trigger may not write must not show in what others write, or the order of arrival would decide: status and
/// block are folded from those changes only whose trigger has them on. They are the lead's: what is shown on it counts,
/// whoever booked it.
struct Folds<'a> {
    all: Fold<'a>,
    here: Fold<'a>,
    status: Fold<'a>,
    block: Fold<'a>,
}

impl<'a> Folds<'a> {
    fn of(change: &Change, facts: &'a Facts, profile: &Profile) -> Self {
        let fold = |is_on: fn(Parts) -> bool| {
            let known = facts.known.iter().map(|k| (&k.change, k.shown));
            chain::fold_shown(
                known.filter(|(c, _)| is_on(profile.parts(&c.trigger))),
                change,
            )
        };
        Self {
            all: chain::fold_of(facts.known.iter().map(|k| &k.change), change),
            here: fold(|_| true),
            status: fold(|parts| parts.status),
            block: fold(|parts| parts.block),
        }
    }
}

/// What a person is asked, or was, about somebody who was not found. `None`: it goes on as for anybody unknown.
fn asking(change: &Change, facts: &Facts, fold: &Fold) -> Option<Plan> {
    let is_on = fold
        .slots
        .iter()
        .any(|slot| fold.stands(slot) || fold.awaits(slot));
    // The meeting is another's; the guest's own is what the question is about.
    let is_of_guest = matches!(change.note, Some(Note::Guest { .. }));
    let question = |question: Question, why: &str| Plan {
        question: Some(question),
        reasons: vec![why.to_owned()],
        ..Plan::default()
    };
    match &facts.asking {
        Asking::NotALead => Some(Plan::skip(
            "not a lead",
            "a person said that this booker is not a lead",
        )),
        Asking::Open if !is_on && !is_of_guest => Some(question(
            Question::CallOff,
            "the meeting that a question was asked about is off",
        )),
        Asking::Open => Some(question(
            Question::Join,
            "a person is asked whose lead this booker's is",
        )),
        Asking::Ask(candidates) if change.kind == Kind::Booked && is_on => Some(question(
            Question::Ask(candidates.clone()),
            "only names resemble: a person is asked whose lead this booker's is",
        )),
        Asking::CalledOff if change.kind == Kind::Booked && !is_on => Some(Plan::skip(
            "cancelled before it was answered",
            "the meeting was cancelled before anybody said whose lead the booker's is, and a cancelled one makes no lead",
        )),
        Asking::Settled
        | Asking::Ask(_)
        | Asking::Unanswered(_)
        | Asking::CalledOff
        | Asking::NotCompared
        | Asking::Forwarded(_) => None,
    }
}

fn for_note_of_nobody(change: &Change, facts: &Facts, folds: &Folds, profile: &Profile) -> Plan {
    match change.note {
        Some(Note::Form) if facts.dead.contains(&effect::Kind::Create) => Plan::default(),
        Some(Note::Form) => for_nobody(change, facts, folds, profile),
        Some(Note::Guest { .. }) => Plan::skip(
            "guest without a task",
            "nobody in the CRM has this guest's e-mail, and guests make no leads",
        ),
        _ => Plan::skip(
            "unknown booking",
            "nobody in the CRM is known to be this person, and only a booking makes a lead",
        ),
    }
}

fn for_nobody(change: &Change, facts: &Facts, folds: &Folds, profile: &Profile) -> Plan {
    let fold = &folds.all;
    let mut plan = Plan::default();
    plan.reasons.push(
        "nobody in the CRM is known to be this person: a lead is made in the inbound list".into(),
    );
    let parts = profile.parts(&change.trigger);
    let status = wanted_status(change, &folds.status, profile)
        .and_then(|name| spelled(name, facts, &mut plan));
    let block = wording::block(&folds.block)
        .filter(|_| parts.block)
        .map(|b| fence::enclose(&b.markdown()));
    let marker = wording::marker_line(&change.booking.uid, &facts.create_marker);
    let mut texts = Vec::new();
    // What came before anybody knew of the person is told here, or it would be told nowhere.
    let own = parts.comment.then_some(change);
    for other in own
        .into_iter()
        .chain(untold_after(change, facts, fold, profile))
    {
        let text = told(other, fold, Telling::default(), profile, &mut plan);
        texts.push(text.as_in_a_comment().markdown());
    }
    texts.extend(wording::unsure(&facts.asking).map(|t| t.as_in_a_comment().markdown()));
    let mut description = block.unwrap_or_default();
    for text in texts {
        if description.len() + text.len() + marker.len() + 4 > fence::DESCRIPTION_BYTES_MAX {
            break;
        }
        if !description.is_empty() {
            description.push_str("\n\n");
        }
        description.push_str(&text);
    }
    if !description.is_empty() {
        description.push_str("\n\n");
    }
    description.push_str(&marker);
    let person = &change.person;
    let name = [
        Some(person.name.as_str()),
        person.email.as_deref(),
        person.phone.as_deref(),
    ]
    .into_iter()
    .flatten()
    .find(|n| !n.trim().is_empty())
    .unwrap_or(match change.note {
        Some(Note::Form) => "Cal.com form",
        _ => "Cal.com booking",
    });
    plan.actions.push(Action::Create(NewLead {
        name: crate::text::one_line(name, crate::text::NAME_CHARS_MAX),
        description,
        status,
        email: person.email.clone(),
        phone: person.phone.clone(),
        answers: field_answers(&change.booking),
        with_fields: !facts.no_fields,
        plain_type: facts.plain_type,
    }));
    plan
}

/// The wording, by the profile's template where it has one that works.
fn told(
    change: &Change,
    fold: &Fold,
    telling: Telling,
    profile: &Profile,
    plan: &mut Plan,
) -> Text {
    let usual = wording::comment(change, fold, telling);
    let name = change.trigger.name();
    let Some(template) = profile.texts.get(name) else {
        return usual;
    };
    match wording::by_template(template, &usual, change, fold, telling) {
        Ok(text) => text,
        Err(why) => {
            plan.notices.push((
                format!("wording:{name}"),
                format!("the template for {name} could not be used ({why}); the usual wording was"),
                format!("mend CALUP_TEXT_{name}; `calup wording {name}` shows what it makes"),
            ));
            usual
        }
    }
}

/// Later changes of the chain, or of its series, that found nobody to tell: the first that finds a lead tells them with its own.
fn untold_after<'a>(
    change: &Change,
    facts: &'a Facts,
    fold: &Fold,
    profile: &Profile,
) -> Vec<&'a Change> {
    let follows = |of: &Change, k: &Change| fold.is_followed_by(of, k);
    let mut untold: Vec<&Change> = facts
        .known
        .iter()
        .filter(|k| k.untold && follows(change, &k.change))
        .filter(|k| profile.parts(&k.change.trigger).comment)
        .map(|k| &k.change)
        .collect();
    if untold.is_empty() {
        return untold;
    }
    // Two that wait for their answers must not leave it to each other: what counts is what each says.
    let before: Vec<&Known> = facts
        .known
        .iter()
        .filter(|k| (k.done || k.said.is_some()) && k.change != *change)
        .collect();
    let apart = chain::fold(
        facts
            .known
            .iter()
            .map(|k| &k.change)
            .filter(|c| *c != change),
    );
    // What joins two bookings may come last: whoever was told before it came did not tell the other booking's.
    let was_joined = |k: &Known, other: &Change| {
        apart.precedes(&k.change, other).is_some()
            || apart.is_ended_from_elsewhere(&k.change, other)
            || k.tried_at.is_none_or(|at| at >= change.received_at)
    };
    untold.retain(|other| {
        let texts = OnceCell::new();
        !before.iter().any(|k| match &k.said {
            Some(said) => {
                let texts = texts.get_or_init(|| told_as(other, fold, profile));
                texts.iter().any(|text| said.contains(text))
            }
            None => follows(&k.change, other) && was_joined(k, other),
        })
    });
    untold.sort_by_key(|c| c.created_at);
    untold
}

/// As another change's comment or lead tells it: by all that is known, and by itself, as it was before anything joined
/// it to a meeting.
fn told_as(change: &Change, fold: &Fold, profile: &Profile) -> Vec<String> {
    let itself = chain::fold([change]);
    let mut texts = Vec::new();
    for fold in [fold, &itself] {
        let text = told(
            change,
            fold,
            Telling::default(),
            profile,
            &mut Plan::default(),
        );
        texts.push(plain(&text.rich(None)).trim().to_owned());
        texts.push(text.as_in_a_comment().markdown());
    }
    texts
}

fn field_answers(booking: &Booking) -> Vec<(String, String)> {
    booking
        .answers
        .iter()
        .flat_map(|a| {
            [
                (a.label.clone(), a.value.clone()),
                (a.slug.clone(), a.value.clone()),
            ]
        })
        .map(|(name, value)| {
            (
                name,
                crate::text::one_line(&value, crate::text::ANSWER_CHARS_MAX),
            )
        })
        .collect()
}

fn for_lead(
    change: &Change,
    lead: &Lead,
    how: &str,
    facts: &Facts,
    folds: &Folds,
    profile: &Profile,
) -> Plan {
    let fold = &folds.all;
    let mut plan = Plan {
        reasons: vec![how.to_owned()],
        ..Plan::default()
    };
    let parts = profile.parts(&change.trigger);
    let mut write = Write::default();
    let mut kept = None;
    if let Some(wanted) = wanted_status(change, &folds.status, profile)
        && let Some(name) = spelled(wanted, facts, &mut plan)
    {
        let may_move = guard(change, lead, facts, (fold, &folds.status), profile);
        if lead.status.to_lowercase() == name.to_lowercase() {
            plan.status_taken =
                (change.kind == Kind::Booked && may_move.is_ok()).then(|| lead.status.clone());
        } else {
            match may_move {
                Ok(why) => {
                    plan.reasons
                        .push(format!("status `{}` → `{name}`: {why}", lead.status));
                    write.status = Some(name);
                }
                Err(why) => {
                    plan.reasons
                        .push(format!("status `{}` kept: {why}", lead.status));
                    // Who only asks for another time was promised nothing about the status.
                    kept = (!change.booking.request_reschedule && change.kind != Kind::Requested)
                        .then_some(lead.status.as_str());
                }
            }
        }
    }
    let mut block_comment = None;
    if parts.block && changes_block(change, fold) {
        match block(lead, &facts.memory, &folds.block, &mut plan) {
            Block::Stays if plan.block_removed => {
                block_comment = closing(&facts.memory, wording::block_is_gone());
            }
            Block::Stays => {}
            Block::Into(description) => {
                write.description = Some(description);
                block_comment = closing(&facts.memory, wording::block_is_back());
            }
            Block::Comment(text) => block_comment = Some(text),
        }
    }
    if let Some(email) = &change.person.email
        && facts.is_said
        && !facts.no_fields
        && lead.emails.iter().all(|known| known.trim().is_empty())
    {
        plan.reasons
            .push("the lead has no e-mail: it gets the booker's".into());
        write.email = Some(Fill {
            list_id: lead.list_id.clone(),
            email: email.clone(),
        });
    }
    if write != Write::default() && !facts.dead.contains(&effect::Kind::Write) {
        plan.actions.push(Action::Write(write));
    }
    if let Some(text) = block_comment.filter(|_| !facts.dead.contains(&effect::Kind::BlockComment))
    {
        plan.actions.push(Action::BlockComment(text));
    }
    let untold = untold_after(change, facts, fold, profile);
    let has_to_tell = parts.comment || !untold.is_empty();
    if has_to_tell && !facts.told && !facts.dead.contains(&effect::Kind::Comment) {
        let is_told = |k: &Known| {
            let is_told_by_another = k.untold
                && profile.parts(&k.change.trigger).comment
                && !untold.contains(&&k.change);
            change.is_told_like(&k.change) && (k.done || is_told_by_another)
        };
        let mut known = facts.known.iter();
        let late = known.any(|k| is_told(k) && fold.is_followed_by(change, &k.change));
        let mut text = Text::default();
        if parts.comment {
            text.append(told(
                change,
                fold,
                Telling { late, kept },
                profile,
                &mut plan,
            ));
        }
        for other in untold {
            text.append(told(other, fold, Telling::default(), profile, &mut plan));
        }
        let marker = wording::marker_line(&change.booking.uid, &facts.comment_marker);
        plan.actions.push(Action::Comment(text.rich(Some(&marker))));
    }
    plan
}

/// What the comment that stood in for the block says from now on, if there is one: it would go stale.
fn closing(memory: &Memory, text: Text) -> Option<RichText> {
    let rich = text.rich(None);
    let shown = memory.block_comment_text.as_ref()?;
    (*shown != plain(&rich)).then_some(rich)
}

fn plain(text: &RichText) -> String {
    text.iter().map(|run| run.text.as_str()).collect()
}
