//! What else is said about a booking: payments, locations, hosts, no-shows, recordings
//! and the meeting itself. Most of these have shapes of their own.

use serde_json::{Value, json};

use super::booking::Booking;
use super::delivery::Delivery;
use super::people::Host;
use super::{body, millis, parts};

impl Booking {
    /// BOOKING_PAYMENT_INITIATED: already ACCEPTED. `price` is in minor units.
    pub fn payment_initiated(&self, price: u64, currency: &str) -> Delivery {
        self.paid_body("BOOKING_PAYMENT_INITIATED", price, currency)
    }

    /// BOOKING_PAID: the metadata is the payment's.
    pub fn paid(&self, price: u64, currency: &str) -> Delivery {
        let payment = json!({
            "identifier": "cal.com",
            "bookingId": self.id,
            "eventTypeId": self.event.id,
            "bookerEmail": self.person.address(),
            "eventTitle": self.event.title,
            "externalId": format!("pi_{}", self.id),
        });
        self.paid_body("BOOKING_PAID", price, currency)
            .edited(|body| body["payload"]["metadata"] = payment)
    }

    fn paid_body(&self, trigger: &str, price: u64, currency: &str) -> Delivery {
        self.created_as(trigger).edited(|body| {
            body["payload"]["price"] = json!(price);
            body["payload"]["currency"] = json!(currency);
            body["payload"]["paymentId"] = json!(7001);
        })
    }

    /// BOOKING_LOCATION_UPDATED (hosted servers only). The booking then has the new one.
    pub fn location_updated(&self, location: &str) -> (Self, Delivery) {
        let mut changed = self.clone();
        location.clone_into(&mut changed.event.location);
        changed.sequence += 1;
        let mut payload = body::standard(&changed, "ACCEPTED");
        let previous = json!(self.event.location);
        body::keys(&mut payload).insert("previousLocation".to_owned(), previous);
        let delivery = changed.envelope("BOOKING_LOCATION_UPDATED", payload);
        (changed, delivery)
    }

    /// BOOKING_REASSIGNED (hosted servers only; its shape on the wire is not established).
    pub fn reassigned(&self, host: &Host) -> (Self, Delivery) {
        let changed = self.hosted_by(host);
        let payload = body::standard(&changed, "ACCEPTED");
        let delivery = changed.envelope("BOOKING_REASSIGNED", payload);
        (changed, delivery)
    }

    /// BOOKING_NO_SHOW_UPDATED: marked, or unmarked again. No times, no names.
    pub fn no_show(&self, no_show: bool) -> Delivery {
        let email = self.person.address();
        let said = if no_show { "marked" } else { "unmarked" };
        let payload = json!({
            "message": format!("{email} {said} as no-show"),
            "attendees": [{"email": email, "noShow": no_show}],
            "bookingUid": self.uid,
            "bookingId": self.id,
        });
        self.envelope("BOOKING_NO_SHOW_UPDATED", payload)
    }

    /// AFTER_HOSTS_CAL_VIDEO_NO_SHOW: the host did not join.
    pub fn host_no_show(&self) -> Delivery {
        let trigger = "AFTER_HOSTS_CAL_VIDEO_NO_SHOW";
        let payload = json!({
            "title": self.title(),
            "bookingId": self.id,
            "bookingUid": self.uid,
            "startTime": millis(self.start),
            "endTime": millis(self.end),
            "attendees": [self.attendee_row()],
            "participants": [],
            "hostEmail": self.host.email,
            "noShowHost": true,
            "eventType": {
                "id": self.event.id,
                "teamId": null,
                "parentId": null,
                "calVideoSettings": null,
            },
            "webhook": {
                "id": "4f6c2b1e-aaaa-4bbb-8ccc-1234567890ab",
                "subscriberUrl": "https://hooks.example.com/webhooks/cal",
                "appId": null,
                "time": 5,
                "timeUnit": "MINUTE",
                "eventTriggers": [trigger],
                "payloadTemplate": null,
                "version": "2021-10-20",
            },
            "message": format!("Host with email {} didn't join the call", self.host.email),
        });
        self.envelope(trigger, payload)
    }

    /// AFTER_GUESTS_CAL_VIDEO_NO_SHOW: as for the host, with those who did not join.
    pub fn guests_no_show(&self) -> Delivery {
        let trigger = "AFTER_GUESTS_CAL_VIDEO_NO_SHOW";
        let guest = json!({"email": self.person.address(), "name": self.person.name});
        self.host_no_show().edited(|body| {
            body["triggerEvent"] = json!(trigger);
            let payload = body::keys(&mut body["payload"]);
            payload.remove("hostEmail");
            payload.remove("noShowHost");
            payload.insert("guests".to_owned(), json!([guest]));
        })
    }

