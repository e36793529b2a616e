//! How one meeting goes: booked or asked for, moved, declined, called off.

use sim::cal::{Booking, Delivery, EventType};

use super::{Kind, STORY_MS, Teller, stamp};
use crate::dice;

/// So many of the meetings wait for the host to confirm them.
const ASKED_FOR: f64 = 0.15;

/// What has happened so far, and when last.
struct Course {
    person: usize,
    booking: Booking,
    order: usize,
    at_ms: u64,
}

impl Teller {
    pub(super) fn meeting(&mut self, person: usize) {
        let number = self.chains;
        let event = EventType::new("intro", &format!("Intro {number}"));
        let event = event.location(&format!("https://meet.example/{number}"));
        let cal = self.cal.clone().event(event);
        let at_ms = dice::between(0, STORY_MS / 2);
        let start = self.new_start().to_string();
        let mut course = Course {
            person,
            booking: cal.at(&stamp(at_ms)).book(&self.booker(person), &start, 30),
            order: 0,
            at_ms,
        };
        if self.is_booked(&mut course) {
            for _ in 0..dice::one(&[0, 1, 1, 2, 3]) {
                if !self.goes_on(&mut course) {
                    break;
                }
            }
        }
        self.chains += 1;
    }

    /// At once, or when the host has confirmed it: `false` where that never comes.
    fn is_booked(&mut self, course: &mut Course) -> bool {
        if !dice::chance(ASKED_FOR) {
            self.next(course, Kind::Created, Booking::created);
            return true;
        }
        self.next(course, Kind::Requested, Booking::requested);
        later(course);
        match dice::between(0, 5) {
            0 => {
                self.next(course, Kind::Declined, |booking| booking.rejected("away"));
                false
            }
            1 => {
                self.next(course, Kind::Cancelled, |booking| {
                    booking.cancelled(Some(&booking.person.address()), Some("no need"))
                });
                false
            }
            2 => false,
            _ => {
                self.next(course, Kind::Created, Booking::confirmed);
                true
            }
        }
    }

    /// `false` once nothing more comes of it.
    fn goes_on(&mut self, course: &mut Course) -> bool {
        later(course);
        match dice::between(0, 9) {
            0..=2 => {
                self.moves(course);
                true
            }
            3 => self.asks_to_move(course),
            4..=6 => {
                self.next(course, Kind::Cancelled, |booking| {
                    booking.cancelled(Some(&booking.person.address()), Some("no time"))
                });
                false
            }
            7 => {
                self.next(course, Kind::Asked, |booking| {
                    booking.cancelled_request_reschedule("a clash")
                });
                if dice::chance(0.5) {
                    course.at(course.at_ms + 1_500);
                    self.moves(course);
                }
                false
            }
            _ => {
                self.next(course, Kind::NoShow, |booking| booking.no_show(true));
                true
            }
        }
    }

    fn moves(&mut self, course: &mut Course) {
        let start = self.new_start().to_string();
        let by = course.booking.person.address();
        let (moved, delivery) = course.booking.rescheduled(Some(&by), &start);
        course.booking = moved;
        self.next(course, Kind::Moved, |_| delivery);
    }

    /// To a time that the host has to confirm; the one before is given up.
    fn asks_to_move(&mut self, course: &mut Course) -> bool {
        let start = self.new_start().to_string();
        let (moved, asked) = course.booking.moved_pending(&start);
        // Some versions name the one before; all give the calendar's id.
        let asked = if dice::chance(0.5) {
            let before = course.booking.uid.clone();
            asked.edited(|body| body["payload"]["rescheduleUid"] = before.into())
        } else {
            asked
        };
        course.booking = moved;
        self.next(course, Kind::MoveRequested, |_| asked);
        later(course);
        match dice::between(0, 3) {
            0 => {
                self.next(course, Kind::MoveDeclined, |booking| {
                    booking.rejected("away")
                });
                false
            }
            1 => false,
            _ => {
                self.next(course, Kind::MoveConfirmed, Booking::confirmed);
                true
            }
        }
    }

    fn next(
        &mut self,
        course: &mut Course,
        kind: Kind,
        delivery: impl FnOnce(&Booking) -> Delivery,
    ) {
        let delivery = delivery(&course.booking);
        let (of, order) = (course.person, course.order);
        self.happens(of, order, kind, &course.booking, course.at_ms, delivery);
        course.order += 1;
    }

    /// Two people on one booking; one of them may leave or move.
    pub(super) fn seats(&mut self, first: usize, second: usize) {
        let number = self.chains;
        let event = EventType::new("group", &format!("Group {number}"));
        let at_ms = dice::between(0, STORY_MS / 2);
        let event = event.location(&format!("https://meet.example/{number}"));
        let cal = self.cal.clone().event(event).at(&stamp(at_ms));
        let session = cal.seated(&self.new_start().to_string(), 30, 5);
        for person in [first, second] {
            if self.story.people[person].address.is_none() {
                continue;
            }
            let (seat, delivery) = session.seat_created(&self.booker(person));
            self.happens(person, 0, Kind::Created, &seat.booking, at_ms, delivery);
            let moves = dice::chance(0.3);
            let leaves = !moves && dice::chance(0.3);
            if moves {
                let start = self.new_start().to_string();
                // The sim stamps a seat's deliveries with its session's time: later ones are stamped by hand.
                let (moved, delivery) = seat.rescheduled(&start);
                let at_ms = at_ms + 5_000;
                let delivery = delivery.stamped(&stamp(at_ms));
                self.happens(person, 1, Kind::Moved, &moved.booking, at_ms, delivery);
            } else if leaves {
                let at_ms = at_ms + 5_000;
                let delivery = seat.cancelled("no time").stamped(&stamp(at_ms));
                self.happens(person, 1, Kind::Cancelled, &seat.booking, at_ms, delivery);
            }
            self.chains += 1;
        }
    }
}

impl Course {
    fn at(&mut self, at_ms: u64) {
        self.at_ms = at_ms;
        self.booking = self.booking.at(&stamp(at_ms));
    }
}

fn later(course: &mut Course) {
    course.at(course.at_ms + dice::between(1_500, 20_000));
}
