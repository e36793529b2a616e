//! A server in a process of its own, and what the kernel says of it.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// `USER_HZ`, which Linux shows to every program as 100.
const TICKS_PER_SECOND: f64 = 100.0;

pub struct Server {
    child: Child,
    pub address: SocketAddr,
    /// Of the server itself, not of what it runs under.
    pub pid: u32,
    pub started: Instant,
}

/// On the disk that the build is on: in memory an fsync costs nothing and proves nothing.
pub fn new_folder(name: &str) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("bench-{}-{number}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

impl Server {
    /// Starts it and waits for the line that names its address.
    pub fn start(mut command: Command) -> Self {
        let started = Instant::now();
        let mut child = command
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let (send, receive) = mpsc::channel();
        let stderr = BufReader::new(child.stderr.take().expect("piped"));
        std::thread::spawn(move || {
            let mut said = String::new();
            for line in stderr.lines().map_while(Result::ok) {
                said.push_str(&line);
                said.push('\n');
                if let Some((_, address)) = line.split_once("listens on http://") {
                    let _ = send.send(Ok(address.trim().to_owned()));
                }
            }
            let _ = send.send(Err(said));
        });
        let address = match receive.recv_timeout(Duration::from_secs(20)) {
            Ok(Ok(address)) => address.parse().expect("an address"),
            Ok(Err(said)) => panic!("the server did not start: {said}"),
            Err(error) => panic!("the server did not say its address: {error}"),
        };
        let pid = child.id();
        Self {
            child,
            address,
            pid,
            started,
        }
    }

    /// The same, run under another program: the server is its only child.
    pub fn start_under(command: Command) -> Self {
        let mut server = Self::start(command);
        let outer = server.pid;
        let children = std::fs::read_to_string(format!("/proc/{outer}/task/{outer}/children"));
        server.pid = children
            .ok()
            .and_then(|text| text.split_whitespace().next()?.parse().ok())
            .expect("the server runs under it");
        server
    }

    pub fn stop(mut self) {
        let _ = Command::new("kill")
            .args(["-TERM", &self.pid.to_string()])
            .status();
        let _ = self.child.wait();
    }

    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// User and system time used so far, in milliseconds.
    pub fn cpu_ms(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid)).expect("it runs");
        // The name in brackets may hold anything; utime and stime are the 12th and 13th after it.
        let fields: Vec<&str> = stat
            .rsplit_once(')')
            .map(|(_, rest)| rest.split_whitespace().collect())
            .unwrap_or_default();
        let ticks = |at: usize| fields[at].parse::<f64>().expect("a number");
        (ticks(11) + ticks(12)) * 1_000.0 / TICKS_PER_SECOND
    }

    pub fn rss_mib(&self) -> f64 {
        self.memory("VmRSS:")
    }

    /// The most since [`Self::forget_peak`].
    pub fn peak_mib(&self) -> f64 {
        self.memory("VmHWM:")
    }

    pub fn forget_peak(&self) {
        std::fs::write(format!("/proc/{}/clear_refs", self.pid), "5").expect("our own child");
    }

    fn memory(&self, name: &str) -> f64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.pid)).expect("it runs");
        let kib: f64 = status
            .lines()
            .find_map(|line| line.strip_prefix(name)?.trim().strip_suffix(" kB"))
            .and_then(|kib| kib.trim().parse().ok())
            .expect("it is there");
        kib / 1024.0
    }

    /// Until it has used next to no processor time for a while.
    pub async fn quiet(&self) {
        let mut before = self.cpu_ms();
        let mut calm = 0;
        while calm < 4 {
            tokio::time::sleep(Duration::from_millis(150)).await;
            let now = self.cpu_ms();
            calm = if now - before <= 10.0 { calm + 1 } else { 0 };
            before = now;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
