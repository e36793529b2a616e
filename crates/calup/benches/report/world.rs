//! The release binary beside a simulated ClickUp with the usual lists.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use sim::clickup::usual::SELLERS;
pub use sim::clickup::usual::{BROKERS, INBOUND};
use sim::clickup::{ClickUp, Config};

use crate::deliveries::SECRET;
use crate::http;
use crate::server::{Server, new_folder};

/// As good as none.
pub const NO_LIMIT: u32 = 100_000_000;

pub struct World {
    pub clickup: ClickUp,
    pub calup: Server,
    folder: PathBuf,
    token: String,
}

impl World {
    /// `limit` is of calls a minute.
    pub async fn start(limit: u32) -> Self {
        Self::over(Self::clickup(limit).await)
    }

    pub fn over(clickup: ClickUp) -> Self {
        let folder = new_folder("calup");
        let calup = Server::start(serve(&folder, Some(&clickup)));
        let token = new_token(&folder);
        Self {
            clickup,
            calup,
            folder,
            token,
        }
    }

    pub async fn clickup(limit: u32) -> ClickUp {
        let clickup = ClickUp::start(Config {
            limit_per_minute: limit,
            ..Config::default()
        })
        .await;
        clickup.add_usual_lists();
        clickup
    }

    pub async fn counts(&self) -> Value {
        let counts = http::get(self.calup.address, "/api/counts", Some(&self.token)).await;
        let (status, body) = counts.expect("an answer");
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).expect("JSON")
    }

    /// Until ClickUp has seen `mutations` in all, and everything has ended as `done`.
    pub async fn worked_off(&self, mutations: u64) {
        while self.clickup.mutations() < mutations {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.settle().await;
    }

    /// Asked seldom, for answering costs calup something too.
    pub async fn settle(&self) {
        loop {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let counts = self.counts().await;
            let open = ["pending", "running", "waiting"];
            if open.iter().all(|status| counts[status] == 0) {
                assert_eq!(
                    counts["received"].as_u64(),
                    counts["done"]
                        .as_u64()
                        .zip(counts["duplicate"].as_u64())
                        .map(|(a, b)| a + b),
                    "{counts}"
                );
                return;
            }
        }
    }

    /// Until every lead is in the index of names: for a second nothing was asked.
    pub async fn indexed(&self) {
        let mut asked = 0;
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let now = self.clickup.requests().len();
            if now == asked && now > 0 {
                return;
            }
            asked = now;
        }
    }

    /// With nothing remembered of ClickUp's limit.
    pub fn restart(&mut self) {
        self.calup.kill();
        self.calup = Server::start(serve(&self.folder, Some(&self.clickup)));
    }

    pub fn end(self) {
        self.calup.stop();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

pub fn binary() -> &'static str {
    env!("CARGO_BIN_EXE_calup")
}

/// `calup serve` in a folder. Without a ClickUp no token is set: deliveries wait.
pub fn serve(folder: &Path, clickup: Option<&ClickUp>) -> Command {
    let mut command = Command::new(binary());
    command.arg("serve");
    set(&mut command, folder, clickup);
    command
}

pub fn set(command: &mut Command, folder: &Path, clickup: Option<&ClickUp>) {
    command
        .current_dir(folder)
        .env_clear()
        .env("CALUP_LISTEN", "127.0.0.1:0")
        .env("CALCOM_WEBHOOK_SECRET", SECRET);
    if let Some(clickup) = clickup {
        command
            .env("CLICKUP_API_TOKEN", clickup.token())
            .env("CLICKUP_API_URL", clickup.api_url())
            .env("CLICKUP_MATCH_LIST_IDS", format!("{BROKERS},{SELLERS}"))
            .env("CLICKUP_INBOUND_LIST_ID", INBOUND);
    }
}

pub fn new_token(folder: &Path) -> String {
    let made = Command::new(binary())
        .current_dir(folder)
        .env_clear()
        .args(["token", "new", "--json", "--name", "bench"])
        .output()
        .expect("calup runs");
    let made: Value = serde_json::from_slice(&made.stdout).expect("a token as JSON");
    made["token"].as_str().expect("the token").to_owned()
}
