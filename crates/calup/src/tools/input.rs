//! A tool's arguments, as far as they are what its schema says. Models write numbers as texts and leave things empty; what
//! cannot be meant is told in a way that lets them mend it.

use domain::text::one_line;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::Trouble;

const TEXT_CHARS_MAX: usize = 2_000;
/// What is said to somebody is shown whole to whoever confirms it.
const SPOKEN_CHARS_MAX: usize = 500;

#[derive(Debug, Clone, Default)]
pub struct Input {
    values: Map<String, Value>,
}

impl Input {
    pub fn of(arguments: &Value, schema: &Value) -> Result<Self, Trouble> {
        let values = match arguments {
            Value::Object(values) => values.clone(),
            Value::Null => Map::new(),
            _ => {
                return Err(Trouble::input(
                    "the arguments are no JSON object",
                    "send the input as the tool's schema says",
                ));
            }
        };
        let known = schema["properties"].as_object();
        if let Some(foreign) = values
            .keys()
            .find(|name| known.is_none_or(|known| !known.contains_key(*name)))
        {
            let foreign: String = foreign.chars().take(60).collect();
            let known: Vec<&String> = known.into_iter().flat_map(Map::keys).collect();
            let names = known
                .iter()
                .map(|it| it.as_str())
                .collect::<Vec<_>>()
                .join(", ");
            let hint = if names.is_empty() {
                "it takes none".to_owned()
            } else {
                format!("it takes {names}")
            };
            return Err(Trouble::input(
                format!("there is no argument `{foreign}`"),
                &hint,
            ));
        }
        let values = values
            .into_iter()
            .filter(|(_, value)| !is_empty(value))
            .collect();
        let input = Self { values };
        for name in schema["required"].as_array().into_iter().flatten() {
            let name = name.as_str().unwrap_or_default();
            if !input.values.contains_key(name) {
                let what = schema["properties"][name]["description"].as_str();
                let hint = format!("`{name}`: {}", what.unwrap_or("see the tool's schema"));
                return Err(Trouble::input(format!("`{name}` is missing"), &hint));
            }
        }
        Ok(input)
    }

    pub fn text(&self, name: &str) -> Result<Option<&str>, Trouble> {
        match self.values.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.chars().count() <= TEXT_CHARS_MAX => {
                Ok(Some(text.trim()))
            }
            Some(Value::String(_)) => Err(Trouble::input(
                format!("`{name}` is no text of at most {TEXT_CHARS_MAX} characters"),
                "send a shorter text",
            )),
            Some(_) => Err(Trouble::input(
                format!("`{name}` is no text"),
                "send it in quotes",
            )),
        }
    }

    /// In one line, as it is shown and sent.
    pub fn spoken(&self, name: &str) -> Result<Option<String>, Trouble> {
        let Some(words) = self.text(name)? else {
            return Ok(None);
        };
        if words.chars().count() > SPOKEN_CHARS_MAX {
            return Err(Trouble::input(
                format!("`{name}` is longer than {SPOKEN_CHARS_MAX} characters"),
                "send a shorter text",
            ));
        }
        Ok(Some(one_line(words, SPOKEN_CHARS_MAX)))
    }

    pub fn needed(&self, name: &str) -> Result<&str, Trouble> {
        let text = self.text(name)?;
        text.ok_or_else(|| Trouble::input(format!("`{name}` is missing"), "see the tool's schema"))
    }

    pub fn number(&self, name: &str) -> Result<Option<i64>, Trouble> {
        let number = match self.values.get(name) {
            None => return Ok(None),
            Some(Value::Number(number)) => number.as_i64().or_else(|| {
                number
                    .as_f64()
                    .filter(|n| n.fract() == 0.0)
                    .map(|n| n as i64)
            }),
            Some(Value::String(text)) => text.trim().parse().ok(),
            Some(_) => None,
        };
        let wrong = || Trouble::input(format!("`{name}` is no whole number"), "send a number");
        number.map(Some).ok_or_else(wrong)
    }

    pub fn object(&self, name: &str) -> Result<Option<&Map<String, Value>>, Trouble> {
        match self.values.get(name) {
            None => Ok(None),
            Some(Value::Object(values)) => Ok(Some(values)),
            Some(_) => Err(Trouble::input(
                format!("`{name}` is no JSON object"),
                "send the input as the tool's schema says",
            )),
        }
    }

    pub fn date(&self, name: &str) -> Result<Option<Date>, Trouble> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        let day = text.split(['T', ' ']).next().unwrap_or_default();
        let wrong = || Trouble::input(format!("`{name}` is no day"), "send YYYY-MM-DD");
        day.parse().map(Some).map_err(|_| wrong())
    }

    /// An instant with an offset, or a time of day as it is in that zone.
    pub fn instant(&self, name: &str, zone: &TimeZone) -> Result<Timestamp, Trouble> {
        let text = self.needed(name)?;
        if let Ok(at) = text.parse::<Timestamp>() {
            return Ok(at);
        }
        let civil = text
            .parse::<DateTime>()
            .ok()
            .filter(|_| text.contains(['T', ' ']));
        let local = civil.and_then(|civil| civil.to_zoned(zone.clone()).ok());
        local.map(|at| at.timestamp()).ok_or_else(|| {
            Trouble::input(
                format!("`{name}` is no time"),
                "send it as the slots are given, such as 2026-03-12T14:00:00+01:00",
            )
        })
    }

    pub fn zone(&self, name: &str) -> Result<Option<TimeZone>, Trouble> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        let wrong = || {
            Trouble::input(
                format!("`{name}` is no time zone"),
                "send an IANA name, such as America/New_York",
            )
        };
        TimeZone::get(text).map(Some).map_err(|_| wrong())
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        json!({
            "type": "object", "required": ["id"],
            "properties": { "id": { "type": "integer", "description": "an id" }, "day": {}, "at": {}, "note": {} },
        })
    }

    #[test]
    fn what_models_write_is_understood_and_what_they_cannot_mean_is_told() {
        let input = |value: Value| Input::of(&value, &schema());
        let good = input(json!({ "id": "12", "day": "2026-03-12T00:00:00Z", "note": " " }));
        let good = good.expect("good");
        assert_eq!(good.number("id"), Ok(Some(12)));
        assert_eq!(good.date("day"), Ok(Some(jiff::civil::date(2026, 3, 12))));
        assert_eq!(good.text("note"), Ok(None));
        let wrong = |value: Value| input(value).expect_err("wrong").error;
        assert_eq!(wrong(json!({})), "`id` is missing");
        assert_eq!(
            wrong(json!({ "id": 1, "x": 1 })),
            "there is no argument `x`"
        );
        assert_eq!(wrong(json!([1])), "the arguments are no JSON object");
        assert!(
            input(json!({ "id": 1.5 }))
                .expect("an object")
                .number("id")
                .is_err()
        );
        let zone = TimeZone::get("Europe/Stockholm").expect("a zone");
        let at = |text: &str| {
            input(json!({ "id": 1, "at": text }))
                .expect("good")
                .instant("at", &zone)
        };
        let noon: Timestamp = "2026-03-12T11:00:00Z".parse().expect("a time");
        assert_eq!(at("2026-03-12T12:00:00"), Ok(noon));
        assert_eq!(at("2026-03-12 12:00"), Ok(noon));
        assert_eq!(at("2026-03-12T06:00:00-05:00"), Ok(noon));
        assert!(at("2026-03-12").is_err());
        assert!(at("noon").is_err());
    }
}
