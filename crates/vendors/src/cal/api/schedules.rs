//! When the account's owner works.

use domain::outcome::Failure;
use jiff::civil::{Date, Time};

use super::errors::{About, Purpose};
use super::{Asked, Cal, SCHEDULES};
use crate::cal::json::Json;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    pub id: i64,
    pub name: String,
    /// An IANA name as sent.
    pub time_zone: String,
    pub is_default: bool,
    pub hours: Vec<Hours>,
    pub exceptions: Vec<Exception>,
}

/// From then to then on each of these days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours {
    /// "Monday" …
    pub days: Vec<String>,
    pub from: Time,
    pub until: Time,
}

/// The hours of one date, in place of its week day's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    pub date: Date,
    pub from: Time,
    pub until: Time,
}

impl Cal {
    pub async fn schedules(&self) -> Result<Vec<Schedule>, Failure> {
        let purpose = Purpose::read(About::Account, "list the schedules");
        let asked = Asked::get("/schedules", Some(SCHEDULES));
        let read = self.get(&purpose, asked).await?;
        let Json::List(listed) = read.at("data") else {
            return Err(purpose.older_shape());
        };
        listed
            .iter()
            .map(|it| schedule(it).ok_or_else(|| purpose.older_shape()))
            .collect()
    }

    pub async fn default_schedule(&self) -> Result<Schedule, Failure> {
        let purpose = Purpose::read(About::Account, "read the default schedule");
        let asked = Asked::get("/schedules/default", Some(SCHEDULES));
        let read = self.get(&purpose, asked).await?;
        schedule(read.at("data")).ok_or_else(|| purpose.older_shape())
    }
}

// In an older version there is no `overrides`, and days are numbers.
fn schedule(json: &Json) -> Option<Schedule> {
    let Json::List(exceptions) = json.at("overrides") else {
        return None;
    };
    Some(Schedule {
        id: json.at("id").integer()?,
        name: json.at("name").text().unwrap_or_default(),
        time_zone: json.at("timeZone").text()?,
        is_default: json.at("isDefault").is_true(),
        hours: json
            .at("availability")
            .items()
            .iter()
            .filter_map(hours)
            .collect(),
        exceptions: exceptions.iter().filter_map(exception).collect(),
    })
}

fn hours(json: &Json) -> Option<Hours> {
    Some(Hours {
        days: json
            .at("days")
            .items()
            .iter()
            .filter_map(Json::text)
            .collect(),
        from: time(json.at("startTime"))?,
        until: time(json.at("endTime"))?,
    })
}

fn exception(json: &Json) -> Option<Exception> {
    Some(Exception {
        date: json.at("date").text()?.parse().ok()?,
        from: time(json.at("startTime"))?,
        until: time(json.at("endTime"))?,
    })
}

fn time(json: &Json) -> Option<Time> {
    json.text()?.parse().ok()
}
