//! Posting, finding, changing: what the channel then shows.

use std::time::{Duration, Instant};

use domain::outcome::Failure;
use sim::slack::{Click, Config as SimConfig};
use vendors::slack::{Block, Message, Reply};

use super::{
    ROBIN, SALES, client, client_of, config, ever, question, run, workspace, workspace_of,
};

#[tokio::test]
async fn what_is_posted_is_found_by_its_marker_and_changed_by_its_time() {
    let sim = workspace().await;
    let slack = client(&sim);
    assert_eq!(slack.find("m1", ever()).await, Ok(None));
    let ts = slack
        .post(&question("Ada", "m1"))
        .await
        .expect("it is posted");
    assert_eq!(slack.find("m1", ever()).await, Ok(Some(ts.clone())));
    assert_eq!(slack.find("m2", ever()).await, Ok(None));
    let seen = sim.message(SALES, &ts).expect("a message");
    let shown = "Who is it?\nAda booked 30 Min Meeting\n[Ada]\n[New lead]";
    assert_eq!(
        (seen.seen.text.as_str(), seen.seen.formatted),
        (shown, vec!["Ada".to_owned()])
    );
    assert_eq!(seen.notified.text, "Ada booked: who is it?");

    let decided = Message {
        text: "decided".to_owned(),
        blocks: vec![Block::Section(vec![run("Robin decided")])],
        marker: None,
    };
    slack
        .update(SALES, &ts, &decided)
        .await
        .expect("it is changed");
    let seen = sim.message(SALES, &ts).expect("a message");
    assert_eq!(
        (seen.seen.text.as_str(), seen.buttons.len()),
        ("Robin decided", 0)
    );
    assert_eq!(slack.find("m1", ever()).await, Ok(Some(ts.clone())));
    sim.human_delete(SALES, &ts);
    let gone = slack.update(SALES, &ts, &decided).await;
    assert!(matches!(gone, Err(Failure::Gone { .. })), "{gone:?}");
    assert_eq!(slack.find("m1", ever()).await, Ok(None));
    assert!(matches!(
        slack.update(SALES, "x", &decided).await,
        Err(Failure::Gone { .. })
    ));
}

#[tokio::test]
async fn a_marker_is_found_on_any_page_and_only_as_far_back_as_asked() {
    let sim = workspace_of(SimConfig {
        history_page_max: 3,
        ..SimConfig::default()
    })
    .await;
    let slack = client(&sim);
    let ts = slack
        .post(&question("Ada", "m1"))
        .await
        .expect("it is posted");
    for n in 0..10 {
        // Text that looks like a marker is none.
        sim.human_say(SALES, ROBIN, &format!("m{n}"));
    }
    assert_eq!(slack.find("m1", ever()).await, Ok(Some(ts)));
    assert_eq!(slack.find("m2", ever()).await, Ok(None));
    let later = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    assert_eq!(slack.find("m1", later).await, Ok(None));
}

#[tokio::test]
async fn nothing_that_an_attendee_types_acts_in_the_channel() {
    for typed in [
        "<!channel> <!here> <!everyone> <@U0000ROBIN> <!subteam^S1>",
        "&lt;!channel&gt;",
        "<https://evil.example|Ada> https://evil.example www.evil.example",
        "*bold* _it_ ~no~ `code` ```x```",
        "> quoted :tada: @channel #general",
        "a*\n> b <!here and more",
        "|><!channel> |",
    ] {
        let sim = workspace().await;
        let slack = client(&sim);
        let mut message = question(typed, "m");
        message.blocks.extend([
            Block::Plain(typed.to_owned()),
            Block::Context(vec![run(typed)]),
            Block::Section(vec![domain::lead::Run {
                link: Some(format!("https://app.example/?q={typed}")),
                ..run(typed)
            }]),
        ]);
        let ts = slack.post(&message).await.expect("it is posted");
        let seen = sim.message(SALES, &ts).expect("a message");
        assert_eq!(seen.pings(), Vec::<String>::new(), "{typed}");
        assert_eq!(seen.notified.formatted, Vec::<String>::new(), "{typed}");
        // Our own bold, and our own link.
        assert!(
            seen.seen.formatted.len() <= typed.lines().count(),
            "{typed}: {:?}",
            seen.seen
        );
        let links = seen.seen.links;
        assert!(
            links.len() == 1 && links[0].0.starts_with("https://app.example/"),
            "{typed}: {links:?}"
        );
        assert!(
            seen.seen.text.contains(&format!("\n{typed}\n")),
            "{typed}: {}",
            seen.seen.text
        );
        let label = seen.buttons[0].label.trim_end_matches('…');
        assert!(
            typed.starts_with(label) && label.len() > 10,
            "{typed}: {label}"
        );
    }
}

