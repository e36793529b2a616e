//! What the database remembers: when Cal.com was last heard of, what waits and what failed, what the operator was told.

use jiff::{SignedDuration, Timestamp};
use store::rows::{Counts, Delivery, DeliveryFilter, Notice, Pause, Status};
use store::{Result, Store};

use super::{Finding, ago, count, fail, ok, warn};
use crate::config::Config;
use crate::inbox;
use crate::reading::last_ping;

const NOTICES_SHOWN: usize = 10;
/// Told once a `calup serve` starts, and judged from the settings here.
const JUDGED_ELSEWHERE: [&str; 2] = ["no-webhook-secret", "no-inbound-list"];

struct Kept {
    last_ping: Option<Timestamp>,
    last: Option<Delivery>,
    paused: Option<Pause>,
    counts: Counts,
    notices: Vec<Notice>,
}

pub async fn examine(store: &dyn Store, config: &Config, now: Timestamp) -> Vec<Finding> {
    match read(store, &config.profile.name).await {
        Ok(kept) => judge(&kept, &inbox::address(config), now),
        Err(error) => vec![fail(
            "queue",
            format!("what waits could not be read: {error}"),
            "check the database's disk, and run this again",
        )],
    }
}

async fn read(store: &dyn Store, profile: &str) -> Result<Kept> {
    let newest = DeliveryFilter {
        profile: Some(profile.to_owned()),
        limit: 1,
        ..DeliveryFilter::default()
    };
    Ok(Kept {
        last_ping: store
            .meta(&last_ping(profile))
            .await?
            .and_then(|at| at.parse().ok()),
        last: store.deliveries(&newest).await?.pop(),
        paused: store.paused(profile).await?,
        counts: store.counts(Some(profile)).await?,
        notices: store.notices(profile, usize::MAX).await?,
    })
}

fn judge(kept: &Kept, webhook: &str, now: Timestamp) -> Vec<Finding> {
    let mut findings = vec![ping(kept, now), last(kept.last.as_ref(), webhook, now)];
    if let Some(pause) = &kept.paused {
        let (why, fix) = pause
            .reason
            .split_once("; ")
            .unwrap_or((&pause.reason, "mend that; a try every minute finds out"));
        let since = ago(pause.since, now);
        findings.push(fail(
            "paused",
            format!("nothing is written to ClickUp: {why}; since {since}"),
            fix,
        ));
    }
    findings.extend(queue(&kept.counts));
    let day = SignedDuration::from_hours(24);
    let told = kept.notices.iter().filter(|notice| {
        now.duration_since(notice.last_at) < day
            && !JUDGED_ELSEWHERE.contains(&notice.cause.as_str())
    });
    findings.extend(told.take(NOTICES_SHOWN).map(|notice| {
        let times = count(notice.count, "time", "times");
        let last = ago(notice.last_at, now);
        warn(
            "notice",
            format!("{}; {times}, last {last}", notice.text),
            &notice.hint,
        )
    }));
    findings
}

fn ping(kept: &Kept, now: Timestamp) -> Finding {
    const CHECK: &str = "last-ping";
    match (kept.last_ping, &kept.last) {
        (Some(at), _) => ok(CHECK, format!("the last ping came {}", ago(at, now))),
        (None, Some(_)) => ok(CHECK, "no ping has come yet, but deliveries have"),
        (None, None) => warn(
            CHECK,
            "no ping has come yet",
            "press “Ping test” in the webhook at Cal.com (Settings → Developer → Webhooks)",
        ),
    }
}

fn last(delivery: Option<&Delivery>, webhook: &str, now: Timestamp) -> Finding {
    const CHECK: &str = "last-delivery";
    match delivery {
        Some(delivery) => ok(
            CHECK,
            format!(
                "the last delivery came {}: {}, {}",
                ago(delivery.received_at, now),
                delivery.trigger.as_deref().unwrap_or("not read yet"),
                delivery.status.name()
            ),
        ),
        None => warn(
            CHECK,
            "no delivery has come yet",
            format!(
                "at Cal.com, point a webhook to {webhook}, with the same secret and no payload template"
            ),
        ),
    }
}

fn queue(counts: &Counts) -> Vec<Finding> {
    const CHECK: &str = "queue";
    let of = |status: Status| {
        let found = counts.by_status.iter().find(|(it, _)| *it == status);
        found.map_or(0, |(_, number)| *number)
    };
    let one = |status: Status, says: &str, fix: &str| {
        let number = of(status);
        let deliveries = count(number, "delivery", "deliveries");
        (number > 0).then(|| warn(CHECK, format!("{deliveries} {says}"), fix))
    };
    let found: Vec<Finding> = [
        one(
            Status::Dead,
            "could not be carried out (dead)",
            "`calup deliveries --status dead` says why; mend the cause, then `calup replay ID`",
        ),
        one(
            Status::Quarantined,
            "could not be read (quarantined)",
            "`calup deliveries --status quarantined` says why and what to do",
        ),
        one(
            Status::Waiting,
            "waiting to be tried again",
            "`calup deliveries --status waiting` says for what; they go on by themselves",
        ),
        one(
            Status::Held,
            "held for an answer of yours",
            "`calup deliveries --status held` lists them",
        ),
        one(
            Status::Pending,
            "pending",
            "`calup serve` works them off; start it if it does not run",
        ),
    ]
    .into_iter()
    .flatten()
    .collect();
    if found.is_empty() {
        vec![ok(CHECK, "nothing waits and nothing failed")]
    } else {
        found
    }
}
