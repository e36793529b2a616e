//! The assistant's tools: who may use them, what they give, and that nothing is changed before a person confirms it.

use serde_json::{Value, json};
use sim::cal::Person;
use sim::cal::api::{Bookable, Config, Server};

use crate::world::{BROKERS, INBOUND, SELLERS, Setup, World};

pub const INTRO: u64 = 880_101;
const START: &str = "2090-05-04T10:00:00Z";

pub struct Desk {
    pub world: World,
    pub calcom: Server,
    /// Of scope `tools`.
    pub model: String,
}

async fn desk() -> Desk {
    desk_with(Vec::new()).await
}

pub async fn desk_with(more: Vec<(&'static str, String)>) -> Desk {
    let calcom = Server::start(Config {
        limit_by_key: 100_000,
        ..Config::default()
    })
    .await;
    calcom.add_event_type(
        Bookable::new(INTRO, "intro-call", "Intro call", 30).location("https://meet.example.com/n"),
    );
    calcom.add_event_type(Bookable::new(INTRO + 1, "short-30", "Short talk", 30));
    let mut env = vec![
        ("CALCOM_API_URL", calcom.api_url()),
        ("CALCOM_API_KEY", calcom.key()),
        ("CALUP_INDEX_SECONDS", "1".to_owned()),
    ];
    env.extend(more);
    let world = World::with(Setup {
        env,
        ..Setup::default()
    })
    .await;
    let made = world
        .calup
        .run(&["token", "new", "--json", "--scope", "tools"]);
    let made: Value = serde_json::from_str(&made.0).expect("JSON");
    let model = made["token"].as_str().expect("a token").to_owned();
    Desk {
        world,
        calcom,
        model,
    }
}

impl Desk {
    pub async fn post(&self, path: &str, token: &str, body: Value) -> (u16, Value) {
        let url = format!("http://{}{path}", self.world.calup.address);
        let request = self.world.http.post(url).bearer_auth(token).json(&body);
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or_default())
    }

    pub async fn tool(&self, name: &str, input: Value) -> (u16, Value) {
        self.post(&format!("/api/tools/{name}"), &self.model, input)
            .await
    }

    pub async fn good(&self, name: &str, input: Value) -> Value {
        let (status, answer) = self.tool(name, input).await;
        assert_eq!(status, 200, "{name}: {answer}");
        answer
    }

    /// A slot that is free for sure.
    pub async fn slot(&self) -> String {
        self.times("intro-call").await.remove(0)
    }

    pub async fn confirmed(&self, proposed: &Value) -> Value {
        let id = proposed["proposal"]["id"].as_str().expect("an id");
        let path = format!("/api/proposals/{id}");
        let confirm = json!({ "confirm": true });
        let (status, told) = self.post(&path, &self.world.token, confirm).await;
        assert_eq!(status, 200, "{told}");
        told
    }

    pub async fn times(&self, slug: &str) -> Vec<String> {
        let asked = json!({ "when": "next week", "event_type_slug": slug });
        let answer = self.good("cal_free_times", asked).await;
        let all = answer["times"].as_array().expect("times").iter();
        all.map(|it| it["start"].as_str().expect("a time").to_owned())
            .collect()
    }

    pub async fn is_indexed(&self, query: &str, people: usize) -> Value {
        let mut found = Value::Null;
        self.world
            .until("they are found", async || {
                found = self
                    .good("crm_find_person", json!({ "query": query }))
                    .await;
                found["people"].as_array().map(Vec::len) == Some(people)
            })
            .await;
        found
    }
}

