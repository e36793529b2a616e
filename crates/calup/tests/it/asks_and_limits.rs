//! What an event type asks for beside a name, whose seat is meant, and requests that come badly or go away.

use std::time::Duration;

use serde_json::{Value, json};
use sim::cal::api::Bookable;
use sim::claude::{Claude, Say};
use sim::{Fault, Match};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::assistant::{Desk, desk_with};

const DETAILED: u64 = 880_201;
const LONG: u64 = 880_202;
const WORKSHOP: u64 = 880_203;

async fn desk() -> Desk {
    let desk = desk_with(Vec::new()).await;
    desk.calcom.add_event_type(
        Bookable::new(DETAILED, "detailed", "Detailed", 30)
            .location("https://meet.example.com/n")
            .question("company", "Your company", true)
            .choice("size", "How many", &["1-10", "more"]),
    );
    desk.calcom.add_event_type(
        Bookable::new(LONG, "long-or-short", "Long or short", 30)
            .location("https://meet.example.com/n")
            .lengths(&[30, 60]),
    );
    desk.calcom.add_event_type(
        Bookable::new(WORKSHOP, "workshop", "Workshop", 30)
            .location("https://meet.example.com/n")
            .seats(5),
    );
    desk
}

impl Desk {
    async fn refused(&self, name: &str, input: Value) -> Value {
        let (status, answer) = self
            .post(&format!("/api/tools/{name}"), &self.model, input)
            .await;
        assert_eq!(status, 400, "{answer}");
        answer
    }
}

#[tokio::test]
async fn what_an_event_type_asks_is_answered_before_anybody_confirms() {
    let desk = desk().await;
    let types = desk.good("cal_get_event_types", json!({})).await;
    let all = types["event_types"].as_array().expect("event types");
    let detailed = all.iter().find(|it| it["slug"] == "detailed");
    let questions = &detailed.expect("it is there")["questions"];
    assert_eq!(
        questions[0],
        json!({"slug": "company", "label": "Your company", "required": true})
    );
    assert_eq!(questions[1]["options"], json!(["1-10", "more"]));

    let start = &desk.times("detailed").await[0];
    let book = |answers: Value| json!({"event_type_slug": "detailed", "start": start, "name": "Ada", "email": "ada@byrd.example", "answers": answers});
    for (answers, says) in [
        (json!({}), "wants an answer to: company"),
        (
            json!({"company": "Byrd", "size": "many"}),
            "one of its options",
        ),
        (
            json!({"company": "Byrd", "colour": "red"}),
            "asks nothing called `colour`",
        ),
        (json!({"company": {"a": 1}}), "is no text"),
        (json!("Byrd"), "no JSON object"),
    ] {
        let answer = desk.refused("cal_book", book(answers)).await;
        assert!(
            answer["error"].as_str().expect("a word").contains(says),
            "{answer}"
        );
    }
    let proposed = desk
        .good(
            "cal_book",
            book(json!({"company": "Byrd & Co", "size": "more"})),
        )
        .await;
    let summary = proposed["proposal"]["summary"].to_string();
    assert!(
        summary.contains("Your company: “Byrd & Co”, How many: “more”"),
        "{summary}"
    );
    desk.confirmed(&proposed).await;
    let booked = &desk.calcom.bookings()[0];
    assert!(booked.to_string().contains("Byrd & Co"), "{booked}");
}

#[tokio::test]
async fn a_length_that_can_be_chosen_is_asked_for_and_booked() {
    let desk = desk().await;
    let asked = json!({"when": "next week", "minutes": 60});
    let free = desk.good("cal_free_times", asked).await;
    let start = free["times"][0]["start"].as_str().expect("a time");
    let book = |minutes: u32| json!({"event_type_slug": "long-or-short", "start": start, "name": "Ada", "email": "ada@byrd.example", "minutes": minutes});
    let answer = desk.refused("cal_book", book(45)).await;
    assert!(
        answer["error"]
            .as_str()
            .expect("a word")
            .contains("that long"),
        "{answer}"
    );
    desk.confirmed(&desk.good("cal_book", book(60)).await).await;
    let requests = desk.calcom.requests();
    let slots = requests.iter().filter(|it| it.path.ends_with("/slots"));
    assert!(
        slots.clone().count() > 0 && slots.into_iter().all(|it| it.query.contains("duration=60"))
    );
    let upcoming = desk.good("cal_upcoming", json!({"days": 30})).await;
    let meeting = &upcoming["meetings"][0];
    let at = |name: &str| -> jiff::Timestamp {
        meeting[name]
            .as_str()
            .expect("a time")
            .parse()
            .expect("a time")
    };
    assert_eq!(
        at("end").duration_since(at("start")).as_mins(),
        60,
        "{meeting}"
    );
}

