//! calup keeps a ClickUp workspace in step with Cal.com. A library only so that the storm can drive the same
//! intake and worker as the binary; nobody else uses it.

mod address;
mod answers;
pub mod app;
mod asking;
mod attempt;
mod body;
mod calcom;
mod chain_locks;
mod chat;
mod cli;
pub mod clock;
pub mod closing;
pub mod config;
mod crash;
mod demo;
mod doctor;
mod early;
mod execute;
mod explain;
mod gather;
mod given_up;
mod grant;
mod guard;
mod hooks;
mod hosts;
mod inbox;
pub mod index;
mod journal;
mod keys;
mod lease;
mod leased;
mod lookup;
mod mcp;
mod misfits;
mod pointer;
mod process;
mod profiles;
mod proposals;
mod reading;
mod ready;
mod serve;
mod server;
mod shared;
mod slack;
pub mod standby;
pub mod sweep;
mod tools;
mod view;
mod waits;
pub mod web;
pub mod worker;

use std::pin::Pin;
use std::process::ExitCode;

/// The program.
pub fn main() -> ExitCode {
    rustls::crypto::ring::default_provider()
        .install_default()
        .expect("nothing installed one before");
    let arguments = <cli::Arguments as clap::Parser>::parse();
    cli::telemetry(&arguments);
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: could not start: {error}");
            return ExitCode::FAILURE;
        }
    };
    // Behind a pointer: it is large, and compiled once for each kind of runtime otherwise.
    let run: Pin<Box<dyn Future<Output = _>>> = Box::pin(cli::run(arguments));
    match runtime.block_on(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
