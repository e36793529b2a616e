//! Turns Cal.com's webhooks into events, whatever a server of any age or a host's own template made of them.
//! Content types and version headers decide nothing here. Storing and retrying deliveries happens elsewhere.

use domain::change::Kind;
use domain::event::{BookingEvent, Event, Trigger};

use super::booking::{self, Lacking};
use super::json::{self, Json};
use super::{form, note, secrets};

const TRIGGER_CHARS_MAX: usize = 64;
const UNRENDERED: &str = "Cal.com could not render the webhook's custom payload template";
const REMOVE_TEMPLATE: &str = "remove the custom payload template at Cal.com (Settings → Developer → Webhooks); \
     this booking is not in the body, so look it up at Cal.com";

/// A delivery that came from Cal.com and cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Unreadable {
    /// What is wrong and what to do about it. Nothing of the body is quoted.
    pub reason: String,
    pub trigger: Option<String>,
    pub uid: Option<String>,
}

/// A body for a person to look at: without its one-time password, its meeting's password, and copies of these.
/// `None` when it is no JSON.
pub fn without_secrets(body: &[u8]) -> Option<serde_json::Value> {
    let mut root = json::read(json::text_of(body).trim()).ok()?;
    secrets::hide(&mut root);
    Some(root.value())
}

pub fn parse(body: &[u8]) -> Result<Event, Unreadable> {
    let text = json::text_of(body);
    let text = text.trim();
    if text.is_empty() {
        return Err(nothing(body));
    }
    let mut root = json::read(text).map_err(|error| no_json(text, &error))?;
    secrets::hide(&mut root);
    if !root.is_object() {
        return Err(no_object(&root));
    }
    let Some(trigger) = trigger(root.at("triggerEvent")) else {
        return Err(no_trigger(&root));
    };
    match (&trigger, Kind::of(&trigger)) {
        (_, None) => Ok(Event::Aside {
            trigger,
            uid: uid(&root),
        }),
        (
            Trigger::FormSubmitted | Trigger::FormSubmittedNoEvent | Trigger::FormFallback,
            Some(_),
        ) => Ok(Event::Form(Box::new(form::form(trigger, &root)))),
        (_, Some(Kind::Note)) => note_event(trigger, &root),
        (_, Some(_)) => booking_event(trigger, &root),
    }
}

/// Told in a payload, or (when a meeting starts or ends) as the booking's own row at the top.
fn note_event(trigger: Trigger, root: &Json) -> Result<Event, Unreadable> {
    let payload = root.at("payload");
    let is_flat = !payload.is_object();
    let told = if is_flat { root } else { payload };
    let Some(uid) = uid(root) else {
        return Err(Unreadable {
            reason: format!(
                "the delivery names no booking; if a custom payload template is set, {REMOVE_TEMPLATE}"
            ),
            trigger: Some(trigger.name().to_owned()),
            uid: None,
        });
    };
    Ok(Event::Booking(Box::new(BookingEvent {
        note: note::note(&trigger, told),
        // The row's own stamp is from when it was booked.
        created_at: root.at("createdAt").time().filter(|_| !is_flat),
        booking: booking::told_of(uid, told),
        trigger,
    })))
}

fn booking_event(trigger: Trigger, root: &Json) -> Result<Event, Unreadable> {
    let unreadable = |reason: &str| Unreadable {
        reason: reason.to_owned(),
        trigger: Some(trigger.name().to_owned()),
        uid: uid(root),
    };
    let payload = root.at("payload");
    if !payload.is_object() {
        let reason = if payload.is_null() {
            "the body names a booking trigger but has no payload, as a custom payload template makes it; "
        } else {
            "the payload is no JSON object, as a custom payload template makes it; "
        };
        return Err(unreadable(&format!("{reason}{REMOVE_TEMPLATE}")));
    }
    let booking = booking::booking(payload).map_err(|lacking| {
        let what = match lacking {
            Lacking::Uid => "the payload has no usable uid",
            Lacking::Start => "the payload's startTime is missing or is no time with an offset",
            Lacking::End => "the payload's endTime is missing or is no time with an offset",
        };
        unreadable(&format!("{what}, and a booking cannot be told without it; if a custom payload template is set at \
             Cal.com (Settings → Developer → Webhooks), remove it; then look the booking up at Cal.com"))
    })?;
    Ok(Event::Booking(Box::new(BookingEvent {
        trigger,
        created_at: root.at("createdAt").time(),
        booking,
        note: None,
    })))
}

