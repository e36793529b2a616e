//! How many fsyncs a delivery costs when sixteen senders send at once: counted by the kernel, with those of starting,
//! of reading what came in, of the log's upkeep and of stopping.

use std::path::Path;
use std::process::Command;
use std::rc::Rc;

use crate::deliveries::Bookings;
use crate::load;
use crate::server::{Server, new_folder};
use crate::table::{Beside, Must, Table};
use crate::world::{self, World};
use crate::{Effort, bare};

const CONNECTIONS: usize = 16;
const CLICKUP_LIMIT: u32 = 100;
const LIMIT: f64 = 0.2;

pub async fn ask(table: &mut Table, effort: Effort) {
    let is_there = Command::new("strace").arg("-V").output();
    if !is_there.is_ok_and(|out| out.status.success()) {
        table.skip("fsyncs per delivery: strace is not installed (Debian: apt-get install strace)");
        return;
    }
    let deliveries = effort.pick(10_000, 3_000);
    let clickup = World::clickup(CLICKUP_LIMIT).await;
    let of_calup = counted(deliveries, |folder| world::serve(folder, Some(&clickup))).await;
    let of_bare = counted(deliveries, bare::command).await;
    let question = format!("fsyncs per delivery, {CONNECTIONS} connections");
    table.at_most(&question, of_calup, LIMIT, "");
    table.add(
        &format!("{question}, beside the bare server"),
        of_calup,
        of_bare,
        "",
        Beside::Bare,
        Must::Anything,
    );
}

async fn counted(deliveries: usize, server: impl FnOnce(&Path) -> Command) -> f64 {
    let folder = new_folder("fsyncs");
    let summary = folder.join("syscalls");
    let server = Server::start_under(under_strace(&server(&folder), &summary));
    let requests = Bookings::new().of_strangers(deliveries);
    load::run(server.address, CONNECTIONS, Rc::new(requests)).await;
    server.quiet().await;
    server.stop();
    let summary = std::fs::read_to_string(&summary).expect("strace wrote what it counted");
    let _ = std::fs::remove_dir_all(&folder);
    let fsyncs: u64 = summary
        .lines()
        .filter(|line| line.ends_with("fsync") || line.ends_with("fdatasync"))
        .filter_map(|line| line.split_whitespace().nth(3)?.parse::<u64>().ok())
        .sum();
    fsyncs as f64 / deliveries as f64
}

/// Only these system calls stop the server: the others run at full speed.
fn under_strace(server: &Command, summary: &Path) -> Command {
    let mut command = Command::new("strace");
    command
        .args([
            "-f",
            "--seccomp-bpf",
            "-c",
            "-e",
            "trace=fsync,fdatasync",
            "-o",
        ])
        .arg(summary)
        .arg(server.get_program())
        .args(server.get_args());
    if let Some(folder) = server.get_current_dir() {
        command.current_dir(folder);
    }
    for (name, value) in server.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    command
}
