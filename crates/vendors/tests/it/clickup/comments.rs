//! Comments: rich runs out, texts and ids back.

use domain::lead::Run;
use serde_json::{Value, json};
use vendors::Crm as _;

use super::stub::{self, Stub, Then};
use super::{BROKERS, client, client_of, config, rich, roomy, workspace};

fn runs() -> Vec<Run> {
    let run = |text: &str, bold: bool, link: Option<&str>| Run {
        text: text.to_owned(),
        bold,
        link: link.map(str::to_owned),
    };
    vec![
        run("Meeting booked: ", true, None),
        run("Intro *not bold* <b>", false, None),
        run("\nJoin: ", true, None),
        run(
            "https://meet.example/a_b",
            false,
            Some("https://meet.example/a_b"),
        ),
        run("\nCal.com booking bk_1 · mk1", false, None),
    ]
}

#[tokio::test]
async fn a_comment_goes_out_as_rich_runs_and_its_text_comes_back() {
    let sim = workspace(roomy()).await;
    let task = sim.add_task(BROKERS, "Ada", None);
    let crm = client(&sim);
    let id = crm.comment(&task, &runs()).await.expect("a comment");

    let posted = sim.task(&task).expect("a task").comments.remove(0);
    assert_eq!(posted.id, id);
    let link = "https://meet.example/a_b";
    assert_eq!(
        posted.runs[..5],
        [
            json!({"text": "Meeting booked: ", "attributes": {"bold": true}}),
            json!({"text": "Intro *not bold* <b>", "attributes": {}}),
            json!({"text": "\nJoin: ", "attributes": {"bold": true}}),
            json!({"text": link, "attributes": {"link": link}}),
            json!({"text": "\nCal.com booking bk_1 · mk1", "attributes": {}}),
        ]
    );
    let body = &sim.requests()[0].body;
    assert_eq!(body["notify_all"], false);
    assert!(body.get("comment_text").is_none(), "{body}");

    let read = crm
        .comments(&task, jiff::Timestamp::MIN)
        .await
        .expect("comments");
    assert_eq!(read.len(), 1);
    assert_eq!(read[0].id, id);
    assert_eq!(
        read[0].text.trim_end(),
        "Meeting booked: Intro *not bold* <b>\nJoin: https://meet.example/a_b\nCal.com booking bk_1 · mk1"
    );
    assert_eq!(read[0].at.as_millisecond(), posted.date);
}

#[tokio::test]
async fn an_edit_replaces_the_text_and_keeps_the_comment() {
    let sim = workspace(roomy()).await;
    let task = sim.add_task(BROKERS, "Ada", None);
    let crm = client(&sim);
    let id = crm
        .comment(&task, &rich("before"))
        .await
        .expect("a comment");
    crm.edit_comment(&id, &runs()).await.expect("an edit");
    let comments = sim.task(&task).expect("a task").comments;
    assert_eq!(comments.len(), 1);
    assert!(comments[0].text.ends_with("mk1"), "{}", comments[0].text);
    let body = sim.requests().last().expect("a request").body.clone();
    assert!(body.get("comment_text").is_none(), "{body}");
}

#[tokio::test]
async fn comments_are_read_as_far_back_as_asked() {
    let sim = workspace(roomy()).await;
    let task = sim.add_task(BROKERS, "Ada", None);
    for n in 0..60 {
        sim.human_comment(&task, &format!("comment {n}"));
    }
    let crm = client(&sim);
    // Whose the token is, is asked once an hour.
    crm.comments(&task, jiff::Timestamp::MAX)
        .await
        .expect("comments");
    for (since, first, calls) in [(jiff::Timestamp::MAX, 35, 1), (jiff::Timestamp::MIN, 0, 3)] {
        sim.clear_requests();
        let read = crm.comments(&task, since).await.expect("comments");
        let texts: Vec<&str> = read.iter().map(|it| it.text.trim_end()).collect();
        let newest: Vec<String> = (first..60).rev().map(|n| format!("comment {n}")).collect();
        assert_eq!(texts, newest);
        assert_eq!(sim.calls(), calls);
    }
}

