//! `cal_free_times`: when the user is free, over event types, in both parties' zones.

use domain::during::{self, During};
use futures_util::future::join_all;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use vendors::cal::api::{Booking, EventType};

use super::{Answer, Desk, Input, Tool, Trouble, availability, book, booking_link, said, upcoming};
use crate::calcom::Account;

/// Each costs a call.
const EVENT_TYPES_MAX: usize = 6;
const TIMES_SHOWN_MAX: usize = 60;

pub struct FreeTimes;

#[async_trait::async_trait]
impl Tool for FreeTimes {
    fn name(&self) -> &'static str {
        "cal_free_times"
    }

    fn title(&self) -> &'static str {
        "Free times"
    }

    fn description(&self) -> &'static str {
        "Says when the user is free, merged over their event types: each time with the event types that can be booked then. \
         `when` is in the user's words and is worked out here, in the user's time zone: \"Tuesday afternoon\", \"tomorrow \
         at 3pm\", \"Tuesday or Thursday between 2 and 4pm\", \"next week\", \"12 March after 14:00\". Give their_time_zone \
         to see the times in the other party's zone too. Say which days and hours were looked at, and what \
         `it_may_also_mean`."
    }

    fn input_schema(&self) -> Value {
        json!({
            "type": "object",
            "properties": {
                "when": { "type": "string", "description": "Days, and perhaps times of day, in plain words; today, without it the next 7 days" },
                "date_from": { "type": "string", "description": "Instead of when: first day, YYYY-MM-DD" },
                "date_to": { "type": "string", "description": "Last day, YYYY-MM-DD; at most 62 days in one call" },
                "event_type_slug": { "type": "string", "description": "Only this event type" },
                "minutes": { "type": "integer", "description": "Only event types of this length" },
                "booking_id": { "type": "string", "description": "A meeting that is to be moved: its own time counts as free" },
                "their_time_zone": { "type": "string", "description": "The other party's zone, such as America/New_York" },
            },
            "required": [],
        })
    }

    async fn call(&self, desk: &Desk<'_>, input: &Input) -> Answer {
        let account = desk.account()?;
        let zone = availability::users_zone(&account).await?;
        let theirs = input.zone("their_time_zone")?;
        let meant = meant(desk, input, &zone)?;
        let moved = match upcoming::id(input) {
            Some(id) => Some(upcoming::by_id(&account, &id).await?),
            None => None,
        };
        let (asked, left_out) = event_types(&account, input, moved.as_ref()).await?;
        let stretches = meant.stretches(&zone);
        let window = availability::window(meant.first(), meant.last(), &zone)?;
        let mut times: Vec<(Timestamp, Vec<&EventType>)> = Vec::new();
        let minutes = input.number("minutes")?;
        let slots = join_all(asked.iter().map(|event_type| {
            let minutes = event_type.length(minutes);
            let instead_of = moved.as_ref().map(|it| it.uid.clone());
            availability::slots(&account, event_type.id, window, &zone, minutes, instead_of)
        }))
        .await;
        let mut notes = Vec::new();
        let mut failed = Vec::new();
        let day = |at: Timestamp| at.to_zoned(zone.clone()).date();
        let days: Vec<_> = stretches.iter().map(|(begin, _)| day(*begin)).collect();
        let mut outside = Vec::new();
        for (event_type, slots) in asked.iter().zip(slots) {
            let slots = match slots {
                Ok(slots) => slots,
                Err(failure) => {
                    notes.push(format!(
                        "`{}` was not looked at: {failure}",
                        event_type.slug
                    ));
                    failed.push(failure);
                    continue;
                }
            };
            for slot in slots {
                let is_in = |(begin, end): &(Timestamp, Timestamp)| {
                    *begin <= slot.start && slot.start < *end
                };
                if !stretches.iter().any(is_in) {
                    if days.contains(&day(slot.start)) {
                        outside.push(slot.start);
                    }
                    continue;
                }
                match times.binary_search_by_key(&slot.start, |(at, _)| *at) {
                    Ok(at) => times[at].1.push(event_type),
                    Err(at) => times.insert(at, (slot.start, vec![event_type])),
                }
            }
        }
        if failed.len() == asked.len()
            && let Some(first) = failed.into_iter().next()
        {
            return Err(first.into());
        }
        let shown: Vec<Value> = times
            .iter()
            .take(TIMES_SHOWN_MAX)
            .map(|(at, fits)| {
                let mut shown = json!({
                    "start": said::at(*at, &zone),
                    "fits": fits.iter().map(|it| it.slug.as_str()).collect::<Vec<_>>(),
                });
                if let Some(theirs) = &theirs {
                    shown["their_time"] = said::at(*at, theirs).into();
                }
                shown
            })
            .collect();
        let mut answer = json!({
            "now": said::moment(desk.now, &zone),
            "looked_at": format!("{meant}, {}", said::zone_name(&zone)), "time_zone": said::zone_name(&zone), "free": times.len(), "times": shown,
            "event_types": asked.iter().map(said::event_type).collect::<Vec<_>>(),
        });
        if let Some(theirs) = &theirs {
            answer["their_time_zone"] = said::zone_name(theirs).into();
        }
        if let Some(or) = &meant.or {
            answer["it_may_also_mean"] = or.as_str().into();
        }
        if times.len() > TIMES_SHOWN_MAX {
            notes.push(format!(
                "only the first {TIMES_SHOWN_MAX} times are listed: ask for fewer days"
            ));
        }
        if left_out > 0 {
            notes.push(format!(
                "{left_out} more event types were not looked at: name one"
            ));
        }
        if times.is_empty() && outside.is_empty() {
            notes.push(availability::why_none(desk, &account, &window).await);
        } else if times.is_empty() {
            let wanted: Vec<_> = stretches.iter().map(|(begin, _)| *begin).collect();
            outside.sort_unstable();
            outside.dedup();
            notes.push(format!(
                "nothing can be booked in these hours; of those days' {} other times, the nearest are listed",
                outside.len()
            ));
            answer["nearest"] = said::nearest(outside, &wanted, &zone).into();
        }
        if !notes.is_empty() {
            answer["note"] = notes.join("; ").into();
        }
        Ok(answer)
    }
}

