//! What each error code means.

use domain::outcome::{Cause, Failure};
use sim::faults::ALWAYS;
use sim::{Fault, Match};
use vendors::Crm as _;

use super::stub::{self, Stub, Then};
use super::{BROKERS, READS, WRITES};
use super::{class, client, client_of, config, fixture, found, new_lead, roomy, status, workspace};

/// Of a read and of a write.
fn classes(status: u16, code: &str) -> (&'static str, &'static str) {
    match (status, code) {
        (500.., _) => ("transient", "unknown"),
        (429, _) => ("limited", "limited"),
        (_, "ITEM_013" | "ITEM_015") => ("gone", "gone"),
        (_, "APP_001") => ("operator", "operator"),
        _ if code.starts_with("OAUTH_") || code.starts_with("ACCESS_") => ("operator", "operator"),
        _ => ("refused", "refused"),
    }
}

fn body(code: &str) -> String {
    format!(r#"{{"err":"secret text about ada@x.example","ECODE":"{code}"}}"#)
}

#[tokio::test]
async fn every_code_has_its_class_for_reads_and_for_writes() {
    let sim = workspace(roomy()).await;
    let task = sim.add_task(BROKERS, "Ada", Some("ada@x.example"));
    for (answer, code) in [
        (401, "OAUTH_017"),
        (401, "OAUTH_019"),
        (401, "OAUTH_021"),
        (401, "OAUTH_023"),
        (401, "OAUTH_025"),
        (400, "OAUTH_027"),
        (403, "OAUTH_029"),
        (401, "OAUTH_045"),
        (401, "OAUTH_077"),
        (401, "ACCESS_083"),
        (404, "ACCESS_999"),
        (404, "ITEM_013"),
        (404, "ITEM_015"),
        (404, "APP_001"),
        (400, "CRTSK_001"),
        (400, "ITEM_114"),
        (400, "FIELD_033"),
        (400, "FIELD_115"),
        (400, "ITEM_246"),
        (400, "INPUT_003"),
        (400, "NOBODY_KNOWS_1"),
        (500, "ITEMV2_003"),
        (500, "ERROR_HANDLER"),
        (503, "APP_002"),
    ] {
        let crm = client(&sim);
        // Known before, so that it is the call itself that is refused.
        let _known = super::write(&crm, "create", &task, "7").await;
        let (of_read, of_write) = classes(answer, code);
        sim.fault(
            Match::path("/task/"),
            Fault::Status(answer, body(code)),
            ALWAYS,
        );
        let read = crm.lead(&task).await.expect_err("a refusal");
        let write = crm
            .write(&task, &status("lost"))
            .await
            .expect_err("a refusal");
        sim.clear_faults();
        assert_eq!(class(&read), of_read, "{answer} {code}: {read}");
        assert_eq!(class(&write), of_write, "{answer} {code}: {write}");
        for shown in [read.to_string(), write.to_string()] {
            assert!(!shown.contains("secret") && !shown.contains('@'), "{shown}");
        }
        if class(&read) == "refused" {
            assert!(read.to_string().contains(code), "{read}");
        }
    }
}

#[tokio::test]
async fn a_refusal_says_what_it_was_about() {
    let sim = workspace(roomy()).await;
    let task = sim.add_task(BROKERS, "Ada", Some("ada@x.example"));
    let crm = client(&sim);
    let cause = |result: Result<(), Failure>| match result {
        Err(Failure::Refused { cause, .. }) => cause,
        other => panic!("no refusal: {other:?}"),
    };

    assert_eq!(
        cause(crm.write(&task, &status("no such")).await),
        Cause::Status
    );
    let mut lead = new_lead("Bo");
    lead.status = Some("no such".to_owned());
    assert_eq!(cause(crm.create(&lead).await.map(|_| ())), Cause::Status);
    lead.status = None;
    sim.fault(
        Match::post("/task"),
        Fault::Status(400, body("FIELD_115")),
        1,
    );
    assert_eq!(cause(crm.create(&lead).await.map(|_| ())), Cause::Field);
    lead.email = Some("bo@x.example".to_owned());
    sim.set_field_quota_exhausted(true);
    assert_eq!(cause(crm.create(&lead).await.map(|_| ())), Cause::Quota);
    sim.set_field_quota_exhausted(false);
    sim.set_type_capped(super::INBOUND, true);
    assert_eq!(cause(crm.create(&lead).await.map(|_| ())), Cause::Type);
    assert_eq!(sim.task_count(), 1);
}

#[tokio::test]
async fn a_deleted_lead_or_comment_is_gone() {
    let sim = workspace(roomy()).await;
    let task = sim.add_task(BROKERS, "Ada", Some("ada@x.example"));
    let comment = sim.human_comment(&task, "hello");
    sim.human_delete_comment(&comment);
    let crm = client(&sim);
    let failed = |result: Result<(), Failure>| class(&result.expect_err("a failure"));
    assert_eq!(
        failed(super::write(&crm, "edit", &task, &comment).await),
        "gone"
    );
    sim.human_delete(&task);
    for which in ["write", "comment"] {
        assert_eq!(
            failed(super::write(&crm, which, &task, &comment).await),
            "gone"
        );
    }
    for which in ["lead", "comments"] {
        let result = super::read(&crm, which, &task).await;
        assert_eq!(failed(result.map(|_| ())), "gone", "{which}");
    }
}

#[tokio::test]
async fn an_id_that_is_none_does_not_become_another_address() {
    let sim = workspace(roomy()).await;
    let task = sim.add_task(BROKERS, "Ada", Some("ada@x.example"));
    let crm = client(&sim);
    for id in [
        "",
        "..",
        "../user",
        "a/b",
        "x?y=z",
        &format!("{task}/comment"),
        "a b",
        "%2e%2e",
    ] {
        for which in ["lead", "comments"] {
            let result = super::read(&crm, which, id).await;
            assert!(result.is_err(), "{which} {id}: {result:?}");
        }
        for which in ["write", "comment", "edit"] {
            let result = super::write(&crm, which, id, id).await;
            assert!(result.is_err(), "{which} {id}: {result:?}");
        }
    }
    let ours =
        |path: &str| path.starts_with("/api/v2/task/") || path.starts_with("/api/v2/comment/");
    for request in sim.requests() {
        assert!(ours(&request.path), "{}", request.path);
    }
    assert_eq!(sim.task(&task).expect("a task").status, "to do");
}

#[tokio::test]
async fn every_recorded_error_means_what_the_table_says() {
    let names = std::fs::read_dir(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fixtures/clickup-api"
    ))
    .expect("fixtures")
    .map(|file| {
        file.expect("a file")
            .file_name()
            .into_string()
            .expect("a name")
    })
    .filter(|name| name.starts_with("error."));
    let mut checked = 0;
    for name in names {
        let recorded = fixture(&format!("clickup-api/{name}"));
        let response = &recorded["response"];
        let status_code = response["status"].as_u64().expect("a status") as u16;
        let code = response["body"]["ECODE"].as_str().expect("a code");
        let mut headers = String::new();
        for (header, value) in response["headers"].as_object().expect("headers") {
            if header != "Content-Type" {
                headers += &format!("{header}: {}\r\n", value.as_str().expect("a header"));
            }
        }
        let answer = stub::with_headers(status_code, &headers, &response["body"].to_string());
        let stub = Stub::start(move |_| Then::Answer(answer.clone())).await;
        let (of_read, of_write) = classes(status_code, code);
        let mut short = config(&stub.url);
        short.timeout = std::time::Duration::from_millis(500);
        // A refusal closes the gate of its client.
        let read = client_of(short).lead("86b7aaaa1").await;
        assert_eq!(class(&read.expect_err("an error")), of_read, "{name}");
        let mut short = config(&stub.url);
        short.timeout = std::time::Duration::from_millis(500);
        let write = client_of(short).write("86b7aaaa1", &status("lost")).await;
        assert_eq!(class(&write.expect_err("an error")), of_write, "{name}");
        checked += 1;
    }
    assert!(checked >= 18, "{checked}");
}

#[tokio::test]
async fn no_failure_names_a_person_or_the_token() {
    let sim = workspace(roomy()).await;
    let task = sim.add_task(BROKERS, "Ada", Some("ada@x.example"));
    let crm = client(&sim);
    found(&crm, "ada@x.example").await;
    sim.fault(Match::any(), Fault::Html(502), ALWAYS);
    let mut failures = Vec::new();
    for which in READS {
        failures.push(
            super::read(&crm, which, &task)
                .await
                .expect_err("a failure"),
        );
    }
    for which in WRITES {
        failures.push(
            super::write(&crm, which, &task, "7")
                .await
                .expect_err("a failure"),
        );
    }
    sim.stop().await;
    for which in READS {
        failures.push(
            super::read(&crm, which, &task)
                .await
                .expect_err("a failure"),
        );
    }
    for failure in failures {
        let shown = format!("{failure} {failure:?}");
        for secret in ["pk_sim", "@", "%40", "Avery"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
