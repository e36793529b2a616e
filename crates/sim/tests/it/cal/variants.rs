//! The variants that `cal.rs` leaves out: the host asking for another time, seats and
//! series with connected apps, subscriptions, and uids.

use std::collections::BTreeSet;

use serde_json::Value;
use sim::cal::{Cal, Delivery, EventType, Host, Person, Version, sign};

use super::{Fixture, booking, cal, keys, mira};

/// In `cal-deliveries` only because calendars and video were connected there
/// (contracts/cal.md §8, "Keys on one side only").
const OF_CONNECTED_APPS: [&str; 7] = [
    "videoCallData",
    "conferenceData",
    "additionalInformation",
    "appsStatus",
    "team",
    "smsReminderNumber",
    "existingRecurringEvent",
];

fn required_keys(payload: &Value) -> BTreeSet<String> {
    let mut keys = keys(payload);
    keys.retain(|key| !OF_CONNECTED_APPS.contains(&key.as_str()));
    keys
}

fn assert_like(delivery: &Delivery, name: &str) {
    let fixture = Fixture::read(&format!("cal-deliveries/{name}.json")).json();
    assert_eq!(
        delivery.trigger().as_deref(),
        fixture["triggerEvent"].as_str(),
        "{name}"
    );
    let (ours, theirs) = (&delivery.payload(), &fixture["payload"]);
    assert_eq!(required_keys(ours), required_keys(theirs), "{name}");
    assert_eq!(ours["status"], theirs["status"], "{name}");
    let organizer = |payload: &Value| keys(&payload["organizer"]);
    assert_eq!(organizer(ours), organizer(theirs), "{name}: organizer");
}

#[test]
fn a_host_asking_for_another_time_sends_the_shape_of_its_own() {
    let name = "13-booking-cancelled-host-requested-reschedule";
    let asked = booking(&cal()).cancelled_request_reschedule("Travelling that day");
    assert_like(&asked, name);
    let fixture = Fixture::read(&format!("cal-deliveries/{name}.json")).json();
    let (ours, theirs) = (asked.payload(), &fixture["payload"]);
    assert_eq!(
        keys(&ours["attendees"][0]),
        keys(&theirs["attendees"][0]),
        "attendee"
    );
    for key in ["cancellationReason", "requestReschedule"] {
        assert_eq!(ours[key], theirs[key], "{key}");
    }
    assert_eq!(ours["cancelledBy"], ours["organizer"]["email"]);
}

#[test]
fn seats_series_and_confirmations_hold_to_the_connected_fixtures_too() {
    let connected = cal().with_calendar();
    let (_, moved) =
        booking(&connected).rescheduled(Some("nora@x.example"), "2026-12-02T10:00:00Z");
    assert_like(&moved, "09-booking-rescheduled-by-host");

    let session = connected.seated("2026-12-01T13:00:00Z", 60, 6);
    let (_, first) = session.seat_created(&mira());
    assert_like(&first, "24-booking-created-seat-1");
    let (ben, second) = session.seat_created(&Person::new("Ben Achebe", "ben@achebe.example"));
    assert_like(&second, "25-booking-created-seat-2-same-uid");
    let left = ben.cancelled("One seat given up");
    assert_like(&left, "26-booking-cancelled-one-seat-only");

    let series = connected.series(&mira(), "2026-12-08T13:00:00Z", 30, 3);
    assert_like(&series[0].created(), "28-booking-created-recurring-1-of-3");
    assert_like(&series[1].created(), "29-booking-created-recurring-2-of-3");
    assert_like(&series[2].created(), "30-booking-created-recurring-3-of-3");

    let visits = connected.event(EventType::default().confirmed_by_host());
    let visit = booking(&visits);
    assert_like(&visit.requested(), "34-booking-requested");
    // The genuine recording has one key more than this fixture; the sim follows it.
    let live = Fixture::read("cal-live/13-confirmed.json").json();
    assert!(keys(&live["payload"]).contains("customInputs"));
    let confirmed = visit.confirmed().edited(|body| {
        let payload = body["payload"].as_object_mut().expect("an object");
        payload.remove("customInputs");
    });
    assert_like(&confirmed, "35-booking-created-after-confirmation");
}

#[test]
fn people_hosts_and_old_servers_hold_to_the_connected_fixtures_too() {
    let phoned = mira().phone("+48512345678");
    let delivery = cal().book(&phoned, "2026-12-01T10:00:00Z", 30).created();
    assert_like(&delivery, "15-booking-created-phone-and-email");
    let payload = delivery.payload();
    assert_eq!(
        payload["attendees"][0]["email"], "Mira@OkaforHomes.example",
        "a typed address is not replaced by the phone's"
    );
    assert_like(
        &booking(&cal()).created(),
        "20-booking-created-custom-questions",
    );
    let own = cal().book(&Host::default().as_person(), "2026-12-01T10:00:00Z", 30);
    assert_like(&own.created(), "21-booking-created-self-booking");

    let other = Host::new("Tomás Ferreira", "tomas@brightharbor.example");
    let team = EventType::new("sales-rr", "Sales demo").team("Sales", vec![other]);
    let delivery = booking(&cal().event(team)).created();
    assert_like(&delivery, "32-booking-created-team-round-robin");

    let old = booking(&cal().version(Version::None)).created();
    assert_like(&old, "82-old-self-hosted-no-version-header");
}

#[test]
fn the_trigger_is_read_from_the_body() {
    let booking = booking(&cal());
    let trigger = |delivery: Delivery| delivery.trigger();
    assert_eq!(trigger(cal().ping()).as_deref(), Some("PING"));
    assert_eq!(
        trigger(booking.meeting_ended()).as_deref(),
        Some("MEETING_ENDED")
    );
    assert_eq!(
        trigger(booking.created_as("BOOKING_NEW")).as_deref(),
        Some("BOOKING_NEW")
    );
    assert_eq!(trigger(cal().literal_false()), None);
    assert_eq!(trigger(cal().template_form(&booking)), None);
}

#[test]
fn genuine_duplicate_subscriptions_differ_as_a_restamped_delivery_does() {
    let genuine = |number: u8| {
        let name = format!(
            "cal-live/0{}-duplicate-subscriptions-created-{number}.json",
            number + 1
        );
        Fixture::read(&name).json()
    };
    assert_eq!(genuine(1)["payload"], genuine(2)["payload"]);
    assert_ne!(genuine(1)["createdAt"], genuine(2)["createdAt"]);

    let delivery = booking(&cal()).created();
    let other = delivery
        .stamped("2026-11-22T23:30:00.001Z")
        .signed_with("another");
    assert_ne!(delivery.body, other.body);
    assert_eq!(delivery.payload(), other.payload());
    assert_eq!(other.json()["createdAt"], "2026-11-22T23:30:00.001Z");
    let expected = sign("another", &other.body);
    assert_eq!(other.signature(), Some(expected.as_str()));
    assert_eq!(other.unsigned().signature(), None);
}

#[test]
fn uids_are_the_seeds_and_never_repeat() {
    let uids = |seed: u64| -> Vec<String> {
        let cal = Cal::seeded("http://127.0.0.1:9/", "s", seed);
        (0..500).map(|_| booking(&cal.clone()).uid).collect()
    };
    assert_eq!(uids(7), uids(7));
    let both: BTreeSet<String> = uids(7).into_iter().chain(uids(8)).collect();
    assert_eq!(both.len(), 1000);
    let plain = |uid: &String| uid.len() == 22 && uid.chars().all(|c| c.is_ascii_alphanumeric());
    assert!(both.iter().all(plain));
}
