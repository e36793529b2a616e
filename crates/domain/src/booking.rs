//! A booking as Cal.com describes it, in its own words. No secrets: one-time passwords and meeting
//! passwords have no field here, so nothing downstream can leak them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booking {
    pub uid: String,
    /// `<first uid>@<app>` and alike: a hint to the predecessor, never a key. The suffix means nothing.
    pub ical_uid: Option<String>,
    pub ical_sequence: Option<i64>,
    /// "Intro call between Nora and Priya".
    pub title: String,
    /// "Intro call": the event type's title, where sent.
    pub event_title: Option<String>,
    pub event_type_id: Option<i64>,
    pub start: Timestamp,
    pub end: Timestamp,
    pub organizer: Party,
    /// E-mails of the team's other hosts (`team.members`), as typed.
    pub team_emails: Vec<String>,
    pub attendees: Vec<Attendee>,
    /// `responses.email` / `responses.name` / `responses.attendeePhoneNumber`: what the (first) booker typed.
    pub responses_email: Option<String>,
    pub responses_name: Option<String>,
    pub responses_phone: Option<String>,
    /// The booker's answers to the host's own questions, hidden ones left out, in the order sent.
    pub answers: Vec<Answer>,
    /// `additionalNotes`, else `responses.notes`; absent when blank.
    pub notes: Option<String>,
    pub place: Place,
    pub seats_per_slot: Option<i64>,
    /// Top-level `attendeeSeatId`: the seat that this delivery is about.
    pub seat: Option<String>,
    /// The immediate predecessor: a booking's uid, or a seat's reference.
    pub reschedule_uid: Option<String>,
    pub reschedule_start: Option<Timestamp>,
    pub reschedule_end: Option<Timestamp>,
    pub rescheduled_by: Option<String>,
    /// `responses.rescheduleReason`; Cal.com also fills `cancellationReason` on a reschedule.
    pub reschedule_reason: Option<String>,
    pub cancellation_reason: Option<String>,
    pub cancelled_by: Option<String>,
    pub request_reschedule: bool,
    pub rejection_reason: Option<String>,
    /// Set when the delivery is about a series (`recurringEvent` present and not null).
    pub recurring: Option<Recurrence>,
    /// Non-empty `platformClientId`: managed users' addresses carry it as a suffix.
    pub platform_client_id: Option<String>,
    /// `metadata.calup`: the signed pointer that our own links carry.
    pub pointer: Option<String>,
}

/// Somebody with a name, an address and a time zone: the organizer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    pub name: String,
    pub email: String,
    /// An IANA name as sent; may be unknown to the time library.
    pub time_zone: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attendee {
    pub name: String,
    /// As typed; may be a placeholder (`<digits>@sms.cal.com`) or empty.
    pub email: String,
    pub phone: Option<String>,
    pub time_zone: String,
    /// `bookingSeat.referenceUid`.
    pub seat: Option<String>,
    /// `noShow`, where a delivery is about that.
    #[serde(default)]
    pub no_show: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub label: String,
    /// The field's identifier, for filling an equally named field of the CRM.
    pub slug: String,
    /// Printable: arrays joined with ", ", booleans as yes/no.
    pub value: String,
}

/// Where the meeting takes place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The first http(s) address of `metadata.videoCallUrl`, `location`.
    pub join_link: Option<String>,
    /// A location worth showing that is no link: an address, a phone number, "Cal Video".
    pub text: Option<String>,
}

/// An RFC 5545 rule as Cal.com sends it; bookings with equal rules belong to one series.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Recurrence {
    pub freq: i64,
    /// Of a booking how many were booked, of a cancellation how many the event type allows.
    pub count: Option<i64>,
    pub interval: i64,
}

impl Booking {
    /// One of which only the uid is known; its times are the epoch.
    pub fn bare(uid: &str) -> Self {
        Self {
            uid: uid.to_owned(),
            ical_uid: None,
            ical_sequence: None,
            title: String::new(),
            event_title: None,
            event_type_id: None,
            start: Timestamp::UNIX_EPOCH,
            end: Timestamp::UNIX_EPOCH,
            organizer: Party::default(),
            team_emails: Vec::new(),
            attendees: Vec::new(),
            responses_email: None,
            responses_name: None,
            responses_phone: None,
            answers: Vec::new(),
            notes: None,
            place: Place::default(),
            seats_per_slot: None,
            seat: None,
            reschedule_uid: None,
            reschedule_start: None,
            reschedule_end: None,
            rescheduled_by: None,
            reschedule_reason: None,
            cancellation_reason: None,
            cancelled_by: None,
            request_reschedule: false,
            rejection_reason: None,
            recurring: None,
            platform_client_id: None,
            pointer: None,
        }
    }

    pub fn is_seated(&self) -> bool {
        self.seats_per_slot.is_some_and(|n| n > 0)
            || self.seat.is_some()
            || self.attendees.iter().any(|a| a.seat.is_some())
    }
}
