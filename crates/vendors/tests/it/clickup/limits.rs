//! The vendor's limit: kept to by what answers announce, and by what a refusal says.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::outcome::Failure;
use jiff::Timestamp;
use sim::clickup::{ClickUp as Sim, Config as SimConfig};
use sim::{Fault, Match};
use vendors::Crm as _;
use vendors::clickup::ClickUp;
use vendors::http::Gate;

use super::{BROKERS, WRITES, class, client, client_of, config, workspace};

const READS: usize = 130;

fn window(limit: u32, window_ms: u64) -> SimConfig {
    SimConfig {
        limit_per_minute: limit,
        window: Duration::from_millis(window_ms),
        ..SimConfig::default()
    }
}

/// Reads as a caller does who waits when told to. How often it was told.
async fn read_patiently(crm: &ClickUp, task: &str) -> usize {
    let mut told = 0;
    loop {
        match crm.lead(task).await {
            Ok(_) => return told,
            Err(Failure::Limited { until, .. }) => {
                told += 1;
                let wait = until.duration_since(Timestamp::now());
                let wait = Duration::try_from(wait).unwrap_or_default();
                assert!(wait < Duration::from_secs(120), "{wait:?}");
                tokio::time::sleep(wait).await;
            }
            Err(other) => panic!("{other:?}"),
        }
    }
}

