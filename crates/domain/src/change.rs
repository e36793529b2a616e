//! A change: what one delivery means for one person. The unit of order, of matching and of effects.

mod understand;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::booking::Booking;
use crate::event::Trigger;
use crate::note::Note;
pub use understand::{for_seats, of_form, understand};

/// Two subscriptions, or two sendings, stamp the same event so far apart.
const COPIED_WITHIN: SignedDuration = SignedDuration::from_mins(1);

/// CREATED and RESCHEDULED are one kind here: the API cannot tell a confirmed move from the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Requested,
    Booked,
    Rejected,
    Cancelled,
    /// Something beside the booking's own course: see `Change::note`.
    Note,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Booked => "booked",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
            Self::Note => "note",
        }
    }

    pub fn of(trigger: &Trigger) -> Option<Self> {
        match trigger {
            Trigger::Created | Trigger::Rescheduled => Some(Self::Booked),
            Trigger::Cancelled => Some(Self::Cancelled),
            Trigger::Requested => Some(Self::Requested),
            Trigger::Rejected => Some(Self::Rejected),
            Trigger::NoShowUpdated
            | Trigger::HostsNoShow
            | Trigger::GuestsNoShow
            | Trigger::PaymentInitiated
            | Trigger::Paid
            | Trigger::LocationUpdated
            | Trigger::RecordingReady
            | Trigger::TranscriptReady
            | Trigger::Reassigned
            | Trigger::MeetingStarted
            | Trigger::MeetingEnded
            | Trigger::FormSubmitted
            | Trigger::FormSubmittedNoEvent
            | Trigger::FormFallback => Some(Self::Note),
            Trigger::Ping | Trigger::Other(_) => None,
        }
    }
}

/// The booker, with what is no real address removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub name: String,
    /// As typed, trimmed; placeholders and platform suffixes are gone.
    pub email: Option<String>,
    pub phone: Option<String>,
    pub time_zone: String,
}

impl Person {
    /// The e-mail folded, else the phone's digits, else nothing.
    pub fn identity(&self) -> Option<String> {
        if let Some(email) = &self.email {
            return Some(format!("email:{}", fold_email(email)));
        }
        let digits = self.phone.as_deref().map(digits).unwrap_or_default();
        (!digits.is_empty()).then(|| format!("phone:{digits}"))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub kind: Kind,
    pub trigger: Trigger,
    pub person: Person,
    /// The seat of this person, where known.
    pub seat: Option<String>,
    pub seated: bool,
    pub created_at: Timestamp,
    pub received_at: Timestamp,
    pub booking: Booking,
    /// E-mails of guests that are neither the booker nor internal.
    pub guests: Vec<String>,
    /// Set when `kind` is `Note`.
    #[serde(default)]
    pub note: Option<Note>,
}

/// What a booking event comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    Changes(Vec<Change>),
    /// `self-booking` or `no attendee`.
    Skipped(&'static str),
}

impl Change {
    /// `email:…`, `phone:…`, else `booking:<uid>`.
    pub fn identity(&self) -> String {
        self.person
            .identity()
            .unwrap_or_else(|| format!("booking:{}", self.booking.uid))
    }

    /// What makes two deliveries the same change, but for the count of a value that came back
    /// (see [`is_known`]): kind, uid, seat or booker, and for what sets a time, start and end.
    /// Never the sender's stamp, the sequence or the booking's number.
    pub fn base_key(&self) -> String {
        match &self.seat {
            Some(seat) => self.key_of(&format!("seat:{seat}")),
            None => self.key_by_person(),
        }
    }

    /// The key that it has while its seat is not known.
    pub fn key_by_person(&self) -> String {
        self.key_of(&self.identity())
    }

    fn key_of(&self, who: &str) -> String {
        let topic = self.note.as_ref().map_or(self.kind.name(), Note::name);
        format!("{topic}|{}|{who}|{}", self.booking.uid, self.value())
    }

    /// What it sets, as far as that tells two changes of one booking and kind apart.
    pub fn value(&self) -> String {
        let booking = &self.booking;
        match &self.note {
            None => self.value_of(self.kind),
            Some(Note::Guest { of }) => format!("{} {}", of.name(), self.value_of(*of)),
            Some(Note::NoShow { is }) => is.to_string(),
            Some(Note::Payment { is_paid, id, .. }) => format!("{is_paid} {id}"),
            Some(Note::Location { .. }) => {
                let place = &booking.place;
                let shown = place.join_link.as_ref().or(place.text.as_ref());
                shown.cloned().unwrap_or_default()
            }
            Some(Note::Recording { link }) => link.clone(),
            Some(Note::Transcript { links }) => {
                links.first().map(|l| l.1.clone()).unwrap_or_default()
            }
            Some(Note::Reassigned) => fold_email(&booking.organizer.email),
            Some(Note::Meeting { is_over }) => is_over.to_string(),
            Some(Note::HostNoShow { host }) => fold_email(host),
            Some(Note::GuestsNoShow { absent }) => {
                let mut absent: Vec<String> = absent.iter().map(|a| fold_email(a)).collect();
                absent.sort_unstable();
                absent.join(" ")
            }
            Some(Note::Form) => self.trigger.name().to_owned(),
        }
    }

