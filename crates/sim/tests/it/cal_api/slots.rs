//! Free times: hours of a zone, in which a day may be short or long, without what is taken.

use jiff::civil::{date, time};
use serde_json::{Value, json};
use sim::cal::api::{Bookable, Schedule, Server};

use super::{INTRO, account, ask, data, host, roomy};

const SLOTS: &str = "2024-09-04";

/// The starts of the slots, in the order of days.
async fn starts(server: &Server, query: &str) -> Vec<String> {
    let path = format!("/v2/slots?eventTypeId={INTRO}&{query}");
    let days = data(server, &path, SLOTS).await;
    let days = days.as_object().expect("days").values();
    days.flat_map(|slots| slots.as_array().expect("slots"))
        .map(|slot| slot["start"].as_str().expect("a start").to_owned())
        .collect()
}

fn book(start: &str) -> Value {
    json!({
        "start": start, "eventTypeId": INTRO,
        "attendee": {"name": "Ada", "email": "ada@x.example", "timeZone": "Europe/Paris"},
    })
}

#[tokio::test]
async fn the_clocks_change_and_the_hours_stay_the_same_on_the_wall() {
    let server = account(roomy()).await;
    // A Friday before, and a Monday after, the clocks go forward in Stockholm.
    let before = starts(&server, "start=2027-03-26&end=2027-03-26").await;
    let after = starts(&server, "start=2027-03-29&end=2027-03-29").await;
    assert_eq!(before[0], "2027-03-26T08:00:00.000Z");
    assert_eq!(after[0], "2027-03-29T07:00:00.000Z");
    assert_eq!((before.len(), after.len()), (16, 16));
    // By the wall it is nine either way, and the day is the booker's.
    let zone = "timeZone=America/New_York";
    let shown = starts(&server, &format!("start=2027-03-29&end=2027-03-29&{zone}")).await;
    assert_eq!(shown[0], "2027-03-29T03:00:00.000-04:00");
    // Hours across the night on which an hour is missing: 00:00 to 04:00 is three hours long.
    let mut night = Schedule::working_hours(&host().time_zone);
    night.hours.clear();
    night.overrides = vec![(date(2027, 3, 28), time(0, 0, 0, 0), time(4, 0, 0, 0))];
    server.set_schedules(vec![night]);
    let short = starts(&server, "start=2027-03-27&end=2027-03-29").await;
    assert_eq!(short.len(), 6, "{short:?}");
}

#[tokio::test]
async fn a_bare_date_is_the_utc_day_whatever_the_zone_beside_it() {
    let server = account(roomy()).await;
    let mut always = Schedule::working_hours("UTC");
    for (_, from, until) in &mut always.hours {
        (*from, *until) = (time(0, 0, 0, 0), time(23, 30, 0, 0));
    }
    server.set_schedules(vec![always]);
    let path = format!(
        "/v2/slots?eventTypeId={INTRO}&start=2026-12-01&end=2026-12-01&timeZone=Asia/Tokyo"
    );
    let days = data(&server, &path, SLOTS).await;
    let days: Vec<&String> = days.as_object().expect("days").keys().collect();
    assert_eq!(days, ["2026-12-01", "2026-12-02"]);
}

#[tokio::test]
async fn what_is_taken_is_no_slot_and_cannot_be_booked() {
    let server = account(roomy()).await;
    let day = "start=2026-12-01&end=2026-12-01";
    let made = ask(
        &server,
        "POST",
        "/v2/bookings",
        "2024-08-13",
        Some(book("2026-12-01T09:00:00Z")),
    )
    .await;
    assert_eq!(made.status, 201, "{}", made.text());
    server.add_busy("2026-12-01T10:15:00Z", "2026-12-01T10:45:00Z");
    let left = starts(&server, day).await;
    for gone in ["09:00", "10:00", "10:30"] {
        let gone = format!("2026-12-01T{gone}:00.000Z");
        assert!(!left.contains(&gone), "{left:?}");
    }
    assert_eq!(left.len(), 13);
    for (start, status) in [
        ("2026-12-01T09:15:00Z", 400),
        ("2026-12-01T10:30:00Z", 400),
        ("2026-12-01T18:00:00Z", 400),
        ("2026-12-05T09:00:00Z", 400),
        ("2026-11-01T09:00:00Z", 400),
        ("2026-12-01T09:30:00Z", 201),
    ] {
        let answer = ask(
            &server,
            "POST",
            "/v2/bookings",
            "2024-08-13",
            Some(book(start)),
        )
        .await;
        assert_eq!(answer.status, status, "{start}: {}", answer.text());
    }
    // Its own time is free for a booking that is to be moved.
    let uid = made.json()["data"]["uid"]
        .as_str()
        .expect("a uid")
        .to_owned();
    let instead = starts(&server, &format!("{day}&bookingUidToReschedule={uid}")).await;
    assert!(instead.contains(&"2026-12-01T09:00:00.000Z".to_owned()));
}

#[tokio::test]
async fn a_calendar_that_cannot_be_read_takes_all_away_in_silence() {
    let server = account(roomy()).await;
    server.set_calendar("Google Calendar", false);
    assert!(
        starts(&server, "start=2026-12-01&end=2026-12-01")
            .await
            .is_empty()
    );
    let calendars = data(&server, "/v2/calendars", "").await;
    let calendar = &calendars["connectedCalendars"][0];
    assert_eq!(calendar["integration"]["title"], "Google Calendar");
    assert!(calendar["error"].is_object());
}

#[tokio::test]
async fn buffers_notice_and_lengths_count() {
    let server = account(roomy()).await;
    let long = Bookable::new(880_201, "long", "Long", 60)
        .lengths(&[60, 120])
        .buffers(30, 30)
        .notice(60 * 24 * 9);
    server.add_event_type(long);
    server.add_busy("2026-12-02T11:00:00Z", "2026-12-02T12:00:00Z");
    let get = async |query: &str| {
        let path = format!("/v2/slots?eventTypeId=880201&start=2026-12-01&end=2026-12-02&{query}");
        data(&server, &path, SLOTS).await
    };
    let usual = get("").await;
    // The notice ends on the second at 23:24.
    assert_eq!(usual["2026-12-01"], Value::Null);
    assert_eq!(usual["2026-12-02"].as_array().map(Vec::len), Some(5));
    let double = get("duration=120").await;
    assert_eq!(double["2026-12-02"].as_array().map(Vec::len), Some(2));
    let path = "/v2/slots?eventTypeId=880201&start=2026-12-01&end=2026-12-02&duration=45";
    assert_eq!(ask(&server, "GET", path, SLOTS, None).await.status, 400);
}
