//! Whether the assistant reaches Cal.com, and as whom.

use std::sync::Arc;

use domain::outcome::Failure;
use store::Store;

use super::{Finding, fail, ok, warn};
use crate::calcom;
use crate::config::Config;

const CHECK: &str = "calcom-account";

/// Without a database only a key can be tried: what was granted is kept there.
pub async fn examine(config: &Config, store: Option<&Arc<dyn Store>>) -> Finding {
    match signed_in(config, store).await {
        Ok(Some(who)) => ok(CHECK, format!("the assistant acts as {who} at Cal.com")),
        Ok(None) => ok(
            CHECK,
            "not set up: the assistant's tools for Cal.com need CALCOM_API_KEY, or CALCOM_CLIENT_ID to connect it",
        ),
        Err(failure) => of_failure(&failure),
    }
}

async fn signed_in(
    config: &Config,
    store: Option<&Arc<dyn Store>>,
) -> Result<Option<String>, Failure> {
    let name = match (store, &config.calcom.api_key) {
        (Some(store), _) => match calcom::account(config, store)? {
            Some(account) => account.me().await?.username.clone(),
            None => return Ok(None),
        },
        (None, Some(key)) => calcom::whose_key(key.clone(), &config.calcom.api_url).await?,
        (None, None) => return Ok(None),
    };
    Ok(Some(name.unwrap_or_else(|| "an organisation".to_owned())))
}

fn of_failure(failure: &Failure) -> Finding {
    match failure {
        Failure::NeedsOperator { what, hint } => fail(CHECK, format!("could not {what}"), hint),
        Failure::Limited { .. } => warn(
            CHECK,
            failure.to_string(),
            "others are using up the limit at Cal.com; wait a minute and run this again",
        ),
        Failure::Transient { .. }
        | Failure::Unknown { .. }
        | Failure::Refused { .. }
        | Failure::Gone { .. } => fail(
            CHECK,
            failure.to_string(),
            "check the network, a proxy and CALCOM_API_URL; bookings are followed all the same",
        ),
    }
}
