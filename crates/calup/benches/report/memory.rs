//! Memory of an idle calup, and of one that has a hundred thousand deliveries before it; how long it takes to start
//! on that database; the size of the binary.

use std::rc::Rc;

use crate::deliveries::Bookings;
use crate::server::{Server, new_folder};
use crate::table::Table;
use crate::{load, start, world};

const QUEUED: usize = 100_000;
const AT_ONCE: usize = 10_000;
const CONNECTIONS: usize = 64;

pub async fn ask(table: &mut Table) {
    let bytes = std::fs::metadata(world::binary()).map_or(0, |file| file.len());
    table.at_most("size of the binary", bytes as f64 / 1e6, 25.0, "MB");
    let folder = new_folder("queued");
    // Made, and stopped: what is measured has a database already.
    Server::start(world::serve(&folder, None)).stop();
    let calup = Server::start(world::serve(&folder, None));
    calup.quiet().await;
    table.at_most("memory, idle", calup.rss_mib(), 20.0, "MiB");
    table.note(format!("peak {:.1} MiB", calup.peak_mib()));
    let mut bookings = Bookings::new();
    for _ in 0..QUEUED / AT_ONCE {
        let requests = bookings.of_strangers(AT_ONCE);
        load::run(calup.address, CONNECTIONS, Rc::new(requests)).await;
    }
    calup.quiet().await;
    table.at_most(
        &format!("memory with {QUEUED} deliveries queued, at its peak"),
        calup.peak_mib(),
        60.0,
        "MiB",
    );
    table.note(format!("afterwards {:.1} MiB", calup.rss_mib()));
    calup.stop();
    start::ask(table, &folder).await;
    let _ = std::fs::remove_dir_all(&folder);
}
