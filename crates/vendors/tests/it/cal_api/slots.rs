//! Free times: of whole days where the person who asks lives, on new servers and old ones.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use sim::cal::api::{Bookable, Config as SimConfig};
use vendors::cal::api::{Calendar, SlotsWanted, Window, nearest};

use super::{DEMO, INTRO, account, at, booking_of, classed, client, roomy};

fn wanted(zone: &str, first: &str, last: &str) -> SlotsWanted {
    let day = |text: &str| text.parse::<Date>().expect("a day");
    let time_zone = Some(zone.to_owned());
    let zone = TimeZone::get(zone).expect("a zone");
    SlotsWanted {
        event_type_id: INTRO,
        window: Window::days(day(first), day(last), &zone).expect("days"),
        time_zone,
        minutes: None,
        instead_of: None,
    }
}

#[tokio::test]
async fn a_day_is_the_asking_person_s_day() {
    let server = account(roomy()).await;
    let cal = client(&server);
    // Nora's Tuesday begins when it is still Monday evening in Honolulu, and ends on its Tuesday morning.
    for (zone, first, last) in [
        (
            "Europe/Stockholm",
            "2026-12-01T08:00:00Z",
            "2026-12-01T15:30:00Z",
        ),
        (
            "Pacific/Honolulu",
            "2026-12-01T10:00:00Z",
            "2026-12-02T09:30:00Z",
        ),
        (
            "Pacific/Auckland",
            "2026-11-30T11:00:00Z",
            "2026-12-01T10:30:00Z",
        ),
    ] {
        let slots = cal.slots(&wanted(zone, "2026-12-01", "2026-12-01")).await;
        let slots = slots.expect("slots");
        let (begins, ends) = (slots[0].start, slots[slots.len() - 1].start);
        assert_eq!((begins, ends), (at(first), at(last)), "{zone}");
        assert_eq!(slots.len(), 16, "{zone}");
    }
}

#[tokio::test]
async fn over_a_change_of_clocks_no_day_loses_a_slot() {
    let server = account(roomy()).await;
    let cal = client(&server);
    let slots = cal
        .slots(&wanted("Europe/Stockholm", "2027-03-26", "2027-03-29"))
        .await;
    let slots = slots.expect("slots");
    assert_eq!(slots.len(), 32);
    assert_eq!(slots[0].start, at("2027-03-26T08:00:00Z"));
    assert_eq!(slots[16].start, at("2027-03-29T07:00:00Z"));
}

#[tokio::test]
async fn an_old_server_is_asked_in_its_own_way_and_only_once_in_the_new_one() {
    let server = account(SimConfig {
        older_slots_only: true,
        ..roomy()
    })
    .await;
    let cal = client(&server);
    let day = wanted("Europe/Stockholm", "2026-12-01", "2026-12-01");
    for _ in 0..2 {
        assert_eq!(cal.slots(&day).await.expect("slots").len(), 16);
    }
    let paths: Vec<String> = server.requests().into_iter().map(|it| it.path).collect();
    assert_eq!(
        paths,
        ["/v2/slots", "/v2/slots/available", "/v2/slots/available"]
    );
}

#[tokio::test]
async fn seats_that_are_left_are_told_and_the_time_of_what_is_moved_is_free() {
    let server = account(roomy()).await;
    let cal = client(&server);
    let seat = booking_of(DEMO, "Ana", "2026-12-01T09:30:00Z");
    cal.book(&seat).await.expect("a seat");
    let mut day = wanted("Europe/Stockholm", "2026-12-01", "2026-12-01");
    day.event_type_id = DEMO;
    let slots = cal.slots(&day).await.expect("slots");
    let taken = slots.iter().find(|it| it.start == seat.start);
    assert_eq!(taken.and_then(|it| it.seats_left), Some(3));

    let intro = booking_of(INTRO, "Ben", "2026-12-02T09:00:00Z");
    let booked = cal.book(&intro).await.expect("a booking");
    let mut day = wanted("Europe/Stockholm", "2026-12-02", "2026-12-02");
    assert_eq!(cal.slots(&day).await.expect("slots").len(), 15);
    day.instead_of = Some(booked[0].uid.clone());
    assert_eq!(cal.slots(&day).await.expect("slots").len(), 16);
}

#[tokio::test]
async fn no_slots_at_all_may_be_a_calendar_s_fault() {
    let server = account(roomy()).await;
    server.set_calendar("Google Calendar", false);
    server.set_calendar("Work", true);
    let cal = client(&server);
    let day = wanted("Europe/Stockholm", "2026-12-01", "2026-12-01");
    assert_eq!(cal.slots(&day).await, Ok(Vec::new()));
    let calendar = |name: &str, works| Calendar {
        name: name.to_owned(),
        works,
    };
    assert_eq!(
        cal.calendars().await,
        Ok(vec![
            calendar("Google Calendar", false),
            calendar("Work", true)
        ])
    );
}

#[tokio::test]
async fn an_event_type_that_there_is_not_is_gone_and_a_slug_has_its_nearest() {
    let server = account(roomy()).await;
    let cal = client(&server);
    let mut day = wanted("UTC", "2026-12-01", "2026-12-01");
    day.event_type_id = 999_999;
    assert_eq!(classed(&cal.slots(&day).await), "gone");
    assert_eq!(classed(&cal.event_type(999_999).await), "gone");
    // Another account's.
    assert_eq!(classed(&cal.event_type(1).await), "refused");

    let all = cal.event_types().await.expect("event types");
    assert!(
        all.iter()
            .any(|it| it.slug == "weekly-check-in" && it.hidden)
    );
    for (meant, best) in [
        ("intro", "intro-call"),
        ("into-call", "intro-call"),
        ("visit", "site-visit"),
        ("weekly", "weekly-check-in"),
        ("Group Demo", "group-demo"),
    ] {
        assert_eq!(nearest(&all, meant)[0].slug, best, "{meant}");
    }
}

#[tokio::test]
async fn slots_are_as_long_as_was_asked_for_on_new_servers_and_old_ones() {
    const CHOICE: i64 = 880_105;
    for older_slots_only in [false, true] {
        let server = account(SimConfig {
            older_slots_only,
            ..roomy()
        })
        .await;
        let choice = Bookable::new(CHOICE.cast_unsigned(), "talk", "Talk", 30);
        server.add_event_type(choice.lengths(&[30, 60]));
        let cal = client(&server);
        let mut day = wanted("Europe/Stockholm", "2026-12-01", "2026-12-01");
        day.event_type_id = CHOICE;
        for (minutes, count) in [(None, 16), (Some(30), 16), (Some(60), 8)] {
            day.minutes = minutes;
            let slots = cal.slots(&day).await.expect("slots");
            assert_eq!(slots.len(), count, "{minutes:?}");
            let requests = server.requests();
            let query = &requests.last().expect("a request").query;
            let sent = minutes.map(|it| format!("duration={it}"));
            match sent {
                Some(sent) => assert!(query.contains(&sent), "{query}"),
                None => assert!(!query.contains("duration"), "{query}"),
            }
        }
    }
}
