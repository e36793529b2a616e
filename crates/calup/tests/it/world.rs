//! A world to tell stories in: a simulated ClickUp with the usual lists, and the real `calup serve`.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::Value;
pub use sim::clickup::usual::{BROKERS, EMAIL_FIELD, INBOUND, SELLERS, STATUSES};
use sim::clickup::{ClickUp, Config};

pub const SECRET: &str = "whsec_test";

pub struct World {
    pub clickup: ClickUp,
    pub calup: Calup,
    pub http: reqwest::Client,
    pub token: String,
}

/// The process and its folder.
pub struct Calup {
    pub dir: PathBuf,
    program: PathBuf,
    env: Vec<(String, String)>,
    child: Option<Child>,
    pub address: String,
}

/// What is changed about the usual world.
#[derive(Default)]
pub struct Setup {
    pub clickup: Option<Config>,
    pub env: Vec<(&'static str, String)>,
    /// Not in the environment.
    pub without: Vec<&'static str>,
    /// `calup.toml`.
    pub file: Option<String>,
    /// Another build than the one under test.
    pub program: Option<PathBuf>,
}

impl World {
    pub async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    pub async fn with(setup: Setup) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let clickup = ClickUp::start(setup.clickup.unwrap_or(Config {
            limit_per_minute: 10_000,
            ..Config::default()
        }))
        .await;
        clickup.add_usual_lists();
        let mut env = vec![
            ("CALUP_LISTEN", "127.0.0.1:0".to_owned()),
            ("CALCOM_WEBHOOK_SECRET", SECRET.to_owned()),
            ("CLICKUP_API_TOKEN", "pk_sim".to_owned()),
            ("CLICKUP_API_URL", clickup.api_url()),
            ("CLICKUP_MATCH_LIST_IDS", format!("{BROKERS},{SELLERS}")),
            ("CLICKUP_INBOUND_LIST_ID", INBOUND.to_owned()),
            ("CALUP_LATE_APPLY_SECONDS", "1".to_owned()),
            ("CALUP_INDEX_LAG_SECONDS", "1".to_owned()),
            ("CALUP_LEASE_SECONDS", "6".to_owned()),
        ];
        env.retain(|(name, _)| {
            !setup.env.iter().any(|(n, _)| n == name) && !setup.without.contains(name)
        });
        env.extend(setup.env);
        let env: Vec<(String, String)> = env.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
        let mut calup = Calup::in_new_folder(env);
        if let Some(program) = setup.program {
            calup.program = program;
        }
        if let Some(file) = setup.file {
            std::fs::write(calup.dir.join("calup.toml"), file).expect("a file");
        }
        calup.start();
        let made = calup.run(&["token", "new", "--json", "--name", "test"]);
        let token: Value = serde_json::from_str(&made.0).expect("a token as JSON");
        let token = token["token"].as_str().expect("the token").to_owned();
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(30))
            // A connection kept from before a restart is of no use.
            .pool_max_idle_per_host(0)
            .build()
            .expect("a client");
        Self {
            clickup,
            calup,
            http,
            token,
        }
    }

    pub fn hook(&self) -> String {
        format!("http://{}/api/webhooks/cal", self.calup.address)
    }

    /// Signs and sends a body, as Cal.com would.
    pub async fn deliver(&self, body: impl Into<Vec<u8>>) -> u16 {
        let body = body.into();
        let signature = sim::cal::sign(SECRET, &body);
        let sent = self
            .http
            .post(self.hook())
            .header("X-Cal-Signature-256", signature)
            .header("Content-Type", "application/json")
            .body(body)
            .send()
            .await
            .expect("calup answers");
        sent.status().as_u16()
    }

    /// A Cal.com that sends here; each has bookings of its own.
    pub fn cal(&self) -> sim::cal::Cal {
        static SEED: AtomicU64 = AtomicU64::new(1);
        let seed = SEED.fetch_add(1, Ordering::Relaxed);
        sim::cal::Cal::seeded(&self.hook(), SECRET, seed)
    }

    /// The status and reason of the delivery with this body.
    pub async fn ending(&self, body: &[u8]) -> (String, String) {
        let hash = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(body));
        let all = self.get(&format!("/api/deliveries?sha256={hash}")).await;
        let text = |name: &str| {
            let value = all["deliveries"][0][name].as_str();
            value.unwrap_or_default().to_owned()
        };
        (text("status"), text("reason"))
    }

    /// Waits until it is so.
    pub async fn until(&self, what: &str, mut is_so: impl AsyncFnMut() -> bool) {
        let limit = Instant::now() + Duration::from_secs(30);
        while !is_so().await {
            assert!(
                Instant::now() < limit,
                "never so: {what}\n{}\n{}",
                self.get("/api/deliveries").await,
                self.calup.log()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub async fn get(&self, path: &str) -> Value {
        let url = format!("http://{}{path}", self.calup.address);
        let sent = self
            .http
            .get(url)
            .bearer_auth(&self.token)
            .send()
            .await
            .expect("calup answers");
        sent.json().await.expect("JSON")
    }

    pub async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let url = format!("http://{}{path}", self.calup.address);
        let sent = self
            .http
            .post(url)
            .bearer_auth(&self.token)
            .json(&body)
            .send()
            .await
            .expect("calup answers");
        (
            sent.status().as_u16(),
            sent.json().await.unwrap_or(Value::Null),
        )
    }

    /// Waits until one delivery, and no other, waits to be tried again.
    pub async fn until_it_waits(&self) {
        self.until("it waits", async || {
            self.get("/api/counts").await["waiting"] == 1
        })
        .await;
    }

    /// Waits until nothing is pending, running or waiting.
    pub async fn settle(&self) -> Value {
        self.settle_within(Duration::from_secs(30)).await
    }

    pub async fn settle_within(&self, limit: Duration) -> Value {
        let until = Instant::now() + limit;
        let mut pause = Duration::from_millis(20);
        loop {
            let counts = self.get("/api/counts").await;
            if ["pending", "running", "waiting"]
                .iter()
                .all(|s| counts[s] == 0)
            {
                return counts;
            }
            assert!(
                Instant::now() < until,
                "still at work: {counts}\n{}",
                self.get("/api/deliveries").await
            );
            tokio::time::sleep(pause).await;
            // Who waits for long need not know at once.
            pause = (pause * 21 / 20).min(Duration::from_millis(250));
        }
    }

    /// The newest delivery's status and reason.
    pub async fn last(&self) -> (String, String) {
        let all = self.get("/api/deliveries?limit=1").await;
        let text = |name: &str| {
            all["deliveries"][0][name]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        (text("status"), text("reason"))
    }
}

impl Calup {
    pub fn in_new_folder(env: Vec<(String, String)>) -> Self {
        let dir = std::env::temp_dir().join(format!("calup-it-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir_all(&dir).expect("a folder");
        Self {
            dir,
            program: env!("CARGO_BIN_EXE_calup").into(),
            env,
            child: None,
            address: String::new(),
        }
    }

    /// Another one with the same settings, of the build under test.
    pub fn replica(&self) -> Self {
        Self::in_new_folder(self.env.clone())
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    /// Such as `STOP`.
    pub fn signal(&self, name: &str) {
        let (signal, pid) = (format!("-{name}"), self.pid().to_string());
        let sent = Command::new("kill").args([signal, pid]).status();
        assert!(sent.expect("there is a kill").success());
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .current_dir(&self.dir)
            .env_clear()
            .envs(self.env.iter().cloned());
        command
    }

    /// The next start listens where this one does.
    pub fn keep_address(&mut self) {
        let address = self.address.clone();
        self.set("CALUP_LISTEN", &address);
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.env.retain(|(n, _)| n != name);
        self.env.push((name.to_owned(), value.to_owned()));
    }

    /// Into `calup.toml`, for whoever starts another one in this folder.
    pub fn write_settings(&self) {
        let is_setting = |name: &str| !name.starts_with("RUST_");
        let all = self.env.iter().filter(|(name, _)| is_setting(name));
        let lines = all.map(|(name, value)| format!("{} = {value:?}\n", name.to_lowercase()));
        let file = self.dir.join("calup.toml");
        std::fs::write(file, lines.collect::<String>()).expect("a file");
    }

    /// Starts `serve` and waits for its address.
    pub fn start(&mut self) {
        self.start_as(&["serve"]);
    }

    pub fn start_as(&mut self, arguments: &[&str]) {
        if let Err(error) = self.begin_serving(arguments) {
            panic!("calup did not start ({error}):\n{}", self.log());
        }
    }

    /// Whether it starts.
    pub fn try_start(&mut self) -> bool {
        self.begin_serving(&["serve"]).is_ok()
    }

    fn begin_serving(&mut self, arguments: &[&str]) -> Result<(), mpsc::RecvTimeoutError> {
        let mut child = self
            .command()
            .args(arguments)
            .stderr(Stdio::piped())
            .spawn()
            .expect("calup starts");
        let (send, receive) = mpsc::channel();
        let log = self.dir.join("serve.log");
        let stderr = BufReader::new(child.stderr.take().expect("piped"));
        std::thread::spawn(move || {
            use std::io::Write;
            let mut file = std::fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(log)
                .expect("a log");
            for line in stderr.lines().map_while(Result::ok) {
                let _ = writeln!(file, "{line}");
                if let Some((_, address)) = line.split_once("calup listens on http://") {
                    let _ = send.send(address.trim().to_owned());
                }
            }
        });
        let address = receive.recv_timeout(Duration::from_secs(20));
        self.child = Some(child);
        self.address = address?;
        Ok(())
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join("serve.log")).unwrap_or_default()
    }

    /// The most memory that it ever had.
    pub fn peak_mib(&self) -> f64 {
        self.proc("status", "VmHWM:") / 1_024.0
    }

    /// To disks.
    pub fn bytes_written(&self) -> u64 {
        self.proc("io", "write_bytes:") as u64
    }

    fn proc(&self, file: &str, name: &str) -> f64 {
        let pid = self.child.as_ref().expect("it runs").id();
        let text = std::fs::read_to_string(format!("/proc/{pid}/{file}")).expect("readable");
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        number.expect("a number")
    }

    /// kill -9.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Waits until it has ended by itself.
    pub async fn ended(&mut self) {
        let limit = Instant::now() + Duration::from_secs(30);
        let mut child = self.child.take().expect("it was started");
        while child.try_wait().expect("its state is known").is_none() {
            if Instant::now() > limit {
                let _ = child.kill();
                panic!("calup did not end:\n{}", self.log());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// SIGTERM, and the exit code.
    pub fn stop(&mut self) -> Option<i32> {
        let mut child = self.child.take()?;
        let pid = child.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        child.wait().ok()?.code()
    }

    pub fn restart(&mut self) {
        self.kill();
        self.start();
    }

    /// A command that goes on by itself.
    pub fn begin(&self, arguments: &[&str]) -> Child {
        self.command()
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("calup starts")
    }

    /// Runs a command to its end: standard output, standard error, exit code.
    pub fn run(&self, arguments: &[&str]) -> (String, String, i32) {
        let out = self.command().args(arguments).output().expect("calup runs");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        (
            text(out.stdout),
            text(out.stderr),
            out.status.code().unwrap_or(-1),
        )
    }
}

impl Drop for Calup {
    fn drop(&mut self) {
        self.kill();
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.dir);
        }
    }
}
