//! A write reaches the server at most once, whatever the server does with its connections.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use vendors::clickup::ClickUp;
use vendors::http::until;

use super::stub::{self, Seen, Stub, Then};
use super::{WRITES, class, client_of, config};

const TASK: &str = r#"{"id":"86a1","name":"Ada","status":{"status":"to do","type":"open"},
    "date_created":"1795388400120","date_updated":"1795388400310","creator":{"id":54000001},
    "custom_fields":[],"list":{"id":"901100000003","name":"Inbound Leads"},"url":"https://app.clickup.com/t/86a1"}"#;

/// A proper answer.
fn answer(seen: &Seen) -> String {
    if let Some(answer) = stub::lookup(seen) {
        return answer;
    }
    match (seen.method.as_str(), seen.path.contains("/comment")) {
        ("POST", true) => stub::json(200, r#"{"id":458,"hist_id":"7","date":1795388402000}"#),
        ("GET", true) => stub::json(200, r#"{"comments":[]}"#),
        ("PUT", true) => stub::json(200, "{}"),
        ("GET", false) if !seen.path.contains("/task/") => {
            stub::json(200, r#"{"tasks":[],"last_page":true}"#)
        }
        _ => stub::json(200, TASK),
    }
}

async fn rounds(crm: &ClickUp, n: usize) -> Vec<(&'static str, Option<&'static str>)> {
    let mut results = Vec::new();
    for _ in 0..n {
        for which in WRITES {
            // Leaves a connection in the pool.
            let _read = super::read(crm, "lead", "86a1").await;
            let result = super::write(crm, which, "86a1", "458").await;
            results.push((*which, result.err().map(|failure| class(&failure))));
        }
    }
    results
}

#[tokio::test]
async fn a_write_is_not_repeated_when_the_server_reads_it_and_hangs_up() {
    let stub = Stub::start(|seen| match seen.method.as_str() {
        "GET" => Then::Answer(answer(seen)),
        _ => Then::Close,
    })
    .await;
    let results = rounds(&client_of(config(&stub.url)), 5).await;
    for (which, class) in results {
        assert_eq!(class, Some("unknown"), "{which}");
    }
    assert_eq!(stub.writes().len(), 5 * WRITES.len());
}

#[tokio::test]
async fn a_write_is_not_repeated_when_the_server_closes_what_it_said_it_would_keep() {
    let stub = Stub::start(|seen| Then::AnswerAndClose(answer(seen))).await;
    let results = rounds(&client_of(config(&stub.url)), 25).await;
    assert_eq!(results.len(), 25 * WRITES.len());
    for (which, class) in results {
        // It may close just as the next call is written: that one is looked up, not repeated.
        assert!(
            matches!(class, None | Some("unknown")),
            "{which}: {class:?}"
        );
    }
    assert_eq!(stub.writes().len(), 25 * WRITES.len());
}

/// Which connection each request came on.
fn connections(stub: &Stub) -> Vec<usize> {
    stub.seen().iter().map(|seen| seen.connection).collect()
}

#[tokio::test]
async fn calls_that_follow_each_other_share_a_connection_and_an_idle_one_is_left_alone() {
    let stub = Stub::start(|seen| Then::Answer(answer(seen))).await;
    let crm = client_of(config(&stub.url));
    rounds(&crm, 1).await;
    let used = connections(&stub);
    let distinct: BTreeSet<_> = used.iter().collect();
    assert!(used.len() > 8, "{used:?}");
    assert!(distinct.len() <= 2, "{used:?}");

    tokio::time::sleep(Duration::from_millis(2_500)).await;
    super::write(&crm, WRITES[0], "86a1", "458")
        .await
        .expect("written");
    let newest = connections(&stub).pop().expect("seen");
    assert!(!distinct.contains(&newest), "{newest} in {used:?}");
}

// Half an answer, then the end.
#[tokio::test]
async fn a_write_is_not_repeated_when_the_answer_breaks_off() {
    let stub = Stub::start(|seen| {
        let whole = answer(seen);
        if seen.method == "GET" {
            Then::Answer(whole)
        } else {
            Then::AnswerAndClose(whole[..whole.len() - 1].to_owned())
        }
    })
    .await;
    let results = rounds(&client_of(config(&stub.url)), 2).await;
    for (which, class) in results {
        assert_eq!(class, Some("unknown"), "{which}");
    }
    assert_eq!(stub.writes().len(), 2 * WRITES.len());
}

#[tokio::test]
async fn a_body_goes_out_as_json_with_the_token_and_our_name() {
    let stub = Stub::start(|seen| Then::Answer(answer(seen))).await;
    rounds(&client_of(config(&stub.url)), 1).await;
    for seen in stub.seen() {
        let head = seen.head.to_lowercase();
        assert!(head.contains("\r\nauthorization: pk_sim\r\n"), "{head}");
        assert!(head.contains("\r\nuser-agent: calup/"), "{head}");
        assert_eq!(
            head.contains("\r\ncontent-type: application/json\r\n"),
            seen.method != "GET",
            "{head}"
        );
        let is_json = serde_json::from_str::<serde_json::Value>(&seen.body).is_ok();
        assert_eq!(is_json, seen.method != "GET", "{}", seen.body);
        assert!(!head.contains("expect:"), "{head}");
    }
}

#[tokio::test]
async fn a_write_whose_time_is_up_as_it_comes_to_its_connection_does_not_leave() {
    let stub = Stub::start(|seen| Then::Answer(answer(seen))).await;
    let crm = client_of(config(&stub.url));
    for which in WRITES {
        let _read = super::read(&crm, "lead", "86a1").await;
        let before = stub.writes().len();
        let late = until(Instant::now(), super::write(&crm, which, "86a1", "458")).await;
        let class = late.err().map(|failure| class(&failure));
        assert_eq!(class, Some("unknown"), "{which}");
        assert_eq!(stub.writes().len(), before, "{which}");
    }
    let end = Instant::now() + Duration::from_secs(20);
    for which in WRITES {
        let timely = until(end, super::write(&crm, which, "86a1", "458")).await;
        timely.unwrap_or_else(|e| panic!("{which}: {e}"));
    }
    for write in stub.writes() {
        let length = format!("content-length: {}\r\n", write.body.len());
        assert!(
            write.head.to_lowercase().contains(&length),
            "{}",
            write.head
        );
        assert!(write.body.starts_with('{'), "{}", write.body);
    }
}
