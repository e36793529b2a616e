//! Which status a change may give a lead, and whether it may.

use super::Plan;
use crate::chain::{self, Fold, State, Wanted};
use crate::change::{Change, Kind};
use crate::facts::Facts;
use crate::lead::{Lead, StatusKind};
use crate::note::Note;
use crate::profile::Profile;

/// The status that the person's set of changes asks for, when this kind of change may ask at all.
pub fn wanted_status<'a>(change: &Change, fold: &Fold, profile: &'a Profile) -> Option<&'a str> {
    if !profile.parts(&change.trigger).status {
        return None;
    }
    let moves = moves_status(change, fold, profile);
    match fold.wanted(profile.status_no_show.is_some()) {
        Wanted::Booked if moves => profile.status_booked.as_deref(),
        Wanted::Cancelled if moves => profile.status_cancelled.as_deref(),
        Wanted::NoShow if moves => profile.status_no_show.as_deref(),
        Wanted::AsFound if is_open_request(change, fold) => profile.status_requested.as_deref(),
        Wanted::Booked | Wanted::Cancelled | Wanted::NoShow | Wanted::AsFound => None,
    }
}

/// The name as the list spells it. A list without it gets everything else, and the operator is told.
pub fn spelled(wanted: &str, facts: &Facts, plan: &mut Plan) -> Option<String> {
    let folded = wanted.trim().to_lowercase();
    let found = facts
        .statuses
        .iter()
        .map(|(name, _)| name)
        .find(|name| name.to_lowercase() == folded);
    if let Some(name) = found
        && facts.no_status
    {
        let list = &facts.list_name;
        plan.reasons.push(format!(
            "list `{list}` refused the status `{name}`: it stays"
        ));
        plan.notices.push((
            format!("status-refused:{list}:{folded}"),
            format!("ClickUp refused the status `{name}` in list `{list}`, though the list has it; everything else was written"),
            "check whether the token's user may set it, and which statuses a lead may go to it from".into(),
        ));
        return None;
    }
    if facts.statuses.is_empty() {
        let list = &facts.list_name;
        let why = format!("list `{list}` is not shown to the token's user");
        plan.reasons.push(format!("{why}: the status stays"));
        plan.notices.push((
            format!("list-unseen:{list}"),
            format!("{why}; bookings get everything but the status"),
            "share the list with the token's user in ClickUp".into(),
        ));
        return None;
    }
    if found.is_none() {
        plan.reasons.push(format!(
            "list `{}` has no status `{wanted}`: the status stays",
            facts.list_name
        ));
        plan.notices.push((
            format!("status-missing:{}:{folded}", facts.list_name),
            format!(
                "list `{}` has no status named `{wanted}`; bookings get everything but the status",
                facts.list_name
            ),
            format!(
                "add the status `{wanted}` to the list in ClickUp, or name another in the settings"
            ),
        ));
    }
    found.cloned()
}

/// Whether this change may move the status: the first booking of a chain moves what is open, and of the ended
/// ones what the profile reopens; everything else moves only what calup set itself. The folds: the person's, and the
/// one that the status comes from.
pub fn guard(
    change: &Change,
    lead: &Lead,
    facts: &Facts,
    (fold, status): (&Fold, &Fold),
    profile: &Profile,
) -> Result<&'static str, String> {
    let current = lead.status.to_lowercase();
    if facts
        .memory
        .status_set
        .as_ref()
        .is_some_and(|set| set.to_lowercase() == current)
    {
        return Ok("the one before was calup's");
    }
    let among = |names: &[String]| names.iter().any(|n| n.trim().to_lowercase() == current);
    let is_first = match change.kind {
        Kind::Booked if facts.moved_status => false,
        Kind::Booked => !facts.known.iter().any(|k| {
            k.done
                && !k.given_up
                && k.change.kind == Kind::Booked
                && fold.precedes(change, &k.change).is_some()
                && k.change != *change
        }),
        // A request has a status of its own; a move that waits moves no status that calup did not set.
        Kind::Requested => status.wanted(false) == Wanted::AsFound,
        Kind::Cancelled | Kind::Rejected | Kind::Note => false,
    };
    if !is_first {
        let whose = match facts.memory.status_set {
            Some(_) => "a person set it since",
            None => "calup did not set it",
        };
        return Err(format!(
            "{whose}, and only the first booking of a meeting moves such a status"
        ));
    }
    match lead.status_kind {
        StatusKind::Open | StatusKind::Custom if among(&profile.status_keep) => {
            Err("it is among CLICKUP_STATUS_KEEP".into())
        }
        StatusKind::Open | StatusKind::Custom if change.kind == Kind::Requested => {
            Ok("a request has a status of its own")
        }
        StatusKind::Open | StatusKind::Custom => Ok("the first booking of this meeting"),
        StatusKind::Done | StatusKind::Closed if among(&profile.status_reopen) => {
            Ok("it is among CLICKUP_STATUS_REOPEN")
        }
        StatusKind::Done | StatusKind::Closed => {
            Err("it ends a deal, and is not among CLICKUP_STATUS_REOPEN".into())
        }
    }
}

/// One that comes late may have been refused since, or moved to a time that is open.
fn is_open_request(change: &Change, fold: &Fold) -> bool {
    let is_open = |chain| {
        let mut of_it = fold.slots.iter().filter(|slot| slot.chain == chain);
        of_it.any(|slot| slot.state == State::Requested)
    };
    let slot = fold.slot_of(change);
    change.kind == Kind::Requested && slot.is_some_and(|slot| is_open(slot.chain))
}

/// A request moves status and block only as the move of a meeting.
fn moves_status(change: &Change, fold: &Fold, profile: &Profile) -> bool {
    match change.kind {
        Kind::Booked | Kind::Cancelled => true,
        Kind::Requested | Kind::Rejected => {
            fold.slot_of(change).is_some_and(chain::Slot::is_meeting)
        }
        Kind::Note => {
            let missed = change.note.as_ref().and_then(Note::missed);
            missed.is_some() && profile.status_no_show.is_some()
        }
    }
}