    /// What its booking sets, were it of that kind.
    pub fn value_of(&self, kind: Kind) -> String {
        let (start, end) = (self.booking.start, self.booking.end);
        match kind {
            Kind::Booked | Kind::Requested => {
                format!("{}..{}", start.as_millisecond(), end.as_millisecond())
            }
            Kind::Cancelled if self.booking.request_reschedule => "asked to move".into(),
            Kind::Cancelled | Kind::Rejected | Kind::Note => String::new(),
        }
    }

    /// Whether a comment on one of them is late when the other, later one was told before: notes only among
    /// themselves.
    pub fn is_told_like(&self, other: &Self) -> bool {
        (self.kind == Kind::Note) == (other.kind == Kind::Note)
            && (self.kind != Kind::Note
                || (self.topic() == other.topic()
                    && (self.booking.uid == other.booking.uid
                        || matches!(self.note, Some(Note::Guest { .. })))))
    }

    /// Kind and, for a note, what it is about.
    fn topic(&self) -> (Kind, Option<&'static str>) {
        (self.kind, self.note.as_ref().map(Note::name))
    }

    fn is_of_same_seat(&self, other: &Self) -> bool {
        if self.booking.uid != other.booking.uid {
            return false;
        }
        match (&self.seat, &other.seat) {
            (Some(a), Some(b)) => a == b,
            // A listing of all attendees names no seats: the person is the seat.
            _ => self.identity() == other.identity(),
        }
    }

    /// Of two ends of one seat, as far as their names tell. A person may leave, take a seat again and leave again: where one
    /// names no seat, they are two when a seat was booked between them, or the one that is named was booked after the other.
    fn ends_the_same_as(&self, other: &Self, known: &[Self]) -> bool {
        if self.value() != other.value() {
            return false;
        }
        if !self.seated
            || self.kind != Kind::Cancelled
            || self.seat.is_some() && other.seat.is_some()
        {
            return true;
        }
        let bookings = known.iter().filter(|b| b.kind == Kind::Booked);
        let mut own = bookings
            .clone()
            .filter(|b| b.seat.is_some() && b.seat == self.seat);
        if let Some(booked) = own.next() {
            return booked.created_at <= other.created_at;
        }
        let (first, last) = (
            self.created_at.min(other.created_at),
            self.created_at.max(other.created_at),
        );
        let mut between = bookings
            .filter(|b| b.identity() == self.identity())
            .filter(|b| b.created_at > first && b.created_at < last);
        between.next().is_none()
    }

    /// A person's leaving that names no seat ends those booked before it, also those that are heard of later: of two such,
    /// the later one counts. What comes within a minute is a copy.
    fn left_later_by(&self, other: &Self) -> Option<Self> {
        let is_later = other.created_at > self.created_at + COPIED_WITHIN;
        if self.kind != Kind::Cancelled || !self.seated || self.seat.is_some() || !is_later {
            return None;
        }
        let (created_at, received_at) = (other.created_at, other.received_at);
        Some(Self {
            created_at,
            received_at,
            ..self.clone()
        })
    }

    /// With what another delivery of the same change says and this one did not: what it replaced (known from a listing, or
    /// as CREATED), and of a seat that was first known from another's delivery, its own. `None` where it teaches nothing.
    pub fn enriched_by(&self, other: &Self) -> Option<Self> {
        if let Some(later) = self.left_later_by(other) {
            return Some(later);
        }
        if !matches!(self.kind, Kind::Booked | Kind::Requested) {
            return None;
        }
        let mut better = self.clone();
        better.learn_what_it_replaced(&other.booking);
        if self.seated {
            better.seat = better.seat.or_else(|| other.seat.clone());
        }
        if better.person.name.is_empty() {
            better.person.name.clone_from(&other.person.name);
        }
        // Without an e-mail the phone is who it is, and that stays.
        if better.person.email.is_some() && better.person.phone.is_none() {
            better.person.phone.clone_from(&other.person.phone);
        }
        let booking = &mut better.booking;
        if booking.notes.is_none() {
            booking.notes.clone_from(&other.booking.notes);
        }
        if booking.answers.is_empty() {
            booking.answers.clone_from(&other.booking.answers);
        }
        // Whoever is only listed came by no link: the pointer is that of the seat whose delivery it was.
        if !other.was_only_listed() && other.booking.pointer.is_some() {
            booking.pointer.clone_from(&other.booking.pointer);
        }
        (better != *self).then_some(better)
    }

