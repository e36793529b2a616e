//! A seat as others' deliveries list it, and as its own tells of it.

use domain::booking::{Answer, Attendee, Booking};
use domain::change::{Change, Kind, Meaning, known_as, understand};
use domain::event::{BookingEvent, Trigger};
use domain::profile::Profile;
use jiff::{SignedDuration, Timestamp};

fn minute(n: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_mins(n)
}

/// The seat of the first one's; the other is only listed.
fn seat_taken(seat: &str, names: [&str; 2], at: i64) -> Vec<Change> {
    let attendee = |name: &str| Attendee {
        name: name.into(),
        email: format!("{name}@house.example"),
        ..Attendee::default()
    };
    let event = BookingEvent {
        trigger: Trigger::Created,
        created_at: Some(minute(at)),
        booking: Booking {
            start: minute(900),
            end: minute(930),
            attendees: names.map(attendee).to_vec(),
            responses_email: Some(attendee(names[0]).email),
            responses_phone: Some("+47 555 01 00".into()),
            notes: Some(format!("of {seat}")),
            answers: vec![Answer {
                label: "Company".into(),
                slug: "company".into(),
                value: format!("{} Ltd", names[0]),
            }],
            seats_per_slot: Some(5),
            seat: Some(seat.into()),
            pointer: Some(format!("pointer of {seat}")),
            ..Booking::bare("g1")
        },
        note: None,
    };
    match understand(&event, &Profile::default(), minute(at)) {
        Meaning::Changes(changes) => changes,
        Meaning::Skipped(why) => panic!("{why}"),
    }
}

fn own(seat: &str, name: &str, at: i64) -> Change {
    seat_taken(seat, [name, "somebody"], at).swap_remove(0)
}

fn listed(name: &str, at: i64) -> Change {
    seat_taken("s2", ["mateus", name], at).swap_remove(1)
}

#[test]
fn what_was_listed_learns_all_that_its_own_delivery_says() {
    let (first, own) = (listed("ingrid", 5), own("s1", "ingrid", 0));
    assert_eq!(known_as(&own, std::slice::from_ref(&first)), Some(0));

    let better = first.enriched_by(&own).expect("it teaches");

    let is_learnt = [
        better.seat == Some("s1".into()),
        better.person == own.person,
        better.booking.notes == Some("of s1".into()),
        better.booking.answers == own.booking.answers,
        better.booking.pointer == Some("pointer of s1".into()),
    ];
    assert_eq!(is_learnt, [true; 5], "{better:?}");
    assert_eq!(better.identity(), first.identity());
    assert_eq!(better.key_by_person(), first.base_key());
    assert_eq!(better.enriched_by(&own), None, "once");
}

#[test]
fn what_its_own_delivery_said_learns_nothing_from_where_it_is_listed() {
    let own = own("s1", "ingrid", 0);
    assert_eq!(own.enriched_by(&listed("ingrid", 5)), None);
    let bare = Change {
        booking: Booking {
            pointer: None,
            ..own.booking.clone()
        },
        ..own
    };
    assert_eq!(bare.enriched_by(&listed("ingrid", 5)), None, "no pointer");
}

#[test]
fn a_phone_that_makes_somebody_else_of_a_person_is_not_learnt() {
    let nameless = |mut change: Change| {
        change.person.email = None;
        change
    };
    let mut first = nameless(own("s1", "ingrid", 0));
    first.person.phone = None;
    let better = first.enriched_by(&nameless(own("s1", "ingrid", 5)));
    assert_eq!(better, None);
}

#[test]
fn a_person_s_two_seats_are_told_apart_once_they_are_known() {
    let both = [own("s1", "ingrid", 0), own("s3", "ingrid", 3)];
    assert_eq!(known_as(&both[1], &both[..1]), None);
    for (at, seat) in ["s1", "s3"].into_iter().enumerate() {
        assert_eq!(known_as(&own(seat, "ingrid", 9), &both), Some(at));
    }
    assert!(known_as(&listed("ingrid", 9), &both).is_some());
}

/// Ingrid's end at a time, naming a seat or none.
fn left(seat: Option<&str>, at: i64) -> Change {
    let mut left = own("s1", "ingrid", at);
    left.kind = Kind::Cancelled;
    left.trigger = Trigger::Cancelled;
    left.seat = seat.map(str::to_owned);
    left
}

#[test]
fn whoever_leaves_takes_another_seat_and_leaves_again_has_left_twice() {
    let known = [
        own("s1", "ingrid", 0),
        left(None, 10),
        own("s2", "ingrid", 20),
    ];
    for (end, is_known) in [
        (left(Some("s2"), 30), false),
        (left(None, 30), false),
        (left(Some("s1"), 30), true),
        (left(None, 10), true),
    ] {
        let named = &end.seat;
        let found = known_as(&end, &known).is_some();
        assert_eq!(found, is_known, "{named:?} at {}", end.created_at);
    }
}

#[test]
fn a_later_end_that_names_no_seat_counts_for_a_seat_that_is_heard_of_afterwards() {
    let known = [own("s1", "ingrid", 0), left(None, 10)];
    assert_eq!(known_as(&left(None, 30), &known), Some(1));
    let later = known[1].enriched_by(&left(None, 30)).expect("it counts");
    assert_eq!(later.stamped(), minute(30));
    assert_eq!(later.base_key(), known[1].base_key());
    let copy = Change {
        created_at: minute(10) + SignedDuration::from_secs(45),
        ..left(None, 10)
    };
    assert_eq!(known[1].enriched_by(&copy), None, "a copy");
}
