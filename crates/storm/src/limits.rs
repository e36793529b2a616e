//! I12: what leaves stays within the limit that ClickUp's headers announce, as far as the process that sends it was told;
//! and after a 429 nothing leaves before its reset.

use std::sync::Arc;

use vendors::http::Answer;

use crate::life::Life;
use crate::time;
use crate::world::World;

/// Clocks may differ by so much.
const SLACK_MS: i64 = 1_000;

/// What one process was told of the window that it is in.
#[derive(Debug, Clone, Copy, Default)]
pub struct Told {
    /// After a 429: no request before this time of ClickUp's clock.
    shut_until_ms: Option<i64>,
    window: Option<Window>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    left: u32,
    reset_s: i64,
}

/// A request passes the gate.
pub fn departs(world: &World, life: &Arc<Life>) {
    if life.is_dead() {
        return;
    }
    let now = time::vendor_ms();
    let wrong = {
        let mut seen = world.seen();
        let told = seen.limits.entry(life.number).or_default();
        let is_over = |window: &Window| now >= window.reset_s * 1_000 - SLACK_MS;
        told.window = told.window.filter(|window| !is_over(window));
        match (told.shut_until_ms, &mut told.window) {
            (Some(until), _) if now < until - SLACK_MS => {
                Some(format!("a request {} ms before the reset", until - now))
            }
            (_, Some(Window { left: 0, reset_s })) => {
                let ms = *reset_s * 1_000 - now;
                Some(format!(
                    "a request {ms} ms before the window ends that it is beyond"
                ))
            }
            (_, Some(window)) => {
                window.left -= 1;
                None
            }
            (_, None) => None,
        }
    };
    if let Some(what) = wrong {
        world.violated("I12", what);
    }
}

/// From here on the process knows.
pub fn answered(world: &World, life: &Arc<Life>, answer: &Answer) {
    let number = |name: &str| -> Option<i64> {
        let value = answer.headers.get(name)?;
        value.to_str().ok()?.parse().ok()
    };
    let now = time::vendor_ms();
    // A reset that no window can have is a wrong clock's.
    let reset_s =
        number("x-ratelimit-reset").filter(|s| (now..now + 300_000).contains(&(s * 1_000)));
    let mut seen = world.seen();
    let told = seen.limits.entry(life.number).or_default();
    if answer.status == 429 {
        // It knows better than what was announced before.
        told.window = None;
        told.shut_until_ms = reset_s.map(|s| s * 1_000).or(told.shut_until_ms);
        return;
    }
    let remaining = number("x-ratelimit-remaining").and_then(|left| u32::try_from(left).ok());
    let (Some(reset_s), Some(remaining)) = (reset_s, remaining) else {
        return;
    };
    // Answers may come in another order than they were counted in.
    let known = told.window.filter(|window| window.reset_s >= reset_s);
    told.window = Some(match known {
        None => Window {
            left: remaining,
            reset_s,
        },
        Some(known) if known.reset_s == reset_s => Window {
            left: known.left.min(remaining),
            reset_s,
        },
        Some(known) => known,
    });
}
