//! One try of a change: look up what is unknown, gather, plan, execute. It is planned anew each time, never resumed.

use domain::effect::{Effect, Kind, State};
use domain::facts::Found;
use domain::outcome::Failure;
use domain::plan::{self, Plan, Question};
use domain::question::Asking;
use store::rows::{Closed, Ended, Link, NewQuestion, QuestionState, Status, Stored};
use tokio::sync::OwnedMutexGuard;
use vendors::Crm;

use crate::app::App;
use crate::chain_locks::ChainLocks;
use crate::execute::{self, Step};
use crate::gather::{self, Background, Search, Stop};
use crate::journal::Journal;
use crate::sweep::replaced;
use crate::{asking, clock, guard, lookup};

/// Rounds of planning; a refusal costs one.
const ROUNDS_MAX: usize = 4;
/// Read, write, comment: begun only when there is room for all.
const CALLS_OF_A_CHANGE: u32 = 3;

/// How an attempt ended.
pub enum End {
    Finished(Ended),
    /// Looked for, not found yet: looked for again.
    LookAgain(jiff::Timestamp),
    /// Names cannot be compared before that.
    AwaitsIndex(jiff::Timestamp),
    /// A person decides.
    Held(NewQuestion),
    /// Another change goes first.
    Yielded,
    Failed(Failure),
}

/// On a meeting's chain, and on its lead.
#[derive(Default)]
pub struct Locks {
    chain: ChainLocks,
    lead: Option<OwnedMutexGuard<()>>,
}

