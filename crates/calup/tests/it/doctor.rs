//! `calup doctor`: one thing is wrong with the world, and it is told, with what to do.

mod lists;
mod probe;
mod settings;
mod state;

use serde_json::Value;
use sim::clickup::{ClickUp, Config};

use crate::world::{BROKERS, Calup, INBOUND, SECRET, SELLERS};

/// A calup that has never run, and the workspace it is set up for.
struct Town {
    clickup: ClickUp,
    calup: Calup,
}

impl Town {
    async fn new() -> Self {
        Self::with(Config::default()).await
    }

    async fn with(config: Config) -> Self {
        let clickup = ClickUp::start(Config {
            limit_per_minute: 10_000,
            ..config
        })
        .await;
        clickup.add_usual_lists();
        let env = [
            ("CALUP_LISTEN", "127.0.0.1:0".to_owned()),
            ("CALUP_PUBLIC_URL", "http://127.0.0.1:9".to_owned()),
            ("CALCOM_WEBHOOK_SECRET", SECRET.to_owned()),
            ("CLICKUP_API_TOKEN", "pk_sim".to_owned()),
            ("CLICKUP_API_URL", clickup.api_url()),
            ("CLICKUP_MATCH_LIST_IDS", format!("{BROKERS},{SELLERS}")),
            ("CLICKUP_INBOUND_LIST_ID", INBOUND.to_owned()),
        ];
        let env = env.map(|(name, value)| (name.to_owned(), value));
        let calup = Calup::in_new_folder(env.into());
        Self { clickup, calup }
    }

    fn examined(&self) -> Examined {
        Examined::by(&self.calup, &["doctor", "--json"])
    }

    fn probed(&self) -> Examined {
        Examined::by(&self.calup, &["doctor", "--json", "--probe", "--yes"])
    }
}

struct Examined {
    json: Value,
    code: i32,
}

impl Examined {
    fn by(calup: &Calup, arguments: &[&str]) -> Self {
        let (out, err, code) = calup.run(arguments);
        let told = format!("{out}{err}");
        for secret in [SECRET, "pk_sim", "crm-bot@acme.example", "panicked"] {
            assert!(!told.contains(secret), "{secret}: {told}");
        }
        let json: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}"));
        for finding in json["findings"].as_array().expect("findings") {
            let is_ok = finding["state"] == "ok";
            assert!(is_ok || finding["fix"].is_string(), "{finding} has no fix");
        }
        assert_eq!(json["ok"], failed(&json).is_empty(), "{json}");
        Self { json, code }
    }

    /// "check: says" of those in this state.
    fn of(&self, state: &str) -> Vec<String> {
        of(&self.json, state)
    }

    /// The one finding of that check and state that says so, as "says → fix".
    fn one(&self, state: &str, check: &str, says: &str) -> String {
        let found: Vec<String> = self.json["findings"]
            .as_array()
            .expect("findings")
            .iter()
            .filter(|it| it["check"] == check && it["state"] == state)
            .map(|it| format!("{} → {}", text(&it["says"]), text(&it["fix"])))
            .filter(|it| it.contains(says))
            .collect();
        assert_eq!(found.len(), 1, "{state} {check} {says}: {:#}", self.json);
        found.into_iter().next().expect("one")
    }

    fn belief(&self, about: &str) -> (bool, String, String) {
        let all = self.json["beliefs"].as_array().expect("beliefs");
        let it = all.iter().find(|it| it["about"] == about);
        let it = it.unwrap_or_else(|| panic!("{about}: {:#}", self.json));
        (it["settled"] == true, text(&it["found"]), text(&it["says"]))
    }
}

fn failed(json: &Value) -> Vec<String> {
    of(json, "fail")
}

fn of(json: &Value, state: &str) -> Vec<String> {
    let all = json["findings"].as_array().expect("findings").iter();
    all.filter(|it| it["state"] == state)
        .map(|it| format!("{}: {}", text(&it["check"]), text(&it["says"])))
        .collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
