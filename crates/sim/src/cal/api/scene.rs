//! People's hands on the account, and eyes: what is there before anybody asks, and what was asked.

use std::time::Duration;

use serde_json::Value;

use super::bookable::Bookable;
use super::limit::Reset;
use super::log::LoggedRequest;
use super::oauth::OAuthClient;
use super::schedules::Schedule;
use super::webhooks::Webhook;
use super::{Server, render};
use crate::cal::booking::Booking;
use crate::cal::delivery::Delivery;
use crate::cal::instant;

impl Server {
    pub fn add_event_type(&self, bookable: Bookable) {
        self.state().bookables.push(bookable);
    }

    /// The host edits it at Cal.com. Bookings that there are stay as they are.
    pub fn edit_event_type(&self, id: u64, edit: impl FnOnce(&mut Bookable)) {
        let mut state = self.state();
        let found = state.bookables.iter_mut().find(|it| it.event.id == id);
        edit(found.expect("the event type is there"));
    }

    /// A booking's time is another, under the same uid.
    pub fn put_booking_at(&self, uid: &str, start: &str) {
        self.edit_booking(uid, |booking| {
            let length = booking.start.duration_until(booking.end);
            booking.start = instant(start);
            booking.end = booking.start + length;
        });
    }

    /// The host adds somebody to a booking. No webhook is told.
    pub fn add_guest(&self, uid: &str, email: &str) {
        self.edit_booking(uid, |booking| booking.person.guests.push(email.to_owned()));
    }

    fn edit_booking(&self, uid: &str, edit: impl FnOnce(&mut Booking)) {
        let mut state = self.state();
        let now_ms = state.now_ms();
        let at = state.held(uid).expect("the booking is there");
        let held = &mut state.bookings[at];
        edit(&mut held.booking);
        held.updated_ms = now_ms;
    }

    /// The first one is the default.
    pub fn set_schedules(&self, schedules: Vec<Schedule>) {
        assert!(!schedules.is_empty(), "a host has a schedule");
        self.state().schedules = schedules;
    }

    /// The host's calendar calls this time busy. Times are RFC 3339.
    pub fn add_busy(&self, from: &str, until: &str) {
        self.state().busy.push((instant(from), instant(until)));
    }

    /// A calendar is connected. One that Cal.com cannot read takes all slots away, and no answer says so.
    pub fn set_calendar(&self, name: &str, works: bool) {
        let mut state = self.state();
        state.calendars.retain(|(known, _)| known != name);
        state.calendars.push((name.to_owned(), works));
    }

    /// A webhook that somebody made by hand, of one event type or of all.
    pub fn add_webhook(&self, url: &str, secret: Option<&str>, triggers: &[&str], of: Option<u64>) {
        let mut state = self.state();
        let id = state.producer.new_uuid();
        let created_at = crate::cal::millis(state.now());
        state.webhooks.push(Webhook {
            id,
            url: url.to_owned(),
            triggers: triggers.iter().map(|&it| it.to_owned()).collect(),
            active: true,
            secret: secret.map(str::to_owned),
            template: None,
            version: "2021-10-20".to_owned(),
            created_at,
            event_type: of,
        });
    }

    pub fn add_oauth_client(&self, client: OAuthClient) {
        self.state().grants.clients.push(client);
    }

    /// Whether people refuse their consent from now on.
    pub fn refuse_consent(&self, refuses: bool) {
        self.state().grants.refuses = refuses;
    }

    /// The account's owner takes back every consent.
    pub fn end_grants(&self) {
        self.state().grants.end_all();
    }

    /// Grants that have not ended.
    pub fn live_grants(&self) -> usize {
        self.state().grants.live()
    }

    pub fn set_key_valid(&self, is_valid: bool) {
        self.state().key_valid = is_valid;
    }

    /// Also forgets what was used of the current windows.
    pub fn set_limits(&self, by_key: u32, by_token: u32, window: Duration, block: Duration) {
        let mut state = self.state();
        state.config.limit_by_key = by_key;
        state.config.limit_by_token = by_token;
        state.config.window = window;
        state.config.block = block;
        state.limits.forget();
    }

    pub fn set_reset(&self, reset: Reset) {
        self.state().config.reset = reset;
    }

    /// The vendor's clock goes on by that.
    pub fn pass(&self, time: Duration) {
        self.state().passed_ms += i64::try_from(time.as_millis()).expect("a near time");
    }

    /// A booking as the API shows it now.
    pub fn booking(&self, uid: &str) -> Option<Value> {
        let state = self.state();
        let at = state.held(uid)?;
        Some(render::booking(&state, &state.bookings[at]))
    }

    /// All of them, in the order in which they were made.
    pub fn bookings(&self) -> Vec<Value> {
        let state = self.state();
        let all = state.bookings.iter();
        all.map(|it| render::booking(&state, it)).collect()
    }

    /// What was sent to webhooks, one for each subscription.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.state().sent.clone()
    }

    /// The newest requests, oldest first; as many as `Config::log_entries_max`.
    pub fn requests(&self) -> Vec<LoggedRequest> {
        self.state().log.entries()
    }

    pub fn clear_requests(&self) {
        self.state().log.clear();
    }
}
