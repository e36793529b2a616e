//! Named points at which a debug build ends as by a power cut, for the tests (CONTRIBUTING.md). A release build knows
//! none.

/// Ends here when `CALUP_CRASH_AT` is `point`, or `point:n` and this is the n-th time.
pub fn at(point: &str) {
    on(point, "");
}

/// The same; `point/what` means only this kind.
#[cfg(debug_assertions)]
pub fn on(point: &str, what: &str) {
    if points::is_it(point, what) {
        std::process::abort();
    }
}

/// A moment later, while what is begun here is under way.
#[cfg(debug_assertions)]
pub fn soon(point: &str, what: &str) {
    if points::is_it(point, what) {
        std::thread::spawn(|| {
            std::thread::sleep(points::A_MOMENT);
            std::process::abort();
        });
    }
}

#[cfg(not(debug_assertions))]
pub fn on(_point: &str, _what: &str) {}

#[cfg(not(debug_assertions))]
pub fn soon(_point: &str, _what: &str) {}

#[cfg(debug_assertions)]
mod points {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    pub const A_MOMENT: Duration = Duration::from_millis(150);

    struct Asked {
        point: String,
        left: AtomicU64,
    }

    pub fn is_it(point: &str, what: &str) -> bool {
        static ASKED: OnceLock<Option<Asked>> = OnceLock::new();
        let asked = ASKED.get_or_init(|| {
            let text = std::env::var("CALUP_CRASH_AT").ok()?;
            let (point, nth) = text.split_once(':').unwrap_or((&text, "1"));
            Some(Asked {
                point: point.to_owned(),
                left: AtomicU64::new(nth.parse().ok()?),
            })
        });
        let Some(asked) = asked else {
            return false;
        };
        let is_meant = match asked.point.split_once('/') {
            None => asked.point == point,
            Some((meant, of)) => meant == point && of == what,
        };
        is_meant && asked.left.fetch_sub(1, Ordering::Relaxed) == 1
    }
}
