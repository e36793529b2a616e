//! Questions: which changes they hold, who answered, and what goes on after that. Whoever settles one locks its profile
//! first, and any replica may.

use jiff::Timestamp;
use tokio_postgres::Row;

use super::cells::{cell, indexed, text};
use super::connection::{Db, Param};
use super::{aliases, doubts, lane, lease, work};
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

macro_rules! select_question {
    ($($rest:expr),*) => {
        concat!(
            "SELECT id, profile, person, state, closes_at, body, given, answered_at, closed, closed_at, channel,
               message_ts, shown_state FROM question WHERE ",
            $($rest),*
        )
    };
}

/// One statement per index; what is not asked for is NULL. No id sorts after `~`.
macro_rules! questions {
    ($by:literal) => {
        select_question!(
            $by,
            " AND ($1::text IS NULL OR profile = $1) AND ($2::text IS NULL OR state = $2) AND id < COALESCE($3, '~')
              ORDER BY id DESC LIMIT $4"
        )
    };
}

statements! {
    IS_OVERTAKEN = "SELECT again FROM change WHERE id = $1";
    PLAN_AGAIN = "UPDATE change SET status = 'pending', reason = NULL, crashes = 0, again = false, retry_at = NULL
        WHERE id = $1";
    HOLD = "UPDATE change SET status = 'held', reason = $2, crashes = 0, retry_at = NULL WHERE id = $1";
    OPEN_OF = select_question!("profile = $1 AND person = $2 AND state = 'open'");
    OPEN = "INSERT INTO question (id, profile, person, state, closes_at, body) VALUES ($1, $2, $3, 'open', $4, $5)";
    HASTEN = "UPDATE question SET closes_at = LEAST(closes_at, $2) WHERE id = $1";
    JOIN = "INSERT INTO held (question, change_id) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    PROFILE = "SELECT profile FROM question WHERE id = $1";
    ANSWER = "UPDATE question SET state = 'answered', given = $2, answered_at = $3 WHERE id = $1";
    CLOSE = "UPDATE question SET state = 'closed', closed = $2, closed_at = $3 WHERE id = $1 AND state = 'open'";
    HELD = "SELECT c.id FROM held h JOIN change c ON c.id = h.change_id
        WHERE h.question = $1 AND c.status = 'held' ORDER BY c.id";
    CONCERNED = "SELECT c.id FROM held h JOIN change c ON c.id = h.change_id WHERE h.question = $1
        UNION SELECT c.id FROM held h JOIN change first ON first.id = h.change_id
          JOIN change c ON c.profile = first.profile AND c.person = first.person AND c.lead = first.lead
          WHERE h.question = $1 AND c.status = 'done'
        ORDER BY id";
    OVERTAKE = "UPDATE change SET again = true WHERE profile = $1 AND person = $2 AND status = 'running'";
    ONE = select_question!("id = $1");
    BY_STATE = questions!("state = $2");
    BY_ID = questions!("true");
    ASKED = select_question!("profile = $1 AND person = $2 ORDER BY id DESC LIMIT $3");
    THAT_HELD = select_question!(
        "id IN (SELECT question FROM held WHERE change_id IN
           (SELECT id FROM change WHERE profile = $1 AND key = ANY($2))) ORDER BY id"
    );
    DELIVERIES = "SELECT c.delivery_id, bool_or(c.status = 'held') AS is_held
        FROM held h JOIN change c ON c.id = h.change_id
        WHERE h.question = $1 GROUP BY c.delivery_id ORDER BY min(c.id) LIMIT $2";
    DUE = "SELECT id FROM question WHERE profile = $1 AND state = 'open' AND closes_at <= $2
        ORDER BY closes_at, id LIMIT $3";
    NEXT_DUE = "SELECT min(closes_at) FROM question WHERE profile = $1 AND state = 'open'";
    BEGIN_POSTING = "UPDATE question SET shown_state = $2
        WHERE id = $1 AND state = 'open' AND channel IS NULL AND shown_state IS NULL";
    NOT_POSTED = "UPDATE question SET shown_state = NULL WHERE id = $1 AND channel IS NULL";
    POSTED = "UPDATE question SET channel = $2, message_ts = $3, shown_state = 'open' WHERE id = $1 AND channel IS NULL";
    SHOWN = "UPDATE question SET shown_state = $2 WHERE id = $1 AND channel IS NOT NULL";
    UNPOSTED = select_question!(
        "profile = $1 AND shown_state IS DISTINCT FROM state AND (state = 'open' OR shown_state IS NOT NULL)
         ORDER BY id LIMIT $2"
    );
}