pub async fn attempt(
    app: &App,
    crm: &dyn Crm,
    stored: &Stored,
    journal: &mut Journal<'_>,
    locks: &mut Locks,
) -> Result<End, Stop> {
    let profile = &app.config.profile;
    let Some(mut background) = locked(app, stored, journal, locks).await? else {
        return Ok(End::Yielded);
    };
    locks.lead = None;
    let resolved = lookup::resolve(app, crm, stored, journal).await;
    // Recorded together with what was found: another change may be the next to look at the lead.
    adopt_created(&background, journal).await?;
    match resolved? {
        lookup::Resolved::Known => {}
        lookup::Resolved::Wait(at) => return Ok(End::LookAgain(at)),
    }
    for other in &background.given_up {
        if let Some(at) = settle_given_up(app, crm, other).await? {
            return Ok(End::LookAgain(at));
        }
    }
    if !background.given_up.is_empty() {
        let Some(settled) = locked(app, stored, journal, locks).await? else {
            return Ok(End::Yielded);
        };
        background = settled;
    }
    let mut amended_before = usize::MAX;
    for _ in 0..ROUNDS_MAX {
        if locks.lead.take().is_some() {
            // Others may write to it now, and what was read of it is old when it is held again.
            journal.forget_what_was_read().await?;
        }
        execute::room(crm, CALLS_OF_A_CHANGE, journal).await?;
        adopt_created(&background, journal).await?;
        let mut search = find(app, crm, stored, &background, journal).await?;
        while let Some(id) = lead_of(&search.found) {
            let lock = app.shared.leads.of(&id);
            locks.lead = lock.clone().try_lock_owned().ok();
            if locks.lead.is_some() {
                journal.forget_registers().await?;
                break;
            }
            // Somebody else's change is at work on this lead: read what it leaves.
            locks.lead = Some(lock.lock_owned().await);
            journal.forget_what_was_read().await?;
            search = find(app, crm, stored, &background, journal).await?;
            if lead_of(&search.found).is_some_and(|found| found == id) {
                break;
            }
            locks.lead = None;
        }
        let lead_id = lead_of(&search.found);
        if let Some(id) = &lead_id
            && is_told_already(&background, id, journal).await?
        {
            let why = "the guest's lead is the meeting's own, which is told as the booker's";
            return Ok(End::Finished(Ended {
                status: Status::Skipped,
                reason: Some("guest without a task".into()),
                why: vec![why.into()],
                lead: None,
            }));
        }
        if let Some(id) = lead_id.as_ref().filter(|_| search.is_no_lead) {
            locks.lead = None;
            if replaced::take_back(app, crm, stored, id).await? {
                forget(&background, id, true, journal).await?;
                continue;
            }
            locks.lead = Some(app.shared.leads.of(id).lock_owned().await);
            journal.forget_what_was_read().await?;
            search = find(app, crm, stored, &background, journal).await?;
            if lead_of(&search.found).as_ref() != Some(id) {
                continue;
            }
        }
        if guard::adopt(app, crm, stored, &background, &search.found, journal).await? {
            continue;
        }
        let mut asking = Asking::Settled;
        if search.found == Found::Nobody {
            tell_unsearched(app, crm, &background).await;
            match asking::known(app, crm, stored, &search.asked, search.forwarded.take()).await? {
                asking::Known::Asking(known) => asking = known,
                asking::Known::Wait(at) => return Ok(End::AwaitsIndex(at)),
            }
        }
        let Search {
            found,
            by_chain,
            is_said,
            asked,
            replaced,
            notes,
            ..
        } = search;
        let mut facts = gather::facts(
            app,
            crm,
            stored,
            &background,
            (found, by_chain),
            asking,
            journal,
        )
        .await?;
        facts.is_said = is_said || asking::is_said_of(app, stored, &facts.found).await?;
        let mut plan = plan::plan(&stored.change, &facts, profile);
        plan.reasons.extend(notes);
        for (cause, text, hint) in &plan.notices {
            app.notify(cause, text, hint).await;
        }
        match &plan.question {
            Some(Question::Ask(candidates)) => {
                let candidates = candidates.clone();
                let question = asking::question(app, &stored.change, &background, candidates);
                return Ok(End::Held(question));
            }
            Some(Question::Join) => {
                let question = asking::question(app, &stored.change, &background, Vec::new());
                return Ok(End::Held(question));
            }
            Some(Question::CallOff) => {
                for open in asked.iter().filter(|q| q.state == QuestionState::Open) {
                    let now = clock::now();
                    app.store.close(&open.id, Closed::Cancelled, now).await?;
                }
                app.ask.notify_one();
                continue;
            }
            None => {}
        }
        if let Some(reason) = plan.skip {
            return Ok(End::Finished(ended(
                Status::Skipped,
                Some(reason.into()),
                &plan,
                None,
            )));
        }
        if let (Some(id), Found::Lead(_, how)) = (&lead_id, &facts.found) {
            // A choice sticks for its chain, and sticks before anything is written by it; one that a late answer made
            // stands with its question.
            if replaced.is_none() {
                execute::link(&background, id, how, !by_chain, journal).await?;
            }
            execute::remember_seen(journal, id, &plan).await?;
        }
        match execute::all(app, crm, stored, &background, &facts, &plan, journal).await? {
            Step::Done(lead) => {
                let lead = lead.or(lead_id);
                if let (Some(old), Found::Lead(new, how)) = (replaced, &facts.found) {
                    replaced::remove(app, crm, stored, &old, &new.id).await?;
                    // Recorded with the end and not before: cut short, it is done again.
                    // Where only the meeting is another lead's, its person stays the first one's, if that stays.
                    forget(&background, &old, !by_chain, journal).await?;
                    execute::link(&background, &new.id, how, !by_chain, journal).await?;
                }
                return Ok(End::Finished(verdict(&plan, journal.effects(), lead)));
            }
            Step::Amended => {
                let amended: usize = journal
                    .effects()
                    .iter()
                    .map(|e| e.amended.len() + usize::from(e.state == State::Dead))
                    .sum();
                if amended == amended_before {
                    break;
                }
                amended_before = amended;
            }
            Step::Stale => {}
            Step::Failed(failure) => return Ok(End::Failed(failure)),
        }
    }
    Ok(End::Failed(Failure::Transient {
        what: "finish within four rounds; the lead keeps changing".into(),
    }))
}

/// What is known, with the meeting's chain locked. `None`: another change goes first.
async fn locked(
    app: &App,
    stored: &Stored,
    journal: &Journal<'_>,
    locks: &mut Locks,
) -> Result<Option<Background>, store::Error> {
    loop {
        let released = app.chains.released();
        let background = gather::known(app, stored).await?;
        if background.lead_in_doubt && !journal.effects().iter().any(gather::is_lead_in_doubt) {
            return Ok(None);
        }
        if locks.chain.hold(&background.tokens) {
            return Ok(Some(background));
        }
        locks.chain = ChainLocks::default();
        locks.chain = app.chains.take(&background.tokens).await;
        // Whoever has let one go since may have changed what is known, and of which meetings the chain is.
        if app.chains.released() == released {
            return Ok(Some(background));
        }
    }
}

