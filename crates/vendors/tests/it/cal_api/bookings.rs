//! Bookings: listed, made, moved, called off, and what is asked when an answer was lost.

use jiff::SignedDuration;
use jiff::civil::{Time, Weekday, time};
use serde_json::json;
use sim::cal::api::{Bookable, Config as SimConfig, Schedule};
use sim::{Fault, Match};
use vendors::cal::api::{Booking, Cancel, Move, Order, Standing, Status, Wanted, Whereabouts};

use super::{DEMO, INTRO, VISIT, WEEKLY, account, at, booking_of, classed, client, roomy, shown};

#[tokio::test]
async fn a_booking_goes_its_way_and_the_deliveries_say_so() {
    let server = account(roomy()).await;
    let all = [
        "BOOKING_CREATED",
        "BOOKING_RESCHEDULED",
        "BOOKING_CANCELLED",
    ];
    server.add_webhook("http://127.0.0.1:9/hook", Some("s1"), &all, None);
    let cal = client(&server);
    let mut new = booking_of(INTRO, "Ada", "2026-12-01T09:00:00Z");
    new.guests = vec!["guest@x.example".to_owned()];
    new.answers.insert("company".to_owned(), json!("Byrd & Co"));
    new.metadata = vec![("calup".to_owned(), "p1.signed".to_owned())];
    let booked = cal.book(&new).await.expect("a booking").swap_remove(0);
    assert_eq!(booked.status, Status::Accepted);
    assert_eq!(booked.pointer.as_deref(), Some("p1.signed"));
    assert_eq!(booked.answers[0].value, "Byrd & Co");

    let how = Move {
        reason: Some("ill".to_owned()),
        ..Move::default()
    };
    let moved = cal
        .reschedule(&booked.uid, at("2026-12-02T09:00:00Z"), &how)
        .await;
    let moved = moved.expect("a moved booking");
    assert_eq!(moved.moved_from.as_deref(), Some(booked.uid.as_str()));
    let before = cal.booking(&booked.uid).await.expect("the first one");
    assert_eq!(before.moved_to.as_deref(), Some(moved.uid.as_str()));
    let cancelled = cal.cancel(&moved.uid, "no time", &Cancel::Whole).await;
    let cancelled = cancelled.expect("a cancelled booking");
    assert_eq!(cancelled[0].status, Status::Cancelled);
    assert_eq!(cancelled[0].cancellation_reason.as_deref(), Some("no time"));

    let sent = server.deliveries();
    let triggers: Vec<String> = sent
        .iter()
        .filter_map(sim::cal::Delivery::trigger)
        .collect();
    assert_eq!(triggers, all);
    assert_eq!(sent[0].payload()["metadata"]["calup"], "p1.signed");
}

#[tokio::test]
async fn what_the_host_has_to_confirm_waits_for_it() {
    let server = account(roomy()).await;
    let cal = client(&server);
    let first = booking_of(VISIT, "Ada", "2026-12-01T09:00:00Z");
    let second = booking_of(VISIT, "Ben", "2026-12-01T12:00:00Z");
    let first = cal.book(&first).await.expect("a booking");
    let second = cal.book(&second).await.expect("a booking");
    assert_eq!(first[0].status, Status::Pending);
    let confirmed = cal.confirm(&first[0].uid).await.expect("a booking");
    assert_eq!(confirmed.status, Status::Accepted);
    let declined = cal.decline(&second[0].uid, Some("too far")).await;
    assert_eq!(declined.expect("a booking").status, Status::Rejected);
    assert_eq!(classed(&cal.confirm(&second[0].uid).await), "refused");
    // The host's own move confirms itself, a booker's waits again.
    for (start, by, status) in [
        (
            "2026-12-02T09:00:00Z",
            "nora@brightharbor.example",
            Status::Accepted,
        ),
        ("2026-12-03T09:00:00Z", "ada@x.example", Status::Pending),
    ] {
        let how = Move {
            by: Some(by.to_owned()),
            ..Move::default()
        };
        let ahead = Wanted {
            standing: vec![Standing::Upcoming],
            ..Wanted::default()
        };
        let uid = cal.bookings(&ahead).await.expect("bookings").bookings[0]
            .uid
            .clone();
        let moved = cal
            .reschedule(&uid, at(start), &how)
            .await
            .expect("a booking");
        assert_eq!(moved.status, status);
    }
}

