//! `calup profile reseal`: everything that is sealed comes under the newest master key, a few rows at a time. It may be
//! interrupted at any moment and begun again: until it is done, each value opens with one of the keys.

use std::time::Duration;

use serde_json::json;
use store::Store;
use store::rows::{DEFAULT_PROFILE, Place, Resealed};

use super::{open, print};
use crate::config::Config;
use crate::{clock, crash};

/// Bodies of deliveries are up to a mebibyte each.
const ROWS_AT_ONCE: usize = 50;
/// A replica may hold what is to be written.
const TRIES: u32 = 5;
const AFTER_FAILURE: Duration = Duration::from_secs(1);

pub async fn run(config: &Config, as_json: bool) -> Result<(), String> {
    let store = open(config).await?;
    if !store.is_shared() {
        // A server that was started with the old key alone would meet what it cannot open.
        let owner = format!("reseal {}", std::process::id());
        let lease = store.lease(DEFAULT_PROFILE, &owner, config.lease, clock::now());
        lease.await.map_err(|e| e.to_string())?;
    }
    let (mut count, mut unopened) = (0, 0);
    let mut from = None;
    loop {
        let done = some(store.as_ref(), from).await?;
        count += done.count;
        unopened += done.unopened;
        crash::at("resealed");
        from = done.next;
        if from.is_none() {
            break;
        }
    }
    if unopened == 0 {
        store.forget_older_keys().await.map_err(|e| e.to_string())?;
    }
    if as_json {
        print(&json!({ "resealed": count, "unopened": unopened }).to_string());
    } else if unopened == 0 {
        print(&format!(
            "{count} values were sealed anew: everything opens with the newest master key, and older ones can be taken out \
             of where they are set"
        ));
    }
    if unopened > 0 {
        return Err(format!(
            "{unopened} values could not be opened and stay as they are; keep the older master keys"
        ));
    }
    Ok(())
}

async fn some(store: &dyn Store, from: Option<Place>) -> Result<Resealed, String> {
    let mut tries = 1;
    loop {
        match store.reseal(from.clone(), ROWS_AT_ONCE).await {
            Ok(done) => return Ok(done),
            Err(error) if tries == TRIES => {
                return Err(format!("{error}; what was done stays: run it again"));
            }
            Err(_) => tokio::time::sleep(AFTER_FAILURE).await,
        }
        tries += 1;
    }
}
