//! A day of bookings: what is sent, and what every task should look like afterwards.

use jiff::{Timestamp, ToSpan, tz::TimeZone};
use sim::cal::{Delivery, Person};
use sim::clickup::TaskView;
use sim::faults::{Fault, Match};
use sim::slack::Click;

use super::{CHANNEL, Demo, INBOUND};

pub const STEPS: usize = 13;
const STORM: usize = 8;

/// Days ahead at an hour of Stockholm's day, as Cal.com writes it.
fn at(days: i64, hour: i8) -> String {
    let zone = TimeZone::get("Europe/Stockholm").unwrap_or(TimeZone::UTC);
    let day = Timestamp::now()
        .to_zoned(zone)
        .date()
        .checked_add(days.days())
        .unwrap_or_default();
    let zone = TimeZone::get("Europe/Stockholm").unwrap_or(TimeZone::UTC);
    day.at(hour, 0, 0, 0).to_zoned(zone).map_or_else(
        |_| Timestamp::now().to_string(),
        |z| z.timestamp().to_string(),
    )
}

pub async fn tell(demo: &mut Demo) -> Result<(), String> {
    let priya = Person::new("Priya Raman", "priya.raman@northwindfoods.example")
        .time_zone("America/New_York")
        .notes("Looking forward to it. We are moving warehouses in spring.")
        .answer("company", "Company", "Northwind Foods");
    let jordan =
        Person::new("Jordan Marsh", "Jordan.Marsh@harbor.example").time_zone("Europe/London");
    let sam = Person::new("Sam Okafor", "sam@okaforhomes.example").time_zone("Africa/Lagos");
    let theo = Person::new("Theo Brandt", "theo@brandt.example");
    let bartek = Person::by_phone("Bartek Nowak", "+48512345678").time_zone("Europe/Warsaw");

    demo.board
        .step("Priya, whom nobody knows, books an intro call");
    let intro = demo.cal.book(&priya, &at(3, 16), 30);
    deliver(demo, &[intro.created()]).await?;

    demo.board
        .step("Jordan books: a broker whose task has notes by people");
    let first = demo.cal.book(&jordan, &at(4, 9), 30);
    let created = first.created();
    deliver(demo, std::slice::from_ref(&created)).await?;

    demo.board
        .step("Cal.com sends Jordan's booking again: the same bytes, and a second subscription's");
    deliver(demo, &[created.clone(), created.restamped()]).await?;

    demo.board.step("Priya moves her call to another day");
    let (_, moved) = intro.rescheduled(Some("priya.raman@northwindfoods.example"), &at(5, 15));
    deliver(demo, &[moved]).await?;

    demo.board.step("Sam books, then cancels");
    let viewing = demo.cal.book(&sam, &at(2, 11), 45);
    deliver(demo, &[viewing.created()]).await?;
    deliver(
        demo,
        &[viewing.cancelled(Some("sam@okaforhomes.example"), Some("Found another house"))],
    )
    .await?;

    demo.board
        .step("somebody sends a booking with a wrong signature");
    let forged = demo.cal.book(
        &Person::new("Mallory", "mallory@evil.example"),
        &at(1, 10),
        30,
    );
    let status = demo.send(&forged.created().signed_with("guessed")).await;
    demo.board
        .say(&format!("        answered {status}, nothing is stored"));

    demo.board
        .step("the cancellation of Theo's booking arrives before the booking");
    let call = demo.cal.book(&theo, &at(6, 13), 30);
    let (created, cancelled) = (call.created(), call.cancelled(None, Some("Double-booked")));
    deliver(demo, &[cancelled]).await?;
    deliver(demo, &[created]).await?;

    demo.board
        .step("Bartek books by phone and leaves no e-mail");
    let phoned = demo.cal.book(&bartek, &at(7, 10), 15);
    deliver(demo, &[phoned.created()]).await?;

    demo.board
        .step("ClickUp comments on Jordan's task, and the connection breaks before it answers");
    demo.clickup
        .fault(Match::post("/comment"), Fault::ApplyThenDrop, 1);
    let (_, moved) = first.rescheduled(Some("nora@brightharbor.example"), &at(8, 9));
    deliver(demo, &[moved]).await?;

    demo.board
        .step("Mike books; the CRM has a Michael of that family name, without an address: Slack asks whose meeting it is");
    let mike = Person::new("Mike Okonkwo", "mike@lakeside.example").time_zone("America/Chicago");
    let chat = demo.cal.book(&mike, &at(5, 17), 30);
    deliver(demo, &[chat.created()]).await?;
    robin_answers(demo).await?;

    demo.board
        .step("ClickUp goes away while Sam books again, and comes back");
    demo.clickup.stop().await;
    let again = demo.cal.book(&sam, &at(9, 14), 45).created();
    demo.send(&again).await;
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    demo.clickup.restart().await;
    demo.settle().await?;

    demo.board
        .step("a storm: eight people book at once while ClickUp answers 429");
    demo.clickup.fault(Match::any(), Fault::RateLimited(2), 4);
    let mut storm = Vec::new();
    for i in 0..STORM {
        let person = Person::new(
            &format!("Visitor {}", i + 1),
            &format!("visitor{}@fair.example", i + 1),
        );
        storm.push(
            demo.cal
                .book(&person, &at(10, 8 + i8::try_from(i).unwrap_or(0)), 30)
                .created(),
        );
    }
    deliver(demo, &storm).await?;

    demo.board
        .step("the assistant is asked; a script stands in for Claude, the tools are the real ones");
    super::assistant::shows(demo).await
}

