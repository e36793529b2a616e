//! `calup deliveries` and `calup replay`: they work beside a running server, on its database.

use clap::Args;
use serde_json::{Value, json};
use store::rows::{DeliveryFilter, Status};

use super::{open, plan, print};
use crate::app::App;
use crate::config::Config;
use crate::{explain, view};

#[derive(Debug, Args)]
pub struct Listing {
    /// One of pending, running, waiting, held, done, skipped, ignored, duplicate, quarantined, dead.
    #[arg(long, value_parser = status)]
    status: Option<Status>,
    #[arg(long)]
    uid: Option<String>,
    #[arg(long, default_value_t = 50)]
    limit: usize,
    #[arg(long)]
    json: bool,
}

fn status(name: &str) -> Result<Status, String> {
    Status::parse(name).ok_or_else(|| {
        let names: Vec<&str> = Status::ALL.iter().map(|s| s.name()).collect();
        format!("it must be one of {}", names.join(", "))
    })
}

pub async fn list(listing: Listing, config: &Config) -> Result<(), String> {
    let store = open(config).await?;
    let filter = DeliveryFilter {
        profile: Some(config.profile.name.clone()),
        status: listing.status,
        uid: listing.uid,
        sha256: None,
        limit: listing.limit.clamp(1, 500),
        after: None,
    };
    let found = store.deliveries(&filter).await.map_err(|e| e.to_string())?;
    if listing.json {
        let deliveries: Vec<Value> = found.iter().map(view::delivery).collect();
        print(&json!({ "deliveries": deliveries }).to_string());
        return Ok(());
    }
    if found.is_empty() {
        print("no deliveries");
        return Ok(());
    }
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::NOTHING);
    table.set_header(["id", "received", "trigger", "booking", "status", "reason"]);
    for d in &found {
        table.add_row([
            d.id.as_str(),
            &d.received_at.strftime("%F %T").to_string(),
            d.trigger.as_deref().unwrap_or("–"),
            d.uid.as_deref().unwrap_or("–"),
            d.status.name(),
            d.reason.as_deref().unwrap_or(""),
        ]);
    }
    print(&table.to_string());
    Ok(())
}

#[derive(Debug, Args)]
pub struct Replay {
    /// The delivery's id, as `calup deliveries` lists it.
    id: String,
    /// Only show what it would do.
    #[arg(long)]
    dry_run: bool,
    #[arg(long)]
    json: bool,
}

pub async fn replay(arguments: Replay, config: Config) -> Result<(), String> {
    let store = open(&config).await?;
    let no_such = || {
        format!(
            "there is no delivery {}; `calup deliveries` lists them",
            arguments.id
        )
    };
    let delivery = store
        .delivery(&arguments.id)
        .await
        .map_err(|e| e.to_string())?
        .filter(|delivery| delivery.profile == config.profile.name)
        .ok_or_else(no_such)?;
    if arguments.dry_run {
        let app = App::new(config, store).map_err(|f| f.to_string())?;
        let plans = explain::body(&app, &delivery.body, delivery.received_at).await;
        return plan::show(&plans, arguments.json);
    }
    if !store
        .replay(&arguments.id)
        .await
        .map_err(|e| e.to_string())?
    {
        return Err(no_such());
    }
    if arguments.json {
        print(&json!({ "id": arguments.id, "status": "pending" }).to_string());
    } else {
        print(&format!(
            "delivery {} is pending again; a running `calup serve` takes it up within a second",
            arguments.id
        ));
    }
    Ok(())
}
