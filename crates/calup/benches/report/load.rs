//! A closed loop: so many connections, each sends its next request when the last one was answered.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::task::{JoinSet, LocalSet};

use crate::http::Connection;

#[derive(Default)]
pub struct Load {
    pub took: Duration,
    pub latencies: Vec<Duration>,
}

impl Load {
    pub fn per_second(&self) -> f64 {
        self.latencies.len() as f64 / self.took.as_secs_f64()
    }

    pub fn p99_ms(&mut self) -> f64 {
        self.latencies.sort_unstable();
        let at = (self.latencies.len() * 99).div_ceil(100).max(1) - 1;
        self.latencies[at].as_secs_f64() * 1_000.0
    }

    pub fn extend(&mut self, other: Self) {
        self.took += other.took;
        self.latencies.extend(other.latencies);
    }
}

/// Sends each request once; every one must be answered 200.
pub async fn run(address: SocketAddr, connections: usize, requests: Rc<Vec<Vec<u8>>>) -> Load {
    let mut opened = Vec::new();
    for _ in 0..connections {
        opened.push(Connection::open(address).await.expect("a connection"));
    }
    let next = Rc::new(Cell::new(0));
    let began = Instant::now();
    let local = LocalSet::new();
    let mut sending = JoinSet::new();
    for mut connection in opened {
        let (next, requests) = (next.clone(), requests.clone());
        let send = async move {
            let mut latencies = Vec::new();
            while let Some(request) = requests.get(next.replace(next.get() + 1)) {
                let sent = Instant::now();
                let (status, body) = connection.send(request).await.expect("an answer");
                latencies.push(sent.elapsed());
                assert_eq!(status, 200, "{}", String::from_utf8_lossy(body));
            }
            latencies
        };
        sending.spawn_local_on(send, &local);
    }
    let latencies = local.run_until(sending.join_all()).await;
    Load {
        took: began.elapsed(),
        latencies: latencies.concat(),
    }
}
