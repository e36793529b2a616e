//! Between the real ClickUp client and the pretended ClickUp: what the network, the gateways and ClickUp itself may do
//! to one call. What ClickUp carries out is judged at once.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use sim::clickup::Asked;
use sim::http::Received;
use tokio::sync::oneshot;
use vendors::http::{Answer, Call, Lost, Method, StandIn};

use crate::life::Life;
use crate::planted::Bug;
use crate::weather::{INDEX_LAG_MS, LATE_APPLY_MS, Trouble};
use crate::world::World;
use crate::{dice, judge, limits, poison, spell, time};

/// Longer than a call may take.
const TOO_SLOW_MS: u64 = 5_000;
/// A decision is carried out within this, or made anew.
const DECIDED_MS: u64 = 10_000;

pub fn line(life: Arc<Life>) -> Box<StandIn> {
    Box::new(move |call| {
        let life = life.clone();
        Box::pin(async move { carry(&life, call).await })
            as Pin<Box<dyn Future<Output = Result<Answer, Lost>> + Send>>
    })
}

/// A mutating request that somebody waits for.
struct Flight<'a> {
    world: &'a World,
    id: u64,
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.world.seen().arrive(self.id);
    }
}

async fn carry(life: &Arc<Life>, call: Call) -> Result<Answer, Lost> {
    let writes = call.method != Method::GET;
    // Here it has just passed the gate; a process may be paused, and refused elsewhere, before its bytes leave.
    if writes && (life.is_stopped() || life.is_superseded()) {
        // Its intent was committed before, which was the last look whether it may write.
        tokio::spawn(send_after_all(life.clone(), asked(call)));
        return std::future::pending().await;
    }
    let world = &life.world;
    limits::departs(world, life);
    life.live().await;
    world.counts().calls += 1;
    let asked = asked(call);
    if !writes {
        life.step("before a call").await;
    } else if life.at_the_wire("before a write is sent").await {
        tokio::spawn(send_after_all(life.clone(), asked));
        return std::future::pending().await;
    }
    let _flight = if writes {
        let id = judge::departure(world, life, &asked);
        Some(Flight { world, id })
    } else {
        None
    };
    // Only the sweeper takes anything away.
    let is_sweep = asked.method == "DELETE";
    let mut answer = travel(life, &asked, writes).await;
    if world.has(Bug::ClientSendsAgain) && writes && !matches!(&answer, Ok(a) if a.status < 500) {
        answer = travel(life, &asked, writes).await;
    }
    if writes {
        life.bad_step("after a write was answered").await;
    }
    // From here on the process knows.
    if let Ok(answer) = &mut answer {
        limits::answered(world, life, answer);
        spell::heard(world, answer.status, writes && !is_sweep);
        if world.has(Bug::IgnoresRemaining) && answer.status != 429 {
            answer.headers.remove("x-ratelimit-remaining");
        }
        if world.has(Bug::IgnoresReset) && answer.status == 429 {
            answer.headers.clear();
            answer
                .headers
                .insert("retry-after", HeaderValue::from_static("1"));
        }
    }
    answer
}

/// A process that was stopped goes on with what it was about to do, however long ago that was; nobody waits for it.
async fn send_after_all(life: Arc<Life>, asked: Asked) {
    life.live().await;
    let world = &life.world;
    judge::after_all(&life);
    // An older update over newer ones is what no client withstands.
    if life.is_superseded() && asked.method != "POST" && !world.weather().late_updates {
        return;
    }
    world.fault("sent by a process that was stopped");
    world.tell(format_args!("after all: {} {}", asked.method, asked.path));
    let id = judge::departure(world, &life, &asked);
    // The process does not hold it any more.
    drop(Flight { world, id });
    let patience = std::time::Duration::from_millis(TOO_SLOW_MS - 1_000);
    let _nobody_waits = tokio::time::timeout(patience, travel(&life, &asked, true)).await;
}

