//! Peers that take their time: each wait has an end, and nobody else notices.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::world::World;

/// Sends `head`, then `drip` a byte at a time until the peer has had enough; gives its answer and how long it took.
async fn drip(world: &World, head: &str, every: Duration) -> (String, Duration) {
    let began = Instant::now();
    let stream = TcpStream::connect(&world.calup.address)
        .await
        .expect("a connection");
    let (mut read, mut write) = stream.into_split();
    write.write_all(head.as_bytes()).await.expect("written");
    let dripping = tokio::spawn(async move {
        while write.write_all(b"a").await.is_ok() {
            tokio::time::sleep(every).await;
        }
    });
    let mut answer = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(25), read.read_to_end(&mut answer)).await;
    dripping.abort();
    assert!(ended.is_ok(), "the connection was never closed");
    (
        String::from_utf8_lossy(&answer).into_owned(),
        began.elapsed(),
    )
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn slow_headers_and_slow_bodies_are_cut_after_ten_seconds_while_others_are_served() {
    let world = World::start().await;
    let body = "POST /api/webhooks/cal HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n";
    let chunked =
        "POST /api/webhooks/cal HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\n";
    let idle = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    let served = async {
        for _ in 0..20 {
            let began = Instant::now();
            assert_eq!(world.get("/healthz").await["status"], "ok");
            assert!(began.elapsed() < 2 * SECOND);
            tokio::time::sleep(SECOND / 4).await;
        }
    };
    let (headers, body, chunked, idle, ()) = tokio::join!(
        drip(
            &world,
            "POST /api/webhooks/cal HTTP/1.1\r\nX-Slow: ",
            SECOND
        ),
        drip(&world, body, SECOND),
        drip(&world, chunked, SECOND),
        drip(&world, idle, SECOND),
        served,
    );
    for (name, (answer, took)) in [
        ("headers", &headers),
        ("body", &body),
        ("chunks", &chunked),
        ("idle", &idle),
    ] {
        assert!(
            (8 * SECOND..15 * SECOND).contains(took),
            "{name}: {took:?} {answer}"
        );
    }
    assert!(
        headers.0.is_empty() || headers.0.starts_with("HTTP/1.1 408 "),
        "{}",
        headers.0
    );
    for (answer, _) in [body, chunked] {
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    }
    let counts = world.get("/api/counts").await;
    assert_eq!(
        (&counts["received"], &counts["refused"]),
        (&0.into(), &0.into()),
        "{counts}"
    );
}

#[tokio::test]
async fn a_hundred_silent_connections_keep_nobody_out() {
    let world = World::start().await;
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(
            TcpStream::connect(&world.calup.address)
                .await
                .expect("a connection"),
        );
    }
    assert_eq!(world.deliver("{}").await, 200);
    assert_eq!(world.settle().await["received"], 1);
}
