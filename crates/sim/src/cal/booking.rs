//! One booking and what happens to it. Each happening is one delivery; a move is also a
//! new booking with a uid of its own. The JSON is built in `body.rs`.

use jiff::{Timestamp, ToSpan as _};
use serde_json::{Map, Value, json};

use super::delivery::Delivery;
use super::people::{EventType, Host, Person};
use super::{Cal, Version, body};

/// The booking that this one replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Predecessor {
    pub uid: String,
    pub id: u64,
    pub start: Timestamp,
    pub end: Timestamp,
}

/// Plain data with methods that make deliveries; change the fields for odd cases.
#[derive(Clone, Debug)]
pub struct Booking {
    pub cal: Cal,
    pub uid: String,
    pub id: u64,
    pub start: Timestamp,
    pub end: Timestamp,
    pub person: Person,
    pub host: Host,
    pub event: EventType,
    /// The first booking's uid, before the `@` of the iCalUID.
    pub ical_uid: String,
    pub sequence: u32,
    pub predecessor: Option<Predecessor>,
    /// The rule of a series.
    pub recurring: Option<Value>,
}

impl Booking {
    pub(super) fn new(cal: &Cal, person: &Person, start: Timestamp, minutes: i64) -> Self {
        let uid = cal.new_uid();
        Self {
            cal: cal.clone(),
            id: cal.new_id(),
            start,
            end: start.checked_add(minutes.minutes()).expect("a near date"),
            person: person.clone(),
            host: cal.host.clone(),
            event: cal.event.clone(),
            ical_uid: uid.clone(),
            uid,
            sequence: 0,
            predecessor: None,
            recurring: None,
        }
    }

    /// Bodies made from here on say they were made then.
    #[must_use]
    pub fn at(&self, created_at: &str) -> Self {
        Self {
            cal: self.cal.clone().at(created_at),
            ..self.clone()
        }
    }

    /// Assigned to another host, as round robin does.
    #[must_use]
    pub fn hosted_by(&self, host: &Host) -> Self {
        Self {
            host: host.clone(),
            ..self.clone()
        }
    }

    pub fn title(&self) -> String {
        format!(
            "{} between {} and {}",
            self.event.title, self.host.name, self.person.name
        )
    }

    /// BOOKING_CREATED of a booking that needs no confirmation.
    pub fn created(&self) -> Delivery {
        self.created_as("BOOKING_CREATED")
    }

    /// The same body under another trigger, also one that does not exist.
    pub fn created_as(&self, trigger: &str) -> Delivery {
        let mut payload = body::standard(self, "ACCEPTED");
        body::add_recurrence(&mut payload, self);
        body::add_calendar_files(&mut payload, self, "REQUEST");
        self.envelope(trigger, payload)
    }

    /// BOOKING_CREATED without anybody, as an old server once sent it.
    pub fn created_without_attendees(&self) -> Delivery {
        self.created().edited(|body| {
            body["payload"]["attendees"] = json!([]);
            body["payload"]["location"] = Value::Null;
            let payload = body["payload"]
                .as_object_mut()
                .expect("a payload is an object");
            payload.remove("responses");
            payload.remove("userFieldsResponses");
        })
    }

    /// BOOKING_RESCHEDULED to `start`: the new booking and its delivery. `by` is an e-mail.
    pub fn rescheduled(&self, by: Option<&str>, start: &str) -> (Self, Delivery) {
        let moved = self.moved_to(start);
        let delivery = moved.rescheduled_again(by);
        (moved, delivery)
    }

    /// The RESCHEDULED that made this booking; not its bytes, but the same change.
    pub fn rescheduled_again(&self, by: Option<&str>) -> Delivery {
        let mut payload = body::standard(self, "ACCEPTED");
        let keys = body::keys(&mut payload);
        if let Some(from) = &self.predecessor {
            keys.insert("rescheduleUid".to_owned(), json!(from.uid));
            keys.insert("rescheduleId".to_owned(), json!(from.id));
            keys.insert(
                "rescheduleStartTime".to_owned(),
                json!(super::seconds(from.start)),
            );
            keys.insert(
                "rescheduleEndTime".to_owned(),
                json!(super::seconds(from.end)),
            );
        }
        if let Some(by) = by {
            keys.insert("rescheduledBy".to_owned(), json!(by));
        }
        if self.cal.version != Version::V2026 {
            keys.entry("appsStatus").or_insert_with(|| json!([]));
            if !self.cal.calendar_connected {
                keys.remove("iCalUID");
            }
        }
        body::add_calendar_files(&mut payload, self, "REQUEST");
        self.envelope("BOOKING_RESCHEDULED", payload)
    }

