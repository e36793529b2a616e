//! Whose seat is meant, in a meeting that several people have booked each for themselves.

use domain::booking::Attendee;
use serde_json::json;
use vendors::cal::api::Booking;

use super::{Trouble, said};

/// `None` where the whole meeting is meant: nobody is named, or it has no seats.
pub fn named<'a>(
    booking: &'a Booking,
    email: Option<&str>,
) -> Result<Option<&'a Attendee>, Trouble> {
    let Some(email) = email else {
        return Ok(None);
    };
    let theirs = |it: &&Attendee| it.email.eq_ignore_ascii_case(email);
    match booking.attendees.iter().find(theirs) {
        Some(attendee) => Ok(attendee.seat.is_some().then_some(attendee)),
        None => Err(whose(booking, "nobody with that e-mail is in the meeting")),
    }
}

/// One is meant, whatever is named.
pub fn one<'a>(booking: &'a Booking, email: Option<&str>) -> Result<Option<&'a Attendee>, Trouble> {
    let named = named(booking, email)?;
    let mut seated = booking.attendees.iter().filter(|it| it.seat.is_some());
    match (named, seated.next(), seated.next()) {
        (None, Some(only), None) => Ok(Some(only)),
        (None, Some(_), Some(_)) => Err(whose(booking, "several people have seats in it")),
        (named, ..) => Ok(named),
    }
}

fn whose(booking: &Booking, error: &str) -> Trouble {
    let people: Vec<_> = booking
        .attendees
        .iter()
        .take(20)
        .map(said::attendee)
        .collect();
    Trouble::input(
        error,
        "give `email`: whose seat it is; ask the user if it is not clear",
    )
    .with(json!({ "attendees": people }))
}
