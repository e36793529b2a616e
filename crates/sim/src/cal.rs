//! A Cal.com that books, moves and cancels, and sends signed webhooks about it. Bodies
//! have the shapes of `fixtures/cal-live` (self-hosted) and `fixtures/cal-deliveries`
//! (hosted). Its API, with a state of its own, is in [`api`].

mod after;
pub mod api;
mod body;
mod booking;
mod delivery;
mod parts;
mod people;
mod seats;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{Timestamp, ToSpan as _};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};

pub use booking::{Booking, Predecessor};
pub use delivery::{Delivery, sign};
pub use people::{EventType, Host, Person, Team};
pub use seats::{Seat, Session};

use crate::http;

/// Which webhook version a subscription asks for: header and shapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// Self-hosted before late 2025: the shapes of 2021-10-20 without the header.
    None,
    /// `2021-10-20`, as a self-hosted server sends it.
    V2021,
    /// `2026-07-27`, as the hosted one sends it.
    V2026,
}

/// The handle: a host with an event type and one webhook subscription. Clones share
/// the dice and the counters, so every uid and id is new.
#[derive(Clone, Debug)]
pub struct Cal {
    subscription: Arc<Mutex<Subscription>>,
    world: Arc<Mutex<World>>,
    pub host: Host,
    pub event: EventType,
    pub version: Version,
    /// Stamped into every body; the real clock if absent.
    pub created_at: Option<Timestamp>,
    /// Whether RESCHEDULED keeps the first booking's iCalUID: with a connected calendar
    /// it does, without one the key is missing. Hosted shapes always keep it.
    pub calendar_connected: bool,
}

#[derive(Debug)]
struct Subscription {
    target_url: String,
    secret: String,
}

#[derive(Debug)]
struct World {
    dice: SmallRng,
    next_id: u64,
}

impl Cal {
    pub fn new(target_url: &str, secret: &str) -> Self {
        Self::seeded(target_url, secret, 1)
    }

    /// The same seed gives the same uids in the same order.
    pub fn seeded(target_url: &str, secret: &str, seed: u64) -> Self {
        let subscription = Subscription {
            target_url: target_url.to_owned(),
            secret: secret.to_owned(),
        };
        let world = World {
            dice: SmallRng::seed_from_u64(seed),
            next_id: 990_000,
        };
        Self {
            subscription: Arc::new(Mutex::new(subscription)),
            world: Arc::new(Mutex::new(world)),
            host: Host::default(),
            event: EventType::default(),
            version: Version::V2021,
            created_at: None,
            calendar_connected: false,
        }
    }

