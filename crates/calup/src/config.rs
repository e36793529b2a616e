//! The settings: `calup.default.toml`, then `calup.toml`, then the environment; the last one wins.

mod profiles;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, SystemTime};

use domain::event::Trigger;
use domain::profile::{Guests, Parts, Profile};
use domain::template;
use secrecy::SecretString;
use store::rows::DEFAULT_PROFILE;

pub use profiles::is_of_profile;

/// The documented defaults, which `calup config` prints.
pub const DEFAULTS: &str = include_str!("../../../calup.default.toml");
/// Read from the working directory.
pub const FILE: &str = "calup.toml";

/// Everything that `serve` needs to know.
#[derive(Debug, Clone)]
pub struct Config {
    pub database_url: String,
    pub listen: SocketAddr,
    pub public_url: String,
    /// Else it is the listening one.
    pub is_public_url_set: bool,
    pub master_key: Option<SecretString>,
    pub webhook_secrets: Vec<SecretString>,
    pub clickup: ClickUp,
    pub calcom: CalCom,
    pub claude: Claude,
    pub slack: Option<Slack>,
    /// How long a question stays open; zero asks nobody.
    pub question_patience: Duration,
    /// How often the index asks for what was changed.
    pub index_every: Duration,
    /// How often ClickUp's webhooks are looked after; zero wants none.
    pub hooks_every: Duration,
    pub profile: Profile,
    pub late_apply: Duration,
    pub index_lag: Duration,
    pub lease: Duration,
    /// How often what may stand twice is looked for.
    pub sweep: Duration,
    /// How long a note waits for its booking.
    pub unknown_booking: Duration,
    /// As they were given: other profiles' are made from them.
    pub settings: Settings,
}

#[derive(Debug, Clone)]
pub struct ClickUp {
    pub token: Option<SecretString>,
    pub api_url: String,
    pub team_id: Option<String>,
    pub email_field: String,
}

/// The assistant's way into Cal.com.
#[derive(Debug, Clone)]
pub struct CalCom {
    pub api_key: Option<SecretString>,
    pub api_url: String,
    pub app_url: String,
    /// OAuth.
    pub client_id: Option<String>,
    pub client_secret: Option<SecretString>,
}

/// The chat's model.
#[derive(Debug, Clone)]
pub struct Claude {
    pub api_key: Option<SecretString>,
    pub base_url: String,
    pub model: String,
}

/// Where people are asked.
#[derive(Debug, Clone)]
pub struct Slack {
    pub bot_token: SecretString,
    pub app_token: Option<SecretString>,
    pub signing_secret: Option<SecretString>,
    pub channel: String,
    pub api_url: String,
}

/// What is wrong with a setting, as a sentence that says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Wrong(String);

impl Config {
    /// From the working directory's `calup.toml` and this process's environment.
    pub fn load() -> Result<Self, Wrong> {
        let file = match std::fs::read_to_string(FILE) {
            Ok(text) => Some(text),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
            Err(e) => return Err(Wrong(format!("could not read {FILE}: {e}"))),
        };
        Self::from(file.as_deref(), |name| std::env::var(name).ok())
    }

    pub fn from(file: Option<&str>, env: impl Fn(&str) -> Option<String>) -> Result<Self, Wrong> {
        let Settings(mut values) = Settings::documented()?;
        if let Some(text) = file {
            for (name, value) in table(text, FILE)? {
                if !values.contains_key(&name) {
                    let hint = nearest(&name, values.keys());
                    return Err(Wrong(format!(
                        "{FILE} has an unknown setting `{name}`{hint}; `calup config` prints all of them"
                    )));
                }
                values.insert(name, value);
            }
        }
        for (name, value) in &mut values {
            if let Some(set) = env(&name.to_uppercase()) {
                *value = Value::Text(set);
            }
        }
        Settings(values).config()
    }

    pub fn is_default_profile(&self) -> bool {
        self.profile.name == DEFAULT_PROFILE
    }

    /// A third of the lease, 20 s at most.
    pub fn call_timeout(&self) -> Duration {
        (self.lease / 3).min(Duration::from_secs(20))
    }
}

