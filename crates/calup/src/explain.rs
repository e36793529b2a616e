//! What a delivery would do, and why. Reads what `process` would read, and stops before anything is written.

use domain::change::{self, Change};
use domain::facts::{Facts, Found, Memory};
use domain::lead::StatusKind;
use domain::note::Note;
use domain::plan::{self, Action, Plan, Question};
use domain::question::Asking;
use jiff::Timestamp;
use serde_json::{Value, json};
use store::rows::{Reading, Status, Stored};

use crate::app::App;
use crate::asking;
use crate::gather::{self, Stop};
use crate::journal::Journal;
use crate::{reading, view};

/// One explanation per change of the body; a body without changes has one that says so.
pub async fn body(app: &App, body: &[u8], received_at: Timestamp) -> Vec<Value> {
    let (trigger, uid, changes) = match reading::read(app, body, received_at) {
        Reading::Ended {
            trigger,
            uid,
            status,
            reason,
        } => {
            return vec![
                json!({ "status": status.name(), "reason": reason, "trigger": trigger, "uid": uid }),
            ];
        }
        Reading::Changes {
            trigger,
            uid,
            changes,
        } => (trigger, uid, changes),
    };
    let known: Vec<Change> = match app.store.proof(app.profile(), &uid).await {
        Ok(proof) => proof.changes.into_iter().map(|c| c.change).collect(),
        Err(error) => {
            return vec![
                json!({ "status": "unknown", "reason": error.to_string(), "trigger": trigger, "uid": uid }),
            ];
        }
    };
    let changes = changes
        .into_iter()
        .flat_map(|c| change::for_seats(c, &known));
    let mut out = Vec::new();
    for change in changes {
        let mut value = match one(app, change).await {
            Ok(value) => value,
            Err(stop) => json!({ "status": "unknown", "reason": stop.to_string() }),
        };
        value["trigger"] = trigger.clone().into();
        value["uid"] = uid.clone().into();
        out.push(value);
    }
    out
}

async fn one(app: &App, change: Change) -> Result<Value, Stop> {
    let profile = &app.config.profile;
    let mut stored = Stored {
        profile: profile.name.clone(),
        key: change.base_key(),
        delivery_id: String::new(),
        person: app.store.person_key(&profile.name, &change.identity()),
        change,
        status: Status::Pending,
        reason: None,
        attempts: 0,
        first_tried_at: None,
        why: Vec::new(),
        lead: None,
    };
    if let Some(off) = plan::off(&stored.change, profile) {
        let name = stored.change.trigger.name();
        return Ok(
            json!({ "status": "ignored", "reason": name, "lead": null, "reasons": off.reasons, "actions": [] }),
        );
    }
    let related = gather::related(app, &stored).await?;
    let of_uid: Vec<Change> = related
        .iter()
        .map(|r| r.change.clone())
        .filter(|c| c.booking.uid == stored.change.booking.uid)
        .collect();
    let known_as = related
        .iter()
        .find(|r| r.change.base_key() == stored.change.base_key());
    let is_known = change::is_known(&stored.change, &of_uid);
    if let Some(same) = known_as {
        stored = same.clone();
    }
    let background = gather::known_from(app, &related, &stored);
    let needs_booking = stored.change.note.as_ref().map(Note::needs_booking);
    let waits_for = match (needs_booking, background.booking) {
        (Some(_), gather::Booking::AtWork) => Some("its booking is being worked off"),
        (Some(true), gather::Booking::Unknown) => {
            Some("waits for its booking, of which nothing has come yet")
        }
        _ => None,
    };
    if let Some(reason) = waits_for.filter(|_| !is_known) {
        return Ok(
            json!({ "status": "waiting", "reason": reason, "lead": null, "reasons": [], "actions": [] }),
        );
    }
    let mut journal = Journal::of(app, &stored).await?;
    let mut awaits_index = false;
    let mut notes = Vec::new();
    let (facts, read) = match app.crm() {
        Some(crm) => {
            let mut search = gather::find(app, crm.as_ref(), &background, &mut journal).await?;
            notes = std::mem::take(&mut search.notes);
            let mut asking = Asking::Settled;
            if search.found == Found::Nobody {
                match asking::known(
                    app,
                    crm.as_ref(),
                    &stored,
                    &search.asked,
                    search.forwarded.take(),
                )
                .await?
                {
                    asking::Known::Asking(known) => asking = known,
                    // What it comes to if nobody resembles.
                    asking::Known::Wait(_) => awaits_index = true,
                }
            }
            (
                gather::facts(
                    app,
                    crm.as_ref(),
                    &stored,
                    &background,
                    (search.found, search.by_chain),
                    asking,
                    &mut journal,
                )
                .await?,
                true,
            )
        }
        None => (unread(app, &background.known), false),
    };
    let mut plan = plan::plan(&stored.change, &facts, profile);
    plan.reasons.extend(notes);
    if awaits_index {
        plan.reasons.insert(0, asking::AWAITS_INDEX.to_owned());
    }
    Ok(shown(&facts, &plan, is_known, read))
}

