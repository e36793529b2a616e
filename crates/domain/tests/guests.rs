//! What is told to a guest: beside the guest's own meetings, and the questions about them.

mod nobody;

use domain::booking::{Attendee, Booking};
use domain::change::{Change, Meaning, understand};
use domain::event::{BookingEvent, Trigger};
use domain::note::Note;
use domain::plan::{Plan, Question};
use domain::profile::{Guests, Profile};
use domain::question::Asking;
use jiff::{SignedDuration, Timestamp};

fn day(n: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * n)
}

fn profile() -> Profile {
    Profile {
        guests: Guests::Match,
        ..Profile::default()
    }
}

/// On the tenth day; the first of them books.
fn told(trigger: Trigger, uid: &str, on: i64, names: &[&str]) -> Vec<Change> {
    let attendee = |name: &&str| Attendee {
        name: (*name).into(),
        email: format!("{name}@house.example"),
        ..Attendee::default()
    };
    let event = BookingEvent {
        trigger,
        created_at: Some(day(on)),
        booking: Booking {
            start: day(10),
            end: day(10) + SignedDuration::from_mins(30),
            attendees: names.iter().map(attendee).collect(),
            ..Booking::bare(uid)
        },
        note: None,
    };
    match understand(&event, &profile(), day(on)) {
        Meaning::Changes(changes) => changes,
        Meaning::Skipped(why) => panic!("{why}"),
    }
}

fn planned(change: &Change, known: &[Change], asking: Asking) -> Plan {
    nobody::planned(change, known, asking, &profile())
}

/// Ada's meeting, with Gus as her guest, and one that Gus booked himself: all that is known when the last of it comes.
fn world(last: Trigger) -> (Change, Vec<Change>) {
    let mut known = told(Trigger::Created, "own", 1, &["gus"]);
    known.extend(told(Trigger::Created, "ada's", 2, &["ada", "gus"]));
    if last != Trigger::Created {
        known.extend(told(last, "ada's", 3, &["ada", "gus"]));
    }
    let of_guest = known.last().expect("something came").clone();
    assert!(matches!(of_guest.note, Some(Note::Guest { .. })));
    (of_guest, known)
}

#[test]
fn somebody_else_s_meeting_calls_off_no_question_about_its_guest() {
    for last in [Trigger::Cancelled, Trigger::Rejected, Trigger::Created] {
        let (of_guest, known) = world(last.clone());
        let plan = planned(&of_guest, &known, Asking::Open);
        assert_eq!(plan.question, Some(Question::Join), "{last:?}");
    }
}

#[test]
fn a_guest_s_own_cancellation_calls_the_question_off() {
    let (_, mut known) = world(Trigger::Created);
    let own = told(Trigger::Cancelled, "own", 3, &["gus"]).remove(0);
    known.push(own.clone());
    let plan = planned(&own, &known, Asking::Open);
    assert_eq!(plan.question, Some(Question::CallOff));
}

#[test]
fn a_guest_about_whom_nobody_asks_makes_no_lead() {
    for asking in [
        Asking::Settled,
        Asking::CalledOff,
        Asking::Unanswered(Vec::new()),
    ] {
        let (of_guest, known) = world(Trigger::Cancelled);
        let plan = planned(&of_guest, &known, asking);
        assert_eq!(plan.skip, Some("guest without a task"));
    }
}
