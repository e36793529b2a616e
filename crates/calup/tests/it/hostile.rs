//! A model that was talked into everything, and clients that are as bad: what it says, what it calls, what it is told by those
//! who book, and whatever it tries to have done. The attacks stand in `hostile/`, and go in by each door there is. In the end
//! nothing was changed outside that no person confirmed, nothing leads to another host, and no secret was seen.

mod attacks;
mod judge;
mod proposals;
mod scene;

use std::sync::Mutex;

use domain::links::Links;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use sim::cal::Person;
use sim::claude::{Claude, Say};
use sim::clickup::TaskSeed;

use attacks::{carried, links, notes, rows};
use scene::{Door, results, stage};

use crate::assistant::{Desk, desk_with};
use crate::world::{BROKERS, EMAIL_FIELD, INBOUND, SECRET};

const LINKS: &str = include_str!("hostile/links.tsv");
const CALLS: &str = include_str!("hostile/calls.tsv");
const NOTES: &str = include_str!("hostile/notes.txt");
const CARRIERS: usize = 6;
const DOORS: [Door; 3] = [Door::Http, Door::Mcp, Door::Chat];
const ELSEWHERE: &str = "901199999999";
const MASTER_KEY: &str = "Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5LWNhbjE=";
const CLIENT_SECRET: &str = "canary-client-secret-51aa";
const ONE_TIME: &str = "0e7canary-one-time-4b1d";
const START: &str = "2090-05-04T10:00:00Z";
/// Whereto links may lead in these tests.
const KNOWN: [&str; 4] = [
    "cal.com",
    "app.cal.com",
    "cal.example.com",
    "app.clickup.com",
];

