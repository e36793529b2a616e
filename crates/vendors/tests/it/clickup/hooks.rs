//! Webhooks: made, listed, revived, deleted; and what the recorded events say.

use domain::outcome::{Cause, Failure};
use reqwest::header::HeaderMap;
use secrecy::ExposeSecret;
use vendors::clickup::event::{self, Event, What};
use vendors::clickup::hooks::Health;

use super::spec::violations;
use super::stub::{self, Stub, Then};
use super::{BROKERS, SELLERS, client, client_of, config, fixture, roomy, workspace};

const ENDPOINT: &str = "https://calup.example/api/webhooks/clickup/default";

#[tokio::test]
async fn a_hook_is_made_for_a_list_and_revived_and_deleted() {
    let sim = workspace(roomy()).await;
    let crm = client(&sim);
    let made = crm.make_hook(ENDPOINT, BROKERS).await.expect("made");
    let secret = made.secret.expect("a secret");
    assert_eq!(secret.expose_secret(), sim.hooks()[0].secret);
    assert_eq!(made.list_id.as_deref(), Some(BROKERS));
    assert_eq!(made.user, Some(sim.user_id().to_string()));

    let again = crm.make_hook(ENDPOINT, BROKERS).await;
    let Err(Failure::Refused { cause, .. }) = again else {
        panic!("{again:?}");
    };
    assert_eq!(cause, Cause::Other);
    crm.make_hook(ENDPOINT, SELLERS).await.expect("made");
    sim.suspend_hook(&made.id);
    let seen = crm.hooks().await.expect("listed");
    assert_eq!(seen.len(), 2);
    assert_eq!((seen[0].health, seen[0].failures), (Health::Suspended, 100));
    assert_eq!(seen[0].endpoint, ENDPOINT);

    crm.revive_hook(&made.id, ENDPOINT).await.expect("revived");
    let seen = crm.hooks().await.expect("listed");
    assert_eq!((seen[0].health, seen[0].failures), (Health::Active, 0));
    assert_eq!(sim.hooks()[0].events.len(), 4);
    for _ in 0..2 {
        crm.delete_hook(&made.id).await.expect("gone");
    }
    assert_eq!(sim.hooks().len(), 1);
    let revived = crm.revive_hook(&made.id, ENDPOINT).await;
    assert!(matches!(revived, Err(Failure::Gone { .. })), "{revived:?}");

    let spec = fixture("clickup-openapi.json");
    let mut found = Vec::new();
    for request in sim.requests() {
        found.extend(violations(&spec, &request));
    }
    // Its schema of an update has a text where its description has a list.
    found.retain(|it| !it.starts_with("/v2/webhook/{webhook_id}.events"));
    assert!(found.is_empty(), "{found:#?}");
}

#[tokio::test]
async fn who_may_make_none_is_told_what_to_do() {
    let sim = workspace(roomy()).await;
    sim.set_may_make_hooks(false);
    let barred = client(&sim).make_hook(ENDPOINT, BROKERS).await;
    assert!(
        matches!(barred, Err(Failure::NeedsOperator { .. })),
        "{barred:?}"
    );
}

#[tokio::test]
async fn the_recorded_answer_is_read_and_one_without_a_secret_leaves_it_open() {
    let recorded = fixture("clickup-api/webhook-create.json")["response"]["body"].clone();
    let mut bare = recorded.clone();
    bare["webhook"]
        .as_object_mut()
        .expect("an object")
        .remove("secret");
    for (answer, is_known) in [(recorded, true), (bare, false)] {
        let body = answer.to_string();
        let stub = Stub::start(move |seen| match stub::lookup(seen) {
            _ if seen.method == "POST" => Then::Answer(stub::json(200, &body)),
            answer => Then::Answer(answer.unwrap_or_else(|| stub::json(404, "{}"))),
        })
        .await;
        let made = client_of(config(&stub.url))
            .make_hook(ENDPOINT, BROKERS)
            .await;
        match made {
            Ok(hook) => {
                assert!(is_known);
                assert_eq!(hook.id, "7fa3ec74-69a8-4530-a251-8a13730bd204");
                assert_eq!(hook.user.as_deref(), Some("54000001"));
                assert_eq!(hook.list_id, None);
                assert!(!format!("{hook:?}").contains("O94IM"), "{hook:?}");
            }
            Err(Failure::Unknown { .. }) => assert!(!is_known),
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn the_recorded_events_are_signed_and_say_who_did_what_to_which_lead() {
    let (robin, bot) = (vec!["54000002".to_owned()], vec!["54000001".to_owned()]);
    for (name, lead, what, by) in [
        ("taskCreated", "86b7dddd1", What::Changed, robin.clone()),
        ("taskDeleted", "86b7aaaa2", What::Left, Vec::new()),
        ("taskStatusUpdated", "86b7aaaa1", What::Changed, bot),
        (
            "taskUpdated.content",
            "86b7aaaa1",
            What::Changed,
            robin.clone(),
        ),
        (
            "taskUpdated.custom-field-email",
            "86b7aaaa1",
            What::Changed,
            robin,
        ),
    ] {
        let recorded = fixture(&format!("clickup-api/webhook.{name}.json"));
        let text = |at: &str| recorded[at].as_str().expect("a text").to_owned();
        let (secret, body) = (text("secret"), text("raw_body"));
        let signature = recorded["headers"]["X-Signature"].as_str().expect("a text");
        let mut headers = HeaderMap::new();
        headers.insert(event::HEADER, signature.parse().expect("a header"));
        let secrets = ["another".to_owned(), secret];
        let signer = |body: &[u8], headers: &HeaderMap| event::verify(&secrets, headers, body);
        assert_eq!(signer(body.as_bytes(), &headers), Some(1), "{name}");
        let changed = body.replacen("86b7", "86b8", 1);
        assert_eq!(signer(changed.as_bytes(), &headers), None, "{name}");
        assert_eq!(signer(body.as_bytes(), &HeaderMap::new()), None, "{name}");
        let expected = Event {
            lead: lead.to_owned(),
            what,
            by,
        };
        assert_eq!(Event::read(body.as_bytes()), Some(expected), "{name}");
    }
}