    fn learn_what_it_replaced(&mut self, from: &Booking) {
        let to = &mut self.booking;
        if to.reschedule_uid.is_some() || from.reschedule_uid.is_none() {
            return;
        }
        to.reschedule_uid.clone_from(&from.reschedule_uid);
        to.reschedule_start = from.reschedule_start.or(to.reschedule_start);
        to.reschedule_end = from.reschedule_end.or(to.reschedule_end);
        to.rescheduled_by = from.rescheduled_by.clone().or(to.rescheduled_by.take());
        to.reschedule_reason = from
            .reschedule_reason
            .clone()
            .or(to.reschedule_reason.take());
    }

    /// Whether its delivery is not known to have been about this seat.
    fn was_only_listed(&self) -> bool {
        self.seated && (self.seat.is_none() || self.seat != self.booking.seat)
    }

    /// The sender's stamp, but never later than we had it: a sender's clock may run ahead.
    pub fn stamped(&self) -> Timestamp {
        self.created_at.min(self.received_at)
    }
}

/// Whether `change` is already among `known` (changes of the same uid). A value that comes back after
/// another one is a new change; one equal to its neighbour before or after, by the sender's stamp, is not.
pub fn is_known(change: &Change, known: &[Change]) -> bool {
    let mut same: Vec<&Change> = known
        .iter()
        .filter(|k| k.topic() == change.topic() && k.is_of_same_seat(change))
        .collect();
    if change.note.as_ref().is_some_and(|n| !n.alternates()) {
        return same.iter().any(|k| k.value() == change.value());
    }
    if change.kind == Kind::Cancelled || change.kind == Kind::Rejected {
        return same.iter().any(|k| change.ends_the_same_as(k, known));
    }
    same.sort_by_key(|k| k.created_at);
    let at = same.partition_point(|k| k.created_at <= change.created_at);
    let equal = |k: Option<&&Change>| k.is_some_and(|k| k.value() == change.value());
    equal(at.checked_sub(1).and_then(|i| same.get(i))) || equal(same.get(at))
}

/// Which of `known` (changes of the same uid) `change` says again: of those alike the one of its seat, then the one
/// stamped nearest to it.
pub fn known_as(change: &Change, known: &[Change]) -> Option<usize> {
    if !is_known(change, known) {
        return None;
    }
    let is_alike = |k: &Change| match change.kind {
        Kind::Cancelled => {
            k.topic() == change.topic()
                && k.is_of_same_seat(change)
                && change.ends_the_same_as(k, known)
        }
        Kind::Booked | Kind::Requested | Kind::Rejected | Kind::Note => {
            is_known(change, std::slice::from_ref(k))
        }
    };
    let apart = |k: &Change| k.created_at.duration_since(change.created_at).abs();
    (0..known.len())
        .filter(|&i| is_alike(&known[i]))
        .min_by_key(|&i| (known[i].seat != change.seat, apart(&known[i])))
}

/// Trimmed and case-folded: the only equality of addresses there is here.
pub fn fold_email(email: &str) -> String {
    email.trim().to_lowercase()
}

pub fn digits(phone: &str) -> String {
    phone.chars().filter(char::is_ascii_digit).collect()
}

fn placeholder_digits(email: &str) -> Option<String> {
    let folded = fold_email(email);
    let digits = folded
        .strip_suffix("@sms.cal.com")?
        .trim_start_matches('+')
        .to_owned();
    (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())).then_some(digits)
}

/// Nothing where it is no address: placeholders for phones are none.
pub fn real_email(email: &str) -> Option<&str> {
    let email = email.trim();
    if placeholder_digits(email).is_some() || email.contains(char::is_whitespace) {
        return None;
    }
    let (local, domain) = email.rsplit_once('@')?;
    (!local.is_empty() && !domain.is_empty()).then_some(email)
}

/// The address as a person would write it: a managed user's `name+<clientId>@…` is `name@…`.
pub fn clean_email(email: &str, booking: &Booking) -> Option<String> {
    let email = real_email(email)?;
    let (local, domain) = email.rsplit_once('@')?;
    if let Some(client) = booking
        .platform_client_id
        .as_deref()
        .filter(|c| !c.is_empty())
        && let Some(name) = local.strip_suffix(&format!("+{client}"))
        && !name.is_empty()
    {
        return Some(format!("{name}@{domain}"));
    }
    Some(email.to_owned())
}