#[tokio::test]
async fn of_a_meeting_with_seats_one_is_moved_or_given_up_and_the_others_stay() {
    let desk = desk().await;
    let times = desk.times("workshop").await;
    for name in ["ada", "bo"] {
        let book = json!({"event_type_slug": "workshop", "start": times[0], "name": name, "email": format!("{name}@x.example")});
        desk.confirmed(&desk.good("cal_book", book).await).await;
    }
    let upcoming = desk.good("cal_upcoming", json!({"days": 30})).await;
    let id = upcoming["meetings"][0]["booking_id"].clone();
    let later = times
        .iter()
        .find(|it| it[..10] != times[0][..10])
        .expect("another day");
    let answer = desk
        .refused("cal_reschedule", json!({"booking_id": id, "start": later}))
        .await;
    assert_eq!(
        answer["attendees"].as_array().map(Vec::len),
        Some(2),
        "{answer}"
    );
    let nobody = json!({"booking_id": id, "start": later, "email": "cy@x.example"});
    desk.refused("cal_reschedule", nobody).await;
    let moved = json!({"booking_id": id, "start": later, "email": "bo@x.example"});
    let proposed = desk.good("cal_reschedule", moved).await;
    let summary = proposed["proposal"]["summary"].to_string();
    assert!(summary.contains("with bo <bo@x.example> from"), "{summary}");
    desk.confirmed(&proposed).await;
    let upcoming = desk.good("cal_upcoming", json!({"days": 30})).await;
    let meetings = upcoming["meetings"].as_array().expect("meetings");
    let starts: Vec<&str> = meetings
        .iter()
        .filter_map(|it| it["start"].as_str())
        .collect();
    assert_eq!(starts, [times[0].as_str(), later], "{upcoming}");

    let again = json!({"event_type_slug": "workshop", "start": times[0], "name": "cy", "email": "cy@x.example"});
    desk.confirmed(&desk.good("cal_book", again).await).await;
    let cancel = json!({"booking_id": meetings[0]["booking_id"], "email": "cy@x.example"});
    let proposed = desk.good("cal_cancel", cancel).await;
    assert!(
        proposed["proposal"]["summary"]
            .to_string()
            .contains("cy <cy@x.example> (only their seat)")
    );
    desk.confirmed(&proposed).await;
    let upcoming = desk.good("cal_upcoming", json!({"days": 30})).await;
    let people = &upcoming["meetings"][0]["attendees"];
    assert!(
        people.to_string().contains("ada") && !people.to_string().contains("cy"),
        "{people}"
    );
}

#[tokio::test]
async fn one_event_type_that_fails_does_not_hide_when_the_others_are_free() {
    let desk = desk().await;
    let failing = Fault::Status(
        400,
        r#"{"status":"error","error":{"message":"no"}}"#.to_owned(),
    );
    desk.calcom
        .fault(Match::get(&format!("eventTypeId={LONG}")), failing, 1);
    let free = desk
        .good("cal_free_times", json!({"when": "next week"}))
        .await;
    assert!(free["free"].as_u64() > Some(0), "{free}");
    let note = free["note"].as_str().expect("a note");
    assert!(note.contains("`long-or-short` was not looked at"), "{note}");
}

#[tokio::test]
async fn whoever_confirms_and_goes_away_finds_later_what_came_of_it() {
    let desk = desk().await;
    let link = json!({"event_type_slug": "intro-call"});
    let proposed = desk.good("cal_one_off_link", link).await;
    let id = proposed["proposal"]["id"].as_str().expect("an id");
    let slow = Fault::Delay(1_500);
    desk.calcom.fault(Match::post("/private-links"), slow, 1);
    let url = format!("http://{}/api/proposals/{id}", desk.world.calup.address);
    let confirm = desk.world.http.post(url).bearer_auth(&desk.world.token);
    let confirm = confirm
        .json(&json!({"confirm": true}))
        .timeout(Duration::from_millis(400));
    assert!(confirm.send().await.is_err(), "it goes away");
    desk.world
        .until("it is written down", async || {
            let path = format!("/api/proposals/{id}");
            let body = json!({"confirm": true});
            let (status, told) = desk.post(&path, &desk.world.token, body).await;
            assert_eq!(status, 409);
            told["state"] == "done" && told["result"].to_string().contains("http")
        })
        .await;
}

