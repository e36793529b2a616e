//! Consent, codes, tokens: each of one use, and what a second use does.

use std::time::Duration;

use serde_json::Value;
use sim::cal::api::{OAuthClient, Server};
use sim::http::{Received, send};

use super::{account, call, fixture, roomy};

const HOME: &str = "https://calup.example/api/calcom/callback";
// The pair of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

async fn server() -> Server {
    let server = account(roomy()).await;
    server.add_oauth_client(OAuthClient {
        id: "cl_1".to_owned(),
        secret: Some("shh".to_owned()),
        redirect_uris: vec![HOME.to_owned()],
        scopes: ["BOOKING_READ", "PROFILE_READ"].map(str::to_owned).into(),
        approved: true,
    });
    server
}

fn encoded(pairs: &[(&str, &str)]) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(pairs);
    form.finish()
}

async fn consent(server: &Server, changed: &[(&str, &str)]) -> Received {
    let mut pairs = vec![
        ("client_id", "cl_1"),
        ("redirect_uri", HOME),
        ("response_type", "code"),
        ("state", "st"),
        ("scope", "PROFILE_READ"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    for (key, value) in changed {
        pairs.retain(|(known, _)| known != key);
        pairs.push((key, value));
    }
    let path = format!("/auth/oauth2/authorize?{}", encoded(&pairs));
    call(server, "GET", &path, &[], None).await
}

fn back(answer: &Received) -> Vec<(String, String)> {
    let url = answer.header("Location").expect("a redirection");
    let url = url::Url::parse(url).expect("an address");
    assert!(url.as_str().starts_with(HOME));
    url.query_pairs().into_owned().collect()
}

async fn token(server: &Server, pairs: &[(&str, &str)]) -> Received {
    let mut all = vec![("client_id", "cl_1"), ("client_secret", "shh")];
    all.extend(pairs);
    let url = format!("{}/v2/auth/oauth2/token", server.api_url());
    let form = "application/x-www-form-urlencoded".to_owned();
    let headers = [("Content-Type".to_owned(), form)];
    let answer = send("POST", &url, &headers, encoded(&all).as_bytes()).await;
    answer.expect("an answer")
}

async fn exchange(server: &Server, code: &str) -> Received {
    token(
        server,
        &[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", HOME),
            ("code_verifier", VERIFIER),
        ],
    )
    .await
}

async fn code(server: &Server) -> String {
    let back = back(&consent(server, &[]).await);
    assert_eq!(back[1], ("state".to_owned(), "st".to_owned()));
    back[0].1.clone()
}

async fn refresh(server: &Server, token_text: &str) -> Received {
    let pairs = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token_text),
    ];
    token(server, &pairs).await
}

fn text(json: &Value, key: &str) -> String {
    json[key].as_str().expect("a text").to_owned()
}

async fn me(server: &Server, access: &str) -> u16 {
    let bearer = format!("Bearer {access}");
    let headers = [("Authorization", bearer.as_str())];
    call(server, "GET", "/v2/me", &headers, None).await.status
}

#[tokio::test]
async fn a_code_is_good_once_and_for_ten_minutes() {
    let server = server().await;
    let first = code(&server).await;
    let tokens = exchange(&server, &first).await;
    assert_eq!(tokens.status, 200, "{}", tokens.text());
    let theirs = fixture("cal-api/oauth-token-authorization-code.json");
    let theirs = theirs["response"]["body"]
        .as_object()
        .expect("tokens")
        .clone();
    let ours = tokens.json();
    assert!(theirs.keys().eq(ours.as_object().expect("tokens").keys()));
    assert_eq!(ours["expires_in"], 1800);
    let again = exchange(&server, &first).await;
    assert_eq!(again.status, 400);
    assert_eq!(again.json()["error"], "invalid_grant");

    let second = code(&server).await;
    server.pass(Duration::from_secs(601));
    assert_eq!(exchange(&server, &second).await.status, 400);
}

#[tokio::test]
async fn a_refresh_token_is_good_once_and_a_second_use_ends_the_grant() {
    let server = server().await;
    let tokens = exchange(&server, &code(&server).await).await.json();
    let access = text(&tokens, "access_token");
    assert_eq!(me(&server, &access).await, 200);
    server.pass(Duration::from_secs(1_801));
    assert_eq!(me(&server, &access).await, 498);

    let old = text(&tokens, "refresh_token");
    let newer = refresh(&server, &old).await.json();
    let access = text(&newer, "access_token");
    assert_eq!(me(&server, &access).await, 200);
    assert_ne!(text(&newer, "refresh_token"), old);
    let again = refresh(&server, &old).await;
    assert_eq!((again.status, server.live_grants()), (400, 0));
    let theirs = fixture("cal-api/oauth-error.json");
    assert_eq!(theirs["response"]["body"]["error"], again.json()["error"]);
    assert_eq!(me(&server, &access).await, 401);
    let last = text(&newer, "refresh_token");
    assert_eq!(refresh(&server, &last).await.status, 400);
}

#[tokio::test]
async fn a_token_may_do_what_was_granted() {
    let server = server().await;
    let tokens = exchange(&server, &code(&server).await).await.json();
    let bearer = format!("Bearer {}", text(&tokens, "access_token"));
    let headers = [
        ("Authorization", bearer.as_str()),
        ("cal-api-version", "2024-08-13"),
    ];
    let answer = call(&server, "GET", "/v2/bookings", &headers, None).await;
    assert_eq!(answer.status, 403);
    let said = answer.json()["error"]["message"]
        .as_str()
        .map(str::to_owned);
    assert!(said.is_some_and(|it| it.starts_with("insufficient_scope")));
}

#[tokio::test]
async fn a_consent_is_asked_for_to_the_letter() {
    let server = server().await;
    // Never to an address that is not registered.
    for wrong in [
        ("redirect_uri", "https://calup.example/api/calcom/callback/"),
        ("client_id", "cl_2"),
    ] {
        let answer = consent(&server, &[wrong]).await;
        assert_eq!((answer.status, answer.header("Location")), (400, None));
    }
    for (wrong, error) in [
        (("scope", "WEBHOOK_WRITE"), "invalid_scope"),
        (("response_type", "token"), "unsupported_response_type"),
        (("code_challenge_method", "plain"), "invalid_request"),
    ] {
        let back = back(&consent(&server, &[wrong]).await);
        assert_eq!(back[0], ("error".to_owned(), error.to_owned()));
        assert_eq!(back[2].0, "state");
    }
    server.refuse_consent(true);
    let denied = back(&consent(&server, &[]).await);
    assert_eq!(denied[0].1, "access_denied");
    server.refuse_consent(false);

    let code = code(&server).await;
    let wrong = token(
        &server,
        &[
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", HOME),
            ("code_verifier", "another"),
        ],
    )
    .await;
    assert_eq!(
        wrong.json()["error_description"],
        "pkce_verification_failed"
    );
    let stranger = [("grant_type", "refresh_token"), ("client_secret", "wrong")];
    // The first of two secrets counts.
    assert_eq!(token(&server, &stranger).await.status, 400);
}
