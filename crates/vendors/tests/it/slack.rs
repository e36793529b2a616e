//! The Slack client over HTTP, against the pretended Slack. That the pretended one is like the real one is `sim`'s own
//! test.

mod click;
mod messages;
mod refusals;
mod signatures;
mod socket;

use std::path::PathBuf;
use std::time::Duration;

use domain::lead::Run;
use domain::outcome::Failure;
use jiff::Timestamp;
use serde_json::Value;
use sim::slack::{Config as SimConfig, Slack as Sim};
use vendors::slack::{Block, Button, Config, Message, Slack, Style};

use crate::failures::class;

const SALES: &str = "C0000SALES";
const ROBIN: &str = "U0000ROBIN";

/// A workspace whose channel takes any number of messages.
async fn workspace() -> Sim {
    workspace_of(SimConfig::default()).await
}

async fn workspace_of(config: SimConfig) -> Sim {
    let sim = Sim::start(config).await;
    sim.add_channel(SALES, "sales-bookings");
    sim
}

fn config(sim: &Sim) -> Config {
    Config {
        api_url: sim.api_url(),
        bot_token: sim.bot_token().into(),
        app_token: None,
        channel: SALES.to_owned(),
        timeout: Duration::from_secs(5),
    }
}

fn client_of(config: Config) -> Slack {
    // Another test of this binary has installed one already.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    Slack::new(config).expect("a client can be made")
}

fn client(sim: &Sim) -> Slack {
    client_of(config(sim))
}

fn run(text: &str) -> Run {
    Run {
        text: text.to_owned(),
        ..Run::default()
    }
}

fn button(action_id: &str, label: &str) -> Button {
    Button {
        action_id: action_id.to_owned(),
        label: label.to_owned(),
        value: "q1".to_owned(),
        style: Style::Plain,
    }
}

/// Whether this booker is Ada.
fn question(name: &str, marker: &str) -> Message {
    Message {
        text: format!("{name} booked: who is it?"),
        blocks: vec![
            Block::Header("Who is it?".to_owned()),
            Block::Section(vec![
                Run {
                    bold: true,
                    ..run(name)
                },
                run(" booked 30 Min Meeting"),
            ]),
            Block::Actions {
                id: "q1".to_owned(),
                buttons: vec![
                    button("calup_person_0", name),
                    button("calup_new", "New lead"),
                ],
            },
        ],
        marker: Some(marker.to_owned()),
    }
}

fn ever() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

fn classed<T>(result: Result<T, Failure>) -> &'static str {
    match result {
        Ok(_) => "done",
        Err(failure) => {
            let shown = failure.to_string();
            assert!(
                !shown.contains("xoxb-sim") && !shown.contains("xapp-sim"),
                "{shown}"
            );
            class(&failure)
        }
    }
}

fn fixture(name: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/slack");
    let text = std::fs::read(PathBuf::from(folder).join(name)).expect("a fixture of that name");
    serde_json::from_slice(&text).expect("a fixture is JSON")
}
