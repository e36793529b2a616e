//! What a write changes, and what it silently does not.

use serde_json::{Value, json};
use sim::clickup::Config;

use super::{
    BROKERS, EMAIL, INBOUND, call, create, get, pause, post, put, refusal, refused, unlimited,
    workspace,
};

#[tokio::test]
async fn a_create_answers_the_task_with_its_markdown_and_its_field() {
    let sim = unlimited().await;
    let task = post(
        &sim,
        &format!("/v2/list/{INBOUND}/task"),
        json!({
            "name": "Ada", "status": "Meeting BOOKED", "description": "loses",
            "markdown_content": "**wins**", "due_date": 1_795_615_200_000_i64,
            "tags": ["calup"], "custom_fields": [{"id": EMAIL, "value": "ada@x.example"}]
        }),
    )
    .await;
    assert_eq!(task["status"]["status"], "meeting booked");
    assert_eq!(task["markdown_description"], "**wins**");
    assert_eq!(task["description"], "wins");
    assert_eq!(task["due_date"], "1795615200000");
    assert_eq!(task["creator"]["id"], 54_000_001);
    assert_eq!(task["tags"][0]["name"], "calup");
    let fields = task["custom_fields"].as_array().expect("fields");
    let value = |id: &str| {
        fields
            .iter()
            .find(|f| f["id"] == id)
            .and_then(|f| f.get("value"))
    };
    assert_eq!(value(EMAIL), Some(&json!("ada@x.example")));
    assert_eq!(value(super::PHONE), None);

    let view = sim
        .task(task["id"].as_str().expect("id"))
        .expect("it is there");
    assert_eq!(
        (view.name.as_str(), view.email.as_deref()),
        ("Ada", Some("ada@x.example"))
    );
    assert_eq!(sim.tasks_by_email("ada@x.example").len(), 1);
    assert!(sim.task_named("Ada").is_some());
}

#[tokio::test]
async fn an_unknown_status_leaves_everything_as_it_was() {
    let sim = unlimited().await;
    let id = create(&sim, BROKERS, "Ada", "ada@x.example").await;
    let before = sim.task(&id);

    let body = json!({"name": "x", "markdown_content": "y", "status": "meeting bookd"});
    let path = format!("/v2/list/{BROKERS}/task");
    assert_eq!(
        refusal(&sim, "POST", &path, Some(body.clone())).await,
        refused(400, "CRTSK_001")
    );
    let path = format!("/v2/task/{id}");
    assert_eq!(
        refusal(&sim, "PUT", &path, Some(body)).await,
        refused(400, "ITEM_114")
    );

    assert_eq!(sim.task(&id), before);
    assert_eq!(sim.live_tasks().len(), 1);
}

#[tokio::test]
async fn an_update_ignores_custom_fields_and_tags_and_touches_the_date() {
    let sim = unlimited().await;
    let id = create(&sim, BROKERS, "Ada", "ada@x.example").await;
    let before = sim.task(&id).expect("there");
    pause(5).await;

    let body = json!({
        "status": "NEGOTIATING", "markdown_content": "new", "tags": ["no"],
        "custom_fields": [{"id": EMAIL, "value": "eve@x.example"}]
    });
    let answer = put(&sim, &format!("/v2/task/{id}"), body).await;
    assert_eq!(answer["status"]["status"], "negotiating");
    assert_eq!(answer["markdown_description"], "new");

    let after = sim.task(&id).expect("there");
    assert_eq!(after.email.as_deref(), Some("ada@x.example"));
    assert_eq!(answer["tags"], json!([]));
    assert!(after.date_updated > before.date_updated);
    assert_eq!(after.date_created, before.date_created);
}

#[tokio::test]
async fn a_description_is_replaced_cleared_and_limited() {
    let sim = unlimited().await;
    let id = create(&sim, BROKERS, "Ada", "ada@x.example").await;
    let path = format!("/v2/task/{id}");
    put(&sim, &path, json!({"markdown_content": "one"})).await;
    put(&sim, &path, json!({"markdown_content": "two"})).await;
    assert_eq!(sim.task(&id).expect("there").markdown, "two");
    put(&sim, &path, json!({"name": "Ada L."})).await;
    assert_eq!(sim.task(&id).expect("there").markdown, "two");
    put(&sim, &path, json!({"description": " "})).await;
    assert_eq!(sim.task(&id).expect("there").markdown, "");

    let long = "x".repeat(256 * 1024 + 1);
    let answer = call(&sim, "PUT", &path, Some(json!({"markdown_content": long}))).await;
    assert_eq!(answer.status, 400);
    assert_eq!(sim.task(&id).expect("there").markdown, "");
}