#[tokio::test]
async fn a_refusal_is_told_in_words_that_help() {
    let server = account(roomy()).await;
    let cal = client(&server);
    let new = booking_of(INTRO, "Ada", "2026-12-01T09:00:00Z");
    let booked = cal.book(&new).await.expect("a booking").swap_remove(0);
    let twice = shown(cal.book(&new).await);
    assert_eq!(
        twice,
        "could not book event type 880101: the time is not free any more"
    );
    let past = booking_of(INTRO, "Ada", "2026-11-20T09:00:00Z");
    assert!(shown(cal.book(&past).await).ends_with("the time is in the past"));

    let later = at("2026-12-02T09:00:00Z");
    cal.reschedule(&booked.uid, later, &Move::default())
        .await
        .expect("a booking");
    let again = cal.reschedule(&booked.uid, later, &Move::default()).await;
    assert_eq!(
        shown(again),
        "could not move a booking at Cal.com: it has been moved to another time already"
    );
    let again = cal.cancel(&booked.uid, "ill", &Cancel::Whole).await;
    assert!(shown(again).ends_with("it has been cancelled already"));
    let calls = cal.calls();
    let silent = cal.cancel(&booked.uid, " ", &Cancel::Whole).await;
    assert!(shown(silent).ends_with("it wants a reason"));
    assert_eq!(cal.calls(), calls);

    let seat = booking_of(DEMO, "Ana", "2026-12-01T09:30:00Z");
    let seated = cal.book(&seat).await.expect("a seat").swap_remove(0);
    let whose = cal.reschedule(&seated.uid, later, &Move::default()).await;
    assert!(shown(whose).ends_with("say whose is meant"));
    let how = Move {
        seat: seated.attendees[0].seat.clone(),
        reason: Some("ill".to_owned()),
        ..Move::default()
    };
    let moved = cal
        .reschedule(&seated.uid, at("2026-12-03T09:30:00Z"), &how)
        .await;
    assert_ne!(moved.expect("a seat's booking").uid, seated.uid);
}

#[tokio::test]
async fn ids_that_cannot_be_ids_name_nothing_and_nobody_is_asked() {
    let server = account(roomy()).await;
    let cal = client(&server);
    for uid in ["", "../me", "a/b", "a?b", "ä", "a%2fb"] {
        assert_eq!(classed(&cal.booking(uid).await), "gone", "{uid}");
        assert_eq!(classed(&cal.confirm(uid).await), "gone", "{uid}");
    }
    assert_eq!(cal.calls(), 0);
    assert_eq!(classed(&cal.booking("nope").await), "gone");
    let mut nobody = booking_of(INTRO, "Ada", "2026-12-01T09:00:00Z");
    nobody.booker.email = None;
    assert_eq!(classed(&cal.book(&nobody).await), "refused");
    let mut long = booking_of(INTRO, "Ada", "2026-12-01T09:00:00Z");
    long.metadata = vec![("calup".to_owned(), "x".repeat(501))];
    assert_eq!(classed(&cal.book(&long).await), "refused");
    assert_eq!(cal.calls(), 1);
    // A phone number alone is Cal.com's to judge.
    nobody.booker.phone = Some("+46701234567".to_owned());
    nobody.place = Some(Whereabouts::BookersPhone("+46701234567".to_owned()));
    assert!(shown(cal.book(&nobody).await).ends_with("asks for is missing"));
}

