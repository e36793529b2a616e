//! What people and their programs see of it.

use serde_json::{Value, json};
use sim::cal::Person;

use crate::world::World;

const START: &str = "2090-05-04T10:00:00Z";

const GUARDED: [(&str, &str); 11] = [
    ("GET", "/api/deliveries"),
    ("GET", "/api/deliveries/x"),
    ("POST", "/api/deliveries/x/replay"),
    ("GET", "/api/bookings/x"),
    ("GET", "/api/counts"),
    ("GET", "/api/notices"),
    ("GET", "/api/questions"),
    ("POST", "/api/questions/x"),
    ("POST", "/api/chat"),
    ("POST", "/api/proposals/x"),
    ("GET", "/api/calcom/auth-url"),
];
/// What a token for the tools reaches.
const FOR_TOOLS: [(&str, &str); 5] = [
    ("GET", "/api/tools"),
    ("POST", "/api/tools/x"),
    ("POST", "/mcp"),
    ("GET", "/mcp"),
    ("DELETE", "/mcp"),
];

async fn with_token(world: &World, path: &str, token: Option<&str>) -> (u16, Value) {
    asked(world, ("GET", path), token).await
}

async fn asked(world: &World, (method, path): (&str, &str), token: Option<&str>) -> (u16, Value) {
    let url = format!("http://{}{path}", world.calup.address);
    let mut request = world.http.request(method.parse().expect("a method"), url);
    if let Some(token) = token {
        request = request.header("Authorization", token);
    }
    let answer = request.send().await.expect("an answer");
    (
        answer.status().as_u16(),
        answer.json().await.unwrap_or_default(),
    )
}

#[tokio::test]
async fn everything_but_health_wants_a_token_and_says_so() {
    let world = World::start().await;
    let tools = world
        .calup
        .run(&["token", "new", "--scope", "tools", "--json"])
        .0;
    let tools: Value = serde_json::from_str(&tools).expect("JSON");
    let tools = format!("Bearer {}", tools["token"].as_str().expect("a token"));
    let basic = format!("Basic {}", world.token);
    for route in GUARDED.into_iter().chain(FOR_TOOLS) {
        for token in [
            None,
            Some("Bearer"),
            Some("Bearer wrong"),
            Some(basic.as_str()),
            Some(world.token.as_str()),
        ] {
            let (status, body) = asked(&world, route, token).await;
            assert_eq!(status, 401, "{route:?} {token:?}");
            assert!(
                body["hint"]
                    .as_str()
                    .is_some_and(|h| h.contains("calup token new")),
                "{body}"
            );
        }
    }
    for route in GUARDED {
        let (status, body) = asked(&world, route, Some(&tools)).await;
        assert_eq!(status, 403, "{route:?}: {body}");
        assert!(body["hint"].is_string(), "{body}");
    }
    for route in FOR_TOOLS {
        let (status, body) = asked(&world, route, Some(&tools)).await;
        assert!(![401, 403].contains(&status), "{route:?} {status}: {body}");
    }
    for path in ["/healthz", "/readyz"] {
        assert_eq!(with_token(&world, path, None).await.0, 200, "{path}");
    }
    let ready = with_token(&world, "/readyz", None).await.1;
    assert_eq!(
        (&ready["status"], &ready["clickup"]),
        (&json!("ready"), &json!("ok"))
    );
    let (status, body) = with_token(&world, "/api/nothing", None).await;
    assert_eq!(status, 404);
    assert!(body["error"].is_string());
}

#[tokio::test]
async fn deliveries_are_found_by_status_booking_and_hash_and_paged() {
    let world = World::start().await;
    let cal = world.cal();
    let mut sent = Vec::new();
    for n in 0..5 {
        let booking = cal.book(
            &Person::new("Ada Byrd", &format!("ada{n}@byrd.example")),
            START,
            30,
        );
        sent.push((booking.uid.clone(), booking.created()));
    }
    for (_, delivery) in &sent {
        assert_eq!(cal.send(delivery).await.0, 200);
    }
    assert_eq!(cal.send(&cal.ping()).await.0, 200);
    assert_eq!(cal.send(&cal.literal_false()).await.0, 200);
    let counts = world.settle().await;
    let sum: u64 = [
        "duplicate",
        "pending",
        "running",
        "waiting",
        "held",
        "done",
        "skipped",
        "ignored",
        "quarantined",
        "dead",
    ]
    .iter()
    .map(|name| counts[name].as_u64().expect("a number"))
    .sum();
    assert_eq!((counts["received"].as_u64(), sum), (Some(7), 7), "{counts}");

    let ids = |listed: &Value| -> Vec<String> {
        let all = listed["deliveries"].as_array().expect("a list");
        all.iter()
            .map(|d| d["id"].as_str().expect("an id").to_owned())
            .collect()
    };
    assert_eq!(
        ids(&world.get("/api/deliveries?status=done").await).len(),
        5
    );
    assert_eq!(
        ids(&world.get("/api/deliveries?status=quarantined").await).len(),
        1
    );
    let (uid, delivery) = &sent[2];
    let by_uid = world.get(&format!("/api/deliveries?uid={uid}")).await;
    let by_hash = world
        .get(&format!(
            "/api/deliveries?sha256={}",
            delivery.sha256().to_uppercase()
        ))
        .await;
    assert_eq!(by_uid, by_hash);
    let found = &by_uid["deliveries"][0];
    assert_eq!(found["trigger"], "BOOKING_CREATED");
    assert_eq!(found["profile"], "default");
    assert_eq!(found["sha256"], delivery.sha256());
    // Pages of three, newest first, give everything once.
    let all = ids(&world.get("/api/deliveries").await);
    let (mut paged, mut after) = (Vec::new(), String::new());
    loop {
        let page = world
            .get(&format!("/api/deliveries?limit=3&after={after}"))
            .await;
        paged.extend(ids(&page));
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => break,
        }
    }
    assert_eq!(paged, all);
    assert_eq!(all.len(), 7);
    for wrong in ["status=nothing", "limit=0", "limit=x"] {
        let url = format!("/api/deliveries?{wrong}");
        let (status, body) =
            with_token(&world, &url, Some(&format!("Bearer {}", world.token))).await;
        assert_eq!(status, 400, "{wrong}: {body}");
    }
    for missing in ["/api/deliveries/nothing", "/api/bookings/nothing"] {
        let (status, body) =
            with_token(&world, missing, Some(&format!("Bearer {}", world.token))).await;
        assert_eq!(status, 404, "{body}");
    }
}

