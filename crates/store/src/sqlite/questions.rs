//! Questions: which changes they hold, who answered, and what goes on after that.

use jiff::Timestamp;
use rusqlite::{Connection, Params, Row, params};

use super::cells::all;
use super::{aliases, doubts, lane, work};
use crate::names::{micros, time};
use crate::questions::{
    ASKED_MAX, DELIVERIES_MAX, Kept, POSTING, held_by, seal, seal_answer, unless_damaged,
};
use crate::rows::{
    Answer, Answered, Claim, Closed, NewQuestion, Question, QuestionFilter, QuestionState,
};
use crate::statements::statements;
use crate::vault::Vault;
use crate::{Result, new_id};

/// One statement per index; what is not asked for is NULL. No id sorts after `~`.
macro_rules! questions {
    ($by:literal) => {
        concat!(
            "SELECT * FROM question WHERE ",
            $by,
            " AND (?1 IS NULL OR profile = ?1) AND (?2 IS NULL OR state = ?2) AND id < COALESCE(?3, '~')
              ORDER BY id DESC LIMIT ?4"
        )
    };
}

statements! {
    IS_OVERTAKEN = "SELECT again FROM change WHERE id = ?1";
    PLAN_AGAIN = "UPDATE change SET status = 'pending', reason = NULL, crashes = 0, again = 0, retry_at = NULL WHERE id = ?1";
    HOLD = "UPDATE change SET status = 'held', reason = ?2, crashes = 0, retry_at = NULL WHERE id = ?1";
    OPEN_OF = "SELECT * FROM question WHERE profile = ?1 AND person = ?2 AND state = 'open'";
    OPEN = "INSERT INTO question (id, profile, person, state, closes_at, body) VALUES (?1, ?2, ?3, 'open', ?4, ?5)";
    HASTEN = "UPDATE question SET closes_at = min(closes_at, ?2) WHERE id = ?1";
    JOIN = "INSERT INTO held (question, change_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    ANSWER = "UPDATE question SET state = 'answered', given = ?2, answered_at = ?3 WHERE id = ?1";
    CLOSE = "UPDATE question SET state = 'closed', closed = ?2, closed_at = ?3 WHERE id = ?1 AND state = 'open'";
    HELD = "SELECT c.id FROM held h JOIN change c ON c.id = h.change_id
        WHERE h.question = ?1 AND c.status = 'held' ORDER BY c.n";
    CONCERNED = "SELECT c.id, c.n FROM held h JOIN change c ON c.id = h.change_id WHERE h.question = ?1
        UNION SELECT c.id, c.n FROM held h JOIN change first ON first.id = h.change_id
          JOIN change c ON c.profile = first.profile AND c.person = first.person AND c.lead = first.lead
          WHERE h.question = ?1 AND c.status = 'done'
        ORDER BY n";
    OVERTAKE = "UPDATE change SET again = 1 WHERE profile = ?1 AND person = ?2 AND status = 'running'";
    ONE = "SELECT * FROM question WHERE id = ?1";
    BY_STATE = questions!("state = ?2");
    BY_ID = questions!("1");
    ASKED = "SELECT * FROM question WHERE profile = ?1 AND person = ?2 ORDER BY id DESC LIMIT ?3";
    THAT_HELD = "SELECT * FROM question WHERE id IN (SELECT question FROM held WHERE change_id IN
          (SELECT id FROM change WHERE profile = ?1 AND key = ?2)) ORDER BY id";
    DELIVERIES = "SELECT c.delivery_id, max(c.status = 'held') FROM held h JOIN change c ON c.id = h.change_id
        WHERE h.question = ?1 GROUP BY c.delivery_id ORDER BY min(c.n) LIMIT ?2";
    DUE = "SELECT id FROM question WHERE profile = ?1 AND state = 'open' AND closes_at <= ?2
        ORDER BY closes_at, id LIMIT ?3";
    NEXT_DUE = "SELECT min(closes_at) FROM question WHERE profile = ?1 AND state = 'open'";
    BEGIN_POSTING = "UPDATE question SET shown_state = ?2
        WHERE id = ?1 AND state = 'open' AND channel IS NULL AND shown_state IS NULL";
    NOT_POSTED = "UPDATE question SET shown_state = NULL WHERE id = ?1 AND channel IS NULL";
    POSTED = "UPDATE question SET channel = ?2, message_ts = ?3, shown_state = 'open' WHERE id = ?1 AND channel IS NULL";
    SHOWN = "UPDATE question SET shown_state = ?2 WHERE id = ?1 AND channel IS NOT NULL";
    UNPOSTED = "SELECT * FROM question WHERE profile = ?1
          AND shown_state IS NOT state AND (state = 'open' OR shown_state IS NOT NULL)
        ORDER BY id LIMIT ?2";
}

