//! What is confirmed is what was shown: a booking or event type that has changed since is left as it is.

use serde_json::{Value, json};
use sim::cal::api::Bookable;
use sim::{Fault, Match};

use crate::assistant::{Desk, INTRO, desk_with};

const GROUP: u64 = INTRO + 10;

async fn desk() -> Desk {
    let desk = desk_with(Vec::new()).await;
    desk.calcom.add_event_type(
        Bookable::new(GROUP, "group", "Group session", 30)
            .location("https://meet.example.com/n")
            .seats(5),
    );
    desk
}

impl Desk {
    async fn proposed(&self, name: &str, input: Value) -> (String, String) {
        let proposed = self.good(name, input).await;
        let proposal = &proposed["proposal"];
        let text = |it: &Value| it.as_str().expect("a text").to_owned();
        (
            text(&proposal["id"]),
            text(&proposal["summary"]["written_by_others"]),
        )
    }

    async fn confirm(&self, id: &str) -> (u16, Value) {
        let path = format!("/api/proposals/{id}");
        self.post(&path, &self.world.token, json!({"confirm": true}))
            .await
    }

    async fn book(&self, slug: &str, start: &str, name: &str, email: &str) {
        let input = json!({"event_type_slug": slug, "start": start, "name": name, "email": email});
        self.confirmed(&self.good("cal_book", input).await).await;
    }

    fn uid(&self) -> String {
        let bookings = self.calcom.bookings();
        bookings[0]["uid"].as_str().expect("a uid").to_owned()
    }

    async fn meeting(&self) -> Value {
        let upcoming = self.good("cal_upcoming", json!({"days": 30})).await;
        upcoming["meetings"][0]["booking_id"].clone()
    }

    /// It ends so, once and for all, and nothing is sent.
    async fn refuses(&self, id: &str, because: &str) {
        let before = self.calcom.bookings();
        let (status, told) = self.confirm(id).await;
        assert_eq!(status, 409, "{told}");
        let error = told["error"].as_str().expect("an error");
        assert!(
            error.contains("has changed since it was proposed") && error.contains(because),
            "{told}"
        );
        assert!(!error.contains('@'), "{told}");
        let hint = told["hint"].as_str().expect("a hint");
        assert!(hint.contains("ask for it anew"), "{told}");
        assert_eq!(self.calcom.bookings(), before, "nothing is sent");
        let (status, told) = self.confirm(id).await;
        assert_eq!((status, &told["state"]), (409, &json!("failed")), "{told}");
    }
}

#[tokio::test]
async fn whoever_takes_a_seat_meanwhile_is_not_cancelled_with_the_others() {
    let desk = desk().await;
    let times = desk.times("group").await;
    desk.book("group", &times[0], "Gus A", "gus@x.example")
        .await;
    desk.book("group", &times[0], "Hal B", "hal@x.example")
        .await;
    let input = json!({"booking_id": desk.meeting().await});
    let (id, summary) = desk.proposed("cal_cancel", input.clone()).await;
    // Theirs alone is about nobody else.
    let mut of_hal = input.clone();
    of_hal["email"] = "hal@x.example".into();
    let (hals, _) = desk.proposed("cal_cancel", of_hal).await;
    let (again, _) = desk.proposed("cal_cancel", input).await;

    desk.book("group", &times[0], "Ivy C", "ivy@x.example")
        .await;
    desk.refuses(&id, "attendees is 3 and was 2").await;
    let (status, told) = desk.confirm(&hals).await;
    assert_eq!(status, 200, "{told}");
    desk.refuses(&again, "others attend it").await;
    let who = "Gus A <gus@x.example>, Hal B <hal@x.example>";
    assert!(summary.contains(who), "{summary}");
    let left = desk.calcom.bookings()[0]["attendees"].to_string();
    assert!(
        left.contains("ivy@x.example") && !left.contains("hal@x.example"),
        "{left}"
    );
}

#[tokio::test]
async fn a_meeting_that_is_at_another_time_by_now_is_neither_cancelled_nor_moved() {
    let desk = desk().await;
    let times = desk.times("intro-call").await;
    desk.book("intro-call", &times[0], "Bob", "bob@x.example")
        .await;
    let meeting = desk.meeting().await;
    let cancel = json!({"booking_id": meeting});
    let (cancel, cancels) = desk.proposed("cal_cancel", cancel).await;
    let later = json!({"booking_id": meeting, "start": times[4]});
    let (later, moves) = desk.proposed("cal_reschedule", later).await;
    desk.calcom.put_booking_at(&desk.uid(), &times[8]);
    desk.refuses(&cancel, "it is at ").await;
    desk.refuses(&later, "it is at ").await;
    assert!(cancels.contains("with Bob <bob@x.example>, "), "{cancels}");
    assert!(moves.contains("with Bob <bob@x.example> from"), "{moves}");
}

#[tokio::test]
async fn a_guest_who_was_added_meanwhile_is_shown_before_the_meeting_is_moved() {
    let desk = desk().await;
    let times = desk.times("intro-call").await;
    desk.book("intro-call", &times[0], "Bob", "bob@x.example")
        .await;
    let input = json!({"booking_id": desk.meeting().await, "start": times[4]});
    let (id, _) = desk.proposed("cal_reschedule", input.clone()).await;
    desk.calcom.add_guest(&desk.uid(), "carol@x.example");
    desk.refuses(&id, "attendees is 2 and was 1").await;
    let (id, summary) = desk.proposed("cal_reschedule", input).await;
    let who = "Bob <bob@x.example>, <carol@x.example>";
    assert!(summary.contains(who), "{summary}");
    let (status, told) = desk.confirm(&id).await;
    assert_eq!(status, 200, "{told}");
}

