//! Sees to it that each list has one webhook whose secret is known, that it is alive, and that no other of ours is left.
//! What was made and not heard of (a lost answer, a crash) is one whose secret nobody knows: it is deleted and made again.
//! Only the replica that works does this.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::outcome::Failure;
use jiff::SignedDuration;
use secrecy::ExposeSecret;
use store::rows::Hook;
use tokio::sync::watch;
use vendors::Crm;
use vendors::clickup::ClickUp;
use vendors::clickup::hooks::{Health, Hook as Seen};

use super::{BARRED, endpoint, registered_at};
use crate::app::App;
use crate::gather::Stop;
use crate::{clock, leased};

const IDLE: Duration = Duration::from_secs(1);
const AFTER_FAILURE: Duration = Duration::from_secs(2);
/// Where there is nothing to look after; and rights are not given by the minute.
const SELDOM: Duration = Duration::from_secs(3_600);
const BARRED_REMEMBERED: SignedDuration = SignedDuration::from_hours(24);
const REFUSALS_MAX: u32 = 3;
const A_DAY: Duration = Duration::from_secs(24 * 3_600);

#[derive(Default)]
struct Keeper {
    failures: u32,
    refusals: u32,
    /// When each was last set going, lately.
    revived: HashMap<String, Instant>,
    /// What a lost answer was about may only be there by then.
    settled_at: Option<Instant>,
}

/// Until told to stop.
pub async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut keeper = Keeper::default();
    let mut pause = Duration::ZERO;
    loop {
        tokio::select! {
            biased;
            _ = stop.wait_for(|s| *s) => return,
            () = tokio::time::sleep(pause) => {}
        }
        pause = match keeper.round(&app).await {
            Ok(pause) => pause,
            Err(Stop::Crm(failure)) => keeper.failed(&app, &failure).await,
            Err(Stop::Store(error)) => {
                tracing::error!(%error, "could not look after ClickUp's webhooks; trying again");
                AFTER_FAILURE
            }
        };
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// It is not there any more.
    Forget(String),
    Delete(String),
    Revive(Hook),
    /// For this list.
    Make(String),
}

/// What it takes, in this order. Ours are those that are known, and those that send to us: `endpoint` now, `before` once.
fn steps(
    endpoint: Option<&str>,
    before: Option<&str>,
    lists: &[String],
    kept: &[Hook],
    seen: &[Seen],
) -> Vec<Step> {
    let (mut gone, mut alive) = (Vec::new(), Vec::new());
    let mut served: HashSet<&str> = HashSet::new();
    for hook in kept {
        if !seen.iter().any(|it| it.id == hook.id) {
            gone.push(Step::Forget(hook.id.clone()));
        }
    }
    for there in seen {
        let known = kept.iter().find(|hook| hook.id == there.id);
        let sends_to = |address: Option<&str>| address == Some(there.endpoint.as_str());
        if known.is_none() && !sends_to(endpoint) && !sends_to(before) {
            continue;
        }
        let serves = known.filter(|hook| {
            sends_to(endpoint) && lists.contains(&hook.list_id) && served.insert(&hook.list_id)
        });
        match serves {
            Some(hook) if there.health == Health::Suspended => {
                alive.push(Step::Revive(hook.clone()));
            }
            Some(_) => {}
            None => gone.push(Step::Delete(there.id.clone())),
        }
    }
    if endpoint.is_some() {
        let bare = lists.iter().filter(|list| !served.contains(list.as_str()));
        alive.extend(bare.cloned().map(Step::Make));
    }
    gone.extend(alive);
    gone
}

