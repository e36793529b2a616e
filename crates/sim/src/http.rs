//! An HTTP/1.1 server on loopback that can misbehave on purpose, and the plain
//! client that the pretended Cal.com sends with. What a vendor answers is decided
//! elsewhere.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::{HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::upgrade::Upgraded;
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Sleep, sleep};

use crate::faults::gateway_page;

const REQUEST_BYTES_MAX: usize = 8 * 1024 * 1024;
const SEND_TIMEOUT: Duration = Duration::from_secs(30);

/// One request as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

pub(crate) enum Reply {
    Answer(Answer),
    /// Announces the whole length, sends this many bytes of the body, then closes.
    Cut(Answer, usize),
    /// Closes the connection without a single byte.
    Drop,
    /// Keeps the connection open and never answers.
    Hang,
    /// The head at once, then each piece of the body after its pause; [`Paced::cut`] breaks off instead of ending.
    Paced(Answer, Paced),
    /// Switches protocols: who takes the connection over once this answer is out.
    Upgrade(Answer, Taker),
}

pub(crate) type Taker = Box<dyn FnOnce(TokioIo<Upgraded>) + Send>;

pub(crate) type Handler =
    Arc<dyn Fn(Call) -> Pin<Box<dyn Future<Output = Reply> + Send>> + Send + Sync>;

/// A bound port and the task that serves it. Closing it cuts every connection.
#[derive(Debug)]
pub(crate) struct Listening {
    pub addr: SocketAddr,
    task: JoinHandle<()>,
}

impl Listening {
    /// Binds 127.0.0.1; port 0 picks a free one.
    pub async fn start(port: u16, handler: Handler) -> io::Result<Self> {
        let listener = bind(port).await?;
        let addr = listener.local_addr()?;
        let task = tokio::spawn(accept(listener, handler));
        Ok(Self { addr, task })
    }

    pub async fn close(mut self) {
        self.task.abort();
        // The join error is the cancellation we have just asked for.
        let _cancelled = (&mut self.task).await;
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

// A port that was just given up may be busy for a moment.
async fn bind(port: u16) -> io::Result<TcpListener> {
    let mut tries = 0;
    loop {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
            Ok(listener) => return Ok(listener),
            Err(error) if tries >= 40 || error.kind() != io::ErrorKind::AddrInUse => {
                return Err(error);
            }
            Err(_) => {
                tries += 1;
                sleep(Duration::from_millis(25)).await;
            }
        }
    }
}

async fn accept(listener: TcpListener, handler: Handler) {
    // Dropped with this task, and every connection with it.
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            sleep(Duration::from_millis(5)).await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        let _ignored_on_loopback = stream.set_nodelay(true);
        let handler = Arc::clone(&handler);
        connections.spawn(async move {
            let service = service_fn(move |request| answer(Arc::clone(&handler), request));
            // A client that goes away, or a fault that drops, ends in an error here.
            let _closed = hyper::server::conn::http1::Builder::new()
                .auto_date_header(false)
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades()
                .await;
        });
    }
}

async fn answer(
    handler: Handler,
    mut request: Request<Incoming>,
) -> Result<Response<Payload>, io::Error> {
    let upgrade = hyper::upgrade::on(&mut request);
    let (head, body) = request.into_parts();
    let body = Limited::new(body, REQUEST_BYTES_MAX)
        .collect()
        .await
        .map_err(|error| io::Error::other(error.to_string()))?
        .to_bytes();
    let call = Call {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body,
    };
    // In a task of its own: a vendor finishes a request even if the client left.
    let reply = tokio::spawn(handler(call))
        .await
        .map_err(io::Error::other)?;
    match reply {
        Reply::Answer(answer) => Ok(response(answer, None)),
        Reply::Cut(answer, at) => Ok(response(answer, Some(at))),
        Reply::Drop => Err(io::Error::other("dropped on purpose")),
        Reply::Hang => std::future::pending().await,
        Reply::Paced(answer, paced) => Ok(streamed(answer, paced)),
        Reply::Upgrade(answer, taker) => {
            tokio::spawn(async move {
                // A client that went away in between needs nobody.
                if let Ok(stream) = upgrade.await {
                    taker(TokioIo::new(stream));
                }
            });
            Ok(response(answer, None))
        }
    }
}

fn response(answer: Answer, cut_at: Option<usize>) -> Response<Payload> {
    let bytes_announced = answer.body.len() as u64;
    let payload = match cut_at {
        None => Payload {
            data: Some(answer.body),
            bytes_announced,
            break_after: None,
            paced: None,
        },
        Some(at) => Payload {
            data: Some(answer.body.slice(..at.min(answer.body.len()))),
            bytes_announced,
            // Time for what was sent to leave the process before the connection breaks.
            break_after: Some(Box::pin(sleep(Duration::from_millis(20)))),
            paced: None,
        },
    };
    headed(answer.status, answer.headers, payload)
}

fn streamed(answer: Answer, paced: Paced) -> Response<Payload> {
    let payload = Payload {
        data: None,
        bytes_announced: 0,
        break_after: None,
        paced: Some(paced),
    };
    headed(answer.status, answer.headers, payload)
}

fn headed(status: u16, headers: Vec<(String, String)>, payload: Payload) -> Response<Payload> {
    let mut response = Response::new(payload);
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("our header names are valid");
        let value = HeaderValue::from_str(&value).expect("our header values are valid");
        response.headers_mut().append(name, value);
    }
    response
}