#[tokio::test]
async fn a_model_s_token_uses_tools_and_confirms_nothing() {
    let desk = desk().await;
    let tools = {
        let url = format!("http://{}/api/tools", desk.world.calup.address);
        assert_eq!(
            desk.world
                .http
                .get(&url)
                .send()
                .await
                .expect("an answer")
                .status(),
            401
        );
        let answer = desk
            .world
            .http
            .get(&url)
            .bearer_auth(&desk.model)
            .send()
            .await;
        answer
            .expect("an answer")
            .json::<Value>()
            .await
            .expect("JSON")
    };
    let names: Vec<&str> = tools["tools"]
        .as_array()
        .expect("tools")
        .iter()
        .filter_map(|t| t["name"].as_str())
        .collect();
    assert_eq!(names.len(), 12);
    for name in [
        "cal_get_event_types",
        "cal_check_availability",
        "cal_get_booking_link",
    ] {
        assert!(names.contains(&name), "{name}");
    }
    for tool in tools["tools"].as_array().expect("tools") {
        assert_eq!(tool["input_schema"]["type"], "object", "{tool}");
    }

    let start = desk.slot().await;
    let input = json!({"event_type_slug": "intro-call", "start": start, "name": "Mike Ross", "email": "mike@ross.example"});
    let proposed = desk.good("cal_book", input).await;
    let id = proposed["proposal"]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let path = format!("/api/proposals/{id}");
    assert_eq!(
        desk.post(&path, &desk.model, json!({"confirm": true}))
            .await
            .0,
        403
    );
    assert!(desk.calcom.bookings().is_empty(), "nothing is booked yet");
    assert_eq!(desk.post(&path, &desk.world.token, json!({})).await.0, 400);
    let confirm = json!({"confirm": true});
    let (one, two) = tokio::join!(
        desk.post(&path, &desk.world.token, confirm.clone()),
        desk.post(&path, &desk.world.token, confirm.clone())
    );
    let mut ends = [one.0, two.0];
    ends.sort_unstable();
    assert_eq!(ends, [200, 409], "{one:?} {two:?}");
    assert_eq!(desk.calcom.bookings().len(), 1, "once");
    let none = desk
        .post("/api/proposals/p_none", &desk.world.token, confirm)
        .await;
    assert_eq!(none.0, 404);
}

#[tokio::test]
async fn what_is_declined_is_not_done_and_moving_and_cancelling_are_proposed_too() {
    let desk = desk().await;
    let start = desk.slot().await;
    let book = json!({"event_type_slug": "intro-call", "start": start, "name": "Mike Ross", "email": "mike@ross.example"});
    let decide = async |answer: &Value, confirm: bool| {
        let path = format!(
            "/api/proposals/{}",
            answer["proposal"]["id"].as_str().expect("an id")
        );
        desk.post(&path, &desk.world.token, json!({ "confirm": confirm }))
            .await
    };
    let (_, told) = decide(&desk.good("cal_book", book.clone()).await, false).await;
    assert_eq!(told["state"], "declined");
    assert!(desk.calcom.bookings().is_empty());
    let (status, _) = decide(&desk.good("cal_book", book.clone()).await, true).await;
    assert_eq!(status, 200);
    assert_eq!(
        desk.tool("cal_book", book).await.0,
        400,
        "that time is taken by now"
    );

    let upcoming = desk.good("cal_upcoming", json!({"days": 30})).await;
    let meeting = &upcoming["meetings"][0];
    assert_eq!(
        meeting["attendees"][0]["name"]["written_by_others"],
        "Mike Ross"
    );
    assert!(meeting["uid"].is_null(), "a uid opens a booking to anybody");
    let id = &meeting["booking_id"];
    let later = desk.slot().await;
    let moved = desk
        .good("cal_reschedule", json!({"booking_id": id, "start": later}))
        .await;
    let (status, told) = decide(&moved, true).await;
    assert_eq!(status, 200, "{told}");
    let upcoming = desk.good("cal_upcoming", json!({"days": 30})).await;
    assert_eq!(
        upcoming["meetings"].as_array().map(Vec::len),
        Some(1),
        "{upcoming}"
    );
    assert_eq!(upcoming["meetings"][0]["start"], later.as_str());
    let brief = desk.good("meeting_brief", json!({})).await;
    assert_eq!(brief["meeting"]["start"], later.as_str());
    let cancel = desk
        .good(
            "cal_cancel",
            json!({"booking_id": upcoming["meetings"][0]["booking_id"]}),
        )
        .await;
    let (status, told) = decide(&cancel, true).await;
    assert_eq!(status, 200, "{told}");
    let upcoming = desk.good("cal_upcoming", json!({"days": 30})).await;
    assert_eq!(upcoming["meetings"], json!([]));
}

