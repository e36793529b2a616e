//! Whether people can be asked in Slack, and their clicks heard.

use super::{Finding, Fixes, of_failure, ok, warn};
use crate::config::Config;
use crate::slack;

const CHECK: &str = "slack";
const FIXES: Fixes = Fixes {
    silent: "check the network, a proxy and SLACK_API_URL; questions wait meanwhile in `calup questions`",
    refused: "check SLACK_CHANNEL, and that the bot is a member of that channel",
};

pub async fn examine(config: &Config) -> Vec<Finding> {
    let Some(settings) = &config.slack else {
        return vec![ok(
            CHECK,
            "not set up: questions wait in `calup questions` and at GET /api/questions",
        )];
    };
    let mut findings = Vec::new();
    let client = match slack::client(config) {
        Ok(Some(client)) => client,
        Ok(None) => return findings,
        Err(failure) => return vec![of_failure(CHECK, &failure, &FIXES)],
    };
    match client.check().await {
        Ok(checked) => findings.push(ok(
            CHECK,
            format!(
                "writes as {} in {}, channel {}",
                checked.bot, checked.team, checked.channel_id
            ),
        )),
        Err(failure) => findings.push(of_failure(CHECK, &failure, &FIXES)),
    }
    if settings.app_token.is_none() && config.slack_signing_secret.is_none() {
        findings.push(warn(
            "slack-clicks",
            "neither SLACK_SIGNING_SECRET nor SLACK_APP_TOKEN is set: clicks are not heard",
            "set the signing secret and turn interactivity on, or make an app token for Socket Mode",
        ));
    }
    findings
}
