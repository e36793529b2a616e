//! What a tool says before anybody confirms it: the place, how many meetings, what else is free, and what day it is.

use serde_json::{Value, json};
use sim::cal::api::Bookable;

use crate::assistant::{INTRO, desk_with};

const NAME: &str = "Mike Ross";
const EMAIL: &str = "mike@ross.example";

fn summary(proposed: &Value) -> &str {
    let summary = &proposed["proposal"]["summary"]["written_by_others"];
    summary.as_str().expect("a summary")
}

#[tokio::test]
async fn a_call_to_the_attendee_wants_their_number_and_is_booked_with_it() {
    let desk = desk_with(Vec::new()).await;
    desk.calcom
        .add_event_type(Bookable::new(INTRO + 2, "call", "Call", 30).location("phone"));
    let start = desk.times("call").await.remove(0);
    let mut input =
        json!({"event_type_slug": "call", "start": start, "name": NAME, "email": EMAIL});
    let (status, answer) = desk.tool("cal_book", input.clone()).await;
    assert_eq!(status, 400);
    let error = answer["error"].as_str().unwrap_or_default();
    assert!(error.contains("wants their number"), "{answer}");
    input["phone"] = "070 123 45 67".into();
    assert_eq!(desk.tool("cal_book", input.clone()).await.0, 400);
    input["phone"] = "+46 70 123 45 67".into();
    let proposed = desk.good("cal_book", input.clone()).await;
    assert!(
        summary(&proposed).contains("a call to +46701234567"),
        "{proposed}"
    );
    desk.confirmed(&proposed).await;
    let requests = desk.calcom.requests();
    let mut sent = requests.iter().filter(|r| r.method == "POST");
    let sent = sent.next_back().expect("it was booked");
    let place = json!({"type": "attendeePhone", "phone": "+46701234567"});
    assert_eq!(sent.body["location"], place);

    input["event_type_slug"] = "intro-call".into();
    let (status, answer) = desk.tool("cal_book", input).await;
    assert_eq!(status, 400, "{answer}");
}

#[tokio::test]
async fn a_series_is_shown_as_one() {
    let desk = desk_with(Vec::new()).await;
    desk.calcom
        .add_event_type(Bookable::new(INTRO + 2, "weekly", "Weekly", 30).weekly(3));
    let start = desk.times("weekly").await.remove(0);
    let input = json!({"event_type_slug": "weekly", "start": start, "name": NAME, "email": EMAIL});
    let proposed = desk.good("cal_book", input).await;
    assert!(
        summary(&proposed).contains("the first of 3 meetings"),
        "{proposed}"
    );
    let told = desk.confirmed(&proposed).await;
    let rest = told["result"]["and_of_the_series"].as_array();
    assert_eq!(rest.map(Vec::len), Some(2), "{told}");
}

#[tokio::test]
async fn where_nothing_is_free_in_those_hours_the_nearest_times_are_named() {
    let desk = desk_with(Vec::new()).await;
    let asked = json!({"when": "next Tuesday between 5am and 6am"});
    let free = desk.good("cal_free_times", asked).await;
    assert_eq!(free["free"], 0, "{free}");
    assert_eq!(free["nearest"].as_array().map(Vec::len), Some(5), "{free}");
    let note = free["note"].as_str().unwrap_or_default();
    assert!(
        note.contains("nothing can be booked in these hours"),
        "{note}"
    );
    assert!(!note.contains("busy"), "{note}");
    let asked = json!({"when": "next Tuesday", "event_type_slug": "intro-call", "minutes": 45});
    assert_eq!(desk.tool("cal_free_times", asked).await.0, 400);
}

#[tokio::test]
async fn a_meeting_that_is_moved_is_not_in_its_own_way_and_results_tell_the_day() {
    let desk = desk_with(Vec::new()).await;
    let start = desk.times("intro-call").await.remove(0);
    let input =
        json!({"event_type_slug": "intro-call", "start": start, "name": NAME, "email": EMAIL});
    desk.confirmed(&desk.good("cal_book", input).await).await;
    let upcoming = desk.good("cal_upcoming", json!({"days": 30})).await;
    let meeting = &upcoming["meetings"][0];
    let weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    for told in [&upcoming["now"], &meeting["when"]] {
        let told = told.as_str().unwrap_or_default();
        assert!(weekdays.iter().any(|day| told.starts_with(day)), "{told}");
    }
    let day = &start[..10];
    let mut asked = json!({"date_from": day, "date_to": day, "event_type_slug": "intro-call"});
    let has_it = |free: &Value| {
        let times = free["times"].as_array().cloned().unwrap_or_default();
        times.iter().any(|it| it["start"] == start.as_str())
    };
    assert!(!has_it(&desk.good("cal_free_times", asked.clone()).await));
    asked["booking_id"] = meeting["booking_id"].clone();
    assert!(has_it(&desk.good("cal_free_times", asked).await));
}
