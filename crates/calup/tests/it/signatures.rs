//! Only what Cal.com signed comes in, and a refusal tells nothing about its cause.

use sim::cal::{Delivery, Person, sign};

use crate::world::{SECRET, Setup, World};

const START: &str = "2090-05-04T10:00:00Z";
const REFUSAL: &str = r#"{"error":"Invalid signature"}"#;

fn booking(world: &World) -> Delivery {
    let person = Person::new("Ada Byrd", "ada@byrd.example");
    world.cal().book(&person, START, 30).created()
}

#[tokio::test]
async fn whatever_is_wrong_with_a_signature_the_answer_is_the_same_and_nothing_is_stored() {
    let world = World::with(Setup {
        env: vec![("CALCOM_WEBHOOK_SECRET", format!("{SECRET}, whsec_next"))],
        ..Setup::default()
    })
    .await;
    let good = booking(&world);
    let signature = good.signature().expect("signed").to_owned();
    let foreign = sign("another secret", &good.body);
    let cases: Vec<(&str, Delivery)> = vec![
        ("missing", good.unsigned()),
        ("empty", good.with_signature("")),
        ("malformed", good.with_signature("zz")),
        ("no hex", good.with_signature(&"g".repeat(64))),
        ("short", good.with_signature(&signature[..62])),
        ("long", good.with_signature(&format!("{signature}00"))),
        ("upper-case", good.with_signature(&signature.to_uppercase())),
        (
            "prefixed",
            good.with_signature(&format!("sha256={signature}")),
        ),
        ("quoted", good.with_signature(&format!("\"{signature}\""))),
        (
            "listed",
            good.with_signature(&format!("{signature},{signature}")),
        ),
        (
            "doubled",
            good.with_header("X-Cal-Signature-256", &signature),
        ),
        (
            "doubled with a wrong one",
            good.with_header("X-Cal-Signature-256", &foreign),
        ),
        ("wrong", good.with_signature(&foreign)),
        ("of another body", good.with_signature(&sign(SECRET, b"{}"))),
        (
            "of the empty secret",
            good.with_signature(&sign("", &good.body)),
        ),
        (
            "of the whole setting",
            good.with_signature(&sign(&format!("{SECRET}, whsec_next"), &good.body)),
        ),
        ("no secret there", good.with_signature("no-secret-provided")),
        (
            "right, but beside a wrong one under the real name",
            good.with_signature(&foreign)
                .with_header("x-cal-signature", &signature),
        ),
        (
            "wrong under the older name",
            good.unsigned().with_header("x-cal-signature", &foreign),
        ),
        (
            "doubled under the older name",
            good.unsigned()
                .with_header("x-cal-signature", &signature)
                .with_header("x-cal-signature", &signature),
        ),
    ];
    let cal = world.cal();
    for (name, delivery) in &cases {
        assert_eq!(
            cal.send(delivery).await,
            (401, REFUSAL.to_owned()),
            "{name}"
        );
    }
    let counts = world.get("/api/counts").await;
    assert_eq!(counts["received"], 0, "{counts}");
    assert_eq!(counts["refused"], cases.len(), "{counts}");
    let listed = world.get("/api/deliveries").await;
    assert_eq!(listed["deliveries"], serde_json::json!([]));
    // The index of leads is read whatever comes.
    let requests = world.clickup.requests();
    assert!(requests.iter().all(|r| r.method == "GET"));
}

#[tokio::test]
async fn every_live_secret_and_the_older_header_name_are_taken() {
    let world = World::with(Setup {
        env: vec![("CALCOM_WEBHOOK_SECRET", format!("{SECRET}, whsec_next,"))],
        ..Setup::default()
    })
    .await;
    let cal = world.cal();
    let first = booking(&world);
    let second = first.restamped().signed_with("whsec_next");
    let signature = first.signature().expect("signed").to_owned();
    let older = first.unsigned().with_header("x-cal-signature", &signature);
    for delivery in [&first, &second, &older] {
        assert_eq!(
            cal.send(delivery).await,
            (200, r#"{"success":true}"#.to_owned())
        );
    }
    let counts = world.settle().await;
    assert_eq!(
        (&counts["done"], &counts["duplicate"]),
        (&1.into(), &2.into()),
        "{counts}"
    );
}

#[tokio::test]
async fn an_unknown_profile_is_refused_with_the_same_bytes() {
    let world = World::start().await;
    let cal = world.cal();
    let good = booking(&world);
    for profile in ["nobody", "Default", "default%20", "..%2f", "%00", "%FF"] {
        cal.set_target(&format!("{}/{profile}", world.hook()));
        assert_eq!(
            cal.send(&good).await,
            (401, REFUSAL.to_owned()),
            "{profile}"
        );
    }
    assert_eq!(world.get("/api/counts").await["received"], 0);
    cal.set_target(&format!("{}/default", world.hook()));
    assert_eq!(cal.send(&good).await.0, 200);
}

#[tokio::test]
async fn without_a_secret_every_delivery_is_refused_and_the_operator_told() {
    let world = World::with(Setup {
        env: vec![("CALCOM_WEBHOOK_SECRET", " , ".to_owned())],
        ..Setup::default()
    })
    .await;
    let cal = world.cal();
    let good = booking(&world);
    for secret in [SECRET, "", " "] {
        let sent = cal.send(&good.signed_with(secret)).await;
        assert_eq!(sent, (401, REFUSAL.to_owned()), "{secret:?}");
    }
    let notices = world.get("/api/notices").await.to_string();
    assert!(notices.contains("CALCOM_WEBHOOK_SECRET"), "{notices}");
    let ready = world.get("/readyz").await;
    assert_eq!(ready["status"], "ready", "the database is fine: {ready}");
    assert!(
        ready["webhook_secret"]
            .as_str()
            .is_some_and(|s| s.starts_with("not set")),
        "{ready}"
    );
}

#[tokio::test]
async fn a_secret_changes_without_a_restart() {
    let file = |secret: &str| format!("calcom_webhook_secret = \"{secret}\"\n");
    let world = World::with(Setup {
        without: vec!["CALCOM_WEBHOOK_SECRET"],
        file: Some(file("whsec_old")),
        ..Setup::default()
    })
    .await;
    let cal = world.cal();
    let good = booking(&world);
    assert_eq!(cal.send(&good).await.0, 401);
    std::fs::write(world.calup.dir.join("calup.toml"), file(SECRET)).expect("a file");
    world
        .until("the new secret is taken", async || {
            cal.send(&good).await.0 == 200
        })
        .await;
    assert_eq!(cal.send(&good.signed_with("whsec_old")).await.0, 401);
}
