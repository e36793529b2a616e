//! What of the settings is a profile's own, and another profile's settings.

use std::borrow::Cow;

use store::rows::{ProfileRow, SECRETS};

use super::{Config, Settings, Value, Wrong};
use crate::address;

impl Config {
    /// Another profile's: what concerns the process is as here, everything else as its row says or by default.
    pub fn of_profile(&self, row: &ProfileRow) -> Result<Self, Wrong> {
        let wrong = |why: String| Wrong(format!("profile `{}`: {why}", row.name));
        let defaults = Settings::documented()?.0;
        let mut values = self.settings.0.clone();
        for (name, value) in values.iter_mut().filter(|(name, _)| is_of_profile(name)) {
            let set = row.settings.get(name).or_else(|| row.secrets.get(name));
            if let Some(text) = set {
                *value = Value::Text(text.clone());
            } else if !INHERITED.contains(&name.as_str()) {
                value.clone_from(&defaults[name]);
            }
        }
        for (name, text) in &row.settings {
            if !is_of_profile(name) || SECRETS.contains(&name.as_str()) {
                return Err(wrong(format!("`{name}` is no setting of a profile")));
            }
            // What is tried out beside a server that is not public itself may be beside it too.
            let may_be_near = !address::is_public(&self.settings.text(name));
            if name.ends_with("_url") && !may_be_near && !address::is_public(text) {
                return Err(wrong(format!(
                    "{name} must be the https address of a public host"
                )));
            }
        }
        let settings = Settings(values);
        let mut config = settings.config().map_err(|why| wrong(why.0))?;
        config.profile.name.clone_from(&row.name);
        Ok(config)
    }

    /// As here, but with the secrets of settings that were read later.
    #[must_use]
    pub fn with_secrets_of(&self, read: &Self) -> Self {
        let mut config = self.clone();
        config.webhook_secrets.clone_from(&read.webhook_secrets);
        config.clickup.token.clone_from(&read.clickup.token);
        config.calcom.api_key.clone_from(&read.calcom.api_key);
        let client_secret = &read.calcom.client_secret;
        config.calcom.client_secret.clone_from(client_secret);
        config.claude.api_key.clone_from(&read.claude.api_key);
        let signing_secret = &read.slack_signing_secret;
        config.slack_signing_secret.clone_from(signing_secret);
        config.slack = read.slack.clone().map(|mut slack| {
            if let Some(before) = &self.slack {
                slack.channel.clone_from(&before.channel);
                slack.api_url.clone_from(&before.api_url);
            }
            slack
        });
        config
    }

    /// What to do, for this profile: elsewhere its settings are told by the names that the environment has for them, and
    /// commands as they are for the default profile.
    pub fn hint<'a>(&self, hint: &'a str) -> Cow<'a, str> {
        let name = &self.profile.name;
        let words = hint.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let mut settings = words.filter(|word| *word == word.to_uppercase());
        let names_setting = settings.any(|word| is_of_profile(&word.to_lowercase()));
        let names_command = hint.contains("`calup ");
        let is_said = self.is_default_profile() || hint.contains("(for profile `");
        if is_said || !(names_setting || names_command) {
            return hint.into();
        }
        let set =
            names_setting.then(|| format!("`calup profile set {name}` instead of the environment"));
        let with = names_command.then(|| format!("`calup --profile {name}` with every command"));
        let both: Vec<String> = set.into_iter().chain(with).collect();
        format!("{hint} (for profile `{name}`: {})", both.join(", and ")).into()
    }
}

/// Settings that each profile has for itself; all others concern the process.
pub fn is_of_profile(name: &str) -> bool {
    const BEGIN: [&str; 6] = [
        "anthropic_",
        "calcom_",
        "calup_on_",
        "calup_text_",
        "clickup_",
        "slack_",
    ];
    const OTHERS: [&str; 4] = [
        "calup_guests",
        "calup_internal_domains",
        "calup_model",
        "calup_question_hours",
    ];
    BEGIN.iter().any(|begin| name.starts_with(begin)) || OTHERS.contains(&name)
}

