//! From starting the process to the first 200 of `/readyz`, on a database that is there already.

use std::path::Path;
use std::time::Duration;

use crate::http;
use crate::server::Server;
use crate::table::Table;
use crate::world;

const STARTS: usize = 15;
const LIMIT_MS: f64 = 50.0;

pub async fn ask(table: &mut Table, folder: &Path) {
    let (mut started, mut restarted) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let (took, mut calup) = ready(folder).await;
        started.push(took);
        calup.kill();
        let (took, calup) = ready(folder).await;
        restarted.push(took);
        calup.stop();
    }
    for (what, took) in [("start", started), ("restart after kill -9", restarted)] {
        let mut took = took;
        took.sort_by(f64::total_cmp);
        table.at_most(
            &format!("{what} to ready, 100000 deliveries queued"),
            took[STARTS / 2],
            LIMIT_MS,
            "ms",
        );
        table.note(format!(
            "the slowest of {STARTS}: {:.0} ms",
            took[STARTS - 1]
        ));
    }
}

async fn ready(folder: &Path) -> (f64, Server) {
    let calup = Server::start(world::serve(folder, None));
    loop {
        if let Ok((200, _)) = http::get(calup.address, "/readyz", None).await {
            return (calup.started.elapsed().as_secs_f64() * 1_000.0, calup);
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