#[tokio::test]
async fn what_was_confirmed_as_the_process_ended_is_not_begun_a_second_time() {
    let mut desk = desk_with(vec![("CALUP_CRASH_AT", "confirmed".to_owned())]).await;
    desk.world.calup.keep_address();
    let proposed = desk
        .good("cal_one_off_link", json!({"event_type_slug": "intro-call"}))
        .await;
    let id = proposed["proposal"]["id"].as_str().expect("an id");
    let url = format!("http://{}/api/proposals/{id}", desk.world.calup.address);
    let request = desk.world.http.post(url).bearer_auth(&desk.world.token);
    let cut_short = request.json(&json!({"confirm": true})).send().await;
    assert!(cut_short.is_err(), "{cut_short:?}");
    desk.world.calup.ended().await;
    desk.world.calup.set("CALUP_CRASH_AT", "");
    desk.world.calup.start();
    let path = format!("/api/proposals/{id}");
    let (status, told) = desk
        .post(&path, &desk.world.token, json!({"confirm": true}))
        .await;
    assert_eq!(status, 409, "{told}");
    let error = told["error"].as_str().expect("a word");
    assert!(error.contains("not known"), "{told}");
    let made = desk.calcom.requests();
    assert!(!made.iter().any(|it| it.path.ends_with("/private-links")));
}

#[tokio::test]
async fn what_cannot_be_is_told_with_what_can() {
    let desk = desk().await;
    let (status, answer) = desk
        .tool("cal_get_booking_link", json!({"event_type_slug": "intro"}))
        .await;
    assert_eq!(status, 404);
    assert_eq!(answer["nearest"][0]["slug"], "intro-call");
    let link = desk
        .good(
            "cal_get_booking_link",
            json!({"event_type_slug": "intro-call"}),
        )
        .await;
    let calls = desk.calcom.requests().len();
    let again = desk
        .good(
            "cal_get_booking_link",
            json!({"event_type_slug": "intro-call"}),
        )
        .await;
    assert_eq!(link, again);
    assert_eq!(
        desk.calcom.requests().len(),
        calls,
        "a repeated question costs no call"
    );
    for (name, input, status) in [
        (
            "cal_check_availability",
            json!({"event_type_id": 1, "date_from": "2090-01-01", "date_to": "2090-01-02"}),
            404,
        ),
        (
            "cal_check_availability",
            json!({"event_type_id": INTRO, "date_from": "soon", "date_to": "2090-01-02"}),
            400,
        ),
        (
            "cal_check_availability",
            json!({"event_type_id": INTRO, "date_from": "2090-01-03", "date_to": "2090-01-02"}),
            400,
        ),
        ("cal_free_times", json!({"when": "whenever"}), 400),
        (
            "cal_reschedule",
            json!({"booking_id": "7", "start": START}),
            404,
        ),
        ("cal_no_such", json!({}), 404),
        ("cal_get_booking_link", json!([]), 400),
    ] {
        let (is, answer) = desk.tool(name, input.clone()).await;
        assert_eq!(is, status, "{name} {input}: {answer}");
        assert!(
            answer["error"].is_string() && answer["hint"].is_string(),
            "{answer}"
        );
    }
    let days = json!({"event_type_id": INTRO.to_string(), "date_from": "2090-01-02", "date_to": "2090-01-02"});
    let free = desk.good("cal_check_availability", days).await;
    assert_eq!(free["days"][0]["date"], "2090-01-02");
}

