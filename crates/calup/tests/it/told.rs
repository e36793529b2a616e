//! A world whose lists ClickUp tells of by its webhooks.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use sim::clickup::{Config, HookView};
use sim::faults::{ALWAYS, Fault, Match};

use crate::world::{Setup, World};

/// A world whose lists ClickUp tells of, and which would not be looked through for an hour.
pub struct Told {
    pub world: World,
}

impl Told {
    pub async fn start() -> Self {
        Self::with(Config::default(), &[]).await
    }

    pub async fn with(clickup: Config, more: &[(&'static str, &str)]) -> Self {
        let told = Self::unsettled(clickup, more).await;
        told.until_registered(3).await;
        told.until_filled().await;
        told
    }

    pub async fn unsettled(clickup: Config, more: &[(&'static str, &str)]) -> Self {
        let (listen, url) = free_address();
        let mut env = vec![
            ("CALUP_LISTEN", listen),
            ("CALUP_PUBLIC_URL", url),
            ("CALUP_INDEX_SECONDS", "3600".to_owned()),
            ("CALUP_HOOK_SECONDS", "1".to_owned()),
        ];
        env.retain(|(name, _)| !more.iter().any(|(n, _)| n == name));
        env.extend(
            more.iter()
                .map(|(name, value)| (*name, (*value).to_owned())),
        );
        let clickup = Config {
            limit_per_minute: 10_000,
            hook_retry: Duration::from_millis(50),
            ..clickup
        };
        let world = World::with(Setup {
            clickup: Some(clickup),
            env,
            ..Setup::default()
        })
        .await;
        Self { world }
    }

    pub async fn until_registered(&self, many: usize) -> Vec<HookView> {
        self.world
            .until("each list has a webhook", async || {
                let hooks = self.world.clickup.hooks();
                hooks.len() == many && hooks.len() == self.kept()
            })
            .await;
        self.world.clickup.hooks()
    }

    pub async fn until_filled(&self) {
        self.world
            .until("the leads have been read once", async || {
                let sql = "SELECT count(*) FROM indexing WHERE filled_at IS NOT NULL";
                self.count(sql) == 1
            })
            .await;
    }

    pub fn count(&self, sql: &str) -> i64 {
        let path = self.world.calup.dir.join("calup.db");
        let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY);
        let db = db.expect("a database");
        db.query_row(sql, [], |row| row.get(0)).expect("a number")
    }

    pub fn kept(&self) -> usize {
        usize::try_from(self.count("SELECT count(*) FROM hook")).expect("few")
    }

    pub fn is_indexed(&self, task: &str) -> bool {
        self.count(&format!(
            "SELECT count(*) FROM indexed_lead WHERE lead = '{task}'"
        )) == 1
    }

    /// As of when the index has it, in milliseconds.
    pub fn indexed_as_of(&self, task: &str) -> i64 {
        self.count(&format!(
            "SELECT updated_at / 1000 FROM indexed_lead WHERE lead = '{task}'"
        ))
    }

    pub async fn until_indexed(&self, task: &str, wanted: bool) {
        let began = Instant::now();
        self.world
            .until("the index knows", async || self.is_indexed(task) == wanted)
            .await;
        let took = began.elapsed();
        assert!(took < Duration::from_secs(10), "{took:?}");
    }

    pub fn reads_of(&self, task: &str) -> usize {
        let path = format!("/task/{task}");
        let all = self.world.clickup.requests();
        all.iter()
            .filter(|it| it.method == "GET" && it.path.ends_with(&path))
            .count()
    }

    pub async fn events(&self, name: &str) -> u64 {
        let ready = self.world.get("/readyz").await;
        ready["clickup_events"][name].as_u64().expect("a number")
    }

    pub fn hook(&self) -> String {
        format!(
            "http://{}/api/webhooks/clickup/default",
            self.world.calup.address
        )
    }

    pub async fn post(&self, url: &str, signature: Option<&str>, body: &str) -> (u16, Value) {
        let mut request = self.world.http.post(url).body(body.to_owned());
        if let Some(signature) = signature {
            request = request.header("X-Signature", signature);
        }
        let sent = request.send().await.expect("calup answers");
        let status = sent.status().as_u16();
        (status, sent.json().await.unwrap_or_default())
    }
}

/// To listen on, and for the outside.
pub fn free_address() -> (String, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let url = format!("http://{address}");
    (address, url)
}

/// The listing of what was changed omits what was made within the last hour.
pub fn hide_from_polling(world: &World) {
    let listing = Match::get("date_updated_gt");
    world
        .clickup
        .fault(listing, Fault::IndexLag(3_600_000), ALWAYS);
}

impl Told {
    /// The fault strikes the first registration.
    pub async fn with_fault(clickup: Config, more: &[(&'static str, &str)], fault: Fault) -> Self {
        let off = [more, &[("CALUP_HOOK_SECONDS", "0")]].concat();
        let mut told = Self::unsettled(clickup, &off).await;
        told.until_filled().await;
        assert!(told.world.clickup.hooks().is_empty(), "0 makes none");
        told.world.clickup.fault(Match::post("/webhook"), fault, 1);
        told.world.calup.set("CALUP_HOOK_SECONDS", "1");
        told.world.calup.restart();
        told
    }
}
