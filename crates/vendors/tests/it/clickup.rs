//! The ClickUp client over HTTP: against the pretended ClickUp, and against raw sockets where it must not be trusted
//! to behave. That the pretended one is like the real one is `sim`'s own test.

mod answers;
mod blocks;
mod comments;
mod create;
mod fixtures;
mod hooks;
mod limits;
mod lists;
mod once;
mod refusals;
mod search;
mod spec;
pub(crate) mod stub;

use std::path::PathBuf;
use std::time::Duration;

use domain::lead::{NewLead, RichText, Run, Write};
use domain::outcome::Failure;
use serde_json::{Value, json};
use sim::clickup::{ClickUp as Sim, Config as SimConfig};
use vendors::Crm;
use vendors::clickup::{ClickUp, Config};

use crate::failures::class;

const BROKERS: &str = "901100000001";
const SELLERS: &str = "901100000002";
const INBOUND: &str = "901100000003";
const EMAIL: &str = "a0b8efe1-0000-4c63-8850-0d0742888f9d";
const EMAIL_2: &str = "a0b8efe1-0000-4c63-8850-0d0742888f9e";
const PHONE: &str = "9c5b9ad9-0000-4fdd-a0a9-0110d341de7c";
const SOURCE: &str = "b2e4be70-0000-4726-985b-46ac25375b28";
const REFERRAL: &str = "f8249998-9c0a-4b1d-a8b7-67a072aca05a";
const CAL_COM: &str = "97704092-e5aa-4005-a87f-677b764d2e4c";
const TOKEN: &str = "pk_sim";

const STATUSES: &[(&str, &str)] = &[
    ("to do", "open"),
    ("meeting booked", "custom"),
    ("negotiating", "custom"),
    ("lost", "done"),
    ("complete", "closed"),
];

fn roomy() -> SimConfig {
    SimConfig {
        limit_per_minute: 1_000_000,
        ..SimConfig::default()
    }
}

/// Brokers, sellers and inbound leads, without any field.
async fn bare(config: SimConfig) -> Sim {
    let sim = Sim::start(config).await;
    sim.add_list(BROKERS, "Brokers", STATUSES);
    sim.add_list(SELLERS, "Sellers", STATUSES);
    sim.add_list(INBOUND, "Inbound Leads", STATUSES);
    sim
}

/// The three lists share their fields.
async fn workspace(config: SimConfig) -> Sim {
    let sim = bare(config).await;
    let all = [BROKERS, SELLERS, INBOUND];
    sim.add_field(&all, EMAIL, "Email", "email");
    sim.add_field(&all, PHONE, "Phone", "phone");
    let options = json!({"options": [
        {"id": REFERRAL, "name": "Referral", "color": "#b5bcc2", "orderindex": 0},
        {"id": CAL_COM, "name": "Cal.com", "color": "#02BCD4", "orderindex": 1},
    ]});
    sim.add_field_with(&all, SOURCE, "Source", "drop_down", options);
    sim
}

fn config(api_url: &str) -> Config {
    Config {
        api_url: api_url.to_owned(),
        token: TOKEN.into(),
        team_id: None,
        match_list_ids: vec![BROKERS.to_owned(), SELLERS.to_owned()],
        inbound_list_id: INBOUND.to_owned(),
        email_field: "Email".to_owned(),
        timeout: Duration::from_secs(10),
    }
}

fn client_of(config: Config) -> ClickUp {
    // Another test of this binary has installed one already.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    ClickUp::new(config).expect("a client can be made")
}

fn client(sim: &Sim) -> ClickUp {
    client_of(config(&sim.api_url()))
}

fn new_lead(name: &str) -> NewLead {
    NewLead {
        name: name.to_owned(),
        description: "Met by booking.".to_owned(),
        status: None,
        email: None,
        phone: None,
        answers: Vec::new(),
        with_fields: true,
        plain_type: false,
    }
}

fn status(name: &str) -> Write {
    Write {
        status: Some(name.to_owned()),
        ..Write::default()
    }
}

fn description(markdown: &str) -> Write {
    Write {
        description: Some(markdown.to_owned()),
        ..Write::default()
    }
}

fn rich(text: &str) -> RichText {
    vec![Run {
        text: text.to_owned(),
        ..Run::default()
    }]
}

async fn found(crm: &ClickUp, email: &str) -> Vec<String> {
    let leads = crm.find_by_email(email).await.expect("the search succeeds");
    let mut names: Vec<String> = leads.into_iter().map(|lead| lead.name).collect();
    names.sort();
    names
}

/// Everything that a client can be asked to do to a lead, by name.
const WRITES: &[&str] = &["create", "write", "comment", "edit"];

async fn write(crm: &ClickUp, which: &str, task: &str, comment: &str) -> Result<(), Failure> {
    match which {
        "create" => crm.create(&new_lead("Avery Quinn")).await.map(|_| ()),
        "write" => crm.write(task, &status("meeting booked")).await,
        "comment" => crm.comment(task, &rich("hello")).await.map(|_| ()),
        "edit" => crm.edit_comment(comment, &rich("edited")).await,
        other => panic!("{other} is no write"),
    }
}

const READS: &[&str] = &[
    "find", "lead", "comments", "since", "moved", "page", "list", "probe",
];

/// How many things were read.
async fn read(crm: &ClickUp, which: &str, task: &str) -> Result<usize, Failure> {
    match which {
        "find" => crm.find_by_email("ada@x.example").await.map(|it| it.len()),
        "lead" => crm.lead(task).await.map(|_| 1),
        "comments" => crm
            .comments(task, jiff::Timestamp::MIN)
            .await
            .map(|it| it.len()),
        "since" => {
            let ever = jiff::Timestamp::UNIX_EPOCH;
            crm.created_since(ever).await.map(|it| it.len())
        }
        "moved" => {
            let ever = jiff::Timestamp::UNIX_EPOCH;
            crm.moved_on(ever).await.map(|it| it.len())
        }
        "page" => crm.page(None, 0).await.map(|it| it.leads.len()),
        "list" => crm.list(BROKERS, true).await.map(|_| 1),
        "probe" => crm.probe().await.map(|()| 1),
        other => panic!("{other} is no read"),
    }
}

/// The message with its hint, which must name a setting or a thing, and never a secret or a person.
fn operator(failure: Result<impl std::fmt::Debug, Failure>) -> String {
    match failure {
        Err(failure @ Failure::NeedsOperator { .. }) => {
            let shown = failure.to_string();
            assert!(!shown.contains(TOKEN), "{shown}");
            assert!(!shown.contains('@'), "{shown}");
            shown
        }
        other => panic!("an operator is needed: {other:?}"),
    }
}

fn fixture(name: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures");
    let text = std::fs::read(PathBuf::from(folder).join(name)).expect("a fixture of that name");
    serde_json::from_slice(&text).expect("a fixture is JSON")
}
