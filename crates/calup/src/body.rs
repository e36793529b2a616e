//! Reading a delivery's body: how large it may be, how long it may take, and how much all of them may hold together.
//! Nobody has shown a signature yet, so nothing is set aside for a body before its bytes arrive.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body as Incoming;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub const BYTES_MAX: usize = 1_048_576;
/// For a whole body, with what it waits for others to make room.
pub const DEADLINE: Duration = Duration::from_secs(10);
/// The first bytes of each body are always taken: an ordinary delivery has a fifth of this, and must not wait for
/// somebody's large ones.
const OWN_BYTES: usize = 16 * 1_024;
/// All bodies together, beyond that.
const SHARED_BYTES: usize = 64 * 1_048_576;
/// A body grows by so much at a time.
const PIECE_BYTES: usize = 64 * 1_024;

#[derive(Clone)]
pub struct Budget(Arc<Semaphore>);

impl Default for Budget {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(SHARED_BYTES)))
    }
}

/// The raw bytes, which count as held until this is dropped.
pub struct Body {
    pub bytes: Vec<u8>,
    #[expect(dead_code, reason = "dropping it makes room")]
    room: Option<OwnedSemaphorePermit>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    TooLarge,
    /// It ended before its announced length.
    Cut,
    Late,
}

impl Budget {
    pub async fn read(&self, headers: &HeaderMap, incoming: Incoming) -> Result<Body, Refusal> {
        let announced = headers
            .get(header::CONTENT_LENGTH)
            .and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
        if announced.is_some_and(|bytes| bytes > BYTES_MAX) {
            return Err(Refusal::TooLarge);
        }
        let reading = self.collect(incoming, announced.unwrap_or(OWN_BYTES));
        let read = tokio::time::timeout(DEADLINE, reading).await;
        read.unwrap_or(Err(Refusal::Late))
    }

    async fn collect(&self, mut incoming: Incoming, expected: usize) -> Result<Body, Refusal> {
        let mut pieces = Pieces::expecting(expected);
        while let Some(frame) = incoming.frame().await {
            let Ok(mut data) = frame.map_err(|_| Refusal::Cut)?.into_data() else {
                continue;
            };
            if pieces.length + data.len() > BYTES_MAX {
                return Err(Refusal::TooLarge);
            }
            while !data.is_empty() {
                if pieces.is_full() {
                    self.grow(&mut pieces).await;
                }
                pieces.take_from(&mut data);
            }
        }
        Ok(pieces.together())
    }

    /// Makes room for another piece, once the others leave enough.
    async fn grow(&self, pieces: &mut Pieces) {
        let bytes = u32::try_from(PIECE_BYTES).expect("a piece is far smaller");
        let room = self.0.clone().acquire_many_owned(bytes).await;
        let room = room.expect("never closed");
        match &mut pieces.room {
            Some(held) => held.merge(room),
            none @ None => *none = Some(room),
        }
        pieces.all.push(Vec::with_capacity(PIECE_BYTES));
    }
}

/// A body that is still coming. Its pieces are of one size and never moved, so that what one body leaves fits the next.
struct Pieces {
    all: Vec<Vec<u8>>,
    length: usize,
    room: Option<OwnedSemaphorePermit>,
}

impl Pieces {
    fn expecting(bytes: usize) -> Self {
        Self {
            all: vec![Vec::with_capacity(bytes.min(OWN_BYTES))],
            length: 0,
            room: None,
        }
    }

    fn last(&mut self) -> &mut Vec<u8> {
        self.all.last_mut().expect("there is always one")
    }

    fn is_full(&mut self) -> bool {
        let last = self.last();
        last.len() == last.capacity()
    }

    fn take_from(&mut self, data: &mut Bytes) {
        let last = self.last();
        let fits = data.len().min(last.capacity() - last.len());
        last.extend_from_slice(&data.split_to(fits));
        self.length += fits;
    }

    fn together(mut self) -> Body {
        let bytes = if self.all.len() == 1 {
            self.all.remove(0)
        } else {
            self.all.concat()
        };
        Body {
            bytes,
            room: self.room,
        }
    }
}
