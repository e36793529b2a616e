//! Connecting Cal.com by OAuth, and staying connected.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use sim::cal::api::{Bookable, Config, OAuthClient, Server};
use sim::http::send;
use sim::{Fault, Match};
use url::Url;

use crate::pair::{Pair, within};
use crate::world::{Setup, World};

const PUBLIC: &str = "http://calup.example";
const SCOPES: [&str; 7] = [
    "PROFILE_READ",
    "APPS_READ",
    "SCHEDULE_READ",
    "EVENT_TYPE_READ",
    "EVENT_TYPE_WRITE",
    "BOOKING_READ",
    "BOOKING_WRITE",
];
/// Longer than an access token lives.
const LATER: Duration = Duration::from_secs(31 * 60);

async fn calcom() -> Server {
    let calcom = Server::start(Config {
        limit_by_token: 100_000,
        limit_by_key: 100_000,
        limit_by_address: 100_000,
        ..Config::default()
    })
    .await;
    calcom.add_event_type(Bookable::new(880_101, "intro-call", "Intro call", 30));
    calcom.add_oauth_client(OAuthClient {
        id: "cl_1".to_owned(),
        secret: Some("shh".to_owned()),
        redirect_uris: vec![format!("{PUBLIC}/api/calcom/callback")],
        scopes: SCOPES.map(str::to_owned).into(),
        approved: true,
    });
    calcom
}

fn env(calcom: &Server) -> Vec<(&'static str, String)> {
    vec![
        ("CALCOM_API_URL", calcom.api_url()),
        ("CALCOM_APP_URL", calcom.app_url()),
        ("CALCOM_CLIENT_ID", "cl_1".to_owned()),
        ("CALCOM_CLIENT_SECRET", "shh".to_owned()),
        ("CALUP_PUBLIC_URL", PUBLIC.to_owned()),
        // No webhooks at ClickUp for that address.
        ("CALUP_HOOK_SECONDS", "0".to_owned()),
    ]
}

async fn connecting(more: Vec<(&'static str, String)>) -> (World, Server) {
    let calcom = calcom().await;
    let mut env = env(&calcom);
    env.extend(more);
    let setup = Setup {
        env,
        ..Setup::default()
    };
    (World::with(setup).await, calcom)
}

/// Where Cal.com sends the user back to, at this calup.
async fn consented(world: &World) -> String {
    let begun = world.get("/api/calcom/auth-url").await;
    let url = begun["url"].as_str().expect("an address");
    assert!(url.contains("code_challenge_method=S256"), "{url}");
    let answer = send("GET", url, &[], b"").await.expect("an answer");
    let back = Url::parse(answer.header("Location").expect("a way back")).expect("an address");
    assert_eq!(
        (back.origin().ascii_serialization().as_str(), back.path()),
        (PUBLIC, "/api/calcom/callback")
    );
    let query = back.query().expect("a query");
    format!("http://{}{}?{query}", world.calup.address, back.path())
}

async fn comes_back(url: &str) -> u16 {
    send("GET", url, &[], b"").await.expect("an answer").status
}

async fn connect(world: &World) {
    assert_eq!(comes_back(&consented(world).await).await, 302);
}

async fn tool(world: &World) -> (u16, Value) {
    world.post("/api/tools/cal_upcoming", json!({})).await
}

async fn works(world: &World) {
    let (status, answer) = tool(world).await;
    assert_eq!(status, 200, "{answer}");
}

/// What `calup doctor` says of Cal.com: the state, and all of it.
fn doctor(world: &World) -> (String, String) {
    let (out, err, _) = world.calup.run(&["doctor", "--json"]);
    let json: Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}{err}"));
    let all = json["findings"].as_array().expect("findings");
    let found = all.iter().find(|it| it["check"] == "calcom-account");
    let found = found.unwrap_or_else(|| panic!("{json:#}"));
    (
        found["state"].as_str().expect("a state").to_owned(),
        found.to_string(),
    )
}

