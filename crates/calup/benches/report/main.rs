//! What calup costs, measured on the release binary from outside and held against a limit or a bare server of
//! the same kind. One file per question; `scripts/bench` runs it and docs/benchmarks.md says how to read it.

mod acks;
mod assistant;
mod bare;
mod calls;
mod cpu;
mod deliveries;
mod fsyncs;
mod http;
mod limit;
mod load;
mod memory;
mod server;
mod start;
mod table;
mod world;

use std::process::ExitCode;

use table::Table;

/// How much is measured: everything, or as much as one has the patience for.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    pub is_quick: bool,
}

impl Effort {
    pub fn pick<T>(self, large: T, quick: T) -> T {
        if self.is_quick { quick } else { large }
    }
}

const USAGE: &str = "scripts/bench [--quick] [--json] [--only WORD]
  --quick      fewer rounds, and a shorter minute for the limit
  --json       the table as JSON
  --only WORD  only the questions of one file: calls, acks, fsyncs, cpu, memory, start, limit, assistant";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (mut is_quick, mut is_json, mut only) = (false, false, None);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            bare::ARGUMENT => return bare::main(arguments.next().as_deref().unwrap_or(".")),
            "--quick" => is_quick = true,
            "--json" => is_json = true,
            "--only" => only = arguments.next(),
            // Cargo's own.
            "--bench" => {}
            _ => {
                eprintln!("{USAGE}");
                return ExitCode::from(2);
            }
        }
    }
    let effort = Effort { is_quick };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let table = runtime.block_on(ask(effort, only.as_deref()));
    if is_json {
        println!("{}", table.json());
    } else {
        println!("{table}");
    }
    if table.is_missed() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

async fn ask(effort: Effort, only: Option<&str>) -> Table {
    let mut table = Table::new(effort);
    let is_wanted = |name: &str| {
        let wanted = only.is_none_or(|only| only == name);
        if wanted {
            eprintln!("… {name}");
        }
        wanted
    };
    if is_wanted("calls") {
        calls::ask(&mut table).await;
    }
    if is_wanted("acks") {
        acks::ask(&mut table, effort).await;
    }
    if is_wanted("fsyncs") {
        fsyncs::ask(&mut table, effort).await;
    }
    if is_wanted("cpu") {
        cpu::ask(&mut table, effort).await;
    }
    if is_wanted("memory") || only == Some("start") {
        memory::ask(&mut table).await;
    }
    if is_wanted("limit") {
        limit::ask(&mut table, effort).await;
    }
    if is_wanted("assistant") {
        assistant::ask(&mut table, effort).await;
    }
    table
}
