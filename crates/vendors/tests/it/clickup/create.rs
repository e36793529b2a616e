//! New leads and changes to old ones, as ClickUp ends up with them.

use std::collections::BTreeMap;

use domain::lead::{StatusKind, Write};
use serde_json::{Value, json};
use sim::clickup::{ClickUp as Sim, Config as SimConfig, Rerender};
use vendors::Crm as _;

use super::{BROKERS, CAL_COM, EMAIL, INBOUND, PHONE, SOURCE};
use super::{client, description, new_lead, roomy, status, workspace};

fn answers(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter()
        .map(|(name, answer)| ((*name).to_owned(), (*answer).to_owned()))
        .collect()
}

/// The body of the only create.
fn created(sim: &Sim) -> Value {
    let mut all = sim.requests();
    all.retain(|request| request.method == "POST");
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0).body
}

#[tokio::test]
async fn a_new_lead_is_made_in_one_call_with_everything_inline() {
    let sim = workspace(SimConfig {
        rerender: Rerender::none(),
        ..roomy()
    })
    .await;
    let company = "00000000-0000-4000-8000-000000000001";
    let site = "00000000-0000-4000-8000-000000000002";
    sim.add_field(&[INBOUND], company, "Company name", "short_text");
    sim.add_field(&[INBOUND], site, "Website", "url");
    let crm = client(&sim);
    let mut lead = new_lead("Avery Quinn");
    lead.description = "**Next meeting:** Intro\n- When: soon".to_owned();
    lead.status = Some("meeting booked".to_owned());
    lead.email = Some("Avery.Quinn@northwind.example".to_owned());
    lead.phone = Some("+1 (555) 010-0007".to_owned());
    lead.answers = answers(&[
        ("company-name", "Northwind"),
        ("website", "https://northwind.example"),
        ("source", "cal.com"),
        ("What is your budget?", "plenty"),
    ]);

    let made = crm.create(&lead).await.expect("a lead");

    let task = sim.task(&made.id).expect("a task");
    let fields: BTreeMap<String, Value> = [
        (EMAIL, json!("Avery.Quinn@northwind.example")),
        (PHONE, json!("+15550100007")),
        (SOURCE, json!(1)),
        (company, json!("Northwind")),
        (site, json!("https://northwind.example")),
    ]
    .map(|(id, value)| (id.to_owned(), value))
    .into();
    assert_eq!(task.fields, fields);
    assert_eq!(
        (
            task.name.as_str(),
            task.list_id.as_str(),
            task.status.as_str(),
            &task.markdown
        ),
        ("Avery Quinn", INBOUND, "meeting booked", &lead.description)
    );
    assert_eq!((made.status_kind, made.ours), (StatusKind::Custom, true));
    assert_eq!(made.emails, ["Avery.Quinn@northwind.example"]);
    assert_eq!(made.list_name, "Inbound Leads");
    assert_eq!(crm.lead(&made.id).await.as_ref(), Ok(&made));
    let body = created(&sim);
    assert_eq!(body["notify_all"], false);
    assert!(body.get("description").is_none() && body.get("custom_item_id").is_none());
    let values = body["custom_fields"].as_array().expect("values");
    assert!(
        values.contains(&json!({"id": SOURCE, "value": CAL_COM})),
        "{values:?}"
    );
}

#[tokio::test]
async fn what_clickup_would_refuse_is_left_out_and_the_lead_is_made_all_the_same() {
    let sim = workspace(roomy()).await;
    let number = "00000000-0000-4000-8000-000000000001";
    let date = "00000000-0000-4000-8000-000000000002";
    let site = "00000000-0000-4000-8000-000000000003";
    let tick = "00000000-0000-4000-8000-000000000004";
    sim.add_field(&[INBOUND], number, "Team size", "number");
    sim.add_field(&[INBOUND], date, "Since", "date");
    sim.add_field(&[INBOUND], site, "Website", "url");
    sim.add_field(&[INBOUND], tick, "Agreed", "checkbox");
    let mut lead = new_lead("Bo");
    lead.email = Some("no address".to_owned());
    lead.phone = Some("0151 23".to_owned());
    lead.answers = answers(&[
        ("source", "A friend"),
        ("team size", "about ten"),
        ("since", "last year"),
        ("website", "northwind"),
        ("agreed", "perhaps"),
        ("email", "also none"),
    ]);
    let made = client(&sim).create(&lead).await.expect("a lead");
    let task = sim.task(&made.id).expect("a task");
    assert_eq!(task.fields, BTreeMap::new());
    assert!(created(&sim).get("custom_fields").is_none());
}

#[tokio::test]
async fn without_fields_none_are_sent_and_a_plain_type_is_asked_for_when_wanted() {
    let sim = workspace(roomy()).await;
    sim.set_field_quota_exhausted(true);
    sim.set_type_capped(INBOUND, true);
    let mut lead = new_lead("Bo");
    lead.email = Some("bo@x.example".to_owned());
    lead.phone = Some("+15550100007".to_owned());
    lead.with_fields = false;
    lead.plain_type = true;
    let made = client(&sim).create(&lead).await.expect("a lead");
    assert_eq!(made.emails, Vec::<String>::new());
    let body = created(&sim);
    assert_eq!(body["custom_item_id"], 0);
    assert!(body.get("custom_fields").is_none() && body.get("status").is_none());
}

