//! Until when a writing request may leave. A process may be stopped anywhere, and goes on there, perhaps long after: so
//! this is asked on the connection, in the moment in which the request is put into its buffer, and by nobody before.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

tokio::task_local! {
    static END: Instant;
}

/// A request with a body that `call` sends leaves before `end`, or never. One without a body (DELETE) is not held.
pub async fn until<T>(end: Instant, call: impl Future<Output = T>) -> T {
    END.scope(end, call).await
}

pub fn body(text: String) -> reqwest::Body {
    match END.try_with(|end| *end) {
        Ok(end) => reqwest::Body::wrap(Ending { text, end }),
        Err(_) => text.into(),
    }
}

struct Ending {
    text: String,
    end: Instant,
}

impl Body for Ending {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if Instant::now() >= self.end {
            // The connection ends with it: nothing of the request was flushed.
            return Poll::Ready(Some(Err(io::ErrorKind::TimedOut.into())));
        }
        let text = std::mem::take(&mut self.text);
        Poll::Ready((!text.is_empty()).then(|| Ok(Frame::data(text.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.text.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.text.len() as u64)
    }
}
