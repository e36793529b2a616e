//! Whatever answers in ClickUp's place, a call ends with a value or a classified failure. "Nobody" comes of whole
//! listings only, a write is sent once and never called undone when it may have been done, and no text of a failure
//! holds what an answer said.
//!
//! Input: a line with the call's name, and answers between U+001E: a line with a status and `header=value`s, then a
//! body. The last one is repeated. Look-ups of user, workspace, list and fields are answered well, unless the name is
//! followed by `*`.

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use domain::lead::{Lead, NewLead, Run, Write};
use domain::outcome::Failure;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use vendors::Crm;
use vendors::clickup::{ClickUp, Config};
use vendors::http::{Answer, Call, Method};

const EMAIL: &str = "ada@byrd.example";
const BASE: &str = "/api/v2";
const BROKERS: &str = "901";
const INBOUND: &str = "902";

pub fn holds(input: &[u8]) {
    let script = Script::read(input);
    let log = Log::default();
    let Some(end) = call(&script, &log) else {
        // Waits for the limit that an answer announced.
        return;
    };
    let seen = log.lock().expect("nobody panics with it").clone();
    for answered in &seen {
        is_address(&answered.path);
    }
    let writes: Vec<&Seen> = seen.iter().filter(|s| s.method != Method::GET).collect();
    assert!(writes.len() <= 1, "sent once at most");
    match (&end, writes.first()) {
        (End::Failed(failure), write) => is_classified(failure, write.copied()),
        (_, Some(write)) => assert!(write.is_success(), "done, says {}", write.status),
        (_, None) => {}
    }
    match end {
        End::Leads(leads) if script.name == "find" => is_whole(&leads, &seen),
        End::Leads(leads) => leads.iter().for_each(is_lead),
        End::Done | End::Failed(_) => {}
    }
}

enum End {
    Leads(Vec<Lead>),
    Done,
    Failed(Failure),
}

#[derive(Clone)]
struct Seen {
    method: Method,
    path: String,
    status: u16,
    body: Vec<u8>,
}

type Log = Arc<Mutex<Vec<Seen>>>;

impl Seen {
    fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// What nobody looks at need not be UTF-8.
    fn json(&self) -> Option<Value> {
        serde_json::from_str(&String::from_utf8_lossy(&self.body)).ok()
    }

    /// Not a page of something on the way to it, as far as that can be told: its form is JSON's.
    fn is_own_voice(&self) -> bool {
        self.body.is_empty() || serde_json::from_slice::<IgnoredAny>(&self.body).is_ok()
    }
}

/// Polled once: nothing waits here but for a limit.
fn call(script: &Script, log: &Log) -> Option<End> {
    let crm = clickup(script, log.clone());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    runtime.block_on(tokio::task::unconstrained(async {
        let mut done = pin!(carry_out(script, &crm));
        std::future::poll_fn(|cx| match done.as_mut().poll(cx) {
            Poll::Ready(end) => Poll::Ready(Some(end)),
            Poll::Pending => Poll::Ready(None),
        })
        .await
    }))
}

async fn carry_out(script: &Script, crm: &ClickUp) -> End {
    let text = vec![Run {
        text: "Meeting booked".into(),
        ..Run::default()
    }];
    let done = match script.name.as_str() {
        "find" => return leads(crm.find_by_email(EMAIL).await),
        "created" => return leads(crm.created_since(Timestamp::UNIX_EPOCH).await),
        "lead" => return leads(crm.lead("86a1").await.map(|lead| vec![lead])),
        "create" => return leads(crm.create(&new_lead()).await.map(|lead| vec![lead])),
        "write" => {
            crm.write(
                "86a1",
                &Write {
                    status: Some("meeting booked".into()),
                    description: None,
                    email: None,
                },
            )
            .await
        }
        "comment" => crm.comment("86a1", &text).await.map(|_| ()),
        "edit" => crm.edit_comment("90110", &text).await,
        "comments" => crm.comments("86a1", Timestamp::MIN).await.map(|_| ()),
        "list" => crm.list(BROKERS, true).await.map(|_| ()),
        _ => crm.probe().await,
    };
    done.map_or_else(End::Failed, |()| End::Done)
}

