//! What a delivery means. Parsing one out of a vendor's bytes happens in `vendors`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::booking::{Answer, Booking};
use crate::note::Note;

/// What happened at Cal.com, under our names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Trigger {
    Created,
    Rescheduled,
    Cancelled,
    Requested,
    Rejected,
    NoShowUpdated,
    HostsNoShow,
    GuestsNoShow,
    PaymentInitiated,
    Paid,
    LocationUpdated,
    RecordingReady,
    TranscriptReady,
    Reassigned,
    MeetingStarted,
    MeetingEnded,
    FormSubmitted,
    FormSubmittedNoEvent,
    FormFallback,
    Ping,
    /// A trigger that calup does nothing for, by its vendor's name (at most 64 characters).
    Other(String),
}

impl Trigger {
    /// Those whose handling can be set, as people meet them.
    pub const FOLLOWED: [Self; 19] = [
        Self::Created,
        Self::Rescheduled,
        Self::Cancelled,
        Self::Requested,
        Self::Rejected,
        Self::NoShowUpdated,
        Self::HostsNoShow,
        Self::GuestsNoShow,
        Self::PaymentInitiated,
        Self::Paid,
        Self::LocationUpdated,
        Self::RecordingReady,
        Self::TranscriptReady,
        Self::Reassigned,
        Self::MeetingStarted,
        Self::MeetingEnded,
        Self::FormSubmitted,
        Self::FormSubmittedNoEvent,
        Self::FormFallback,
    ];

    /// The name that the vendor uses, for people to recognise.
    pub fn name(&self) -> &str {
        match self {
            Self::Created => "BOOKING_CREATED",
            Self::Rescheduled => "BOOKING_RESCHEDULED",
            Self::Cancelled => "BOOKING_CANCELLED",
            Self::Requested => "BOOKING_REQUESTED",
            Self::Rejected => "BOOKING_REJECTED",
            Self::NoShowUpdated => "BOOKING_NO_SHOW_UPDATED",
            Self::HostsNoShow => "AFTER_HOSTS_CAL_VIDEO_NO_SHOW",
            Self::GuestsNoShow => "AFTER_GUESTS_CAL_VIDEO_NO_SHOW",
            Self::PaymentInitiated => "BOOKING_PAYMENT_INITIATED",
            Self::Paid => "BOOKING_PAID",
            Self::LocationUpdated => "BOOKING_LOCATION_UPDATED",
            Self::RecordingReady => "RECORDING_READY",
            Self::TranscriptReady => "RECORDING_TRANSCRIPTION_GENERATED",
            Self::Reassigned => "BOOKING_REASSIGNED",
            Self::MeetingStarted => "MEETING_STARTED",
            Self::MeetingEnded => "MEETING_ENDED",
            Self::FormSubmitted => "FORM_SUBMITTED",
            Self::FormSubmittedNoEvent => "FORM_SUBMITTED_NO_EVENT",
            Self::FormFallback => "ROUTING_FORM_FALLBACK_HIT",
            Self::Ping => "PING",
            Self::Other(name) => name,
        }
    }

    /// By the vendor's exact name; `None` for what calup does nothing for.
    pub fn named(name: &str) -> Option<Self> {
        let mut all = Self::FOLLOWED.into_iter().chain([Self::Ping]);
        all.find(|t| t.name() == name)
    }
}

/// A readable delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Something happened to a booking.
    Booking(Box<BookingEvent>),
    /// Somebody filled in a form.
    Form(Box<FormEvent>),
    /// Readable, but about nothing that calup follows; the uid is kept where there is one.
    Aside {
        trigger: Trigger,
        uid: Option<String>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookingEvent {
    /// Neither a form's trigger nor `Ping` nor `Other`.
    pub trigger: Trigger,
    /// When the sender stamped it; absent or unreadable stamps are `None`.
    pub created_at: Option<Timestamp>,
    /// For a note only what the delivery tells: perhaps no more than the uid, with the epoch for times.
    pub booking: Booking,
    /// What is told beside the booking's own course, where the trigger is about that.
    pub note: Option<Note>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormEvent {
    pub trigger: Trigger,
    pub created_at: Option<Timestamp>,
    /// The response's own number where sent.
    pub id: String,
    pub form: String,
    pub name: Option<String>,
    /// As typed.
    pub email: Option<String>,
    pub phone: Option<String>,
    pub answers: Vec<Answer>,
}
