//! What the settings alone tell: the webhook's secret, the token's form, and the lists.

use secrecy::ExposeSecret;

use super::{Finding, count, fail, ok, warn};
use crate::config::Config;

pub fn judge(config: &Config) -> Vec<Finding> {
    let fix = "correct the name, or unset it; `calup config` prints every setting";
    let misspelt = config.misspelt().into_iter();
    let mut findings: Vec<Finding> = misspelt.map(|says| warn("settings", says, fix)).collect();
    match config.webhook_secrets.len() {
        0 => findings.push(fail(
            "secret",
            "no webhook secret is set: every delivery is refused with 401",
            "set CALCOM_WEBHOOK_SECRET to the secret of the webhook at Cal.com (Settings → Developer → Webhooks)",
        )),
        1 => findings.push(ok("secret", "a webhook secret is set")),
        _ => findings.push(ok(
            "secret",
            format!(
                "{} webhook secrets are set; any of them is taken",
                config.webhook_secrets.len()
            ),
        )),
    }
    if !config.webhook_secrets.is_empty() {
        findings.push(Finding {
            fix: Some("leave these two triggers off in the webhook at Cal.com".into()),
            ..ok(
                "unsigned",
                "Cal.com may send MEETING_STARTED and MEETING_ENDED without a signature; such deliveries are refused with 401",
            )
        });
    }
    let token = config
        .clickup
        .token
        .as_ref()
        .map(ExposeSecret::expose_secret);
    if token.is_some_and(|token| token.trim().starts_with("Bearer pk_")) {
        findings.push(fail(
            "token",
            "CLICKUP_API_TOKEN begins with “Bearer”, behind which ClickUp takes no personal token",
            "set it to the token alone: pk_…",
        ));
    }
    let profile = &config.profile;
    if profile.inbound_list_id.is_empty() {
        findings.push(fail(
            "lists",
            "no inbound list is set: bookings of people whom nobody knows cannot become leads",
            "set CLICKUP_INBOUND_LIST_ID to the id of the list for new leads",
        ));
    }
    if profile.match_list_ids.is_empty() {
        findings.push(warn(
            "lists",
            "no match lists are set: people are looked for in the inbound list only",
            "set CLICKUP_MATCH_LIST_IDS to the ids of the lists of known people, such as Brokers and Sellers",
        ));
    }
    if !profile.inbound_list_id.is_empty() && !profile.match_list_ids.is_empty() {
        let lists = count(
            profile.match_list_ids.len() as u64,
            "match list",
            "match lists",
        );
        findings.push(ok("lists", format!("{lists} and an inbound list are set")));
    }
    findings
}
