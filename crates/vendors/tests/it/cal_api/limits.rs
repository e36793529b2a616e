//! Cal.com's limit: kept to by what answers announce, whichever way they say when it ends.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::outcome::Failure;
use jiff::Timestamp;
use sim::cal::api::{Config as SimConfig, Reset, Server};
use sim::faults::ALWAYS;
use sim::{Fault, Match};
use vendors::cal::api::{Bearer, Cal, Config, always};

use super::{VISIT, account, booking_of, classed, client, fixture, roomy};
use crate::clickup::stub::{Stub, Then, with_headers};

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

/// `GET /v2/me`, as it was recorded.
fn me() -> String {
    let recorded = fixture("cal-live-api/01-me.json");
    let body = recorded["response"]["body"].as_str().expect("a text");
    body.to_owned()
}

#[tokio::test]
async fn recorded_headers_that_are_replayed_hold_nobody_up() {
    let constant =
        "X-RateLimit-Limit: 120\r\nX-RateLimit-Remaining: 117\r\nX-RateLimit-Reset: 42\r\n";
    let stub = Stub::start(move |_| Then::Answer(with_headers(200, constant, &me()))).await;
    // Another test of this binary has installed one already.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let config = Config {
        api_url: stub.url.clone(),
        timeout: Duration::from_secs(5),
    };
    let cal = Cal::new(config, always(Bearer::Key("cal_sim".into()))).expect("a client");
    for call in 0..300 {
        assert_eq!(classed(&cal.me().await), "done", "call {call}");
    }
}

#[tokio::test]
async fn where_no_limit_is_told_a_hundred_at_once_are_all_answered() {
    let server = account(SimConfig {
        latency: Duration::from_millis(200),
        ..roomy()
    })
    .await;
    server.fault(Match::get("/v2/me"), Fault::Status(200, me()), ALWAYS);
    let cal = Arc::new(client(&server));
    let began = Instant::now();
    let asking: Vec<_> = (0..100)
        .map(|_| {
            let cal = Arc::clone(&cal);
            tokio::spawn(async move { classed(&cal.me().await) })
        })
        .collect();
    for it in asking {
        assert_eq!(it.await.expect("no panic"), "done");
    }
    assert!(
        began.elapsed() < Duration::from_secs(4),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn a_refusal_of_a_second_is_waited_out_and_the_call_made_once_more() {
    let server = account(roomy()).await;
    let cal = client(&server);
    server.fault(Match::any(), Fault::RateLimited(1), 1);
    assert_eq!(classed(&cal.me().await), "done");
    assert_eq!(cal.calls(), 2);

    let visit = booking_of(VISIT, "Ada", "2026-12-01T09:00:00Z");
    server.fault(Match::any(), Fault::RateLimited(1), 1);
    assert_eq!(classed(&cal.book(&visit).await), "done");
    assert_eq!((cal.calls(), server.bookings().len()), (4, 1));

    server.fault(Match::any(), Fault::RateLimited(1), 2);
    assert_eq!(classed(&cal.me().await), "limited");
    assert_eq!((cal.calls(), server.faults_left()), (6, 0));

    server.fault(Match::any(), Fault::RateLimited(30), 1);
    assert_eq!(classed(&cal.me().await), "limited");
    assert_eq!(cal.calls(), 7);
}

/// Reads as a caller does who waits when told to.
async fn read_patiently(cal: &Cal) {
    loop {
        match cal.me().await {
            Ok(_) => return,
            Err(Failure::Limited { until, .. }) => {
                let wait = until.duration_since(Timestamp::now());
                tokio::time::sleep(Duration::try_from(wait).unwrap_or_default()).await;
            }
            Err(other) => panic!("{other}"),
        }
    }
}

/// How many of so many at once were refused.
async fn refused_of(reads: usize, reset: Reset, latency_ms: u64) -> usize {
    let server = account(SimConfig {
        limit_by_key: 100,
        window: Duration::from_secs(2),
        block: Duration::from_secs(2),
        reset,
        latency: Duration::from_millis(latency_ms),
        jitter: Duration::from_millis(latency_ms),
        ..SimConfig::default()
    })
    .await;
    let cal = Arc::new(client(&server));
    let reads: Vec<_> = (0..reads)
        .map(|_| {
            let cal = Arc::clone(&cal);
            tokio::spawn(async move { read_patiently(&cal).await })
        })
        .collect();
    for read in reads {
        read.await.expect("no panic");
    }
    refusals(&server)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn more_at_once_than_the_limit_are_paced_with_hardly_any_refused() {
    const READS: usize = 260;
    let runs = [
        (Reset::SecondsLeft, 0),
        (Reset::SecondsLeft, 40),
        (Reset::Unix, 40),
    ];
    let runs = runs.map(|(reset, ms)| tokio::spawn(refused_of(READS, reset, ms)));
    for run in runs {
        let refused = run.await.expect("no panic");
        assert!(refused * 100 <= READS, "{refused} of {READS}");
    }
}
