//! Answers that are none: a read fails, and a write's fate is unknown. Never "no hits", never "done".

use std::time::Duration;

use sim::faults::ALWAYS;
use sim::{Fault, Match};
use vendors::Crm as _;

use super::stub::{self, Stub, Then};
use super::{BROKERS, READS, WRITES};
use super::{class, client, client_of, config, found, roomy, workspace};

fn of_any_method() -> Vec<Fault> {
    vec![
        Fault::EmptyBody200,
        Fault::ForeignJson200,
        Fault::Html(200),
        Fault::Html(502),
        Fault::Html(504),
        Fault::Status(
            500,
            r#"{"err":"Internal server error","ECODE":"ERROR_HANDLER"}"#.to_owned(),
        ),
        Fault::Status(200, "null".to_owned()),
        Fault::Status(200, "[]".to_owned()),
        Fault::Status(
            200,
            r#"{"err":"Team not found","ECODE":"TEAM_1"}"#.to_owned(),
        ),
        Fault::Status(204, String::new()),
        Fault::CutBody(1),
        Fault::Redirect302("http://127.0.0.1:9/elsewhere".to_owned()),
        Fault::Drop,
        Fault::ApplyThenDrop,
        Fault::ApplyThenStatus(502),
        Fault::Hang,
        Fault::ApplyThenHang,
    ]
}

#[tokio::test]
async fn a_read_with_another_answer_is_a_failure_and_never_no_hits() {
    let sim = workspace(roomy()).await;
    let task = sim.add_task(BROKERS, "Ada", Some("ada@x.example"));
    let mut hasty = config(&sim.api_url());
    hasty.timeout = Duration::from_millis(300);
    let crm = client_of(hasty);
    for which in READS {
        super::read(&crm, which, &task).await.expect("a reading");
    }
    for fault in of_any_method() {
        sim.fault(Match::any(), fault.clone(), ALWAYS);
        for which in READS {
            match super::read(&crm, which, &task).await {
                Err(failure) => {
                    assert_eq!(class(&failure), "transient", "{fault:?} {which}: {failure}");
                }
                Ok(n) => panic!("{fault:?} {which}: {n} read"),
            }
        }
        sim.clear_faults();
    }
    assert_eq!(found(&crm, "ada@x.example").await, ["Ada"]);
}

#[tokio::test]
async fn a_page_without_tasks_or_with_other_things_is_no_page() {
    let sim = workspace(roomy()).await;
    let crm = client(&sim);
    found(&crm, "ada@x.example").await;
    for body in [
        r#"{"last_page":true}"#,
        r#"{"tasks":null,"last_page":true}"#,
        r#"{"tasks":{},"last_page":true}"#,
        r#"{"tasks":[{"id":"86a"}],"last_page":true}"#,
        r#"{"tasks":[],"last_pa"#,
    ] {
        sim.fault(Match::get("/task"), Fault::Status(200, body.to_owned()), 2);
        let result = crm.find_by_email("ada@x.example").await;
        assert_eq!(
            class(&result.expect_err("a failure")),
            "transient",
            "{body}"
        );
        sim.clear_faults();
    }
}

// A second page that fails must not make the first one the whole.
#[tokio::test]
async fn half_the_pages_are_not_the_answer() {
    let sim = workspace(roomy()).await;
    for n in 0..150 {
        sim.add_task(BROKERS, "noise", Some(&format!("n{n}ada@x.example")));
    }
    let crm = client(&sim);
    found(&crm, "ada@x.example").await;
    sim.fault(Match::get("page=1"), Fault::ForeignJson200, 1);
    assert!(crm.find_by_email("ada@x.example").await.is_err());
    assert_eq!(sim.faults_left(), 0);
}

