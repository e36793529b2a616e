//! Reading deliveries: what each means, or why it means nothing. No vendor is called.

use std::panic::{AssertUnwindSafe, catch_unwind};

use domain::change::{self, Meaning};
use domain::event::{Event, Trigger};
use jiff::Timestamp;
use store::rows::{DEFAULT_PROFILE, Delivery, Reading, Status};
use vendors::cal::webhook;

use crate::app::App;
use crate::crash;

const PING: &str = "ping";

/// The fact (`Store::meta`) when the last ping came, RFC 3339.
pub fn last_ping(profile: &str) -> String {
    match profile {
        DEFAULT_PROFILE => "last_ping".to_owned(),
        other => format!("last_ping:{other}"),
    }
}

/// Reads up to `batch` deliveries, oldest first; gives how many there were.
pub async fn read_all(app: &App, batch: usize) -> Result<usize, store::Error> {
    let unread = app.store.unread(app.profile(), batch).await?;
    let mut readings = Vec::with_capacity(unread.len());
    let mut quarantined = None;
    for delivery in &unread {
        let reading = read_or_quarantine(app, delivery);
        if let Reading::Ended {
            status: Status::Quarantined,
            reason,
            ..
        } = &reading
        {
            tracing::warn!(delivery.id = %delivery.id, "a delivery is quarantined: {reason}");
            quarantined.get_or_insert_with(|| {
                format!("delivery {} is quarantined: {reason}", delivery.id)
            });
        }
        if matches!(&reading, Reading::Ended { reason, .. } if reason == PING) {
            app.store
                .set_meta(&last_ping(app.profile()), &delivery.received_at.to_string())
                .await?;
        }
        readings.push((delivery.id.clone(), reading));
    }
    if !readings.is_empty() {
        app.store.read_many(readings).await?;
        crash::at("read");
    }
    if let Some(text) = quarantined {
        let hint = "`calup deliveries --status quarantined` lists all of them; mend the cause, then `calup replay` each";
        app.notify("quarantined", &text, hint).await;
    }
    Ok(unread.len())
}

/// A mistake of ours in reading one delivery must not stop the others.
fn read_or_quarantine(app: &App, delivery: &Delivery) -> Reading {
    catch_unwind(AssertUnwindSafe(|| {
        read(app, &delivery.body, delivery.received_at)
    })).unwrap_or_else(|_| Reading::Ended {
        trigger: None,
        uid: None,
        status: Status::Quarantined,
        reason: "reading it stopped unexpectedly, which is a mistake in calup; replay it after an upgrade".into(),
    })
}

/// What a body says, or why it says nothing.
pub fn read(app: &App, body: &[u8], received_at: Timestamp) -> Reading {
    let event = match webhook::parse(body) {
        Ok(event) => event,
        Err(unreadable) => {
            let off = unreadable.trigger.as_deref().and_then(Trigger::named);
            if let Some(trigger) = off.filter(|t| is_off_note(app, t)) {
                return ignored(&trigger, unreadable.uid);
            }
            return Reading::Ended {
                trigger: unreadable.trigger,
                uid: unreadable.uid,
                status: Status::Quarantined,
                reason: unreadable.reason,
            };
        }
    };
    match event {
        Event::Aside { trigger, uid } => ignored(&trigger, uid),
        Event::Booking(event) if is_off_note(app, &event.trigger) => {
            ignored(&event.trigger, Some(event.booking.uid))
        }
        Event::Form(form) if is_off_note(app, &form.trigger) => ignored(&form.trigger, None),
        Event::Form(form) => {
            let meaning = change::of_form(&form, &app.config.profile, received_at);
            read_as(&form.trigger, &form.id, meaning)
        }
        Event::Booking(event) => {
            let meaning = change::understand(&event, &app.config.profile, received_at);
            read_as(&event.trigger, &event.booking.uid, meaning)
        }
    }
}

fn read_as(trigger: &Trigger, uid: &str, meaning: Meaning) -> Reading {
    let (trigger, uid) = (trigger.name().to_owned(), uid.to_owned());
    match meaning {
        Meaning::Changes(changes) => Reading::Changes {
            trigger,
            uid,
            changes,
        },
        Meaning::Skipped(why) => Reading::Ended {
            trigger: Some(trigger),
            uid: Some(uid),
            status: Status::Skipped,
            reason: why.to_owned(),
        },
    }
}

/// A note that nothing is enabled for is not even remembered; what bookings, moves and cancellations say is.
fn is_off_note(app: &App, trigger: &Trigger) -> bool {
    let parts = app.config.profile.parts(trigger);
    parts.is_off() && change::Kind::of(trigger) == Some(change::Kind::Note)
}

fn ignored(trigger: &Trigger, uid: Option<String>) -> Reading {
    let name = trigger.name().to_owned();
    let reason = match trigger {
        Trigger::Ping => PING.to_owned(),
        _ => name.clone(),
    };
    Reading::Ended {
        trigger: Some(name),
        uid,
        status: Status::Ignored,
        reason,
    }
}