    /// The attendee moves a booking that needs confirmation: BOOKING_REQUESTED with a new
    /// uid, without `rescheduleUid`; only the iCalUID tells.
    pub fn moved_pending(&self, start: &str) -> (Self, Delivery) {
        let moved = self.moved_to(start);
        let mut metadata = Map::new();
        metadata.insert("videoCallUrl".to_owned(), json!(""));
        metadata.extend(moved.person.metadata.clone());
        let delivery = moved.requested().edited(|body| {
            body["payload"]["metadata"] = Value::Object(metadata);
        });
        (moved, delivery)
    }

    /// BOOKING_CANCELLED. `by` is an e-mail; the API leaves it out.
    pub fn cancelled(&self, by: Option<&str>, reason: Option<&str>) -> Delivery {
        let mut payload = body::cancelled(self, reason);
        if let Some(by) = by {
            body::keys(&mut payload).insert("cancelledBy".to_owned(), json!(by));
        }
        if self.recurring.is_some() && self.cal.version == Version::V2026 {
            let zone = json!(self.host.time_zone);
            body::keys(&mut payload).insert("recurrenceTimeZone".to_owned(), zone);
        }
        body::add_calendar_files(&mut payload, self, "CANCEL");
        self.envelope("BOOKING_CANCELLED", payload)
    }

    /// The rest of a series is cancelled: one delivery for all of it, told by its rule.
    pub fn series_cancelled(&self, by: Option<&str>, reason: &str) -> Delivery {
        let rule = self.recurring.clone().expect("a booking of a series");
        self.cancelled(by, Some(reason))
            .edited(|body| body["payload"]["recurringEvent"] = rule)
    }

    /// The host asks to pick another time.
    pub fn cancelled_request_reschedule(&self, reason: &str) -> Delivery {
        let payload = body::asked_to_reschedule(self, &format!("Please reschedule. {reason}"));
        self.envelope("BOOKING_CANCELLED", payload)
    }

    /// BOOKING_REQUESTED: waits for the host.
    pub fn requested(&self) -> Delivery {
        self.envelope("BOOKING_REQUESTED", body::requested(self))
    }

    /// BOOKING_CREATED after the host confirmed: same uid, the link's metadata and the
    /// iCalUID are gone.
    pub fn confirmed(&self) -> Delivery {
        let mut payload = body::decided(self, "ACCEPTED");
        body::keys(&mut payload).insert("metadata".to_owned(), json!({}));
        body::add_calendar_files(&mut payload, self, "REQUEST");
        self.envelope("BOOKING_CREATED", payload)
    }

    /// BOOKING_REJECTED.
    pub fn rejected(&self, reason: &str) -> Delivery {
        let mut payload = body::decided(self, "REJECTED");
        body::keys(&mut payload).insert("rejectionReason".to_owned(), json!(reason));
        self.envelope("BOOKING_REJECTED", payload)
    }

    /// The booking that replaces this one, nothing sent.
    #[must_use]
    pub fn moved_to(&self, start: &str) -> Self {
        let start = super::instant(start);
        let length = self.start.duration_until(self.end);
        Self {
            uid: self.cal.new_uid(),
            id: self.cal.new_id(),
            start,
            end: start.checked_add(length).expect("a near date"),
            sequence: self.sequence + 1,
            predecessor: Some(Predecessor {
                uid: self.uid.clone(),
                id: self.id,
                start: self.start,
                end: self.end,
            }),
            ..self.clone()
        }
    }

    pub(super) fn minutes(&self) -> i64 {
        self.start.duration_until(self.end).as_secs() / 60
    }

    pub(super) fn envelope(&self, trigger: &str, payload: Value) -> Delivery {
        self.cal.envelope(trigger, payload)
    }
}
