//! What can be told of a change without asking the CRM.

use domain::plan;
use jiff::SignedDuration;
use store::rows::{Claim, Ended, Record, Status};

use crate::app::App;
use crate::process::{PARKED, finish};
use crate::{clock, gather};

pub enum Early {
    Ended(Ended),
    Parked(jiff::Timestamp, &'static str),
}

impl Early {
    pub async fn settle(self, app: &App, claim: &Claim) -> Result<(), store::Error> {
        match self {
            Self::Ended(ended) => finish(app, claim, ended, Record::default()).await,
            Self::Parked(at, reason) => app.store.park(claim, at, reason).await,
        }
    }
}

pub async fn without_calls(app: &App, claim: &Claim) -> Result<Option<Early>, store::Error> {
    let change = &claim.stored.change;
    let without_lead = |status: Status, reason: &str, why: Vec<String>| {
        Early::Ended(Ended {
            status,
            reason: Some(reason.to_owned()),
            why,
            lead: None,
        })
    };
    if let Some(off) = plan::off(change, &app.config.profile) {
        let name = change.trigger.name();
        return Ok(Some(without_lead(Status::Ignored, name, off.reasons)));
    }
    let Some(note) = &change.note else {
        return Ok(None);
    };
    let now = clock::now();
    let booking = gather::known(app, &claim.stored).await?.booking;
    let waited = app.waits.of(&claim.stored.key);
    let left = app.config.unknown_booking.saturating_sub(waited);
    let until = now + SignedDuration::try_from(left).unwrap_or_default();
    Ok(match booking {
        gather::Booking::Known => None,
        gather::Booking::Unknown if !note.needs_booking() => None,
        gather::Booking::AtWork => Some(Early::Parked(
            now + PARKED,
            "its booking is being worked off",
        )),
        gather::Booking::Unknown if now < until => Some(Early::Parked(
            (now + PARKED).min(until),
            "waits for its booking, of which nothing has come yet",
        )),
        gather::Booking::Unknown => {
            let why = "nothing has come of its booking, and only a booking makes a lead";
            let why = vec![why.to_owned()];
            Some(without_lead(Status::Skipped, "unknown booking", why))
        }
    })
}
