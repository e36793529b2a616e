//! Finding people by e-mail behind a filter that only contains.

use serde_json::json;
use sim::clickup::{ClickUp as Sim, Config as SimConfig, TaskSeed};
use vendors::Crm as _;

use super::{BROKERS, EMAIL, EMAIL_2, INBOUND, SELLERS};
use super::{bare, client, client_of, config, found, roomy, workspace};

/// The requests that searched, since the last [`Sim::clear_requests`].
fn searches(sim: &Sim) -> Vec<String> {
    let mut all = sim.requests();
    all.retain(|request| request.path.ends_with("/task"));
    all.into_iter().map(|request| request.query).collect()
}

#[tokio::test]
async fn an_address_that_contains_another_is_not_it() {
    let sim = workspace(roomy()).await;
    sim.add_task(BROKERS, "Jordan", Some("jordan@x.example"));
    sim.add_task(BROKERS, "Marjordan", Some("marjordan@x.example"));
    sim.add_task(SELLERS, "Elsewhere", Some("jordan@x.example.org"));
    sim.add_task(SELLERS, "Nobody", None);
    let crm = client(&sim);

    assert_eq!(found(&crm, "jordan@x.example").await, ["Jordan"]);
    assert_eq!(found(&crm, " jordan@x.example\t").await, ["Jordan"]);
    assert!(found(&crm, "ordan@x.example").await.is_empty());
}

#[tokio::test]
async fn blanks_and_case_in_the_field_do_not_hide_anybody() {
    for ignores_case in [false, true] {
        let sim = workspace(SimConfig {
            contains_ignores_case: ignores_case,
            ..roomy()
        })
        .await;
        sim.add_task(BROKERS, "blank", Some(" jordan@x.example "));
        sim.add_task(SELLERS, "lower", Some("jordan@x.example"));
        sim.add_task(INBOUND, "typed", Some("Jordan@X.example"));
        sim.add_task(INBOUND, "other", Some("marJordan@X.example"));
        let crm = client(&sim);

        let all = ["blank", "lower", "typed"];
        assert_eq!(found(&crm, "Jordan@X.example").await, all, "{ignores_case}");
        let lower = if ignores_case { &all[..] } else { &all[..2] };
        assert_eq!(found(&crm, "jordan@x.example").await, lower);
    }
}

#[tokio::test]
async fn only_an_address_with_capitals_is_asked_for_twice() {
    let sim = workspace(roomy()).await;
    sim.add_task(BROKERS, "Jordan", Some("jordan@x.example"));
    let crm = client(&sim);
    found(&crm, "jordan@x.example").await;

    sim.clear_requests();
    assert_eq!(found(&crm, "jordan@x.example").await, ["Jordan"]);
    assert_eq!(searches(&sim).len(), 1);

    sim.clear_requests();
    assert_eq!(found(&crm, "Jordan@x.example").await, ["Jordan"]);
    let asked = searches(&sim);
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert_ne!(asked[0], asked[1]);
}

#[tokio::test]
async fn the_same_lead_found_by_two_questions_is_one() {
    let sim = workspace(SimConfig {
        contains_ignores_case: true,
        ..roomy()
    })
    .await;
    sim.add_task(BROKERS, "Jordan", Some("Jordan@x.example"));
    assert_eq!(found(&client(&sim), "Jordan@x.example").await, ["Jordan"]);
}

#[tokio::test]
async fn three_lists_that_share_their_field_are_one_call() {
    let sim = workspace(roomy()).await;
    for (list, name) in [(BROKERS, "a"), (SELLERS, "b"), (INBOUND, "c")] {
        sim.add_task(list, name, Some("ada@x.example"));
    }
    sim.add_list("901100000009", "Not ours", super::STATUSES);
    sim.add_field(
        &["901100000009"],
        "a0b8efe1-0000-4c63-8850-0d0742888f90",
        "Email",
        "email",
    );
    sim.add_task("901100000009", "d", Some("ada@x.example"));
    let crm = client(&sim);
    assert_eq!(found(&crm, "ada@x.example").await, ["a", "b", "c"]);

    sim.clear_requests();
    let before = crm.calls();
    assert_eq!(found(&crm, "ada@x.example").await, ["a", "b", "c"]);
    let paths: Vec<String> = sim.requests().into_iter().map(|it| it.path).collect();
    assert_eq!(paths, [format!("/api/v2/team/{}/task", sim.team_id())]);
    assert_eq!(crm.calls() - before, 1);
}

