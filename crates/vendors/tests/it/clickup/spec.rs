//! Every request that the client sends, against the official specification.

use serde_json::Value;
use sim::clickup::LoggedRequest;
use vendors::Crm as _;

use super::{BROKERS, INBOUND, READS, WRITES};
use super::{client, fixture, new_lead, roomy, workspace};

/// What is wrong with a request by the specification.
pub(super) fn violations(spec: &Value, request: &LoggedRequest) -> Vec<String> {
    let path = request.path.strip_prefix("/api").unwrap_or(&request.path);
    let Some((template, item)) = spec["paths"]
        .as_object()
        .expect("paths")
        .iter()
        .filter(|(template, _)| fits(template, path))
        // A template without parameters is closer than one with.
        .min_by_key(|(template, _)| template.matches('{').count())
    else {
        return vec![format!("no path {path}")];
    };
    let operation = &item[request.method.to_lowercase()];
    if operation.is_null() {
        return vec![format!("no {} {template}", request.method)];
    }
    let mut found = Vec::new();
    let parameters: Vec<&Value> = operation["parameters"]
        .as_array()
        .into_iter()
        .flatten()
        .collect();
    for (name, value) in url::form_urlencoded::parse(request.query.as_bytes()) {
        let known = parameters
            .iter()
            .find(|it| it["in"] == "query" && it["name"] == *name);
        match known {
            None => found.push(format!("{template} has no query parameter {name}")),
            Some(known) => {
                if !is_of_type(&known["schema"], &value) {
                    found.push(format!("{template}?{name}={value}"));
                }
            }
        }
    }
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    match (&request.body, schema) {
        (Value::Null, Value::Null) => {}
        (Value::Null, _) => found.push(format!("{} {template} lacks a body", request.method)),
        (_, Value::Null) => found.push(format!("{} {template} takes no body", request.method)),
        (body, schema) => conforms(template, schema, body, &mut found),
    }
    found
}

fn fits(template: &str, path: &str) -> bool {
    let (mut template, mut path) = (template.split('/'), path.split('/'));
    loop {
        match (template.next(), path.next()) {
            (None, None) => return true,
            (Some(wanted), Some(part)) if wanted == part => {}
            (Some(wanted), Some(part)) if wanted.starts_with('{') && !part.is_empty() => {}
            _ => return false,
        }
    }
}

// A query's values are texts; arrays come one by one, `custom_fields` as JSON.
fn is_of_type(schema: &Value, value: &str) -> bool {
    match schema["type"].as_str() {
        Some("boolean") => ["true", "false"].contains(&value),
        Some("integer") => value.parse::<i64>().is_ok(),
        _ => true,
    }
}

fn conforms(at: &str, schema: &Value, value: &Value, found: &mut Vec<String>) {
    if let Some(any) = schema["anyOf"].as_array() {
        let tries: Vec<Vec<String>> = any
            .iter()
            .map(|schema| {
                let mut found = Vec::new();
                conforms(at, schema, value, &mut found);
                found
            })
            .collect();
        if tries.iter().all(|found| !found.is_empty()) {
            found.push(format!("{at} is none of the alternatives: {tries:?}"));
        }
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let is = |kind: &&str| match *kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "null" => value.is_null(),
        _ => false,
    };
    if !types.is_empty() && !types.iter().any(is) {
        found.push(format!("{at}: {value} is not {types:?}"));
    }
    if let Some(object) = value.as_object() {
        for required in schema["required"].as_array().into_iter().flatten() {
            let name = required.as_str().expect("a name");
            if !object.contains_key(name) {
                found.push(format!("{at}.{name} is missing"));
            }
        }
        if let Some(properties) = schema["properties"].as_object() {
            for (name, value) in object {
                match properties.get(name) {
                    Some(schema) => conforms(&format!("{at}.{name}"), schema, value, found),
                    None => found.push(format!("{at}.{name} is not in the specification")),
                }
            }
        }
    }
    if let Some(items) = value.as_array()
        && !schema["items"].is_null()
    {
        for (n, item) in items.iter().enumerate() {
            conforms(&format!("{at}[{n}]"), &schema["items"], item, found);
        }
    }
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
