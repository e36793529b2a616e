//! What becomes of a request that meets a fault, as far as that is the same at every vendor; and the small words of answers
//! that all of them share.

use std::time::Duration;

use bytes::Bytes;

use crate::faults::{FOREIGN_JSON, Fault};
use crate::http::{self, Answer, Reply};

/// What a vendor carries out in its own way.
pub(crate) enum Own {
    /// As without a fault, answered this many milliseconds later.
    Delay(u64),
    /// Dropped now, carried out this many milliseconds later.
    ApplyLate(u64),
    /// Over the limit, for so many seconds.
    Limited(i64),
    IndexLag(u64),
    StaleRead(u64),
}

/// `run` carries the request out.
pub(crate) fn suffer(fault: Fault, run: impl Fn() -> Answer) -> Result<Reply, Own> {
    Ok(match fault {
        Fault::Status(status, body) => Reply::Answer(json(status, body)),
        Fault::Html(status) => Reply::Answer(http::gateway(status)),
        Fault::Redirect302(to) => Reply::Answer(http::redirect(to)),
        Fault::Drop => Reply::Drop,
        Fault::Hang => Reply::Hang,
        Fault::ApplyThenDrop => after(run(), Reply::Drop),
        Fault::ApplyThenHang => after(run(), Reply::Hang),
        Fault::ApplyThenStatus(status) => after(run(), Reply::Answer(http::gateway(status))),
        Fault::CutBody(bytes) => Reply::Cut(run(), bytes),
        Fault::EmptyBody200 => after(run(), Reply::Answer(json(200, ""))),
        Fault::ForeignJson200 => after(run(), Reply::Answer(json(200, FOREIGN_JSON))),
        Fault::Delay(wait_ms) => return Err(Own::Delay(wait_ms)),
        Fault::DropThenApplyLate(wait_ms) => return Err(Own::ApplyLate(wait_ms)),
        Fault::RateLimited(seconds) => return Err(Own::Limited(seconds)),
        Fault::IndexLag(lag_ms) => return Err(Own::IndexLag(lag_ms)),
        Fault::StaleRead(stale_ms) => return Err(Own::StaleRead(stale_ms)),
    })
}

// The answer is lost on its way: that is the fault.
fn after(_lost: Answer, reply: Reply) -> Reply {
    reply
}

pub(crate) fn json(status: u16, body: impl Into<Bytes>) -> Answer {
    Answer {
        status,
        headers: vec![content_type()],
        body: body.into(),
    }
}

pub(crate) fn content_type() -> (String, String) {
    (
        "Content-Type".to_owned(),
        "application/json; charset=utf-8".to_owned(),
    )
}

pub(crate) async fn sleep_ms(wait_ms: u64) {
    if wait_ms > 0 {
        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
    }
}

pub(crate) fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
