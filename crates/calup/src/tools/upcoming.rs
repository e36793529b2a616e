//! `cal_upcoming`.

use jiff::SignedDuration;
use serde_json::{Value, json};
use vendors::cal::api::{Booking, Order, Standing, Wanted};

use super::{Answer, Desk, Input, Tool, Trouble, availability, said};
use crate::calcom::Account;

const SHOWN_MAX: usize = 25;
const DAYS_MAX: i64 = 366;

pub struct Upcoming;

#[async_trait::async_trait]
impl Tool for Upcoming {
    fn name(&self) -> &'static str {
        "cal_upcoming"
    }

    fn title(&self) -> &'static str {
        "Upcoming meetings"
    }

    fn description(&self) -> &'static str {
        "Lists the user's upcoming meetings at Cal.com, the earliest first, those that wait for confirmation among them. \
         booking_id is what cal_reschedule and cal_cancel want."
    }

    fn input_schema(&self) -> Value {
        json!({
            "type": "object",
            "properties": {
                "days": { "type": "integer", "description": "How many days ahead; 14 without it" },
                "email": { "type": "string", "description": "Only meetings with this attendee" },
            },
            "required": [],
        })
    }

    async fn call(&self, desk: &Desk<'_>, input: &Input) -> Answer {
        let account = desk.account()?;
        let zone = availability::users_zone(&account).await?;
        let days = input.number("days")?.unwrap_or(14).clamp(1, DAYS_MAX);
        let until = desk.now + SignedDuration::from_hours(24 * days);
        let email = input.text("email")?.map(str::to_owned);
        let mut found = standing(&account, email).await?;
        found.retain(|it| it.start < until && it.end > desk.now);
        let more = found.len() > SHOWN_MAX;
        let shown: Vec<Value> = found
            .iter()
            .take(SHOWN_MAX)
            .map(|it| said::booking(it, &zone))
            .collect();
        let mut answer = json!({
            "now": said::moment(desk.now, &zone), "time_zone": said::zone_name(&zone), "days": days, "meetings": shown,
        });
        if more {
            answer["note"] =
                format!("only the next {SHOWN_MAX} are listed: ask for fewer days").into();
        }
        if found.is_empty() {
            answer["note"] = "no meetings in that time".into();
        }
        Ok(answer)
    }
}

/// Those that are still to come, or wait to be confirmed.
pub async fn standing(account: &Account, email: Option<String>) -> Result<Vec<Booking>, Trouble> {
    let wanted = Wanted {
        standing: vec![Standing::Upcoming, Standing::Unconfirmed],
        attendee_email: email,
        order: Order::EarliestFirst,
        limit: 500,
        ..Wanted::default()
    };
    Ok(account.cal.bookings(&wanted).await?.bookings)
}

/// A number, or a uid.
pub fn id(input: &Input) -> Option<String> {
    let number = input.number("booking_id").ok().flatten();
    let id = number.map(|id| id.to_string());
    id.or_else(|| input.text("booking_id").ok().flatten().map(str::to_owned))
}

/// A booking's uid opens it to anybody, so models get its number only; whoever has the uid may give that.
pub async fn by_id(account: &Account, id: &str) -> Result<Booking, Trouble> {
    let all = standing(account, None).await?;
    let found = all
        .into_iter()
        .find(|it| it.id.to_string() == id || it.uid == id);
    found.ok_or_else(|| {
        Trouble::not_there(
            "there is no upcoming meeting with that id",
            "cal_upcoming lists them; take its booking_id",
        )
    })
}

/// As it is right now, whatever became of it.
pub async fn by_uid(account: &Account, uid: &str) -> Result<Booking, Trouble> {
    Ok(account.cal.booking(uid).await?)
}
