//! The account's webhooks, and links for one use.

use sim::cal::api::Config as SimConfig;
use vendors::cal::api::{NewWebhook, WebhookChange};

use super::{INTRO, account, classed, client, roomy, shown};

fn new(url: &str) -> NewWebhook {
    NewWebhook {
        url: url.to_owned(),
        triggers: vec!["BOOKING_CREATED".to_owned(), "BOOKING_CANCELLED".to_owned()],
        secret: "whsec_1".into(),
    }
}

#[tokio::test]
async fn a_webhook_is_made_changed_and_deleted() {
    let server = account(roomy()).await;
    let cal = client(&server);
    let url = "https://calup.example/api/webhooks/cal";
    let made = cal.create_webhook(&new(url)).await.expect("a webhook");
    assert!(made.active && made.secret.is_some() && !made.has_template);
    let change = WebhookChange {
        triggers: Some(vec!["BOOKING_PAID".to_owned()]),
        ..WebhookChange::default()
    };
    let changed = cal
        .update_webhook(&made.id, &change)
        .await
        .expect("a webhook");
    assert_eq!(changed.triggers, ["BOOKING_PAID"]);
    assert_eq!(changed.url, url);
    assert_eq!(cal.webhooks().await.expect("webhooks").len(), 1);
    for _ in 0..2 {
        assert_eq!(cal.delete_webhook(&made.id).await, Ok(()));
    }
    assert!(cal.webhooks().await.expect("webhooks").is_empty());
    assert_eq!(
        classed(&cal.update_webhook(&made.id, &change).await),
        "gone"
    );
}

#[tokio::test]
async fn a_second_one_with_the_same_address_is_refused_where_cal_com_refuses_it() {
    let url = "https://calup.example/api/webhooks/cal";
    let server = account(roomy()).await;
    let cal = client(&server);
    cal.create_webhook(&new(url)).await.expect("a webhook");
    let again = shown(cal.create_webhook(&new(url)).await);
    assert!(
        again.ends_with("a webhook with this address already"),
        "{again}"
    );
    let mut unknown = new("https://calup.example/other");
    unknown.triggers = vec!["BOOKING_CONFIRMED".to_owned()];
    let refused = shown(cal.create_webhook(&unknown).await);
    assert!(
        refused.contains("each value in triggers must be one of"),
        "{refused}"
    );

    let server = account(SimConfig {
        hosted: true,
        ..roomy()
    })
    .await;
    let cal = client(&server);
    for _ in 0..2 {
        cal.create_webhook(&new(url)).await.expect("a webhook");
    }
}

#[tokio::test]
async fn a_one_off_link_leads_to_the_event_type_s_page_on_any_server() {
    for hosted in [false, true] {
        let server = account(SimConfig { hosted, ..roomy() }).await;
        let cal = client(&server);
        let link = cal.one_off_link(INTRO, "intro-call").await.expect("a link");
        let page = format!("https://cal.example.com/d/{}/intro-call", link.id);
        assert_eq!(link.url, page);
    }
}
