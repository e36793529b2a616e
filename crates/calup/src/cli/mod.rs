//! The command line. Exit codes: 0 done, 1 it failed, 2 wrong usage.

pub mod chat;
mod confirm;
mod deliveries;
mod doctor;
mod guard;
mod mcp;
mod plan;
mod profile;
mod questions;
mod reseal;
mod send;
mod terminal;
mod token;
mod tool;
mod wording;

use std::sync::Arc;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};
use secrecy::ExposeSecret;
use store::Store;
use store::rows::DEFAULT_PROFILE;

use crate::config::{self, Config};
use crate::demo;
use crate::serve::{self, Only};

/// Keeps a ClickUp workspace used as a CRM in step with Cal.com.
#[derive(Debug, Parser)]
#[command(name = "calup", version, about, arg_required_else_help = true)]
pub struct Arguments {
    /// Which profile a command is for; without it the environment's own.
    #[arg(long, global = true, value_name = "NAME")]
    profile: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Takes deliveries and works them off, until Ctrl-C.
    Serve {
        /// Only one half: `intake` works nothing off; `worker` works off, and takes what reaches it all the same.
        #[arg(long, value_enum)]
        only: Option<Only>,
    },
    /// A simulated Cal.com, ClickUp and Slack with the real service between them; needs no account.
    Demo {
        /// Ends with a summary instead of staying up.
        #[arg(long)]
        once: bool,
    },
    /// Shows what a delivery would do, and why; writes nothing.
    Plan(plan::Arguments),
    /// Looks for what is wrong: settings, ClickUp, database, disk, clock; each finding says what to do.
    Doctor(doctor::Arguments),
    /// Signs deliveries and sends them to a calup.
    Send(send::Arguments),
    /// Lists deliveries, newest first.
    Deliveries(deliveries::Listing),
    /// What people are asked because only a name matches, and answering it.
    Questions(questions::Arguments),
    /// Lists the assistant's tools, or uses one.
    Tool(tool::Arguments),
    /// The assistant in this terminal: a chat with Claude about your meetings.
    Chat(chat::Arguments),
    /// Serves the assistant's tools to an MCP client, over standard input and output.
    Mcp(mcp::Arguments),
    /// Carries out what a tool proposed, once you have said yes.
    Confirm(confirm::Arguments),
    /// Makes a delivery pending again; what was done is not done twice.
    Replay(deliveries::Replay),
    /// Whether ClickUp is asked first, because the database is an older copy; turns that on and off.
    Guard(guard::Arguments),
    /// Shows what is written for each trigger, and what a wording of your own makes.
    Wording(wording::Arguments),
    /// Prints a documented file with every setting and its default.
    Config,
    /// Profiles beside the environment's own, and the master key that seals their secrets.
    Profile {
        #[command(subcommand)]
        command: profile::Command,
    },
    /// API tokens.
    Token {
        #[command(subcommand)]
        command: token::Command,
    },
}

pub async fn run(arguments: Arguments) -> Result<(), String> {
    let profile = arguments.profile.as_deref();
    match arguments.command {
        Command::Serve { only } => {
            for_all(profile)?;
            serve::serve(load()?, only).await
        }
        Command::Demo { once } => {
            for_all(profile)?;
            demo::run(once).await
        }
        Command::Plan(arguments) => plan::run(arguments, of(profile).await?).await,
        Command::Doctor(arguments) => match profile {
            None | Some(DEFAULT_PROFILE) => doctor::run(arguments, Config::load()).await,
            Some(_) => doctor::run(arguments, Ok(of(profile).await?)).await,
        },
        Command::Send(arguments) => send::run(arguments, of(profile).await?).await,
        Command::Deliveries(listing) => deliveries::list(listing, &of(profile).await?).await,
        Command::Replay(replay) => deliveries::replay(replay, of(profile).await?).await,
        Command::Questions(arguments) => questions::run(arguments, &of(profile).await?).await,
        Command::Tool(arguments) => tool::run(arguments, of(profile).await?).await,
        Command::Chat(arguments) => chat::run(arguments, of(profile).await?).await,
        Command::Mcp(arguments) => {
            arguments.enter()?;
            mcp::run(of(profile).await?).await
        }
        Command::Confirm(arguments) => confirm::run(arguments, of(profile).await?).await,
        Command::Guard(arguments) => {
            for_all(profile)?;
            guard::run(arguments, &load()?).await
        }
        Command::Wording(arguments) => wording::run(&arguments, &of(profile).await?),
        Command::Config => {
            for_all(profile)?;
            print(config::DEFAULTS);
            Ok(())
        }
        Command::Profile { command } => {
            for_all(profile)?;
            profile::run(command, load()?).await
        }
        Command::Token { command } => token::run(command, &of(profile).await?).await,
    }
}

/// Ends the process, as a wrong option would.
fn wrong_usage(why: &str) -> ! {
    Arguments::command()
        .error(ErrorKind::ValueValidation, why)
        .exit()
}

fn for_all(profile: Option<&str>) -> Result<(), String> {
    match profile {
        None => Ok(()),
        Some(_) => wrong_usage("this command is not for one profile; leave `--profile` out"),
    }
}

/// The settings of the profile that is named, else of the environment's own.
async fn of(profile: Option<&str>) -> Result<Config, String> {
    let config = load()?;
    let Some(name) = profile.filter(|name| *name != DEFAULT_PROFILE) else {
        return Ok(config);
    };
    let row = profile::row(open(&config).await?.as_ref(), name).await?;
    config.of_profile(&row).map_err(|e| e.to_string())
}

fn load() -> Result<Config, String> {
    Config::load().map_err(|e| e.to_string())
}

async fn open(config: &Config) -> Result<Arc<dyn Store>, String> {
    let keys = config
        .master_key
        .as_ref()
        .map(|k| k.expose_secret().to_owned());
    store::open(&config.database_url, keys.as_deref())
        .await
        .map_err(|e| e.to_string())
}

/// To standard output; a reader that went away (`| head`) is no error.
fn print(text: &str) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    if !text.ends_with('\n') {
        let _ = out.write_all(b"\n");
    }
}

/// Logs go to standard error; `RUST_LOG` chooses, `CALUP_LOG=json` makes them JSON.
pub fn telemetry(arguments: &Arguments) {
    let quiet = !matches!(arguments.command, Command::Serve { .. });
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| {
        tracing_subscriber::EnvFilter::new(if quiet { "error" } else { "info" })
    });
    // What it says of less than errors holds whole messages: people's addresses, and tokens.
    let filter = filter.add_directive("rmcp=error".parse().expect("a directive"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false);
    if std::env::var("CALUP_LOG").is_ok_and(|v| v == "json") {
        builder.json().init();
    } else {
        builder
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .init();
    }
}
