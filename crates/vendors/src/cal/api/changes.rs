//! Bookings, written: made, moved, called off, confirmed, declined. Each is sent once; when its fate is not known it fails
//! with `Unknown`, and is looked up: a new one by [`Cal::booked`], the others by [`Cal::booking`].

use domain::outcome::Failure;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::booking::{Booking, bookings};
use super::bookings::{Order, Wanted, data_of};
use super::errors::{About, Purpose};
use super::{Asked, BOOKINGS, Cal, id_or_gone, seconds};

/// Cal.com's own limits, which it tells only after the fact.
const METADATA_MAX: usize = 50;
const METADATA_KEY_CHARS_MAX: usize = 40;
const METADATA_VALUE_CHARS_MAX: usize = 500;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBooking {
    pub event_type_id: i64,
    pub start: Timestamp,
    /// Where the event type lets the booker choose.
    pub minutes: Option<i64>,
    pub booker: Booker,
    /// E-mails.
    pub guests: Vec<String>,
    /// To the event type's questions, by slug.
    pub answers: Map<String, Value>,
    /// Comes back in deliveries, and to whoever has the uid.
    pub metadata: Vec<(String, String)>,
    /// Where the event type leaves a choice.
    pub place: Option<Whereabouts>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booker {
    pub name: String,
    pub email: Option<String>,
    pub phone: Option<String>,
    /// An IANA name.
    pub time_zone: String,
}

/// One of the event type's places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whereabouts {
    /// A video service by Cal.com's name for it: "cal-video".
    Video(String),
    /// The host's own link, address or number, by Cal.com's word: `link`, `address`, `phone`.
    Hosts(String),
    BookersPhone(String),
    BookersAddress(String),
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Move {
    pub reason: Option<String>,
    /// Whose wish it is, by e-mail. The host's own confirms itself; anybody else's waits for the host where the event type
    /// wants that.
    pub by: Option<String>,
    /// Of a seated booking, whose.
    pub seat: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cancel {
    Whole,
    /// Of a series, also all that come after it.
    WithLater,
    /// Of a seated booking, this one's.
    Seat(String),
}

impl Cal {
    /// One booking, or one for each occurrence of a series. A time that is gone is a `Refused`.
    pub async fn book(&self, new: &NewBooking) -> Result<Vec<Booking>, Failure> {
        let purpose = Purpose::write(
            About::Thing,
            format!("book event type {}", new.event_type_id),
        );
        if let Some(why) = new.fault() {
            return Err(purpose.refuse(why));
        }
        let asked = Asked::post("/bookings", Some(BOOKINGS), Some(new.body()));
        self.booked_by(&purpose, asked).await
    }

    /// What became of a [`Cal::book`] without an answer: the booking, if there is one. A booking may still be on its way.
    pub async fn booked(&self, new: &NewBooking) -> Result<Option<Booking>, Failure> {
        let wanted = Wanted {
            event_type_id: Some(new.event_type_id),
            after_start: Some(new.start - SignedDuration::from_secs(1)),
            order: Order::EarliestFirst,
            ..Wanted::default()
        };
        let listed = self.bookings(&wanted).await?.bookings;
        let is_it = |it: &Booking| {
            let is_theirs = match (&new.booker.email, &new.booker.phone) {
                (Some(email), _) => it.has_attendee(email),
                (None, phone) => it.attendees.iter().any(|a| a.phone == *phone),
            };
            it.start == new.start && it.stands() && is_theirs
        };
        Ok(listed.into_iter().find(is_it))
    }

    /// Gives the booking that takes its place: moving makes a new one.
    pub async fn reschedule(
        &self,
        uid: &str,
        start: Timestamp,
        how: &Move,
    ) -> Result<Booking, Failure> {
        let purpose = Purpose::write(About::Thing, "move a booking at Cal.com");
        let mut body = json!({"start": seconds(start)});
        if let Some(by) = &how.by {
            body["rescheduledBy"] = json!(by);
        }
        match (&how.seat, &how.reason) {
            // A seat's move takes no reason.
            (Some(seat), _) => body["seatUid"] = json!(seat),
            (None, Some(reason)) => body["reschedulingReason"] = json!(reason),
            (None, None) => {}
        }
        let path = format!("/bookings/{}/reschedule", id_or_gone(uid, &purpose)?);
        let asked = Asked::post(path, Some(BOOKINGS), Some(body));
        first(self.booked_by(&purpose, asked).await?, &purpose)
    }

    /// Gives what it is, or they are, now. A seat's booking goes on without it.
    pub async fn cancel(
        &self,
        uid: &str,
        reason: &str,
        what: &Cancel,
    ) -> Result<Vec<Booking>, Failure> {
        let purpose = Purpose::write(About::Thing, "cancel a booking at Cal.com");
        if reason.trim().is_empty() {
            return Err(purpose.refuse("it wants a reason"));
        }
        let mut body = json!({"cancellationReason": reason});
        match what {
            Cancel::Whole => {}
            Cancel::WithLater => body["cancelSubsequentBookings"] = json!(true),
            Cancel::Seat(seat) => body["seatUid"] = json!(seat),
        }
        let path = format!("/bookings/{}/cancel", id_or_gone(uid, &purpose)?);
        let asked = Asked::post(path, Some(BOOKINGS), Some(body));
        self.booked_by(&purpose, asked).await
    }

    pub async fn confirm(&self, uid: &str) -> Result<Booking, Failure> {
        let purpose = Purpose::write(About::Thing, "confirm a booking at Cal.com");
        let path = format!("/bookings/{}/confirm", id_or_gone(uid, &purpose)?);
        let asked = Asked::post(path, Some(BOOKINGS), None);
        first(self.booked_by(&purpose, asked).await?, &purpose)
    }

    pub async fn decline(&self, uid: &str, reason: Option<&str>) -> Result<Booking, Failure> {
        let purpose = Purpose::write(About::Thing, "decline a booking at Cal.com");
        let path = format!("/bookings/{}/decline", id_or_gone(uid, &purpose)?);
        let body = match reason {
            Some(reason) => json!({"reason": reason}),
            None => json!({}),
        };
        let asked = Asked::post(path, Some(BOOKINGS), Some(body));
        first(self.booked_by(&purpose, asked).await?, &purpose)
    }

    async fn booked_by(
        &self,
        purpose: &Purpose,
        asked: Asked<'_>,
    ) -> Result<Vec<Booking>, Failure> {
        let read = self.change(purpose, asked).await?;
        let made = bookings(data_of(read)).filter(|made| !made.is_empty());
        made.ok_or_else(|| purpose.older_shape())
    }
}

fn first(made: Vec<Booking>, purpose: &Purpose) -> Result<Booking, Failure> {
    let first = made.into_iter().next();
    first.ok_or_else(|| purpose.older_shape())
}

impl NewBooking {
    fn fault(&self) -> Option<&'static str> {
        let is_long = |(key, value): &(String, String)| {
            key.chars().count() > METADATA_KEY_CHARS_MAX
                || value.chars().count() > METADATA_VALUE_CHARS_MAX
        };
        if self.booker.email.is_none() && self.booker.phone.is_none() {
            Some("the booker has neither an e-mail address nor a phone number")
        } else if self.metadata.len() > METADATA_MAX || self.metadata.iter().any(is_long) {
            Some("the metadata is longer than Cal.com takes")
        } else {
            None
        }
    }

    fn body(&self) -> Value {
        let mut attendee = json!({
            "name": self.booker.name,
            "timeZone": self.booker.time_zone,
        });
        if let Some(email) = &self.booker.email {
            attendee["email"] = json!(email);
        }
        if let Some(phone) = &self.booker.phone {
            attendee["phoneNumber"] = json!(phone);
        }
        let mut body = json!({
            "start": seconds(self.start),
            "eventTypeId": self.event_type_id,
            "attendee": attendee,
        });
        if let Some(minutes) = self.minutes {
            body["lengthInMinutes"] = json!(minutes);
        }
        if !self.guests.is_empty() {
            body["guests"] = json!(self.guests);
        }
        if !self.answers.is_empty() {
            body["bookingFieldsResponses"] = Value::Object(self.answers.clone());
        }
        if !self.metadata.is_empty() {
            let metadata = self.metadata.iter().cloned();
            body["metadata"] = metadata.map(|(key, value)| (key, json!(value))).collect();
        }
        if let Some(place) = &self.place {
            body["location"] = place.body();
        }
        body
    }
}

impl Whereabouts {
    fn body(&self) -> Value {
        match self {
            Self::Video(name) => json!({"type": "integration", "integration": name}),
            Self::Hosts(kind) => json!({"type": kind}),
            Self::BookersPhone(phone) => json!({"type": "attendeePhone", "phone": phone}),
            Self::BookersAddress(address) => {
                json!({"type": "attendeeAddress", "address": address})
            }
        }
    }
}