    /// RECORDING_TRANSCRIPTION_GENERATED: one address per format.
    pub fn transcript_ready(&self, recording: &str, text: &str) -> Delivery {
        self.recording_ready(recording).edited(|body| {
            body["triggerEvent"] = json!("RECORDING_TRANSCRIPTION_GENERATED");
            let payload = body::keys(&mut body["payload"]);
            payload.remove("downloadLink");
            let files = json!([{"format": "srt", "link": format!("{text}.srt")}, {"format": "txt", "link": text}]);
            let links = json!({"transcription": files, "recording": recording});
            payload.insert("downloadLinks".to_owned(), links);
        })
    }

    /// RECORDING_READY: no booking id, no status; `type` is the title.
    pub fn recording_ready(&self, link: &str) -> Delivery {
        let offset = |zone: &str| parts::utc_offset(zone, self.start);
        let payload = json!({
            "type": self.title(),
            "title": self.title(),
            "startTime": millis(self.start),
            "endTime": millis(self.end),
            "organizer": {
                "email": self.host.email,
                "name": self.host.name,
                "timeZone": self.host.time_zone,
                "language": {"locale": "en"},
                "utcOffset": offset(&self.host.time_zone),
            },
            "attendees": [{
                "id": 99001,
                "name": self.person.name,
                "email": self.person.address(),
                "timeZone": self.person.time_zone,
                "language": {"locale": self.person.locale},
                "utcOffset": offset(&self.person.time_zone),
            }],
            "uid": self.uid,
            "customReplyToEmail": null,
            "downloadLink": link,
        });
        self.envelope("RECORDING_READY", payload)
    }

    /// MEETING_STARTED: the booking's row at top level, without a payload.
    pub fn meeting_started(&self) -> Delivery {
        self.meeting("MEETING_STARTED")
    }

    pub fn meeting_ended(&self) -> Delivery {
        self.meeting("MEETING_ENDED")
    }

    fn meeting(&self, trigger: &str) -> Delivery {
        let shown = body::standard(self, "ACCEPTED");
        let mut row = json!({
            "triggerEvent": trigger,
            "id": self.id,
            "uid": self.uid,
            "idempotencyKey": "f50cf89c-8efa-5ccd-8e56-c0bd170adb07",
            "userId": self.host.id,
            "userPrimaryEmail": self.host.email,
            "eventTypeId": self.event.id,
            "title": self.title(),
            "description": self.person.notes,
            "customInputs": {},
            "responses": shown["responses"],
            "startTime": millis(self.start),
            "endTime": millis(self.end),
            "location": self.event.location,
            // The booking's creation, not the sending.
            "createdAt": millis(self.cal.now()),
            "status": "ACCEPTED",
            "paid": false,
            "fromReschedule": self.predecessor.as_ref().map(|from| &from.uid),
            "scheduledJobs": [],
            "metadata": self.person.metadata,
            "isRecorded": false,
            "iCalUID": shown["iCalUID"],
            "iCalSequence": self.sequence,
            "noShowHost": false,
            "creationSource": "WEBAPP",
            "user": {
                "email": self.host.email,
                "name": self.host.name,
                "timeZone": self.host.time_zone,
                "username": self.host.username,
            },
            "attendees": [self.attendee_row()],
            "payment": [],
            "references": [],
            "appsStatus": [],
        });
        for empty in [
            "updatedAt",
            "destinationCalendarId",
            "cancellationReason",
            "rejectionReason",
            "reassignReason",
            "reassignById",
            "dynamicEventSlugRef",
            "dynamicGroupSlugRef",
            "rescheduled",
            "recurringEventId",
            "smsReminderNumber",
            "rating",
            "ratingFeedback",
            "oneTimePassword",
            "cancelledBy",
            "rescheduledBy",
        ] {
            body::keys(&mut row).insert(empty.to_owned(), Value::Null);
        }
        self.cal.deliver(&row)
    }

    fn attendee_row(&self) -> Value {
        json!({
            "id": 99001,
            "email": self.person.address(),
            "name": self.person.name,
            "timeZone": self.person.time_zone,
            "phoneNumber": self.person.phone,
            "locale": self.person.locale,
            "bookingId": self.id,
            "noShow": false,
        })
    }
}