#[tokio::test]
async fn of_two_mikes_both_are_given_and_a_link_for_one_leads_the_booking_back_to_them() {
    let desk = desk().await;
    let world = &desk.world;
    let ross = world
        .clickup
        .add_task(BROKERS, "Michael Ross", Some("mike@ross.example"));
    world
        .clickup
        .add_task(BROKERS, "Mike Dane", Some("dane@x.example"));
    let found = desk.is_indexed("Mike", 2).await;
    assert!(
        found["next"].as_str().expect("a word").contains("ask"),
        "{found}"
    );
    let link = desk
        .good(
            "cal_link_for_person",
            json!({"event_type_slug": "intro-call", "task_id": ross}),
        )
        .await;
    let url = url::Url::parse(link["booking_url"].as_str().expect("a link")).expect("an address");
    let filled = |name: &str| {
        url.query_pairs()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    assert_eq!(filled("name").as_deref(), Some("Michael Ross"));
    assert_eq!(filled("email").as_deref(), Some("mike@ross.example"));
    let pointer = filled("metadata[calup]").expect("a pointer");

    // From another address, and under the short name.
    let cal = world.cal();
    let mike = Person::new("Mike Ross", "mike@home.example").metadata("calup", &pointer);
    let booked = cal.book(&mike, START, 30).created();
    assert_eq!(world.deliver(booked.body).await, 200);
    assert_eq!(world.settle().await["done"], 1);
    assert_eq!(world.clickup.task(&ross).expect("a task").comments.len(), 1);

    // Passed on to a colleague.
    let colleague = Person::new("Zoë Okafor", "zoe@x.example").metadata("calup", &pointer);
    let booked = cal.book(&colleague, "2090-05-05T10:00:00Z", 30).created();
    assert_eq!(world.deliver(booked.body).await, 200);
    assert_eq!(world.settle().await["done"], 2);
    let made = world.clickup.tasks_in(INBOUND);
    assert_eq!(made.len(), 1);
    assert!(
        made[0].markdown.contains("Michael Ross"),
        "{}",
        made[0].markdown
    );

    // Made up.
    let forged = pointer.replace(&ross, "86forged");
    let stranger = Person::new("Ada Byrd", "ada@byrd.example").metadata("calup", &forged);
    let booked = cal.book(&stranger, "2090-05-06T10:00:00Z", 30);
    assert_eq!(world.deliver(booked.created().body).await, 200);
    assert_eq!(world.settle().await["done"], 3);
    assert_eq!(world.clickup.tasks_in(INBOUND).len(), 2);
    let proof = world.get(&format!("/api/bookings/{}", booked.uid)).await;
    assert!(proof.to_string().contains("not signed here"), "{proof}");
}

#[tokio::test]
async fn without_a_key_the_tools_say_what_is_missing() {
    let world = World::start().await;
    let (status, answer) = world
        .post("/api/tools/cal_get_event_types", json!({}))
        .await;
    assert_eq!(status, 409);
    assert!(
        answer["hint"]
            .as_str()
            .expect("a hint")
            .contains("CALCOM_API_KEY")
    );
    let (out, err, code) = world.calup.run(&["tool", "cal_get_event_types"]);
    assert_eq!((out.as_str(), code), ("", 1), "{err}");
    assert!(err.contains("CALCOM_API_KEY"), "{err}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_is_found_in_the_terminal_where_no_server_has_ever_run() {
    let mut world = World::with(Setup {
        env: vec![("CALUP_QUESTION_HOURS", "0".to_owned())],
        ..Setup::default()
    })
    .await;
    world.calup.stop();
    for n in 0..150 {
        world
            .clickup
            .add_task(SELLERS, &format!("Somebody {n}"), None);
    }
    let mike = world
        .clickup
        .add_task(BROKERS, "Ross, Mike", Some("mike@ross.example"));
    world.calup.set("CALUP_QUESTION_HOURS", "24");
    let asked = ["tool", "crm_find_person", r#"{"query":"Mike"}"#, "--json"];
    let (out, err, code) = world.calup.run(&asked);
    assert_eq!(code, 0, "{err}");
    let answer: Value = serde_json::from_str(&out).expect("JSON");
    assert!(
        answer.to_string().contains(&format!("\"{mike}\"")),
        "{answer}"
    );
    assert!(answer.to_string().contains("may be missing"), "{answer}");
}