#[tokio::test]
async fn a_second_field_of_that_name_is_asked_as_well() {
    let sim = bare(roomy()).await;
    sim.add_field(&[BROKERS, INBOUND], EMAIL, "Email", "email");
    sim.add_field(&[SELLERS], EMAIL_2, "Email", "email");
    sim.add_task(BROKERS, "broker", Some("ada@x.example"));
    sim.add_task(SELLERS, "seller", Some("ada@x.example"));
    assert_eq!(
        found(&client(&sim), "ada@x.example").await,
        ["broker", "seller"]
    );
}

#[tokio::test]
async fn a_list_without_the_field_does_not_hide_the_others() {
    let sim = bare(roomy()).await;
    sim.add_field(&[SELLERS], EMAIL, "Email", "email");
    sim.add_task(SELLERS, "seller", Some("ada@x.example"));
    assert_eq!(found(&client(&sim), "ada@x.example").await, ["seller"]);
}

#[tokio::test]
async fn the_field_is_known_by_its_name_in_any_case_or_by_its_id() {
    let sim = bare(roomy()).await;
    let all = [BROKERS, SELLERS, INBOUND];
    sim.add_field(&all, EMAIL_2, "Work email", "email");
    sim.add_field(&all, EMAIL, "E-Mail Adresse", "email");
    let id = sim.add_task(BROKERS, "Ada", None);
    sim.human_set_field(&id, EMAIL, Some(json!("ada@x.example")));
    for name in [
        "E-Mail Adresse",
        "e-mail ADRESSE",
        " E-mail adresse ",
        EMAIL,
    ] {
        let mut config = config(&sim.api_url());
        config.email_field = name.to_owned();
        assert_eq!(
            found(&client_of(config), "ada@x.example").await,
            ["Ada"],
            "{name}"
        );
    }
}

#[tokio::test]
async fn all_pages_are_read_and_closed_leads_and_subtasks_are_found() {
    let sim = workspace(roomy()).await;
    let parent = sim.add_task_with(TaskSeed {
        list: BROKERS.to_owned(),
        name: "closed".to_owned(),
        email: Some("ada@x.example".to_owned()),
        status: Some("complete".to_owned()),
        date_created: Some(1_700_000_000_000),
        ..TaskSeed::default()
    });
    sim.add_task_with(TaskSeed {
        list: BROKERS.to_owned(),
        name: "subtask".to_owned(),
        email: Some("ada@x.example".to_owned()),
        parent: Some(parent),
        date_created: Some(1_700_000_000_001),
        ..TaskSeed::default()
    });
    for n in 0..230 {
        sim.add_task(SELLERS, "noise", Some(&format!("n{n}ada@x.example")));
    }
    let crm = client(&sim);
    assert_eq!(found(&crm, "ada@x.example").await, ["closed", "subtask"]);
    assert_eq!(searches(&sim).len(), 3);
}

// The last page may be full: then the next one is empty.
#[tokio::test]
async fn a_full_last_page_ends_the_search() {
    let sim = workspace(roomy()).await;
    for n in 0..99 {
        sim.add_task(SELLERS, "noise", Some(&format!("n{n}ada@x.example")));
    }
    sim.add_task(SELLERS, "Ada", Some("ada@x.example"));
    let crm = client(&sim);
    assert_eq!(found(&crm, "ada@x.example").await, ["Ada"]);
    assert_eq!(searches(&sim).len(), 2);
}