pub async fn hold(
    db: &Db,
    vault: &Vault,
    claim: &Claim,
    question: &NewQuestion,
) -> Result<Option<String>> {
    let settled = work::claimed(db, claim).await?;
    let change = &settled.id;
    let mut held_for = None;
    if db.value(IS_OVERTAKEN, &[change]).await? {
        db.execute(PLAN_AGAIN, &[change]).await?;
    } else {
        let id = open_or_join(db, vault, claim, question).await?;
        db.execute(JOIN, &[&id, change]).await?;
        db.execute(HOLD, &[change, &held_by(&id)]).await?;
        work::unpark(db, claim).await?;
        held_for = Some(id);
    }
    settled.follow(db, claim).await?;
    Ok(held_for)
}

async fn open_or_join(
    db: &Db,
    vault: &Vault,
    claim: &Claim,
    question: &NewQuestion,
) -> Result<String> {
    let (profile, person) = (&claim.stored.profile, &claim.stored.person);
    let closes_at = micros(question.closes_at);
    if let Some(open) = open_of(db, profile, person).await? {
        db.execute(HASTEN, &[&open.id, &closes_at]).await?;
        return Ok(open.id);
    }
    let id = new_id();
    let body = seal(vault, &id, question);
    db.execute(OPEN, &[&id, profile, person, &closes_at, &body])
        .await?;
    Ok(id)
}

async fn open_of(db: &Db, profile: &str, person: &str) -> Result<Option<Kept>> {
    let found = kept(db, OPEN_OF, &[&profile, &person]).await?;
    Ok(found.into_iter().next())
}

/// The question, once nobody else can settle it.
async fn locked(db: &Db, id: &str) -> Result<Option<Kept>> {
    let id = indexed(id);
    let Some(row) = db.one(PROFILE, &[&id]).await? else {
        return Ok(None);
    };
    lease::lock(db, cell(&row, "profile")?).await?;
    Ok(kept(db, ONE, &[&id]).await?.into_iter().next())
}

pub async fn answer(
    db: &Db,
    vault: &Vault,
    id: &str,
    answer: &Answer,
    by: &str,
    now: Timestamp,
) -> Result<Answered> {
    let Some(question) = locked(db, id).await? else {
        return Ok(Answered::NoSuch);
    };
    let answered = question.takes(vault)?;
    let settle = async |question: &Kept, changes: &'static str| -> Result<()> {
        let given = seal_answer(vault, &question.id, answer, by);
        db.execute(ANSWER, &[&question.id, &given, &micros(now)])
            .await?;
        if let Some(alias) = question.teaches(vault, answer, by, now)? {
            aliases::learn(db, vault, &question.profile, &alias).await?;
        }
        go_on(db, question, changes).await
    };
    match answered {
        Answered::First => settle(&question, HELD).await?,
        Answered::Late => {
            settle(&question, CONCERNED).await?;
            let open = open_of(db, &question.profile, &question.person).await?;
            if let Some(open) = open.filter(|_| answer.is_of_person()) {
                settle(&open, HELD).await?;
            }
        }
        Answered::Before(_) | Answered::NoSuch => {}
    }
    Ok(answered)
}

/// Its changes are planned again, and so is one of the person that was being decided without knowing of this.
async fn go_on(db: &Db, question: &Kept, changes: &'static str) -> Result<()> {
    db.execute(OVERTAKE, &[&question.profile, &question.person])
        .await?;
    for row in db.all(changes, &[&question.id]).await? {
        lane::plan_again(db, cell(&row, "id")?).await?;
    }
    Ok(())
}

pub async fn close(db: &Db, id: &str, why: Closed, now: Timestamp) -> Result<bool> {
    let Some(question) = locked(db, id).await? else {
        return Ok(false);
    };
    let closed = db
        .execute(CLOSE, &[&question.id, &why.name(), &micros(now)])
        .await?;
    if closed > 0 {
        go_on(db, &question, HELD).await?;
    }
    Ok(closed > 0)
}

pub async fn questions(db: &Db, vault: &Vault, filter: &QuestionFilter) -> Result<Vec<Question>> {
    let sql = match filter.state {
        Some(_) => BY_STATE,
        None => BY_ID,
    };
    let state = filter.state.map(QuestionState::name);
    let [profile, after] = [&filter.profile, &filter.after].map(|of| of.as_deref().map(indexed));
    let rows = filter.rows() as i64;
    let found = kept(db, sql, &[&profile, &state, &after, &rows]).await?;
    opened(db, vault, found).await
}

