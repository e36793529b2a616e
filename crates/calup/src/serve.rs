//! `calup serve`: intake and worker, until asked to stop.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::app::App;
use crate::config::Config;
use crate::profiles::{Served, Watch};
use crate::{closing, grant, hooks, index, profiles, server, slack, standby, sweep, web, worker};

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Only {
    Intake,
    Worker,
}

const LET_GO: Duration = Duration::from_secs(2);
const LOOK_EVERY: Duration = Duration::from_secs(2);
#[cfg(target_os = "linux")]
const WORKER_NICENESS: i32 = 10;

/// A running calup: its address, and a way to stop it.
pub struct Running {
    pub app: Arc<App>,
    pub address: std::net::SocketAddr,
    listens: bool,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
    /// `None` where only deliveries are taken.
    worker: Option<JoinHandle<Result<(), store::Error>>>,
}

/// Opens everything and starts. What is wrong comes back as a sentence.
pub async fn start(config: Config, only: Option<Only>) -> Result<Running, String> {
    let keys = config
        .master_key
        .as_ref()
        .map(|k| secrecy::ExposeSecret::expose_secret(k).to_owned());
    let store = store::open(&config.database_url, keys.as_deref())
        .await
        .map_err(|e| e.to_string())?;
    let listen = config.listen;
    let app = App::new(config, store).map_err(|f| f.to_string())?;
    let served = profiles::all(&app).await.map_err(|e| e.to_string())?;
    let apps: Vec<Arc<App>> = served.iter().map(|it| it.app.clone()).collect();
    if only != Some(Only::Intake) && !app.store.is_shared() {
        standby::take_for_good(&apps)
            .await
            .map_err(|e| e.to_string())?;
    }
    let listener = match TcpListener::bind(listen).await {
        Ok(listener) => Some(listener),
        // Beside the intake of one machine, with the same settings.
        Err(error) if only == Some(Only::Worker) => {
            tracing::info!("not listening on {listen}: {error}; working off deliveries only");
            None
        }
        Err(error) => {
            return Err(format!(
                "could not listen on {listen}: {error}; another program may be using the port (CALUP_LISTEN sets another)"
            ));
        }
    };
    let address = match &listener {
        Some(listener) => listener.local_addr().map_err(|e| e.to_string())?,
        None => listen,
    };
    let listens = listener.is_some();
    for said in app.config.misspelt() {
        tracing::warn!("{said}");
    }
    for app in &apps {
        tell_what_is_missing(app).await;
    }
    let (stop, stopped) = watch::channel(false);
    let server = {
        let (router, stopped) = (web::router_of(&apps), stopped.clone());
        tokio::spawn(async move {
            if let Some(listener) = listener {
                server::run(listener, router, stopped).await;
            }
        })
    };
    let worker = if only == Some(Only::Intake) {
        None
    } else {
        Some(work_apart(apps.clone(), stopped.clone())?)
    };
    let works = only != Some(Only::Intake);
    for Served { app, watch } in served {
        tokio::spawn(slack::run(app.clone(), works, stopped.clone()));
        tokio::spawn(hooks::look::run(app.clone(), stopped.clone()));
        tokio::spawn(look_after(app, watch, stopped.clone()));
    }
    Ok(Running {
        app,
        address,
        listens,
        stop,
        server,
        worker,
    })
}

/// Runs the worker on a thread of its own that gives way: where processors are short, senders who wait for their
/// answer come first, and what they sent is read a little later.
fn work_apart(
    apps: Vec<Arc<App>>,
    stopped: watch::Receiver<bool>,
) -> Result<JoinHandle<Result<(), store::Error>>, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| format!("could not start the worker: {e}"))?;
    let (tell, told) = oneshot::channel();
    std::thread::Builder::new()
        .name("worker".into())
        .spawn(move || {
            give_way();
            let work: Pin<Box<dyn Future<Output = _>>> = Box::pin(async {
                let works = apps.into_iter().map(|app| {
                    // Ends with the work, at the latest.
                    tokio::spawn(index::run(app.clone(), stopped.clone()));
                    tokio::spawn(closing::run(app.clone(), stopped.clone()));
                    tokio::spawn(hooks::keep::run(app.clone(), stopped.clone()));
                    let work = standby::run(app.clone(), stopped.clone());
                    sweep::beside(work, app, stopped.clone())
                });
                try_join_all(works).await.map(|_| ())
            });
            let done = runtime.block_on(work);
            // What it holds of the store is let go before the process may end: the last to close it tidies up. A name
            // that is being looked up is not waited for.
            runtime.shutdown_timeout(LET_GO);
            let _ = tell.send(done);
        })
        .map_err(|e| format!("could not start the worker: {e}"))?;
    Ok(tokio::spawn(async {
        told.await.expect("the worker catches what panics")
    }))
}

/// The calling thread only, and the threads it starts: Linux keeps this per thread.
#[cfg(target_os = "linux")]
fn give_way() {
    // Forbidden somewhere, it merely works at the same priority.
    let _ = rustix::process::setpriority_process(None, WORKER_NICENESS);
}

#[cfg(not(target_os = "linux"))]
fn give_way() {}

