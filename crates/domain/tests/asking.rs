//! Whether a person is asked whose lead a booker's is, and whether the question stays open as more comes of the meeting.

mod nobody;

use domain::booking::{Attendee, Booking};
use domain::change::{Change, Meaning, understand};
use domain::event::{BookingEvent, Trigger};
use domain::plan::{Plan, Question};
use domain::profile::Profile;
use domain::question::{Asking, Candidate};
use jiff::{SignedDuration, Timestamp};

fn day(n: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * n)
}

/// Mira's meeting on the tenth day.
fn told(trigger: Trigger, uid: &str, on: i64) -> BookingEvent {
    BookingEvent {
        trigger,
        created_at: Some(day(on)),
        booking: Booking {
            start: day(10),
            end: day(10) + SignedDuration::from_mins(30),
            attendees: vec![Attendee {
                name: "Mira Okafor".into(),
                email: "mira@okafor.example".into(),
                ..Attendee::default()
            }],
            ..Booking::bare(uid)
        },
        note: None,
    }
}

fn booked() -> BookingEvent {
    told(Trigger::Created, "a", 1)
}

fn asked_for_another_time() -> BookingEvent {
    let mut event = told(Trigger::Cancelled, "a", 2);
    event.booking.request_reschedule = true;
    event
}

fn move_requested() -> BookingEvent {
    let mut event = told(Trigger::Requested, "b", 2);
    event.booking.reschedule_uid = Some("a".into());
    event
}

fn cancelled(uid: &str) -> BookingEvent {
    told(Trigger::Cancelled, uid, 3)
}

/// For the last of what came.
fn planned(events: &[BookingEvent], asking: Asking) -> Plan {
    let profile = Profile::default();
    let change = |event: &BookingEvent| -> Change {
        match understand(event, &profile, event.created_at.expect("a stamp")) {
            Meaning::Changes(mut changes) => changes.remove(0),
            Meaning::Skipped(why) => panic!("{why}"),
        }
    };
    let known: Vec<Change> = events.iter().map(change).collect();
    let last = known.last().expect("something came");
    nobody::planned(last, &known, asking, &profile)
}

fn candidate() -> Candidate {
    Candidate {
        lead: "86a1".into(),
        name: "Mira O.".into(),
        list: "Brokers".into(),
        status: "In contact".into(),
        email: None,
        url: None,
        updated_at: day(0),
        why: "same given name".into(),
    }
}

#[test]
fn a_question_stays_open_while_its_meeting_awaits_a_new_time() {
    for last in [asked_for_another_time(), move_requested()] {
        let plan = planned(&[booked(), last.clone()], Asking::Open);
        assert_eq!(plan.question, Some(Question::Join), "{last:?}");
    }
}

#[test]
fn a_question_is_called_off_with_its_meeting() {
    let declined = told(Trigger::Rejected, "b", 3);
    for events in [
        vec![booked(), cancelled("a")],
        vec![booked(), asked_for_another_time(), cancelled("a")],
        vec![booked(), move_requested(), declined],
        vec![booked(), move_requested(), cancelled("b")],
    ] {
        let plan = planned(&events, Asking::Open);
        assert_eq!(plan.question, Some(Question::CallOff), "{events:?}");
    }
}

#[test]
fn a_booking_that_comes_last_asks_as_if_it_had_come_first() {
    for first in [asked_for_another_time(), move_requested()] {
        let asking = Asking::Ask(vec![candidate()]);
        let plan = planned(&[first.clone(), booked()], asking);
        let asked = Some(Question::Ask(vec![candidate()]));
        assert_eq!(plan.question, asked, "{first:?}");
    }
}

#[test]
fn nobody_is_asked_about_a_meeting_that_is_off() {
    let asking = Asking::Ask(vec![candidate()]);
    let plan = planned(&[cancelled("a"), booked()], asking);
    assert_eq!((plan.question, plan.actions.len()), (None, 1));
}