/// Of a profile's settings, those that are the process's where its row has none.
const INHERITED: [&str; 6] = [
    "anthropic_base_url",
    "calcom_api_url",
    "calcom_app_url",
    "calup_model",
    "clickup_api_url",
    "slack_api_url",
];

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::profile::Guests;
    use secrecy::ExposeSecret;

    use super::*;

    fn load(file: &str, env: &[(&str, &str)]) -> Result<Config, Wrong> {
        Config::from(Some(file), |name| {
            let found = env.iter().find(|(n, _)| *n == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    fn row(settings: &[(&str, &str)], secrets: &[(&str, &str)]) -> ProfileRow {
        let own = |of: &[(&str, &str)]| {
            let each = of.iter();
            each.map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
                .collect()
        };
        ProfileRow {
            name: "sales".into(),
            settings: own(settings),
            secrets: own(secrets),
            ..ProfileRow::default()
        }
    }

    #[test]
    fn a_hint_says_how_it_is_done_for_a_profile_where_it_is_done_otherwise() {
        let config = load("", &[]).expect("no setting is wrong");
        let config = config.of_profile(&row(&[], &[])).expect("a profile");
        for (hint, says) in [
            ("set CALUP_PUBLIC_URL", None),
            ("make room on the disk", None),
            ("set CLICKUP_API_TOKEN", Some("`calup profile set sales`")),
            ("`calup guard off` ends it", Some("`calup --profile sales`")),
        ] {
            let told = config.hint(hint);
            match says {
                None => assert_eq!(told, hint),
                Some(says) => assert!(told.contains(says), "{told}"),
            }
            assert_eq!(config.hint(&told), told, "said once");
        }
    }

    #[test]
    fn a_profile_has_its_own_settings_and_the_process_s_addresses() {
        let config = load(
            "clickup_match_list_ids = [\"1\"]\nclickup_api_token = \"pk_1\"\ncalup_guests = \"match\"",
            &[
                ("CALCOM_API_URL", "http://127.0.0.1:1"),
                ("CALUP_LEASE_SECONDS", "6"),
                ("CALUP_TEXT_BOOKING_PAID", "paid"),
            ],
        )
        .unwrap();
        let row = row(
            &[
                ("clickup_inbound_list_id", "9"),
                ("clickup_api_url", "https://clickup.example.com/api"),
            ],
            &[("calcom_webhook_secret", "a,b")],
        );
        let theirs = config.of_profile(&row).unwrap();
        assert_eq!(theirs.profile.name, "sales");
        assert!(!theirs.is_default_profile() && config.is_default_profile());
        assert_eq!(theirs.profile.inbound_list_id, "9");
        assert_eq!(theirs.webhook_secrets.len(), 2);
        assert!(theirs.clickup.token.is_none() && theirs.profile.match_list_ids.is_empty());
        assert!(theirs.profile.texts.is_empty());
        assert_eq!(theirs.profile.guests, Guests::Ignore);
        assert_eq!(theirs.calcom.api_url, "http://127.0.0.1:1");
        assert_eq!(theirs.clickup.api_url, "https://clickup.example.com/api");
        assert_eq!(theirs.lease, Duration::from_secs(6));
        assert!(!format!("{theirs:?} {config:?}").contains("pk_1"));
    }

    #[test]
    fn a_profile_reaches_no_address_that_is_not_public_unless_the_process_does() {
        let public = load("", &[]).unwrap();
        let near = load("", &[("CLICKUP_API_URL", "http://10.0.0.1")]).unwrap();
        let row = row(&[("clickup_api_url", "http://169.254.169.254")], &[]);
        let said = public.of_profile(&row).unwrap_err().to_string();
        assert!(
            said.contains("profile `sales`") && said.contains("public host"),
            "{said}"
        );
        assert!(near.of_profile(&row).is_ok());
    }

    #[test]
    fn what_concerns_the_process_is_no_setting_of_a_profile() {
        let config = load("", &[]).unwrap();
        for name in [
            "database_url",
            "calup_listen",
            "clickup_api_token",
            "nonsense",
        ] {
            let said = config.of_profile(&row(&[(name, "x")], &[])).unwrap_err();
            assert!(said.to_string().contains(name), "{said}");
        }
        let wrong = row(&[("calup_guests", "perhaps")], &[]);
        let said = config.of_profile(&wrong).unwrap_err().to_string();
        assert!(said.contains("profile `sales`: CALUP_GUESTS"), "{said}");
    }

    #[test]
    fn secrets_are_taken_anew_and_nothing_else() {
        let before =
            "clickup_inbound_list_id = \"1\"\nslack_channel = \"C1\"\nslack_bot_token = \"xoxb-1\"";
        let after =
            "clickup_inbound_list_id = \"2\"\nslack_channel = \"C2\"\nslack_bot_token = \"xoxb-2\"";
        let tokens = [("CLICKUP_API_TOKEN", "pk_2"), ("CALUP_LEASE_SECONDS", "9")];
        let (config, read) = (load(before, &[]).unwrap(), load(after, &tokens).unwrap());
        let mixed = config.with_secrets_of(&read);
        assert_eq!(mixed.profile.inbound_list_id, "1");
        assert_eq!(mixed.lease, config.lease);
        assert!(mixed.clickup.token.is_some());
        let slack = mixed.slack.expect("it is set up");
        assert_eq!(slack.channel, "C1");
        assert_eq!(slack.bot_token.expose_secret(), "xoxb-2");
    }
}