/// Without a token the CRM cannot be read: planned as for somebody unknown.
fn unread(app: &App, known: &[domain::facts::Known]) -> Facts {
    let profile = &app.config.profile;
    let names = [
        &profile.status_booked,
        &profile.status_cancelled,
        &profile.status_requested,
        &profile.status_no_show,
    ];
    Facts {
        known: known.to_vec(),
        found: Found::Nobody,
        is_said: false,
        asking: Asking::default(),
        memory: Memory::default(),
        statuses: names
            .into_iter()
            .flatten()
            .map(|n| (n.clone(), StatusKind::Custom))
            .collect(),
        list_name: "inbound".into(),
        told: false,
        moved_status: false,
        dead: Vec::new(),
        comment_marker: "0000000000000000".into(),
        create_marker: "0000000000000000".into(),
        no_fields: false,
        no_status: false,
        plain_type: false,
    }
}

fn shown(facts: &Facts, plan: &Plan, is_known: bool, read: bool) -> Value {
    let lead = match &facts.found {
        Found::Lead(lead, how) => {
            json!({ "id": lead.id, "list": lead.list_name, "status": lead.status, "why": how })
        }
        Found::Nobody | Found::Deleted => Value::Null,
    };
    let actions: Vec<Value> = plan
        .actions
        .iter()
        .map(|action| match action {
            Action::Create(new) => json!({ "do": "create", "name": new.name, "status": new.status, "description": new.description }),
            Action::Write(write) => json!({ "do": "write", "status": write.status, "description": write.description, "email": write.email.as_ref().map(|fill| &fill.email) }),
            Action::Comment(text) => json!({ "do": "comment", "text": plain(text) }),
            Action::BlockComment(text) => json!({ "do": "block_comment", "text": plain(text) }),
        })
        .collect();
    let mut reasons = plan.reasons.clone();
    if !read {
        reasons.insert(
            0,
            "no ClickUp token is set: planned as for somebody whom nobody knows".into(),
        );
    }
    let candidates: Vec<Value> = match &plan.question {
        Some(Question::Ask(candidates)) => candidates.iter().map(view::candidate).collect(),
        Some(Question::Join | Question::CallOff) | None => Vec::new(),
    };
    let status = match (plan.skip, &plan.question) {
        _ if is_known => "duplicate",
        (Some(_), _) => "skipped",
        (None, Some(Question::Ask(_) | Question::Join)) => "held",
        (None, Some(Question::CallOff) | None) => "done",
    };
    json!({ "candidates": candidates, "status": status, "reason": plan.skip, "lead": lead, "reasons": reasons, "actions": actions })
}

fn plain(text: &[domain::lead::Run]) -> String {
    text.iter().map(|r| r.text.as_str()).collect()
}