#[tokio::test]
async fn a_series_is_several_bookings() {
    let server = account(roomy()).await;
    let cal = client(&server);
    let new = booking_of(WEEKLY, "Ada", "2026-12-01T09:00:00Z");
    let booked = cal.book(&new).await.expect("bookings");
    assert_eq!(booked.len(), 3);
    let series = booked[0].series.clone().expect("a series");
    assert!(
        booked
            .iter()
            .all(|it| it.series.as_deref() == Some(&series))
    );
    let first = cal.booking(&series).await.expect("the first one");
    assert_eq!(first.uid, booked[0].uid);
    let left = cal.cancel(&booked[1].uid, "ill", &Cancel::WithLater).await;
    let stands: Vec<bool> = left
        .expect("bookings")
        .iter()
        .map(Booking::stands)
        .collect();
    assert_eq!(stands, [true, false, false]);
}

#[tokio::test]
async fn a_seat_s_pointer_is_not_taken_for_another_seat_s() {
    let server = account(roomy()).await;
    let cal = client(&server);
    let mut ana = booking_of(DEMO, "Ana", "2026-12-01T09:30:00Z");
    ana.metadata = vec![("calup".to_owned(), "p1".to_owned())];
    let booked = cal.book(&ana).await.expect("a seat");
    assert_eq!(booked[0].pointer.as_deref(), Some("p1"));
    let ben = booking_of(DEMO, "Ben", "2026-12-01T09:30:00Z");
    let booked = cal.book(&ben).await.expect("a seat");
    assert_eq!((booked[0].attendees.len(), &booked[0].pointer), (2, &None));
}

/// So many bookings that they come in pages, by Ada in one case or another.
async fn crowded(config: SimConfig) -> sim::cal::api::Server {
    let server = account(config).await;
    let mut always = Schedule::working_hours("UTC");
    let (days, from, until) = &mut always.hours[0];
    days.extend([Weekday::Saturday, Weekday::Sunday]);
    (*from, *until) = (Time::midnight(), time(23, 59, 0, 0));
    server.set_schedules(vec![always]);
    let cal = client(&server);
    let mut start = at("2026-11-24T00:00:00Z");
    for made in 0..230 {
        let name = if made % 2 == 0 { "Ada" } else { "Ben" };
        let mut new = booking_of(INTRO, name, "2026-12-01T09:00:00Z");
        if made % 4 == 0 {
            new.booker.email = Some("ADA@X.example".to_owned());
        }
        new.start = start;
        cal.book(&new).await.expect("a booking");
        start += SignedDuration::from_mins(if made % 40 == 39 { 270 } else { 30 });
    }
    server.clear_requests();
    server
}