    #[must_use]
    pub fn version(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    #[must_use]
    pub fn host(mut self, host: Host) -> Self {
        self.host = host;
        self
    }

    #[must_use]
    pub fn event(mut self, event: EventType) -> Self {
        self.event = event;
        self
    }

    /// Bodies say they were made then.
    #[must_use]
    pub fn at(mut self, created_at: &str) -> Self {
        self.created_at = Some(instant(created_at));
        self
    }

    #[must_use]
    pub fn with_calendar(mut self) -> Self {
        self.calendar_connected = true;
        self
    }

    pub fn set_target(&self, target_url: &str) {
        target_url.clone_into(&mut lock(&self.subscription).target_url);
    }

    /// Later bodies are signed with this.
    pub fn set_secret(&self, secret: &str) {
        secret.clone_into(&mut lock(&self.subscription).secret);
    }

    pub fn secret(&self) -> String {
        lock(&self.subscription).secret.clone()
    }

    /// Status and body of the answer; panics if nobody answers.
    pub async fn send(&self, delivery: &Delivery) -> (u16, String) {
        self.try_send(delivery).await.expect("the target answers")
    }

    /// As Cal.com does: one POST, no retry, redirects not followed.
    pub async fn try_send(&self, delivery: &Delivery) -> io::Result<(u16, String)> {
        let url = lock(&self.subscription).target_url.clone();
        let received = http::send("POST", &url, &delivery.headers, &delivery.body).await?;
        Ok((received.status, received.text()))
    }

    /// Signs any body and puts Cal.com's headers around it.
    pub fn deliver(&self, body: &Value) -> Delivery {
        self.deliver_raw(body.to_string().into_bytes(), "application/json")
    }

    pub fn deliver_raw(&self, body: Vec<u8>, content_type: &str) -> Delivery {
        let version = match self.version {
            Version::None => None,
            Version::V2021 => Some("2021-10-20"),
            Version::V2026 => Some("2026-07-27"),
        };
        Delivery::signed(&self.secret(), body, content_type, version)
    }

    /// FORM_SUBMITTED: answers in the payload, and once more at the top of the body.
    pub fn form(&self, name: &str, answers: &[(&str, &str)]) -> Delivery {
        let mut body = serde_json::Map::new();
        let mut responses = serde_json::Map::new();
        for (label, value) in answers {
            body.insert((*label).to_owned(), json!(value));
            responses.insert(
                (*label).to_owned(),
                json!({"value": value, "response": value}),
            );
        }
        body.insert("triggerEvent".to_owned(), json!("FORM_SUBMITTED"));
        body.insert("createdAt".to_owned(), json!(millis(self.now())));
        let payload = json!({
            "formId": "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
            "formName": name,
            "teamId": null,
            "responses": responses,
        });
        body.insert("payload".to_owned(), payload);
        self.deliver(&Value::Object(body))
    }

    /// The "Ping test" button.
    pub fn ping(&self) -> Delivery {
        let now = millis(self.now());
        let person = |name: &str, email: &str| {
            json!({
                "name": name,
                "email": email,
                "timeZone": "Europe/London",
                "language": {"locale": "en"},
                "utcOffset": 60,
            })
        };
        let payload = json!({
            "type": "Test",
            "title": "Test trigger event",
            "startTime": now,
            "endTime": now,
            "attendees": [person("John Doe", "jdoe@example.com")],
            "organizer": person("Cal", "no-reply@cal.com"),
        });
        self.envelope("PING", payload)
    }

    /// What a broken JSON template sends: the literal `false`.
    pub fn literal_false(&self) -> Delivery {
        self.deliver_raw(b"false".to_vec(), "application/json")
    }

    /// A custom JSON template: no envelope, values HTML-escaped.
    pub fn template_json(&self, booking: &Booking) -> Delivery {
        self.deliver(&json!({
            "content": "A new event has been scheduled",
            "type": booking.event.slug,
            "name": escaped(&booking.title()),
            "organizer": escaped(&booking.host.name),
            "booker": escaped(&booking.person.name),
            "email": booking.person.address(),
            "uid": booking.uid,
            "event": "BOOKING_CREATED",
            "when": seconds(booking.start),
        }))
    }

    /// A custom template that is no JSON: raw text that is called a form.
    pub fn template_form(&self, booking: &Booking) -> Delivery {
        let text = format!(
            "event=BOOKING_CREATED&uid={}&email={}&start={}&name={}",
            booking.uid,
            booking.person.address(),
            seconds(booking.start),
            escaped(&booking.person.name),
        );
        self.deliver_raw(text.into_bytes(), "application/x-www-form-urlencoded")
    }

    /// An accepted or, where the event type wants it, pending booking. `start` is RFC 3339.
    pub fn book(&self, person: &Person, start: &str, minutes: i64) -> Booking {
        Booking::new(self, person, instant(start), minutes)
    }

    /// One booking per week, each with a uid of its own.
    pub fn series(&self, person: &Person, start: &str, minutes: i64, count: u32) -> Vec<Booking> {
        let first = instant(start);
        let weekly = json!({"freq": 2, "count": count, "interval": 1});
        (0..i64::from(count))
            .map(|week| {
                let start = first
                    .checked_add((week * 7 * 24).hours())
                    .expect("a near date");
                let mut booking = Booking::new(self, person, start, minutes);
                booking.recurring = Some(weekly.clone());
                booking
            })
            .collect()
    }

    /// An event with seats, nobody in it yet.
    pub fn seated(&self, start: &str, minutes: i64, seats: u32) -> Session {
        Session::new(self, instant(start), minutes, seats)
    }

    fn envelope(&self, trigger: &str, payload: Value) -> Delivery {
        self.deliver(&json!({
            "triggerEvent": trigger,
            "createdAt": millis(self.now()),
            "payload": payload,
        }))
    }

    fn now(&self) -> Timestamp {
        self.created_at.unwrap_or_else(Timestamp::now)
    }

    fn new_uid(&self) -> String {
        const DIGITS: &[u8] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
        let dice = &mut lock(&self.world).dice;
        (0..22)
            .map(|_| char::from(DIGITS[dice.random_range(0..DIGITS.len())]))
            .collect()
    }

    fn new_uuid(&self) -> String {
        let bytes = lock(&self.world).dice.random();
        uuid::Builder::from_random_bytes(bytes)
            .into_uuid()
            .to_string()
    }

    fn new_id(&self) -> u64 {
        let world = &mut lock(&self.world);
        world.next_id += 1;
        world.next_id
    }
}

pub(crate) fn instant(text: &str) -> Timestamp {
    text.parse()
        .unwrap_or_else(|_| panic!("{text} is no RFC 3339 time"))
}

/// `2026-12-01T10:00:00Z`.
fn seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `2026-12-01T10:00:00.000Z`.
fn millis(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// `2026-12-01T10:00:00+00:00`.
fn offset(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}

// Handlebars escapes HTML, whatever the body is for.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#x27;")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
