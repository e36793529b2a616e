//! What can be booked with the account's owner. One that is hidden is listed too: its link works.

use domain::outcome::Failure;

use super::errors::{About, Purpose};
use super::{Asked, Cal, EVENT_TYPES};
use crate::cal::json::Json;

const NEAREST_MAX: usize = 3;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventType {
    pub id: i64,
    pub slug: String,
    pub title: String,
    /// As the host wrote it; blank when there is none.
    pub description: String,
    pub minutes: i64,
    /// Where the booker may choose the length: all of them.
    pub minutes_to_choose: Vec<i64>,
    /// The page where it is booked: the link to hand out. Old servers do not tell it.
    pub booking_url: Option<String>,
    pub hidden: bool,
    /// The host confirms each booking.
    pub needs_confirmation: bool,
    pub seats_per_slot: Option<i64>,
    /// How many times a booking of it repeats; one booking is then several.
    pub occurrences: Option<i64>,
    /// In minor units of the currency; free ones have none.
    pub price: Option<(i64, String)>,
    /// How long before the start it can still be booked.
    pub notice_minutes: i64,
    pub venues: Vec<Venue>,
    /// What is asked when it is booked, Cal.com's own questions among it, hidden ones left out.
    pub questions: Vec<Question>,
}

/// Where it may take place. Several let the booker choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Venue {
    /// Cal.com's word: `integration`, `link`, `address`, `phone`, `attendeePhone`, `attendeeAddress` …
    pub kind: String,
    /// "cal-video", the link, the address, the number; blank where the booker tells it.
    pub detail: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    pub slug: String,
    /// Blank for some of Cal.com's own.
    pub label: String,
    pub required: bool,
    /// Where only some answers are taken.
    pub options: Vec<String>,
    pub takes: Takes,
}

/// What an answer has to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Takes {
    #[default]
    Text,
    YesOrNo,
    Number,
    Several,
}

impl EventType {
    /// The length to ask for; `None` where it is the event type's own, or cannot be chosen.
    pub fn length(&self, wanted: Option<i64>) -> Option<i64> {
        wanted.filter(|it| *it != self.minutes && self.minutes_to_choose.contains(it))
    }
}

impl Cal {
    /// All of the account's, in Cal.com's order.
    pub async fn event_types(&self) -> Result<Vec<EventType>, Failure> {
        let purpose = Purpose::read(About::Account, "list the event types");
        let asked = Asked::get("/event-types", Some(EVENT_TYPES));
        let read = self.get(&purpose, asked).await?;
        let Json::List(listed) = read.at("data") else {
            return Err(purpose.older_shape());
        };
        listed
            .iter()
            .map(|it| event_type(it).ok_or_else(|| purpose.older_shape()))
            .collect()
    }

    pub async fn event_type(&self, id: i64) -> Result<EventType, Failure> {
        let purpose = Purpose::read(About::Thing, format!("read event type {id}"));
        let asked = Asked::get(format!("/event-types/{id}"), Some(EVENT_TYPES));
        let read = self.get(&purpose, asked).await?;
        event_type(read.at("data")).ok_or_else(|| purpose.older_shape())
    }
}

/// Those whose slugs are closest to what somebody meant, best first: for a slug that there is not.
pub fn nearest<'a>(event_types: &'a [EventType], meant: &str) -> Vec<&'a EventType> {
    let meant = meant.trim().to_lowercase();
    let mut by_distance: Vec<(usize, &EventType)> = event_types
        .iter()
        .map(|it| {
            let slug = it.slug.to_lowercase();
            let is_part = !meant.is_empty() && (slug.contains(&meant) || meant.contains(&slug));
            let title = it.title.to_lowercase().replace(' ', "-");
            let edits = edits(&slug, &meant).min(edits(&title, &meant));
            (if is_part { 0 } else { edits }, it)
        })
        .collect();
    by_distance.sort_by_key(|(distance, _)| *distance);
    by_distance
        .into_iter()
        .map(|(_, it)| it)
        .take(NEAREST_MAX)
        .collect()
}

/// How many letters have to be put in, taken out or replaced.
fn edits(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().take(100).collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().take(100).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

// An older version calls the length `length`, and lists groups of them.
fn event_type(json: &Json) -> Option<EventType> {
    let text = |key: &str| json.at(key).text();
    let minutes = json.at("lengthInMinutes").integer()?;
    let price = json.at("price").integer().filter(|it| *it > 0);
    Some(EventType {
        id: json.at("id").integer()?,
        slug: text("slug")?,
        title: text("title").unwrap_or_default(),
        description: text("description").unwrap_or_default(),
        minutes,
        minutes_to_choose: json
            .at("lengthInMinutesOptions")
            .items()
            .iter()
            .filter_map(Json::integer)
            .collect(),
        booking_url: text("bookingUrl").filter(|it| it.starts_with("http")),
        hidden: json.at("hidden").is_true(),
        needs_confirmation: enabled(json.at("confirmationPolicy")).is_some(),
        seats_per_slot: enabled(json.at("seats"))
            .and_then(|seats| seats.at("seatsPerTimeSlot").integer()),
        occurrences: enabled(json.at("recurrence"))
            .and_then(|recurrence| recurrence.at("occurrences").integer()),
        price: price.map(|price| (price, text("currency").unwrap_or_default())),
        notice_minutes: json.at("minimumBookingNotice").integer().unwrap_or(0),
        venues: json
            .at("locations")
            .items()
            .iter()
            .filter_map(venue)
            .collect(),
        questions: json
            .at("bookingFields")
            .items()
            .iter()
            .filter_map(question)
            .collect(),
    })
}

/// A setting that was never made is null, one that is off says so.
fn enabled(setting: &Json) -> Option<&Json> {
    (setting.is_object() && !setting.at("disabled").is_true()).then_some(setting)
}

fn venue(json: &Json) -> Option<Venue> {
    let detail = ["integration", "link", "address", "phone", "location"]
        .iter()
        .find_map(|key| json.at(key).text());
    Some(Venue {
        kind: json.at("type").text()?,
        detail: detail.unwrap_or_default(),
    })
}

fn question(json: &Json) -> Option<Question> {
    if json.at("hidden").is_true() {
        return None;
    }
    let option = |it: &Json| it.text().or_else(|| it.at("value").text());
    Some(Question {
        slug: json.at("slug").text()?,
        label: json.at("label").text().unwrap_or_default(),
        required: json.at("required").is_true(),
        options: json
            .at("options")
            .items()
            .iter()
            .filter_map(option)
            .collect(),
        takes: match json.at("type").text().as_deref() {
            Some("boolean") => Takes::YesOrNo,
            Some("number") => Takes::Number,
            Some("checkbox" | "multiselect" | "multiemail") => Takes::Several,
            _ => Takes::Text,
        },
    })
}
