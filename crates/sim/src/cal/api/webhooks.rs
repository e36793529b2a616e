//! The account's webhooks.

use serde_json::{Value, json};

use super::routes::{Asked, Outcome, conflict, created, invalid_property, not_found, success};
use super::state::{State, text};
use crate::cal::delivery::Delivery;

const UNSIGNED: &str = "no-secret-provided";
const TRIGGERS: [&str; 19] = [
    "BOOKING_CREATED",
    "BOOKING_PAYMENT_INITIATED",
    "BOOKING_PAID",
    "BOOKING_RESCHEDULED",
    "BOOKING_REQUESTED",
    "BOOKING_CANCELLED",
    "BOOKING_REJECTED",
    "BOOKING_NO_SHOW_UPDATED",
    "FORM_SUBMITTED",
    "MEETING_ENDED",
    "MEETING_STARTED",
    "RECORDING_READY",
    "RECORDING_TRANSCRIPTION_GENERATED",
    "OOO_CREATED",
    "AFTER_HOSTS_CAL_VIDEO_NO_SHOW",
    "AFTER_GUESTS_CAL_VIDEO_NO_SHOW",
    "FORM_SUBMITTED_NO_EVENT",
    "DELEGATION_CREDENTIAL_ERROR",
    "WRONG_ASSIGNMENT_REPORT",
];
const HOSTED_TRIGGERS: [&str; 2] = ["BOOKING_LOCATION_UPDATED", "BOOKING_REASSIGNED"];

#[derive(Clone, Debug)]
pub(super) struct Webhook {
    pub id: String,
    pub url: String,
    pub triggers: Vec<String>,
    pub active: bool,
    pub secret: Option<String>,
    pub template: Option<String>,
    pub version: String,
    pub created_at: String,
    /// Only about bookings of this event type.
    pub event_type: Option<u64>,
}

impl Webhook {
    pub fn wants(&self, trigger: &str, event_type: u64) -> bool {
        self.active
            && self.triggers.iter().any(|it| it == trigger)
            && self.event_type.is_none_or(|it| it == event_type)
    }

    pub fn signed(&self, delivery: &Delivery) -> Delivery {
        match &self.secret {
            Some(secret) => delivery.signed_with(secret),
            None => delivery.with_signature(UNSIGNED),
        }
    }

    fn view(&self, state: &State) -> Value {
        let mut view = json!({
            "id": self.id,
            "payloadTemplate": self.template,
            "triggers": self.triggers,
            "subscriberUrl": self.url,
            "active": self.active,
            "secret": self.secret,
            "userId": state.config.host.id,
        });
        if state.config.hosted {
            view["time"] = Value::Null;
            view["timeUnit"] = Value::Null;
            view["version"] = json!(self.version);
        }
        view
    }
}

pub(super) fn list(state: &State, asked: &Asked) -> Outcome {
    let number = |name: &str, usual| {
        asked
            .param(name)
            .and_then(|it| it.parse().ok())
            .unwrap_or(usual)
    };
    let all = state.webhooks.iter().filter(|it| it.event_type.is_none());
    let page = all.skip(number("skip", 0)).take(number("take", 250));
    success(page.map(|it| it.view(state)).collect())
}

pub(super) fn create(state: &mut State, asked: &Asked) -> Outcome {
    let Some(url) = text(&asked.body["subscriberUrl"]) else {
        let value = asked.body["subscriberUrl"].clone();
        return invalid_property(
            "subscriberUrl",
            value,
            "isString",
            "subscriberUrl must be a string",
        );
    };
    let mut webhook = Webhook {
        id: state.producer.new_uuid(),
        url,
        triggers: Vec::new(),
        active: true,
        secret: None,
        template: None,
        version: "2021-10-20".to_owned(),
        created_at: crate::cal::millis(state.now()),
        event_type: None,
    };
    if let Err(refusal) = change(state, &mut webhook, &asked.body) {
        return refusal;
    }
    let is_taken = state.webhooks.iter().any(|it| it.url == webhook.url);
    if is_taken && !state.config.hosted {
        return conflict("Webhook with this subscriber url already exists for this user");
    }
    let view = webhook.view(state);
    state.webhooks.push(webhook);
    created(view)
}

/// With keys of its own, as seen on a running server.
pub(super) fn get(state: &State, id: &str) -> Outcome {
    let Some(webhook) = state.webhooks.iter().find(|it| it.id == id) else {
        return missing(id);
    };
    let mut view = webhook.view(state);
    for (key, value) in [
        ("teamId", Value::Null),
        ("eventTypeId", json!(webhook.event_type)),
        ("createdAt", json!(webhook.created_at)),
        ("appId", Value::Null),
        ("platform", json!(false)),
        ("time", Value::Null),
        ("timeUnit", Value::Null),
        ("version", json!(webhook.version)),
        ("oAuthClientId", Value::Null),
    ] {
        view[key] = value;
    }
    success(view)
}

pub(super) fn update(state: &mut State, id: &str, asked: &Asked) -> Outcome {
    let Some(at) = state.webhooks.iter().position(|it| it.id == id) else {
        return missing(id);
    };
    let mut webhook = state.webhooks[at].clone();
    if let Err(refusal) = change(state, &mut webhook, &asked.body) {
        return refusal;
    }
    state.webhooks[at] = webhook;
    success(state.webhooks[at].view(state))
}

pub(super) fn delete(state: &mut State, id: &str) -> Outcome {
    let Some(at) = state.webhooks.iter().position(|it| it.id == id) else {
        return missing(id);
    };
    let gone = state.webhooks.remove(at);
    success(gone.view(state))
}

fn change(state: &State, webhook: &mut Webhook, body: &Value) -> Result<(), Outcome> {
    if let Some(triggers) = body["triggers"].as_array() {
        let triggers: Vec<String> = triggers.iter().filter_map(text).collect();
        let is_known = |it: &String| {
            let hosted = state.config.hosted && HOSTED_TRIGGERS.contains(&it.as_str());
            hosted || TRIGGERS.contains(&it.as_str())
        };
        if !triggers.iter().all(is_known) {
            let rule = format!(
                "each value in triggers must be one of the following values: {}",
                TRIGGERS.join(", ")
            );
            return Err(invalid_property(
                "triggers",
                body["triggers"].clone(),
                "isEnum",
                &rule,
            ));
        }
        webhook.triggers = triggers;
    }
    if let Some(version) = text(&body["version"]) {
        let is_known = version == "2021-10-20" || (state.config.hosted && version == "2026-07-27");
        if !is_known {
            let rule = "version must be one of the following values: 2021-10-20";
            return Err(invalid_property(
                "version",
                body["version"].clone(),
                "isEnum",
                rule,
            ));
        }
        webhook.version = version;
    }
    if let Some(url) = text(&body["subscriberUrl"]) {
        webhook.url = url;
    }
    if let Some(active) = body["active"].as_bool() {
        webhook.active = active;
    }
    if body.get("secret").is_some() {
        webhook.secret = text(&body["secret"]);
    }
    if body.get("payloadTemplate").is_some() {
        webhook.template = text(&body["payloadTemplate"]);
    }
    Ok(())
}

fn missing(id: &str) -> Outcome {
    not_found(&format!("Webhook ({id}) not found"))
}