fn leads(found: Result<Vec<Lead>, Failure>) -> End {
    found.map_or_else(End::Failed, End::Leads)
}

fn new_lead() -> NewLead {
    NewLead {
        name: "Ada".into(),
        description: "Booked".into(),
        status: None,
        email: Some(EMAIL.into()),
        phone: Some("+49 30 1234567".into()),
        answers: vec![("Company".into(), "Byrd & Co".into())],
        with_fields: true,
        plain_type: false,
    }
}

fn clickup(script: &Script, log: Log) -> ClickUp {
    let config = Config {
        api_url: "http://clickup.example/api".into(),
        token: "pk_1".to_owned().into(),
        team_id: None,
        match_list_ids: vec![BROKERS.into()],
        inbound_list_id: INBOUND.into(),
        email_field: "Email".into(),
        timeout: Duration::from_secs(1),
    };
    let answers = script.answers.clone();
    let also_lookups = script.also_lookups;
    let next = Mutex::new(0);
    let replay = move |call: &Call| {
        let path = call.url.path().to_owned();
        let good = lookup(&path).filter(|_| !also_lookups);
        let is_asked = good.is_none();
        let (status, headers, body) = if let Some(json) = good {
            (200, HeaderMap::new(), json.to_string().into_bytes())
        } else {
            let mut next = next.lock().expect("nobody panics with it");
            let answer = answers[(*next).min(answers.len() - 1)].clone();
            *next += 1;
            answer
        };
        if is_asked {
            log.lock().expect("nobody panics with it").push(Seen {
                method: call.method.clone(),
                path,
                status,
                body: body.clone(),
            });
        }
        Ok(Answer {
            status,
            headers,
            body,
            limited_until: None,
        })
    };
    ClickUp::replaying(config, Box::new(replay)).expect("a sound configuration")
}

fn lookup(path: &str) -> Option<Value> {
    let statuses = json!([{"status": "to do", "type": "open"}, {"status": "meeting booked", "type": "custom"}]);
    let fields = json!([
        {"id": "f1", "name": "Email", "type": "email"},
        {"id": "f2", "name": "Company", "type": "short_text"},
    ]);
    match path.strip_prefix(BASE)? {
        "/user" => Some(json!({"user": {"id": 7}})),
        "/team" => Some(json!({"teams": [{"id": "9011", "name": "Acme"}]})),
        "/list/901" => Some(json!({"id": BROKERS, "name": "Brokers", "statuses": statuses})),
        "/list/902" => Some(json!({"id": INBOUND, "name": "Inbound", "statuses": statuses})),
        "/list/901/field" | "/list/902/field" => Some(json!({"fields": fields})),
        _ => None,
    }
}

/// Made of our own words and plain ids, whatever ids an answer gave.
fn is_address(path: &str) {
    let words = path.strip_prefix(BASE).and_then(|p| p.strip_prefix('/'));
    let words = words.unwrap_or_else(|| panic!("elsewhere: {path}"));
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    for word in words.split('/') {
        assert!(!word.is_empty() && word.chars().all(is_plain), "{path}");
    }
}

