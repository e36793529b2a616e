//! Workspaces that are not as they should be: a plan without field uses, a status that one list lacks, several e-mail
//! fields, several workspaces on one token. Bookings get what can be had, and the operator hears what is missing.

use std::time::Duration;

use serde_json::{Value, json};
use sim::cal::{Delivery, Person};
use sim::clickup::{Config, TaskSeed};

use crate::world::{BROKERS, EMAIL_FIELD, INBOUND, SELLERS, Setup, World};

const START: &str = "2090-05-04T10:00:00Z";
const EMAIL: &str = "ada@byrd.example";
const SECOND_FIELD: &str = "b1c9f002-0000-4c63-8850-0d0742888f9d";
const THIRD_FIELD: &str = "c1c9f002-0000-4c63-8850-0d0742888f9d";

fn booking(world: &World, name: &str, email: &str) -> Delivery {
    world
        .cal()
        .book(&Person::new(name, email), START, 30)
        .created()
}

/// Sends and waits until it is done.
async fn done(world: &World, delivery: &Delivery) {
    assert_eq!(world.deliver(delivery.body.clone()).await, 200);
    world.settle().await;
    let ending = world.ending(&delivery.body).await;
    assert_eq!(ending.0, "done", "{ending:?}");
}

async fn notices_about(world: &World, cause: &str) -> Vec<Value> {
    let all = world.get("/api/notices").await;
    let all = all["notices"].as_array().expect("a list").clone();
    let is_it = |n: &Value| n["cause"].as_str().unwrap_or_default().starts_with(cause);
    all.into_iter().filter(is_it).collect()
}

/// Bodies of the requests that made leads.
fn creates(world: &World) -> Vec<Value> {
    let of = |r: &sim::clickup::LoggedRequest| r.method == "POST" && r.path.ends_with("/task");
    let all = world.clickup.requests();
    all.iter()
        .filter(|r| of(r))
        .map(|r| r.body.clone())
        .collect()
}

fn searches(world: &World) -> usize {
    let all = world.clickup.requests();
    all.iter()
        .filter(|r| r.method == "GET" && r.path.contains("/team/") && r.path.ends_with("/task"))
        // Else it is the index of leads that reads.
        .filter(|r| r.query.contains("custom_fields"))
        .count()
}

#[tokio::test]
async fn a_used_up_quota_is_remembered_over_a_restart() {
    let mut world = World::start().await;
    world.clickup.set_field_quota_exhausted(true);
    done(&world, &booking(&world, "Ada", EMAIL)).await;
    world.calup.restart();
    done(&world, &booking(&world, "Ben", "ben@byrd.example")).await;
    let creates = creates(&world);
    let with_fields: Vec<bool> = creates
        .iter()
        .map(|c| !c["custom_fields"].is_null())
        .collect();
    assert_eq!(
        with_fields,
        [true, false, false],
        "refused, amended, remembered"
    );
    let made = world.clickup.tasks_in(INBOUND);
    assert!(
        made.iter()
            .all(|l| l.status == "meeting booked" && l.email.is_none())
    );
    assert!(made[1].markdown.contains("ben@byrd.example"));
    let told = notices_about(&world, "field-quota").await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0]["text"]
            .as_str()
            .is_some_and(|t| t.contains("24 hours"))
    );
}

#[tokio::test]
async fn while_the_quota_is_used_up_known_people_are_still_found_by_their_field() {
    let world = World::start().await;
    let id = world
        .clickup
        .add_task(SELLERS, "Ben", Some("ben@byrd.example"));
    world.clickup.set_field_quota_exhausted(true);
    done(&world, &booking(&world, "Ada", EMAIL)).await;
    done(&world, &booking(&world, "Ben", "ben@byrd.example")).await;
    let ben = world.clickup.task(&id).expect("the lead");
    assert_eq!(
        (ben.status.as_str(), ben.comments.len()),
        ("meeting booked", 1)
    );
    assert_eq!(world.clickup.task_count(), 2);
}

#[tokio::test]
async fn a_status_that_one_list_lacks_is_set_in_the_others() {
    let world = World::start().await;
    world.clickup.remove_status(BROKERS, "meeting booked");
    let people = [
        (BROKERS, "Ada", "ada@byrd.example"),
        (BROKERS, "Bob", "bob@byrd.example"),
        (SELLERS, "Cyd", "cyd@byrd.example"),
    ];
    let mut seen = Vec::new();
    for (list, name, email) in people {
        let id = world.clickup.add_task(list, name, Some(email));
        done(&world, &booking(&world, name, email)).await;
        let lead = world.clickup.task(&id).expect("the lead");
        assert!(lead.markdown.contains("Next meeting") && lead.comments.len() == 1);
        seen.push(lead.status);
    }
    assert_eq!(seen, ["to do", "to do", "meeting booked"]);
    let told = notices_about(&world, "status-").await;
    assert_eq!(told.len(), 1, "once for the list: {told:?}");
    let text = told[0]["text"].as_str().expect("text").to_lowercase();
    assert!(
        text.contains("brokers") && text.contains("meeting booked"),
        "{text}"
    );
}

