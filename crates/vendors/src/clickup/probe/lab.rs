//! Calls as they are: any status is an answer, and what every answer carries is counted.

use std::time::Duration;

use domain::text;
use serde_json::Value;
use tokio::time::Instant;

use super::{Belief, settled};
use crate::clickup::ClickUp;
use crate::http::{Call, Lost, Method};

const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// A whole window of the limit: nothing is urgent here.
const PATIENCE: Duration = Duration::from_secs(70);
/// How the refusal of a request begins, as against none at all.
pub const ANSWERED: &str = "ClickUp answered";
const TEXT_CHARS_MAX: usize = 120;

pub struct Lab<'a> {
    clickup: &'a ClickUp,
    successes: Count,
    errors: Count,
}

#[derive(Default)]
struct Count {
    answers: u32,
    with_limit: u32,
}

/// An answer, whatever it says.
pub struct Said {
    pub status: u16,
    /// Empty where there is none.
    pub code: String,
    pub body: Value,
    pub took: Duration,
}

impl<'a> Lab<'a> {
    pub fn new(clickup: &'a ClickUp) -> Self {
        Self {
            clickup,
            successes: Count::default(),
            errors: Count::default(),
        }
    }

    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        json: Option<Value>,
    ) -> Result<Said, String> {
        let mut url = self.clickup.url(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let call = Call {
            method,
            url,
            headers: self.clickup.headers(),
            json,
            answer_bytes_max: ANSWER_BYTES_MAX,
        };
        // What the gate waits is no part of an answer's time.
        let room = self.clickup.out.ready(1, PATIENCE).await;
        room.map_err(unanswered)?;
        let begun = Instant::now();
        let sent = self.clickup.out.send(call, PATIENCE).await;
        let answer = sent.map_err(unanswered)?;
        let took = begun.elapsed();
        let has = |name| answer.headers.contains_key(name);
        let count = if answer.status < 400 {
            &mut self.successes
        } else {
            &mut self.errors
        };
        count.answers += 1;
        count.with_limit += u32::from(
            has("x-ratelimit-limit") && has("x-ratelimit-remaining") && has("x-ratelimit-reset"),
        );
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        Ok(Said {
            status: answer.status,
            code: body["ECODE"].as_str().unwrap_or_default().to_owned(),
            body,
            took,
        })
    }

    pub fn headers(&self) -> Belief {
        let of = |count: &Count| format!("{} of {}", count.with_limit, count.answers);
        let (good, bad) = (&self.successes, &self.errors);
        let is_all = |count: &Count| count.with_limit == count.answers;
        let found = if is_all(good) && is_all(bad) {
            "on every answer"
        } else if good.with_limit == 0 && bad.with_limit == 0 {
            "on none"
        } else if good.with_limit == 0 {
            "on errors only"
        } else {
            "on some"
        };
        settled(
            "rate-limit-headers",
            found,
            format!(
                "the three X-RateLimit headers stood on {} successes and {} errors",
                of(good),
                of(bad)
            ),
        )
    }
}

fn unanswered(lost: Lost) -> String {
    match lost {
        Lost::Held(until) => format!("the limit is reached until {until}"),
        Lost::Unsent(why) | Lost::Unanswered(why) => why,
    }
}

impl Said {
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub fn success(self) -> Result<Value, String> {
        if self.is_success() {
            Ok(self.body)
        } else {
            Err(format!("{ANSWERED} {}", self.in_short()))
        }
    }

    pub fn tasks(&self) -> Option<&Vec<Value>> {
        self.body["tasks"].as_array()
    }

    /// Status, code and words. The probe sends nobody's data, so the words hold none.
    pub fn in_short(&self) -> String {
        let words = self.body["err"].as_str().unwrap_or_default();
        let mut out = self.status.to_string();
        if !self.code.is_empty() {
            out.push(' ');
            out.push_str(&text::one_line(&self.code, 40));
        }
        if !words.is_empty() {
            out.push_str(&format!(" “{}”", text::one_line(words, TEXT_CHARS_MAX)));
        }
        out
    }
}
