//! Sends a fixture's request to a workspace like the one the fixture was taken from.

use std::path::PathBuf;

use serde_json::{Value, json};
use sim::clickup::{ClickUp, TaskSeed};

use super::{BROKERS, INBOUND, PHONE, SELLERS, SPACE, STATUSES, TEAM, call_as, post, unlimited};

const SOURCE: &str = "b2e4be70-0000-4726-985b-46ac25375b28";

pub(super) fn read(path: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures")
        .join(path);
    let text = std::fs::read_to_string(&path);
    let text = text.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).expect("a fixture is JSON")
}

/// The workspace the fixtures were taken from.
pub(super) async fn fixture_workspace() -> ClickUp {
    let sim = unlimited().await;
    let all = [BROKERS, SELLERS, INBOUND];
    let options = json!({"sorting": "manual", "new_drop_down": true, "options": [
        {"id": "f8249998-9c0a-4b1d-a8b7-67a072aca05a", "name": "Referral", "color": "#b5bcc2", "orderindex": 0},
        {"id": "97704092-e5aa-4005-a87f-677b764d2e4c", "name": "Cal.com", "color": "#02BCD4", "orderindex": 1}
    ]});
    sim.add_field_with(&all, SOURCE, "Source", "drop_down", options);
    let task = |list: &str, id: &str, name: &str, email: Option<&str>| TaskSeed {
        list: list.to_owned(),
        id: Some(id.to_owned()),
        name: name.to_owned(),
        email: email.map(str::to_owned),
        ..TaskSeed::default()
    };
    let jordan = Some("Jordan.Marsh@harbor.example");
    sim.add_task_with(TaskSeed {
        status: Some("negotiating".to_owned()),
        tags: vec!["vip".to_owned()],
        markdown: Some("**Met at expo.**\n\n[Notes](https://docs.example/notes)".to_owned()),
        fields: vec![
            (PHONE.to_owned(), json!("+1 555 010 0001")),
            (SOURCE.to_owned(), json!(0)),
        ],
        date_created: Some(1_793_300_000_000),
        ..task(
            BROKERS,
            "86b7aaaa1",
            "Jordan Marsh - Harbor Brokerage",
            jordan,
        )
    });
    sim.add_task_with(task(BROKERS, "86b7aaaa2", "Riley Stone", None));
    let old = Some("jordan.marsh@harbor.example");
    sim.add_task_with(task(SELLERS, "86b7aaaa4", "Jordan Marsh (old record)", old));
    let other = Some("marjordan.marsh@harbor.example");
    sim.add_task_with(task(SELLERS, "86b7aaaa5", "Marjordan Marsh", other));
    sim
}

/// Each fixture's request, on the world it presumes.
pub(super) async fn replay(name: &str) -> (Value, sim::http::Received) {
    let fixture = read(&format!("clickup-api/{name}.json"));
    let sim = fixture_workspace().await;
    let request = &fixture["request"];
    let mut path = request["path"]
        .as_str()
        .expect("a path")
        .replace("{team_id}", TEAM);
    path = path
        .replace("{space_id}", SPACE)
        .replace("{folder_id}", "90110000099");
    let mut token = Some("pk_sim");

    sim.add_folder("90110000099", "Pipeline");
    sim.add_list_in("90110000099", "901100000020", "Partners", STATUSES);
    // Tasks that the fixture's request needs and the tests before it do not.
    let avery = TaskSeed {
        list: INBOUND.to_owned(),
        id: Some("86b7cccc1".to_owned()),
        name: "Avery Quinn".to_owned(),
        ..TaskSeed::default()
    };
    match name {
        "create-task" | "error.404-task" => {}
        "error.400-custom-field-not-in-list" => {
            sim.add_list("901100000009", "Bare", STATUSES);
            sim.add_task_with(TaskSeed {
                list: "901100000009".to_owned(),
                ..avery
            });
        }
        "team-tasks.created-since" => {
            sim.add_task_with(TaskSeed {
                email: Some("avery.quinn@northwind.example".to_owned()),
                markdown: Some("**Meeting**\n\n`booking:bk_7Qd3`".to_owned()),
                status: Some("meeting booked".to_owned()),
                date_created: Some(1_795_388_400_120),
                creator: Some(54_000_001),
                ..avery
            });
        }
        _ => {
            sim.add_task_with(avery);
        }
    }
    match name {
        "error.400-custom-field-quota" => sim.set_field_quota_exhausted(true),
        "error.401-no-header" => token = None,
        "error.401-token-invalid" => token = Some("pk_old"),
        "error.401-team-not-authorized" => path = path.replace(TEAM, "9019999999"),
        "error.404-task" => {
            sim.add_task_with(TaskSeed {
                list: INBOUND.to_owned(),
                id: Some("86b7zzzz9".to_owned()),
                ..TaskSeed::default()
            });
            sim.human_delete("86b7zzzz9");
        }
        "error.429-rate-limit" => sim.set_limit(0, std::time::Duration::from_secs(60)),
        "comments-list" => {
            sim.human_comment("86b7aaaa1", "Called, left voicemail.");
        }
        "comment-update" | "comment-delete" => {
            let comment = json!({"comment_text": "Meeting booked"});
            let made = post(&sim, "/v2/task/86b7aaaa1/comment", comment).await;
            path = path.replace("90110000000458", &made["id"].to_string());
        }
        _ => {}
    }
    let method = request["method"].as_str().expect("a method");
    let path = path.strip_prefix("/api").expect("the path is whole");
    let answer = call_as(&sim, token, method, path, request.get("body").cloned()).await;
    (fixture["response"].clone(), answer.expect("an answer"))
}
