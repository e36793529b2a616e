//! Odd bodies: what is authentic is kept, whatever it is; what is too large is not read; nothing stops the server.

use serde_json::json;
use sim::cal::{Cal, Person};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::world::{INBOUND, SECRET, World};

const START: &str = "2090-05-04T10:00:00Z";
const MIB: usize = 1_048_576;

/// A created booking whose JSON is padded to exactly this many bytes.
fn padded(cal: &Cal, bytes: usize) -> Vec<u8> {
    let mut body = cal
        .book(&Person::new("Ada Byrd", "ada@byrd.example"), START, 30)
        .created()
        .body;
    body.resize(bytes, b' ');
    body
}

async fn raw(world: &World, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(&world.calup.address)
        .await
        .expect("a connection");
    // It may be refused before all of it was read.
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

fn head(world: &World, more: &str) -> Vec<u8> {
    format!(
        "POST /api/webhooks/cal HTTP/1.1\r\nHost: {}\r\n{more}\r\n",
        world.calup.address
    )
    .into_bytes()
}

#[tokio::test]
async fn authentic_bodies_that_mean_nothing_are_kept_with_a_reason_and_a_next_step() {
    let world = World::start().await;
    let cal = world.cal();
    let booking = cal.book(&Person::new("Ada Byrd", "ada@byrd.example"), START, 30);
    let deep = |open: &str, close: &str| {
        let text = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        cal.deliver_raw(text.into_bytes(), "application/json")
    };
    let bytes = |bytes: &[u8]| cal.deliver_raw(bytes.to_vec(), "application/json");
    // `{"triggerEvent":"PING",…}`, compressed: bodies are never decompressed.
    let gzip = hex::decode("1f8b0800000000000203ab562a29ca4c4f4f2d722d4bcd2b51b2520af0f47357d2514a2e4a4d2c494d71040919191899e91a1aea1a998618185881511450494162654e7e628a9255756d2d00e4b24f0e47000000")
    .expect("hex");
    let cases = [
        ("empty", bytes(b"")),
        ("literal false", cal.literal_false()),
        ("null", bytes(b"null")),
        ("a number", bytes(b"1e999")),
        ("a template of JSON", cal.template_json(&booking)),
        ("a template that is a form", cal.template_form(&booking)),
        ("deep lists", deep("[", "]")),
        ("deep objects", deep("{\"a\":", "}")),
        (
            "deep and open",
            cal.deliver_raw("[".repeat(100_000).into_bytes(), "application/json"),
        ),
        ("deep payload", {
            let text = format!(
                r#"{{"triggerEvent":"BOOKING_CREATED","createdAt":"2026-11-25T00:00:00Z","payload":{{"uid":"x","a":{}{}}}}}"#,
                "[".repeat(100_000),
                "]".repeat(100_000)
            );
            cal.deliver_raw(text.into_bytes(), "application/json")
        }),
        ("NUL", bytes(b"\0")),
        ("no UTF-8", bytes(b"\xff\xfe\x00\x80")),
        (
            "half a JSON",
            bytes(b"{\"triggerEvent\":\"BOOKING_CREATED\",\"payload\":{\"uid\":"),
        ),
        ("gzip", bytes(&gzip).with_header("Content-Encoding", "gzip")),
        (
            "no payload",
            bytes(br#"{"triggerEvent":"BOOKING_CREATED","createdAt":"2026-11-25T00:00:00Z"}"#),
        ),
        (
            "payload is text",
            bytes(br#"{"triggerEvent":"BOOKING_CREATED","payload":"x"}"#),
        ),
        (
            "trigger is a list",
            bytes(br#"{"triggerEvent":["BOOKING_CREATED"],"payload":{}}"#),
        ),
    ];
    for (name, delivery) in &cases {
        assert_eq!(cal.send(delivery).await.0, 200, "{name}");
    }
    let counts = world.settle().await;
    assert_eq!(
        counts["quarantined"],
        cases.len(),
        "{}",
        world.get("/api/deliveries").await
    );
    for (name, delivery) in &cases {
        let (status, reason) = world.ending(&delivery.body).await;
        assert_eq!(status, "quarantined", "{name}: {reason}");
        assert!(reason.len() > 20 && reason.len() < 400, "{name}: {reason}");
    }
    assert_eq!(world.clickup.mutations(), 0);
    // Each can be replayed, and ends the same.
    let all = world.get("/api/deliveries").await;
    let id = all["deliveries"][0]["id"].as_str().expect("an id");
    assert_eq!(
        world
            .post(&format!("/api/deliveries/{id}/replay"), json!({}))
            .await
            .0,
        200
    );
    assert_eq!(world.settle().await["quarantined"], cases.len());
}

#[tokio::test]
async fn odd_characters_in_a_booking_do_not_cost_the_booking() {
    let world = World::start().await;
    let cal = world.cal();
    for (n, name) in [
        r"Ada \ud800 Byrd",
        r"Ada \u0000 Byrd",
        r"\udc00\ud800",
        r"\u202eadA",
        r"@everyone",
    ]
    .iter()
    .enumerate()
    {
        let booking = cal.book(
            &Person::new("PLACE", &format!("ada{n}@byrd.example")),
            START,
            30,
        );
        let text = String::from_utf8(booking.created().body)
            .expect("UTF-8")
            .replace("PLACE", name);
        assert_eq!(world.deliver(text).await, 200, "{name}");
    }
    let counts = world.settle().await;
    assert_eq!(counts["done"], 5, "{}", world.get("/api/deliveries").await);
    let leads = world.clickup.tasks_in(INBOUND);
    assert_eq!(leads.len(), 5);
    assert!(
        leads
            .iter()
            .all(|l| !l.name.contains('\0') && !l.name.is_empty()),
        "{leads:#?}"
    );
}

#[tokio::test]
async fn one_mebibyte_is_taken_and_a_byte_more_is_refused_before_it_is_verified() {
    let world = World::start().await;
    let cal = world.cal();
    let fits = padded(&cal, MIB);
    assert_eq!(world.deliver(fits.clone()).await, 200);
    // Signed or not, announced or not.
    assert_eq!(world.deliver(padded(&cal, MIB + 1)).await, 413);
    let announced = head(&world, &format!("Content-Length: {}\r\n", MIB + 1));
    let answer = raw(&world, &announced).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    let mut chunked = head(&world, "Transfer-Encoding: chunked\r\n");
    chunked.extend(format!("{:x}\r\n", MIB + 1).bytes());
    chunked.extend(vec![b' '; MIB + 1]);
    chunked.extend(b"\r\n0\r\n\r\n");
    let answer = raw(&world, &chunked).await;
    assert!(
        answer.starts_with("HTTP/1.1 413 ") || answer.is_empty(),
        "{answer}"
    );
    let counts = world.settle().await;
    assert_eq!(
        (&counts["received"], &counts["refused"]),
        (&1.into(), &0.into()),
        "{counts}"
    );
    assert_eq!(world.ending(&fits).await.0, "done");
}

#[tokio::test]
async fn a_body_cut_midway_stores_nothing_and_the_server_lives() {
    let world = World::start().await;
    let body = world
        .cal()
        .book(&Person::new("Ada Byrd", "ada@byrd.example"), START, 30)
        .created()
        .body;
    let signature = sim::cal::sign(SECRET, &body);
    for _ in 0..20 {
        let head = head(
            &world,
            &format!(
                "X-Cal-Signature-256: {signature}\r\nContent-Length: {}\r\n",
                body.len()
            ),
        );
        let mut stream = TcpStream::connect(&world.calup.address)
            .await
            .expect("a connection");
        stream.write_all(&head).await.expect("written");
        stream
            .write_all(&body[..body.len() / 2])
            .await
            .expect("written");
        drop(stream);
    }
    // What is cut is not stored, even where the half is signed.
    let half = &body[..body.len() / 2];
    let signed = sim::cal::sign(SECRET, half);
    let mut request = head(
        &world,
        &format!(
            "X-Cal-Signature-256: {signed}\r\nContent-Length: {}\r\n",
            body.len()
        ),
    );
    request.extend(half);
    let mut stream = TcpStream::connect(&world.calup.address)
        .await
        .expect("a connection");
    stream.write_all(&request).await.expect("written");
    stream.shutdown().await.expect("closed for writing");
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 400 "),
        "{answer}"
    );
    assert_eq!(world.deliver(body).await, 200);
    assert_eq!(world.settle().await["received"], 1);
}

#[tokio::test]
async fn another_method_is_told_which_one_is_right() {
    let world = World::start().await;
    for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"] {
        for path in ["/api/webhooks/cal", "/api/webhooks/cal/default"] {
            let url = format!("http://{}{path}", world.calup.address);
            let answer = world
                .http
                .request(method.parse().expect("a method"), url)
                .send()
                .await
                .expect("an answer");
            assert_eq!(answer.status().as_u16(), 405, "{method} {path}");
            assert_eq!(answer.headers()["allow"], "POST", "{method} {path}");
        }
    }
    let url = format!("http://{}/api/no-such-thing", world.calup.address);
    let answer = world.http.get(url).send().await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 404);
    assert_eq!(world.get("/api/counts").await["refused"], 0);
}

#[tokio::test]
async fn the_content_type_decides_nothing() {
    let world = World::start().await;
    let cal = world.cal();
    for (n, kind) in [
        "application/x-www-form-urlencoded",
        "text/plain",
        "application/json; charset=utf-16",
        "x",
    ]
    .iter()
    .enumerate()
    {
        let booking = cal.book(
            &Person::new("Ada Byrd", &format!("ada{n}@byrd.example")),
            START,
            30,
        );
        let delivery = cal.deliver_raw(booking.created().body, kind);
        assert_eq!(cal.send(&delivery).await.0, 200);
    }
    assert_eq!(world.settle().await["done"], 4);
}
