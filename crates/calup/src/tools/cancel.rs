//! `cal_cancel`: proposes to cancel a booking.

use domain::booking::Attendee;
use domain::outcome::Failure;
use domain::text::{NAME_CHARS_MAX, one_line};
use domain::when;
use serde_json::{Value, json};
use vendors::cal::api;

use super::{
    Answer, Desk, Input, Tool, Trouble, availability, reschedule, said, seats, shown, upcoming,
};

const REASON: &str = "Cancelled by the host";

pub struct Cancel;

#[async_trait::async_trait]
impl Tool for Cancel {
    fn name(&self) -> &'static str {
        "cal_cancel"
    }

    fn title(&self) -> &'static str {
        "Propose to cancel a meeting"
    }

    fn description(&self) -> &'static str {
        "Proposes to cancel an upcoming meeting. Nothing is cancelled before the user confirms the proposal themselves."
    }

    fn input_schema(&self) -> Value {
        json!({
            "type": "object",
            "properties": {
                "booking_id": { "type": "string", "description": "From cal_upcoming" },
                "email": { "type": "string", "description": "Of a meeting with seats: only this person's; without it the whole meeting" },
                "reason": { "type": "string", "description": "Told to the attendee" },
            },
            "required": ["booking_id"],
        })
    }

    fn proposes(&self) -> bool {
        true
    }

    async fn call(&self, desk: &Desk<'_>, input: &Input) -> Answer {
        let account = desk.account()?;
        let zone = availability::users_zone(&account).await?;
        let booking = upcoming::by_id(&account, &reschedule::booking_id(input)?).await?;
        let seat = seats::named(&booking, input.text("email")?)?;
        let reason = input.spoken("reason")?;
        // Of one seat, Cal.com tells nobody why: what nobody has been shown is not sent.
        let reason = reason.filter(|_| seat.is_none());
        let reason = desk.sayable(reason.as_deref().unwrap_or(REASON));
        let mut summary = format!(
            "Cancel `{}` with {}, {}",
            one_line(&booking.title, NAME_CHARS_MAX),
            seat.map_or_else(
                || shown::people(&booking),
                |it| { format!("{} (only their seat)", shown::person(it)) }
            ),
            when::span(booking.start, booking.end, said::zone_name(&zone))
        );
        if seat.is_none() {
            summary.push_str(&format!("; they are told “{reason}”"));
        }
        let seat = seat.and_then(|it| it.seat.as_deref());
        let shown = shown::Meeting::of(&booking, seat);
        let arguments =
            json!({ "uid": booking.uid, "reason": reason, "seat": seat, "shown": shown });
        desk.propose(self, arguments, summary).await
    }

    async fn carry_out(&self, desk: &Desk<'_>, arguments: &Value) -> Answer {
        let account = desk.account()?;
        let Some(uid) = arguments["uid"].as_str() else {
            return Err(Trouble::ours("the proposal cannot be read"));
        };
        let reason = arguments["reason"].as_str().unwrap_or(REASON);
        let seat = arguments["seat"].as_str();
        let what = match seat {
            Some(seat) => api::Cancel::Seat(seat.to_owned()),
            None => api::Cancel::Whole,
        };
        let meeting = shown::Meeting::kept(arguments)?;
        // Asked before: what is done must not fail for it.
        let zone = availability::users_zone(&account);
        let (zone, now) = tokio::try_join!(zone, upcoming::by_uid(&account, uid))?;
        meeting.still(&now, seat, &zone)?;
        let cancelled = match account.cal.cancel(uid, reason, &what).await {
            Ok(cancelled) => cancelled.into_iter().next(),
            // The answer was lost: whether it stands shows there.
            Err(Failure::Unknown { what }) => {
                let now = account.cal.booking(uid).await.ok();
                let is_left = |it: &Attendee| it.seat.as_deref() == seat;
                let is_done = |it: &api::Booking| {
                    !it.stands() || (seat.is_some() && !it.attendees.iter().any(is_left))
                };
                match now.filter(is_done) {
                    Some(cancelled) => Some(cancelled),
                    None => return Err(Failure::Unknown { what }.into()),
                }
            }
            Err(failure) => return Err(failure.into()),
        };
        Ok(json!({ "cancelled": cancelled.map(|it| said::booking(&it, &zone)) }))
    }
}
