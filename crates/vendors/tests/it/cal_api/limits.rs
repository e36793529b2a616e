//! Cal.com's limit: kept to by what answers announce, whichever way they say when it ends.

use std::time::Duration;

use domain::outcome::Failure;
use jiff::Timestamp;
use sim::cal::api::{Config as SimConfig, Reset, Server};
use vendors::cal::api::Cal;

use super::{account, classed, client, roomy};

async fn limited(reset: Reset) -> (Server, Cal) {
    let server = account(SimConfig {
        limit_by_key: 5,
        window: Duration::from_secs(2),
        reset,
        ..roomy()
    })
    .await;
    let cal = client(&server);
    (server, cal)
}

fn refusals(server: &Server) -> usize {
    let requests = server.requests();
    requests.iter().filter(|it| it.status == 429).count()
}

#[tokio::test]
async fn no_more_is_asked_than_the_limit_leaves_room_for() {
    for reset in [Reset::SecondsLeft, Reset::Unix] {
        let (server, cal) = limited(reset).await;
        // The clock of the server stands still: its window is over when it is made to be.
        for _ in 0..5 {
            cal.me().await.expect("an account");
        }
        let waiting = tokio::spawn({
            let server = server.clone();
            async move {
                tokio::time::sleep(Duration::from_secs(2)).await;
                server.pass(Duration::from_secs(3));
            }
        });
        cal.me().await.expect("an account, after a pause");
        waiting.await.expect("no panic");
        assert_eq!(refusals(&server), 0, "{reset:?}");
    }
}

#[tokio::test]
async fn a_refusal_says_until_when_and_is_kept_to() {
    for (reset, seconds) in [(Reset::SecondsLeft, 60), (Reset::Unix, 60)] {
        let server = account(SimConfig { reset, ..roomy() }).await;
        let cal = client(&server);
        cal.me().await.expect("an account");
        server.set_limits(0, 0, Duration::from_secs(60), Duration::from_secs(60));
        let Err(Failure::Limited { until, .. }) = cal.me().await else {
            panic!("a refusal");
        };
        let wait = until.duration_since(Timestamp::now()).as_secs();
        assert!(
            (seconds - 3..=seconds + 2).contains(&wait),
            "{reset:?}: {wait}"
        );
        let calls = cal.calls();
        assert_eq!(classed(&cal.me().await), "limited");
        assert_eq!(cal.calls(), calls);
    }
}
