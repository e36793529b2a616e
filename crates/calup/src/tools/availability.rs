//! `cal_check_availability`: the free slots of one event type, in whole days of the user's own zone.

use domain::outcome::Failure;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use vendors::cal::api::{EventType, Slot, SlotsWanted, Window};

use super::{Answer, Desk, Input, Tool, Trouble, said};
use crate::calcom::Account;

/// More are counted, and not listed.
const SLOTS_SHOWN_MAX: usize = 200;

pub struct Availability;

#[async_trait::async_trait]
impl Tool for Availability {
    fn name(&self) -> &'static str {
        "cal_check_availability"
    }

    fn title(&self) -> &'static str {
        "Free slots of an event type"
    }

    fn description(&self) -> &'static str {
        "Lists when an event type can be booked, from date_from to date_to, both included: whole days in the user's own time \
         zone. Slots are given with their offset; give a slot's start as it is to cal_book."
    }

    fn input_schema(&self) -> Value {
        json!({
            "type": "object",
            "properties": {
                "event_type_id": { "type": "integer", "description": "The event type's id, from cal_get_event_types" },
                "date_from": { "type": "string", "description": "First day, YYYY-MM-DD" },
                "date_to": { "type": "string", "description": "Last day, YYYY-MM-DD" },
            },
            "required": ["event_type_id", "date_from", "date_to"],
        })
    }

    async fn call(&self, desk: &Desk<'_>, input: &Input) -> Answer {
        let account = desk.account()?;
        let id = input.number("event_type_id")?.unwrap_or_default();
        let (Some(first), Some(last)) = (input.date("date_from")?, input.date("date_to")?) else {
            return Err(Trouble::input("a day is missing", "send YYYY-MM-DD"));
        };
        let event_type = by_id(&account, id).await?;
        let zone = users_zone(&account).await?;
        let window = window(first, last, &zone)?;
        let slots = slots(&account, id, window, &zone, None, None).await?;
        let mut answer = json!({
            "event_type": { "id": id, "slug": event_type.slug, "title": event_type.title, "minutes": event_type.minutes },
            "now": said::moment(desk.now, &zone), "time_zone": said::zone_name(&zone),
            "date_from": first.to_string(), "date_to": last.to_string(),
            "slots": slots.len(), "days": by_day(&slots, event_type.minutes, &zone),
        });
        if slots.len() > SLOTS_SHOWN_MAX {
            answer["note"] =
                format!("only the first {SLOTS_SHOWN_MAX} slots are listed: ask for fewer days")
                    .into();
        }
        if slots.is_empty() {
            answer["note"] = why_none(desk, &account, &window).await.into();
        }
        Ok(answer)
    }
}

pub async fn slots(
    account: &Account,
    event_type_id: i64,
    window: Window,
    zone: &TimeZone,
    minutes: Option<i64>,
    instead_of: Option<String>,
) -> Result<Vec<Slot>, Failure> {
    let wanted = SlotsWanted {
        event_type_id,
        window,
        time_zone: Some(said::zone_name(zone).to_owned()),
        minutes,
        instead_of,
    };
    account.cal.slots(&wanted).await
}

pub async fn users_zone(account: &Account) -> Result<TimeZone, Trouble> {
    let name = account.me().await?.time_zone.clone();
    Ok(TimeZone::get(&name).unwrap_or(TimeZone::UTC))
}

pub fn window(first: Date, last: Date, zone: &TimeZone) -> Result<Window, Trouble> {
    Window::days(first, last, zone)
        .map_err(|why| Trouble::input(why.to_string(), "send other days, YYYY-MM-DD"))
}

pub async fn by_id(account: &Account, id: i64) -> Result<EventType, Trouble> {
    let all = account.event_types().await?;
    let found = all.iter().find(|it| it.id == id).cloned();
    found.ok_or_else(|| {
        let all: Vec<Value> = all
            .iter()
            .map(|it| json!({ "id": it.id, "slug": it.slug, "title": it.title }))
            .collect();
        Trouble::not_there(
            format!("there is no event type {id}"),
            "take one of these ids",
        )
        .with(json!({ "event_types": all }))
    })
}

fn by_day(slots: &[Slot], minutes: i64, zone: &TimeZone) -> Vec<Value> {
    let mut days: Vec<(Date, Vec<Value>)> = Vec::new();
    for slot in slots.iter().take(SLOTS_SHOWN_MAX) {
        let start = slot.start.to_zoned(zone.clone());
        let end = slot
            .end
            .unwrap_or(slot.start + jiff::SignedDuration::from_mins(minutes));
        let mut shown = json!({ "start": said::at(slot.start, zone), "end": said::at(end, zone) });
        if let Some(left) = slot.seats_left {
            shown["seats_left"] = left.into();
        }
        match days.last_mut().filter(|(day, _)| *day == start.date()) {
            Some((_, all)) => all.push(shown),
            None => days.push((start.date(), vec![shown])),
        }
    }
    let shown = |(day, slots): (Date, Vec<Value>)| json!({ "date": day.to_string(), "weekday": day.strftime("%A").to_string(), "slots": slots });
    days.into_iter().map(shown).collect()
}

/// No slot may also mean that a calendar cannot be read.
pub async fn why_none(desk: &Desk<'_>, account: &Account, window: &Window) -> String {
    if window.until <= desk.now {
        return "no slots: these days are past".to_owned();
    }
    let Ok(calendars) = account.cal.calendars().await else {
        return "no open slots were returned for these days; whether Cal.com can read the user's calendars could not be checked".to_owned();
    };
    match calendars.iter().find(|calendar| !calendar.works) {
        Some(broken) => format!(
            "no slots, and Cal.com cannot read the calendar {}: it may be connected anew at Cal.com under Apps → Calendar",
            broken.name
        ),
        None => "no slots in these days: the user is busy, or not available by their schedule"
            .to_owned(),
    }
}