#[tokio::test]
async fn what_is_known_before_an_answer_begins_has_its_status() {
    let desk = desk().await;
    let asked = json!({"messages": [{"role": "user", "content": "Hi"}]});
    let (status, answer) = desk
        .post("/api/chat", &desk.world.token, asked.clone())
        .await;
    assert_eq!(status, 409, "{answer}");
    assert!(
        answer["hint"].to_string().contains("ANTHROPIC_API_KEY"),
        "{answer}"
    );

    let declines = |_: &Value| Say::text("").stopping("refusal");
    let claude = Claude::start(sim::claude::Config::default(), declines).await;
    let desk = desk_with(vec![
        ("ANTHROPIC_BASE_URL", claude.base_url()),
        ("ANTHROPIC_API_KEY", claude.api_key()),
    ])
    .await;
    let mut unknown = asked.clone();
    unknown["conversation"] = "c_nobody".into();
    assert_eq!(
        desk.post("/api/chat", &desk.world.token, unknown).await.0,
        404
    );
    let whole = async |body: &Value| {
        let url = format!("http://{}/api/chat", desk.world.calup.address);
        let request = desk.world.http.post(url).bearer_auth(&desk.world.token);
        let request = request.header("accept", "application/json").json(body);
        let answer = request.send().await.expect("an answer");
        answer.json::<Value>().await.expect("JSON")
    };
    let first = whole(&asked).await;
    assert!(
        first["reply"]
            .as_str()
            .expect("a reply")
            .contains("declined"),
        "{first}"
    );
    let mut again = asked.clone();
    again["conversation"] = first["conversation"].clone();
    whole(&again).await;
    let last = claude.requests().pop().expect("a request");
    let messages = last.body["messages"].as_array().map(Vec::len);
    assert_eq!(messages, Some(1), "what was declined is not said again");
}

#[tokio::test]
async fn a_body_that_is_too_long_or_does_not_come_is_told_and_let_go() {
    let desk = desk().await;
    let long = json!({ "query": "x".repeat(70_000) });
    for (path, token) in [
        ("/api/tools/crm_find_person", &desk.model),
        ("/mcp", &desk.model),
    ] {
        let (status, answer) = desk.post(path, token, long.clone()).await;
        assert_eq!(status, 413, "{path}");
        assert!(
            answer["error"].to_string().contains("64 KiB"),
            "{path}: {answer}"
        );
    }
    let address = &desk.world.calup.address;
    let slow = ["/api/chat", "/api/tools/cal_upcoming", "/mcp"].map(|path| {
        let token = if path == "/api/chat" { &desk.world.token } else { &desk.model };
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
             Accept: application/json, text/event-stream\r\nContent-Length: 90\r\n\r\n{{"
        );
        async move {
            let mut stream = TcpStream::connect(address).await.expect("calup");
            stream.write_all(head.as_bytes()).await.expect("sent");
            let mut heard = String::new();
            let ended = tokio::time::timeout(Duration::from_secs(25), stream.read_to_string(&mut heard));
            ended.await.unwrap_or_else(|_| panic!("{path} is held")).expect("heard");
            assert!(heard.starts_with("HTTP/1.1 408"), "{path}: {heard}");
            assert!(heard.contains("did not come"), "{path}: {heard}");
        }
    });
    futures_util::future::join_all(slow).await;
}

#[tokio::test]
async fn what_does_not_fit_into_what_a_person_is_shown_is_not_proposed() {
    let desk = desk().await;
    let slugs: Vec<String> = (0..9).map(|n| format!("question-{n}")).collect();
    let long = Bookable::new(880_204, "long-form", "Long form", 30);
    let long = slugs
        .iter()
        .fold(long, |it, slug| it.question(slug, slug, false));
    desk.calcom.add_event_type(long);
    let times = desk.times("long-form").await;
    let book = |letters: usize| {
        let answers = slugs.iter().map(|slug| (slug.clone(), "x".repeat(letters)));
        let answers: std::collections::BTreeMap<String, String> = answers.collect();
        json!({
            "event_type_slug": "long-form", "start": times[0], "name": "Mike", "email": "mike@ross.example",
            "answers": answers,
        })
    };
    let told = desk.refused("cal_book", book(480)).await;
    let error = told["error"].as_str().expect("a sentence");
    assert!(error.contains("too long to be shown"), "{told}");
    let proposed = desk.good("cal_book", book(300)).await;
    let summary = proposed["proposal"]["summary"].to_string();
    assert_eq!(summary.matches(&"x".repeat(300)).count(), 9, "{summary}");
}

#[tokio::test]
async fn slots_that_cannot_be_read_are_not_told_as_no_free_time() {
    let desk = desk().await;
    let when = json!({ "when": "next week", "event_type_slug": "detailed" });
    for days in [
        r"[]",
        r#"{"2026-12-01": [{"start": "not a time"}]}"#,
        r#"{"2026-12-01": [{"begin": "2026-12-01T09:00:00Z"}]}"#,
        r#"{"2026-12-01": "none"}"#,
    ] {
        let body = format!(r#"{{"status": "success", "data": {days}}}"#);
        let slots = Match::get("/slots");
        desk.calcom.fault(slots, Fault::Status(200, body), 1_000);
        let (status, answer) = desk.tool("cal_free_times", when.clone()).await;
        assert_eq!(status, 502, "{days}: {answer}");
        let error = answer["error"].as_str().expect("a sentence");
        assert!(error.contains("something else than slots"), "{answer}");
        desk.calcom.clear_faults();
    }
    desk.good("cal_free_times", when).await;
}
