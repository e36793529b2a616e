//! Reading a delivery's body: how large it may be, how long it may take, and how much all of them may hold together.
//! Nobody has shown a signature yet, so nothing is set aside for a body before its bytes arrive.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body as Incoming;
use axum::http::{HeaderMap, header};
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
const STEP_BYTES: usize = 64 * 1_024;

pub struct Budget(Arc<Semaphore>);

impl Default for Budget {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(SHARED_BYTES)))
    }
}

/// The raw bytes, which count as held until this is dropped.
pub struct Body {
    pub bytes: Vec<u8>,
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
        let mut body = Body {
            bytes: Vec::new(),
            room: None,
        };
        while let Some(frame) = incoming.frame().await {
            let Ok(data) = frame.map_err(|_| Refusal::Cut)?.into_data() else {
                continue;
            };
            let length = body.bytes.len() + data.len();
            if length > BYTES_MAX {
                return Err(Refusal::TooLarge);
            }
            if length > body.bytes.capacity() {
                self.grow(&mut body, length, expected).await;
            }
            body.bytes.extend_from_slice(&data);
        }
        Ok(body)
    }

    /// Makes room for `length` bytes at least, once the others leave enough.
    async fn grow(&self, body: &mut Body, length: usize, expected: usize) {
        let wanted = if length <= OWN_BYTES {
            expected.clamp(length, OWN_BYTES)
        } else {
            (length + STEP_BYTES).min(expected.max(length))
        };
        let held = body
            .room
            .as_ref()
            .map_or(0, OwnedSemaphorePermit::num_permits);
        let more = wanted.saturating_sub(OWN_BYTES).saturating_sub(held);
        if more > 0 {
            let more = u32::try_from(more).expect("a body is far smaller");
            let room = self.0.clone().acquire_many_owned(more).await;
            let room = room.expect("never closed");
            match &mut body.room {
                Some(held) => held.merge(room),
                none @ None => *none = Some(room),
            }
        }
        body.bytes.reserve_exact(wanted - body.bytes.len());
    }
}
