//! Whether a question whose post was begun, and of which no answer came, stands in the channel: looked for by its marker,
//! and held for absent only after a while in which it was found by no look.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use domain::outcome::Failure;
use store::rows::Question;
use vendors::slack::Slack;

use crate::app::App;
use crate::lookup::SKEW;

const NEGATIVES_MIN: u32 = 3;
const BETWEEN: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(20));

pub enum Stands {
    /// Known by this time stamp.
    There(String),
    Nowhere,
    Unclear,
}

/// By question: how often it was not found, and since when it is looked for.
#[derive(Default)]
pub struct Doubts(HashMap<String, Doubt>);

struct Doubt {
    negatives: u32,
    since: Instant,
    again: Instant,
}

impl Doubts {
    /// It may have been sent just now.
    pub fn begin(&mut self, question: &str) {
        self.0.insert(question.to_owned(), Doubt::new());
    }

    pub async fn look(
        &mut self,
        app: &App,
        slack: &Slack,
        question: &Question,
        marker: &str,
    ) -> Result<Stands, Failure> {
        let doubt = self.0.entry(question.id.clone()).or_insert_with(Doubt::new);
        if Instant::now() < doubt.again {
            return Ok(Stands::Unclear);
        }
        let since = question.asked.asked_at - SKEW;
        if let Some(ts) = slack.find(marker, since).await? {
            self.0.remove(&question.id);
            return Ok(Stands::There(ts));
        }
        let (now, quiet) = (Instant::now(), app.config.late_apply);
        let (least, most) = BETWEEN;
        doubt.negatives += 1;
        doubt.again = now + (quiet / NEGATIVES_MIN).clamp(least, most);
        if doubt.negatives < NEGATIVES_MIN || now.duration_since(doubt.since) < quiet {
            return Ok(Stands::Unclear);
        }
        self.0.remove(&question.id);
        Ok(Stands::Nowhere)
    }
}

impl Doubt {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            negatives: 0,
            since: now,
            again: now,
        }
    }
}