/// The names are exact; Cal.com has never sent them in another case.
fn trigger(name: &Json) -> Option<Trigger> {
    let Json::Text(name) = name else {
        return None;
    };
    match Trigger::named(name) {
        Some(followed) => Some(followed),
        None => printable(name).map(Trigger::Other),
    }
}

fn printable(name: &str) -> Option<String> {
    let visible = name.trim().chars().filter(|c| !c.is_control());
    let name: String = visible.take(TRIGGER_CHARS_MAX).collect();
    (!name.is_empty()).then_some(name)
}

/// Wherever the uid is: no-show deliveries call it otherwise, and MEETING_STARTED has no payload around it.
fn uid(root: &Json) -> Option<String> {
    let payload = root.at("payload");
    [
        payload.at("uid"),
        payload.at("bookingUid"),
        payload.at("booking").at("uid"),
        root.at("uid"),
    ]
    .into_iter()
    .find_map(booking::uid)
}

fn nothing(body: &[u8]) -> Unreadable {
    let what = if body.is_empty() {
        "the body is empty"
    } else {
        "the body is blank"
    };
    anonymous(format!(
        "{what}; if a custom payload template is set at Cal.com (Settings → Developer → Webhooks), remove it; else \
         look at Cal.com for bookings made at that time"
    ))
}

fn no_json(text: &str, error: &serde_json::Error) -> Unreadable {
    let looks_like_json = text.starts_with(['{', '[']);
    let is_escaped = ["&quot;", "&#x27;", "&#39;", "&#x3D;"]
        .iter()
        .any(|entity| text.contains(entity));
    anonymous(if error.to_string().contains("recursion limit") {
        "the body is JSON nested more than 128 levels deep, which no version of Cal.com sends; look at Cal.com for \
         bookings made at that time"
            .to_owned()
    } else if looks_like_json && error.is_eof() {
        "the body is JSON that ends too early; look at Cal.com for bookings made at that time, and at the proxy in \
         front of calup for a limit on bodies"
            .to_owned()
    } else if is_escaped {
        format!(
            "the body is HTML-escaped text, made by a custom payload template; {REMOVE_TEMPLATE}"
        )
    } else if looks_like_json {
        format!(
            "the body is broken JSON, most likely made by a custom payload template; {REMOVE_TEMPLATE}"
        )
    } else {
        format!(
            "the body is text and no JSON, made by a custom payload template; {REMOVE_TEMPLATE}"
        )
    })
}

fn no_object(root: &Json) -> Unreadable {
    let what = match root {
        Json::Bool(false) => format!("the body is the literal `false`: {UNRENDERED}"),
        Json::Bool(true) => {
            "the body is the literal `true`, made by a custom payload template".to_owned()
        }
        Json::Null => {
            "the body is the literal `null`, made by a custom payload template".to_owned()
        }
        Json::Number(_) => "the body is a number, made by a custom payload template".to_owned(),
        Json::Text(_) => "the body is a JSON text, made by a custom payload template".to_owned(),
        Json::List(_) => "the body is a JSON list, made by a custom payload template".to_owned(),
        Json::Object(_) => return no_trigger(root),
    };
    anonymous(format!("{what}; {REMOVE_TEMPLATE}"))
}

fn no_trigger(root: &Json) -> Unreadable {
    const FLATTENED: [&str; 7] = [
        "title",
        "startTime",
        "endTime",
        "organizer",
        "attendees",
        "bookingId",
        "responses",
    ];
    let flattened = FLATTENED.iter().filter(|key| !root.at(key).is_null());
    let reason = if root.entries().is_empty() {
        "the body is an empty JSON object, as some versions of Cal.com send for meetings that ended; there is nothing \
         to do unless bookings are missing"
            .to_owned()
    } else if !root.at("triggerEvent").is_null() {
        format!(
            "triggerEvent is no text that names a trigger, as a custom payload template makes it; {REMOVE_TEMPLATE}"
        )
    } else if flattened.count() >= 3 {
        "the body has no triggerEvent and a booking's fields at the top, as Cal.com sends to Zapier; make a webhook for \
         calup at Cal.com (Settings → Developer → Webhooks) instead of a Zapier subscription"
            .to_owned()
    } else {
        format!(
            "the body has no triggerEvent, so a custom payload template made it; {REMOVE_TEMPLATE}"
        )
    };
    Unreadable {
        reason,
        trigger: None,
        uid: uid(root),
    }
}

fn anonymous(reason: String) -> Unreadable {
    Unreadable {
        reason,
        trigger: None,
        uid: None,
    }
}
