//! The limit: by key, by token, by neither, and a pause for whoever goes over it.

use std::time::Duration;

use super::{account, ask, call, roomy};

#[tokio::test]
async fn whoever_goes_over_the_limit_is_refused_for_a_while() {
    let server = account(roomy()).await;
    let minute = Duration::from_secs(60);
    server.set_limits(3, 1_000, minute, minute);
    let me = async || ask(&server, "GET", "/v2/me", "", None).await;
    for left in ["2", "1", "0"] {
        let answer = me().await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("X-RateLimit-Remaining-Default"), Some(left));
    }
    server.pass(Duration::from_secs(50));
    let refused = me().await;
    assert_eq!(refused.status, 429);
    // The pause begins with the refusal, and is not made longer by asking.
    assert_eq!(refused.header("X-RateLimit-Reset-Default"), Some("60"));
    assert!(refused.json()["error"]["details"].is_string());
    server.pass(Duration::from_secs(30));
    assert_eq!(me().await.header("X-RateLimit-Reset-Default"), Some("30"));
    // Another bearer has a limit of its own.
    let other = call(&server, "GET", "/v2/event-types", &[], None).await;
    assert_eq!(other.status, 200);
    server.pass(Duration::from_secs(31));
    assert_eq!(me().await.status, 200);
}