/// Whether a change that was given up has made the person's lead is found out for whoever comes next; `Some` is when to
/// look again.
async fn settle_given_up(
    app: &App,
    crm: &dyn Crm,
    other: &Stored,
) -> Result<Option<jiff::Timestamp>, Stop> {
    let mut journal = Journal::of(app, other).await?;
    let looked = lookup::resolve(app, crm, other, &mut journal).await?;
    let related = gather::related(app, other).await?;
    adopt_created(&gather::known_from(app, &related, other), &mut journal).await?;
    journal.record().await?;
    Ok(match looked {
        lookup::Resolved::Known => None,
        lookup::Resolved::Wait(at) => Some(at),
    })
}

fn lead_of(found: &Found) -> Option<String> {
    match found {
        Found::Lead(lead, _) => Some(lead.id.clone()),
        Found::Nobody | Found::Deleted => None,
    }
}

/// A guest may be the booker under another address.
async fn is_told_already(
    background: &Background,
    lead: &str,
    journal: &mut Journal<'_>,
) -> Result<bool, store::Error> {
    if background.meeting.is_empty() {
        return Ok(false);
    }
    let links = journal.links(&background.meeting).await?;
    Ok(links.iter().any(|l| l.lead == lead && !l.gone))
}

/// Nobody is found by e-mail in a list whose leads have none. The lists were read for the search.
async fn tell_unsearched(app: &App, crm: &dyn Crm, background: &Background) {
    if background.email.is_none() {
        return;
    }
    for id in &app.config.profile.match_list_ids {
        if let Ok(list) = crm.list(id, false).await
            && !list.has_email_field
        {
            let text = format!(
                "list `{}` has no e-mail field: nobody is found there by their address",
                list.name
            );
            let hint = "add the e-mail field of the other lists to it in ClickUp, or take it out of CLICKUP_MATCH_LIST_IDS";
            app.notify(&format!("no-email-field:{id}"), &text, hint)
                .await;
        }
    }
}

async fn find(
    app: &App,
    crm: &dyn Crm,
    stored: &Stored,
    background: &Background,
    journal: &mut Journal<'_>,
) -> Result<Search, Stop> {
    let mut search = gather::find(app, crm, background, journal).await?;
    if guard::adopt_stayed(app, crm, stored, &search, journal).await? {
        search = gather::find(app, crm, background, journal).await?;
    }
    let gone = std::mem::take(&mut search.gone).into_iter();
    journal.set_links(gone.map(|l| Link { gone: true, ..l }));
    Ok(search)
}

/// What was linked to a lead that is gone.
async fn forget(
    background: &Background,
    lead: &str,
    with_person: bool,
    journal: &mut Journal<'_>,
) -> Result<(), store::Error> {
    let person = with_person.then(|| background.person.clone());
    let tokens: Vec<String> = background.tokens.iter().cloned().chain(person).collect();
    let links = journal.links(&tokens).await?.into_iter();
    let its = links.filter(|l| l.lead == lead);
    journal.set_links(its.map(|l| Link { gone: true, ..l }));
    Ok(())
}

fn verdict(plan: &Plan, journal: &[Effect], lead: Option<String>) -> Ended {
    let dead: Vec<String> = journal
        .iter()
        .filter(|e| matches!(e.state, State::Dead | State::Operator))
        .map(|e| {
            format!(
                "{}: {}",
                e.kind.name(),
                e.reason.as_deref().unwrap_or("refused")
            )
        })
        .collect();
    if dead.is_empty() {
        ended(Status::Done, None, plan, lead)
    } else {
        ended(Status::Dead, Some(dead.join("; ")), plan, lead)
    }
}

fn ended(status: Status, reason: Option<String>, plan: &Plan, lead: Option<String>) -> Ended {
    Ended {
        status,
        reason,
        why: plan.reasons.clone(),
        lead,
    }
}

/// A lead that we made before a crash kept us from linking it.
async fn adopt_created(
    background: &Background,
    journal: &mut Journal<'_>,
) -> Result<(), store::Error> {
    let made = journal
        .effects()
        .iter()
        .find(|e| e.kind == Kind::Create && e.state == State::Applied)
        .cloned();
    let Some((made, id)) = made.and_then(|made| Some((made.clone(), made.remote_id?))) else {
        return Ok(());
    };
    let links = journal.links(&background.tokens).await?;
    // Linked, or given to another since.
    if links.iter().any(|l| l.lead == id || !l.gone) {
        return Ok(());
    }
    execute::remember_created(background, &id, &made, journal).await
}