#[tokio::test]
async fn an_event_type_that_takes_longer_by_now_is_not_booked_for_longer_than_was_shown() {
    let desk = desk().await;
    let start = desk.slot().await;
    let input = json!({"event_type_slug": "intro-call", "start": start, "name": "Bob", "email": "bob@x.example"});
    let (id, first) = desk.proposed("cal_book", input.clone()).await;
    desk.calcom.edit_event_type(INTRO, |it| it.minutes = 120);
    desk.refuses(&id, "it takes 120 minutes and took 30").await;
    assert!(desk.calcom.bookings().is_empty());
    // Asked for anew it is shown as it is, whatever is remembered of the event type.
    let (id, second) = desk.proposed("cal_book", input.clone()).await;
    assert_ne!(first, second);
    desk.calcom
        .edit_event_type(INTRO, |it| it.occurrences = Some(3));
    desk.refuses(&id, "it books 3 meetings and booked 1").await;
    desk.calcom
        .edit_event_type(INTRO, |it| it.occurrences = None);
    let (id, _) = desk.proposed("cal_book", input).await;
    let (status, told) = desk.confirm(&id).await;
    assert_eq!(status, 200, "{told}");
    assert_eq!(desk.calcom.bookings()[0]["duration"], 120);
}

#[tokio::test]
async fn a_move_is_shown_with_the_length_that_cal_com_gives_it() {
    let desk = desk().await;
    let times = desk.times("intro-call").await;
    desk.book("intro-call", &times[0], "Bob", "bob@x.example")
        .await;
    let input = json!({"booking_id": desk.meeting().await, "start": times[4]});
    let (id, first) = desk.proposed("cal_reschedule", input.clone()).await;
    desk.calcom.edit_event_type(INTRO, |it| it.minutes = 60);
    desk.refuses(&id, "it takes 60 minutes and took 30").await;
    let (id, second) = desk.proposed("cal_reschedule", input).await;
    let (status, told) = desk.confirm(&id).await;
    assert_eq!(status, 200, "{told}");
    let end: jiff::Timestamp = told["result"]["moved"]["end"]
        .as_str()
        .expect("an end")
        .parse()
        .expect("a time");
    let zone = "Europe/Stockholm";
    let end = end
        .in_tz(zone)
        .expect("a zone")
        .strftime("%H:%M")
        .to_string();
    assert!(second.ends_with(&format!("–{end} {zone}")), "{second}");
    assert_ne!(first, second);
}

#[tokio::test]
async fn what_could_not_be_read_is_left_alone_and_can_be_confirmed_again() {
    let desk = desk().await;
    let start = desk.slot().await;
    desk.book("intro-call", &start, "Bob", "bob@x.example")
        .await;
    let input = json!({"booking_id": desk.meeting().await});
    let (id, _) = desk.proposed("cal_cancel", input).await;
    let read = Match::get(&format!("/bookings/{}", desk.uid()));
    desk.calcom.fault(read, Fault::Html(503), 2);
    let (status, told) = desk.confirm(&id).await;
    assert_eq!(status, 502, "{told}");
    let hint = told["hint"].as_str().expect("a hint");
    assert!(
        hint.contains("nothing was done, and it can be confirmed for another 1"),
        "{told}"
    );
    assert_eq!(desk.calcom.bookings()[0]["status"], "accepted");
    let (status, told) = desk.confirm(&id).await;
    assert_eq!((status, &told["state"]), (200, &json!("done")), "{told}");
    assert_eq!(desk.calcom.bookings()[0]["status"], "cancelled");
}

#[tokio::test]
async fn what_cal_com_s_limit_refused_can_be_confirmed_again() {
    let desk = desk().await;
    let (id, _) = desk
        .proposed("cal_one_off_link", json!({"event_type_slug": "intro-call"}))
        .await;
    let link = Match::post("/private-links");
    desk.calcom.fault(link, Fault::RateLimited(60), 1);
    for _ in 0..2 {
        let (status, told) = desk.confirm(&id).await;
        assert_eq!(status, 502, "{told}");
        let hint = told["hint"].as_str().expect("a hint");
        assert!(
            hint.contains("try again in") && hint.contains("it can be confirmed for another"),
            "{told}"
        );
    }
    let decline = json!({"confirm": false});
    let path = format!("/api/proposals/{id}");
    let (status, told) = desk.post(&path, &desk.world.token, decline).await;
    assert_eq!(
        (status, &told["state"]),
        (200, &json!("declined")),
        "{told}"
    );
}

#[tokio::test]
async fn what_was_cancelled_by_others_meanwhile_is_said_to_be() {
    let desk = desk().await;
    let start = desk.slot().await;
    desk.book("intro-call", &start, "Bob", "bob@x.example")
        .await;
    let input = json!({"booking_id": desk.meeting().await});
    let (first, _) = desk.proposed("cal_cancel", input.clone()).await;
    let (second, _) = desk.proposed("cal_cancel", input).await;
    assert_eq!(desk.confirm(&first).await.0, 200);
    desk.refuses(&second, "it has been called off").await;
}