#[tokio::test]
async fn odd_addresses_arrive_at_the_filter_as_they_are() {
    let sim = workspace(roomy()).await;
    let odd = [
        "a+b@x.example",
        "o'neil@x.example",
        "a&b=c%41@x.example",
        "ünï@x.example",
        "a#b?c@x.example",
        "\"q\\q\"@x.example",
    ];
    for email in odd {
        sim.add_task(BROKERS, email, Some(email));
    }
    let crm = client(&sim);
    for email in odd {
        assert_eq!(found(&crm, email).await, [email]);
    }
}

#[tokio::test]
async fn nothing_is_everybody_s_address() {
    let sim = workspace(roomy()).await;
    sim.add_task(BROKERS, "Ada", Some("ada@x.example"));
    sim.add_task(BROKERS, "Blank", Some("  "));
    let crm = client(&sim);
    for email in ["", "  "] {
        let leads = crm.find_by_email(email).await.unwrap_or_default();
        assert!(leads.is_empty(), "{leads:?}");
    }
}

#[tokio::test]
async fn leads_made_since_are_those_of_the_inbound_list_all_pages() {
    let sim = workspace(roomy()).await;
    let at = |s: i64| Some(1_795_000_000_000 + s * 1000);
    let seed = |list: &str, name: &str, s: i64| TaskSeed {
        list: list.to_owned(),
        name: name.to_owned(),
        date_created: at(s),
        markdown: Some(format!("block\n\nCal.com booking bk · mk{name}")),
        ..TaskSeed::default()
    };
    sim.add_task_with(seed(INBOUND, "before", -1));
    sim.add_task_with(seed(SELLERS, "elsewhere", 5));
    let parent = sim.add_task_with(TaskSeed {
        status: Some("complete".to_owned()),
        ..seed(INBOUND, "closed", 1)
    });
    sim.add_task_with(TaskSeed {
        parent: Some(parent),
        ..seed(INBOUND, "subtask", 2)
    });
    for n in 0..120 {
        sim.add_task_with(seed(INBOUND, "noise", 10 + n));
    }
    let crm = client(&sim);
    let since = jiff::Timestamp::from_millisecond(1_795_000_000_000).expect("a time");
    let leads = crm.created_since(since).await.expect("a reading");
    assert_eq!(leads.len(), 122);
    let marked: Vec<&str> = leads
        .iter()
        .filter(|lead| lead.description.contains("mksubtask"))
        .map(|lead| lead.name.as_str())
        .collect();
    assert_eq!(marked, ["subtask"]);
    assert!(leads.iter().any(|lead| lead.name == "closed"));
    let moved = crm.moved_on(since).await.expect("a reading");
    let names: Vec<&str> = moved.iter().map(|lead| lead.name.as_str()).collect();
    assert_eq!(names, ["elsewhere"]);
}

#[tokio::test]
async fn everything_is_listed_page_by_page_the_oldest_first() {
    let sim = workspace(roomy()).await;
    for n in 0..250_i64 {
        let list = [BROKERS, SELLERS, INBOUND][n as usize % 3];
        sim.add_task_with(TaskSeed {
            list: list.to_owned(),
            name: format!("Lead {n}"),
            status: (n % 50 == 0).then(|| "complete".to_owned()),
            date_created: Some(1_795_000_000_000 + n * 1_000),
            date_updated: Some(1_795_000_000_000 + n * 1_000),
            ..TaskSeed::default()
        });
    }
    let crm = client(&sim);
    let mut names = Vec::new();
    for number in 0..3 {
        let page = crm.page(None, number).await.expect("a page");
        assert_eq!(page.is_last, number == 2);
        names.extend(page.leads.into_iter().map(|lead| lead.name));
    }
    let all: Vec<String> = (0..250).map(|n| format!("Lead {n}")).collect();
    assert_eq!(names, all);

    let since = jiff::Timestamp::from_millisecond(1_795_000_000_000 + 246_500).expect("a time");
    let changed = crm.page(Some(since), 0).await.expect("a page");
    let changed: Vec<_> = changed.leads.into_iter().map(|lead| lead.name).collect();
    assert_eq!(changed, ["Lead 247", "Lead 248", "Lead 249"]);
}
