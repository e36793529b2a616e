//! One kept-alive connection that sends requests as prepared bytes. Little more than two system calls each, so
//! that on a small machine the generator does not become what is measured.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: vec![0; 16 * 1024],
        })
    }

    /// Status and body.
    pub async fn send(&mut self, request: &[u8]) -> io::Result<(u16, &[u8])> {
        self.stream.write_all(request).await?;
        let mut filled = 0;
        loop {
            if filled == self.buffer.len() {
                self.buffer.resize(2 * filled, 0);
            }
            let read = self.stream.read(&mut self.buffer[filled..]).await?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            filled += read;
            if let Some((status, body)) = whole(&self.buffer[..filled]) {
                return Ok((status, &self.buffer[body..filled]));
            }
        }
    }
}

/// The status of a whole answer, and where its body begins.
fn whole(answer: &[u8]) -> Option<(u16, usize)> {
    let head_end = answer.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&answer[..head_end]).ok()?;
    let status = head.get(9..12)?.parse().ok()?;
    let bytes = head
        .lines()
        .find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length")
                .then(|| value.trim().parse().ok())?
        })
        .unwrap_or(0_usize);
    (answer.len() >= head_end + bytes).then_some((status, head_end))
}

/// A GET on a connection of its own.
pub async fn get(
    address: SocketAddr,
    path: &str,
    token: Option<&str>,
) -> io::Result<(u16, Vec<u8>)> {
    let authorization = token
        .map(|token| format!("Authorization: Bearer {token}\r\n"))
        .unwrap_or_default();
    let request = format!("GET {path} HTTP/1.1\r\nHost: calup\r\n{authorization}\r\n");
    let mut connection = Connection::open(address).await?;
    let (status, body) = connection.send(request.as_bytes()).await?;
    Ok((status, body.to_vec()))
}
