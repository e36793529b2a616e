//! The recorded answers: what the client makes of each.

use domain::lead::{Lead, StatusKind};
use jiff::Timestamp;
use vendors::Crm as _;

use super::stub::{self, Stub, Then};
use super::{client_of, config, description, fixture, new_lead, rich};

/// Answers the calls of one kind from a recording, and look-ups as needed.
async fn recorded(
    name: &'static str,
    is_it: fn(&str) -> bool,
) -> (Stub, vendors::clickup::ClickUp) {
    let body = fixture(&format!("clickup-api/{name}.json"))["response"]["body"].to_string();
    let stub = Stub::start(move |seen| {
        let path = seen.path.split('?').next().unwrap_or_default();
        match stub::lookup(seen) {
            _ if is_it(path) => Then::Answer(stub::json(200, &body)),
            Some(answer) => Then::Answer(answer),
            None => Then::Answer(stub::json(
                404,
                r#"{"err":"Route not found","ECODE":"APP_001"}"#,
            )),
        }
    })
    .await;
    let crm = client_of(config(&stub.url));
    (stub, crm)
}

fn ms(at: i64) -> Timestamp {
    Timestamp::from_millisecond(at).expect("a time")
}

#[tokio::test]
async fn a_recorded_lead_is_read_whole() {
    let (_stub, crm) = recorded("get-task", |path| path.contains("/task/")).await;
    let lead = crm.lead("86b7aaaa1").await.expect("a lead");
    assert_eq!(
        lead,
        Lead {
            id: "86b7aaaa1".to_owned(),
            list_id: "901100000001".to_owned(),
            list_name: "Brokers".to_owned(),
            name: "Jordan Marsh - Harbor Brokerage".to_owned(),
            status: "negotiating".to_owned(),
            status_kind: StatusKind::Custom,
            description: "**Met at expo.**\n\n[Notes](https://docs.example/notes)".to_owned(),
            description_is_plain: false,
            emails: vec!["Jordan.Marsh@harbor.example".to_owned()],
            created_at: ms(1_793_300_000_000),
            updated_at: ms(1_795_290_000_000),
            url: Some("https://app.clickup.com/t/86b7aaaa1".to_owned()),
            ours: true,
        }
    );
}

#[tokio::test]
async fn a_description_without_its_markdown_is_known_to_be_plain() {
    let mut task = fixture("clickup-api/get-task.json")["response"]["body"].clone();
    task.as_object_mut()
        .expect("a task")
        .remove("markdown_description");
    for (plain, is_plain) in [("Met at expo.", true), (" ", false)] {
        task["description"] = plain.into();
        task["text_content"] = plain.into();
        let body = task.to_string();
        let stub = Stub::start(move |seen| {
            Then::Answer(stub::lookup(seen).unwrap_or_else(|| stub::json(200, &body)))
        })
        .await;
        let lead = client_of(config(&stub.url)).lead("86b7aaaa1").await;
        let lead = lead.expect("a lead");
        assert_eq!(lead.description.trim(), plain.trim());
        assert_eq!(lead.description_is_plain, is_plain);
    }
}

#[tokio::test]
async fn recorded_pages_are_compared_exactly() {
    let team: fn(&str) -> bool = |path| path.contains("/team/") && path.ends_with("/task");
    let (_stub, crm) = recorded("team-tasks.email-contains", team).await;
    let leads = crm.find_by_email("Jordan.Marsh@harbor.example").await;
    let ids: Vec<String> = leads.expect("leads").into_iter().map(|it| it.id).collect();
    assert_eq!(ids, ["86b7aaaa4"]);

    let (_stub, crm) = recorded("team-tasks.none", team).await;
    assert_eq!(
        crm.find_by_email("nobody@nowhere.example").await,
        Ok(Vec::new())
    );

    let (_stub, crm) = recorded("team-tasks.created-since", |path| {
        path.contains("/list/") && path.ends_with("/task")
    })
    .await;
    let leads = crm
        .created_since(ms(1_795_387_800_000))
        .await
        .expect("leads");
    assert_eq!(leads.len(), 1);
    assert!(leads[0].description.contains("bk_7Qd3") && leads[0].ours);
}

#[tokio::test]
async fn recorded_lists_fields_and_workspaces_are_understood() {
    let (_stub, crm) = recorded("get-list", |path| path.ends_with("/list/901100000001")).await;
    let info = crm.list("901100000001", false).await.expect("a list");
    let names: Vec<&str> = info
        .statuses
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(
        names,
        ["to do", "meeting booked", "negotiating", "lost", "complete"]
    );
    let kinds: Vec<StatusKind> = info.statuses.iter().map(|(_, kind)| *kind).collect();
    assert_eq!(
        kinds,
        [
            StatusKind::Open,
            StatusKind::Custom,
            StatusKind::Custom,
            StatusKind::Done,
            StatusKind::Closed
        ]
    );

    let (_stub, crm) = recorded("list-fields", |path| path.ends_with("/field")).await;
    assert!(
        crm.list("901100000001", false)
            .await
            .expect("a list")
            .has_email_field
    );
    let (_stub, crm) = recorded("user", |path| path.ends_with("/user")).await;
    assert_eq!(crm.probe().await, Ok(()));
    let (stub, crm) = recorded("teams", |path| path.ends_with("/v2/team")).await;
    crm.find_by_email("a@x.example")
        .await
        .expect_err("the page is not recorded");
    assert!(
        stub.seen()
            .iter()
            .any(|it| it.path.starts_with("/api/v2/team/1234/task"))
    );
}

#[tokio::test]
async fn recorded_answers_to_writes_are_successes() {
    let (_stub, crm) = recorded("create-task", |path| path.ends_with("/task")).await;
    let made = crm.create(&new_lead("Avery Quinn")).await.expect("a lead");
    assert_eq!(
        (made.id.as_str(), made.status.as_str(), made.ours),
        ("86b7cccc1", "meeting booked", true)
    );
    let (_stub, crm) = recorded("update-task", |path| path.contains("/task/")).await;
    assert_eq!(crm.write("86b7aaaa1", &description("x")).await, Ok(()));
    let (_stub, crm) = recorded("comment-create", |path| path.ends_with("/comment")).await;
    assert_eq!(
        crm.comment("86b7aaaa1", &rich("x")).await.as_deref(),
        Ok("90110000000458")
    );
    let (_stub, crm) = recorded("comment-update", |path| path.contains("/comment/")).await;
    assert_eq!(crm.edit_comment("90110000000458", &rich("x")).await, Ok(()));
    let (_stub, crm) = recorded("comments-list", |path| path.ends_with("/comment")).await;
    let comments = crm
        .comments("86b7aaaa1", Timestamp::MIN)
        .await
        .expect("comments");
    assert_eq!(comments[0].id, "90110000000458");
    assert!(
        comments[0].text.ends_with("booking: bk_7Qd3"),
        "{}",
        comments[0].text
    );
    assert_eq!(comments[0].at, ms(1_795_388_402_000));
}
