//! The storm's time: tokio's paused clock, shown as a date. The process's own clock may be wrong by `SKEW_MS`; the
//! vendors' is right.

use std::cell::Cell;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// 2026-12-01 08:00 UTC.
const BASE_MS: i64 = 1_796_112_000_000;

thread_local! {
    static BEGAN: Cell<Option<Instant>> = const { Cell::new(None) };
    static SKEW_MS: Cell<i64> = const { Cell::new(0) };
}

/// Within a runtime whose time is paused.
pub fn begin() {
    BEGAN.set(Some(Instant::now()));
    SKEW_MS.set(0);
    calup::clock::tell(calup::clock::Told {
        now: ours,
        steady,
        dice: crate::dice::fraction,
    });
    vendors::http::tell(ours);
}

/// Milliseconds since the storm began.
pub fn elapsed_ms() -> u64 {
    let began = BEGAN.get().expect("the storm has begun");
    Instant::now().duration_since(began).as_millis() as u64
}

fn steady() -> Duration {
    Duration::from_millis(elapsed_ms())
}

pub fn vendor_ms() -> i64 {
    // The pretended ClickUp is set up before time begins.
    BEGAN.get().map_or(BASE_MS, |began| {
        BASE_MS + Instant::now().duration_since(began).as_millis() as i64
    })
}

pub fn true_time() -> Timestamp {
    Timestamp::from_millisecond(vendor_ms()).expect("a near date")
}

/// What the process's clock shows.
pub fn ours() -> Timestamp {
    true_time() + SignedDuration::from_millis(SKEW_MS.get())
}

/// How wrong the process's clock is from here on.
pub fn set_skew(ms: i64) {
    SKEW_MS.set(ms);
}

pub async fn sleep_ms(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}
