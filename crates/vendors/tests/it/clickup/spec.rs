//! Every request that the client sends, against the official specification.

use serde_json::Value;
use sim::clickup::LoggedRequest;
use vendors::Crm as _;

use super::{BROKERS, INBOUND, READS, WRITES};
use super::{client, fixture, new_lead, roomy, workspace};
use crate::openapi::{self, Sent};

/// What is wrong with a request by the specification.
pub(super) fn violations(spec: &Value, request: &LoggedRequest) -> Vec<String> {
    let sent = Sent {
        method: &request.method,
        path: request.path.strip_prefix("/api").unwrap_or(&request.path),
        query: &request.query,
        body: &request.body,
    };
    openapi::violations(spec, &sent)
}

#[tokio::test]
async fn every_request_is_one_of_the_specification_s() {
    let spec = fixture("clickup-openapi.json");
    let sim = workspace(roomy()).await;
    let task = sim.add_task(BROKERS, "Ada", Some("Ada@x.example"));
    let number = "00000000-0000-4000-8000-000000000001";
    sim.add_field(&[INBOUND], number, "Team size", "number");
    let comment = sim.human_comment(&task, "hello");
    let crm = client(&sim);
    for which in READS {
        super::read(&crm, which, &task).await.expect("a reading");
    }
    crm.find_by_email("ADA@x.example").await.expect("leads");
    for which in WRITES {
        super::write(&crm, which, &task, &comment)
            .await
            .expect("a write");
    }
    let whole = domain::lead::Write {
        status: Some("lost".to_owned()),
        description: Some(String::new()),
        email: Some(domain::lead::Fill {
            list_id: BROKERS.to_owned(),
            email: "ada@x.example".to_owned(),
        }),
    };
    crm.write(&task, &whole).await.expect("a write");
    let mut lead = new_lead("Avery Quinn");
    lead.status = Some("lost".to_owned());
    lead.email = Some("avery@x.example".to_owned());
    lead.phone = Some("+15550100007".to_owned());
    lead.answers = vec![
        ("source".to_owned(), "Referral".to_owned()),
        ("team size".to_owned(), "10".to_owned()),
    ];
    lead.plain_type = true;
    crm.create(&lead).await.expect("a lead");

    let requests = sim.requests();
    let mut kinds: Vec<(String, usize)> = requests
        .iter()
        .map(|it| (it.method.clone(), it.path.matches('/').count()))
        .collect();
    kinds.sort();
    kinds.dedup();
    assert!(kinds.len() >= 5, "{kinds:?}");
    let found: Vec<String> = requests
        .iter()
        .flat_map(|it| violations(&spec, it))
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}

/// The validator itself must be able to object.
#[test]
fn a_misspelt_request_is_objected_to() {
    let spec = fixture("clickup-openapi.json");
    let request = |method: &str, path: &str, query: &str, body: Value| LoggedRequest {
        seq: 1,
        method: method.to_owned(),
        path: format!("/api/v2{path}"),
        query: query.to_owned(),
        body,
        authorization: String::new(),
        status: 0,
        executed: false,
        at_ms: 0,
        answered_at_ms: None,
    };
    let null = Value::Null;
    for wrong in [
        request("GET", "/tasks/86a", "", null.clone()),
        request("PATCH", "/task/86a", "", null.clone()),
        request("GET", "/task/86a", "include_markdown=true", null.clone()),
        request("GET", "/team/1/task", "page=first", null.clone()),
        request("GET", "/team/1/task", "subtasks=yes", null.clone()),
        request("POST", "/list/1/task", "", null),
        request(
            "POST",
            "/list/1/task",
            "",
            serde_json::json!({"status": "x"}),
        ),
        request("POST", "/list/1/task", "", serde_json::json!({"name": 7})),
        request(
            "PUT",
            "/task/86a",
            "",
            serde_json::json!({"markdown_description": "x"}),
        ),
        request(
            "POST",
            "/task/86a/comment",
            "",
            serde_json::json!({"notify_all": false}),
        ),
    ] {
        assert!(!violations(&spec, &wrong).is_empty(), "{wrong:?}");
    }
}