impl Running {
    /// Lets answers and work under way finish.
    pub async fn stop(self) -> Result<(), String> {
        let _ = self.stop.send(true);
        let _ = self.server.await;
        let Some(worker) = self.worker else {
            return Ok(());
        };
        match worker.await {
            Ok(result) => result.map_err(|e| e.to_string()),
            Err(error) => Err(format!("the worker stopped unexpectedly: {error}")),
        }
    }

    /// Until the worker can do no more, which is an error.
    pub async fn failed(&mut self) -> String {
        let Some(worker) = &mut self.worker else {
            return std::future::pending().await;
        };
        match worker.await {
            Ok(Ok(())) => std::future::pending().await,
            Ok(Err(error)) => error.to_string(),
            Err(error) => format!("the worker stopped unexpectedly: {error}"),
        }
    }
}

pub async fn serve(config: Config, only: Option<Only>) -> Result<(), String> {
    let mut running = start(config, only).await?;
    if running.listens {
        tracing::info!("calup listens on http://{}", running.address);
    }
    let failure = tokio::select! {
        () = asked_to_stop() => None,
        error = running.failed() => Some(error),
    };
    if let Some(error) = failure {
        // The queue is safe on disk; a supervisor starts us again.
        return Err(error);
    }
    tracing::info!("stopping: what is under way is finished first");
    running.stop().await
}

pub async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).expect("signals can be listened to");
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

async fn tell_what_is_missing(app: &App) {
    if app.webhook_secrets().is_empty() {
        app.notify(
            "no-webhook-secret",
            "no webhook secret is set: every delivery is refused",
            "set CALCOM_WEBHOOK_SECRET to the secret of the webhook at Cal.com",
        )
        .await;
    }
    if app.config.profile.inbound_list_id.is_empty() {
        app.notify(
            "no-inbound-list",
            "no inbound list is set: bookings of people whom nobody knows cannot become leads",
            "set CLICKUP_INBOUND_LIST_ID to the id of the list for new leads",
        )
        .await;
    }
}

/// Deliveries without a signature are told to the operator: they are of no use, and nobody else notices.
async fn tell_unsigned(app: &App, told: &mut u64) {
    let unsigned = app.unsigned.load(Ordering::Relaxed);
    if unsigned == *told {
        return;
    }
    *told = unsigned;
    app.notify(
        "unsigned-deliveries",
        &format!("{unsigned} deliveries since the start came without a signature and were refused"),
        "if they are Cal.com's: set a secret on the webhook there; MEETING_STARTED and MEETING_ENDED often come \
         unsigned all the same, so leave these two triggers out",
    )
    .await;
}

/// Whoever sent them may not send them again.
async fn tell_unstored(app: &App, told: &mut u64) {
    let unstored = app.unstored.load(Ordering::Relaxed);
    // Told when it can be written down.
    if unstored == *told || app.store.is_failing() {
        return;
    }
    *told = unstored;
    app.notify(
        "unstored-deliveries",
        &format!(
            "{unstored} deliveries since the start could not be stored, because the database could not be used, and were answered 503"
        ),
        "compare the bookings of that time at Cal.com, and have the missing ones delivered again; the server's log says \
         when and why",
    )
    .await;
}

async fn tell_misfits(app: &App) {
    if app.misfits.are_news(Instant::now()) {
        app.notify(
            "wrong-signatures",
            "three or more deliveries, in a row or within an hour, were signed with another secret, and refused: their bookings are lost to calup",
            "the secret of the webhook at Cal.com was probably changed: put the new one first in CALCOM_WEBHOOK_SECRET, and book those meetings by hand",
        )
        .await;
    }
}

async fn tell_slack_misfits(app: &App) {
    if app.slack_misfits.are_news(Instant::now()) {
        app.notify(
            "wrong-slack-signatures",
            "three or more clicks, in a row or within an hour, were signed with another secret, and refused: people's answers in Slack are not heard",
            "put the signing secret of the Slack app into SLACK_SIGNING_SECRET; until then answer with `calup questions`",
        )
        .await;
    }
}

/// Takes new secrets without a restart, and tells what only shows over time.
async fn look_after(app: Arc<App>, mut settings: Watch, mut stop: watch::Receiver<bool>) {
    let (mut unsigned_told, mut unstored_told) = (0, 0);
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            _ = stop.wait_for(|s| *s) => return,
        }
        tell_unsigned(&app, &mut unsigned_told).await;
        tell_unstored(&app, &mut unstored_told).await;
        tell_misfits(&app).await;
        hooks::tell_misfits(&app).await;
        tell_slack_misfits(&app).await;
        grant::tell(&app).await;
        let Some(read) = settings.changed(&app).await else {
            continue;
        };
        let from = profiles::source(&app);
        match read {
            Ok(config) => match app.renew(&config) {
                Ok(()) => {
                    tracing::info!(
                        "{from} was read again: secrets are as it says, other settings take a restart"
                    );
                    if let Err(error) = worker::go_on(&app).await {
                        tracing::error!(%error, "could not make what waits due");
                    }
                }
                Err(failure) => {
                    tracing::error!("{from} was read again, but {failure}; the old secrets stay");
                }
            },
            Err(error) => tracing::error!("{error}; the old settings stay"),
        }
    }
}