#[tokio::test]
async fn a_field_is_refused_for_each_reason_by_its_code() {
    let sim = unlimited().await;
    let id = create(&sim, BROKERS, "Ada", "ada@x.example").await;
    sim.add_list("901100000009", "Bare", super::STATUSES);
    let bare = sim.add_task("901100000009", "Bare", None);
    let set = async |task: &str, field: &str, value: Value| {
        let path = format!("/v2/task/{task}/field/{field}");
        refusal(&sim, "POST", &path, Some(json!({"value": value}))).await
    };
    assert_eq!(
        set(&id, EMAIL, json!("not-an-email")).await,
        refused(400, "FIELD_000")
    );
    assert_eq!(
        set(&id, "not-a-uuid", json!("a@b.example")).await,
        refused(400, "FIELD_057")
    );
    assert_eq!(
        set(&bare, EMAIL, json!("a@b.example")).await,
        refused(400, "FIELD_115")
    );
    assert_eq!(
        set(&id, super::DATE, json!("2026-11-25")).await,
        refused(400, "FIELD_017")
    );
    sim.set_field_quota_exhausted(true);
    assert_eq!(
        set(&id, EMAIL, json!("a@b.example")).await,
        refused(400, "FIELD_033")
    );
    assert_eq!(
        sim.task(&id).expect("there").email.as_deref(),
        Some("ada@x.example")
    );

    // The same on create, and nothing is created.
    let inline = |id: &str, value: &str| {
        Some(json!({"name": "New", "custom_fields": [{"id": id, "value": value}]}))
    };
    let path = format!("/v2/list/{BROKERS}/task");
    let create = async |body| refusal(&sim, "POST", &path, body).await;
    assert_eq!(
        create(inline(EMAIL, "a@b.example")).await,
        refused(400, "FIELD_033")
    );
    sim.set_field_quota_exhausted(false);
    assert_eq!(
        create(inline(EMAIL, "nonsense")).await,
        refused(400, "FIELD_000")
    );
    assert_eq!(
        create(inline("nonsense", "a@b.example")).await,
        refused(400, "FIELD_057")
    );
    let unknown = "00000000-0000-4000-8000-000000000000";
    assert_eq!(
        create(inline(unknown, "a@b.example")).await,
        refused(400, "FIELD_115")
    );
    assert!(sim.task_named("New").is_none());

    let path = format!("/v2/task/{id}/field/{EMAIL}");
    assert_eq!(
        post(&sim, &path, json!({"value": "new@x.example"})).await,
        json!({})
    );
    assert_eq!(
        sim.task(&id).expect("there").email.as_deref(),
        Some("new@x.example")
    );
}

#[tokio::test]
async fn a_capped_task_type_stops_creates_that_do_not_choose_one() {
    let sim = workspace(Config {
        type_cap: true,
        ..Config::default()
    })
    .await;
    let path = format!("/v2/list/{BROKERS}/task");
    let body = json!({"name": "Ada"});
    assert_eq!(
        refusal(&sim, "POST", &path, Some(body)).await,
        refused(400, "ITEM_246")
    );
    post(&sim, &path, json!({"name": "Ada", "custom_item_id": 0})).await;
    assert_eq!(sim.live_tasks().len(), 1);
}

#[tokio::test]
async fn a_deleted_task_is_gone_for_reads_and_writes() {
    let sim = unlimited().await;
    let id = create(&sim, BROKERS, "Ada", "ada@x.example").await;
    let path = format!("/v2/task/{id}");
    let answer = call(&sim, "DELETE", &path, None).await;
    assert!((200..300).contains(&answer.status));

    assert_eq!(
        refusal(&sim, "GET", &path, None).await,
        refused(404, "ITEM_013")
    );
    let body = Some(json!({"name": "x"}));
    assert_eq!(
        refusal(&sim, "PUT", &path, body).await,
        refused(404, "ITEM_013")
    );
    let body = Some(json!({"comment_text": "x"}));
    let comments = format!("{path}/comment");
    assert_eq!(
        refusal(&sim, "POST", &comments, body).await,
        refused(404, "ITEM_013")
    );
    let listed = get(&sim, &format!("/v2/list/{BROKERS}/task")).await;
    assert_eq!(listed["tasks"], json!([]));
    assert!(sim.live_tasks().is_empty());
    assert!(sim.task(&id).expect("its grave").deleted);
}

