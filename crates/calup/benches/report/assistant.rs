//! What calup adds to the time of those it asks: to Cal.com's with a tool, to Claude's with the first word of an answer;
//! and that a repeated question costs no call.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sim::cal::api::{Bookable, Config, Server as CalCom};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::Effort;
use crate::http::Connection;
use crate::server::{Server, new_folder};
use crate::table::Table;
use crate::world::{new_token, serve};

const EVENT_TYPE: u64 = 880_101;
/// Of Cal.com, on the way there and back.
const LATENCY: Duration = Duration::from_millis(40);
const WORDS: usize = 10;

pub async fn ask(table: &mut Table, effort: Effort) {
    let calcom = CalCom::start(Config {
        limit_by_key: 100_000,
        latency: LATENCY,
        ..Config::default()
    })
    .await;
    calcom.add_event_type(Bookable::new(EVENT_TYPE, "intro-call", "Intro call", 30));
    let began = Instant::now();
    let claude = claude(began).await;
    let folder = new_folder("assistant");
    let mut command = serve(&folder, None);
    command
        .env("CALCOM_API_URL", calcom.api_url())
        .env("CALCOM_API_KEY", calcom.key())
        .env("ANTHROPIC_BASE_URL", format!("http://{claude}"))
        .env("ANTHROPIC_API_KEY", "sk-ant-bench");
    let calup = Server::start(command);
    let token = new_token(&folder);
    tool(table, effort, &calup, &calcom, &token).await;
    let mut late: Vec<f64> = Vec::new();
    for _ in 0..effort.pick(40, 10) {
        late.extend(words(calup.address, &token, began).await);
    }
    assert!(late.len() >= 10 * WORDS, "{late:?}");
    let slowest = late.iter().copied().fold(0.0, f64::max);
    let question = "Claude's words, from there until they are passed on (median)";
    table.at_most(question, median(late), 20.0, "ms");
    table.note(format!("the slowest {slowest:.1} ms"));
    calup.stop();
    let _ = std::fs::remove_dir_all(&folder);
}

async fn tool(table: &mut Table, effort: Effort, calup: &Server, calcom: &CalCom, token: &str) {
    let mut here = Connection::open(calup.address).await.expect("calup");
    let mut there = Connection::open(address(&calcom.api_url()))
        .await
        .expect("Cal.com");
    let types = post("/api/tools/cal_get_event_types", token, &json!({}));
    timed(&mut here, &types).await;
    let before = calcom.requests().len();
    timed(&mut here, &types).await;
    let asked = calcom.requests().len() - before;
    table.at_most(
        "Cal.com calls, event types asked again",
        asked as f64,
        0.0,
        "",
    );
    let wanted =
        json!({ "event_type_id": EVENT_TYPE, "date_from": "2090-05-01", "date_to": "2090-05-07" });
    let slots = post("/api/tools/cal_check_availability", token, &wanted);
    timed(&mut here, &slots).await;
    let before = calcom.requests().len();
    timed(&mut here, &slots).await;
    let all = calcom.requests();
    assert_eq!(
        all.len() - before,
        1,
        "one call of the tool is one of Cal.com's"
    );
    let same = format!(
        "GET {}?{} HTTP/1.1\r\nHost: cal\r\nAuthorization: Bearer {}\r\ncal-api-version: 2024-09-04\r\n\r\n",
        all[before].path,
        all[before].query,
        calcom.key()
    );
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..effort.pick(200, 30) {
        with.push(timed(&mut here, &slots).await);
        without.push(timed(&mut there, same.as_bytes()).await);
    }
    let (with, without) = (median(with), median(without));
    table.at_most(
        "a tool's call, beyond Cal.com's own time (median)",
        with - without,
        10.0,
        "ms",
    );
    table.note(format!("{with:.1} ms, where Cal.com takes {without:.1} ms"));
}

/// In milliseconds.
async fn timed(connection: &mut Connection, request: &[u8]) -> f64 {
    let began = Instant::now();
    let (status, body) = connection.send(request).await.expect("an answer");
    let took = began.elapsed();
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(body));
    took.as_secs_f64() * 1_000.0
}

fn post(path: &str, token: &str, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    format!(
        "POST {path} HTTP/1.1\r\nHost: calup\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn address(url: &str) -> SocketAddr {
    let host = url
        .strip_prefix("http://")
        .and_then(|it| it.split('/').next());
    host.and_then(|it| it.parse().ok()).expect("an address")
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

/// Says numbers: the microseconds since `began` at which each was written.
async fn claude(began: Instant) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(speak(stream, began));
        }
    });
    address
}

async fn speak(mut stream: TcpStream, began: Instant) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut request = Vec::new();
    while !is_whole(&request) {
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).await?;
    let message = json!({ "id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": [],
        "stop_reason": null, "usage": { "input_tokens": 1, "output_tokens": 1 } });
    tell(
        &mut stream,
        json!({ "type": "message_start", "message": message }),
    )
    .await?;
    let block = json!({ "type": "text", "text": "" });
    tell(
        &mut stream,
        json!({ "type": "content_block_start", "index": 0, "content_block": block }),
    )
    .await?;
    for _ in 0..WORDS {
        tokio::time::sleep(Duration::from_millis(15)).await;
        let text = format!("{} ", began.elapsed().as_micros());
        let delta = json!({ "type": "text_delta", "text": text });
        tell(
            &mut stream,
            json!({ "type": "content_block_delta", "index": 0, "delta": delta }),
        )
        .await?;
    }
    tell(
        &mut stream,
        json!({ "type": "content_block_stop", "index": 0 }),
    )
    .await?;
    let delta = json!({ "stop_reason": "end_turn", "stop_sequence": null });
    tell(
        &mut stream,
        json!({ "type": "message_delta", "delta": delta, "usage": { "output_tokens": 9 } }),
    )
    .await?;
    tell(&mut stream, json!({ "type": "message_stop" })).await
}

async fn tell(stream: &mut TcpStream, event: Value) -> std::io::Result<()> {
    let name = event["type"].as_str().unwrap_or_default();
    let event = format!("event: {name}\ndata: {event}\n\n");
    stream.write_all(event.as_bytes()).await
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, _)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.and_then(|it| it.parse().ok()).unwrap_or(0);
    request.len() >= head.len() + 4 + length
}

/// How late each word was, in milliseconds.
async fn words(address: SocketAddr, token: &str, began: Instant) -> Vec<f64> {
    let mut stream = TcpStream::connect(address).await.expect("calup");
    let asked = json!({ "messages": [{ "role": "user", "content": "Count." }] });
    let request = post("/api/chat", token, &asked);
    stream.write_all(&request).await.expect("asked");
    let (mut heard, mut late) = (Vec::new(), Vec::new());
    loop {
        let read = stream.read_buf(&mut heard).await.expect("an answer");
        let now = began.elapsed();
        let text = String::from_utf8_lossy(&heard);
        let said = text.lines().filter_map(|line| {
            let data: Value = serde_json::from_str(line.strip_prefix("data: ")?).ok()?;
            data["text"].as_str()?.trim().parse::<u64>().ok()
        });
        for at in said.skip(late.len()) {
            late.push(now.saturating_sub(Duration::from_micros(at)).as_secs_f64() * 1_000.0);
        }
        if read == 0 || text.contains("event: done") {
            assert_eq!(late.len(), WORDS, "{text}");
            return late;
        }
    }
}
