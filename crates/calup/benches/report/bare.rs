//! The bare server that intake is held against: hyper, the same HMAC over the raw bytes, and one durable insert per
//! delivery by one thread that commits whatever waits together. No routes, no sealing, no deadlines, no indexes,
//! nobody reading along: what is left is what any durable webhook server must do.

use std::convert::Infallible;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::mpsc::{Receiver, Sender, channel};

use bytes::Bytes;
use hmac::{Hmac, Mac};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rusqlite::{Connection, params};
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::deliveries::SECRET;
use crate::server::Server;

pub const ARGUMENT: &str = "--bare-server";
/// As calup's.
const BATCH_MAX: usize = 256;

type Waiting = (Bytes, oneshot::Sender<()>);

/// This program again, as the server.
pub fn start(folder: &Path) -> Server {
    Server::start(command(folder))
}

pub fn command(folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.arg(ARGUMENT).arg(folder);
    command
}

pub fn main(folder: &str) -> ExitCode {
    let (queue, waiting) = channel();
    let db = open(&Path::new(folder).join("bare.db")).expect("a database");
    std::thread::spawn(move || write(&db, &waiting));
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(serve(queue));
    ExitCode::SUCCESS
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let db = Connection::open(path)?;
    db.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         CREATE TABLE delivery (id INTEGER PRIMARY KEY, body BLOB NOT NULL);",
    )?;
    Ok(db)
}

fn write(db: &Connection, waiting: &Receiver<Waiting>) {
    let mut insert = db
        .prepare("INSERT INTO delivery (body) VALUES (?1)")
        .expect("a statement");
    while let Ok(first) = waiting.recv() {
        let mut batch = vec![first];
        db.execute_batch("BEGIN IMMEDIATE").expect("begun");
        let mut next = 0;
        while next < batch.len() {
            insert
                .execute(params![&batch[next].0[..]])
                .expect("inserted");
            next += 1;
            if next == batch.len() && next < BATCH_MAX {
                batch.extend(waiting.try_iter().take(BATCH_MAX - next));
            }
        }
        db.execute_batch("COMMIT").expect("committed");
        for (_, answer) in batch {
            let _ = answer.send(());
        }
    }
}

async fn serve(queue: Sender<Waiting>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    eprintln!("bare listens on http://{address}");
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let queue = queue.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(request, queue.clone()));
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    queue: Sender<Waiting>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let answer = |status, body| {
        let mut response = Response::new(Full::new(Bytes::from_static(body)));
        *response.status_mut() = status;
        Ok(response)
    };
    let (head, body) = request.into_parts();
    let Ok(body) = body.collect().await else {
        return answer(StatusCode::BAD_REQUEST, b"");
    };
    let body = body.to_bytes();
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any length will do");
    mac.update(&body);
    let claimed = head.headers.get("x-cal-signature-256");
    let claimed = claimed.and_then(|value| hex::decode(value.as_bytes()).ok());
    if claimed.is_none_or(|claimed| mac.verify_slice(&claimed).is_err()) {
        return answer(StatusCode::UNAUTHORIZED, b"");
    }
    let (done, durable) = oneshot::channel();
    if queue.send((body, done)).is_err() || durable.await.is_err() {
        return answer(StatusCode::SERVICE_UNAVAILABLE, b"");
    }
    answer(StatusCode::OK, br#"{"success":true}"#)
}