impl Keeper {
    /// One look; gives how long until the next.
    async fn round(&mut self, app: &App) -> Result<Duration, Stop> {
        let profile = &app.config.profile.name;
        let may_work = !app.lease.is_over() && app.epoch() > 0;
        if !may_work || app.store.paused(profile).await?.is_some() {
            return Ok(IDLE);
        }
        let (Some(clickup), Some(crm)) = (app.clickup(), app.crm()) else {
            return Ok(IDLE);
        };
        let endpoint = endpoint(&app.config).ok();
        let before = app.store.meta(&registered_at(profile)).await?;
        let before = before.filter(|address| !address.is_empty());
        let kept = app.store.hooks(profile).await?;
        let every = app.config.hooks_every;
        if endpoint.is_none() && before.is_none() && kept.is_empty() {
            return Ok(SELDOM);
        }
        crm.spare(1).await?;
        let seen = clickup.hooks().await?;
        let (now, then) = (endpoint.as_deref(), before.as_deref());
        let steps = steps(now, then, clickup.list_ids(), &kept, &seen);
        let mut is_noted = endpoint == before;
        let mut missed = None;
        for step in steps {
            let is_last_of_old = matches!(step, Step::Revive(_) | Step::Make(_));
            if is_last_of_old && !is_noted {
                self.note(app, now).await?;
                is_noted = true;
            }
            match self.take(app, &clickup, crm.as_ref(), now, step).await {
                // One list that is out of reach keeps no other from its webhook.
                Err(Stop::Crm(
                    failure @ (Failure::Refused { .. } | Failure::NeedsOperator { .. }),
                )) => missed = missed.or(Some(failure)),
                taken => taken?,
            }
        }
        if !is_noted {
            self.note(app, now).await?;
        }
        if let Some(failure) = missed {
            return Err(failure.into());
        }
        (self.failures, self.refusals) = (0, 0);
        let wall = clock::now();
        if app.store.remembered(profile, BARRED, wall).await? {
            app.store.remember(profile, BARRED, wall).await?;
        }
        let every = if every.is_zero() { SELDOM } else { every };
        self.settled_at = self.settled_at.filter(|at| *at > Instant::now());
        let settles_in = self.settled_at.map(|at| at - Instant::now());
        Ok(settles_in.map_or(every, |left| every.min(left)))
    }

    /// Written down before the first of that address is made, and when the last of another is gone.
    async fn note(&self, app: &App, endpoint: Option<&str>) -> Result<(), Stop> {
        let key = registered_at(&app.config.profile.name);
        Ok(app
            .store
            .set_meta(&key, endpoint.unwrap_or_default())
            .await?)
    }

    async fn take(
        &mut self,
        app: &App,
        clickup: &ClickUp,
        crm: &dyn Crm,
        endpoint: Option<&str>,
        step: Step,
    ) -> Result<(), Stop> {
        if !matches!(step, Step::Forget(_)) {
            crm.spare(1).await?;
        }
        match (step, endpoint) {
            (Step::Forget(id), _) => {
                let profile = &app.config.profile.name;
                app.store.forget_hook(profile, &id).await?;
            }
            (Step::Delete(id), _) => delete(app, clickup, &id).await?,
            (Step::Revive(hook), Some(endpoint)) => {
                self.revive(app, clickup, endpoint, hook).await?;
            }
            (Step::Make(list), Some(endpoint)) => make(app, clickup, endpoint, list).await?,
            // Without an address nothing is made.
            (Step::Revive(_) | Step::Make(_), None) => {}
        }
        Ok(())
    }

