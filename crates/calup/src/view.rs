//! The JSON that the API and the command line show.

use domain::effect::{Effect, Kind};
use domain::note::Note;
use jiff::Timestamp;
use serde_json::{Value, json};
use store::rows::{Answer, Candidate, Counts, Delivery, Notice, Proof, Question, Status};
use vendors::cal::webhook;

pub fn delivery(d: &Delivery) -> Value {
    json!({
        "id": d.id,
        "received_at": d.received_at,
        "trigger": d.trigger,
        "uid": d.uid,
        "status": d.status.name(),
        "reason": d.reason,
        "sha256": d.sha256,
        "profile": d.profile,
    })
}

/// `received` is the sum of the rest; `refused` stands beside it.
pub fn counts(counts: &Counts, refused: u64) -> Value {
    let mut out = serde_json::Map::new();
    let total: u64 = counts.by_status.iter().map(|(_, n)| n).sum();
    out.insert("received".into(), total.into());
    for status in Status::ALL {
        let n = counts
            .by_status
            .iter()
            .find(|(s, _)| *s == status)
            .map_or(0, |(_, n)| *n);
        out.insert(status.name().into(), n.into());
    }
    out.insert("refused".into(), refused.into());
    out.into()
}

pub fn notice(n: &Notice) -> Value {
    json!({
        "profile": n.profile,
        "cause": n.cause,
        "text": n.text,
        "hint": n.hint,
        "first_at": n.first_at,
        "last_at": n.last_at,
        "count": n.count,
    })
}

pub fn candidate(c: &Candidate) -> Value {
    json!({
        "task_id": c.lead,
        "name": c.name,
        "list": c.list,
        "status": c.status,
        "email": c.email,
        "url": c.url,
        "updated_at": c.updated_at,
        "why": c.why,
    })
}

pub fn question(q: &Question) -> Value {
    let asked = &q.asked;
    let candidates: Vec<Value> = asked.candidates.iter().map(candidate).collect();
    json!({
        "id": q.id,
        "profile": q.profile,
        "state": q.state.name(),
        "attendee": { "name": asked.person_name, "email": asked.email, "phone": asked.phone, "company": asked.company },
        "meeting": { "title": asked.title, "starts_at": asked.starts_at, "time_zone": asked.time_zone },
        "candidates": candidates,
        "deliveries": q.deliveries,
        "asked_at": asked.asked_at,
        "expires_at": asked.closes_at,
        "answer": q.given.as_ref().map(|given| answer(&given.answer)),
        "answered_by": q.given.as_ref().map(|given| &given.by),
        "answered_at": q.given.as_ref().map(|given| given.at),
        "closed": q.closed.map(|(why, _)| why.name()),
    })
}

fn answer(answer: &Answer) -> Value {
    match answer {
        Answer::Person(lead) => json!({ "answer": "person", "task_id": lead }),
        Answer::Meeting(lead) => json!({ "answer": "meeting", "task_id": lead }),
        Answer::New => json!({ "answer": "new" }),
        Answer::Ignore => json!({ "answer": "ignore" }),
    }
}

/// The proof: deliveries → changes → match and why → effects → remote ids.
pub fn proof(uid: &str, proof: &Proof) -> Value {
    let changes: Vec<Value> = proof
        .changes
        .iter()
        .map(|c| {
            let effects: Vec<Value> = proof
                .effects
                .iter()
                .filter(|e| e.change == c.key)
                .map(|e| {
                    json!({
                        "kind": e.kind.name(),
                        "state": e.state.name(),
                        "remote_id": e.remote_id,
                        "target": e.target,
                        "attempts": e.attempt,
                        "marker": e.marker,
                        "reason": e.reason,
                        "first_sent_at": e.first_sent_at,
                        "before": before(e),
                    })
                })
                .collect();
            json!({
                "key": c.key,
                "delivery": c.delivery_id,
                "kind": c.change.note.as_ref().map_or(c.change.kind.name(), Note::name),
                "trigger": c.change.trigger.name(),
                "uid": c.change.booking.uid,
                "seat": c.change.seat,
                "person": c.person,
                "start": told(c.change.booking.start),
                "end": told(c.change.booking.end),
                "replaces": c.change.booking.reschedule_uid,
                "created_at": c.change.created_at,
                "status": c.status.name(),
                "reason": c.reason,
                "attempts": c.attempts,
                "lead": c.lead,
                "why": c.why,
                "effects": effects,
            })
        })
        .collect();
    let links: Vec<Value> = proof
        .links
        .iter()
        .map(|l| json!({ "token": l.token, "lead": l.lead, "how": l.how, "gone": l.gone }))
        .collect();
    json!({
        "uid": uid,
        "deliveries": proof.deliveries.iter().map(delivery).collect::<Vec<_>>(),
        "changes": changes,
        "links": links,
        "questions": proof.questions.iter().map(question).collect::<Vec<_>>(),
    })
}

/// A note may tell no times.
fn told(at: Timestamp) -> Option<Timestamp> {
    Some(at).filter(|at| *at != Timestamp::UNIX_EPOCH)
}

/// What the lead said before, so that a person can put it back.
fn before(effect: &Effect) -> Value {
    let is_nothing = effect.status_before.is_none() && effect.pre_image.is_none();
    if is_nothing || effect.kind == Kind::Create {
        return Value::Null;
    }
    json!({ "status": effect.status_before, "description": effect.pre_image })
}

/// A body for a person to look at: live credentials are never shown.
pub fn body(body: &[u8]) -> Value {
    webhook::without_secrets(body)
        .unwrap_or_else(|| Value::String(format!("{} bytes that are no JSON", body.len())))
}
