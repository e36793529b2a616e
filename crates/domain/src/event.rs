//! What a delivery means. Parsing one out of a vendor's bytes happens in `vendors`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::booking::Booking;

/// What happened at Cal.com, under our names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Trigger {
    Created,
    Rescheduled,
    Cancelled,
    Requested,
    Rejected,
    Ping,
    /// A trigger that nothing is enabled for, by its vendor's name (at most 64 characters).
    Other(String),
}

impl Trigger {
    /// The name that the vendor uses, for people to recognise.
    pub fn name(&self) -> &str {
        match self {
            Self::Created => "BOOKING_CREATED",
            Self::Rescheduled => "BOOKING_RESCHEDULED",
            Self::Cancelled => "BOOKING_CANCELLED",
            Self::Requested => "BOOKING_REQUESTED",
            Self::Rejected => "BOOKING_REJECTED",
            Self::Ping => "PING",
            Self::Other(name) => name,
        }
    }
}

/// A readable delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Something happened to a booking.
    Booking(Box<BookingEvent>),
    /// Readable, but about nothing that calup follows; the uid is kept where there is one.
    Aside {
        trigger: Trigger,
        uid: Option<String>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookingEvent {
    /// One of the five booking triggers, never `Ping` or `Other`.
    pub trigger: Trigger,
    /// When the sender stamped it; absent or unreadable stamps are `None`.
    pub created_at: Option<Timestamp>,
    pub booking: Booking,
}
