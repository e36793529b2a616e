//! `cal_reschedule`: proposes to move a booking.

use domain::outcome::Failure;
use domain::text::{NAME_CHARS_MAX, one_line};
use domain::when;
use jiff::SignedDuration;
use serde_json::{Value, json};
use vendors::cal::api::Move;

use super::{Answer, Desk, Input, Tool, Trouble, availability, said, seats, shown, upcoming};

pub struct Reschedule;

#[async_trait::async_trait]
impl Tool for Reschedule {
    fn name(&self) -> &'static str {
        "cal_reschedule"
    }

    fn title(&self) -> &'static str {
        "Propose to move a meeting"
    }

    fn description(&self) -> &'static str {
        "Proposes to move an upcoming meeting to another time. Nothing is moved before the user confirms the proposal \
         themselves."
    }

    fn input_schema(&self) -> Value {
        json!({
            "type": "object",
            "properties": {
                "booking_id": { "type": "string", "description": "From cal_upcoming" },
                "start": { "type": "string", "description": "The new start: a slot's, exactly as it was given" },
                "email": { "type": "string", "description": "Of a meeting with seats: whose is moved" },
                "reason": { "type": "string", "description": "Told to the attendee" },
            },
            "required": ["booking_id", "start"],
        })
    }

    fn proposes(&self) -> bool {
        true
    }

    async fn call(&self, desk: &Desk<'_>, input: &Input) -> Answer {
        let account = desk.account()?;
        let zone = availability::users_zone(&account).await?;
        let booking = upcoming::by_id(&account, &booking_id(input)?).await?;
        let start = input.instant("start", &zone)?;
        let seat = seats::one(&booking, input.text("email")?)?;
        if start <= desk.now {
            return Err(Trouble::input(
                "that time is past",
                "take one that is free, from cal_free_times",
            ));
        }
        if start == booking.start {
            return Err(Trouble::input(
                "the meeting is at that time already",
                "take another time",
            ));
        }
        let name = said::zone_name(&zone);
        let minutes = shown::length_after_a_move(&account, booking.event_type_id).await?;
        let to = match minutes.map(SignedDuration::from_mins) {
            Some(length) => when::span(start, start + length, name),
            None => when::moment(start, name),
        };
        let reason = input.spoken("reason")?;
        let reason = reason.map(|it| desk.sayable(&it));
        let mut summary = format!(
            "Move `{}` with {} from {} to {to}",
            one_line(&booking.title, NAME_CHARS_MAX),
            seat.map_or_else(|| shown::people(&booking), shown::person),
            when::span(booking.start, booking.end, name),
        );
        // Of one seat, Cal.com tells nobody why.
        if let Some(reason) = reason.as_ref().filter(|_| seat.is_none()) {
            summary.push_str(&format!("; they are told “{reason}”"));
        }
        let seat = seat.and_then(|it| it.seat.as_deref());
        let arguments = json!({
            "uid": booking.uid, "start": start.to_string(), "reason": reason, "seat": seat,
            "event_type_id": booking.event_type_id, "minutes": minutes,
            "shown": shown::Meeting::of(&booking, seat),
        });
        desk.propose(self, arguments, summary).await
    }

    async fn carry_out(&self, desk: &Desk<'_>, arguments: &Value) -> Answer {
        let account = desk.account()?;
        let start = arguments["start"].as_str().and_then(|at| at.parse().ok());
        let (Some(uid), Some(start)) = (arguments["uid"].as_str(), start) else {
            return Err(Trouble::ours("the proposal cannot be read"));
        };
        let how = Move {
            reason: arguments["reason"].as_str().map(str::to_owned),
            by: None,
            seat: arguments["seat"].as_str().map(str::to_owned),
        };
        let meeting = shown::Meeting::kept(arguments)?;
        // Asked before: what is done must not fail for it.
        let (zone, now, minutes) = tokio::try_join!(
            availability::users_zone(&account),
            upcoming::by_uid(&account, uid),
            shown::length_after_a_move(&account, arguments["event_type_id"].as_i64()),
        )?;
        meeting.still(&now, how.seat.as_deref(), &zone)?;
        shown::still_as_long(arguments["minutes"].as_i64(), minutes)?;
        let moved = match account.cal.reschedule(uid, start, &how).await {
            Ok(moved) => Some(moved),
            // The answer was lost: a booking that was moved names its successor.
            Err(Failure::Unknown { what }) => {
                let before = account.cal.booking(uid).await.ok();
                match before.and_then(|it| it.moved_to) {
                    Some(next) => account.cal.booking(&next).await.ok(),
                    None => return Err(Failure::Unknown { what }.into()),
                }
            }
            Err(failure) => return Err(failure.into()),
        };
        Ok(match moved {
            Some(moved) => json!({ "moved": said::booking(&moved, &zone) }),
            None => json!({ "moved": { "start": said::at(start, &zone) } }),
        })
    }
}

pub fn booking_id(input: &Input) -> Result<String, Trouble> {
    match upcoming::id(input) {
        Some(id) => Ok(id),
        None => input.needed("booking_id").map(str::to_owned),
    }
}
