//! Connecting Cal.com: consent, code, tokens, and what each refusal asks of whom.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use sim::cal::api::{OAuthClient, Server};
use sim::http::send;
use sim::{Fault, Match};
use url::Url;
use vendors::cal::oauth::{Config, OAuth, Tokens, Verifier, denied};

use super::{account, class, classed, fixture, roomy, shown};

const HOME: &str = "https://calup.example/api/calcom/callback";
const SCOPES: [&str; 5] = [
    "EVENT_TYPE_READ",
    "BOOKING_READ",
    "BOOKING_WRITE",
    "SCHEDULE_READ",
    "PROFILE_READ",
];

pub(super) fn config(server: &Server) -> Config {
    Config {
        app_url: server.app_url(),
        api_url: format!("{}/v2", server.api_url()),
        client_id: "cl_1".to_owned(),
        client_secret: Some("shh".into()),
        redirect_uri: HOME.to_owned(),
        scopes: SCOPES.map(str::to_owned).into(),
        timeout: Duration::from_secs(5),
    }
}

pub(super) fn client(server: &Server) -> OAuth {
    let _installed = rustls::crypto::ring::default_provider().install_default();
    OAuth::new(config(server)).expect("a client")
}

pub(super) fn register(server: &Server, secret: Option<&str>) {
    server.add_oauth_client(OAuthClient {
        id: "cl_1".to_owned(),
        secret: secret.map(str::to_owned),
        redirect_uris: vec![HOME.to_owned()],
        scopes: SCOPES.map(str::to_owned).into(),
        approved: true,
    });
}

/// What comes back to us when somebody follows the link.
async fn followed(url: &Url) -> Vec<(String, String)> {
    let answer = send("GET", url.as_str(), &[], b"")
        .await
        .expect("an answer");
    let back = answer.header("Location").expect("a way back");
    let back = Url::parse(back).expect("an address");
    back.query_pairs().into_owned().collect()
}

async fn code(oauth: &OAuth, verifier: &Verifier) -> String {
    let back = followed(&oauth.authorize_url("st ate&", verifier)).await;
    assert_eq!(back[1], ("state".to_owned(), "st ate&".to_owned()));
    back[0].1.clone()
}

pub(super) async fn connected(server: &Server) -> Tokens {
    register(server, Some("shh"));
    let oauth = client(server);
    let verifier = Verifier::of([9; 32]);
    let code = code(&oauth, &verifier).await;
    oauth.exchange(&code, &verifier).await.expect("tokens")
}

#[tokio::test]
async fn a_consent_becomes_tokens_that_are_renewed() {
    for secret in [Some("shh"), None] {
        let server = account(roomy()).await;
        register(&server, secret);
        let mut config = config(&server);
        config.client_secret = secret.map(Into::into);
        let oauth = OAuth::new(config).expect("a client");
        let verifier = Verifier::of([7; 32]);
        let code = code(&oauth, &verifier).await;
        // Kept over the journey to Cal.com and back.
        let verifier = Verifier::kept(verifier.secret().clone());
        let tokens = oauth.exchange(&code, &verifier).await.expect("tokens");
        assert_eq!(tokens.scopes, SCOPES);
        let left = tokens.expires_at.duration_since(Timestamp::now());
        assert!(left > SignedDuration::from_mins(29), "{left:?}");
        let newer = oauth.refresh(&tokens.refresh).await.expect("tokens");
        assert_ne!(
            newer.refresh.expose_secret(),
            tokens.refresh.expose_secret()
        );
        oauth.refresh(&newer.refresh).await.expect("tokens");
    }
}

#[tokio::test]
async fn a_refusal_of_a_second_is_waited_out() {
    let server = account(roomy()).await;
    let tokens = connected(&server).await;
    let oauth = client(&server);
    server.fault(Match::any(), Fault::RateLimited(1), 1);
    let newer = oauth.refresh(&tokens.refresh).await.expect("tokens");
    assert_eq!(server.faults_left(), 0);

    server.fault(Match::any(), Fault::RateLimited(30), 1);
    assert_eq!(classed(&oauth.refresh(&newer.refresh).await), "limited");
}

#[tokio::test]
async fn a_code_or_token_is_used_once() {
    let server = account(roomy()).await;
    let tokens = connected(&server).await;
    let oauth = client(&server);
    let verifier = Verifier::of([7; 32]);
    let code = code(&oauth, &verifier).await;
    oauth.exchange(&code, &verifier).await.expect("tokens");
    let again = shown(oauth.exchange(&code, &verifier).await);
    assert!(again.contains("the code is used up"), "{again}");

    oauth.refresh(&tokens.refresh).await.expect("tokens");
    let again = oauth.refresh(&tokens.refresh).await;
    assert_eq!(classed(&again), "gone");
}

#[tokio::test]
async fn a_verifier_that_is_another_gets_nothing() {
    let server = account(roomy()).await;
    register(&server, Some("shh"));
    let oauth = client(&server);
    let code = code(&oauth, &Verifier::of([7; 32])).await;
    let stolen = oauth.exchange(&code, &Verifier::of([8; 32])).await;
    assert_eq!(classed(&stolen), "refused");
}