/// What is asked in Slack, and a click on the first candidate.
async fn robin_answers(demo: &mut Demo) -> Result<(), String> {
    let until = std::time::Instant::now() + super::SETTLE_MAX;
    let asked = loop {
        if let Some(asked) = demo.slack.messages(CHANNEL).into_iter().next() {
            break asked;
        }
        if std::time::Instant::now() > until {
            return Err("nobody was asked in Slack".to_owned());
        }
        tokio::time::sleep(super::LOOK_EVERY).await;
    };
    for line in asked.seen.text.lines() {
        demo.board.say(&format!("        #sales │ {line}"));
    }
    demo.board.say("        robin clicks [This person]");
    let click = Click::new("U0000ROBIN", &asked.ts, "calup_person_0");
    demo.slack.click(&click).await;
    while demo.held().await? > 0 {
        if std::time::Instant::now() > until {
            return Err("the answer did not let the booking go on".to_owned());
        }
        tokio::time::sleep(super::LOOK_EVERY).await;
    }
    demo.settle().await
}

async fn deliver(demo: &mut Demo, deliveries: &[Delivery]) -> Result<(), String> {
    for delivery in deliveries {
        let status = demo.send(delivery).await;
        if status != 200 {
            return Err(format!("a delivery was answered {status}"));
        }
    }
    demo.settle().await
}

/// What is not as it should be, in sentences.
pub fn check(demo: &Demo) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, list, status, comments) in [
        ("Priya Raman", "Inbound Leads", "meeting booked", 1),
        (
            "Jordan Marsh, Harbor Brokerage",
            "Brokers",
            "meeting booked",
            2,
        ),
        ("Sam Okafor", "Sellers", "meeting booked", 3),
        (
            "Okonkwo, Michael (Lakeside Realty)",
            "Brokers",
            "meeting booked",
            1,
        ),
        ("Theo Brandt", "Inbound Leads", "meeting cancelled", 0),
        ("Bartek Nowak", "Inbound Leads", "meeting booked", 0),
    ] {
        match demo.clickup.task_named(name) {
            None => wrong.push(format!("{name} has no task")),
            Some(task) => {
                if task.list_name != list
                    || task.status != status
                    || task.comments.len() != comments
                {
                    wrong.push(format!(
                        "{name} is `{}` in {} with {} comments, not `{status}` in {list} with {comments}",
                        task.status,
                        task.list_name,
                        task.comments.len()
                    ));
                }
            }
        }
    }
    let kept = |t: &TaskView| {
        [
            "Met at the **expo**.",
            "- prefers mornings",
            "https://docs.example/prices",
        ]
        .iter()
        .all(|p| t.markdown.contains(p))
    };
    if !demo
        .clickup
        .task_named("Jordan Marsh, Harbor Brokerage")
        .is_some_and(|t| kept(&t))
    {
        wrong.push("what people wrote on Jordan's task was not kept".into());
    }
    let leads = demo.clickup.tasks_in(INBOUND).len();
    if leads != 3 + STORM {
        wrong.push(format!("{leads} leads were made, not {}", 3 + STORM));
    }
    if demo.clickup.task_named("Mallory").is_some() {
        wrong.push("a forged booking became a lead".into());
    }
    wrong
}