    /// One that cannot be set going is replaced.
    async fn revive(
        &mut self,
        app: &App,
        clickup: &ClickUp,
        endpoint: &str,
        hook: Hook,
    ) -> Result<(), Stop> {
        let call = clickup.revive_hook(&hook.id, endpoint);
        let revived = match leased::within(&app.lease, "revive a webhook", call).await {
            Err(Failure::Refused { .. } | Failure::Gone { .. }) => {
                match delete(app, clickup, &hook.id).await {
                    Ok(()) => make(app, clickup, endpoint, hook.list_id).await,
                    failed => failed,
                }
            }
            revived => {
                let now = Instant::now();
                self.revived.retain(|_, at| now.duration_since(*at) < A_DAY);
                let is_again = self.revived.insert(hook.id.clone(), now).is_some();
                if revived.is_ok() && is_again {
                    let text =
                        "ClickUp suspends its webhook again and again, because it is not answered";
                    suspended(app, "hook-suspended", text).await;
                } else if revived.is_ok() {
                    tracing::info!(
                        hook.id,
                        "a webhook that ClickUp had suspended was set going again"
                    );
                }
                revived.map_err(Stop::from)
            }
        };
        if let Err(Stop::Crm(failure @ (Failure::Refused { .. } | Failure::NeedsOperator { .. }))) =
            &revived
        {
            let text = format!(
                "ClickUp has suspended its webhook, and it could not be set going: {failure}"
            );
            suspended(app, "hook-stuck", &text).await;
        }
        revived
    }

    /// How long until it is tried again.
    async fn failed(&mut self, app: &App, failure: &Failure) -> Duration {
        let every = app.config.hooks_every.max(AFTER_FAILURE);
        let longer = |times: u32| (AFTER_FAILURE * 2_u32.saturating_pow(times.min(10))).min(every);
        match failure {
            Failure::Limited { until, .. } => {
                let left = Duration::try_from(until.duration_since(clock::now()));
                left.unwrap_or_default()
                    .clamp(Duration::from_millis(20), every)
            }
            Failure::NeedsOperator { .. } => {
                tracing::info!("{failure}; what people change in ClickUp is polled instead");
                if let Err(error) = remember_barred(app).await {
                    tracing::error!(%error, "could not write down that there are no webhooks");
                }
                SELDOM
            }
            Failure::Refused { .. } => {
                self.refusals += 1;
                if self.refusals >= REFUSALS_MAX {
                    let text =
                        format!("{failure}: what people change in ClickUp is polled instead");
                    let hint = "delete webhooks that send to this calup from another account, or set CALUP_HOOK_SECONDS=0";
                    app.notify("hook-refused", &text, hint).await;
                }
                longer(self.refusals)
            }
            Failure::Unknown { .. } | Failure::Transient { .. } | Failure::Gone { .. } => {
                if let Failure::Unknown { .. } = failure {
                    self.settled_at = Some(Instant::now() + app.config.late_apply);
                }
                tracing::info!("{failure}; looking again");
                let pause = longer(self.failures);
                self.failures += 1;
                pause
            }
        }
    }
}

/// Where none at all could be made.
async fn remember_barred(app: &App) -> Result<(), store::Error> {
    let profile = &app.config.profile.name;
    if app.store.hooks(profile).await?.is_empty() {
        let until = clock::now() + BARRED_REMEMBERED;
        app.store.remember(profile, BARRED, until).await?;
    }
    Ok(())
}

async fn delete(app: &App, clickup: &ClickUp, id: &str) -> Result<(), Stop> {
    let call = clickup.delete_hook(id);
    leased::within(&app.lease, "delete a webhook", call).await?;
    app.store.forget_hook(&app.config.profile.name, id).await?;
    tracing::info!(
        hook.id = id,
        "a webhook of ClickUp's that is not wanted was deleted"
    );
    Ok(())
}

async fn make(app: &App, clickup: &ClickUp, endpoint: &str, list: String) -> Result<(), Stop> {
    let call = clickup.make_hook(endpoint, &list);
    let made = leased::within(&app.lease, "make a webhook", call).await?;
    let secret = made.secret.map(|secret| secret.expose_secret().to_owned());
    let hook = Hook {
        id: made.id,
        list_id: list,
        user: made.user,
        secret: secret.unwrap_or_default(),
    };
    app.store.keep_hook(&app.config.profile.name, &hook).await?;
    app.hooks.forget_known().await;
    tracing::info!(
        hook.id,
        list.id = hook.list_id,
        "ClickUp tells of changes in a list from now on"
    );
    Ok(())
}