/// As many at once. The refusals that it took.
async fn many_reads(config: SimConfig) -> (u64, Duration) {
    let sim = workspace(config).await;
    let task = sim.add_task(BROKERS, "Ada", Some("ada@x.example"));
    let crm = Arc::new(client(&sim));
    let began = Instant::now();
    let reads: Vec<_> = (0..READS)
        .map(|_| {
            let (crm, task) = (Arc::clone(&crm), task.clone());
            tokio::spawn(async move { read_patiently(&crm, &task).await })
        })
        .collect();
    for read in reads {
        read.await.expect("no panic");
    }
    (sim.refused_429(), began.elapsed())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn more_reads_than_the_limit_are_paced_with_at_most_one_in_a_hundred_refused() {
    let skewed = |hours: i64| SimConfig {
        clock_skew_ms: hours * 3_600_000,
        ..window(100, 2_000)
    };
    let slow = SimConfig {
        latency: Duration::from_millis(40),
        jitter: Duration::from_millis(40),
        ..window(100, 2_000)
    };
    let runs = [skewed(0), skewed(1), skewed(-1), slow];
    let runs = runs.map(|config| tokio::spawn(many_reads(config)));
    for run in runs {
        let (refused, took) = run.await.expect("no panic");
        assert!(refused <= 1, "{refused} of {READS}");
        assert!(took < Duration::from_secs(12), "{took:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_headers_on_success_the_refusals_are_few_and_nothing_is_lost() {
    let silent = SimConfig {
        headers_on_success: false,
        ..window(100, 2_000)
    };
    let (refused, took) = many_reads(silent).await;
    assert!(refused <= 3, "{refused} of {READS}");
    assert!(took < Duration::from_secs(12), "{took:?}");
}

fn arrivals(sim: &Sim) -> Vec<i64> {
    sim.requests().into_iter().map(|it| it.at_ms).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn after_a_refusal_nothing_is_sent_before_the_reset() {
    for skew_ms in [0, 3_600_000, -3_600_000] {
        let sim = workspace(SimConfig {
            clock_skew_ms: skew_ms,
            ..window(10_000, 60_000)
        })
        .await;
        let task = sim.add_task(BROKERS, "Ada", Some("ada@x.example"));
        let crm = Arc::new(client(&sim));
        crm.lead(&task).await.expect("a lead");
        sim.clear_requests();
        sim.fault(Match::get("/task/"), Fault::RateLimited(3), 1);
        let refused_at = Timestamp::now();
        let Err(Failure::Limited { until, .. }) = crm.lead(&task).await else {
            panic!("a refusal");
        };
        let wait = until.duration_since(refused_at).as_millis();
        assert!((1_900..=4_500).contains(&wait), "{wait}");

        let reads: Vec<_> = (0..10)
            .map(|_| {
                let (crm, task) = (Arc::clone(&crm), task.clone());
                tokio::spawn(async move { read_patiently(&crm, &task).await })
            })
            .collect();
        for read in reads {
            read.await.expect("no panic");
        }
        let arrivals = arrivals(&sim);
        assert_eq!(arrivals.len(), 11);
        for at in &arrivals[1..] {
            let after = at - refused_at.as_millisecond();
            assert!(after >= wait as i64 - 100, "{after} of {wait} ms");
        }
    }
}

#[tokio::test]
async fn a_write_without_room_is_not_sent_and_says_until_when() {
    // `ready` and the look-ups take their share.
    let sim = workspace(window(12, 60_000)).await;
    let task = sim.add_task(BROKERS, "Ada", Some("ada@x.example"));
    let comment = sim.human_comment(&task, "hello");
    let crm = client(&sim);
    super::write(&crm, "create", &task, &comment)
        .await
        .expect("a lead");
    while crm.lead(&task).await.is_ok() {}
    let (refused, mutations) = (sim.refused_429(), sim.mutations());
    for which in WRITES {
        let began = Instant::now();
        match super::write(&crm, which, &task, &comment).await {
            Err(Failure::Limited { until, .. }) => {
                let wait = until.duration_since(Timestamp::now()).as_secs();
                assert!((1..=62).contains(&wait), "{which}: {wait}");
            }
            other => panic!("{which}: {other:?}"),
        }
        assert!(began.elapsed() < Duration::from_secs(2), "{which}");
    }
    assert_eq!((sim.refused_429(), sim.mutations()), (refused, mutations));
    assert_eq!(refused, 0);
    assert!(matches!(crm.ready(1).await, Err(Failure::Limited { .. })));
}

#[tokio::test]
async fn ready_waits_for_room_and_takes_none() {
    let sim = workspace(window(5, 2_000)).await;
    let task = sim.add_task(BROKERS, "Ada", Some("ada@x.example"));
    let crm = client(&sim);
    crm.ready(3).await.expect("nothing is known yet");
    for _ in 0..3 {
        crm.lead(&task).await.expect("a lead");
    }
    let calls = crm.calls();
    crm.ready(2)
        .await
        .expect("room in the next window at the latest");
    assert_eq!(crm.calls(), calls);
    for _ in 0..2 {
        let written = super::write(&crm, "write", &task, "7").await;
        written.expect("there was room");
    }
    assert_eq!(sim.refused_429(), 0);
}

#[tokio::test]
async fn a_refused_write_is_limited_and_was_not_done() {
    let sim = workspace(window(10_000, 60_000)).await;
    let task = sim.add_task(BROKERS, "Ada", Some("ada@x.example"));
    let crm = client(&sim);
    crm.lead(&task).await.expect("a lead");
    sim.fault(Match::put("/task/"), Fault::RateLimited(30), 1);
    let failure = super::write(&crm, "write", &task, "7")
        .await
        .expect_err("a refusal");
    assert_eq!(class(&failure), "limited");
    assert_eq!(sim.task(&task).expect("a task").status, "to do");
}

// A clock that is wrong by hours, or that says the reset is over, must not make anybody hammer.
#[tokio::test]
async fn a_reset_in_the_past_still_holds_the_next_call_back() {
    let sim = workspace(window(10_000, 60_000)).await;
    let task = sim.add_task(BROKERS, "Ada", Some("ada@x.example"));
    let mut short = config(&sim.api_url());
    short.timeout = Duration::from_secs(2);
    let crm = client_of(short);
    crm.lead(&task).await.expect("a lead");
    sim.fault(Match::get("/task/"), Fault::RateLimited(-7200), 3);
    sim.clear_requests();
    let until = Instant::now() + Duration::from_secs(3);
    while Instant::now() < until {
        let _any = crm.lead(&task).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
        if sim.faults_left() == 0 {
            break;
        }
    }
    let arrivals = arrivals(&sim);
    assert!(arrivals.len() <= 3, "{arrivals:?}");
    assert!(
        arrivals.windows(2).all(|two| two[1] - two[0] >= 900),
        "{arrivals:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_clients_of_one_token_share_its_limit() {
    let sim = workspace(window(40, 2_000)).await;
    let task = sim.add_task(BROKERS, "Ada", Some("ada@x.example"));
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let gate = Arc::new(Gate::default());
    let two = [0, 1].map(|_| {
        let config = config(&sim.api_url());
        Arc::new(ClickUp::with_gate(config, Arc::clone(&gate)).expect("a client"))
    });
    let reads: Vec<_> = (0..60)
        .map(|n| {
            let (crm, task) = (Arc::clone(&two[n % 2]), task.clone());
            tokio::spawn(async move { read_patiently(&crm, &task).await })
        })
        .collect();
    for read in reads {
        read.await.expect("no panic");
    }
    assert_eq!(sim.refused_429(), 0);
}
