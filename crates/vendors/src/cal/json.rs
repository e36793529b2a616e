//! JSON read with patience: keys stay in the order sent, a number may stand for a text and a text for a number,
//! and what is missing, null or of another type is simply not there. Nothing here knows what Cal.com means.

use std::fmt;

use domain::text;
use jiff::Timestamp;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::surrogates::with_whole_surrogates;

/// Beyond this no text is of use to anybody; what is shown is cut much shorter, by the wording.
pub const TEXT_CHARS_MAX: usize = 10_000;

/// Smaller numbers are no milliseconds of our times but seconds, days or nonsense.
const EPOCH_MS_MIN: i64 = 100_000_000_000;

#[derive(Debug)]
pub enum Json {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

static NULL: Json = Json::Null;

/// The body as text: whatever is no UTF-8 is replaced, a byte order mark and NULs are dropped.
pub fn text_of(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    text.trim_start_matches('\u{feff}').replace('\0', "")
}

/// Fails on what is no JSON, and on more than 128 levels of it.
pub fn read(text: &str) -> serde_json::Result<Json> {
    serde_json::from_str(&with_whole_surrogates(text))
}

impl Json {
    /// The value under that key, the last one where a key comes twice; null where there is none.
    pub fn at(&self, key: &str) -> &Json {
        let Self::Object(entries) = self else {
            return &NULL;
        };
        let found = entries.iter().rev().find(|(k, _)| k == key);
        found.map_or(&NULL, |(_, value)| value)
    }

    pub fn entries(&self) -> &[(String, Json)] {
        match self {
            Self::Object(entries) => entries,
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::List(_) => &[],
        }
    }

    pub fn items(&self) -> &[Json] {
        match self {
            Self::List(items) => items,
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::Object(_) => &[],
        }
    }

    /// For showing; of a key that stands twice the last counts.
    pub fn value(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Bool(yes) => (*yes).into(),
            Self::Number(text) => text
                .parse::<serde_json::Number>()
                .map_or_else(|_| text.clone().into(), serde_json::Value::Number),
            Self::Text(text) => text.clone().into(),
            Self::List(items) => items.iter().map(Self::value).collect(),
            Self::Object(entries) => entries
                .iter()
                .map(|(key, value)| (key.clone(), value.value()))
                .collect(),
        }
    }

    pub fn is_object(&self) -> bool {
        matches!(self, Self::Object(_))
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// A text or number, trimmed and cut; nothing where it is blank.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Text(text) | Self::Number(text) => {
                let text = text.trim();
                (!text.is_empty()).then(|| text::cut(text, TEXT_CHARS_MAX))
            }
            Self::Null | Self::Bool(_) | Self::List(_) | Self::Object(_) => None,
        }
    }

    pub fn integer(&self) -> Option<i64> {
        let text = self.text()?;
        let whole = text.strip_suffix(".0").unwrap_or(&text);
        whole.parse().ok()
    }

    pub fn is_true(&self) -> bool {
        match self {
            Self::Bool(is_true) => *is_true,
            Self::Text(text) => text.trim().eq_ignore_ascii_case("true"),
            Self::Null | Self::Number(_) | Self::List(_) | Self::Object(_) => false,
        }
    }

    /// An instant: ISO 8601 with any offset, or the milliseconds that a JavaScript date is. A time without an
    /// offset is none.
    pub fn time(&self) -> Option<Timestamp> {
        let text = self.text()?;
        if let Some(ms) = self.integer() {
            let ms = Some(ms).filter(|ms| *ms >= EPOCH_MS_MIN)?;
            return Timestamp::from_millisecond(ms).ok();
        }
        text.parse().ok()
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Number(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.replace('\0', "")))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Json::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, value)) = map.next_entry::<String, Json>()? {
            entries.push((key.replace('\0', ""), value));
        }
        Ok(Json::Object(entries))
    }
}
