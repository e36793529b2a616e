//! Whether ClickUp tells of what people change, by webhooks, or has to be asked.

use jiff::Timestamp;
use store::Store;
use vendors::clickup::hooks::{Health, Hook as Seen};

use super::{CLICKUP, Finding, ago, count, of_failure, ok, warn};
use crate::config::Config;
use crate::hooks::Off;
use crate::shared::Shared;
use crate::{app, hooks};

const CHECK: &str = "hooks";

struct Kept {
    ids: Vec<String>,
    last_event: Option<Timestamp>,
    is_barred: bool,
}

/// `store` is missing where there is no database yet.
pub async fn examine(config: &Config, store: Option<&dyn Store>, now: Timestamp) -> Vec<Finding> {
    let endpoint = match hooks::endpoint(config) {
        Ok(endpoint) => endpoint,
        Err(off) => return vec![ok(CHECK, why_not(off, config.index_every.as_secs()))],
    };
    let Ok(Some(clickup)) = app::clickup(config, &Shared::default()) else {
        return Vec::new();
    };
    let Some(store) = store else {
        return vec![ok(CHECK, "`calup serve` makes a webhook for each list")];
    };
    let kept = match read(store, &config.profile.name, now).await {
        Ok(kept) => kept,
        Err(error) => {
            let fix = "check the database's disk, and run this again";
            return vec![warn(
                CHECK,
                format!("what is known of ClickUp's webhooks could not be read: {error}"),
                fix,
            )];
        }
    };
    if kept.is_barred {
        let fix = "let that user make webhooks in ClickUp, if changes should be known at once";
        return vec![Finding {
            fix: Some(fix.into()),
            ..ok(
                CHECK,
                "the token's user may make no webhooks: changes are asked for instead",
            )
        }];
    }
    match clickup.hooks().await {
        Ok(seen) => judge(&endpoint, clickup.list_ids().len(), &kept, &seen, now),
        Err(failure) => vec![of_failure(CHECK, &failure, &CLICKUP)],
    }
}

fn why_not(off: Off, every_s: u64) -> String {
    let why = off.why();
    match off {
        Off::NobodyIsAsked => format!("ClickUp need not tell of changes: {why}"),
        Off::Setting | Off::NoAddress | Off::NotReached => {
            format!(
                "ClickUp tells of no changes, because {why}; they are asked for every {every_s} s"
            )
        }
    }
}

async fn read(store: &dyn Store, profile: &str, now: Timestamp) -> store::Result<Kept> {
    let hooks = store.hooks(profile).await?;
    let last_event = store.meta(&hooks::last_event(profile)).await?;
    Ok(Kept {
        ids: hooks.into_iter().map(|hook| hook.id).collect(),
        last_event: last_event.and_then(|at| at.parse().ok()),
        is_barred: store.remembered(profile, hooks::BARRED, now).await?,
    })
}

fn judge(endpoint: &str, lists: usize, kept: &Kept, seen: &[Seen], now: Timestamp) -> Vec<Finding> {
    let ours = seen
        .iter()
        .filter(|it| kept.ids.contains(&it.id) && it.endpoint == endpoint);
    let of = |health: Health| ours.clone().filter(|it| it.health == health).count() as u64;
    let (failing, suspended) = (of(Health::Failing), of(Health::Suspended));
    let missing = (lists as u64).saturating_sub(ours.clone().count() as u64);
    let mut findings = Vec::new();
    if missing > 0 {
        let lists = count(missing, "list has", "lists have");
        findings.push(warn(
            CHECK,
            format!("{lists} no webhook of ClickUp's yet: changes there are asked for"),
            "start `calup serve`, which makes them; its log says what is in the way",
        ));
    }
    if suspended > 0 {
        let hooks = count(suspended, "webhook", "webhooks");
        findings.push(warn(
            CHECK,
            format!("ClickUp has suspended {hooks}: it gets no answer"),
            "let the proxy pass POST /api/webhooks/clickup on to calup as it is; `calup serve` sets them going again",
        ));
    }
    if failing > 0 {
        let failures = ours.clone().map(|it| it.failures).max().unwrap_or_default();
        let events = count(failures, "event", "events");
        findings.push(warn(
            CHECK,
            format!("ClickUp could not deliver the last {events}; after a hundred it gives the webhook up"),
            "see to it that the public address answers within seven seconds",
        ));
    }
    let last = match kept.last_event {
        Some(at) => format!("the last event came {}", ago(at, now)),
        None => "no event has come yet".to_owned(),
    };
    if findings.is_empty() {
        let hooks = count(lists as u64, "webhook", "webhooks");
        findings.push(ok(
            CHECK,
            format!("ClickUp tells of changes by {hooks}; {last}"),
        ));
    } else if kept.last_event.is_some() {
        findings.push(ok(CHECK, last));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::State;

    const HERE: &str = "https://calup.example/api/webhooks/clickup/default";

    fn seen(id: &str, health: Health, failures: u64) -> Seen {
        Seen {
            id: id.into(),
            endpoint: HERE.into(),
            list_id: None,
            health,
            failures,
            user: None,
            secret: None,
        }
    }

    #[test]
    fn what_is_missing_suspended_or_failing_is_told_with_what_to_do() {
        let now: Timestamp = "2026-11-26T10:00:00Z".parse().expect("a time");
        let kept = Kept {
            ids: vec!["a".into(), "b".into()],
            last_event: Some(now),
            is_barred: false,
        };
        let (a, b) = (seen("a", Health::Active, 0), seen("b", Health::Active, 0));
        for (there, state, says) in [
            (
                vec![a.clone(), b],
                State::Ok,
                "by 2 webhooks; the last event came 0 s ago",
            ),
            (vec![a.clone()], State::Warn, "1 list has no webhook"),
            (
                vec![a.clone(), seen("b", Health::Suspended, 100)],
                State::Warn,
                "suspended 1 webhook",
            ),
            (
                vec![a.clone(), seen("b", Health::Failing, 3)],
                State::Warn,
                "the last 3 events",
            ),
            (
                vec![a, seen("not known", Health::Active, 0)],
                State::Warn,
                "1 list has no webhook",
            ),
        ] {
            let found = judge(HERE, 2, &kept, &there, now);
            assert_eq!(found[0].state, state, "{found:?}");
            assert!(found[0].says.contains(says), "{found:?}");
        }
    }
}
