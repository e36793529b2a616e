//! What a delivery would do, and why. Reads what `process` would read, and stops before anything is written.

use domain::change::{self, Change, Meaning};
use domain::event::Event;
use domain::facts::{Facts, Found, Memory};
use domain::lead::StatusKind;
use domain::note::Note;
use domain::plan::{self, Action, Plan};
use jiff::Timestamp;
use serde_json::{Value, json};
use store::rows::{Status, Stored};
use vendors::cal::webhook;

use crate::app::App;
use crate::gather::{self, Stop};
use crate::reading;

/// One explanation per change of the body; a body without changes has one that says so.
pub async fn body(app: &App, body: &[u8], received_at: Timestamp) -> Vec<Value> {
    let event = match webhook::parse(body) {
        Ok(event) => event,
        Err(unreadable) => {
            return vec![
                json!({ "status": "quarantined", "reason": unreadable.reason, "trigger": unreadable.trigger, "uid": unreadable.uid }),
            ];
        }
    };
    let event = match event {
        Event::Aside { trigger, uid } => {
            return vec![
                json!({ "status": "ignored", "reason": if trigger == domain::event::Trigger::Ping { "ping" } else { trigger.name() }, "trigger": trigger.name(), "uid": uid }),
            ];
        }
        Event::Booking(event) if reading::is_off_note(app, &event.trigger) => {
            return vec![
                json!({ "status": "ignored", "reason": event.trigger.name(), "trigger": event.trigger.name(), "uid": event.booking.uid }),
            ];
        }
        Event::Form(form) if reading::is_off_note(app, &form.trigger) => {
            return vec![
                json!({ "status": "ignored", "reason": form.trigger.name(), "trigger": form.trigger.name(), "uid": null }),
            ];
        }
        Event::Form(form) => {
            let mut value = match one(app, change::of_form(&form, received_at)).await {
                Ok(value) => value,
                Err(stop) => json!({ "status": "unknown", "reason": stop.to_string() }),
            };
            value["trigger"] = form.trigger.name().into();
            value["uid"] = form.id.clone().into();
            return vec![value];
        }
        Event::Booking(event) => event,
    };
    let head = |mut value: Value| {
        value["trigger"] = event.trigger.name().into();
        value["uid"] = event.booking.uid.clone().into();
        value
    };
    match change::understand(&event, &app.config.profile, received_at) {
        Meaning::Skipped(why) => vec![head(json!({ "status": "skipped", "reason": why }))],
        Meaning::Changes(changes) => {
            let mut out = Vec::new();
            for change in changes {
                out.push(head(match one(app, change).await {
                    Ok(value) => value,
                    Err(stop) => json!({ "status": "unknown", "reason": stop.to_string() }),
                }));
            }
            out
        }
    }
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
    let related = app.store.related(&profile.name, &stored).await?;
    if app.config.profile.parts(&stored.change.trigger).is_off() {
        let name = stored.change.trigger.name();
        let reasons = [format!("CALUP_ON_{name} is off")];
        return Ok(
            json!({ "status": "ignored", "reason": name, "lead": null, "reasons": reasons, "actions": [] }),
        );
    }
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
    let background = gather::known_from(&related, &stored);
    let needs_booking = stored.change.note.as_ref().is_some_and(Note::needs_booking);
    if needs_booking && background.booking == gather::Booking::Unknown {
        return Ok(
            json!({ "status": "waiting", "reason": "waits for its booking, of which nothing has come yet", "lead": null, "reasons": [], "actions": [] }),
        );
    }
    let journal = app.store.effects(&profile.name, &stored.key).await?;
    let (facts, read) = match app.crm() {
        Some(crm) => {
            let search = gather::find(app, crm.as_ref(), &stored.change, &background).await?;
            (
                gather::facts(
                    app,
                    crm.as_ref(),
                    &stored,
                    &background,
                    search.found,
                    &journal,
                )
                .await?,
                true,
            )
        }
        None => (unread(app, &background.known), false),
    };
    let plan = plan::plan(&stored.change, &facts, profile);
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
            Action::Write(write) => json!({ "do": "write", "status": write.status, "description": write.description }),
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
    let status = match plan.skip {
        _ if is_known => "duplicate",
        Some(_) => "skipped",
        None => "done",
    };
    json!({ "status": status, "reason": plan.skip, "lead": lead, "reasons": reasons, "actions": actions })
}

fn plain(text: &[domain::lead::Run]) -> String {
    text.iter().map(|r| r.text.as_str()).collect()
}
