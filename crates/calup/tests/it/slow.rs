//! Peers that take their time: each wait has an end, and nobody else notices.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::Value;
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

/// What is said of a request that needs no more than its head.
async fn said_at_once(world: &World, head: &str) -> String {
    let mut stream = TcpStream::connect(&world.calup.address)
        .await
        .expect("a connection");
    stream.write_all(head.as_bytes()).await.expect("written");
    let mut answer = String::new();
    let read = tokio::time::timeout(5 * SECOND, stream.read_to_string(&mut answer)).await;
    assert!(read.is_ok(), "the connection was never closed: {answer}");
    answer
}

fn error_in(answer: &str) -> Value {
    let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    body["error"].clone()
}

#[tokio::test]
async fn a_click_that_is_slow_or_large_is_refused_as_a_delivery_is() {
    const BODY_BYTES_MAX: usize = 1_048_576;
    let world = World::start().await;
    let doors = [
        "/api/webhooks/cal",
        "/api/slack/interactions",
        "/api/slack/interactions/default",
    ];
    let head =
        |door: &str, length: &str| format!("POST {door} HTTP/1.1\r\nHost: x\r\n{length}\r\n\r\n");
    let mut slow = Vec::new();
    for door in doors {
        slow.push(head(door, "Content-Length: 5000"));
        slow.push(head(door, "Transfer-Encoding: chunked") + "1000\r\n");
    }
    let answers = join_all(slow.iter().map(|asked| drip(&world, asked, SECOND))).await;
    for (asked, (answer, took)) in slow.iter().zip(answers) {
        assert!(
            (8 * SECOND..15 * SECOND).contains(&took),
            "{asked}: {took:?} {answer}"
        );
        assert!(answer.starts_with("HTTP/1.1 408 "), "{asked}: {answer}");
        assert!(error_in(&answer).is_string(), "{asked}: {answer}");
    }
    for door in doors {
        let large = head(door, &format!("Content-Length: {}", BODY_BYTES_MAX + 1));
        let answer = said_at_once(&world, &large).await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{door}: {answer}");
        assert!(error_in(&answer).is_string(), "{door}: {answer}");
        // One that just fits is read, and turned away because nobody signed it.
        let url = format!("http://{}{door}", world.calup.address);
        let fits = world.http.post(url).body("a".repeat(BODY_BYTES_MAX));
        let fits = fits.send().await.expect("an answer");
        assert_eq!(fits.status(), 401, "{door}");
    }
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

/// Sends what it can of a body of a million bytes, and never the rest.
async fn hold_a_body(address: String) {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let head = "POST /api/webhooks/cal HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("written");
    // Cut off in the end.
    let _ = stream.write_all(&vec![b'a'; 999_999]).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
}

#[tokio::test]
async fn bodies_that_nobody_signed_hold_little_memory_and_nobody_else_up() {
    let world = World::start().await;
    let held: Vec<_> = (0..400)
        .map(|_| tokio::spawn(hold_a_body(world.calup.address.clone())))
        .collect();
    tokio::time::sleep(3 * SECOND).await;
    let began = Instant::now();
    assert_eq!(world.deliver("{}").await, 200);
    let took = began.elapsed();
    assert!(took < 2 * SECOND, "an ordinary delivery took {took:?}");
    for held in held {
        held.await.expect("it ends");
    }
    let peak = world.calup.peak_mib();
    // The budget, and up to 128 KiB of buffers for each connection; the bodies would be 400.
    assert!(peak < 256.0, "{peak} MiB for bodies that nobody signed");
    // What they held is free again.
    assert_eq!(world.deliver("a".repeat(1_000_000)).await, 200);
}

#[tokio::test]
async fn a_peer_that_does_not_read_its_answers_is_let_go() {
    const ANSWERS: usize = 15;
    let world = World::start().await;
    let body = format!(r#"{{"a":"{}"}}"#, "a".repeat(1_000_000));
    assert_eq!(world.deliver(body).await, 200);
    let all = world.get("/api/deliveries").await;
    let id = all["deliveries"][0]["id"].as_str().expect("an id");
    let mut stream = TcpStream::connect(&world.calup.address)
        .await
        .expect("a connection");
    let request = format!(
        "GET /api/deliveries/{id} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\r\n",
        world.token
    );
    let requests = request.repeat(ANSWERS);
    stream
        .write_all(requests.as_bytes())
        .await
        .expect("written");
    // The kernel's buffers take a few megabytes; then ten seconds pass.
    tokio::time::sleep(25 * SECOND).await;
    let mut answers = Vec::new();
    let read = tokio::time::timeout(5 * SECOND, stream.read_to_end(&mut answers)).await;
    assert!(read.is_ok(), "the connection is still open");
    let bytes = answers.len();
    assert!(bytes > 1_000_000, "{bytes} bytes came: not one answer");
    assert!(bytes < ANSWERS * 1_000_000, "{bytes} bytes came");
}
