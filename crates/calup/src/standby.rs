//! Whose turn it is, for each profile. The replica that holds the profile's lease works; it makes the lease last for as long as it works,
//! and gives it back when it stops. Every other one stands by and asks again each second.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use store::rows::Lease;
use tokio::sync::watch;

use crate::app::App;
use crate::{clock, guard, worker};

const ASK_EVERY: Duration = Duration::from_secs(1);
/// It is told once in this time that somebody else works.
const TELL_EVERY: Duration = Duration::from_secs(600);

/// Who asks for the lease. Another one for each turn: what an earlier turn left is settled by the grant to the next.
#[derive(Clone)]
struct Turn {
    owner: String,
    epoch: i64,
}

/// Where processes do not share a database: takes all of it for as long as this one lives.
pub async fn take_for_good(apps: &[Arc<App>]) -> Result<(), store::Error> {
    let owner = new_owner();
    for app in apps {
        let lease = app
            .store
            .lease(app.profile(), &owner, app.lease.lasts(), clock::now())
            .await?;
        if let Lease::Held { epoch } = lease {
            app.lease.hold_for_good();
            begin(app, epoch).await?;
        }
    }
    Ok(())
}

/// Works whenever it is this process's turn, until `stop` turns true.
pub async fn run(app: Arc<App>, stop: watch::Receiver<bool>) -> Result<(), store::Error> {
    if !app.store.is_shared() {
        return worker::run(app, stop).await;
    }
    let mut asking = Asking::default();
    let mut stopped = stop.clone();
    while !*stop.borrow() {
        if let Some(turn) = asking.ask(&app).await {
            let is_lost = tokio::select! {
                done = worker::run(app.clone(), stop.clone()) => match done {
                    Ok(()) => false,
                    Err(store::Error::Superseded) => true,
                    Err(error) => return Err(error),
                },
                () = keep(&app, &turn) => true,
            };
            // What was under way has been dropped, or is over.
            app.lease.lose();
            asking.left = Some(turn);
            if is_lost {
                tracing::warn!(
                    "this replica has lost its lease: it stands by, and what it had begun is looked up by whoever works next"
                );
            }
        }
        tokio::select! {
            () = tokio::time::sleep(ASK_EVERY) => {}
            _ = stopped.wait_for(|s| *s) => {}
        }
    }
    asking.give_back(&app).await;
    asking.give_back_unheard(&app).await;
    Ok(())
}

#[derive(Default)]
struct Asking {
    /// A turn that is over and may not be given back yet.
    left: Option<Turn>,
    told_at: Option<Instant>,
    is_away: bool,
    /// Who asked last and heard nothing: the lease may be theirs.
    unheard: Option<String>,
    /// Since when nobody works, and this build may not.
    outdated_since: Option<Instant>,
}

impl Asking {
    async fn ask(&mut self, app: &App) -> Option<Turn> {
        self.give_back(app).await;
        let owner = self.unheard.take().unwrap_or_else(new_owner);
        let asked_at = Instant::now();
        let asked = app
            .store
            .lease(
                &app.config.profile.name,
                &owner,
                app.lease.lasts(),
                clock::now(),
            )
            .await;
        if !matches!(asked, Err(store::Error::Unusable(_))) {
            self.outdated_since = None;
        }
        match asked {
            Ok(Lease::Held { epoch }) => {
                app.lease.hold(asked_at);
                (self.is_away, self.told_at) = (false, None);
                tracing::info!(epoch, "this replica works now");
                let turn = Turn { owner, epoch };
                if let Err(error) = begin(app, epoch).await {
                    tracing::error!(%error, "could not begin to work; asking again");
                    app.lease.lose();
                    self.left = Some(turn);
                    return None;
                }
                Some(turn)
            }
            Ok(Lease::Theirs { owner, left }) => {
                self.is_away = false;
                let now = Instant::now();
                if self
                    .told_at
                    .is_none_or(|at| now.duration_since(at) >= TELL_EVERY)
                {
                    self.told_at = Some(now);
                    tracing::info!(
                        "another replica works ({owner}, for {} s at least): this one takes deliveries and stands by",
                        left.as_secs()
                    );
                }
                None
            }
            Err(store::Error::Unusable(why)) => {
                self.tell_outdated(app, &why).await;
                None
            }
            Err(error) => {
                self.unheard = Some(owner);
                if !self.is_away {
                    self.is_away = true;
                    tracing::error!(%error, "could not ask whose turn it is; asking each second");
                }
                None
            }
        }
    }

    /// In the midst of an upgrade a newer build works in a moment; where none is left, the operator has to know.
    async fn tell_outdated(&mut self, app: &App, why: &str) {
        let now = Instant::now();
        match self.outdated_since {
            None => {
                self.outdated_since = Some(now);
                tracing::warn!("{why}");
            }
            Some(since) if now.duration_since(since) >= app.lease.lasts() => {
                self.outdated_since = Some(now);
                let text = format!("nobody works: {why}");
                app.notify("outdated", &text, "deliveries are kept and wait")
                    .await;
            }
            Some(_) => {}
        }
    }

    async fn give_back_unheard(&mut self, app: &App) {
        if let Some(owner) = self.unheard.take()
            && let Err(error) = app.store.release(app.profile(), &owner).await
        {
            tracing::debug!(%error, "could not give back a lease that may have been granted");
        }
    }

    async fn give_back(&mut self, app: &App) {
        let Some(turn) = &self.left else {
            return;
        };
        let profile = &app.config.profile.name;
        match app.store.release(profile, &turn.owner).await {
            Ok(()) => self.left = None,
            // It ends by itself.
            Err(error) => tracing::debug!(%error, "could not give the lease back"),
        }
    }
}

/// Makes the lease last; returns when it is lost.
async fn keep(app: &App, turn: &Turn) {
    let profile = &app.config.profile.name;
    let mut pause = app.lease.renew_every();
    loop {
        tokio::time::sleep(pause).await;
        if app.lease.is_over() {
            return;
        }
        let asked_at = Instant::now();
        let asked = app
            .store
            .lease(profile, &turn.owner, app.lease.lasts(), clock::now())
            .await;
        pause = match asked {
            Ok(Lease::Held { epoch }) if epoch == turn.epoch => {
                app.lease.hold(asked_at);
                app.lease.renew_every()
            }
            Ok(Lease::Held { .. } | Lease::Theirs { .. }) => return,
            Err(error) => {
                tracing::warn!(%error, "could not make the lease last; trying again");
                app.lease.try_again_after()
            }
        };
    }
}

async fn begin(app: &App, epoch: i64) -> Result<(), store::Error> {
    app.epoch.store(epoch, Ordering::Relaxed);
    app.came.store(true, Ordering::Release);
    // How the CRM answered another process, or this one long ago, says nothing now.
    *app.health.lock().expect("no holder panics") = crate::app::Health::default();
    guard::after_take_over(app).await?;
    // What waits may wait for what a person has set right since.
    worker::go_on(app).await
}

/// Tells a person which process it is, and is nobody else's.
fn new_owner() -> String {
    let chance = hex::encode(&clock::secret()[..6]);
    format!("process {} {chance}", std::process::id())
}