fn asked(call: Call) -> Asked {
    Asked {
        method: call.method.to_string(),
        path: call.url.path().to_owned(),
        query: call.url.query().unwrap_or_default().to_owned(),
        headers: call.headers,
        body: call
            .json
            .map_or_else(Bytes::new, |json| json.to_string().into()),
        ..Asked::default()
    }
}

async fn travel(life: &Arc<Life>, asked: &Asked, writes: bool) -> Result<Answer, Lost> {
    let world = &life.world;
    let (trouble, latency) = {
        let weather = world.weather();
        (weather.trouble(writes), weather.latency_ms_max)
    };
    let trouble = trouble.filter(|t| match t {
        Trouble::Twice => asked.method != "POST",
        Trouble::Late => asked.method != "PUT" || world.weather().late_updates,
        _ => true,
    });
    if let Some(trouble) = trouble {
        world.fault(trouble.name());
        world.tell(format_args!(
            "{} {} meets: {}",
            asked.method,
            asked.path,
            trouble.name()
        ));
    }
    let (out, back) = (dice::between(0, latency), dice::between(0, latency));
    if writes && let Some(body) = poison::refusal(world, asked) {
        world.fault("refused for good");
        time::sleep_ms(out + back).await;
        return Ok(made(400, "application/json", body.to_vec()));
    }
    if let Some((status, content_type, body)) = spell::refusal(world, asked, writes) {
        world.fault("refused for a while");
        time::sleep_ms(out + back).await;
        return Ok(made(status, content_type, body));
    }
    let reset = || Lost::Unanswered("the connection broke".into());
    let run = |after_ms: u64| vendor(world.clone(), life.number, asked.clone(), after_ms, 0);
    let run_late = |after_ms: u64, late_ms| {
        vendor(world.clone(), life.number, asked.clone(), after_ms, late_ms)
    };
    let page = |status: u16| {
        let body = format!("<html><body>{status}</body></html>");
        made(status, "text/html", body.into_bytes())
    };
    match trouble {
        None => {
            let received = run(out).await.map_err(|_| reset())?;
            let at_ms = time::elapsed_ms();
            time::sleep_ms(back).await;
            judge::heard(world, life.number, asked, &received, at_ms);
            Ok(answer(received))
        }
        Some(Trouble::Unsent) => {
            time::sleep_ms(out).await;
            Err(Lost::Unsent("no connection".into()))
        }
        Some(Trouble::Lost) => {
            broken(out).await;
            Err(reset())
        }
        Some(Trouble::AnswerLost) => {
            let _lost = run(out).await;
            broken(back).await;
            Err(reset())
        }
        Some(Trouble::Late) => {
            let (hangs, late) = (dice::chance(0.5), world.weather().late_apply_ms);
            let from = dice::one(&[1, late * 3 / 5]);
            let late = dice::between(from, late);
            drop(run_late(
                out + if hangs { TOO_SLOW_MS - 1_000 } else { 0 },
                late,
            ));
            if hangs {
                std::future::pending::<()>().await;
            }
            time::sleep_ms(out).await;
            Err(reset())
        }
        Some(Trouble::Slow) => {
            let received = run(out).await.map_err(|_| reset())?;
            time::sleep_ms(TOO_SLOW_MS).await;
            Ok(answer(received))
        }
        Some(Trouble::Twice) => {
            let first = run(out).await.map_err(|_| reset())?;
            judge::heard(world, life.number, asked, &first, time::elapsed_ms());
            drop(run(dice::between(0, 20)));
            Ok(answer(first))
        }
        Some(Trouble::Html) => Ok(page(dice::one(&[502, 503, 504, 408]))),
        Some(Trouble::HtmlApplied) => {
            let _replaced = run(out).await;
            Ok(page(dice::one(&[502, 504, 499])))
        }
        Some(Trouble::ServerError) => Ok(server_error()),
        Some(Trouble::ServerErrorApplied) => {
            let _replaced = run(out).await;
            Ok(server_error())
        }
        Some(Trouble::Torn) => {
            let mut received = run(out).await.map_err(|_| reset())?;
            let keep = dice::between(0, received.body.len().saturating_sub(1) as u64);
            received.body.truncate(keep as usize);
            Ok(answer(received))
        }
        Some(Trouble::Empty) => {
            let _replaced = run(out).await;
            Ok(made(200, "application/json", Vec::new()))
        }
        Some(Trouble::Foreign) => {
            let _replaced = run(out).await;
            Ok(made(200, "application/json", br#"{"ok":true}"#.to_vec()))
        }
        Some(Trouble::Limited) => Ok(limited(world, dice::between(1, 20) as i64)),
        Some(Trouble::LimitedByWrongClock) => Ok(limited(world, dice::one(&[-3_600, -5, 90_000]))),
        Some(Trouble::Redirect) => {
            let mut answer = made(302, "text/html", Vec::new());
            let to = HeaderValue::from_static("https://elsewhere.example/");
            answer.headers.insert("location", to);
            Ok(answer)
        }
        Some(Trouble::Unauthorized) => {
            let body = br#"{"err":"Token invalid","ECODE":"OAUTH_025"}"#;
            Ok(made(401, "application/json", body.to_vec()))
        }
        Some(Trouble::Forbidden) => {
            let body = br#"{"err":"You have no access","ECODE":"ACCESS_083"}"#;
            Ok(made(403, "application/json", body.to_vec()))
        }
    }
    .inspect(|answer| {
        if writes {
            world.tell(format_args!("answer {}", answer.status));
        }
    })
}

/// At once, or only after our patience has ended.
async fn broken(after_ms: u64) {
    if dice::chance(0.3) {
        std::future::pending::<()>().await;
    }
    time::sleep_ms(after_ms).await;
}

/// ClickUp carries a request out whether or not anybody still waits for the answer.
fn vendor(
    world: Arc<World>,
    life: u32,
    mut asked: Asked,
    after_ms: u64,
    late_ms: u64,
) -> oneshot::Receiver<Received> {
    let (tell, told) = oneshot::channel();
    world.seen().late += 1;
    let left = judge::Departed {
        life,
        at_ms: time::elapsed_ms(),
        is_beyond: late_ms > LATE_APPLY_MS
            || world.weather().index_lag_ms > INDEX_LAG_MS
            || world.seen().superseded.contains_key(&life),
        read_at_ms: judge::last_read(&world, life, &asked),
        planned_at_ms: judge::decided_at(&world, &asked)
            .max(time::elapsed_ms().saturating_sub(DECIDED_MS)),
    };
    tokio::spawn(async move {
        time::sleep_ms(after_ms + late_ms).await;
        let mut left = left;
        // What was on its way then is not known to anybody now.
        left.is_beyond |= world.seen().is_forgotten(left.at_ms);
        asked.index_lag = std::time::Duration::from_millis(world.weather().index_lag_ms);
        let received = judge::carried_out(&world, life, &asked, left);
        world.seen().late -= 1;
        // Nobody may be waiting any more.
        let _ = tell.send(received);
    });
    told
}

fn answer(received: Received) -> Answer {
    let mut headers = HeaderMap::new();
    for (name, value) in received.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("the sim's names are valid");
        let value = HeaderValue::from_str(&value).expect("the sim's values are valid");
        headers.append(name, value);
    }
    Answer {
        status: received.status,
        headers,
        body: received.body,
        limited_until: None,
    }
}

fn made(status: u16, content_type: &'static str, body: Vec<u8>) -> Answer {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static(content_type));
    Answer {
        status,
        headers,
        body,
        limited_until: None,
    }
}

fn server_error() -> Answer {
    let body = br#"{"err":"Internal server error","ECODE":"ERROR_HANDLER"}"#;
    made(500, "application/json", body.to_vec())
}

fn limited(world: &World, seconds: i64) -> Answer {
    answer(world.clickup.refusal(seconds))
}
