//! The settings: `calup.default.toml`, then `calup.toml`, then the environment; the last one wins.

mod profiles;
mod rules;
mod values;

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, SystemTime};

use domain::profile::Profile;
use secrecy::SecretString;
use store::rows::DEFAULT_PROFILE;

pub use profiles::is_of_profile;
pub use values::Settings;
use values::{Value, nearest, table};

/// The documented defaults, which `calup config` prints.
pub const DEFAULTS: &str = include_str!("../../../calup.default.toml");
/// Read from the working directory.
pub const FILE: &str = "calup.toml";
const SWEEP_EVERY_MIN: Duration = Duration::from_millis(100);

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
    /// Of who may click: counts without a bot too.
    pub slack_signing_secret: Option<SecretString>,
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
        let documented = Settings::documented()?;
        let mut values = documented.0.clone();
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
            let Some(set) = env(&name.to_uppercase()) else {
                continue;
            };
            // Empty, it takes back what the file says; where something has to be set, it is as good as not there.
            if !set.trim().is_empty() || documented.some(name).is_none() {
                *value = Value::Text(set);
            }
        }
        Settings(values).config()
    }

    /// What of this process's environment is nearly a setting, as sentences.
    pub fn misspelt(&self) -> Vec<String> {
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        self.settings.misspelt(names)
    }

    pub fn is_default_profile(&self) -> bool {
        self.profile.name == DEFAULT_PROFILE
    }

    /// A third of the lease, 20 s at most.
    pub fn call_timeout(&self) -> Duration {
        (self.lease / 3).min(Duration::from_secs(20))
    }
}

/// When the file last changed, to notice new secrets without a restart.
pub fn file_changed() -> Option<SystemTime> {
    Path::new(FILE).metadata().and_then(|m| m.modified()).ok()
}

impl Settings {
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
            slack_signing_secret: self.some("slack_signing_secret").map(Into::into),
            question_patience: self.hours("calup_question_hours")?,
            index_every: self
                .seconds("calup_index_seconds")?
                .max(Duration::from_secs(1)),
            hooks_every: self.hooks_every()?,
            profile: self.profile()?,
            late_apply: self.seconds("calup_late_apply_seconds")?,
            index_lag: self.seconds("calup_index_lag_seconds")?,
            lease,
            sweep: self.sweep_every()?,
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

    fn sweep_every(&self) -> Result<Duration, Wrong> {
        let every = self.seconds("calup_sweep_seconds")?;
        if every < SWEEP_EVERY_MIN {
            return Err(Wrong(
                "CALUP_SWEEP_SECONDS must be at least 0.1: what may stand twice at ClickUp is always looked for".into(),
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
            channel,
            api_url,
        }))
    }
}

#[cfg(test)]
mod tests {
    use domain::event::Trigger;
    use domain::profile::{Guests, Parts};

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
    fn an_empty_variable_takes_back_what_the_file_says_and_no_default() {
        let file = "calcom_client_id = \"1\"\nclickup_status_booked = \"Booked\"";
        let all = ["CALCOM_CLIENT_ID", "CLICKUP_STATUS_BOOKED", "CALUP_LISTEN"];
        let config = load(file, &all.map(|name| (name, " "))).unwrap();
        assert_eq!(config.calcom.client_id, None);
        assert_eq!(config.profile.status_booked.as_deref(), Some("Booked"));
        assert_eq!(config.listen.port(), 8787);
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
    fn a_variable_that_is_nearly_a_setting_is_told_and_no_other() {
        let config = load("", &[]).unwrap();
        let names = [
            "CALUP_LISTENN",
            "CLICKUP_MATCH_LISTS_IDS",
            "CALUP_LISTEN",
            "CALUP_TOKEN",
            "CALUP_LOG",
            "CALUP_CRASH_AT",
            "CALUP_CLOCK_FILE",
            "CALUP_ADMIN_PASSWORD",
            "CALUP_RECONCILE_SECONDS",
            "CALUP_TEST_POSTGRES",
            "SLACK_TEAM_ID",
            "PATH",
        ];
        let said = config
            .settings
            .misspelt(names.map(str::to_owned).into_iter());
        assert_eq!(
            said,
            [
                "CALUP_LISTENN is set and is no setting: CALUP_LISTEN may be meant",
                "CLICKUP_MATCH_LISTS_IDS is set and is no setting: CLICKUP_MATCH_LIST_IDS may be meant",
            ]
        );
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
            ("", ("CALUP_SWEEP_SECONDS", "0"), "at least 0.1"),
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

    #[test]
    fn the_setting_that_is_suggested_is_one_that_was_nearly_written() {
        for (written, suggested) in [
            ("calup_listenn", Some("calup_listen")),
            ("calup_on_booking_payed", Some("calup_on_booking_paid")),
            ("something_else", None),
        ] {
            let error = load(&format!("{written} = \"1\""), &[]).unwrap_err();
            let error = error.to_string();
            match suggested {
                Some(name) => assert!(error.contains(&format!("`{name}`?")), "{error}"),
                None => assert!(!error.contains("did you mean"), "{error}"),
            }
        }
    }
}