/// A body that may break off.
struct Payload {
    data: Option<Bytes>,
    bytes_announced: u64,
    break_after: Option<Pin<Box<Sleep>>>,
    paced: Option<Paced>,
}

/// A body that comes piece by piece.
pub(crate) struct Paced {
    /// Each after a pause.
    pub pieces: VecDeque<(Duration, Bytes)>,
    pub cut: bool,
    /// When each piece was handed to the network.
    pub sent: Arc<Mutex<Vec<Instant>>>,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Paced {
    pub fn new(pieces: VecDeque<(Duration, Bytes)>, sent: Arc<Mutex<Vec<Instant>>>) -> Self {
        Self {
            pieces,
            cut: false,
            sent,
            pause: None,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let Some((wait, _)) = self.pieces.front() else {
            let cut = || Err(io::Error::other("cut on purpose"));
            return Poll::Ready(self.cut.then(cut));
        };
        // Even without a pause each piece is a chunk of its own.
        let pause = self.pause.get_or_insert_with(|| Box::pin(sleep(*wait)));
        if pause.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.pause = None;
        let piece = self.pieces.pop_front().map(|(_, piece)| piece);
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.push(Instant::now());
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(paced) = &mut self.paced {
            return paced.poll(cx);
        }
        if let Some(data) = self.data.take().filter(|data| !data.is_empty()) {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        match &mut self.break_after {
            None => Poll::Ready(None),
            Some(pause) => pause
                .as_mut()
                .poll(cx)
                .map(|()| Some(Err(io::Error::other("cut on purpose")))),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self.paced {
            Some(_) => SizeHint::default(),
            None => SizeHint::with_exact(self.bytes_announced),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.paced.is_none()
            && self.break_after.is_none()
            && self.data.as_ref().is_none_or(Bytes::is_empty)
    }
}

/// What came back for a request sent with [`send`].
#[derive(Clone, Debug)]
pub struct Received {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Received {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; `Null` when it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// Sends one plain HTTP request on a connection of its own, headers exactly as given
/// (twice the same name stays twice) and without any retry. An answer that ends early is an error.
pub async fn send(
    method: &str,
    url: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> io::Result<Received> {
    match tokio::time::timeout(SEND_TIMEOUT, exchange(method, url, headers, body)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "no answer in time")),
    }
}

async fn exchange(
    method: &str,
    url: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> io::Result<Received> {
    let rest = url
        .strip_prefix("http://")
        .ok_or_else(|| io::Error::other("only plain http addresses can be called"))?;
    let (authority, target) = match rest.find(['/', '?']) {
        Some(at) if rest[at..].starts_with('/') => (&rest[..at], rest[at..].to_owned()),
        Some(at) => (&rest[..at], format!("/{}", &rest[at..])),
        None => (rest, "/".to_owned()),
    };
    let address = if authority.contains(':') {
        authority.to_owned()
    } else {
        format!("{authority}:80")
    };
    let mut stream = TcpStream::connect(address).await?;
    let mut head = format!("{method} {target} HTTP/1.1\r\nHost: {authority}\r\n");
    for (name, value) in headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    let length = body.len().to_string();
    head.extend(["Content-Length: ", &length, "\r\nConnection: close\r\n\r\n"]);
    stream.write_all(head.as_bytes()).await?;
    // The other side may refuse early and close; its answer still counts.
    let _refused_early = stream.write_all(body).await;
    let mut raw = Vec::new();
    if let Err(error) = stream.read_to_end(&mut raw).await
        && raw.is_empty()
    {
        return Err(error);
    }
    parse(method, &raw)
}

fn parse(method: &str, raw: &[u8]) -> io::Result<Received> {
    let early = || io::Error::new(io::ErrorKind::UnexpectedEof, "the answer ended early");
    let head_end = find(raw, b"\r\n\r\n").ok_or_else(early)?;
    let head = String::from_utf8_lossy(&raw[..head_end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .and_then(|code| code.parse().ok())
        .ok_or_else(early)?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    let mut received = Received {
        status,
        headers,
        body: raw[head_end + 4..].to_vec(),
    };
    if status == 100 {
        return parse(method, &raw[head_end + 4..]);
    }
    if received
        .header("transfer-encoding")
        .is_some_and(|coding| coding.contains("chunked"))
    {
        received.body = unchunk(&received.body).ok_or_else(early)?;
    } else if let Some(length) = received.header("content-length") {
        let length: usize = length.parse().map_err(|_| early())?;
        if received.body.len() < length && method != "HEAD" {
            return Err(early());
        }
        received.body.truncate(length);
    }
    Ok(received)
}

fn unchunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line_end = find(rest, b"\r\n")?;
        let size = std::str::from_utf8(&rest[..line_end]).ok()?;
        let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
        rest = &rest[line_end + 2..];
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size + 2..)?;
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

/// Wraps an async function as a [`Handler`].
pub(crate) fn handler<F, Fut>(answer: F) -> Handler
where
    F: Fn(Call) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Reply> + Send + 'static,
{
    Arc::new(move |call| Box::pin(answer(call)))
}

/// A gateway's page, where what is behind it failed.
pub(crate) fn gateway(status: u16) -> Answer {
    Answer {
        status,
        headers: vec![("Content-Type".to_owned(), "text/html".to_owned())],
        body: gateway_page(status).into(),
    }
}

pub(crate) fn redirect(to: String) -> Answer {
    Answer {
        status: 302,
        headers: vec![("Location".to_owned(), to)],
        body: Bytes::new(),
    }
}