#[tokio::test]
async fn a_list_comes_in_pages_and_people_whatever_their_capitals() {
    for hosted in [false, true] {
        let server = crowded(SimConfig { hosted, ..roomy() }).await;
        let cal = client(&server);
        let all = cal.bookings(&Wanted::default()).await.expect("bookings");
        assert_eq!((all.bookings.len(), all.more), (230, false));
        assert!(all.bookings.is_sorted_by_key(|it| it.start));
        assert_eq!(server.requests().len(), 3);
        let adas = Wanted {
            attendee_email: Some(" ada@x.EXAMPLE".to_owned()),
            ..Wanted::default()
        };
        let found = cal.bookings(&adas).await.expect("bookings");
        assert_eq!((found.bookings.len(), found.more), (115, false));
        let few = Wanted {
            order: Order::LatestFirst,
            limit: 7,
            ..Wanted::default()
        };
        server.clear_requests();
        let few = cal.bookings(&few).await.expect("bookings");
        assert_eq!((few.bookings.len(), few.more), (7, true));
        assert!(
            few.bookings
                .is_sorted_by_key(|it| std::cmp::Reverse(it.start))
        );
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_list_is_of_what_was_asked_for() {
    let server = account(roomy()).await;
    let cal = client(&server);
    let book = async |id, name, start| {
        let booked = cal.book(&booking_of(id, name, start)).await;
        booked.expect("a booking").swap_remove(0).uid
    };
    let ada = book(INTRO, "Ada", "2026-12-01T09:00:00Z").await;
    let ben = book(VISIT, "Ben", "2026-12-02T09:00:00Z").await;
    let cleo = book(INTRO, "Cleo", "2026-12-03T09:00:00Z").await;
    cal.cancel(&cleo, "ill", &Cancel::Whole)
        .await
        .expect("done");
    let listed = async |wanted: Wanted| {
        let listed = cal.bookings(&wanted).await.expect("bookings").bookings;
        listed.into_iter().map(|it| it.uid).collect::<Vec<_>>()
    };
    let with = |standing: &[Standing]| Wanted {
        standing: standing.to_vec(),
        ..Wanted::default()
    };
    let ahead = with(&[Standing::Upcoming, Standing::Unconfirmed]);
    assert_eq!(listed(ahead).await, [ada.clone(), ben.clone()]);
    assert_eq!(
        listed(with(&[Standing::Unconfirmed])).await,
        std::slice::from_ref(&ben)
    );
    assert_eq!(
        listed(with(&[Standing::Cancelled])).await,
        std::slice::from_ref(&cleo)
    );
    assert!(listed(with(&[Standing::Past])).await.is_empty());
    let day = Wanted {
        after_start: Some(at("2026-12-02T00:00:00Z")),
        before_end: Some(at("2026-12-03T00:00:00Z")),
        ..Wanted::default()
    };
    assert_eq!(listed(day).await, [ben]);
    let visits = Wanted {
        event_type_id: Some(INTRO),
        ..Wanted::default()
    };
    assert_eq!(listed(visits).await, [ada, cleo]);
}

#[tokio::test]
async fn a_booking_whose_answer_was_lost_is_found_and_not_made_twice() {
    let server = account(roomy()).await;
    let cal = client(&server);
    let mut new = booking_of(INTRO, "Ada", "2026-12-01T09:00:00Z");
    new.booker.email = Some("Ada@x.example".to_owned());
    assert_eq!(cal.booked(&new).await, Ok(None));
    for fault in [
        Fault::ApplyThenDrop,
        Fault::ApplyThenStatus(502),
        Fault::CutBody(40),
        Fault::EmptyBody200,
        Fault::ForeignJson200,
    ] {
        server.fault(Match::post("/v2/bookings"), fault.clone(), 1);
        let calls = cal.calls();
        assert_eq!(classed(&cal.book(&new).await), "unknown", "{fault:?}");
        assert_eq!(cal.calls(), calls + 1);
        let found = cal.booked(&new).await.expect("an answer");
        let found = found.expect("it was made");
        assert_eq!(found.start, new.start);
        new.start += SignedDuration::from_mins(30);
    }
    assert_eq!(server.bookings().len(), 5);
    // Somebody else's at the same time is not it.
    let other = booking_of(INTRO, "Ben", "2026-12-01T09:00:00Z");
    assert_eq!(cal.booked(&other).await, Ok(None));
}

#[tokio::test]
async fn a_length_is_sent_where_one_was_chosen_and_not_otherwise() {
    const CHOICE: i64 = 880_105;
    let server = account(roomy()).await;
    let choice = Bookable::new(CHOICE.cast_unsigned(), "talk", "Talk", 30);
    server.add_event_type(choice.lengths(&[30, 60]));
    let cal = client(&server);
    let listed = cal.event_type(CHOICE).await.expect("an event type");
    assert_eq!(listed.minutes_to_choose, [30, 60]);
    server.clear_requests();

    let mut new = booking_of(CHOICE, "Ada", "2026-12-01T09:00:00Z");
    let mut booked = cal.book(&new).await.expect("a booking");
    new.start = at("2026-12-01T12:00:00Z");
    new.minutes = Some(60);
    booked.extend(cal.book(&new).await.expect("a booking"));
    let lengths: Vec<i64> = booked
        .iter()
        .map(|it| it.end.duration_since(it.start).as_mins())
        .collect();
    assert_eq!(lengths, [30, 60]);
    let sent: Vec<serde_json::Value> = server
        .requests()
        .iter()
        .map(|it| it.body["lengthInMinutes"].clone())
        .collect();
    assert_eq!(sent, [json!(null), json!(60)]);

    new.minutes = Some(45);
    new.start = at("2026-12-02T12:00:00Z");
    assert_eq!(classed(&cal.book(&new).await), "refused");
}
