//! Every recorded delivery, and what it is.

use domain::event::Event;
use vendors::cal::{signature, webhook};

use super::{recording, recordings};

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    /// Trigger, uid, start, the first attendee's e-mail.
    Booking(&'static str, &'static str, &'static str, &'static str),
    /// What is told, trigger and uid.
    Note(&'static str, &'static str, &'static str),
    /// E-mail and how many answers.
    Form(&'static str, usize),
    /// Trigger and uid.
    Aside(&'static str, &'static str),
    /// Uid.
    Unreadable(&'static str),
}
use Kind::{Aside, Booking, Form, Note, Unreadable};

#[rustfmt::skip]
const KINDS: &[(&str, Kind)] = &[
    ("cal-deliveries/01-ping-test-trigger", Aside("PING", "")),
    ("cal-deliveries/02-booking-created-cal-video", Booking("BOOKING_CREATED", "sX1priyaB1uidQ7hTz4mWc", "2026-09-10T14:00:00Z", "priya.raman@northwindfoods.example")),
    ("cal-deliveries/03-booking-created-redelivery-identical", Booking("BOOKING_CREATED", "sX1priyaB1uidQ7hTz4mWc", "2026-09-10T14:00:00Z", "priya.raman@northwindfoods.example")),
    ("cal-deliveries/05-booking-rescheduled-by-attendee", Booking("BOOKING_RESCHEDULED", "rS2priyaB1uidNew8KdLw", "2026-09-11T15:30:00Z", "priya.raman@northwindfoods.example")),
    ("cal-deliveries/07-booking-cancelled-by-attendee", Booking("BOOKING_CANCELLED", "rS2priyaB1uidNew8KdLw", "2026-09-11T15:30:00Z", "priya.raman@northwindfoods.example")),
    ("cal-deliveries/08-booking-created-google-meet-guests-metadata", Booking("BOOKING_CREATED", "gM3jonasB2uidPq5RtYv", "2026-09-15T08:00:00Z", "J.Weidemann@KRONBERG-LOGISTIK.example")),
    ("cal-deliveries/09-booking-rescheduled-by-host", Booking("BOOKING_RESCHEDULED", "gM4jonasB2uidAfterHost", "2026-09-16T08:00:00Z", "J.Weidemann@KRONBERG-LOGISTIK.example")),
    ("cal-deliveries/12-booking-created-static-link-location", Booking("BOOKING_CREATED", "cM6carlaB3uidZxCvBn", "2026-09-20T16:00:00Z", "carla.mendes@solviva.example")),
    ("cal-deliveries/13-booking-cancelled-host-requested-reschedule", Booking("BOOKING_CANCELLED", "cM6carlaB3uidZxCvBn", "2026-09-20T16:00:00Z", "carla.mendes@solviva.example")),
    ("cal-deliveries/14-booking-created-phone-only-attendee", Booking("BOOKING_CREATED", "pH7bartekB4uidLkJhGf", "2026-09-21T07:00:00Z", "48512345678@sms.cal.com")),
    ("cal-deliveries/15-booking-created-phone-and-email", Booking("BOOKING_CREATED", "pH8graceB5uidMnBvCx", "2026-09-21T09:00:00Z", "grace@oconnell.example")),
    ("cal-deliveries/18-booking-created-unicode-injection", Booking("BOOKING_CREATED", "uN11uniB8uidZaQwSx", "2026-10-25T00:30:00Z", "用户@例え.example")),
    ("cal-deliveries/19-booking-created-huge-notes", Booking("BOOKING_CREATED", "hN12hugeB9uidPlOkMi", "2026-09-23T17:00:00Z", "vera@longform.example")),
    ("cal-deliveries/20-booking-created-custom-questions", Booking("BOOKING_CREATED", "cF13danaB10uidYhNuJ", "2026-09-24T18:00:00Z", "dana.whitfield@acme-orchards.example")),
    ("cal-deliveries/21-booking-created-self-booking", Booking("BOOKING_CREATED", "sB14selfB11uidTgBrF", "2026-09-24T19:00:00Z", "nora@brightharbor.example")),
    ("cal-deliveries/22-booking-created-no-attendees", Booking("BOOKING_CREATED", "nE15emptyAttendees000", "2026-09-10T14:00:00Z", "")),
    ("cal-deliveries/24-booking-created-seat-1", Booking("BOOKING_CREATED", "sE17seatBookingUidShared", "2026-09-28T13:00:00Z", "ingrid@fjordtech.example")),
    ("cal-deliveries/25-booking-created-seat-2-same-uid", Booking("BOOKING_CREATED", "sE17seatBookingUidShared", "2026-09-28T13:00:00Z", "ingrid@fjordtech.example")),
    ("cal-deliveries/26-booking-cancelled-one-seat-only", Booking("BOOKING_CANCELLED", "sE17seatBookingUidShared", "2026-09-28T13:00:00Z", "ingrid@fjordtech.example")),
    ("cal-deliveries/28-booking-created-recurring-1-of-3", Booking("BOOKING_CREATED", "rC20femiRecurUid0AbCd", "2026-10-01T10:00:00Z", "femi@adeyemi-studio.example")),
    ("cal-deliveries/29-booking-created-recurring-2-of-3", Booking("BOOKING_CREATED", "rC21femiRecurUid1AbCd", "2026-10-08T10:00:00Z", "femi@adeyemi-studio.example")),
    ("cal-deliveries/30-booking-created-recurring-3-of-3", Booking("BOOKING_CREATED", "rC22femiRecurUid2AbCd", "2026-10-15T10:00:00Z", "femi@adeyemi-studio.example")),
    ("cal-deliveries/32-booking-created-team-round-robin", Booking("BOOKING_CREATED", "tM32yukiRoundRobinUid", "2026-09-30T08:00:00Z", "yuki@matsuda-foods.example")),
    ("cal-deliveries/34-booking-requested", Booking("BOOKING_REQUESTED", "rQ34heleneRequestUid", "2026-10-02T09:00:00Z", "helene@baumgart.example")),
    ("cal-deliveries/35-booking-created-after-confirmation", Booking("BOOKING_CREATED", "rQ34heleneRequestUid", "2026-10-02T09:00:00Z", "helene@baumgart.example")),
    ("cal-deliveries/37-booking-payment-initiated", Note("payment", "BOOKING_PAYMENT_INITIATED", "pY37rosaPaidUid")),
    ("cal-deliveries/39-booking-no-show-marked", Note("no-show", "BOOKING_NO_SHOW_UPDATED", "rS2priyaB1uidNew8KdLw")),
    ("cal-deliveries/41-after-hosts-cal-video-no-show", Note("host no-show", "AFTER_HOSTS_CAL_VIDEO_NO_SHOW", "rS2priyaB1uidNew8KdLw")),
    ("cal-deliveries/43-meeting-started-flat", Note("meeting", "MEETING_STARTED", "rS2priyaB1uidNew8KdLw")),
    ("cal-deliveries/44-meeting-ended-flat", Note("meeting", "MEETING_ENDED", "rS2priyaB1uidNew8KdLw")),
    ("cal-deliveries/46-recording-ready", Note("recording", "RECORDING_READY", "rS2priyaB1uidNew8KdLw")),
    ("cal-deliveries/47-recording-transcription-generated", Note("transcript", "RECORDING_TRANSCRIPTION_GENERATED", "rS2priyaB1uidNew8KdLw")),
    ("cal-deliveries/49-form-submitted-root-level-fields", Form("lead@greenfield.example", 2)),
    ("cal-deliveries/51-instant-meeting", Aside("INSTANT_MEETING", "iN51instantUid")),
    ("cal-deliveries/52-delegation-credential-error", Aside("DELEGATION_CREDENTIAL_ERROR", "")),
    ("cal-deliveries/56-custom-template-json", Unreadable("sX1priyaB1uidQ7hTz4mWc")),
    ("cal-deliveries/59-custom-template-form-urlencoded", Unreadable("")),
    ("cal-deliveries/61-json-body-with-form-content-type", Booking("BOOKING_REQUESTED", "rQ34heleneRequestUid", "2026-10-02T09:00:00Z", "helene@baumgart.example")),
    ("cal-deliveries/63-no-secret-configured", Booking("BOOKING_CREATED", "sX1priyaB1uidQ7hTz4mWc", "2026-09-10T14:00:00Z", "priya.raman@northwindfoods.example")),
    ("cal-deliveries/64-wrong-secret", Booking("BOOKING_CREATED", "sX1priyaB1uidQ7hTz4mWc", "2026-09-10T14:00:00Z", "priya.raman@northwindfoods.example")),
    ("cal-deliveries/66-unknown-trigger", Aside("BOOKING_SOMETHING_NEW", "sX1priyaB1uidQ7hTz4mWc")),
    ("cal-deliveries/67-booking-cancelled-new-producer-consumer-path", Booking("BOOKING_CANCELLED", "sX1priyaB1uidQ7hTz4mWc", "2026-09-10T14:00:00Z", "priya.raman@northwindfoods.example")),
    ("cal-deliveries/68-hosted-2026-07-27-booking-created", Booking("BOOKING_CREATED", "hB7QmWc2TzvLr5NdXk81Pa", "2026-09-15T16:00:00Z", "tova@lindqvist.example")),
    ("cal-deliveries/69-hosted-2026-07-27-booking-location-updated", Note("location", "BOOKING_LOCATION_UPDATED", "hB7QmWc2TzvLr5NdXk81Pa")),
    ("cal-deliveries/71-hosted-2026-07-27-booking-cancelled", Booking("BOOKING_CANCELLED", "kV3ZtYn9QpRs4HgJw62MbE", "2026-09-16T17:00:00Z", "tova@lindqvist.example")),
    ("cal-deliveries/72-hosted-2026-07-27-booking-requested", Booking("BOOKING_REQUESTED", "qP5WxLd8VbGt2KzRm70YcU", "2026-09-18T15:00:00Z", "renato@fialho.example")),
    ("cal-deliveries/75-hosted-2026-07-27-seated-created-seat-1", Booking("BOOKING_CREATED", "wS2LpMv5ZxCq8NbRt40GhD", "2026-09-22T15:00:00Z", "mirela@kostova.example")),
    ("cal-deliveries/76-hosted-2026-07-27-seated-created-seat-2-same-uid", Booking("BOOKING_CREATED", "wS2LpMv5ZxCq8NbRt40GhD", "2026-09-22T15:00:00Z", "owen@adair.example")),
    ("cal-deliveries/78-hosted-2026-07-27-recurring-created-1", Booking("BOOKING_CREATED", "rA1BcDe2FgHi3JkLm4NoPq", "2026-09-24T16:00:00Z", "paulo@quintela.example")),
    ("cal-deliveries/81-hosted-routing-form-fallback-hit", Form("sunniva@berg.example", 2)),
    ("cal-deliveries/82-old-self-hosted-no-version-header", Booking("BOOKING_CREATED", "oLd5eLfH0stEdV3rs10nAa", "2026-09-10T14:00:00Z", "priya.raman@northwindfoods.example")),
    ("cal-deliveries/84-hosted-2026-07-27-phone-only", Booking("BOOKING_CREATED", "pH0nEoNlY5aBcDeFgHiJkL", "2026-09-25T15:00:00Z", "15550104477@sms.cal.com")),
    ("cal-live/01-booking-created", Booking("BOOKING_CREATED", "1xypHADt6rUrfHQLtXUqfw", "2026-11-30T09:00:00Z", "mira@okaforhomes.example")),
    ("cal-live/02-duplicate-subscriptions-created-1", Booking("BOOKING_CREATED", "7wajuUUJQpmmaHY91XWXoR", "2026-11-30T10:00:00Z", "Mira@OkaforHomes.example")),
    ("cal-live/03-duplicate-subscriptions-created-2", Booking("BOOKING_CREATED", "7wajuUUJQpmmaHY91XWXoR", "2026-11-30T10:00:00Z", "Mira@OkaforHomes.example")),
    ("cal-live/04-duplicate-subscriptions-created-3", Booking("BOOKING_CREATED", "7wajuUUJQpmmaHY91XWXoR", "2026-11-30T10:00:00Z", "Mira@OkaforHomes.example")),
    ("cal-live/05-rescheduled-once-by-attendee", Booking("BOOKING_RESCHEDULED", "3PwTDiURvU951pk8gfkG8c", "2026-12-01T10:00:00Z", "Mira@OkaforHomes.example")),
    ("cal-live/06-rescheduled-twice-by-host", Booking("BOOKING_RESCHEDULED", "b8V8kZ5dNhM4cPDUQ9w1yM", "2026-12-02T11:00:00Z", "Mira@OkaforHomes.example")),
    ("cal-live/07-cancelled-after-two-reschedules", Booking("BOOKING_CANCELLED", "b8V8kZ5dNhM4cPDUQ9w1yM", "2026-12-02T11:00:00Z", "Mira@OkaforHomes.example")),
    ("cal-live/08-created-plain", Booking("BOOKING_CREATED", "9abWzsGmb3KfKQqh4oRS1i", "2026-12-03T09:30:00Z", "jonas@weberbau.example")),
    ("cal-live/09-cancelled-by-host", Booking("BOOKING_CANCELLED", "9abWzsGmb3KfKQqh4oRS1i", "2026-12-03T09:30:00Z", "jonas@weberbau.example")),
    ("cal-live/10-created-plain-2", Booking("BOOKING_CREATED", "2VVoJYFJFgCnyKgism41LA", "2026-12-03T12:00:00Z", "lea@brandt.example")),
    ("cal-live/11-rescheduled-without-rescheduledBy", Booking("BOOKING_RESCHEDULED", "bYSAPyN4CdevpPSMLqSTmw", "2026-12-04T12:00:00Z", "lea@brandt.example")),
    ("cal-live/12-requested", Booking("BOOKING_REQUESTED", "odHmXdHzVcVw8RHimXGERd", "2026-12-07T09:00:00Z", "sana@qureshi.example")),
    ("cal-live/13-confirmed", Booking("BOOKING_CREATED", "odHmXdHzVcVw8RHimXGERd", "2026-12-07T09:00:00Z", "sana@qureshi.example")),
    ("cal-live/14-confirmed-then-moved-by-attendee", Booking("BOOKING_REQUESTED", "uqKBCRGp2eYbdDbXZeZ7Jz", "2026-12-08T09:00:00Z", "sana@qureshi.example")),
    ("cal-live/15-moved-then-confirmed", Booking("BOOKING_CREATED", "uqKBCRGp2eYbdDbXZeZ7Jz", "2026-12-08T09:00:00Z", "sana@qureshi.example")),
    ("cal-live/16-requested-2", Booking("BOOKING_REQUESTED", "kot8csAphSDh59jXYEwVq5", "2026-12-09T09:00:00Z", "otto@klein.example")),
    ("cal-live/17-rejected", Booking("BOOKING_REJECTED", "kot8csAphSDh59jXYEwVq5", "2026-12-09T09:00:00Z", "otto@klein.example")),
    ("cal-live/18-requested-3", Booking("BOOKING_REQUESTED", "axwx14gdGPuuPLkoX9Dzg4", "2026-12-10T09:00:00Z", "vera@lund.example")),
    ("cal-live/19-cancelled-while-pending", Booking("BOOKING_CANCELLED", "axwx14gdGPuuPLkoX9Dzg4", "2026-12-10T09:00:00Z", "vera@lund.example")),
    ("cal-live/20-seated-created-seat-1", Booking("BOOKING_CREATED", "o5GwGZSfwjU9Eef3wpr8n9", "2026-12-01T13:00:00Z", "ana@duarte.example")),
    ("cal-live/21-seated-created-seat-2", Booking("BOOKING_CREATED", "o5GwGZSfwjU9Eef3wpr8n9", "2026-12-01T13:00:00Z", "ben@achebe.example")),
    ("cal-live/22-seated-created-seat-3", Booking("BOOKING_CREATED", "o5GwGZSfwjU9Eef3wpr8n9", "2026-12-01T13:00:00Z", "cleo@marin.example")),
    ("cal-live/23-seated-one-seat-cancelled", Booking("BOOKING_CANCELLED", "o5GwGZSfwjU9Eef3wpr8n9", "2026-12-01T13:00:00Z", "ben@achebe.example")),
    ("cal-live/24-seated-one-seat-rescheduled", Booking("BOOKING_RESCHEDULED", "iGZYktbaezq8zFyNv4YQcQ", "2026-12-02T13:00:00Z", "cleo@marin.example")),
    ("cal-live/25-seated-whole-cancelled-by-host", Booking("BOOKING_CANCELLED", "o5GwGZSfwjU9Eef3wpr8n9", "2026-12-01T13:00:00Z", "ana@duarte.example")),
    ("cal-live/26-recurring-created-1", Booking("BOOKING_CREATED", "wQ2V7BBQHWPnVftW9Zrsqi", "2026-12-08T13:00:00Z", "dario@conti.example")),
    ("cal-live/27-recurring-created-2", Booking("BOOKING_CREATED", "f2pC1wPNqLDMZq8wfuw36s", "2026-12-15T13:00:00Z", "dario@conti.example")),
    ("cal-live/28-recurring-created-3", Booking("BOOKING_CREATED", "czxSETD4HeLLMEPMAFRYrS", "2026-12-22T13:00:00Z", "dario@conti.example")),
    ("cal-live/29-recurring-one-rescheduled", Booking("BOOKING_RESCHEDULED", "fADaG9xic3FvBD36pkGSWS", "2026-12-09T13:00:00Z", "dario@conti.example")),
    ("cal-live/30-recurring-one-cancelled", Booking("BOOKING_CANCELLED", "f2pC1wPNqLDMZq8wfuw36s", "2026-12-15T13:00:00Z", "dario@conti.example")),
    ("cal-live/31-recurring-cancel-subsequent", Booking("BOOKING_CANCELLED", "czxSETD4HeLLMEPMAFRYrS", "2026-12-22T13:00:00Z", "dario@conti.example")),
    ("cal-live/32-recurring-created-2-1", Booking("BOOKING_CREATED", "cyL5UuvbRESHunHa4Pxcrt", "2026-12-15T14:00:00Z", "elin@strand.example")),
    ("cal-live/33-recurring-created-2-2", Booking("BOOKING_CREATED", "s5sZgNr2Qk9SaVjKHqA5q3", "2026-12-22T14:00:00Z", "elin@strand.example")),
    ("cal-live/34-recurring-created-2-3", Booking("BOOKING_CREATED", "vgDbBACCKBHxPWzzLnaoQA", "2026-12-29T14:00:00Z", "elin@strand.example")),
    ("cal-live/35-recurring-cancel-series-uid", Booking("BOOKING_CANCELLED", "cyL5UuvbRESHunHa4Pxcrt", "2026-12-15T14:00:00Z", "elin@strand.example")),
];

#[test]
fn every_recorded_delivery_is_read_as_what_it_is() {
    for (name, expected) in KINDS {
        let parsed = webhook::parse(&recording(name).body);
        match (expected, parsed) {
            (Note(what, trigger, uid), Ok(Event::Booking(event))) => {
                let note = event.note.as_ref().map_or("", |n| n.name());
                let read = (note, event.trigger.name(), event.booking.uid.as_str());
                assert_eq!(read, (*what, *trigger, *uid), "{name}");
            }
            (Form(email, answers), Ok(Event::Form(form))) => {
                assert_eq!(form.email.as_deref(), Some(*email), "{name}");
                assert_eq!(form.answers.len(), *answers, "{name}");
            }
            (Booking(trigger, uid, start, email), Ok(Event::Booking(event))) => {
                assert_eq!(event.note, None, "{name}");
                let booking = &event.booking;
                let first = booking.attendees.first().map_or("", |a| a.email.as_str());
                let start_read = booking.start.to_string();
                assert_eq!(
                    (
                        event.trigger.name(),
                        booking.uid.as_str(),
                        start_read.as_str(),
                        first
                    ),
                    (*trigger, *uid, *start, *email),
                    "{name}"
                );
                assert!(booking.end > booking.start, "{name}");
                assert!(event.created_at.is_some(), "{name}");
                assert!(!booking.organizer.email.is_empty(), "{name}");
            }
            (Aside(trigger, uid), Ok(Event::Aside { trigger: t, uid: u })) => {
                assert_eq!(
                    (t.name(), u.unwrap_or_default().as_str()),
                    (*trigger, *uid),
                    "{name}"
                );
            }
            (Unreadable(uid), Err(unreadable)) => {
                assert_eq!(unreadable.uid.unwrap_or_default(), *uid, "{name}");
                assert!(
                    unreadable.reason.contains("custom payload template"),
                    "{name}"
                );
            }
            (expected, parsed) => panic!("{name}: expected {expected:?}, got {parsed:?}"),
        }
    }
}

#[test]
fn no_recording_is_left_out_of_the_table() {
    let told: Vec<&str> = KINDS.iter().map(|(name, _)| *name).collect();
    assert_eq!(told, recordings());
}

#[test]
fn a_recorded_signature_holds_exactly_where_the_recording_says_so() {
    for (name, _) in KINDS {
        let recording = recording(name);
        let signer = signature::verify(
            &["other", &recording.secret],
            &recording.headers,
            &recording.body,
        );
        assert_eq!(signer.is_some(), recording.signature_valid, "{name}");
        assert!(signer.is_none_or(|index| index == 1), "{name}");
    }
}
