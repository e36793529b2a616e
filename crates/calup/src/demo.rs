//! `calup demo`: a simulated Cal.com, ClickUp and Slack, and between them the real service, all on loopback. In the
//! assistant a script stands in for Claude.

mod assistant;
mod board;
mod story;

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use sim::cal::api::Server;
use sim::cal::{Cal, EventType, Host};
use sim::claude::Claude;
use sim::clickup::usual::{BROKERS, INBOUND, SELLERS};
use sim::clickup::{ClickUp, Config as ClickUpConfig, TaskSeed};
use sim::slack::{Config as SlackConfig, Slack};

use crate::config::Config;
use crate::serve::{self, Running};
use board::Board;

const SECRET: &str = "demo-webhook-secret";
pub const CHANNEL: &str = "C0000SALES";
const SETTLE_MAX: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(60);

/// The simulated vendors, and the service that believes them.
struct Demo {
    clickup: ClickUp,
    slack: Slack,
    cal: Cal,
    running: Running,
    board: Board,
    sent: u32,
    refused: u32,
}

pub async fn run(once: bool) -> Result<(), String> {
    let folder = std::env::temp_dir().join(format!("calup-demo-{}", uuid::Uuid::now_v7()));
    std::fs::create_dir(&folder)
        .map_err(|e| format!("could not make {}: {e}", folder.display()))?;
    let result = play(&folder, once).await;
    let _ = std::fs::remove_dir_all(&folder);
    result
}

async fn play(folder: &std::path::Path, once: bool) -> Result<(), String> {
    let began = Instant::now();
    let clickup = clickup().await;
    let slack = Slack::start(SlackConfig::default()).await;
    slack.add_channel(CHANNEL, "sales");
    let (calcom, claude) = (assistant::calcom().await, assistant::claude().await);
    let mut env = assistant_env(&calcom, &claude);
    env.extend(service_env(&clickup, &slack, folder));
    let config = config(&env)?;
    let mut running = serve::start(config, None).await?;
    slack.set_interactions_url(&format!(
        "http://{}/api/slack/interactions",
        running.address
    ));
    let hook = format!("http://{}/api/webhooks/cal", running.address);
    let cal = Cal::new(&hook, SECRET)
        .host(
            Host::new("Nora Lindqvist", "nora@brightharbor.example").time_zone("Europe/Stockholm"),
        )
        .event(
            EventType::new("intro-call", "Intro call")
                .location("https://meet.brightharbor.example/nora"),
        );
    let board = Board::new(once, running.address.to_string());
    let mut demo = Demo {
        clickup,
        slack,
        cal,
        running,
        board,
        sent: 0,
        refused: 0,
    };
    let told = story::tell(&mut demo);
    let told = tokio::select! {
        told = told => told,
        () = serve::asked_to_stop() => return Ok(()),
    };
    told?;
    let verdict = story::check(&demo);
    let summary = summary(&demo, began.elapsed()).await?;
    demo.board.end(&demo.clickup, &summary, &verdict);
    if !once && std::io::stdin().is_terminal() {
        assistant::talks(&demo).await;
    }
    running = demo.running;
    if !once {
        board::print("\nThe service stays up; Ctrl-C ends it.");
        serve::asked_to_stop().await;
    }
    running.stop().await?;
    if verdict.is_empty() {
        Ok(())
    } else {
        Err(format!(
            "{} thing(s) are not as they should be",
            verdict.len()
        ))
    }
}

async fn clickup() -> ClickUp {
    let clickup = ClickUp::start(ClickUpConfig {
        limit_per_minute: 300,
        latency: Duration::from_millis(15),
        jitter: Duration::from_millis(20),
        ..ClickUpConfig::default()
    })
    .await;
    clickup.add_usual_lists();
    clickup.add_task_with(TaskSeed {
        list: BROKERS.into(),
        name: "Jordan Marsh, Harbor Brokerage".into(),
        email: Some("jordan.marsh@harbor.example".into()),
        status: Some("negotiating".into()),
        markdown: Some("Met at the **expo**.\n\n- prefers mornings\n- [price list](https://docs.example/prices)".into()),
        ..TaskSeed::default()
    });
    clickup.add_task_with(TaskSeed {
        list: SELLERS.into(),
        name: "Sam Okafor".into(),
        email: Some("sam@okaforhomes.example".into()),
        ..TaskSeed::default()
    });
    clickup.add_task_with(TaskSeed {
        list: BROKERS.into(),
        name: "Okonkwo, Michael (Lakeside Realty)".into(),
        ..TaskSeed::default()
    });
    clickup.add_tasks(BROKERS, 200);
    clickup
}

