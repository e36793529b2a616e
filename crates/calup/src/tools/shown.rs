//! What whoever confirms was shown of a meeting or an event type. It is kept with the proposal and compared with what is
//! read right before anything is sent, because Cal.com changes whatever it holds by then.

use domain::booking::Attendee;
use domain::outcome::Failure;
use domain::text::{NAME_CHARS_MAX, one_line};
use domain::when;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use vendors::cal::api::{Booking, EventType};

use super::{Blame, Trouble, said};
use crate::calcom::Account;

/// Of those who are named in a summary; it says how many more there are.
const PEOPLE_CHARS_MAX: usize = 2_000;

/// Also one seat of it: then its people are whose seat that is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meeting {
    start: Timestamp,
    end: Timestamp,
    people: Vec<String>,
}

impl Meeting {
    pub fn of(booking: &Booking, seat: Option<&str>) -> Self {
        let is_meant = |it: &&Attendee| seat.is_none() || it.seat.as_deref() == seat;
        let mut people: Vec<String> = booking
            .attendees
            .iter()
            .filter(is_meant)
            .map(|it| reach(it).unwrap_or_else(|| it.name.clone()).to_lowercase())
            .collect();
        people.sort_unstable();
        Self {
            start: booking.start,
            end: booking.end,
            people,
        }
    }

    pub fn kept(arguments: &Value) -> Result<Self, Trouble> {
        kept(arguments)
    }

    /// Told in our own words: a model may hear of it.
    pub fn still(
        &self,
        booking: &Booking,
        seat: Option<&str>,
        zone: &TimeZone,
    ) -> Result<(), Trouble> {
        let span = |it: &Self| when::span(it.start, it.end, said::zone_name(zone));
        let now = Self::of(booking, seat);
        let mut changes = Vec::new();
        if booking.moved_to.is_some() {
            changes.push("it has been moved".to_owned());
        } else if !booking.stands() {
            changes.push("it has been called off".to_owned());
        } else {
            if (now.start, now.end) != (self.start, self.end) {
                changes.push(format!("it is at {} now", span(&now)));
            }
            if now.people != self.people {
                changes.push(self.others(&now, seat.is_some()));
            }
        }
        if changes.is_empty() {
            return Ok(());
        }
        Err(changed(
            &format!("the meeting of {}", span(self)),
            &changes.join(", and "),
        ))
    }

    fn others(&self, now: &Self, is_seat: bool) -> String {
        match (self.people.len(), now.people.len()) {
            _ if is_seat => "that seat is not theirs any more".to_owned(),
            (then, now) if then == now => "others attend it".to_owned(),
            (then, now) => format!("the number of its attendees is {now} and was {then}"),
        }
    }
}

/// What a booking of an event type comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    title: String,
    minutes: i64,
    /// More than one in a series.
    meetings: i64,
}

impl Offer {
    pub fn of(event_type: &EventType, minutes: Option<i64>) -> Self {
        Self {
            title: event_type.title.clone(),
            minutes: event_type.length(minutes).unwrap_or(event_type.minutes),
            meetings: event_type.occurrences.unwrap_or(1),
        }
    }

    pub fn kept(arguments: &Value) -> Result<Self, Trouble> {
        kept(arguments)
    }

    pub fn still(&self, event_type: &EventType, minutes: Option<i64>) -> Result<(), Trouble> {
        let now = Self::of(event_type, minutes);
        let mut changes = Vec::new();
        if now.title != self.title {
            changes.push("it has another title".to_owned());
        }
        if now.minutes != self.minutes {
            changes.push(longer(self.minutes, now.minutes));
        }
        if now.meetings != self.meetings {
            let (then, now) = (self.meetings, now.meetings);
            changes.push(format!("it books {now} meetings and booked {then}"));
        }
        if changes.is_empty() {
            return Ok(());
        }
        let what = format!("the event type `{}`", event_type.slug);
        Err(changed(&what, &changes.join(", and ")))
    }
}

/// What a meeting comes to when it is moved: Cal.com gives it its event type's own length. `None` where that cannot be read,
/// as a team's.
pub async fn length_after_a_move(
    account: &Account,
    event_type_id: Option<i64>,
) -> Result<Option<i64>, Trouble> {
    let Some(id) = event_type_id else {
        return Ok(None);
    };
    match account.cal.event_type(id).await {
        Ok(event_type) => Ok(Some(event_type.minutes)),
        Err(Failure::Gone { .. } | Failure::Refused { .. }) => Ok(None),
        Err(failure) => Err(failure.into()),
    }
}

/// Where no length was shown, any may be.
pub fn still_as_long(then: Option<i64>, now: Option<i64>) -> Result<(), Trouble> {
    let what = "the meeting's event type";
    match (then, now) {
        (None, _) => Ok(()),
        (Some(then), Some(now)) if then == now => Ok(()),
        (Some(then), Some(now)) => Err(changed(what, &longer(then, now))),
        (Some(_), None) => Err(changed(what, "how long it takes cannot be read any more")),
    }
}

/// With where each can be reached: whoever books chooses their name.
pub fn people(booking: &Booking) -> String {
    let mut named = Vec::new();
    let mut chars = 0;
    for it in booking.attendees.iter().map(person) {
        chars += it.chars().count();
        if chars > PEOPLE_CHARS_MAX {
            break;
        }
        named.push(it);
    }
    match booking.attendees.len() - named.len() {
        0 if named.is_empty() => "nobody".to_owned(),
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

pub fn person(it: &Attendee) -> String {
    let name = one_line(&it.name, NAME_CHARS_MAX);
    let reach = reach(it).map(|it| format!("<{it}>"));
    let parts = [Some(name).filter(|it| !it.is_empty()), reach];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join(" ")
}

fn reach(it: &Attendee) -> Option<String> {
    let all = [Some(&it.email), it.phone.as_ref()];
    let all = all.into_iter().flatten().map(|it| one_line(it, usize::MAX));
    all.into_iter().find(|it| !it.is_empty())
}

fn longer(then: i64, now: i64) -> String {
    format!("it takes {now} minutes and took {then}")
}

fn kept<T: for<'a> Deserialize<'a>>(arguments: &Value) -> Result<T, Trouble> {
    T::deserialize(&arguments["shown"]).map_err(|_| {
        refused(
            "it was proposed by an earlier calup, which did not keep what it had shown".to_owned(),
        )
    })
}

fn changed(what: &str, changes: &str) -> Trouble {
    refused(format!(
        "{what} has changed since it was proposed: {changes}"
    ))
}

fn refused(error: String) -> Trouble {
    Trouble::of(Blame::Refused, error, "nothing was done: ask for it anew")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_an_earlier_build_proposed_is_asked_for_anew() {
        let trouble = Meeting::kept(&json!({ "uid": "u1", "seat": null })).expect_err("none");
        assert_eq!(trouble.blame, Blame::Refused);
        let said = trouble.to_string();
        assert!(
            said.contains("an earlier calup") && said.contains("ask for it anew"),
            "{said}"
        );
    }
}
