//! The workspace and its lists: looked up once, and what an operator is told when they cannot be used.

use domain::lead::{ListInfo, StatusKind};
use sim::clickup::{Config as SimConfig, User};
use sim::{Fault, Match};
use vendors::Crm as _;

use super::{BROKERS, EMAIL, INBOUND, SELLERS, TOKEN};
use super::{bare, client, client_of, config, found, new_lead, operator, roomy, workspace};

#[tokio::test]
async fn each_list_has_its_own_statuses_in_its_own_spelling_and_order() {
    let sim = workspace(roomy()).await;
    sim.add_list(
        "901100000009",
        "Partners",
        &[
            ("Offen", "open"),
            ("meeting: booked!", "custom"),
            ("verloren", "done"),
            ("Closed", "closed"),
        ],
    );
    let crm = client(&sim);
    let info = crm.list("901100000009", false).await.expect("a list");
    let statuses = [
        ("offen", StatusKind::Open),
        ("meeting: booked!", StatusKind::Custom),
        ("verloren", StatusKind::Done),
        ("closed", StatusKind::Closed),
    ];
    assert_eq!(
        info,
        ListInfo {
            id: "901100000009".to_owned(),
            name: "Partners".to_owned(),
            statuses: statuses.map(|(name, kind)| (name.to_owned(), kind)).into(),
            has_email_field: false,
        }
    );
    let brokers = crm.list(BROKERS, false).await.expect("a list");
    assert!(brokers.has_email_field);
    assert_eq!(brokers.statuses.len(), 5);
}

#[tokio::test]
async fn what_changes_rarely_is_read_once_and_again_when_asked() {
    let sim = workspace(roomy()).await;
    sim.add_task(BROKERS, "Ada", Some("ada@x.example"));
    let crm = client(&sim);
    let by_path = |end: &str| {
        let all = sim.requests();
        all.iter().filter(|it| it.path.ends_with(end)).count()
    };

    for _ in 0..5 {
        found(&crm, "ada@x.example").await;
        crm.list(BROKERS, false).await.expect("a list");
        crm.create(&new_lead("Bo")).await.expect("a lead");
    }
    for list in [BROKERS, SELLERS, INBOUND] {
        assert!(by_path(&format!("/list/{list}")) <= 1, "{list}");
        assert_eq!(by_path(&format!("/list/{list}/field")), 1, "{list}");
    }
    assert_eq!(by_path("/v2/team"), 1);
    assert!(by_path("/v2/user") <= 1);
    assert_eq!(by_path("/task"), 10);

    sim.add_status(BROKERS, "new one", "custom");
    let old = crm.list(BROKERS, false).await.expect("a list");
    let new = crm.list(BROKERS, true).await.expect("a list");
    assert_eq!(new.statuses.len(), old.statuses.len() + 1);
    assert_eq!(crm.list(BROKERS, false).await.expect("a list"), new);
    assert_eq!(by_path(&format!("/list/{BROKERS}")), 2);
}

#[tokio::test]
async fn many_at_once_look_up_once() {
    let sim = workspace(roomy()).await;
    let crm = std::sync::Arc::new(client(&sim));
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let crm = std::sync::Arc::clone(&crm);
            tokio::spawn(async move { crm.find_by_email("ada@x.example").await.is_ok() })
        })
        .collect();
    for task in tasks {
        assert!(task.await.expect("no panic"));
    }
    let all = sim.requests();
    let fields = all.iter().filter(|it| it.path.ends_with("/field")).count();
    assert_eq!(fields, 3);
    assert_eq!(
        all.iter().filter(|it| it.path.ends_with("/team")).count(),
        1
    );
}

#[tokio::test]
async fn of_several_workspaces_the_operator_names_one() {
    let sim = workspace(SimConfig {
        other_teams: vec![("9011000001".to_owned(), "Beta".to_owned())],
        ..roomy()
    })
    .await;
    sim.add_task(BROKERS, "Ada", Some("ada@x.example"));

    let shown = operator(client(&sim).find_by_email("ada@x.example").await);
    for part in ["CLICKUP_TEAM_ID", &sim.team_id(), "Acme", "9011000001"] {
        assert!(shown.contains(part), "{shown}");
    }

    sim.clear_requests();
    let mut named = config(&sim.api_url());
    named.team_id = Some(sim.team_id());
    assert_eq!(found(&client_of(named), "ada@x.example").await, ["Ada"]);
    assert!(sim.requests().iter().all(|it| it.path != "/api/v2/team"));
}

