//! A server of raw bytes, for what the pretended vendors would never do.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// One request as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// Counted from 0, in the order of acceptance.
    pub connection: usize,
    pub method: String,
    /// With the query.
    pub path: String,
    /// The head with everything in it.
    pub head: String,
    pub body: String,
}

pub(crate) enum Then {
    /// These bytes; the connection stays.
    Answer(String),
    /// These bytes, and the end of the connection although keep-alive was announced.
    AnswerAndClose(String),
    Close,
}

type Rule = dyn Fn(&Seen) -> Then + Send + Sync;

pub(crate) struct Stub {
    pub url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Stub {
    pub async fn start(rule: impl Fn(&Seen) -> Then + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (log, rule): (_, Arc<Rule>) = (Arc::clone(&seen), Arc::new(rule));
        let task = tokio::spawn(async move {
            let mut connection = 0;
            while let Ok((stream, _)) = listener.accept().await {
                let (log, rule) = (Arc::clone(&log), Arc::clone(&rule));
                tokio::spawn(serve(stream, connection, log, rule));
                connection += 1;
            }
        });
        Self {
            url: format!("http://127.0.0.1:{port}/api"),
            seen,
            task,
        }
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("nobody panicked").clone()
    }

    pub fn writes(&self) -> Vec<Seen> {
        let mut seen = self.seen();
        seen.retain(|request| request.method != "GET");
        seen
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    mut stream: TcpStream,
    connection: usize,
    log: Arc<Mutex<Vec<Seen>>>,
    rule: Arc<Rule>,
) {
    let mut bytes = Vec::new();
    while let Some(seen) = request(&mut stream, &mut bytes, connection).await {
        let then = rule(&seen);
        log.lock().expect("nobody panicked").push(seen);
        let (answer, closes) = match then {
            Then::Answer(answer) => (answer, false),
            Then::AnswerAndClose(answer) => (answer, true),
            Then::Close => (String::new(), true),
        };
        if stream.write_all(answer.as_bytes()).await.is_err() || closes {
            return;
        }
    }
}

async fn request(stream: &mut TcpStream, bytes: &mut Vec<u8>, connection: usize) -> Option<Seen> {
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        more(stream, bytes).await?;
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())
        .unwrap_or(0);
    while bytes.len() < head_end + length {
        more(stream, bytes).await?;
    }
    let body = String::from_utf8_lossy(&bytes[head_end..head_end + length]).into_owned();
    bytes.drain(..head_end + length);
    let mut line = head.split_whitespace();
    Some(Seen {
        connection,
        method: line.next()?.to_owned(),
        path: line.next()?.to_owned(),
        head,
        body,
    })
}

async fn more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<()> {
    let mut chunk = [0; 4096];
    let read = stream.read(&mut chunk).await.ok().filter(|n| *n > 0)?;
    bytes.extend_from_slice(&chunk[..read]);
    Some(())
}

/// A whole answer that keeps the connection.
pub(super) fn json(status: u16, body: &str) -> String {
    with_headers(status, "", body)
}

pub(crate) fn with_headers(status: u16, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
}

/// What the client looks up before it searches or creates, on any list.
pub(super) fn lookup(seen: &Seen) -> Option<String> {
    let path = seen.path.split('?').next().unwrap_or_default();
    let body = match path.rsplit('/').next() {
        Some("user") => r#"{"user":{"id":54000001,"username":"CRM Bot"}}"#.to_owned(),
        Some("team") => r#"{"teams":[{"id":"9011000000","name":"Acme"}]}"#.to_owned(),
        Some("field") if seen.method == "GET" => {
            format!(
                r#"{{"fields":[{{"id":"{}","name":"Email","type":"email","type_config":{{}}}}]}}"#,
                super::EMAIL
            )
        }
        Some(id) if path.ends_with(&format!("/v2/list/{id}")) => format!(
            r#"{{"id":"{id}","name":"List","statuses":[{{"status":"to do","type":"open"}},{{"status":"meeting booked","type":"custom"}}]}}"#
        ),
        _ => return None,
    };
    Some(json(200, &body))
}