#[tokio::test]
async fn a_message_of_any_length_is_taken() {
    let sim = workspace().await;
    let slack = client(&sim);
    let mut message = question(&"&<>🎉".repeat(5_000), "m");
    for _ in 0..20 {
        message.blocks.push(Block::Plain("<&".repeat(3_000)));
    }
    slack.post(&message).await.expect("it is cut and taken");
    let refused = Message {
        blocks: vec![Block::Divider; 51],
        ..question("Ada", "m")
    };
    assert_eq!(super::classed(slack.post(&refused).await), "refused");
    assert_eq!(sim.calls_of("chat.postMessage"), 1);
}

#[tokio::test]
async fn a_channel_may_be_named_and_is_looked_up_once() {
    let sim = workspace().await;
    let mut by_name = config(&sim);
    by_name.channel = "#sales-bookings".to_owned();
    let slack = client_of(by_name);
    let ts = slack
        .post(&question("Ada", "m"))
        .await
        .expect("it is posted");
    assert_eq!(slack.find("m", ever()).await, Ok(Some(ts)));
    assert_eq!(sim.calls_of("conversations.list"), 1);
    let checked = slack.check().await.expect("all is well");
    assert_eq!(
        (checked.team.as_str(), checked.channel_id.as_str()),
        ("Acme", SALES)
    );

    let mut unknown = config(&sim);
    unknown.channel = "nowhere".to_owned();
    let slack = client_of(unknown);
    assert_eq!(super::classed(slack.check().await), "operator");
}

#[tokio::test]
async fn messages_keep_a_pace_of_one_a_second() {
    let sim = workspace_of(SimConfig {
        burst: 1,
        ..SimConfig::default()
    })
    .await;
    let slack = client(&sim);
    let began = Instant::now();
    for n in 0..3 {
        slack.ready().await.expect("it will be our turn");
        let posted = slack.post(&question("Ada", &format!("m{n}"))).await;
        posted.expect("it is posted");
    }
    assert!(began.elapsed() >= Duration::from_secs(2));
    assert_eq!((sim.messages(SALES).len(), sim.refused_429()), (3, 0));
}

#[tokio::test]
async fn a_click_is_answered_at_its_address_and_nowhere_else() {
    let sim = workspace().await;
    let slack = client(&sim);
    let ts = slack
        .post(&question("Ada", "m"))
        .await
        .expect("it is posted");
    let url = sim
        .signed(&Click::new(ROBIN, &ts, "calup_new"))
        .response_url;
    let decided = Message {
        text: "decided".to_owned(),
        ..Message::default()
    };
    slack
        .respond(&url, Reply::Whisper("too <!here> late"))
        .await
        .expect("it is told");
    let whispers = sim.whispers(SALES, ROBIN);
    assert_eq!(
        (whispers[0].seen.text.as_str(), whispers[0].pings().len()),
        ("too <!here> late", 0)
    );
    slack
        .respond(&url, Reply::Replace(&decided))
        .await
        .expect("it is replaced");
    let seen = sim.message(SALES, &ts).expect("a message");
    assert_eq!(
        (seen.seen.text.as_str(), seen.buttons.len()),
        ("decided", 0)
    );
    let calls = sim.calls();
    let responses = calls.iter().filter(|it| it.method.starts_with("/actions/"));
    assert!(
        responses.clone().count() == 2 && responses.clone().all(|it| it.authorization.is_empty())
    );
    for _ in 0..3 {
        slack
            .respond(&url, Reply::Whisper("x"))
            .await
            .expect("five are good");
    }
    let used = slack.respond(&url, Reply::Whisper("x")).await;
    assert_eq!(super::classed(used), "gone");
    let calls = sim.calls().len();
    for elsewhere in [
        "https://evil.example/actions/1",
        "https://hooks.slack.com.evil.example/x",
        "http://hooks.slack.com/x",
        "https://hooks.slack.com:8443/x",
        "https://evil@hooks.slack.com/x",
        "http://127.0.0.1:1/x",
        "file:///etc/passwd",
        "x",
    ] {
        let refused = slack.respond(elsewhere, Reply::Whisper("x")).await;
        assert_eq!(super::classed(refused), "refused", "{elsewhere}");
    }
    assert_eq!(sim.calls().len(), calls);
}
