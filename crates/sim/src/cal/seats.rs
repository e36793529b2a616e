//! A seated event: several people under one uid, with the oddities that were seen on a
//! running server.

use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::booking::Booking;
use super::delivery::Delivery;
use super::people::Person;
use super::{Cal, Version, body, lock, parts};

/// The event that the seats share.
#[derive(Clone, Debug)]
pub struct Session {
    cal: Cal,
    pub uid: String,
    pub id: u64,
    start: Timestamp,
    minutes: i64,
    seats: u32,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    /// The first booker, also after leaving: the booking keeps that title and responses.
    first: Option<Seat>,
    seats: Vec<Seat>,
}

impl Taken {
    fn add(&mut self, seat: &Seat) {
        self.first.get_or_insert_with(|| seat.clone());
        self.seats.push(seat.clone());
    }

    fn remove(&mut self, reference: &str) {
        self.seats.retain(|seat| seat.reference != reference);
    }
}

/// One person's seat.
#[derive(Clone, Debug)]
pub struct Seat {
    session: Session,
    /// The booking as this person's deliveries show it.
    pub booking: Booking,
    /// `attendeeSeatId`, or `bookingSeat.referenceUid`.
    pub reference: String,
    number: u64,
}

impl Session {
    pub(super) fn new(cal: &Cal, start: Timestamp, minutes: i64, seats: u32) -> Self {
        Self {
            cal: cal.clone(),
            uid: cal.new_uid(),
            id: cal.new_id(),
            start,
            minutes,
            seats,
            taken: Arc::default(),
        }
    }

    /// A person takes a seat: BOOKING_CREATED under the shared uid.
    pub fn seat_created(&self, person: &Person) -> (Seat, Delivery) {
        let mut booking = Booking::new(&self.cal, person, self.start, self.minutes);
        booking.uid.clone_from(&self.uid);
        booking.id = self.id;
        // Self-hosted: a random iCalUID per seat. Hosted: the shared one.
        booking.ical_uid = match self.cal.version {
            Version::V2026 => self.uid.clone(),
            Version::None | Version::V2021 => self.cal.new_uid(),
        };
        let seat = Seat {
            session: self.clone(),
            booking,
            reference: self.cal.new_uuid(),
            number: self.cal.new_id(),
        };
        let delivery = seat.created();
        lock(&self.taken).add(&seat);
        (seat, delivery)
    }

    /// The host cancels all of it: one CANCELLED that lists who is left. With one left it
    /// cannot be told from a seat's.
    pub fn cancelled(&self, reason: &str) -> Delivery {
        let left = lock(&self.taken)
            .seats
            .iter()
            .map(Seat::as_attendee)
            .collect();
        let first = self.first().expect("somebody took a seat");
        first.cancellation(left, reason)
    }

    fn first(&self) -> Option<Seat> {
        lock(&self.taken).first.clone()
    }
}

impl Seat {
    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    pub fn created(&self) -> Delivery {
        let mut payload = body::standard(&self.with_leaked_metadata(), "ACCEPTED");
        self.mark(&mut payload);
        body::add_calendar_files(&mut payload, &self.booking, "REQUEST");
        self.booking.envelope("BOOKING_CREATED", payload)
    }

    /// One seat is given up: CANCELLED, though the event goes on. Title and responses
    /// are the first booker's; only `attendees` names the leaver. No seat id.
    pub fn cancelled(&self, reason: &str) -> Delivery {
        let first = self.session.first().unwrap_or_else(|| self.clone());
        let delivery = first.cancellation(json!([self.leaver()]), reason);
        lock(&self.session.taken).remove(&self.reference);
        delivery
    }

    /// One seat moves: a new uid for it alone, `rescheduleUid` the shared one, and none of
    /// the other reschedule keys.
    pub fn rescheduled(&self, start: &str) -> (Self, Delivery) {
        lock(&self.session.taken).remove(&self.reference);
        let mut session = Session::new(
            &self.session.cal,
            super::instant(start),
            self.session.minutes,
            self.session.seats,
        );
        let mut booking = self.booking.moved_to(start);
        session.uid.clone_from(&booking.uid);
        session.id = booking.id;
        booking.person.metadata = Map::new();
        let moved = Self {
            session: session.clone(),
            booking,
            reference: self.session.cal.new_uuid(),
            number: self.session.cal.new_id(),
        };
        lock(&session.taken).add(&moved);
        let mut payload = body::standard(&moved.booking, "ACCEPTED");
        moved.mark(&mut payload);
        let from = json!(self.session.uid);
        body::keys(&mut payload).insert("rescheduleUid".to_owned(), from);
        body::add_calendar_files(&mut payload, &moved.booking, "REQUEST");
        let delivery = moved.booking.envelope("BOOKING_RESCHEDULED", payload);
        (moved, delivery)
    }

    // The first seat's metadata shows in a later seat that has none of its own.
    fn with_leaked_metadata(&self) -> Booking {
        let mut booking = self.booking.clone();
        if booking.person.metadata.is_empty()
            && let Some(first) = self.session.first()
        {
            booking.person.metadata = first.booking.person.metadata;
        }
        booking
    }

    fn mark(&self, payload: &mut Value) {
        payload["seatsPerTimeSlot"] = json!(self.session.seats);
        payload["attendeeSeatId"] = json!(self.reference);
        if self.booking.cal.version == Version::V2026 {
            payload["attendees"][0]["bookingSeat"] = self.booking_seat();
        }
    }

    fn booking_seat(&self) -> Value {
        let person = &self.booking.person;
        let answers = json!({
            "name": person.name,
            "email": person.address(),
            "guests": [],
            "location": {"value": "link", "optionValue": ""},
        });
        json!({
            "id": self.number,
            "referenceUid": self.reference,
            "bookingId": self.session.id,
            "attendeeId": self.number + 1,
            "data": {"responses": answers, "description": ""},
            "metadata": {},
        })
    }

    // `self` is the first booker, whose title and responses are shown.
    fn cancellation(&self, attendees: Value, reason: &str) -> Delivery {
        let mut payload = body::cancelled(&self.booking, Some(reason));
        payload["seatsPerTimeSlot"] = json!(self.session.seats);
        payload["seatsShowAttendees"] = json!(true);
        payload["attendees"] = attendees;
        body::add_calendar_files(&mut payload, &self.booking, "CANCEL");
        self.booking.envelope("BOOKING_CANCELLED", payload)
    }

    fn as_attendee(&self) -> Value {
        let mut shown = parts::row_attendee(&self.booking, &self.booking.person);
        if self.booking.cal.version == Version::V2026 {
            shown["bookingSeat"] = self.booking_seat();
        }
        shown
    }

    // A self-hosted server sends the leaver's row of the database.
    fn leaver(&self) -> Value {
        let mut shown = self.as_attendee();
        if self.booking.cal.version == Version::V2026 {
            return shown;
        }
        shown["id"] = json!(self.number);
        shown["bookingId"] = json!(self.session.id);
        shown["locale"] = json!(self.booking.person.locale);
        shown["noShow"] = json!(false);
        shown
    }
}