#[tokio::test]
async fn a_write_without_a_proper_answer_is_of_unknown_fate_and_sent_once() {
    let sim = workspace(roomy()).await;
    let task = sim.add_task(BROKERS, "Ada", Some("ada@x.example"));
    let comment = sim.human_comment(&task, "hello");
    let mut hasty = config(&sim.api_url());
    hasty.timeout = Duration::from_millis(300);
    let crm = client_of(hasty);
    // What a create looks up first is known by now.
    super::write(&crm, "create", &task, &comment)
        .await
        .expect("a lead");
    for fault in of_any_method() {
        for which in WRITES {
            for method in ["POST", "PUT"] {
                sim.fault(Match::method(method, ""), fault.clone(), ALWAYS);
            }
            sim.clear_requests();
            let result = super::write(&crm, which, &task, &comment).await;
            sim.clear_faults();
            if *which == "edit" && result.is_ok() {
                // Editing says the same however often; a success without a body is one.
                assert_eq!(sim.mutations(), 1, "{fault:?} {which}");
                continue;
            }
            let failure = result.expect_err("no proper answer");
            assert_eq!(class(&failure), "unknown", "{fault:?} {which}: {failure}");
            assert_eq!(sim.mutations(), 1, "{fault:?} {which}");
        }
    }
}

#[tokio::test]
async fn what_was_never_sent_may_be_sent_again() {
    let sim = workspace(roomy()).await;
    let task = sim.add_task(BROKERS, "Ada", Some("ada@x.example"));
    let crm = client(&sim);
    super::write(&crm, "create", &task, "7")
        .await
        .expect("a lead");
    sim.stop().await;
    for which in WRITES {
        let failure = super::write(&crm, which, &task, "7")
            .await
            .expect_err("nobody listens");
        assert_eq!(class(&failure), "transient", "{which}: {failure}");
    }
    sim.restart().await;
    super::write(&crm, "write", &task, "7")
        .await
        .expect("a write");
    assert_eq!(found(&crm, "ada@x.example").await, ["Ada"]);
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_the_token_goes_nowhere_else() {
    let elsewhere = Stub::start(|_| Then::Answer(stub::json(200, "{}"))).await;
    let sim = workspace(roomy()).await;
    let task = sim.add_task(BROKERS, "Ada", Some("ada@x.example"));
    let comment = sim.human_comment(&task, "hello");
    let crm = client(&sim);
    for which in READS {
        super::read(&crm, which, &task).await.expect("a reading");
    }
    for status in [301, 302, 303, 307, 308] {
        let to = format!("{}/v2/elsewhere", elsewhere.url);
        let answer = stub::with_headers(status, &format!("Location: {to}\r\n"), "");
        let redirects = Stub::start(move |_| Then::Answer(answer.clone())).await;
        let crm = client_of(config(&redirects.url));
        for which in READS {
            assert!(
                super::read(&crm, which, &task).await.is_err(),
                "{status} {which}"
            );
        }
        for which in ["write", "comment", "edit"] {
            let failure = super::write(&crm, which, &task, &comment)
                .await
                .expect_err("no answer");
            assert_eq!(class(&failure), "unknown", "{status} {which}: {failure}");
        }
    }
    assert!(elsewhere.seen().is_empty(), "{:?}", elsewhere.seen());
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let endless = Stub::start(|_| {
        let body = format!(r#"{{"user":{{"id":1,"x":"{}"}}}}"#, "y".repeat(40 << 20));
        Then::Answer(stub::json(200, &body))
    })
    .await;
    let crm = client_of(config(&endless.url));
    assert_eq!(
        class(&crm.probe().await.expect_err("too long")),
        "transient"
    );
}

/// A gzip'd or chunked answer is the server's choice.
#[tokio::test]
async fn a_chunked_answer_is_understood() {
    let chunked = Stub::start(|_| {
        Then::Answer(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
             9\r\n{\"user\":{\r\n8\r\n\"id\":1}}\r\n0\r\n\r\n"
                .to_owned(),
        )
    })
    .await;
    assert_eq!(client_of(config(&chunked.url)).probe().await, Ok(()));
}