pub fn hold(
    db: &Connection,
    vault: &Vault,
    claim: &Claim,
    question: &NewQuestion,
) -> Result<Option<String>> {
    let mut held_for = None;
    work::settle(db, claim, |change| {
        let is_overtaken: bool = db
            .prepare_cached(IS_OVERTAKEN)?
            .query_row([change], |row| row.get(0))?;
        if is_overtaken {
            db.prepare_cached(PLAN_AGAIN)?.execute([change])?;
            return Ok(());
        }
        let id = open_or_join(db, vault, claim, question)?;
        db.prepare_cached(JOIN)?.execute([id.as_str(), change])?;
        db.prepare_cached(HOLD)?
            .execute([change, held_by(&id).as_str()])?;
        work::unpark(db, claim)?;
        held_for = Some(id);
        Ok(())
    })?;
    Ok(held_for)
}

fn open_or_join(
    db: &Connection,
    vault: &Vault,
    claim: &Claim,
    question: &NewQuestion,
) -> Result<String> {
    let (profile, person) = (&claim.stored.profile, &claim.stored.person);
    let closes_at = micros(question.closes_at);
    if let Some(open) = open_of(db, profile, person)? {
        db.prepare_cached(HASTEN)?
            .execute(params![open.id, closes_at])?;
        return Ok(open.id);
    }
    let id = new_id();
    let body = seal(vault, &id, question);
    db.prepare_cached(OPEN)?
        .execute(params![id, profile, person, closes_at, body])?;
    Ok(id)
}

fn open_of(db: &Connection, profile: &str, person: &str) -> Result<Option<Kept>> {
    let found = kept(db, OPEN_OF, [profile, person])?;
    Ok(found.into_iter().next())
}

pub fn answer(
    db: &Connection,
    vault: &Vault,
    id: &str,
    answer: &Answer,
    by: &str,
    now: Timestamp,
) -> Result<Answered> {
    let Some(question) = kept(db, ONE, [id])?.into_iter().next() else {
        return Ok(Answered::NoSuch);
    };
    let answered = question.takes(vault)?;
    let settle = |question: &Kept, changes: &'static str| -> Result<()> {
        let given = seal_answer(vault, &question.id, answer, by);
        db.prepare_cached(ANSWER)?
            .execute(params![question.id, given, micros(now)])?;
        if let Some(alias) = question.teaches(vault, answer, by, now)? {
            aliases::learn(db, vault, &question.profile, &alias)?;
        }
        go_on(db, question, changes)
    };
    match answered {
        Answered::First => settle(&question, HELD)?,
        Answered::Late => {
            settle(&question, CONCERNED)?;
            let open = open_of(db, &question.profile, &question.person)?;
            if let Some(open) = open.filter(|_| answer.is_of_person()) {
                settle(&open, HELD)?;
            }
        }
        Answered::Before(_) | Answered::NoSuch => {}
    }
    Ok(answered)
}

/// Its changes are planned again, and so is one of the person that was being decided without knowing of this.
fn go_on(db: &Connection, question: &Kept, changes: &'static str) -> Result<()> {
    db.prepare_cached(OVERTAKE)?
        .execute([&question.profile, &question.person])?;
    let changes: Vec<String> = all(&mut db.prepare_cached(changes)?, [&question.id], |row| {
        Ok(row.get(0)?)
    })?;
    changes.iter().try_for_each(|id| lane::plan_again(db, id))
}

pub fn close(db: &Connection, id: &str, why: Closed, now: Timestamp) -> Result<bool> {
    let closed = params![id, why.name(), micros(now)];
    if db.prepare_cached(CLOSE)?.execute(closed)? == 0 {
        return Ok(false);
    }
    for question in kept(db, ONE, [id])? {
        go_on(db, &question, HELD)?;
    }
    Ok(true)
}

