//! What nobody has written down about ClickUp: the pretended one can be of either kind.

use std::time::Duration;

use serde_json::{Value, json};
use sim::clickup::Config;

use super::{BROKERS, EMAIL, INBOUND, SELLERS, TEAM, call, create, get, names, search, workspace};

#[tokio::test]
async fn a_task_in_several_lists_shows_in_the_second_one_if_it_is_told_to() {
    for shows in [false, true] {
        let config = Config {
            lists_show_added: shows,
            ..Config::default()
        };
        let sim = workspace(config).await;
        let id = create(&sim, INBOUND, "Ada", "ada@x.example").await;
        let path = format!("/v2/list/{SELLERS}/task/{id}");
        let added = call(&sim, "POST", &path, None).await;
        assert_eq!((added.status, added.json()), (200, json!({})));

        let expected: &[&str] = if shows { &["Ada"] } else { &[] };
        let found = get(&sim, &search("=", "ada@x.example")).await;
        assert_eq!(names(&found), expected);
        // The list's own route shows it on request, and its home stays.
        let list = format!("/v2/list/{SELLERS}/task");
        assert!(names(&get(&sim, &list).await).is_empty());
        let found = get(&sim, &format!("{list}?include_timl=true")).await;
        assert_eq!(names(&found), ["Ada"]);
        assert_eq!(found["tasks"][0]["list"]["id"], INBOUND);

        let removed = call(&sim, "DELETE", &path, None).await;
        assert_eq!((removed.status, removed.json()), (200, json!({})));
        let found = get(&sim, &format!("{list}?include_timl=true")).await;
        assert!(names(&found).is_empty());
        assert_eq!(call(&sim, "DELETE", &path, None).await.status, 400);
    }
}

#[tokio::test]
async fn archived_tasks_show_among_lists_if_it_is_told_to() {
    for shows in [false, true] {
        let config = Config {
            lists_show_archived: shows,
            ..Config::default()
        };
        let sim = workspace(config).await;
        let id = create(&sim, BROKERS, "Ada", "ada@x.example").await;
        sim.human_archive(&id, true);
        let expected: &[&str] = if shows { &["Ada"] } else { &[] };
        let found = get(&sim, &search("=", "ada@x.example")).await;
        assert_eq!(names(&found), expected);
        let everywhere = get(&sim, &format!("/v2/team/{TEAM}/task")).await;
        assert!(names(&everywhere).is_empty());
    }
}

#[tokio::test]
async fn a_filter_sees_a_change_late_if_it_is_told_to() {
    let config = Config {
        edit_lag: Duration::from_millis(400),
        ..Config::default()
    };
    let sim = workspace(config).await;
    let id = create(&sim, BROKERS, "Ada", "ada@x.example").await;
    sim.human_set_field(&id, EMAIL, Some(json!("countess@x.example")));
    let old = search("=", "ada@x.example");
    let new = search("=", "countess@x.example");
    assert_eq!(names(&get(&sim, &old).await), ["Ada"]);
    assert!(names(&get(&sim, &new).await).is_empty());
    super::pause(450).await;
    assert!(names(&get(&sim, &old).await).is_empty());
    assert_eq!(names(&get(&sim, &new).await), ["Ada"]);
}

#[tokio::test]
async fn double_equals_finds_no_address_if_it_is_told_so() {
    let config = Config {
        exact_applies_to_email: false,
        ..Config::default()
    };
    let sim = workspace(config).await;
    create(&sim, BROKERS, "Ada", "ada@x.example").await;
    assert!(names(&get(&sim, &search("==", "ada@x.example")).await).is_empty());
    assert_eq!(
        names(&get(&sim, &search("=", "ada@x.example")).await),
        ["Ada"]
    );
}

#[tokio::test]
async fn an_update_with_a_bad_status_keeps_its_other_parts_if_it_is_told_to() {
    for keeps in [false, true] {
        let config = Config {
            bad_status_keeps_rest: keeps,
            ..Config::default()
        };
        let sim = workspace(config).await;
        let id = create(&sim, BROKERS, "Ada", "ada@x.example").await;
        let body = json!({"status": "no such", "markdown_content": "new"});
        let answer = call(&sim, "PUT", &format!("/v2/task/{id}"), Some(body)).await;
        assert_eq!(
            (answer.status, &answer.json()["ECODE"]),
            (400, &json!("ITEM_114"))
        );
        let after = sim.task(&id).expect("there");
        assert_eq!(after.markdown == "new", keeps);
        assert_eq!(after.status, "to do");
    }
}

#[tokio::test]
async fn a_comment_that_is_too_long_is_refused_if_there_is_a_limit() {
    let config = Config {
        comment_chars_max: 10,
        ..Config::default()
    };
    let sim = workspace(config).await;
    let id = create(&sim, BROKERS, "Ada", "ada@x.example").await;
    let path = format!("/v2/task/{id}/comment");
    let post = async |body: Value| call(&sim, "POST", &path, Some(body)).await.status;
    assert_eq!(post(json!({"comment_text": "ten chars!"})).await, 200);
    assert_eq!(post(json!({"comment_text": "eleven char"})).await, 400);
    let runs = json!({"comment": [{"text": "six ch"}, {"text": "five!"}]});
    assert_eq!(post(runs).await, 400);
    assert_eq!(sim.task(&id).expect("there").comments.len(), 1);
}