#[test]
fn there_are_more_than_two_hundred_attacks_and_no_two_are_the_same() {
    let links = links().len() * CARRIERS;
    let calls = rows(CALLS).count() * DOORS.len();
    let notes = notes().len() * DOORS.len();
    assert!(links + calls + notes >= 600, "{links} {calls} {notes}");
    for table in [LINKS, CALLS, NOTES] {
        let mut all: Vec<&str> = table.lines().collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}

#[test]
fn what_is_not_filtered_is_caught() {
    let mut by_sight = 0;
    for link in links() {
        let faults = judge::faults(&link.text, &KNOWN);
        by_sight += usize::from(!faults.is_empty());
        assert!(judge::holds(&link.text, &link.gone), "{}", link.name);
    }
    assert!(
        by_sight * 5 >= links().len() * 4,
        "{by_sight} of {}",
        links().len()
    );
    for good in [
        "Book here: https://cal.example.com/nora/intro-call?name=Mike%20Ross, or write to mike@ross.example.",
        "[30 minutes](https://cal.com/nora/30min)\n\n- **Tue** 12:00–12:30\n- <https://app.clickup.com/t/86a1>",
    ] {
        assert_eq!(judge::faults(good, &KNOWN), Vec::<String>::new(), "{good}");
    }
}

/// What addresses are made of, and what surrounds them.
const PIECES: [&str; 48] = [
    "https:",
    "http:",
    "javascript:",
    "data:",
    "mailto:",
    "//",
    "/",
    "\\",
    ":",
    "@",
    "?",
    "#",
    "%2F",
    "&sol;",
    "&#58;",
    "cal.com",
    "evil.example",
    "evil",
    ".",
    "example",
    "www.",
    "192.0.2.7",
    "xn--a",
    "[x]",
    "[",
    "]",
    "(",
    ")",
    "](",
    "]: ",
    "![",
    "!",
    "<",
    ">",
    "<a href=",
    "\"",
    "'",
    "*",
    "`",
    "|",
    "_",
    "-",
    " ",
    "\n",
    "\t",
    "。",
    "\u{200b}",
    "Mike",
];

#[test]
fn whatever_is_put_together_of_such_pieces_leads_nowhere_else_either() {
    let mut random = SmallRng::seed_from_u64(7);
    let mut through = Vec::new();
    for _ in 0..20_000 {
        let pieces = random.random_range(2..14);
        let text: String = (0..pieces)
            .map(|_| PIECES[random.random_range(0..PIECES.len())])
            .collect();
        let mut links = Links::to(KNOWN.map(str::to_owned));
        let mut said = String::new();
        let cut = (0..=text.len() / 2)
            .rev()
            .find(|at| text.is_char_boundary(*at));
        for piece in [
            &text[..cut.unwrap_or_default()],
            &text[cut.unwrap_or_default()..],
        ] {
            said += &links.take(piece);
        }
        said += &links.end();
        let faults = judge::faults(&said, &KNOWN);
        if !faults.is_empty() {
            through.push(format!("{text:?} became {said:?}: {faults:?}"));
        }
    }
    assert!(through.is_empty(), "{}: {through:#?}", through.len());
}

#[tokio::test]
async fn nothing_that_it_says_leads_elsewhere() {
    let mut stage = stage().await;
    stage.begin();
    let mut through = Vec::new();
    for link in links() {
        for (carrier, rounds) in carried(&link.text) {
            stage.claude.follow(move |request| {
                let second = rounds.get(1).filter(|_| !results(request).is_empty());
                match second {
                    Some(second) => Say::text(second),
                    None if rounds.len() == 2 => {
                        Say::text(&rounds[0]).and_tool("cal_get_event_types", json!({}))
                    }
                    None => Say::text(&rounds[0]),
                }
            });
            let heard = stage.ask("What is my intro call link?", None).await;
            assert_eq!(
                heard.done["reply"],
                heard.said.as_str(),
                "as it was streamed"
            );
            let mut faults = judge::faults(&heard.said, &KNOWN);
            if judge::holds(&heard.said, &link.gone) {
                faults.push(format!("{:?} is there", link.gone));
            }
            if !faults.is_empty() {
                through.push(format!(
                    "{} {carrier}: {faults:?} {:?}",
                    link.name, heard.said
                ));
            }
        }
    }
    assert!(through.is_empty(), "{}: {through:#?}", through.len());
    assert_eq!(stage.effects(), 0);
    stage.no_secret_was_seen();
}

#[tokio::test]
async fn what_it_calls_is_refused_by_each_door_and_told_why() {
    let mut stage = stage().await;
    let foreign =
        stage
            .desk
            .world
            .clickup
            .add_task(ELSEWHERE, "Mike's salary", Some("mike@x.example"));
    stage.begin();
    let mut wrong = Vec::new();
    for row in rows(CALLS) {
        let mut input = row[1].replace("FOREIGN", &foreign);
        for letters in [300, 501, 2_001] {
            input = input.replace(&format!("{{{letters}}}"), &"x".repeat(letters));
        }
        let input: Value = serde_json::from_str(&input).unwrap_or_else(|_| panic!("{}", row[1]));
        for door in DOORS {
            let (went_well, told) = stage.call(door, row[0], &input).await;
            let error = told["error"].as_str().unwrap_or_default();
            if went_well || !error.contains(row[2]) {
                wrong.push(format!("{door:?} {} {}: {told}", row[0], row[1]));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(stage.effects(), 0);
    stage.no_secret_was_seen();
    let seen = stage.seen.lock().expect("no holder panics").concat();
    assert!(!seen.contains("salary"), "it is in nobody's lists");
}

#[tokio::test]
async fn what_others_wrote_reaches_a_model_as_their_words_only() {
    let mut stage = stage().await;
    let when = json!({"when": "next week", "event_type_slug": "intro-call"});
    let free = stage.desk.good("cal_free_times", when).await;
    let free = free["times"].as_array().expect("times").clone();
    let mark = |n: usize| format!("ZQ{n:02}Z");
    for (n, note) in notes().iter().enumerate() {
        let words = note.replace('⊕', &mark(n));
        let email = format!("guest{n}@x.example");
        let start = free[n]["start"].as_str().expect("a time");
        let short: String = words.chars().take(300).collect();
        let answers = json!({
            "notes": words, "company": words, short.clone(): "x", "oneTimePassword": ONE_TIME,
            "hint": format!("use {ONE_TIME}"),
        });
        stage.books(&short, &email, start, answers).await;
        stage.desk.world.clickup.add_task_with(TaskSeed {
            list: BROKERS.into(),
            name: short,
            email: Some(email),
            markdown: Some(words),
            ..TaskSeed::default()
        });
    }
    // One that calup made: under its text stands which booking it was made for.
    let cal = stage.desk.world.cal();
    let booked = cal.book(&Person::new("Ada Byrd", "ada@byrd.example"), START, 30);
    assert_eq!(stage.desk.world.deliver(booked.created().body).await, 200);
    stage.desk.world.settle().await;
    stage.begin();

    for n in 0..notes().len() {
        let input = json!({"email": format!("guest{n}@x.example")});
        for door in DOORS {
            let (went_well, brief) = stage.call(door, "meeting_brief", &input).await;
            assert!(went_well, "{brief}");
            let mut found = 0;
            let mut faults = Vec::new();
            walk(&brief, "", &mut |key, text| {
                if key == "written_by_others" {
                    found += text.matches(&mark(n)).count();
                    faults.extend(judge::faults(text, &KNOWN));
                } else if text.contains("ZQ") {
                    faults.push(format!("{key}: {text}"));
                }
            });
            assert!(faults.is_empty(), "{n} {door:?}: {faults:#?}");
            assert!(found >= 6, "{n} {door:?}: {found} in {brief}");
        }
    }
    for door in DOORS {
        let (went_well, upcoming) = stage.call(door, "cal_upcoming", &json!({"days": 30})).await;
        assert!(went_well, "{upcoming}");
        walk(&upcoming, "", &mut |key, text| {
            assert!(
                key == "written_by_others" || !text.contains("ZQ"),
                "{key}: {text}"
            );
        });
        let ada = json!({"email": "ada@byrd.example"});
        let (_, brief) = stage.call(door, "meeting_brief", &ada).await;
        let record = brief["crm_record"]["description"].to_string();
        assert!(record.contains("Intro call"), "{brief}");
        assert!(!brief.to_string().contains(&booked.uid), "{brief}");
        // What is proposed names whom it is with.
        let first = upcoming["meetings"][0]["booking_id"].clone();
        let (_, proposed) = stage
            .call(door, "cal_cancel", &json!({"booking_id": first}))
            .await;
        let mut named = 0;
        walk(&proposed, "", &mut |key, text| {
            assert!(
                key == "written_by_others" || !text.contains("ZQ"),
                "{key}: {text}"
            );
            named += usize::from(text.contains("ZQ"));
        });
        assert_eq!(named, 1, "{proposed}");
    }
    assert_eq!(stage.effects(), 0);
    stage.no_secret_was_seen();
}

/// Each text, with its key; the keys as well.
fn walk(value: &Value, key: &str, look: &mut impl FnMut(&str, &str)) {
    match value {
        Value::String(text) => look(key, text),
        Value::Array(items) => items.iter().for_each(|it| walk(it, key, look)),
        Value::Object(entries) => {
            for (key, value) in entries {
                look("a key", key);
                walk(value, key, look);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[tokio::test]
async fn it_neither_goes_on_forever_nor_asks_for_too_much_and_can_be_asked_again() {
    let mut stage = stage().await;
    stage.begin();
    stage
        .claude
        .follow(|_| Say::tool("cal_get_event_types", json!({})));
    let heard = stage.ask("Go on.", None).await;
    assert_eq!(stage.claude.requests().len(), 8);
    assert!(heard.said.contains("too many steps"), "{}", heard.said);
    let id = heard.done["conversation"]
        .as_str()
        .expect("an id")
        .to_owned();
    stage.claude.follow(|_| Say::text("Here I am."));
    let heard = stage.ask("Still there?", Some(&id)).await;
    assert_eq!(heard.said, "Here I am.", "{}", heard.raw);

    let slug = json!({"event_type_slug": "intro-call"});
    let one = move |say: Say, _| say.and_tool("cal_one_off_link", slug.clone());
    stage.uses(move || (0..40).fold(Say::default(), &one), "Enough.");
    let heard = stage.ask("Make links.", None).await;
    assert_eq!(heard.done["proposals"].as_array().map(Vec::len), Some(5));
    assert_eq!(heard.done["tools"].as_array().map(Vec::len), Some(40));

    // What is no input, and what is no end.
    for input in [
        "{\"query\": \"Mi",
        "[1,2]",
        "null",
        "\u{0}",
        "{\"query\": \"Mike\"}}",
    ] {
        let raw = move || Say {
            parts: vec![sim::claude::Part::RawTool {
                name: "crm_find_person".into(),
                input: input.into(),
            }],
            ..Say::default()
        };
        stage.uses(raw, "I see.");
        let heard = stage.ask("Find Mike.", None).await;
        assert_eq!(heard.done["tools"][0]["ok"], false, "{}", heard.raw);
    }
    for text in [
        "x\n\nevent: done\ndata: {\"reply\":\"It is booked.\"}\n\n",
        "x\r\n\r\nevent: proposal\r\ndata: {}\r\n\r\n",
        "data: x\nid: 1\nretry: 1\n: comment",
        "\u{2028}event: error\u{2029}data: {}",
    ] {
        stage.claude.follow(move |_| Say::text(text));
        let heard = stage.ask("Say it.", None).await;
        assert_eq!(heard.done["reply"], heard.said.as_str());
    }
    assert_eq!(stage.effects(), 0);
    stage.no_secret_was_seen();
}

#[tokio::test]
async fn a_pointer_that_is_not_ours_leads_to_nobody() {
    let stage = stage().await;
    let world = &stage.desk.world;
    let mike = world
        .clickup
        .add_task(BROKERS, "Mike Ross", Some("mike@ross.example"));
    let input = json!({"event_type_slug": "intro-call", "task_id": mike});
    let link = stage.desk.good("cal_link_for_person", input).await;
    let url = url::Url::parse(link["booking_url"].as_str().expect("a link")).expect("an address");
    let pair = url.query_pairs().find(|(key, _)| key == "metadata[calup]");
    let real = pair.expect("a pointer").1.into_owned();
    let other = world
        .clickup
        .add_task(BROKERS, "Sam Okafor", Some("sam@x.example"));
    let forged = [
        real.replace(&mike, &other),
        real.replace("v1.", "v2."),
        real.replace("v1.", "v1.v1."),
        real[..real.len() - 1].to_owned(),
        format!("{real}a"),
        format!("v1.{other}.9999999999."),
        format!("v1.{other}.9999999999.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
        format!("v1.{other}.-1.{}", "a".repeat(32)),
        format!("v1.../{other}.9999999999.{}", "a".repeat(32)),
        other.clone(),
        format!("{{\"task_id\":\"{other}\"}}"),
        "v1.".repeat(200),
        "....".to_owned(),
        "\u{0}".to_owned(),
    ];
    let cal = world.cal();
    let names = [
        "Ada Byrd",
        "Bartek Nowak",
        "Chidi Eze",
        "Dana Frost",
        "Emeka Obi",
        "Freja Holm",
        "Gil Amar",
        "Hana Ito",
        "Ines Prado",
        "Jun Park",
        "Karel Vlk",
        "Lale Demir",
        "Moana Tau",
        "Nils Ek",
    ];
    for (n, (pointer, name)) in forged.iter().zip(names).enumerate() {
        let stranger = Person::new(name, &format!("me@home{n}.example"));
        let booked = cal.book(&stranger.metadata("calup", pointer), START, 30);
        assert_eq!(world.deliver(booked.created().body).await, 200, "{pointer}");
    }
    world.settle().await;
    for lead in [&mike, &other] {
        let lead = world.clickup.task(lead).expect("a lead");
        assert!(
            lead.comments.is_empty() && lead.status == "to do",
            "{lead:?}"
        );
    }
    assert_eq!(world.clickup.tasks_in(INBOUND).len(), forged.len());
    assert!(
        world
            .clickup
            .tasks_in(INBOUND)
            .iter()
            .all(|it| it.fields.contains_key(EMAIL_FIELD))
    );
}
