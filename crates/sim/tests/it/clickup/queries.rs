//! What a query finds, hides, orders and pages.

use serde_json::json;
use sim::clickup::{ClickUp, Config, TaskSeed};

use super::{
    BROKERS, EMAIL, INBOUND, SELLERS, TEAM, create, get, names, refusal, refused, search,
    unlimited, workspace,
};

#[tokio::test]
async fn equals_means_contains_and_double_equals_means_exactly() {
    let sim = unlimited().await;
    sim.add_task(BROKERS, "Jordan", Some("jordan@x.example"));
    sim.add_task(SELLERS, "Marjordan", Some("marjordan@x.example"));
    sim.add_task(SELLERS, "Shouting", Some("JORDAN@X.example"));
    sim.add_task(INBOUND, "Elsewhere", Some("jordan@x.example"));
    sim.add_task(BROKERS, "Nobody", None);

    let found = get(&sim, &search("=", "jordan@x.example")).await;
    let mut found = names(&found);
    found.sort();
    assert_eq!(found, ["Jordan", "Marjordan"]);
    assert_eq!(
        names(&get(&sim, &search("==", "jordan@x.example")).await),
        ["Jordan"]
    );
    assert!(names(&get(&sim, &search("=", "nobody@x.example")).await).is_empty());
}

#[tokio::test]
async fn contains_can_be_told_to_ignore_case() {
    let config = Config {
        contains_ignores_case: true,
        ..Config::default()
    };
    let sim = workspace(config).await;
    sim.add_task(BROKERS, "Shouting", Some("JORDAN@X.example"));
    assert_eq!(
        names(&get(&sim, &search("=", "jordan@x.example")).await),
        ["Shouting"]
    );
}

#[tokio::test]
async fn filters_are_anded_and_an_unknown_field_finds_nothing() {
    let sim = unlimited().await;
    create(&sim, BROKERS, "Ada", "ada@x.example").await;
    let list = |filters: serde_json::Value| {
        let filters = filters.to_string();
        let filters: String = url::form_urlencoded::byte_serialize(filters.as_bytes()).collect();
        format!("/v2/list/{BROKERS}/task?custom_fields={filters}")
    };
    let ada = json!({"field_id": EMAIL, "operator": "=", "value": "ada@"});
    let bob = json!({"field_id": EMAIL, "operator": "=", "value": "bob@"});
    let unknown = json!({
        "field_id": "00000000-0000-4000-8000-000000000000", "operator": "=", "value": "ada"
    });

    assert_eq!(names(&get(&sim, &list(json!([ada]))).await), ["Ada"]);
    assert!(names(&get(&sim, &list(json!([ada, bob]))).await).is_empty());
    let nothing = get(&sim, &list(json!([unknown]))).await;
    assert_eq!(nothing, json!({"tasks": [], "last_page": true}));
}

#[tokio::test]
async fn a_misspelt_parameter_is_ignored_and_finds_everything() {
    let sim = unlimited().await;
    create(&sim, BROKERS, "Ada", "ada@x.example").await;
    let path = format!("/v2/list/{BROKERS}/task?query=nobody&custom_fieldz=%5B%5D&limit=0");
    assert_eq!(names(&get(&sim, &path).await), ["Ada"]);
}

#[tokio::test]
async fn closed_archived_and_subtasks_are_hidden_unless_asked_for() {
    let sim = unlimited().await;
    let parent = sim.add_task(BROKERS, "plain", None);
    let seed = |name: &str| TaskSeed {
        list: BROKERS.to_owned(),
        name: name.to_owned(),
        ..TaskSeed::default()
    };
    sim.add_task_with(TaskSeed {
        status: Some("Complete".to_owned()),
        ..seed("closed")
    });
    sim.add_task_with(TaskSeed {
        archived: true,
        ..seed("archived")
    });
    sim.add_task_with(TaskSeed {
        parent: Some(parent),
        ..seed("subtask")
    });

    for (parameters, expected) in [
        ("", vec!["plain"]),
        ("include_closed=true", vec!["closed", "plain"]),
        ("subtasks=true", vec!["plain", "subtask"]),
        ("archived=true", vec!["archived"]),
        ("statuses%5B%5D=complete", vec!["closed"]),
    ] {
        let mut found = names(&get(&sim, &format!("/v2/list/{BROKERS}/task?{parameters}")).await);
        found.sort();
        assert_eq!(found, expected, "{parameters}");
    }
}

#[tokio::test]
async fn a_page_holds_a_hundred_and_the_last_one_says_so() {
    let sim = unlimited().await;
    sim.add_tasks(BROKERS, 201);
    let page = async |n: u32| get(&sim, &format!("/v2/list/{BROKERS}/task?page={n}")).await;
    let sizes = async |n: u32| {
        let answer = page(n).await;
        (names(&answer).len(), answer["last_page"].as_bool())
    };
    assert_eq!(sizes(0).await, (100, Some(false)));
    assert_eq!(sizes(1).await, (100, Some(false)));
    assert_eq!(sizes(2).await, (1, Some(true)));
    assert_eq!(sizes(3).await, (0, Some(true)));

    let mut all = Vec::new();
    for n in 0..3 {
        all.extend(page(n).await["tasks"].as_array().expect("tasks").clone());
    }
    let ids: std::collections::BTreeSet<String> =
        all.iter().map(|task| task["id"].to_string()).collect();
    assert_eq!(ids.len(), 201);
}