pub async fn question(db: &Db, vault: &Vault, id: &str) -> Result<Option<Question>> {
    match kept(db, ONE, &[&indexed(id)]).await?.into_iter().next() {
        Some(kept) => open(db, vault, kept).await?.map(Some),
        None => Ok(None),
    }
}

pub async fn asked(db: &Db, vault: &Vault, profile: &str, person: &str) -> Result<Vec<Question>> {
    let found = kept(db, ASKED, &[&profile, &person, &(ASKED_MAX as i64)]).await?;
    opened(db, vault, found).await
}

/// Those that held one of the changes.
pub async fn that_held(
    db: &Db,
    vault: &Vault,
    profile: &str,
    change_keys: &[&str],
) -> Result<Vec<Question>> {
    let found = kept(db, THAT_HELD, &[&profile, &change_keys]).await?;
    opened(db, vault, found).await
}

pub async fn unposted(
    db: &Db,
    vault: &Vault,
    profile: &str,
    limit: usize,
) -> Result<Vec<Question>> {
    let found = kept(db, UNPOSTED, &[&profile, &(limit as i64)]).await?;
    opened(db, vault, found).await
}

async fn kept(db: &Db, sql: &'static str, params: &[Param<'_>]) -> Result<Vec<Kept>> {
    let rows = db.all(sql, params).await?;
    rows.iter()
        .map(|row: &Row| {
            Ok(Kept {
                id: cell(row, "id")?,
                profile: cell(row, "profile")?,
                person: cell(row, "person")?,
                state: cell(row, "state")?,
                closes_at: cell(row, "closes_at")?,
                body: cell(row, "body")?,
                given: cell(row, "given")?,
                answered_at: cell(row, "answered_at")?,
                closed: cell(row, "closed")?,
                closed_at: cell(row, "closed_at")?,
                channel: cell(row, "channel")?,
                message_ts: cell(row, "message_ts")?,
                shown_state: cell(row, "shown_state")?,
            })
        })
        .collect()
}

async fn opened(db: &Db, vault: &Vault, all: Vec<Kept>) -> Result<Vec<Question>> {
    let mut questions = Vec::with_capacity(all.len());
    for kept in all {
        let id = kept.id.clone();
        questions.extend(unless_damaged(&id, open(db, vault, kept).await?)?);
    }
    Ok(questions)
}

/// The database may fail, and apart from it what is sealed there.
async fn open(db: &Db, vault: &Vault, kept: Kept) -> Result<Result<Question>> {
    let rows = db
        .all(DELIVERIES, &[&kept.id, &(DELIVERIES_MAX as i64)])
        .await?;
    let deliveries = rows
        .iter()
        .map(|row| Ok((cell(row, "delivery_id")?, cell(row, "is_held")?)))
        .collect::<Result<_>>()?;
    let mut opened = kept.opened(vault, deliveries);
    if let Ok(Question {
        profile,
        given: Some(given),
        ..
    }) = &mut opened
        && let Answer::Person(lead) | Answer::Meeting(lead) = &mut given.answer
    {
        *lead = doubts::standing_for(db, profile, std::mem::take(lead)).await?;
    }
    Ok(opened)
}

pub async fn due(db: &Db, profile: &str, now: Timestamp, limit: usize) -> Result<Vec<String>> {
    let rows = db
        .all(DUE, &[&profile, &micros(now), &(limit as i64)])
        .await?;
    rows.iter().map(|row| cell(row, "id")).collect()
}

pub async fn next_due(db: &Db, profile: &str) -> Result<Option<Timestamp>> {
    let at: Option<i64> = db.value(NEXT_DUE, &[&profile]).await?;
    at.map(time).transpose()
}

pub async fn begin_posting(db: &Db, id: &str) -> Result<bool> {
    let rows = db.execute(BEGIN_POSTING, &[&indexed(id), &POSTING]).await?;
    Ok(rows > 0)
}

pub async fn not_posted(db: &Db, id: &str) -> Result<()> {
    db.execute(NOT_POSTED, &[&indexed(id)]).await?;
    Ok(())
}

pub async fn posted(db: &Db, id: &str, channel: &str, ts: &str) -> Result<bool> {
    let rows = db
        .execute(POSTED, &[&indexed(id), &text(channel), &text(ts)])
        .await?;
    Ok(rows > 0)
}

pub async fn shown(db: &Db, id: &str, state: QuestionState) -> Result<()> {
    db.execute(SHOWN, &[&indexed(id), &state.name()]).await?;
    Ok(())
}
