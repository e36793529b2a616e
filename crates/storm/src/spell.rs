//! For a while ClickUp refuses whole calls: the token is revoked and restored, its user lacks a right, or nothing but a
//! gateway's page comes back.

use sim::clickup::Asked;
use store::Store;
use store::rows::DEFAULT_PROFILE;

use crate::judge;
use crate::world::World;
use crate::{dice, time};

const NOTICES: usize = 1_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refuses {
    /// 401, whatever is asked.
    Token,
    /// 403 to whatever writes.
    Writes,
    /// 403 to everything about one person's record.
    Record(usize),
    /// A page instead of an answer.
    Everything,
}

#[derive(Debug, Clone, Copy)]
pub struct Spell {
    pub refuses: Refuses,
    from_ms: u64,
    to_ms: u64,
}

impl Spell {
    pub fn drawn(people: usize) -> Option<Self> {
        if !dice::chance(0.12) {
            return None;
        }
        let whose = dice::between(0, people as u64 - 1) as usize;
        let from_ms = dice::between(1_000, 100_000);
        Some(Self {
            refuses: dice::one(&[
                Refuses::Token,
                Refuses::Writes,
                Refuses::Record(whose),
                Refuses::Everything,
            ]),
            from_ms,
            to_ms: from_ms + dice::one(&[3_000, 20_000, 60_000]),
        })
    }
}

/// Status, kind of body and body, where nothing is carried out.
pub type Refusal = (u16, &'static str, Vec<u8>);

pub fn refusal(world: &World, asked: &Asked, writes: bool) -> Option<Refusal> {
    let spell = world.weather().spell?;
    if !(spell.from_ms..spell.to_ms).contains(&time::elapsed_ms()) {
        return None;
    }
    let no_right = || {
        let body = br#"{"err":"You have no access","ECODE":"ACCESS_083"}"#;
        (403, "application/json", body.to_vec())
    };
    match spell.refuses {
        Refuses::Token => {
            let body = br#"{"err":"Token invalid","ECODE":"OAUTH_025"}"#;
            Some((401, "application/json", body.to_vec()))
        }
        Refuses::Writes => writes.then(no_right),
        Refuses::Record(whose) => (judge::person_of(world, asked) == Some(whose)).then(no_right),
        Refuses::Everything => {
            let status = dice::one(&[500, 502, 503, 504]);
            let body = format!("<html><body>{status}</body></html>");
            Some((status, "text/html", body.into_bytes()))
        }
    }
}

/// A process knows that its token, or its user's right, is refused. Who only looks after what was done says nothing.
pub fn heard(world: &World, status: u16, writes: bool) {
    if writes && matches!(status, 401 | 403) {
        world.seen().has_heard_refusal = true;
    }
}

/// I13: that nothing can be done is told, by a process that lived on and a database that could be written.
pub async fn is_told(world: &World, file: &dyn Store) {
    let may_be_lost = [
        "database error",
        "crash",
        "database put back",
        "process stopped",
        "ended by a booking",
    ];
    let is_lost = {
        let counts = world.counts();
        may_be_lost.iter().any(|f| counts.faults.contains_key(f))
    };
    if is_lost || !world.seen().has_heard_refusal {
        return;
    }
    let notices = file
        .notices(DEFAULT_PROFILE, NOTICES)
        .await
        .unwrap_or_default();
    let is_it = |cause: &str| cause.starts_with("needs-operator:");
    if !notices.iter().any(|notice| is_it(&notice.cause)) {
        world.violated("I13", "nobody was told that ClickUp refuses calls".into());
    }
}