async fn dated() -> ClickUp {
    let sim = unlimited().await;
    for (name, created, updated) in [("a", 1000, 9000), ("b", 2000, 8000), ("c", 3000, 7000)] {
        sim.add_task_with(TaskSeed {
            list: BROKERS.to_owned(),
            name: name.to_owned(),
            date_created: Some(created),
            date_updated: Some(updated),
            ..TaskSeed::default()
        });
    }
    sim
}

#[tokio::test]
async fn time_filters_are_strict_and_orders_can_be_turned_around() {
    let sim = dated().await;
    for (parameters, expected) in [
        ("", vec!["c", "b", "a"]),
        ("reverse=true", vec!["a", "b", "c"]),
        ("order_by=updated", vec!["a", "b", "c"]),
        ("order_by=id", vec!["c", "b", "a"]),
        ("order_by=updated&reverse=true", vec!["c", "b", "a"]),
        ("date_created_gt=1000", vec!["c", "b"]),
        ("date_created_lt=3000", vec!["b", "a"]),
        ("date_created_gt=1000&date_created_lt=3000", vec!["b"]),
        ("date_updated_gt=8000", vec!["a"]),
        ("date_updated_lt=8000", vec!["c"]),
    ] {
        for path in [
            format!("/v2/list/{BROKERS}/task"),
            format!("/v2/team/{TEAM}/task"),
        ] {
            let found = get(&sim, &format!("{path}?{parameters}")).await;
            assert_eq!(names(&found), expected, "{parameters}");
        }
    }
}

#[tokio::test]
async fn places_that_do_not_exist_are_refused_by_kind() {
    let sim = unlimited().await;
    let refusal = async |path: &str| refusal(&sim, "GET", path, None).await;
    assert_eq!(
        refusal("/v2/list/8cabc-10171/task").await,
        refused(400, "INPUT_003")
    );
    assert_eq!(
        refusal("/v2/list/900000000000/task").await,
        refused(404, "ITEM_015")
    );
    assert_eq!(
        refusal("/v2/list/900000000000").await,
        refused(404, "ITEM_015")
    );
    assert_eq!(
        refusal("/v2/task/86b7zzzz9").await,
        refused(404, "ITEM_013")
    );
    assert_eq!(
        refusal("/v2/task?query=jordan").await,
        refused(404, "APP_001")
    );
    assert_eq!(refusal("/v2/nowhere").await, refused(404, "APP_001"));
}

#[tokio::test]
async fn markdown_is_only_in_the_answer_when_asked_for() {
    let sim = unlimited().await;
    let markdown = Some("See [notes](https://docs.example/n)".to_owned());
    let id = sim.add_task_with(TaskSeed {
        list: BROKERS.to_owned(),
        name: "Ada".to_owned(),
        markdown,
        ..TaskSeed::default()
    });
    let plain = get(&sim, &format!("/v2/task/{id}")).await;
    assert_eq!(plain.get("markdown_description"), None);
    assert_eq!(
        (&plain["description"], &plain["text_content"]),
        (&json!("See notes"), &json!("See notes"))
    );
    let path = format!("/v2/task/{id}?include_markdown_description=true");
    let rich = get(&sim, &path).await;
    assert_eq!(
        rich["markdown_description"],
        "See [notes](https://docs.example/n)"
    );
    let path = format!("/v2/list/{BROKERS}/task?include_markdown_description=true");
    let listed = get(&sim, &path).await;
    assert_eq!(
        listed["tasks"][0]["markdown_description"],
        rich["markdown_description"]
    );
}

#[tokio::test]
async fn a_renamed_or_removed_status_and_a_moved_task_show_in_the_next_answer() {
    let sim = unlimited().await;
    let id = sim.add_task(BROKERS, "Ada", None);
    sim.human_move(&id, SELLERS);
    let task = get(&sim, &format!("/v2/task/{id}")).await;
    assert_eq!(task["list"]["id"], SELLERS);
    assert!(names(&get(&sim, &format!("/v2/list/{BROKERS}/task")).await).is_empty());

    sim.remove_status(SELLERS, "lost");
    let list = get(&sim, &format!("/v2/list/{SELLERS}")).await;
    let left: Vec<&str> = list["statuses"]
        .as_array()
        .expect("statuses")
        .iter()
        .filter_map(|status| status["status"].as_str())
        .collect();
    assert_eq!(left, ["to do", "meeting booked", "negotiating", "complete"]);
}