fn service_env(
    clickup: &ClickUp,
    slack: &Slack,
    folder: &std::path::Path,
) -> Vec<(&'static str, String)> {
    let database = format!("sqlite://{}", folder.join("demo.db").display());
    vec![
        ("DATABASE_URL", database),
        ("CALUP_LISTEN", "127.0.0.1:0".to_owned()),
        ("CALCOM_WEBHOOK_SECRET", SECRET.to_owned()),
        ("CLICKUP_API_TOKEN", clickup.token()),
        ("CLICKUP_API_URL", clickup.api_url()),
        ("CLICKUP_MATCH_LIST_IDS", format!("{BROKERS},{SELLERS}")),
        ("CLICKUP_INBOUND_LIST_ID", INBOUND.to_owned()),
        ("SLACK_API_URL", slack.api_url()),
        ("SLACK_BOT_TOKEN", slack.bot_token()),
        ("SLACK_CHANNEL", CHANNEL.to_owned()),
        ("SLACK_SIGNING_SECRET", slack.signing_secret()),
        ("CALUP_LATE_APPLY_SECONDS", "1".to_owned()),
        ("CALUP_INDEX_LAG_SECONDS", "1".to_owned()),
    ]
}

fn assistant_env(calcom: &Server, claude: &Claude) -> Vec<(&'static str, String)> {
    vec![
        ("CALCOM_API_URL", calcom.api_url()),
        ("CALCOM_APP_URL", calcom.app_url()),
        ("CALCOM_API_KEY", calcom.key()),
        ("ANTHROPIC_BASE_URL", claude.base_url()),
        ("ANTHROPIC_API_KEY", claude.api_key()),
    ]
}

fn config(env: &[(&'static str, String)]) -> Result<Config, String> {
    Config::from(None, |name| {
        env.iter().find(|(n, _)| *n == name).map(|(_, v)| v.clone())
    })
    .map_err(|e| e.to_string())
}

impl Demo {
    /// Bookings that a person has to decide about.
    async fn held(&self) -> Result<u64, String> {
        let counts = self.running.app.store.counts(None).await;
        let by_status = counts.map_err(|e| e.to_string())?.by_status;
        let held = by_status.iter().find(|(s, _)| s.name() == "held");
        Ok(held.map_or(0, |(_, n)| *n))
    }

    /// Sends one delivery; gives the status of the answer.
    async fn send(&mut self, delivery: &sim::cal::Delivery) -> u16 {
        let (status, _) = self.cal.send(delivery).await;
        self.sent += 1;
        self.refused += u32::from(status == 401);
        status
    }

    /// Waits until everything that was sent is worked off, showing what changes meanwhile.
    async fn settle(&mut self) -> Result<(), String> {
        let until = Instant::now() + SETTLE_MAX;
        loop {
            let counts = self
                .running
                .app
                .store
                .counts(None)
                .await
                .map_err(|e| e.to_string())?;
            let of = |name: &str| {
                counts
                    .by_status
                    .iter()
                    .filter(|(s, _)| s.name() == name)
                    .map(|(_, n)| *n)
                    .sum::<u64>()
            };
            let left = of("pending") + of("running") + of("waiting");
            self.board.show(&self.clickup, left);
            if left == 0 {
                self.board.changes(&self.clickup);
                return Ok(());
            }
            if Instant::now() > until {
                return Err(format!(
                    "{left} deliveries were not worked off within {} s",
                    SETTLE_MAX.as_secs()
                ));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

async fn summary(demo: &Demo, took: Duration) -> Result<String, String> {
    let counts = demo
        .running
        .app
        .store
        .counts(None)
        .await
        .map_err(|e| e.to_string())?;
    let of = |name: &str| {
        counts
            .by_status
            .iter()
            .filter(|(s, _)| s.name() == name)
            .map(|(_, n)| *n)
            .sum::<u64>()
    };
    Ok(format!(
        "{} deliveries sent, {} refused (wrong signature); {} done, {} duplicate, {} skipped, {} ignored.\n\
         {} calls to ClickUp, {} of them answered 429; {} leads made; {:.1} s.",
        demo.sent,
        demo.refused,
        of("done"),
        of("duplicate"),
        of("skipped"),
        of("ignored"),
        demo.clickup.calls(),
        demo.clickup.refused_429(),
        demo.clickup.tasks_in(INBOUND).len(),
        took.as_secs_f64(),
    ))
}
