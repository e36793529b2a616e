//! The demo's assistant: the real chat with the real tools, and a script in Claude's place, which knows four questions.

use serde_json::{Value, json};
use sim::cal::api::{Bookable, Config, Server};
use sim::claude::{Claude, Say};

use super::Demo;
use crate::chat::{self, Event};
use crate::cli::chat::Talk;
use crate::tools::By;

pub const QUESTIONS: [&str; 4] = [
    "Draft a follow-up to Jordan and include my intro call link.",
    "Am I free next Tuesday afternoon?",
    "What's my intro call link?",
    "Make a link that can be used once.",
];
const INTRO: &str = "intro-call";

/// What the account has at Cal.com.
pub async fn calcom() -> Server {
    let calcom = Server::start(Config {
        booking_base: "https://cal.brightharbor.example".to_owned(),
        ..Config::default()
    })
    .await;
    for (id, slug, title, minutes) in [
        (880_101, INTRO, "Intro call", 30),
        (880_102, "viewing", "Viewing", 45),
    ] {
        let place = "https://meet.brightharbor.example/nora";
        calcom.add_event_type(Bookable::new(id, slug, title, minutes).location(place));
    }
    calcom
}

pub async fn claude() -> Claude {
    Claude::start(sim::claude::Config::default(), script).await
}

/// One question and its answer.
pub async fn shows(demo: &mut Demo) -> Result<(), String> {
    let question = QUESTIONS[0];
    demo.board.say(&format!("        Nora asks │ {question}"));
    let asked = json!([{ "role": "user", "content": question }]);
    let asked = chat::asked(&asked).map_err(|trouble| trouble.to_string())?;
    let by = By {
        name: "demo".to_owned(),
    };
    let mut used = Vec::new();
    let mut tell = |event: Event| {
        if let Event::Tool { name, .. } = event {
            used.push(name);
        }
    };
    let answered = chat::answer(&demo.running.app, &by, None, asked, &mut tell).await;
    let answered = answered.map_err(|trouble| trouble.to_string())?;
    demo.board
        .say(&format!("        tools     │ {}", used.join(", ")));
    for line in answered.reply.lines().filter(|line| !line.is_empty()) {
        demo.board.say(&format!("        script    │ {line}"));
    }
    if answered.reply.contains("metadata%5Bcalup%5D=v1.") {
        Ok(())
    } else {
        Err("the assistant's draft has no link that leads back to Jordan".to_owned())
    }
}

/// For as long as whoever watches likes.
pub async fn talks(demo: &Demo) {
    super::board::print(
        "\nThe assistant, with a script in Claude's place (ANTHROPIC_API_KEY is what the real one wants). It knows:",
    );
    for question in QUESTIONS {
        super::board::print(&format!("  {question}"));
    }
    Talk::new(&demo.running.app, None).go_on().await;
}

fn script(request: &Value) -> Say {
    let messages = request["messages"].as_array().map(Vec::as_slice);
    let last = messages.and_then(<[Value]>::last);
    let blocks = last.and_then(|last| last["content"].as_array());
    let blocks = blocks.map(Vec::as_slice).unwrap_or_default();
    let results: Vec<Value> = blocks
        .iter()
        .filter_map(|block| serde_json::from_str(block["content"].as_str()?).ok())
        .collect();
    match blocks.iter().find_map(|block| block["text"].as_str()) {
        Some(question) if results.is_empty() => answer(question),
        _ => go_on(&results),
    }
}

fn answer(question: &str) -> Say {
    let lower = question.to_lowercase();
    let intro = json!({ "event_type_slug": INTRO });
    if lower.contains("draft") {
        let to = question.split_once(" to ").map_or("", |(_, to)| to);
        let name: String = to.chars().take_while(|c| c.is_alphabetic()).collect();
        let name = if name.is_empty() { "Jordan" } else { &name };
        Say::text(&format!("I look {name} up."))
            .and_tool("crm_find_person", json!({ "query": name }))
    } else if let Some((_, when)) = lower.split_once("free ") {
        let when = when.trim_end_matches(['?', '.', '!']);
        Say::tool("cal_free_times", json!({ "when": when }))
    } else if lower.contains("once") {
        Say::tool("cal_one_off_link", intro)
    } else if lower.contains("link") {
        Say::tool("cal_get_booking_link", intro)
    } else {
        Say::text("I am a script, and know only the questions above.")
    }
}

fn name_of(person: &Value) -> Option<&str> {
    person["name"]["written_by_others"].as_str()
}

fn go_on(results: &[Value]) -> Say {
    let first = results.first().cloned().unwrap_or_default();
    let people = first["people"].as_array().map_or(&[][..], Vec::as_slice);
    if people.len() > 1 {
        let names: Vec<&str> = people.iter().filter_map(|it| name_of(it)).collect();
        return Say::text(&format!("Which of them: {}?", names.join("; ")));
    }
    if let Some(id) = first["people"][0]["task_id"].as_str() {
        let input = json!({ "event_type_slug": INTRO, "task_id": id });
        return Say::tool("cal_link_for_person", input);
    }
    if let (Some(link), true) = (first["booking_url"].as_str(), first["person"].is_object()) {
        let name = name_of(&first["person"]).unwrap_or_default();
        // "Ross, Michael" as much as "Michael Ross, Harbor".
        let name = match name.split_once(", ") {
            Some((family, rest)) if !family.contains(' ') => rest,
            _ => name,
        };
        let name = name.split([' ', ',']).next().unwrap_or_default();
        return Say::text(&format!(
            "Hi {name}, it was good to talk. Shall we go on? Take whatever time suits you:\n{link}"
        ));
    }
    if let Some(link) = first["booking_url"].as_str() {
        return Say::text(&format!("Your intro call: {link}"));
    }
    if let Some(times) = first["times"].as_array() {
        let days = first["looked_at"].as_str().unwrap_or_default();
        let free: Vec<&str> = times.iter().filter_map(|it| it["start"].as_str()).collect();
        return Say::text(&match free.first() {
            Some(first) => format!("{days}: {} free times, the first at {first}.", free.len()),
            None => format!("{days}: nothing is free."),
        });
    }
    if first["proposal"].is_object() {
        return Say::text("It is proposed, and waits for your yes.");
    }
    let error = first["error"].as_str().unwrap_or("nothing was found");
    Say::text(&format!("That did not work: {error}."))
}
