//! A delivery's body becomes an event or a reason, the same each time, within bounds and without its passwords; and
//! whatever changes it means have keys that depend on no clock.
//!
//! Input: the body.

use domain::change::{self, Change, Meaning};
use domain::event::{BookingEvent, Event};
use domain::profile::Profile;
use jiff::Timestamp;
use serde_json::Value;
use vendors::cal::webhook::{self, Unreadable};

use crate::wording;

const DEPTH_MAX: usize = 128;
const TEXT_CHARS_MAX: usize = 10_000;
const ITEMS_MAX: usize = 1_000;
const UID_CHARS_MAX: usize = 200;

pub fn holds(body: &[u8]) {
    let event = webhook::parse(body);
    assert_eq!(event, webhook::parse(body), "read twice, understood twice");
    if depth(body) > DEPTH_MAX {
        assert!(event.is_err(), "deeper than any delivery");
    }
    let shown = webhook::without_secrets(body).map(|json| json.to_string());
    for secret in Secret::in_body(body) {
        secret.is_not_in(&format!("{event:?}"));
        secret.is_not_in(shown.as_deref().unwrap_or_default());
    }
    match event {
        Err(unreadable) => is_told(&unreadable),
        Ok(Event::Aside { trigger, uid }) => {
            assert!((1..=64).contains(&trigger.name().chars().count()));
            is_uid(uid.as_deref());
        }
        Ok(Event::Form(form)) => {
            is_uid(Some(&form.id));
            is_bounded(&serde_json::to_value(&form).expect("a form is JSON"));
            if let Meaning::Changes(changes) =
                change::of_form(&form, &Profile::default(), Timestamp::UNIX_EPOCH)
            {
                for change in changes {
                    wording::is_told(&change);
                }
            }
        }
        Ok(Event::Booking(event)) => {
            is_uid(Some(&event.booking.uid));
            is_bounded(&serde_json::to_value(&event).expect("an event is JSON"));
            for change in changes(&event) {
                wording::is_told(&change);
            }
        }
    }
}

fn is_told(unreadable: &Unreadable) {
    assert!((20..1_000).contains(&unreadable.reason.len()));
    is_uid(unreadable.uid.as_deref());
}

fn is_uid(uid: Option<&str>) {
    let Some(uid) = uid else { return };
    assert!((1..=UID_CHARS_MAX).contains(&uid.chars().count()));
    assert!(!uid.contains(char::is_control));
}

fn is_bounded(json: &Value) {
    match json {
        Value::String(text) => assert!(text.chars().count() <= TEXT_CHARS_MAX),
        Value::Array(items) => {
            assert!(items.len() <= ITEMS_MAX);
            items.iter().for_each(is_bounded);
        }
        Value::Object(entries) => entries.values().for_each(is_bounded),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// As they are understood now, and with another stamp at another time.
fn changes(event: &BookingEvent) -> Vec<Change> {
    let now = Timestamp::from_second(1_795_000_000).expect("a time");
    let changes = understood(event, now);
    let later = BookingEvent {
        created_at: Some(Timestamp::from_second(1_000_000_000).expect("a time")),
        ..event.clone()
    };
    let keys = |of: &[Change]| of.iter().map(Change::base_key).collect::<Vec<_>>();
    let again = understood(&later, Timestamp::MAX);
    assert_eq!(keys(&changes), keys(&again), "a key depends on no clock");
    for change in &changes {
        assert!(change.stamped() <= now);
        assert!(!change.identity().is_empty());
        assert!(change.base_key().contains(&event.booking.uid));
        assert!(change::is_known(change, std::slice::from_ref(change)));
    }
    changes
}

fn understood(event: &BookingEvent, received_at: Timestamp) -> Vec<Change> {
    match change::understand(event, &Profile::default(), received_at) {
        Meaning::Changes(changes) => changes,
        Meaning::Skipped(_) => Vec::new(),
    }
}

struct Secret {
    text: String,
    is_of_meeting: bool,
}

impl Secret {
    /// Long ones, which are covered wherever they stand. None where there are more than are looked for, or where the
    /// strict reader sees no JSON.
    fn in_body(body: &[u8]) -> Vec<Self> {
        const LOOKED_FOR: usize = 8;
        let named = |name: &[u8]| body.windows(name.len()).filter(|w| *w == name).count();
        let mut found = Vec::new();
        if named(b"oneTimePassword") + named(b"password") <= LOOKED_FOR
            && let Ok(json) = serde_json::from_slice(body)
        {
            collect(&json, false, &mut found);
        }
        found.retain(|s: &Self| {
            (12..TEXT_CHARS_MAX).contains(&s.text.len())
                && s.text.bytes().all(|b| b.is_ascii_alphanumeric())
        });
        found
    }

    fn is_not_in(&self, kept: &str) {
        // The way in to the meeting keeps it.
        let way_in = format!("pwd={}", self.text);
        let kept = if self.is_of_meeting {
            kept.replace(&way_in, "")
        } else {
            kept.to_owned()
        };
        assert!(!kept.contains(&self.text), "a password was kept");
    }
}

fn collect(json: &Value, is_meeting: bool, found: &mut Vec<Secret>) {
    match json {
        Value::Object(entries) => {
            for (key, value) in entries {
                let is_of_meeting = is_meeting && key == "password";
                match value {
                    Value::String(text) if key == "oneTimePassword" || is_of_meeting => {
                        found.push(Secret {
                            text: text.clone(),
                            is_of_meeting,
                        });
                    }
                    _ => collect(value, is_meeting || key == "videoCallData", found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|i| collect(i, is_meeting, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn depth(body: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0_usize, 0, false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}