pub fn questions(db: &Connection, vault: &Vault, filter: &QuestionFilter) -> Result<Vec<Question>> {
    let sql = match filter.state {
        Some(_) => BY_STATE,
        None => BY_ID,
    };
    let state = filter.state.map(QuestionState::name);
    let rows = filter.rows() as i64;
    let found = kept(db, sql, params![filter.profile, state, filter.after, rows])?;
    opened(db, vault, found)
}

pub fn question(db: &Connection, vault: &Vault, id: &str) -> Result<Option<Question>> {
    let found = kept(db, ONE, [id])?.into_iter().next();
    found.map(|kept| open(db, vault, kept)?).transpose()
}

pub fn asked(db: &Connection, vault: &Vault, profile: &str, person: &str) -> Result<Vec<Question>> {
    let found = kept(db, ASKED, params![profile, person, ASKED_MAX as i64])?;
    opened(db, vault, found)
}

/// Those that held a change.
pub fn that_held(
    db: &Connection,
    vault: &Vault,
    profile: &str,
    change_key: &str,
) -> Result<Vec<Question>> {
    let found = kept(db, THAT_HELD, [profile, change_key])?;
    opened(db, vault, found)
}

pub fn unposted(
    db: &Connection,
    vault: &Vault,
    profile: &str,
    limit: usize,
) -> Result<Vec<Question>> {
    let found = kept(db, UNPOSTED, params![profile, limit as i64])?;
    opened(db, vault, found)
}

fn kept(db: &Connection, sql: &'static str, params: impl Params) -> Result<Vec<Kept>> {
    all(&mut db.prepare_cached(sql)?, params, |row: &Row| {
        Ok(Kept {
            id: row.get("id")?,
            profile: row.get("profile")?,
            person: row.get("person")?,
            state: row.get("state")?,
            closes_at: row.get("closes_at")?,
            body: row.get("body")?,
            given: row.get("given")?,
            answered_at: row.get("answered_at")?,
            closed: row.get("closed")?,
            closed_at: row.get("closed_at")?,
            channel: row.get("channel")?,
            message_ts: row.get("message_ts")?,
            shown_state: row.get("shown_state")?,
        })
    })
}

fn opened(db: &Connection, vault: &Vault, all: Vec<Kept>) -> Result<Vec<Question>> {
    let mut questions = Vec::with_capacity(all.len());
    for kept in all {
        let id = kept.id.clone();
        questions.extend(unless_damaged(&id, open(db, vault, kept)?)?);
    }
    Ok(questions)
}

/// The database may fail, and apart from it what is sealed there.
fn open(db: &Connection, vault: &Vault, kept: Kept) -> Result<Result<Question>> {
    let rows = params![kept.id, DELIVERIES_MAX as i64];
    let deliveries = all(&mut db.prepare_cached(DELIVERIES)?, rows, |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    let mut opened = kept.opened(vault, deliveries);
    if let Ok(Question {
        profile,
        given: Some(given),
        ..
    }) = &mut opened
        && let Answer::Person(lead) | Answer::Meeting(lead) = &mut given.answer
    {
        *lead = doubts::standing_for(db, profile, std::mem::take(lead))?;
    }
    Ok(opened)
}

pub fn due(db: &Connection, profile: &str, now: Timestamp, limit: usize) -> Result<Vec<String>> {
    let rows = params![profile, micros(now), limit as i64];
    all(&mut db.prepare_cached(DUE)?, rows, |row| Ok(row.get(0)?))
}

pub fn next_due(db: &Connection, profile: &str) -> Result<Option<Timestamp>> {
    let at: Option<i64> = db
        .prepare_cached(NEXT_DUE)?
        .query_row([profile], |row| row.get(0))?;
    at.map(time).transpose()
}

pub fn begin_posting(db: &Connection, id: &str) -> Result<bool> {
    let rows = db.prepare_cached(BEGIN_POSTING)?.execute([id, POSTING])?;
    Ok(rows > 0)
}

pub fn not_posted(db: &Connection, id: &str) -> Result<()> {
    db.prepare_cached(NOT_POSTED)?.execute([id])?;
    Ok(())
}

pub fn posted(db: &Connection, id: &str, channel: &str, ts: &str) -> Result<bool> {
    let rows = db.prepare_cached(POSTED)?.execute([id, channel, ts])?;
    Ok(rows > 0)
}

pub fn shown(db: &Connection, id: &str, state: QuestionState) -> Result<()> {
    db.prepare_cached(SHOWN)?.execute([id, state.name()])?;
    Ok(())
}
