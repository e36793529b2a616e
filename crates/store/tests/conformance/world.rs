//! Minimal data: a person, a booking, a change, a delivery, and what a worker would do with them.

use std::sync::Arc;
use std::time::Duration;

use domain::booking::Booking;
use domain::change::{Change, Kind, Person};
use domain::effect::Effect;
use domain::event::Trigger;
use domain::note::Note;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use store::Store;
use store::rows::{
    Claim, Delivery, Ended, Lease, Link, NewDelivery, Reading, Record, Register, Status,
};

pub type Any = Arc<dyn Store>;
pub const PROFILE: &str = "default";

/// Whose lease lasts as long as any test.
pub const TTL: Duration = Duration::from_secs(600);

/// Somebody new works for both profiles of these stories from now on; gives the epoch of the usual one.
pub async fn take_over(store: &Any) -> i64 {
    take_over_at(store, at("12:00")).await
}

pub async fn take_over_at(store: &Any, now: Timestamp) -> i64 {
    let owner = uuid::Uuid::now_v7().to_string();
    lease(store, "other", &owner, now).await;
    lease(store, PROFILE, &owner, now).await
}

async fn lease(store: &Any, profile: &str, owner: &str, now: Timestamp) -> i64 {
    loop {
        match store
            .lease(profile, owner, TTL, now)
            .await
            .expect("answers")
        {
            Lease::Held { epoch } => return epoch,
            Lease::Theirs { owner, .. } => store.release(profile, &owner).await.expect("answers"),
        }
    }
}

/// A time of day on the one day of these stories.
pub fn at(time: &str) -> Timestamp {
    let seconds = if time.len() == 5 { ":00" } else { "" };
    format!("2026-03-02T{time}{seconds}Z")
        .parse()
        .expect("a time of day")
}

pub fn booking(uid: &str) -> Booking {
    let json = serde_json::json!({
        "uid": uid, "title": "Intro", "start": at("15:00"), "end": at("15:30"),
        "organizer": { "name": "Nora", "email": "nora@host.example", "time_zone": "UTC" },
        "team_emails": [], "attendees": [], "answers": [], "place": {}, "request_reschedule": false,
    });
    serde_json::from_value(json).expect("what has no default is given")
}

pub fn change(kind: Kind, uid: &str, email: &str, created: &str) -> Change {
    let trigger = match kind {
        Kind::Booked => Trigger::Created,
        Kind::Cancelled => Trigger::Cancelled,
        Kind::Requested => Trigger::Requested,
        Kind::Rejected => Trigger::Rejected,
        Kind::Note => Trigger::Paid,
    };
    Change {
        kind,
        trigger,
        person: Person {
            name: "Ada".into(),
            email: Some(email.into()),
            phone: None,
            time_zone: "UTC".into(),
        },
        seat: None,
        seated: false,
        created_at: at(created),
        received_at: at("12:00"),
        booking: booking(uid),
        guests: Vec::new(),
        note: None,
    }
}

pub fn booked(uid: &str, email: &str, created: &str) -> Change {
    change(Kind::Booked, uid, email, created)
}

pub fn paid(uid: &str, email: &str, created: &str) -> Change {
    let mut change = change(Kind::Note, uid, email, created);
    change.note = Some(Note::Payment {
        is_paid: true,
        amount: Some(2_500),
        currency: "usd".into(),
        id: "1".into(),
    });
    change
}

pub fn cancelled(uid: &str, email: &str, created: &str) -> Change {
    change(Kind::Cancelled, uid, email, created)
}

pub fn moved(from: &str, uid: &str, email: &str, created: &str) -> Change {
    let mut change = booked(uid, email, created);
    change.trigger = Trigger::Rescheduled;
    change.booking.reschedule_uid = Some(from.into());
    change
}

pub fn seat(seat: &str, mut change: Change) -> Change {
    change.seat = Some(seat.into());
    change.seated = true;
    change
}

pub fn raw(body: &str) -> NewDelivery {
    NewDelivery {
        profile: PROFILE.into(),
        received_at: at("12:00"),
        body: body.as_bytes().to_vec(),
        sha256: hash(body),
        headers: vec![("content-type".into(), "application/json".into())],
        secret_index: 0,
    }
}

pub fn reading(changes: Vec<Change>) -> Reading {
    let first = &changes[0];
    Reading::Changes {
        trigger: first.trigger.name().into(),
        uid: first.booking.uid.clone(),
        changes,
    }
}

/// Received and read; gives the delivery's id.
pub async fn comes(store: &Any, changes: Vec<Change>) -> String {
    comes_for(store, PROFILE, changes).await
}

pub async fn comes_for(store: &Any, profile: &str, changes: Vec<Change>) -> String {
    let delivery = NewDelivery {
        profile: profile.into(),
        ..raw(&changes[0].booking.uid)
    };
    let id = store.receive(delivery).await.expect("received");
    store.read(&id, reading(changes)).await.expect("read");
    id
}

pub async fn delivery(store: &Any, id: &str) -> Delivery {
    store
        .delivery(id)
        .await
        .expect("the store answers")
        .expect("there is such a delivery")
}

pub async fn status(store: &Any, id: &str) -> Status {
    delivery(store, id).await.status
}

pub async fn claims(store: &Any, now: &str) -> Vec<Claim> {
    store
        .claim(PROFILE, at(now), 10, &[])
        .await
        .expect("claimed")
}

/// The uids of what is claimed.
pub async fn claimed(store: &Any, now: &str) -> Vec<String> {
    claims(store, now)
        .await
        .into_iter()
        .map(|c| c.stored.change.booking.uid)
        .collect()
}

pub async fn claim(store: &Any, now: &str) -> Claim {
    let mut all = claims(store, now).await;
    assert_eq!(all.len(), 1, "one claim at {now}");
    all.remove(0)
}

pub fn ended(status: Status) -> Ended {
    Ended {
        status,
        reason: None,
        why: vec!["e-mail".into()],
        lead: Some("lead_1".into()),
    }
}

pub async fn finish(store: &Any, claim: &Claim, status: Status) {
    store
        .finish(claim, ended(status), Record::default())
        .await
        .expect("finished");
}

/// Claims and finishes until nothing is due; gives the uids in that order.
pub async fn work_off(store: &Any, now: &str) -> Vec<String> {
    let mut order = Vec::new();
    loop {
        let claims = claims(store, now).await;
        if claims.is_empty() {
            return order;
        }
        for claim in claims {
            finish(store, &claim, Status::Done).await;
            order.push(claim.stored.change.booking.uid);
        }
    }
}

/// Hex, as the inbox gives it.
pub fn hash(body: &str) -> String {
    hex::encode(Sha256::digest(body))
}

pub async fn record_effect(store: &Any, effect: &Effect) -> store::Result<()> {
    let record = Record {
        effects: vec![effect.clone()],
        ..Record::default()
    };
    store.record(PROFILE, record).await
}

pub async fn record_links(store: &Any, links: &[Link]) {
    let record = Record {
        links: links.to_vec(),
        ..Record::default()
    };
    store.record(PROFILE, record).await.expect("recorded");
}

pub async fn record_register(store: &Any, lead: &str, register: &Register) {
    let record = Record {
        registers: vec![(lead.to_owned(), register.clone())],
        ..Record::default()
    };
    store.record(PROFILE, record).await.expect("recorded");
}