#[tokio::test]
async fn comment_text_is_literal_and_runs_are_joined() {
    let sim = unlimited().await;
    let id = create(&sim, BROKERS, "Ada", "ada@x.example").await;
    let path = format!("/v2/task/{id}/comment");
    let made = post(&sim, &path, json!({"comment_text": "**not bold**"})).await;
    assert!(made["id"].is_u64(), "the id of a new comment is a number");
    let runs = json!([
        {"text": "Booked", "attributes": {"bold": true}}, {"text": " at 10:00"},
        {"text": "\n"}, {"text": "Join", "attributes": {"link": "https://meet.example/a"}}
    ]);
    post(&sim, &path, json!({"comment": runs})).await;
    post(
        &sim,
        &path,
        json!({"comment_text": "twice", "comment": [{"text": "twice"}]}),
    )
    .await;

    let listed = get(&sim, &path).await;
    let texts: Vec<&str> = listed["comments"]
        .as_array()
        .expect("comments")
        .iter()
        .filter_map(|comment| comment["comment_text"].as_str())
        .collect();
    assert_eq!(texts[1..], ["Booked at 10:00\nJoin", "**not bold**"]);
    assert_eq!(texts[0].matches("twice").count(), 2);
    assert_eq!(listed["comments"][2]["id"], json!(made["id"].to_string()));
    assert_eq!(listed["comments"][1]["comment"][0], runs[0]);
}

#[tokio::test]
async fn comments_are_paged_by_date_and_id() {
    let sim = unlimited().await;
    let id = sim.add_task(BROKERS, "Ada", None);
    for n in 0..60 {
        sim.human_comment(&id, &format!("c{n}"));
    }
    let path = format!("/v2/task/{id}/comment");
    let mut texts = Vec::new();
    let mut query = String::new();
    let mut sizes = Vec::new();
    loop {
        let page = get(&sim, &format!("{path}{query}")).await;
        let comments = page["comments"].as_array().expect("comments").clone();
        sizes.push(comments.len());
        let Some(last) = comments.last() else { break };
        query = format!(
            "?start={}&start_id={}",
            last["date"].as_str().expect("a date"),
            last["id"].as_str().expect("an id")
        );
        texts.extend(
            comments
                .iter()
                .map(|c| c["comment_text"].as_str().unwrap_or("").to_owned()),
        );
    }
    assert_eq!(sizes, [25, 25, 10, 0]);
    let expected: Vec<String> = (0..60).rev().map(|n| format!("c{n}")).collect();
    assert_eq!(texts, expected);
}

#[tokio::test]
async fn a_comment_is_edited_and_deleted() {
    let sim = unlimited().await;
    let id = sim.add_task(BROKERS, "Ada", None);
    let path = format!("/v2/task/{id}/comment");
    let made = post(&sim, &path, json!({"comment_text": "one"})).await;
    let comment = format!("/v2/comment/{}", made["id"]);

    assert_eq!(
        put(&sim, &comment, json!({"comment_text": "two"})).await,
        json!({})
    );
    let view = sim.task(&id).expect("there");
    assert_eq!(view.comments.len(), 1);
    assert_eq!(
        (view.comments[0].text.as_str(), view.comments[0].user_id),
        ("two", 54_000_001)
    );

    assert_eq!(call(&sim, "DELETE", &comment, None).await.status, 200);
    assert!(sim.task(&id).expect("there").comments.is_empty());
    assert_eq!(
        call(&sim, "PUT", &comment, Some(json!({"comment_text": "x"})))
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn people_edit_too() {
    let sim = unlimited().await;
    let id = create(&sim, BROKERS, "Ada", "ada@x.example").await;
    sim.human_set_status(&id, "lost");
    sim.human_edit_description(&id, "by hand");
    sim.human_comment(&id, "called");
    let view = sim.task(&id).expect("there");
    assert_eq!(
        (view.status.as_str(), view.markdown.as_str()),
        ("lost", "by hand")
    );
    assert_ne!(view.comments[0].user_id, 54_000_001);
    sim.human_delete(&id);
    assert_eq!(
        refusal(&sim, "GET", &format!("/v2/task/{id}"), None).await,
        refused(404, "ITEM_013")
    );
}

#[tokio::test]
async fn a_copy_is_another_persons_and_a_merge_leaves_one() {
    let sim = unlimited().await;
    let id = create(&sim, BROKERS, "Ada", "ada@x.example").await;
    let path = format!("/v2/task/{id}");
    put(&sim, &path, json!({"markdown_content": "booking: bk_1"})).await;

    let copy = sim.human_copy(&id);
    let view = sim.task(&copy).expect("there");
    assert_eq!(view.email.as_deref(), Some("ada@x.example"));
    assert_ne!(view.creator_id, sim.user_id());
    assert_eq!(sim.tasks_by_email("ADA@x.example").len(), 2);

    sim.human_merge(&copy, &id);
    assert_eq!(sim.live_tasks().len(), 1);
    assert!(sim.task(&copy).expect("its grave").deleted);
}