#[tokio::test]
async fn a_list_that_does_not_exist_is_the_operator_s_to_correct() {
    let sim = workspace(roomy()).await;
    for bad in ["901100000099", "8cabc-10171", "li/90 11", "../user"] {
        let mut wrong = config(&sim.api_url());
        wrong.match_list_ids.push(bad.to_owned());
        let shown = operator(client_of(wrong).find_by_email("ada@x.example").await);
        assert!(shown.contains("CLICKUP_MATCH_LIST_IDS"), "{shown}");

        let mut wrong = config(&sim.api_url());
        wrong.inbound_list_id = bad.to_owned();
        let crm = client_of(wrong);
        for shown in [
            operator(crm.create(&new_lead("Bo")).await),
            operator(crm.list(bad, false).await),
            operator(crm.created_since(jiff::Timestamp::UNIX_EPOCH).await),
        ] {
            assert!(shown.contains("CLICKUP_INBOUND_LIST_ID"), "{shown}");
        }
    }
    assert_eq!(sim.mutations(), 0);
}

#[tokio::test]
async fn a_list_that_vanished_after_it_was_known_is_the_operator_s_too() {
    let sim = workspace(roomy()).await;
    let crm = client(&sim);
    crm.list(INBOUND, false).await.expect("a list");
    found(&crm, "ada@x.example").await;
    let gone = r#"{"err":"List not found","ECODE":"ITEM_015"}"#;
    let at = format!("/list/{INBOUND}");
    sim.fault(Match::path(&at), Fault::Status(404, gone.to_owned()), 9);
    for shown in [
        operator(crm.create(&new_lead("Bo")).await),
        operator(crm.created_since(jiff::Timestamp::UNIX_EPOCH).await),
    ] {
        assert!(shown.contains("CLICKUP_INBOUND_LIST_ID"), "{shown}");
    }
}

#[tokio::test]
async fn without_any_email_field_nobody_is_searched() {
    let sim = bare(roomy()).await;
    sim.add_field(&[BROKERS], EMAIL, "Phone", "phone");
    let shown = operator(client(&sim).find_by_email("ada@x.example").await);
    assert!(shown.contains("CLICKUP_EMAIL_FIELD"), "{shown}");
    assert!(shown.contains("Email"), "{shown}");
    assert!(sim.requests().iter().all(|it| !it.path.ends_with("/task")));
}

#[tokio::test]
async fn a_refused_token_is_the_operator_s_to_renew() {
    let sim = workspace(roomy()).await;
    let task = sim.add_task(BROKERS, "Ada", Some("ada@x.example"));
    let warm = client(&sim);
    found(&warm, "ada@x.example").await;
    sim.set_token_valid(false);
    for crm in [&warm, &client(&sim)] {
        for which in super::READS {
            let shown = operator(super::read(crm, which, &task).await);
            assert!(shown.contains("CLICKUP_API_TOKEN"), "{which}: {shown}");
        }
        for which in super::WRITES {
            let shown = operator(super::write(crm, which, &task, "7").await);
            assert!(shown.contains("CLICKUP_API_TOKEN"), "{which}: {shown}");
        }
    }
}

#[tokio::test]
async fn another_workspace_than_the_token_s_is_the_operator_s_to_correct() {
    let sim = workspace(roomy()).await;
    let mut wrong = config(&sim.api_url());
    wrong.team_id = Some("12345".to_owned());
    let shown = operator(client_of(wrong).find_by_email("ada@x.example").await);
    assert!(shown.contains("CLICKUP_TEAM_ID"), "{shown}");
}

#[tokio::test]
async fn a_personal_token_stands_alone_and_an_oauth_token_behind_bearer() {
    let sim = workspace(roomy()).await;
    sim.add_token("12345_oauth", User::new(7, "Robin", "robin@acme.example"));
    for (set, sent) in [
        (TOKEN, TOKEN),
        (" pk_sim\n", TOKEN),
        ("Bearer 12345_oauth", "Bearer 12345_oauth"),
    ] {
        sim.clear_requests();
        let mut config = config(&sim.api_url());
        config.token = set.into();
        client_of(config).probe().await.expect("the token is taken");
        assert_eq!(sim.requests()[0].authorization, sent);
    }
}

#[tokio::test]
async fn the_api_address_may_end_in_a_slash_or_the_version() {
    let sim = workspace(roomy()).await;
    for end in ["", "/", "/v2", "/v2/"] {
        let url = format!("{}{end}", sim.api_url());
        let probed = client_of(config(&url)).probe().await;
        assert_eq!(probed, Ok(()), "{end:?}");
    }
}

#[tokio::test]
async fn a_lead_of_our_own_token_is_ours() {
    let sim = workspace(roomy()).await;
    sim.add_task(BROKERS, "theirs", Some("ada@x.example"));
    let crm = client(&sim);
    let mut lead = new_lead("own");
    lead.email = Some("ada@x.example".to_owned());
    let made = crm.create(&lead).await.expect("a lead");
    assert!(made.ours);
    let mut leads = crm.find_by_email("ada@x.example").await.expect("leads");
    leads.sort_by(|a, b| a.name.cmp(&b.name));
    let ours: Vec<bool> = leads.iter().map(|lead| lead.ours).collect();
    assert_eq!(ours, [true, false]);
}
