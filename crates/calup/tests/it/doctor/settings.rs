//! What is wrong with the settings, and with whom ClickUp knows by the token.

use sim::clickup::Config;
use sim::{Fault, Match, faults};

use super::{Town, failed};

/// Each: what is done to the town, then state, check and words of the one finding that tells.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_wrong_setting_is_told_with_what_to_do() {
    for (name, value, state, check, says) in [
        (
            "CALCOM_WEBHOOK_SECRET",
            "",
            "fail",
            "secret",
            "set CALCOM_WEBHOOK_SECRET",
        ),
        (
            "CALCOM_WEBHOOK_SECRET",
            "one, two",
            "ok",
            "secret",
            "2 webhook secrets",
        ),
        (
            "CLICKUP_API_TOKEN",
            "",
            "fail",
            "token",
            "CLICKUP_API_TOKEN",
        ),
        (
            "CLICKUP_API_TOKEN",
            "pk_dead",
            "fail",
            "token",
            "401 OAUTH_025",
        ),
        (
            "CALCOM_WEBHOOK_SECRET",
            "one, two",
            "ok",
            "unsigned",
            "leave these two triggers off",
        ),
        (
            "CLICKUP_API_URL",
            "http://127.0.0.1:9",
            "fail",
            "token",
            "no connection",
        ),
        (
            "CLICKUP_INBOUND_LIST_ID",
            "",
            "fail",
            "lists",
            "set CLICKUP_INBOUND_LIST_ID",
        ),
        (
            "CLICKUP_MATCH_LIST_IDS",
            "",
            "warn",
            "lists",
            "set CLICKUP_MATCH_LIST_IDS",
        ),
        (
            "CLICKUP_MATCH_LIST_IDS",
            "901100000099",
            "fail",
            "list",
            "list 901100000099, which CLICKUP_MATCH_LIST_IDS names",
        ),
        (
            "CLICKUP_INBOUND_LIST_ID",
            "no/list",
            "fail",
            "list",
            "it is not an id",
        ),
        (
            "CLICKUP_TEAM_ID",
            "7",
            "fail",
            "workspace",
            "only Acme (9011000000)",
        ),
        (
            "CLICKUP_EMAIL_FIELD",
            "E-mail",
            "fail",
            "email-field",
            "`Email` (a0b8efe1-0000-4c63-8850-0d0742888f9d)",
        ),
        (
            "CALUP_PUBLIC_URL",
            "http://calup.example.com",
            "warn",
            "public-address",
            "https only",
        ),
        (
            "CALUP_PUBLIC_URL",
            "http://127.0.0.1:1",
            "warn",
            "public-address",
            "public hosts",
        ),
        (
            "CALUP_LISTEN",
            "127.0.0.1:1",
            "warn",
            "server",
            "start `calup serve`",
        ),
        (
            "CLICKUP_MATCH_LISTS_IDS",
            "901100000001",
            "warn",
            "settings",
            "CLICKUP_MATCH_LIST_IDS may be meant",
        ),
        (
            "CALUP_LISTEN",
            "8787",
            "fail",
            "settings",
            "an address and a port",
        ),
        (
            "CLICKUP_STATUS_REQUESTED",
            "Asked",
            "fail",
            "status",
            "Brokers (901100000001) has no status `Asked`; it has to do, meeting booked",
        ),
        (
            "CLICKUP_STATUS_NO_SHOW",
            "No Show",
            "fail",
            "status",
            "Sellers (901100000002) has no status `No Show`",
        ),
        (
            "CLICKUP_STATUS_KEEP",
            "negotiating, Vip",
            "warn",
            "status",
            "no list has a status `Vip`, which CLICKUP_STATUS_KEEP names",
        ),
        (
            "CLICKUP_STATUS_REOPEN",
            "Gone",
            "warn",
            "status",
            "no list has a status `Gone`, which CLICKUP_STATUS_REOPEN names",
        ),
        (
            "DATABASE_URL",
            "sqlite://no/such/folder/calup.db",
            "fail",
            "database",
            "no folder no/such/folder",
        ),
        (
            "DATABASE_URL",
            "mysql://user:hunter2@db/calup",
            "fail",
            "database",
            "of the kind `mysql`",
        ),
    ] {
        let mut town = Town::new().await;
        town.calup.set(name, value);
        let found = town.examined();
        let told = if check == "email-field"
            || name == "CLICKUP_STATUS_REQUESTED"
            || name == "CLICKUP_STATUS_NO_SHOW"
        {
            // One for each list.
            assert_eq!(failed(&found.json).len(), 3, "{name}: {:#}", found.json);
            found.json.to_string()
        } else {
            found.one(state, check, says)
        };
        assert!(told.contains(says), "{name}: {told}");
        assert!(!told.contains("hunter2"), "{told}");
        assert_eq!(
            found.code,
            i32::from(state == "fail"),
            "{name}: {:#}",
            found.json
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_token_and_a_clickup_that_is_down_leave_the_rest_to_be_told() {
    let mut town = Town::new().await;
    town.calup.set("CALCOM_WEBHOOK_SECRET", "");
    town.clickup
        .fault(Match::any(), Fault::Html(502), faults::ALWAYS);
    let down = town.examined();
    down.one("fail", "token", "ClickUp answered 502");
    town.clickup.stop().await;
    let away = town.examined();
    away.one("fail", "token", "no connection");
    for found in [down, away] {
        assert_eq!(found.code, 1);
        found.one("fail", "secret", "every delivery is refused");
        found.one("warn", "database", "no database");
        found.one("warn", "workspace", "were not looked at");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_personal_token_behind_bearer_is_told_apart_from_a_dead_one() {
    let mut town = Town::new().await;
    town.calup.set("CLICKUP_API_TOKEN", "Bearer pk_other");
    let found = town.examined();
    assert_eq!(found.code, 1);
    let told = found.one("fail", "token", "Bearer");
    assert!(
        told.contains("the token alone") && !told.contains("pk_other"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_workspaces_it_asks_for_one_by_name_and_id() {
    let mut town = Town::with(Config {
        other_teams: vec![("9012000000".to_owned(), "Side project".to_owned())],
        ..Config::default()
    })
    .await;
    let told = town
        .examined()
        .one("fail", "workspace", "several workspaces");
    assert!(
        told.contains("Acme (9011000000), Side project (9012000000)"),
        "{told}"
    );
    assert!(told.contains("set CLICKUP_TEAM_ID"), "{told}");

    town.calup.set("CLICKUP_TEAM_ID", "9011000000");
    let found = town.examined();
    assert_eq!(found.code, 0, "{:#}", found.json);
    found.one("ok", "workspace", "Acme (9011000000)");

    town.calup.set("CLICKUP_TEAM_ID", "9012000000");
    let found = town.examined();
    assert_eq!(found.code, 1);
    let told = found.one("fail", "list", "Inbound Leads");
    assert!(
        told.contains("is in workspace Acme (9011000000), but CLICKUP_TEAM_ID is 9012000000"),
        "{told}"
    );
    assert_eq!(failed(&found.json).len(), 3, "{:#}", found.json);
}