#[tokio::test]
async fn a_booking_s_proof_leads_from_the_delivery_to_the_lead() {
    let world = World::start().await;
    let cal = world.cal();
    let booking = cal.book(&Person::new("Ada Byrd", "ada@byrd.example"), START, 30);
    assert_eq!(cal.send(&booking.created()).await.0, 200);
    world.settle().await;
    let proof = world.get(&format!("/api/bookings/{}", booking.uid)).await;
    let lead = &world.clickup.live_tasks()[0];
    assert_eq!(proof["deliveries"][0]["status"], "done");
    let change = &proof["changes"][0];
    assert_eq!(
        (&change["status"], &change["lead"]),
        (&json!("done"), &json!(lead.id))
    );
    assert!(
        change["why"].as_array().is_some_and(|w| !w.is_empty()),
        "{change}"
    );
    let effect = &change["effects"][0];
    assert_eq!(
        (&effect["kind"], &effect["state"], &effect["remote_id"]),
        (&json!("create"), &json!("applied"), &json!(lead.id))
    );
    let marker = effect["marker"].as_str().expect("a marker");
    assert!(lead.markdown.contains(marker), "{}", lead.markdown);
}

#[tokio::test]
async fn a_dry_run_writes_nothing_and_a_replay_does_nothing_twice() {
    let world = World::start().await;
    let cal = world.cal();
    let booking = cal.book(&Person::new("Ada Byrd", "ada@byrd.example"), START, 30);
    assert_eq!(cal.send(&booking.created()).await.0, 200);
    world.settle().await;
    let (mutations, before) = (world.clickup.mutations(), world.clickup.live_tasks());
    let all = world.get("/api/deliveries").await;
    let path = format!(
        "/api/deliveries/{}/replay",
        all["deliveries"][0]["id"].as_str().expect("an id")
    );
    for mistaken in [json!({"dryrun": true}), json!({"dry_run": true, "x": 1})] {
        let (status, said) = world.post(&path, mistaken).await;
        assert_eq!(status, 400, "{said}");
    }
    let (status, dry) = world.post(&path, json!({"dry_run": true})).await;
    assert_eq!((status, &dry["dry_run"]), (200, &json!(true)), "{dry}");
    assert_eq!(world.get("/api/counts").await["done"], 1);
    let (status, replayed) = world.post(&path, json!({})).await;
    assert_eq!(
        (status, &replayed["status"]),
        (200, &json!("pending")),
        "{replayed}"
    );
    let counts = world.settle().await;
    assert_eq!(
        (&counts["received"], &counts["done"]),
        (&json!(1), &json!(1)),
        "{counts}"
    );
    assert_eq!(world.clickup.mutations(), mutations);
    assert_eq!(world.clickup.live_tasks(), before);
    assert_eq!(
        world
            .post("/api/deliveries/nothing/replay", json!({}))
            .await
            .0,
        404
    );
}

#[tokio::test]
async fn an_address_that_cannot_be_read_gets_a_sentence() {
    let world = World::start().await;
    let bearer = format!("Bearer {}", world.token);
    for path in [
        "/api/deliveries?status=done&status=dead",
        "/api/deliveries/%FF",
        "/api/bookings/%FF",
        "/api/deliveries?limit=0",
        "/api/deliveries?status=nothing",
    ] {
        let (status, body) = with_token(&world, path, Some(&bearer)).await;
        assert_eq!(status, 400, "{path}");
        assert!(body["error"].is_string(), "{path}: {body}");
    }
}