#[tokio::test]
async fn each_further_field_id_costs_one_search() {
    let world = World::start().await;
    world.clickup.remove_field(SELLERS, EMAIL_FIELD);
    world
        .clickup
        .add_field(&[SELLERS], SECOND_FIELD, "E-MAIL", "email");
    world.clickup.remove_field(INBOUND, EMAIL_FIELD);
    world
        .clickup
        .add_field(&[INBOUND], THIRD_FIELD, "email", "email");
    let id = world.clickup.add_task_with(TaskSeed {
        list: INBOUND.into(),
        name: "Ada".into(),
        fields: vec![(THIRD_FIELD.into(), json!(EMAIL))],
        ..TaskSeed::default()
    });
    done(&world, &booking(&world, "Ada", EMAIL)).await;
    assert_eq!(world.clickup.task(&id).expect("the lead").comments.len(), 1);
    // "E-MAIL" is not "Email": of two fields that are, each is asked once.
    assert_eq!(searches(&world), 2);
    assert_eq!(world.clickup.task_count(), 1);
}

#[tokio::test]
async fn two_e_mail_fields_on_one_list_both_count() {
    let world = World::start().await;
    let lists = [BROKERS, SELLERS, INBOUND];
    world
        .clickup
        .add_field(&lists, SECOND_FIELD, "Email", "short_text");
    let id = world.clickup.add_task_with(TaskSeed {
        list: BROKERS.into(),
        name: "Ada".into(),
        fields: vec![
            (EMAIL_FIELD.into(), json!("office@byrd.example")),
            (SECOND_FIELD.into(), json!(EMAIL)),
        ],
        ..TaskSeed::default()
    });
    done(&world, &booking(&world, "Ada", EMAIL)).await;
    assert_eq!(world.clickup.task(&id).expect("the lead").comments.len(), 1);
    assert_eq!(searches(&world), 2, "one for each field");
    // A new lead's goes into the one that is made for addresses, and nothing is sent twice.
    done(&world, &booking(&world, "Zoe", "zoe@new.example")).await;
    let made = &world.clickup.tasks_in(INBOUND)[0];
    assert_eq!(made.fields[EMAIL_FIELD], "zoe@new.example");
    assert!(!made.fields.contains_key(SECOND_FIELD));
}

#[tokio::test]
async fn with_several_workspaces_the_work_waits_for_a_choice() {
    let mut world = World::with(Setup {
        clickup: Some(Config {
            limit_per_minute: 10_000,
            other_teams: vec![
                ("9012".into(), "Byrd Family".into()),
                ("9013".into(), "robin@acme.example".into()),
            ],
            ..Config::default()
        }),
        ..Setup::default()
    })
    .await;
    let id = world.clickup.add_task(BROKERS, "Ada", Some(EMAIL));
    let sent = [
        booking(&world, "Ada", EMAIL),
        booking(&world, "Ben", "ben@byrd.example"),
    ];
    for delivery in &sent {
        assert_eq!(world.deliver(delivery.body.clone()).await, 200);
    }
    world
        .until("both wait", async || {
            world.get("/api/counts").await["waiting"] == 2
        })
        .await;
    assert_eq!(world.clickup.mutations(), 0);
    let told = notices_about(&world, "needs-operator").await;
    assert_eq!(told.len(), 1, "{told:?}");
    let text = told[0]["text"].as_str().expect("text");
    let team = world.clickup.team_id();
    assert!(
        text.contains(&team) && text.contains("9012 (Byrd Family)"),
        "{text}"
    );
    assert!(text.contains("9013") && !text.contains('@'), "{text}");
    assert!(
        told[0]["hint"]
            .as_str()
            .is_some_and(|h| h.contains("CLICKUP_TEAM_ID"))
    );
    for delivery in &sent {
        let (status, reason) = world.ending(&delivery.body).await;
        assert_eq!(status, "waiting");
        assert!(
            reason.contains("several") && reason.contains("CLICKUP_TEAM_ID"),
            "{reason}"
        );
    }
    world.calup.set("CLICKUP_TEAM_ID", &team);
    world.calup.restart();
    world.settle_within(Duration::from_secs(20)).await;
    for delivery in &sent {
        assert_eq!(world.ending(&delivery.body).await.0, "done");
    }
    assert_eq!(world.clickup.task(&id).expect("the lead").comments.len(), 1);
    assert_eq!(world.clickup.tasks_in(INBOUND).len(), 1);
}

#[tokio::test]
async fn a_status_taken_away_since_it_was_looked_up_is_refused_once_and_told_once() {
    let world = World::start().await;
    let people = [
        ("Ada", EMAIL),
        ("Bob", "bob@byrd.example"),
        ("Cyd", "cyd@byrd.example"),
    ];
    for (name, email) in people {
        world.clickup.add_task(BROKERS, name, Some(email));
    }
    done(&world, &booking(&world, "Ada", EMAIL)).await;
    world.clickup.remove_status(BROKERS, "meeting booked");
    for (name, email) in &people[1..] {
        done(&world, &booking(&world, name, email)).await;
    }
    let refused = world.clickup.requests();
    let refused = refused.iter().filter(|r| r.status == 400).count();
    assert_eq!(refused, 1, "then the list was read again");
    let told = notices_about(&world, "status-").await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0]["text"]
            .as_str()
            .is_some_and(|t| t.contains("Brokers"))
    );
}