async fn suspended(app: &App, cause: &str, text: &str) {
    let hint = "let the proxy pass POST /api/webhooks/clickup on to calup, as it is, within seven seconds; until then what \
                people change in ClickUp is polled";
    app.notify(cause, text, hint).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "https://calup.example/api/webhooks/clickup/default";
    const ELSEWHERE: &str = "https://old.example/api/webhooks/clickup/default";

    fn kept(id: &str, list: &str) -> Hook {
        Hook {
            id: id.into(),
            list_id: list.into(),
            user: None,
            secret: "s".into(),
        }
    }

    fn seen(id: &str, endpoint: &str, health: Health) -> Seen {
        Seen {
            id: id.into(),
            endpoint: endpoint.into(),
            list_id: None,
            health,
            failures: 0,
            user: None,
            secret: None,
        }
    }

    fn lists(ids: &[&str]) -> Vec<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    fn make(list: &str) -> Step {
        Step::Make(list.into())
    }

    fn delete(id: &str) -> Step {
        Step::Delete(id.into())
    }

    #[test]
    fn each_list_gets_one_and_then_nothing_more_is_done() {
        let two = lists(&["1", "2"]);
        assert_eq!(
            steps(Some(HERE), None, &two, &[], &[]),
            [make("1"), make("2")]
        );
        let kept = [kept("a", "1"), kept("b", "2")];
        let seen = [
            seen("a", HERE, Health::Active),
            seen("b", HERE, Health::Failing),
            seen("theirs", "https://other.example", Health::Suspended),
        ];
        assert_eq!(steps(Some(HERE), Some(HERE), &two, &kept, &seen), []);
    }

    #[test]
    fn one_whose_secret_is_not_known_is_replaced() {
        let found = steps(
            Some(HERE),
            Some(HERE),
            &lists(&["1"]),
            &[],
            &[seen("lost", HERE, Health::Active)],
        );
        assert_eq!(found, [delete("lost"), make("1")]);
    }

    #[test]
    fn of_two_for_a_list_one_stays_and_one_that_is_gone_is_made_again() {
        let known = [kept("a", "1"), kept("b", "1"), kept("c", "2")];
        let there = [
            seen("a", HERE, Health::Active),
            seen("b", HERE, Health::Active),
        ];
        let found = steps(Some(HERE), None, &lists(&["1", "2"]), &known, &there);
        assert_eq!(found, [Step::Forget("c".into()), delete("b"), make("2")]);
    }

    #[test]
    fn a_list_that_is_not_ours_any_more_and_another_address_lose_theirs() {
        let known = [kept("a", "1"), kept("b", "2")];
        let there = [
            seen("a", HERE, Health::Active),
            seen("b", HERE, Health::Active),
        ];
        let fewer = steps(Some(HERE), None, &lists(&["1"]), &known, &there);
        assert_eq!(fewer, [delete("b")]);
        let there = [
            seen("a", ELSEWHERE, Health::Active),
            seen("lost", ELSEWHERE, Health::Active),
        ];
        let moved = steps(
            Some(HERE),
            Some(ELSEWHERE),
            &lists(&["1"]),
            &[kept("a", "1")],
            &there,
        );
        assert_eq!(moved, [delete("a"), delete("lost"), make("1")]);
        let none = steps(None, Some(ELSEWHERE), &lists(&["1"]), &[], &there);
        assert_eq!(none, [delete("a"), delete("lost")]);
    }

    #[test]
    fn what_is_suspended_is_set_going() {
        let known = [kept("a", "1"), kept("b", "2")];
        let there = [
            seen("a", HERE, Health::Suspended),
            seen("b", HERE, Health::Failing),
        ];
        let found = steps(Some(HERE), None, &lists(&["1", "2"]), &known, &there);
        assert_eq!(found, [Step::Revive(known[0].clone())]);
    }
}