/// Requests for tokens; the first one is for those of the consent.
fn granted(calcom: &Server) -> usize {
    let all = calcom.requests();
    let asked = all.iter().filter(|it| it.path.ends_with("/oauth2/token"));
    asked.count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consent_connects_once_and_only_with_a_state_that_was_given_out() {
    let (world, calcom) = connecting(Vec::new()).await;
    let (status, answer) = tool(&world).await;
    assert_eq!(status, 409, "{answer}");
    let hint = answer["hint"].as_str().expect("a hint");
    assert!(hint.contains("/api/calcom/auth-url"), "{answer}");
    let (state, told) = doctor(&world);
    assert_eq!(state, "fail", "{told}");
    assert!(
        told.contains("not connected") && told.contains("auth-url"),
        "{told}"
    );

    let back = consented(&world).await;
    let forged = back.replace("state=", "state=0");
    let stateless = back.split("state=").next().expect("a beginning");
    for bad in [forged.as_str(), stateless] {
        let answer = send("GET", bad, &[], b"").await.expect("an answer");
        assert_eq!(answer.status, 400, "{bad}");
        let body = String::from_utf8_lossy(&answer.body);
        assert!(body.contains("begin anew"), "{body}");
    }
    assert_eq!(granted(&calcom), 0);
    let (one, two) = tokio::join!(comes_back(&back), comes_back(&back));
    let mut ends = [one, two];
    ends.sort_unstable();
    assert_eq!(ends, [302, 400], "a state is used once");
    assert_eq!(comes_back(&back).await, 400);
    works(&world).await;
    let log = world.calup.log();
    let (code, state) = (query(&back, "code"), query(&back, "state"));
    assert!(!log.contains(&code) && !log.contains(&state), "{log}");

    calcom.refuse_consent(true);
    let refused = consented(&world).await;
    assert!(refused.contains("error=access_denied"), "{refused}");
    assert_eq!(comes_back(&refused).await, 400);
    works(&world).await;
}

fn query(url: &str, name: &str) -> String {
    let url = Url::parse(url).expect("an address");
    let mut pairs = url.query_pairs();
    let found = pairs.find(|(key, _)| key == name);
    found.expect("it is there").1.into_owned()
}

#[tokio::test]
async fn a_consent_takes_ten_minutes_at_most_and_is_asked_for_by_a_person() {
    let clock = std::env::temp_dir().join(format!("calup-it-clock-{}", uuid::Uuid::now_v7()));
    let file = clock.display().to_string();
    std::fs::write(&clock, "0 0").expect("a clock");
    let (world, calcom) = connecting(vec![("CALUP_CLOCK_FILE", file)]).await;
    let late = consented(&world).await;
    std::fs::write(&clock, "601 0").expect("a clock");
    assert_eq!(comes_back(&late).await, 400);
    assert_eq!(granted(&calcom), 0);
    let in_time = consented(&world).await;
    std::fs::write(&clock, "1191 0").expect("a clock");
    assert_eq!(comes_back(&in_time).await, 302);
    let _ = std::fs::remove_file(clock);

    let made = world
        .calup
        .run(&["token", "new", "--json", "--scope", "tools"]);
    let made: Value = serde_json::from_str(&made.0).expect("JSON");
    let url = format!("http://{}/api/calcom/auth-url", world.calup.address);
    for (token, status) in [(made["token"].as_str().expect("a token"), 403), ("x", 401)] {
        let asked = world.http.get(&url).bearer_auth(token).send().await;
        assert_eq!(asked.expect("an answer").status(), status);
    }
}

#[tokio::test]
async fn a_hundred_calls_with_a_token_that_has_ended_make_one_refresh() {
    let (world, calcom) = connecting(Vec::new()).await;
    connect(&world).await;
    works(&world).await;
    for round in 1..=2 {
        calcom.pass(LATER);
        let answers = join_all((0..100).map(|_| tool(&world))).await;
        for (status, answer) in answers {
            assert_eq!(status, 200, "{answer}");
        }
        assert_eq!(granted(&calcom), 1 + round);
    }
    assert_eq!(calcom.live_grants(), 1);
}

#[tokio::test]
async fn whoever_goes_away_during_a_refresh_loses_nothing() {
    let (mut world, calcom) = connecting(Vec::new()).await;
    connect(&world).await;
    calcom.pass(LATER);
    calcom.fault(Match::post("/oauth2/token"), Fault::Delay(1_500), 1);
    let url = format!("http://{}/api/tools/cal_upcoming", world.calup.address);
    let asked = world.http.post(url).bearer_auth(&world.token);
    let hasty = asked.timeout(Duration::from_millis(700)).send().await;
    assert!(hasty.is_err(), "{hasty:?}");
    works(&world).await;
    assert_eq!(granted(&calcom), 2);
    // Written down, not only remembered.
    world.calup.restart();
    works(&world).await;
    assert_eq!(granted(&calcom), 2);
}

#[tokio::test]
async fn what_fails_for_a_while_does_not_end_what_was_granted() {
    let (world, calcom) = connecting(Vec::new()).await;
    connect(&world).await;
    calcom.pass(LATER);
    let wrong = json!({"error": "invalid_client"}).to_string();
    // A read is repeated once.
    for (fault, times, status) in [
        (Fault::Html(502), 2, 502),
        (Fault::Status(401, wrong), 1, 409),
        (Fault::Drop, 2, 502),
    ] {
        calcom.fault(Match::post("/oauth2/token"), fault, times);
        let (is, answer) = tool(&world).await;
        assert_eq!(is, status, "{answer}");
    }
    works(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consent_that_has_ended_stops_all_calls_until_it_is_given_again() {
    let calcom = calcom().await;
    let mut env = env(&calcom);
    env.push(("CALCOM_API_KEY", calcom.key()));
    let mut world = World::with(Setup {
        env,
        ..Setup::default()
    })
    .await;
    works(&world).await;
    let (state, told) = doctor(&world);
    assert_eq!(state, "ok", "{told}");
    connect(&world).await;
    let (state, told) = doctor(&world);
    assert_eq!(state, "ok", "{told}");
    calcom.end_grants();
    let (status, answer) = tool(&world).await;
    assert_eq!(status, 409, "{answer}");
    let hint = answer["hint"].as_str().expect("a hint");
    assert!(hint.contains("/api/calcom/auth-url"), "{answer}");
    let before = calcom.requests().len();
    assert_eq!(tool(&world).await.0, 409);
    assert_eq!(calcom.requests().len(), before, "nothing goes out");
    world
        .until("the operator is told", async || {
            let notices = world.get("/api/notices").await.to_string();
            notices.contains("consent at Cal.com has ended") && notices.contains("auth-url")
        })
        .await;
    let (_, err, code) = world.calup.run(&["tool", "cal_upcoming"]);
    assert_eq!(code, 1);
    assert!(err.contains("auth-url"), "{err}");
    let (state, told) = doctor(&world);
    assert_eq!(state, "fail", "{told}");
    assert!(
        told.contains("has ended") && told.contains("auth-url"),
        "{told}"
    );
    connect(&world).await;
    works(&world).await;

    // Without the client, what was granted counts no more.
    calcom.end_grants();
    world.calup.set("CALCOM_CLIENT_ID", "");
    world.calup.restart();
    works(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_share_what_was_granted_and_refresh_it_once() {
    let calcom = calcom().await;
    let Some(mut pair) = Pair::with(env(&calcom)).await else {
        return;
    };
    // Asked for at one, come back to at the other.
    let back = consented(&pair).await;
    let elsewhere = back.replace(&pair.calup.address, &pair.other.address);
    let (one, two) = tokio::join!(comes_back(&back), comes_back(&elsewhere));
    let mut ends = [one, two];
    ends.sort_unstable();
    assert_eq!(ends, [302, 400]);
    for round in 1..=3 {
        calcom.pass(LATER);
        let urls = [&pair.calup.address, &pair.other.address]
            .map(|address| format!("http://{address}/api/tools/cal_upcoming"));
        let calls = (0..100).map(|n| {
            let asked = pair.http.post(&urls[n % 2]).bearer_auth(&pair.token);
            asked.json(&json!({})).send()
        });
        for answer in join_all(calls).await {
            assert_eq!(answer.expect("an answer").status(), 200);
        }
        assert_eq!(granted(&calcom), 1 + round);
    }
    // One dies while it renews; its request never arrives. The other one waits, and then renews.
    calcom.pass(LATER);
    calcom.fault(Match::post("/oauth2/token"), Fault::Hang, 1);
    let url = format!("http://{}/api/tools/cal_upcoming", pair.calup.address);
    let asked = pair.http.post(url).bearer_auth(&pair.token).send();
    let cut_short = tokio::spawn(asked);
    let before = granted(&calcom);
    let renews = async || (granted(&calcom) > before).then_some(());
    within(Duration::from_secs(20), "it renews", renews).await;
    pair.calup.kill();
    assert!(cut_short.await.expect("no panic").is_err());
    pair.swap();
    let url = format!("http://{}/api/tools/cal_upcoming", pair.calup.address);
    let asked = pair.http.post(url).bearer_auth(&pair.token);
    let answer = asked.timeout(Duration::from_secs(60)).send().await;
    assert_eq!(answer.expect("an answer").status(), 200);
    assert_eq!(calcom.live_grants(), 1);
}