fn is_classified(failure: &Failure, write: Option<&Seen>) {
    let told = failure.to_string();
    assert!(!told.contains('@'), "an address in {told}");
    assert!(
        !told.contains(char::is_control) && told.chars().count() < 1_000,
        "{told}"
    );
    if let Failure::Limited { until, .. } = failure {
        let wait = until.duration_since(Timestamp::now());
        assert!(wait < SignedDuration::from_mins(6), "waits {wait}");
    }
    let Some(write) = write else {
        let may_be_done = matches!(failure, Failure::Unknown { .. });
        return assert!(!may_be_done, "nothing was written, yet: {told}");
    };
    let is_own_voice = write.is_own_voice();
    match failure {
        Failure::Transient { .. } => panic!("called undone after {}", write.status),
        Failure::Limited { .. } => assert_eq!(write.status, 429),
        Failure::Unknown { .. } => {
            assert!(write.status != 429);
            let is_refusal = (400..500).contains(&write.status) && is_own_voice;
            assert!(!is_refusal || matches!(write.status, 408 | 425 | 499));
        }
        Failure::Refused { .. } | Failure::Gone { .. } | Failure::NeedsOperator { .. } => {
            assert!((400..500).contains(&write.status) && is_own_voice);
        }
    }
}

/// Every page was a listing, everybody in the answer was in one, and nobody who is the person was left out.
fn is_whole(leads: &[Lead], seen: &[Seen]) {
    let pages: Vec<&Seen> = seen.iter().filter(|s| s.path.ends_with("/task")).collect();
    assert!(!pages.is_empty(), "nobody was asked");
    for lead in leads {
        is_lead(lead);
        assert!(lead.emails.iter().any(|e| e.trim().to_lowercase() == EMAIL));
    }
    for page in pages {
        assert!(page.is_success());
        let Some(listing) = page.json() else {
            // Half a character somewhere.
            assert!(page.is_own_voice(), "a listing is JSON");
            continue;
        };
        let tasks = listing["tasks"].as_array().expect("a listing has tasks");
        for id in tasks.iter().filter(|task| is_of_person(task)).map(id) {
            assert!(leads.iter().any(|lead| lead.id == id), "{id} was left out");
        }
    }
}

fn is_of_person(task: &Value) -> bool {
    let list = id(&task["list"]);
    let is_email = |field: &Value| {
        let value = field["value"].as_str().unwrap_or_default();
        field["name"] == "Email" && field["type"] == "email" && value.trim().to_lowercase() == EMAIL
    };
    let fields = task["custom_fields"].as_array();
    (list == BROKERS || list == INBOUND) && fields.is_some_and(|f| f.iter().any(is_email))
}

fn id(of: &Value) -> String {
    match &of["id"] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// One that can be asked for again.
fn is_lead(lead: &Lead) {
    is_address(&format!("{BASE}/task/{}", lead.id));
    assert!(!lead.description.contains("\r\n"));
    assert!(lead.emails.iter().all(|e| !e.trim().is_empty()));
}

struct Script {
    name: String,
    also_lookups: bool,
    answers: Vec<(u16, HeaderMap, Vec<u8>)>,
}

impl Script {
    fn read(input: &[u8]) -> Self {
        let (name, rest) = line(input);
        let name = String::from_utf8_lossy(name);
        Self {
            also_lookups: name.ends_with('*'),
            name: name.trim_end_matches('*').to_owned(),
            answers: rest.split(|b| *b == 0x1e).map(answer).collect(),
        }
    }
}

fn answer(text: &[u8]) -> (u16, HeaderMap, Vec<u8>) {
    let (head, body) = line(text);
    let head = String::from_utf8_lossy(head);
    let mut words = head.split(' ');
    let status: u16 = words.next().and_then(|s| s.parse().ok()).unwrap_or(200);
    let mut headers = HeaderMap::new();
    for (name, value) in words.filter_map(|w| w.split_once('=')) {
        // A date has blanks in it.
        let value = value.replace('_', " ");
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_str(&value),
        ) {
            headers.append(name, value);
        }
    }
    (
        100 + status.saturating_sub(100) % 500,
        headers,
        body.to_vec(),
    )
}

fn line(input: &[u8]) -> (&[u8], &[u8]) {
    match input.iter().position(|b| *b == b'\n') {
        Some(end) => (&input[..end], &input[end + 1..]),
        None => (input, &[]),
    }
}