#[tokio::test]
async fn an_id_may_be_a_number_or_a_text() {
    for (id, body) in [
        (
            "90110000000458",
            r#"{"id":90110000000458,"hist_id":"26508","date":1795388402000}"#,
        ),
        (
            "90110000000458",
            r#"{"id":"90110000000458","hist_id":"26508","date":"1795388402000"}"#,
        ),
        // Beyond what a double holds.
        ("9223372036854775807", r#"{"id":9223372036854775807}"#),
    ] {
        let stub = Stub::start(move |_| Then::Answer(stub::json(200, body))).await;
        let posted = client_of(config(&stub.url))
            .comment("86a1", &rich("x"))
            .await;
        assert_eq!(posted.as_deref(), Ok(id), "{body}");
    }
    for body in [
        r#"{"id":null}"#,
        r#"{"id":""}"#,
        r#"{"id":{}}"#,
        r#"{"hist_id":"1"}"#,
    ] {
        let stub = Stub::start(move |_| Then::Answer(stub::json(200, body))).await;
        let posted = client_of(config(&stub.url))
            .comment("86a1", &rich("x"))
            .await;
        let failure = posted.expect_err("no id");
        assert_eq!(super::class(&failure), "unknown", "{body}");
    }
}

#[tokio::test]
async fn a_comment_without_plain_text_is_read_from_its_runs() {
    let comments = json!({"comments": [
        {"id": 7, "date": 1_795_388_402_000_i64, "comment": [{"text": "one "}, {"type": "emoticon"}, {"text": "two"}]},
        {"id": "8", "date": "1795388401000", "comment_text": null, "comment": null},
    ]});
    let body = comments.to_string();
    let stub = Stub::start(move |seen| {
        let is_account = seen.path.ends_with("/user");
        let account = r#"{"user":{"id":1}}"#;
        Then::Answer(stub::json(200, if is_account { account } else { &body }))
    })
    .await;
    let read = client_of(config(&stub.url))
        .comments("86a1", jiff::Timestamp::MIN)
        .await
        .expect("comments");
    let read: Vec<(&str, &str, i64)> = read
        .iter()
        .map(|it| (it.id.as_str(), it.text.as_str(), it.at.as_millisecond()))
        .collect();
    assert_eq!(
        read,
        [
            ("7", "one two", 1_795_388_402_000),
            ("8", "", 1_795_388_401_000)
        ]
    );
}

#[tokio::test]
async fn an_empty_text_is_never_a_comment_s_whole_body() {
    let sim = workspace(roomy()).await;
    let task = sim.add_task(BROKERS, "Ada", None);
    client(&sim)
        .comment(&task, &rich("x"))
        .await
        .expect("a comment");
    let sent = &sim.requests()[0].body["comment"];
    assert!(
        sent.as_array().is_some_and(|runs| !runs.is_empty()),
        "{sent}"
    );
    assert_eq!(sent[0]["attributes"], Value::Object(serde_json::Map::new()));
}

#[tokio::test]
async fn whose_a_comment_is_and_whether_people_took_it_up_is_told() {
    let sim = workspace(roomy()).await;
    let task = sim.add_task(BROKERS, "Ada", None);
    let crm = client(&sim);
    let ours = crm.comment(&task, &rich("ours")).await.expect("a comment");
    let theirs = sim.human_comment(&task, "theirs");
    let read = crm
        .comments(&task, jiff::Timestamp::MIN)
        .await
        .expect("comments");
    let told: Vec<(&str, bool, bool)> = read
        .iter()
        .map(|c| (c.id.as_str(), c.ours, c.taken_up))
        .collect();
    assert_eq!(
        told,
        [
            (theirs.as_str(), false, false),
            (ours.as_str(), true, false)
        ]
    );
    sim.human_resolve_comment(&ours);
    let read = crm
        .comments(&task, jiff::Timestamp::MIN)
        .await
        .expect("comments");
    assert!(read[1].taken_up);
}

#[tokio::test]
async fn what_is_deleted_is_gone_and_may_have_been_gone_before() {
    let sim = workspace(roomy()).await;
    let task = sim.add_task(BROKERS, "Ada", None);
    let crm = client(&sim);
    let comment = crm.comment(&task, &rich("twice")).await.expect("a comment");
    for _ in 0..2 {
        crm.delete_comment(&comment).await.expect("gone");
    }
    assert!(sim.task(&task).expect("a task").comments.is_empty());
    for _ in 0..2 {
        crm.delete(&task).await.expect("gone");
    }
    assert!(sim.task(&task).expect("kept to look at").deleted);
}
