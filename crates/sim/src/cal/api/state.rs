//! The account behind the pretended API: plain data.

use jiff::Timestamp;
use serde_json::Value;

use super::Config;
use super::bookable::Bookable;
use super::limit::Limits;
use super::log::Log;
use super::oauth::Grants;
use super::schedules::Schedule;
use super::webhooks::Webhook;
use crate::cal::booking::Booking;
use crate::cal::delivery::Delivery;
use crate::cal::seats::{Seat, Session};
use crate::cal::{Cal, Version};
use crate::faults::Faults;

pub(super) struct State {
    pub config: Config,
    pub faults: Faults,
    pub limits: Limits,
    pub log: Log,
    pub key_valid: bool,
    /// Makes the deliveries, and every uid and id.
    pub producer: Cal,
    pub schedules: Vec<Schedule>,
    pub bookables: Vec<Bookable>,
    pub bookings: Vec<Held>,
    pub webhooks: Vec<Webhook>,
    /// Times that the host's calendars call busy.
    pub busy: Vec<(Timestamp, Timestamp)>,
    /// Calendars by name, and whether Cal.com can read them.
    pub calendars: Vec<(String, bool)>,
    pub grants: Grants,
    /// By how much time was made to pass.
    pub passed_ms: i64,
    /// Deliveries on their way, and all that there were.
    pub outbox: Vec<(String, Delivery)>,
    pub sent: Vec<Delivery>,
}

/// A booking as the database holds it.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub booking: Booking,
    /// `accepted`, `pending`, `cancelled` or `rejected`.
    pub status: &'static str,
    pub created_ms: i64,
    pub updated_ms: i64,
    pub cancellation_reason: String,
    pub reschedule_reason: Option<String>,
    pub rescheduled_by: Option<String>,
    pub moved_to: Option<String>,
    pub series: Option<String>,
    pub seated: Option<Seated>,
}

#[derive(Clone, Debug)]
pub(super) struct Seated {
    pub session: Session,
    pub seats: Vec<Seat>,
}

impl Held {
    pub fn stands(&self) -> bool {
        ["accepted", "pending"].contains(&self.status)
    }

    pub fn event_type(&self) -> u64 {
        self.booking.event.id
    }
}

impl State {
    pub fn new(config: Config) -> Self {
        let mut producer =
            Cal::seeded("http://127.0.0.1:9/", "", config.seed).host(config.host.clone());
        if config.hosted {
            producer = producer.version(Version::V2026);
        }
        Self {
            faults: Faults::new(config.seed),
            limits: Limits::default(),
            log: Log::new(config.log_entries_max),
            key_valid: true,
            producer,
            schedules: vec![Schedule::working_hours(&config.host.time_zone)],
            bookables: Vec::new(),
            bookings: Vec::new(),
            webhooks: Vec::new(),
            busy: Vec::new(),
            calendars: Vec::new(),
            grants: Grants::default(),
            passed_ms: 0,
            outbox: Vec::new(),
            sent: Vec::new(),
            config,
        }
    }

    /// By the vendor's clock.
    pub fn now_ms(&self) -> i64 {
        (self.config.wall_ms)() + self.config.clock_skew_ms + self.passed_ms
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.now_ms()).expect("a time of these days")
    }

    pub fn bookable(&self, id: u64) -> Option<&Bookable> {
        self.bookables.iter().find(|it| it.event.id == id)
    }

    pub fn held(&self, uid: &str) -> Option<usize> {
        self.bookings.iter().position(|it| it.booking.uid == uid)
    }

    /// The producer, as it makes deliveries about this event type now.
    pub fn producer_of(&self, bookable: &Bookable) -> Cal {
        let mut producer = self.producer.clone().event(bookable.event.clone());
        producer.created_at = Some(self.now());
        producer
    }

    pub fn schedule_of(&self, bookable: &Bookable) -> &Schedule {
        let own = self
            .schedules
            .iter()
            .find(|it| Some(it.id) == bookable.schedule);
        own.unwrap_or(&self.schedules[0])
    }

    /// Sends this to every webhook that wants it.
    pub fn deliver(&mut self, event_type: u64, delivery: &Delivery) {
        let trigger = delivery.trigger().unwrap_or_default();
        for webhook in &self.webhooks {
            if webhook.wants(&trigger, event_type) {
                let delivery = webhook.signed(delivery);
                self.sent.push(delivery.clone());
                self.outbox.push((webhook.url.clone(), delivery));
            }
        }
    }
}

pub(super) fn wall_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

/// An instant in a request: a bare date is the beginning or the end of its UTC day.
pub(super) fn instant(text: &str, ends: bool) -> Option<Timestamp> {
    if let Ok(at) = text.parse() {
        return Some(at);
    }
    let day: jiff::civil::Date = text.parse().ok()?;
    let time = if ends {
        jiff::civil::time(23, 59, 59, 0)
    } else {
        jiff::civil::Time::midnight()
    };
    let at = day.to_datetime(time).to_zoned(jiff::tz::TimeZone::UTC);
    at.ok().map(|at| at.timestamp())
}

pub(super) fn text(json: &Value) -> Option<String> {
    json.as_str().map(str::to_owned)
}
