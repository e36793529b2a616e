//! What can go wrong between a client and a pretended vendor, and when it does:
//! rules that match a request, and random rates by seed. How a vendor carries a
//! fault out is the vendor's business.

use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

/// Which requests a rule looks at. An empty path matches every path.
#[derive(Clone, Debug, Default)]
pub struct Match {
    /// Any method when none is named.
    pub method: Option<String>,
    /// Path and query, as sent (percent-encoded), contain this.
    pub path_contains: String,
    /// The path, without the query, ends so.
    pub path_ends: Option<String>,
    /// So many matching requests pass first.
    pub skip: u32,
    /// Of the others only every so manieth, the first one among them; 0 is each.
    pub every: u32,
}

impl Match {
    /// Any request.
    pub fn any() -> Self {
        Self::default()
    }

    pub fn get(path_contains: &str) -> Self {
        Self::method("GET", path_contains)
    }

    pub fn post(path_contains: &str) -> Self {
        Self::method("POST", path_contains)
    }

    pub fn put(path_contains: &str) -> Self {
        Self::method("PUT", path_contains)
    }

    pub fn delete(path_contains: &str) -> Self {
        Self::method("DELETE", path_contains)
    }

    /// Any method; path and query (as sent, percent-encoded) contain this.
    pub fn path(path_contains: &str) -> Self {
        Self {
            path_contains: path_contains.to_owned(),
            ..Self::default()
        }
    }

    pub fn method(method: &str, path_contains: &str) -> Self {
        Self {
            method: Some(method.to_owned()),
            ..Self::path(path_contains)
        }
    }

    /// The path, without the query, ends so: `/task` is a create or a list, not `/task/86b`.
    #[must_use]
    pub fn ending(mut self, path_ends: &str) -> Self {
        self.path_ends = Some(path_ends.to_owned());
        self
    }

    /// Lets the first `requests` matching requests pass.
    #[must_use]
    pub fn skip(mut self, requests: u32) -> Self {
        self.skip = requests;
        self
    }

    /// One, then not before the n-th after it.
    #[must_use]
    pub fn every(mut self, nth: u32) -> Self {
        self.every = nth;
        self
    }

    /// Only from the n-th matching request on, counted from 1.
    #[must_use]
    pub fn nth(self, nth: u32) -> Self {
        self.skip(nth.saturating_sub(1))
    }

    /// Whether it is the turn of the request that is the `seen`-th to match, counted from 1.
    fn is_turn_of(&self, seen: u32) -> bool {
        let past = seen.checked_sub(self.skip + 1);
        past.is_some_and(|past| past.is_multiple_of(self.every.max(1)))
    }

    fn covers(&self, method: &str, path: &str, query: &str) -> bool {
        self.method
            .as_deref()
            .is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self
                .path_ends
                .as_deref()
                .is_none_or(|end| path.ends_with(end))
            && (path.contains(&self.path_contains)
                || format!("{path}?{query}").contains(&self.path_contains))
    }
}

/// One thing that goes wrong. Unless it says so, the request is **not** carried out.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// Answers this status and JSON text.
    Status(u16, String),
    /// A gateway's HTML page with this status.
    Html(u16),
    /// Closes the connection without an answer.
    Drop,
    /// Carried out; then the connection closes without an answer.
    ApplyThenDrop,
    /// Carried out; then a gateway's HTML page with this status.
    ApplyThenStatus(u16),
    /// Carried out; the connection stays open and silent.
    ApplyThenHang,
    /// Carried out; the answer breaks off after this many bytes of its body.
    CutBody(usize),
    /// Carried out; 200 without a body.
    EmptyBody200,
    /// Carried out; 200 with `{"ok":true}`.
    ForeignJson200,
    /// Carried out at once, answered this many milliseconds later.
    Delay(u64),
    /// The connection closes now; carried out this many milliseconds later.
    DropThenApplyLate(u64),
    /// 429 that resets in this many seconds (may be negative: a wrong clock).
    RateLimited(i64),
    /// 302 to this address.
    Redirect302(String),
    /// Carried out, but lists omit what was created in the last so many milliseconds.
    IndexLag(u64),
    /// Carried out, but a read of one object answers as it was this many milliseconds ago
    /// (one earlier version is kept).
    StaleRead(u64),
    /// Never answers, never carried out.
    Hang,
}

/// The JSON text of [`Fault::ForeignJson200`].
pub(crate) const FOREIGN_JSON: &str = r#"{"ok":true}"#;

/// What a gateway shows when what is behind it failed.
pub(crate) fn gateway_page(status: u16) -> String {
    let title = match status {
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Time-out",
        _ => "Error",
    };
    format!(
        "<html>\r\n<head><title>{status} {title}</title></head>\r\n<body>\r\n\
         <center><h1>{status} {title}</h1></center>\r\n<hr><center>cloudflare</center>\r\n\
         </body>\r\n</html>\r\n"
    )
}

/// Makes a rule last until the rules are cleared.
pub const ALWAYS: u32 = u32::MAX;

#[derive(Debug)]
struct Rule {
    when: Match,
    fault: Fault,
    left: u32,
    seen: u32,
}

#[derive(Debug)]
struct Rate {
    when: Match,
    fault: Fault,
    chance: f64,
}

/// The rules in force. Rules are asked in the order they were given, then the rates.
#[derive(Debug)]
pub(crate) struct Faults {
    rules: Vec<Rule>,
    rates: Vec<Rate>,
    dice: SmallRng,
}

impl Faults {
    pub fn new(seed: u64) -> Self {
        Self {
            rules: Vec::new(),
            rates: Vec::new(),
            dice: SmallRng::seed_from_u64(seed),
        }
    }

    pub fn add(&mut self, when: Match, fault: Fault, times: u32) {
        self.rules.push(Rule {
            when,
            fault,
            left: times,
            seen: 0,
        });
    }

    pub fn seed(&mut self, seed: u64) {
        self.dice = SmallRng::seed_from_u64(seed);
    }

    pub fn add_rate(&mut self, when: Match, fault: Fault, chance: f64) {
        self.rates.push(Rate {
            when,
            fault,
            chance: chance.clamp(0.0, 1.0),
        });
    }

    pub fn clear(&mut self) {
        self.rules.clear();
        self.rates.clear();
    }

    /// How often the rules still in force can fire.
    pub fn left(&self) -> u64 {
        self.rules.iter().map(|rule| u64::from(rule.left)).sum()
    }

    /// The fault for this request, used up by asking.
    pub fn pick(&mut self, method: &str, path: &str, query: &str) -> Option<Fault> {
        let mut picked = None;
        for rule in &mut self.rules {
            if !rule.when.covers(method, path, query) {
                continue;
            }
            rule.seen = rule.seen.saturating_add(1);
            if rule.when.is_turn_of(rule.seen) && rule.left > 0 && picked.is_none() {
                rule.left -= u32::from(rule.left != ALWAYS);
                picked = Some(rule.fault.clone());
            }
        }
        self.rules.retain(|rule| rule.left > 0);
        if picked.is_some() {
            return picked;
        }
        for rate in &self.rates {
            if rate.when.covers(method, path, query) && self.dice.random_bool(rate.chance) {
                return Some(rate.fault.clone());
            }
        }
        None
    }

    /// Milliseconds between 0 and `jitter_ms`, for latency.
    pub fn jitter_ms(&mut self, jitter_ms: u64) -> u64 {
        if jitter_ms == 0 {
            0
        } else {
            self.dice.random_range(0..=jitter_ms)
        }
    }
}