fn meant(desk: &Desk<'_>, input: &Input, zone: &TimeZone) -> Result<During, Trouble> {
    let now = desk.now.to_zoned(zone.clone());
    if let Some(when) = input.text("when")? {
        return during::during(when, &now).map_err(|why| {
            let hint = format!(
                "say it like one of these: {}; or give date_from and date_to",
                during::EXAMPLES
            );
            Trouble::input(why.to_string(), &hint)
        });
    }
    let first = input.date("date_from")?.unwrap_or(now.date());
    let week = first
        .checked_add(jiff::Span::new().days(6))
        .unwrap_or(first);
    let last = input.date("date_to")?.unwrap_or(week);
    During::days(first, last).map_err(|why| {
        Trouble::input(
            why.to_string(),
            "send other days, YYYY-MM-DD, and more of them in several calls",
        )
    })
}

async fn event_types(
    account: &Account,
    input: &Input,
    moved: Option<&Booking>,
) -> Result<(Vec<EventType>, usize), Trouble> {
    let minutes = input.number("minutes")?;
    if let Some(slug) = input.text("event_type_slug")? {
        let event_type = booking_link::by_slug(account, slug).await?;
        book::length(&event_type, minutes)?;
        return Ok((vec![event_type], 0));
    }
    let all = account.event_types().await?;
    let is_its = |it: &&EventType| moved.is_some_and(|moved| moved.event_type_id == Some(it.id));
    if let Some(its) = all.iter().find(is_its) {
        return Ok((vec![its.clone()], 0));
    }
    let fits = |it: &&EventType| {
        minutes
            .is_none_or(|minutes| it.minutes == minutes || it.minutes_to_choose.contains(&minutes))
    };
    let mut asked: Vec<EventType> = all
        .iter()
        .filter(|it| !it.hidden)
        .filter(fits)
        .cloned()
        .collect();
    if asked.is_empty() {
        let all: Vec<Value> = all.iter().map(said::event_type).collect();
        return Err(
            Trouble::not_there("no event type fits", "take one of these, by its slug")
                .with(json!({ "event_types": all })),
        );
    }
    let left_out = asked.len().saturating_sub(EVENT_TYPES_MAX);
    asked.truncate(EVENT_TYPES_MAX);
    Ok((asked, left_out))
}