#[tokio::test]
async fn each_refusal_says_what_to_do() {
    let server = account(roomy()).await;
    register(&server, Some("other"));
    let oauth = client(&server);
    let wrong = shown(oauth.refresh(&"r".into()).await);
    assert!(wrong.contains("CALCOM_CLIENT_SECRET"), "{wrong}");
    for (status, body, class, part) in [
        (
            400,
            r#"{"error":"invalid_grant","error_description":"refresh_token_revoked"}"#,
            "gone",
            "the connection to Cal.com",
        ),
        (
            401,
            r#"{"error":"unauthorized_client","error_description":"client_not_approved"}"#,
            "operator",
            "approval",
        ),
        // In the envelope of the rest of the API, as it has been seen.
        (
            401,
            r#"{"status":"error","error":{"code":"HttpException","message":"invalid_client"}}"#,
            "operator",
            "CALCOM_CLIENT_ID",
        ),
        (
            400,
            r#"{"error":"invalid_request","error_description":"about ada@x.example"}"#,
            "operator",
            "redirect address",
        ),
        (
            400,
            r#"{"error":"server_error"}"#,
            "unknown",
            "server_error",
        ),
        (
            404,
            r#"{"status":"error","error":{"message":"Cannot POST /v2/auth/oauth2/token"}}"#,
            "operator",
            "has no OAuth",
        ),
        (404, "<html>", "operator", "has no OAuth"),
        (502, "<html>", "unknown", "502"),
        (200, "<html>", "unknown", "200"),
        (200, r#"{"ok":true}"#, "unknown", "something else"),
        (200, "[]", "unknown", "200"),
    ] {
        server.fault(
            Match::post("/token"),
            Fault::Status(status, body.to_owned()),
            1,
        );
        let result = oauth.refresh(&"r".into()).await;
        assert_eq!(classed(&result), class, "{body}");
        let shown = shown(result);
        assert!(shown.contains(part), "{shown}");
    }
    for (fault, class) in [
        (Fault::Drop, "unknown"),
        (Fault::CutBody(5), "unknown"),
        (Fault::RateLimited(30), "limited"),
    ] {
        server.fault(Match::post("/token"), fault, 1);
        let result = OAuth::new(config(&server))
            .expect("a client")
            .refresh(&"r".into())
            .await;
        assert_eq!(classed(&result), class);
    }
    server.stop().await;
    assert_eq!(classed(&oauth.refresh(&"r".into()).await), "transient");

    for (word, is) in [
        ("access_denied", "refused"),
        ("invalid_scope", "operator"),
        ("unauthorized_client", "operator"),
        ("<script>", "operator"),
    ] {
        let failure = denied(word);
        assert_eq!(class(&failure), is, "{word}");
        assert!(!failure.to_string().contains('<'), "{failure}");
    }
}

#[tokio::test]
async fn the_recorded_answers_are_understood_bare_and_enveloped() {
    let server = account(roomy()).await;
    let oauth = client(&server);
    let recorded = |name: &str| fixture(&format!("cal-api/{name}.json"))["response"].clone();
    let enveloped = serde_json::json!({
        "status": "success", "data": recorded("oauth-token-refresh")["body"],
    });
    for body in [recorded("oauth-token-refresh")["body"].clone(), enveloped] {
        server.fault(
            Match::post("/token"),
            Fault::Status(200, body.to_string()),
            1,
        );
        let tokens = oauth.refresh(&"r".into()).await.expect("tokens");
        assert_eq!(
            tokens.access.expose_secret(),
            "eyJhbGciOiJIUzI1NiJ9.access2"
        );
        assert_eq!(
            tokens.refresh.expose_secret(),
            "eyJhbGciOiJIUzI1NiJ9.refresh2"
        );
        assert!(tokens.scopes.is_empty());
    }
    let first = recorded("oauth-token-authorization-code")["body"].to_string();
    server.fault(Match::post("/token"), Fault::Status(200, first), 1);
    let tokens = oauth
        .exchange("c0de", &Verifier::of([0; 32]))
        .await
        .expect("tokens");
    assert_eq!(tokens.scopes.len(), 6);
    let refused = recorded("oauth-error");
    let body = refused["body"].to_string();
    server.fault(Match::post("/token"), Fault::Status(400, body), 1);
    assert_eq!(classed(&oauth.refresh(&"r".into()).await), "gone");
}

#[tokio::test]
async fn what_is_sent_is_what_was_recorded() {
    let server = account(roomy()).await;
    let _tokens = connected(&server).await;
    let sent = server.requests();
    let sent = sent
        .iter()
        .find(|it| it.method == "POST")
        .expect("a request");
    assert_eq!(sent.content_type, "application/x-www-form-urlencoded");
    let keys = |form: &str| {
        let pairs = url::form_urlencoded::parse(form.as_bytes());
        let mut keys: Vec<String> = pairs.map(|(key, _)| key.into_owned()).collect();
        keys.sort();
        keys
    };
    let theirs = fixture("cal-api/oauth-token-authorization-code.json")["request"]["body"].clone();
    let Value::String(ours) = &sent.body else {
        panic!("a form is kept as a text");
    };
    assert_eq!(keys(ours), keys(theirs.as_str().expect("a form")));
    let link = client(&server).authorize_url("s", &Verifier::of([0; 32]));
    assert_eq!(link.path(), "/auth/oauth2/authorize");
    let asked: Vec<String> = link
        .query_pairs()
        .map(|(key, _)| key.into_owned())
        .collect();
    assert_eq!(
        asked,
        [
            "client_id",
            "redirect_uri",
            "response_type",
            "state",
            "scope",
            "code_challenge",
            "code_challenge_method"
        ]
    );
}
