//! What must not be seen is not seen: in logs, in answers, in the database's files.

use serde_json::json;
use sim::cal::Person;
use sim::clickup::Config;

use crate::world::{Setup, World};

const START: &str = "2090-05-04T10:00:00Z";
const HOOK: &str = "whsec_canary_5e1f";
const TOKEN: &str = "pk_canary_77aa";
const ONE_TIME: &str = "0e7canary-one-time-4b1d";
const PASSWORD: &str = "canaryMeetingPass91";
const EMAIL: &str = "quite.unmistakable@canary.example";

fn contains(haystack: &[u8], needle: &str) -> bool {
    haystack
        .windows(needle.len())
        .any(|w| w.eq_ignore_ascii_case(needle.as_bytes()))
}

#[tokio::test]
async fn secrets_are_in_no_log_no_answer_and_no_file_and_addresses_in_no_log_and_no_file() {
    let world = World::with(Setup {
        clickup: Some(Config {
            token: TOKEN.to_owned(),
            limit_per_minute: 10_000,
            ..Config::default()
        }),
        env: vec![
            ("CALCOM_WEBHOOK_SECRET", HOOK.to_owned()),
            ("CLICKUP_API_TOKEN", TOKEN.to_owned()),
            ("RUST_LOG", "debug".to_owned()),
        ],
        ..Setup::default()
    })
    .await;
    let cal = world.cal();
    cal.set_secret(HOOK);
    let booking = cal.book(&Person::new("Quite Unmistakable", EMAIL), START, 30);
    let edit = |body: &mut serde_json::Value| {
        body["payload"]["oneTimePassword"] = json!(ONE_TIME);
        body["payload"]["videoCallData"] = json!({"type": "zoom_video", "id": "1", "password": PASSWORD, "url": "https://zoom.example/j/1"});
        body["payload"]["additionalNotes"] = json!(format!("use {ONE_TIME} or {PASSWORD}"));
    };
    let created = booking.created().edited(edit);
    let requested = booking.at("2026-01-01T00:00:00Z").requested().edited(edit);
    for delivery in [
        &created,
        &requested,
        &booking.cancelled(Some(EMAIL), None).edited(edit),
    ] {
        assert_eq!(cal.send(delivery).await.0, 200);
    }
    // Unreadable ones hold them, too.
    let broken = cal.deliver_raw(
        created.body[..created.body.len() - 2].to_vec(),
        "text/plain",
    );
    assert_eq!(cal.send(&broken).await.0, 200);
    assert_eq!(cal.send(&created.unsigned()).await.0, 401);
    world.settle().await;

    let all = world.get("/api/deliveries").await;
    let mut seen = vec![
        (
            "counts".to_owned(),
            world.get("/api/counts").await.to_string(),
        ),
        (
            "notices".to_owned(),
            world.get("/api/notices").await.to_string(),
        ),
        (
            "booking".to_owned(),
            world
                .get(&format!("/api/bookings/{}", booking.uid))
                .await
                .to_string(),
        ),
        ("readyz".to_owned(), world.get("/readyz").await.to_string()),
        ("list".to_owned(), all.to_string()),
    ];
    for delivery in all["deliveries"].as_array().expect("a list") {
        let path = format!(
            "/api/deliveries/{}",
            delivery["id"].as_str().expect("an id")
        );
        seen.push((path.clone(), world.get(&path).await.to_string()));
        let dry = world
            .post(&format!("{path}/replay"), json!({"dry_run": true}))
            .await;
        seen.push((format!("{path}/replay"), dry.1.to_string()));
    }
    let (out, err, _) = world.calup.run(&["deliveries", "--json"]);
    seen.push(("calup deliveries".to_owned(), out + &err));
    for lead in world.clickup.live_tasks() {
        seen.push(("the lead".to_owned(), format!("{lead:?}")));
    }
    for (place, text) in &seen {
        for secret in [HOOK, TOKEN, ONE_TIME, PASSWORD] {
            assert!(
                !contains(text.as_bytes(), secret),
                "{secret} in {place}: {text}"
            );
        }
    }
    for file in std::fs::read_dir(&world.calup.dir).expect("a folder") {
        let path = file.expect("an entry").path();
        let bytes = std::fs::read(&path).unwrap_or_default();
        for secret in [HOOK, TOKEN, ONE_TIME, PASSWORD, EMAIL] {
            assert!(!contains(&bytes, secret), "{secret} in {}", path.display());
        }
    }
    assert!(!world.calup.log().is_empty());
}
