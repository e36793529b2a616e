//! When the host works.

use jiff::Timestamp;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::routes::{Outcome, not_found, success};
use super::state::State;

#[derive(Clone, Debug)]
pub struct Schedule {
    pub id: u64,
    pub name: String,
    pub time_zone: String,
    pub hours: Vec<(Vec<Weekday>, Time, Time)>,
    /// The hours of one date, in place of its week day's; none at all when both are the same.
    pub overrides: Vec<(Date, Time, Time)>,
}

const WEEK: [(Weekday, &str); 7] = [
    (Weekday::Monday, "Monday"),
    (Weekday::Tuesday, "Tuesday"),
    (Weekday::Wednesday, "Wednesday"),
    (Weekday::Thursday, "Thursday"),
    (Weekday::Friday, "Friday"),
    (Weekday::Saturday, "Saturday"),
    (Weekday::Sunday, "Sunday"),
];

impl Schedule {
    /// Monday to Friday from nine to five.
    pub fn working_hours(time_zone: &str) -> Self {
        let days = WEEK[..5].iter().map(|(day, _)| *day).collect();
        let hour = |hour| Time::constant(hour, 0, 0, 0);
        Self {
            id: 1,
            name: "Working hours".to_owned(),
            time_zone: time_zone.to_owned(),
            hours: vec![(days, hour(9), hour(17))],
            overrides: Vec::new(),
        }
    }

    /// The spans of that date in which the host works.
    pub(super) fn spans(&self, date: Date) -> Vec<(Timestamp, Timestamp)> {
        let zone = TimeZone::get(&self.time_zone).unwrap_or(TimeZone::UTC);
        let at = |time: Time| {
            let zoned = date.to_datetime(time).to_zoned(zone.clone());
            zoned.expect("a near date").timestamp()
        };
        let own: Vec<_> = self.overrides.iter().filter(|it| it.0 == date).collect();
        let spans: Vec<(Time, Time)> = if own.is_empty() {
            let today = self
                .hours
                .iter()
                .filter(|it| it.0.contains(&date.weekday()));
            today.map(|(_, from, until)| (*from, *until)).collect()
        } else {
            own.into_iter()
                .map(|(_, from, until)| (*from, *until))
                .collect()
        };
        spans
            .into_iter()
            .map(|(from, until)| (at(from), at(until)))
            .filter(|(from, until)| from < until)
            .collect()
    }

    fn view(&self, state: &State, is_new: bool) -> Value {
        let clock = |time: Time| time.strftime("%H:%M").to_string();
        let named = |days: &[Weekday]| -> Value {
            WEEK.iter()
                .enumerate()
                .filter(|(_, (day, _))| days.contains(day))
                .map(|(n, (_, name))| {
                    if is_new {
                        json!(name)
                    } else {
                        json!((n + 1) % 7)
                    }
                })
                .collect()
        };
        let hours = self.hours.iter().map(|(days, from, until)| {
            json!({"days": named(days), "startTime": clock(*from), "endTime": clock(*until)})
        });
        let mut view = json!({
            "id": self.id,
            "ownerId": state.config.host.id,
            "name": self.name,
            "timeZone": self.time_zone,
            "availability": hours.collect::<Value>(),
            "isDefault": self.id == state.schedules[0].id,
        });
        if is_new {
            let overrides = self.overrides.iter().map(|(date, from, until)| {
                json!({"date": date.to_string(), "startTime": clock(*from), "endTime": clock(*until)})
            });
            view["overrides"] = overrides.collect();
        }
        view
    }
}

pub(super) fn list(state: &State, is_new: bool) -> Outcome {
    let all = state.schedules.iter().map(|it| it.view(state, is_new));
    success(all.collect())
}

pub(super) fn default(state: &State, is_new: bool) -> Outcome {
    success(state.schedules[0].view(state, is_new))
}

pub(super) fn get(state: &State, id: &str, is_new: bool) -> Outcome {
    let found = state.schedules.iter().find(|it| it.id.to_string() == id);
    match found {
        Some(schedule) => success(schedule.view(state, is_new)),
        None => not_found(&format!("Schedule with id={id} not found")),
    }
}
