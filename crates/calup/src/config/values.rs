//! Settings by name, as they were given, and what each may be read as.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use domain::event::Trigger;

use super::profiles::is_of_profile;
use super::rules::{on_name, text_name};
use super::{DEFAULTS, Wrong};

#[derive(Debug, Clone)]
pub(super) enum Value {
    Text(String),
    List(Vec<String>),
}

pub(super) fn table(text: &str, name: &str) -> Result<BTreeMap<String, Value>, Wrong> {
    let parsed: toml::Table = text
        .parse()
        .map_err(|e: toml::de::Error| Wrong(format!("{name} cannot be read: {}", e.message())))?;
    parsed
        .into_iter()
        .map(|(key, value)| {
            let value = match value {
                toml::Value::Array(items) => {
                    Value::List(items.into_iter().filter_map(scalar).collect())
                }
                other => Value::Text(scalar(other).ok_or_else(|| {
                    Wrong(format!(
                        "{name}: `{key}` must be text, a number or a list of these"
                    ))
                })?),
            };
            Ok((key.to_lowercase(), value))
        })
        .collect()
}

fn scalar(value: toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Float(number) => Some(number.to_string()),
        toml::Value::Boolean(yes) => Some(yes.to_string()),
        toml::Value::Array(_) | toml::Value::Datetime(_) | toml::Value::Table(_) => None,
    }
}

pub(super) fn nearest<'a>(name: &str, all: impl Iterator<Item = &'a String>) -> String {
    near(name, all)
        .map(|other| format!(" (did you mean `{other}`?)"))
        .unwrap_or_default()
}

/// The one that was nearly written, if any was.
fn near<'a>(name: &str, all: impl Iterator<Item = &'a String>) -> Option<&'a String> {
    let edits = |other: &String| strsim::damerau_levenshtein(name, other);
    all.min_by_key(|other| edits(other))
        .filter(|other| edits(other) <= name.len() / 4)
}

/// By name; secrets among them.
#[derive(Clone, Default)]
pub struct Settings(pub(super) BTreeMap<String, Value>);

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Settings")
    }
}

impl Settings {
    /// As they are when nothing is set.
    pub(super) fn documented() -> Result<Self, Wrong> {
        let mut values = table(DEFAULTS, "calup.default.toml")?;
        for trigger in Trigger::FOLLOWED {
            for name in [on_name(&trigger), text_name(&trigger)] {
                values.entry(name).or_insert(Value::Text(String::new()));
            }
        }
        Ok(Self(values))
    }

    pub fn knows(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// For whoever misspelt one.
    pub fn nearest(&self, name: &str) -> String {
        nearest(name, self.0.keys().filter(|it| is_of_profile(it)))
    }

    /// Of these names of variables those that are nearly a setting's, and that nothing reads.
    pub fn misspelt(&self, variables: impl Iterator<Item = String>) -> Vec<String> {
        let mut said: Vec<String> = variables
            .filter_map(|variable| {
                let name = variable.to_lowercase();
                let meant = near(&name, self.0.keys()).filter(|meant| **meant != name)?;
                Some(format!(
                    "{variable} is set and is no setting: {} may be meant",
                    meant.to_uppercase()
                ))
            })
            .collect();
        said.sort();
        said
    }

    pub(super) fn text(&self, name: &str) -> String {
        match self.0.get(name) {
            Some(Value::Text(text)) => text.trim().to_owned(),
            Some(Value::List(items)) => items.join(","),
            None => String::new(),
        }
    }

    pub(super) fn some(&self, name: &str) -> Option<String> {
        Some(self.text(name)).filter(|t| !t.is_empty())
    }

    pub(super) fn status(&self, name: &str) -> Option<String> {
        self.some(name).filter(|s| !s.eq_ignore_ascii_case("off"))
    }

    pub(super) fn list(&self, name: &str) -> Vec<String> {
        let items = match self.0.get(name) {
            Some(Value::Text(text)) => text.split(',').map(ToOwned::to_owned).collect(),
            Some(Value::List(items)) => items.clone(),
            None => Vec::new(),
        };
        items
            .iter()
            .map(|i| i.trim().to_owned())
            .filter(|i| !i.is_empty())
            .collect()
    }

    pub(super) fn seconds(&self, name: &str) -> Result<Duration, Wrong> {
        let text = self.text(name);
        text.parse::<f64>()
            .ok()
            .filter(|s| s.is_finite() && (0.0..=31_536_000.0).contains(s))
            .map(Duration::from_secs_f64)
            .ok_or_else(|| {
                Wrong(format!(
                    "{} is `{text}`; it must be a number of seconds",
                    name.to_uppercase()
                ))
            })
    }

    pub(super) fn hours(&self, name: &str) -> Result<Duration, Wrong> {
        let text = self.text(name);
        text.parse::<f64>()
            .ok()
            .filter(|h| h.is_finite() && (0.0..=8_760.0).contains(h))
            .map(|h| Duration::from_secs_f64(h * 3_600.0))
            .ok_or_else(|| {
                Wrong(format!(
                    "{} is `{text}`; it must be a number of hours, a year at most",
                    name.to_uppercase()
                ))
            })
    }

    pub(super) fn url(&self, name: &str) -> Result<String, Wrong> {
        let text = self.text(name);
        let url = text
            .trim_end_matches('/')
            .trim_end_matches("/v2")
            .to_owned();
        if url.starts_with("https://") || url.starts_with("http://") {
            Ok(url)
        } else {
            Err(Wrong(format!(
                "{} is `{text}`; it must begin with https:// (or http://)",
                name.to_uppercase()
            )))
        }
    }
}