#[tokio::test]
async fn the_email_field_is_filled_by_its_id_too() {
    let sim = workspace(roomy()).await;
    let mut by_id = super::config(&sim.api_url());
    by_id.email_field = EMAIL.to_owned();
    let mut lead = new_lead("Bo");
    lead.email = Some("bo@x.example".to_owned());
    let made = super::client_of(by_id).create(&lead).await.expect("a lead");
    let task = sim.task(&made.id).expect("a task");
    assert_eq!(task.email.as_deref(), Some("bo@x.example"));
}

#[tokio::test]
async fn a_write_changes_what_it_names_and_nothing_else() {
    let sim = workspace(SimConfig {
        rerender: Rerender::none(),
        ..roomy()
    })
    .await;
    let task = sim.add_task(BROKERS, "Ada", Some("ada@x.example"));
    sim.human_edit_description(&task, "theirs");
    let crm = client(&sim);

    crm.write(&task, &status("meeting booked"))
        .await
        .expect("a write");
    let now = sim.task(&task).expect("a task");
    assert_eq!(
        (now.status.as_str(), now.markdown.as_str()),
        ("meeting booked", "theirs")
    );

    crm.write(&task, &description("ours\n\ntheirs"))
        .await
        .expect("a write");
    let now = sim.task(&task).expect("a task");
    assert_eq!(
        (now.status.as_str(), now.markdown.as_str()),
        ("meeting booked", "ours\n\ntheirs")
    );
    assert_eq!(
        (now.name.as_str(), now.email.as_deref()),
        ("Ada", Some("ada@x.example"))
    );

    let both = Write {
        status: Some("lost".to_owned()),
        description: Some("both".to_owned()),
        email: None,
    };
    sim.clear_requests();
    crm.write(&task, &both).await.expect("a write");
    let now = sim.task(&task).expect("a task");
    assert_eq!(
        (now.status.as_str(), now.markdown.as_str()),
        ("lost", "both")
    );
    let requests = sim.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(
        requests[0].body,
        json!({"status": "lost", "markdown_content": "both"})
    );
}

#[tokio::test]
async fn an_empty_email_field_is_filled_and_a_list_without_one_is_left_alone() {
    let sim = workspace(roomy()).await;
    let task = sim.add_task(BROKERS, "Ada", None);
    let crm = client(&sim);
    let fill = |list: &str| Write {
        email: Some(domain::lead::Fill {
            list_id: list.to_owned(),
            email: " ada@x.example ".to_owned(),
        }),
        ..status("meeting booked")
    };
    crm.write(&task, &fill(BROKERS)).await.expect("a write");
    let now = sim.task(&task).expect("a task");
    assert_eq!(
        (now.status.as_str(), now.email.as_deref()),
        ("meeting booked", Some("ada@x.example"))
    );

    sim.add_list(
        "901100000009",
        "Bare",
        &[("to do", "open"), ("meeting booked", "custom")],
    );
    let other = sim.add_task("901100000009", "Bob", None);
    sim.clear_requests();
    crm.write(&other, &fill("901100000009"))
        .await
        .expect("a write");
    let posts = sim.requests().into_iter().filter(|r| r.method == "POST");
    assert_eq!(posts.count(), 0);
}

#[tokio::test]
async fn an_emptied_description_is_cleared() {
    let sim = workspace(roomy()).await;
    let task = sim.add_task(BROKERS, "Ada", Some("ada@x.example"));
    sim.human_edit_description(&task, "ours alone");
    client(&sim)
        .write(&task, &description(""))
        .await
        .expect("a write");
    assert_eq!(sim.task(&task).expect("a task").markdown, "");
}

#[tokio::test]
async fn a_write_of_nothing_calls_nobody() {
    let sim = workspace(roomy()).await;
    let task = sim.add_task(BROKERS, "Ada", Some("ada@x.example"));
    let written = client(&sim).write(&task, &Write::default()).await;
    assert_eq!((written, sim.calls()), (Ok(()), 0));
}

#[tokio::test]
async fn after_a_refusal_the_lists_are_looked_up_again() {
    let sim = workspace(roomy()).await;
    let crm = client(&sim);
    let mut lead = new_lead("Bo");
    lead.email = Some("bo@x.example".to_owned());
    crm.create(&lead).await.expect("a lead");
    sim.remove_field(INBOUND, EMAIL);
    crm.create(&lead).await.expect_err("the field is gone");
    crm.create(&lead).await.expect("a lead without it");
}

#[tokio::test]
async fn names_of_any_kind_arrive_as_they_are() {
    let sim = workspace(roomy()).await;
    let crm = client(&sim);
    for name in [
        "Zoë \"Z\" O'Neil",
        "王小明 🙂",
        "<b>x</b> & \\ / {{y}}",
        "a\u{301}",
    ] {
        let made = crm.create(&new_lead(name)).await.expect("a lead");
        assert_eq!(
            (
                made.name.as_str(),
                &sim.task(&made.id).expect("a task").name[..]
            ),
            (name, name)
        );
    }
}