fn on_name(trigger: &Trigger) -> String {
    format!("calup_on_{}", trigger.name().to_lowercase())
}

fn text_name(trigger: &Trigger) -> String {
    format!("calup_text_{}", trigger.name().to_lowercase())
}

/// When the file last changed, to notice new secrets without a restart.
pub fn file_changed() -> Option<SystemTime> {
    Path::new(FILE).metadata().and_then(|m| m.modified()).ok()
}

#[derive(Debug, Clone)]
enum Value {
    Text(String),
    List(Vec<String>),
}

fn table(text: &str, name: &str) -> Result<BTreeMap<String, Value>, Wrong> {
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

fn nearest<'a>(name: &str, all: impl Iterator<Item = &'a String>) -> String {
    let common = |other: &str| {
        other
            .split('_')
            .filter(|w| name.split('_').any(|n| n == *w))
            .count()
    };
    all.max_by_key(|other| common(other))
        .filter(|other| common(other) > 0)
        .map(|other| format!(" (did you mean `{other}`?)"))
        .unwrap_or_default()
}

/// By name; secrets among them.
#[derive(Clone, Default)]
pub struct Settings(BTreeMap<String, Value>);

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Settings")
    }
}

impl Settings {
    /// As they are when nothing is set.
    fn documented() -> Result<Self, Wrong> {
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

    fn config(&self) -> Result<Config, Wrong> {
        let listen: SocketAddr = self.text("calup_listen").parse().map_err(|_| {
            Wrong(format!(
                "CALUP_LISTEN is `{}`; it must be an address and a port, such as 127.0.0.1:8787",
                self.text("calup_listen")
            ))
        })?;
        let public_url = self.some("calup_public_url");
        let is_public_url_set = public_url.is_some();
        let public_url = public_url.unwrap_or_else(|| format!("http://{listen}"));
        let lease = self.seconds("calup_lease_seconds")?;
        if lease < Duration::from_secs(3) {
            return Err(Wrong("CALUP_LEASE_SECONDS must be at least 3".into()));
        }
        Ok(Config {
            database_url: self.text("database_url"),
            listen,
            public_url: public_url.trim_end_matches('/').to_owned(),
            is_public_url_set,
            master_key: self.some("calup_master_key").map(Into::into),
            webhook_secrets: self
                .list("calcom_webhook_secret")
                .into_iter()
                .map(Into::into)
                .collect(),
            clickup: ClickUp {
                token: self.some("clickup_api_token").map(Into::into),
                api_url: self.url("clickup_api_url")?,
                team_id: self.some("clickup_team_id"),
                email_field: self
                    .some("clickup_email_field")
                    .unwrap_or_else(|| "Email".into()),
            },
            calcom: CalCom {
                api_key: self.some("calcom_api_key").map(Into::into),
                api_url: self.url("calcom_api_url")?,
                app_url: self.url("calcom_app_url")?,
                client_id: self.some("calcom_client_id"),
                client_secret: self.some("calcom_client_secret").map(Into::into),
            },
            claude: Claude {
                api_key: self.some("anthropic_api_key").map(Into::into),
                base_url: self.url("anthropic_base_url")?,
                model: self.text("calup_model"),
            },
            slack: self.slack()?,
            question_patience: self.hours("calup_question_hours")?,
            index_every: self
                .seconds("calup_index_seconds")?
                .max(Duration::from_secs(1)),
            hooks_every: self.hooks_every()?,
            profile: self.profile()?,
            late_apply: self.seconds("calup_late_apply_seconds")?,
            index_lag: self.seconds("calup_index_lag_seconds")?,
            lease,
            sweep: self.seconds("calup_sweep_seconds")?,
            unknown_booking: self.seconds("calup_unknown_booking_seconds")?,
            settings: self.clone(),
        })
    }

    fn hooks_every(&self) -> Result<Duration, Wrong> {
        let every = self.seconds("calup_hook_seconds")?;
        if !every.is_zero() && every < Duration::from_secs(1) {
            return Err(Wrong(
                "CALUP_HOOK_SECONDS must be at least 1, or 0 for no webhooks".into(),
            ));
        }
        Ok(every)
    }

    /// `None` without a token: questions then wait for `calup questions` and the API.
    fn slack(&self) -> Result<Option<Slack>, Wrong> {
        let api_url = self.url("slack_api_url")?;
        let Some(bot_token) = self.some("slack_bot_token") else {
            return Ok(None);
        };
        let channel = self.some("slack_channel").ok_or_else(|| {
            Wrong("SLACK_BOT_TOKEN is set, but SLACK_CHANNEL is not: set it to the id or name of the channel to ask in".into())
        })?;
        Ok(Some(Slack {
            bot_token: bot_token.into(),
            app_token: self.some("slack_app_token").map(Into::into),
            signing_secret: self.some("slack_signing_secret").map(Into::into),
            channel,
            api_url,
        }))
    }

    fn profile(&self) -> Result<Profile, Wrong> {
        let guests = match self.text("calup_guests").trim() {
            "ignore" | "" => Guests::Ignore,
            "match" => Guests::Match,
            other => {
                return Err(Wrong(format!(
                    "CALUP_GUESTS is `{other}`; it must be ignore or match"
                )));
            }
        };
        Ok(Profile {
            name: DEFAULT_PROFILE.into(),
            match_list_ids: self.list("clickup_match_list_ids"),
            inbound_list_id: self.some("clickup_inbound_list_id").unwrap_or_default(),
            status_booked: self.status("clickup_status_booked"),
            status_cancelled: self.status("clickup_status_cancelled"),
            status_requested: self.status("clickup_status_requested"),
            status_no_show: self.status("clickup_status_no_show"),
            status_keep: self.list("clickup_status_keep"),
            status_reopen: self.list("clickup_status_reopen"),
            internal_domains: self
                .list("calup_internal_domains")
                .into_iter()
                .map(|d| d.trim_start_matches(['@', '.']).to_lowercase())
                .collect(),
            guests,
            on: self.on()?,
            texts: self.texts()?,
        })
    }

    /// `calup_on_<trigger>`: what is not set is as usual.
    fn on(&self) -> Result<BTreeMap<String, Parts>, Wrong> {
        let mut on = BTreeMap::new();
        for trigger in Trigger::FOLLOWED {
            let name = on_name(&trigger);
            let items: Vec<String> = self.list(&name).iter().map(|i| i.to_lowercase()).collect();
            let mut parts = Parts::OFF;
            for item in &items {
                match item.as_str() {
                    "status" => parts.status = true,
                    "block" => parts.block = true,
                    "comment" => parts.comment = true,
                    "off" if items.len() == 1 => {}
                    other => {
                        return Err(Wrong(format!(
                            "{} has `{other}`; it must be any of status, block, comment, or off alone",
                            name.to_uppercase()
                        )));
                    }
                }
            }
            let is_form = matches!(
                trigger,
                Trigger::FormSubmitted | Trigger::FormSubmittedNoEvent | Trigger::FormFallback
            );
            if is_form && (parts.status || parts.block) {
                return Err(Wrong(format!(
                    "{}: a form has neither status nor block; it must be comment or off",
                    name.to_uppercase()
                )));
            }
            if !items.is_empty() {
                on.insert(trigger.name().to_owned(), parts);
            }
        }
        Ok(on)
    }

    /// `calup_text_<trigger>`: templates that work with a sample, or a sentence about the one that does not.
    fn texts(&self) -> Result<BTreeMap<String, String>, Wrong> {
        let mut texts = BTreeMap::new();
        for trigger in Trigger::FOLLOWED {
            let name = text_name(&trigger);
            let Some(source) = self.some(&name) else {
                continue;
            };
            template::render(&source, &template::Values::default()).map_err(|why| {
                Wrong(format!(
                    "{} is no usable template: {why}; `calup wording {}` lists what it can name",
                    name.to_uppercase(),
                    trigger.name()
                ))
            })?;
            texts.insert(trigger.name().to_owned(), source);
        }
        Ok(texts)
    }

    fn text(&self, name: &str) -> String {
        match self.0.get(name) {
            Some(Value::Text(text)) => text.trim().to_owned(),
            Some(Value::List(items)) => items.join(","),
            None => String::new(),
        }
    }

    fn some(&self, name: &str) -> Option<String> {
        Some(self.text(name)).filter(|t| !t.is_empty())
    }

    fn status(&self, name: &str) -> Option<String> {
        self.some(name).filter(|s| !s.eq_ignore_ascii_case("off"))
    }

    fn list(&self, name: &str) -> Vec<String> {
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

    fn seconds(&self, name: &str) -> Result<Duration, Wrong> {
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

    fn hours(&self, name: &str) -> Result<Duration, Wrong> {
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

    fn url(&self, name: &str) -> Result<String, Wrong> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn load(file: &str, env: &[(&str, &str)]) -> Result<Config, Wrong> {
        Config::from(Some(file), |name| {
            env.iter()
                .find(|(n, _)| *n == name)
                .map(|(_, v)| (*v).to_owned())
        })
    }

    #[test]
    fn the_environment_wins_over_the_file_and_the_file_over_the_default() {
        let config = load(
            "clickup_match_list_ids = [\"1\"]\ncalup_guests = \"match\"\nclickup_status_booked = \"off\"",
            &[("CLICKUP_MATCH_LIST_IDS", " 7, ,8 ,")],
        )
        .unwrap();
        assert_eq!(config.profile.match_list_ids, ["7", "8"]);
        assert_eq!(config.profile.guests, Guests::Match);
        assert_eq!(config.profile.status_booked, None);
        assert_eq!(
            config.profile.status_cancelled.as_deref(),
            Some("Meeting Cancelled")
        );
        assert_eq!(config.call_timeout(), Duration::from_secs(20));
    }

    #[test]
    fn the_documented_defaults_are_the_usual_ones() {
        let config = load("", &[]).unwrap();
        for trigger in Trigger::FOLLOWED {
            let set = config.profile.on.get(trigger.name());
            assert_eq!(set, Some(&Parts::usual(&trigger)), "{}", trigger.name());
        }
    }

    #[test]
    fn a_trigger_is_switched_and_worded() {
        let config = load(
            "calup_on_booking_paid = \"off\"\ncalup_text_booking_paid = \"{{ name }} paid\"",
            &[("CALUP_ON_BOOKING_CREATED", "Comment, block")],
        )
        .unwrap();
        let parts = config.profile.parts(&Trigger::Created);
        assert!(parts.comment && parts.block && !parts.status);
        assert!(config.profile.parts(&Trigger::Paid).is_off());
        assert_eq!(config.profile.texts["BOOKING_PAID"], "{{ name }} paid");
    }

    #[test]
    fn a_wrong_setting_says_what_to_do() {
        for (file, env, says) in [
            (
                "clickup_inbound_list = \"1\"",
                ("X", ""),
                "did you mean `clickup_inbound_list_id`?",
            ),
            ("", ("CALUP_LISTEN", "8787"), "127.0.0.1:8787"),
            ("", ("CALUP_LEASE_SECONDS", "1"), "at least 3"),
            (
                "",
                ("CLICKUP_API_URL", "api.clickup.com"),
                "must begin with https://",
            ),
            ("a = ", ("X", ""), "cannot be read"),
            ("", ("SLACK_BOT_TOKEN", "xoxb-1"), "SLACK_CHANNEL"),
            ("", ("CALUP_QUESTION_HOURS", "a day"), "number of hours"),
            (
                "",
                ("CALUP_ON_BOOKING_PAID", "comments"),
                "any of status, block, comment",
            ),
            (
                "",
                ("CALUP_TEXT_BOOKING_PAID", "{{ nmae }}"),
                "CALUP_TEXT_BOOKING_PAID",
            ),
            (
                "calup_on_booking_payed = \"off\"",
                ("X", ""),
                "did you mean `calup_on_booking",
            ),
        ] {
            let error = load(file, &[env]).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
